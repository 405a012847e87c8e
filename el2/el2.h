/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AArch64 at EL2 (Arm ARM, DDI 0487): the private header of this folder.
 *
 *	ops.c         struct virt_ops
 *	caps.c        detects the features of this CPU; struct el2_caps
 *	cpu.c         switches EL2's traps on for one CPU; loads and unloads a vCPU
 *	vcpu.c        creates and destroys a vCPU; its registers
 *	enter.S       the world switch, and the loop around it; offsets.h has its offsets
 *	run.c         loads the vCPU, sets the deadline, and enters
 *	exit.c        decides what an exit is
 *	event.c       injects interrupts and exceptions
 *	vtimer.c      the guest's virtual timer, without a virtual interrupt controller
 *	sysreg.c      trapped system registers, among them the ID and debug registers
 *	mmio.c        decodes and completes a device access
 *	flush.c       TLBI on all CPUs; tlbi.h has the operands
 *	guest_walk.c  translation of guest addresses by AT
 *	state.h       the registers that are switched with a vCPU
 *	fp.S          the vector registers
 *	regs.h        the registers as the Arm ARM defines them
 *
 * Invariants:
 *   - x0 to x30, PC and PSTATE of a vCPU are in memory except while its guest runs.
 *   - The registers of struct el1_state are in memory, or in the CPU on which the vCPU is loaded.
 *     el2_vcpu.cpu is that CPU, whose el2_cpu.loaded points back; or NULL. The hypervisor uses no
 *     vector register.
 *   - el2_caps is constant after the probe.
 */
#ifndef EL2_EL2_H
#define EL2_EL2_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/aarch64.h"
#include "el2/regs.h"
#include "el2/state.h"
#include "vcpu.h"
#include "vm_exit.h"

/* The features that this folder uses. The same on every CPU. */
struct el2_caps {
	bool range_tlbi;
	bool vmid16;
	bool lpa2;        /* and physical addresses of 52 bits */
	bool dirty_state; /* the walker sets access flags and dirty state */
	bool gicv3;
	bool fp; /* floating point and SIMD */
	bool ras;
	bool sme;
	bool csv2;        /* SCXTNUM_EL0 and SCXTNUM_EL1 */
	uint8_t pa_range; /* ID_AA64MMFR0_EL1.PARange, at most PARANGE_48 */
};

extern struct el2_caps el2_caps;

#define EL2_VECTOR_WORDS 64 /* 32 registers of 128 bits */

struct el1_state {
	uint64_t vectors[EL2_VECTOR_WORDS];
#define EL1_MEMBER(name) uint64_t name;
	EL1_STATE(EL1_MEMBER)
	EL1_STATE_FP(EL1_MEMBER)
	EL1_STATE_RAS(EL1_MEMBER)
	EL1_STATE_SME(EL1_MEMBER)
	EL1_STATE_CSV2(EL1_MEMBER)
#undef EL1_MEMBER
};

/* A device access in progress. */
struct el2_mmio {
	struct a64_access insn; /* if decoded */
	bool decoded;           /* from the instruction, not from the syndrome */
	bool second;            /* the next access is the second one of a pair */
	uint64_t first;         /* the value read by the first one */
};

struct el2_cpu;

/* One frame, at vcpu.arch. */
struct el2_vcpu {
	uint64_t x[31]; /* VCPU_X */
	uint64_t pc;    /* VCPU_PC */
	uint64_t pstate;

	uint64_t hcr;
	uint64_t vtcr;
	uint64_t vttbr;
	uint64_t vmpidr;
	uint64_t cntvoff; /* the same for all vCPUs of a VM */
	struct el1_state el1;
	struct el2_cpu *cpu; /* the CPU on which it is loaded, or NULL */
	struct vcpu *vcpu;

	bool line;   /* the interrupt line: el2_set_interrupt() */
	bool vtimer; /* the virtual timer's interrupt is pending */
	struct el2_mmio mmio;
};

#define EL2_RECENT 64

struct el2_cpu {
	struct el2_vcpu *loaded;
	uint64_t deadline; /* of el2_run(); the timer is set to it, or earlier */
	bool vtimer_off;   /* the virtual timer's interrupt is disabled: vtimer.c */
	/* By VMID, the vCPU that was loaded last: invalidate_sibling() in cpu.c. */
	const struct el2_vcpu *recent[EL2_RECENT];
};

