/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree reader: what it takes from a good tree, and that no bad one gets past it. */
#include "check.h"
#include "fdt_writer.h"

#include <stdlib.h>
#include <string.h>

#include "fdt.h"
#include "mm/compiler.h"

static void cpu(struct tree *t, const char *name, uint32_t id, const char *status)
{
	begin(t, name);
	text(t, "device_type", "cpu");
	CELLS(t, "reg", id);
	if (status != NULL)
		text(t, "status", status);
	end(t);
}

static void cpus(struct tree *t)
{
	begin(t, "cpus");
	CELLS(t, "#address-cells", 1);
	CELLS(t, "#size-cells", 0);
	cpu(t, "cpu@0", 0, "okay");
	cpu(t, "cpu@1", 1, NULL);
	cpu(t, "cpu@2", 2, "disabled");
	cpu(t, "cpu@3", 3, "ok");
	end(t);
}

static void memory(struct tree *t, const char *name, uint32_t base, uint32_t size)
{
	begin(t, name);
	text(t, "device_type", "memory");
	CELLS(t, "reg", 0, base, 0, size);
	end(t);
}

static void root(struct tree *t)
{
	*t = (struct tree){.structure_size = 0};
	begin(t, "");
	CELLS(t, "#address-cells", 2);
	CELLS(t, "#size-cells", 2);
}

static void close_root(struct tree *t)
{
	end(t);
	token(t, 9);
	finish(t);
}

static void good_tree(struct tree *t)
{
	root(t);
	token(t, 4); /* NOP */
	cpus(t);
	memory(t, "memory@80000000", 0x80000000, 0x10000000);
	memory(t, "memory@a0000000", 0xa0000000, 0x1000000);
	begin(t, "reserved-memory");
	CELLS(t, "#address-cells", 2);
	CELLS(t, "#size-cells", 2);
	begin(t, "firmware@80000000");
	CELLS(t, "reg", 0, 0x80000000, 0, 0x40000);
	end(t);
	begin(t, "pool");
	CELLS(t, "size", 0, 0x1000);
	end(t);
	end(t);
	begin(t, "soc");
	CELLS(t, "#address-cells", 2);
	CELLS(t, "#size-cells", 1);
	begin(t, "serial@9000000");
	property(t, "compatible", "arm,pl011\0arm,primecell", 24);
	CELLS(t, "reg", 0, 0x9000000, 0x1000, 0, 0x9001000, 0x10);
	end(t);
	end(t);
	begin(t, "aliases");
	text(t, "serial0", "/soc/serial@9000000");
	end(t);
	begin(t, "chosen");
	text(t, "bootargs", "test=* log=faults");
	text(t, "stdout-path", "serial0:115200n8");
	CELLS(t, "linux,initrd-start", 0, 0x84000000);
	CELLS(t, "linux,initrd-end", 0x84001234);
	end(t);
	t->reservations[0] = 0x81000000;
	t->reservations[1] = 0x2000;
	t->reservation_count = 1;
	close_root(t);
}

static enum fdt_error read_boot(const struct tree *t, struct boot_info *info)
{
	*info = (struct boot_info){.boot_cpu = 1};
	return fdt_read_boot(t->blob, t->size, info);
}

#define CHECK_FDT(got, expected) CHECK_TEXT(fdt_error_name(got), fdt_error_name(expected))

/* --- a good tree --- */

static void check_region(const struct boot_info *info, size_t at, enum boot_region_kind kind,
                         uint64_t start, uint64_t size)
{
	CHECK(at < info->region_count);
	CHECK_EQ(info->regions[at].kind, kind);
	CHECK_EQ(info->regions[at].range.start.raw, start);
	CHECK_EQ(info->regions[at].range.size, size);
}

