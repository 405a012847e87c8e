/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SVM (AMD APM vol. 2, ch. 15): the private header of this folder.
 *
 *	ops.c     struct virt_ops
 *	caps.c    detects the features of SVM; struct svm_caps
 *	cpu.c     switches SVM on for one CPU; the vCPU that is loaded on each CPU
 *	vcpu.c    creates and destroys a vCPU; the set-up of its VMCB; its registers
 *	enter.S   the world switch; offsets.h has its offset
 *	run.c     the loop around it: deadline, pending interrupt, exits that resume
 *	exit.c    decides what an exit is
 *	event.c   injects interrupts and exceptions
 *	sysreg.c  emulated registers: CPUID, EFER, CR4, MSRs
 *	mmio.c    decodes and completes a device access
 *	flush.c   TLB flushes on this CPU and on the others
 *	insn.c    steps over an instruction, on CPUs that do not report its length, too
 *	vmcb.h    SVM as the APM defines it
 *
 * Invariants:
 *   - A VMCB is in memory, and the CPU may cache it between two VMRUNs. A write to a field whose
 *     clean bit (15.15.3) is set clears that bit.
 *   - svm_caps is constant after the probe.
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
#include "vm_exit.h"
#include "x86/shootdown.h"
#include "x86/stage1.h"
#include "x86/x86.h"

/* CPUID Fn8000_000A: APM vol. 3, appendix E. */
struct svm_caps {
	bool next_rip;       /* NRIPS: exits save the address of the next instruction */
	bool flush_by_asid;  /* FlushByAsid: TLB_CONTROL can flush one ASID */
	bool decode_assists; /* DecodeAssists: the VMCB has the bytes of a faulting instruction */
	uint32_t asids;
};

extern struct svm_caps svm_caps;

/* One frame, at vcpu.arch. */
struct svm_vcpu {
	struct x86_vcpu x86;
	struct vmcb *vmcb; /* one frame */
};

_Static_assert(sizeof(struct svm_vcpu) <= MM_PAGE_SIZE, "a vCPU's state fits a frame");

struct svm_cpu {
	struct svm_vcpu *current; /* the vCPU whose state is on this CPU, or NULL */
	uint64_t timer_deadline;  /* what the local APIC's timer is set to, in TSC ticks */
	uint64_t host_area;       /* address of the host's FS, GS, TR, ... in VMSAVE's layout */
	struct shootdown_cpu *shootdown;
	bool flush_all; /* the next entry flushes all ASIDs */
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

/* The TLB_CONTROL value that flushes at least one ASID. */
static inline uint32_t svm_tlb_flush_asid(void)
{
	return svm_caps.flush_by_asid ? TLB_FLUSH_ASID : TLB_FLUSH_ALL;
}

static inline unsigned svm_code_width(const struct vmcb *vmcb)
{
	return x86_code_width(vmcb->efer, vmcb->cs.attributes & ATTRIBUTE_LONG,
	                      vmcb->cs.attributes & ATTRIBUTE_BIG);
}

/* The state that a walk of the guest's page tables depends on. */
static inline void svm_read_stage1(const struct svm_vcpu *v, struct stage1 *out)
{
	const struct vmcb *vmcb = v->vmcb;

	*out = (struct stage1){
		.as = v->x86.as,
		.cr0 = vmcb->cr0,
		.cr3 = vmcb->cr3,
		.cr4 = vmcb->cr4,
		.efer = vmcb->efer,
		.user = vmcb->cpl == 3,
		.access_user = vmcb->rflags & RFLAGS_AC,
	};
	x86_stage1_limits(out);
}

/* Functions without a comment implement the entry of struct virt_ops with the same name. */

/* --- caps.c --- */
bool svm_probe(struct virt_caps *caps);

/* --- cpu.c --- */
bool svm_cpu_enable(const char **why);
/* Loads the state that no VMCB holds. The vCPU is loaded on no other CPU. */
void svm_load(struct svm_cpu *cpu, struct svm_vcpu *v);
/* Writes that state to memory, if this CPU has it. */
void svm_unload(struct svm_vcpu *v);

/* --- vcpu.c --- */
enum mm_error svm_create(struct vcpu *vcpu, const struct vcpu_config *config);
void svm_destroy(struct vcpu *vcpu);
void svm_park(struct vcpu *vcpu);
enum mm_error svm_translate(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access, mm_gpa_t *out);
uint64_t svm_pc(const struct vcpu *vcpu);
size_t svm_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

/* --- enter.S --- */
/* Enters the guest until it exits. `vmcb` and `host_area` are physical addresses. */
void svm_enter(struct svm_vcpu *v, uint64_t vmcb, uint64_t host_area);

/* --- run.c --- */
void svm_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

/* --- exit.c --- */
/* Handles the exit that has just happened. */
enum exit_action svm_handle_exit(struct svm_vcpu *v, uint64_t deadline, struct vm_exit *exit);

/* --- event.c --- */
/* `code` is used if the exception has an error code. */
void svm_inject_exception(struct svm_vcpu *v, enum x86_exception vector, uint32_t code);
/* Injects the event again whose delivery caused the exit. */
void svm_reinject(struct svm_vcpu *v);
/* Before each entry: injects the interrupt, or sets V_IRQ, if the interrupt line is raised. */
void svm_inject_interrupt(struct svm_vcpu *v);
void svm_inject_undefined(struct vcpu *vcpu);

/* --- sysreg.c --- */
/* What iopm_base and msrpm_base point at. Filled by svm_sysreg_init(), which the probe calls. */
extern uint8_t svm_io_bitmap[3 * MM_PAGE_SIZE];
extern uint8_t svm_msr_bitmap[2 * MM_PAGE_SIZE];
void svm_sysreg_init(void);
enum exit_action svm_handle_cpuid(struct svm_vcpu *v);
enum exit_action svm_handle_xsetbv(struct svm_vcpu *v);
enum exit_action svm_handle_msr(struct svm_vcpu *v, struct vm_exit *exit);
enum exit_action svm_handle_cr4_write(struct svm_vcpu *v, struct vm_exit *exit);
void svm_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value);

/* --- mmio.c --- */
size_t svm_given_insn(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES]);
enum mm_error svm_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access);
bool svm_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

/* --- flush.c --- */
void svm_flush(void *ctx, const struct mm_flush *request);

/* --- insn.c --- */
/* Lengths of the instructions that exit, in bytes, without prefixes. */
#define LENGTH_HLT     1U
#define LENGTH_CPUID   2U
#define LENGTH_INVD    2U /* and WBINVD */
#define LENGTH_MSR     2U
#define LENGTH_MOV_CR  3U
#define LENGTH_VMMCALL 3U
#define LENGTH_XSETBV  3U

/* Completes the instruction at RIP: the guest continues at `rip`. */
void svm_step_to(struct svm_vcpu *v, uint64_t rip);
/* The same; the instruction has `bytes` bytes after its prefixes. */
void svm_step(struct svm_vcpu *v, unsigned bytes);
/* The general register that the MOV to a control register at RIP reads. */
enum mm_error svm_mov_cr_source(struct svm_vcpu *v, uint8_t *gpr) MM_MUST_CHECK;

#endif
