/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine layer of AArch64: every CPU that firmware names runs, with its MMU, caches and
 * counters on; EL2's map has the permissions of machine/aarch64/mmu.c; the clocks and the timer
 * keep their contracts.
 */
#include "machine.h"
#include "cpu_work.h"
#include "frame.h"
#include "kernel/cmdline.h"
#include "kernel/string.h"
#include "machine/aarch64/board.h"
#include "machine/aarch64/cpu.h"
#include "machine/aarch64/timer.h"
#include "suite/aarch64/arm.h"
#include "suite/payload.h"

SYSREG_READ(sctlr_el2, "sctlr_el2")
SYSREG_READ(mair_el2, "mair_el2")
SYSREG_READ(ttbr0_el2, "ttbr0_el2")
SYSREG_READ(tcr_el2, "tcr_el2")
SYSREG_READ(mpidr_el1, "mpidr_el1")
SYSREG_READ(cntfrq_el0, "cntfrq_el0")
SYSREG_READ(id_aa64dfr0_el1, "id_aa64dfr0_el1")
SYSREG_READ(currentel, "CurrentEL")
SYSREG_READ(vttbr_el2, "vttbr_el2")

#define AFFINITY (GENMASK(39, 32) | GENMASK(23, 0))

/* --- each CPU --- */

struct cpu_view {
	unsigned index;
	uint64_t mpidr, sctlr, mair, ttbr, tcr, el, stack;
	uint64_t cycles[2];
};

static void look(void *arg)
{
	struct cpu_view *view = arg;

	*view = (struct cpu_view){
		.index = machine_cpu_index(),
		.mpidr = read_mpidr_el1() & AFFINITY,
		.sctlr = read_sctlr_el2(),
		.mair = read_mair_el2(),
		.ttbr = read_ttbr0_el2(),
		.tcr = read_tcr_el2(),
		.el = read_currentel(),
		.stack = (uint64_t)(uintptr_t)__builtin_frame_address(0),
		.cycles = {machine_cycles()},
	};
	for (unsigned i = 0; i < 1000; i++)
		machine_relax();
	view->cycles[1] = machine_cycles();
}

/* SCTLR_EL2: M, C, SA, I, WXN on; A and EE off. */
#define SCTLR_ON  (BIT(0) | BIT(2) | BIT(3) | BIT(12) | BIT(19))
#define SCTLR_OFF (BIT(1) | BIT(25))

/* The stack of CPU i is between its guard page and that of CPU i + 1. */
static bool on_its_stack(const struct cpu_view *view, unsigned cpu)
{
	uint64_t guard = (uint64_t)(uintptr_t)cpu_stack_guard(cpu);
	uint64_t next = (uint64_t)(uintptr_t)cpu_stack_guard(cpu + 1);

	return view->stack >= guard + PAGE && view->stack < next;
}

static void check_cpu(struct suite_run *run, const struct cpu_view *view, unsigned cpu)
{
	if (view->index != cpu || !on_its_stack(view, cpu))
		suite_fail(run, "CPU %u has index %u and stack 0x%" PRIx64, cpu, view->index,
		           view->stack);
	if (view->mpidr != run->host->boot->cpu_ids[cpu])
		suite_fail(run, "CPU %u is 0x%" PRIx64 ", firmware names 0x%" PRIx64, cpu,
		           view->mpidr, run->host->boot->cpu_ids[cpu]);
	if (view->el != 8 || (view->sctlr & SCTLR_ON) != SCTLR_ON || (view->sctlr & SCTLR_OFF) != 0)
		suite_fail(run, "CPU %u: CurrentEL 0x%" PRIx64 " SCTLR_EL2 0x%" PRIx64, cpu,
		           view->el, view->sctlr);
	if (view->mair != read_mair_el2() || view->ttbr != read_ttbr0_el2() ||
	    view->tcr != read_tcr_el2())
		suite_fail(run, "CPU %u has other tables than CPU 0", cpu);
	if (view->cycles[1] <= view->cycles[0])
		suite_fail(run, "CPU %u: machine_cycles() does not advance", cpu);
}

static unsigned cpus_wanted(const struct host *host)
{
	static struct cmdline options;
	static char error[CMDLINE_ERROR];
	unsigned all = host->boot->cpus < MACHINE_MAX_CPUS ? host->boot->cpus : MACHINE_MAX_CPUS;

	if (!cmdline_parse(host->boot->cmdline, &options, error))
		return all;
	return options.smp != 0 && options.smp < all ? (unsigned)options.smp : all;
}

