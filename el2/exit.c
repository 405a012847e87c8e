/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides what an exit is, by ESR_EL2: Arm ARM D17.2.37.
 *
 * The most frequent exits come first, a hypercall and the first access to a page: their round
 * trips through this file are counted in instructions (make bench, T1 and T2). So all others are
 * in functions that are not inlined.
 *
 * decode_ functions fill *exit and return EXIT_RETURN; handle_ functions may return EXIT_RESUME.
 */
#include "el2/el2.h"
#include "el2/offsets.h"
#include "machine/aarch64/cpu.h"
#include "machine/aarch64/irq.h"
#include "machine/aarch64/timer.h"

_Static_assert(EXIT_RESUME == 0, "enter.S");

static enum exit_action decode_plain(struct vm_exit *exit, enum vm_exit_kind kind)
{
	exit->kind = kind;
	return EXIT_RETURN;
}

/* --- calls --- */

/* x0 of a hypercall is GUEST_SMCCC_BASE | number: guests/abi.h. */
#define CALL_BASE   UINT64_C(0xc6000000)
#define CALL_NUMBER GENMASK(15, 0)

static enum exit_action decode_hypercall(const struct el2_vcpu *v, struct vm_exit *exit)
{
	uint64_t number = v->x[0] & CALL_NUMBER, a0 = v->x[1], a1 = v->x[2], a2 = v->x[3];

	exit->kind = VM_EXIT_HYPERCALL;
	exit->call.function = number;
	exit->call.args[0] = a0;
	exit->call.args[1] = a1;
	exit->call.args[2] = a2;
	exit->call.smc = false;
	return EXIT_RETURN;
}

static enum exit_action decode_firmware_call(const struct el2_vcpu *v, struct vm_exit *exit,
                                             bool smc)
{
	exit->kind = VM_EXIT_FIRMWARE;
	exit->call.function = v->x[0];
	for (unsigned i = 0; i < 6; i++)
		exit->call.args[i] = v->x[i + 1];
	exit->call.smc = smc;
	return EXIT_RETURN;
}

/* After HVC the PC is that of the next instruction; a trapped SMC leaves it unchanged. */
static enum exit_action decode_smc(struct el2_vcpu *v, struct vm_exit *exit)
{
	v->pc += EL2_INSN_BYTES;
	return decode_firmware_call(v, exit, true);
}

void el2_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second)
{
	struct el2_vcpu *v = el2_of(vcpu);

	v->x[0] = first;
	v->x[1] = second;
}

/* --- stage 2 faults --- */

/* A translation fault at level 0 to 3 that is not on a stage 1 walk: every first access to a page.
 * HPFAR_EL2 is valid. */
#define ISS_FAULT_KIND (ISS_S1PTW | FSC_TYPE)
#define ISS_ABSENT     FIELD_PREP(FSC_TYPE, FSC_TRANSLATION)

/* The guest's access. WnR is 1 also for cache maintenance and AT (CM), which do not write. */
static enum mm_perm access_of(uint64_t esr)
{
	if (FIELD_GET(ESR_EC, esr) == EC_INSN_ABORT)
		return MM_X;
	return (esr & (ISS_WNR | ISS_CM)) == ISS_WNR ? MM_W : MM_R;
}

static enum exit_action decode_absent_page(uint64_t esr, struct vm_exit *exit)
{
	uint64_t far = read_far_el2(), hpfar = read_hpfar_el2();

	exit->raw[1] = far;
	exit->raw[2] = hpfar;
	exit->kind = VM_EXIT_NESTED_FAULT;
	exit->fault = (struct vm_exit_fault){
		.gpa = mm_gpa_at(FIELD_GET(HPFAR_FIPA, hpfar) << MM_PAGE_SHIFT |
	                         far % MM_PAGE_SIZE),
		.gva = mm_gva_at(far),
		.access = access_of(esr),
		.gva_valid = true,
	};
	return EXIT_RETURN;
}

static const char *abort_name(uint64_t fsc)
{
	switch (fsc) {
	case 0x10:
		return "synchronous external abort";
	case 0x14:
	case 0x15:
	case 0x16:
	case 0x17:
		return "synchronous external abort on a translation table walk";
	case 0x21:
		return "alignment fault";
	case 0x30:
		return "TLB conflict abort";
	case 0x31:
		return "unsupported atomic hardware update";
	default:
		return "abort of a kind that stage 2 does not raise";
	}
}

/* FSC_TYPE, for all levels of a stage 2 fault. Larger than FSC_PERMISSION: another abort. */
static uint64_t fault_type(uint64_t fsc)
{
	if (fsc == FSC_ADDRESS_M1)
		return FSC_ADDRESS;
	if (fsc == FSC_TRANSLATION_M1)
		return FSC_TRANSLATION;
	return FIELD_GET(FSC_TYPE, fsc);
}

/* A stage 1 walk reads. It has a permission fault only when it updates a descriptor. */
static enum mm_perm access_of_walk(uint64_t type)
{
	return type == FSC_PERMISSION ? MM_W : MM_R;
}

static enum exit_action decode_fault(uint64_t esr, uint64_t type, uint64_t page,
                                     struct vm_exit *exit)
{
	uint64_t far = exit->raw[1];
	bool walk = (esr & ISS_S1PTW) != 0;

