/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot memory map, the frame allocator and the reader of device trees, in the image itself. The
 * host tests know them in more detail.
 */
#include "fdt.h"
#include "frame.h"
#include "kernel/boot.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "suite/payload.h"

/* --- the memory map --- */

static struct boot_info info;

static void region(enum boot_region_kind kind, uint64_t start, uint64_t size)
{
	info.regions[info.region_count++] =
		(struct boot_region){mm_hpa_range(mm_hpa_at(start), size), kind};
}

/* Pairs of start and size, up to a size of 0. */
static void expect_usable(struct suite_run *run, const uint64_t expected[])
{
	struct mm_hpa_range out[8];
	size_t count = memory_map_usable(&info, out, MM_ARRAY_SIZE(out)), i;

	for (i = 0; i < count && expected[2 * i + 1] != 0; i++) {
		EXPECT_EQ(run, out[i].start.raw, expected[2 * i]);
		EXPECT_EQ(run, out[i].size, expected[2 * i + 1]);
	}
	EXPECT_EQ(run, i, count);
	EXPECT_EQ(run, expected[2 * i + 1], 0);
}

#define USABLE(...) expect_usable(run, (const uint64_t[]){__VA_ARGS__, 0, 0})

static void usable_memory(struct suite_run *run, const void *data)
{
	(void)data;
	memset(&info, 0, sizeof(info));
	region(BOOT_RAM, 0x100000, 0x10000);
	USABLE(0x100000, 0x10000);
	region(BOOT_RESERVED, 0x104001, 0x10);
	region(BOOT_RESERVED, 0x104008, 0x18);
	USABLE(0x100000, 0x4000, 0x105000, 0xb000);
	region(BOOT_RESERVED, 0, 0x100800);
	region(BOOT_RESERVED, 0x10ffff, 0x10000000);
	USABLE(0x101000, 0x3000, 0x105000, 0xa000);
	region(BOOT_RESERVED, 0, UINT64_MAX);
	expect_usable(run, (const uint64_t[]){0, 0});
	info.region_count = 0;
	region(BOOT_RAM, UINT64_MAX - 0x1fff, 0x2000);
	region(BOOT_RAM, 0, 0x2800);
	USABLE(0x1000, 0x1000, UINT64_MAX - 0x1fff, 0x2000);
}

static void expect_wrong(struct suite_run *run, const char *expected)
{
	const char *wrong = memory_map_check(&info);

	if (wrong == NULL || strcmp(wrong, expected) != 0)
		suite_fail(run, "expected \"%s\", got \"%s\"", expected, wrong);
	info.region_count = 1;
}

static void map_check(struct suite_run *run, const void *data)
{
	(void)data;
	memset(&info, 0, sizeof(info));
	region(BOOT_RESERVED, 0x1000, 0x1000);
	expect_wrong(run, "no RAM");
	info.region_count = 0;
	region(BOOT_RAM, 0x80000000, 0x10000);
	region(BOOT_RAM, 0x80010000, 0x10000);
	region(BOOT_RESERVED, 0x80000000, 0x20000);
	region(BOOT_RAM, UINT64_MAX - 0xfff, 0x1000);
	info.guest_image = mm_hpa_range(mm_hpa_at(0x80001000), 0x100);
	EXPECT(run, memory_map_check(&info) == NULL);
	region(BOOT_RAM, 0x8001ffff, 0x10000);
	expect_wrong(run, "two RAM regions overlap");
	region(BOOT_RESERVED, UINT64_MAX, 2);
	expect_wrong(run, "a memory region is empty or wraps");
	region(BOOT_RAM, 0x1000, 0);
	expect_wrong(run, "a memory region is empty or wraps");
	info.guest_image = mm_hpa_range(mm_hpa_at(0x8000ff00), 0x101);
	expect_wrong(run, "the guest image does not lie in RAM");
	info.region_count = BOOT_REGIONS + 1;
	expect_wrong(run, "more memory regions than there is room for");
}

