#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The symbols of the library. mm/exported.map, the public headers, the archives and the shared
# library agree, and every global symbol has the prefix mm_.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
version=$(make -s print-lib-version)
check "the version is three numbers" grep -qxE '[0-9]+\.[0-9]+\.[0-9]+' <<<"$version"
shared=build/lib/host/shared/libfaultline-mm.so.$version
check "the archives and the shared library" make lib "$shared"

names=tests/lib/exported-map
listed() {
	sed -n '/^global:$/,/^local:$/s/^\t\(.*\);$/\1/p' "$1"
}
agree() { # NAME WHAT: two lists, sorted, in files; prints the difference
	out=$(diff "$scratch/listed" "$2")
	check "$1" test -z "$out"
	[ -z "$out" ] || { echo "'<' is in mm/exported.map; '$names --write' makes it from the headers" && echo "$out"; } | explain
}

listed mm/exported.map | sort >"$scratch/listed"
check "the list has names" grep -qx mm_aspace_fault "$scratch/listed"
$names | sort >"$scratch/declared"
agree "the list and the public headers" "$scratch/declared"
llvm-nm --dynamic --defined-only "$shared" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort >"$scratch/dynamic"
agree "the list and the shared library" "$scratch/dynamic"
runs 0 "the shared library's header" llvm-readelf -d "$shared"
shows "its soname has the major version" "SONAME.*\[libfaultline-mm\.so\.${version%%.*}\]"
check "it has no relocation of its text" test "${out/TEXTREL/}" = "$out"

for target in riscv64 riscv64d aarch64 x86_64 host; do
	llvm-nm --defined-only --extern-only "build/lib/$target/lib/libfaultline-mm.a" |
		awk 'NF==3{print $3}' | sort >"$scratch/global"
	check "$target: no symbol is defined twice" test -z "$(uniq -d "$scratch/global")"
	missing=$(comm -23 "$scratch/listed" "$scratch/global")
	check "$target: the archive has every name of the list" test -z "$missing"
	[ -z "$missing" ] || explain <<<"$missing"
	foreign=$(grep -v '^mm_' "$scratch/global")
	check "$target: every global symbol has the prefix" test -z "$foreign"
	[ -z "$foreign" ] || explain <<<"$foreign"
done

# A list that lacks a name, and one with a name that does not exist.
sed '/mm_aspace_fault;/d' mm/exported.map >"$scratch/short.map"
listed "$scratch/short.map" | sort >"$scratch/short"
runs 1 "a name that is missing is found" diff "$scratch/short" "$scratch/declared"
shows "with its name" '^> mm_aspace_fault$'

done_testing
