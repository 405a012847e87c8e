#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check-log with good logs and with every kind of broken log.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

judge() { # OPTIONS...; the log is in $log, as a format of printf's
	# shellcheck disable=SC2059
	printf "$log" | "$top/scripts/check-log" "$@"
}

log='# hello\n1..2\nok 1 - a\nok 2 - b\n# RESULT: PASS\n'
runs 0 "a good log passes" judge
shows "and is passed on" '^ok 2 - b$'
runs 0 "expectations in order" judge --expect hello --expect '^ok 2'
runs 1 "expectations out of order" judge --expect '^ok 2' --expect hello
shows "names the one that was missed" 'expected and not seen: /hello/'
runs 1 "two expectations need two lines" judge --expect hello --expect hello
runs 1 "a rejected line" judge --reject 'ok 1'
shows "quotes the line" 'rejected by /ok 1/: ok 1 - a'
runs 1 "a verdict of PASS where FAIL was wanted" judge --verdict FAIL
runs 2 "a broken regular expression is a usage error" judge --expect '('
runs 2 "an unknown option is a usage error" judge --frobnicate

log='KTAP version 1\nTAP version 13\n1..1\nok 1\n\n# RESULT: PASS\n\n'
runs 0 "version lines, no names and blank lines are fine" judge
log='1..2\r\n\033[2J\033[01;01Hok 1 - a\r\nok 2 - b\r\n# RESULT: PASS\r\n'
runs 0 "CRLF and terminal escapes are dropped" judge --expect '^ok 1 - a$'
log='ok 1\nok 2\n1..2\n# RESULT: PASS\n'
runs 0 "the plan may come last" judge
log='Some firmware\n# start\n1..1\nok 1\n# RESULT: PASS\n'
runs 0 "--from" judge --from '^# start'
shows "passes on what comes from there" '^# start$'
check "and not what came before" test -z "$(grep firmware <<<"$out")"
log='Some firmware\n'
runs 1 "--from, with a bad log" judge --from '^# start'
shows "shows all of it" 'Some firmware'
log='1..3\nnot ok 1 - a # TODO qemu: known\nok 2 - b # SKIP no\nok 3 # TODO x\n# RESULT: PASS\n'
runs 0 "expected failures and skips pass" judge
shows "an unexpected pass is reported" 'passed although expected to fail \(x\)'
log='1..1\n    not ok 1 - inner\nok 1 - outer\n# RESULT: PASS\n'
runs 0 "indented lines are not results" judge

log=''
runs 1 "an empty log" judge
log='1..2\nok 1 - a\n'
runs 1 "a truncated log" judge
shows "says that the plan was not met" '2 tests planned, 1 seen'
shows "says that there is no verdict" 'no verdict'
log='1..2\nok 1 - a\n# RESULT: PASS\n'
runs 1 "a plan that is not met, though the verdict says PASS" judge
log='1..1\nok 1 - a\nok 2 - b\n# RESULT: PASS\n'
runs 1 "more tests than planned" judge
log='ok 1 - a\n# RESULT: PASS\n'
runs 1 "no plan" judge
log='1..1\n1..1\nok 1 - a\n# RESULT: PASS\n'
runs 1 "two plans" judge
log='1..2\nok 2 - b\nok 1 - a\n# RESULT: PASS\n'
runs 1 "numbers out of order" judge
log='1..2\nok 1 - a\nnot ok 2 - b\n# RESULT: PASS\n'
runs 1 "a failed test, though the verdict says PASS" judge
shows "names the test" 'not ok 2 b'
log='1..1\nnot ok 1 - a # SKIP because\n# RESULT: PASS\n'
runs 1 "a failed test does not hide behind SKIP" judge
log='1..1\nok 1 - a\n# RESULT: FAIL\n'
runs 1 "a verdict of FAIL" judge
log='1..1\nok 1 - a\n# RESULT: PASS\n# one more thing\n'
runs 1 "a verdict that is not the last line" judge
log='1..1\nok 1 - a\n# RESULT: PASS\n[  1.2] reboot: Power down.\n\nok then\nbye\n'
runs 1 "TAP after the verdict" judge
log='1..1\nok 1 - a\n# RESULT: PASS\nreboot: Power down.\n\nU-Boot 2023.01\n#\n'
runs 0 "firmware's lines after the verdict" judge
for line in 'ok 2 - b' 'not ok 2 - b' '1..1' 'Bail out! late' '# vm name=late' '# RESULT: FAIL'; do
	log="1..1\nok 1 - a\n# RESULT: PASS\nPower down.\n$line\n"
	runs 1 "after the verdict: $line" judge
