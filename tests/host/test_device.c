/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices: ranges, the bus, and what it refuses. */
#include "check.h"

#include "bus.h"
#include "mm/compiler.h"

#define TOP UINT64_MAX

/* A device that remembers what it was asked, and reads as its offset + 1. */
struct probe {
	struct mm_device dev;
	unsigned reads, writes;
	uint64_t offset, value;
	unsigned width;
	enum mm_error answer;
};

static struct probe *probe_of(struct mm_device *dev)
{
	return MM_CONTAINER_OF(dev, struct probe, dev);
}

static enum mm_error probe_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                uint64_t *value)
{
	struct probe *p = probe_of(dev);
	p->reads++;
	p->offset = offset;
	p->width = width;
	*value = offset + 1;
	return p->answer;
}

static enum mm_error probe_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                 uint64_t value)
{
	struct probe *p = probe_of(dev);
	p->writes++;
	p->offset = offset;
	p->width = width;
	p->value = value;
	return p->answer;
}

static const struct mm_device_ops probe_ops = {probe_read, probe_write};

static const uint64_t arguments[] = {1, 2, 3, TOP, 5};

static struct probe probe_at(enum mm_device_space space, uint64_t base, uint64_t length)
{
	struct probe p = {0};
	const struct mm_device_config config = {
		.name = "probe",
		.type = MM_DEVICE_TYPE_TEST,
		.range = {space, base, length},
		.args = arguments,
		.arg_count = MM_ARRAY_SIZE(arguments),
	};
	mm_device_init(&p.dev, &config, &probe_ops);
	return p;
}

/* A handler that says it is fine and gives no value: what the guest reads is not left over. */
static enum mm_error mute_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                               uint64_t *value)
{
	(void)dev, (void)offset, (void)width, (void)value;
	return MM_OK;
}

static void a_handler_without_a_value_reads_as_zero(void **state)
{
	static const struct mm_device_ops mute_ops = {mute_read, probe_write};
	const struct mm_device_config config = {
		.name = "mute",
		.type = MM_DEVICE_TYPE_TEST,
		.range = MM_DEVICE_AT_MMIO(0x1000, 8),
	};
	struct mm_device mute;
	struct mm_device_bus bus;
	struct mm_device *slots[1];
	uint64_t value = 7;
	(void)state;
	mm_device_init(&mute, &config, &mute_ops);
	mm_device_bus_init(&bus, slots, 1);
	CHECK_OK(mm_device_bus_add(&bus, &mute));
	CHECK_OK(bus_read(&bus, MM_DEVICE_MMIO, 0x1000, 4, &value));
	CHECK_EQ(value, 0);
}

static void init_takes_the_configuration(void **state)
{
	static const struct mm_device_ops other_ops = {probe_read, probe_write};
	struct probe p = probe_at(MM_DEVICE_PORT, 0x3f8, 8);
	uint64_t value;
	(void)state;
	CHECK_TEXT(p.dev.name, "probe");
	CHECK_EQ(p.dev.irq_count, 0);
	for (unsigned i = 0; i < MM_ARRAY_SIZE(arguments); i++) {
		CHECK_OK(mm_device_arg(&p.dev, i, &value));
		CHECK_EQ(value, arguments[i]);
	}
	value = 7;
	CHECK_ERR(mm_device_arg(&p.dev, MM_ARRAY_SIZE(arguments), &value), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_device_arg(&p.dev, SIZE_MAX, &value), MM_OUT_OF_RANGE);
	CHECK_EQ(value, 7);
	CHECK_EQ(p.dev.range.space, MM_DEVICE_PORT);
	CHECK_EQ(p.dev.range.base, 0x3f8);
	CHECK_EQ(p.dev.range.length, 8);
	CHECK(mm_device_is(&p.dev, MM_DEVICE_TYPE_TEST, &probe_ops));
	CHECK(!mm_device_is(&p.dev, MM_DEVICE_TYPE_CONSOLE, &probe_ops));
	CHECK(!mm_device_is(&p.dev, MM_DEVICE_TYPE_TEST, &other_ops));
}

