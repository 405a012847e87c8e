/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each frame of a VM is refused once: for n = 1, 2, ... the VM may take n frames. It is refused
 * with a reason, or killed for the access that needs the next frame. No frame is left afterwards.
 */
#include "frame.h"
#include "kernel/string.h"
#include "machine.h"
#include "suite/payload.h"

#define LIMIT_MOST 4096U /* frames: more than any VM here takes */
#define TOUCHES    6U

static struct vm vm;

static bool ends_with(const char *text, const char *end)
{
	size_t bytes = strlen(text), tail = strlen(end);

	return bytes >= tail && memcmp(text + bytes - tail, end, tail) == 0;
}

/* "what: no memory (123M free)" */
static bool names_memory(const char *error)
{
	static const char reason[] = ": no memory";

	for (; strlen(error) >= strlen(reason); error++) {
		if (memcmp(error, reason, strlen(reason)) == 0)
			return ends_with(error, " free)");
	}
	return false;
}

/* Refused, and nothing is left. */
static void expect_refused(struct suite_run *run, uint64_t limit, uint64_t free)
{
	if (!names_memory(vm.error))
		suite_fail(run, "%" PRIu64 " frames: \"%s\"", limit, vm.error);
	if (vm.frames.taken != 0 || frames_free() != free)
		suite_fail(run, "%" PRIu64 " frames: %" PRIu64 " are left, %" PRId64 " leaked",
		           limit, (uint64_t)vm.frames.taken, (int64_t)(free - frames_free()));
}

/* The least limit with which the VM can be created; 0: none. Leaves no VM. */
static uint64_t least_limit(struct suite_run *run, struct vm_config *config)
{
	uint64_t free = frames_free();

	for (config->frame_limit = 1; config->frame_limit < LIMIT_MOST; config->frame_limit++) {
		if (vm_create(&vm, run->host, config)) {
			uint64_t taken = vm.frames.taken;

			if (vm_destroy(&vm) != 0 || vm.frames.taken != 0)
				suite_fail(run, "the VM has left frames");
			/* A step may need a few frames more than it keeps. */
			if (taken > config->frame_limit || taken + 8 < config->frame_limit)
				suite_fail(run, "%" PRIu64 " frames allowed, %" PRIu64 " taken",
				           config->frame_limit, taken);
			return config->frame_limit;
		}
		expect_refused(run, config->frame_limit, free);
		if (run->complaints != 0)
			return 0;
	}
	suite_fail(run, "the VM is never created: %s", vm.error);
	return 0;
}

/* All that a VM can have: the most vCPUs, and an area of each backing. */
static void create_all(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("scarce", "lazy", VM_LAZY, MIB(2));

	(void)data;
	config.geometry = suite_geometry();
	config.vcpus = VM_VCPUS;
	config.areas[1] =
		(struct vm_area){mm_gpa_at(ARENA + GIB(1)), PAGES(3), VM_POPULATED, MM_RW, 0};
	config.areas[2] =
		(struct vm_area){mm_gpa_at(ARENA + GIB(2)), PAGES(3), VM_LINEAR, MM_RW, 0};
	config.areas[3] = (struct vm_area){mm_gpa_at(ARENA + GIB(3)), PAGE, VM_POPULATED, MM_R, 0};
	(void)least_limit(run, &config);
}

/* A restart needs frames for its vCPUs. Without them it is refused, and the VM can be destroyed. */
static void restart(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("restart", "lazy", VM_LAZY, MIB(1));
	uint64_t least = 1, free = frames_free();

	(void)data;
	config.geometry = suite_geometry();
	config.vcpus = 3;
	for (uint64_t less = 0; less < least; less++) {
		if (!vm_create(&vm, run->host, &config)) {
			suite_fail(run, "no VM: %s", vm.error);
			return;
		}
		least = vm.frames.taken < 64 ? vm.frames.taken : 64;
		vm.frames.limit = vm.frames.taken - less;
		if (!vm_restart(&vm)) {
			EXPECT(run, less != 0);
			EXPECT(run, names_memory(vm.error));
		}
		EXPECT_EQ(run, vm_destroy(&vm), 0);
		EXPECT_EQ(run, vm.frames.taken, 0);
		EXPECT_EQ(run, frames_free(), free);
	}
}

