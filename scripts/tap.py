# SPDX-License-Identifier: BSD-2-Clause
"""
TAP, the Test Anything Protocol, as a stream of lines. check-log and run-tests use this module.

Feed a Tap one line at a time, then call finish(). It keeps the results. `errors` lists the faults
of the stream as a whole: no plan, a plan that is not met, numbers out of order, a bail-out. A
stream with an error has failed, even if all its tests are ok.

It accepts TAP 13 as prove does: one plan, first or last; numbers may be missing. Indented lines
(subtests, YAML blocks) and all other lines are ignored.
"""

import re

_PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*(.*))?$")
_TEST = re.compile(r"(not )?ok\b\s*(\d+)?\s*(.*)$")
_DIRECTIVE = re.compile(r"(?<!\\)#\s*(SKIP|TODO)\b[\s:]*(.*)$", re.IGNORECASE)
_BAIL_OUT = re.compile(r"Bail out!\s*(.*)$")

PASS, FAIL, SKIP, TODO, BONUS = "pass", "fail", "skip", "todo", "bonus"


def is_tap(line):
    """True if this is a line of TAP: a plan, a result or a bail-out."""
    return bool(_PLAN.match(line) or _TEST.match(line) or _BAIL_OUT.match(line))


class Result:
    """One test line. kind: TODO failed as expected, BONUS passed although marked TODO."""

    def __init__(self, number, name, kind, reason):
        self.number = number
        self.name = name
        self.kind = kind
        self.reason = reason


class Tap:
    def __init__(self):
        self.plan = None
        self.plan_reason = ""  # why 1..0
        self.results = []
        self.errors = []
        self._plan_seen_last = False

    def feed(self, line):
        """Takes one line without its newline. Returns its Result if it is a test line."""
        match = _PLAN.match(line)
        if match:
            self._take_plan(int(match[1]), match[2] or "")
            return None
        match = _BAIL_OUT.match(line)
        if match:
            self.errors.append("bail out: " + (match[1] or "no reason given"))
            return None
        match = _TEST.match(line)
        if match:
            return self._take_test(bool(match[1]), match[2], match[3])
        return None

    def _take_plan(self, count, reason):
        if self.plan is not None:
            self.errors.append("a second plan")
            return
        self.plan = count
        self.plan_reason = re.sub(r"(?i)^skip\S*\s*", "", reason)
        self._plan_seen_last = bool(self.results)

    def _take_test(self, failed, number, rest):
        due = len(self.results) + 1
        if number is not None and int(number) != due:
            self.errors.append(f"test {number} where {due} was due")
        if self._plan_seen_last:
            self.errors.append(f"test {due} after the closing plan")
        kind, reason = (FAIL if failed else PASS), ""
        directive = _DIRECTIVE.search(rest)
        if directive:
            rest, reason = rest[: directive.start()], directive[2].strip()
            if directive[1].upper() == "TODO":
                kind = TODO if failed else BONUS
            elif not failed:
                kind = SKIP
        name = re.sub(r"^-\s*", "", rest.strip())
        result = Result(due, name, kind, reason)
        self.results.append(result)
        return result

    def finish(self):
        """Call after the last line: checks that the plan is present and met."""
        if self.plan is None:
            self.errors.append("no plan")
        elif self.plan != len(self.results):
            self.errors.append(f"{self.plan} tests planned, {len(self.results)} seen")

    def count(self, *kinds):
        return sum(result.kind in kinds for result in self.results)

    def passed(self):
        """True without a failure and without an error of the stream. Call after finish()."""
        return not self.errors and self.count(FAIL) == 0
