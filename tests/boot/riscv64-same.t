#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Counted time makes a run repeatable: the logs of two demonstrations are identical.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

demonstrate() {
	"$top/scripts/run-qemu.sh" --arch riscv64 --icount 0 --save "$scratch/$1"
}
runs 0 "one demonstration" demonstrate one
runs 0 "and another" demonstrate two
check "print the same log" cmp "$scratch/one" "$scratch/two"

done_testing