static void run_cpus(struct suite_run *run, const void *data)
{
	static struct cpu_view view;

	(void)data;
	if (machine_cpu_count() != cpus_wanted(run->host))
		suite_fail(run, "%u CPUs run, not %u", machine_cpu_count(), cpus_wanted(run->host));
	for (unsigned cpu = 0; cpu < run->host->cpus; cpu++) {
		if (cpu == 0) {
			look(&view);
		} else {
			cpu_work_give(cpu, look, &view);
			cpu_work_wait(cpu);
		}
		check_cpu(run, &view, cpu);
	}
}

/* --- the map of EL2 --- */

extern char _image_start[], _text_end[], _rodata_end[];

#define DESC_VALID   BIT(0)
#define DESC_TABLE   BIT(1)
#define DESC_ATTR    GENMASK(4, 2)
#define DESC_RO      BIT(7)
#define DESC_XN      BIT(54)
#define DESC_ADDRESS GENMASK(47, 12)

/* The leaf of an address, by the Arm ARM, D8.3, from level 0 of a 48-bit range; 0: none. */
static uint64_t leaf_of(uint64_t at)
{
	uint64_t table = read_ttbr0_el2() & DESC_ADDRESS;

	for (unsigned shift = 39;; shift -= 9) {
		uint64_t entry = ((const uint64_t *)(uintptr_t)table)[at >> shift & 511];

		if ((entry & DESC_VALID) == 0)
			return 0;
		if (shift == 12 || (entry & DESC_TABLE) == 0) {
			uint64_t address = entry & DESC_ADDRESS & ~(BIT(shift) - 1);

			return address == (at & ~(BIT(shift) - 1)) ? entry : 0;
		}
		table = entry & DESC_ADDRESS;
	}
}

static uint64_t attribute(uint64_t leaf)
{
	return read_mair_el2() >> 8 * FIELD_GET(DESC_ATTR, leaf) & 0xff;
}

#define NORMAL_WB 0xffU
#define DEVICE    0x04U

