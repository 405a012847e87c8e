/*
 * The state of one virtual CPU, and where it is.
 *
 *	x1 to x31				in memory from exit to entry
 *	sepc, sstatus, hstatus, VS CSRs, hgatp	in the hart for as long as this vCPU is the last
 *						that the hart ran
 *
 * state_load() brings a vCPU onto the hart; state_unload() takes it off. vcpu->cpu says where its
 * CSRs are: NULL, in memory, or in the one hart whose struct cpu points back at it.
 */
#ifndef HEXT_HEXT_H
#define HEXT_HEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hext/offsets.h"
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/csr.h"
#include "mm/bits.h"
#include "vcpu.h"

/* What state_load() writes and state_unload() reads back: 8.2 and 4.1 of the manual. */
struct hext_csrs {
	uint64_t pc; /* sepc */
	uint64_t sstatus;
	uint64_t hstatus;
	uint64_t vsstatus;
	uint64_t vsie;
	uint64_t vstvec;
	uint64_t vsscratch;
	uint64_t vsepc;
	uint64_t vscause;
	uint64_t vstval;
	uint64_t vsatp;
	uint64_t hvip;
	uint64_t vstimecmp;
	uint64_t scounteren; /* one register that HS and VS share */
	uint64_t senvcfg;    /* the same */
	uint64_t hgatp;      /* constant */
};

struct hext_vcpu {
	uint64_t x[32];   /* VCPU_X; x[0] is 0 */
	uint64_t host_sp; /* VCPU_HOST_SP: while the guest runs */
	uint64_t host_tp; /* VCPU_HOST_TP: of the hart that has it loaded */
	struct cpu *cpu;
	struct hext_csrs csr;
	struct aspace *as;
};

_Static_assert(offsetof(struct hext_vcpu, x[31]) == VCPU_X(31), "offsets.h");
_Static_assert(offsetof(struct hext_vcpu, host_sp) == VCPU_HOST_SP, "offsets.h");
_Static_assert(offsetof(struct hext_vcpu, host_tp) == VCPU_HOST_TP, "offsets.h");
_Static_assert(sizeof(struct hext_vcpu) <= MM_PAGE_SIZE, "one frame each");

/* --- enter.S --- */

/* The trap vector once cpu_enable() has run: guest exits, and the rest on to host_trap. */
void hext_trap(void);
/* Into the guest, which is loaded on this hart, until it traps: answers scause. */
uint64_t hext_enter(struct hext_vcpu *v);

/* --- vcpu_state.c --- */

/* Onto this hart, taking off whoever is there. v is on none. */
void state_load(struct cpu *cpu, struct hext_vcpu *v);
/* Off this hart, if it is on it; it is not on another. */
void state_unload(struct hext_vcpu *v);
/* Copies the CSRs to memory, and leaves them in the hart as well: for reports. */
void state_copy(struct hext_vcpu *v);

/* --- one register --- */

static inline uint64_t state_pc(const struct hext_vcpu *v)
{
	return v->cpu != NULL ? csr_read(sepc) : v->csr.pc;
}

/* Steps over an instruction. */
static inline void state_advance(struct hext_vcpu *v, unsigned bytes)
{
	if (MM_LIKELY(v->cpu != NULL))
		csr_write(sepc, csr_read(sepc) + bytes);
	else
		v->csr.pc += bytes;
}

/* x0 stays 0. */
static inline void state_set_reg(struct hext_vcpu *v, unsigned n, uint64_t value)
{
	if (n != 0)
		v->x[n] = value;
}

#endif
