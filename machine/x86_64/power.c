/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power-off. The following ways are tried one after the other. A way that the machine does not have
 * has no effect.
 *
 *	1. QEMU's isa-debug-exit at port 0xf4: the emulator's exit status is
 *	   2 * (0x10 + status) + 1, so 33 pass, 35 fail, 37 panic, 39 no virtualization, 41 bad
 *	   boot. QEMU itself ends with none of these.
 *	2. Bochs with its debugger and magic_break: `xchg %bx, %bx` stops there. Only after a pass.
 *	   The debugger's script continues a few times and then ends Bochs with status 0.
 *	3. Bochs: the word "Shutdown" written to port 0x8900 ends it with status 1.
 *	4. Soft-off by ACPI's PM1a control register, where QEMU and Bochs have it.
 *	5. The CPU halts for ever.
 */
#include "machine.h"
#include "machine/x86_64/cpu.h"

#define QEMU_DEBUG_EXIT 0xf4
#define QEMU_BASE       0x10U
#define BOCHS_STOPS     16 /* more often than the script continues */
#define BOCHS_SHUTDOWN  0x8900
#define ACPI_PM1A_QEMU  0x604
#define ACPI_PM1A_BOCHS 0xb004
#define ACPI_S5         0x2000 /* SLP_EN, SLP_TYP 0: ACPI 6.4, 4.8.3.2.1 */

void machine_power_off(enum machine_status status)
{
	machine_console_drain();

	out32(QEMU_DEBUG_EXIT, QEMU_BASE + (uint32_t)status);

	for (unsigned i = 0; i < BOCHS_STOPS && status == STATUS_PASS; i++)
		__asm__ volatile("xchg %bx, %bx");

	for (const char *c = "Shutdown"; *c != '\0'; c++)
		out8(BOCHS_SHUTDOWN, (uint8_t)*c);

	out16(ACPI_PM1A_QEMU, ACPI_S5);
	out16(ACPI_PM1A_BOCHS, ACPI_S5);

	for (;;)
		__asm__ volatile("cli; hlt");
}