static void boot_info_is_read(void **state)
{
	struct boot_info info;
	struct tree t;

	(void)state;
	good_tree(&t);
	CHECK_FDT(read_boot(&t, &info), FDT_OK);
	CHECK_EQ(info.region_count, 6);
	check_region(&info, 0, BOOT_RAM, 0x80000000, 0x10000000);
	check_region(&info, 1, BOOT_RAM, 0xa0000000, 0x1000000);
	check_region(&info, 2, BOOT_RESERVED, 0x81000000, 0x2000);
	check_region(&info, 3, BOOT_RESERVED, 0x80000000, 0x40000);
	check_region(&info, 4, BOOT_RESERVED, 0x84000000, 0x1234);
	check_region(&info, 5, BOOT_RESERVED, (uintptr_t)t.blob, t.size);
	CHECK_TEXT(info.cmdline, "test=* log=faults");
	CHECK_EQ(info.guest_image.size, 0x1234);
	CHECK_EQ(info.cpus, 3);
	CHECK_EQ(info.cpu_ids[0], 1); /* the boot CPU first */
	CHECK_EQ(info.cpu_ids[1], 0);
	CHECK_EQ(info.cpu_ids[2], 3);
	CHECK(info.fdt == t.blob);
}

static void nodes_are_found(void **state)
{
	struct fdt_node node;
	struct mm_hpa_range reg;
	struct tree t;
	struct fdt fdt;
	uint32_t value;

	(void)state;
	good_tree(&t);
	CHECK_FDT(fdt_open(&fdt, t.blob, t.size), FDT_OK);
	CHECK(fdt_find_compatible(&fdt, "arm,primecell", &node));
	CHECK_TEXT(node.name, "serial@9000000");
	CHECK(fdt_reg(&fdt, &node, 0, &reg));
	CHECK_EQ(reg.start.raw, 0x9000000);
	CHECK_EQ(reg.size, 0x1000);
	CHECK(fdt_reg(&fdt, &node, 1, &reg));
	CHECK_EQ(reg.start.raw, 0x9001000);
	CHECK(!fdt_reg(&fdt, &node, 2, &reg));
	CHECK(!fdt_find_compatible(&fdt, "arm,prime", &node));
	CHECK(fdt_find_stdout(&fdt, &node));
	CHECK_TEXT(node.name, "serial@9000000");
	CHECK(fdt_find_path(&fdt, "/cpus/cpu@3", &node));
	CHECK(fdt_get_u32(&fdt, &node, "reg", &value));
	CHECK_EQ(value, 3);
	CHECK(fdt_find_path(&fdt, "/soc/serial", &node));
	CHECK(fdt_find_path(&fdt, "/", &node));
	CHECK_EQ(node.depth, 1);
	CHECK(!fdt_find_path(&fdt, "/cpus/serial", &node));
	CHECK(!fdt_find_path(&fdt, "/serial", &node));
	CHECK(!fdt_find_path(&fdt, "", &node));
}

/* --- addresses behind buses --- */

/* A device of one address at `at`, found by its name as compatible. */
static void device(struct tree *t, const char *name, uint32_t at, uint32_t bytes)
{
	begin(t, name);
	text(t, "compatible", name);
	CELLS(t, "reg", at, bytes);
	end(t);
}

static bool find_device(const struct tree *t, const char *name, struct mm_hpa_range *reg)
{
	struct fdt_node node;
	struct fdt fdt;

	CHECK_FDT(fdt_open(&fdt, t->blob, t->size), FDT_OK);
	CHECK(fdt_find_compatible(&fdt, name, &node));
	return fdt_reg(&fdt, &node, 0, reg);
}

static void check_device(const struct tree *t, const char *name, uint64_t start, uint64_t size)
{
	struct mm_hpa_range reg = {{0}, 0};

	CHECK(find_device(t, name, &reg));
	CHECK_EQ(reg.start.raw, start);
	CHECK_EQ(reg.size, size);
}

static void refuses_device(const struct tree *t, const char *name)
{
	struct mm_hpa_range reg;

	CHECK(!find_device(t, name, &reg));
}

static void bus(struct tree *t, const char *name)
{
	begin(t, name);
	CELLS(t, "#address-cells", 1);
	CELLS(t, "#size-cells", 1);
}

