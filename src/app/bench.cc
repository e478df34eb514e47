// SPDX-License-Identifier: Apache-2.0
//
// How it measures:
// 1. The same operations on the same tree: on a Holdfast tmpfs through sys_* calls, and on a kernel
//    tmpfs by system calls (one of our own mounting where permitted, else /dev/shm).
// 2. Rounds are interleaved: in each round every operation runs a slice on either side, so that
//    both see the same noise. The figure is the median of the rounds.
// 3. Threads: what a second thread gains is compared with what it gains in a loop that touches
//    registers only, in the same run; where that loop gains less than 1.7 the machine can't tell,
//    and it says so.
#include "app/bench.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "holdfast/contract.h"
#include "holdfast/filesystems.h"
#include "holdfast/syscalls.h"

namespace holdfast_app {

namespace {

using clock_type = std::chrono::steady_clock;
namespace hf = holdfast;

double now_ns() {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock_type::now().time_since_epoch())
          .count());
}

[[noreturn]] void die(const char* what, int code) {
  std::fprintf(stderr, "holdfast bench: %s: %s\n", what, std::strerror(code));
  std::exit(1);
}
template <class R>
auto need(const char* what, R r) {
  if (!r.ok()) die(what, r.code());
  if constexpr (!std::is_void_v<typename R::value_type>) return std::move(*r);
}
void need_sys(const char* what, long r) {
  if (r < 0) die(what, errno);
}

// The tree both sides work on: a chain of directories, a file of 1 MiB, a directory for each
// thread.
constexpr const char* chain = "a/b/c/d/e/f/g";
constexpr const char* deep = "a/b/c/d/e/f/g/h";

struct kernel_side {
  std::string dir;
  bool mounted = false;
  int before = -1;
  kernel_side() {
    char tmpl[] = "/tmp/holdfast-bench-XXXXXX";
    if (!mkdtemp(tmpl)) die("mkdtemp", errno);
    dir = tmpl;
    mounted = ::mount("none", tmpl, "tmpfs", 0, "size=256m") == 0;
    if (!mounted) {
      ::rmdir(tmpl);
      char shm[] = "/dev/shm/holdfast-bench-XXXXXX";
      if (!mkdtemp(shm)) die("no tmpfs to compare with: /dev/shm", errno);
      dir = shm;
    }
    before = ::open(".", O_RDONLY | O_DIRECTORY);
    need_sys("chdir", ::chdir(dir.c_str()));
  }
  ~kernel_side() {
    if (before >= 0 && ::fchdir(before) == 0) ::close(before);
    if (mounted) {
      ::umount2(dir.c_str(), MNT_DETACH);
      ::rmdir(dir.c_str());
    } else {
      std::string cmd = "rm -rf '" + dir + "'";
      if (std::system(cmd.c_str()) != 0) std::fprintf(stderr, "could not remove %s\n", dir.c_str());
    }
  }
  void build() {
    std::string p;
    for (const char* c = chain;; ++c) {
      if (*c == '/' || *c == '\0') need_sys("mkdir", ::mkdir(p.c_str(), 0755));
      if (*c == '\0') break;
      p += *c;
    }
    for (const char* name : {"file", deep}) {
      int fd = ::open(name, O_CREAT | O_RDWR, 0644);
      need_sys("open", fd);
      std::vector<char> data(1 << 20, 'x');
      need_sys("write", ::write(fd, data.data(), data.size()));
      ::close(fd);
    }
    for (const char* d : {"d0", "d1"}) need_sys("mkdir", ::mkdir(d, 0755));
  }
};

