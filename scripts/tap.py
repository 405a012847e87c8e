"""
TAP, the Test Anything Protocol, as a stream of lines: what check-log and run-tests share.

Feed a Tap one line at a time, then call finish(). It keeps the results, and under `errors`
whatever makes the stream as a whole untrustworthy: no plan, a plan that is not met, numbers out
of order, a bail-out. A stream with an error has failed however many tests it calls ok.

What it accepts is TAP 13 as prove reads it: one plan, first or last; numbers may be left out;
indented lines (subtests, YAML blocks) and everything that is not TAP are passed over.
"""

import re

_PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*(.*))?$")
_TEST = re.compile(r"(not )?ok\b\s*(\d+)?\s*(.*)$")
_DIRECTIVE = re.compile(r"(?<!\\)#\s*(SKIP|TODO)\b[\s:]*(.*)$", re.IGNORECASE)
_BAIL_OUT = re.compile(r"Bail out!\s*(.*)$")

PASS, FAIL, SKIP, TODO, BONUS = "pass", "fail", "skip", "todo", "bonus"


def is_tap(line):
    """Is this a line of TAP's: a plan, a result or a bail-out?"""
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
        """Takes one line without its newline. Answers its Result if it is a test line."""
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
        """After the last line: is the plan there, and met?"""
        if self.plan is None:
            self.errors.append("no plan")
        elif self.plan != len(self.results):
            self.errors.append(f"{self.plan} tests planned, {len(self.results)} seen")

    def count(self, *kinds):
        return sum(result.kind in kinds for result in self.results)

    def passed(self):
        """No failure, and nothing wrong with the stream. Ask after finish()."""
        return not self.errors and self.count(FAIL) == 0
