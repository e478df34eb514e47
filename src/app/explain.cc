// SPDX-License-Identifier: Apache-2.0
//
// holdfast explain: runs the script, stage by stage, and writes what was asked for.
//
// 1. Tasks of a stage start together; between stages nothing runs, and names are taken.
// 2. A stage that waits for a thaw which no operation will bring is thawed from here, and a note
//    says so; one that still does not end is given up, with the process.
#include "app/explain.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "app/errors.h"
#include "app/explain_ops.h"
#include "holdfast/filesystems.h"

namespace holdfast::app {
namespace {

constexpr unsigned default_pause_us = 200;

class scratch_world {
 public:
  explicit scratch_world(const std::string& type) {
    Result<mnt_namespace*> ns = create_mnt_namespace(type, "scratch", 0, "");
    if (!ns)
      throw user_error("no scratch file system of type " + type + ": " + error_text(ns.code()));
    ns_ = *ns;
  }
  ~scratch_world() {
    thaw_all();
    for (task* t : tasks_) destroy_task(t);
    put_mnt_ns(ns_);
  }
  scratch_world(const scratch_world&) = delete;
  scratch_world& operator=(const scratch_world&) = delete;

  task& make_task() {
    task* t = create_task(*ns_, {.pid = static_cast<int32_t>(tasks_.size()) + 1});
    if (t == nullptr) throw user_error("out of memory");
    tasks_.push_back(t);
    return *t;
  }

 private:
  mnt_namespace* ns_;
  std::vector<task*> tasks_;
};

struct numbered_operation {
  const script_operation* op;
  int number;
};

// One task of the script.
struct lane {
  std::string name;
  task* who;
  std::vector<numbered_operation> todo;
};

class performance {
 public:
  performance(const explain_request& r, timeline& t) : request_(r), timeline_(t), world_(r.type) {}

  void perform(const std::vector<script_stage>& stages) {
    task& mine = world_.make_task();
    for (const script_stage& s : stages)
      for (const script_operation& op : s) {
        check_operation(op);
        if (op.task != "prepare") lane_of(op.task);
      }
    if (lanes_.empty()) throw user_error("the script prepares, and performs nothing");
    for (const lane& l : lanes_) timeline_.tasks.push_back(l.name);
    timeline_.pause_us = request_.pause_us >= 0 ? static_cast<unsigned>(request_.pause_us)
                         : lanes_.size() > 1    ? default_pause_us
                                                : 0;
    recorder_.set_pause_us(timeline_.pause_us);
    scratch s(mine);
    set_violation_callback(
        [](const violation& v, void* self) {
          static_cast<performance*>(self)->recorder_.add_violation(v);
        },
        this);
    recorder_.start();
    for (const script_stage& stage : stages) {
      // Alone, an operation is a stage: names are taken between any two.
      const bool alone = std::all_of(stage.begin(), stage.end(), [&](const script_operation& op) {
        return op.task == stage.front().task;
      });
      if (!alone) {
        run_stage(s, mine, stage);
        continue;
      }
      for (const script_operation& op : stage) run_stage(s, mine, {op});
    }
    recorder_.stop();
    set_violation_callback(nullptr, nullptr);
    timeline_.prepared = s.made;
    timeline_.violations = recorder_.violations();
  }

  std::vector<recorded_event> take_events() { return std::move(recorder_.events()); }

 private:
  lane& lane_of(const std::string& name) {
    for (lane& l : lanes_)
      if (l.name == name) return l;
    lanes_.push_back({name, &world_.make_task(), {}});
    return lanes_.back();
  }

  void run_stage(scratch& s, task& mine, const script_stage& stage) {
    s.begin_stage();
    for (const script_operation& op : stage) {
      prepare_operation(s, op);
      if (op.task != "prepare") continue;
      const operation_result r = run_operation(mine, op);
      if (r.failed) throw user_error("prepare: " + op.text + " " + r.text);
      s.made.push_back(op.text);
    }
    for (const script_operation& op : stage)
      if (op.task != "prepare") lane_of(op.task).todo.push_back({&op, next_number_++});
    name_table before;
    before.collect(mine);
    recorder_.set_quiet(false);
    run_lanes();
    recorder_.set_quiet(true);
    name_table after;
    after.collect(mine);
    recorder_.name_events(before, after);
    for (lane& l : lanes_) l.todo.clear();
  }

