#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Shows that the suite on the target can fail: plants the defects of tests/mutants/target and small
mechanical mutants of the same folders, one at a time in a copy of the tree, and boots the image in
an emulator until a case fails.

usage: on_target.py [--folder "NAME..."] [--only TEXT] [--sample N] [--count N]
                    [--planted | --mechanical]
                    [--alive] [--visible] [--fresh] [-j N]
       on_target.py --check         can all planted defects be planted?

  --folder F     these folders of the tree (all that tests/mutants/target lists)
  --only TEXT    defects whose name (folder/name) has this text in it
  --count N      mechanical mutants in all (100), a sample by hash: the same ones as long as the
                 code is the same, some of each folder
  --sample N     planted defects in all (300), a sample by hash of the selected folders: the same
                 ones as long as their names are the same. 0: all, which takes hours
  --alive        defects that were not detected when they were last tried
  --visible      without those whose entry says that no emulator can show them
  --fresh        forget earlier verdicts
  --quiet-limit S  seconds without a line of the log after which a run hangs (60, or
                 10 times the longest pause without a defect)
  --control N    defects between two runs without one (40)
  -j N           defects at a time (2)

Each machine of a defect is tried until one detects it. Where its entry names a host test
(host:test_x in `cases`), that test is built from the copy and run, too: first, if the entry names no
case on the target. A run ends at the first failed case. First
comes the case that detected the defect last time, then the cases that its entry names, then all.
The suite must pass on each machine without a defect first, and again every so often. A case that
detects a defect for the first time is repeated without a defect. If it fails then, on a busy host,
it shows nothing: its failures do not count any more.

Verdicts are kept in build/mutants-target by the state of all sources: a run that was interrupted
goes on where it was. The end of each log is in build/mutants-target/logs.

Failures: a suite that fails without a defect; a defect that cannot be planted, does not compile or changes no image; a folder where less
than 90 % of the visible planted defects are detected; an `unseen` one that is detected; a
mechanical survivor without a reason in target/survivors.txt, or one there that is detected.

