#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Cases that hang, on RISC-V.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/hang.sh
. "$top/tests/hang.sh"

hang_all hext --arch riscv64 --smp 2
stuck hext unknown --arch riscv64 --smp 2

# QEMU 7.2 faults there for every content of the table. If the case passes, there is nothing to
# check.
runs 0 "the same fault again and again is called that, with the entry" \
	"$top/scripts/run-qemu.sh" --arch riscv64 --append 'test=range.limit-minus-1.64' \
	--expect '^ok 1|the same fault 64 times at pc=0x[0-9a-f]+ gpa=0x[0-9a-f]+, which the tables permit: level=. entry=0x[0-9a-f]+'

done_testing
