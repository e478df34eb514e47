// SPDX-License-Identifier: Apache-2.0
//
// A small edition of our own in every layout and form that the parser knows. Nothing in it is a
// published sentence; its tables are made to have what the published ones have: a method without
// colon, a cell glued to its method, a column without heading, a prototype over two lines, one with
// a comment, one without semicolon, rows without prototype, prototypes without row.
#pragma once

#include <string>
#include <vector>

namespace holdfast::synthetic {

inline const std::string plain =
    "\tA text made for tests.\n"
    "\n"
    "--------------------------- toy_operations --------------------------\n"
    "prototypes:\n"
    "\tint (*wind)(struct toy *, unsigned int);\n"
    "\tint (*turn)(struct toy *,\n"
    "\t\t\tconst char *);  /* clockwise, \"mostly\" */\n"
    "\tvoid (*stop)(struct toy *, int, long)\n"
    "\tvoid (*drop_at_once)(struct toy *);\n"
    "\n"
    "locking rules:\n"
    "\tall may block\n"
    "\t\ttoy_lock\t->t_lock\tmay block\trcu-walk\n"
    "wind:\t\tno\t\tno\t\tyes (ref-walk)\tmaybe\n"
    "turn\t\tyes (both)\tno\t\tno\t\tmaybe\n"
    "drop_at_once:\tno\t\tyes\t\tmaybe[1]\tno\n"
    "shelve_for_long:no\t\tno\t\tyes\t \tno\n"
    "\tSomething about ->wind() follows at once.\n"
    "\n"
    "--------------------------- super_operations ---------------------------\n"
    "prototypes:\n"
    "\tint (*sync_toys)(struct super_block *sb, int wait);\n"
    "\tvoid (*put_toys) (struct super_block *);\n"
    "};\n"
    "\n"
    "locking rules:\n"
    "\t\t\ts_umount\n"
    "make_toys:\n"
    "drop_toys:\t\t\t\t!!!toy->lock!!!\n"
    "put_toys:\t\twrite\n"
    "sync_toys:\t\tread\t\t(see below)\n"
    "\n"
    "->sync_toys() is called now and then.\n"
    "\n"
    "--------------------------- bin_operations ---------------------------\n"
    "prototypes:\n"
    "\tvoid (*empty)(struct bin *bin, int hard);\n"
    "\n"
    "locking rules:\n"
    "\tcalled by whoever finds it full.\n"
    "\n"
    "================================================================================\n"
    "\t\t\tOther things\n";

inline const std::string rst =
    "====\nToys\n====\n"
    "\n"
    "A text made for tests.\n"
    "\n"
    "toy_operations\n"
    "==============\n"
    "\n"
    "prototypes::\n"
    "\n"
    "\tint (*wind)(struct toy *, unsigned int);\n"
    "\tint (*turn)(struct toy *,\n"
    "\t\t\tconst char *);  /* clockwise, \"mostly\" */\n"
    "\tvoid (*stop)(struct toy *, int, long)\n"
    "\tvoid (*drop_at_once)(struct toy *);\n"
    "\n"
    "locking rules:\n"
    "\tall may block\n"
    "\n"
    "================ ==========\t========\t==============\t========\n"
    "ops\t\t toy_lock\t->t_lock\tmay block\trcu-walk\n"
    "================ ==========\t========\t==============\t========\n"
    "wind:\t\t no\t\tno\t\tyes (ref-walk)\tmaybe\n"
    "turn\t\t yes (both)\tno\t\tno\t\tmaybe\n"
    "drop_at_once:\t no\t\tyes\t\tmaybe[1]\tno\n"
    "shelve_for_long: no\t\tno\t\tyes\t \tno\n"
    "================ ==========\t========\t==============\t========\n"
    "\n"
    "super_operations\n"
    "================\n"
    "prototypes::\n"
    "\n"
    "\tint (*sync_toys)(struct super_block *sb, int wait);\n"
    "\tvoid (*put_toys) (struct super_block *);\n"
    "\n"
    "locking rules:\n"
    "\n"
    "==========  ========  ================\n"
    "ops         s_umount  note\n"
    "==========  ========  ================\n"
    "make_toys:\n"
    "drop_toys:            !!!toy->lock!!!\n"
    "put_toys:   write\n"
    "sync_toys:  read      (see below)\n"
    "==========  ========  ================\n"
    "\n"
    "bin_operations\n"
    "==============\n"
    "\n"
    "prototypes::\n"
    "\n"
    "\tvoid (*empty)(struct bin *bin, int hard);\n"
    "\n"
    "locking rules:\n"
    "\n"
    "called by whoever finds it full.\n";

inline const std::string rendered =
    "Toys\xc2\xb6\n"
    "A text made for tests.\n"
    "toy_operations\xc2\xb6\n"
    "prototypes:\n"
    "int (*wind)(struct toy *, unsigned int);\n"
    "int (*turn)(struct toy *,\nconst char *); /* clockwise, \"mostly\" */\n"
    "void (*stop)(struct toy *, int, long)\n"
    "void (*drop_at_once)(struct toy *);\n"
    "- locking rules:\n"
    "all may block\n"
    "ops |\ntoy_lock |\n->t_lock |\nmay block |\nrcu-walk |\n"
    "---|---|---|---|---|\n"
    "wind: |\nno |\nno |\nyes (ref-walk) |\nmaybe |\n"
    "turn |\nyes (both) |\nno |\nno |\nmaybe |\n"
    "drop_at_once: |\nno |\nyes |\nmaybe[1] |\nno |\n"
    "shelve_for_long: |\nno |\nno |\nyes |\nno |\n"
    "super_operations\xc2\xb6\n"
    "prototypes:\n"
    "int (*sync_toys)(struct super_block *sb, int wait);\n"
    "void (*put_toys) (struct super_block *);\n"
    "locking rules:\n"
    "ops |\ns_umount |\nnote |\n"
    "---|---|---|\n"
    "make_toys: |\n||\n"
    "drop_toys: |\n!!!toy->lock!!! |\n|\n"
    "put_toys: |\nwrite |\n|\n"
    "sync_toys: |\nread |\n(see below) |\n"
    "bin_operations\xc2\xb6\n"
    "prototypes:\n"
    "void (*empty)(struct bin *bin, int hard);\n"
    "locking rules:\n"
    "called by whoever finds it full.\n";

inline const std::string rules_csv =
    "table,method,column,value\n"
    "toy_operations,wind,toy_lock,no\n"
    "toy_operations,wind,t_lock,no\n"
    "toy_operations,wind,may block,yes (ref-walk)\n"
    "toy_operations,wind,rcu-walk,maybe\n"
    "toy_operations,turn,toy_lock,yes (both)\n"
    "toy_operations,turn,t_lock,no\n"
    "toy_operations,turn,may block,no\n"
    "toy_operations,turn,rcu-walk,maybe\n"
    "toy_operations,drop_at_once,toy_lock,no\n"
    "toy_operations,drop_at_once,t_lock,yes\n"
    "toy_operations,drop_at_once,may block,maybe[1]\n"
    "toy_operations,drop_at_once,rcu-walk,no\n"
    "toy_operations,shelve_for_long,toy_lock,no\n"
    "toy_operations,shelve_for_long,t_lock,no\n"
    "toy_operations,shelve_for_long,may block,yes\n"
    "toy_operations,shelve_for_long,rcu-walk,no\n"
    "super_operations,make_toys,s_umount,\n"
    "super_operations,make_toys,note,\n"
    "super_operations,drop_toys,s_umount,\n"
    "super_operations,drop_toys,note,!!!toy->lock!!!\n"
    "super_operations,put_toys,s_umount,write\n"
    "super_operations,put_toys,note,\n"
    "super_operations,sync_toys,s_umount,read\n"
    "super_operations,sync_toys,note,(see below)\n";

inline const std::string prototypes_csv =
    "table,method,prototype\n"
    "toy_operations,wind,\"int (*wind)(struct toy *, unsigned int);\"\n"
    "toy_operations,turn,\"int (*turn)(struct toy *, const char *);\"\n"
    "toy_operations,stop,\"void (*stop)(struct toy *, int, long)\"\n"
    "toy_operations,drop_at_once,void (*drop_at_once)(struct toy *);\n"
    "super_operations,sync_toys,\"int (*sync_toys)(struct super_block *sb, int wait);\"\n"
    "super_operations,put_toys,void (*put_toys) (struct super_block *);\n"
    "bin_operations,empty,\"void (*empty)(struct bin *bin, int hard);\"\n";

// --- the forms ---

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    out.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return out;
}

