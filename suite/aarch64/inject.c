/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exception that the hypervisor injects looks as if the CPU took it (Arm ARM D1.3.1): the vector
 * of the level and stack pointer, the syndrome, the return address, the saved and the new PSTATE.
 * The guest returns from it and continues.
 */
#include "kernel/string.h"
#include "suite/aarch64/arm.h"

ARM_PIECE(inject);
ARM_PIECE(inject_alike);

struct record {
	uint64_t vector, esr, elr, spsr, daif, level, spsel, nzcv_after, daif_after, pad;
};

#define ESR_IL  UINT64_C(0x2000000)
#define EL1     UINT64_C(4)
#define ALL_OFF UINT64_C(0x3c0)

/* In the order of inject_code.S. Bits of PSTATE that other features add are not compared. */
#define SPSR_COMPARED UINT64_C(0xf00003df)

static const struct {
	const char *name;
	uint64_t vector, spsr;
} expected[] = {
	{"EL1h masked", 0x200, UINT64_C(0x50000000) | 0x3c5},
	{"EL1h unmasked", 0x200, UINT64_C(0xa0000000) | 0x005},
	{"EL1h partly masked", 0x200, UINT64_C(0x30000000) | 0x105},
	{"EL1t", 0x000, UINT64_C(0x30000000) | 0x284},
	{"EL0", 0x400, UINT64_C(0x90000000) | 0x3c0},
};

#define COUNT MM_ARRAY_SIZE(expected)

static void differs(struct suite_run *run, size_t i, const char *what, uint64_t want, uint64_t got)
{
	if (want != got)
		suite_fail(run, "%s: %s 0x%" PRIx64 ", not 0x%" PRIx64, expected[i].name, what, got,
		           want);
}

static bool verify(struct suite_run *run)
{
	struct record records[COUNT];
	uint64_t code = ARM_CODE + PAGE;

	if (mm_aspace_read(&run->vm->as, mm_gpa_at(ARM_DATA), records, sizeof(records)) != MM_OK)
		return suite_fail(run, "no records");
	for (size_t i = 0; i < COUNT; i++) {
		const struct record *got = &records[i];
		bool el0 = expected[i].vector == 0x400;

		differs(run, i, "vector", expected[i].vector, got->vector);
		differs(run, i, "ESR_EL1", ESR_IL, got->esr);
		differs(run, i, "SPSR_EL1", expected[i].spsr, got->spsr & SPSR_COMPARED);
		differs(run, i, "DAIF in the handler", ALL_OFF, got->daif);
		differs(run, i, "CurrentEL in the handler", EL1, got->level);
		differs(run, i, "SPSel in the handler", 1, got->spsel);
		if (got->elr < code || got->elr >= code + PAGE)
			suite_fail(run, "%s: ELR_EL1 0x%" PRIx64, expected[i].name, got->elr);
		if (i != 0 && got->elr <= records[i - 1].elr)
			suite_fail(run, "%s: ELR_EL1 is not of the next one", expected[i].name);
		if (el0) /* EL0 cannot read DAIF */
			continue;
		differs(run, i, "NZCV after the return", expected[i].spsr & 0xf0000000,
		        got->nzcv_after);
		differs(run, i, "DAIF after the return", expected[i].spsr & ALL_OFF,
		        got->daif_after);
	}
	return run->complaints == 0;
}

static const struct suite_case cases[] = {
	{
		.name = "arm.inject.undefined",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE + PAGE, ARM_DATA, 0),
                                 CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		.data = &inject,
		.ready = arm_ready,
		.verify = verify,
	},
	{
		/* A bit for each word that differs: inject_code.S. */
		.name = "arm.inject.as-the-cpu",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, ARM_DATA, 0)),
		.data = &inject_alike,
		.ready = arm_ready,
	},
};

const struct suite_subject suite_arm_inject = {
	.name = "arm.inject",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
