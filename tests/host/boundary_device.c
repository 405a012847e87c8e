/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boundary values for devices: widths, ports, registers, kinds, and a bus with its interrupt lines.
 * Each is held against arithmetic in 128 bits, or against a model that searches plainly.
 */
#include "boundary.h"
#include "bus.h"

#include <string.h>

#include "mm/compiler.h"

typedef unsigned __int128 wide;

#define ALL ((wide)1 << 64)

/* --- device_addr.h --- */

static void call_width(struct boundary *b)
{
	uint64_t bytes = boundary_chance(b, 2) ? boundary_enum(b) : boundary_number(b);
	bool good = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
	enum mm_width width = MM_WIDTH_2, cast = (enum mm_width)(uint32_t)bytes;

	CHECK_ERR(mm_width_from_bytes(bytes, &width), good ? MM_OK : MM_INVALID);
	CHECK_EQ((uint32_t)width, good ? bytes : 2);
	good = good || (uint32_t)bytes == 1 || (uint32_t)bytes == 2 || (uint32_t)bytes == 4 ||
	       (uint32_t)bytes == 8;
	CHECK_EQ(mm_width_valid(cast), good);
	CHECK_EQ(mm_width_mask(cast), good ? (uint64_t)(((wide)1 << 8 * (uint32_t)bytes) - 1) : 0);
}

/* One kind stands for both, which one macro makes. */
static void call_ports(struct boundary *b)
{
	uint64_t first = boundary_number(b) % 0x20000, count = boundary_number(b);
	uint64_t other = boundary_number(b) % 0x10000;
	mm_port_t port = mm_port_at(7), sum = mm_port_at(7);
	struct mm_port_range r, s = mm_port_range(mm_port_at((uint16_t)other), 3);
	char text[MM_ADDR_TEXT];
	bool valid;

	CHECK_ERR(mm_port_from_number(first, &port), first <= 0xffff ? MM_OK : MM_OUT_OF_RANGE);
	CHECK_EQ(port.raw, first <= 0xffff ? first : 7);
	CHECK_ERR(mm_port_from_number(boundary_number(b) | 0x10000, &sum), MM_OUT_OF_RANGE);
	CHECK_EQ(sum.raw, 7);
	valid = (wide)port.raw + count <= 0xffff;
	CHECK_EQ(mm_port_add(port, count, &sum), valid);
	CHECK_EQ(sum.raw, valid ? port.raw + count : 7);
	r = mm_port_range(port, count);
	valid = count != 0 && (wide)port.raw + count <= 0x10000;
	CHECK_EQ(mm_port_range_valid(r), valid);
	CHECK_EQ(mm_port_range_contains(r, s.first),
	         other >= port.raw && (wide)port.raw + count > other);
	CHECK(mm_port_range_format(text, sizeof(text), r) < sizeof(text));
	CHECK(mm_port_format(text, sizeof(text), port) >= strlen("PORT:0x0"));
	CHECK_EQ(memcmp(text, "PORT:0x", 7), 0);
	if (valid)
		CHECK_EQ(mm_port_range_last(r).raw, port.raw + count - 1);
	if (valid && mm_port_range_valid(s))
		CHECK_EQ(mm_port_range_overlaps(r, s),
		         port.raw <= other + 2 && (wide)port.raw + count > other);
	CHECK_ERR(mm_port_range_inclusive(port, s.first, &r),
	          other >= port.raw ? MM_OK : MM_INVALID);
	CHECK_EQ(r.count, other >= port.raw ? other - port.raw + 1 : count);
}

