// SPDX-License-Identifier: Apache-2.0
//
// broken_fs: a small file system with six classic mistakes, and what Holdfast reports about each.
//
//   broken_fs --list               the mistakes
//   broken_fs MISTAKE              makes it, prints the report; 0 if it is the one that is expected
//   broken_fs all                  each in turn
//   broken_fs --fixed MISTAKE|all  the corrected method instead; 0 if nothing is reported
//
// --stable leaves out of a report what differs from run to run and from machine to machine:
// addresses and source lines. --check-log FILE writes the reports as JSON lines too.
//
// Each mistake is a method wrong_X() that stands in front of its corrected form X(). A run mounts
// the file system with one wrong method in its tables and does what makes the VFS call it: a system
// call where one leads there, else the call of holdfast/method_calls.h, with the locks that the
// VFS would hold. docs/reports.md goes through the reports.
//
// 1. Data lie on `disk`, a page in memory; the page cache holds a folio of it, whose private data
//    is a checksum.
// 2. What a mistake leaves behind (a locked folio, private data) is put right before the unmount,
//    which would else wait for ever or leak. A program that isn't an example can't do that.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "holdfast/contract.h"
#include "holdfast/events.h"
#include "holdfast/libfs.h"
#include "holdfast/method_calls.h"
#include "holdfast/sync/mutex.h"

using namespace holdfast;

