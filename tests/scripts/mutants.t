#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The text of every planted defect still exists in mm/. A defect whose text is missing is named.
# `make mutants` then runs the tests against the defects.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

runs 0 "every defect can be planted" "$top/tests/mutants/mutants.py" --check

mkdir -p "$scratch/tests"
cp -r "$top/mm" "$scratch/mm"
cp -r "$top/tests/mutants" "$scratch/tests/mutants"
sed -i 's/EPT_MT, 6/EPT_MT, 5/' "$scratch/mm/npt/ept.c"
runs 1 "one that cannot is a failure" "$scratch/tests/mutants/mutants.py" --check
shows "with its name" '^c21-ept-memory-type: can no longer be planted'

done_testing
