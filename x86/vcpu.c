/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of an x86 vCPU, as far as it is the same for VMX and SVM: its frames, the state in
 * which its guest starts, and its general registers for reports.
 */
#include "frame.h"
#include "machine.h"
#include "x86/x86.h"

_Static_assert(offsetof(struct x86_vcpu, gpr) == 0, "enter.inc");

/* --- the start state: guests/abi.h --- */

#define ACCESS_CODE32 0xc09bU /* present, code, readable, accessed, 32-bit, 4K units */
#define ACCESS_DATA   0xc093U /* present, data, writable, accessed, 32-bit, 4K units */
#define ACCESS_LDT    0x0082U
#define ACCESS_TSS    0x008bU /* 32-bit, busy */

#define FLAT_DATA                                                                                  \
	{                                                                                          \
		0x10, ACCESS_DATA, UINT32_MAX, 0                                                   \
	}

const struct x86_segment_state x86_start_segments[SEGMENT_COUNT] = {
	[SEGMENT_ES] = FLAT_DATA,
	[SEGMENT_CS] = {0x08, ACCESS_CODE32, UINT32_MAX, 0},
	[SEGMENT_SS] = FLAT_DATA,
	[SEGMENT_DS] = FLAT_DATA,
	[SEGMENT_FS] = FLAT_DATA,
	[SEGMENT_GS] = FLAT_DATA,
	[SEGMENT_LDTR] = {0, ACCESS_LDT, 0xffff, 0},
	[SEGMENT_TR] = {0, ACCESS_TSS, 0xffff, 0},
};

/* --- frames --- */

static bool alloc_zeroed(mm_hpa_t *frame)
{
	if (!frame_alloc(0, frame))
		return false;
	machine_zero(NULL, frame_ptr(*frame), MM_PAGE_SIZE);
	return true;
}

enum mm_error x86_vcpu_create(struct vcpu *vcpu, const struct virt_ops *ops,
                              const struct vcpu_config *config, mm_hpa_t *control)
{
	struct x86_vcpu *v;
	mm_hpa_t state;

	if (!alloc_zeroed(&state))
		return MM_NO_MEMORY;
	if (!alloc_zeroed(control)) {
		frame_free(0, state);
		return MM_NO_MEMORY;
	}
	v = frame_ptr(state);
	v->as = config->as;
	v->gpr[GPR_RDI] = config->args[0];
	v->gpr[GPR_RSI] = config->args[1];
	x86_state_reset(&v->state);
	*vcpu = (struct vcpu){.ops = ops, .as = config->as, .index = config->index, .arch = v};
	return MM_OK;
}

void x86_vcpu_destroy(struct vcpu *vcpu, mm_hpa_t control)
{
	frame_free(0, control);
	frame_free(0, frame_of(vcpu->arch));
	vcpu->arch = NULL;
}

/* --- registers --- */

static const char *const gpr_names[GPR_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                 "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                 "r12", "r13", "r14", "r15"};

size_t x86_general_registers(const struct x86_vcpu *v, uint64_t rip, uint64_t rsp,
                             struct vcpu_register out[VCPU_REGISTERS])
{
	out[0] = (struct vcpu_register){"rip", rip};
	for (unsigned i = 0; i < GPR_COUNT; i++)
		out[1 + i] = (struct vcpu_register){gpr_names[i], i == GPR_RSP ? rsp : v->gpr[i]};
	return X86_GENERAL_REGISTERS;
}

/* guests/abi.h: a hypercall returns its error and its value in RAX and RDX. */
void x86_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second)
{
	struct x86_vcpu *v = x86_of(vcpu);

	v->gpr[GPR_RAX] = first;
	v->gpr[GPR_RDX] = second;
}

void x86_set_interrupt(struct vcpu *vcpu, bool pending)
{
	x86_of(vcpu)->interrupt_line = pending;
}