/* The bus of a BCM2711: two windows, the parent's addresses of two cells. */
static void ranges_are_translated(void **state)
{
	struct tree t;

	(void)state;
	root(&t);
	bus(&t, "soc");
	CELLS(&t, "ranges", 0x7e000000, 0, 0xfe000000, 0x1800000);
	device(&t, "first", 0x7e000000, 0x10);
	device(&t, "inside", 0x7e201000, 0x200);
	device(&t, "last", 0x7f7ffff0, 0x10);
	device(&t, "before", 0x7dffffff, 1);
	device(&t, "across", 0x7f7ffff0, 0x11);
	device(&t, "behind", 0x7f800000, 0x10);
	bus(&t, "same");
	property(&t, "ranges", "", 0);
	device(&t, "below", 0x7e201000, 0x200);
	end(&t);
	bus(&t, "own");
	CELLS(&t, "ranges", 0x1000, 0x7e300000, 0x1000, 0x4000, 0x7e400000, 0x2000);
	device(&t, "twice", 0x1800, 0x100);
	device(&t, "second", 0x5000, 0x1000);
	end(&t);
	begin(&t, "numbers");
	CELLS(&t, "#address-cells", 1);
	CELLS(&t, "#size-cells", 1);
	device(&t, "number", 3, 1);
	end(&t);
	end(&t);
	close_root(&t);

	check_device(&t, "first", 0xfe000000, 0x10);
	check_device(&t, "inside", 0xfe201000, 0x200);
	check_device(&t, "last", 0xff7ffff0, 0x10);
	refuses_device(&t, "before");
	refuses_device(&t, "across");
	refuses_device(&t, "behind");
	check_device(&t, "below", 0xfe201000, 0x200);
	check_device(&t, "twice", 0xfe300800, 0x100);
	check_device(&t, "second", 0xfe401000, 0x1000);
	check_device(&t, "number", 3, 1); /* no `ranges`: no address of the parent's */
}

static void bad_ranges_are_refused(void **state)
{
	struct tree t;

	(void)state;
	root(&t);
	bus(&t, "wraps");
	CELLS(&t, "ranges", 0, 0xffffffff, 0xfffff000, 0x2000);
	device(&t, "fits", 0xf00, 0x100);
	device(&t, "end", 0xf00, 0x101);
	device(&t, "start", 0x1000, 0x100);
	end(&t);
	bus(&t, "short");
	CELLS(&t, "ranges", 0, 0, 0);
	device(&t, "cut", 0, 0x10);
	end(&t);
	begin(&t, "wide");
	CELLS(&t, "#address-cells", 3);
	CELLS(&t, "#size-cells", 1);
	CELLS(&t, "ranges", 0, 0, 0, 0, 0x1000, 0x1000);
	bus(&t, "narrow");
	CELLS(&t, "ranges", 0, 0, 0, 0, 0x1000);
	device(&t, "pci", 0, 0x10);
	end(&t);
	end(&t);
	close_root(&t);

	check_device(&t, "fits", 0xffffffffffffff00, 0x100);
	refuses_device(&t, "end");
	refuses_device(&t, "start");
	refuses_device(&t, "cut");
	refuses_device(&t, "pci");
}

static void long_command_lines_are_cut(void **state)
{
	char args[2 * BOOT_CMDLINE];
	struct boot_info info;
	struct tree t;

	(void)state;
	memset(args, 'x', sizeof(args));
	args[sizeof(args) - 1] = '\0';
	root(&t);
	cpus(&t);
	memory(&t, "memory", 0x80000000, 0x1000);
	begin(&t, "chosen");
	text(&t, "bootargs", args);
	end(&t);
	close_root(&t);
	CHECK_FDT(read_boot(&t, &info), FDT_OK);
	CHECK(info.cmdline_cut);
	CHECK_EQ(strlen(info.cmdline), BOOT_CMDLINE - 1);
}

/* --- bad trees --- */

static void no_memory(struct tree *t)
{
	root(t);
	cpus(t);
	close_root(t);
}

static void no_cpus(struct tree *t)
{
	root(t);
	memory(t, "memory", 0x80000000, 0x1000);
	close_root(t);
}

static void cpu_twice(struct tree *t)
{
	root(t);
	memory(t, "memory", 0x80000000, 0x1000);
	cpus(t);
	begin(t, "cpus");
	CELLS(t, "#address-cells", 1);
	CELLS(t, "#size-cells", 0);
	cpu(t, "cpu@1", 1, NULL);
	end(t);
	close_root(t);
}

