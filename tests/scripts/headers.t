#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The library's public headers in another project. They compile alone and together, as C and as C++,
# without warnings. They define only names of the library. C++ has the same layouts as C.
#
# The test compiles the files that `make lib` installs. No other folder of this tree is on the
# include path.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
check "make lib-host" make lib-host

mapfile -t public < <(cd mm/include && ls mm/*.h)
include=$top/build/lib/host/include
installed=$(cd "$include" && find . -name '*.h' | sed 's|^\./||' | sort)
check "the public headers are installed, and no others" \
	test "$installed" = "$(printf '%s\n' "${public[@]}" | sort)"

strict=(-Wall -Wextra -Wshadow -Wundef -Wconversion -pedantic -Werror)
mkdir "$scratch/alone"
for header in "${public[@]}"; do
	echo "#include \"$header\"" | tee -a "$scratch/all.h" >"$scratch/alone/${header//\//_}.c"
done
for source in "$scratch"/alone/*.c; do
	cp "$source" "${source%.c}.cc"
done
echo '#include "all.h"' | tee "$scratch/all.c" >"$scratch/all.cc"
cp tests/lib/stranger.c "$scratch/stranger.c"
cp tests/lib/stranger.c "$scratch/stranger.cc"
printf '#include <%s.h>\n' stdbool stddef stdint >"$scratch/standard"

prefixes='MM_[A-Z0-9_]*'
names='mm_[a-z0-9_]*'

no_foreign() { # NAME WORDS: must be empty; one word per line
	check "$1" test -z "$2"
	[ -z "$2" ] || explain <<<"$2"
}

macros() { # COMMAND...: the names of all macros after standard input
	"$@" -dM -E - | sed -n 's/^#define \([A-Za-z0-9_]*\).*/\1/p' | sort -u
}

for compiler in clang gcc clang++ g++; do
	case $compiler in
	*++) suffix=cc language=c++ stds=(c++17 c++20 c++2b) ;;
	*) suffix=c language=c stds=(c11 c17 c2x gnu17) ;;
	esac
	if ! command -v "$compiler" >/dev/null; then
		skip "$compiler" "not installed"
		continue
	fi
	for std in "${stds[@]}"; do
		name="$compiler -std=$std"
		cc=("$compiler" "-std=$std" "${strict[@]}" "-I$include")
		check "$name: each header alone" "${cc[@]}" -fsyntax-only "$scratch"/alone/*."$suffix"
		check "$name: all of them" "${cc[@]}" -fsyntax-only "$scratch/all.$suffix"
		check "$name: beside a stranger's own names" \
			"${cc[@]}" -fsyntax-only -DALL="\"$scratch/all.h\"" "$scratch/stranger.$suffix"
		macros "${cc[@]}" -x $language <"$scratch/all.h" >"$scratch/ours"
		macros "${cc[@]}" -x $language <"$scratch/standard" >"$scratch/theirs"
		check "$name: the macros are seen" grep -qx MM_PAGE_SIZE "$scratch/ours"
		no_foreign "$name: no macro without a prefix" \
			"$(comm -23 "$scratch/ours" "$scratch/theirs" | grep -vxE "$prefixes")"
	done
done

out=$(tests/lib/declared.py names clang -std=c17 -x c -I"$include" <"$scratch/all.h")
shows "the names are seen" '^mm_aspace_fault$'
no_foreign "no name without a prefix" "$(grep -vxE "$names|$prefixes" <<<"$out")"

# Comments: clang reads them as Doxygen does. Each function says how it may be called concurrently,
# and what its errors are. A header with each fault shows that the fault is found.
if command -v clang >/dev/null; then
	for language in c c++; do
		check "comments, as $language: -Wdocumentation finds nothing" clang -x $language -Wdocumentation \
			-Werror -fsyntax-only "-I$include" "$scratch/all.h"
	done
fi
unclear() {
	{ cat "$scratch/all.h" && printf '%s\n' "$@"; } |
		tests/lib/declared.py unclear clang -std=c17 -x c -I"$include"
}
no_foreign "each function is documented" "$(unclear)"
# shellcheck disable=SC2034 # shows reads it
out=$(unclear 'int mm_silent(void);' '/** Adds one. */ int mm_anywhere(void);' \
	'/** [any] Adds one. */ enum mm_error mm_faultless(void);' \
	'/** [any] Adds one. MM_BUSY: not now. */ enum mm_error mm_clear(void);')
shows "a function without a comment is found" '^mm_silent: no comment$'
shows "one that leaves out concurrency" '^mm_anywhere: .*\[shared\]'
shows "one that leaves out its errors" '^mm_faultless: .* no error$'
check "one that is clear is not" test "${out/mm_clear/}" = "$out"

# Sizes, alignments and offsets: one program, compiled as C and as C++, prints the same table.
tests/lib/declared.py layout clang -std=c17 -x c -I"$include" <"$scratch/all.h" >"$scratch/layout"
check "the layouts are seen" grep -q 'offsetof(struct mm_aspace, cpus)' "$scratch/layout"
for target in x86_64-linux-gnu x86_64-none-elf aarch64-none-elf riscv64-none-elf; do
	for language in c++ c; do
		check "$target: layouts as $language" \
			clang --target=$target -ffreestanding -I"$include" -I"$scratch" \
			-x $language -c "$scratch/layout" -o "$scratch/layout.o"
		llvm-objcopy -O binary -j .rodata "$scratch/layout.o" "$scratch/layout.$language"
	done
	check "$target: C++ sees the layouts that C sees" \
		cmp "$scratch/layout.c" "$scratch/layout.c++"
done

done_testing