static inline struct el2_vcpu *el2_of(const struct vcpu *vcpu)
{
	return vcpu->arch;
}

/* An instruction of A64. */
#define EL2_INSN_BYTES 4

/* x31 is the zero register. */
#define EL2_ZERO_REG 31

static inline uint64_t el2_x(const struct el2_vcpu *v, unsigned n)
{
	return n == EL2_ZERO_REG ? 0 : v->x[n];
}

static inline void el2_set_x(struct el2_vcpu *v, unsigned n, uint64_t value)
{
	if (n != EL2_ZERO_REG)
		v->x[n] = value;
}

/* Functions without a comment implement the entry of struct virt_ops with the same name. */

/* --- caps.c --- */
bool el2_probe(struct virt_caps *caps);

/* --- cpu.c --- */
bool el2_cpu_enable(const char **why);
/* Loads v on this CPU, if it is not, and unloads the vCPU that is loaded here. v is loaded on no
 * other CPU: virt_ops.park unloaded it there. */
void el2_load(struct el2_vcpu *v);
void el2_park(struct vcpu *vcpu);
/* Writes v->hcr to HCR_EL2 if v is loaded on this CPU. */
void el2_update_hcr(const struct el2_vcpu *v);

/* --- vcpu.c --- */
enum mm_error el2_create(struct vcpu *vcpu, const struct vcpu_config *config) MM_MUST_CHECK;
void el2_destroy(struct vcpu *vcpu);
uint64_t el2_pc(const struct vcpu *vcpu);
size_t el2_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

/* --- enter.S --- */
/* Runs the guest, which is loaded on this CPU, until an exit handler returns EXIT_RETURN. */
void el2_enter(struct el2_vcpu *v, struct vm_exit *exit);
extern const char el2_vectors[];

/* --- fp.S --- */
void el2_save_vectors(uint64_t to[EL2_VECTOR_WORDS]);
void el2_load_vectors(const uint64_t from[EL2_VECTOR_WORDS]);

/* --- run.c --- */
void el2_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

/* --- exit.c --- */
/* Called by enter.S, after a synchronous exception and after any other (`vector`: offsets.h). */
enum exit_action el2_handle_exit(struct el2_vcpu *v, struct vm_exit *exit);
enum exit_action el2_handle_other_exit(struct el2_vcpu *v, unsigned vector, struct vm_exit *exit);
void el2_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second);

/* --- event.c --- */
void el2_inject_undefined(struct vcpu *vcpu);
void el2_set_interrupt(struct vcpu *vcpu, bool pending);
/* Sets HCR_EL2.VI after a change of v->line or v->vtimer. */
void el2_update_interrupt(struct el2_vcpu *v);

/* --- vtimer.c; v is loaded --- */
bool el2_vtimer_fired(void);
/* Makes the interrupt of the virtual timer pending. */
void el2_vtimer_raise(struct el2_vcpu *v);
/* Tests whether it is still pending. */
void el2_vtimer_poll(struct el2_vcpu *v);
/* Disables the timer's interrupt on this CPU while it is pending for v, and enables it otherwise.
 */
void el2_vtimer_match(const struct el2_vcpu *v);
/* Sets the hypervisor's timer to the deadline, or to the next poll if that is earlier. */
void el2_set_timer(const struct el2_vcpu *v, uint64_t deadline);

/* --- sysreg.c --- */
/* A trapped MRS or MSR. raw[] of *exit is set. */
enum exit_action el2_handle_sysreg(struct el2_vcpu *v, struct vm_exit *exit);
void el2_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value);

/* --- mmio.c --- */
enum mm_error el2_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access);
bool el2_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

/* --- flush.c --- */
uint64_t el2_vttbr(mm_hpa_t root, uint32_t tag);
void el2_flush(void *ctx, const struct mm_flush *request);

/* --- guest_walk.c: AT for the vCPU that is loaded; the results are PAR_EL1's --- */
/* Stage 1 only, for a read at EL1, which may read every page that is mapped. */
uint64_t el2_at_stage1(uint64_t address);
/* Both stages, for a read at the vCPU's exception level. */
uint64_t el2_at_both_stages(const struct el2_vcpu *v, uint64_t address);
enum mm_error el2_translate(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access, mm_gpa_t *out);

#endif
