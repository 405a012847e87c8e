#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every public function of mm/ has a row in the tables of tests/host/boundary_*.c. So a new function
# is called with boundary values, or its name is printed here.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# The functions that a public header declares. A function that a macro makes for every kind of
# address, or every kind of number, has its gpa or its port name here.
functions() {
	sed -e 's/kind##/mm_gpa/g' -e 's/number##/mm_port/g' "$@" | grep -v '^#' | grep -v '^ \*\|^/\*' |
		grep -oE '\bmm_[a-z0-9_]+\(' | tr -d '(' | grep -vE '^mm_(gva|hva|hpa|sysreg)_' | sort -u
}

rows() {
	grep -ohE '[{]"[a-z0-9_]+", call_' "$@" | grep -oE '[a-z0-9_]+' | sort -u
}

# mm/area.h and mm/lock.h are internal to the address space: no caller reaches them.
headers=$(cd "$top" && ls mm/include/mm/{aspace,device_addr,supply,query,dirty,dirty_ring,snapshot,device,addr,block,access,error,hal,npt_format,version}.h)

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
echo 'void mm_brand_new(struct mm_aspace *as);' >>"$scratch/tree/mm/include/mm/aspace.h"
runs 1 "a function without one is a failure" check_missing "$scratch/tree"
shows "with its name" 'mm_brand_new'

done_testing
