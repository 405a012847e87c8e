# SPDX-License-Identifier: BSD-2-Clause
# TAP for tests in shell. Source this file, make checks, and end with done_testing.
#
#	check NAME COMMAND...		ok if the command succeeds
#	runs STATUS NAME COMMAND...	ok if it ends with this status; $out holds its output
#	shows NAME REGEX		ok if $out has a line that matches (grep -E)
#	skip NAME REASON
#	done_testing			the plan, and the exit status
# shellcheck shell=bash

tests=0 failures=0 out=

# Only for hangs: no result may depend on the speed or the load of this machine.
export RUN_SECONDS=3000

# shellcheck disable=SC2034 # for the tests
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/faultline.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

result() { # ok|"not ok" NAME
	tests=$((tests + 1))
	echo "$1 $tests - $2"
	[ "$1" = ok ] || failures=$((failures + 1))
}

explain() {
	local line
	while IFS= read -r line; do
		printf '#   %s\n' "$line"
	done
}

check() {
	local name=$1
	shift
	if "$@" >"$scratch/check.out" 2>&1; then
		result ok "$name"
	else
		result "not ok" "$name"
		explain <"$scratch/check.out"
	fi
}

runs() {
	local wanted=$1 name=$2 status=0
	shift 2
	out=$("$@" 2>&1 </dev/null) || status=$?
	if [ "$status" -eq "$wanted" ]; then
		result ok "$name"
	else
		result "not ok" "$name"
		printf 'status %s, not %s\n%s\n' "$status" "$wanted" "$out" | explain
	fi
}

shows() {
	if grep -qE -e "$2" <<<"$out"; then
		result ok "$1"
	else
		result "not ok" "$1"
		printf 'no line matches /%s/ in:\n%s\n' "$2" "$out" | explain
	fi
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

done_testing() {
	echo "1..$tests"
	[ "$failures" -eq 0 ]
	exit
}
