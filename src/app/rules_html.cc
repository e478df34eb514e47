// SPDX-License-Identifier: Apache-2.0
//
// The page's text. A method is a <tbody> of two rows, its cells and a closed list of its
// prototypes; a sentence is an item of a list. Both carry for the script which table they belong to
// (data-t), which editions have them (data-e) and in which they are new, gone or changed (data-c),
// by index.
//
// 1. Whatever comes from the rules passes through html_escaped(), names and ids apart, which rulec
// restricts
//    to letters, digits, dots, dashes and underscores.
#include "app/rules_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/errors.h"
#include "app/html.h"
#include "app/rules_html_assets.h"
#include "app/rules_html_diff.h"
#include "contract/editions.h"
#include "contract/requirement.h"

namespace holdfast::app {

namespace {

const edition_rules& edition(size_t i) {
  return *editions()[i];
}

std::string method_anchor(size_t edition_index, table_id t, std::string_view method) {
  return fmt::format("{}.{}.{}", edition(edition_index).release, name_of(t), method);
}

// A method's name that a narrow column may break behind an underscore.
std::string breakable(std::string_view name) {
  std::string out;
  for (const char c : name) {
    out += c;
    if (c == '_') out += "<wbr>";
  }
  return out;
}

std::string link(const std::string& anchor, std::string_view text) {
  return fmt::format("<a href=\"#{}\">{}</a>", anchor, html_escaped(text));
}

// "3.5", "4.1, 4.4", "4.1 to 6.6": the editions of which `is` holds.
template <class F>
std::string releases(F&& is) {
  std::string out;
  const size_t n = editions().size();
  for (size_t i = 0; i < n; ++i) {
    if (!is(i)) continue;
    size_t last = i;
    while (last + 1 < n && is(last + 1)) ++last;
    if (!out.empty()) out += ", ";
    out += edition(i).release;
    if (last > i) out += fmt::format("{} {}", last == i + 1 ? "," : " to", edition(last).release);
    i = last;
  }
  return out;
}

// Indices of editions, as the script reads them: "0 3 4".
template <class F>
std::string indices(F&& is) {
  std::string out;
  for (size_t i = 0; i < editions().size(); ++i)
    if (is(i)) out += (out.empty() ? "" : " ") + std::to_string(i);
  return out;
}

std::string_view heading_of(table_id t) {
  for (size_t i = editions().size(); i-- > 0;)
    for (const rule_table& x : edition(i).tables)
      if (x.id == t) return x.heading;
  return name_of(t);
}

std::vector<const rule_column*> columns_of(size_t edition_index, table_id t) {
  std::vector<const rule_column*> out;
  for (const rule_column& c : edition(edition_index).columns)
    if (c.table == t) out.push_back(&c);
  return out;
}

std::string_view label_of(const rule_column& c) {
  return c.heading.empty() ? name_of(c.id) : c.heading;
}

// --- one method ---

class method_writer {
 public:
  method_writer(const method_history& h, const std::vector<method_history>& table)
      : h_(h), table_(table) {}

  std::string html() {
    const auto differs = [&](size_t i) { return h_.in[i].differs(); };
    const auto present = [&](size_t i) { return h_.in[i].present(); };
    size_t newest = h_.in.size() - 1;
    while (!present(newest)) --newest;
    out_ = fmt::format("<tbody class=\"m\" data-t=\"{}\" data-e=\"{}\" data-c=\"{}\">\n",
                       name_of(h_.table), indices(present), indices(differs));
    out_ += fmt::format("<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th>",
                        method_anchor(newest, h_.table, h_.method), breakable(h_.method));
    for (size_t i = 0; i < h_.in.size(); ++i) cell(i);
    out_ += fmt::format("</tr>\n<tr class=\"more\"><td colspan=\"{}\">", h_.in.size() + 1);
    details();
    return out_ + "</td></tr>\n</tbody>\n";
  }

