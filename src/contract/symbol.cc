// SPDX-License-Identifier: Apache-2.0
//
// See symbol.h.
#include "contract/symbol.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <mutex>

#include "holdfast/contract.h"

#if HOLDFAST_HAS_LIBDW
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#endif

HF_NAMESPACE_BEGIN
namespace {

// "/home/me/holdfast/src/ops/rename.cc" -> "src/ops/rename.cc".
std::string_view short_path(std::string_view path) {
  for (const std::string_view top : {"/src/", "/include/", "/tests/", "/examples/", "/bench/"})
    if (const size_t at = path.rfind(top); at != std::string_view::npos) return path.substr(at + 1);
  return path.substr(path.rfind('/') + 1);
}

void put_demangled(text_writer& out, const char* symbol) {
  int status = 0;
  char* plain = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  put_short_name(out, plain != nullptr ? plain : symbol);
  free(plain);
}

#if HOLDFAST_HAS_LIBDW

int no_debuginfo(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*, GElf_Word,
                 char**) {
  return -1;
}

// One session for the life of the process. The lock is none of ours: reports are written under it.
constinit std::mutex dwfl_lock;

Dwfl* session() {
  static Dwfl* const dwfl = [] {
    static char* no_path = nullptr;
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                             .find_debuginfo = no_debuginfo,
                                             .section_address = nullptr,
                                             .debuginfo_path = &no_path};
    Dwfl* d = dwfl_begin(&callbacks);
    if (d == nullptr) return d;
    dwfl_report_begin(d);
    if (dwfl_linux_proc_report(d, getpid()) == 0 && dwfl_report_end(d, nullptr, nullptr) == 0)
      return d;
    dwfl_end(d);
    return static_cast<Dwfl*>(nullptr);
  }();
  return dwfl;
}

// Where somebody would look first: lines of primitives and gates are passed over for the line that
// they were inlined into.
bool is_plumbing(std::string_view file) {
  return file.find("include/holdfast/sync/") != std::string_view::npos ||
         file.find("src/contract/gate.h") != std::string_view::npos ||
         file.find("src/core/dispatch/door.h") != std::string_view::npos;
}

void put_source(Dwfl_Module* module, Dwarf_Addr address, frame_text& out) {
  Dwfl_Line* found = dwfl_module_getsrc(module, address);
  int number = 0;
  const char* file = found != nullptr
                         ? dwfl_lineinfo(found, nullptr, &number, nullptr, nullptr, nullptr)
                         : nullptr;
  if (file == nullptr || number <= 0) return;
  Dwarf_Addr bias = 0;
  Dwarf_Die* unit = is_plumbing(file) ? dwfl_module_addrdie(module, address, &bias) : nullptr;
  // The first list leaves the inlined code for the place where it was written; the second, of its
  // innermost entry, goes on to the caller.
  Dwarf_Die *innermost = nullptr, *scopes = nullptr;
  const bool inside = unit != nullptr && dwarf_getscopes(unit, address - bias, &innermost) > 0;
  const int count = inside ? dwarf_getscopes_die(&innermost[0], &scopes) : 0;
  Dwarf_Files* files = nullptr;
  if (count > 0 && dwarf_getsrcfiles(unit, &files, nullptr) != 0) files = nullptr;
  for (int i = 0; files != nullptr && i < count && is_plumbing(file); ++i) {
    if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine) continue;
    Dwarf_Attribute attribute;
    Dwarf_Word call_file = 0, call_line = 0;
    if (dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_file, &attribute), &call_file) != 0 ||
        dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_line, &attribute), &call_line) != 0)
      continue;
    if (const char* caller = dwarf_filesrc(files, call_file, nullptr, nullptr)) {
      file = caller;
      number = static_cast<int>(call_line);
    }
  }
  free(innermost);
  free(scopes);
  text_writer place(out.place, sizeof out.place);
  place << short_path(file) << ':' << static_cast<uint32_t>(number);
  out.place_length = place.size();
}

bool describe_by_dwarf(const void* call, frame_text& out) {
  const std::lock_guard guard(dwfl_lock);
  Dwfl* dwfl = session();
  if (dwfl == nullptr) return false;
  const auto address = reinterpret_cast<Dwarf_Addr>(call);
  Dwfl_Module* module = dwfl_addrmodule(dwfl, address);
  if (module == nullptr) return false;
  const char* symbol = dwfl_module_addrname(module, address);
  if (symbol == nullptr) return false;
  text_writer name(out.name, sizeof out.name);
  put_demangled(name, symbol);
  out.name_length = name.size();
  put_source(module, address, out);
  return true;
}

#else

bool describe_by_dwarf(const void*, frame_text&) {
  return false;
}

#endif

