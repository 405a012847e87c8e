/*
 * Exits that guests do not wait for: firmware calls, system registers, WFI, the faults of a
 * stage 1 walk and of permissions, interrupts, and what must not happen at all. Syndromes: Arm
 * ARM D17.2.37, ESR_EL2.
 */
#include "el2/el2.h"
#include "el2/offsets.h"
#include "machine/aarch64/cpu.h"
#include "machine/aarch64/irq.h"
#include "machine/aarch64/timer.h"

static bool failure(struct vm_exit *exit, const char *what)
{
	exit->kind = VM_EXIT_FAILURE;
	exit->failure = what;
	return true;
}

static bool plain(struct vm_exit *exit, enum vm_exit_kind kind)
{
	exit->kind = kind;
	return true;
}

/* --- calls --- */

static bool firmware_call(const struct el2_vcpu *v, struct vm_exit *exit, bool smc)
{
	exit->kind = VM_EXIT_FIRMWARE;
	exit->call.function = v->x[0];
	for (unsigned i = 0; i < 6; i++)
		exit->call.args[i] = v->x[i + 1];
	exit->call.smc = smc;
	return true;
}

/* The PC of an HVC is behind it already; a trapped SMC is where it was. */
static bool trapped_smc(struct el2_vcpu *v, struct vm_exit *exit)
{
	v->pc += 4;
	return firmware_call(v, exit, true);
}

/* --- aborts --- */

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

/* FSC_TYPE of a stage 2 fault, whatever its level; a value beyond them for all else. */
static uint64_t fault_type(uint64_t fsc)
{
	if (fsc == FSC_ADDRESS_M1)
		return FSC_ADDRESS;
	if (fsc == FSC_TRANSLATION_M1)
		return FSC_TRANSLATION;
	return FIELD_GET(FSC_TYPE, fsc);
}

/*
 * What the guest did. A stage 1 walk reads; it is refused for want of permission only where it
 * is to update a descriptor. Cache maintenance and AT say that they write, and do not.
 */
static enum mm_perm access_kind(uint64_t esr, uint64_t type, bool walk)
{
	if (walk)
		return type == FSC_PERMISSION ? MM_W : MM_R;
	if (FIELD_GET(ESR_EC, esr) == EC_INSN_ABORT)
		return MM_X;
	return (esr & (ISS_WNR | ISS_CM)) == ISS_WNR ? MM_W : MM_R;
}

static bool nested_fault(uint64_t esr, uint64_t type, uint64_t page, struct vm_exit *exit)
{
	uint64_t far = exit->raw[1];
	bool walk = (esr & ISS_S1PTW) != 0;

	exit->kind = VM_EXIT_NESTED_FAULT;
	exit->fault = (struct vm_exit_fault){
		.gpa = gpa_at(walk ? page : page | (far & (MM_PAGE_SIZE - 1))),
		.gva = gva_at(far),
		.access = access_kind(esr, type, walk),
		.gva_valid = true,
		.gpa_is_page = walk,
		.stage1_walk = walk,
		.present = type == FSC_PERMISSION || type == FSC_ACCESS_FLAG,
	};
	return true;
}

/*
 * HPFAR_EL2 is not valid for a permission fault, but on a stage 1 walk (D17.2.66): stage 1 is
 * asked again. If another CPU has changed the guest's tables meanwhile it may refuse: the guest
 * tries again, and takes whatever fault is due now.
 */
static bool permission_fault(uint64_t esr, struct vm_exit *exit)
{
	uint64_t par = el2_stage1(exit->raw[1]);

	return (par & PAR_F) == 0 && nested_fault(esr, FSC_PERMISSION, par & PAR_PA, exit);
}

static bool stage2_abort(uint64_t esr, struct vm_exit *exit)
{
	uint64_t type = fault_type(FIELD_GET(ISS_FSC, esr));
	uint64_t hpfar = read_hpfar_el2();

	exit->raw[1] = read_far_el2();
	exit->raw[2] = hpfar;
	if (type > FSC_PERMISSION)
		return failure(exit, abort_name(FIELD_GET(ISS_FSC, esr)));
	if (type == FSC_PERMISSION && (esr & ISS_S1PTW) == 0)
		return permission_fault(esr, exit);
	return nested_fault(esr, type, FIELD_GET(HPFAR_FIPA, hpfar) << MM_PAGE_SHIFT, exit);
}

/* --- the rest --- */

static bool system_register(struct el2_vcpu *v, uint64_t esr, struct vm_exit *exit)
{
	unsigned rt = (unsigned)FIELD_GET(ISS_SYS_RT, esr);
	bool write = (esr & ISS_SYS_READ) == 0;

	if (el2_sysreg(v, FIELD_GET(ESR_ISS, esr)))
		return false;
	exit->kind = VM_EXIT_SYSREG;
	exit->sysreg.reg = (uint32_t)(esr & ISS_SYS_REG);
	exit->sysreg.write = write;
	exit->sysreg.gpr = (uint8_t)rt;
	exit->sysreg.value = write && rt < 31 ? v->x[rt] : 0;
	return true;
}

/* WFI with an interrupt waiting does not wait. */
static bool wait_for_interrupt(struct el2_vcpu *v, struct vm_exit *exit)
{
	if ((v->hcr & HCR_VI) == 0)
		return plain(exit, VM_EXIT_HALT);
	v->pc += 4;
	return false;
}

bool el2_exit_rare(struct el2_vcpu *v, uint64_t esr, struct vm_exit *exit)
{
	switch (FIELD_GET(ESR_EC, esr)) {
	case EC_HVC64:
		return firmware_call(v, exit, false);
	case EC_SMC64:
		return trapped_smc(v, exit);
	case EC_SYSREG:
		return system_register(v, esr, exit);
	case EC_WFX:
		return wait_for_interrupt(v, exit);
	case EC_DATA_ABORT:
	case EC_INSN_ABORT:
		return stage2_abort(esr, exit);
	case EC_UNKNOWN:
	case EC_FP:
	case EC_PAUTH:
	case EC_SVE:
		return plain(exit, VM_EXIT_UNDEFINED);
	default:
		return failure(exit, "an exception class that no guest can raise here");
	}
}

/* Timers are silenced rather than acknowledged: their lines fall by themselves. */
static bool interrupt(struct el2_vcpu *v, struct vm_exit *exit)
{
	struct el2_cpu *cpu = this_cpu()->el2;

	if (timer_fired()) {
		if (machine_ticks() < cpu->deadline) {
			el2_vtimer_poll(v);
			return false;
		}
		cpu->deadline = UINT64_MAX;
		timer_set(UINT64_MAX);
		return plain(exit, VM_EXIT_DEADLINE);
	}
	if (el2_vtimer_fired()) {
		el2_vtimer_raise(v);
		return false;
	}
	irq_acknowledge();
	return plain(exit, VM_EXIT_INTERRUPT);
}

bool el2_exit_other(struct el2_vcpu *v, unsigned left, struct vm_exit *exit)
{
	exit->pc = v->pc;
	exit->raw[0] = exit->raw[1] = exit->raw[2] = exit->raw[3] = 0;
	switch (left) {
	case LEFT_IRQ:
		return interrupt(v, exit);
	case LEFT_FIQ:
		irq_take_fast((uint64_t)(uintptr_t)el2_exit_other);
		return failure(exit, "a fast interrupt, which nothing here asks for");
	case LEFT_SERROR:
		exit->raw[0] = read_esr_el2();
		return failure(exit, "SError");
	default:
		return failure(exit, "an exception from AArch32");
	}
}
