/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a guest that the CPU holds, as a table. A switch from one vCPU to another saves and
 * loads it; an exit does not, because the hypervisor does not use these registers: it is built
 * with general registers only. Nothing is loaded on demand (CVE-2018-3665).
 *
 * A VMCB and a VMCS hold a part of it, and entries and exits switch that part. state.c switches
 * the rest; enum x86_outside says what that is. suite/x86_64/state.c tests each row.
 */
#ifndef X86_STATE_H
#define X86_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/compiler.h"

/* X(name, MSR number, bits that a guest can set). A guest reads and writes these MSRs without an
 * exit. VMCS and VMCB hold the first list. VMLOAD and VMSAVE also switch the second. */
#define X86_STATE_HELD_MSRS(X)                                                                     \
	X(fs_base, 0xc0000100U, UINT64_C(0x7fffffffffff))                                          \
	X(gs_base, 0xc0000101U, UINT64_C(0x7fffffffffff))                                          \
	X(sysenter_cs, 0x174U, UINT64_C(0xffff))                                                   \
	X(sysenter_esp, 0x175U, UINT64_C(0x7fffffffffff))                                          \
	X(sysenter_eip, 0x176U, UINT64_C(0x7fffffffffff))
#define X86_STATE_SYSCALL_MSRS(X)                                                                  \
	X(star, 0xc0000081U, UINT64_MAX)                                                           \
	X(lstar, 0xc0000082U, UINT64_C(0x7fffffffffff))                                            \
	X(cstar, 0xc0000083U, UINT64_C(0x7fffffffffff))                                            \
	X(sfmask, 0xc0000084U, UINT64_C(0xffffffff))                                               \
	X(kernel_gs_base, 0xc0000102U, UINT64_C(0x7fffffffffff))

/* X(register): breakpoint addresses. Neither structure holds them. Both hold DR7, a VMCB holds
 * DR6, too. */
#define X86_STATE_BREAKPOINTS(X) X(0) X(1) X(2) X(3)

/* State components of XCR0: SDM vol. 1, 13.1. */
#define XCR0_X87       UINT64_C(0x01)
#define XCR0_SSE       UINT64_C(0x02)
#define XCR0_AVX       UINT64_C(0x04)
#define XCR0_AVX512    UINT64_C(0xe0) /* opmask, ZMM_Hi256, Hi16_ZMM */
#define XCR0_SUPPORTED (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)

/* An XSAVE image in standard form with all of these: SDM vol. 1, 13.4; 2688 bytes on Intel's CPUs,
 * 2432 on AMD's. */
#define X86_XSAVE_BYTES 2688U

#define X86_STATE_COUNT_MSR(name, number, mask) +1U
#define X86_STATE_COUNT_BREAKPOINT(n)           +1U
enum {
	X86_HELD_MSRS = X86_STATE_HELD_MSRS(X86_STATE_COUNT_MSR),
	X86_SYSCALL_MSRS = X86_STATE_SYSCALL_MSRS(X86_STATE_COUNT_MSR),
	X86_BREAKPOINTS = X86_STATE_BREAKPOINTS(X86_STATE_COUNT_BREAKPOINT),
};

/* What this code switches in addition to the breakpoints and the image. */
enum x86_outside {
	X86_OUTSIDE_VMCB,
	X86_OUTSIDE_VMCS, /* also CR2, DR6 and the MSRs of SYSCALL */
};

/* The values while the vCPU is not loaded on a CPU. */
struct x86_state {
	/* XSAVE's standard form; FXSAVE's 512 bytes on a CPU without XSAVE. */
	uint8_t image[X86_XSAVE_BYTES] MM_ALIGNED_TO(64);
	uint64_t xcr0;
	uint64_t breakpoint[X86_BREAKPOINTS];
	uint64_t cr2, dr6;
	uint64_t msr[X86_SYSCALL_MSRS];
};

/* Once, before the first vCPU: which components of XCR0 a guest may have. */
void x86_state_probe(void);
/* Those components; 0: the CPU has no XSAVE. */
uint64_t x86_state_components(void);
/* On each CPU that runs guests. */
void x86_state_enable(void);

/* The values after a reset. *s is zero. */
void x86_state_reset(struct x86_state *s);
void x86_state_load(const struct x86_state *s, enum x86_outside outside);
void x86_state_save(struct x86_state *s, enum x86_outside outside);

/* XCR0 of the vCPU that is loaded on this CPU; 0: the CPU has none. */
uint64_t x86_state_xcr0(void);
/* XSETBV by this vCPU. False: it raises #GP, and nothing has changed. */
bool x86_state_set_xcr(uint32_t index, uint64_t value);
/* Size of an XSAVE image with these components, in bytes, in standard form. */
uint32_t x86_state_bytes(uint64_t wanted);

#endif