static void expect_page(struct suite_run *run, const char *what, uint64_t at, uint64_t permissions,
                        uint64_t type)
{
	uint64_t leaf = leaf_of(at);

	if ((leaf & DESC_VALID) == 0)
		suite_fail(run, "%s at 0x%" PRIx64 " is not mapped at its address", what, at);
	else if ((leaf & (DESC_RO | DESC_XN)) != permissions || attribute(leaf) != type)
		suite_fail(run, "%s at 0x%" PRIx64 ": entry 0x%" PRIx64 " type 0x%" PRIx64, what,
		           at, leaf, attribute(leaf));
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static void check_image(struct suite_run *run)
{
	for (uint64_t at = address(_image_start); at < address(_text_end); at += PAGE)
		expect_page(run, "text", at, DESC_RO, NORMAL_WB);
	for (uint64_t at = address(_text_end); at < address(_rodata_end); at += PAGE)
		expect_page(run, "constant data", at, DESC_RO | DESC_XN, NORMAL_WB);
	expect_page(run, "data", address(_rodata_end), DESC_XN, NORMAL_WB);
}

static void run_map(struct suite_run *run, const void *data)
{
	mm_hpa_t frame;

	(void)data;
	check_image(run);
	for (unsigned cpu = 0; cpu < MACHINE_MAX_CPUS; cpu++) {
		uint64_t guard = address(cpu_stack_guard(cpu));

		if (leaf_of(guard) != 0)
			suite_fail(run, "the guard page of CPU %u is mapped", cpu);
		expect_page(run, "stack", guard + PAGE, DESC_XN, NORMAL_WB);
	}
	expect_page(run, "console", board.uart_base.raw, DESC_XN, DEVICE);
	if (board.irq != IRQ_NONE)
		expect_page(run, "interrupt controller", board.irq_distributor.raw, DESC_XN,
		            DEVICE);
	if (frame_alloc(0, &frame)) {
		expect_page(run, "RAM", frame.raw, DESC_XN, NORMAL_WB);
		frame_free(0, frame);
	}
}

/* --- clocks --- */

static bool has_pmu(void)
{
	uint64_t version = FIELD_GET(GENMASK(11, 8), read_id_aa64dfr0_el1());

	return version != 0 && version != 15;
}

/* machine_pause() uses the timer, and gives it back. */
static void check_pause(struct suite_run *run, uint64_t control)
{
	uint64_t deadline = machine_ticks() + 3600 * machine_ticks_per_second();

	write_cnthp_cval_el2(deadline);
	write_cnthp_ctl_el2(control);
	machine_pause();
	if (read_cnthp_cval_el2() != deadline ||
	    (read_cnthp_ctl_el2() & (TIMER_ENABLE | TIMER_IMASK)) != control)
		suite_fail(run, "machine_pause() changes the timer");
	if (timer_fired())
		suite_fail(run, "the timer has fired an hour too early");
}

static void run_clocks(struct suite_run *run, const void *data)
{
	uint64_t now, end;

	(void)data;
	if (machine_ticks_per_second() != (read_cntfrq_el0() & UINT32_MAX))
		suite_fail(run, "%" PRIu64 " ticks per second, CNTFRQ_EL0 has %" PRIu64,
		           machine_ticks_per_second(), read_cntfrq_el0());
	if (strcmp(machine_cycles_unit(), has_pmu() ? "pmccntr" : "cntpct") != 0)
		suite_fail(run, "cycles are from %s", machine_cycles_unit());
	check_pause(run, 0);
	check_pause(run, TIMER_ENABLE);

	now = machine_ticks();
	end = now + 1000 * machine_ticks_per_second(); /* for hangs */
	timer_set(now + machine_ticks_per_second() / 1000);
	while (!timer_fired() && machine_ticks() < end)
		machine_relax();
	if (!timer_fired() || machine_ticks() < now + machine_ticks_per_second() / 1000)
		suite_fail(run, "the timer does not fire when it is due");
	timer_set(UINT64_MAX);
	if (timer_fired())
		suite_fail(run, "a timer that is off has fired");
}

/* --- machine_zero() --- */

#define POISON 0xa5

static void check_zero(struct suite_run *run, uint8_t *at, uint64_t from, uint64_t bytes,
                       uint64_t all)
{
	memset(at, POISON, all);
	machine_zero(NULL, at + from, bytes);
	for (uint64_t i = 0; i < all; i++) {
		bool inside = i >= from && i < from + bytes;

		if (at[i] == (inside ? 0 : POISON))
			continue;
		suite_fail(run,
		           "machine_zero() of 0x%" PRIx64 " bytes at 0x%" PRIx64
		           ": 0x%x at 0x%" PRIx64,
		           bytes, from, at[i], i);
		return;
	}
}

#define ORDER 3U

static void run_zero(struct suite_run *run, const void *data)
{
	const uint64_t all = PAGE << ORDER;
	mm_hpa_t frames;
	uint8_t *at;

	(void)data;
	if (!frame_alloc(ORDER, &frames)) {
		run->skip = "no memory";
		return;
	}
	at = frame_ptr(frames);
	check_zero(run, at, 0, PAGE, all);
	check_zero(run, at, PAGE, PAGE, all);
	check_zero(run, at, PAGE, 4 * PAGE, all);
	check_zero(run, at, 0, all, all);
	frame_free(ORDER, frames);
}

/* --- what the CPU has while a guest is loaded --- */

#define VTTBR_VMID  GENMASK(63, 48)
#define VTTBR_BADDR GENMASK(47, 1) /* LPA2: bits 5 to 2 are bits 51 to 48 of the address */

/* Step: the guest has called, and is loaded. */
static uint64_t look_at_vttbr(struct suite_run *run, uint64_t unused)
{
	uint64_t vttbr = read_vttbr_el2(), root = mm_aspace_root(&run->vm->as).raw;

	(void)unused;
	EXPECT_EQ(run, FIELD_GET(VTTBR_VMID, vttbr), mm_aspace_tag(&run->vm->as));
	EXPECT(run, FIELD_GET(VTTBR_VMID, vttbr) != 0);
	EXPECT_EQ(run, vttbr & VTTBR_BADDR, root);
	return 0;
}

static const struct suite_case cases[] = {
	{.name = "arm.machine.cpus", .run = run_cpus},
	{.name = "arm.machine.map", .run = run_map},
	{.name = "arm.machine.clocks", .run = run_clocks},
	{.name = "arm.machine.zero", .run = run_zero},
	{.name = "arm.machine.vttbr", .script = SCRIPT(STEP(0)), .step = look_at_vttbr},
};

const struct suite_subject suite_arm_machine = {
	.name = "arm.machine",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
