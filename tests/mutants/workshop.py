# SPDX-License-Identifier: BSD-2-Clause
"""
Where mutants are built and tried. Everything is compiled once (Shelf); of a mutant only what
includes the changed file is compiled again, in a folder of its own (Workshop), and each test is
linked when its turn comes.

A test is over at its first failure. One that uses up its CPU time hangs: that is counted apart.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
CFLAGS = "-std=c17 -O1 -g0 -DMM_DEBUG -D_GNU_SOURCE -pthread -w".split()
FLAVOURS = {"plain": [], "tsan": ["-fsanitize=thread", "-Wl,--wrap=__tsan_atomic32_load"],
            "small": ["-DAREA_SMALL_NODES"]}
WALL = 300  # seconds: for what waits for ever, instead of running
LEAST_CPU = 4  # seconds that any test may take; else FACTOR times what it takes without a defect
FACTOR = 10

# Small shares: a mutant that lives through these lives.
ENVIRONMENT = dict(os.environ, MODEL_OPS="60000", MODEL_SHRINK="0", RACE_OPS="60000", EXHAUSTIVE_DEPTH="4",
                   AREA_OPS="400000", BOUNDARY_STATES="6",
                   CMOCKA_MESSAGE_OUTPUT="TAP", TSAN_OPTIONS="halt_on_error=1")


def library_sources():
    """{path: text} of all of mm/."""
    found = {}
    for folder in ("mm", "mm/include/mm", "mm/npt"):
        for name in sorted(os.listdir(os.path.join(TOP, folder))):
            if name.endswith((".c", ".h")):
                path = f"{folder}/{name}"
                with open(os.path.join(TOP, path)) as file:
                    found[path] = file.read()
    return found


# What tests/host/boundary_kernel.c calls.
KERNEL = ["kernel/devices.c", "kernel/hypercall.c", "kernel/test_device.c", "kernel/uart.c"]


def support_sources():
    return KERNEL + [f"{folder}/{name}" for folder in ("tests/host", "tests/oracle")
            for name in sorted(os.listdir(os.path.join(TOP, folder)))
            if name.endswith(".c") and not name.startswith(("test_", "race_", "long_"))]


def flavour_of(test):
    return test.split("/")[0] if "/" in test else "plain"


def main_of(test):
    return f"tests/host/{os.path.basename(test)}.c"


def compile_one(flavour, here, source, target):
    """Compiles a source whose headers of mm/ are those of `here`; writes target.d as well."""
    path = os.path.join(here, source) if source.startswith("mm/") else os.path.join(TOP, source)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    return subprocess.run(
        ["clang", *CFLAGS, *FLAVOURS[flavour], f"-I{here}", f"-I{here}/mm/include", f"-I{TOP}", f"-I{TOP}/mm/include",
         f"-I{TOP}/kernel/include", f"-I{TOP}/tests/host", "-MMD", "-MF", target + ".d", "-c", path, "-o", target],
        stderr=subprocess.DEVNULL).returncode == 0


class Shelf:
    """Objects of everything as it is, and who includes what."""

    def __init__(self, tests, jobs):
        self.root = os.path.join(TOP, "build/mutants/shelf")
        shutil.rmtree(self.root, ignore_errors=True)
        self.library = library_sources()
        self.parts = {}  # flavour: sources that every test is linked with
        self.includes = {}  # source: files of mm/
        for flavour in {flavour_of(t) for t in tests}:
            self.parts[flavour] = [p for p in self.library if p.endswith(".c")] + support_sources()
        work = [(f, s) for f, sources in self.parts.items() for s in sources]
        work += [(flavour_of(t), main_of(t)) for t in tests]
        with ThreadPoolExecutor(jobs) as pool:
            done = list(pool.map(lambda w: compile_one(w[0], TOP, w[1], self.object_of(*w)), work))
        if not all(done):
            raise SystemExit(f"mutants: {work[done.index(False)][1]} does not compile as it is")
        for flavour, source in work:
            with open(self.object_of(flavour, source) + ".d") as file:
                self.includes[source] = set(re.findall(r"\bmm/[\w/]+\.[ch]", file.read()))

    def object_of(self, flavour, source):
        return os.path.join(self.root, flavour, source + ".o")

    def concerns(self, source, changed):
        return bool(self.includes[source] & set(changed))


class Workshop:
    """Tries one mutant at a time."""

    def __init__(self, shelf, number):
        self.shelf = shelf
        self.here = os.path.join(TOP, "build/mutants", str(number))
        self.seconds = {}  # test: CPU seconds without a defect, from the baseline
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(os.path.join(TOP, "mm"), os.path.join(self.here, "mm"))

    def put(self, files):
        for path, text in files.items():
            with open(os.path.join(self.here, path), "w") as file:
                file.write(text)

    def object_for(self, flavour, source, changed):
        """The object to link; None if the mutant does not compile."""
        if not self.shelf.concerns(source, changed):
            return self.shelf.object_of(flavour, source)
        target = os.path.join(self.here, "obj", flavour, source + ".o")
        if target not in self.made:
            self.made[target] = compile_one(flavour, self.here, source, target)
        return target if self.made[target] else None

    def link(self, test, changed):
        """The program, or what is wrong."""
        flavour = flavour_of(test)
        objects = [self.object_for(flavour, source, changed)
                   for source in [main_of(test)] + self.shelf.parts[flavour]]
        if None in objects:
            return None, "does not compile"
        program = os.path.join(self.here, test.replace("/", "-"))
        done = subprocess.run(["clang", "-fuse-ld=lld", "-Wl,--wrap=hw_walk", "-pthread", *FLAVOURS[flavour],
                               *objects, "-lcmocka", "-o", program], capture_output=True)
        if done.returncode:
            return None, "does not link: " + done.stderr.decode()[-300:]
        return program, ""

    def run(self, program, limit):
        """'lives', 'killed' or 'hangs'."""
        process = subprocess.Popen(["prlimit", f"--cpu={limit}:{limit + 5}", program], env=ENVIRONMENT,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        late = threading.Event()

        def stop():
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

        def too_late():
            late.set()
            stop()

        watch = threading.Timer(WALL, too_late)
        watch.start()
        failed = any(line.startswith((b"not ok", b"Bail")) and b"# SKIP" not in line
                     for line in iter(process.stdout.readline, b""))
        if failed:
            stop()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status = os.waitstatus_to_exitcode(status)
        watch.cancel()
        stop()  # what it has left behind
        self.used = usage.ru_utime + usage.ru_stime
        if late.is_set() or status in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
            return "hangs"
        return "killed" if failed or status else "lives"

    def try_out(self, changed, tests):
        """(verdict, by which test): 'killed', 'hangs', 'lives', or why it cannot be tried."""
        self.made = {}
        self.put(changed)
        try:
            for test in tests:
                program, trouble = self.link(test, changed)
                if not program:
                    return trouble, ""
                limit = max(LEAST_CPU, int(FACTOR * self.seconds.get(test, WALL / FACTOR)))
                verdict = self.run(program, limit)
                if verdict != "lives":
                    return verdict, test
            return "lives", ""
        finally:
            self.put({path: self.shelf.library[path] for path in changed})
