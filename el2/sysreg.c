/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trapped system registers. Handled here are those of the guest's stage 1, which trap until it is
 * on, the ID registers, the debug registers, and the cycle counter, which the guest may read. All
 * others go to the run loop.
 */
#include "el2/el2.h"
#include "machine.h"

/* A register by its ISS fields (D17.2.37). */
#define REG(op0, op1, crn, crm, op2)                                                               \
	(FIELD_PREP(ISS_SYS_OP0, op0) | FIELD_PREP(ISS_SYS_OP1, op1) |                             \
	 FIELD_PREP(ISS_SYS_CRN, crn) | FIELD_PREP(ISS_SYS_CRM, crm) |                             \
	 FIELD_PREP(ISS_SYS_OP2, op2))

#define SCTLR_EL1   REG(3, 0, 1, 0, 0)
#define PMCCNTR_EL0 REG(3, 3, 9, 13, 0)

/* --- ID registers --- */

/*
 * A guest reads the CPU's features, except those that trap or whose state is not switched (SVE,
 * pointer authentication, the PMU, EL2). A field that is not named here reads as 0. D17.1.3:
 * op0 3, op1 0, CRn 0, CRm 1 to 7 are ID registers; those without a name read as zero.
 */
SYSREG_READ(id_aa64isar2_el1, "S3_0_C0_C6_2")
SYSREG_READ(id_aa64dfr1_el1, "id_aa64dfr1_el1")
SYSREG_READ(mvfr0_el1, "mvfr0_el1")
SYSREG_READ(mvfr1_el1, "mvfr1_el1")
SYSREG_READ(mvfr2_el1, "mvfr2_el1")

#define ID_REG(crm, op2) REG(3, 0, 0, crm, op2)

/* The field whose lowest bit is `low`. All have four bits. */
#define FIELD(low) GENMASK((low) + 3, low)

struct id_register {
	uint64_t reg;
	uint64_t (*read)(void);
	uint64_t shown;  /* fields that the guest reads from the CPU's register */
	uint64_t forced; /* bits that it reads as 1 */
};

static const struct id_register id_registers[] = {
	/* MVFR0 to MVFR2: floating point. */
	{ID_REG(3, 0), read_mvfr0_el1, ~UINT64_C(0), 0},
	{ID_REG(3, 1), read_mvfr1_el1, ~UINT64_C(0), 0},
	{ID_REG(3, 2), read_mvfr2_el1, ~UINT64_C(0), 0},
	/* PFR0: AArch64 only, at EL0 and EL1 only; FP, AdvSIMD, CSV2, CSV3, DIT. */
	{ID_REG(4, 0), read_id_aa64pfr0_el1,
         FIELD(16) | FIELD(20) | FIELD(48) | FIELD(56) | FIELD(60),
         FIELD_PREP(FIELD(0), 1) | FIELD_PREP(FIELD(4), 1)},
	/* PFR1: BT, SSBS. */
	{ID_REG(4, 1), read_id_aa64pfr1_el1, FIELD(0) | FIELD(4), 0},
	/* DFR0: DebugVer, BRPs, WRPs, CTX_CMPs, which have no value for "absent". */
	{ID_REG(5, 0), read_id_aa64dfr0_el1, FIELD(0) | FIELD(12) | FIELD(20) | FIELD(28), 0},
	{ID_REG(5, 1), read_id_aa64dfr1_el1, 0, 0},
	/* ISAR0: AES to RNDR, except TME. */
	{ID_REG(6, 0), read_id_aa64isar0_el1, ~FIELD(24), 0},
	/* ISAR1: DPB, JSCVT, FCMA, LRCPC, FRINTTS, SB, SPECRES, BF16, DGH, I8MM. */
	{ID_REG(6, 1), read_id_aa64isar1_el1, FIELD(0) | GENMASK(23, 12) | GENMASK(55, 32), 0},
	/* ISAR2: WFxT, RPRES, BC. */
	{ID_REG(6, 2), read_id_aa64isar2_el1, FIELD(0) | FIELD(4) | FIELD(20), 0},
	/* MMFR0: PARange, ASIDBits, BigEnd, BigEndEL0, TGran16, TGran64, TGran4, ExS. */
	{ID_REG(7, 0), read_id_aa64mmfr0_el1,
         FIELD(0) | FIELD(4) | FIELD(8) | FIELD(16) | GENMASK(31, 20) | FIELD(44), 0},
	/* MMFR1: HAFDBS, HPDS, PAN, ETS, AFP. */
	{ID_REG(7, 1), read_id_aa64mmfr1_el1,
         FIELD(0) | FIELD(12) | FIELD(20) | FIELD(36) | FIELD(44), 0},
	/* MMFR2: CnP, UAO, LSM, IESB, VARange, CCIDX, ST, AT, IDS, TTL, BBM, E0PD. */
	{ID_REG(7, 2), read_id_aa64mmfr2_el1,
         GENMASK(23, 0) | FIELD(28) | FIELD(32) | FIELD(36) | GENMASK(55, 48) | FIELD(60), 0},
};

