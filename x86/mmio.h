/*
 * One guest instruction that accesses an emulated device, done step by step: fetched and decoded
 * once, then one device access after another (virt_ops.mmio_decode and mmio_complete), and at
 * its end the registers and flags that it changes. Shared by VMX and SVM, which fill in the
 * guest's registers before and take them back after.
 *
 * An instruction with both a read and a write of the device (AND, XCHG, ...) is two accesses,
 * and not atomic; LOCK is refused. REP is one element at a time: the guest executes the
 * instruction again for the next.
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
	const uint8_t *given;                 /* the first bytes at RIP as the CPU fetched them */
	size_t given_count;                   /* 0: it has not said */
};

/* An instruction in flight. Zero: none is. */
struct x86_mmio {
	struct insn insn;
	bool write_due; /* the read is done, and this is to be written: */
	uint64_t result;
	uint64_t rflags; /* to be, when the write is done */
	gpa_t other;     /* MOVS: the RAM side */
};

/* The next access of the instruction at g->rip, for which the guest exited with `exit`. Errors:
 * MM_UNSUPPORTED for what is refused; the walk's or the fetch's, where the bytes cannot be had. */
enum mm_error x86_mmio_decode(struct x86_mmio *m, const struct x86_guest *g,
                              const struct vm_exit *exit, struct mmio_access *access) MM_MUST_CHECK;

/* Ends that access. True: the instruction has another. False: it is done, and g's registers,
 * flags and RIP are as it leaves them. */
bool x86_mmio_complete(struct x86_mmio *m, struct x86_guest *g, const struct mmio_access *access,
                       uint64_t value);

#endif
