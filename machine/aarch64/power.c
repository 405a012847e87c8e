/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI, by SMC or HVC, and power-off. Power-off tries semihosting first, because only that gives
 * the emulator an exit status. Without a debugger its HLT is an undefined instruction, and the trap
 * handler (or, at EL1, el1_vectors) goes on with the firmware.
 */
#include "machine/aarch64/power.h"

#include "machine.h"
#include "machine/aarch64/board.h"

/* DEN 0022, 5.1: function identifiers, 64-bit calling convention where there is one. */
#define PSCI_SYSTEM_OFF UINT64_C(0x84000008)
#define PSCI_CPU_ON     UINT64_C(0xc4000003)
#define PSCI_SUCCESS    0

/* SMC calling convention (DEN 0028), 2.6: a call may change x0 to x17, and no others. */
#define CLOBBERED                                                                                  \
	"x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",       \
		"x17", "memory"

static int64_t call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	if (board.psci == PSCI_SMC)
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : CLOBBERED);
	else
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : CLOBBERED);
	return (int64_t)x0;
}

bool psci_cpu_on(uint64_t affinity, uint64_t entry, uint64_t context)
{
	return board.psci != PSCI_NONE &&
	       call(PSCI_CPU_ON, affinity, entry, context) == PSCI_SUCCESS;
}

/* --- power-off --- */

/* Arm semihosting, 6.8: SYS_EXIT on a 64-bit target takes {reason, status}. */
#define SYS_EXIT                    UINT64_C(0x18)
#define ADP_STOPPED_APPLICATIONEXIT UINT64_C(0x20026)

void power_off_by_firmware(void)
{
	if (board.psci != PSCI_NONE)
		call(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}

void machine_power_off(enum machine_status status)
{
	uint64_t block[2] = {ADP_STOPPED_APPLICATIONEXIT, status};
	register uint64_t x0 __asm__("x0") = SYS_EXIT;
	register uint64_t x1 __asm__("x1") = (uint64_t)(uintptr_t)block;

	__asm__ volatile(".globl semihosting_hlt\n"
	                 "semihosting_hlt: hlt #0xf000"
	                 : "+r"(x0)
	                 : "r"(x1)
	                 : "memory");
	power_off_by_firmware();
}
