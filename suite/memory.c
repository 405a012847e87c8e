/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory reads zero when a guest gets it, of whatever kind it is: lazy, populated or linear, in
 * pages of every size, its RAM behind the image, and the info page behind its fields. All free
 * memory has a pattern before the VM is created, and so have the frames that it takes for tables
 * and vCPUs.
 */
#include "frame.h"
#include "kernel/string.h"
#include "log.h"
#include "suite/run.h"
#include "suite/suite.h"

#define POISON     0xa5
#define BLOCKS     512
#define RAM_BYTES  (UINT64_C(8) << 20)
#define LINEAR_AT  (ARENA + GIB(1))
#define LINEAR_LEN (MIB2 + 3 * PAGE) /* in blocks of several sizes */
#define SEED       UINT64_C(0x5eed5eed5eed5eed)
#define ARG(n)     (UINT64_C(0xa46a46a46a460000) + (n))

static struct {
	mm_hpa_t at;
	unsigned order;
} blocks[BLOCKS];

/* Fills all free memory, largest blocks first. */
static bool poison(struct suite_run *run)
{
	size_t count = 0;

	(void)run;
	for (unsigned order = FRAME_MAX_ORDER + 1; order-- > 0;) {
		while (count < BLOCKS && frame_alloc(order, &blocks[count].at)) {
			memset(frame_ptr(blocks[count].at), POISON, PAGE << order);
			blocks[count++].order = order;
		}
	}
	while (count-- > 0)
		frame_free(blocks[count].order, blocks[count].at);
	return true;
}

static void with_areas(struct suite_run *run, struct vm_config *config)
{
	(void)run;
	config->ram_bytes = RAM_BYTES;
	config->areas[0] = (struct vm_area){mm_gpa_at(ARENA), MIB2, VM_LAZY, MM_RW, 0};
	config->areas[1] = (struct vm_area){mm_gpa_at(ARENA + MIB2), MIB2, VM_POPULATED, MM_RW, 0};
	config->areas[2] = (struct vm_area){mm_gpa_at(LINEAR_AT), LINEAR_LEN, VM_LINEAR, MM_RW, 1};
	config->areas[3] =
		(struct vm_area){mm_gpa_at(ARENA + 2 * MIB2), MIB2, VM_POPULATED, MM_R, 1};
}

static void with_info(struct suite_run *run, struct vm_config *config)
{
	with_areas(run, config);
	config->seed = SEED;
	for (unsigned i = 0; i < MM_ARRAY_SIZE(config->args); i++)
		config->args[i] = ARG(i);
}

/* 1 byte more than its memory_bytes: another page. */
static void with_one_byte_more(struct suite_run *run, struct vm_config *config)
{
	struct guest_header header;

	(void)run;
	memcpy(&header, config->image.start, sizeof(header));
	config->ram_bytes = mm_align_up(header.memory_bytes, PAGE) + 1;
	config->areas[0] = (struct vm_area){mm_gpa_at(ARENA), PAGE, VM_LAZY, MM_RW, 0};
}

static bool has_another_page(struct suite_run *run)
{
	uint64_t last = GUEST_RAM_BASE + run->vm->config->ram_bytes - 1;
	uint8_t byte;

	if (mm_aspace_read(&run->vm->as, mm_gpa_at(last | (PAGE - 1)), &byte, 1) != MM_OK)
		return suite_fail(run, "0x%" PRIx64 " is not RAM", last | (PAGE - 1));
	if (mm_aspace_read(&run->vm->as, mm_gpa_at((last | (PAGE - 1)) + 1), &byte, 1) == MM_OK)
		return suite_fail(run, "0x%" PRIx64 " is RAM", (last | (PAGE - 1)) + 1);
	return true;
}

/* The guest's RAM before it runs: its image, and zeros. */
static bool ram_is_image(struct suite_run *run)
{
	const struct vm *vm = run->vm;
	const struct guest_image *image = &vm->config->image;
	const uint8_t *bytes = image->start;
	static uint8_t page[PAGE];

	for (uint64_t at = 0; at < RAM_BYTES; at += PAGE) {
		if (mm_aspace_read(&run->vm->as, mm_gpa_at(GUEST_RAM_BASE + at), page, PAGE) !=
		    MM_OK)
			return suite_fail(run, "RAM at +0x%" PRIx64 " cannot be read", at);
		for (uint64_t i = 0; i < PAGE; i++) {
			uint8_t expected = at + i < image->bytes ? bytes[at + i] : 0;

			if (page[i] != expected)
				return suite_fail(run, "RAM at +0x%" PRIx64 ": expected %x, got %x",
				                  at + i, expected, page[i]);
		}
	}
	return true;
}

