// SPDX-License-Identifier: Apache-2.0
//
// The commands behind `holdfast rules`. Exit status: 0 done, 1 a file that can't be read or parsed,
// 2 a name that is not known.
#include "app/rules.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "app/rules_coverage.h"
#include "app/rules_html.h"
#include "contract/document/csv.h"
#include "contract/document/from_rules.h"
#include "contract/document/parse.h"
#include "contract/editions.h"

namespace holdfast::app {
namespace {

constexpr const char* rules_help = R"(
TABLE is a table's name or heading, METHOD one of its methods; a METHOD that only one table has can
stand alone.

As CSV: table,method,column,value: a record for each method and column, blank cells too, in the
document's order, with its own headings (without a leading "->").

Examples:
  holdfast rules                                 the tables of the newest release
  holdfast rules inode_operations.rename         one method: prototype, cells, sentences
  holdfast rules --release 4.1 inode_operations
  holdfast rules --release 5.6 --format csv      every cell
  holdfast rules diff 4.1 6.6                    what changed
  holdfast rules import locking.rst              reads a document of your own)";

constexpr const char* diff_help = R"(
OLD and NEW are releases, or files as `holdfast rules import` reads them. A method that an edition
says was renamed is followed to its new name; as CSV and JSON its names are also listed as removed
and as added.

As CSV: change,table,method,column,old,new. `change` is one of: table added, table removed, column
added, column removed, column renamed, method added, method removed (new: what took its place),
method renamed, prototype added, prototype removed, prototype changed, row added, row removed, cell
changed.

Examples:
  holdfast rules diff 4.1 6.6
  holdfast rules diff 6.6 ~/linux/Documentation/filesystems/locking.rst --format csv)";

constexpr const char* import_help = R"(
Reads an edition of Documentation/filesystems/Locking: plain text or reStructuredText from a kernel
tree, the same inside bars, as a diff, behind a page header or in one numbered line, or a rendered
page copied as text. A malformed document is refused with the line. Where the form lost which cells
are blank, they are placed by what is known, and a note says so.

As CSV: table,method,column,value; with --prototypes: table,method,prototype.

Examples:
  holdfast rules import ~/linux/Documentation/filesystems/locking.rst
  holdfast rules import locking.rst --format csv > cells.csv)";

struct rules_request {
  std::string release;
  std::string what;
  std::string format = "text";
  std::string file;
  std::string older;
  std::string newer;
  std::string dir;
  bool prototypes = false;
};

void print(const std::string& text) {
  fwrite(text.data(), 1, text.size(), stdout);
}
void print(const nlohmann::ordered_json& j) {
  print(j.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

edition_document read_document(const std::string& file) {
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed))
    throw user_error(file +
                     " is a directory; the document lies in a kernel tree as "
                     "Documentation/filesystems/locking.rst");
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) throw user_error("cannot read " + file + ": " + error_text(errno));
  auto parsed = parse_document(text.str());
  if (!parsed)
    throw user_error(file + ":" + std::to_string(parsed.error().line) + ": " + parsed.error().what);
  return std::move(*parsed);
}

// A release, else a file.
edition_document release_or_file(const std::string& name) {
  if (const edition_rules* e = find_edition(name)) return document_of(*e);
  std::error_code failed;
  if (std::filesystem::exists(name, failed)) return read_document(name);
  try {
    return document_of(edition_named(name));
  } catch (const unknown_name& e) {
    throw unknown_name(std::string(e.what()) + "; nor is there a file " + name);
  }
}

const edition_rules& wanted_edition(const rules_request& r) {
  return r.release.empty() ? *editions().back() : edition_named(r.release);
}

void show(const rules_request& r) {
  const edition_rules& rules = wanted_edition(r);
  const edition_document all = document_of(rules);
  const rules_selection s = select_rules(all, r.what);
  if (r.format == "csv")
    print(rules_csv(only(all, s)));
  else if (r.format == "json")
    print(to_json(only(all, s)));
  else if (s.table.empty())
    print(describe_edition(rules));
  else if (s.method.empty())
    print(describe_table(rules, s.table));
  else
    print(describe_method(rules, s.table, s.method));
}

std::string prototypes_text(const edition_document& e) {
  std::string out;
  for (const document_table& t : e.tables) {
    if (t.prototypes.empty()) continue;
    out += (out.empty() ? "" : "\n") + t.heading + "\n";
    for (const document_prototype& p : t.prototypes) out += "  " + p.text + "\n";
  }
  return out;
}

