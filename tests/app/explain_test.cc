// SPDX-License-Identifier: Apache-2.0
//
// holdfast explain as its users start it: what it prints, and the files it writes.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "app/process.h"

namespace holdfast::app_test {
namespace {

using app::run_program;
using app::run_result;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

run_result explain(std::vector<std::string> args) {
  args.insert(args.begin(), {std::string(HOLDFAST_BINARY_DIR) + "/holdfast", "explain"});
  return run_program(args);
}

json explain_json(std::vector<std::string> args) {
  args.insert(args.begin(), "--json");
  const run_result r = explain(std::move(args));
  EXPECT_EQ(r.status, 0) << r.output;
  json j = json::parse(r.output, nullptr, false);
  EXPECT_TRUE(j.is_object()) << r.output;
  return j;
}

// Of the events, those of that kind.
std::vector<json> events(const json& j, const std::string& what) {
  std::vector<json> out;
  for (const json& e : j["events"])
    if (e["what"] == what) out.push_back(e);
  return out;
}

std::string lock_of(const json& e) {
  return e["lock"].get<std::string>() + "(" + e["object"].get<std::string>() + ")";
}

class temporary_file {
 public:
  temporary_file() {
    char name[] = "/tmp/holdfast_explain_XXXXXX";
    const int fd = mkstemp(name);
    if (fd >= 0) close(fd);
    name_ = name;
  }
  ~temporary_file() { unlink(name_.c_str()); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  const std::string& name() const { return name_; }
  std::string text() const {
    std::ifstream in(name_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

 private:
  std::string name_;
};

TEST(explain, a_rename_shows_what_the_issue_asks_for) {
  const run_result r = explain({"--width", "110", "rename a/b c/d"});
  EXPECT_EQ(r.status, 0);
  const std::string& t = r.output;
  EXPECT_THAT(t, HasSubstr("prepared  a/, a/b, c/\n"));
  EXPECT_THAT(t, HasSubstr("* rename a/b c/d\n"));
  // In this order: each lock, the method between them, its rules, and all of it back.
  size_t at = 0;
  for (const char* part :
       {"+ s_vfs_rename_mutex(tmpfs on /) exclusive\n", "+ i_rwsem(", "> inode_operations.rename\n",
        "ok 6.6 i_rwsem(inode) `exclusive (both parents, some children) (see below)`: held",
        "old_dir a/, new_dir c/", "ok 6.6-inode-3 ", "ok 6.6-inode-4 ", "source a/b",
        "< rename ok\n", "- i_rwsem(a/b)\n", "- s_vfs_rename_mutex(tmpfs on /)\n", "= 0\n",
        "rules     ", " 0 broken\n", "violations  0\n"}) {
    const size_t found = t.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << "\nnot found after\n" << t.substr(0, at);
    at = found;
  }
  EXPECT_THAT(t, Not(HasSubstr("d_lock"))) << "leaves are shown with --all alone";
  EXPECT_THAT(t, Not(HasSubstr("RCU")));
}

TEST(explain, every_lock_that_is_taken_is_dropped) {
  for (const char* script :
       {"rename a/b c/d", "write a/b hello; read a/b; ls a; truncate a/b 3; rm a/b",
        "rename --exchange a/x b/y", "mount m; touch m/x; umount m", "freeze; thaw"}) {
    SCOPED_TRACE(script);
    const json j = explain_json({"--all", script});
    std::map<std::string, int> held;
    for (const json& e : j["events"]) {
      if (!e.contains("lock")) continue;
      const std::string key = e["task"].get<std::string>() + " " + e["lock"].get<std::string>();
      if (e["what"] == "take") ++held[key];
      if (e["what"] == "drop" || e["what"] == "pass_on") --held[key];
    }
    EXPECT_FALSE(held.empty());
    for (const auto& [key, n] : held)
      if (!key.starts_with("background")) EXPECT_EQ(n, 0) << key;
    EXPECT_EQ(j["summary"]["violations"], 0);
    EXPECT_EQ(j["summary"]["rules_broken"], 0);
    EXPECT_GT(j["summary"]["tasks"]["t1"]["locks"].size(), 0u);
  }
}

TEST(explain, all_shows_what_the_default_leaves_out) {
  const json some = explain_json({"rm a/b"});
  const json all = explain_json({"--all", "rm a/b"});
  EXPECT_GT(events(all, "take").size(), events(some, "take").size());
  EXPECT_TRUE(events(some, "rcu_begin").empty());
  EXPECT_FALSE(events(all, "rcu_begin").empty());
  const json locks = explain_json({"--locks", "rm a/b"});
  EXPECT_TRUE(events(locks, "enter").empty());
  EXPECT_EQ(events(locks, "take").size(), events(some, "take").size());
  const json methods = explain_json({"--methods", "rm a/b"});
  EXPECT_TRUE(events(methods, "take").empty());
  EXPECT_EQ(events(methods, "enter").size(), events(some, "enter").size());
}

TEST(explain, a_spinlock_is_shown_where_a_method_is_called_under_it) {
  const json j = explain_json({"mount m; touch m/x; umount m"});
  bool seen = false;
  for (const json& e : events(j, "take")) seen = seen || lock_of(e) == "i_lock(m/x)";
  EXPECT_TRUE(seen) << "->drop_inode runs under i_lock";
}

TEST(explain, a_rename_by_operation_holds_the_locks_that_its_kind_asks_for) {
  auto taken = [](const std::string& script) {
    std::vector<std::string> out;
    for (const json& e : events(explain_json({script}), "take"))
      if (e["lock"] == "i_rwsem" || e["lock"] == "s_vfs_rename_mutex")
        out.push_back(e["object_type"] == "superblock" ? "mutex" : e["object"].get<std::string>());
    return out;
  };
  EXPECT_THAT(taken("rename a/b a/c"), testing::ElementsAre("a/", "a/b"));
  EXPECT_THAT(taken("rename a/d/ a/e"), testing::ElementsAre("a/")) << "it keeps its parent";
  EXPECT_THAT(taken("rename a/d/ b/e"), testing::UnorderedElementsAre("mutex", "a/", "b/", "a/d/"));
  EXPECT_THAT(taken("rename --exchange a/x b/y"),
              testing::UnorderedElementsAre("mutex", "a/", "b/", "a/x", "b/y"));
}

TEST(explain, tasks_stand_side_by_side_and_say_who_waited_for_whom) {
  const std::string script = "t1: rename a/x b/x; t2: rename b/y a/y";
  const json j = explain_json({"--pause", "20000", script});
  EXPECT_EQ(j["tasks"], json({"t1", "t2"}));
  const std::vector<json> waits = events(j, "wait");
  ASSERT_FALSE(waits.empty()) << "with 20 ms in each method one of them has to wait";
  const json& w = waits.front();
  EXPECT_EQ(lock_of(w), "s_vfs_rename_mutex(tmpfs on /)");
  EXPECT_EQ(w["held_by"], std::string("exclusive by ") + (w["task"] == "t1" ? "t2" : "t1"));
  const run_result text = explain({"--pause", "20000", "--width", "140", script});
  EXPECT_THAT(text.output, HasSubstr("? waits for s_vfs_rename_mutex"));
  EXPECT_THAT(text.output, testing::ContainsRegex("us  t1 +t2\n"));
}

TEST(explain, a_bar_lets_everyone_finish) {
  const json j = explain_json({"t1: touch a | t2: stat a | t1: rm a"});
  std::vector<std::string> order;
  for (const json& e : events(j, "result")) order.push_back(e["task"]);
  EXPECT_THAT(order, testing::ElementsAre("t1", "t2", "t1"));
  for (const json& e : events(j, "result")) EXPECT_EQ(e["text"], "= 0");
  EXPECT_TRUE(j["prepared"].empty()) << "the script makes what it needs";
}

TEST(explain, who_waits_for_a_thaw_is_seen_waiting) {
  const json j = explain_json({"t1: freeze | t2: touch a; t1: thaw"});
  for (const json& e : events(j, "result")) EXPECT_EQ(e["failed"], false) << e;
  EXPECT_TRUE(j["notes"].empty());
  const json alone = explain_json({"freeze; touch x"});
  ASSERT_EQ(alone["notes"].size(), 1u) << "nobody else would have thawed it";
  EXPECT_EQ(events(alone, "wait").size(), 1u);
}

TEST(explain, an_error_is_a_result) {
  const run_result r = explain({"rmdir a; mkdir a; touch a/b; rmdir a"});
  EXPECT_EQ(r.status, 0);
  EXPECT_THAT(r.output, HasSubstr("= -1 ENOTEMPTY ("));
}

TEST(explain, every_operation_of_the_list_runs) {
  const std::string script =
      "create f; touch g; mkdir d; mknod p; symlink f s; link f h; unlink h; rmdir d\n"
      "rename f f2; readlink s; stat g; lstat s; access g; open g rw append; read g; write g text\n"
      "append g more; truncate g 2; fallocate g 4096; fsync g; readdir; chdir e; cd /\n"
      "chmod 600 g; chown 7 g; utimens g; setxattr g user.a b; getxattr g user.a; listxattr g\n"
      "removexattr g user.a; statfs; sync; mount m; remount ro m; umount m; freeze; thaw";
  const json j = explain_json({script});
  for (const json& e : events(j, "result")) EXPECT_EQ(e["failed"], false) << j["events"][0] << e;
  EXPECT_EQ(events(j, "result").size(), 37u);
  EXPECT_EQ(j["summary"]["violations"], 0);
}

TEST(explain, mistakes_are_explained) {
  run_result r = explain({"frobnicate a"});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("no operation 'frobnicate'; there are:\n"));
  EXPECT_THAT(r.output, HasSubstr("rename [--exchange|--noreplace|--whiteout] OLD NEW"));
  r = explain({"rename a"});
  EXPECT_EQ(r.status, 1);
  EXPECT_THAT(r.output, HasSubstr("the operation is: rename "));
  EXPECT_THAT(explain({"touch 'a"}).output, HasSubstr("not closed"));
  EXPECT_THAT(explain({}).output, HasSubstr("explain takes operations"));
  EXPECT_THAT(explain({"-f", "/nonexistent"}).output, HasSubstr("/nonexistent: "));
}

TEST(explain, a_script_comes_from_a_file_too) {
  const temporary_file f;
  std::ofstream(f.name()) << "# how a name moves\nprepare: mkdir a; write a/b content\n"
                             "t1: rename a/b 'a/with blank'\nwait\nt2: stat 'a/with blank'\n";
  const json j = explain_json({"-f", f.name()});
  EXPECT_EQ(j["tasks"], json({"t1", "t2"}));
  EXPECT_EQ(j["prepared"], json({"mkdir a", "a/b", "write a/b content"}));
  for (const json& e : events(j, "result")) EXPECT_EQ(e["text"], "= 0");
}

// What the trace event format asks of a JSON object file: traceEvents; of each event ph, pid, tid,
// ts, of complete ones dur; slices of a thread nest; metadata names; a flow has both its ends.
TEST(explain, the_trace_is_one_that_perfetto_opens) {
  const temporary_file f;
  const run_result r = explain({"--pause", "20000", "--trace", f.name(),
                                "t1: rename a/x b/x; t2: rename b/y a/y | t1: write a/y hello"});
  ASSERT_EQ(r.status, 0) << r.output;
  const json trace = json::parse(f.text());
  ASSERT_TRUE(trace["traceEvents"].is_array());
  struct slice {
    double begin, end;
    std::string name;
  };
  std::map<int, std::vector<slice>> threads;
  std::map<int, std::string> names;
  std::map<std::string, std::vector<std::string>> flows;
  for (const json& e : trace["traceEvents"]) {
    ASSERT_TRUE(e["ph"].is_string()) << e;
    ASSERT_TRUE(e["pid"].is_number_integer()) << e;
    ASSERT_TRUE(e["tid"].is_number_integer()) << e;
    ASSERT_TRUE(e["ts"].is_number()) << e;
    ASSERT_TRUE(e["name"].is_string()) << e;
    const std::string ph = e["ph"];
    if (ph == "M") {
      if (e["name"] == "thread_name") names[e["tid"]] = e["args"]["name"];
    } else if (ph == "X") {
      ASSERT_TRUE(e["dur"].is_number()) << e;
      EXPECT_GE(e["dur"].get<double>(), 0) << e;
      EXPECT_GE(e["ts"].get<double>(), 0) << e;
      const double ts = e["ts"];
      threads[e["tid"]].push_back({ts, ts + e["dur"].get<double>(), e["name"]});
    } else {
      ASSERT_TRUE(ph == "s" || ph == "f") << e;
      flows[e["id"].dump()].push_back(ph);
      if (ph == "f") EXPECT_EQ(e["bp"], "e");
    }
  }
  ASSERT_FALSE(threads.empty());
  constexpr double rounding = 0.0005;
  for (const auto& [tid, slices] : threads) {
    EXPECT_TRUE(names.contains(tid)) << tid;
    for (const slice& a : slices)
      for (const slice& b : slices) {
        const bool beside = a.end <= b.begin + rounding || b.end <= a.begin + rounding;
        const bool inside = (a.begin >= b.begin - rounding && a.end <= b.end + rounding) ||
                            (b.begin >= a.begin - rounding && b.end <= a.end + rounding);
        EXPECT_TRUE(beside || inside) << names[tid] << ": " << a.name << " crosses " << b.name;
      }
  }
  EXPECT_FALSE(flows.empty()) << "one of the renames waited";
  for (const auto& [id, ends] : flows) EXPECT_THAT(ends, testing::UnorderedElementsAre("s", "f"));
  bool method = false;
  for (const auto& [tid, slices] : threads)
    for (const slice& s : slices) method = method || s.name == "inode_operations.rename";
  EXPECT_TRUE(method);
}

TEST(explain, the_page_stands_alone) {
  const temporary_file f;
  const run_result r = explain({"--html", f.name(), "rename a/b 'c/<d>'"});
  ASSERT_EQ(r.status, 0) << r.output;
  const std::string page = f.text();
  EXPECT_THAT(page, HasSubstr("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("name=\"viewport\""));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
  for (const char* outside : {"src=", "href=", "@import", "url("})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_THAT(page, HasSubstr("c/&lt;d&gt;")) << "names are text, not markup";
  EXPECT_THAT(page, Not(HasSubstr("<d>")));
  // As many bars as spans, and the script's data is JSON about each of them.
  size_t bars = 0;
  for (size_t at = 0; (at = page.find("<g class=\"bar ", at)) != std::string::npos; ++at) ++bars;
  EXPECT_GE(bars, 8u) << "an operation, two methods, five locks";
  const std::string begin = "const data = ";
  const size_t from = page.find(begin) + begin.size();
  const json data = json::parse(page.substr(from, page.find(";</script>") - from));
  EXPECT_EQ(data["bars"].size(), bars);
}

}  // namespace
}  // namespace holdfast::app_test
