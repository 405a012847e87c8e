/*
 * What a guest reads in the ID registers: what the CPU has, less what is trapped or not kept for
 * guests (floating point, pointer authentication, the PMU, EL2 itself). A feature not named here
 * reads as absent. Arm ARM D17.1.3: op0 3, op1 0, CRn 0, CRm 1 to 7 are ID registers, and those
 * that have no name read as zero.
 */
#include "el2/el2.h"

SYSREG_READ(id_aa64isar2_el1, "S3_0_C0_C6_2")
SYSREG_READ(id_aa64dfr1_el1, "id_aa64dfr1_el1")

#define ID_REG(crm, op2) (FIELD_PREP(ISS_SYS_CRM, crm) | FIELD_PREP(ISS_SYS_OP2, op2))

/* The field whose lowest bit is this one: each is four bits wide. */
#define FIELD(low) GENMASK((low) + 3, low)

struct id_register {
	uint64_t reg;
	uint64_t (*read)(void);
	uint64_t shown;  /* fields that the guest sees as they are */
	uint64_t forced; /* set in any case */
};

static const struct id_register id_registers[] = {
	/* PFR0: AArch64 at EL0 and EL1 and nothing else, no FP or SIMD; CSV2, CSV3, DIT. */
	{ID_REG(4, 0), read_id_aa64pfr0_el1, FIELD(48) | FIELD(56) | FIELD(60),
         FIELD_PREP(FIELD(0), 1) | FIELD_PREP(FIELD(4), 1) | FIELD(16) | FIELD(20)},
	/* PFR1: BT, SSBS. */
	{ID_REG(4, 1), read_id_aa64pfr1_el1, FIELD(0) | FIELD(4), 0},
	/* DFR0: DebugVer, BRPs, WRPs, CTX_CMPs, which are never absent. */
	{ID_REG(5, 0), read_id_aa64dfr0_el1, FIELD(0) | FIELD(12) | FIELD(20) | FIELD(28), 0},
	{ID_REG(5, 1), read_id_aa64dfr1_el1, 0, 0},
	/* ISAR0: AES to RNDR, but for TME. */
	{ID_REG(6, 0), read_id_aa64isar0_el1, ~FIELD(24), 0},
	/* ISAR1: DPB, JSCVT, FCMA, LRCPC, FRINTTS, SB, SPECRES, BF16, DGH, I8MM. */
	{ID_REG(6, 1), read_id_aa64isar1_el1, FIELD(0) | GENMASK(23, 12) | GENMASK(55, 32), 0},
	/* ISAR2: WFxT, RPRES, BC. */
	{ID_REG(6, 2), read_id_aa64isar2_el1, FIELD(0) | FIELD(4) | FIELD(20), 0},
	/* MMFR0: PARange, ASIDBits, BigEnd, BigEndEL0, TGran16, TGran64, TGran4, ExS. */
	{ID_REG(7, 0), read_id_aa64mmfr0_el1,
         FIELD(0) | FIELD(4) | FIELD(8) | FIELD(16) | GENMASK(31, 20) | FIELD(44), 0},
	/* MMFR1: HAFDBS, HPDS, PAN, ETS, TIDCP1, AFP. */
	{ID_REG(7, 1), read_id_aa64mmfr1_el1,
         FIELD(0) | FIELD(12) | FIELD(20) | FIELD(36) | FIELD(44), 0},
	/* MMFR2: CnP, UAO, LSM, IESB, VARange, CCIDX, ST, AT, IDS, TTL, BBM, E0PD. */
	{ID_REG(7, 2), read_id_aa64mmfr2_el1,
         GENMASK(23, 0) | FIELD(28) | FIELD(32) | FIELD(36) | GENMASK(55, 48) | FIELD(60), 0},
};

bool el2_is_id_register(uint64_t reg)
{
	uint64_t crm = FIELD_GET(ISS_SYS_CRM, reg);

	return FIELD_GET(ISS_SYS_OP0, reg) == 3 && FIELD_GET(ISS_SYS_OP1, reg) == 0 &&
	       FIELD_GET(ISS_SYS_CRN, reg) == 0 && crm >= 1 && crm <= 7;
}

uint64_t el2_read_id_register(uint64_t reg)
{
	uint64_t which = reg & (ISS_SYS_CRM | ISS_SYS_OP2);

	for (size_t i = 0; i < MM_ARRAY_SIZE(id_registers); i++) {
		if (id_registers[i].reg == which)
			return (id_registers[i].read() & id_registers[i].shown) |
			       id_registers[i].forced;
	}
	return 0;
}
