#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Faultline on AArch64: QEMU's virt machine and boards, at EL2; under KVM if the host supports
# nesting.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "virt, max" --arch aarch64 --smp 4
boot "virt, cortex-a57" --arch aarch64 --cpu cortex-a57 --smp 4
boot "KVM" --arch aarch64 --accel kvm

# Boards: the cases of each board's special features. make matrix runs all cases on all boards.
boot "raspi3b" --arch aarch64 --machine raspi3b --append 'test=timer.*'
boot "raspi3ap, 512 MiB" --arch aarch64 --machine raspi3ap --append 'test=smp.*'
boot "xlnx-zcu102" --arch aarch64 --machine xlnx-zcu102,virtualization=on --append 'test=guest.*'
boot "sbsa-ref" --arch aarch64 --machine sbsa-ref --append 'test=guest.*'
boot "virt, not named as QEMU" --arch aarch64 --append 'test=mmio.unaligned.* emulator=auto'
boot "virt, 64 MiB" --arch aarch64 --mem 64M --append 'test=l*'

refuse "no EL2" 3 'missing extension=el2' --arch aarch64 --machine virt,gic-version=3

done_testing