struct holdfast_side {
  hf::mnt_namespace* ns;
  holdfast_side() {
    need("register_tmpfs", hf::register_tmpfs());
    ns = need("mount", hf::create_mnt_namespace("tmpfs", "none", 0, "size=256m"));
  }
  ~holdfast_side() { hf::put_mnt_ns(ns); }
  hf::task* make_task() {
    hf::task* t = hf::create_task(*ns);
    if (!t) die("create_task", ENOMEM);
    return t;
  }
  void build(hf::task& t) {
    std::string p;
    for (const char* c = chain;; ++c) {
      if (*c == '/' || *c == '\0') need("mkdir", hf::sys_mkdir(t, hf::at_cwd, p, 0755));
      if (*c == '\0') break;
      p += *c;
    }
    for (const char* name : {"file", deep}) {
      int fd = need("open", hf::sys_open(t, hf::at_cwd, name, O_CREAT | O_RDWR, 0644));
      std::vector<char> data(1 << 20, 'x');
      need("write", hf::sys_write(t, fd, data.data(), data.size()));
      need("close", hf::sys_close(t, fd));
    }
    for (const char* d : {"d0", "d1"}) need("mkdir", hf::sys_mkdir(t, hf::at_cwd, d, 0755));
  }
};

// One side of one operation: does it n times for thread `who`.
using body = std::function<void(int who, long n)>;

struct operation {
  std::string name;
  body ours;
  body kernels;
  long ours_n = 0, kernels_n = 0;  // per slice
  std::vector<double> ours_ns, kernels_ns;
};

double timed(const body& b, int who, long n) {
  double t0 = now_ns();
  b(who, n);
  return (now_ns() - t0) / static_cast<double>(n);
}

long calibrate(const body& b, int who, int slice_ms) {
  long n = 16;
  for (;;) {
    double ns = timed(b, who, n) * static_cast<double>(n);
    if (ns > 2e6)
      return std::max(16L, static_cast<long>(static_cast<double>(n) * slice_ms * 1e6 / ns));
    n *= 4;
  }
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  size_t m = v.size() / 2;
  return v.size() % 2 ? v[m] : (v[m - 1] + v[m]) / 2;
}

// How much more two threads get done than one, in operations a second.
double gain_of_second(const body& b, long n) {
  double one = timed(b, 0, n);
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  double each[2] = {};
  std::vector<std::thread> threads;
  for (int who = 0; who < 2; ++who) {
    threads.emplace_back([&, who] {
      b(who, std::max(1L, n / 50));  // warm
      ready.fetch_add(1);
      while (!go.load(std::memory_order_acquire)) {
      }
      each[who] = timed(b, who, n);
    });
  }
  while (ready.load() < 2) std::this_thread::yield();
  go.store(true, std::memory_order_release);
  for (auto& t : threads) t.join();
  return one / each[0] + one / each[1];
}

void register_loop(int, long n) {
  uint64_t x = 88172645463325252u;
  for (long i = 0; i < n; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    asm volatile("" : "+r"(x));
  }
}