/* The lines about the machine, of a map with RAM of 3 MiB and 1 MiB. */
static void boot_lines(struct suite_run *run, const void *data)
{
	char got[512], expected[512];

	(void)data;
	memset(&info, 0, sizeof(info));
	info.firmware = "test";
	info.cpus = 5;
	info.boot_cpu = 0x12;
	info.cpus_left_out = 7;
	memcpy(info.cmdline, "test=x", 7);
	region(BOOT_RAM, 0x80000000, 0x300000);
	region(BOOT_RESERVED, 0x80000000, 0x7000000);
	region(BOOT_RAM, 0x90000000, 0x100000);
	log_divert(got, sizeof(got));
	report_boot(&info);
	log_divert(NULL, 0);
	format_string(expected, sizeof(expected),
	              "# faultline arch=%s firmware=test cpus=5 boot_cpu=0x12 ram=4M counter=%s\n"
	              "# 7 more CPUs are not used: Faultline uses 5 at most\n"
	              "# image kernel_main=0x%" PRIx64 "\n# cmdline \"test=x\"\n",
	              machine_arch, machine_cycles_unit(), (uint64_t)(uintptr_t)kernel_main);
	if (strcmp(got, expected) != 0)
		suite_fail(run, "expected \"%.85s\", got \"%.85s\"", expected, got);
}

/* --- frames --- */

#define BLOCKS 600U
#define CACHED 64U /* frames in the cache of one CPU, at most */

static struct {
	mm_hpa_t at;
	unsigned order;
} blocks[BLOCKS];

/* Each block has its number in the first and the last word of each of its frames. */
static void mark(unsigned i)
{
	for (uint64_t page = 0; page < UINT64_C(1) << blocks[i].order; page++) {
		uint64_t *words = frame_ptr(mm_hpa_plus(blocks[i].at, page * PAGE));

		words[0] = words[PAGE / 8 - 1] = i;
	}
}

static bool is_marked(unsigned i)
{
	for (uint64_t page = 0; page < UINT64_C(1) << blocks[i].order; page++) {
		const uint64_t *words = frame_ptr(mm_hpa_plus(blocks[i].at, page * PAGE));

		if (words[0] != i || words[PAGE / 8 - 1] != i)
			return false;
	}
	return true;
}

/* Takes and gives blocks of many orders. No two share a frame, and the count is exact. */
static void frames(struct suite_run *run, const void *data)
{
	uint64_t free = frames_free(), taken = 0;
	unsigned count = 0, random = 12345;

	(void)data;
	for (unsigned turn = 0; turn < 4000 && run->complaints == 0; turn++) {
		random = random * 1103515245 + 12345;
		if (count < BLOCKS && random >> 16 & 3) {
			unsigned order = (random >> 20) % 8 == 0 ? 6 : (random >> 24) % 3;

			if (!frame_alloc(order, &blocks[count].at))
				break;
			blocks[count].order = order;
			EXPECT(run, mm_hpa_is_aligned(blocks[count].at, PAGE << order));
			mark(count++);
			taken += UINT64_C(1) << order;
		} else if (count > 0) {
			unsigned i = (random >> 18) % count;

			EXPECT(run, is_marked(i));
			frame_free(blocks[i].order, blocks[i].at);
			taken -= UINT64_C(1) << blocks[i].order;
			blocks[i] = blocks[--count];
			if (i < count)
				mark(i);
		}
		EXPECT_EQ(run, frames_free(), free - taken);
	}
	while (count-- > 0) {
		EXPECT(run, is_marked(count));
		frame_free(blocks[count].order, blocks[count].at);
	}
	EXPECT_EQ(run, frames_free(), free);
}

#define MANY 8192U

static mm_hpa_t many[MANY];

/* How many blocks of 2 MiB there are, up to MANY. */
static size_t large_blocks(void)
{
	size_t got = frame_alloc_many(9, MANY, many);

	frame_free_many(9, got, many);
	return got;
}

/* Frames that were given back one by one are blocks again. */
static void frames_merge(struct suite_run *run, const void *data)
{
	size_t before = large_blocks(), got;
	mm_hpa_t at = mm_hpa_at(42);

	(void)data;
	for (unsigned turn = 0; turn < 2; turn++) {
		got = frame_alloc_many(0, MANY, many);
		for (size_t i = 0; i < got; i++)
			frame_free(0, many[i]);
		EXPECT_EQ(run, large_blocks(), before);
	}
	EXPECT(run, !frame_alloc(FRAME_MAX_ORDER + 1, &at));
	EXPECT_EQ(run, at.raw, 42);
}

