/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and ports that a device of the case emulates: MSRs, CR8 (which exits on VMX) and ports.
 * Reads deliver the device's value, all 64 bits of it, into the register that the instruction
 * names. Writes deliver the register's value to the device.
 */
#include "mm/device.h"
#include "suite/x86_64/x86.h"
#include "x86/x86.h"

#define MSR     0x40001230U
#define MSRS    4U
#define PORT    0x1230U
#define PORTS   8U
#define PATTERN UINT64_C(0x8123456789abcdef)
#define OPERAND UINT64_C(0xfedcba9876543210)

enum place {
	ON_MSR,
	ON_PORT,
	ON_CR8,
	PLACES,
};

struct row {
	const char *name;
	uint8_t code[8];
	uint8_t length;
	enum place place;
	uint8_t offset;   /* in the range of the device */
	uint8_t width;    /* ports */
	bool write;       /* then the device gets `value` */
	uint64_t value;   /* or the register `after` has it */
	uint64_t after;   /* enum agent_x86_after */
	bool stack;       /* the operand is RSP */
	uint64_t rdx;     /* MSR: RDX afterwards; ports: the upper half of the operand */
	uint64_t operand; /* 0: OPERAND */
};

#define CODE(...)  {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
#define LOW(value) ((value)&0xffffffff)
#define READ_CR8(reg, which, ...)                                                                  \
	{                                                                                          \
		"cr8.read-" reg, CODE(__VA_ARGS__), .place = ON_CR8, .value = PATTERN,             \
						    .after = AGENT_X86_##which                     \
	}
#define WRITE_CR8(reg, what, ...)                                                                  \
	{                                                                                          \
		"cr8.write-" reg, CODE(__VA_ARGS__), .place = ON_CR8, .value = (what),             \
						     .write = true                                 \
	}
/* The port is in DX, and EAX is the lower half of the operand. */
#define DX(at)                                                                                     \
	.operand = (uint64_t)(PORT + (at)) << 32 | 0xc1d2e3f4, .offset = (at), .place = ON_PORT

static const struct row rows[] = {
	{"rdmsr", CODE(0x0f, 0x32), .value = LOW(PATTERN), .after = AGENT_X86_RAX,
         .rdx = PATTERN >> 32},
	{"rdmsr-next", CODE(0x0f, 0x32), .offset = 1, .value = LOW(PATTERN + 1),
         .after = AGENT_X86_RAX, .rdx = PATTERN >> 32},
	{"wrmsr", CODE(0x0f, 0x30), .value = OPERAND, .write = true},
	{"wrmsr-last", CODE(0x0f, 0x30), .offset = MSRS - 1, .value = OPERAND, .write = true},
	{"in8", CODE(0xec), DX(0), .width = 1, .value = 0xc1d2e3ef},
	{"in16", CODE(0x66, 0xed), DX(2), .width = 2, .value = 0xc1d2cdf1},
	{"in32", CODE(0xed), DX(4), .width = 4, .value = 0x89abcdf3},
	{"out8", CODE(0xee), DX(1), .width = 1, .value = 0xf4, .write = true},
	{"out16", CODE(0x66, 0xef), DX(2), .width = 2, .value = 0xe3f4, .write = true},
	{"out32", CODE(0xef), DX(4), .width = 4, .value = 0xc1d2e3f4, .write = true},
	READ_CR8("rax", RAX, 0x44, 0x0f, 0x20, 0xc0),
	READ_CR8("rcx", RCX, 0x44, 0x0f, 0x20, 0xc1),
	READ_CR8("rdx", RDX, 0x44, 0x0f, 0x20, 0xc2),
	READ_CR8("rbx", RBX, 0x44, 0x0f, 0x20, 0xc3),
	READ_CR8("rsi", RSI, 0x44, 0x0f, 0x20, 0xc6),
	READ_CR8("rdi", RDI, 0x44, 0x0f, 0x20, 0xc7),
	/* MOV R9, CR8; MOV RAX, R9 */
	READ_CR8("r9", RAX, 0x45, 0x0f, 0x20, 0xc1, 0x4c, 0x89, 0xc8),
	WRITE_CR8("rax", LOW(OPERAND), 0x44, 0x0f, 0x22, 0xc0),
	WRITE_CR8("rdx", OPERAND >> 32, 0x44, 0x0f, 0x22, 0xc2),
	WRITE_CR8("rsi", OPERAND, 0x44, 0x0f, 0x22, 0xc6),
	/* MOV R15, RDI; MOV CR8, R15 */
	WRITE_CR8("r15", OPERAND, 0x49, 0x89, 0xff, 0x45, 0x0f, 0x22, 0xc7),
	{"cr8.read-rsp", CODE(0x44, 0x0f, 0x20, 0xc4), .place = ON_CR8, .value = PATTERN,
         .stack = true},
	{"cr8.write-rsp", CODE(0x44, 0x0f, 0x22, 0xc4), .place = ON_CR8, .value = OPERAND,
         .write = true, .stack = true},
};

