// SPDX-License-Identifier: Apache-2.0
//
// The holdfast command: reads its arguments and calls the command that they name.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/commands.h"
#include "app/errors.h"
#include "app/rules.h"
#if __has_include("app/bench.h")
#include "app/bench.h"
#define HOLDFAST_HAS_BENCH 1
#else
#define HOLDFAST_HAS_BENCH 0
#endif

using namespace holdfast::app;

namespace {

constexpr const char* examples = R"(
Examples:
  holdfast mount -t tmpfs none /mnt/x           mount a file system in memory
  holdfast mount -o size=1g,noatime none /mnt/x  with options
  holdfast mount --check=report none /mnt/x     and check every call against the contract
  holdfast status /mnt/x                        what it has done, which rules it exercised
  holdfast umount /mnt/x                        take it away
  holdfast explain 'rename a/b c/d'             which locks, methods and rules a call is made of

Run 'holdfast COMMAND --help' for what a command takes.)";

constexpr const char* mount_examples = R"(
Options (-o), any number, separated by commas:
  ro rw suid nosuid dev nodev exec noexec sync async dirsync atime noatime
  nodiratime relatime strictatime       as for every mount
  allow_other, noallow_other            other users may enter (root: on unless said)
  timeout=SECONDS                       how long the kernel may keep names and attributes (3600)
  workers=N                             threads that serve (CPUs + 2, at least 4)
  writeback                             let the kernel gather writes
  anything else                         is for the file system; see 'holdfast types'

Examples:
  holdfast mount none /mnt/x
  holdfast mount -t tmpfs -o size=64m,mode=700 none /mnt/x
  holdfast mount --check=abort --check-log=/tmp/found.json -f none /mnt/x)";

constexpr const char* explain_examples = R"(
Several operations are separated by ';'. 't1:', 't2:' in front of one give it, and what follows on its
line, to a task of that name; tasks run side by side. '|' or 'wait' lets all of them finish first.
What 'prepare:' stands in front of is done before, unseen. What an operation needs and the script
did not make is made.

In the timeline: + takes a lock, - drops it, > calls a method, < it returned, ? waits.

Examples:
  holdfast explain 'rename a/b c/d'
  holdfast explain 'mkdir a; touch a/b; rm a/b'
  holdfast explain 't1: rename a/x b/x; t2: rename b/y a/y'
  holdfast explain --trace=/tmp/t.json --html=/tmp/t.html 'write a/b hello'

Operations:
)";

void add_check_log(CLI::App* c, std::string& log) {
  c->add_option(
       "--check-log", log,
       "Append each violation to FILE, as a line of JSON; at the end, how often each was seen")
      ->type_name("FILE");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Holdfast: the Linux VFS in user space");
  app.name("holdfast");
  app.require_subcommand(1);
  app.footer(examples);
  app.set_version_flag("--version", std::string("holdfast 0.1.0"));
  int status = 0;

  mount_request mount;
  CLI::App* c = app.add_subcommand("mount", "Mount a file system on a directory");
  c->footer(mount_examples);
  c->add_option("-t,--type", mount.type, "The file system's type")->type_name("TYPE");
  c->add_option("-o,--options", mount.options, "Mount options")->type_name("OPTS");
  c->add_option("--check", mount.check, "Check every call against the contract: off, report, abort")
      ->check(CLI::IsMember({"off", "report", "abort"}))
      ->type_name("MODE");
  add_check_log(c, mount.check_log);
  c->add_flag("-f,--foreground", mount.foreground, "Stay in the foreground");
  c->add_option("source", mount.source, "What is mounted; 'none' where the type needs nothing")
      ->required()
      ->type_name("SOURCE");
  c->add_option("dir", mount.dir, "Where: an existing directory")->required()->type_name("DIR");
  c->callback([&] { status = mount_command(mount); });

  std::string dir;
  bool lazy = false;
  c = app.add_subcommand("umount", "Unmount, and wait until the server has ended");
  c->footer("\nExample:\n  holdfast umount /mnt/x");
  c->add_flag("-l,--lazy", lazy, "Detach now, end when it is no longer in use; does not wait");
  c->add_option("dir", dir, "The mount point")->required()->type_name("DIR");
  c->callback([&] { status = umount_command(dir, lazy); });

  bool json = false;
  bool rules = false;
  c = app.add_subcommand("status", "Show what a mount has done: operations, locks, rules, memory");
  c->footer(
      "\nExamples:\n  holdfast status /mnt/x\n  holdfast status --json /mnt/x | jq .contract");
  c->add_flag("--json", json, "As JSON");
  c->add_flag("--rules", rules, "Every rule of the contract and how often it was exercised");
  c->add_option("dir", dir, "The mount point, or a place in the mount")
      ->required()
      ->type_name("DIR");
  c->callback([&] { status = status_command(dir, json, rules); });

  c = app.add_subcommand("types", "List the file system types and the options they take");
  c->callback([&] { status = types_command(); });

  c = app.add_subcommand("demo", "Show Holdfast at work on a real source tree, checks on");
  std::string demo_log;
  add_check_log(c, demo_log);
  c->callback([&] { status = demo_command(demo_log); });

  explain_request explain;
  c = app.add_subcommand("explain", "Show each lock, method and rule that an operation is made of");
  c->footer(explain_examples + operations_help());
  c->add_option("script", explain.script, "Operations: 'rename a/b c/d; stat c/d'")
      ->type_name("OPERATION");
  c->add_option("-f,--file", explain.file, "Read them from FILE; '-' is standard input")
      ->type_name("FILE");
  c->add_option("-t,--type", explain.type, "The scratch file system's type")->type_name("TYPE");
  c->add_flag("--all", explain.all, "Show every lock, RCU sections and background work too");
  c->add_flag("--locks", explain.locks_only, "Show locks only");
  c->add_flag("--methods", explain.methods_only, "Show methods only");
  c->add_flag("--json", explain.json, "As JSON");
  c->add_option("--trace", explain.trace, "Write a trace that Perfetto opens (ui.perfetto.dev)")
      ->type_name("FILE");
  c->add_option("--html", explain.html, "Write a page with a drawn timeline")->type_name("FILE");
  add_check_log(c, explain.check_log);
  c->add_option("--pause", explain.pause_us,
                "How many us late methods begin, so that tasks meet (0; with several tasks 200)")
      ->check(CLI::Range(0, 1000000))
      ->type_name("US");
  c->add_option("--width", explain.width, "Columns of the text")
      ->check(CLI::Range(40, 1000))
      ->type_name("N");
  c->callback([&] { status = explain_command(explain); });
  add_rules_command(app, status);

#if HOLDFAST_HAS_BENCH
  c = app.add_subcommand("bench", "Measure against the kernel's tmpfs, in one run");
  holdfast_app::bench_options bench;
  c->add_flag("--json", json, "As JSON: name, holdfast_ns, kernel_ns, ratio");
  c->add_flag("--checking", bench.checking, "Checks on against checks off, instead of the kernel");
  c->add_flag("--alone", bench.alone, "Holdfast's figures only, for comparing two programs");
  c->add_option("--rounds", bench.rounds, "Medians are taken over so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  c->add_option("--slice", bench.slice_ms, "Milliseconds of one side of one round")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  c->add_option("--only", bench.filter, "Operations with this in their name")->type_name("PART");
  std::string bench_log;
  add_check_log(c, bench_log);
  c->callback([&] {
    bench.json = json;
    open_check_log(bench_log);
    status = holdfast_app::run_bench(bench);
  });
#endif

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    fprintf(stderr, "holdfast: %s\n", e.what());
    return 1;
  }
  return status;
}
