/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of the M-mode firmware: the Supervisor Binary Interface, RISC-V SBI specification 1.0. The
 * error is SBI_NOT_SUPPORTED if the firmware lacks an extension.
 */
#ifndef MACHINE_RISCV64_SBI_H
#define MACHINE_RISCV64_SBI_H

#include <stdbool.h>
#include <stdint.h>

enum sbi_extension {
	SBI_LEGACY_PUTCHAR = 0x01,
	SBI_BASE = 0x10,
	SBI_TIME = 0x54494d45,
	SBI_IPI = 0x735049,
	SBI_RFENCE = 0x52464e43,
	SBI_HSM = 0x48534d,
	SBI_SRST = 0x53525354,
};

enum sbi_function {
	SBI_BASE_MVENDORID = 4,
	SBI_BASE_MARCHID = 5,
	SBI_BASE_MIMPID = 6,
	SBI_TIME_SET = 0,
	SBI_IPI_SEND = 0,
	SBI_RFENCE_FENCE_I = 0,
	SBI_RFENCE_HFENCE_GVMA_VMID = 3,
	SBI_RFENCE_HFENCE_GVMA = 4,
	SBI_HSM_START = 0,
	SBI_SRST_RESET = 0,
};

#define SBI_SUCCESS       0
#define SBI_NOT_SUPPORTED (-2)

struct sbi_result {
	int64_t error;
	int64_t value;
};

/* A call changes a0 and a1, and no other register (SBI 1.0, chapter 3). */
static inline struct sbi_result sbi_call(enum sbi_extension extension, enum sbi_function function,
                                         uint64_t arg0, uint64_t arg1, uint64_t arg2, uint64_t arg3,
                                         uint64_t arg4)
{
	register uint64_t a0 __asm__("a0") = arg0;
	register uint64_t a1 __asm__("a1") = arg1;
	register uint64_t a2 __asm__("a2") = arg2;
	register uint64_t a3 __asm__("a3") = arg3;
	register uint64_t a4 __asm__("a4") = arg4;
	register uint64_t a6 __asm__("a6") = (uint64_t)function;
	register uint64_t a7 __asm__("a7") = (uint64_t)extension;

	__asm__ volatile("ecall"
	                 : "+r"(a0), "+r"(a1)
	                 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
	                 : "memory");
	return (struct sbi_result){(int64_t)a0, (int64_t)a1};
}

#endif
