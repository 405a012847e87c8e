#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The library in another project: built alone, found by pkg-config, used by the steps of docs/example
# and by a C++ program, linked into a kernel.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
check "make lib" make lib

# Moved, as an installation does: no file contains the path of the build.
cp -r build/lib/host "$scratch/prefix"
export PKG_CONFIG_PATH="$scratch/prefix/lib/pkgconfig"
read -ra flags <<<"$(pkg-config --cflags --libs faultline-mm)"

# Each step of the example compiles alone. It runs without tools, under ASan and UBSan, and under
# valgrind. Every frame comes back, also those of blocks that are freed in pieces. The last step has
# two CPUs, one in software and one by KVM where it is usable. Both give the same answer.
strict=(-Wall -Wextra -Wconversion -pedantic -Werror -gdwarf-4)
declare -A answers=(
	[1-fault]='^fault=mapped page=4096 value=42 frames=512 tables=6 leaked=0$'
	[2-devices]='^hello$;^clock=5 msr=105 frames=0 tables=1 leaked=0$'
	[3-vmm]='^hello$;^sum=10 faults=4 accesses=8 frames=5 tables=4 leaked=0$'
)
memcheck=(valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=all
	--errors-for-leak-kinds=all)

answers_right() { # NAME STEP
	local lines line
	IFS=';' read -ra lines <<<"${answers[$2]}"
	for line in "${lines[@]}"; do
		shows "$1: the right answer" "$line"
	done
}

example() { # STEP ARGUMENT...
	local step=$1 cc
	shift
	for cc in clang gcc; do
		if ! command -v $cc >/dev/null; then
			skip "$cc: $step" "not installed"
			continue
		fi
		check "$cc: $step compiles" $cc -std=c17 "${strict[@]}" "docs/example/$step.c" \
			"${flags[@]}" -o "$scratch/$step"
		runs 0 "$cc: $step runs" "$scratch/$step" "$@"
		answers_right "$cc: $step" "$step"
	done
	check "$step compiles with sanitizers" \
		clang -std=c17 "${strict[@]}" -fsanitize=address,undefined \
		-fno-sanitize-recover=all "docs/example/$step.c" "${flags[@]}" -o "$scratch/asan"
	runs 0 "$step: ASan and UBSan find nothing" "$scratch/asan" "$@"
	answers_right "$step with sanitizers" "$step"
	if command -v valgrind >/dev/null; then
		runs 0 "$step: valgrind finds nothing" "${memcheck[@]}" "$scratch/$step" "$@"
		answers_right "$step under valgrind" "$step"
	else
		skip "$step: valgrind finds nothing" "not installed"
	fi
}
example 1-fault
example 2-devices
example 3-vmm soft
runs 0 "3-vmm picks a CPU" "$scratch/3-vmm"
answers_right "3-vmm" 3-vmm
if [ -w /dev/kvm ] && ! "$scratch/3-vmm" kvm 2>&1 | grep -q 'not usable'; then
	runs 0 "3-vmm runs the guest by KVM" "$scratch/3-vmm" kvm
	answers_right "3-vmm by KVM" 3-vmm
else
	skip "3-vmm runs the guest by KVM" "/dev/kvm is not usable"
fi

# A wrong kind of address, of number or of width does not compile.
refuses() { # STATUS CODE NAME
	printf '#include <mm/aspace.h>\n#include <mm/device.h>\nint f(%s);\nint f(%s) { %s }\n' \
		"$arguments" "$arguments" "$2" >"$scratch/wrong.c"
	runs "$1" "$3" clang -std=c17 -Wall -Wextra -Wconversion -Werror "${flags[0]}" -c \
		"$scratch/wrong.c" -o "$scratch/wrong.o"
}
arguments='struct mm_device_bus *bus, mm_gpa_t gpa, mm_hpa_t hpa, mm_port_t port, mm_sysreg_t reg, uint64_t *v'
use='(void)bus, (void)gpa, (void)hpa, (void)port, (void)reg, (void)v;'
refuses 0 "$use return mm_device_bus_read_mmio(bus, gpa, MM_WIDTH_4, v);" "an address of a device"
refuses 0 "$use return mm_device_bus_read_port(bus, port, MM_WIDTH_4, v);" "a port"
refuses 1 "$use return mm_device_bus_read_mmio(bus, hpa, MM_WIDTH_4, v);" "hpa for gpa"
refuses 1 "$use return mm_device_bus_read_mmio(bus, port, MM_WIDTH_4, v);" "a port for gpa"
refuses 1 "$use return mm_device_bus_read_mmio(bus, 0x1000, MM_WIDTH_4, v);" "a number for gpa"
refuses 1 "$use return mm_device_bus_read_port(bus, reg, MM_WIDTH_4, v);" "a register for a port"
refuses 1 "$use return mm_device_bus_read_port(bus, 0x3f8, MM_WIDTH_4, v);" "a number for a port"
refuses 1 "$use return mm_device_bus_read_sysreg(bus, port, v);" "a port for a register"
refuses 1 "$use return mm_device_bus_write_sysreg(bus, gpa, 1);" "gpa for a register"
refuses 1 "$use return mm_port_at(0x10000).raw;" "a constant that is no port"
refuses 1 "$use return mm_device_bus_line_owner(bus, 4) != 0;" "a number for a line"

