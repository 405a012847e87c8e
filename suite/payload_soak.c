/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long runs, selected by name only (`make soak`): millions of lazy faults, and thousands of VMs
 * created and killed. At the end all frames are free.
 */
#include "frame.h"
#include "kernel/run.h"
#include "log.h"
#include "suite/payload.h"

#define SOAK_FAULTS    UINT64_C(10000000)
#define FAULTS_PER_VM  UINT64_C(16384)
#define SOAK_VMS       10000U
#define SOAK_EXITS     UINT64_C(10000000)
#define BENCH_SUM      2 /* guests/bench.c: the cycles of all its rounds */
#define PROGRESS_STEPS 20U

/* The log lines of the VMs would be too many. One line at intervals reports the progress. */
static void progress(const struct suite_run *run, uint64_t done, uint64_t all, uint64_t step)
{
	if (done / (all / PROGRESS_STEPS) != (done - step) / (all / PROGRESS_STEPS))
		log_line(LOG_QUIET, "%s %" PRIu64 " of %" PRIu64 " frames_free=%" PRIu64,
		         run->c->name, done, all, frames_free());
}

static void soak_faults(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("soak", "lazy", VM_LAZY, PAGES(FAULTS_PER_VM));
	enum log_level level = log_level;
	uint64_t free = frames_free(), done = 0;

	(void)data;
	config.args[0] = LAZY_WRITE;
	config.args[1] = MM_PAGE_SIZE;
	config.args[2] = FAULTS_PER_VM;
	log_level = LOG_QUIET;
	while (done < SOAK_FAULTS && run->complaints == 0) {
		struct session *s = payload_run(run, &config);

		if (s == NULL)
			break;
		expect_exit(run, s);
		expect_faults(run, s, FAULTS_PER_VM);
		done += FAULTS_PER_VM;
		progress(run, done, SOAK_FAULTS, FAULTS_PER_VM);
	}
	log_level = level;
	EXPECT_EQ(run, frames_free(), free);
	log_line(LOG_QUIET,
	         "soak faults=%" PRIu64 " frames_before=%" PRIu64 " frames_after=%" PRIu64, done,
	         free, frames_free());
}

/* One guest in two exits by itself. The other is killed for an access to an unmapped address. */
static void soak_vms(struct suite_run *run, const void *data)
{
	struct vm_config good = session_config("hello", "lazy", VM_LAZY, MIB(1));
	struct vm_config bad = session_config("wild", "wild", VM_LAZY, MIB(1));
	enum log_level level = log_level;
	uint64_t free = frames_free();

	(void)data;
	good.args[0] = LAZY_WRITE;
	good.args[1] = MM_PAGE_SIZE;
	good.args[2] = 16;
	bad.args[0] = ARENA + MIB(2);
	bad.args[1] = 1;
	log_level = LOG_QUIET;
	for (unsigned i = 1; i <= SOAK_VMS && run->complaints == 0; i++) {
		struct session *s = payload_run(run, i % 2 != 0 ? &good : &bad);

		if (s == NULL)
			break;
		if (i % 2 != 0)
			expect_exit(run, s);
		else
			expect_kill(run, s, KILL_NOT_MAPPED, mm_gpa_at(bad.args[0]));
		progress(run, i, SOAK_VMS, 1);
	}
	log_level = level;
	EXPECT_EQ(run, frames_free(), free);
	log_line(LOG_QUIET, "soak vms=%u frames_before=%" PRIu64 " frames_after=%" PRIu64, SOAK_VMS,
	         free, frames_free());
}

/* 10 million exits of one guest. A neighbour shares the CPU with it and finishes its own work in a
 * small part of the time. */
static void soak_exits(struct suite_run *run, const void *data)
{
	static struct vm storm, neighbour;
	struct vm_config wild = session_config("storm", "bench", VM_LAZY, MIB(1));
	struct vm_config good = session_config("neighbour", "lazy", VM_LAZY, MIB(1));
	struct vm *const vms[] = {&storm, &neighbour};
	struct host one_cpu = *run->host;
	uint64_t free = frames_free();

	(void)data;
	one_cpu.cpus = 1;
	wild.quiet_s = HANG_NEVER; /* GUEST_NOP does not count as progress */
	wild.total_s = 3600;
	wild.args[2] = SOAK_EXITS;
	good.args[0] = LAZY_WRITE;
	good.args[1] = MM_PAGE_SIZE;
	good.args[2] = 256;
	if (!vm_create(&storm, &one_cpu, &wild)) {
		suite_fail(run, "storm: %s", storm.error);
		return;
	}
	if (!vm_create(&neighbour, &one_cpu, &good)) {
		suite_fail(run, "neighbour: %s", neighbour.error);
	} else {
		vm_run_all(vms, MM_ARRAY_SIZE(vms));
		EXPECT_EQ(run, vm_outcome(&storm), VM_EXITED);
		EXPECT_EQ(run, vm_outcome(&neighbour), VM_EXITED);
		EXPECT_EQ(run, neighbour.reports[LAZY_NOT_KEPT], 0);
		EXPECT(run, neighbour.reports[LAZY_CYCLES] < storm.reports[BENCH_SUM] / 10);
		log_line(LOG_QUIET, "soak exits=%" PRIu64 " storm=%" PRIu64 " neighbour=%" PRIu64,
		         SOAK_EXITS, storm.reports[BENCH_SUM], neighbour.reports[LAZY_CYCLES]);
		(void)vm_destroy(&neighbour);
	}
	(void)vm_destroy(&storm);
	EXPECT_EQ(run, frames_free(), free);
}

static const struct suite_case cases[] = {
	{.name = "soak.exits", .run = soak_exits},
	{.name = "soak.faults", .run = soak_faults},
	{.name = "soak.vms", .run = soak_vms},
};

const struct suite_subject suite_payload_soak = {
	.name = "soak",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.by_name_only = true,
};
