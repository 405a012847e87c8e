#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run-tests: its totals must be correct for every behaviour of the programs.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

program() { # NAME TEXT: a test program from a shell script
	printf '#!/bin/sh\n%s\n' "$2" >"$scratch/$1"
	chmod +x "$scratch/$1"
}
all() {
	(cd "$scratch" && "$top/scripts/run-tests" "$@")
}
last() { # NAME TEXT
	if [ "$(tail -n 1 <<<"$out")" = "$2" ]; then
		result ok "$1"
	else
		result "not ok" "$1"
		explain <<<"$out"
	fi
}

program good 'echo 1..2; echo ok 1 - a; echo ok 2 - b'
program mixed 'echo 1..5; echo ok 1; echo "not ok 2 - broken"; echo "# because"; echo "ok 3 # SKIP none"
echo "not ok 4 - odd # TODO qemu 7.2: odd"; echo "ok 5 - new # TODO fixed"; exit 1'
program short 'echo 1..3; echo ok 1'
program status 'echo 1..1; echo ok 1; echo "an assertion" >&2; exit 3'
program hang 'echo 1..2; echo ok 1; exec sleep 6000'
program whole 'echo "1..0 # SKIP no such machine"'
program cannot 'echo "no KVM here" >&2; exit 77'
program silent ':'
# shellcheck disable=SC2016 # the program expands it
program cmocka '[ "$CMOCKA_MESSAGE_OUTPUT" = TAP ] && echo 1..1 && echo ok 1'
# shellcheck disable=SC2016 # the program expands it
program busy 'sh -c "i=0; while [ \$i -lt 300000 ]; do i=\$((i + 1)); done"; echo 1..1; echo ok 1'

runs 0 "good programs pass" all good ./cmocka
last "and are added up" "3 passed, 0 failed, 0 skipped"
runs 0 "a child that needs the CPU" all busy good
shows "its time is the program's" '^ok   busy .* (0\.0*[1-9]|[1-9])[0-9.]* s CPU$'
shows "and is in the sum" '^2 programs, [0-9]+ s, [0-9]+ s of CPU time$'
last "which is not the last line" "3 passed, 0 failed, 0 skipped"
runs 1 "one failure fails all" all good mixed
last "skips and expected failures count as skipped" "4 passed, 1 failed, 2 skipped"
shows "the failure is named" 'not ok 2 broken'
shows "with its diagnostics" '# because'
shows "a skip is said aloud" 'skip +3 .*none'
shows "an expected failure is said aloud" 'todo +4 odd: qemu 7\.2: odd'
shows "an unexpected pass too" 'bonus +5 new: passed, though expected to fail'
runs 1 "a plan that is not met" all short
last "is one failure" "1 passed, 1 failed, 0 skipped"
runs 1 "a bad status" all status
last "is one failure" "1 passed, 1 failed, 0 skipped"
shows "its stderr is shown" 'an assertion'
runs 1 "a hang" all --timeout 1 hang
shows "is a time-out" 'time-out after 1 s'
runs 1 "no output at all" all silent
last "is a failure" "0 passed, 1 failed, 0 skipped"
runs 0 "a program that skips itself" all good whole cannot
last "is one skip" "2 passed, 0 failed, 2 skipped"
shows "by its plan's reason" 'no such machine'
shows "or by status 77 and what it said" 'no KVM here'
runs 1 "a program that is not there" all none
runs 2 "no programs" all

if command -v prove >/dev/null; then
	runs 0 "prove runs such a program" prove "$scratch/good"
	runs 1 "and sees a failure" prove "$scratch/mixed"
else
	skip "prove" "perl is not installed (make setup)"
fi

done_testing