static bool is_id_register(uint64_t reg)
{
	uint64_t crm = FIELD_GET(ISS_SYS_CRM, reg);

	return FIELD_GET(ISS_SYS_OP0, reg) == 3 && FIELD_GET(ISS_SYS_OP1, reg) == 0 &&
	       FIELD_GET(ISS_SYS_CRN, reg) == 0 && crm >= 1 && crm <= 7;
}

static uint64_t read_id_register(uint64_t reg)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(id_registers); i++) {
		if (id_registers[i].reg == reg)
			return (id_registers[i].read() & id_registers[i].shown) |
			       id_registers[i].forced;
	}
	return 0;
}

/* --- debug registers --- */

/*
 * op0 2, op1 0 and 3 (D17.3): they read as zero and ignore writes, because systems write them
 * without a test. op1 1 are trace registers, which do not exist for a guest.
 */
static bool is_debug_register(uint64_t reg)
{
	uint64_t op1 = FIELD_GET(ISS_SYS_OP1, reg);

	return FIELD_GET(ISS_SYS_OP0, reg) == 2 && (op1 == 0 || op1 == 3);
}

/* --- stage 1 --- */

/*
 * The guest switches its stage 1 on. From here its memory has the guest's attributes, and the
 * registers of stage 1 do not trap. TLB entries may include the effect of DC (D17.2.48), so those
 * of this VMID are invalidated.
 */
static void stage1_on(struct el2_vcpu *v)
{
	v->hcr &= ~(HCR_DC | HCR_TVM);
	el2_update_hcr(v);
	__asm__ volatile("tlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

/* The registers that TVM traps. */
static const struct {
	uint64_t reg;
	void (*write)(uint64_t value);
} stage1_registers[] = {
	{SCTLR_EL1, write_sctlr_el1},
	{REG(3, 0, 2, 0, 0), write_ttbr0_el1},
	{REG(3, 0, 2, 0, 1), write_ttbr1_el1},
	{REG(3, 0, 2, 0, 2), write_tcr_el1},
	{REG(3, 0, 5, 1, 0), write_afsr0_el1},
	{REG(3, 0, 5, 1, 1), write_afsr1_el1},
	{REG(3, 0, 5, 2, 0), write_esr_el1},
	{REG(3, 0, 6, 0, 0), write_far_el1},
	{REG(3, 0, 10, 2, 0), write_mair_el1},
	{REG(3, 0, 10, 3, 0), write_amair_el1},
	{REG(3, 0, 13, 0, 1), write_contextidr_el1},
};

static bool write_register(struct el2_vcpu *v, uint64_t reg, uint64_t value)
{
	if (is_debug_register(reg))
		return true;
	for (size_t i = 0; i < MM_ARRAY_SIZE(stage1_registers); i++) {
		if (stage1_registers[i].reg != reg)
			continue;
		stage1_registers[i].write(value);
		if (reg == SCTLR_EL1 && (value & SCTLR_EL1_M) != 0)
			stage1_on(v);
		return true;
	}
	return false;
}

/* --- traps --- */

static bool read_register(uint64_t reg, uint64_t *value)
{
	if (reg == PMCCNTR_EL0)
		*value = machine_cycles();
	else if (is_id_register(reg))
		*value = read_id_register(reg);
	else if (is_debug_register(reg))
		*value = 0;
	else
		return false;
	return true;
}

enum exit_action el2_handle_sysreg(struct el2_vcpu *v, struct vm_exit *exit)
{
	uint64_t iss = FIELD_GET(ESR_ISS, exit->raw[0]), reg = iss & ISS_SYS_REG;
	unsigned rt = (unsigned)FIELD_GET(ISS_SYS_RT, iss);
	bool read = (iss & ISS_SYS_READ) != 0;
	uint64_t value = read ? 0 : el2_x(v, rt);

	if (read ? read_register(reg, &value) : write_register(v, reg, value)) {
		if (read)
			el2_set_x(v, rt, value);
		v->pc += EL2_INSN_BYTES;
		return EXIT_RESUME;
	}
	exit->kind = VM_EXIT_SYSREG;
	exit->sysreg.reg = (uint32_t)reg;
	exit->sysreg.write = !read;
	exit->sysreg.gpr = (uint8_t)rt;
	exit->sysreg.value = value;
	return EXIT_RETURN;
}

void el2_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
	struct el2_vcpu *v = el2_of(vcpu);

	if (exit->kind == VM_EXIT_SYSREG && !exit->sysreg.write)
		el2_set_x(v, exit->sysreg.gpr, value);
	v->pc += EL2_INSN_BYTES;
}