namespace {

// ---- the file system: directories in the dentry cache, files of one page

constinit std::byte disk[page_size] = {};
constinit bool disk_fails = false;  // reads give EIO

struct checksum {
  uint32_t sum = 0;
};

bool read_disk(folio& f) {
  if (disk_fails) return false;
  std::memcpy(f.data, disk, page_size);
  return true;
}

void attach_checksum(folio& f) {
  auto* c = new checksum;
  for (size_t i = 0; i < page_size; ++i) c->sum += static_cast<uint8_t>(f.data[i]);
  folio_attach_private(f, c);
}
void free_checksum(folio& f) {
  delete static_cast<checksum*>(folio_detach_private(f));
}

// The tables of the run; build_tables() fills them in.
inode_operations dir_ops;
file_operations dir_file_ops;
address_space_operations data_ops;
vm_operations_struct area_ops;

// ---- mistake read-error: ->read_folio does not unlock on error

// WRONG: the caller gave the lock away with the call. On an error nobody unlocks the folio, and the
// next reader waits for ever.
Status wrong_read_folio(file*, folio& f) {
  if (!read_disk(f)) return Error(EIO);
  attach_checksum(f);
  folio_mark_uptodate(f);
  folio_unlock(f);
  return {};
}

Status read_folio(file*, folio& f) {
  const bool good = read_disk(f);
  if (good) {
    attach_checksum(f);
    folio_mark_uptodate(f);
  }
  folio_unlock(f);  // whatever came of it
  return good ? Status{} : Error(EIO);
}

// ---- mistake fault-lock: ->fault takes i_rwsem

vm_fault_t find_page(vm_fault& vmf) {
  address_space& mapping = *vmf.vma->vm_file->f_mapping;
  shared_guard filling(mapping.invalidate_lock);  // nothing is truncated or invalidated
  note_event(event::page_lookup, &mapping);
  LockedFolio page = filemap_lock_folio(mapping, vmf.pgoff);
  if (!page || !page->test(pg_uptodate)) return vm_fault_sigbus;
  vmf.page = page.release();
  return vm_fault_locked;
}

// WRONG: a fault comes with mmap_lock held, and i_rwsem is taken before mmap_lock: write(2) of a
// buffer that isn't there faults under i_rwsem. One task does one, another the other: a deadlock.
vm_fault_t wrong_fault(vm_fault& vmf) {
  shared_guard size_stays(vmf.vma->vm_file->f_inode->i_rwsem);
  return find_page(vmf);
}

vm_fault_t fault(vm_fault& vmf) {
  return find_page(vmf);  // invalidate_lock keeps the page where it is
}

// ---- mistake rcu-walk: ->permission blocks in RCU-walk

constinit lock_class rights_class{"rights_lock", lock_kind::mutex};
mutex<rights_class> rights;  // guards a list of rights that is read from the disk when needed

// WRONG: path walk calls this inside an RCU section, where nothing may sleep, and a mutex may.
Status wrong_permission(const mnt_idmap& idmap, inode& i, unsigned mask) {
  exclusive_guard g(rights);
  return generic_permission(idmap, i, mask);
}

Status permission(const mnt_idmap& idmap, inode& i, unsigned mask) {
  if (mask & may_not_block) return Error(ECHILD);  // the walk comes again, and may block then
  exclusive_guard g(rights);
  return generic_permission(idmap, i, mask);
}

// ---- mistake writepage: ->writepage neither redirties nor sets writeback

// WRONG: the caller cleared the dirty flag, so a folio that is too busy to be written now is clean
// from here on. Nobody writes it again: its data are lost.
Result<int> wrong_writepage(folio& f, writeback_control& wbc) {
  if (wbc.for_reclaim) {
    folio_unlock(f);
    return 0;
  }
  folio_start_writeback(f);
  std::memcpy(disk, f.data, page_size);
  folio_unlock(f);
  folio_end_writeback(f);
  return 0;
}

Result<int> writepage(folio& f, writeback_control& wbc) {
  if (wbc.for_reclaim) {
    folio_redirty_for_writepage(wbc, f);  // later, then
    folio_unlock(f);
    return 0;
  }
  folio_start_writeback(f);
  std::memcpy(disk, f.data, page_size);
  folio_unlock(f);
  folio_end_writeback(f);
  return 0;
}

// ---- mistake child-first: ->fsync of a directory locks it, then its parent

// A reference on the parent of an open directory.
dentry* parent_of(const file& f) {
  return dget_parent(*f.f_path.dent);
}

// WRONG: the VFS locks ancestors first. rename(2) in the parent holds the parent and waits for the
// child, this holds the child and waits for the parent.
Status wrong_dir_fsync(file& f, loff_t, loff_t, bool) {
  dentry* parent = parent_of(f);
  {
    exclusive_guard names(f.f_inode->i_rwsem, nest::child);
    exclusive_guard own_name(parent->inode_ptr()->i_rwsem, nest::parent);
  }
  dput(parent);
  return {};
}

Status dir_fsync(file& f, loff_t, loff_t, bool) {
  for (bool done = false; !done;) {
    dentry* parent = parent_of(f);
    {
      exclusive_guard own_name(parent->inode_ptr()->i_rwsem, nest::parent);
      exclusive_guard names(f.f_inode->i_rwsem, nest::child);
      done = f.f_path.dent->parent() == parent;  // else it was moved before we had the locks
    }
    dput(parent);
  }
  return {};
}

// ---- mistake release: ->release_folio releases a folio whose private data it keeps

// WRONG: true says that the private data is gone. The caller frees the folio; the checksum is
// leaked, and whoever still finds it by the folio has memory of another file's.
bool wrong_release_folio(folio&, gfp_t) {
  return true;
}

bool release_folio(folio& f, gfp_t) {
  free_checksum(f);  // what can't be freed now would be `return false`
  return true;
}

// ---- what is needed besides

void invalidate_folio(folio& f, size_t start, size_t len) {
  if (start == 0 && len == f.size()) free_checksum(f);
}

Status write_begin(file*, address_space& mapping, loff_t pos, size_t, folio*& out, void*&) {
  const pgoff_t index = static_cast<pgoff_t>(pos) >> page_shift;
  LockedFolio f = filemap_lock_folio(mapping, index);
  while (!f) {
    folio* fresh = folio_alloc(0, true);
    if (fresh == nullptr) return Error(ENOMEM);
    Status added = filemap_add_folio(mapping, *fresh, index);
    if (added) {
      f = LockedFolio(fresh);
    } else {
      folio_put(fresh);
      if (added.code() != EEXIST) return added;
      f = filemap_lock_folio(mapping, index);  // a reader was quicker
    }
  }
  if (!f->test(pg_uptodate)) {
    if (!read_disk(*f)) return Error(EIO);
    folio_mark_uptodate(*f);
  }
  out = f.release();
  return {};
}

Result<size_t> write_end(file*, address_space& mapping, loff_t pos, size_t, size_t copied, folio& f,
                         void*) {
  const loff_t end = pos + static_cast<loff_t>(copied);
  if (end > mapping.host->size()) mapping.host->i_size = end;
  folio_mark_dirty(f);
  folio_unlock(f);
  folio_put(&f);
  return copied;
}

inode* broken_inode(super_block& sb, const inode* dir, umode_t mode) {
  inode* i = simple_new_inode(sb, dir, mode, 0);
  if (i == nullptr) return nullptr;
  if (S_ISDIR(mode)) {
    i->i_op = &dir_ops;
    i->i_fop = &dir_file_ops;
  } else {
    i->i_data.a_ops = &data_ops;
    i->i_data.flags = 0;  // what isn't in the page cache is read, one page at a time
    i->i_size = page_size;
  }
  return i;
}

Status broken_create(const mnt_idmap&, inode& dir, dentry& d, umode_t mode, bool) {
  inode* i = broken_inode(*dir.i_sb, &dir, mode | S_IFREG);
  return i != nullptr ? simple_add_entry(dir, d, i) : Status(Error(ENOSPC));
}

Status broken_mkdir(const mnt_idmap&, inode& dir, dentry& d, umode_t mode) {
  inode* i = broken_inode(*dir.i_sb, &dir, mode | S_IFDIR);
  return i != nullptr ? simple_add_entry(dir, d, i) : Status(Error(ENOSPC));
}

Status broken_fill_super(super_block& sb, std::string_view, std::string_view) {
  sb.s_op = &simple_super_operations;
  sb.s_root = d_make_root(broken_inode(sb, nullptr, S_IFDIR | 0755));
  return sb.s_root != nullptr ? Status{} : Error(ENOMEM);
}

Result<dentry*> broken_mount(file_system_type& type, unsigned flags, std::string_view source,
                             std::string_view data) {
  return mount_nodev(type, flags, source, data, broken_fill_super);
}

constinit file_system_type broken_type = {
    .name = "broken",
    .mount = broken_mount,
    .kill_sb = kill_litter_super,
    .help = "no options",
};

// ---- making each mistake: /d/file is there, of one page

struct world {
  task& t;
  file& f;  // /d/file, open for reading and writing
  Status error;
  address_space& mapping() const { return *f.f_mapping; }
};

// By sys_pread(). What is returned is what the method said.
Status read_page(world& w) {
  Result<int> fd = sys_open(w.t, at_cwd, "/d/file", O_RDONLY);
  if (!fd) return fd.error();
  char text[16];
  Result<size_t> n = sys_pread(w.t, *fd, text, sizeof text, 0);
  Status closed = sys_close(w.t, *fd);
  return n ? closed : Status(n.error());
}

void make_read_error(world& w) {
  disk_fails = true;
  const Status got = read_page(w);
  disk_fails = false;
  if (got.ok() || got.code() != EIO) w.error = Error(EPROTO);
  // Nobody else ever will (invariant 2).
  if (folio* f = filemap_get_folio(w.mapping(), 0)) {
    if (folio_locked(*f)) folio_unlock(*f);
    folio_put(f);
  }
}

void make_fault(world& w) {
  if (w.error = read_page(w); !w.error) return;
  mm memory;
  vm_area area{.vm_mm = &memory,
               .vm_end = page_size,
               .vm_flags = vm_read,
               .vm_file = &w.f,
               .vm_ops = &area_ops};
  vm_fault vmf{.vma = &area};
  operation_scope op("page fault", "/d/file, page 0");
  shared_guard g(memory.mmap_lock);
  const vm_fault_t got = call_fault(vmf);
  if (got != vm_fault_locked) {
    w.error = Error(EPROTO);
    return;
  }
  folio_unlock(*vmf.page);
  folio_put(vmf.page);
}

void make_walk(world& w) {
  kstat st;
  w.error = sys_stat(w.t, at_cwd, "/d/file", 0, st);
}

void make_writepage(world& w) {
  Result<int> fd = sys_open(w.t, at_cwd, "/d/file", O_WRONLY);
  if (!fd) {
    w.error = fd.error();
    return;
  }
  Result<size_t> n = sys_pwrite(w.t, *fd, "data", 4, 0);
  w.error = sys_close(w.t, *fd);
  if (!n) w.error = n.error();
  if (!w.error) return;
  operation_scope op("reclaim", "/d/file, page 0");
  folio* f = filemap_lock_folio(w.mapping(), 0).release();
  if (!folio_clear_dirty_for_io(*f)) w.error = Error(EPROTO);
  writeback_control wbc{.nr_to_write = 1, .for_reclaim = true};
  if (!call_writepage(*f, wbc)) w.error = Error(EIO);
  folio_put(f);
}

void make_dir_fsync(world& w) {
  Result<int> fd = sys_open(w.t, at_cwd, "/d", O_RDONLY | O_DIRECTORY);
  if (!fd) {
    w.error = fd.error();
    return;
  }
  w.error = sys_fsync(w.t, *fd, false);
  static_cast<void>(sys_close(w.t, *fd));
}

void make_release(world& w) {
  if (w.error = read_page(w); !w.error) return;
  operation_scope op("reclaim", "/d/file, page 0");
  shared_guard g(w.mapping().invalidate_lock);
  LockedFolio f = filemap_lock_folio(w.mapping(), 0);
  if (!call_release_folio(*f, gfp_kernel)) w.error = Error(EPROTO);
  if (f->test(pg_private)) free_checksum(*f);  // invariant 2
  filemap_remove_folio(*f);
}

struct mistake {
  const char* name;
  const char* what;
  void (*put_in)();
  void (*make)(world& w);
  // What must be reported.
  const char *kind, *table, *method, *column, *rule, *finding;
};

const mistake mistakes[] = {
    {"read-error", "->read_folio does not unlock the folio when reading fails",
     [] { data_ops.read_folio = wrong_read_folio; }, make_read_error, "exit",
     "address_space_operations", "read_folio", "folio locked", "",
     "not released: folio_lock of folio"},
    {"fault-lock", "->fault takes i_rwsem", [] { area_ops.fault = wrong_fault; }, make_fault,
     "order", "vm_operations_struct", "fault", "", "",
     "takes i_rwsem while it holds mmap_lock; the reverse order is known"},
    {"rcu-walk", "->permission blocks in RCU-walk", [] { dir_ops.permission = wrong_permission; },
     make_walk, "blocks_in_rcu", "inode_operations", "permission", "", "6.6-inode-6",
     "rights_lock may block, inside an RCU read section"},
    {"writepage", "->writepage neither redirties the folio nor sets writeback",
     [] { data_ops.writepage = wrong_writepage; }, make_writepage, "prose",
     "address_space_operations", "writepage", "", "6.6-aops-17",
     "the folio was unlocked, neither redirtied nor under writeback: it is clean, and its mark in "
     "the index is dirty"},
    {"child-first", "->fsync of a directory locks it, then its parent",
     [] { dir_file_ops.fsync = wrong_dir_fsync; }, make_dir_fsync, "order", "file_operations",
     "fsync", "", "",
     "takes i_rwsem/parent while it holds i_rwsem/child; the reverse order is known"},
    {"release", "->release_folio releases a folio whose private data it keeps",
     [] { data_ops.release_folio = wrong_release_folio; }, make_release, "prose",
     "address_space_operations", "release_folio", "", "6.6-aops-30",
     "the private data is still there"},
};

void build_tables() {
  dir_ops = {
      .create = broken_create,
      .lookup = simple_lookup,
      .unlink = simple_unlink,
      .mkdir = broken_mkdir,
      .rmdir = simple_rmdir,
      .permission = permission,
      .getattr = simple_getattr,
      .get_offset_ctx = simple_get_offset_ctx,
  };
  dir_file_ops = simple_dir_operations;
  dir_file_ops.fsync = dir_fsync;
  data_ops = {
      .writepage = writepage,
      .read_folio = read_folio,
      .dirty_folio = filemap_dirty_folio,
      .write_begin = write_begin,
      .write_end = write_end,
      .invalidate_folio = invalidate_folio,
      .release_folio = release_folio,
  };
  area_ops = {.fault = fault};
}

// ---- running

struct seen {
  unsigned count = 0;
  unsigned expected = 0;
  const mistake* wanted = nullptr;
  std::string text;
};

void note_violation(const violation& v, void* context) {
  auto& s = *static_cast<seen*>(context);
  const mistake& m = *s.wanted;
  ++s.count;
  if (v.kind == m.kind && v.table == m.table && v.method == m.method && v.column == m.column &&
      v.rule == m.rule && v.finding == m.finding)
    ++s.expected;
}

// A mount with /d/file, then the mistake in its tables, and the unmount.
Status with_mount(const mistake& m, bool fixed) {
  build_tables();
  HF_TRY_ASSIGN(mnt_namespace * ns, create_mnt_namespace("broken", "none", 0, ""));
  task* t = create_task(*ns);
  if (t == nullptr) {
    put_mnt_ns(ns);
    return Error(ENOMEM);
  }
  auto run = [&]() -> Status {
    HF_TRY(sys_mkdir(*t, at_cwd, "/d", 0755));
    HF_TRY_ASSIGN(file * f, file_open(*t, at_cwd, "/d/file", O_RDWR | O_CREAT, 0644));
    if (!fixed) m.put_in();
    world w{*t, *f, {}};
    m.make(w);
    HF_TRY(file_close(*t, f));
    return w.error;
  };
  const Status done = run();
  destroy_task(t);
  put_mnt_ns(ns);
  return done;
}

bool is_address(std::string_view s) {
  return s.starts_with("(0x") && s.ends_with(")");
}

// Without addresses and source lines. A frame's place stands behind two blanks.
std::string stable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const size_t last = line.rfind(' ');
    if (last != line.npos && is_address(line.substr(last + 1))) line = line.substr(0, last);
    const size_t begin = line.find_first_not_of(' ');
    const size_t place = line.rfind("  ");
    const bool frame = line.starts_with("       ") || line.starts_with("  found in   ");
    if (frame && place != line.npos && place > begin + 9) line = line.substr(0, place);
    line = line.substr(0, line.find_last_not_of(' ') + 1);
    out.append(line).append("\n");
  }
  return out;
}

