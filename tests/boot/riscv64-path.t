#!/bin/bash
# README.md names the main stations of a nested fault: a trace of one passes through them, in this
# order.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

if ! command -v qemu-system-riscv64 >/dev/null; then
	skip "the way of a nested fault" "qemu-system-riscv64 is not installed"
	done_testing
fi

cd "$top" || exit 1
runs 0 "a nested fault is traced" timeout -s KILL 7000 scripts/fault-path
passed=$(sed -n '2,/^the longest/s/^  \([^:]*\):.*/\1/p' <<<"$out")
# shellcheck disable=SC2016 # backquotes of Markdown
stations=$(sed -n '/^One nested fault/,/^The guest runs again/s/^[2-9]\. `\([^`]*\)`.*/\1/p' README.md)
check "README.md names some" [ "$(wc -l <<<"$stations")" -ge 3 ]
for station in $stations; do
	check "passes through $station" grep -q "^$station" <<<"$passed"
	passed=$(sed "0,\\|^$station|d" <<<"$passed")
done

done_testing
