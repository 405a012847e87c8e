#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The proofs succeed, and they fail on a copy with a planted fault, one for each prover.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

runs_or_skips() { # name, tools...
	name=$1
	shift
	for tool; do
		command -v "$tool" >/dev/null || { skip "$name" "$tool is not installed: make setup"; return 1; }
	done
}

mkdir -p "$scratch/tests"
cp -r "$top/mm" "$scratch/mm"
cp -r "$top/tests/proofs" "$scratch/tests/proofs"

if runs_or_skips "range arithmetic, for all values" frama-c why3 cvc4 z3; then
	runs 0 "range arithmetic, for all values" "$top/tests/proofs/run" ranges
	sed -i 's/last < start ? 0/last <= start ? 0/' "$scratch/mm/include/mm/addr.h"
	runs 1 "a planted off-by-one is found" "$scratch/tests/proofs/run" ranges
fi
if runs_or_skips "entries of page tables, for all addresses" z3; then
	runs 0 "entries of page tables, for all addresses" "$top/tests/proofs/run" encoders
	sed -i 's/GENMASK(53, 10)/GENMASK(52, 10)/' "$scratch/mm/npt/gstage.c"
	runs 1 "a planted short mask is found" "$scratch/tests/proofs/run" encoders
	shows "by name, with an address" '^prove_leaf_gstage_level0_perm0_type0_marks0: sat.*x0080000000000000'
fi

done_testing
