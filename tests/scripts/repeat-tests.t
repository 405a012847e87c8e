#!/bin/bash
# scripts/repeat-tests on fake programs: it names what differs between rounds, and goes on where it
# was interrupted.
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
