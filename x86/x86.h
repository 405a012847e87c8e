/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a virtual CPU that VMX and SVM share, and the functions of this folder that work
 * on it. Both extensions include this header; it depends on neither.
 *
 *	vcpu.c       creates and destroys a vCPU; its start state; its registers for reports
 *	state.c      the state that a switch between vCPUs saves and loads (state.h)
 *	exit.c       exits that carry the same meaning in both: hypercall, port, MSR
 *	cpuid.c      CPUID as a guest reads it, and the CR4 bits that it may set
 *	sysreg.c     the MSRs that do not exit, XCR0
 *	mmio.c       one instruction that accesses an emulated device (mmio.h)
 *	stage1.c     a software walk of the guest's page tables (stage1.h)
 *	shootdown.c  invalidates nested translations on all CPUs (shootdown.h)
 *	enter.inc    saves and loads general registers in the world switch
 *
 * Invariant: struct x86_vcpu is the first member of struct vmx_vcpu and of struct svm_vcpu, so
 * vcpu.arch points at it, and its general registers are at offset 0.
 */
#ifndef X86_X86_H
#define X86_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guests/abi.h"
#include "machine/x86_64/bits.h"
#include "mm/bits.h"
#include "mm/compiler.h"
#include "vcpu.h"
#include "vm_exit.h"
#include "x86/guest_regs.h"
#include "x86/mmio.h"
#include "x86/state.h"

struct x86_vcpu {
	/* By their numbers. gpr[GPR_RSP] is valid only while a device access is emulated: the VMCS
	 * or VMCB holds RSP. enter.inc relies on the offsets. */
	uint64_t gpr[GPR_COUNT];

	struct mm_aspace *as;
	bool interrupt_line; /* virt_ops.set_interrupt */

	struct x86_mmio mmio;   /* the instruction whose device accesses are being done */
	struct x86_guest guest; /* the registers that this instruction started with */

	struct x86_state state;
};

static inline struct x86_vcpu *x86_of(const struct vcpu *vcpu)
{
	return vcpu->arch;
}

/* --- vcpu.c --- */

/* The start state that guests/abi.h promises: 32-bit protected mode, flat segments, no paging. */
struct x86_segment_state {
	uint16_t selector;
	uint16_t access; /* descriptor bits 55:52 and 47:40 in 15:12 and 7:0, as in a VMCS */
	uint32_t limit;
	uint64_t base;
};
extern const struct x86_segment_state x86_start_segments[SEGMENT_COUNT];
#define X86_START_CR0 UINT64_C(0x31) /* PE, ET, NE */
#define X86_START_DR7 UINT64_C(0x400)

/* Takes two zeroed frames: one for the vCPU's state, at vcpu->arch, and one for its control
 * structure, *control. Fills *vcpu and the state that both extensions share. */
enum mm_error x86_vcpu_create(struct vcpu *vcpu, const struct virt_ops *ops,
                              const struct vcpu_config *config, mm_hpa_t *control) MM_MUST_CHECK;
/* Frees both frames. The vCPU is not loaded on any CPU. */
void x86_vcpu_destroy(struct vcpu *vcpu, mm_hpa_t control);

/* For virt_ops.registers: RIP and the general registers. Returns how many entries it wrote. */
#define X86_GENERAL_REGISTERS (1U + GPR_COUNT)
size_t x86_general_registers(const struct x86_vcpu *v, uint64_t rip, uint64_t rsp,
                             struct vcpu_register out[VCPU_REGISTERS]);

/* Default operand size of the code segment, in bytes, from EFER and the L and D bits of CS. */
static inline unsigned x86_code_width(uint64_t efer, bool cs_long, bool cs_default_32)
{
	if ((efer & EFER_LMA) && cs_long)
		return 8;
	return cs_default_32 ? 4 : 2;
}

/* virt_ops.call_return and virt_ops.set_interrupt. */
void x86_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second);
void x86_set_interrupt(struct vcpu *vcpu, bool pending);

/* --- events: VMX's interruption information (SDM vol. 3C, table 25-17) and SVM's EVENTINJ and
 * EXITINTINFO (APM vol. 2, 15.20) have the same layout in bits 31:0. --- */

#define EVENT_VECTOR     GENMASK(7, 0)
#define EVENT_TYPE       GENMASK(10, 8)
#define EVENT_ERROR_CODE BIT(11)
#define EVENT_VALID      BIT(31)

