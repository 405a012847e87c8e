#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Cases that hang, on AMD (QEMU) and on Intel (Bochs).
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/hang.sh
. "$top/tests/hang.sh"

hang_all svm --arch x86_64 --emulator qemu --accel tcg --virt svm --smp 2
# Arm and RISC-V flush other CPUs by an instruction and by a firmware call.
hangs svm selftest.kick.lost-flush 'cpu 1: the kick of a flush was lost'

if hang_run vmx 'selftest.*.spin-masked' --arch x86_64 --virt vmx; then
	hangs vmx selftest.hang.spin-masked "$quiet" "$(place 0)"
	passes vmx selftest.after.spin-masked
fi

stuck svm '0x[0-9a-f]+' --arch x86_64 --emulator qemu --accel tcg --virt svm --smp 2

done_testing
