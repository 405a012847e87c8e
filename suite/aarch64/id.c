/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ID registers of AArch64: what is hidden reads as hidden, what is shown is the CPU's, and what
 * has no name reads as zero. The table is a list of features, field by field, from the Arm ARM
 * (DDI 0487, D17.2) and from docs/design.md, and not from el2/.
 */
#include "machine/aarch64/sysreg.h"
#include "suite/aarch64/arm.h"

SYSREG_READ(mvfr0_el1, "mvfr0_el1")
SYSREG_READ(mvfr1_el1, "mvfr1_el1")
SYSREG_READ(mvfr2_el1, "mvfr2_el1")
SYSREG_READ(id_aa64pfr0_el1, "id_aa64pfr0_el1")
SYSREG_READ(id_aa64pfr1_el1, "id_aa64pfr1_el1")
SYSREG_READ(id_aa64dfr0_el1, "id_aa64dfr0_el1")
SYSREG_READ(id_aa64isar0_el1, "id_aa64isar0_el1")
SYSREG_READ(id_aa64isar1_el1, "id_aa64isar1_el1")
SYSREG_READ(id_aa64isar2_el1, "S3_0_C0_C6_2")
SYSREG_READ(id_aa64mmfr0_el1, "id_aa64mmfr0_el1")
SYSREG_READ(id_aa64mmfr1_el1, "id_aa64mmfr1_el1")
SYSREG_READ(id_aa64mmfr2_el1, "id_aa64mmfr2_el1")

/* Fields of four bits, from bit 63 down: s is shown, - is hidden and reads as 0, a digit is read by
 * every guest. */
static const struct {
	const char *name;
	unsigned crm, op2;
	uint64_t (*read)(void);
	const char *fields;
} shown[] = {
	{"mvfr0", 3, 0, read_mvfr0_el1, "ssssssssssssssss"},
	{"mvfr1", 3, 1, read_mvfr1_el1, "ssssssssssssssss"},
	{"mvfr2", 3, 2, read_mvfr2_el1, "ssssssssssssssss"},
	/* CSV3 CSV2 rme DIT amu mpam sel2 sve; ras gic AdvSIMD FP el3 el2 EL1 EL0 */
	{"pfr0", 4, 0, read_id_aa64pfr0_el1, "ss-s------ss--11"},
	/* nothing but SSBS BT */
	{"pfr1", 4, 1, read_id_aa64pfr1_el1, "--------------ss"},
	/* CTX_CMPs WRPs BRPs DebugVer; no PMU, trace, profiling, branch records */
	{"dfr0", 5, 0, read_id_aa64dfr0_el1, "--------s-s-s--s"},
	/* RNDR TLB TS FHM DP SM4 SM3 SHA3; RDM tme Atomic CRC32 SHA2 SHA1 AES */
	{"isar0", 6, 0, read_id_aa64isar0_el1, "sssssssss-ssssss"},
	/* ls64 xs I8MM DGH BF16 SPECRES SB FRINTTS; gpi gpa LRCPC FCMA JSCVT api apa DPB */
	{"isar1", 6, 1, read_id_aa64isar1_el1, "--ssssss--sss--s"},
	/* BC mops apa3 gpa3 RPRES WFxT */
	{"isar2", 6, 2, read_id_aa64isar2_el1, "----------s---ss"},
	/* ecv fgt ExS tgran4_2 tgran64_2 tgran16_2; TGran4 TGran64 TGran16 BigEndEL0 snsmem BigEnd
           ASIDBits PARange */
	{"mmfr0", 7, 0, read_id_aa64mmfr0_el1, "----s---ssss-sss"},
	/* AFP hcx ETS twed; xnx specsei PAN lo HPDS vh vmidbits HAFDBS */
	{"mmfr1", 7, 1, read_id_aa64mmfr1_el1, "----s-s---s-s--s"},
	/* E0PD evt BBM TTL fwb IDS AT; ST nv CCIDX VARange IESB LSM UAO CnP */
	{"mmfr2", 7, 2, read_id_aa64mmfr2_el1, "s-ss--sss-ssssss"},
};

