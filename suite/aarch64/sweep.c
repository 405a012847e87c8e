/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No register that a guest can change is missing in registers.h. The guest tries every encoding
 * with op0 3 and op1 0 to 3: it reads the register, writes the complement, and reads it again. A
 * register that changes must be listed, so that it is switched with the vCPU.
 */
#include "suite/aarch64/arm.h"
#include "suite/aarch64/registers.h"

ARM_PIECE(sweep);

#define RESULTS   (ARM_DATA + 0x10000)
#define ENCODINGS 8192U

/* Per register: MRS x1. */
#define MRS_X1(name, spelling, varied, fixed, sure, needs) "mrs x1, " spelling "\n\t"
__asm__(".pushsection .rodata\n\t.balign 4\narm_sweep_listed:\n\t" ARM_REGISTERS(
	MRS_X1) ".popsection");
extern const uint32_t arm_sweep_listed[];

/* CRn 4: PSTATE's fields, which are part of SPSR_EL2, and the stack pointers. */
static bool is_pstate(uint32_t insn)
{
	return (insn >> 12 & 15) == 4;
}

/* CNTV_TVAL_EL0 is another view of CNTV_CVAL_EL0. */
#define CNTV_TVAL (ARM_MRS | 3U << 19 | 3U << 16 | 14U << 12 | 3U << 8 | 0U << 5 | 1U)

static bool listed(uint32_t insn)
{
	for (unsigned i = 0; i < ARM_REGISTER_COUNT; i++) {
		if (arm_sweep_listed[i] == insn)
			return true;
	}
	return insn == CNTV_TVAL || is_pstate(insn);
}

static bool ready(struct suite_run *run)
{
	static uint32_t list[ENCODINGS + 1];
	size_t count = 0;

	for (uint32_t i = 0; i < ENCODINGS; i++) {
		uint32_t insn = ARM_MRS | 3U << 19 | i << 5 | 1;

		if (!listed(insn))
			list[count++] = insn;
	}
	list[count++] = 0;
	return arm_place_piece(run, run->vm, ARM_CODE, sweep) &&
	       mm_aspace_write(&run->vm->as, mm_gpa_at(ARM_DATA), list, count * sizeof(*list)) ==
	               MM_OK;
}

static bool verify(struct suite_run *run)
{
	uint32_t found[8] = {0};

	if (mm_aspace_read(&run->vm->as, mm_gpa_at(RESULTS), found, sizeof(found)) != MM_OK)
		return suite_fail(run, "no results");
	for (size_t i = 0; i < MM_ARRAY_SIZE(found) && found[i] != 0; i++)
		suite_fail(run, "the guest can change S3_%u_C%u_C%u_%u", found[i] >> 16 & 7,
		           found[i] >> 12 & 15, found[i] >> 8 & 15, found[i] >> 5 & 7);
	return run->complaints == 0;
}

static const struct suite_case cases[] = {
	{
		.name = "arm.sweep.unlisted",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RWX)),
		.script = SCRIPT(CALL_AT(ARM_CODE, ARM_DATA, 0)),
		.uncounted = true,
		.ready = ready,
		.verify = verify,
	},
};

const struct suite_subject suite_arm_sweep = {
	.name = "arm.sweep",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