static void memory_overlaps(struct tree *t)
{
	root(t);
	cpus(t);
	memory(t, "memory@80000000", 0x80000000, 0x10000);
	memory(t, "memory@8000ffff", 0x8000ffff, 0x10000);
	close_root(t);
}

static void memory_wraps(struct tree *t)
{
	root(t);
	cpus(t);
	begin(t, "memory");
	text(t, "device_type", "memory");
	CELLS(t, "reg", 0xffffffff, 0xfffff000, 0, 0x1001);
	end(t);
	close_root(t);
}

static void memory_uneven(struct tree *t)
{
	root(t);
	cpus(t);
	begin(t, "memory");
	text(t, "device_type", "memory");
	CELLS(t, "reg", 0, 0x80000000, 0);
	end(t);
	close_root(t);
}

static void cells_unreadable(struct tree *t)
{
	*t = (struct tree){.structure_size = 0};
	begin(t, "");
	CELLS(t, "#address-cells", 3);
	cpus(t);
	memory(t, "memory", 0x80000000, 0x1000);
	close_root(t);
}

static void too_deep(struct tree *t)
{
	root(t);
	for (unsigned i = 0; i < FDT_DEPTH; i++)
		begin(t, "a");
	for (unsigned i = 0; i < FDT_DEPTH; i++)
		end(t);
	close_root(t);
}

static void unbalanced(struct tree *t)
{
	root(t);
	end(t);
	end(t);
	token(t, 9);
	finish(t);
}

static void not_closed(struct tree *t)
{
	root(t);
	token(t, 9);
	finish(t);
}

static void two_roots(struct tree *t)
{
	root(t);
	end(t);
	begin(t, "");
	close_root(t);
}

static void property_after_child(struct tree *t)
{
	root(t);
	cpus(t);
	CELLS(t, "late", 1);
	close_root(t);
}

static void unknown_token(struct tree *t)
{
	root(t);
	token(t, 7);
	close_root(t);
}

static void length_lies(struct tree *t)
{
	root(t);
	token(t, 3);
	token(t, 0xfffffffd); /* rounds up to 0 */
	token(t, 0);
	close_root(t);
}

static void name_outside(struct tree *t)
{
	root(t);
	token(t, 3);
	token(t, 0);
	token(t, 0x7fffffff);
	close_root(t);
}

static void no_end_of_reservations(struct tree *t)
{
	good_tree(t);
	put32(t->blob + 16, (t->size - 8) & ~7U);
}

static void structure_outside(struct tree *t)
{
	good_tree(t);
	put32(t->blob + 36, 0xfffffff0);
}

static void strings_outside(struct tree *t)
{
	good_tree(t);
	put32(t->blob + 12, t->size + 1);
}

static void larger_than_memory(struct tree *t)
{
	good_tree(t);
	put32(t->blob + 4, t->size + 1);
}

static void old_version(struct tree *t)
{
	good_tree(t);
	put32(t->blob + 20, 16);
}

static void new_version(struct tree *t)
{
	good_tree(t);
	put32(t->blob + 24, 18);
}

static void wrong_magic(struct tree *t)
{
	good_tree(t);
	t->blob[0] ^= 1;
}

static void initrd_backwards(struct tree *t)
{
	root(t);
	cpus(t);
	memory(t, "memory", 0x80000000, 0x1000);
	begin(t, "chosen");
	CELLS(t, "linux,initrd-start", 0x80000010);
	CELLS(t, "linux,initrd-end", 0x80000000);
	end(t);
	close_root(t);
}

static void too_many_regions(struct tree *t)
{
	root(t);
	cpus(t);
	for (uint32_t i = 0; i <= BOOT_REGIONS; i++)
		memory(t, "m", 0x80000000 + 0x2000 * i, 0x1000);
	close_root(t);
}

