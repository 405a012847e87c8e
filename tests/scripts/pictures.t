#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Compares docs/pictures.md with the headers: the addresses of a guest's memory map, the order of
# the boot steps, and the names of files.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
page=docs/pictures.md

# 0x40000000 -> 0x0_4000_0000, as the page writes addresses.
grouped() { printf '0x%x_%04x_%04x' $(($1 >> 32)) $(($1 >> 16 & 0xffff)) $(($1 & 0xffff)); }

value() { # MACRO FILE
	sed -n "s/^#define $1 *\(UINT64_C(\)\{0,1\}\(0x[0-9a-f]*\).*/\2/p" "$2"
}

for macro in GUEST_UART_BASE GUEST_TEST_BASE GUEST_INFO_BASE GUEST_RAM_BASE GUEST_ARENA_BASE; do
	check "$macro is where the picture puts it" \
		grep -q "^  $(grouped "$(value $macro guests/abi.h)")  +-" "$page"
done
check "the mailbox is where the picture puts it" \
	grep -q "^  $(grouped "$(value AGENT_MAILBOX_BASE guests/agent/abi.h)")  +-" "$page"

# The steps of kernel_main(), in this order.
steps='machine_init read_cmdline take_memory enable_virtualization run_job finish'
in_code=$(sed -n '/^_Noreturn void kernel_main/,/^}/p' kernel/main.c)
in_page=$(sed -n '/kernel_main(struct boot_info/,$p' "$page")
for list in "$in_code" "$in_page"; do
	found=$(grep -oE "$(tr ' ' '|' <<<"$steps")" <<<"$list" | awk '!seen[$0]++' | xargs)
	check "the boot steps are: $found" test "$found" = "$steps"
done
while read -r file; do
	check "$file exists" test -f "$file"
done < <(grep -oE '\b(boot|kernel)/[a-z0-9_/]*\.[cS]\b' "$page" | sort -u)
done_testing