static void call_types(struct boundary *b)
{
	uint64_t number = boundary_chance(b, 2) ? boundary_number(b) : rng_below(&b->rng, 0x200);
	enum mm_device_type type = MM_DEVICE_TYPE_TEST, again = MM_DEVICE_TYPE_TEST;
	enum mm_error err = mm_device_type_from_number(number, &type);
	const char *name = mm_device_type_name((enum mm_device_type)number);
	char garbage[8];

	CHECK(err == MM_OK || err == MM_INVALID);
	CHECK_EQ(type, err == MM_OK ? number : MM_DEVICE_TYPE_TEST);
	CHECK(name[0] != '\0');
	if (number <= UINT32_MAX)
		CHECK_EQ(err == MM_OK, strcmp(name, "unknown") != 0);
	if (err == MM_OK) {
		CHECK_OK(mm_device_type_from_name(name, &again));
		CHECK_EQ(again, type);
	}
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)(0x80 | rng_below(&b->rng, 256));
	garbage[rng_below(&b->rng, sizeof(garbage))] = '\0';
	CHECK_ERR(mm_device_type_from_name(garbage, &again), MM_INVALID);
	CHECK_ERR(mm_device_type_from_name(NULL, &again), MM_INVALID);
	CHECK_EQ(again, type);
}

/* --- ranges of device.h --- */

static enum mm_device_space some_space(struct boundary *b)
{
	return (enum mm_device_space)(boundary_chance(b, 4) ? boundary_enum(b)
	                                                    : (uint32_t)rng_below(&b->rng, 3));
}

static wide space_end(enum mm_device_space space)
{
	return space == MM_DEVICE_MMIO     ? ALL
	       : space == MM_DEVICE_PORT   ? (wide)1 << 16
	       : space == MM_DEVICE_SYSREG ? (wide)1 << 32
	                                   : 0;
}

static bool is_range(struct mm_device_range r)
{
	return r.length != 0 && (wide)r.base + r.length <= space_end(r.space);
}

static void call_range(struct boundary *b)
{
	struct mm_device_range r = {some_space(b), boundary_number(b), boundary_number(b)};
	struct mm_device_range out = {MM_DEVICE_MMIO, 7, 7};
	enum mm_error err =
		mm_device_range_inclusive(r.space, r.base, r.base + (r.length - 1), &out);
	char text[MM_ADDR_TEXT];

	CHECK_EQ(mm_device_range_valid(r), is_range(r));
	CHECK(is_range(r) ? err == MM_OK : err != MM_OK || is_range(out));
	CHECK(mm_device_range_format(text, sizeof(text), r) < sizeof(text));
	CHECK(mm_device_range_format(NULL, 0, r) == strlen(text));
	CHECK(mm_device_space_name(r.space)[0] != '\0');
	out = mm_device_range_mmio(mm_gpa_range(mm_gpa_at(r.base), r.length));
	CHECK(out.space == MM_DEVICE_MMIO && out.base == r.base && out.length == r.length);
	out = mm_device_range_ports(mm_port_range(mm_port_at((uint16_t)r.base), r.length));
	CHECK(out.space == MM_DEVICE_PORT && out.base == (uint16_t)r.base &&
	      out.length == r.length);
	out = mm_device_range_sysregs(mm_sysreg_range(mm_sysreg_at((uint32_t)r.base), r.length));
	CHECK(out.space == MM_DEVICE_SYSREG && out.base == (uint32_t)r.base &&
	      out.length == r.length);
}

/* --- the bus, beside a model --- */

#define DEVICES 6
#define SLOTS   4
#define LINES   130
#define IRQS    3
#define NOBODY  0xff
#define CALLER  0xfe

struct model {
	struct mm_device *slots[SLOTS];
	struct mm_device devices[DEVICES];
	mm_irq_t irqs[DEVICES][IRQS];
	uint64_t bitmap[MM_DEVICE_LINE_WORDS(LINES)];
	struct mm_device_bus bus;
	bool added[DEVICES];
	uint8_t owner[LINES];
};

static enum mm_error nothing_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                  uint64_t *value)
{
	uint64_t units = dev->range.space == MM_DEVICE_SYSREG ? 1 : (uint64_t)width;

	CHECK(mm_width_valid(width) && offset < dev->range.length &&
	      units <= dev->range.length - offset);
	*value = 1;
	return MM_OK;
}

