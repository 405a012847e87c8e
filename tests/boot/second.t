#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Boards and emulators that Debian 12 does not contain: QEMU 10 and QEMU's newest version, if make
# second-opinion has unpacked them, and Spike. make matrix runs all cases on all of them.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

# on NAME ARCH HOW OPTIONS...: a boot in build/second/NAME, or a skip with the command HOW that
# unpacks it.
on() {
	local name=$1 arch=$2 how=$3 bin=$top/build/second/$1/bin
	shift 3
	if [ -x "$bin/qemu-system-$arch" ]; then
		boot "$name, $arch${1:+ ${*:1:2}}" --arch "$arch" --qemu "$bin" "$@"
	else
		skip "$name, $arch${1:+ ${*:1:2}}" "no build/second/$name ($how)"
	fi
}

ten=(qemu-10 aarch64 "make second-opinion")
on "${ten[@]}" --machine raspi4b --append 'test=smp.*'
on "${ten[@]}" --machine imx8mp-evk --append 'test=smp.*'
on "${ten[@]}" --machine xlnx-zcu102 --append 'test=guest.*'
# TCG runs the CPUs in turn: with one CPU, and if instructions are counted.
on "${ten[@]}" --smp 1 --append 'test=mmio.unaligned.device-memory'
on "${ten[@]}" --icount 3 --smp 4 --append 'test=mmio.unaligned.device-memory'
on "${ten[@]}" --icount 3 --smp 4 --append 'test=mmio.unaligned.device-memory emulator=auto'
on "${ten[@]}" --smp 4 --append 'test=mmio.unaligned.device-memory'

on qemu-10 riscv64 "make second-opinion" --machine spike --append 'test=guest.*'

newest=(qemu-newest riscv64 "make second-opinion NEWEST=1")
on "${newest[@]}" --cpu max --append 'test=misconfig.*'
on "${newest[@]}" --smp 2 --append 'test=privileged.*'

boot "Spike" --arch riscv64 --emulator spike --append 'test=stage1.ad.*'
boot "Spike, four harts" --arch riscv64 --emulator spike --smp 4 --append 'test=smp.*'

done_testing