 private:
  void cell(size_t i) {
    const method_in_edition& m = h_.in[i];
    if (!m.present()) {
      out_ += fmt::format("<td class=\"c e{}\" data-r=\"{}\">", i, edition(i).release);
      if (m.removed)
        out_ += "<span class=\"tag gone\">gone</span>" + successor_of(h_.in[i - 1]);
      else
        out_ += "<span class=\"none\" aria-label=\"not there\">&ndash;</span>";
      out_ += "</td>";
      return;
    }
    out_ += fmt::format("<td class=\"c e{}\" data-r=\"{}\" id=\"{}\">", i, edition(i).release,
                        method_anchor(i, h_.table, h_.method));
    if (m.added) out_ += "<div><span class=\"tag new\">new</span>" + predecessors(i) + "</div>";
    if (m.row != nullptr)
      values(i);
    else
      out_ += columns_of(i, h_.table).empty() ? "<div class=\"none\">listed</div>"
                                              : "<div class=\"none\">no row</div>";
    if (m.prototype_changed) {
      const std::string_view what = m.prototype == nullptr              ? "prototype gone"
                                    : h_.in[i - 1].prototype == nullptr ? "prototype new"
                                                                        : "prototype changed";
      out_ += fmt::format("<div><span class=\"tag proto\">{}</span></div>", what);
    }
    out_ += "</td>";
  }

  void values(size_t i) {
    const method_in_edition& m = h_.in[i];
    const auto columns = columns_of(i, h_.table);
    for (size_t k = 0; k < columns.size(); ++k) {
      const rule_cell& c = edition(i).cells[m.row->first_cell + k];
      const bool is_changed = m.cells[k] == change::changed;
      const bool is_reworded = m.cells[k] == change::reworded;
      out_ += fmt::format("<div class=\"v{}\">", is_changed ? " ch" : is_reworded ? " rw" : "");
      if (columns.size() > 1)
        out_ += fmt::format("<span class=\"k\">{}</span> ", html_escaped(label_of(*columns[k])));
      if (c.text.empty())
        out_ += "<span class=\"none\" aria-label=\"blank\">&middot;</span>";
      else
        out_ += fmt::format("<span class=\"t\">{}</span>", html_escaped(c.text));
      if (!c.reading.empty())
        out_ += fmt::format("<abbr class=\"k\" title=\"read as {}\">*</abbr>",
                            html_escaped(describe(c.asks.kind)));
      if (is_changed) out_ += "<span class=\"sr\"> (changed)</span>";
      if (is_reworded) out_ += "<span class=\"sr\"> (reworded)</span>";
      out_ += "</div>";
    }
  }

  // " -> read_folio"
  static std::string successor_of(const method_in_edition& m) {
    if (m.successor == nullptr || m.successor->native_method.empty()) return "";
    return fmt::format(" &rarr; {}",
                       link(method_anchor(editions().size() - 1, m.successor->native_table,
                                          m.successor->native_method),
                            m.successor->native_method));
  }

  // " was readpage": methods that went when this one came.
  std::string predecessors(size_t i) const {
    std::string out;
    for (const method_history& other : table_) {
      const method_in_edition& before = other.in[i - 1];
      if (!other.in[i].removed || before.successor == nullptr) continue;
      if (before.successor->native_table == h_.table &&
          before.successor->native_method == h_.method)
        out += " was " + link(method_anchor(i - 1, other.table, other.method), other.method);
    }
    return out;
  }

  void details() {
    std::string body = prototypes() + readings() + fate();
    const std::string rules = sentences();
    if (!rules.empty()) body += fmt::format("<p>Sentences: {}</p>", rules);
    out_ += fmt::format("<details><summary>{}</summary><div class=\"in\">{}</div></details>",
                        summary_, body);
  }

