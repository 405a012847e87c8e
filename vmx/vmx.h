/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMX (Intel SDM vol. 3C): the private header of this folder.
 *
 *	ops.c          struct virt_ops
 *	caps.c         detects the features of VMX; struct vmx_caps
 *	cpu.c          switches VMX on for one CPU; the current VMCS of each CPU
 *	vcpu.c         creates and destroys a vCPU; the set-up of its VMCS; its registers
 *	enter.S        the world switch; offsets.h has its offsets
 *	run.c          the loop around it: deadline, pending interrupt, exits that resume
 *	exit.c         decides what an exit is
 *	event.c        injects interrupts and exceptions; steps over an instruction
 *	sysreg.c       emulated registers: CPUID, control registers, MSRs
 *	mmio.c         decodes and completes a device access
 *	flush.c        INVEPT on this CPU and on the others
 *	pml.c          page-modification logging
 *	mitigations.c  L1TF and iTLB multi-hit (mitigations.h; pure)
 *	vmcs.h         VMX as the SDM defines it
 *
 * Invariants:
 *   - A VMCS is current on at most one CPU. vmx_vcpu.cpu names it, and vmread() and vmwrite()
 *     access the VMCS of that vCPU. A function that takes a struct vmx_vcpu and accesses its VMCS
 *     is called after vmx_ensure_loaded().
 *   - vmx_caps is constant after the probe.
 */
#ifndef VMX_VMX_H
#define VMX_VMX_H

#include <stdbool.h>
#include <stdint.h>

#include "machine.h"
#include "mm/addr.h"
#include "mm/compiler.h"
#include "vcpu.h"
#include "vm_exit.h"
#include "vmx/mitigations.h"
#include "vmx/vmcs.h"
#include "x86/shootdown.h"
#include "x86/stage1.h"
#include "x86/x86.h"

/* A VMX control word: the bits that must be 1, and those that may be (SDM vol. 3D, A.2). */
struct vmx_control {
	uint32_t must;
	uint32_t may;
};

/* The capabilities, which are the same on every CPU, and the control words chosen from them. */
struct vmx_caps {
	uint32_t revision; /* of VMXON regions and VMCSs */
	struct vmx_control pin, proc, proc2, exit, entry;
	uint64_t ept_vpid;         /* IA32_VMX_EPT_VPID_CAP */
	unsigned preemption_shift; /* the preemption timer counts once per 2^n TSC ticks */

	/* What Faultline uses. */
	bool preemption_timer;
	bool vpid;
	uint32_t pin_controls, proc_controls, proc2_controls, exit_controls, entry_controls;
	struct vmx_mitigations mitigations;
};

extern struct vmx_caps vmx_caps;

/* Page-modification logging: pml.c. */
struct vmx_pml {
	mm_hpa_t buffer;     /* the CPU writes it; one frame. 0: logging is off */
	mm_hpa_t ring;       /* entries moved out of the buffer, oldest first */
	size_t first, count; /* the part of the ring that is in use */
	unsigned full_exits; /* page-modification-log-full exits since the last vmx_take_writes() */
	bool lost;           /* the ring was full */
};

/* One frame, at vcpu.arch. */
struct vmx_vcpu {
	struct x86_vcpu x86;
	uint64_t host_rsp; /* VMCS_HOST_RSP, or 0. enter.S: VMX_HOST_RSP */

	struct vmx_cpu *cpu; /* the CPU on which the VMCS is active, or NULL */
	uint64_t eptp;
	mm_hpa_t root; /* of the tables in eptp */
	mm_hpa_t vmcs;
	uint16_t vpid;
	bool launched; /* VMLAUNCH has succeeded since the last VMCLEAR */

	uint64_t deadline; /* the timer's, in TSC ticks; 0: the timer is not set for this vCPU */

	uint64_t rip;          /* of the last exit, or of the next instruction if stepped over */
	uint32_t reason;       /* of the last exit */
	bool event_queued;     /* the VMCS holds an event to inject */
	bool interrupt_window; /* interrupt-window exiting is on */

	struct vmx_pml pml;
};

_Static_assert(sizeof(struct vmx_vcpu) <= MM_PAGE_SIZE, "a vCPU's state fits a frame");

struct vmx_cpu {
	bool on;                  /* in VMX operation */
	struct vmx_vcpu *current; /* the vCPU whose VMCS is current, or NULL */
	struct shootdown_cpu *shootdown;
} MM_ALIGNED_TO(64);

extern struct vmx_cpu vmx_cpus[MACHINE_MAX_CPUS];