  void run_lanes() {
    std::atomic<size_t> waiting{0};
    for (const lane& l : lanes_)
      if (!l.todo.empty()) ++waiting;
    running_ = waiting;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < lanes_.size(); ++i)
      if (!lanes_[i].todo.empty())
        threads.emplace_back([this, i, &waiting] {
          --waiting;
          while (waiting != 0) std::this_thread::yield();
          run_lane(static_cast<int>(i));
        });
    wait_for_lanes();
    for (std::thread& t : threads) t.join();
    if (!error_.empty()) throw user_error(error_);
  }

  void run_lane(int number) {
    const lane& l = lanes_[static_cast<size_t>(number)];
    for (const numbered_operation& n : l.todo) {
      recorder::enter_lane(number, n.number);
      recorder_.begin_operation(n.op->text);
      operation_result r;
      try {
        r = run_operation(*l.who, *n.op);
      } catch (const std::exception& e) {
        r = {e.what(), true};
        const std::lock_guard g(lock_);
        error_ = e.what();
      }
      recorder_.end_operation(r.text, r.failed);
    }
    recorder::enter_lane(-1, -1);
    const std::lock_guard g(lock_);
    --running_;
    ended_.notify_all();
  }

  void wait_for_lanes() {
    std::unique_lock g(lock_);
    const auto done = [this] { return running_ == 0; };
    if (ended_.wait_for(g, std::chrono::seconds(2), done)) return;
    g.unlock();
    if (thaw_all() != 0)
      timeline_.notes.push_back(
          "a task waited for a thaw that no operation brings; thawed after 2 s");
    g.lock();
    if (ended_.wait_for(g, std::chrono::seconds(20), done)) return;
    fputs("holdfast: explain: the tasks wait for each other; given up after 20 s\n", stderr);
    _exit(1);
  }

  const explain_request& request_;
  timeline& timeline_;
  scratch_world world_;
  recorder recorder_;
  std::vector<lane> lanes_;
  int next_number_ = 0;
  std::mutex lock_;
  std::condition_variable ended_;
  size_t running_ = 0;
  std::string error_;
};

std::string script_of(const explain_request& r) {
  if (r.script.empty() == r.file.empty())
    throw user_error("explain takes operations, or a file of them with -f; see --help");
  if (r.file.empty()) {
    // rename a/b c/d without quotes: one operation.
    const bool one = r.script.size() > 1 && r.script[0].find(' ') == std::string::npos;
    std::string text;
    for (const std::string& s : r.script) text += (text.empty() ? "" : one ? " " : "\n") + s;
    return text;
  }
  if (r.file == "-")
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  std::ifstream in(r.file);
  if (!in) throw user_error(r.file + ": " + error_text(errno));
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_to(const std::string& path, const std::string& text) {
  FILE* out = fopen(path.c_str(), "w");
  if (out == nullptr) throw user_error(path + ": " + error_text(errno));
  const bool complete = fwrite(text.data(), 1, text.size(), out) == text.size();
  if (fclose(out) != 0 || !complete) throw user_error(path + ": " + error_text(errno));
}

unsigned terminal_width(size_t tasks) {
  winsize w{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40) return w.ws_col;
  return tasks > 1 ? 20 + 60 * static_cast<unsigned>(tasks) : 100;
}

}  // namespace

timeline explain(const explain_request& r) {
  const std::vector<script_stage> stages = parse_script(script_of(r));
  timeline t;
  const uint64_t violations = read_contract_counters().violations;
  std::vector<recorded_event> events;
  {
    performance p(r, t);
    p.perform(stages);
    events = p.take_events();
  }
  t.violation_count = read_contract_counters().violations - violations;
  build_timeline(t, std::move(events),
                 {.all = r.all, .locks = !r.methods_only, .methods = !r.locks_only});
  return t;
}

int explain_command(const explain_request& r) {
  register_file_systems();
  apply_check_mode("report", r.check_log);
  // Reports are printed after the timeline in which they happened.
  std::string reports;
  set_violation_text(
      [](std::string_view text, void* to) { *static_cast<std::string*>(to) += text; }, &reports);
  const timeline t = explain(r);
  set_violation_text(nullptr, nullptr);
  static_cast<void>(set_contract_log(nullptr));
  if (!r.trace.empty()) write_to(r.trace, explain_trace(t));
  if (!r.html.empty()) write_to(r.html, explain_html(t));
  const std::string text =
      r.json ? explain_json(t)
             : explain_text(t, r.width != 0 ? r.width : terminal_width(t.tasks.size()));
  fputs(text.c_str(), stdout);
  fflush(stdout);
  fputs(reports.c_str(), stderr);
  return t.violation_count == 0 ? 0 : 1;
}

}  // namespace holdfast::app
