/*
 * What the files of this room share: a virtual CPU's state, and a CPU's.
 *
 *	probe.c  caps.c   what the machine has
 *	mitigations.c     which errata it has, and what is done about them
 *	cpu.c             VMX operation on and off; which VMCS a CPU has loaded
 *	flush.c           INVEPT here and on the other CPUs
 *	vcpu.c            a VMCS's first contents
 *	enter.S           into the guest and out of it
 *	event.c           exceptions and interrupts for the guest
 *	exit.c            what an exit says
 *	run.c             enter, decode, again
 *	pml.c             the CPU's own log of pages written
 *	mmio.c  state.c   the guest's registers, as the shared decoder and reports want them
 *	ops.c             struct virt_ops
 */
#ifndef VMX_VMX_H
#define VMX_VMX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine.h"
#include "mm/addr.h"
#include "mm/compiler.h"
#include "vcpu.h"
#include "vmx/vmcs.h"
#include "x86/guest_regs.h"
#include "x86/mmio.h"
#include "x86/shootdown.h"

struct vmx_cpu;

/* Page-modification logging: see pml.c. */
struct vmx_pml {
	hpa_t buffer;        /* the CPU's, a frame; 0: logging is off */
	hpa_t kept;          /* what was taken out of it, of KEPT_ORDER frames */
	size_t first, count; /* the part of `kept` that is in use */
	unsigned full_exits;
	bool lost;
};

/* One frame of its own, which vcpu.arch points at. */
struct vmx_vcpu {
	uint64_t gpr[GPR_COUNT]; /* all but RSP, which the VMCS has; enter.S knows it is first */
	uint64_t host_rsp;       /* as the VMCS has it; enter.S knows it is second */

	struct vmx_cpu *cpu; /* on which the VMCS is active; NULL: on none */
	uint64_t eptp;
	hpa_t root; /* what eptp points at */
	hpa_t vmcs;
	uint16_t vpid;
	bool launched;

	uint64_t deadline; /* what the timer was set for; 0: not set here and now */

	uint64_t rip; /* of the last exit; moves when an instruction is stepped over */
	uint32_t reason;
	bool event_queued;     /* the VMCS's entry event is valid */
	bool interrupt_line;   /* set_interrupt() */
	bool interrupt_window; /* the VMCS exits when the guest can take one */

	struct x86_mmio mmio;  /* an instruction whose device accesses are being done, */
	struct x86_guest view; /* and the state that it started in */

	struct vmx_pml pml;

	/* What no VMCS holds, while another vCPU has this CPU. */
	uint64_t cr2;
	uint8_t fpu[512] MM_ALIGNED_TO(16);
};

_Static_assert(sizeof(struct vmx_vcpu) <= MM_PAGE_SIZE, "a vCPU's state fits a frame");

struct vmx_cpu {
	bool on;                  /* in VMX operation */
	struct vmx_vcpu *current; /* whose VMCS is loaded; NULL: nobody's */
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

/* --- cpu.c --- */
bool vmx_cpu_enable(const char **why);
/* Makes the vCPU's VMCS the one that this CPU reads, writes and enters by: vmx_load(), unless it
 * is that already. A vCPU that another CPU has was not parked, which is a mistake. */
void vmx_load(struct vmx_vcpu *v);
static inline void vmx_need(struct vmx_vcpu *v)
{
	if (MM_UNLIKELY(v->cpu == NULL || v->cpu->current != v))
		vmx_load(v);
}
/* Puts it all into memory, if this CPU has it: afterwards no CPU does. */
void vmx_release(struct vmx_vcpu *v);

/* --- flush.c --- */
void vmx_flush(void *ctx, const struct mm_flush *request);
/* Does what shootdown_enter() answered is left to do. */
void vmx_flush_late(const struct vmx_cpu *cpu, uint64_t stale);

/* --- vcpu.c --- */
/* The VMCS is loaded and empty. */
void vmx_setup(const struct vmx_vcpu *v, const struct vcpu_config *config);
/* What a VMCS has to know of the CPU that it is on. */
void vmx_setup_host_cpu(unsigned cpu);

/* --- event.c --- */
/* Delivers an event whose delivery ended in an exit, or was an exit: the interruption or vectoring
 * word that the exit left, and the field that has its error code. */
void vmx_requeue(struct vmx_vcpu *v, uint64_t event, enum vmcs_field error_code);
/* The interrupt line is up: gives it to the guest, or asks for an exit when it can take it. */
void vmx_offer_interrupt(struct vmx_vcpu *v);
void vmx_close_window(struct vmx_vcpu *v);
/* Past the instruction that exited: to `rip`, or as far as the VMCS says it is long. */
void vmx_move_rip(struct vmx_vcpu *v, uint64_t rip);
void vmx_step(struct vmx_vcpu *v);
void vmx_inject_undefined(struct vcpu *vcpu);
void vmx_set_interrupt(struct vcpu *vcpu, bool pending);

/* --- pml.c --- */
bool vmx_log_writes(struct vcpu *vcpu, bool on);
struct vcpu_writes vmx_take_writes(struct vcpu *vcpu, gpa_t out[], size_t most);
/* The CPU's buffer is full. */
void vmx_pml_full(struct vmx_vcpu *v);

/* --- exit.c --- */
/* True: nothing that the caller need know, run the guest again. */
bool vmx_decode(struct vmx_vcpu *v, uint64_t deadline, struct vm_exit *exit);
/* The entry itself was refused. */
void vmx_decode_refusal(struct vm_exit *exit, bool no_vmcs);

/* --- run.c --- */
void vmx_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

#endif