std::vector<operation> make_operations(hf::task* const tasks[2]) {
  std::vector<operation> ops;
  auto add = [&](const char* name, body ours, body kernels) {
    ops.push_back({name, std::move(ours), std::move(kernels), 0, 0, {}, {}});
  };
  auto stat_of = [&](const char* name, const char* path, bool exists) {
    add(
        name,
        [=](int who, long n) {
          hf::task& t = *tasks[who];
          hf::kstat st;
          for (long i = 0; i < n; ++i) {
            auto s = hf::sys_stat(t, hf::at_cwd, path, 0, st);
            if (s.ok() != exists) die("stat", s.ok() ? EEXIST : s.code());
          }
        },
        [=](int, long n) {
          struct stat st;
          for (long i = 0; i < n; ++i)
            if ((::stat(path, &st) == 0) != exists) die("stat", errno);
        });
  };
  stat_of("stat_depth1", "file", true);
  stat_of("stat_depth8", deep, true);
  stat_of("stat_negative", "absent", false);
  add(
      "open_close",
      [=](int who, long n) {
        hf::task& t = *tasks[who];
        for (long i = 0; i < n; ++i) {
          auto fd = hf::sys_open(t, hf::at_cwd, "file", O_RDONLY);
          if (!fd.ok()) die("open", fd.code());
          need("close", hf::sys_close(t, *fd));
        }
      },
      [=](int, long n) {
        for (long i = 0; i < n; ++i) {
          int fd = ::open("file", O_RDONLY);
          need_sys("open", fd);
          ::close(fd);
        }
      });
  add(
      "create_unlink",
      [=](int who, long n) {
        hf::task& t = *tasks[who];
        const char* name = who ? "d1/new" : "d0/new";
        for (long i = 0; i < n; ++i) {
          auto fd = hf::sys_open(t, hf::at_cwd, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
          if (!fd.ok()) die("create", fd.code());
          need("close", hf::sys_close(t, *fd));
          need("unlink", hf::sys_unlink(t, hf::at_cwd, name, 0));
        }
      },
      [=](int who, long n) {
        const char* name = who ? "d1/new" : "d0/new";
        for (long i = 0; i < n; ++i) {
          int fd = ::open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
          need_sys("create", fd);
          ::close(fd);
          need_sys("unlink", ::unlink(name));
        }
      });
  add(
      "rename",
      [=](int who, long n) {
        hf::task& t = *tasks[who];
        const char* a = who ? "d1/x" : "d0/x";
        const char* b = who ? "d1/y" : "d0/y";
        int fd = need("create", hf::sys_open(t, hf::at_cwd, a, O_CREAT | O_WRONLY, 0644));
        need("close", hf::sys_close(t, fd));
        for (long i = 0; i < n; ++i) {
          need("rename", hf::sys_rename(t, hf::at_cwd, a, hf::at_cwd, b, 0));
          std::swap(a, b);
        }
      },
      [=](int who, long n) {
        const char* a = who ? "d1/x" : "d0/x";
        const char* b = who ? "d1/y" : "d0/y";
        int fd = ::open(a, O_CREAT | O_WRONLY, 0644);
        need_sys("create", fd);
        ::close(fd);
        for (long i = 0; i < n; ++i) {
          need_sys("rename", ::rename(a, b));
          std::swap(a, b);
        }
      });
  add(
      "mkdir_rmdir",
      [=](int who, long n) {
        hf::task& t = *tasks[who];
        const char* name = who ? "d1/sub" : "d0/sub";
        for (long i = 0; i < n; ++i) {
          need("mkdir", hf::sys_mkdir(t, hf::at_cwd, name, 0755));
          need("rmdir", hf::sys_unlink(t, hf::at_cwd, name, AT_REMOVEDIR));
        }
      },
      [=](int who, long n) {
        const char* name = who ? "d1/sub" : "d0/sub";
        for (long i = 0; i < n; ++i) {
          need_sys("mkdir", ::mkdir(name, 0755));
          need_sys("rmdir", ::rmdir(name));
        }
      });
  add(
      "chmod",
      [=](int who, long n) {
        hf::task& t = *tasks[who];
        for (long i = 0; i < n; ++i)
          need("chmod", hf::sys_chmod(t, hf::at_cwd, who ? "d1" : "d0",
                                      static_cast<hf::umode_t>(0700 | (i & 7)), 0));
      },
      [=](int who, long n) {
        for (long i = 0; i < n; ++i)
          need_sys("chmod", ::chmod(who ? "d1" : "d0", static_cast<mode_t>(0700 | (i & 7))));
      });
  auto io = [&](const char* name, bool write, size_t size) {
    add(
        name,
        [=](int who, long n) {
          hf::task& t = *tasks[who];
          std::vector<char> buf(size, 'y');
          int fd = need("open", hf::sys_open(t, hf::at_cwd, "file", O_RDWR));
          for (long i = 0; i < n; ++i) {
            auto r = write ? hf::sys_pwrite(t, fd, buf.data(), size, 0)
                           : hf::sys_pread(t, fd, buf.data(), size, 0);
            if (!r.ok() || *r != size) die(name, r.ok() ? EIO : r.code());
          }
          need("close", hf::sys_close(t, fd));
        },
        [=](int, long n) {
          std::vector<char> buf(size, 'y');
          int fd = ::open("file", O_RDWR);
          need_sys("open", fd);
          for (long i = 0; i < n; ++i)
            need_sys(name,
                     write ? ::pwrite(fd, buf.data(), size, 0) : ::pread(fd, buf.data(), size, 0));
          ::close(fd);
        });
  };
  io("pread_4k", false, 4096);
  io("pwrite_4k", true, 4096);
  io("pread_1m", false, 1 << 20);
  return ops;
}

// The operations on names, which is what checking costs most of.
bool is_metadata(const operation& o) {
  return o.name.find("pread") == std::string::npos && o.name.find("pwrite") == std::string::npos;
}

double geometric_mean(const std::vector<double>& v) {
  double logs = 0;
  for (double x : v) logs += std::log(x);
  return std::exp(logs / static_cast<double>(v.size()));
}

// Checks on against checks off, in one process; slices alternate as with the kernel.
int compare_checking(const bench_options& opt, std::vector<operation>& ops) {
  if (!hf::checking_compiled_in) {
    std::fprintf(stderr, "holdfast bench: checking is compiled out of this program\n");
    return 1;
  }
  auto checked = [](const operation& o) {
    hf::set_check_mode(hf::check_mode::report);
    const double ns = timed(o.ours, 0, o.ours_n);
    hf::set_check_mode(hf::check_mode::off);
    return ns;
  };
  for (operation& o : ops) {
    o.ours_n = calibrate(o.ours, 0, opt.slice_ms);
    checked(o);  // the records and the orders are made on first use
  }
  for (int r = 0; r < opt.rounds; ++r)
    for (operation& o : ops) {
      if (r % 2) o.ours_ns.push_back(timed(o.ours, 0, o.ours_n));
      o.kernels_ns.push_back(checked(o));
      if (!(r % 2)) o.ours_ns.push_back(timed(o.ours, 0, o.ours_n));
    }
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  if (!opt.json) std::printf("%-28s %12s %12s %8s\n", "", "off ns", "on ns", "ratio");
  std::vector<double> ratios;
  for (operation& o : ops) {
    const double off = median(o.ours_ns), on = median(o.kernels_ns);
    if (is_metadata(o)) ratios.push_back(on / off);
    out.push_back({{"name", o.name}, {"off_ns", off}, {"on_ns", on}, {"ratio", on / off}});
    if (!opt.json) std::printf("%-28s %12.1f %12.1f %7.2fx\n", o.name.c_str(), off, on, on / off);
  }
  if (!ratios.empty()) {
    const double mean = geometric_mean(ratios);
    out.push_back({{"name", "metadata_geometric_mean"}, {"ratio", mean}});
    if (!opt.json)
      std::printf("%-28s %12s %12s %7.2fx\n", "geometric mean, metadata", "", "", mean);
  }
  if (opt.json) std::printf("%s\n", out.dump(2).c_str());
  return 0;
}

// One side only: what a script runs in turns with another program.
int measure_alone(const bench_options& opt, std::vector<operation>& ops) {
  for (operation& o : ops) o.ours_n = calibrate(o.ours, 0, opt.slice_ms);
  for (int r = 0; r < opt.rounds; ++r)
    for (operation& o : ops) o.ours_ns.push_back(timed(o.ours, 0, o.ours_n));
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (operation& o : ops) {
    const double ns = median(o.ours_ns);
    out.push_back({{"name", o.name}, {"holdfast_ns", ns}, {"metadata", is_metadata(o)}});
    if (!opt.json) std::printf("%-28s %12.1f\n", o.name.c_str(), ns);
  }
  if (opt.json) std::printf("%s\n", out.dump(2).c_str());
  return 0;
}

}  // namespace