static inline struct vmx_vcpu *vmx_of(const struct vcpu *vcpu)
{
	return vcpu->arch;
}

static inline struct vmx_cpu *vmx_this_cpu(void)
{
	return &vmx_cpus[machine_cpu_index()];
}

/* Functions without a comment implement the entry of struct virt_ops with the same name. */

/* --- caps.c --- */
bool vmx_probe(struct virt_caps *caps);

/* --- cpu.c --- */
bool vmx_cpu_enable(const char **why);
/* Makes the vCPU's VMCS current on this CPU and loads the state that no VMCS holds. The vCPU is
 * loaded on no other CPU: virt_ops.park unloaded it there. */
void vmx_load(struct vmx_vcpu *v);
static inline void vmx_ensure_loaded(struct vmx_vcpu *v)
{
	if (MM_UNLIKELY(v->cpu == NULL || v->cpu->current != v))
		vmx_load(v);
}
/* Writes the vCPU's whole state to memory. Called on the CPU that has it, if one has. */
void vmx_unload(struct vmx_vcpu *v);

/* --- vcpu.c --- */
enum mm_error vmx_create(struct vcpu *vcpu, const struct vcpu_config *config);
void vmx_destroy(struct vcpu *vcpu);
void vmx_park(struct vcpu *vcpu);
/* The state that a walk of the guest's page tables depends on. */
void vmx_read_stage1(const struct vmx_vcpu *v, struct stage1 *out);
enum mm_error vmx_translate(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access, mm_gpa_t *out);
uint64_t vmx_pc(const struct vcpu *vcpu);
size_t vmx_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

/* --- enter.S --- */
/* Enters the guest until it exits. See there for the return values. */
unsigned vmx_enter(struct vmx_vcpu *v, bool launched);
#define ENTER_NO_VMCS 1U
/* VMCS_HOST_RIP: the CPU continues here after an exit. */
extern const uint8_t vmx_exit_point[];

/* --- run.c --- */
void vmx_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

/* --- exit.c --- */
/* Handles the exit that has just happened. */
enum exit_action vmx_handle_exit(struct vmx_vcpu *v, uint64_t deadline, struct vm_exit *exit);
/* VMfail: the entry instruction failed, and no guest instruction was executed. */
void vmx_decode_vmfail(struct vm_exit *exit, bool no_vmcs);

/* --- event.c --- */
/* Injects an event again whose delivery caused the exit, or which was the exit itself. `event` is
 * the exit's interruption or IDT-vectoring information, `error_code` the field with its error
 * code. */
void vmx_reinject(struct vmx_vcpu *v, uint64_t event, enum vmcs_field error_code);
/* The interrupt line is raised: injects the interrupt, or turns interrupt-window exiting on. */
void vmx_inject_interrupt(struct vmx_vcpu *v);
/* Turns interrupt-window exiting off. */
void vmx_close_window(struct vmx_vcpu *v);
/* Completes the instruction at v->rip: the guest continues at `rip`. */
void vmx_step_to(struct vmx_vcpu *v, uint64_t rip);
/* The same, by the instruction length that the exit recorded. */
void vmx_step(struct vmx_vcpu *v);
void vmx_inject_undefined(struct vcpu *vcpu);
/* An exception that has an error code. */
void vmx_inject_exception(struct vmx_vcpu *v, enum x86_exception vector, uint32_t code);

/* --- sysreg.c --- */
/* The page that VMCS_MSR_BITMAP points at. Filled by vmx_sysreg_init(), which the probe calls. */
extern uint8_t vmx_msr_bitmap[MM_PAGE_SIZE];
void vmx_sysreg_init(void);
/* CR0 and CR4: what the guest owns, and its start values. */
void vmx_setup_control_registers(void);
enum exit_action vmx_handle_cpuid(struct vmx_vcpu *v);
enum exit_action vmx_decode_cr_access(struct vmx_vcpu *v, struct vm_exit *exit);
void vmx_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value);

/* --- mmio.c --- */
enum mm_error vmx_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access);
bool vmx_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

/* --- flush.c --- */
void vmx_flush(void *ctx, const struct mm_flush *request);
/* Invalidates the TLB entries of one root, or of all (SHOOTDOWN_ALL), on this CPU. */
void vmx_invalidate(const struct vmx_cpu *cpu, uint64_t root);

/* --- pml.c --- */
bool vmx_log_writes(struct vcpu *vcpu, bool on);
struct vcpu_writes vmx_take_writes(struct vcpu *vcpu, mm_gpa_t out[], size_t most);
/* The exit says that the CPU's buffer is full. */
void vmx_pml_full(struct vmx_vcpu *v);

#endif