/* The same of the memory that no guest could have touched: it was read-only. */
static bool last_area_is_zero(struct suite_run *run)
{
	static uint64_t page[PAGE / 8];

	for (uint64_t at = ARENA + 2 * MIB2; at < ARENA + 3 * MIB2; at += PAGE) {
		if (mm_aspace_read(&run->vm->as, mm_gpa_at(at), page, PAGE) != MM_OK)
			return suite_fail(run, "0x%" PRIx64 " cannot be read", at);
		for (size_t i = 0; i < PAGE / 8; i++) {
			if (page[i] != 0)
				return suite_fail(run, "0x%" PRIx64 " is not zero", at + 8 * i);
		}
	}
	return true;
}

#define INFO(field) (GUEST_INFO_BASE + offsetof(struct guest_info, field))

/* All words of a range. */
#define ALL_ZERO(at, bytes) ZEROS(at, (uint32_t)((bytes) / 8), 8)

#define INFO_ARGS                                                                                  \
	READ(8, INFO(args[0]), ARG(0)), READ(8, INFO(args[1]), ARG(1)),                            \
		READ(8, INFO(args[2]), ARG(2)), READ(8, INFO(args[3]), ARG(3)),                    \
		READ(8, INFO(args[4]), ARG(4)), READ(8, INFO(args[5]), ARG(5)),                    \
		READ(8, INFO(args[6]), ARG(6)), READ(8, INFO(args[7]), ARG(7))

