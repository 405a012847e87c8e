/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payloads that make a forbidden access. Each is killed for exactly that access at exactly that
 * address. All frames are free afterwards.
 */
#include "suite/payload.h"

/* A single access to an address that is in no area. */
struct stray {
	uint64_t gpa;
	uint64_t how; /* guests/wild.c: 0 read, 1 write, 2 fetch */
};

static void wild(struct suite_run *run, const void *data)
{
	const struct stray *stray = data;
	struct vm_config config = session_config("wild", "wild", VM_LAZY, MIB(1));
	struct session *s;

	config.args[0] = stray->gpa;
	config.args[1] = stray->how;
	s = payload_run(run, &config);
	if (s == NULL)
		return;
	expect_kill(run, s, KILL_NOT_MAPPED, mm_gpa_at(stray->gpa));
	EXPECT_EQ(run, s->vm.reported, 0);
	EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_NOT_MAPPED], 1);
}

static void protect(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("protect", "protect", VM_LAZY, MIB(1));
	struct session *s = payload_run(run, &config);

	(void)data;
	if (s == NULL)
		return;
	expect_kill(run, s, KILL_PERMISSION, mm_gpa_at(ARENA + 16));
	EXPECT_EQ(run, s->vm.reported, 3); /* keys 0 and 1; nothing after the write */
	EXPECT_EQ(run, s->vm.reports[0], 0x600d);
	EXPECT_EQ(run, s->vm.reports[1], GUEST_OK);
	EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_MAPPED], 1);
	EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_PERMISSION], 1);
}

/* An area that never permitted the access: the payload is killed at its first access. */
static void forbidden(struct suite_run *run, const void *data)
{
	const struct stray *stray = data;
	struct vm_config config = session_config("forbidden", "wild", VM_LAZY, MIB(1));
	struct session *s;

	config.areas[0].perm = stray->how == 1 ? MM_R : MM_RW;
	config.args[0] = stray->gpa;
	config.args[1] = stray->how;
	s = payload_run(run, &config);
	if (s == NULL)
		return;
	expect_kill(run, s, KILL_PERMISSION, mm_gpa_at(stray->gpa));
	EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_MAPPED], 0);
}

static void spin(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("spin", "spin", VM_LAZY, MIB(1));
	struct session *s;

	(void)data;
	config.budget_ms = 20;
	s = payload_run(run, &config);
	if (s == NULL)
		return;
	expect_kill(run, s, KILL_BUDGET, mm_gpa_at(0));
}

static const struct stray stray_read = {UINT64_C(0x20000120), 0};
static const struct stray stray_write = {UINT64_C(0x20000124), 1};
static const struct stray stray_fetch = {UINT64_C(0x20000400), 2};
static const struct stray past_arena = {ARENA + MIB(1), 1};
static const struct stray write_to_read_only = {ARENA + 0x2c4, 1};
static const struct stray fetch_from_data = {ARENA + 0x1000, 2};

static const struct suite_case cases[] = {
	{.name = "wild.read", .run = wild, .data = &stray_read},
	{.name = "wild.write", .run = wild, .data = &stray_write},
	{.name = "wild.fetch", .run = wild, .data = &stray_fetch},
	{.name = "wild.past-the-end", .run = wild, .data = &past_arena},
	{.name = "protect.write", .run = protect},
	{.name = "protect.read-only.write", .run = forbidden, .data = &write_to_read_only},
	{.name = "protect.no-execute.fetch", .run = forbidden, .data = &fetch_from_data},
	{.name = "spin.stopped", .run = spin},
};

const struct suite_subject suite_payload_hostile = {
	.name = "payload_hostile",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
