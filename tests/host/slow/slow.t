#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The slow path of a fault is complete: the unit tests of mm/ and the model pass without
# mm/fault_fast.c. `make test-slow` runs the long tests as well.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../../tap.sh"

cd "$top" || exit 1
for program in build/host/slow/test_*; do
	runs 0 "without the fast path: ${program##*/}" timeout -s KILL 600 "$program"
done
runs 0 "without the fast path: the model" \
	env MODEL_OPS=400000 timeout -s KILL 600 build/host/slow/long_model
shows "its operations were made" '^ok .* random_operations'

done_testing
