// SPDX-License-Identifier: Apache-2.0
//
// See explain_record.h.
#include "app/explain_record.h"

#include <unistd.h>

#include "holdfast/syscalls.h"

namespace holdfast::app {
namespace {

struct place {
  int lane = -1;
  int op = -1;
};
thread_local place here;

int64_t now_ns() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * int64_t{1'000'000'000} + ts.tv_nsec;
}

const char* type_of(const inode& i) {
  if (i.is_dir()) return "directory";
  if (i.is_lnk()) return "symlink";
  return i.is_reg() ? "file" : "special file";
}

}  // namespace

void name_table::add(const void* begin, size_t size, object_name name) {
  const char* at = static_cast<const char*>(begin);
  ranges_.emplace(at, range{at + size, std::move(name)});
}

const object_name* name_table::find(const void* address) const {
  const char* at = static_cast<const char*>(address);
  auto i = ranges_.upper_bound(at);
  if (i == ranges_.begin()) return nullptr;
  --i;
  return at < i->second.end ? &i->second.name : nullptr;
}

// Nothing runs, so the tree stands still; d_lock is taken all the same, since unused dentries may
// be shrunk at any time.
void name_table::collect_tree(dentry& d, const std::string& path) HF_NO_THREAD_SAFETY_ANALYSIS {
  inode* i = d.inode_ptr();
  const bool dir = i != nullptr && i->is_dir();
  const std::string shown = path.empty() ? "/" : dir ? path + "/" : path;
  add(&d, sizeof d, {shown, "dentry"});
  if (i != nullptr) add(i, sizeof *i, {shown, type_of(*i)});
  std::vector<dentry*> children;
  {
    exclusive_guard g(d.d_lockref);
    for (dentry& child : entries<&dentry::d_child>(d.d_subdirs)) children.push_back(&child);
  }
  for (dentry* child : children)
    collect_tree(*child, path.empty() ? std::string(child->name())
                                      : path + "/" + std::string(child->name()));
}

void name_table::collect(task& t) {
  struct found {
    std::string place;
    std::string type;
  };
  std::vector<found> mounts;
  for_each_mount(
      *t.ns,
      [](const mount_info& m, void* arg) {
        static_cast<std::vector<found>*>(arg)->push_back({m.mountpoint, m.type});
      },
      &mounts);
  for (const found& m : mounts) {
    Result<path_ref> p = user_path_at(t, at_cwd, m.place);
    if (!p) continue;
    super_block& sb = *(*p)->mnt->mnt_sb;
    add(&sb, sizeof sb, {m.type + " on " + m.place, "superblock"});
    if ((*p)->mnt->mnt_root == sb.s_root)
      collect_tree(*sb.s_root, m.place == "/" ? "" : m.place.substr(1));
  }
}

void recorder::start() {
  set_trace_sink(sink, this);
  started_ = true;
}

void recorder::stop() {
  if (started_) set_trace_sink(nullptr, nullptr);
  started_ = false;
}

void recorder::set_quiet(bool quiet) {
  const std::lock_guard g(lock_);
  if (quiet)
    quiet_since_ = now_ns();
  else if (quiet_since_ != 0)
    left_out_ns_ += now_ns() - quiet_since_;
  quiet_ = quiet;
}

void recorder::enter_lane(int lane, int op) {
  here = {lane, op};
}

void recorder::keep(recorded_event r) {
  const std::lock_guard g(lock_);
  if (quiet_) return;
  r.event.time_ns -= left_out_ns_;
  events_.push_back(std::move(r));
}

void recorder::mark(recorded_event::mark what, const std::string& text, bool failed) {
  recorded_event r;
  r.what = what;
  r.event.time_ns = now_ns();
  r.lane = here.lane;
  r.op = here.op;
  r.text = text;
  r.failed = failed;
  keep(std::move(r));
}

void recorder::begin_operation(const std::string& text) {
  mark(recorded_event::mark::begin, text, false);
}

void recorder::end_operation(const std::string& result, bool failed) {
  mark(recorded_event::mark::end, result, failed);
}

void recorder::sink(const trace_event& e, void* self) {
  recorder& me = *static_cast<recorder*>(self);
  recorded_event r;
  r.event = e;
  r.event.rules = {};
  r.event.detail = {};
  r.rules.assign(e.rules.begin(), e.rules.end());
  r.detail = e.detail;
  r.lane = here.lane;
  r.op = here.op;
  // What lies behind these is known now only.
  if (e.cls == &folio_lock_class && e.lock != nullptr) {
    const auto& f = *static_cast<const folio*>(e.lock);
    if (const address_space* m = f.mapping.load()) r.owner = m->host;
    r.part = " at page " + std::to_string(f.index.load());
  } else if (e.cls == &f_pos_lock_class && e.lock != nullptr) {
    const auto* pos = static_cast<const mutex<f_pos_lock_class>*>(e.lock);
    r.owner = container_of<&file::f_pos_lock>(*pos).f_inode;
  }
  me.keep(std::move(r));
  const bool waits = e.kind == trace_kind::method_entered && here.lane >= 0 && me.pause_us_ != 0;
  // A method that must not block has put its caller in a scope that says so.
  if (waits && may_block()) usleep(me.pause_us_);
}

void recorder::add_violation(const violation& v) {
  recorded_violation r;
  r.lane = here.lane;
  r.time_ns = now_ns();
  if (v.edition.empty()) {
    r.headline = "locking, " + std::string(v.kind);
  } else {
    r.headline = std::string(v.edition) + " " + std::string(v.table) + "." + std::string(v.method);
    if (!v.column.empty()) {
      r.headline += ", column " + std::string(v.column) + ": `" + std::string(v.cell) + "`";
    }
    if (!v.rule.empty()) r.headline += ", rule " + std::string(v.rule);
  }
  r.finding = v.finding;
  const std::lock_guard g(lock_);
  r.time_ns -= left_out_ns_;
  violations_.push_back(std::move(r));
}

void recorder::name_events(const name_table& before, const name_table& after) {
  const std::lock_guard g(lock_);
  auto name = [&](const void* address) -> object_name {
    if (address == nullptr) return {};
    if (const object_name* n = before.find(address)) return *n;
    if (const object_name* n = after.find(address)) return *n;
    return {};
  };
  for (; named_ < events_.size(); ++named_) {
    recorded_event& r = events_[named_];
    r.object = name(r.event.lock);
    if (r.owner != nullptr) {
      r.object = name(r.owner);
      r.object.name += r.part;
      r.object.type = r.part.empty() ? "open file" : "folio";
    }
    r.rule_objects.clear();
    for (const trace_rule& rule : r.rules) r.rule_objects.push_back(name(rule.lock));
  }
}

}  // namespace holdfast::app
