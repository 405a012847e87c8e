#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run-qemu.sh in a bad environment: emulators that crash, print noise or leave children, folders
# that cannot be written, full disks. Each run ends with one clear sentence and the right status,
# and leaves no process.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/fake-emulators.sh
. "$top/tests/fake-emulators.sh"

# A fake emulator from its own script. It writes the processes that it leaves to $PIDS.
export PIDS=$scratch/pids
fake() { # TEXT
	# shellcheck disable=SC2016 # the fake expands it
	printf '#!/bin/bash\n[ "$1" != --version ] || exit\n%s\n' "$1" >"$scratch/fake"
	chmod +x "$scratch/fake"
	: >"$PIDS"
}
# shellcheck disable=SC2120 # runs passes them
run() { # OPTIONS...: 3000 s in case run-qemu.sh itself hangs
	timeout -s KILL 3000 "$top/scripts/run-qemu.sh" --arch riscv64 --image "$image" \
		--qemu "$scratch/fake" "$@"
}
# A time-out of a fake that had time to write its processes. On a busy host this takes longer.
hang() {
	local seconds=2 status
	while :; do
		: >"$PIDS"
		status=0
		run --timeout "$seconds" || status=$?
		[ ! -s "$PIDS" ] && [ "$seconds" -lt 1000 ] || return "$status"
		seconds=$((seconds * 4))
	done
}
nobody_left() {
	local pid
	while read -r pid; do
		# A zombie has ended, even if its parent does not wait for it.
		! grep -qs '^State:.*[RSDT] (' "/proc/$pid/status" || return 1
	done <"$PIDS"
}
some_process() { check "$1 had one" test -s "$PIDS"; }
no_process() { check "$1 leaves no process" nobody_left; }

print='printf "1..1\nok 1 - a\n# RESULT: PASS\n"'
# shellcheck disable=SC2016 # the fakes expand their own
{
	fake "$print; kill -SEGV \$\$"
	runs 1 "an emulator that crashes after a good log" run
	shows "is said to" 'the emulator was killed by signal 11 \(SEGV\)'
	fake 'kill -ABRT $$'
	runs 1 "an emulator that crashes at once" run
	shows "is said to" 'killed by signal 6 \(ABRT\)'
	fake 'kill -KILL $$'
	runs 1 "an emulator that somebody kills is no time-out" run
	shows "is said to have been" 'killed by signal 9 \(KILL\)'

	fake 'head -c 1000000 /dev/urandom | tr "\n" x; printf "\0\0\377\376"'
	runs 1 "noise without a line's end" run
	shows "has no verdict" 'no verdict'
	fake "head -c 300000 /dev/urandom; echo; $print; head -c 100000 /dev/urandom | tr '#ok1B' x"
	runs 0 "noise around a good log" run --from '^1\.\.1$'
	check "no control characters are shown" test -z "$(LC_ALL=C tr -d '\n' <<<"$out" | LC_ALL=C tr -dc '\0-\10\13-\37')"

	fake 'echo $$ >"$PIDS"; exec >&- 2>&-; exec sleep 6000'
	runs 124 "an emulator that closes its output and hangs" hang
	some_process it
	no_process it
	fake "sleep 6000 & echo \$! >\"\$PIDS\"; $print"
	runs 0 "a child that holds the line" run
	some_process it
	no_process it
	fake "setsid bash -c 'echo \$\$ >\"\$PIDS\"; exec sleep 6000' &
		until [ -s \"\$PIDS\" ]; do sleep 0.1; done; $print"
	runs 0 "a child in a session of its own" run
	some_process it
	no_process it
	fake 'sleep 6000 & echo $! >"$PIDS"; echo $$ >>"$PIDS"; wait'
	runs 124 "a hang with a child" hang
	some_process it
	no_process it
	fake 'sleep 6000 & echo $! >"$PIDS"; trap "" TERM INT HUP; echo $$ >>"$PIDS"; wait'
}
interrupted() {
	"$top/scripts/run-qemu.sh" --arch riscv64 --image "$image" --qemu "$scratch/fake" &
	local pid=$! tries=6000
	until [ "$(wc -l <"$PIDS")" -eq 2 ] || [ $((tries -= 1)) -eq 0 ]; do
		sleep 0.1
	done
	kill -TERM "$pid"
	wait "$pid"
	nobody_left
}
check "an interrupted run leaves no process" interrupted

# --- folders and disks ---
fake "$print"
runs 77 "a run folder that cannot be made" env RUN_DIR=/proc/none/run "$top/scripts/run-qemu.sh" \
	--arch riscv64 --image "$image" --qemu "$scratch/fake"
shows "says what to do" 'cannot write .*/proc/none/run.*RUN_DIR'
runs 2 "--save where nothing can be written" run --save /proc/none/log
shows "names the file" '/proc/none/log'
runs 77 "--save on a full disk" run --save /dev/full
shows "says so" 'cannot write /dev/full: No space left on device'
# shellcheck disable=SC2119 # no options
to_full() { run >/dev/full; }
runs 77 "standard output on a full disk" to_full
shows "says so" 'standard output: No space left on device'
limited() { # a disk that takes 4 KiB of each file
	(
		trap '' XFSZ
		ulimit -f 4
		"$@"
	)
}
fake "seq 100000; $print"
runs 77 "a full disk while the log is written" limited run
shows "says so" 'cannot write .*serial.log: File too large'
head -c 100000 /dev/zero >"$scratch/large"
runs 77 "a full disk while the run is prepared" limited "$top/scripts/run-qemu.sh" --arch x86_64 \
	--virt svm --accel tcg --image "$scratch/large"
shows "says so" 'cannot write .*disk full'
check "no run of a full disk stays" test -z "$(find "$RUN_DIR" -name 'x86_64.*')"

done_testing