static bool is_usable(mm_hpa_t at, uint64_t size, const struct mm_hpa_range ranges[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t from = at.raw - ranges[i].start.raw;

		if (at.raw >= ranges[i].start.raw && from + size <= ranges[i].size)
			return true;
	}
	return false;
}

/* The addresses in many[] have the order in their low bits. */
static void give_many(size_t count)
{
	while (count-- > 0)
		frame_free((unsigned)(many[count].raw % PAGE),
		           mm_hpa_at(mm_align_down(many[count].raw, PAGE)));
}

/* Every free frame can be had, and lies in usable memory. */
static void frames_every(struct suite_run *run, const void *data)
{
	static struct mm_hpa_range ranges[BOOT_REGIONS];
	size_t count = memory_map_usable(run->host->boot, ranges, MM_ARRAY_SIZE(ranges)), got = 0;
	uint64_t free = frames_free(), taken = 0;
	mm_hpa_t at;

	(void)data;
	for (unsigned order = FRAME_MAX_ORDER + 1; order-- > 0;) {
		while (got < MANY && frame_alloc(order, &at)) {
			EXPECT(run, is_usable(at, PAGE << order, ranges, count));
			many[got++] = mm_hpa_plus(at, order);
			taken += UINT64_C(1) << order;
		}
	}
	/* What stays free lies in the caches of the other CPUs, a few frames each. */
	if (got < MANY) {
		EXPECT_EQ(run, taken + frames_free(), free);
		EXPECT(run, frames_free() <= (uint64_t)(run->host->cpus - 1) * CACHED);
	}
	give_many(got);
}

#define CACHE_ORDER 7U /* a block has more frames than a cache */

/* The frames in this CPU's cache are part of a block that is asked for, when nothing else is free.
 */
static void frames_cached(struct suite_run *run, const void *data)
{
	mm_hpa_t at = mm_hpa_at(0), one, largest;
	size_t got = 0;
	unsigned most;

	(void)data;
	for (unsigned order = FRAME_MAX_ORDER + 1; order-- > 0;) {
		while (got < MANY && frame_alloc(order, &at))
			many[got++] = mm_hpa_plus(at, order);
	}
	most = (unsigned)(many[0].raw % PAGE);
	if (got < MANY && most >= CACHE_ORDER) {
		largest = mm_hpa_at(many[0].raw - most);
		frame_free(most, largest);
		EXPECT(run, frame_alloc(0, &one));
		frame_free(0, one);
		if (frame_alloc(most, &at)) {
			EXPECT_EQ(run, at.raw, largest.raw);
			EXPECT(run, !frame_alloc(0, &one));
		} else {
			suite_fail(run, "the block that was freed cannot be had");
			many[0] = many[--got];
		}
	}
	give_many(got);
}

/* All usable memory is in the allocator, and nearly all of it is free between two cases. */
static void frames_all(struct suite_run *run, const void *data)
{
	static struct mm_hpa_range ranges[BOOT_REGIONS];
	size_t count = memory_map_usable(run->host->boot, ranges, MM_ARRAY_SIZE(ranges));
	uint64_t usable = 0, total = frames_total(), free = frames_free();

	(void)data;
	for (size_t i = 0; i < count; i++)
		usable += ranges[i].size / PAGE;
	if (total > usable || total + usable / 50 + 64 < usable)
		suite_fail(run, "%" PRIu64 " of %" PRIu64 " usable frames", total, usable);
	if (free > total || free + total / 8 + 2048 < total)
		suite_fail(run, "%" PRIu64 " of %" PRIu64 " frames are free", free, total);
}

/* --- device trees --- */

#define HEADER 40U

static struct {
	uint8_t structure[2048], blob[4096];
	uint32_t bytes;
	char strings[512];
	uint32_t strings_bytes, size;
} tree;

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void token(uint32_t value)
{
	put32(tree.structure + tree.bytes, value);
	tree.bytes += 4;
}

static void bytes(const void *data, size_t length)
{
	memcpy(tree.structure + tree.bytes, data, length);
	tree.bytes += (uint32_t)(length + 3) & ~3U;
}

static void begin(const char *name)
{
	token(1);
	bytes(name, strlen(name) + 1);
}