static void ranges(void **state)
{
	struct mm_device_range r = {MM_DEVICE_MMIO, 1, 1};
	(void)state;
	CHECK_OK(mm_device_range_inclusive(MM_DEVICE_PORT, 0x60, 0x64, &r));
	CHECK_EQ(r.space, MM_DEVICE_PORT);
	CHECK_EQ(r.base, 0x60);
	CHECK_EQ(r.length, 5);
	CHECK_OK(mm_device_range_inclusive(MM_DEVICE_MMIO, TOP, TOP, &r));
	CHECK_EQ(r.length, 1);
	CHECK_OK(mm_device_range_inclusive(MM_DEVICE_MMIO, 1, TOP, &r));
	CHECK_EQ(r.length, TOP);
	CHECK_ERR(mm_device_range_inclusive(MM_DEVICE_MMIO, 0, TOP, &r), MM_INVALID);
	CHECK_ERR(mm_device_range_inclusive(MM_DEVICE_MMIO, 5, 4, &r), MM_INVALID);
	CHECK_EQ(r.length, TOP);
	CHECK(mm_device_range_valid((struct mm_device_range){MM_DEVICE_MMIO, TOP, 1}));
	CHECK(!mm_device_range_valid((struct mm_device_range){MM_DEVICE_MMIO, TOP, 2}));
	CHECK(!mm_device_range_valid((struct mm_device_range){MM_DEVICE_MMIO, 0, 0}));
}

static void bus_refuses_bad_devices(void **state)
{
	static const struct mm_device_ops no_read = {NULL, probe_write};
	static const struct mm_device_ops no_write = {probe_read, NULL};
	struct mm_device *slots[4];
	struct mm_device_bus bus;
	struct probe p = probe_at(MM_DEVICE_MMIO, 0x1000, 0);
	(void)state;
	mm_device_bus_init(&bus, slots, 4);
	CHECK_ERR(mm_device_bus_add(&bus, &p.dev), MM_INVALID);
	p = probe_at(MM_DEVICE_MMIO, TOP, 2);
	CHECK_ERR(mm_device_bus_add(&bus, &p.dev), MM_INVALID);
	p = probe_at(MM_DEVICE_MMIO, 0x1000, 4);
	p.dev.ops = NULL;
	CHECK_ERR(mm_device_bus_add(&bus, &p.dev), MM_INVALID);
	p.dev.ops = &no_read;
	CHECK_ERR(mm_device_bus_add(&bus, &p.dev), MM_INVALID);
	p.dev.ops = &no_write;
	CHECK_ERR(mm_device_bus_add(&bus, &p.dev), MM_INVALID);
	CHECK_EQ(bus.count, 0);
}

struct overlap_case {
	uint64_t base, length;
	enum mm_error err;
};

static void bus_refuses_overlaps(void **state)
{
	static const struct overlap_case cases[] = {
		{0x0fff, 1, MM_OK},     {0x0fff, 2, MM_EXISTS},        {0x1000, 1, MM_EXISTS},
		{0x1008, 8, MM_EXISTS}, {0x100f, 1, MM_EXISTS},        {0x100f, 2, MM_EXISTS},
		{0x1010, 1, MM_OK},     {0x0800, 0x1000, MM_EXISTS},   {0, TOP, MM_EXISTS},
		{0, 0x1000, MM_OK},     {0x1010, TOP - 0x100f, MM_OK},
	};
	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(cases); i++) {
		struct mm_device *slots[4];
		struct mm_device_bus bus;
		struct probe first = probe_at(MM_DEVICE_MMIO, 0x1000, 16);
		struct probe same = probe_at(MM_DEVICE_PORT, 0x1000, 16);
		struct probe second = probe_at(MM_DEVICE_MMIO, cases[i].base, cases[i].length);
		check_context("case %zu", i);
		mm_device_bus_init(&bus, slots, 4);
		CHECK_OK(mm_device_bus_add(&bus, &first.dev));
		CHECK_OK(mm_device_bus_add(&bus, &same.dev)); /* another space: no overlap */
		CHECK_ERR(mm_device_bus_add(&bus, &second.dev), cases[i].err);
		CHECK_EQ(bus.count, cases[i].err == MM_OK ? 3 : 2);
	}
}

