#!/bin/bash
# The slow path of a fault is complete: the unit tests of mm/ and the model pass without
# mm/fault_fast.c. `make test-slow` runs the long tests as well.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../../tap.sh"

cd "$top" || exit 1
for program in build/host/slow/test_*; do
	runs 0 "without the fast path: ${program##*/}" timeout -s KILL 600 "$program"
done
# One format at a time: so few operations need not make every pair of features meet.
for format in amd ept gstage stage2 stage2-lpa2; do
	runs 0 "without the fast path: model of $format" \
		env MODEL_OPS=100000 MODEL_FORMAT=$format timeout -s KILL 600 build/host/slow/long_model
	shows "its operations were made" '^ok .* random_operations'
done

done_testing
