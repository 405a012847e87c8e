/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to a device that the syndrome does not describe completely: the base register after a
 * write-back, the stack pointers and the zero register, tagged addresses, EL0, and addresses
 * relative to the PC. PAR_EL1 keeps the guest's value.
 */
#include "suite/aarch64/arm.h"

ARM_PIECE(mmio_base);
ARM_PIECE(mmio_sp);
ARM_PIECE(mmio_tagged);
ARM_PIECE(mmio_par);
ARM_PIECE(mmio_load_pair);
ARM_PIECE(mmio_store_pair);
ARM_PIECE(mmio_big_endian);
ARM_PIECE(mmio_el0);
ARM_PIECE(mmio_el0_big_endian);
ARM_PIECE(mmio_literal);

#define DEVICE   GUEST_TEST_BASE
#define ID_VALUE UINT64_C(0x8877665544332211)

/* --- mmio_par: memory for faults --- */

#define LAZY_PAGE      UINT64_C(0x100020000)
#define PROTECTED_PAGE UINT64_C(0x100021000)

_Static_assert(LAZY_PAGE == ARENA + 32 * PAGE, "mmio_code.S");

static bool permit(struct suite_run *run, const struct vm_exit *exit)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(PROTECTED_PAGE), PAGE);

	run->scratch[0]++;
	return exit->fault.gpa.raw == PROTECTED_PAGE + 8 && run->scratch[0] == 1 &&
	       mm_aspace_protect(&run->vm->as, page, MM_RW) == MM_OK;
}

/* --- mmio_literal --- */

#define TABLES  (ARENA + 4 * PAGE)
#define MIB1    UINT64_C(0x100000)
#define LITERAL (VIRTUAL + MIB1)
#define NORMAL  (AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X | AGENT_PTE_AD | AGENT_PTE_NORMAL)

/* A readable page before the device: an access to the device's first byte may have begun there. */
#define NORMAL_AT(at) MAP_AS(at, ARM_CODE, 0, TABLES, NORMAL)
#define DEVICE_AT(at) MAP_AS(at, DEVICE, 0, TABLES, NORMAL)

/* A pair: its first half is the last doubleword of the device, or the doubleword before the UART.
 * The other half is memory. No device receives an access. */
#define PAIR(label, piece, at, memory, device, how)                                                \
	{                                                                                          \
		.name = (label),                                                                   \
		.areas = AREAS(POPULATED(ARENA, 32 * PAGE, MM_RWX),                                \
		               POPULATED(memory, PAGE, MM_RW)),                                    \
		.script = SCRIPT(CALL_AT(ARM_CODE, at, 0)),                                        \
		.faults = FAULTS({.gpa = (device),                                                 \
		                  .access = (how),                                                 \
		                  .outcome = MM_FAULT_IS_DEVICE,                                   \
		                  .page = true}),                                                  \
		.end = SUITE_DIES, .kill = KILL_MMIO_UNDECODED, .data = &(piece),                  \
		.ready = arm_ready,                                                                \
	}
#define DEVICE_END  (DEVICE + PAGE)
#define BEFORE_UART (GUEST_UART_BASE - 8)

#define ONCE SCRIPT(CALL_AT(ARM_CODE, DEVICE, 0))

static const struct suite_case cases[] = {
	{
		.name = "arm.mmio.base",
		.areas = ARM_AREAS,
		.script = ONCE,
		.uncounted = true,
		.data = &mmio_base,
		.ready = arm_ready,
	},
	{
		.name = "arm.mmio.stack-pointer",
		.areas = ARM_AREAS,
		.script = ONCE,
		.uncounted = true,
		.data = &mmio_sp,
		.ready = arm_ready,
	},
	{
		.name = "arm.mmio.tagged",
		.areas = ARM_AREAS,
		.script = ONCE,
		.uncounted = true,
		.data = &mmio_tagged,
		.ready = arm_ready,
	},
	PAIR("arm.mmio.pair.into-ram.load", mmio_load_pair, DEVICE_END - 8, DEVICE_END, DEVICE,
             MM_R),
	PAIR("arm.mmio.pair.into-ram.store", mmio_store_pair, DEVICE_END - 8, DEVICE_END, DEVICE,
             MM_W),
	PAIR("arm.mmio.pair.from-ram.load", mmio_load_pair, BEFORE_UART, GUEST_UART_BASE - PAGE,
             GUEST_UART_BASE, MM_R),
	PAIR("arm.mmio.pair.from-ram.store", mmio_store_pair, BEFORE_UART, GUEST_UART_BASE - PAGE,
             GUEST_UART_BASE, MM_W),
	{
		.name = "arm.mmio.big-endian",
		.areas = ARM_AREAS,
		.script = ONCE,
		.uncounted = true,
		.data = &mmio_big_endian,
		.ready = arm_ready,
	},
	{
		.name = "arm.mmio.par",
		.areas = AREAS(POPULATED(ARENA, 32 * PAGE, MM_RWX), LAZY(LAZY_PAGE, PAGE, MM_RW),
                               POPULATED(PROTECTED_PAGE, PAGE, MM_R)),
		.script = ONCE,
		.uncounted = true,
		.data = &mmio_par,
		.ready = arm_ready,
		.repair = permit,
	},
	{
		.name = "arm.mmio.el0",
		.areas = ARM_AREAS,
		.script = ONCE,
		.uncounted = true,
		.data = &mmio_el0,
		.ready = arm_ready,
	},
	{
		.name = "arm.mmio.el0.big-endian",
		.areas = ARM_AREAS,
		.script = ONCE,
		.uncounted = true,
		.data = &mmio_el0_big_endian,
		.ready = arm_ready,
	},
	{
		.name = "arm.mmio.literal",
		.areas = ARM_AREAS,
		.script = SCRIPT(
			STAGE1(), NORMAL_AT(LITERAL), DEVICE_AT(LITERAL + PAGE),
			NORMAL_AT(LITERAL - 2 * PAGE), DEVICE_AT(LITERAL - PAGE),
			NORMAL_AT(LITERAL - MIB1), DEVICE_AT(LITERAL - MIB1 + PAGE),
			NORMAL_AT(LITERAL + MIB1 / 2 - PAGE), DEVICE_AT(LITERAL + MIB1 / 2),
			CALL_AT(LITERAL, 0, ID_VALUE), CALL_AT(LITERAL + 8, 0, ID_VALUE),
			CALL_AT(LITERAL + 16, 0, ID_VALUE), CALL_AT(LITERAL + 24, 0, ID_VALUE),
			CALL_AT(LITERAL + 32, 0, (uint32_t)ID_VALUE),
			CALL_AT(LITERAL + 40, 0, (uint32_t)ID_VALUE)),
		.uncounted = true,
		.data = &mmio_literal,
		.ready = arm_ready,
	},
};

const struct suite_subject suite_arm_mmio = {
	.name = "arm.mmio",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
