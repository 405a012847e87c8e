#!/bin/bash
# The proofs hold, and can fail: the same ones on a copy with an off-by-one planted.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

if ! command -v frama-c >/dev/null || ! command -v why3 >/dev/null; then
	skip "range arithmetic" "frama-c or why3 is not installed: make setup"
	done_testing
fi
runs 0 "range arithmetic, for all values" "$top/tests/proofs/run"

mkdir -p "$scratch/tests"
cp -r "$top/mm" "$scratch/mm"
cp -r "$top/tests/proofs" "$scratch/tests/proofs"
sed -i 's/last < start ? 0/last <= start ? 0/' "$scratch/mm/addr.h"
runs 1 "a planted off-by-one is found" "$scratch/tests/proofs/run"

done_testing
