// SPDX-License-Identifier: Apache-2.0
//
// See snapshot.h.
#include "app/snapshot.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "holdfast/inode.h"
#include "holdfast/sync/lock_class.h"

namespace holdfast::app {

using nlohmann::json;

namespace {

uint64_t resident_bytes() {
  unsigned long long total = 0;
  unsigned long long resident = 0;
  if (FILE* f = fopen("/proc/self/statm", "re")) {
    if (fscanf(f, "%llu %llu", &total, &resident) != 2) resident = 0;
    fclose(f);
  }
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

json lock_classes() {
  json list = json::array();
  for (lock_class* c = first_lock_class(); c != nullptr; c = c->next_used.load()) {
    list.push_back({{"class", c->name},
                    {"kind", to_string(c->kind)},
                    {"acquired", c->acquired.load()},
                    {"contended", c->contended.load()},
                    {"slept", c->slept.load()},
                    {"wait_ns", c->wait_ns.load()}});
  }
  return list;
}

json contract_state() {
  size_t rules = 0;
  size_t exercised = 0;
  size_t uncheckable = 0;
  for_each_rule([&](const rule_coverage& r) {
    if (r.checked == "not checkable") {
      ++uncheckable;
      return;
    }
    ++rules;
    if (r.exercised != 0) ++exercised;
  });
  contract_counters n = read_contract_counters();
  return {{"mode", mode_name(get_check_mode())},
          {"operations", n.operations},
          {"unchecked", n.unchecked},
          {"violations", n.violations},
          {"distinct_violations", n.distinct},
          {"rules", rules},
          {"rules_exercised", exercised},
          {"rules_not_checkable", uncheckable}};
}

std::string bytes(uint64_t n) {
  if (n >= uint64_t{1} << 30) return fmt::format("{:.1f} GiB", static_cast<double>(n) / (1 << 30));
  if (n >= uint64_t{1} << 20) return fmt::format("{:.1f} MiB", static_cast<double>(n) / (1 << 20));
  return fmt::format("{:.0f} KiB", static_cast<double>(n) / 1024);
}

// Digits in groups of three.
std::string grouped(uint64_t n) {
  std::string s = std::to_string(n);
  for (size_t at = s.size(); at > 3;) s.insert(at -= 3, ",");
  return s;
}

}  // namespace

const char* mode_name(check_mode mode) {
  switch (mode) {
    case check_mode::off:
      return "off";
    case check_mode::report:
      return "report";
    case check_mode::abort:
      return "abort";
  }
  return "?";
}

json take_snapshot(const fuse_door* door) {
  json out;
  out["pid"] = getpid();
  if (door != nullptr) {
    fuse_status st = fuse_door_status(*door);
    json requests = json::object();
    uint64_t total = 0;
    for (size_t i = 0; i < fuse_request_kinds; ++i) {
      total += st.requests[i];
      if (st.requests[i] != 0) {
        requests[fuse_request_name(static_cast<fuse_request>(i))] = st.requests[i];
      }
    }
    out["requests"] = requests;
    out["requests_total"] = total;
    out["kernel"] = {{"nodes", st.nodes},
                     {"lookups", st.lookups},
                     {"unknown_nodes", st.unknown_nodes},
                     {"workers", st.workers}};
  }
  out["locks"] = lock_classes();
  out["contract"] = contract_state();
  dentry_stat_t d = dentry_stat();
  out["cache"] = {{"dentries", d.nr_dentry},
                  {"unused", d.nr_unused},
                  {"hash_buckets", d.hash_buckets},
                  {"inodes", nr_inodes()}};
  out["memory"] = {{"resident_bytes", resident_bytes()}};
  return out;
}

json take_rules() {
  json list = json::array();
  for_each_rule([&](const rule_coverage& r) {
    list.push_back({{"edition", r.edition},
                    {"table", r.table},
                    {"method", r.method},
                    {"column", r.column},
                    {"text", r.text},
                    {"rule", r.rule},
                    {"checked", r.checked},
                    {"how", r.how},
                    {"exercised", r.exercised}});
  });
  return list;
}

std::string describe_snapshot(const json& s) {
  std::string out;
  auto line = [&out](std::string_view what, const std::string& value) {
    out += fmt::format("  {:<22} {}\n", what, value);
  };
  if (s.contains("mountpoint")) {
    line("mounted on", s["mountpoint"].get<std::string>());
    line("file system",
         fmt::format("{} ({})", s["type"].get<std::string>(), s["source"].get<std::string>()));
    line("server", fmt::format("process {}, {} workers", s["pid"].get<int>(),
                               s["kernel"]["workers"].get<unsigned>()));
  }
  const json& c = s["contract"];
  line("checking", c["mode"].get<std::string>());
  if (s.contains("log")) line("log", s["log"].get<std::string>());
  if (s.contains("requests")) {
    std::vector<std::pair<uint64_t, std::string>> kinds;
    for (const auto& [name, n] : s["requests"].items()) kinds.emplace_back(n.get<uint64_t>(), name);
    std::sort(kinds.rbegin(), kinds.rend());
    std::string text;
    for (const auto& [n, name] : kinds) {
      std::string item = name + " " + grouped(n);
      size_t newline = text.rfind('\n');
      size_t column = newline == std::string::npos ? text.size() : text.size() - newline - 26;
      if (!text.empty()) text += column + item.size() > 70 ? ",\n" + std::string(25, ' ') : ", ";
      text += item;
    }
    line("operations", grouped(s["requests_total"].get<uint64_t>()) + " requests of the kernel");
    if (!text.empty()) line("", text);
  }
  line("method calls checked", grouped(c["operations"].get<uint64_t>()));
  line("rules exercised",
       fmt::format("{} of {} ({} more cannot be checked)", c["rules_exercised"].get<uint64_t>(),
                   c["rules"].get<uint64_t>(), c["rules_not_checkable"].get<uint64_t>()));
  line("violations", fmt::format("{} ({} distinct)", c["violations"].get<uint64_t>(),
                                 c["distinct_violations"].get<uint64_t>()));
  const json& k = s["cache"];
  line("cached",
       fmt::format("{} dentries ({} unused), {} inodes", grouped(k["dentries"].get<uint64_t>()),
                   grouped(k["unused"].get<uint64_t>()), grouped(k["inodes"].get<uint64_t>())));
  line("memory", bytes(s["memory"]["resident_bytes"].get<uint64_t>()));
  std::vector<json> locks(s["locks"].begin(), s["locks"].end());
  std::sort(locks.begin(), locks.end(), [](const json& a, const json& b) {
    return a["acquired"].get<uint64_t>() > b["acquired"].get<uint64_t>();
  });
  if (!locks.empty()) {
    out += fmt::format("  {:<26} {:>14} {:>11} {:>9} {:>11}\n", "locks", "taken", "contended",
                       "slept", "waited");
    for (const json& l : locks) {
      out +=
          fmt::format("    {:<24} {:>14} {:>11} {:>9} {:>8.1f} ms\n", l["class"].get<std::string>(),
                      grouped(l["acquired"].get<uint64_t>()),
                      grouped(l["contended"].get<uint64_t>()), grouped(l["slept"].get<uint64_t>()),
                      static_cast<double>(l["wait_ns"].get<uint64_t>()) / 1e6);
    }
    if (c["mode"] == "off") out += "    (\"taken\" is counted while checking is on)\n";
  }
  return out;
}

std::string describe_rules(const json& rules) {
  std::string out;
  for (const json& r : rules) {
    std::string what = r["method"].get<std::string>();
    if (!r["table"].get<std::string>().empty()) what = r["table"].get<std::string>() + "." + what;
    if (!r["column"].get<std::string>().empty()) what += " " + r["column"].get<std::string>();
    if (!r["rule"].get<std::string>().empty()) what += " [" + r["rule"].get<std::string>() + "]";
    out += fmt::format("{:>12}  {}: {}  ({})\n", grouped(r["exercised"].get<uint64_t>()), what,
                       r["text"].get<std::string>(), r["checked"].get<std::string>());
  }
  return out;
}

}  // namespace holdfast::app
