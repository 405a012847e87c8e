/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code that the cases of VMX copy into a guest: see vmx_code.S. The offsets of struct vmx_record
 * are those of vmx_code.S, which uses the numbers below.
 */
#ifndef SUITE_X86_64_VMX_CODE_H
#define SUITE_X86_64_VMX_CODE_H

#define VMX_STUBS      0x42 /* exception stubs, 16 bytes apart: vectors 0 to 0x41 */
#define VMX_EVENTS     8
#define VMX_EVENT_SIZE 64

#define RECORD_COUNT  0
#define RECORD_RESUME 8
#define RECORD_SP     16
#define RECORD_OLD    24
#define RECORD_NEW    40
#define RECORD_IN     56
#define RECORD_OUT    80
#define RECORD_LOG    96
#define RECORD_SIZE   (RECORD_LOG + VMX_EVENTS * VMX_EVENT_SIZE)

#define VMX_CALL_STEP   0x464c0009 /* GUEST_X86_BASE | GUEST_STEP */
#define VMX_TEST_DEVICE 0x10001000 /* GUEST_TEST_BASE */

/* Steps that the code calls. */
#define VMX_RAISE 1 /* raises the interrupt line */
#define VMX_LOWER 2

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#include "guests/abi.h"

_Static_assert(VMX_CALL_STEP == (GUEST_X86_BASE | GUEST_STEP), "vmx_code.S");
_Static_assert(VMX_TEST_DEVICE == GUEST_TEST_BASE, "vmx_code.S");

struct vmx_event {
	uint64_t vector, error, rip, cs, rflags, rsp, cr2, pad;
};

/* What the code notes, at vmx_record of its copy. */
struct vmx_record {
	uint64_t count;  /* of events */
	uint64_t resume; /* where the next event's handler returns to; 0: where it came from */
	uint64_t sp;
	uint64_t old_idtr[2];
	uint64_t idtr[2]; /* limit and base, 10 bytes */
	uint64_t in[3];   /* RAX, RCX, RDX before the instruction of "any" */
	uint64_t out[2];  /* RAX, RDX after it */
	struct vmx_event log[VMX_EVENTS];
};

_Static_assert(offsetof(struct vmx_record, log) == RECORD_LOG, "vmx_code.S");
_Static_assert(offsetof(struct vmx_record, in) == RECORD_IN, "vmx_code.S");
_Static_assert(sizeof(struct vmx_record) == RECORD_SIZE, "vmx_code.S");

extern const uint8_t vmx_code[], vmx_code_end[], vmx_stubs[], vmx_record[], vmx_any_bytes[];

/* X(name): code of vmx_code.S. It begins at vmx_do_name. At vmx_at_name is the instruction whose
 * address the event saves. */
#define VMX_CODES(X)                                                                               \
	X(int40)                                                                                   \
	X(int40_prefixed)                                                                          \
	X(int3)                                                                                    \
	X(icebp)                                                                                   \
	X(icebp_after_mov_ss)                                                                      \
	X(ud2)                                                                                     \
	X(gp)                                                                                      \
	X(gp_then_emulated)                                                                        \
	X(page_fault)                                                                              \
	X(sti_nop)                                                                                 \
	X(sti_call)                                                                                \
	X(sti_cpuid)                                                                               \
	X(mov_ss_cpuid)                                                                            \
	X(step_cpuid)                                                                              \
	X(step_port)                                                                               \
	X(step_device)                                                                             \
	X(step_wbinvd)                                                                             \
	X(open_int40)                                                                              \
	X(withdrawn)                                                                               \
	X(masked)                                                                                  \
	X(any)

#define VMX_CODE_SYMBOLS(name) extern const uint8_t vmx_do_##name[], vmx_at_##name[];
VMX_CODES(VMX_CODE_SYMBOLS)
#undef VMX_CODE_SYMBOLS
#endif

#endif