// Runs of blanks become one space, also at the start of a line.
inline std::string collapsed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && out.ends_with(' ')) continue;
    if (c == '\n' && out.ends_with(' ')) out.pop_back();
    out += blank ? ' ' : c;
  }
  return out;
}

inline std::string in_bars(const std::string& text) {
  std::string out;
  for (const std::string& line : lines_of(text))
    out += (out.empty() ? "| " : " | ") + line + " | \n";
  return out;
}

inline std::string as_diff(const std::string& text) {
  const std::vector<std::string> lines = lines_of(text);
  std::string out = "diff --git a/Toys b/Toys\nnew file mode 100644\n--- /dev/null\n+++ b/Toys\n";
  out += "@@ -0,0 +1," + std::to_string(lines.size()) + " @@\n";
  for (const std::string& line : lines) out += "+" + line + "\n";
  return out;
}

inline std::string behind_page_header(const std::string& text) {
  std::string numbers;
  const size_t n = lines_of(text).size() + 1;
  for (size_t i = 1; i <= n; ++i) numbers += (i == 1 ? "" : " ") + std::to_string(i);
  return "Toys 1.5 KB\n" + numbers + "\n" + text;
}

inline std::string in_one_line(const std::string& text) {
  std::string out;
  size_t number = 0;
  for (const std::string& line : lines_of(collapsed(text)))
    out += (out.empty() ? "" : " ") + std::to_string(++number) + line;
  return out;
}

}  // namespace holdfast::synthetic
