# SPDX-License-Identifier: Apache-2.0
"""What scripts/test does once the packages are there.

Every check is a step that prints one line. GoogleTest binaries count by their cases, any other
check as one. A binary that dies counts the case it died in as failed and says so. Nothing is
retried: a test that passes now and then is a bug.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
JOBS = os.cpu_count() or 2
SOURCE_FOLDERS = ("src", "include", "tests", "bench", "examples", "tools", "sim")
RUN_PRESETS = ("release", "asan", "tsan", "debug")
# What every run builds. asan and tsan check as debug does and abort likewise, and clang's thread-safety analysis
# is an error in both; debug adds nothing but another compiler's asserts, so it waits for --long.
EVERY_RUN = ("release", "asan", "tsan")
# Seconds for one binary; the sanitizers make everything slower.
FAST_LIMIT = 900
LONG_LIMIT = 7200


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.skips = {}

    def step(self, name, ok, seconds, detail=""):
        """A check that is not a GoogleTest binary counts as one."""
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(name)
        say("ok" if ok else "FAILED", name, detail, seconds)


def say(verdict, name, detail, seconds):
    print(f"{verdict:7}{name:28}{detail}  ({seconds:.0f} s)", flush=True)


def tail(path, lines=60):
    text = path.read_text(errors="replace").splitlines()
    return "\n".join("    " + line for line in text[-lines:])


def environment(long):
    env = dict(os.environ)
    env["TSAN_OPTIONS"] = "halt_on_error=1:second_deadlock_stack=1:history_size=4"
    env["ASAN_OPTIONS"] = "detect_stack_use_after_return=1:exitcode=99"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    llvm = shutil.which("llvm-symbolizer-19")
    if llvm:
        env["TSAN_OPTIONS"] += f":external_symbolizer_path={llvm}"
        env["ASAN_OPTIONS"] += f":external_symbolizer_path={llvm}"
    if long:
        env["HOLDFAST_TEST_LONG"] = "1"
    return env


def run_logged(command, log, env=None, limit=None):
    """Runs a command in a session of its own, so that a hung one can be ended with its children."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, env=env, start_new_session=True)
        try:
            return child.wait(limit)
        except subprocess.TimeoutExpired:
            # SIGABRT first: it leaves a core or a stack of the program that hangs.
            for sig, grace in ((signal.SIGABRT, 10), (signal.SIGKILL, None)):
                os.killpg(child.pid, sig)
                try:
                    child.wait(grace)
                    break
                except subprocess.TimeoutExpired:
                    continue
            out.write(f"\nended after {limit} s\n".encode())
            return -signal.SIGALRM


# --- builds ---


def build(tally, preset, targets=()):
    """Configures and builds a preset; True if it succeeded."""
    start = time.monotonic()
    log = LOGS / f"build-{preset}.log"
    configure = ["cmake", "--preset", preset, "-DHOLDFAST_BUILD_TESTS=ON"]
    if preset == "release":
        configure.append("-DHOLDFAST_BUILD_BENCH=ON")  # scripts/run may have switched it off
    status = run_logged(configure, log)
    if status == 0:
        command = ["cmake", "--build", "--preset", preset, "-j", str(JOBS)]
        if targets:
            command += ["--target", *targets]
        status = run_logged(command, log)
    tally.step(f"build {preset}", status == 0, time.monotonic() - start)
    if status != 0:
        print(tail(log))
    return status == 0


def build_directory(preset):
    return BUILD if preset == "release" else BUILD / preset


# --- GoogleTest binaries ---


def test_binaries(directory, long):
    """[(name, is it long)] as CTest knows them."""
    listing = subprocess.run(["ctest", "--test-dir", str(directory), "--show-only=json-v1"],
                             capture_output=True, text=True, check=True).stdout
    found = []
    for test in json.loads(listing)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        is_long = "long" in properties.get("LABELS", [])
        if long or not is_long:
            found.append((test["name"], is_long))
    return found


def list_cases(binary):
    listing = subprocess.run([str(binary), "--gtest_list_tests"], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False).stdout
    cases, suite = [], ""
    for line in listing.splitlines():
        name = line.split("#")[0].rstrip()
        if not name:
            continue
        if name.startswith(" "):
            cases.append(suite + name.strip())
        elif name.endswith("."):
            suite = name
    return cases


def read_report(report):
    """(passed, [failed], {skipped: reason}) of a GoogleTest XML report."""
    passed, failed, skipped = 0, [], {}
    for case in xml.parse(report).getroot().iter("testcase"):
        name = f'{case.get("classname")}.{case.get("name")}'
        if case.find("failure") is not None:
            failed.append(name)
        elif case.find("skipped") is not None:
            text = case.find("skipped").get("message") or case.find("skipped").text or ""
            # GoogleTest puts the place first; the reason is what the test wrote.
            lines = [line for line in text.strip().splitlines() if line.strip()]
            skipped[name] = lines[-1].strip() if lines else "no reason given"
        elif case.get("status") == "run":
            passed += 1
    return passed, failed, skipped


