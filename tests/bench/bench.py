#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The library on the host: what each workload takes here, what the least code for the job takes (the
floor, measured beside it), what is to be reached, and instructions per operation where there is
a limit. A miss is printed as a miss.

usage: bench.py PROGRAM [ROUNDS]

Times are medians of ROUNDS (9) interleaved rounds. Instructions are counted by callgrind over the
timed part alone; without valgrind that column is left out, and said so.
"""

import os
import re
import shutil
import subprocess
import sys


def machine():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return os.uname().machine


def instructions(program, name):
    """Per operation, or None if it cannot be counted."""
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null",
         program, name],
        capture_output=True, text=True)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not collected or not run.stdout.strip():
        return None
    return int(collected.group(1)) / int(run.stdout)


def verdict(good):
    return "" if good else "MISS"


def judge(ns, floor, reach, times):
    """What is to be reached, as text, and whether it was."""
    if reach:
        return f"<= {reach:g}", ns <= reach
    if times:
        return f"<= {times:g} x floor", ns <= times * floor
    return "", True


def main():
    program = sys.argv[1]
    rounds = sys.argv[2] if len(sys.argv) > 2 else "9"
    rows = [line.split("\t") for line in
            subprocess.run([program, rounds], check=True, capture_output=True,
                           text=True).stdout.splitlines()]
    can_count = shutil.which("valgrind") is not None
    print(f"host: {machine()}; medians of {rounds} rounds")
    if not can_count:
        print("instructions: skipped, valgrind is not installed")
    print(f"{'':6}{'':46}{'here':>10}{'floor':>9}{'reach':>16}{'':6}{'instr.':>8}{'limit':>7}")
    misses = 0
    for name, what, unit, ns, floor, reach, times, limit in rows:
        ns, floor, limit = float(ns), float(floor), int(limit)
        goal, good = judge(ns, floor, float(reach), float(times))
        counted = instructions(program, name) if can_count and limit else None
        few = counted is None or counted < limit
        misses += (not good) + (not few)
        print(f"{name:6}{what:46}{ns:10.2f}{f'{floor:.2f}' if floor else '':>9}{goal:>16}"
              f"{verdict(good):>6}{f'{counted:.0f}' if counted is not None else '':>8}"
              f"{f'{limit}' if limit else '':>7}{verdict(few):>6}"
              f"{'' if unit == 'ns' else '  ' + unit}")
    print(f"{misses} missed" if misses else "all reached")
    print("The reach column was set on a Zen 4 core; this machine may be slower or shared.")


if __name__ == "__main__":
    main()
