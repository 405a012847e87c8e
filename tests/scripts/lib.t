#!/bin/bash
# The library in a stranger's tree: built alone, found by pkg-config, used by the docs' example.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
check "make lib" make lib

# Moved, as an installation moves it: nothing in it knows where it was built.
cp -r build/lib/host "$scratch/prefix"
export PKG_CONFIG_PATH="$scratch/prefix/lib/pkgconfig"
read -ra flags <<<"$(pkg-config --cflags --libs faultline-mm)"
check "the example compiles against it" \
	clang -std=c17 -Wall -Wextra -Werror docs/example/fault.c "${flags[@]}" -o "$scratch/fault"
runs 0 "the example runs" "$scratch/fault"
shows "it handles a fault" '^fault=mapped page=4096 value=42 frames=1 tables=4$'

for target in riscv64 aarch64 x86_64 host; do
	archive=build/lib/$target/lib/libfaultline-mm.a
	# Freestanding: what it does not define itself is the four functions every compiler assumes.
	needs=$(llvm-nm -u "$archive" | awk '/ U /{print $2}' | sort -u)
	has=$(llvm-nm --defined-only "$archive" | awk 'NF==3{print $3}' | sort -u)
	foreign=$(comm -23 <(echo "$needs") <(echo "$has") | grep -vxE 'memcpy|memset|memmove|memcmp')
	check "$target: needs nothing of the system" test -z "$foreign"
	writable=$(llvm-objdump -h "$archive" | awk '$2 ~ /^\.(data|bss)$/ && $3 !~ /^0+$/')
	check "$target: has no writable globals" test -z "$writable"
done

done_testing