def read_broken_log(log):
    """The same from the output of a binary that died before it wrote a report."""
    text = log.read_text(errors="replace")
    passed = len(re.findall(r"^\[       OK \] \S+ \(", text, re.M))
    failed = re.findall(r"^\[  FAILED  \] (\S+?),? .*\(\d+ ms\)$", text, re.M)
    skipped = {name: "(see the log)"
               for name in re.findall(r"^\[  SKIPPED \] (\S+) \(", text, re.M)}
    started = re.findall(r"^\[ RUN      \] (\S+)", text, re.M)
    ended = set(re.findall(r"^\[  (?:     OK|FAILED |SKIPPED) \] (\S+?),? ", text, re.M))
    open_cases = [name for name in started if name not in ended]
    failed += open_cases or ["(died outside a case)"]
    return passed, failed, skipped


# Presets whose checks are on whatever a test does; elsewhere a rule is exercised only by tests of the rules.
CHECKED_PRESETS = ("asan", "tsan", "debug")


def say_unexercised(preset, name, exercised):
    """Which rules of the contract a suite never exercised, all its processes together."""
    yes, rules = set(), {}
    for line in exercised.read_text().splitlines():
        rules.setdefault(line[2:])
        if line.startswith("+ "):
            yes.add(line[2:])
    never = [rule for rule in rules if rule not in yes]
    out = LOGS / f"unexercised-{preset}-{name}.txt"
    out.write_text("".join(rule + "\n" for rule in never))
    print(f"       {len(yes)} of {len(rules)} rules exercised; the {len(never)} others: "
          f"{out.relative_to(ROOT)}", flush=True)


