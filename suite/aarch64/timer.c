/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's virtual timer, CNTV: an interrupt when it is due and not before, masked, withdrawn,
 * beside another VM on the CPU, and on a vCPU that moves. The virtual count has an offset, which is
 * the same for all vCPUs of a VM.
 */
#include "machine/aarch64/sysreg.h"
#include "suite/aarch64/arm.h"
#include "suite/beside.h"
#include "suite/compare.h"
#include "suite/mailbox.h"

SYSREG_READ(cntvoff_el2, "cntvoff_el2")

ARM_PIECE(timer_local);
ARM_PIECE(timer_shared);
ARM_PIECE(timer_bystander);
ARM_PIECE(timer_moved);
ARM_PIECE(timer_offset);

/* Two VMs on one CPU. */
static bool ready_shared(struct suite_run *run)
{
	return arm_place_piece(run, run->vm, ARM_CODE, timer_shared) &&
	       arm_place_piece(run, beside_vm(0), ARM_CODE, timer_bystander);
}

/* --- the offset --- */

static uint64_t answer_offset(struct suite_run *run, uint64_t number)
{
	uint64_t offset = read_cntvoff_el2();

	(void)number;
	/* scratch[0] is that of the first step. */
	if (run->scratch[0] == 0)
		run->scratch[0] = offset;
	if (run->scratch[0] != offset)
		suite_fail(run, "CNTVOFF_EL2 0x%" PRIx64 " and 0x%" PRIx64 " in one VM",
		           run->scratch[0], offset);
	return offset;
}

/* The VM beside has another offset. */
static bool ready_offset(struct suite_run *run)
{
	return arm_ready(run) && arm_place_piece(run, beside_vm(0), ARM_CODE, timer_bystander);
}

/* --- from CPU to CPU --- */

static struct vm moved[2];

static const struct suite_op moved_script[] = {CALL_AT(ARM_CODE, 0, 0), {OP(END)}};

static bool make_moved(struct suite_run *run, unsigned i)
{
	static struct vm_config config;
	struct aspace_backing backing = {.populate = true};

	config = (struct vm_config){.name = "moved", .geometry = suite_geometry()};
	if (!guest_image_find("agent", &config.image) || !vm_create(&moved[i], run->host, &config))
		return suite_fail(run, "no VM: %s", moved[i].error);
	return aspace_map_alloc(&moved[i].as, gpa_range(gpa_at(ARENA), 32 * PAGE), MM_RWX,
	                        backing) == MM_OK &&
	       suite_write_script(&moved[i], 0, moved_script) &&
	       arm_place_piece(run, &moved[i], ARM_CODE, i == 0 ? timer_moved : timer_bystander);
}

static void run_moved(struct suite_run *run, const void *data)
{
	struct vm *const vms[] = {&moved[0], &moved[1]};
	unsigned made = 0;
	bool good = true;

	(void)data;
	while (made < MM_ARRAY_SIZE(moved) && good)
		good = make_moved(run, made++);
	if (good && arm_run_moving(run, vms, MM_ARRAY_SIZE(vms), run->host->cpus)) {
		for (unsigned i = 0; i < MM_ARRAY_SIZE(vms); i++)
			compare_script(run, "moved", moved_script, suite_read_mailbox(vms[i], 0),
			               1);
	}
	while (made-- > 0)
		(void)vm_destroy(&moved[made]);
}

#define ONCE SCRIPT(CALL_AT(ARM_CODE, 0, 0))

static const struct suite_case cases[] = {
	{
		.name = "arm.timer.local",
		.areas = ARM_AREAS,
		.script = ONCE,
		.data = &timer_local,
		.ready = arm_ready,
	},
	{
		.name = "arm.timer.shared",
		.share_cpu = true,
		.areas = ARM_AREAS,
		.script = ONCE,
		.beside = {ONCE},
		.uncounted = true,
		.ready = ready_shared,
	},
	{
		.name = "arm.timer.moved",
		.cpus = 2,
		.run = run_moved,
	},
	{
		.name = "arm.timer.offset",
		.areas = ARM_AREAS,
		.script = ONCE,
		.others = {ONCE, ONCE, ONCE},
		.data = &timer_offset,
		.ready = arm_ready,
		.step = answer_offset,
	},
	{
		.name = "arm.timer.offset.one-cpu",
		.share_cpu = true,
		.areas = ARM_AREAS,
		.script = ONCE,
		.others = {ONCE, ONCE},
		.beside = {ONCE},
		.uncounted = true,
		.data = &timer_offset,
		.ready = ready_offset,
		.step = answer_offset,
	},
};

const struct suite_subject suite_arm_timer = {
	.name = "arm.timer",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
