#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Shows that the tests can fail: plants the defects of planted.py, then small mechanical mutants of
mm/, one at a time in a copy of the library, and runs the tests until one of them notices.

usage: mutants.py [--only TEXT] [--count N] [--planted | --mechanical] [--fresh] [-j N] TEST...
       mutants.py --check          can all defects of planted.py be planted?

TEST are programs of tests/host, "tsan/NAME" for one built with ThreadSanitizer, "small/NAME" for one
whose library has small area nodes. The mechanical
mutants are the same ones as long as the code is the same: a sample of --count (200) by hash, with
some of each file. What was found out is kept in build/mutants, by what the sources were: a run
that was interrupted goes on where it was (--fresh: it does not), and each mutant meets first the
test that killed it last.

A planted defect that lives, or that can no longer be planted, is a failure. Of the mechanical
mutants 95 % have to be killed, and each that lives has to be in survivors.txt, with the reason.

exit status: 0 if all that is so, else 1.
"""

import argparse
import hashlib
import json
import os
import queue
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

sys.dont_write_bytecode = True
import mechanical  # noqa: E402
from planted import PLANTED  # noqa: E402
from planting import known_survivors, plant_all  # noqa: E402
from workshop import TOP, Shelf, Workshop, library_sources, main_of  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SURVIVORS = os.path.join(HERE, "survivors.txt")
KEPT = os.path.join(TOP, "build/mutants/kept.json")
GOAL = 95  # % of the mechanical mutants


class Kept:
    """What earlier runs have found out: verdicts by the state of all sources, killers by name."""

    def __init__(self, shelf, tests, fresh):
        state = hashlib.sha256()
        sources = sorted(main_of(t) for t in tests)
        sources += [p for parts in shelf.parts.values() for p in parts] + list(shelf.library)
        sources += [f"tests/host/{n}" for n in sorted(os.listdir(os.path.join(TOP, "tests/host")))
                    if n.endswith(".h")] + ["tests/oracle/oracle.h", "tests/mutants/workshop.py"]
        for path in sources:
            with open(os.path.join(TOP, path), "rb") as file:
                state.update(file.read())
        self.state = state.hexdigest()
        self.lock = threading.Lock()
        self.killers, self.verdicts = {}, {}
        if os.path.exists(KEPT):
            with open(KEPT) as file:
                kept = json.load(file)
            self.killers = kept["killers"]
            if kept["state"] == self.state and not fresh:
                self.verdicts = kept["verdicts"]

    def note(self, mutant, verdict, by):
        with self.lock:
            self.verdicts[mutant.key] = [verdict, by]
            if by:
                self.killers[mutant.name] = by
            with open(KEPT + ".new", "w") as file:
                json.dump({"state": self.state, "killers": self.killers, "verdicts": self.verdicts}, file)
            os.replace(KEPT + ".new", KEPT)


class Mutant:
    def __init__(self, name, changed, tests, trouble=""):
        self.name = name  # what a reader knows it by
        self.changed = changed  # {path: text}
        self.tests = tests  # None: all
        self.trouble = trouble  # why it cannot be planted
        text = name + repr(tests) + "".join(p + t for p, t in sorted(changed.items()))
        self.key = hashlib.sha256(text.encode()).hexdigest()
        self.verdict, self.by = trouble, ""


def planted(library, only):
    mutants = []
    for name, edits, tests in PLANTED:
        changed, trouble = plant_all(edits, lambda path: library.get(path, ""))
        if only in name:
            mutants.append(Mutant(name, changed, tests, trouble))
    return mutants


def mechanical_ones(library, only, count):
    mutants = []
    for path, number, what, line in mechanical.choose(library, count):
        lines = library[path].split("\n")
        original, lines[number] = lines[number].strip(), line
        shown = original if what == "call dropped" else line.strip()
        mutant = Mutant(f"{path} | {what} | {shown}", {path: "\n".join(lines)}, None)
        mutant.where = f"{path}:{number + 1}"
        if only in mutant.name:
            mutants.append(mutant)
    return mutants


class Line:
    """Mutants on their way through the workshops, with a word on each."""

    def __init__(self, shelf, kept, order, seconds, jobs):
        self.kept, self.order, self.jobs = kept, order, jobs
        self.free = queue.Queue()
        for number in range(jobs):
            shop = Workshop(shelf, number)
            shop.seconds = seconds
            self.free.put(shop)

    def one(self, mutant):
        if mutant.key in self.kept.verdicts:
            mutant.verdict, mutant.by = self.kept.verdicts[mutant.key]
        elif not mutant.trouble:
            # Of the tests that an entry names, those that were given; all of these if it has none.
            tests = [t for t in mutant.tests or [] if t in self.order] or list(self.order)
            last = self.kept.killers.get(mutant.name)
            if last in tests:
                tests.sort(key=lambda t: t != last)
            shop = self.free.get()
            try:
                mutant.verdict, mutant.by = shop.try_out(mutant.changed, tests)
            finally:
                self.free.put(shop)
            self.kept.note(mutant, mutant.verdict, mutant.by)
        return mutant

    def run(self, mutants):
        started, done = time.monotonic(), 0
        with ThreadPoolExecutor(self.jobs) as pool:
            for job in as_completed([pool.submit(self.one, m) for m in mutants]):
                mutant = job.result()
                done += 1
                left = (time.monotonic() - started) / done * (len(mutants) - done)
                by = f" by {mutant.by}" if mutant.by else ""
                print(f"[{done}/{len(mutants)}, {left:.0f} s to go] {mutant.verdict}{by}: {mutant.name}",
                      flush=True)
        return mutants


def baseline(shelf, tests):
    """CPU seconds of each test where there is no defect: it has to pass, or its failing says nothing."""
    shop, seconds = Workshop(shelf, 0), {}
    for test in tests:
        verdict, by = shop.try_out({}, [test])
        if verdict != "lives":
            sys.exit(f"mutants: {by or test} says '{verdict}' without any defect")
        seconds[test] = shop.used
    return seconds


def judge_planted(mutants):
    bad = [m for m in mutants if m.verdict not in ("killed", "hangs")]
    for mutant in bad:
        print(f"NOT KILLED {mutant.name}: {mutant.verdict}")
    print(f"# planted: {len(mutants) - len(bad)} of {len(mutants)} killed")
    return bool(bad)


def judge_mechanical(mutants, whole):
    born = [m for m in mutants if m.verdict != "does not compile"]
    alive = [m for m in born if m.verdict not in ("killed", "hangs")]
    hung = sum(m.verdict == "hangs" for m in born)
    known = known_survivors(SURVIVORS)
    unlisted = 0
    for mutant in alive:
        reason = known.get(mutant.name)
        unlisted += reason is None
        print(f"{'survives' if reason else 'NOT LISTED'} {mutant.where}: {mutant.name}\n"
              f"\t{reason or mutant.verdict}")
    living = {m.name for m in alive}  # a line may stand twice in a file
    killed = [m for m in born if m.name in known and m.name not in living]
    for mutant in killed:
        print(f"NO SURVIVOR {mutant.name}: killed by {mutant.by}, and listed in survivors.txt")
    rate = 100 * (len(born) - len(alive)) / len(born) if born else 100
    print(f"# mechanical: {len(born) - len(alive)} of {len(born)} killed, {rate:.1f} % ({hung} of them by "
          f"hanging); {len(alive)} live, {unlisted} without a reason; "
          f"{len(mutants) - len(born)} did not compile")
    return bool(unlisted or killed) or (whole and rate < GOAL)


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--mechanical", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    if options.help or not (options.tests or options.check):
        print(__doc__.strip())
        return 0 if options.help else 1
    if options.check:
        bad = [m for m in planted(library_sources(), "") if m.trouble]
        for mutant in bad:
            print(f"{mutant.name}: {mutant.trouble}")
        print(f"# planted: {len(PLANTED) - len(bad)} of {len(PLANTED)} can be planted")
        return 1 if bad else 0
    started = time.monotonic()
    shelf = Shelf(options.tests, options.jobs)
    seconds = baseline(shelf, options.tests)
    order = sorted(options.tests, key=seconds.get)
    kept = Kept(shelf, options.tests, options.fresh)
    line = Line(shelf, kept, order, seconds, options.jobs)
    print("# CPU seconds without a defect: " + ", ".join(f"{t} {seconds[t]:.2f}" for t in order), flush=True)
    bad = 0
    if not options.mechanical:
        bad += judge_planted(line.run(planted(shelf.library, options.only)))
    if not options.planted:
        bad += judge_mechanical(line.run(mechanical_ones(shelf.library, options.only, options.count)),
                                not options.only)
    print(f"# {time.monotonic() - started:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
