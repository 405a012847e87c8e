/*
 * Trapped system registers that are done here: those of the guest's stage 1, which trap until it
 * turns that on, the ID registers, and the cycle counter, which it may read. All others are the run
 * loop's.
 */
#include "el2/el2.h"
#include "machine.h"

/* A register as the syndrome names it. */
#define REG(op0, op1, crn, crm, op2)                                                               \
	(FIELD_PREP(ISS_SYS_OP0, op0) | FIELD_PREP(ISS_SYS_OP1, op1) |                             \
	 FIELD_PREP(ISS_SYS_CRN, crn) | FIELD_PREP(ISS_SYS_CRM, crm) |                             \
	 FIELD_PREP(ISS_SYS_OP2, op2))

#define SCTLR_EL1      REG(3, 0, 1, 0, 0)
#define TTBR0_EL1      REG(3, 0, 2, 0, 0)
#define TTBR1_EL1      REG(3, 0, 2, 0, 1)
#define TCR_EL1        REG(3, 0, 2, 0, 2)
#define AFSR0_EL1      REG(3, 0, 5, 1, 0)
#define AFSR1_EL1      REG(3, 0, 5, 1, 1)
#define ESR_EL1        REG(3, 0, 5, 2, 0)
#define FAR_EL1        REG(3, 0, 6, 0, 0)
#define MAIR_EL1       REG(3, 0, 10, 2, 0)
#define AMAIR_EL1      REG(3, 0, 10, 3, 0)
#define CONTEXTIDR_EL1 REG(3, 0, 13, 0, 1)
#define PMCCNTR_EL0    REG(3, 3, 9, 13, 0)

/*
 * Stage 1 goes on: from here its memory attributes are the guest's own, and its registers need
 * not trap. DC may be cached in TLB entries (D17.2.48), so this VMID's go.
 */
static void stage1_goes_on(struct el2_vcpu *v)
{
	v->hcr &= ~(HCR_DC | HCR_TVM);
	el2_hcr_changed(v);
	__asm__ volatile("tlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

static void write_sctlr(struct el2_vcpu *v, uint64_t value)
{
	write_sctlr_el1(value);
	if ((value & SCTLR_EL1_M) != 0)
		stage1_goes_on(v);
}

static bool write_register(struct el2_vcpu *v, uint64_t reg, uint64_t value)
{
	switch (reg) {
	case SCTLR_EL1:
		write_sctlr(v, value);
		return true;
	case TTBR0_EL1:
		write_ttbr0_el1(value);
		return true;
	case TTBR1_EL1:
		write_ttbr1_el1(value);
		return true;
	case TCR_EL1:
		write_tcr_el1(value);
		return true;
	case AFSR0_EL1:
		write_afsr0_el1(value);
		return true;
	case AFSR1_EL1:
		write_afsr1_el1(value);
		return true;
	case ESR_EL1:
		write_esr_el1(value);
		return true;
	case FAR_EL1:
		write_far_el1(value);
		return true;
	case MAIR_EL1:
		write_mair_el1(value);
		return true;
	case AMAIR_EL1:
		write_amair_el1(value);
		return true;
	case CONTEXTIDR_EL1:
		write_contextidr_el1(value);
		return true;
	default:
		return false;
	}
}

static bool read_register(uint64_t reg, uint64_t *value)
{
	if (reg == PMCCNTR_EL0)
		*value = machine_cycles();
	else if (el2_is_id_register(reg))
		*value = el2_read_id_register(reg);
	else
		return false;
	return true;
}

bool el2_sysreg(struct el2_vcpu *v, uint64_t iss)
{
	unsigned rt = (unsigned)FIELD_GET(ISS_SYS_RT, iss);
	uint64_t reg = iss & ISS_SYS_REG;

	bool read = (iss & ISS_SYS_READ) != 0;
	uint64_t value = !read && rt < 31 ? v->x[rt] : 0;

	if (!(read ? read_register(reg, &value) : write_register(v, reg, value)))
		return false;
	if (read && rt < 31)
		v->x[rt] = value;
	v->pc += 4;
	return true;
}
