#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The library in another project: built alone, found by pkg-config, used by the docs' example and by
# a C++ program, linked into a kernel.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
check "make lib" make lib

# Moved, as an installation does: no file contains the path of the build.
cp -r build/lib/host "$scratch/prefix"
export PKG_CONFIG_PATH="$scratch/prefix/lib/pkgconfig"
read -ra flags <<<"$(pkg-config --cflags --libs faultline-mm)"

# The example frees blocks in pieces. It runs without tools, under ASan and UBSan, and under
# valgrind.
strict=(-Wall -Wextra -Wconversion -pedantic -Werror -gdwarf-4)
answer='^fault=mapped page=4096 value=42 frames=512 tables=6 leaked=0$'
for cc in clang gcc; do
	if ! command -v $cc >/dev/null; then
		skip "$cc: the example" "not installed"
		continue
	fi
	check "$cc: the example compiles" \
		$cc -std=c17 "${strict[@]}" docs/example/fault.c "${flags[@]}" -o "$scratch/$cc"
	runs 0 "$cc: it runs" "$scratch/$cc"
	shows "$cc: it handles a fault, and every frame comes back" "$answer"
done
check "the example compiles with sanitizers" \
	clang -std=c17 "${strict[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all \
	docs/example/fault.c "${flags[@]}" -o "$scratch/asan"
runs 0 "ASan and UBSan find nothing" "$scratch/asan"
shows "and it answers the same" "$answer"

memcheck=(valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=all
	--errors-for-leak-kinds=all)
if command -v valgrind >/dev/null; then
	runs 0 "valgrind finds nothing" "${memcheck[@]}" "$scratch/clang"
	shows "and it answers the same there" "$answer"
else
	skip "valgrind finds nothing" "not installed"
fi

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
	local lib=build/lib/$target
	shift 2
	common+=("-I$lib/include")
	check "$target: a kernel compiles" \
		clang "${common[@]}" "$@" -fno-pic -c tests/lib/kernel.c -o "$scratch/static.o"
	check "$target: links into a kernel at $base" \
		ld.lld -static --image-base="$base" -e kernel_main "$scratch/static.o" \
		--whole-archive "$lib/lib/libfaultline-mm.a" -o "$scratch/static"
	shift
	check "$target: a kernel compiles, position independent" \
		clang "${common[@]}" "$@" -fpie -c tests/lib/kernel.c -o "$scratch/pie.o"
	check "$target: links into one that can be loaded anywhere" \
		ld.lld -pie --no-dynamic-linker -z text -e kernel_main "$scratch/pie.o" \
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