/* --- the devices --- */

struct seen_device {
	struct mm_device device;
	unsigned writes;
	uint64_t offset, width, value; /* of the last write */
};

static struct seen_device devices[PLACES];

static enum mm_error on_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                             uint64_t *value)
{
	(void)dev;
	(void)width;
	*value = PATTERN + offset;
	return MM_OK;
}

static enum mm_error on_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                              uint64_t value)
{
	struct seen_device *d = MM_CONTAINER_OF(dev, struct seen_device, device);

	d->writes++;
	d->offset = offset;
	d->width = width;
	d->value = value;
	return MM_OK;
}

static bool add_device(struct suite_run *run)
{
	static const struct mm_device_ops ops = {on_read, on_write};
	static const struct mm_device_config configs[PLACES] = {
		[ON_MSR] = {.name = "msrs", .range = MM_DEVICE_AT_SYSREGS(MSR, MSRS)},
		[ON_PORT] = {.name = "ports", .range = MM_DEVICE_AT_PORTS(PORT, PORTS)},
		[ON_CR8] = {.name = "cr8", .range = MM_DEVICE_AT_SYSREGS(SYSREG_CR(8), 1)},
	};
	const struct row *r = run->c->data;

	devices[r->place] = (struct seen_device){.writes = 0};
	mm_device_init(&devices[r->place].device, &configs[r->place], &ops);
	return mm_device_bus_add(&run->vm->bus, &devices[r->place].device) == MM_OK ||
	       suite_fail(run, "the device cannot be added");
}

static bool was_written(struct suite_run *run)
{
	const struct row *r = run->c->data;
	const struct seen_device *d = &devices[r->place];

	if (d->writes != (r->write ? 1 : 0))
		return suite_fail(run, "%u writes", d->writes);
	if (!r->write)
		return true;
	if (d->offset != r->offset || (r->width != 0 && d->width != r->width))
		suite_fail(run, "offset 0x%" PRIx64 ", width %" PRIu64, d->offset, d->width);
	if (d->value != r->value)
		suite_fail(run, "expected 0x%" PRIx64 ", got 0x%" PRIx64, r->value, d->value);
	return run->complaints == 0;
}

/* --- the guest --- */

static uint64_t code_of(const struct row *r)
{
	uint64_t code = UINT64_C(0x9090909090909090);

	for (unsigned i = 0; i < r->length; i++)
		code = (code & ~(UINT64_C(0xff) << 8 * i)) | (uint64_t)r->code[i] << 8 * i;
	return code;
}

/* The event operation shows a changed stack pointer. */
static void make_stack(struct suite_draft *d, const struct row *r)
{
	draft_op(d, (struct suite_op)EVENT(code_of(r), AGENT_X86_MASKED | AGENT_X86_STACK, OPERAND,
	                                   OPERAND, r->write ? 0 : AGENT_X86_WRONG_AFTER));
	if (!r->write)
		draft_op(d, (struct suite_op)AFTER(RSP, PATTERN));
}

static void make(struct suite_draft *d, const struct row *r)
{
	if (r->stack) {
		make_stack(d, r);
		return;
	}
	draft_op(d, (struct suite_op)EVENT(code_of(r), AGENT_X86_MASKED, MSR + r->offset,
	                                   r->operand != 0 ? r->operand : OPERAND, 0));
	if (r->write)
		return;
	draft_op(d, (struct suite_op){X86_OP(AFTER, .addr = r->after), .value = r->value});
	if (r->rdx != 0)
		draft_op(d, (struct suite_op)AFTER(RDX, r->rdx));
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct row *r = &rows[index];

	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	draft_name(d, "emulated.%s", r->name);
	draft_area(d, (struct suite_area)POPULATED(ARENA, PAGE, MM_RW));
	d->c.uncounted = true;
	d->c.data = r;
	d->c.ready = add_device;
	d->c.verify = was_written;
	draft_op(d, (struct suite_op)COPY_IDT(ARENA));
	make(d, r);
	if (r->place == ON_CR8 && x86_is_svm(host))
		d->c.arch = "none"; /* CR8 does not exit */
	return true;
}

const struct suite_subject suite_x86_emulated = {
	.name = "emulated",
	.generate = generate,
	.generated = "emulated.",
};