#define CRM_FIRST 1U
#define CRM_LAST  7U
#define OP2S      8U

static uint64_t expected_of(const char *fields, uint64_t cpu)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 16; i++) {
		uint64_t field = cpu >> (60 - 4 * i) & 15;

		value <<= 4;
		if (fields[i] == 's')
			value |= field;
		else if (fields[i] != '-')
			value |= (uint64_t)(fields[i] - '0');
	}
	return value;
}

static uint64_t expected(unsigned crm, unsigned op2, const char **name)
{
	*name = "a register without a name";
	for (size_t i = 0; i < MM_ARRAY_SIZE(shown); i++) {
		if (shown[i].crm != crm || shown[i].op2 != op2)
			continue;
		*name = shown[i].name;
		return expected_of(shown[i].fields, shown[i].read());
	}
	return 0;
}

/* MRS x1, S3_0_C0_C<crm>_<op2>; STR x1, [x0], #8 */
#define STR_X1_POST UINT32_C(0xf8008401)

static bool ready(struct suite_run *run)
{
	static struct arm_code code;

	code.count = 0;
	for (unsigned crm = CRM_FIRST; crm <= CRM_LAST; crm++) {
		for (unsigned op2 = 0; op2 < OP2S; op2++) {
			arm_emit(&code, ARM_MRS | arm_reg(3, 0, 0, crm, op2) | 1);
			arm_emit(&code, STR_X1_POST);
		}
	}
	arm_emit(&code, ARM_MOV_X0_0);
	arm_emit(&code, ARM_RET);
	return arm_place(run, run->vm, ARM_CODE, &code);
}

static bool verify(struct suite_run *run)
{
	uint64_t at = ARM_DATA, got;
	const char *name;

	for (unsigned crm = CRM_FIRST; crm <= CRM_LAST; crm++) {
		for (unsigned op2 = 0; op2 < OP2S; op2++, at += sizeof(got)) {
			uint64_t want = expected(crm, op2, &name);

			if (mm_aspace_read(&run->vm->as, mm_gpa_at(at), &got, sizeof(got)) != MM_OK)
				return suite_fail(run, "no results");
			if (got != want)
				suite_fail(run,
				           "%s (CRm %u, op2 %u): 0x%" PRIx64 ", not 0x%" PRIx64,
				           name, crm, op2, got, want);
		}
	}
	return run->complaints == 0;
}

/* --- MPIDR_EL1 --- */

static bool ready_mpidr(struct suite_run *run)
{
	static struct arm_code code;

	code.count = 0;
	arm_emit(&code, ARM_MRS | arm_reg(3, 0, 0, 0, 5));
	arm_emit(&code, ARM_RET);
	return arm_place(run, run->vm, ARM_CODE, &code);
}

#define MPIDR(index) SCRIPT(BARRIER(0), CALL_AT(ARM_CODE, 0, UINT64_C(0x80000000) | (index)))

static const struct suite_case cases[] = {
	{
		.name = "arm.id.registers",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, ARM_DATA, 0)),
		.ready = ready,
		.verify = verify,
	},
	{
		.name = "arm.id.mpidr",
		.areas = ARM_AREAS,
		.script = MPIDR(0),
		.others = {MPIDR(1), MPIDR(2), MPIDR(3)},
		.ready = ready_mpidr,
	},
	{
		.name = "arm.id.mpidr.one-cpu",
		.share_cpu = true,
		.areas = ARM_AREAS,
		.script = MPIDR(0),
		.others = {MPIDR(1), MPIDR(2)},
		.ready = ready_mpidr,
	},
};

const struct suite_subject suite_arm_id = {
	.name = "arm.id",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