static void bus_fills_up_and_empties(void **state)
{
	struct mm_device *slots[2];
	struct mm_device_bus bus;
	struct probe a = probe_at(MM_DEVICE_MMIO, 0x3000, 4);
	struct probe b = probe_at(MM_DEVICE_MMIO, 0x1000, 4);
	struct probe c = probe_at(MM_DEVICE_MMIO, 0x2000, 4);
	(void)state;
	mm_device_bus_init(&bus, slots, 2);
	CHECK_OK(mm_device_bus_add(&bus, &a.dev));
	CHECK_OK(mm_device_bus_add(&bus, &b.dev));
	CHECK_ERR(mm_device_bus_add(&bus, &c.dev), MM_NO_MEMORY);
	CHECK_ERR(mm_device_bus_remove(&bus, &c.dev), MM_NOT_MAPPED);
	struct probe beyond = probe_at(MM_DEVICE_MMIO, 0x9000, 4);
	CHECK_ERR(mm_device_bus_remove(&bus, &beyond.dev), MM_NOT_MAPPED);
	CHECK_OK(mm_device_bus_remove(&bus, &b.dev));
	CHECK_ERR(mm_device_bus_remove(&bus, &b.dev), MM_NOT_MAPPED);
	CHECK_OK(mm_device_bus_add(&bus, &c.dev));
	CHECK(bus_find(&bus, MM_DEVICE_MMIO, 0x2003) == &c.dev);
	CHECK(bus_find(&bus, MM_DEVICE_MMIO, 0x3000) == &a.dev);
	CHECK(bus_find(&bus, MM_DEVICE_MMIO, 0x1000) == NULL);
	CHECK_OK(mm_device_bus_remove(&bus, &c.dev));
	CHECK_OK(mm_device_bus_remove(&bus, &a.dev));
	CHECK_EQ(bus.count, 0);
	CHECK(bus_find(&bus, MM_DEVICE_MMIO, 0x3000) == NULL);
}

/* 96 devices in three spaces, added in a scrambled order; every address looked up. */
static void bus_finds_among_many(void **state)
{
	enum {
		EACH = 32,
		STEP = 8,
		LENGTH = 5
	};
	static struct probe probes[3 * EACH];
	struct mm_device *slots[3 * EACH];
	struct mm_device_bus bus;
	(void)state;
	mm_device_bus_init(&bus, slots, 3 * EACH);
	for (unsigned i = 0; i < 3 * EACH; i++) {
		unsigned k = i * 37 % (3 * EACH);
		probes[k] = probe_at((enum mm_device_space)(k / EACH), k % EACH * STEP, LENGTH);
		CHECK_OK(mm_device_bus_add(&bus, &probes[k].dev));
	}
	for (unsigned space = 0; space < 3; space++) {
		for (unsigned addr = 0; addr < EACH * STEP; addr++) {
			struct mm_device *want = NULL;
			if (addr % STEP < LENGTH)
				want = &probes[space * EACH + addr / STEP].dev;
			check_context("space=%u addr=%u", space, addr);
			CHECK(bus_find(&bus, (enum mm_device_space)space, addr) == want);
		}
		CHECK(bus_find(&bus, (enum mm_device_space)space, TOP) == NULL);
	}
}

struct access_case {
	uint64_t addr;
	unsigned width;
	enum mm_error err;
};