# Linked as C: the library and its headers need no C++ library.
for cc in clang++ g++; do
	if ! command -v $cc >/dev/null; then
		skip "$cc: a C++ program uses the library" "not installed"
		continue
	fi
	check "$cc: a C++ program compiles" \
		$cc -std=c++17 "${strict[@]}" -fno-exceptions -fno-rtti "${flags[0]}" \
		-c tests/lib/use.cc -o "$scratch/use.o"
	check "$cc: it links without a C++ library" \
		clang "$scratch/use.o" "${flags[@]}" -o "$scratch/use"
	runs 0 "$cc: it uses the library" "$scratch/use"
done
if command -v clang++ >/dev/null; then
	check "the C++ program compiles with sanitizers" \
		clang++ -std=c++20 "${strict[@]}" -fsanitize=address,undefined \
		-fno-sanitize-recover=all tests/lib/use.cc "${flags[@]}" -o "$scratch/asan++"
	runs 0 "ASan and UBSan find nothing in it" "$scratch/asan++"
fi

# A kernel at the upper end of the address space, and a kernel that can be loaded anywhere. Both
# contain the whole archive. No code may need a global offset table or a relocation.
links() { # TARGET BASE CODE-MODEL FLAG...: the code model is the static kernel's
	local target=$1 base=$2 common=(--target="${1%d}-none-elf" -std=c17 -ffreestanding -fno-builtin -O2)
	local lib=build/lib/$target source
	shift 2
	common+=("-I$lib/include")
	for source in kernel bare; do
		check "$target: a kernel compiles, $source.c" \
			clang "${common[@]}" "$@" -fno-pic -c tests/lib/$source.c -o "$scratch/$source.static.o"
	done
	check "$target: links into a kernel at $base" \
		ld.lld -static --image-base="$base" -e kernel_main "$scratch"/*.static.o \
		--whole-archive "$lib/lib/libfaultline-mm.a" -o "$scratch/static"
	shift
	for source in kernel bare; do
		check "$target: a kernel compiles, position independent, $source.c" \
			clang "${common[@]}" "$@" -fpie -c tests/lib/$source.c -o "$scratch/$source.pie.o"
	done
	check "$target: links into one that can be loaded anywhere" \
		ld.lld -pie --no-dynamic-linker -z text -e kernel_main "$scratch"/*.pie.o \
		--whole-archive "$lib/lib/libfaultline-mm.a" -o "$scratch/pie"
	runs 0 "$target: relocations" llvm-readelf -r --wide "$lib/lib/libfaultline-mm.a"
	shows "$target: they are seen" ' R_[A-Z0-9_]+ .* memset '
	check "$target: none asks for a global offset table" test "${out/_GOT/}" = "$out"
}
links x86_64 0xffffffff80000000 -mcmodel=kernel -mno-red-zone -mgeneral-regs-only
links aarch64 0xffff800010000000 -mcmodel=small -mgeneral-regs-only
links riscv64 0xffffffff80000000 -mcmodel=medany -march=rv64imac -mabi=lp64 -mno-relax
links riscv64d 0xffffffff80000000 -mcmodel=medany -march=rv64gc -mabi=lp64d -mno-relax

for target in riscv64 riscv64d aarch64 x86_64 host; do
	archive=build/lib/$target/lib/libfaultline-mm.a
	# Freestanding: the only undefined symbols are the four functions that every compiler
	# assumes.
	needs=$(llvm-nm -u "$archive" | awk '/ U /{print $2}' | sort -u)
	has=$(llvm-nm --defined-only "$archive" | awk 'NF==3{print $3}' | sort -u)
	foreign=$(comm -23 <(echo "$needs") <(echo "$has") | grep -vxE 'memcpy|memset|memmove|memcmp')
	check "$target: needs nothing of the system" test -z "$foreign"
	writable=$(llvm-objdump -h "$archive" | awk '$2 ~ /^\.(data|bss)$/ && $3 !~ /^0+$/')
	check "$target: has no writable globals" test -z "$writable"
done

done_testing
