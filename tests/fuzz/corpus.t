#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every input that the fuzzers have found worth keeping, once: no crash, no report, no difference.
# `make fuzz` looks for more of them.
cd "$(dirname "$0")/../.." || exit 1
fuzzers=build/host/fuzz
echo "1..$(find tests/fuzz -name "fuzz_*.c" | wc -l)"
n=0
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	n=$((n + 1))
	if out=$("$fuzzers/$name" -runs=0 "tests/fuzz/corpus/$name" 2>&1); then
		echo "ok $n - $name: $(find "tests/fuzz/corpus/$name" -type f | wc -l) inputs"
	else
		echo "not ok $n - $name"
		echo "$out" | tail -40 | sed 's/^/# /'
	fi
done