static void end(void)
{
	token(2);
}

static void property(const char *name, const void *data, size_t length)
{
	token(3);
	token((uint32_t)length);
	token(tree.strings_bytes);
	memcpy(tree.strings + tree.strings_bytes, name, strlen(name) + 1);
	tree.strings_bytes += (uint32_t)strlen(name) + 1;
	bytes(data, length);
}

static void text(const char *name, const char *value)
{
	property(name, value, strlen(value) + 1);
}

static void cells(const char *name, size_t count, const uint32_t *values)
{
	uint8_t data[32];

	for (size_t i = 0; i < count; i++)
		put32(data + 4 * i, values[i]);
	property(name, data, 4 * count);
}

#define CELLS(name, ...)                                                                           \
	cells(name, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

/* Header, one reservation, structure, strings. */
static void finish(uint32_t reserved, uint32_t reserved_bytes)
{
	uint32_t structure = HEADER + 32, strings = structure + tree.bytes;

	tree.size = strings + tree.strings_bytes;
	put32(tree.blob + HEADER + 4, reserved);
	put32(tree.blob + HEADER + 12, reserved_bytes);
	memcpy(tree.blob + structure, tree.structure, tree.bytes);
	memcpy(tree.blob + strings, tree.strings, tree.strings_bytes);
	put32(tree.blob, 0xd00dfeed);
	put32(tree.blob + 4, tree.size);
	put32(tree.blob + 8, structure);
	put32(tree.blob + 12, strings);
	put32(tree.blob + 16, HEADER);
	put32(tree.blob + 20, 17);
	put32(tree.blob + 24, 16);
	put32(tree.blob + 32, tree.strings_bytes);
	put32(tree.blob + 36, tree.bytes);
}

static void cpu(const char *name, uint32_t id, const char *status)
{
	begin(name);
	text("device_type", "cpu");
	CELLS("reg", id);
	if (status != NULL)
		text("status", status);
	end();
}

static void memory(const char *name, uint32_t base, uint32_t size)
{
	begin(name);
	text("device_type", "memory");
	CELLS("reg", 0, base, 0, size);
	end();
}

static void device(const char *name, uint32_t at, uint32_t size)
{
	begin(name);
	text("compatible", name);
	CELLS("reg", at, size);
	end();
}

static void root(void)
{
	memset(&tree, 0, sizeof(tree));
	begin("");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
}

static void good_tree(uint32_t twice)
{
	root();
	token(4); /* no operation */
	begin("cpus");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 0);
	cpu("cpu@0", 0, "okay");
	cpu("cpu@1", 1, NULL);
	cpu("cpu@2", 2, "disabled");
	cpu("cpu@3", twice, "ok");
	end();
	memory("memory@80000000", 0x80000000, 0x10000000);
	memory("memory@a0000000", 0xa0000000, 0x1000000);
	begin("reserved-memory");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	begin("firmware@80000000");
	CELLS("reg", 0, 0x80000000, 0, 0x40000);
	end();
	end();
	begin("soc");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 1);
	CELLS("ranges", 0x7e000000, 0, 0xfe000000, 0x1800000);
	begin("serial@7e201000");
	property("compatible", "arm,pl011\0arm,primecell", 24);
	CELLS("reg", 0x7e201000, 0x1000, 0x7e203000, 0x10);
	end();
	device("last", 0x7f7ffff0, 0x10);
	device("across", 0x7f7ffff0, 0x11);
	device("behind", 0x7f800000, 0x10);
	end();
	begin("default-cells");
	begin("sized");
	text("compatible", "sized");
	CELLS("reg", 0, 5, 0x10);
	end();
	end();
	begin("aliases");
	text("serial0", "/soc/serial@7e201000");
	end();
	begin("chosen");
	text("bootargs", "test=* log=faults");
	text("stdout-path", "serial0:115200n8");
	CELLS("linux,initrd-start", 0, 0x84000000);
	CELLS("linux,initrd-end", 0x84001234);
	end();
	end();
	token(9);
	finish(0x81000000, 0x2000);
}

static enum fdt_error read_tree(void)
{
	memset(&info, 0, sizeof(info));
	info.boot_cpu = 1;
	return fdt_read_boot(tree.blob, tree.size, &info);
}