static void c25_access_wholly_inside(void **state)
{
	static const struct access_case cases[] = {
		{0x1000, 1, MM_OK},         {0x1000, 8, MM_OK},
		{0x1008, 8, MM_OK},         {0x1009, 8, MM_OUT_OF_RANGE},
		{0x100c, 4, MM_OK},         {0x100d, 4, MM_OUT_OF_RANGE},
		{0x100f, 1, MM_OK},         {0x100f, 2, MM_OUT_OF_RANGE},
		{0x1010, 1, MM_NOT_MAPPED}, {0x0fff, 2, MM_NOT_MAPPED},
		{0x1000, 0, MM_INVALID},    {0x1000, 3, MM_INVALID},
		{0x1000, 16, MM_INVALID},   {TOP, 1, MM_OK},
		{TOP, 2, MM_INVALID},       {TOP - 7, 8, MM_OK},
		{TOP - 6, 8, MM_INVALID},   {TOP - 8, 8, MM_NOT_MAPPED},
	};
	struct mm_device *slots[2];
	struct mm_device_bus bus;
	struct probe low = probe_at(MM_DEVICE_MMIO, 0x1000, 16);
	struct probe top = probe_at(MM_DEVICE_MMIO, TOP - 7, 8);
	(void)state;
	mm_device_bus_init(&bus, slots, 2);
	CHECK_OK(mm_device_bus_add(&bus, &low.dev));
	CHECK_OK(mm_device_bus_add(&bus, &top.dev));
	unsigned served = 0;
	for (size_t i = 0; i < MM_ARRAY_SIZE(cases); i++) {
		struct probe *p = cases[i].addr > 0x2000 ? &top : &low;
		uint64_t offset = cases[i].addr - p->dev.range.base;
		uint64_t value = 0xdead;
		check_context("case %zu", i);
		CHECK_ERR(bus_read(&bus, MM_DEVICE_MMIO, cases[i].addr, cases[i].width, &value),
		          cases[i].err);
		CHECK_EQ(value, cases[i].err == MM_OK ? offset + 1 : 0xdead);
		CHECK_ERR(bus_write(&bus, MM_DEVICE_MMIO, cases[i].addr, cases[i].width, 77),
		          cases[i].err);
		served += cases[i].err == MM_OK;
		CHECK_EQ(low.reads + top.reads, served);
		CHECK_EQ(low.writes + top.writes, served);
		if (cases[i].err == MM_OK) {
			CHECK_EQ(p->offset, offset);
			CHECK_EQ(p->width, cases[i].width);
			CHECK_EQ(p->value, 77);
		}
	}
	CHECK_ERR(bus_write(&bus, MM_DEVICE_PORT, 0x1000, 1, 0), MM_NOT_MAPPED);
}

struct space_case {
	enum mm_device_space space;
	uint64_t base, length;
	bool valid;
};

/* Ports have 16 bits and registers 32: what lies beyond does not exist, nor does a fourth space. */
static void a_space_has_an_end(void **state)
{
	static const struct space_case cases[] = {
		{MM_DEVICE_PORT, 0, 0x10000, true},
		{MM_DEVICE_PORT, 0xffff, 1, true},
		{MM_DEVICE_PORT, 0xffff, 2, false},
		{MM_DEVICE_PORT, 0x10000, 1, false},
		{MM_DEVICE_PORT, 0, 0x10001, false},
		{MM_DEVICE_PORT, UINT64_C(1) << 32, 1, false},
		{MM_DEVICE_PORT, TOP, 1, false},
		{MM_DEVICE_SYSREG, 0, UINT64_C(1) << 32, true},
		{MM_DEVICE_SYSREG, UINT32_MAX, 1, true},
		{MM_DEVICE_SYSREG, UINT32_MAX, 2, false},
		{MM_DEVICE_SYSREG, UINT64_C(1) << 32, 1, false},
		{MM_DEVICE_SYSREG, 0, TOP, false},
		{MM_DEVICE_MMIO, TOP, 1, true},
		{MM_DEVICE_SYSREG + 1, 0, 1, false},
		{(enum mm_device_space)(-1), 0, 1, false},
		{(enum mm_device_space)0x100, 0, 1, false},
	};
	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(cases); i++) {
		const struct space_case *c = &cases[i];
		struct mm_device *slots[1];
		struct mm_device_bus bus;
		struct probe p = probe_at(c->space, c->base, c->length);
		struct mm_device_range r;
		check_context("case %zu", i);
		mm_device_bus_init(&bus, slots, 1);
		CHECK_EQ(mm_device_range_valid(p.dev.range), c->valid);
		CHECK_ERR(
			mm_device_range_inclusive(c->space, c->base, c->base + (c->length - 1), &r),
			c->valid ? MM_OK : MM_INVALID);
		CHECK_ERR(mm_device_bus_add(&bus, &p.dev), c->valid ? MM_OK : MM_INVALID);
		CHECK(bus_find(&bus, c->space, c->base) == (c->valid ? &p.dev : NULL));
	}
}