static enum mm_error nothing_written(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                     uint64_t value)
{
	return nothing_read(dev, offset, width, &value);
}

static const struct mm_device_ops nothing = {nothing_read, nothing_written};

static mm_irq_t some_line(struct boundary *b)
{
	return mm_irq_at(boundary_chance(b, 4) ? (uint32_t)boundary_number(b)
	                                       : (uint32_t)rng_below(&b->rng, LINES + 2));
}

static void make_device(struct boundary *b, struct model *m, unsigned i)
{
	static const uint64_t args[] = {5, 6, 7};
	uint64_t index = boundary_chance(b, 2) ? boundary_number(b) : rng_below(&b->rng, 4);
	uint64_t value = 1;
	struct mm_device_config config = {
		.type = (enum mm_device_type)boundary_enum(b),
		.range = {some_space(b), boundary_number(b), boundary_number(b)},
		.irqs = boundary_chance(b, 20) ? NULL : m->irqs[i],
		.irq_count = rng_below(&b->rng, IRQS + 1),
		.args = args,
		.arg_count = MM_ARRAY_SIZE(args),
	};

	for (unsigned n = 0; n < IRQS; n++)
		m->irqs[i][n] = some_line(b);
	mm_device_init(&m->devices[i], &config, &nothing);
	CHECK(mm_device_is(&m->devices[i], config.type, &nothing));
	CHECK_ERR(mm_device_arg(&m->devices[i], index, &value),
	          index < 3 ? MM_OK : MM_OUT_OF_RANGE);
	CHECK_EQ(value, index < 3 ? 5 + index : 1);
}

static enum mm_error claim(struct model *m, mm_irq_t irq, uint8_t owner)
{
	if (irq.raw >= LINES)
		return MM_OUT_OF_RANGE;
	if (m->owner[irq.raw] != NOBODY)
		return MM_EXISTS;
	m->owner[irq.raw] = owner;
	return MM_OK;
}

static void release_all(struct model *m, unsigned i)
{
	for (unsigned line = 0; line < LINES; line++) {
		if (m->owner[line] == i)
			m->owner[line] = NOBODY;
	}
}

static enum mm_error model_add(struct model *m, unsigned i)
{
	const struct mm_device *dev = &m->devices[i];
	struct mm_device_range r = dev->range;
	unsigned count = 0;

	if (!is_range(r) || (!dev->irqs && dev->irq_count != 0))
		return MM_INVALID;
	for (unsigned j = 0; j < DEVICES; j++) {
		struct mm_device_range o = m->devices[j].range;

		count += m->added[j];
		if (m->added[j] && o.space == r.space && (wide)o.base + o.length > r.base &&
		    (wide)r.base + r.length > o.base)
			return MM_EXISTS;
	}
	if (count == SLOTS)
		return MM_NO_MEMORY;
	for (size_t n = 0; n < dev->irq_count; n++) {
		enum mm_error err = claim(m, dev->irqs[n], (uint8_t)i);

		if (err != MM_OK) {
			release_all(m, i);
			return err;
		}
	}
	m->added[i] = true;
	return MM_OK;
}

static enum mm_error model_remove(struct model *m, unsigned i)
{
	if (!m->added[i])
		return MM_NOT_MAPPED;
	release_all(m, i);
	m->added[i] = false;
	return MM_OK;
}

static enum mm_error model_group(struct model *m, const unsigned list[], unsigned count,
                                 enum mm_error (*one)(struct model *, unsigned))
{
	struct model before = *m;

	for (unsigned n = 0; n < count; n++) {
		enum mm_error err = one(m, list[n]);

		if (err != MM_OK) {
			memcpy(m->added, before.added, sizeof(m->added));
			memcpy(m->owner, before.owner, sizeof(m->owner));
			return err;
		}
	}
	return MM_OK;
}