static void boot_tree(struct suite_run *run, const void *data)
{
	struct boot_region expected[] = {
		{mm_hpa_range(mm_hpa_at(0x80000000), 0x10000000), BOOT_RAM},
		{mm_hpa_range(mm_hpa_at(0xa0000000), 0x1000000), BOOT_RAM},
		{mm_hpa_range(mm_hpa_at(0x81000000), 0x2000), BOOT_RESERVED},
		{mm_hpa_range(mm_hpa_at(0x80000000), 0x40000), BOOT_RESERVED},
		{mm_hpa_range(mm_hpa_at(0x84000000), 0x1234), BOOT_RESERVED},
		{mm_hpa_range(frame_of(tree.blob), 0), BOOT_RESERVED},
	};

	(void)data;
	good_tree(3);
	expected[5].range.size = tree.size;
	EXPECT_EQ(run, read_tree(), FDT_OK);
	EXPECT_EQ(run, info.region_count, MM_ARRAY_SIZE(expected));
	for (size_t i = 0; i < MM_ARRAY_SIZE(expected); i++) {
		EXPECT_EQ(run, info.regions[i].kind, expected[i].kind);
		EXPECT_EQ(run, info.regions[i].range.start.raw, expected[i].range.start.raw);
		EXPECT_EQ(run, info.regions[i].range.size, expected[i].range.size);
	}
	EXPECT(run, strcmp(info.cmdline, "test=* log=faults") == 0 && !info.cmdline_cut);
	EXPECT_EQ(run, info.guest_image.start.raw, 0x84000000);
	EXPECT_EQ(run, info.guest_image.size, 0x1234);
	EXPECT_EQ(run, info.cpus, 3);
	EXPECT(run, info.cpu_ids[0] == 1 && info.cpu_ids[1] == 0 && info.cpu_ids[2] == 3);
	EXPECT(run, info.fdt == tree.blob);
}

static void expect_reg(struct suite_run *run, const struct fdt *fdt, const char *compatible,
                       uint64_t start, uint64_t size)
{
	struct mm_hpa_range reg = {{0}, 0};
	struct fdt_node node;
	bool found = fdt_find_compatible(fdt, compatible, &node) && fdt_reg(fdt, &node, 0, &reg);

	if (found != (size != 0) || reg.start.raw != start || reg.size != size)
		suite_fail(run, "%s: 0x%" PRIx64 ", 0x%" PRIx64, compatible, reg.start.raw,
		           reg.size);
}

static void tree_nodes(struct suite_run *run, const void *data)
{
	struct mm_hpa_range reg;
	struct fdt_node node;
	struct fdt fdt;

	(void)data;
	good_tree(3);
	EXPECT_EQ(run, fdt_open(&fdt, tree.blob, tree.size), FDT_OK);
	expect_reg(run, &fdt, "arm,pl011", 0xfe201000, 0x1000);
	expect_reg(run, &fdt, "arm,primecell", 0xfe201000, 0x1000);
	expect_reg(run, &fdt, "arm,prime", 0, 0);
	expect_reg(run, &fdt, "last", 0xff7ffff0, 0x10);
	EXPECT(run, fdt_find_compatible(&fdt, "across", &node) && !fdt_reg(&fdt, &node, 0, &reg));
	EXPECT(run, fdt_find_compatible(&fdt, "behind", &node) && !fdt_reg(&fdt, &node, 0, &reg));
	/* The default: two address cells and one size cell. */
	expect_reg(run, &fdt, "sized", 5, 0x10);
}

static void tree_paths(struct suite_run *run, const void *data)
{
	struct mm_hpa_range reg;
	struct fdt_node node;
	struct fdt fdt;
	uint32_t value = 0;

	(void)data;
	good_tree(3);
	EXPECT_EQ(run, fdt_open(&fdt, tree.blob, tree.size), FDT_OK);
	EXPECT(run, fdt_find_stdout(&fdt, &node) && strcmp(node.name, "serial@7e201000") == 0);
	EXPECT(run, fdt_reg(&fdt, &node, 1, &reg) && reg.start.raw == 0xfe203000);
	EXPECT(run, !fdt_reg(&fdt, &node, 2, &reg));
	EXPECT(run, fdt_find_path(&fdt, "/cpus/cpu@3", &node));
	EXPECT(run, fdt_get_u32(&fdt, &node, "reg", &value) && value == 3);
	EXPECT(run, fdt_find_path(&fdt, "/soc/serial", &node) && node.depth == 3);
	EXPECT(run, !fdt_find_path(&fdt, "/serial", &node));
	EXPECT(run, fdt_find_path(&fdt, "/cpus/cpu@2", &node) && !fdt_is_enabled(&fdt, &node));
	EXPECT(run, fdt_find_path(&fdt, "/cpus/cpu@3", &node) && fdt_is_enabled(&fdt, &node));
}

