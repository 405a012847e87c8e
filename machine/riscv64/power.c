/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power-off. Three ways are tried in this order:
 *
 *	the SiFive test device	ends QEMU's virt machine with the status
 *	semihosting		ends a QEMU with -semihosting, with the status
 *	SBI system reset	powers the machine off; the status is lost
 *
 * If none works, the hart waits for ever. The verdict is in the log before that.
 */
#include "machine/riscv64/init.h"

#include "machine.h"
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/trap.h"

#define TEST_PASS UINT32_C(0x5555)
#define TEST_FAIL UINT32_C(0x3333) /* with the status in bits 31:16 */

/* "Semihosting for AArch32 and AArch64", 5.11 SYS_EXIT. RISC-V uses the same. */
#define SYS_EXIT                     0x18
#define ADP_STOPPED_APPLICATION_EXIT UINT64_C(0x20026)

#define RESET_SHUTDOWN       0
#define RESET_NO_REASON      0
#define RESET_SYSTEM_FAILURE 1

static volatile uint32_t *test_device;

void power_init(const struct fdt *fdt)
{
	struct fdt_node node;
	struct mm_hpa_range range;

	if ((fdt_find_compatible(fdt, "sifive,test0", &node) ||
	     fdt_find_compatible(fdt, "sifive,test1", &node)) &&
	    fdt_reg(fdt, &node, 0, &range))
		test_device = (volatile uint32_t *)(uintptr_t)range.start.raw;
}

/* "RISC-V Semihosting" 0.4: a sequence of three uncompressed instructions. Without a debugger the
 * ebreak is a breakpoint exception, which is caught. */
static void semihosting_exit(enum machine_status status)
{
	uint64_t block[2] = {ADP_STOPPED_APPLICATION_EXIT, (uint64_t)status};
	register uint64_t a0 __asm__("a0") = SYS_EXIT;
	register uint64_t a1 __asm__("a1") = (uint64_t)(uintptr_t)block;
	bool ok;

	__asm__ volatile(CATCH(".option push\n\t.option norvc\n\t.balign 16\n\t"
	                       "slli zero, zero, 0x1f\n\tebreak\n\tsrai zero, zero, 7\n\t"
	                       ".option pop")
	                 : [ok] "=&r"(ok), "+r"(a0)
	                 : "r"(a1)
	                 : "t0", "memory");
	(void)ok;
}

void machine_power_off(enum machine_status status)
{
	if (test_device != NULL)
		*test_device =
			status == STATUS_PASS ? TEST_PASS : (uint32_t)status << 16 | TEST_FAIL;
	semihosting_exit(status);
	sbi_call(SBI_SRST, SBI_SRST_RESET, RESET_SHUTDOWN,
	         status == STATUS_PASS ? RESET_NO_REASON : RESET_SYSTEM_FAILURE, 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}
