#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Faultline on AMD: SVM and NPT, in QEMU's own emulation, or under KVM if the host supports nesting.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "max" --arch x86_64 --emulator qemu --accel tcg --virt svm --smp 4
boot "KVM" --arch x86_64 --accel kvm --virt svm
boot "max, not named as QEMU" --arch x86_64 --emulator qemu --accel tcg --virt svm --append 'test=privileged.debug* emulator=auto'

refuse "no SVM" 3 'missing extension=svm' --arch x86_64 --emulator qemu --accel tcg --cpu max,-svm

done_testing
