/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulates one guest instruction that accesses an emulated device. The instruction is fetched and
 * decoded once. Its device accesses follow one by one (virt_ops.mmio_decode and mmio_complete).
 * After the last one, its registers and flags are written to struct x86_guest. VMX and SVM copy
 * the guest's registers into that struct before, and the changed ones out of it after.
 *
 * An instruction that reads and writes the device (AND, XCHG, ...) makes two accesses, which are
 * not atomic; LOCK is refused. REP is done one element at a time: the guest executes the
 * instruction again for the next element.
 */
#ifndef X86_MMIO_H
#define X86_MMIO_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/x86_64.h"
#include "mm/error.h"
#include "vm_exit.h"
#include "x86/guest_regs.h"
#include "x86/stage1.h"

struct x86_guest {
	struct stage1 stage1;
	uint64_t *gpr; /* all GPR_COUNT of them, RSP included */
	uint64_t rip, rflags;
	uint64_t segment_base[SEGMENT_COUNT]; /* ES to GS */
	unsigned code_width;                  /* 2, 4 or 8: see insn_decode() */
	const uint8_t *given;                 /* the bytes at RIP that the CPU has fetched */
	size_t given_count;                   /* 0: not reported */
};

/* The bytes that were decoded last, and the result. A driver's loop executes the same instruction
 * again, so that most are decoded once. code_width 0: none. */
struct x86_decoded {
	uint64_t first, last; /* bytes 0 to 7, and 7 to 14 */
	unsigned code_width;
	struct insn insn;
};

/* The instruction that is being emulated. All zero: none. */
struct x86_mmio {
	struct insn insn;
	struct x86_decoded decoded;
	bool write_due; /* the read is completed; the write of `result` is next */
	uint64_t result;
	uint64_t rflags; /* the guest's, after the write */
	mm_gpa_t other;  /* MOVS: the operand in RAM */
	/* After an error: what the other operand of MOVS raises in the guest. */
	struct {
		enum stage1_fault kind;
		uint32_t code;
		uint64_t address;
	} fault;
};

/* Decodes the next access of the instruction at g->rip, whose nested fault is `exit`. Errors:
 * MM_UNSUPPORTED for an instruction that is refused; those of stage1_translate() and of
 * mm_aspace_for_each_span() if the instruction cannot be fetched. After one of these, m->fault
 * says whether the guest gets an exception. */
enum mm_error x86_mmio_decode(struct x86_mmio *m, const struct x86_guest *g,
                              const struct vm_exit *exit, struct mmio_access *access) MM_MUST_CHECK;

/* Completes that access. True: the instruction has another one. False: it is completed, and g has
 * its registers, flags and RIP. */
bool x86_mmio_complete(struct x86_mmio *m, struct x86_guest *g, const struct mmio_access *access,
                       uint64_t value);

#endif
