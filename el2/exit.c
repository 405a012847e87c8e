/*
 * Why the guest was left, for the two kinds of exit that guests wait for: a hypercall, and the
 * first touch of a page. From the syndrome registers to struct vm_exit, with no detour; all else
 * is in exit_rare.c. Syndromes: Arm ARM D17.2.37, ESR_EL2.
 */
#include "el2/el2.h"

/* A hypercall of ours is GUEST_SMCCC_BASE | number: guests/abi.h. */
#define CALL_BASE   UINT64_C(0xc6000000)
#define CALL_NUMBER GENMASK(15, 0)

/* A translation fault at level 0 to 3, and not on a stage 1 walk: of every write, read or fetch
 * of a page that is not there. HPFAR_EL2 is valid. */
#define ISS_FAULT_KIND (ISS_S1PTW | FSC_TYPE)
#define ISS_ABSENT     FIELD_PREP(FSC_TYPE, FSC_TRANSLATION)

static bool hypercall(const struct el2_vcpu *v, struct vm_exit *exit)
{
	uint64_t number = v->x[0] & CALL_NUMBER, a0 = v->x[1], a1 = v->x[2], a2 = v->x[3];

	exit->kind = VM_EXIT_HYPERCALL;
	exit->call.function = number;
	exit->call.args[0] = a0;
	exit->call.args[1] = a1;
	exit->call.args[2] = a2;
	exit->call.smc = false;
	return true;
}

/* Cache maintenance and AT (CM) say that they write, and do not. */
static enum mm_perm access_kind(uint64_t esr)
{
	if (FIELD_GET(ESR_EC, esr) == EC_INSN_ABORT)
		return MM_X;
	return (esr & (ISS_WNR | ISS_CM)) == ISS_WNR ? MM_W : MM_R;
}

static bool absent_page(uint64_t esr, struct vm_exit *exit)
{
	uint64_t far = read_far_el2(), hpfar = read_hpfar_el2();

	exit->raw[1] = far;
	exit->raw[2] = hpfar;
	exit->kind = VM_EXIT_NESTED_FAULT;
	exit->fault = (struct vm_exit_fault){
		.gpa = gpa_at(FIELD_GET(HPFAR_FIPA, hpfar) << MM_PAGE_SHIFT | far % MM_PAGE_SIZE),
		.gva = gva_at(far),
		.access = access_kind(esr),
		.gva_valid = true,
	};
	return true;
}

bool el2_exit(struct el2_vcpu *v, struct vm_exit *exit)
{
	uint64_t esr = read_esr_el2();
	uint64_t class = FIELD_GET(ESR_EC, esr);

	exit->pc = v->pc;
	exit->raw[0] = esr;
	exit->raw[1] = exit->raw[2] = exit->raw[3] = 0;
	if (class == EC_HVC64 && MM_LIKELY((v->x[0] & ~CALL_NUMBER) == CALL_BASE))
		return hypercall(v, exit);
	if ((class == EC_DATA_ABORT || class == EC_INSN_ABORT) &&
	    MM_LIKELY((esr & ISS_FAULT_KIND) == ISS_ABSENT))
		return absent_page(esr, exit);
	return el2_exit_rare(v, esr, exit);
}