/* A tree that is cut at any byte is refused, and so is one with a field that is wrong. */
static void bad_trees(struct suite_run *run, const void *data)
{
	static const struct {
		uint32_t at, value;
		enum fdt_error error;
	} rows[] = {
		{0, 0xd00dfeec, FDT_BAD_MAGIC},   {20, 16, FDT_BAD_VERSION},
		{24, 18, FDT_BAD_VERSION},        {4, 0x100000, FDT_BAD_HEADER},
		{8, 0xfffffff0, FDT_BAD_HEADER},  {12, 0xfffffff0, FDT_BAD_HEADER},
		{16, 0xfffffff8, FDT_BAD_HEADER}, {32, 0x7fffffff, FDT_BAD_HEADER},
		{36, 0x7fffffff, FDT_BAD_HEADER}, {HEADER + 32, 7, FDT_BAD_TOKEN},
	};
	struct fdt fdt;

	(void)data;
	good_tree(0);
	EXPECT_EQ(run, read_tree(), FDT_BAD_CPU);
	good_tree(3);
	for (uint32_t size = 0; size < tree.size && run->complaints == 0; size++)
		EXPECT(run, fdt_open(&fdt, tree.blob, size) != FDT_OK);
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		good_tree(3);
		put32(tree.blob + rows[i].at, rows[i].value);
		if (fdt_open(&fdt, tree.blob, tree.size) != rows[i].error)
			suite_fail(run, "offset %u: expected %s", rows[i].at,
			           fdt_error_name(rows[i].error));
	}
}

/* The last property ends with its block, and its padding does not. */
static void cut_property(struct suite_run *run, const void *data)
{
	struct fdt fdt;

	(void)data;
	for (uint32_t missing = 1; missing < 4; missing++) {
		memset(&tree, 0, sizeof(tree));
		begin("");
		property("x", "", 1);
		finish(0, 0);
		put32(tree.blob + 36, tree.bytes - missing);
		EXPECT_EQ(run, fdt_open(&fdt, tree.blob, tree.size), FDT_BAD_PROPERTY);
	}
}

static void deep_trees(struct suite_run *run, const void *data)
{
	struct fdt fdt;

	(void)data;
	for (unsigned depth = FDT_DEPTH; depth <= FDT_DEPTH + 1; depth++) {
		root();
		for (unsigned i = 1; i < depth; i++)
			begin("n");
		for (unsigned i = 0; i < depth; i++)
			end();
		token(9);
		finish(0, 0);
		EXPECT_EQ(run, fdt_open(&fdt, tree.blob, tree.size),
		          depth > FDT_DEPTH ? FDT_TOO_DEEP : FDT_OK);
	}
}

static const struct suite_case cases[] = {
	{.name = "pure.map.usable", .run = usable_memory},
	{.name = "pure.map.check", .run = map_check},
	{.name = "pure.map.lines", .run = boot_lines},
	{.name = "pure.frames", .run = frames},
	{.name = "pure.frames.all", .run = frames_all},
	{.name = "pure.frames.every", .run = frames_every},
	{.name = "pure.frames.cached", .run = frames_cached},
	{.name = "pure.frames.merge", .run = frames_merge},
	{.name = "pure.tree.boot", .run = boot_tree},
	{.name = "pure.tree.nodes", .run = tree_nodes},
	{.name = "pure.tree.paths", .run = tree_paths},
	{.name = "pure.tree.bad", .run = bad_trees},
	{.name = "pure.tree.cut", .run = cut_property},
	{.name = "pure.tree.deep", .run = deep_trees},
};

const struct suite_subject suite_pure_boot = {
	.name = "pure_boot",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