def run_binary(tally, preset, name, is_long, options):
    binary = build_directory(preset) / name
    log = LOGS / f"{preset}-{name}.log"
    report = LOGS / f"{preset}-{name}.xml"
    report.unlink(missing_ok=True)
    command = [str(binary), f"--gtest_output=xml:{report}", "--gtest_color=no"]
    if options.filter:
        wanted = [c for c in list_cases(binary) if re.search(options.filter, f"{name}:{c}")]
        if not wanted:
            return
        command.append("--gtest_filter=" + ":".join(wanted))
    start = time.monotonic()
    limit = LONG_LIMIT if is_long or options.long else FAST_LIMIT
    env = environment(options.long)
    exercised = LOGS / f"exercised-{preset}-{name}.txt"
    exercised.unlink(missing_ok=True)
    if preset in CHECKED_PRESETS:
        env["HOLDFAST_EXERCISED_RULES"] = str(exercised)
    status = run_logged(command, log, env, limit)
    seconds = time.monotonic() - start
    if report.exists():
        passed, failed, skipped = read_report(report)
        # A leak or a race found at exit fails no case; it must fail something. (1 is GoogleTest's
        # own exit code for failed cases, the sanitizers have others.)
        if status not in (0, 1) or (status == 1 and not failed):
            failed.append("(at exit)")
    else:
        passed, failed, skipped = read_broken_log(log)
    if not (passed or failed or skipped):
        failed = ["(ran no case)"]
    tally.passed += passed
    tally.failed += len(failed)
    tally.skipped += len(skipped)
    for case, reason in skipped.items():
        tally.skips.setdefault((f"{name}: {case}", reason), []).append(preset)
    tally.failures += [f"{preset} {name}: {case}" for case in failed]
    say("FAILED" if failed else "ok", f"{preset} {name}",
        f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped", seconds)
    if exercised.exists():
        say_unexercised(preset, name, exercised)
    if failed:
        for case in failed:
            print(f"    {case}")
        ending = f"signal {-status}" if status < 0 else f"exit code {status}"
        print(f"  {ending}; the end of {log.relative_to(ROOT)}:\n{tail(log)}", flush=True)


def run_preset(tally, preset, options):
    if not build(tally, preset):
        return
    for name, is_long in test_binaries(build_directory(preset), options.long):
        run_binary(tally, preset, name, is_long, options)


# --- the list of covered rules ---


def check_rules_coverage(tally):
    """docs/rules-coverage.md is what the release build's tests break, and leaves no rule out."""
    start = time.monotonic()
    log = LOGS / "rules-coverage.log"
    status = run_logged([str(ROOT / "scripts/rules-coverage"), "--check"], log, environment(False), FAST_LIMIT)
    tally.step("rules coverage", status == 0, time.monotonic() - start)
    if status != 0:
        print(tail(log))


# --- the page of the rules, in a browser ---


def check_rules_page(tally):
    """Has the release build's program write the page, and a browser look at it."""
    name = "rules page in a browser"
    start = time.monotonic()
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        tally.skipped += 1
        tally.skips.setdefault((name, "chromium or chromedriver is not installed"), []).append("-")
        say("skip", name, "no chromium", 0)
        return
    folder = LOGS / "rules-page"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = LOGS / "rules-page.log"
    env = environment(False)
    status = run_logged([str(BUILD / "holdfast"), "rules", "html", str(folder / "page")], log, env, FAST_LIMIT)
    if status == 0:
        status = run_logged([sys.executable, "-B", str(ROOT / "tests/browser/rules_page.py"),
                             str(folder / "page/index.html"), "--screenshots", str(folder)],
                            log, env, FAST_LIMIT)
    tally.step(name, status == 0, time.monotonic() - start)
    if status != 0:
        print(tail(log))


# --- format and clang-tidy ---


def sources(*suffixes):
    found = []
    for folder in SOURCE_FOLDERS:
        found += [p for p in (ROOT / folder).rglob("*") if p.suffix in suffixes and p.is_file()]
    return sorted(found)


def check_format(tally):
    start = time.monotonic()
    files = sources(".h", ".cc", ".c")
    log = LOGS / "format.log"
    status = 0
    if files:
        status = run_logged(["clang-format-19", "--dry-run", "-Werror", *map(str, files)], log)
    tally.step("clang-format", status == 0, time.monotonic() - start, f"{len(files)} files")
    if status != 0:
        names = sorted({line.split(":")[0] for line in log.read_text().splitlines()
                        if "error:" in line})
        for name in names:
            print(f"    {os.path.relpath(name, ROOT)}")
        print("  To repair: clang-format-19 -i FILE")


def object_dependencies(directory):
    """{object: [files it was made of]}, from Ninja's own record of the last build."""
    text = subprocess.run(["ninja", "-C", str(directory), "-t", "deps"], capture_output=True,
                          text=True, check=False).stdout
    record, current = {}, None
    for line in text.splitlines():
        if line and not line.startswith(" "):
            current = record.setdefault(line.split(":")[0], [])
        elif line.strip() and current is not None:
            current.append(line.strip())
    return record


def tidy_key(entry, dependencies, digests, salt):
    """A file is looked at again only if it, a project header it includes, or the checks changed."""
    key = hashlib.sha256(salt)
    key.update(entry["command"].encode())
    output = re.search(r" -o (\S+)", entry["command"])
    parts = dependencies.get(output.group(1), []) if output else []
    for name in sorted({entry["file"], *parts}):
        path = Path(os.path.normpath(Path(entry["directory"]) / name))
        if ROOT not in path.parents:
            continue
        if path not in digests:
            digests[path] = hashlib.sha256(path.read_bytes()).digest()
        key.update(digests[path])
    return key.hexdigest()


def tidy_one(directory, source):
    run = subprocess.run(["clang-tidy-19", "-p", str(directory), "--quiet", source],
                         capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return run.returncode, run.stdout


def check_tidy(tally):
    """clang-tidy over the code of the library, the doors and the program (not over tests)."""
    start = time.monotonic()
    directory = BUILD / "asan"
    database = directory / "compile_commands.json"
    if not database.exists():
        tally.step("clang-tidy", False, 0, "no compile_commands.json")
        return
    stamps = BUILD / "tidy"
    stamps.mkdir(parents=True, exist_ok=True)
    salt = (ROOT / ".clang-tidy").read_bytes()
    dependencies, digests, todo, total = object_dependencies(directory), {}, [], 0
    for entry in json.loads(database.read_text()):
        source = Path(entry["file"])
        if ROOT / "src" not in source.parents or source.name.endswith("_test.cc"):
            continue
        total += 1
        stamp = stamps / tidy_key(entry, dependencies, digests, salt)
        if not stamp.exists():
            todo.append((str(source), stamp))
    complaints = []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = {pool.submit(tidy_one, directory, source): stamp for source, stamp in todo}
        for job in concurrent.futures.as_completed(jobs):
            status, text = job.result()
            if status == 0:
                jobs[job].touch()
            else:
                complaints.append(text)
    (LOGS / "tidy.log").write_text("\n".join(complaints))
    tally.step("clang-tidy", not complaints, time.monotonic() - start,
               f"{total} files, {len(todo)} of them new or changed")
    if complaints:
        print(tail(LOGS / "tidy.log", 80))


# --- the whole ---


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/test")
    parser.add_argument("--long", action="store_true",
                        help="also the suites that take hours, and the long form of the others")
    parser.add_argument("--filter", metavar="REGEX",
                        help="only cases whose BINARY:SUITE.CASE matches, without the other checks")
    parser.add_argument("--preset", action="append", choices=RUN_PRESETS,
                        help="only these configurations, without the other checks")
    return parser.parse_args()


def main():
    options = parse_arguments()
    tally = Tally()
    LOGS.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    everything = not (options.filter or options.preset)
    if everything:
        check_format(tally)
    presets = options.preset or (("release",) if options.filter
                                 else RUN_PRESETS if options.long else EVERY_RUN)
    for preset in presets:
        run_preset(tally, preset, options)
        if everything and preset == "release":
            check_rules_page(tally)
            check_rules_coverage(tally)
        if everything and preset == "asan":
            check_tidy(tally)  # on the commands of a clang build
    print(f"\n{(time.monotonic() - start) / 60:.1f} minutes. Logs are in build/logs.")
    for (case, reason), where in sorted(tally.skips.items()):
        print(f"skipped {case} ({', '.join(where)}): {reason}")
    for failure in tally.failures:
        print(f"failed  {failure}")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
