#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# On RISC-V every general register of a guest but x0 is saved when it traps and loaded before it goes
# on, each in its own place of struct hext_vcpu (hext/enter.S), which a0 points at.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

image=$top/build/riscv64/faultline.elf

# moved FUNCTION INSTRUCTION: the numbers of the registers that it moves to or from their places.
# The guest's a0 is saved through t0 and is not in the list.
moved() {
	llvm-objdump -d -M numeric --mattr=+m,+a,+c --no-show-raw-insn "$image" | awk -v name="<$1>:" -v insn="$2" '
		/^[0-9a-f]+ <.*>:$/ { inside = $2 == name }
		inside && $2 == insn {
			number = substr($3, 2) + 0
			if ($4 == 8 * number "(x10)")
				print number
		}' | sort -n | tr '\n' ' '
}

if [ -e "$image" ]; then
	check "all registers of the guest are loaded" \
		test "$(moved hext_enter ld)" = "$(seq -s ' ' 1 31) "
	check "all of them are saved, but a0" \
		test "$(moved hext_trap sd)" = "$(seq 1 31 | grep -vx 10 | tr '\n' ' ')"
else
	skip "the guest's registers" "riscv64 is not built"
fi
done_testing
