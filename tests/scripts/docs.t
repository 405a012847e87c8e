#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The reference of the library's calls: HTML by Doxygen, without warnings, and manual pages. Both
# are made from the comments of the headers.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
unset MAKELEVEL MAKEFLAGS MAKEOVERRIDES MFLAGS

mkdir "$scratch/man"
check "the manual pages" scripts/make-man 1.2.3 "$scratch/man"
mapfile -t calls < <(scripts/make-man --list)
check "there are ten or more" test "${#calls[@]}" -ge 10
for call in "${calls[@]}"; do
	page=$scratch/man/$call.3
	if ! command -v man >/dev/null; then
		skip "$call(3)" "man is not installed"
		continue
	fi
	runs 0 "$call(3): groff has no warning" env MANWIDTH=200 LC_ALL=C man --warnings=all -l "$page"
	sections=$(grep -oE '^(NAME|SYNOPSIS|DESCRIPTION|RETURN VALUE|CONCURRENCY|SOURCE)$' <<<"$out" | tr '\n' ' ')
	check "$call(3): its sections" \
		test "$sections" = "NAME SYNOPSIS DESCRIPTION RETURN VALUE CONCURRENCY SOURCE "
	check "$call(3): nothing but the page" test -z "$(grep -E 'warning|troff:' <<<"$out")"
	source=$(sed -n '/^SOURCE$/{n;s/^ *//p}' <<<"$out")
	check "$call(3): the source defines it" grep -qE "^[a-z].*\b$call\(" "$source"
done

# The text is the header's: a copy of the tree with another comment has another page.
copy=$scratch/copy
mkdir -p "$copy/scripts" "$copy/out"
cp -r mm "$copy/"
cp scripts/make-man scripts/doc-filter "$copy/scripts/"
sed -i 's/\[exclusive[^]]*\] Unmaps every part/[shared] Whitewashes every part/' "$copy/mm/include/mm/aspace.h"
check "a changed comment" sh -c "cd '$copy' && scripts/make-man 1.2.3 out"
check "changes the page" grep -q 'Whitewashes every part' "$copy/out/mm_aspace_unmap.3"
check "and its concurrency" grep -q 'holds the read lock' "$copy/out/mm_aspace_unmap.3"
sed -i 's/\[shared\] Whitewashes/Whitewashes/' "$copy/mm/include/mm/aspace.h"
runs 1 "a comment without its concurrency" sh -c "cd '$copy' && scripts/make-man 1.2.3 out"
shows "is refused by name" 'mm_aspace_unmap: the comment begins with no mark of concurrency'

if ! command -v doxygen >/dev/null; then
	skip "the reference" "doxygen is not installed"
	done_testing
fi
runs 0 "make docs" make -s docs
html=build/docs/html
for call in mm_aspace_fault mm_gpa_range_split mm_hal_to_virt mm_npt_map mm_device_bus_read mm_version; do
	check "$call has an entry" grep -rqE "memname\">[^<]*(<[^>]*>[^<]*)*$call" "$html"
done
check "and it names the source" grep -q '>mm/guest_memory\.c ' "$html/aspace_8h.html"
check "docs/library.md is its first page" grep -q 'Stability' "$html/index.html"
mkdir -p "$copy/docs"
cp docs/library.md "$copy/docs/"
cp mm/include/mm/aspace.h "$copy/mm/include/mm/"
sed -i 's|^MM_END_DECLS|void mm_silent(int arg);\n&|' "$copy/mm/include/mm/aspace.h"
runs 1 "a function without a comment is an error" sh -c \
	"cd '$copy' && DOCS_OUT=out MM_VERSION=1 doxygen mm/Doxyfile"
shows "by name" 'mm_silent'

done_testing
