/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bare guests: a few instructions that a case writes, run exit by exit by the case itself. The
 * kernel's run loop has no part in it, so a case sees each exit and decides on which CPU the vCPU
 * runs next.
 *
 * Each vCPU has 1 MiB at BARE_BASE(vcpu): first its code, then from BARE_DATA on its data. It
 * starts at its code in VS-mode, stage 1 bare, with a0 = its data and a1 = BARE_A1. All of it is
 * mapped, so a nested fault is an exit like any other.
 */
#ifndef SUITE_RISCV64_BARE_H
#define SUITE_RISCV64_BARE_H

#include "suite/riscv64/encode.h"
#include "suite/run.h"

#define BARE_VMS     4
#define BARE_VCPUS   4 /* of one VM */
#define BARE_BYTES   MIB(1)
#define BARE_BASE(n) (GUEST_ARENA_BASE + (n)*BARE_BYTES)
#define BARE_DATA    MIB(1) / 4
#define BARE_A1      UINT64_C(0xa1a1a1a1)
#define BARE_INSNS   1024

/* Code under construction. */
struct code {
	uint32_t insns[BARE_INSNS];
	unsigned count;
};

static inline unsigned emit(struct code *code, uint32_t insn)
{
	ASSERT(code->count < BARE_INSNS);
	code->insns[code->count] = insn;
	return code->count++;
}

struct bare {
	struct suite_run *run;
	struct vm *vm;
	struct vcpu *vcpu;
	uint64_t base; /* of its code */
	uint64_t data;
	struct vm_exit exit; /* the last one */
};

/* Creates `vms` VMs with `vcpus` vCPUs each, of which out[] gets one after the other. False: the
 * case has failed, and nothing is left. */
bool bare_begin(struct suite_run *run, unsigned vms, unsigned vcpus, struct bare *out);
void bare_end(unsigned vms);
/* A new vCPU at the start of the code, in the place of the old one. */
bool bare_restart(struct bare *b);

/* Writes code, from its start, and makes it fetchable. */
void bare_code(struct bare *b, const struct code *code);
void bare_write(struct bare *b, uint64_t gpa, const void *from, size_t bytes);
void bare_read(struct bare *b, uint64_t gpa, void *to, size_t bytes);
void bare_put(struct bare *b, uint64_t gpa, uint64_t word);
uint64_t bare_get(struct bare *b, uint64_t gpa);

/* Runs it on this CPU until an exit that the guest has caused. False: it has not exited for
 * seconds, and the case has failed. */
bool bare_run(struct bare *b);
/* The same on another CPU, or on this one. It is unloaded there afterwards. */
bool bare_run_on(struct bare *b, unsigned cpu);
/* Runs it and expects an ecall. */
bool bare_call(struct bare *b);
bool bare_call_on(struct bare *b, unsigned cpu);

/* A register by its name in the kill report. */
uint64_t bare_register(struct bare *b, const char *name);
bool bare_expect_register(struct bare *b, const char *name, uint64_t expected);
/* Notes a difference, with `what` before it. */
bool bare_expect(struct suite_run *run, const char *what, const char *name, uint64_t got,
                 uint64_t expected);

#endif
