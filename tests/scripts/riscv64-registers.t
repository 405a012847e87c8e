#!/bin/bash
# On RISC-V s2 to s11 and gp are the guest's while the hypervisor runs (hext/vcpu_state.h): no code
# of ours may touch them but what moves them to and from memory, and the report of a trap.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

image=$top/build/riscv64/faultline.elf

# image_start is left out: behind one jump it is the header of Linux, which is data.
users() {
	llvm-objdump -d --mattr=+m,+a,+c --no-show-raw-insn "$image" | awk '
		/^[0-9a-f]+ <.*>:$/ { function_name = $2 }
		function_name == "<image_start>:" { next }
		/[\t ,(](s[2-9]|s1[01]|gp)([,)]|$)/ { print function_name }' | sort -u | tr -d '<>:\n'
}

if [ -e "$image" ]; then
	check "the image has instructions" test "$(llvm-objdump -d "$image" | wc -l)" -gt 1000
	check "the guest's registers are used where they are moved, and nowhere else" \
		test "$(users)" = hext_fillhext_livehext_set_livehext_spillhost_trap
else
	skip "the guest's registers" "riscv64 is not built"
fi
done_testing
