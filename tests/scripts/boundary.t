#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every public function of mm/ has a row in the tables of tests/host/boundary_*.c. So a new function
# is called with boundary values, or its name is printed here.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# The functions that a public header declares. A function that a macro makes for every kind of
# address has its gpa name here.
functions() {
	sed -e 's/kind##/gpa/g' "$@" | grep -v '^#' | grep -v '^ \*\|^/\*' |
		grep -oE '\b(mm|aspace|dirty|device|gpa|npt|block|hal)_[a-z0-9_]+\(' | tr -d '(' | sort -u
}

rows() {
	grep -ohE '[{]"[a-z0-9_]+", call_' "$@" | grep -oE '[a-z0-9_]+' | sort -u
}

# mm/area.h and mm/lock.h are internal to the address space: no caller reaches them.
headers=$(cd "$top" && ls mm/aspace.h mm/dirty.h mm/snapshot.h mm/device.h mm/addr.h mm/block.h \
	mm/access.h mm/error.h mm/hal.h mm/npt/format.h)

missing() {
	(
		cd "$1" || exit 1
		# shellcheck disable=SC2086 # one word is one header
		functions $headers >"$scratch/functions"
		rows tests/host/boundary_*.c >"$scratch/rows"
		comm -23 "$scratch/functions" "$scratch/rows"
	)
}

check_missing() {
	local names
	names=$(missing "$1")
	[ -z "$names" ] || echo "no row in tests/host/boundary_*.c: $names"
	[ -z "$names" ]
}

runs 0 "every public function has a row" check_missing "$top"

mkdir -p "$scratch/tree/tests/host"
cp -r "$top/mm" "$scratch/tree/mm"
cp "$top"/tests/host/boundary_*.c "$scratch/tree/tests/host/"
echo 'void aspace_brand_new(struct aspace *as);' >>"$scratch/tree/mm/aspace.h"
runs 1 "a function without one is a failure" check_missing "$scratch/tree"
shows "with its name" 'aspace_brand_new'

done_testing