static void bad_trees_are_refused(void **state)
{
	static const struct {
		const char *name;
		void (*make)(struct tree *t);
		enum fdt_error error;
	} rows[] = {
		{"no memory", no_memory, FDT_NO_MEMORY},
		{"no CPUs", no_cpus, FDT_BAD_CPU},
		{"CPU twice", cpu_twice, FDT_BAD_CPU},
		{"memory overlaps", memory_overlaps, FDT_MEMORY_OVERLAPS},
		{"memory wraps", memory_wraps, FDT_BAD_RANGE},
		{"reg of odd length", memory_uneven, FDT_BAD_PROPERTY},
		{"three address cells", cells_unreadable, FDT_BAD_CELLS},
		{"too deep", too_deep, FDT_TOO_DEEP},
		{"one end too many", unbalanced, FDT_BAD_TOKEN},
		{"root not closed", not_closed, FDT_BAD_TOKEN},
		{"two roots", two_roots, FDT_BAD_TOKEN},
		{"property after a child", property_after_child, FDT_BAD_TOKEN},
		{"unknown token", unknown_token, FDT_BAD_TOKEN},
		{"length that wraps", length_lies, FDT_BAD_PROPERTY},
		{"name outside", name_outside, FDT_BAD_NAME},
		{"reservations do not end", no_end_of_reservations, FDT_BAD_RESERVATION},
		{"structure outside", structure_outside, FDT_BAD_HEADER},
		{"strings outside", strings_outside, FDT_BAD_HEADER},
		{"total too large", larger_than_memory, FDT_BAD_HEADER},
		{"version 16", old_version, FDT_BAD_VERSION},
		{"not compatible with 17", new_version, FDT_BAD_VERSION},
		{"wrong magic", wrong_magic, FDT_BAD_MAGIC},
		{"initrd ends before it starts", initrd_backwards, FDT_BAD_RANGE},
		{"too many regions", too_many_regions, FDT_TOO_MANY},
	};

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		struct boot_info info;
		struct tree t;

		check_context("%s", rows[i].name);
		rows[i].make(&t);
		CHECK_FDT(read_boot(&t, &info), rows[i].error);
	}
	check_context("%s", "");
}

/* A copy of exactly `size` bytes, so that a read beyond it is caught. */
static void read_exactly(const uint8_t *blob, size_t size)
{
	struct boot_info info = {.boot_cpu = 1};
	uint8_t *copy = malloc(size != 0 ? size : 1);
	struct fdt_node node;
	struct fdt fdt;

	memcpy(copy, blob, size);
	if (fdt_read_boot(copy, size, &info) == FDT_OK)
		CHECK(info.region_count <= BOOT_REGIONS);
	if (fdt_open(&fdt, copy, size) == FDT_OK) {
		(void)fdt_find_stdout(&fdt, &node);
		(void)fdt_find_compatible(&fdt, "arm,pl011", &node);
		(void)fdt_find_path(&fdt, "/cpus/cpu@3", &node);
	}
	free(copy);
}

static void truncated_at_every_byte(void **state)
{
	struct tree t;

	(void)state;
	good_tree(&t);
	for (size_t size = 0; size < t.size; size++) {
		read_exactly(t.blob, size);
		/* With a total that agrees, so that the cut is what is found. */
		put32(t.blob + 4, (uint32_t)size);
		read_exactly(t.blob, size);
		put32(t.blob + 4, t.size);
	}
}

static void every_bit_flipped(void **state)
{
	struct tree t;

	(void)state;
	good_tree(&t);
	for (size_t bit = 0; bit < 8 * t.size; bit++) {
		t.blob[bit / 8] ^= (uint8_t)(1U << bit % 8);
		read_exactly(t.blob, t.size);
		t.blob[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

static void random_damage(void **state)
{
	struct rng rng = rng_seeded(25);
	struct tree t, broken;

	(void)state;
	good_tree(&t);
	for (int round = 0; round < 100000; round++) {
		broken = t;
		for (uint64_t n = 1 + rng_below(&rng, 4); n > 0; n--)
			broken.blob[rng_below(&rng, t.size)] = (uint8_t)rng_next(&rng);
		read_exactly(broken.blob, t.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_info_is_read),
		cmocka_unit_test(nodes_are_found),
		cmocka_unit_test(ranges_are_translated),
		cmocka_unit_test(bad_ranges_are_refused),
		cmocka_unit_test(long_command_lines_are_cut),
		cmocka_unit_test(bad_trees_are_refused),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(every_bit_flipped),
		cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
