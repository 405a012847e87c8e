#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# README.md lists the files that a nested fault passes through, and their number. A trace of one
# passes through the same files, in the same order.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

if ! command -v qemu-system-riscv64 >/dev/null; then
	skip "the way of a nested fault" "qemu-system-riscv64 is not installed"
	done_testing
fi

cd "$top" || exit 1
runs 0 "a nested fault is traced" timeout -s KILL 7000 scripts/fault-path
traced=$(sed -n '2,/^the longest/s/^  \([^:]*\):.*/\1/p' <<<"$out")
listed=$(sed -n '/^One nested fault passes/,/^From the third/s/^\([a-z][^ ]*\/[^ ]*\.[chS]\)\( .*\)*$/\1/p' README.md)
number=$(sed -n 's/^One nested fault passes through \([0-9]*\) files.*/\1/p' README.md)

check "README.md lists the files of the trace, in their order" diff <(echo "$listed") <(echo "$traced")
check "README.md has their number" [ "$number" = "$(wc -l <<<"$traced")" ]

done_testing
