/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers of AGENT_ARCH on x86-64. The agent and the suite share them. `addr`, `value`,
 * `stride` and `width` are fields of the operation.
 */
#ifndef GUESTS_AGENT_X86_64_OPS_H
#define GUESTS_AGENT_X86_64_OPS_H

#include <stdint.h>

#include "guests/abi.h"

enum agent_x86_64_op {
	AGENT_X86_RDMSR,      /* MSR addr */
	AGENT_X86_WRMSR,      /* `value` to MSR addr */
	AGENT_X86_READ_CR,    /* control register addr: 0, 2, 3, 4, 8 */
	AGENT_X86_WRITE_CR,   /* `value` to control register addr */
	AGENT_X86_CHANGE_CR,  /* sets bits `value` of control register addr, clears bits stride */
	AGENT_X86_READ_DR,    /* debug register addr */
	AGENT_X86_WRITE_DR,   /* `value` to debug register addr */
	AGENT_X86_CPUID,      /* leaf addr, subleaf stride; value: register `width` (EAX, EBX, ...),
	                           bits of mask `value` */
	AGENT_X86_XGETBV,     /* extended control register addr; CR4.OSXSAVE is set before */
	AGENT_X86_XSETBV,     /* `value` to extended control register addr; the same */
	AGENT_X86_IMAGE_LOAD, /* loads the pattern of seed `value` into the state components of bit
	                         mask addr (XCR0's bits), by XRSTOR or FXRSTOR; 8 KiB at stride are
	                         scratch memory */
	AGENT_X86_IMAGE_CHECK, /* the number of bytes that differ from it; seed 0: reset values */
	AGENT_X86_GPRS, /* loads all general registers but RSP from seed `value`, and does exit
	                   `width` (enum agent_x86_exit, at addr). Value: bit mask of the registers
	                   that changed, without those that the exit itself defines */
	AGENT_X86_GS, /* sets the base of GS to `value` during a GUEST_YIELD, and reads it after */
	AGENT_X86_TABLES, /* new GDT at addr with tables and segments that depend on seed `value` */
	AGENT_X86_TABLES_CHECK, /* bit mask of those that are not as the seed says */
	AGENT_X86_EVENT,    /* executes the 8 bytes of code in `value`, and then NOPs: see below */
	AGENT_X86_AFTER,    /* a value after the last EVENT: addr is an enum agent_x86_after */
	AGENT_X86_COPY_IDT, /* copies the IDT to addr (4 KiB), with the handlers of EVENT, and loads
	                       it. Before the first EVENT */
	AGENT_X86_TSC,      /* 0 if GUEST_CYCLES lies between two RDTSC of the guest */
	AGENT_X86_PORTS, /* IN from `value` ports from addr on, `stride` apart; value: the number of
	                    results that are not 0xff */
	AGENT_X86_64_OPS,
};

enum agent_x86_exit {
	AGENT_X86_EXIT_CALL,  /* GUEST_YIELD: defines RAX, RDX; uses RDI, RSI */
	AGENT_X86_EXIT_LOAD,  /* a byte load at addr; the value must be 0 */
	AGENT_X86_EXIT_CPUID, /* defines RAX, RBX, RCX, RDX */
	AGENT_X86_EXIT_RDMSR, /* MSR FS_BASE; defines RAX, RCX, RDX */
	AGENT_X86_EXIT_HLT,
	AGENT_X86_EXITS,
};

/*
 * EVENT. RDI and RSI are `stride`, RAX its lower and RDX its upper half, RCX and RBX are addr; with
 * AGENT_X86_STACK, RSP is addr. CF, DF and OF are set. The handler notes what the CPU passes to it.
 * It returns to the address on its stack, or behind the code if that is the start of the code or if
 * there have been two events. An interrupt masks interrupts, #DB ends single steps.
 *
 * Value: enum agent_x86_got of the last event. 0: there was none.
 */
#define AGENT_X86_STEP   0x01U /* agent_op.width: TF is set */
#define AGENT_X86_MASKED 0x02U /* interrupts are masked */
#define AGENT_X86_STACK  0x10U /* addr is the stack pointer */
/* The code runs at CPL 3, with AC set and with a stack of its own; the handler's is that of the
 * TSS. After AGENT_X86_TABLES, which has made the GDT and the TSS, and AGENT_X86_COPY_IDT. */
#define AGENT_X86_USER 0x20U
/* All pages become user pages, but not those whose entry has this bit, which the CPU ignores. */
#define AGENT_X86_PTE_KEPT (UINT64_C(1) << 9)
/* In addition: a code segment of 32 or 16 bits. The base of each data segment is
 * AGENT_X86_USER_BASE(its number in instructions), and RSI, RDI, RBX, RCX are the lower halves. */
#define AGENT_X86_CODE32 0x40U
#define AGENT_X86_CODE16 0x80U

/* ES 0, CS 1, SS 2, DS 3, FS 4, GS 5. Those of ES to DS are used by 32- and 16-bit code. */
#define AGENT_X86_USER_BASE(segment) (GUEST_TEST_BASE - 0x1000U + 0x100U * (uint32_t)(segment))
/* The page below the tables of AGENT_X86_TABLES: where its TSS has the stack of CPL 0. */
#define AGENT_X86_RSP0(tables) ((tables)-0x800U)
#define AGENT_X86_TSS(tables)  ((tables) + 0x900U)

#define AGENT_X86_GOT(vector, count, error, rip)                                                   \
	((uint64_t)(vector) | (uint64_t)(count) << 8 | (uint64_t)(error) << 16 |                   \
	 (uint64_t)((rip)&0xff) << 32)
#define AGENT_X86_WRONG_FLAGS (UINT64_C(1) << 40) /* CF, DF, OF or TF on the handler's stack */
#define AGENT_X86_WRONG_STACK (UINT64_C(1) << 41) /* RSP or SS there */
#define AGENT_X86_WRONG_CS    (UINT64_C(1) << 42)
#define AGENT_X86_WRONG_AFTER (UINT64_C(1) << 43) /* CF, DF, OF or RSP at the end */
#define AGENT_X86_WRONG_IF    (UINT64_C(1) << 44) /* IF was clear and should be set */

enum agent_x86_after {
	AGENT_X86_RAX,
	AGENT_X86_RCX,
	AGENT_X86_RDX,
	AGENT_X86_RBX,
	AGENT_X86_RSI,
	AGENT_X86_RDI,
	AGENT_X86_CR2, /* in the handler */
	AGENT_X86_DR6,
	AGENT_X86_RSP,
};

/* The tables of AGENT_X86_TABLES: bits of its result. */
enum agent_x86_table {
	AGENT_X86_GDTR_LIMIT = 1 << 0,
	AGENT_X86_GDTR_BASE = 1 << 1,
	AGENT_X86_IDTR = 1 << 2,
	AGENT_X86_LDTR = 1 << 3,
	AGENT_X86_TR = 1 << 4,
	AGENT_X86_DS = 1 << 5,
	AGENT_X86_ES = 1 << 6,
	AGENT_X86_FS = 1 << 7,
	AGENT_X86_FS_BASE = 1 << 8,
	AGENT_X86_LDT_ENTRY = 1 << 9, /* a segment of the LDT cannot be loaded */
};

#endif
