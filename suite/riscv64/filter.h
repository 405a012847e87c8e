/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter: code in front of the trap vector of this hart, which changes the CSRs of a guest's
 * trap. So a case sees what another hart would write.
 */
#ifndef SUITE_RISCV64_FILTER_H
#define SUITE_RISCV64_FILTER_H

/*
 * Defines the filter `name`. It may change t1, and leaves by the label 1. Traps of the hypervisor
 * itself are not changed. hext/enter.S: sscratch is the address of the vCPU while its guest runs,
 * and the vCPU begins with x0 to x31; the vector itself writes x6 there next.
 */
#define FILTER(name, text)                                                                         \
	extern void name(void);                                                                    \
	__asm__(".text\n\t"                                                                        \
	        ".balign 4\n" #name ":\n\t"                                                        \
	        "csrrw t0, sscratch, t0\n\t"                                                       \
	        "beqz t0, 2f\n\t"                                                                  \
	        "sd t1, 48(t0)\n\t" text "\n"                                                      \
	        "1:\n\t"                                                                           \
	        "ld t1, 48(t0)\n"                                                                  \
	        "2:\n\t"                                                                           \
	        "csrrw t0, sscratch, t0\n\t"                                                       \
	        "j hext_trap");

/* At the start of `text`: the rest is for traps of this cause. */
#define ONLY_AFTER(cause)                                                                          \
	"csrr t1, scause\n\t"                                                                      \
	"addi t1, t1, -" #cause "\n\t"                                                             \
	"bnez t1, 1f\n\t"

/* For this hart. filter_end() without a filter does nothing. */
void filter_begin(void (*filter)(void));
void filter_end(void);

#endif
