/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls that a well-behaved guest would not make. Each returns an error, and the guest
 * continues.
 *
 * Reports: 0 = calls made, 1 = calls with another result than guests/abi.h defines. Exits with the
 * number of the first such call, counted from 1, or with 0.
 */
#include "guest.h"

static uint64_t calls, wrong, first_wrong;

static void expect(enum guest_error expected, uint64_t function, uint64_t a0, uint64_t a1,
                   uint64_t a2)
{
	calls++;
	if (guest_call((enum guest_call)function, a0, a1, a2).error == expected)
		return;
	wrong++;
	if (first_wrong == 0)
		first_wrong = calls;
}

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	uint64_t ram = GUEST_RAM_BASE, end = GUEST_RAM_BASE + info->ram_bytes;
	uint64_t arena = info->arena_base, most = UINT64_MAX;

	(void)vcpu;
	expect(GUEST_OK, GUEST_NOP, 1, 2, 3);
	expect(GUEST_UNKNOWN_CALL, GUEST_CALLS, 0, 0, 0);
	expect(GUEST_UNKNOWN_CALL, 0xffff, 0, 0, 0);
	expect(GUEST_OK, GUEST_PRINT, ram, 0, 0);
	expect(GUEST_BAD_ARGUMENT, GUEST_PRINT, ram, 129, 0);
	expect(GUEST_BAD_ARGUMENT, GUEST_PRINT, ram, 0xffffffff, 0);
	expect(GUEST_BAD_ARGUMENT, GUEST_PRINT, ram, most, 0);
	expect(GUEST_BAD_ADDRESS, GUEST_PRINT, end - 4, 8, 0);
	expect(GUEST_BAD_ADDRESS, GUEST_PRINT, most - 3, 8, 0);
	expect(GUEST_BAD_ADDRESS, GUEST_PRINT, GUEST_UART_BASE, 8, 0);
	expect(GUEST_BAD_ARGUMENT, GUEST_REPORT, 16, 0, 0);
	expect(GUEST_BAD_ARGUMENT, GUEST_REPORT, most, 0, 0);
	expect(GUEST_BAD_ARGUMENT, GUEST_PROTECT, arena, 4096, 8);
	expect(GUEST_BAD_ARGUMENT, GUEST_PROTECT, arena + 1, 4096, 1);
	expect(GUEST_BAD_ARGUMENT, GUEST_PROTECT, arena, 0, 1);
	expect(GUEST_BAD_ADDRESS, GUEST_PROTECT, arena + info->arena_bytes, 4096, 1);
	expect(GUEST_BAD_ARGUMENT, GUEST_UNMAP, arena, 0, 0);
	expect(GUEST_BAD_ARGUMENT, GUEST_UNMAP, arena, most, 0);
	guest_report(1, wrong);
	guest_report(0, calls);
	guest_exit(first_wrong);
}
