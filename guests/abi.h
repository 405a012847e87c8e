/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest ABI: the interface between a payload and the hypervisor. guests/ may include nothing
 * else. It is the same for every architecture. The hypercall instruction is in guests/<arch>/.
 *
 *	0x1000_0000  UART       emulated: one page
 *	0x1000_1000  test       emulated: one page of registers (see below)
 *	             x86-64 has both at ports and MSRs, too (see below)
 *	0x3fff_f000  info       struct guest_info, read-only
 *	0x4000_0000  RAM        the image, its bss, its stacks; guest_info.ram_bytes
 *	0x1_0000_0000 arena     what the scenario is about; guest_info.arena_bytes
 *
 * A payload starts at guest_header.entry with its vCPU index and the address of its guest_info
 * as its two arguments: RISC-V VS-mode, stage 1 bare, a0 a1; AArch64 EL1, MMU off, x0 x1; x86
 * 32-bit protected mode, flat segments, paging off, edi esi.
 */
#ifndef GUESTS_ABI_H
#define GUESTS_ABI_H

#include <stdint.h>

#define GUEST_UART_BASE  UINT64_C(0x10000000)
#define GUEST_TEST_BASE  UINT64_C(0x10001000)
#define GUEST_INFO_BASE  UINT64_C(0x3ffff000)
#define GUEST_RAM_BASE   UINT64_C(0x40000000)
#define GUEST_ARENA_BASE UINT64_C(0x100000000)

/* The first bytes of an image file. guests/<arch>/start.S contains it, kernel/loader.c checks
 * it. */
#define GUEST_MAGIC UINT64_C(0x54534555474c46) /* "FLGUEST\0", little-endian */

enum guest_arch {
	GUEST_RISCV64 = 1,
	GUEST_AARCH64 = 2,
	GUEST_X86_64 = 3,
};

struct guest_header {
	uint64_t magic;
	uint32_t arch;         /* enum guest_arch */
	uint32_t abi;          /* GUEST_ABI */
	uint64_t image_bytes;  /* of the file, this header included */
	uint64_t memory_bytes; /* image, bss and stacks: at least image_bytes */
	uint64_t entry;        /* offset of the first instruction from this header */
};

#define GUEST_ABI 1

struct guest_info {
	uint32_t abi; /* GUEST_ABI */
	uint32_t vcpus;
	uint64_t ram_bytes;
	uint64_t arena_base;
	uint64_t arena_bytes;
	uint64_t seed;
	uint64_t args[8]; /* arguments of the scenario: see guests/<name>.c */
};

/*
 * Hypercalls have a number and three arguments. They return an error and a value.
 *	riscv64  ecall   a7 = GUEST_SBI_EXTENSION, a6 = number, a0..a2; a0 = error, a1 = value
 *	aarch64  hvc #0  x0 = GUEST_SMCCC_BASE | number, x1..x3;        x0 = error, x1 = value
 *	x86_64   vmcall or vmmcall (CPUID 0x4000_0000 is "FaultlineVMX", "FaultlineSVM")
 *	                 eax = GUEST_X86_BASE | number, rdi rsi rdx;    rax = error, rdx = value
 * Buffers are guest-physical.
 */
#define GUEST_SBI_EXTENSION UINT64_C(0x0846544c)
#define GUEST_SMCCC_BASE    UINT64_C(0xc6000000)
#define GUEST_X86_BASE      UINT64_C(0x464c0000)

enum guest_call {
	GUEST_NOP = 0,     /* does nothing: measures the round trip */
	GUEST_EXIT = 1,    /* status; does not return */
	GUEST_PRINT = 2,   /* buffer, bytes: one line for the log, at most 128 bytes */
	GUEST_REPORT = 3,  /* key, value: stored by the VM for the test; key < 16 */
	GUEST_PROTECT = 4, /* start, bytes, permission set: as mm_aspace_protect() */
	GUEST_UNMAP = 5,   /* start, bytes: as mm_aspace_unmap() */
	GUEST_YIELD = 6,   /* ends the current time slice */
	GUEST_CYCLES = 7,  /* value: machine_cycles() of the hypervisor */
	GUEST_FAULTS = 8,  /* value: nested faults this VM has taken so far */
	GUEST_STEP = 9,    /* number: runs this step of the test in the hypervisor; its value */
	GUEST_TIMER = 10,  /* microseconds: after that time the vCPU's interrupt line is raised,
	                      until the next GUEST_TIMER; 0 only lowers it */
	GUEST_MOVE = 11,   /* CPU: this vCPU goes on there. Refused unless the test allows it */
	GUEST_CALLS,
};

enum guest_error {
	GUEST_OK = 0,
	GUEST_UNKNOWN_CALL = 1,
	GUEST_BAD_ADDRESS = 2,
	GUEST_BAD_ARGUMENT = 3,
	GUEST_NO_MEMORY = 4,
	GUEST_REFUSED = 5,
};

/* The test device. Registers are 8 bytes wide. Any naturally aligned part of one can be
 * accessed. */
#define GUEST_TEST_ID      0x00 /* reads 0x8877665544332211: every byte is its own position */
#define GUEST_TEST_SCRATCH 0x08 /* reads the last written value */
#define GUEST_TEST_NEG     0x10 /* reads 0xfffefdfcfbfaf9f8: every part is negative */
#define GUEST_TEST_WRITES  0x18 /* number of writes so far */
#define GUEST_TEST_LAST    0x20 /* width of the last write in bits 7:0, its offset in 31:16 */

/* The same registers as MSRs, 8 bytes each: GUEST_TEST_MSR + offset / 8. x86-64 alone: no CPU has
 * these numbers. */
#define GUEST_TEST_MSR 0x40000080

/* The UART: the data and line status registers of a 16550, one byte wide. */
#define GUEST_UART_DATA 0x00
#define GUEST_UART_LSR  0x05 /* reads 0x60: always ready */

/* The same UART at I/O ports. x86-64 alone. */
#define GUEST_UART_PORT  0x3f8
#define GUEST_UART_PORTS 8

#endif
