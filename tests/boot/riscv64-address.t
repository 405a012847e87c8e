#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The RISC-V image runs at any address that a loader chooses. OpenSBI jumps to 0x80200000. A stub
# there jumps to the image with the firmware's register values.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

image=$top/build/riscv64/faultline.bin

if ! command -v qemu-system-riscv64 >/dev/null; then
	skip "the image at several addresses" "qemu-system-riscv64 is not installed"
	done_testing
fi

at() { # ADDRESS MEMORY
	printf '\tli\tt0, %s\n\tjr\tt0\n' "$1" >"$scratch/stub.S"
	clang --target=riscv64-none-elf -march=rv64imac -c "$scratch/stub.S" -o "$scratch/stub.o"
	llvm-objcopy -O binary -j .text "$scratch/stub.o" "$scratch/stub.bin"
	timeout -s KILL 3000 qemu-system-riscv64 -M virt -m "$2" -smp 2 -nographic -monitor none \
		-no-reboot -kernel "$scratch/stub.bin" -append 'test=l* log=quiet' \
		-device "loader,file=$image,addr=$1,force-raw=on" >"$scratch/log" 2>&1 </dev/null
	local status=$?
	sed -n '/^TAP version/,$p' "$scratch/log" | "$top/scripts/check-log" >"$scratch/judged" 2>&1 &&
		[ "$status" -eq 0 ] && return
	tail -n 20 "$scratch/log" "$scratch/judged"
	return 1
}

field() { # OFFSET FORMAT BYTES: a field of the image's header
	od -An -j "$1" -N "$3" -t "$2" "$image" | tr -d ' '
}

check "at 2 MiB behind the start of RAM" at 0x80200000 256M
check "at 4 KiB behind that" at 0x80201000 256M
check "at an odd page" at 0x84567000 256M
check "at 2 MiB, as U-Boot gives it" at 0x84600000 256M
check "near the end of RAM" at 0x8e000000 256M
check "above 4 GiB" at 0x140003000 4G

# Linux's Documentation/riscv/boot-image-header.rst.
check "header: its magic" [ "$(tail -c +57 "$image" | head -c 4 | od -An -c | tr -d ' ')" = 'RSC005' ]
check "header: version 0.2" [ "$(field 32 u4 4)" = 2 ]
check "header: 2 MiB behind the start of RAM" [ "$(field 8 u8 8)" = 2097152 ]
check "header: the size in memory is larger than the file" \
	[ "$(field 16 u8 8)" -gt "$(stat -c %s "$image")" ]
check "no relocation but relative ones" bash -c \
	"! llvm-readelf -r '${image%.bin}.elf' | grep R_RISCV | grep -v R_RISCV_RELATIVE"

done_testing
