/*
 * The state of one virtual CPU, and where it is.
 *
 * Most of it is in the hart's own registers for as long as this vCPU is the last that the hart
 * ran: entering and leaving the guest then moves nothing but what C code needs for itself.
 *
 *	x1 ra, x2 sp, x4 tp, x5..x17, x28..x31	in memory from exit to entry
 *	x3 gp, x18..x27 (s2..s11)		stay in the registers: the hypervisor is compiled
 *						not to use them (Makefile)
 *	sepc, sstatus, hstatus, VS CSRs, hgatp	stay in the registers
 *
 * state_load() brings a vCPU onto the hart; state_unload() takes it off. vcpu->cpu says where it
 * is: NULL, all in memory, or the one hart whose struct cpu points back at it.
 */
#ifndef HEXT_VCPU_STATE_H
#define HEXT_VCPU_STATE_H

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
	uint64_t host_ra; /* VCPU_HOST_RA: while the guest runs */
	struct cpu *cpu;
	struct hext_csrs csr;
	struct aspace *as;
};

_Static_assert(offsetof(struct hext_vcpu, x[31]) == VCPU_X(31), "offsets.h");
_Static_assert(offsetof(struct hext_vcpu, host_sp) == VCPU_HOST_SP, "offsets.h");
_Static_assert(offsetof(struct hext_vcpu, host_tp) == VCPU_HOST_TP, "offsets.h");
_Static_assert(offsetof(struct hext_vcpu, host_ra) == VCPU_HOST_RA, "offsets.h");
_Static_assert(sizeof(struct hext_vcpu) <= MM_PAGE_SIZE, "one frame each");

/* --- entry.S --- */

/* The trap vector once cpu_enable() has run: guest exits, and the rest on to host_trap. */
void hext_trap(void);
/* The general registers that stay on the hart, to and from x[]. */
void hext_spill(struct hext_vcpu *v);
void hext_fill(const struct hext_vcpu *v);
/* One of them. */
uint64_t hext_live(unsigned n);
void hext_set_live(unsigned n, uint64_t value);

/* --- vcpu_state.c --- */

/* Onto this hart, taking off whoever is there. v is on none. */
void state_load(struct cpu *cpu, struct hext_vcpu *v);
/* Off this hart, if it is on it; it is not on another. */
void state_unload(struct hext_vcpu *v);
/* Copies what is on this hart to memory, and leaves it there as well: for reports. */
void state_copy(struct hext_vcpu *v);

/* --- one register, wherever it is --- */

/* x3 and x18 to x27 are on the hart while the vCPU is. */
#define LIVE_REGISTERS ((uint32_t)(BIT(3) | GENMASK(27, 18)))

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

static inline uint64_t state_reg(const struct hext_vcpu *v, unsigned n)
{
	if (MM_UNLIKELY((LIVE_REGISTERS >> n & 1) != 0) && v->cpu != NULL)
		return hext_live(n);
	return v->x[n];
}

static inline void state_set_reg(struct hext_vcpu *v, unsigned n, uint64_t value)
{
	if (MM_UNLIKELY((LIVE_REGISTERS >> n & 1) != 0) && v->cpu != NULL)
		hext_set_live(n, value);
	else if (n != 0)
		v->x[n] = value;
}

#endif