struct width_case {
	enum mm_device_space space;
	uint64_t addr;
	unsigned width;
	enum mm_error err;
};

static void a_space_has_its_widths(void **state)
{
	static const struct width_case cases[] = {
		{MM_DEVICE_PORT, 0xfffc, 4, MM_OK},
		{MM_DEVICE_PORT, 0xfffe, 2, MM_OK},
		{MM_DEVICE_PORT, 0xffff, 1, MM_OK},
		{MM_DEVICE_PORT, 0xfffe, 4, MM_INVALID}, /* its last byte would be port 0x10001 */
		{MM_DEVICE_PORT, 0xffff, 2, MM_INVALID},
		{MM_DEVICE_PORT, 0xfff0, 8, MM_INVALID}, /* no instruction has it */
		{MM_DEVICE_PORT, 0x10000, 1, MM_INVALID},
		{MM_DEVICE_PORT, 0x1fffc, 1, MM_INVALID},
		{MM_DEVICE_PORT, UINT64_C(0x10000fffc), 1, MM_INVALID},
		{MM_DEVICE_SYSREG, UINT32_MAX, 8, MM_OK}, /* one register */
		{MM_DEVICE_SYSREG, UINT32_MAX - 15, 8, MM_OK},
		{MM_DEVICE_SYSREG, UINT32_MAX - 16, 8, MM_NOT_MAPPED},
		{MM_DEVICE_SYSREG, UINT64_C(1) << 32, 1, MM_INVALID},
		{MM_DEVICE_SYSREG, UINT64_C(0x1ffffffff), 1, MM_INVALID},
		{MM_DEVICE_SYSREG + 1, 0xffff, 1, MM_INVALID},
		{(enum mm_device_space)(-1), 0xffff, 1, MM_INVALID},
		{(enum mm_device_space)0x100, 0xffff, 1, MM_INVALID},
	};
	struct mm_device *slots[2];
	struct mm_device_bus bus;
	struct probe port = probe_at(MM_DEVICE_PORT, 0xfff0, 16);
	struct probe reg = probe_at(MM_DEVICE_SYSREG, UINT32_MAX - 15, 16);
	unsigned served = 0;
	(void)state;
	mm_device_bus_init(&bus, slots, 2);
	CHECK_OK(mm_device_bus_add(&bus, &port.dev));
	CHECK_OK(mm_device_bus_add(&bus, &reg.dev));
	for (size_t i = 0; i < MM_ARRAY_SIZE(cases); i++) {
		const struct width_case *c = &cases[i];
		uint64_t value = 0xdead;
		check_context("case %zu", i);
		CHECK_ERR(bus_read(&bus, c->space, c->addr, c->width, &value), c->err);
		CHECK_ERR(bus_write(&bus, c->space, c->addr, c->width, 1), c->err);
		served += c->err == MM_OK;
		CHECK_EQ(port.reads + reg.reads, served);
		CHECK_EQ(port.writes + reg.writes, served);
		CHECK(c->err == MM_OK || value == 0xdead);
	}
}

/* An access, as what came of it. */
struct outcome {
	enum mm_error err;
	const struct probe *probe; /* that was asked; NULL: none */
	uint64_t offset;
};

