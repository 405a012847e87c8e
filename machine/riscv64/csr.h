/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control and status registers of HS-mode, with the names of the manual: csr_read(hstatus).
 * "RISC-V Instruction Set Manual, Volume II: Privileged Architecture", chapters 4
 * (supervisor) and 8 (hypervisor extension) of version 20211203; Sstc is a document of its own.
 */
#ifndef MACHINE_RISCV64_CSR_H
#define MACHINE_RISCV64_CSR_H

#include <stdint.h>

#include "mm/bits.h"

/* `csr` is a name of the assembler, or a macro for a number. */
#define csr_read(csr) csr_read_(csr)
#define csr_read_(csr)                                                                             \
	({                                                                                         \
		uint64_t csr_value_;                                                               \
		__asm__ volatile("csrr %0, " #csr : "=r"(csr_value_)::"memory");                   \
		csr_value_;                                                                        \
	})
#define csr_write(csr, value)  csr_write_(csr, value)
#define csr_write_(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"rK"(value) : "memory")
#define csr_set(csr, bits)     __asm__ volatile("csrs " #csr ", %0" ::"rK"(bits) : "memory")
#define csr_clear(csr, bits)   __asm__ volatile("csrc " #csr ", %0" ::"rK"(bits) : "memory")

/* Names that clang 14 does not have. */
#define STIMECMP 0x14d

/* 4.1.1 sstatus, and 8.2.11 vsstatus, which has the same fields */
#define SSTATUS_SIE  BIT(1)
#define SSTATUS_SPIE BIT(5)
#define SSTATUS_SPP  BIT(8)
#define SSTATUS_VS   GENMASK(10, 9)  /* of the vector registers: Off, Initial, Clean, Dirty */
#define SSTATUS_FS   GENMASK(14, 13) /* of the floating-point registers */
#define SSTATUS_SUM  BIT(18)
#define SSTATUS_MXR  BIT(19)

#define SSTATUS_VS_CLEAN BIT(10)
#define SSTATUS_FS_CLEAN BIT(14)

/* 4.1.3 sip and sie: one bit per interrupt, numbered as in scause */
#define INTERRUPT_SOFTWARE    BIT(1)
#define INTERRUPT_TIMER       BIT(5)
#define INTERRUPT_EXTERNAL    BIT(9)
#define INTERRUPT_VS_SOFTWARE BIT(2)
#define INTERRUPT_VS_TIMER    BIT(6)
#define INTERRUPT_VS_EXTERNAL BIT(10)

/* 4.1.8 scause, with the causes that 8.6.1 adds */
#define SCAUSE_INTERRUPT BIT(63)
enum scause_interrupt {
	IRQ_SOFTWARE = 1,
	IRQ_TIMER = 5,
	IRQ_EXTERNAL = 9,
};
enum scause_exception {
	CAUSE_FETCH_MISALIGNED = 0,
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_ILLEGAL = 2,
	CAUSE_BREAKPOINT = 3,
	CAUSE_LOAD_MISALIGNED = 4,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_MISALIGNED = 6,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_ECALL_U = 8,
	CAUSE_ECALL_HS = 9,
	CAUSE_ECALL_VS = 10,
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
	CAUSE_FETCH_GUEST_PAGE = 20,
	CAUSE_LOAD_GUEST_PAGE = 21,
	CAUSE_VIRTUAL_INSTRUCTION = 22,
	CAUSE_STORE_GUEST_PAGE = 23,
};

/* 4.1.11 satp, 8.2.10 hgatp, 8.2.18 vsatp: MODE, then an ASID or VMID, then the root's PPN */
#define ATP_MODE   GENMASK(63, 60)
#define ATP_PPN    GENMASK(43, 0)
#define SATP_ASID  GENMASK(59, 44)
#define HGATP_VMID GENMASK(57, 44)
enum atp_mode {
	ATP_BARE = 0,
	ATP_SV39 = 8, /* in hgatp: Sv39x4, and so on */
	ATP_SV48 = 9,
	ATP_SV57 = 10,
};

/* 4.3.1, 4.4.1: page-table entries, of either stage */
#define PTE_V   BIT(0)
#define PTE_R   BIT(1)
#define PTE_W   BIT(2)
#define PTE_X   BIT(3)
#define PTE_U   BIT(4)
#define PTE_G   BIT(5)
#define PTE_A   BIT(6)
#define PTE_D   BIT(7)
#define PTE_PPN GENMASK(53, 10)

#endif
