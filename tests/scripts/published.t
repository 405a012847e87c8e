#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/published.md and the images agree: each case of the page exists on each of its architectures,
# and each case `published.*` is on the page. The defects that the page names are in
# tests/mutants/target/published.py.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

page=$top/docs/published.md
check=$top/scripts/check-published
lists=()

list() { # LETTER OPTIONS...
	local letter=$1 status=0
	shift
	"$top/scripts/run-qemu.sh" --save "$scratch/$letter" --append list "$@" >"$scratch/out" 2>&1 </dev/null ||
		status=$?
	case $status in
	0) lists+=("$letter=$scratch/$letter") ;;
	77) skip "$letter: the image names its cases" "$(sed -n 's/^run-qemu: cannot run here: //p' "$scratch/out")" ;;
	*) result "not ok" "$letter: the image names its cases" && explain <"$scratch/out" ;;
	esac
}

list v --arch x86_64 --emulator bochs
list s --arch x86_64 --emulator qemu --accel tcg --virt svm
list r --arch riscv64
list a --arch aarch64 --cpu max

runs 0 "the page, the images and the planted defects agree" "$check" "$page" "${lists[@]}"

sed 's/published\.xen\.301/published.xen.no-such-case/' "$page" >"$scratch/page.md"
runs 1 "a case that does not exist is noticed" "$check" "$scratch/page.md" "${lists[@]}"
shows "and which it is" 'no case published.xen.no-such-case'
shows "and the case that is not on the page" 'not on the page: published.xen.301'
sed 's/xen\.301-aliases/no-such-defect/' "$page" >"$scratch/page.md"
runs 1 "a defect that is not planted is noticed" "$check" "$scratch/page.md" "${lists[@]}"
shows "and which it is" 'no defect no-such-defect'

done_testing
