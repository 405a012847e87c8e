/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All CPUs that firmware gives are started and run guests: each vCPU on a CPU of its own if there
 * are enough, otherwise in turn.
 */
#include "machine.h"
#include "mm/bits.h"
#include "suite/run.h"
#include "suite/suite.h"

static void started(struct suite_run *run, const void *data)
{
	(void)data;
	if (run->host->cpus != run->host->wanted)
		suite_fail(run, "%u CPUs are there, and %u run", run->host->wanted,
		           run->host->cpus);
	if (run->host->cpus != machine_cpu_count())
		suite_fail(run, "%u CPUs run, and %u have the extension", machine_cpu_count(),
		           run->host->cpus);
}

/* Step n, by vCPU n: notes the CPU on which it runs. */
static uint64_t note_cpu(struct suite_run *run, uint64_t vcpu)
{
	run->scratch[vcpu] = machine_cpu_index() + 1;
	return 0;
}

/* vCPU n runs on CPU n, modulo the number of CPUs. */
static bool one_each(struct suite_run *run)
{
	for (unsigned i = 0; i < run->vm->vcpu_count; i++) {
		if (run->scratch[i] != i % run->host->cpus + 1)
			return suite_fail(run, "vcpu %u: expected CPU %u, got CPU %" PRId64, i,
			                  i % run->host->cpus, (int64_t)run->scratch[i] - 1);
	}
	return true;
}

static const struct suite_case cases[] = {
	{.name = "cpus.started", .run = started},
	{
		.name = "cpus.one-each.2",
		.script = SCRIPT(STEP(0), BARRIER(0)),
		.others = {SCRIPT(STEP(1), BARRIER(0))},
		.step = note_cpu,
		.verify = one_each,
	},
	{
		.name = "cpus.one-each.3",
		.script = SCRIPT(STEP(0), BARRIER(0)),
		.others = {SCRIPT(STEP(1), BARRIER(0)), SCRIPT(STEP(2), BARRIER(0))},
		.step = note_cpu,
		.verify = one_each,
	},
	{
		.name = "cpus.one-each.4",
		.script = SCRIPT(STEP(0), BARRIER(0)),
		.others = {SCRIPT(STEP(1), BARRIER(0)), SCRIPT(STEP(2), BARRIER(0)),
                           SCRIPT(STEP(3), BARRIER(0))},
		.step = note_cpu,
		.verify = one_each,
	},
};

const struct suite_subject suite_cpus = {
	.name = "cpus",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
