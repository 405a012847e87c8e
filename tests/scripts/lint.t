#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each part of `make lint` must detect its kind of fault. The faults are planted in a copy of the
# tree.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

tree=$scratch/tree
mkdir "$tree"
(cd "$top" && cp -r .c* Makefile README.md docs boot kernel mm vmx svm el2 hext guests scripts tests "$tree" 2>/dev/null)
cd "$tree" || exit 1
unset MAKEFLAGS MAKELEVEL

lint() { # FILE TEXT TARGET: runs make for this target with this file in the tree
	mkdir -p "$(dirname "$1")"
	local text=$2
	case $1 in
	*.c | *.h) text="/* Planted. */"$'\n'$2 ;;
	esac
	printf '%s\n' "$text" >"$1"
	make -j1 "$3"
	local status=$?
	rm "$1"
	return "$status"
}
fair() { # the same, but no message may name this file
	! lint "$@" 2>&1 | grep planted
}
header() { # NAME TEXT: a guarded header
	printf '#ifndef %s\n#define %s\n\n%s\n\n#endif' "$1" "$1" "$2"
}

# --- includes ---
check "layers: a fair include" fair mm/planted.c '#include "mm/addr.h"' lint-layers
runs 2 "layers: mm/ and the hypervisor" lint mm/planted.c '#include "log.h"' lint-layers
shows "layers: says where and what" 'mm/planted.c:2: mm/ may not include kernel/include/'
runs 2 "layers: mm/ and the C library" lint mm/planted.c '#include <stdio.h>' lint-layers
runs 2 "layers: one extension and another" lint vmx/planted.c '#include "hext/planted.h"' lint-layers
runs 2 "layers: an extension and kernel/" lint hext/planted.c '#include "kernel/tap.h"' lint-layers
runs 2 "layers: an extension and another machine" \
	lint el2/planted.c '#include "machine/riscv64/cpu.h"' lint-layers
runs 2 "layers: kernel/ and a machine" lint kernel/planted.c '#include "machine/riscv64/cpu.h"' lint-layers
runs 2 "layers: a guest and the library" lint guests/planted.c '#include "mm/addr.h"' lint-layers
runs 2 "layers: kernel/ and an internal header of the library" \
	lint kernel/planted.c '#include "mm/npt/entry.h"' lint-layers
shows "layers: says which" 'kernel/planted.c:2: kernel/ may not include mm/npt/ .mm/npt/entry.h.'
runs 2 "layers: a case and another internal header" \
	lint suite/planted.c '#include "mm/aspace_internal.h"' lint-layers
runs 2 "layers: a public header and an internal one" \
	lint mm/include/mm/planted.h "$(header PLANTED_H '#include "mm/bits.h"')" lint-layers
runs 2 "layers: a new folder" lint mm/new/planted.c '' lint-layers

# --- rules for the text of one file ---
rule() { # WHAT FILE TEXT
	runs 2 "text: $1" lint "$2" "$3" lint-text
	shows "text: $1, by file and line" '^[^ ]*planted\.[ch]:[0-9]+: '
}
check "text: a fair file" fair mm/planted.c 'int planted;' lint-text
rule "#if on the architecture" kernel/planted.c '#ifdef __riscv'
rule "#if on the architecture, hidden" kernel/planted.c '#if defined(X) || defined(__aarch64__)'
rule "a weak symbol" kernel/planted.c '__attribute__((weak)) void f(void);'
rule "a bit-field" kernel/planted.c '	uint32_t valid : 1;'
rule "something left to do" kernel/planted.c '/* TODO: all of it */'
rule "blanks at the end" kernel/planted.c 'int x; '
rule "assembly in mm/" mm/planted.c '	asm volatile("nop");'
rule "a header without a guard" mm/planted.h 'int x;'
# Other folders have their own words until their comments are rewritten: guests/ is not in WAITING.
rule "a word that comments do not use" guests/planted.c '/* A page that nobody uses. */'
rule "two of them" guests/planted.c '/* Goes to and fro. */'
rule "two of them, on two lines" guests/planted.c $'/*\n * It does so time and\n * again.\n */'
rule "in a comment after code" guests/planted.c 'int x; /* what the CPU wants */'
check "text: the same words outside of comments" fair guests/planted.c \
	'const char *nobody = "wants /* to and fro";'
