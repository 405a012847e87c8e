/* SPDX-License-Identifier: BSD-2-Clause */
/* Not enough memory at each stage of a guest's life, and images that the loader refuses. */
#include "frame.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "mm/bits.h"
#include "suite/payload.h"

static struct vm_config greedy(void)
{
	struct vm_config config = session_config("greedy", "lazy", VM_LAZY, MIB(64));

	config.args[0] = LAZY_WRITE;
	config.args[1] = MM_PAGE_SIZE;
	config.args[2] = 16384;
	return config;
}

/* The allocator has no frame left in the middle of a fault. The guest is killed, and its frames are
 * freed. */
static void dry(struct suite_run *run, const void *data)
{
	struct vm_config config = greedy();
	struct session *s;

	(void)data;
	config.frame_limit = 1000;
	s = payload_run(run, &config);
	if (s == NULL)
		return;
	EXPECT_EQ(run, vm_outcome(&s->vm), VM_KILLED);
	EXPECT_EQ(run, s->vm.reason, KILL_NO_MEMORY);
	EXPECT_EQ(run, s->vm.kill_gpa.raw,
	          ARENA + s->vm.stats.faults[MM_FAULT_MAPPED] * MM_PAGE_SIZE);
	EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_NO_MEMORY], 1);
}

/* --- no memory left in the whole machine --- */

/* Memory that is left for a guest to use up: 32 MiB. More would take longer and test nothing
 * else. */
#define LEFT 8192U

static struct {
	mm_hpa_t block;
	unsigned order;
} held[512];
static size_t held_count;

/* Allocates the largest free blocks until LEFT frames remain. If fewer were free, it allocates
 * none. */
static void hold_memory(void)
{
	unsigned order = FRAME_MAX_ORDER;

	for (held_count = 0; held_count < MM_ARRAY_SIZE(held);) {
		while (order > 0 && frames_free() < LEFT + BIT(order))
			order--;
		if (frames_free() <= LEFT)
			return;
		if (frame_alloc(order, &held[held_count].block))
			held[held_count++].order = order;
		else if (order-- == 0)
			return;
	}
}

static void release_memory(void)
{
	while (held_count-- > 0)
		frame_free(held[held_count].order, held[held_count].block);
}

static void dry_machine(struct suite_run *run, const void *data)
{
	struct vm_config config = greedy();
	struct session *s;

	(void)data;
	hold_memory();
	config.areas[0].bytes = PAGES(frames_free() + 512);
	config.args[2] = frames_free() + 512;
	config.total_s = 600;
	s = payload_run(run, &config);
	release_memory();

	if (s == NULL)
		return;
	EXPECT_EQ(run, vm_outcome(&s->vm), VM_KILLED);
	EXPECT_EQ(run, s->vm.reason, KILL_NO_MEMORY);
	EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_NO_MEMORY], 1);
}

static void quota(struct suite_run *run, const void *data)
{
	struct vm_config config = greedy();
	struct session *s;

	(void)data;
	config.quota = 1000;
	s = payload_run(run, &config);
	if (s == NULL)
		return;
	EXPECT_EQ(run, vm_outcome(&s->vm), VM_KILLED);
	EXPECT_EQ(run, s->vm.reason, KILL_QUOTA);
	EXPECT_EQ(run, s->vm.stats.frames + s->vm.stats.tables, 1000);
}

/* A VM that cannot be created: refused with the reason. It keeps no frames. */
static void refused(struct suite_run *run, const struct vm_config *config, const char *reason)
{
	static struct vm vm;
	uint64_t free = frames_free();

	if (vm_create(&vm, run->host, config)) {
		(void)vm_destroy(&vm);
		suite_fail(run, "vm %s was created", config->name);
		return;
	}
	log_line(LOG_INFO, "refused vm=%s reason=\"%s\"", config->name, vm.error);
	EXPECT_EQ(run, memcmp(vm.error, reason, strlen(reason)), 0);
	EXPECT_EQ(run, frames_free(), free);
}

