#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One small program (tests/lib/small.c), linked with each archive and run: on this machine as a
# position-independent executable, in user-mode QEMU as a static program without a C library, and at
# EL2 of QEMU's virt board.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
check "make lib" make lib

strict=(-std=c17 -O2 -Wall -Wextra -Wconversion -pedantic -Werror)
answer='^value=42 leaked=0 version=same$'

# --- this machine ---
host=build/lib/host
for cc in clang gcc; do
	if ! command -v $cc >/dev/null; then
		skip "$cc: a position-independent executable" "not installed"
		continue
	fi
	check "$cc: a position-independent executable" \
		$cc "${strict[@]}" -fno-builtin -fpie -pie "-I$host/include" tests/lib/small.c \
		"$host/lib/libfaultline-mm.a" -o "$scratch/pie"
	runs 0 "$cc: its header" llvm-readelf -h "$scratch/pie"
	shows "$cc: it is one" 'Type: +DYN'
	runs 0 "$cc: it runs" "$scratch/pie"
	shows "$cc: with the right answer" "$answer"
done

# --- machines without a C library ---
bare() { # TARGET OUTPUT START FLAG...: compiles with FLAG and links statically, at $base
	local lib=build/lib/$1 output=$2 start=$3 objects=()
	shift 3
	for source in tests/lib/small.c tests/lib/bare.c "$start"; do
		objects+=("$output.${source##*/}.o")
		clang "$@" -std=c17 -O2 -ffreestanding -fno-builtin -fno-pic "-I$lib/include" -c "$source" \
			-o "${objects[-1]}" || return 1
	done
	ld.lld -static "--image-base=$base" -e _start "${objects[@]}" "$lib/lib/libfaultline-mm.a" -o "$output"
}

riscv64=(--target=riscv64-none-elf -mcmodel=medany -mno-relax)
lp64=("${riscv64[@]}" -march=rv64imac -mabi=lp64)
lp64d=("${riscv64[@]}" -march=rv64gc -mabi=lp64d)
aarch64=(--target=aarch64-none-elf -mgeneral-regs-only -mstrict-align)
x86_64=(--target=x86_64-none-elf -mno-red-zone -mgeneral-regs-only)

program() { # TARGET ARCH EMULATOR FLAG...: builds a Linux program, and runs it
	local target=$1 arch=$2 emulator=$3 run=()
	shift 3
	base=0x400000
	check "$target: a static program" bare "$target" "$scratch/$target" \
		"tests/lib/start_$arch.S" "$@"
	if [ "$(uname -m)" = "$arch" ] && [ "$(uname -s)" = Linux ]; then
		run=()
	elif command -v "$emulator" >/dev/null; then
		run=("$emulator")
	else
		skip "$target: it runs" "$emulator is not installed"
		return
	fi
	runs 0 "$target: it runs" "${run[@]}" "$scratch/$target"
	shows "$target: with the right answer" "$answer"
}
program riscv64 riscv64 qemu-riscv64 "${lp64[@]}"
program riscv64d riscv64 qemu-riscv64 "${lp64d[@]}"
program aarch64 aarch64 qemu-aarch64 "${aarch64[@]}"
program x86_64 x86_64 qemu-x86_64 "${x86_64[@]}"

# Each ABI has its archive because the linker refuses the other one.
runs 1 "an lp64d program and the lp64 archive" bare riscv64 "$scratch/mixed" \
	tests/lib/start_riscv64.S "${lp64d[@]}"
shows "the linker says why" 'floating-point ABI'
for target in riscv64 riscv64d; do
	flags=$(llvm-readelf -h "build/lib/$target/lib/libfaultline-mm.a" | grep 'Flags:')
	doubles=$(grep -c 'double-float ABI' <<<"$flags")
	wanted=$([ $target = riscv64 ] || wc -l <<<"$flags")
	check "$target: all objects have its ABI" test "$doubles" -eq "${wanted:-0}"
done

# --- a kernel at EL2 ---
base=0x40200000
check "EL2: a kernel" bare aarch64 "$scratch/el2" tests/lib/start_el2.S "${aarch64[@]}"
if command -v qemu-system-aarch64 >/dev/null; then
	runs 0 "EL2: it runs, and turns the machine off" timeout -s KILL 600 qemu-system-aarch64 \
		-machine virt,virtualization=on -cpu cortex-a57 -nographic -monitor none -kernel "$scratch/el2"
	shows "EL2: with the right answer" "$answer"
else
	skip "EL2: it runs" "qemu-system-aarch64 is not installed"
fi

done_testing