void show_prototypes(const rules_request& r) {
  const edition_document all = document_of(wanted_edition(r));
  const edition_document chosen = only(all, select_rules(all, r.what));
  if (r.format == "csv")
    print(prototypes_csv(chosen));
  else if (r.format == "json")
    print(to_json(chosen));
  else
    print(prototypes_text(chosen));
}

void diff(const rules_request& r) {
  const edition_document older = release_or_file(r.older);
  const edition_document newer = release_or_file(r.newer);
  const std::vector<edition_change> changes = compare_editions(older, newer);
  if (r.format == "csv")
    print(changes_csv(with_names_that_went(changes, older, newer)));
  else if (r.format == "json")
    print(to_json(with_names_that_went(changes, older, newer)));
  else
    print(describe_changes(r.older, r.newer, changes));
}

void import(const rules_request& r) {
  const edition_document e = read_document(r.file);
  if (r.format == "csv") {
    print(r.prototypes ? prototypes_csv(e) : rules_csv(e));
    if (!r.prototypes && !e.notes.empty())
      fprintf(stderr, "holdfast: %zu notes on how %s was read; --format text or json has them\n",
              e.notes.size(), r.file.c_str());
  } else if (r.format == "json") {
    print(to_json(e));
  } else {
    print(r.prototypes ? prototypes_text(e) : describe_import(r.file, e));
  }
}

}  // namespace

void add_rules_command(CLI::App& app, int& status) {
  auto r = std::make_shared<rules_request>();
  const auto run = [&status](auto&& command) {
    try {
      command();
      status = 0;
    } catch (const unknown_name& e) {
      fprintf(stderr, "holdfast: %s\n", e.what());
      status = 2;
    }
  };
  const auto add_format = [r](CLI::App* c) {
    c->add_option("--format", r->format, "text, csv or json")
        ->check(CLI::IsMember({"text", "csv", "json"}))
        ->type_name("FORMAT");
  };
  const auto add_release = [r](CLI::App* c) {
    c->add_option("--release", r->release, "Which edition: 3.5, 4.1, 4.4, 5.6, 6.6 (the default)")
        ->type_name("R");
    c->add_option("what", r->what, "A table, a method of it, or all")->type_name("TABLE[.METHOD]");
  };

  CLI::App* rules = app.add_subcommand("rules", "The locking contract of each release");
  rules->footer(rules_help);
  add_release(rules);
  add_format(rules);
  rules->callback([=] {
    if (rules->get_subcommands().empty()) run([&] { show(*r); });
  });

  CLI::App* c = rules->add_subcommand("prototypes", "The prototypes of a release's methods");
  c->footer(
      "\nAs CSV: table,method,prototype.\n\nExample:\n"
      "  holdfast rules prototypes --release 4.4 --format csv");
  add_release(c);
  add_format(c);
  c->callback([=] { run([&] { show_prototypes(*r); }); });

  c = rules->add_subcommand("diff", "What changed between two releases or documents");
  c->footer(diff_help);
  c->add_option("old", r->older, "A release or a file")->required()->type_name("OLD");
  c->add_option("new", r->newer, "A release or a file")->required()->type_name("NEW");
  add_format(c);
  c->callback([=] { run([&] { diff(*r); }); });

  c = rules->add_subcommand("import", "Read a published locking document");
  c->footer(import_help);
  c->add_option("file", r->file, "The document")->required()->type_name("FILE");
  c->add_flag("--prototypes", r->prototypes, "Its prototypes in place of its rules");
  add_format(c);
  c->callback([=] { run([&] { import(*r); }); });

  c = rules->add_subcommand("html", "Write all editions as pages for a browser");
  c->footer("\nExample:\n  holdfast rules html /tmp/rules");
  c->add_option("dir", r->dir, "Where to; made when it is not there")->required()->type_name("DIR");
  c->callback([r, &status] { status = rules_html(r->dir); });

  c = rules->add_subcommand("coverage", "Which rule is checked by what, and broken by which test");
  c->footer("\nAs Markdown. scripts/rules-coverage runs the tests and this.");
  c->add_option("--broken", r->file, "What tests broke (they append to $HOLDFAST_BROKEN_RULES_LOG)")
      ->required()
      ->type_name("FILE");
  c->callback([r, &status] { status = rules_coverage(r->file); });
}

}  // namespace holdfast::app