int run_bench(const bench_options& opt) {
  hf::set_check_mode(hf::check_mode::off);
  holdfast_side ours;
  kernel_side kernel;
  hf::task* tasks[2] = {ours.make_task(), ours.make_task()};
  ours.build(*tasks[0]);
  kernel.build();
  std::vector<operation> ops = make_operations(tasks);
  if (!opt.filter.empty())
    std::erase_if(ops,
                  [&](const operation& o) { return o.name.find(opt.filter) == std::string::npos; });

  if (opt.checking || opt.alone) {
    const int status = opt.checking ? compare_checking(opt, ops) : measure_alone(opt, ops);
    for (hf::task* t : tasks) hf::destroy_task(t);
    return status;
  }
  for (operation& o : ops) {
    o.ours_n = calibrate(o.ours, 0, opt.slice_ms);
    o.kernels_n = calibrate(o.kernels, 0, opt.slice_ms);
  }
  for (int r = 0; r < opt.rounds; ++r) {
    for (operation& o : ops) {
      // Who goes first changes, so that neither always finds the caches the other left.
      if (r % 2) o.ours_ns.push_back(timed(o.ours, 0, o.ours_n));
      o.kernels_ns.push_back(timed(o.kernels, 0, o.kernels_n));
      if (!(r % 2)) o.ours_ns.push_back(timed(o.ours, 0, o.ours_n));
    }
    if (isatty(2)) std::fprintf(stderr, "\rround %d of %d", r + 1, opt.rounds);
  }
  if (isatty(2)) std::fprintf(stderr, "\r                 \r");

  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  if (!opt.json) std::printf("%-28s %12s %12s %8s\n", "", "holdfast ns", "kernel ns", "ratio");
  for (operation& o : ops) {
    double a = median(o.ours_ns), b = median(o.kernels_ns);
    out.push_back({{"name", o.name}, {"holdfast_ns", a}, {"kernel_ns", b}, {"ratio", b / a}});
    if (!opt.json) std::printf("%-28s %12.1f %12.1f %7.2fx\n", o.name.c_str(), a, b, b / a);
  }

  const long loop_n = calibrate(register_loop, 0, 4 * opt.slice_ms);
  for (operation& o : ops) {
    if (o.name != "stat_depth1" && o.name != "pread_4k" && o.name != "create_unlink") continue;
    std::vector<double> gains, loops, kernels;
    for (int r = 0; r < 5; ++r) {
      loops.push_back(gain_of_second(register_loop, loop_n));
      gains.push_back(gain_of_second(o.ours, o.ours_n * 4));
      kernels.push_back(gain_of_second(o.kernels, o.kernels_n * 4));
    }
    double gain = median(gains), loop = median(loops), kgain = median(kernels);
    double ns = median(o.ours_ns) / gain, kns = median(o.kernels_ns) / kgain;
    bool measurable = loop >= 1.7;
    nlohmann::ordered_json e = {{"name", o.name + "_2_threads"},
                                {"holdfast_ns", ns},
                                {"kernel_ns", kns},
                                {"ratio", kns / ns},
                                {"gain", gain},
                                {"loop_gain", loop},
                                {"kernel_gain", kgain}};
    if (measurable)
      e["gain_of_loop"] = gain / loop;
    else
      e["gain_of_loop"] = "not measurable";
    out.push_back(e);
    if (!opt.json) {
      std::printf("%-28s %12.1f %12.1f %7.2fx   second thread: x%.2f, register loop x%.2f",
                  (o.name + "_2_threads").c_str(), ns, kns, kns / ns, gain, loop);
      if (measurable)
        std::printf(" (%.2f of it), kernel x%.2f\n", gain / loop, kgain);
      else
        std::printf(" (not measurable), kernel x%.2f\n", kgain);
    }
  }
  if (opt.json) std::printf("%s\n", out.dump(2).c_str());
  for (hf::task* t : tasks) hf::destroy_task(t);
  return 0;
}

}  // namespace holdfast_app