/* All devices in order, each line's owner, and the bitmap. */
static void compare(const struct model *m)
{
	const struct mm_device *last = NULL;
	size_t count = 0;

	for (struct mm_device *dev = mm_device_bus_next(&m->bus, NULL); dev;
	     dev = mm_device_bus_next(&m->bus, dev)) {
		CHECK(m->added[dev - m->devices]);
		CHECK(!last || last->range.space < dev->range.space ||
		      (last->range.space == dev->range.space &&
		       last->range.base < dev->range.base));
		last = dev;
		CHECK(++count <= SLOTS);
	}
	for (unsigned i = 0; i < DEVICES; i++)
		count -= m->added[i];
	CHECK_EQ(count, 0);
	for (unsigned line = 0; line < LINES; line++) {
		struct mm_device *owner = mm_device_bus_line_owner(&m->bus, mm_irq_at(line));
		bool claimed = m->bitmap[line / 64] >> (line % 64) & 1;

		CHECK(owner == (m->owner[line] < DEVICES ? &m->devices[m->owner[line]] : NULL));
		CHECK_EQ(claimed, m->owner[line] != NOBODY);
	}
	CHECK_EQ(m->bitmap[LINES / 64] >> (LINES % 64), 0);
}

static void change_group(struct boundary *b, struct model *m)
{
	struct mm_device *devs[3];
	unsigned list[3], count = (unsigned)rng_below(&b->rng, 4);
	bool add = boundary_chance(b, 2);
	enum mm_error err;

	for (unsigned n = 0; n < count; n++) {
		list[n] = (unsigned)rng_below(&b->rng, DEVICES);
		devs[n] = &m->devices[list[n]];
	}
	err = add ? mm_device_bus_add_group(&m->bus, devs, count)
	          : mm_device_bus_remove_group(&m->bus, devs, count);
	CHECK_ERR(err, model_group(m, list, count, add ? model_add : model_remove));
}

static void change_line(struct boundary *b, struct model *m)
{
	mm_irq_t irq = some_line(b);
	uint8_t owner = irq.raw < LINES ? m->owner[irq.raw] : NOBODY;

	if (boundary_chance(b, 2)) {
		CHECK_ERR(mm_device_bus_claim_line(&m->bus, irq), claim(m, irq, CALLER));
		return;
	}
	CHECK_ERR(mm_device_bus_release_line(&m->bus, irq), irq.raw >= LINES  ? MM_OUT_OF_RANGE
	                                                    : owner == NOBODY ? MM_NOT_MAPPED
	                                                    : owner == CALLER ? MM_OK
	                                                                      : MM_DENIED);
	if (owner == CALLER)
		m->owner[irq.raw] = NOBODY;
}

static void change(struct boundary *b, struct model *m)
{
	unsigned i = (unsigned)rng_below(&b->rng, DEVICES);

	switch (rng_below(&b->rng, 4)) {
	case 0:
		/* It is on the bus: the same device overlaps itself. */
		CHECK_ERR(mm_device_bus_add(&m->bus, &m->devices[i]), model_add(m, i));
		break;
	case 1:
		CHECK_ERR(mm_device_bus_remove(&m->bus, &m->devices[i]), model_remove(m, i));
		break;
	case 2:
		change_group(b, m);
		break;
	default:
		change_line(b, m);
	}
}

static void ask(struct boundary *b, struct model *m)
{
	enum mm_device_space space = some_space(b);
	uint64_t addr = boundary_number(b), value = 7;
	unsigned width = boundary_chance(b, 2) ? boundary_enum(b) : 1;
	struct mm_device *at = NULL;
	enum mm_error err;

	if (space == MM_DEVICE_SYSREG && boundary_chance(b, 2))
		width = 8;
	for (unsigned i = 0; i < DEVICES; i++) {
		struct mm_device_range r = m->devices[i].range;

		if (m->added[i] && r.space == space && addr >= r.base &&
		    addr < (wide)r.base + r.length)
			at = &m->devices[i];
	}
	CHECK(bus_find(&m->bus, space, addr) == at);
	err = bus_read(&m->bus, space, addr, width, &value);
	CHECK(at ? err != MM_NOT_MAPPED : err == MM_NOT_MAPPED || err == MM_INVALID);
	CHECK_EQ(value, err == MM_OK ? 1 : 7);
	CHECK_ERR(bus_write(&m->bus, space, addr, width, 1), err);
}

