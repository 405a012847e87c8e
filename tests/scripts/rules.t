#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/rules/ lists the rules of each manual and the cases that test them. Its pages agree with the
# images.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

lists=()

list() { # LETTER FILE OPTIONS...
	local letter=$1 file=$scratch/$2 status=0
	shift 2
	"$top/scripts/run-qemu.sh" --save "$file" --append list "$@" >"$scratch/out" 2>&1 </dev/null ||
		status=$?
	case $status in
	0) result ok "$letter: the image lists its cases" && lists+=("$letter=$file") ;;
	77) skip "$letter: the image lists its cases" "$(sed -n 's/^run-qemu: cannot run here: //p' "$scratch/out")" ;;
	*) result "not ok" "$letter: the image lists its cases" && explain <"$scratch/out" ;;
	esac
}

list v v.log --arch x86_64 --emulator bochs
list s s.log --arch x86_64 --emulator qemu --accel tcg --virt svm
list r r.log --arch riscv64
list a57 a57.log --arch aarch64 --cpu cortex-a57
list max max.log --arch aarch64
# No single machine has all cases of AArch64: output addresses are either 48 bits wide or narrower.
lists=("${lists[@]/#a57=*/}")
lists=("${lists[@]/#max=*/a=$scratch/a57.log+$scratch/max.log}")
mapfile -t lists < <(printf '%s\n' "${lists[@]}" | grep .)

runs 0 "the pages are up to date, and each rule has a case or a class" \
	"$top/scripts/rules" --check "${lists[@]}"

# A table with two rules, and a log with one case.
mkdir "$scratch/rules"
table() { # LINE...
	printf '%s\n' "$@" >"$scratch/rules/riscv-h.txt"
}
log() { # RULES
	printf '# case one.case rules: %s\n# case another\n' "$1" >"$scratch/r"
}
rules() {
	"$top/scripts/rules" --dir "$scratch/rules" "$@" r="$scratch/r"
}

table 'first | 1.1' 'second | 1.2 | M-mode: no case sees it'
log first
runs 0 "a page is written" rules
shows "with the share of the rules that a case tests" 'riscv-h: 2 rules, 1 can be tested, 1 tested: 100 %'
runs 0 "and is up to date then" rules --check
log 'first second'
runs 1 "another list: it is not" rules --check
shows "which the message states" 'riscv-h.md is not up to date'
log 'first third'
runs 1 "a case names a rule that does not exist" rules
shows "the message names both" 'r: one.case: no such rule: third'
log second
runs 1 "a rule without a case" rules
shows "the message names it" 'riscv-h.txt: first: no case'
table 'first | 1.1 | miss: nobody has written it' 'second | 1.2'
runs 0 "a rule whose file says that it has none" rules
shows "counts as not tested" '2 can be tested, 1 tested: 50 %'
log 'first second'
runs 1 "a miss that a case tests" rules
table 'first | 1.1' 'first | 1.2'
runs 1 "a rule that is there twice" rules
table 'first'
runs 1 "a line without a section" rules
runs 2 "no list" "$top/scripts/rules"

done_testing
