#!/usr/bin/env python3
"""
Shows that the tests can fail: plants the defects of planted.py, then small mechanical mutants of
mm/, one at a time in a copy of the library, and runs the tests until one of them notices.

usage: mutants.py BUILD [--only NAME] [--count N] [-j N]

BUILD is where the tests' own objects are (build/host/fast). A planted defect that no test kills,
or that can no longer be planted, is a failure. Of the mechanical mutants 95 % have to be killed;
each survivor is listed, with the reason from survivors.txt if there is one.

exit status: 0 if all that is so, else 1.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
import mechanical  # noqa: E402
from planted import PLANTED  # noqa: E402

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SURVIVORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "survivors.txt")
CFLAGS = ("-std=c17 -O1 -g0 -DMM_DEBUG -D_GNU_SOURCE -pthread -w -fno-omit-frame-pointer").split()
LIMIT = 60  # seconds for one test program: what hangs is noticed
GOAL = 95

# What is run on a mechanical mutant, quickest first; the model's share is small here.
AREA_TESTS = ["test_area", "test_fault", "test_change"]
DEVICE_TESTS = ["test_device"]
ADDR_TESTS = ["test_addr"]
TESTS = ["test_fault", "test_change", "test_flush", "test_track", "test_memory", "test_format",
         "test_interleave", "test_api", "test_failure", "long_model", "long_observe", "race_aspace"]
ENVIRONMENT = dict(os.environ, MODEL_OPS="60000", RACE_STEPS="4000", CMOCKA_MESSAGE_OUTPUT="TAP")


def sources():
    found = {}
    for folder in ("mm", "mm/npt"):
        for name in sorted(os.listdir(os.path.join(TOP, folder))):
            if name.endswith((".c", ".h")):
                path = f"{folder}/{name}"
                with open(os.path.join(TOP, path)) as file:
                    found[path] = file.read()
    return found


class Workshop:
    """Where one mutant at a time is built: a copy of mm/, and objects of all that is not changed."""

    def __init__(self, build, number):
        self.build = build
        self.here = os.path.join(TOP, "build/mutants", str(number))
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(os.path.join(TOP, "mm"), os.path.join(self.here, "mm"))
        self.objects = {}
        for path in sources():
            if path.endswith(".c"):
                self.compile(path)

    def object_of(self, path):
        return os.path.join(self.here, path.replace("/", "_") + ".o")

    def compile(self, path):
        return subprocess.run(
            ["clang", *CFLAGS, f"-I{self.here}", "-c", os.path.join(self.here, path), "-o",
             self.object_of(path)], stderr=subprocess.DEVNULL).returncode == 0

    def put(self, changed):
        for path, text in changed.items():
            with open(os.path.join(self.here, path), "w") as file:
                file.write(text)

    def rebuild(self, changed):
        """False: the mutant does not compile."""
        every = any(path.endswith(".h") for path in changed)
        paths = [p for p in sources() if p.endswith(".c")] if every else list(changed)
        return all([self.compile(path) for path in paths])

    def test(self, name, headers_changed):
        """'killed', 'lives', or what is wrong."""
        program = os.path.join(self.here, name)
        objects = os.path.join(TOP, self.build, "obj")
        support = [os.path.join(objects, "tests/host", f) for f in
                   sorted(os.listdir(os.path.join(objects, "tests/host")))
                   if f.endswith(".c.o") and not f.startswith(("test_", "race_", "long_"))]
        main = os.path.join(objects, "tests/host", name + ".c.o")
        if headers_changed:
            # Inline functions of the headers are in the tests as well.
            main = os.path.join(self.here, name + ".c.o")
            subprocess.run(["clang", *CFLAGS, f"-I{self.here}", f"-I{TOP}", f"-I{TOP}/tests/host", "-c",
                            os.path.join(TOP, "tests/host", name + ".c"), "-o", main], check=False)
        mm = [self.object_of(p) for p in sources() if p.endswith(".c")]
        linked = subprocess.run(["clang", "-pthread", main, *support, *mm, "-lcmocka", "-o", program],
                                capture_output=True)
        if linked.returncode:
            return "cannot be linked: " + linked.stderr.decode()[-300:]
        try:
            done = subprocess.run([program], env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=LIMIT, start_new_session=True)
        except subprocess.TimeoutExpired:
            return "killed"
        return "killed" if done.returncode else "lives"

    def try_out(self, changed, tests):
        """(verdict, which test)."""
        originals = {path: sources()[path] for path in changed}
        self.put(changed)
        headers = any(path.endswith(".h") for path in changed)
        try:
            if not self.rebuild(changed):
                return "does not compile", ""
            for name in tests:
                verdict = self.test(name, headers)
                if verdict != "lives":
                    return verdict, name
            return "lives", ""
        finally:
            self.put(originals)
            self.rebuild(originals)


def plant(edits):
    """The changed files, or why the defect cannot be planted."""
    files, changed = sources(), {}
    for path, old, new in edits:
        text = changed.get(path, files.get(path, ""))
        if text.count(old) != 1:
            return f"{path}: found {text.count(old)} times: {old.strip().splitlines()[0]}"
        changed[path] = text.replace(old, new)
    return changed


def tests_for(path):
    if path.startswith("mm/area"):
        return AREA_TESTS + ["long_cost"]
    if path.startswith("mm/device"):
        return DEVICE_TESTS
    if path.startswith("mm/addr"):
        return ADDR_TESTS + TESTS
    return TESTS


def known_survivors():
    """{(file, what, line as it becomes): reason}"""
    known = {}
    if os.path.exists(SURVIVORS):
        with open(SURVIVORS) as lines:
            key = None
            for line in lines:
                line = line.rstrip("\n")
                if not line or line.startswith("#"):
                    continue
                if line.startswith("\t"):
                    known[key] = line.strip()
                else:
                    key = tuple(part.strip() for part in line.split(" | ", 2))
    return known


class Pool:
    """Workshops, lent out one to a thread."""

    def __init__(self, build, jobs):
        import queue
        self.free = queue.Queue()
        for number in range(jobs):
            self.free.put(Workshop(build, number))
        self.threads = ThreadPoolExecutor(jobs)

    def run(self, work):
        def with_workshop():
            shop = self.free.get()
            try:
                return work(shop)
            finally:
                self.free.put(shop)
        return self.threads.submit(with_workshop)


def baseline(pool):
    """Without a defect every test has to pass here, or its failing says nothing."""
    names = sorted({name for _, _, tests in PLANTED for name in tests}
                   | set(TESTS + AREA_TESTS + DEVICE_TESTS + ADDR_TESTS))
    jobs = [(name, pool.run(lambda shop, n=name: shop.test(n, False))) for name in names]
    bad = [(name, job.result()) for name, job in jobs if job.result() != "lives"]
    for name, verdict in bad:
        print(f"NOT USABLE {name}: without any defect: {verdict}")
    return bool(bad)


def planted_part(pool, only):
    jobs, bad = [], 0
    for name, edits, tests in PLANTED:
        if only and only not in name:
            continue
        changed = plant(edits)
        jobs.append((name, changed if isinstance(changed, str) else
                     pool.run(lambda shop, c=changed, t=tests: shop.try_out(c, t))))
    for name, job in jobs:
        verdict, by = (job, "") if isinstance(job, str) else job.result()
        good = verdict == "killed"
        bad += not good
        print(f"{'killed' if good else 'NOT KILLED':11}{name}{' by ' + by if by else ''}"
              f"{'' if good else ': ' + verdict}", flush=True)
    print(f"# planted: {len(jobs) - bad} of {len(jobs)} killed")
    return bad


def mechanical_part(pool, only, count):
    files = {path: text for path, text in sources().items() if path.endswith(".c")}
    jobs = []
    for _, path, number, what, line in mechanical.choose(files, count):
        if only and only not in path:
            continue
        lines = files[path].split("\n")
        original = lines[number].strip()
        lines[number] = line
        changed = {path: "\n".join(lines)}
        jobs.append((path, number + 1, what, original, line.strip(),
                     pool.run(lambda shop, c=changed, p=path: shop.try_out(c, tests_for(p)))))
    known = known_survivors()
    killed = stillborn = 0
    alive = []
    for path, number, what, original, line, job in jobs:
        verdict, by = job.result()
        if verdict == "does not compile":
            stillborn += 1
        elif verdict == "killed":
            killed += 1
        else:
            alive.append((path, number, what, original, line, verdict))
    born = len(jobs) - stillborn
    unexplained = 0
    for path, number, what, original, line, verdict in alive:
        reason = known.get((path, what, line))
        unexplained += reason is None
        print(f"survives   {path}:{number}: {what}: {line}\n           "
              f"{reason or 'no reason given' + ('' if verdict == 'lives' else ' (' + verdict + ')')}")
    rate = 100 * killed / born if born else 100
    print(f"# mechanical: {killed} of {born} killed, {rate:.1f} %; {len(alive)} survive, "
          f"{unexplained} of them unexplained; {stillborn} did not compile")
    return rate < GOAL


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("build", nargs="?", default="build/host/fast")
    parser.add_argument("--only", default="")
    parser.add_argument("--count", type=int, default=160)
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.help:
        print(__doc__.strip())
        return 0
    started = time.monotonic()
    pool = Pool(options.build, options.jobs)
    if baseline(pool):
        return 1
    bad = planted_part(pool, options.only)
    bad += mechanical_part(pool, options.only, options.count)
    print(f"# {time.monotonic() - started:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
