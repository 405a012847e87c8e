#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/repeat-tests on fake programs: it names the tests that differ between rounds, and an
# interrupted run can be continued.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

program() { # NAME TEXT
	printf '#!/bin/bash\n%s\n' "$2" >"$scratch/$1"
	chmod +x "$scratch/$1"
}
repeat() { # N PROGRAM...
	local n=$1
	shift
	(cd "$scratch" && "$top/scripts/repeat-tests" -n "$n" --out out "$@")
}

# shellcheck disable=SC2016 # the programs expand them
{
	program steady 'echo 1..2; echo "ok 1 - a"; echo "ok 2 - took $((RANDOM % 90)) s"; echo >>runs'
	program seed 'echo 1..2; echo "ok 1 - b"; [ "$MODEL_SEED" = 2 ] && printf "not "; echo "ok 2 - c"'
	program stack 'echo 1..1; [ "$(ulimit -s)" = 8192 ] || skip=" # SKIP"; echo "ok 1 - d$skip"'
	program dies '[ "$MODEL_SEED" = 1 ] && kill -SEGV $$; echo 1..1; echo "ok 1 - e"'
	program first 'echo 1..1; echo "ok 1 - g"; echo "first $MODEL_SEED" >>order'
	program second 'echo 1..1; echo "ok 1 - h"; echo "second $MODEL_SEED" >>order'
	# A process outside of the session sees that the program is stopped, and notes it.
	program paused 'echo 1..1; [ "$MODEL_SEED" = 3 ] || { echo "ok 1 - i"; exit; }
		setsid bash -c "for i in {1..6000}; do
			grep -q ^State:.T /proc/$$/status && { echo >stopped; exit; }
			sleep 0.05
		done" &
		for i in {1..6000}; do [ ! -e stopped ] || break; sleep 0.05; done
		[ -e stopped ] || printf "not "; echo "ok 1 - i"'
	program slow 'echo $$ >slow.pid; exec sleep 6000'
	program bad 'echo 1..1; echo "not ok 1 - f"; exit 1'
}

runs 0 "rounds that agree" repeat 3 ./steady
shows "are counted" '^3 tests, 3 rounds: 0 differ, 0 always fail$'
shows "conditions are said" '^# round 2: one CPU, random addresses, stack 1 MiB, seed 2$'
runs 0 "a second call" repeat 3 ./steady
check "runs nothing again" test "$(wc -l <"$scratch/runs")" -eq 3
runs 0 "more rounds" repeat 4 ./steady
check "run what is missing" test "$(wc -l <"$scratch/runs")" -eq 4
echo >>"$scratch/steady"
runs 0 "a program that has changed" repeat 2 ./steady
check "runs again" test "$(wc -l <"$scratch/runs")" -eq 6

# shellcheck disable=SC2016 # bash -c expands it
runs 0 "on a single CPU" taskset -c "$(taskset -cp $$ | grep -o '[0-9]*$')" \
	bash -c 'cd "$0" && "$1/scripts/repeat-tests" -n 4 --out single ./steady' "$scratch" "$top"

runs 0 "two groups" repeat 2 ./first --then ./second
check "the first has all its rounds before the second" \
	[ "$(tr '\n' ' ' <"$scratch/order")" = "first 1 first 2 second 1 second 2 " ]
shows "how many rounds each got is said" '^# 2 of 2 rounds: 2 programs$'
runs 1 "the report on rounds that were not all run" repeat 3 --report ./first --then ./second ./bad
shows "says which lack some" '^# 2 of 3 rounds: 2 programs: ./first ./second$'
shows "and which were never run" '^# 0 of 3 rounds: 1 programs: ./bad$'
shows "and does not call it all rounds" '^4 tests, 0 rounds at least: 0 differ, 0 always fail$'

runs 0 "a program that is stopped at random moments goes on" repeat 3 ./paused
shows "which rounds do that is said" '^# round 3: all CPUs, fixed addresses, stack 64 MiB, seed 3, with pauses$'
check "and it was stopped" test -e "$scratch/stopped"

interrupted() {
	local pid tries=6000
	setsid "$top/scripts/repeat-tests" -n 2 --out cut ./first ./slow >cut.log 2>&1 &
	pid=$!
	until grep -q "first .*1 passed" cut.log && [ -s slow.pid ] || [ $((tries -= 1)) -eq 0 ]; do
		sleep 0.1
	done
	python3 -c 'import os, signal, sys; os.killpg(int(sys.argv[1]), signal.SIGINT)' "$pid"
	wait "$pid"
	cat cut.log
	! grep -qs '^State:.*[RSDT] (' "/proc/$(cat slow.pid)/status"
}
cd "$scratch" || exit 1
runs 0 "an interrupt ends a run and its programs" interrupted
shows "with the report on what was run" '^# 1 of 2 rounds: 1 programs: ./first$'

runs 1 "a test that fails in one round" repeat 2 ./seed
shows "is named" '^DIFFERS \./seed: c$'
shows "with its rounds" '^    fail: 1 rounds \(2\)$'
runs 1 "a test that is skipped in one round" repeat 2 ./stack
shows "is named, too" '^DIFFERS \./stack: d$'
runs 1 "a program that dies in one round" repeat 2 ./dies
shows "is named as such" '^DIFFERS \./dies: the program as a whole$'
runs 1 "a test that always fails" repeat 2 ./bad
shows "is no difference" '^FAILS \./bad: f$'
runs 2 "no programs" repeat 2

done_testing