exit status: 0 without a failure, 1 with one, 130 interrupted
"""

import argparse
import json
import os
import queue
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

sys.dont_write_bytecode = True
import target_run  # noqa: E402
import target_tree  # noqa: E402
from planting import known_survivors  # noqa: E402
from target import FOLDERS, MACHINES  # noqa: E402
from target_defects import arch_of, mechanical_ones, planted_ones, sample  # noqa: E402
from target_report import report  # noqa: E402
from target_run import CannotRun, Stopped, expand, run_suite  # noqa: E402
from target_tree import ROOT, Tree  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SURVIVORS = os.path.join(HERE, "target/survivors.txt")
KEPT = os.path.join(ROOT, "kept.json")
LOGS = os.path.join(ROOT, "logs")
REPEAT = 8  # times that a case has to pass without a defect before it detects one


class Kept:
    """What earlier runs have found out. Verdicts and baselines hold for one state of the sources."""

    def __init__(self, state, fresh):
        self.lock = threading.Lock()
        self.data = {"state": state, "verdicts": {}, "baselines": {}, "killers": {}, "last": {}, "vetted": {}}
        if os.path.exists(KEPT):
            with open(KEPT) as file:
                old = json.load(file)
            parts = ("verdicts", "baselines", "vetted") if old["state"] == state and not fresh else ()
            for part in ("killers", "last") + parts:
                self.data[part] = old.get(part, {})

    def write(self):
        with open(KEPT + ".new", "w") as file:
            json.dump(self.data, file)
        os.replace(KEPT + ".new", KEPT)

    def recall(self, mutant):
        found = self.data["verdicts"].get(mutant.key)
        if found:
            mutant.verdict, mutant.by, mutant.machine, mutant.case = found
        return bool(found)

    def note(self, mutant):
        with self.lock:
            self.data["verdicts"][mutant.key] = [mutant.verdict, mutant.by, mutant.machine, mutant.case]
            self.data["last"][mutant.full] = mutant.verdict
            if mutant.detected and mutant.case:
                self.data["killers"][mutant.full] = [mutant.machine, mutant.case]
            self.write()

    def note_vetted(self, machine, case, good):
        with self.lock:
            self.data["vetted"].setdefault(machine, {})[case] = good
            if not good:  # what it has detected is tried again, by the next run
                verdicts = self.data["verdicts"]
                self.data["verdicts"] = {k: v for k, v in verdicts.items() if v[2:] != [machine, case]}
            self.write()

    def unreliable(self, machine):
        return {case for case, good in self.data["vetted"].get(machine, {}).items() if not good}

    def note_baseline(self, machine, run):
        with self.lock:
            self.data["baselines"][machine] = {
                "names": run.results, "skips": sorted(run.skips), "seconds": run.seconds,
                "pause": run.longest_pause}
            self.write()


def baseline(tree, machines, kept, quiet):
    """The names of the cases on each machine, where they pass without a defect."""
    for machine in machines:
        if machine in kept.data["baselines"]:
            continue
        run = run_suite(tree, MACHINES[machine], "*", [], quiet, 3600)
        if run.verdict != "lives":
            print("\n".join(run.lines[-20:]))
            sys.exit(f"mutants-target: {machine} says '{run.verdict}' {run.by} without any defect")
        kept.note_baseline(machine, run)
        print(f"# {machine} without a defect: {len(run.results)} cases, {run.seconds:.0f} s, "
              f"longest pause of the log {run.longest_pause:.0f} s", flush=True)


class Line:
    """Defects on their way through the copies, with a word on each."""

    def __init__(self, kept, trees, options):
        *trees, self.clean = trees
        self.clean_lock = threading.Lock()
        self.kept, self.quiet, self.jobs = kept, options.quiet_limit, options.jobs
        self.free = queue.Queue()
        self.every, self.tried, self.doubts = options.control, 0, []
        for tree in trees:
            self.free.put(tree)

    def tests_on(self, mutant, machine):
        """What test= is set to, one boot after the other, and the cases that it selects."""
        names = self.kept.data["baselines"][machine]["names"]
        killer = self.kept.data["killers"].get(mutant.full, ["", ""])
        tests = [(killer[1], [killer[1]])] if killer[0] == machine and killer[1] in names else []
        used, matched, _ = expand(mutant.cases, names)
        while len(",".join(used)) > target_run.LIST_BYTES:
            used.pop()
        if used and len(matched) < len(names):
            tests.append((",".join(used), expand(used, names)[1]))
        return tests + [("*", names)]

    def patience(self, known):
        """Seconds without a line of the log: firmware in Bochs takes 10 s on an idle host."""
        return max(self.quiet, target_run.PAUSE_FACTOR * known["pause"])

    def is_reliable(self, machine, case):
        """Does this case pass without a defect, time after time? Asked once for each case."""
        with self.clean_lock:
            known = self.kept.data["vetted"].get(machine, {})
            if case not in known:
                baseline = self.kept.data["baselines"][machine]
                run = run_suite(self.clean, MACHINES[machine], f"{case} repeat={REPEAT}", [case] * REPEAT,
                                self.patience(baseline), 3600)
                self.kept.note_vetted(machine, case, run.verdict == "lives")
                if run.verdict != "lives":
                    write_log(f"unreliable-{case}", machine, case, run)
                    print(f"UNRELIABLE {case} ({machine}): {run.verdict} without any defect", flush=True)
            return self.kept.data["vetted"][machine][case]

    def try_test(self, machine, tree, test, order, total):
        while True:
            ignored = self.kept.unreliable(machine)
            run = run_suite(tree, MACHINES[machine], test, order, self.patience(self.kept.data["baselines"][machine]),
                            total, ignored)
            # A defect that stops the run in an unreliable case has stopped it.
            if run.verdict != "detected" or self.is_reliable(machine, run.case):
                return run

    def on_machine(self, mutant, machine, tree):
        """True if it is detected there."""
        known = self.kept.data["baselines"][machine]
        total = max(target_run.TOTAL, target_run.TOTAL_FACTOR * known["seconds"])
        for test, order in self.tests_on(mutant, machine):
            run = self.try_test(machine, tree, test, order, total)
            # With a list of tests a boot may fail because of the list, if the image has come as far.
            silent = run.verdict == "boots not" and not any(line.startswith("#") for line in run.lines)
            if run.verdict in ("detected", "bails out", "hangs") or test == "*" or silent:
                break
        write_log(mutant.full, machine, test, run)
        mutant.machine, mutant.verdict, mutant.by, mutant.case = machine, run.verdict, run.by, run.case
        if run.verdict == "lives":
            skipped = sorted(run.skips - set(known["skips"]))
            mutant.by = f"{len(skipped)} more skipped: {skipped[0]}" if skipped else ""
        return mutant.detected

    def on_host(self, mutant, tree):
        """True if one of its host tests detects it, or it does not compile there."""
        if not mutant.hosts:
            return False
        trouble = tree.make_hosts(mutant.hosts)
        if trouble:
            mutant.verdict, mutant.by = "does not compile", first_error(trouble)
            return True
        for test in mutant.hosts:
            verdict, lines = tree.run_host(test)
            if verdict != "lives":
                mutant.verdict, mutant.by, mutant.machine = verdict, test, "host"
                write_lines(mutant.full, f"{test} on the host: {verdict}", lines)
                return True
        return False

    def try_out(self, mutant, tree):
        """Host tests come first where the entry names no case on the target."""
        tree.plant(mutant.changed)
        if mutant.cases or not self.on_host(mutant, tree):
            self.on_target(mutant, tree)
            if mutant.verdict == "lives" and mutant.cases:
                self.on_host(mutant, tree)

    def on_target(self, mutant, tree):
        built, changes = {}, False
        for machine in mutant.machines:
            arch = arch_of(machine)
            if arch not in built:
                trouble = tree.make(arch)
                if trouble:
                    mutant.verdict, mutant.by = "does not compile", first_error(trouble)
                    return
                built[arch] = tree.is_changed(arch)
            if built[arch]:
                changes = True
                if self.on_machine(mutant, machine, tree):
                    return
        if not changes:
            mutant.verdict, mutant.by = "changes no image", ""

    def one(self, mutant):
        if mutant.trouble:
            mutant.verdict = "cannot be planted"
            mutant.by = mutant.trouble
        elif not self.kept.recall(mutant) and not target_run.stopping.is_set():
            tree = self.free.get()
            try:
                self.try_out(mutant, tree)
                tree.reset()
                self.control(mutant.machine, tree)
            except Stopped:
                mutant.verdict = ""
            finally:
                tree.reset()
                self.free.put(tree)
            if mutant.verdict:
                self.kept.note(mutant)
        return mutant

    def control(self, machine, tree):
        """Every so many defects: does the suite still pass without one?"""
        self.tried += 1
        if self.tried % self.every or machine not in self.kept.data["baselines"]:
            return
        known = self.kept.data["baselines"][machine]
        run = run_suite(tree, MACHINES[machine], "*", known["names"], self.patience(known),
                        ignored=self.kept.unreliable(machine))
        if run.verdict != "lives":
            self.doubts.append(f"{machine}: {run.verdict} {run.by} without any defect, after {self.tried} defects")
            print(f"IN DOUBT {self.doubts[-1]}", flush=True)
            write_log("control", machine, "*", run)
            if run.verdict == "detected":
                self.kept.note_vetted(machine, run.case, False)

    def run(self, mutants):
        started, done, known = time.monotonic(), 0, sum(m.key in self.kept.data["verdicts"] for m in mutants)
        with ThreadPoolExecutor(self.jobs) as pool:
            for job in as_completed([pool.submit(self.one, m) for m in mutants]):
                mutant = job.result()
                done += 1
                if not mutant.verdict:
                    continue
                left = (time.monotonic() - started) / max(1, done - known) * (len(mutants) - done)
                by = f" {mutant.by}" if mutant.by else ""
                on = f" ({mutant.machine})" if mutant.machine else ""
                print(f"[{done}/{len(mutants)}, {left:.0f} s to go] {mutant.full}: {mutant.verdict}{by}{on}",
                      flush=True)


def first_error(messages):
    lines = [text for text in messages.splitlines() if "error" in text] or messages.splitlines()
    return lines[0].strip()


def write_log(what, machine, test, run):
    write_lines(what, f"{machine}, test={test}: {run.verdict} {run.by}", run.lines)


def write_lines(what, heading, lines):
    name = "".join(c if c.isalnum() or c in "-._" else "_" for c in what)[:150]
    with open(os.path.join(LOGS, f"{name}.log"), "w") as file:
        file.write(f"{what} on {heading}\n")
        file.write("\n".join(lines[-80:]) + "\n")


def prepare(mutants, options):
    """The copies of the tree, clean objects and baselines for all machines of these defects."""
    machines = list(dict.fromkeys(m for mutant in mutants for m in mutant.machines))
    arches = list(dict.fromkeys(map(arch_of, machines)))
    os.makedirs(LOGS, exist_ok=True)
    first = Tree(0)
    kept = Kept(target_tree.state_of(first.path), options.fresh)
    if all(m.key in kept.data["verdicts"] for m in mutants):
        return kept, [first]
    for arch in arches:
        first.make_clean(arch, options.jobs)
    baseline(first, machines, kept, options.quiet_limit)
    hosts = list(dict.fromkeys(test for mutant in mutants for test in mutant.hosts))
    if hosts:
        first.make_clean_hosts(hosts, options.jobs)
    # The last one stays without a defect.
    trees = [first] + [Tree(n, first.path) for n in range(1, options.jobs + 1)]
    for tree in trees:
        for part in arches + (list(target_tree.HOST_PARTS) if hosts else []):
            tree.furnish(part)
    return kept, trees


def check():
    mutants = planted_ones(FOLDERS)
    bad = [m for m in mutants if m.trouble]
    for mutant in bad:
        print(f"{mutant.full}: {mutant.trouble}")
    print(f"# target: {len(mutants) - len(bad)} of {len(mutants)} can be planted")
    return 1 if bad else 0


def chosen(options, folders, last):
    mutants = [] if options.mechanical else planted_ones(folders)
    if not options.only and not options.alive:
        mutants = sample(mutants, options.sample)
    if not options.planted:
        mutants += mechanical_ones(folders, options.count)
    if options.visible:
        mutants = [m for m in mutants if not m.unseen]
    if options.alive:
        mutants = [m for m in mutants if last.get(m.full, "lives") == "lives"]
    return [m for m in mutants if options.only in m.full]


def last_verdicts():
    if not os.path.exists(KEPT):
        return {}
    with open(KEPT) as file:
        return json.load(file)["last"]


def unused_patterns(mutants, kept):
    """Patterns of `cases` that match no case on any machine of the defect."""
    for mutant in mutants:
        machines = [m for m in mutant.machines if m in kept.data["baselines"]]
        names = [n for m in machines for n in kept.data["baselines"][m]["names"]]
        for pattern in expand(mutant.cases, names)[2] if names else []:
            print(f"note: {mutant.full}: cases='{pattern}' is no case on {' '.join(machines)}")


def stop(_signal, _frame):
    if not target_run.stopping.is_set():
        print("mutants-target: ending; the same command goes on where this run was", file=sys.stderr, flush=True)
    target_run.stopping.set()


def main():
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--folder", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--quiet-limit", type=int, default=target_run.QUIET)
    parser.add_argument("--control", type=int, default=40)
    parser.add_argument("-j", "--jobs", type=int, default=2)
    for word in ("planted", "mechanical", "alive", "visible", "fresh", "check"):
        parser.add_argument(f"--{word}", action="store_true")
    options = parser.parse_args()
    if options.help:
        print(__doc__.strip())
        return 0
    if options.check:
        return check()
    folders = options.folder.split() or list(FOLDERS)
    unknown = [f for f in folders if f not in FOLDERS]
    if unknown:
        sys.exit(f"mutants-target: no folder {unknown[0]}: one of {' '.join(FOLDERS)}")
    if not target_tree.lock():
        sys.exit("mutants-target: another run is active in this tree (build/mutants-target/lock)")
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    started = time.monotonic()
    mutants = chosen(options, folders, last_verdicts())
    try:
        kept, trees = prepare(mutants, options)
        line = Line(kept, trees, options)
        line.run(mutants)
    except CannotRun as error:
        sys.exit(f"mutants-target: a machine cannot be run here: {error}")
    except Stopped:
        return 130
    if target_run.stopping.is_set():
        return 130
    unused_patterns(mutants, kept)
    bad = report(mutants, folders, known_survivors(SURVIVORS))
    for machine in kept.data["vetted"]:
        for case in sorted(kept.unreliable(machine)):
            print(f"UNRELIABLE {case} ({machine}) fails without a defect, now and then: it was not counted")
    for doubt in line.doubts:
        print(f"IN DOUBT {doubt}")
    print(f"# {time.monotonic() - started:.0f} s")
    return 1 if bad or line.doubts else 0


if __name__ == "__main__":
    sys.exit(main())
