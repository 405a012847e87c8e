#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
What the host tests reach of mm/: every line, and both ways of every branch.

usage: coverage.py DIRECTORY PROGRAM...

Runs the programs (built with clang's source coverage) with their profiles in DIRECTORY, adds up
all files, and lists each line and branch of mm/ that was never reached and that uncovered.txt
gives no reason for. A reason that is no longer needed is listed as well, unless it says that the
line is reached "by chance".

exit status: 0 if nothing is listed, else 1.
"""

import collections
import glob
import json
import os
import subprocess
import sys

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
REASONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "uncovered.txt")


def tool(name):
    """llvm-cov comes with or without its version in Debian."""
    for candidate in (name, name + "-14"):
        if any(os.access(os.path.join(d, candidate), os.X_OK)
               for d in os.environ["PATH"].split(":")):
            return candidate
    sys.exit(f"coverage: {name} is not installed")


def run(programs, directory):
    for old in glob.glob(os.path.join(directory, "*.profraw")):
        os.unlink(old)
    for program in programs:
        name = os.path.basename(program)
        environment = dict(os.environ, MODEL_OPS=os.environ.get("MODEL_OPS", "400000"))
        environment["LLVM_PROFILE_FILE"] = os.path.join(directory, f"{name}-%m.profraw")
        done = subprocess.run([program], env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit(f"coverage: {name} fails:\n{done.stderr.decode()[-2000:]}")
    profile = os.path.join(directory, "all.profdata")
    subprocess.run([tool("llvm-profdata"), "merge", "-o", profile]
                   + glob.glob(os.path.join(directory, "*.profraw")), check=True)
    return profile


def export(profile, programs):
    command = [tool("llvm-cov"), "export", "-instr-profile", profile, programs[0]]
    for program in programs[1:]:
        command += ["-object", program]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    return json.loads(data)["data"][0]


def uncovered_of(entry):
    """Line numbers that never ran, and branches of which one way was never taken."""
    lines, branches = set(), {}
    
    # Segments: line, column, count, has count, is region entry, is gap. A line is uncovered if
    # code begins on it, or runs through it, with a count of 0.
    starts = collections.defaultdict(list)
    for line, _, count, has_count, is_entry, is_gap in entry["segments"]:
        starts[line].append((count, has_count, is_entry, is_gap))
    last = max(starts) if starts else 0
    count, has_count = 0, False
    for line in range(1, last + 1):
        counts = [c for c, has, is_entry, gap in starts[line] if has and is_entry and not gap]
        wrapped = count if has_count else None
        values = ([wrapped] if wrapped is not None else []) + counts
        if values and max(values) == 0:
            lines.add(line)
        if starts[line]:
            count, has_count = starts[line][-1][0], starts[line][-1][1] and not starts[line][-1][3]
    for branch in entry.get("branches", []):
        line, column, _, _, taken, not_taken = branch[:6]
        total = branches.get((line, column), (0, 0))
        branches[(line, column)] = (total[0] + taken, total[1] + not_taken)
    one_way = {}
    for (line, _), (taken, not_taken) in branches.items():
        if line in lines or (taken and not_taken):
            continue
        one_way[line] = "never true" if not taken else "never false"
    return lines, one_way, branches


def has_code(path):
    """Some files hold nothing but constants: llvm-cov does not list them."""
    with open(path) as source:
        return any(line.startswith("{") for line in source)


def reasons():
    """{(file, source text): reason}. Each entry: a file, a line of source, an indented reason."""
    known = {}
    if not os.path.exists(REASONS):
        return known
    file = text = None
    with open(REASONS) as lines:
        for line in lines:
            line = line.rstrip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("mm/"):
                file, text = (part.strip() for part in line.split(":", 1))
            else:
                known[file, text] = line.strip()
    return known


def main():
    directory, programs = sys.argv[1], sys.argv[2:]
    data = export(run(programs, directory), programs)
    known, used = reasons(), set()
    all_lines = all_branches = missed = 0
    for entry in sorted(data["files"], key=lambda e: e["filename"]):
        name = os.path.relpath(os.path.join(TOP, entry["filename"]), TOP)
        if not name.startswith("mm/"):
            continue
        lines, one_way, branches = uncovered_of(entry)
        all_lines += entry["summary"]["lines"]["count"]
        all_branches += 2 * len(branches)
        with open(os.path.join(TOP, name)) as source:
            text = source.read().splitlines()
        found = [(n, "line") for n in lines] + list(one_way.items())
        for number, what in sorted(found):
            code = text[number - 1].strip()
            if not code.strip("{}; \t") or code == "} else {":
                continue
            if (name, code) in known:
                used.add((name, code))
                continue
            missed += 1
            print(f"{name}:{number}: {'never reached' if what == 'line' else what}: {code}")
    seen = {os.path.relpath(os.path.join(TOP, entry["filename"]), TOP) for entry in data["files"]}
    for path in sorted(glob.glob(os.path.join(TOP, "mm/**/*.c"), recursive=True)):
        name = os.path.relpath(path, TOP)
        if name not in seen and has_code(path):
            missed += 1
            print(f"{name}: in none of the tests")
    for file, code in sorted(key for key in set(known) - used if "by chance" not in known[key]):
        missed += 1
        print(f"{file}: the reason given for this line is no longer needed: {code}")
    print(f"# mm/: {all_lines} lines, {all_branches} ways of branches; {missed} not reached and "
          f"not explained, {len(used)} explained in tests/host/uncovered.txt")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