// The index behind the bracket that closes the one at `i`.
size_t skip_bracket(std::string_view s, size_t i) {
  const char open = s[i];
  const char close = open == '(' ? ')' : open == '<' ? '>' : open == '{' ? '}' : ']';
  int depth = 0;
  for (; i < s.size(); ++i) {
    if (s[i] == open) ++depth;
    if (s[i] == close && --depth == 0) return i + 1;
  }
  return s.size();
}

// A name while it is shortened; too long a one is cut.
struct short_name {
  char text[512];
  size_t size = 0;
  void add(std::string_view s) {
    const size_t n = s.size() < sizeof text - size ? s.size() : sizeof text - size;
    std::memcpy(text + size, s.data(), n);
    size += n;
  }
  std::string_view view() const { return {text, size}; }
};

}  // namespace

void put_short_name(text_writer& out, std::string_view s) {
  constexpr std::string_view op = "operator";
  constexpr std::string_view anonymous = "(anonymous namespace)::";
  short_name n;
  for (size_t i = 0; i < s.size();) {
    const std::string_view rest = s.substr(i);
    if (rest.starts_with(anonymous)) {
      i += anonymous.size();
    } else if (n.view().ends_with(op) && (rest[0] == '<' || rest.starts_with("()"))) {
      // operator<, operator<<, operator()
      const size_t length = rest.starts_with("()") || rest.starts_with("<<") ? 2 : 1;
      n.add(rest.substr(0, length));
      i += length;
    } else if (rest[0] == '{') {
      if (rest.starts_with("{lambda")) n.add("{lambda}");
      i = skip_bracket(s, i);
    } else if (rest[0] == '(' || rest[0] == '<' || rest[0] == '[') {
      i = skip_bracket(s, i);
    } else if (rest[0] == ' ' && !n.view().ends_with(op)) {
      // What stood before was a return type, what comes after a list of arguments is "const".
      if (rest == " const" || rest.starts_with(" [clone") || rest.starts_with(" const [clone"))
        break;
      n.size = 0;
      ++i;
    } else {
      n.add(rest.substr(0, 1));
      ++i;
    }
  }
  std::string_view v = n.view();
  constexpr std::string_view call = "::operator()";
  if (v.ends_with(call) && v.substr(0, v.size() - call.size()).ends_with("{lambda}"))
    v.remove_suffix(call.size());
  for (const std::string_view ours :
       {std::string_view("holdfast::"), std::string_view("abi_checked::"),
        std::string_view("abi_unchecked::")})
    if (v.starts_with(ours)) v.remove_prefix(ours.size());
  out << v;
}

bool is_machinery(std::string_view name) {
  for (const std::string_view prefix :
       {"contract_detail::", "gate::", "detail::hook_", "detail::check_", "door::"})
    if (name.starts_with(prefix)) return true;
  // Whole names: a file system may have a report_progress() or a submit_all() of its own.
  for (const std::string_view whole : {"report_broken_rule",
                                       "report_lock",
                                       "report_exit",
                                       "report_binding",
                                       "report_blocking",
                                       "report_no_callback",
                                       "report_same_class",
                                       "report_violation",
                                       "check_order",
                                       "check_new_order",
                                       "check_bound",
                                       "check_classes",
                                       "check_rcu_walk",
                                       "check_returned",
                                       "bind",
                                       "take_validator_violation",
                                       "submit",
                                       "enter_blocking",
                                       "compare_exit",
                                       "compare_rcu"})
    if (name == whole) return true;
  return false;
}

void describe_frame(const void* address, frame_text& out) {
  out.name_length = out.place_length = 0;
  if (address == nullptr) return;
  // A return address may be the first of the next function: look one byte back.
  const char* call = static_cast<const char*>(address) - 1;
  const bool known = describe_by_dwarf(call, out);
  if (known && out.place_length != 0) return;
  Dl_info info{};
  if (dladdr(call, &info) == 0) return;
  if (!known && info.dli_sname != nullptr) {
    text_writer name(out.name, sizeof out.name);
    put_demangled(name, info.dli_sname);
    out.name_length = name.size();
  }
  text_writer place(out.place, sizeof out.place);
  std::string_view file = info.dli_fname != nullptr ? info.dli_fname : "?";
  place << '(' << short_path(file) << '+';
  place.hex(static_cast<uint64_t>(static_cast<const char*>(address) -
                                  static_cast<const char*>(info.dli_fbase)))
      << ')';
  out.place_length = place.size();
}

size_t describe_address(const void* address, char* buffer, size_t size) {
  text_writer out(buffer, size);
  frame_text f;
  describe_frame(address, f);
  if (f.name_length != 0) out << f.name_view() << (f.place_length != 0 ? " " : "");
  if (f.name_length == 0 && f.place_length == 0)
    out.address(address);
  else
    out << f.place_view();
  return out.size();
}

HF_NAMESPACE_END