  // Each form once, with the editions that print it.
  std::string prototypes() {
    std::vector<std::string_view> forms;
    for (const method_in_edition& m : h_.in)
      if (m.prototype != nullptr &&
          std::find(forms.begin(), forms.end(), m.prototype->text) == forms.end())
        forms.push_back(m.prototype->text);
    summary_ = forms.empty()       ? std::string("no prototype")
               : forms.size() == 1 ? std::string("prototype")
                                   : fmt::format("prototype, {} forms", forms.size());
    std::string out;
    for (const std::string_view form : forms)
      out += fmt::format("<dt>{}</dt><dd><code>{}</code></dd>", releases([&](size_t i) {
                           return h_.in[i].prototype != nullptr && h_.in[i].prototype->text == form;
                         }),
                         html_escaped(form));
    return out.empty() ? out : "<dl>" + out + "</dl>";
  }

  std::string readings() const {
    std::set<std::string> done;
    std::string out;
    for (size_t i = h_.in.size(); i-- > 0;) {
      if (h_.in[i].row == nullptr) continue;
      const rule_row& r = *h_.in[i].row;
      for (const rule_cell& c : edition(i).cells.subspan(r.first_cell, r.cell_count)) {
        if (c.reading.empty() || !done.insert(std::string(c.reading)).second) continue;
        out += fmt::format("<p>The cell of {} is read as <em>{}</em>: {}.</p>", name_of(c.id),
                           html_escaped(describe(c.asks.kind)), html_escaped(c.reading));
      }
    }
    return out;
  }

  std::string fate() const {
    for (size_t i = 1; i < h_.in.size(); ++i)
      if (h_.in[i].removed && h_.in[i - 1].successor != nullptr &&
          !h_.in[i - 1].successor->why.empty())
        return fmt::format("<p>Gone in {}: {}.</p>", edition(i).release,
                           html_escaped(h_.in[i - 1].successor->why));
    return "";
  }

  // Links to the rules about this method, one a sentence, in the newest edition that has it.
  std::string sentences() {
    std::string out;
    size_t n = 0;
    size_t i = h_.in.size() - 1;
    while (!h_.in[i].present()) --i;
    std::set<size_t> seen;
    for (const prose_target& t : edition(i).targets)
      if (t.table == h_.table && (t.method.empty() || t.method == h_.method) &&
          seen.insert(t.prose).second) {
        const std::string id(edition(i).prose[t.prose].id);
        out += (n++ == 0 ? "" : ", ") + link(id, id);
      }
    if (n > 0) summary_ += fmt::format(" &middot; {} sentence{}", n, n == 1 ? "" : "s");
    return out;
  }