static void ram_too_large(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("large-ram", "hello", VM_LAZY, MIB(1));

	(void)data;
	config.frame_limit = 4096;
	config.ram_bytes = MIB(512);
	refused(run, &config, "not enough memory for the guest's RAM: no memory");
}

static void arena_too_large(struct suite_run *run, const void *data)
{
	struct vm_config config;

	(void)data;
	hold_memory();
	config = session_config("large-arena", "hello", VM_POPULATED, PAGES(frames_free() + 512));
	refused(run, &config, "arena: no memory");
	release_memory();
}

/* --- images --- */

struct bad_image {
	const char *reason;
	size_t bytes; /* bytes of the file to use; 0: all */
	uint64_t magic;
	uint32_t arch, abi;
	uint64_t image_bytes, memory_bytes, entry;
};

/* Fields that are 0 in a row stay unchanged. */
static void spoil(struct guest_header *header, const struct bad_image *bad)
{
	header->magic = bad->magic != 0 ? bad->magic : header->magic;
	header->arch = bad->arch != 0 ? bad->arch : header->arch;
	header->abi = bad->abi != 0 ? bad->abi : header->abi;
	header->image_bytes = bad->image_bytes != 0 ? bad->image_bytes : header->image_bytes;
	header->memory_bytes = bad->memory_bytes != 0 ? bad->memory_bytes : header->memory_bytes;
	header->entry = bad->entry != 0 ? bad->entry : header->entry;
}

static void bad_image(struct suite_run *run, const void *data)
{
	static uint64_t copy[4096];
	const struct bad_image *bad = data;
	struct vm_config config = session_config("bad-image", "hello", VM_LAZY, MIB(1));

	ASSERT(config.image.bytes <= sizeof(copy));
	memcpy(copy, config.image.start, config.image.bytes);
	spoil((struct guest_header *)copy, bad);
	config.image.start = copy;
	config.image.bytes = bad->bytes != 0 ? bad->bytes : config.image.bytes;
	refused(run, &config, bad->reason);
}

static const struct bad_image cut_header = {.reason = "image truncated", .bytes = 20};
static const struct bad_image cut_image = {.reason = "image truncated", .bytes = 100};
static const struct bad_image wrong_magic = {.reason = "no guest image", .magic = 1};
static const struct bad_image wrong_arch = {.reason = "image built for another arch", .arch = 99};
static const struct bad_image wrong_abi = {.reason = "image built for another guest ABI",
                                           .abi = 99};
static const struct bad_image wrong_sizes = {.reason = "image sizes", .memory_bytes = 64};
static const struct bad_image huge = {.reason = "image larger", .memory_bytes = UINT64_MAX};
static const struct bad_image entry_before = {.reason = "entry outside", .entry = 8};
static const struct bad_image entry_after = {.reason = "entry outside", .entry = MIB(64)};

static const struct suite_case cases[] = {
	{.name = "memory.dry.limit", .run = dry},
	{.name = "memory.dry.machine", .run = dry_machine},
	{.name = "memory.quota", .run = quota},
	{.name = "memory.ram-too-large", .run = ram_too_large},
	{.name = "memory.arena-too-large", .run = arena_too_large},
	{.name = "image.cut.header", .run = bad_image, .data = &cut_header},
	{.name = "image.cut.body", .run = bad_image, .data = &cut_image},
	{.name = "image.magic", .run = bad_image, .data = &wrong_magic},
	{.name = "image.arch", .run = bad_image, .data = &wrong_arch},
	{.name = "image.abi", .run = bad_image, .data = &wrong_abi},
	{.name = "image.sizes", .run = bad_image, .data = &wrong_sizes},
	{.name = "image.huge", .run = bad_image, .data = &huge},
	{.name = "image.entry.before", .run = bad_image, .data = &entry_before},
	{.name = "image.entry.after", .run = bad_image, .data = &entry_after},
};

const struct suite_subject suite_payload_limits = {
	.name = "payload_limits",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
