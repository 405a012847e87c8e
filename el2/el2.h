/*
 * What the files of this folder share. A vCPU's registers are in one of two places: in struct
 * el2_vcpu, or, for those of EL1, in the CPU that ran it last (el2_cpu.loaded), where they stay
 * until another vCPU wants that CPU or park() brings them home.
 */
#ifndef EL2_EL2_H
#define EL2_EL2_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/aarch64.h"
#include "el2/regs.h"
#include "vcpu.h"

/* EL1 and EL0 state that no entry or exit moves: the guest changes it behind our back. */
/* clang-format off */
#define EL1_STATE(X) \
	X(sctlr_el1) X(cpacr_el1) X(ttbr0_el1) X(ttbr1_el1) X(tcr_el1) X(mair_el1) \
	X(amair_el1) X(vbar_el1) X(contextidr_el1) X(esr_el1) X(far_el1) X(afsr0_el1) \
	X(afsr1_el1) X(par_el1) X(tpidr_el0) X(tpidrro_el0) X(tpidr_el1) X(sp_el0) \
	X(sp_el1) X(elr_el1) X(spsr_el1) X(cntkctl_el1) X(cntv_ctl_el0) X(cntv_cval_el0) \
	X(csselr_el1) X(mdscr_el1)
/* clang-format on */

struct el1_state {
#define EL1_MEMBER(name) uint64_t name;
	EL1_STATE(EL1_MEMBER)
#undef EL1_MEMBER
};

/* A device access in progress. */
struct el2_mmio {
	struct a64_access insn; /* meaningful if the syndrome did not say it all */
	bool decoded;           /* it did not */
	bool second;            /* of a pair, the second access is due */
	uint64_t first;         /* what the first has read */
};

struct el2_cpu;

struct el2_vcpu {
	uint64_t x[31]; /* enter.S knows these three */
	uint64_t pc;
	uint64_t pstate;

	uint64_t hcr;
	uint64_t vtcr;
	uint64_t vttbr;
	uint64_t vmpidr;
	struct el1_state el1;
	struct el2_cpu *home; /* where el1 is loaded; NULL: it is above */
	struct vcpu *vcpu;

	bool line;   /* what set_interrupt() says of the guest's interrupt line */
	bool vtimer; /* ...and what the guest's timer does */
	struct el2_mmio mmio;
};

#define EL2_RECENT 64

/* Per CPU that runs guests. */
struct el2_cpu {
	struct el2_vcpu *loaded; /* whose EL1 state is in the registers */
	uint64_t deadline;       /* as run() was given it; the timer is set to that or less */
	/* By tag, the vCPU that ran here last: see el2_load(). */
	const struct el2_vcpu *recent[EL2_RECENT];
};

static inline struct el2_vcpu *el2_of(const struct vcpu *vcpu)
{
	return vcpu->arch;
}

/* --- caps.c: what this machine has, known after the probe --- */

struct el2_machine {
	bool range_tlbi;
	bool vmid16;
	bool lpa2;        /* and a physical address size of 52 bits to go with it */
	bool dirty_state; /* the walker sets access flags and dirty state */
	bool gicv3;
	uint8_t pa_range; /* ID_AA64MMFR0_EL1.PARange, 48 bits at most: without LPA2's descriptors
	                   */
};

extern struct el2_machine el2_machine;

bool el2_probe(struct virt_caps *caps);

/* --- cpu.c --- */

bool el2_cpu_enable(const char **why);

/* --- vcpu.c --- */

enum mm_error el2_create(struct vcpu *vcpu, const struct vcpu_config *config) MM_MUST_CHECK;
void el2_destroy(struct vcpu *vcpu);
void el2_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

/* --- switch.c: whose state is in the registers --- */

/* Makes v's EL1 state and address space the ones loaded on this CPU. */
void el2_load(struct el2_vcpu *v);
void el2_park(struct vcpu *vcpu);
/* Writes v->hcr to the hardware if v is loaded here. */
void el2_hcr_changed(const struct el2_vcpu *v);

/* --- vtimer.c: the guest's timer; v is loaded --- */

bool el2_vtimer_fired(void);
void el2_vtimer_raise(struct el2_vcpu *v);
void el2_vtimer_poll(struct el2_vcpu *v);
/* Sets the hypervisor's timer for this vCPU. */
void el2_set_alarm(const struct el2_vcpu *v, uint64_t deadline);

/* --- enter.S --- */

/* Runs v until el2_exit() says that an exit concerns its caller. v is loaded. */
void el2_enter(struct el2_vcpu *v, struct vm_exit *exit);
extern const char el2_vectors[];

/* --- exit.c, exit_rare.c: each turns the exit just taken into *exit. False: nothing that
 * concerns anybody else, go on. --- */

bool el2_exit(struct el2_vcpu *v, struct vm_exit *exit);
bool el2_exit_other(struct el2_vcpu *v, unsigned left, struct vm_exit *exit);
bool el2_exit_rare(struct el2_vcpu *v, uint64_t esr, struct vm_exit *exit);

/* --- sysreg.c --- */

/* A trapped MRS or MSR. True if it is done, and the guest goes on after it. */
bool el2_sysreg(struct el2_vcpu *v, uint64_t iss);

/* --- idregs.c --- */

bool el2_is_id_register(uint64_t reg);
uint64_t el2_read_id_register(uint64_t reg);

/* --- event.c: what is done to a guest between exits --- */

void el2_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second);
void el2_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value);
void el2_inject_undefined(struct vcpu *vcpu);
/* v->line or v->vtimer is another now. */
void el2_line_changed(struct el2_vcpu *v);
void el2_set_interrupt(struct vcpu *vcpu, bool pending);
enum mm_error el2_translate(struct vcpu *vcpu, gva_t gva, enum mm_perm access, gpa_t *out);
uint64_t el2_pc(const struct vcpu *vcpu);
size_t el2_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

/* The hardware's walk for the vCPU that is loaded, as PAR_EL1 has it: stage 1 alone, for a read at
 * EL1 (which is refused nothing that is mapped); or both stages, for a read where v is. */
uint64_t el2_stage1(uint64_t address);
uint64_t el2_both_stages(const struct el2_vcpu *v, uint64_t address);

/* --- mmio.c --- */

enum mm_error el2_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access);
bool el2_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

/* --- flush.c --- */

uint64_t el2_vttbr(hpa_t root, uint32_t tag);
void el2_flush(void *ctx, const struct mm_flush *request);

#endif
