# SPDX-License-Identifier: BSD-2-Clause
"""
One run of the suite in an emulator, for on_target.py. It is over at the first failed case: the
emulator is then ended at once.
"""

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time

from target_tree import TOP

sys.path.insert(0, os.path.join(TOP, "scripts"))
import tap  # noqa: E402

# Seconds without a new line of the log, after which a run hangs. The suite itself names a CPU that
# hangs after some 41 s. Without a defect the longest pause is a few seconds: the firmware.
QUIET = 60
PAUSE_FACTOR = 10  # at least this number of times the longest pause without a defect
# A run that keeps on printing ends after this number of times what it takes without a defect, and
# never before TOTAL seconds.
TOTAL_FACTOR, TOTAL = 10, 300

LIST_BYTES = 400  # of test=: the image reads a command line of 511

DETECTED = ("detected", "bails out", "hangs", "ends early", "boots not")

stopping = threading.Event()  # the user wants to end

_HANGS = re.compile(r"case (\S+) hangs")
_NO_RUN = 77


class Stopped(Exception):
    """The user wants to end."""


class CannotRun(Exception):
    """This machine cannot be run here."""


def glob_regex(pattern):
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern) + r"\Z")


def expand(patterns, names):
    """(patterns that match a name, the names that they match, patterns that match none)"""
    used, unused, matched = [], [], set()
    for pattern in patterns:
        found = set(filter(glob_regex(pattern).match, names))
        (used if found else unused).append(pattern)
        matched |= found
    return used, [n for n in names if n in matched], unused


class Run:
    """What a run has shown: verdict, `by` (the case, or what else tells it) and the results."""

    def __init__(self):
        self.lines, self.results = [], []
        self.verdict, self.by, self.case = "", "", ""
        self.longest_pause = self.seconds = 0.0
        self.skips = set()


def _end(process):
    """run-qemu.sh ends its emulator when it is told to end."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _due(run, order):
    """The case that was running: the one after the last result."""
    if len(run.results) < len(order):
        return order[len(run.results)]
    return ""


class _Reader:
    """Lines of the log, as they come; None when nothing comes for too long."""

    def __init__(self, stream, quiet, total):
        self.stream, self.quiet = stream.fileno(), quiet
        self.end = time.monotonic() + total
        self.longest = 0.0

    def lines(self):
        rest, last = b"", time.monotonic()
        while True:
            ready, _, _ = select.select([self.stream], [], [], 1)
            now = time.monotonic()
            if stopping.is_set():
                raise Stopped
            if not ready:
                if now - last > self.quiet or now > self.end:
                    yield None
                    return
                continue
            self.longest, last = max(self.longest, now - last), now
            chunk = os.read(self.stream, 65536)
            if not chunk:
                return
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")
            if now > self.end:
                yield None
                return


def _judge_line(run, state, line, order, ignored):
    """Takes a line. True: the run is over."""
    run.lines.append(line)
    if line.startswith("Bail out!"):
        named = _HANGS.search(line)
        run.case = named[1] if named else _due(run, order)
        run.verdict, run.by = "bails out", f"in {run.case or 'no case'}: {line[9:].strip()}"
        return True
    result = state.feed(line)
    if result is None:
        return False
    run.results.append(result.name)
    if result.kind == tap.SKIP:
        run.skips.add(result.name)
    if result.kind == tap.FAIL and result.name not in ignored:
        run.verdict, run.by, run.case = "detected", result.name, result.name
        return True
    return False


def _judge_end(run, status, messages, test, order, state, ignored):
    failed = {r.name for r in state.results if r.kind == tap.FAIL}
    if status == 0 or (failed and failed <= ignored and len(run.results) == state.plan):
        run.verdict = "lives"
        if order and " " not in test and set(run.results) != set(order):
            run.verdict, run.by = "ends early", "not the cases that were selected"
        return
    if status == _NO_RUN:
        raise CannotRun(messages.strip().splitlines()[-1] if messages.strip() else "status 77")
    why = [m for m in messages.splitlines() if m.startswith(("check-log:", "run-qemu: ended", "run-qemu: the emul"))]
    refused = next((line for line in run.lines if line.startswith("# refused")), "")
    if not state.plan:
        run.verdict, run.by = "boots not", refused or state.plan_reason or "; ".join(why[-1:])
    else:
        run.case = _due(run, order)
        run.verdict, run.by = "ends early", f"in {run.case}" if run.case else "; ".join(why) or f"status {status}"


def run_suite(tree, options, test, order, quiet=QUIET, total=TOTAL, ignored=frozenset()):
    """Runs run-qemu.sh of a copy with test=`test`, which selects the cases `order`. Failures of the
    cases `ignored` do not count."""
    run, state = Run(), tap.Tap()
    began = time.monotonic()
    environment = dict(os.environ, RUN_DIR=os.path.join(tree.path, "build/run"))
    command = [os.path.join(tree.path, "scripts/run-qemu.sh"), *options.split(), "--timeout", str(int(total) + 60),
               "--append", f"test={test}"]
    with open(os.path.join(tree.path, "build/run.err"), "w+") as errors:
        process = subprocess.Popen(command, cwd=tree.path, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        reader, over = _Reader(process.stdout, quiet, total), False
        try:
            for line in reader.lines():
                over = True
                if line is None:
                    run.case = _due(run, order) if state.plan else ""
                    run.verdict = "hangs" if state.plan else "boots not"
                    run.by = f"in {run.case}" if run.case else "no plan" if not state.plan else "after the last case"
                    break
                if _judge_line(run, state, line, order, ignored):
                    break
                over = False
            status = None if over else process.wait()
        finally:
            _end(process)
            process.stdout.close()
        errors.seek(0)
        messages = errors.read()
    run.longest_pause, run.seconds = reader.longest, time.monotonic() - began
    if not over:
        _judge_end(run, status, messages, test, order, state, ignored)
    run.lines += messages.splitlines()
    return run