done
log='1..1\nok 1 - a\n# RESULT: PASS\n# RESULT: PASS\n'
runs 1 "two verdicts" judge
log='1..1\nok 1 - a\n# RESULT: PAS'
runs 1 "a verdict cut short" judge

# --- an input that stays open, such as a board's serial line ---
on_pipe() { # LOG OPTIONS...: nothing comes after the log, and the pipe stays open
	local log=$1 writer status=0
	shift
	rm -f "$scratch/line"
	mkfifo "$scratch/line"
	# shellcheck disable=SC2059
	{ printf "$log" && exec sleep 6000; } >"$scratch/line" &
	writer=$!
	timeout -s KILL "${patience-3000}" "$top/scripts/check-log" "$@" <"$scratch/line" || status=$?
	kill "$writer"
	return "$status"
}
on_pipe_shortly() {
	local patience=2
	on_pipe "$good"
}
on_tty() { # the same on a terminal
	local log=$1
	shift
	timeout -s KILL 3000 python3 -c '
import os, pty, subprocess, sys
board, line = pty.openpty()
judge = subprocess.Popen(sys.argv[2:], stdin=line)
os.write(board, sys.argv[1].encode().decode("unicode_escape").encode())
sys.exit(judge.wait())' "$log" "$top/scripts/check-log" "$@"
}
good='1..1\nok 1 - a\n# RESULT: PASS\n'
runs 0 "--live ends at the verdict" on_pipe "$good" --live
runs 1 "--live judges" on_pipe '1..1\nnot ok 1 - a\n# RESULT: FAIL\n' --live
runs 1 "--live knows a log that is not complete" on_pipe '1..2\nok 1 - a\n# RESULT: PASS\n' --live
runs 0 "--live, what firmware says in the same breath" on_pipe "${good}Power down.\n" --live
runs 137 "without it, the line's end is waited for" on_pipe_shortly
runs 0 "a terminal is live without being told" on_tty "$good"
runs 1 "a terminal, a failed test" on_tty '1..1\nnot ok 1 - a\n# RESULT: FAIL\n'
shows "names the test" 'not ok 1 a'

log='1..2\nok 1 - a\nBail out! host trap\n# RESULT: FAIL\n'
runs 1 "a bail-out" judge
shows "with its reason" 'bail out: host trap'
runs 0 "a bail-out that was wanted" judge --verdict FAIL --expect 'host trap'
log='# no virtualization\n# RESULT: FAIL\n'
runs 0 "a wanted FAIL needs no plan" judge --verdict FAIL --expect 'no virt'
runs 1 "a wanted FAIL still has its expectations" judge --verdict FAIL --expect 'no such'
log='# died'
runs 1 "a wanted FAIL needs the verdict" judge --verdict FAIL

# The log stays open until its first line has been printed. The time limit is reached only if this
# fails.
streams() {
	local pid tries=6000
	mkfifo "$scratch/open"
	"$top/scripts/check-log" <"$scratch/open" >"$scratch/live" 2>/dev/null &
	pid=$!
	exec 9>"$scratch/open"
	printf '1..1\nok 1 - early\n' >&9
	until grep -q early "$scratch/live" || [ $((tries -= 1)) -eq 0 ]; do
		sleep 0.1
	done
	kill "$pid"
	exec 9>&-
	[ "$tries" -gt 0 ]
}
check "lines are passed on as they come" streams

done_testing
