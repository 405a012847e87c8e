# SPDX-License-Identifier: BSD-2-Clause
# Boot tests: each run of the image becomes many TAP lines. Source this file after tests/tap.sh.
#
#	boot NAME OPTIONS...		run-qemu.sh with these options, and with test=* by default.
#					Every test of the log becomes a test "NAME: its name" with
#					its directives and diagnostics. One more test gives the
#					result of the run as a whole.
#	refuse NAME STATUS REGEX OPTIONS...
#					a run that must end with this status; its log must match
# shellcheck shell=bash
: "${top:?}" "${scratch:?}" # tap.sh's

limit=3000 # seconds for a boot; only for hangs, so longer than a boot on a busy host

# Lines of firmware may have any form: only the lines after "TAP version" are read.
reemit() { # NAME LOG; the number of tests so far is $tests
	awk -v name="$1" -v n="$tests" '
		/^TAP version/ { ours = 1 }
		!ours { next }
		/^(not )?ok/ {
			word = $1 == "not" ? "not ok" : "ok"
			sub(/^(not )?ok *[0-9]* *-? */, "")
			printf "%s %d - %s: %s\n", word, ++n, name, $0
			failed = word == "not ok"
			next
		}
		failed && /^#/ { print }' "$2"
}

boot() {
	local name=$1 status=0 seconds=$SECONDS
	shift
	"$top/scripts/run-qemu.sh" --save "$scratch/log" --timeout "$limit" --append 'test=*' \
		"$@" >/dev/null 2>"$scratch/err" </dev/null || status=$?
	if [ "$status" -eq 77 ]; then
		skip "$name" "$(sed -n 's/^run-qemu: cannot run here: //p' "$scratch/err")"
		return
	fi
	touch "$scratch/log"
	reemit "$name" "$scratch/log" >"$scratch/tap"
	cat "$scratch/tap"
	tests=$((tests + $(grep -cE '^(not )?ok' "$scratch/tap")))
	failures=$((failures + $(grep -E '^not ok' "$scratch/tap" | grep -vc '# TODO')))
	if [ "$status" -eq 0 ]; then
		result ok "$name: plan and verdict, $((SECONDS - seconds)) s"
	else
		result "not ok" "$name: plan and verdict"
		explain <"$scratch/err"
		# If no test shows the fault, the end of the log may.
		grep -q '^not ok' "$scratch/tap" || tail -n 20 "$scratch/log" | explain
	fi
	rm "$scratch/log"
}

refuse() {
	local name=$1 wanted=$2 regex=$3 status=0
	shift 3
	"$top/scripts/run-qemu.sh" --timeout "$limit" --status "$wanted" --expect "$regex" "$@" \
		>"$scratch/log" 2>"$scratch/err" </dev/null || status=$?
	case $status in
	0) result ok "$name" ;;
	77) skip "$name" "$(sed -n 's/^run-qemu: cannot run here: //p' "$scratch/err")" ;;
	*)
		result "not ok" "$name"
		explain <"$scratch/err"
		tail -n 20 "$scratch/log" | explain
		;;
	esac
}