enum x86_event_type {
	EVENT_INTERRUPT = 0,
	EVENT_NMI = 2,
	EVENT_EXCEPTION = 3,
	EVENT_SOFTWARE_INTERRUPT = 4,
	EVENT_PRIVILEGED_SOFTWARE_EXCEPTION = 5, /* VMX only */
	EVENT_SOFTWARE_EXCEPTION = 6,            /* VMX only */
};

/* Exception vectors: SDM vol. 3A, table 6-1. */
enum x86_exception {
	EXCEPTION_DB = 1,
	EXCEPTION_BP = 3,
	EXCEPTION_OF = 4,
	EXCEPTION_UD = 6,
	EXCEPTION_GP = 13,
	EXCEPTION_PF = 14,
	EXCEPTION_AC = 17,
	EXCEPTIONS = 32, /* number of vectors that are exceptions */
};

/* The exceptions that exit, by vector. A guest can set up the delivery of #DB or #AC so that it
 * raises the same exception again. The CPU takes no interrupt in this loop (CVE-2015-8104 and
 * CVE-2015-5307), but with these exits Faultline regains control in each round. */
#define X86_EXIT_EXCEPTIONS ((UINT32_C(1) << EXCEPTION_DB) | (UINT32_C(1) << EXCEPTION_AC))

/* The vector that virt_ops.set_interrupt raises. */
#define X86_INTERRUPT_VECTOR 0x20U

static inline uint64_t x86_event(enum x86_event_type type, unsigned vector)
{
	return EVENT_VALID | FIELD_PREP(EVENT_TYPE, type) | FIELD_PREP(EVENT_VECTOR, vector);
}

/* --- exit.c --- */

/* guests/abi.h: the function number is in EAX. A number that does not have Faultline's base gives
 * a value above all functions. Inline, because it is on the path of each hypercall. */
static inline enum exit_action x86_decode_call(const struct x86_vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_HYPERCALL;
	exit->call.function = (uint32_t)v->gpr[GPR_RAX] ^ GUEST_X86_BASE;
	exit->call.args[0] = v->gpr[GPR_RDI];
	exit->call.args[1] = v->gpr[GPR_RSI];
	exit->call.args[2] = v->gpr[GPR_RDX];
	return EXIT_RETURN;
}

/* IN or OUT. The caller fills in the port, width and direction; this adds the value written. */
enum exit_action x86_decode_port(const struct x86_vcpu *v, struct vm_exit_port port,
                                 struct vm_exit *exit);
/* RDMSR or WRMSR. */
enum exit_action x86_decode_msr(const struct x86_vcpu *v, bool write, struct vm_exit *exit);

/* An entry that the deadline prevented. `raw` is the exit code of the extension's timer. */
void x86_deadline_exit(uint64_t pc, uint64_t raw, struct vm_exit *exit);

/* What IN leaves in RAX: 4 bytes clear the upper half, 1 and 2 keep the other bits. */
void x86_complete_port(struct x86_vcpu *v, const struct vm_exit_port *port, uint64_t value);
/* What RDMSR leaves in EDX:EAX. */
void x86_complete_rdmsr(struct x86_vcpu *v, uint64_t value);

/* --- cpuid.c, sysreg.c --- */

/* vm_exit_sysreg.reg of control register n. MSRs have their own numbers. */
#define SYSREG_CR(n) (0xfffff000U + (uint32_t)(n))

/* CPUID: the CPU's own answer without the features that guests do not get, and leaf 0x4000_0000
 * with `signature` (12 characters). `cr4` is the guest's. */
void x86_cpuid(struct x86_vcpu *v, const char *signature, uint64_t cr4);

/* XSETBV with the operands in ECX and EDX:EAX. False: it raises #GP. The caller has checked CPL and
 * CR4.OSXSAVE, and steps over the instruction. */
bool x86_xsetbv(const struct x86_vcpu *v);

/* The CR4 bits that a guest may set: those of features that x86_cpuid() shows. Not VMXE and SMXE
 * (no nesting), PCIDE, PKE and CET (not shown), MCE (machine checks go to the host). */
uint64_t x86_cr4_allowed(void);

/* An MSR that a guest reads, and perhaps writes, without an exit. */
struct x86_msr_pass {
	uint32_t msr;
	bool write;
};
#define X86_MSR_PASSES (1U + X86_HELD_MSRS + X86_SYSCALL_MSRS)
extern const struct x86_msr_pass x86_msr_passes[X86_MSR_PASSES];

/* Width of a host-physical address: CPUID.8000_0008:EAX[7:0]. */
unsigned x86_physical_bits(void);

#endif