/* One run of the guest `lazy`. True: it has exited. */
static bool run_with(struct suite_run *run, const struct vm_config *config, enum vm_kill reason)
{
	struct session *s = payload_run(run, config);
	const struct vm *ended;

	if (s == NULL)
		return true;
	ended = &s->vm;
	if (vm_outcome(ended) == VM_EXITED) {
		expect_exit(run, s);
		EXPECT_EQ(run, ended->stats.faults[MM_FAULT_MAPPED], TOUCHES);
		return true;
	}
	expect_kill(run, s, reason,
	            mm_gpa_at(ARENA + ended->stats.faults[MM_FAULT_MAPPED] * config->args[1]));
	EXPECT_EQ(run, ended->stats.faults[MM_FAULT_NO_MEMORY], reason == KILL_NO_MEMORY ? 1 : 0);
	EXPECT_EQ(run, ended->stats.faults[MM_FAULT_QUOTA], reason == KILL_QUOTA ? 1 : 0);
	return run->complaints != 0;
}

/* Each touch needs a table and a frame. One frame more each time, until the guest exits. */
static struct vm_config spread(const char *name)
{
	struct vm_config config = session_config(name, "lazy", VM_LAZY, MIB(2) * TOUCHES);

	config.geometry = suite_geometry();
	config.args[0] = LAZY_WRITE;
	config.args[1] = MIB(2);
	config.args[2] = TOUCHES;
	return config;
}

static void run_all(struct suite_run *run, const void *data)
{
	struct vm_config config = spread("scarce");
	uint64_t least = least_limit(run, &config), n = 0;

	(void)data;
	if (least == 0)
		return;
	do
		config.frame_limit = least + n;
	while (!run_with(run, &config, KILL_NO_MEMORY) && n++ < 4 * TOUCHES);
	/* A frame for each touch, and tables: one for every touch but those with an old one. */
	if (n < 2 * TOUCHES - 2 || n > 3 * TOUCHES)
		suite_fail(run, "the guest exits with %" PRIu64 " frames more", n);
}

/* The same with a quota, which counts the frames of the address space alone. */
static void run_quota(struct suite_run *run, const void *data)
{
	struct vm_config config = spread("quota");
	uint64_t least, n = 0;

	(void)data;
	if (!vm_create(&vm, run->host, &config)) {
		suite_fail(run, "no VM: %s", vm.error);
		return;
	}
	EXPECT_EQ(run, vm_destroy(&vm), 0);
	least = vm.stats.frames + vm.stats.tables;
	do
		config.quota = least + n;
	while (!run_with(run, &config, KILL_QUOTA) && n++ < 4 * TOUCHES);
	if (n < 2 * TOUCHES - 2 || n > 3 * TOUCHES)
		suite_fail(run, "the guest exits with %" PRIu64 " frames more", n);
}

/* Without the report on each of the many VMs that are killed. */
static void quietly(struct suite_run *run, const void *data)
{
	enum log_level level = log_level;

	log_level = level == LOG_INFO ? LOG_QUIET : level;
	((const struct suite_case *)data)->run(run, NULL);
	log_level = level;
}

static const struct suite_case loops[] = {
	{.run = create_all},
	{.run = restart},
	{.run = run_all},
	{.run = run_quota},
};

static const struct suite_case cases[] = {
	{.name = "scarce.create", .run = quietly, .data = &loops[0]},
	{.name = "scarce.restart", .run = quietly, .data = &loops[1]},
	{.name = "scarce.run", .run = quietly, .data = &loops[2]},
	{.name = "scarce.run.quota", .run = quietly, .data = &loops[3]},
};

const struct suite_subject suite_scarce = {
	.name = "scarce",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
