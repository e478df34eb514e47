# SPDX-License-Identifier: Apache-2.0
"""What checking costs.

1. On against off is measured inside one program, slices alternating (holdfast bench --checking).
2. Compiled in but off against compiled out takes two programs. They run in turns, and so does a
   byte-for-byte copy of the first: what the copy differs from its original is what this machine
   can't tell from nothing (the A/A control). Who goes first changes from round to round.
3. The figure of a round is the geometric mean, over the metadata operations, of the ratios of that
   round; the result is the median over the rounds, with the interval that holds the true median in
   95 of 100 runs (order statistics, no assumption about the distribution).
4. A verdict on the three per cent is given only while the control stays within one per cent;
   otherwise the interval stands alone.
"""

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def build(directory, checking):
    configure = ["cmake", "-S", str(ROOT), "-B", str(directory), "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++",
                 "-DCMAKE_BUILD_TYPE=Release", f"-DHOLDFAST_CHECKING={checking}", "-DHOLDFAST_BUILD_TESTS=OFF",
                 "-DHOLDFAST_BUILD_EXAMPLES=OFF"]
    for command in (configure, ["ninja", "-C", str(directory), "holdfast_app"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
    return directory / "holdfast"


def measure(program, rounds, slice_ms):
    out = subprocess.run([str(program), "bench", "--alone", "--json", "--rounds", str(rounds), "--slice",
                          str(slice_ms)], capture_output=True, text=True, check=True).stdout
    return {o["name"]: o["holdfast_ns"] for o in json.loads(out) if o["metadata"]}


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def interval(values):
    """The ranks that hold the median with 95 per cent, of the binomial distribution."""
    ordered, n = sorted(values), len(values)
    rank, below = 0, 1 / 2**n
    while below <= 0.025:
        rank += 1
        below += math.comb(n, rank) / 2**n
    return ordered[max(rank - 1, 0)], ordered[n - max(rank, 1)]


def show(name, ratios):
    low, high = interval(ratios)
    middle = statistics.median(ratios)
    print(f"{name:44}{100 * (middle - 1):+7.2f} %   [{100 * (low - 1):+.2f}, {100 * (high - 1):+.2f}]")
    return middle, low, high


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench-checking", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21, help="rounds of the comparison of programs (default 21)")
    parser.add_argument("--slice", type=int, default=20, help="milliseconds of one measurement (default 20)")
    parser.add_argument("--json", metavar="FILE", help="write every figure to FILE")
    options = parser.parse_args()
    if options.rounds < 15:
        parser.error("fewer than 15 rounds say nothing")

    print("building: checks compiled in, checks compiled out", flush=True)
    compiled_in = build(ROOT / "build" / "cost-in", "ON")
    compiled_out = build(ROOT / "build" / "cost-out", "OFF")

    print("\nchecks on against off, one program:", flush=True)
    subprocess.run([str(compiled_in), "bench", "--checking", "--rounds", "15"], check=True)

    with tempfile.TemporaryDirectory(dir=ROOT / "build") as directory:
        copy = Path(directory) / "holdfast"
        shutil.copy2(compiled_in, copy)
        programs = {"in": compiled_in, "copy": copy, "out": compiled_out}
        cost, control, each = [], [], {}
        for r in range(options.rounds):
            names = list(programs)
            names = names[r % 3:] + names[:r % 3]
            if r % 2:
                names.reverse()
            got = {name: measure(programs[name], 3, options.slice) for name in names}
            ratios = {op: got["in"][op] / got["out"][op] for op in got["in"]}
            for op, ratio in ratios.items():
                each.setdefault(op, []).append(ratio)
            cost.append(geometric_mean(ratios.values()))
            control.append(geometric_mean(got["copy"][op] / got["in"][op] for op in got["in"]))
            if sys.stderr.isatty():
                print(f"\rround {r + 1} of {options.rounds}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r" + " " * 20 + "\r", end="", file=sys.stderr)

    print(f"\ncompiled in, off, against compiled out; {options.rounds} rounds, median and 95 % interval:")
    for op, ratios in each.items():
        show(op, ratios)
    cost_median, cost_low, cost_high = show("geometric mean, metadata", cost)
    control_median, *_ = show("control: a copy against its original", control)
    if abs(control_median - 1) <= 0.01:
        print("verdict: " + ("at most 3 %" if cost_median <= 1.03 else "more than 3 %"))
    else:
        print("no verdict: the control strays more than 1 %; the cost lies within "
              f"[{100 * (cost_low - 1):+.2f}, {100 * (cost_high - 1):+.2f}] %")
    if options.json:
        Path(options.json).write_text(json.dumps({"rounds": options.rounds, "cost": cost, "control": control,
                                                  "operations": each}, indent=1))


if __name__ == "__main__":
    main()
