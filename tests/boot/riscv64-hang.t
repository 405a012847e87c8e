#!/bin/bash
# Hanging cases on RISC-V.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/hang.sh
. "$top/tests/hang.sh"

hang_all hext --arch riscv64 --smp 2
stuck hext --arch riscv64 --smp 2

done_testing