  const method_history& h_;
  const std::vector<method_history>& table_;
  std::string out_, summary_;
};

// --- one sentence ---

// Each text once, with the editions it belongs to where there are several.
template <class F>
std::string variants(const sentence_history& h, std::string_view css, F&& text_of) {
  std::vector<std::string> texts;
  for (size_t i = h.in.size(); i-- > 0;)
    if (h.in[i] != nullptr)
      if (std::string t = text_of(*h.in[i]);
          !t.empty() && std::find(texts.begin(), texts.end(), t) == texts.end())
        texts.push_back(std::move(t));
  std::string out;
  for (const std::string& t : texts) {
    const auto has = [&](size_t i) { return h.in[i] != nullptr && text_of(*h.in[i]) == t; };
    out += fmt::format("<p class=\"{}\">", css);
    if (texts.size() > 1) out += fmt::format("<span class=\"k\">{}:</span> ", releases(has));
    out += t + "</p>";
  }
  return out;
}

std::string_view checker(checked_by c) {
  switch (c) {
    case checked_by::gate:
      return "Checked by the gate";
    case checked_by::dispatcher:
      return "Checked by the dispatcher";
    case checked_by::validator:
      return "Checked by the lock validator";
    case checked_by::test:
      return "Checked by a test";
    case checked_by::later:
      return "Not checked yet";
    case checked_by::adapter:
      return "For the adapter to check";
    case checked_by::not_checkable:
    case checked_by::same:
      break;
  }
  return "Not checkable";
}

// The methods a sentence is about, each as the newest edition names it that has the sentence.
std::string targets_of(const sentence_history& h) {
  std::string out;
  std::set<std::string> done;
  for (size_t i = h.in.size(); i-- > 0;) {
    if (h.in[i] == nullptr) continue;
    const auto index = static_cast<size_t>(h.in[i] - edition(i).prose.data());
    for (const prose_target& t : edition(i).targets) {
      if (t.prose != index) continue;
      const std::string name = t.method.empty()
                                   ? fmt::format("every method of {}", name_of(t.table))
                                   : std::string(t.method);
      if (!done.insert(name).second) continue;
      out += out.empty() ? "" : ", ";
      out += link(
          t.method.empty() ? std::string(name_of(t.table)) : method_anchor(i, t.table, t.method),
          name);
    }
  }
  return out;
}

std::string sentence_html(const sentence_history& h, std::string_view table) {
  const auto present = [&](size_t i) { return h.in[i] != nullptr; };
  const auto differs = [&](size_t i) { return h.differs(i); };
  std::string out = fmt::format("<li class=\"rule\" data-t=\"{}\" data-e=\"{}\" data-c=\"{}\">",
                                table, indices(present), indices(differs));
  out += "<div class=\"ids\">";
  for (const prose_rule* p : h.in)
    if (p != nullptr) out += fmt::format("<a id=\"{0}\" href=\"#{0}\">{0}</a>", p->id);
  out += "</div>";
  out += variants(h, "says", [](const prose_rule& p) { return html_escaped(p.says); });
  const std::string on = targets_of(h);
  if (!on.empty()) out += fmt::format("<p class=\"how\">About {}.</p>", on);
  out += variants(h, "how", [](const prose_rule& p) {
    if (p.check == checked_by::same) return std::string();
    return fmt::format("{}: {}.", checker(p.check), html_escaped(p.how));
  });
  return out + "</li>\n";
}

std::string sentences_html(section s, std::string_view table) {
  const auto all = sentences_of(s);
  if (all.empty()) return "";
  std::string out = "<div class=\"part\"><h3>Sentences</h3>\n<ul class=\"rules\">\n";
  for (const sentence_history& h : all) out += sentence_html(h, table);
  return out + "</ul></div>\n";
}

// --- the page ---

// The heading of a table's only column, marked where the edition before prints another.
std::string heading_html(size_t i, const rule_column& c) {
  const auto before = i > 0 ? columns_of(i - 1, c.table) : std::vector<const rule_column*>();
  const bool renamed = !before.empty() && before[0]->heading != c.heading;
  return fmt::format("<span class=\"k{}\"><span class=\"t\">{}</span></span>", renamed ? " rw" : "",
                     html_escaped(label_of(c)));
}

std::string matrix_html(table_id t) {
  const auto methods = methods_of(t);
  bool ruled = false;
  for (size_t i = 0; i < editions().size(); ++i) ruled |= !columns_of(i, t).empty();
  std::string out = "<div class=\"part\">";
  if (!ruled) out += "<p class=\"soft\">The documents list prototypes, but have no table here.</p>";
  out += fmt::format(
      "<div class=\"box\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"{}: methods by edition\">\n<table><thead><tr><th scope=\"col\">method</th>",
      html_escaped(heading_of(t)));
  for (size_t i = 0; i < editions().size(); ++i) {
    out += fmt::format("<th scope=\"col\" class=\"c e{}\">{}", i, edition(i).release);
    const auto columns = columns_of(i, t);
    if (columns.size() == 1) out += heading_html(i, *columns[0]);
    out += "</th>";
  }
  out += "</tr></thead>\n";
  for (const method_history& h : methods) out += method_writer(h, methods).html();
  return out + "</table></div></div>\n";
}

std::string head_html() {
  std::string style = rules_page_style;
  for (size_t i = 0; i < editions().size(); ++i)
    style += fmt::format("html[data-only=\"{0}\"] .c:not(.e{0}) {{ display: none; }}\n", i);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
      "form-action 'none'\">\n"
      "<title>The locking contract of the Linux VFS, {} to "
      "{}</title>\n<style>{}</style>\n</head>\n",
      edition(0).release, editions().back()->release, style);
}

std::string bar_html() {
  std::string out =
      "<div id=\"bar\"><form id=\"filter\" role=\"search\">\n"
      "<input type=\"search\" id=\"search\" placeholder=\"Search methods, locks, sentences\" "
      "aria-label=\"Search\" autocomplete=\"off\">\n"
      "<label>Table <select id=\"table\"><option value=\"\">all</option>";
  for (const std::string_view t : table_names) out += fmt::format("<option>{}</option>", t);
  out += "</select></label>\n<label>Edition <select id=\"edition\"><option value=\"\">all</option>";
  for (size_t i = 0; i < editions().size(); ++i)
    out += fmt::format("<option value=\"{}\">{}</option>", i, edition(i).release);
  return out +
         "</select></label>\n"
         "<label><input type=\"checkbox\" id=\"changed\"> changed only</label>\n"
         "<button type=\"reset\">Reset</button>\n<output id=\"count\" for=\"search table edition "
         "changed\" aria-live=\"polite\"></output>\n</form></div>\n";
}

std::string intro_html() {
  std::string out =
      "<header>\n<h1>The locking contract of the Linux VFS</h1>\n"
      "<p>What the kernel's document on locking asks of every method, in five of its editions. "
      "Cells and prototypes are as printed, sentences are restated.</p>\n"
      "<p class=\"legend\"><span><span class=\"v ch\">no</span> asks for something else than in "
      "the edition before</span> <span><span class=\"v rw\"><span class=\"t\">no</span></span> "
      "other words, same demand</span> <span><span class=\"tag new\">new</span> <span "
      "class=\"tag gone\">gone</span> method</span> <span>&middot; blank</span> <span>&ndash; not "
      "there</span> <span>* read otherwise than printed</span></p>\n<nav "
      "aria-label=\"Tables\"><ul>\n";
  for (size_t t = 0; t < table_count; ++t)
    out += fmt::format("<li>{}</li>\n",
                       link(std::string(table_names[t]), heading_of(static_cast<table_id>(t))));
  return out + "</ul></nav>\n</header>\n";
}

std::string editions_html() {
  std::string out = "<footer><p>Editions:</p><dl>";
  for (const edition_rules* e : editions())
    out += fmt::format("<dt>{}</dt><dd>{}; {} prototypes, {} rows, {} sentences</dd>", e->release,
                       html_escaped(e->document), e->prototypes.size(), e->rows.size(),
                       e->prose.size());
  return out +
         "</dl><p>Links: <code>#inode_operations</code>, "
         "<code>#6.6.inode_operations.rename</code>, <code>#6.6-inode-2</code>. The key / goes to "
         "the search.</p></footer>\n";
}

}  // namespace