check "text: the same letters in other words" fair guests/planted.c \
	'/* Unknown; the largest; behind; a want. */'
rule "a long file" mm/planted.c "$(seq 701 | sed 's/.*/int x&;/')"

# --- names ---
name() { # WHAT FILE TEXT NAME
	runs 2 "names: $1" lint "$2" "$3" lint-names
	shows "names: $1, by file and line" "^[^ ]*planted\.[a-zA-Z]+:[0-9]+: no [a-z]+ $4 in the tree"
}
check "names: fair ones" fair kernel/planted.c \
	'/* As kernel/run.c says, vm_kill() and MM_DENIED; c.ld and <stdio.h>. */'
name "a file" kernel/planted.c '/* See kernel/missing.c. */' kernel/missing.c
name "a file, without its folder" kernel/planted.c '/* In missing_trap.S. */' missing_trap.S
name "a function" kernel/planted.c '/* As vm_missing() does. */' 'vm_missing'
name "a constant" mm/planted.c '/* or MM_FAULT_MISSING */' MM_FAULT_MISSING
name "assembly" boot/planted.S '/* Planted. */ // vm_missing() goes on' 'vm_missing'
# shellcheck disable=SC2016 # planted
name "a document" docs/planted.md 'It calls `vm_missing`.' 'vm_missing'
runs 2 "names: an exemption that nothing needs" \
	lint scripts/lint-names.allowed 'nobody_says_this # planted' lint-names
shows "names: says that it can go" 'nobody_says_this is named nowhere'
cp "$top/scripts/lint-names.allowed" scripts/

# --- circles ---
cat >a.c <<'END'
void b(void);
void a(void);
void a(void) { b(); b(); }
END
cat >b.c <<'END'
void a(void);
void b(void);
void (*table[])(void) = {a};
void b(void) { table[0](); }
END
cat >c.c <<'END'
void a(void);
void b(void);
void b(void) { a(); a(); }
END
for target in riscv64-none-elf aarch64-none-elf x86_64-unknown-windows-gnu; do
	for file in a b c; do
		clang --target=$target -O2 -c $file.c -o $file-$target.o
	done
	runs 0 "circles: an address is no call ($target)" \
		scripts/lint-cycles a-$target.o b-$target.o
	runs 1 "circles: two files ($target)" scripts/lint-cycles a-$target.o c-$target.o
	shows "circles: says who calls whom ($target)" "c-$target -> a-$target: a"
done

# --- compilers and friends ---
runs 2 "format: spaces for tabs" lint mm/planted.c 'int f(void) { return 0; }' lint-format
shows "format: by file and line" 'mm/planted\.c:[0-9]+:[0-9]+: error: .*clang-format'
runs 2 "headers: one that needs another first" \
	lint mm/planted.h "$(header PLANTED_H 'uint64_t x(void);')" build/lint/alone/riscv64/mm/planted.ok
runs 0 "headers: one that stands alone" lint mm/planted.h \
	"$(header PLANTED_H '#include <stdint.h>'$'\n''uint64_t x(void);')" \
	build/lint/alone/riscv64/mm/planted.ok
dead='int planted(int x);'$'\n''int planted(int x) { int y = x; y = 2; return x; }'
runs 2 "clang-tidy: a dead store" lint mm/planted.c "$dead" build/lint/tidy/riscv64/mm/planted.ok
shows "clang-tidy: by name" 'clang-analyzer-deadcode.DeadStores'
runs 0 "clang-tidy: its settings are read" lint mm/planted.c \
	'int planted(int x);'$'\n''int planted(int x)'$'\n''{'$'\n''	return x;'$'\n''}' \
	build/lint/tidy/riscv64/mm/planted.ok
warned='int planted(long x);'$'\n''int planted(long x) { return x; }'
runs 2 "warnings are errors" lint mm/planted.c "$warned" build/riscv64/obj/mm/planted.c.o
# shellcheck disable=SC2016 # planted
runs 2 "shellcheck: a word that splits" lint scripts/planted.sh '#!/bin/sh
rm $1' lint-shell
shows "shellcheck: by number" 'SC2086'

done_testing
