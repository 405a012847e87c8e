#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# RISC-V with as many harts as Faultline supports, and with more.
# `make matrix` runs all cases of many harts, which take minutes in QEMU.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "virt, 64 harts" --arch riscv64 --smp 64 --mem 512M --append 'test=crowd.same-page,crowd.one-each'
boot "virt, 65 harts" --arch riscv64 --smp 65 --mem 512M --append 'test=cpus.started' \
	--expect '1 more CPUs are not used: Faultline uses 64 at most'

done_testing
