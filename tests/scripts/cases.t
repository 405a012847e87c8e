#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/cases.md names the cases of each clause. Each case is in the images of its column, and no
# clause is without a case.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

lists=()

list() { # LETTER FILE OPTIONS...
	local letter=$1 file=$scratch/$2 status=0
	shift 2
	"$top/scripts/run-qemu.sh" --save "$file" --append list "$@" >"$scratch/out" 2>&1 </dev/null ||
		status=$?
	case $status in
	0) result ok "$letter: the image names its cases" && lists+=("$letter=$file") ;;
	77) skip "$letter: the image names its cases" "$(sed -n 's/^run-qemu: cannot run here: //p' "$scratch/out")" ;;
	*) result "not ok" "$letter: the image names its cases" && explain <"$scratch/out" ;;
	esac
}

page() { # ROW, ^ for a backquote: a page with only this row and all the numbers
	for n in $(seq 28); do
		printf '| %s. x | ^lazy.*^ | | | | |\n' "$n"
	done | tr ^ "\140" >"$scratch/page"
	tr ^ "\140" <<<"$1" >>"$scratch/page"
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

runs 0 "every clause has its cases, and every case is there" "$top/scripts/check-cases" "${lists[@]}"

page '| a clause | ^lazy.no-such-case^ | | | | |'
runs 1 "a case that is not there is noticed" "$top/scripts/check-cases" --page "$scratch/page" "${lists[@]}"
page '| a clause | | ^lazy.*^ | | ^lazy.*^ | ^lazy.*^ |'
runs 1 "a clause without a case on one of them is noticed" \
	"$top/scripts/check-cases" --page "$scratch/page" "${lists[@]}"
shows "and which it is" 'a clause: no case on s'
page '| a clause (v a r) | | ^lazy.*^ | | ^lazy.*^ | ^lazy.*^ |'
runs 0 "unless it says so" "$top/scripts/check-cases" --page "$scratch/page" "${lists[@]}"
page '| a clause | ^host:no_such_test^ ^boot:no such text^ | | | | |'
runs 1 "a test that is not there is noticed" "$top/scripts/check-cases" --page "$scratch/page" "${lists[@]}"

done_testing
