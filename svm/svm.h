/*
 * What the files of this room share: a virtual CPU's state, and a CPU's.
 *
 *	caps.c     what the machine has
 *	cpu.c      SVM on and off; which vCPU a CPU ran last
 *	vcpu.c     a VMCB's first contents
 *	enter.S    into the guest and out of it
 *	event.c    exceptions and interrupts for the guest; past an instruction
 *	exit.c     what an exit says
 *	run.c      enter, decode, again
 *	mmio.c     the guest's registers, as the shared decoder and reports want them
 *	ops.c      struct virt_ops
 */
#ifndef SVM_SVM_H
#define SVM_SVM_H

#include <stdbool.h>
#include <stdint.h>

#include "machine.h"
#include "mm/addr.h"
#include "mm/compiler.h"
#include "svm/vmcb.h"
#include "vcpu.h"
#include "x86/guest_regs.h"
#include "x86/mmio.h"

#define SVM_NO_CPU UINT32_MAX

#define MSR_VM_CR      0xc0010114U /* APM vol. 2, 15.30.1 */
#define MSR_VM_HSAVE   0xc0010117U
#define VM_CR_SVM_LOCK BIT(3)
#define VM_CR_SVMDIS   BIT(4)
#define EFER_SVME      BIT(12)

/* One frame of its own, which vcpu.arch points at. */
struct svm_vcpu {
	uint64_t gpr[GPR_COUNT]; /* all but RSP, which the VMCB has; enter.S knows it is first */

	struct vmcb *vmcb; /* a frame of its own, too */
	struct vcpu *vcpu;
	uint32_t cpu;        /* where it ran last, or SVM_NO_CPU */
	bool interrupt_line; /* set_interrupt() */

	struct x86_mmio mmio;               /* a device access in flight, */
	struct x86_guest view;              /* and the guest as it is for that */
	uint8_t fpu[512] MM_ALIGNED_TO(16); /* while another vCPU has the CPU */
};

_Static_assert(sizeof(struct svm_vcpu) <= MM_PAGE_SIZE, "a vCPU's state fits a frame");

/* What CPUID says of SVM, known after the probe: APM vol. 3, Fn8000_000A. */
struct svm_caps {
	bool next_rip;      /* exits save the address of the next instruction */
	bool flush_by_asid; /* TLB_CONTROL can spare the other ASIDs */
	bool vmcb_clean;
	bool decode_assists; /* the VMCB has the bytes of an instruction that faulted */
	uint32_t asids;
};

extern struct svm_caps svm_caps;

struct svm_cpu {
	struct svm_vcpu *current; /* whose FPU state is here; NULL: nobody's */
	uint64_t timer_deadline;  /* what the local APIC's timer is set to */
	uint64_t host_area;       /* its own FS, GS, TR and the like, in VMSAVE's layout */
	struct shootdown_cpu *shootdown;
	bool flush_all; /* every ASID, at the next entry */
} MM_ALIGNED_TO(64);

extern struct svm_cpu svm_cpus[MACHINE_MAX_CPUS];

static inline struct svm_vcpu *svm_of(const struct vcpu *vcpu)
{
	return vcpu->arch;
}

static inline struct svm_cpu *svm_this_cpu(void)
{
	return &svm_cpus[machine_cpu_index()];
}

/* --- probe.c --- */
bool svm_probe(struct virt_caps *caps);

/* --- cpu.c --- */
bool svm_cpu_enable(const char **why);
/* The vCPU is about to run here, and was not the last to do so. */
void svm_load(struct svm_cpu *cpu, struct svm_vcpu *v);
/* Takes it out of this CPU. */
void svm_park(struct vcpu *vcpu);

/* --- vcpu.c --- */
void svm_setup(struct svm_vcpu *v, const struct vcpu_config *config);

/* --- event.c --- */
void svm_queue_exception(struct svm_vcpu *v, unsigned vector, bool has_error, uint32_t error);
/* The exit happened while an event was being delivered: delivers it again. */
void svm_requeue(struct svm_vcpu *v);
/* What hardware is to do about the interrupt line at the next entry. */
void svm_offer_interrupt(struct svm_vcpu *v);
/* Past the instruction that exited: `bytes` of it after any prefixes. */
void svm_step(struct svm_vcpu *v, unsigned bytes);
void svm_step_to(struct svm_vcpu *v, uint64_t rip);
void svm_inject_undefined(struct vcpu *vcpu);
void svm_set_interrupt(struct vcpu *vcpu, bool pending);

/* --- exit.c --- */
/* True: nothing that the caller need know, run the guest again. */
bool svm_decode(struct svm_vcpu *v, uint64_t deadline, struct vm_exit *exit);

/* --- run.c --- */
void svm_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

/* --- flush.c --- */
void svm_flush(void *ctx, const struct mm_flush *request);

#endif