static struct outcome try_read(struct mm_device_bus *bus, struct probe probes[], size_t count,
                               enum mm_device_space space, uint64_t addr, unsigned width)
{
	struct outcome outcome = {.err = MM_OK};
	uint64_t value;
	for (size_t i = 0; i < count; i++)
		probes[i].reads = 0;
	outcome.err = bus_read(bus, space, addr, width, &value);
	for (size_t i = 0; i < count; i++) {
		if (probes[i].reads != 0) {
			outcome.probe = &probes[i];
			outcome.offset = probes[i].offset;
		}
	}
	return outcome;
}

/* Two devices side by side, at the same addresses of each space: whichever was asked last, an
 * access comes to the same as on a bus that nothing was asked of. */
static void the_last_access_changes_no_other(void **state)
{
	enum {
		COUNT = 6,
		FIRST = 0x0f,
		LAST = 0x18
	};
	static const unsigned widths[] = {0, 1, 2, 3, 4, 8};
	struct probe probes[COUNT];
	struct mm_device *slots[COUNT];
	struct mm_device_bus bus;
	(void)state;
	mm_device_bus_init(&bus, slots, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		probes[i] = probe_at((enum mm_device_space)(i / 2), i % 2 == 0 ? 0x10 : 0x14, 4);
		CHECK_OK(mm_device_bus_add(&bus, &probes[i].dev));
	}
	for (unsigned last = 0; last < COUNT; last++) {
		for (unsigned i = 0; i < 3 * (LAST - FIRST + 1) * MM_ARRAY_SIZE(widths); i++) {
			unsigned width = widths[i % MM_ARRAY_SIZE(widths)];
			uint64_t addr = FIRST + i / MM_ARRAY_SIZE(widths) % (LAST - FIRST + 1);
			enum mm_device_space space = (enum mm_device_space)(
				i / MM_ARRAY_SIZE(widths) / (LAST - FIRST + 1));
			struct mm_device_range at = probes[last].dev.range;
			struct outcome want, got;

			check_context("last=%u space=%u addr=%u width=%u", last, (unsigned)space,
			              (unsigned)addr, width);
			bus.latest = NULL;
			want = try_read(&bus, probes, COUNT, space, addr, width);
			bus.latest = NULL;
			(void)try_read(&bus, probes, COUNT, at.space, at.base,
			               at.space == MM_DEVICE_SYSREG ? 8 : 1);
			got = try_read(&bus, probes, COUNT, space, addr, width);
			CHECK_EQ(got.err, want.err);
			CHECK(got.probe == want.probe);
			CHECK_EQ(got.offset, want.offset);
		}
	}
}

static void a_refusal_writes_no_value(void **state)
{
	struct mm_device *slots[1];
	struct mm_device_bus bus;
	struct probe p = probe_at(MM_DEVICE_SYSREG, 0, 4);
	uint64_t value = 0xdead;
	(void)state;
	mm_device_bus_init(&bus, slots, 1);
	CHECK_OK(mm_device_bus_add(&bus, &p.dev));
	p.answer = MM_DENIED;
	CHECK_ERR(bus_read(&bus, MM_DEVICE_SYSREG, 2, 8, &value), MM_DENIED);
	CHECK_EQ(value, 0xdead);
	CHECK_ERR(bus_write(&bus, MM_DEVICE_SYSREG, 2, 8, 1), MM_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_takes_the_configuration),
		cmocka_unit_test(a_handler_without_a_value_reads_as_zero),
		cmocka_unit_test(ranges),
		cmocka_unit_test(bus_refuses_bad_devices),
		cmocka_unit_test(bus_refuses_overlaps),
		cmocka_unit_test(bus_fills_up_and_empties),
		cmocka_unit_test(bus_finds_among_many),
		cmocka_unit_test(c25_access_wholly_inside),
		cmocka_unit_test(a_space_has_an_end),
		cmocka_unit_test(a_space_has_its_widths),
		cmocka_unit_test(the_last_access_changes_no_other),
		cmocka_unit_test(a_refusal_writes_no_value),
	};
	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
