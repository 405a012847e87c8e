/*
 * Power-off. Semihosting first, because it alone gives the emulator an exit status; where nobody
 * listens its HLT is an undefined instruction, and the trap handler (or, at EL1, el1_vectors)
 * goes on with the firmware.
 */
#include "machine/aarch64/power.h"

#include "machine.h"
#include "machine/aarch64/psci.h"

/* Arm semihosting, 6.8: SYS_EXIT on a 64-bit target takes {reason, status}. */
#define SYS_EXIT                    UINT64_C(0x18)
#define ADP_STOPPED_APPLICATIONEXIT UINT64_C(0x20026)

void power_off_by_firmware(void)
{
	psci_system_off();
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