std::string rules_page() {
  static_assert(section_count == table_count + 1, "a section for the document, one for each table");
  std::string out = head_html();
  out += "<body>\n<a class=\"skip\" href=\"#list\">To the tables</a>\n" + intro_html() +
         bar_html() + "<main id=\"list\">\n";
  for (size_t t = 0; t < table_count; ++t) {
    const auto id = static_cast<table_id>(t);
    out +=
        fmt::format("<section id=\"{}\"><h2>{}</h2>\n", name_of(id), html_escaped(heading_of(id)));
    out += matrix_html(id);
    out += sentences_html(static_cast<section>(t + 1), name_of(id)) + "</section>\n";
  }
  out += "<section id=\"document\"><h2>About the document itself</h2>\n" +
         sentences_html(section::doc, "document") +
         "</section>\n<p id=\"nothing\" hidden>Nothing matches.</p>\n</main>\n" + editions_html();
  return out + "<script>" + rules_page_script + "</script>\n</body>\n</html>\n";
}

int rules_html(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw user_error("can't make the directory " + directory + ": " + error.message());
  const fs::path target = fs::path(directory) / "index.html";
  const fs::path temporary = fs::path(directory) / "index.html.new";
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << rules_page();
  out.close();
  const int failed = errno;
  if (out) fs::rename(temporary, target, error);
  if (!out || error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw user_error("can't write " + target.string() + ": " +
                     (error ? error.message() : error_text(failed)));
  }
  return 0;
}

}  // namespace holdfast::app