	exit->kind = VM_EXIT_NESTED_FAULT;
	exit->fault = (struct vm_exit_fault){
		.gpa = mm_gpa_at(walk ? page : page | (far & (MM_PAGE_SIZE - 1))),
		.gva = mm_gva_at(far),
		.access = walk ? access_of_walk(type) : access_of(esr),
		.gva_valid = true,
		.gpa_is_page = walk,
		.stage1_walk = walk,
		.present = type == FSC_PERMISSION || type == FSC_ACCESS_FLAG,
	};
	return EXIT_RETURN;
}

/*
 * After a permission fault HPFAR_EL2 is valid only for a stage 1 walk (D17.2.66), so AT walks
 * stage 1 again. AT fails if another CPU has changed the guest's tables. Then the guest executes
 * the instruction again, and takes the fault that is due now.
 */
static enum exit_action handle_permission_fault(uint64_t esr, struct vm_exit *exit)
{
	uint64_t par = el2_at_stage1(exit->raw[1]);

	if ((par & PAR_F) != 0)
		return EXIT_RESUME;
	return decode_fault(esr, FSC_PERMISSION, par & PAR_PA, exit);
}

static enum exit_action handle_abort(uint64_t esr, struct vm_exit *exit)
{
	uint64_t type = fault_type(FIELD_GET(ISS_FSC, esr));
	uint64_t hpfar = read_hpfar_el2();

	exit->raw[1] = read_far_el2();
	exit->raw[2] = hpfar;
	if (type > FSC_PERMISSION)
		return vm_exit_failure(exit, abort_name(FIELD_GET(ISS_FSC, esr)));
	if (type == FSC_PERMISSION && (esr & ISS_S1PTW) == 0)
		return handle_permission_fault(esr, exit);
	return decode_fault(esr, type, FIELD_GET(HPFAR_FIPA, hpfar) << MM_PAGE_SHIFT, exit);
}

/* --- all other synchronous exceptions --- */

/* A WFI that traps while an interrupt is pending does not wait. */
static enum exit_action handle_wfi(struct el2_vcpu *v, struct vm_exit *exit)
{
	if ((v->hcr & HCR_VI) == 0)
		return decode_plain(exit, VM_EXIT_HALT);
	v->pc += EL2_INSN_BYTES;
	return EXIT_RESUME;
}

static MM_NOINLINE enum exit_action handle_synchronous(struct el2_vcpu *v, uint64_t esr,
                                                       struct vm_exit *exit)
{
	switch (FIELD_GET(ESR_EC, esr)) {
	case EC_HVC64:
		return decode_firmware_call(v, exit, false);
	case EC_SMC64:
		return decode_smc(v, exit);
	case EC_SYSREG:
		return el2_handle_sysreg(v, exit);
	case EC_WFX:
		return handle_wfi(v, exit);
	case EC_DATA_ABORT:
	case EC_INSN_ABORT:
		return handle_abort(esr, exit);
	case EC_UNKNOWN:
	case EC_FP:
	case EC_PAUTH:
	case EC_SVE:
	case EC_SME:
		return decode_plain(exit, VM_EXIT_UNDEFINED);
	default:
		return vm_exit_failure(exit, "an exception class that no guest can raise here");
	}
}

enum exit_action el2_handle_exit(struct el2_vcpu *v, struct vm_exit *exit)
{
	uint64_t esr = read_esr_el2();
	uint64_t class = FIELD_GET(ESR_EC, esr);

	exit->pc = v->pc;
	exit->raw[0] = esr;
	exit->raw[1] = exit->raw[2] = exit->raw[3] = 0;
	if (class == EC_HVC64 && MM_LIKELY((v->x[0] & ~CALL_NUMBER) == CALL_BASE))
		return decode_hypercall(v, exit);
	if ((class == EC_DATA_ABORT || class == EC_INSN_ABORT) &&
	    MM_LIKELY((esr & ISS_FAULT_KIND) == ISS_ABSENT))
		return decode_absent_page(esr, exit);
	return handle_synchronous(v, esr, exit);
}

/* --- interrupts, SErrors, AArch32 --- */

/* A timer is stopped or masked, not acknowledged: its interrupt is level-sensitive. */
static enum exit_action handle_interrupt(struct el2_vcpu *v, struct vm_exit *exit)
{
	struct el2_cpu *cpu = this_cpu()->el2;

	if (timer_fired()) {
		if (machine_ticks() < cpu->deadline) {
			el2_vtimer_poll(v);
			return EXIT_RESUME;
		}
		cpu->deadline = UINT64_MAX;
		timer_set(UINT64_MAX);
		return decode_plain(exit, VM_EXIT_DEADLINE);
	}
	if (!v->vtimer && el2_vtimer_fired()) {
		el2_vtimer_raise(v);
		return EXIT_RESUME;
	}
	irq_acknowledge();
	return decode_plain(exit, VM_EXIT_INTERRUPT);
}

enum exit_action el2_handle_other_exit(struct el2_vcpu *v, unsigned vector, struct vm_exit *exit)
{
	exit->pc = v->pc;
	exit->raw[0] = exit->raw[1] = exit->raw[2] = exit->raw[3] = 0;
	switch (vector) {
	case VECTOR_IRQ:
		return handle_interrupt(v, exit);
	case VECTOR_FIQ:
		irq_take_fast((uint64_t)(uintptr_t)el2_handle_other_exit);
		return vm_exit_failure(exit, "a fast interrupt, which nothing here asks for");
	case VECTOR_SERROR:
		exit->raw[0] = read_esr_el2();
		return vm_exit_failure(exit, "SError");
	default:
		return vm_exit_failure(exit, "an exception from AArch32");
	}
}