static const struct suite_case cases[] = {
	{
		.name = "memory.zero.lazy",
		.before = poison,
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(ALL_ZERO(ARENA, 64 * PAGE)),
		.uncounted = true,
	},
	{
		.name = "memory.zero.lazy-2m",
		.needs = SUITE_NEEDS_2M,
		.before = poison,
		.areas = AREAS(LAZY_LEAF(ARENA, 2 * MIB2, MM_RW, 1)),
		.script = SCRIPT(ALL_ZERO(ARENA, 2 * MIB2)),
		.uncounted = true,
	},
	{
		.name = "memory.zero.populated",
		.before = poison,
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(ALL_ZERO(ARENA, 64 * PAGE)),
	},
	{
		.name = "memory.zero.populated-2m",
		.needs = SUITE_NEEDS_2M,
		.before = poison,
		.areas = AREAS(POPULATED_LEAF(ARENA, 2 * MIB2, MM_RW, 1)),
		.script = SCRIPT(ALL_ZERO(ARENA, 2 * MIB2)),
	},
	{
		.name = "memory.zero.of-the-vm",
		.before = poison,
		.configure = with_areas,
		.script = SCRIPT(ALL_ZERO(ARENA, 2 * MIB2), ALL_ZERO(ARENA + 2 * MIB2, MIB2),
                                 ALL_ZERO(LINEAR_AT, LINEAR_LEN), WRITE(8, LINEAR_AT, 1),
                                 WRITE(8, LINEAR_AT + LINEAR_LEN - 8, 2), READ(8, LINEAR_AT, 1)),
		.uncounted = true,
		.verify = last_area_is_zero,
	},
	{
		.name = "memory.zero.ram",
		.before = poison,
		.configure = with_areas,
		.ready = ram_is_image,
		.script = SCRIPT(ALL_ZERO(GUEST_RAM_BASE + RAM_BYTES / 2, RAM_BYTES / 2)),
	},
	{
		.name = "memory.zero.mailbox",
		.before = poison,
		.script = SCRIPT(ZEROS(AGENT_MAILBOX_BASE + sizeof(struct agent_mailbox),
                                       (AGENT_FRAME_OFFSET - sizeof(struct agent_mailbox)) / 8, 8),
                                 ALL_ZERO(AGENT_SHARED_BASE, PAGE)),
	},
	{
		/* Frames of tables and vCPUs: the guest uses all of them. */
		.name = "memory.zero.tables",
		.before = poison,
		.areas = AREAS(LAZY(ARENA, GIB(1), MM_RW), LAZY(ARENA + GIB(8), GIB(1), MM_RW)),
		.script = SCRIPT(STAGE1(), ZEROS(ARENA, 64, 8 * MIB2), BARRIER(0),
                                 ZEROS(ARENA + 4 * PAGE, 64, 8 * MIB2)),
		.others = {SCRIPT(STAGE1(), BARRIER(0), ZEROS(ARENA + PAGE, 64, 8 * MIB2))},
		.uncounted = true,
	},
	{
		/* A table of which one entry is used: no other entry of it maps anything. */
		.name = "memory.zero.beside-a-page",
		.before = poison,
		.areas = AREAS(POPULATED(ARENA + PAGE, PAGE, MM_RW)),
		.script = SCRIPT(READ(8, ARENA + PAGE, 0), READ(8, ARENA + 2 * PAGE, 0)),
		.faults = FAULTS(FAULT(ARENA + 2 * PAGE, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "memory.info.fields",
		.before = poison,
		.configure = with_info,
		.script = SCRIPT(READ(4, INFO(abi), GUEST_ABI), READ(4, INFO(vcpus), 1),
                                 READ(8, INFO(ram_bytes), RAM_BYTES),
                                 READ(8, INFO(arena_base), ARENA), READ(8, INFO(arena_bytes), MIB2),
                                 READ(8, INFO(seed), SEED), INFO_ARGS,
                                 ALL_ZERO(GUEST_INFO_BASE + sizeof(struct guest_info),
                                          PAGE - sizeof(struct guest_info))),
	},
	{
		.name = "memory.info.vcpus",
		.before = poison,
		.script = SCRIPT(READ(4, INFO(vcpus), 3), READ(8, INFO(arena_base), 0),
                                 READ(8, INFO(arena_bytes), 0)),
		.others = {SCRIPT(READ(4, INFO(vcpus), 3)), SCRIPT(READ(4, INFO(abi), GUEST_ABI))},
	},
	{
		.name = "memory.info.read-only",
		.script = SCRIPT(READ(4, INFO(abi), GUEST_ABI), WRITE(8, INFO(seed), 1)),
		.faults = FAULTS(FAULT(INFO(seed), MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
	{
		.name = "memory.info.no-code",
		.script = SCRIPT(READ(4, INFO(abi), GUEST_ABI),
                                 FETCH_ZEROS(GUEST_INFO_BASE + PAGE / 2)),
		.faults = FAULTS(FAULT(GUEST_INFO_BASE + PAGE / 2, MM_X, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
	{
		.name = "memory.info.end",
		.script = SCRIPT(READ(8, GUEST_INFO_BASE - 8, 0)),
		.faults = FAULTS(FAULT(GUEST_INFO_BASE - 8, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "memory.ram.end",
		.configure = with_areas,
		.script = SCRIPT(WRITE(8, GUEST_RAM_BASE + RAM_BYTES - 8, 1),
                                 READ(8, GUEST_RAM_BASE + RAM_BYTES - 8, 1),
                                 READ(8, GUEST_RAM_BASE + RAM_BYTES, 0)),
		.faults = FAULTS(FAULT(GUEST_RAM_BASE + RAM_BYTES, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "memory.ram.rounded-up",
		.configure = with_one_byte_more,
		.script = SCRIPT(READ(8, INFO(arena_bytes), PAGE)),
		.verify = has_another_page,
	},
	{
		.name = "memory.area.read-only",
		.configure = with_areas,
		.script = SCRIPT(READ(8, ARENA + 2 * MIB2, 0), WRITE(8, ARENA + 2 * MIB2, 1)),
		.faults = FAULTS(FAULT(ARENA + 2 * MIB2, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
	{
		.name = "memory.area.no-code",
		.configure = with_areas,
		.script = SCRIPT(FETCH_ZEROS(LINEAR_AT)),
		.faults = FAULTS(FAULT(LINEAR_AT, MM_X, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
};

const struct suite_subject suite_memory = {
	.name = "memory",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
