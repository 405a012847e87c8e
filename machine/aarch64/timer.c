/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters. Cycles are from the PMU, if there is one; start_cycle_counter has started it. Deadlines
 * and ticks are from the generic timer.
 */
#include "machine/aarch64/timer.h"

#include "machine.h"

SYSREG_READ(cntpct_el0, "cntpct_el0")
SYSREG_READ(cntfrq_el0, "cntfrq_el0")
SYSREG_READ(pmccntr_el0, "pmccntr_el0")
SYSREG_READ(id_aa64dfr0_el1, "id_aa64dfr0_el1")

#define DFR0_PMUVER     GENMASK(11, 8)
#define PMUVER_NONE     0
#define PMUVER_IMPL_DEF 15

static bool have_pmu;

void timer_init_cpu(void)
{
	uint64_t version = FIELD_GET(DFR0_PMUVER, read_id_aa64dfr0_el1());

	have_pmu = version != PMUVER_NONE && version != PMUVER_IMPL_DEF;
	timer_set(UINT64_MAX);
}

uint64_t machine_cycles(void)
{
	isb();
	return have_pmu ? read_pmccntr_el0() : read_cntpct_el0();
}

const char *machine_cycles_unit(void)
{
	return have_pmu ? "pmccntr" : "cntpct";
}

uint64_t machine_ticks(void)
{
	isb();
	return read_cntpct_el0();
}

uint64_t machine_ticks_per_second(void)
{
	return read_cntfrq_el0();
}