bool run(const mistake& m, bool fixed, bool stable_form) {
  seen s;
  s.wanted = &m;
  // A report comes once in a process; here each run is a new one.
  reset_validator();
  reset_contract_counters();
  set_violation_callback(note_violation, &s);
  set_violation_text(
      [](std::string_view text, void* context) { static_cast<seen*>(context)->text += text; }, &s);
  const Status done = with_mount(m, fixed);
  set_violation_callback(nullptr, nullptr);
  set_violation_text(nullptr, nullptr);
  fputs((stable_form ? stable(s.text) : s.text).c_str(), stdout);
  if (!done) fprintf(stderr, "broken_fs: %s: %s\n", m.name, strerror(done.code()));
  const bool as_expected = fixed ? s.count == 0 : s.count == 1 && s.expected == 1;
  if (fixed && as_expected) printf("broken_fs: %s, corrected: no report\n", m.name);
  if (!as_expected)
    fprintf(stderr, "broken_fs: %s: %u reports, %u of them expected\n", m.name, s.count,
            s.expected);
  return done.ok() && as_expected;
}

int usage() {
  fputs(
      "usage: broken_fs [--fixed] [--stable] [--check-log FILE] MISTAKE|all\n"
      "       broken_fs --list\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  bool fixed = false, stable_form = false;
  std::string_view name;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--list") {
      for (const mistake& m : mistakes) printf("%-12s %s\n", m.name, m.what);
      return 0;
    }
    if (arg == "--fixed") {
      fixed = true;
    } else if (arg == "--stable") {
      stable_form = true;
    } else if (arg == "--check-log" && i + 1 < argc) {
      if (Status s = set_contract_log(argv[++i]); !s)
        return fprintf(stderr, "broken_fs: %s: %s\n", argv[i], strerror(s.code())), 1;
    } else if (name.empty() && !arg.starts_with("-")) {
      name = arg;
    } else {
      return usage();
    }
  }
  if (name.empty()) return usage();
  if (!register_filesystem(broken_type)) return 1;
  set_check_mode(check_mode::report);
  unsigned found = 0;
  bool good = true;
  for (const mistake& m : mistakes) {
    if (name != "all" && name != m.name) continue;
    if (found++ != 0) putchar('\n');
    good &= run(m, fixed, stable_form);
  }
  set_check_mode(check_mode::off);
  if (found == 0) return usage();
  return good ? 0 : 1;
}
