#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Faultline on RISC-V: QEMU's virt machine, OpenSBI, the H extension.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "virt, 4 harts" --arch riscv64 --smp 4
boot "virt, Sv48x4, 4 harts" --arch riscv64 --smp 4 --append 'test=* geometry=sv48x4'
boot "virt, Sv57x4, 4 harts" --arch riscv64 --smp 4 --append 'test=* geometry=sv57x4'
boot "virt, not named as QEMU" --arch riscv64 --append 'test=stage1.ad.* emulator=auto'
boot "virt, 64 MiB" --arch riscv64 --mem 64M
boot "virt, 128 MiB" --arch riscv64 --mem 128M --append 'test=l*'
boot "virt, 16 MiB" --arch riscv64 --mem 16M --append 'test=l*'

refuse "no H extension" 3 'missing extension=hext' --arch riscv64 --cpu rv64,h=false

done_testing
