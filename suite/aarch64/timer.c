/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's virtual timer, CNTV: an interrupt when it is due and not before, masked, withdrawn,
 * beside another VM on the CPU, and on a vCPU that moves. The virtual count has an offset, which is
 * the same for all vCPUs of a VM.
 */
#include "machine.h"
#include "machine/aarch64/sysreg.h"
#include "suite/aarch64/arm.h"
#include "suite/beside.h"

SYSREG_READ(cntvoff_el2, "cntvoff_el2")

ARM_PIECE(timer_local);
ARM_PIECE(timer_line);
ARM_PIECE(timer_own_mask);
ARM_PIECE(timer_kicked);
ARM_PIECE(timer_wfi);
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
	/* The virtual count began at 0 in the past. */
	if (offset > machine_ticks())
		suite_fail(run, "CNTVOFF_EL2 0x%" PRIx64 " is beyond the physical count", offset);
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

/* `data` is the piece of code of the VM; the one beside it expects no interrupt. */
static void run_moved(struct suite_run *run, const void *data)
{
	static struct vm moved[2];
	struct vm *const vms[] = {&moved[0], &moved[1]};
	const struct arm_piece *piece = data;
	unsigned made = 0, halts;

	if (arm_make_moving(run, vms[made], *piece))
		made++;
	if (made == 1 && arm_make_moving(run, vms[made], timer_bystander))
		made++;
	if (made == 2 && arm_run_moving(run, vms, made, run->host->cpus, &halts)) {
		arm_compare_moving(run, vms[0]);
		arm_compare_moving(run, vms[1]);
	}
	while (made-- > 0)
		(void)vm_destroy(&moved[made]);
}

#define UNMAPPED (ARENA + 40 * PAGE)

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
		.name = "arm.timer.line",
		.areas = ARM_AREAS,
		.script = ONCE,
		.data = &timer_line,
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
		.data = &timer_moved,
	},
	{
		/* The hypervisor's own interrupt is not mistaken for that of the timer. */
		.name = "arm.timer.kicked",
		.areas = ARM_AREAS,
		.script = SCRIPT(POLL(ARM_DATA, 1), WRITE(8, UNMAPPED, 0)),
		.others = {SCRIPT(CALL_AT(ARM_CODE, ARM_DATA, 0))},
		.faults = FAULTS(FAULT(UNMAPPED, MM_W, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.data = &timer_kicked,
		.ready = arm_ready,
	},
	{
		.name = "arm.timer.wfi",
		.areas = ARM_AREAS,
		.script = ONCE,
		.data = &timer_wfi,
		.ready = arm_ready,
	},
	{
		.name = "arm.timer.own-mask",
		.areas = ARM_AREAS,
		.script = ONCE,
		.data = &timer_own_mask,
		.ready = arm_ready,
	},
	{
		.name = "arm.timer.own-mask.moved",
		.cpus = 2,
		.run = run_moved,
		.data = &timer_own_mask,
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
