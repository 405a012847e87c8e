/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traps that the hypervisor itself takes. An unexpected trap is a defect: it is reported with every
 * register. For an instruction that may trap, the caller sets cpu->catch_pc before it and clears it
 * afterwards: execution continues at catch_pc after a trap.
 */
#ifndef MACHINE_RISCV64_TRAP_H
#define MACHINE_RISCV64_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/riscv64/csr.h"
#include "machine/riscv64/offsets.h"
#include "mm/compiler.h"

struct trap_frame {
	uint64_t x[32];
};
_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_BYTES, "offsets.h");

/* The trap vector of HS-mode: in stvec, or the vector of hext/ branches to it. */
void host_trap(void);

/* Called by it with interrupts off, on the CPU's trap stack. */
_Noreturn void trap_report(const struct trap_frame *frame);

/*
 * The text of an assembly statement whose one instruction may trap. Operand [ok], a bool in an
 * early-clobbered register, is false after a trap. t0 and memory are clobbered:
 *
 *	__asm__ volatile(CATCH("csrr %[value], 0x14d")
 *	                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
 *
 * After a trap, scause, stval, htval and htinst are the trap's; sepc is lost, and sstatus.SPP
 * and SPIE are those of a trap from HS-mode. hstatus.SPV may be that, or as it was.
 */
#define CATCH(instruction)                                                                         \
	"la t0, 1f\n\t"                                                                            \
	"sd t0, " CATCH_PC "(tp)\n\t"                                                              \
	"li %[ok], 0\n\t" instruction "\n\t"                                                       \
	"li %[ok], 1\n"                                                                            \
	"1:\n\t"                                                                                   \
	"sd zero, " CATCH_PC "(tp)"
#define CATCH_PC       CATCH_TEXT(CPU_CATCH_PC)
#define CATCH_TEXT(n)  CATCH_TEXT_(n)
#define CATCH_TEXT_(n) #n

#endif