static void call_bus(struct boundary *b)
{
	static struct model m;
	uint64_t beyond = ((uint64_t)1 << 32) + 1 + boundary_number(b) / 2;

	memset(&m, 0, sizeof(m));
	memset(m.bitmap, 0x5e, sizeof(m.bitmap));
	memset(m.owner, NOBODY, sizeof(m.owner));
	mm_device_bus_init(&m.bus, m.slots, SLOTS);
	CHECK_ERR(mm_device_bus_set_lines(&m.bus, NULL, LINES), MM_INVALID);
	CHECK_ERR(mm_device_bus_set_lines(&m.bus, m.bitmap, beyond), MM_INVALID);
	CHECK_ERR(mm_device_bus_claim_line(&m.bus, mm_irq_at(0)), MM_OUT_OF_RANGE);
	CHECK_OK(mm_device_bus_set_lines(&m.bus, m.bitmap, LINES));
	for (unsigned i = 0; i < DEVICES; i++)
		make_device(b, &m, i);
	for (unsigned n = 0; n < 16; n++) {
		change(b, &m);
		compare(&m);
		ask(b, &m);
	}
	CHECK_ERR(mm_device_bus_set_lines(&m.bus, m.bitmap, LINES),
	          m.bus.count != 0 ? MM_BUSY : MM_OK);
}

/* A kind's functions stand under the name that the macro gives them for ports. */
const struct boundary_call boundary_device[] = {
	{"mm_width_valid", call_width, true},
	{"mm_width_from_bytes", call_width, true},
	{"mm_width_mask", call_width, true},
	{"mm_port_at", call_ports, true},
	{"mm_port_from_number", call_ports, true},
	{"mm_port_add", call_ports, true},
	{"mm_port_range", call_ports, true},
	{"mm_port_range_inclusive", call_ports, true},
	{"mm_port_range_valid", call_ports, true},
	{"mm_port_range_last", call_ports, true},
	{"mm_port_range_contains", call_ports, true},
	{"mm_port_range_overlaps", call_ports, true},
	{"mm_port_format", call_ports, true},
	{"mm_port_range_format", call_ports, true},
	{"mm_device_type_name", call_types, true},
	{"mm_device_type_from_name", call_types, true},
	{"mm_device_type_from_number", call_types, true},
	{"mm_device_space_name", call_range, true},
	{"mm_device_range_mmio", call_range, true},
	{"mm_device_range_ports", call_range, true},
	{"mm_device_range_sysregs", call_range, true},
	{"mm_device_range_valid", call_range, true},
	{"mm_device_range_inclusive", call_range, true},
	{"mm_device_range_format", call_range, true},
	{"mm_irq_at", call_bus, true},
	{"mm_device_init", call_bus, true},
	{"mm_device_is", call_bus, true},
	{"mm_device_arg", call_bus, true},
	{"mm_device_bus_init", call_bus, true},
	{"mm_device_bus_set_lines", call_bus, true},
	{"mm_device_bus_add", call_bus, true},
	{"mm_device_bus_remove", call_bus, true},
	{"mm_device_bus_add_group", call_bus, true},
	{"mm_device_bus_remove_group", call_bus, true},
	{"mm_device_bus_next", call_bus, true},
	{"mm_device_bus_claim_line", call_bus, true},
	{"mm_device_bus_release_line", call_bus, true},
	{"mm_device_bus_line_owner", call_bus, true},
	{"mm_device_bus_find_mmio", call_bus, true},
	{"mm_device_bus_find_port", call_bus, true},
	{"mm_device_bus_find_sysreg", call_bus, true},
};

const size_t boundary_device_count = MM_ARRAY_SIZE(boundary_device);
