/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to emulated devices: every width and extension, every form that the architecture's
 * compilers emit (guests/agent/forms.h), and the accesses that no device can handle.
 *
 * The values of the test device's registers identify the access. Every byte of TEST_ID equals its
 * position. Every part of TEST_NEG is negative. TEST_LAST describes the last access.
 */
#include "guests/agent/forms.h"
#include "kernel/string.h"
#include "machine.h"
#include "mm/bits.h"
#include "suite/run.h"
#include "suite/suite.h"

#define TEST_ID      (GUEST_TEST_BASE + GUEST_TEST_ID)
#define TEST_SCRATCH (GUEST_TEST_BASE + GUEST_TEST_SCRATCH)
#define TEST_NEG     (GUEST_TEST_BASE + GUEST_TEST_NEG)
#define TEST_LAST    (GUEST_TEST_BASE + GUEST_TEST_LAST)
#define TEST_END     (GUEST_TEST_BASE + PAGE)
#define ID_VALUE     UINT64_C(0x8877665544332211)
#define NEG_VALUE    UINT64_C(0xfffefdfcfbfaf9f8)
#define REGISTER     UINT64_C(0xa5b6c7d8e9fa0b1c) /* content of the register before a load */
#define STORED       UINT64_C(0x0123456789abcdef)
#define OLD          UINT64_C(0x7766554433221100)

static uint64_t low_bits(unsigned width)
{
	return ~UINT64_C(0) >> (64 - 8 * width);
}

static uint64_t sign_extended(uint64_t value, unsigned width)
{
	return (uint64_t)mm_sign_extend(value, 8 * width);
}

static struct suite_fault device_fault(uint64_t at, unsigned access)
{
	return (struct suite_fault)FAULT(at, access, MM_FAULT_IS_DEVICE);
}

/* --- the forms of each architecture --- */

struct form {
	const char *arch;
	const char *name;
	unsigned number;
	unsigned width;
	enum form_kind kind;
};

/* A list numbers its lines from 0, by the constants of an enumeration. */
enum {
	AGENT_FORMS_RISCV64(AGENT_FORM_ENUM_RISCV64)
};
enum {
	AGENT_FORMS_AARCH64(AGENT_FORM_ENUM_AARCH64)
};
enum {
	AGENT_FORMS_X86_64(AGENT_FORM_ENUM_X86_64)
};

static const struct form forms[] = {
#define ROW(name, text, width, kind) {"riscv64", #name, FORM_RISCV64_##name, width, kind},
	AGENT_FORMS_RISCV64(ROW)
#undef ROW
#define ROW(name, text, width, kind) {"aarch64", #name, FORM_AARCH64_##name, width, kind},
		AGENT_FORMS_AARCH64(ROW)
#undef ROW
#define ROW(name, text, width, kind) {"x86_64", #name, FORM_X86_64_##name, width, kind},
			AGENT_FORMS_X86_64(ROW)
#undef ROW
};

static const struct form *form_number(size_t index)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(forms); i++) {
		if (strcmp(forms[i].arch, machine_arch) == 0 && index-- == 0)
			return &forms[i];
	}
	return NULL;
}

/* The register after a load from a device register that contains `device`. */
static uint64_t loaded(const struct form *form, uint64_t device, uint64_t next)
{
	uint64_t part = device & low_bits(form->width);
	uint64_t sign = sign_extended(device, form->width);

	switch (form->kind) {
	case FORM_ZERO:
		return part;
	case FORM_SIGN:
		return sign;
	case FORM_SIGN32:
		return (uint32_t)sign;
	case FORM_SIGN16:
		return (REGISTER & ~low_bits(2)) | (sign & low_bits(2));
	case FORM_KEEP:
		return (REGISTER & ~low_bits(form->width)) | part;
	case FORM_PAIR:
		return device ^ next;
	case FORM_COMPARE:
		return part == (REGISTER & low_bits(form->width));
	default:
		return REGISTER;
	}
}

static struct suite_op form_op(const struct form *form, uint64_t at, uint64_t in, uint64_t out)
{
	return (struct suite_op){
		OP(FORM, .addr = at, .count = form->number, .value = in),
		.value = out,
	};
}

static void draft_load(struct suite_draft *d, const struct form *form)
{
	draft_op(d, form_op(form, TEST_ID, REGISTER, loaded(form, ID_VALUE, 0)));
	draft_fault(d, device_fault(TEST_ID, MM_R));
	if (form->kind == FORM_PAIR)
		return;
	draft_op(d, form_op(form, TEST_NEG, REGISTER, loaded(form, NEG_VALUE, 0)));
	draft_fault(d, device_fault(TEST_NEG, MM_R));
}

static uint64_t combined(const struct form *form)
{
	switch (form->kind) {
	case FORM_AND:
		return OLD & STORED;
	case FORM_OR:
		return OLD | STORED;
	case FORM_XOR:
		return OLD ^ STORED;
	default:
		return STORED;
	}
}

/* A store, or a load and a store: SCRATCH afterwards, and the access that the device received. */
static void draft_store(struct suite_draft *d, const struct form *form)
{
	uint64_t mask = low_bits(form->width);
	bool two = form->kind == FORM_STORE2 || form->kind == FORM_REPEAT;
	uint64_t offset = GUEST_TEST_SCRATCH + (two ? 8 : 0);
	uint64_t result = form->kind == FORM_SWAP ? OLD : STORED;

	draft_op(d, (struct suite_op)WRITE(8, TEST_SCRATCH, OLD));
	draft_op(d, form_op(form, TEST_SCRATCH, STORED, result));
	draft_op(d, (struct suite_op)READ(8, TEST_LAST, form->width | offset << 16));
	draft_op(d,
	         (struct suite_op)READ(8, TEST_SCRATCH, (OLD & ~mask) | (combined(form) & mask)));
	draft_fault(d, device_fault(TEST_SCRATCH, MM_W));
	draft_fault(d, device_fault(TEST_SCRATCH, form->kind < FORM_SWAP ? MM_W : MM_RW));
	if (form->kind == FORM_REPEAT)
		draft_fault(d, device_fault(TEST_SCRATCH + 8, MM_W));
	draft_fault(d, device_fault(TEST_LAST, MM_R));
	draft_fault(d, device_fault(TEST_SCRATCH, MM_R));
}

static void draft_refused(struct suite_draft *d, const struct form *form)
{
	static const char *const features[] = {
		[FORM_LSE] = "lse",
		[FORM_F] = "f",
		[FORM_V] = "v",
		[FORM_FP] = "fp",
	};

	draft_op(d, form_op(form, TEST_ID, REGISTER, 0));
	draft_fault(d, device_fault(TEST_ID, MM_RW));
	d->c.end = SUITE_DIES;
	d->c.kill = KILL_MMIO_UNDECODED;
	d->c.feature = features[form->kind];
}

/* The device receives no access, and the guest continues. */
static void draft_undefined(struct suite_draft *d, const struct form *form)
{
	struct suite_op op = form_op(form, TEST_SCRATCH, REGISTER, 0);

	op.trap = AGENT_UNDEFINED;
	draft_op(d, op);
	draft_op(d, (struct suite_op)READ(8, TEST_LAST, 0));
	draft_fault(d, device_fault(TEST_LAST, MM_R));
}

static bool generate_form(size_t index, struct suite_draft *d)
{
	const struct form *form = form_number(index);

	if (form == NULL)
		return false;
	draft_name(d, "mmio.form.%s", form->name);
	if (form->kind >= FORM_REFUSED && form->kind <= FORM_FP)
		draft_refused(d, form);
	else if (form->kind == FORM_UNDEFINED)
		draft_undefined(d, form);
	else if (form->kind == FORM_STORE || form->kind == FORM_STORE2 ||
	         (form->kind >= FORM_REPEAT && form->kind <= FORM_XOR))
		draft_store(d, form);
	else
		draft_load(d, form);
	return true;
}

/* --- widths --- */

enum way {
	WAY_ZERO,
	WAY_SIGN,
	WAY_WRITE,
	WAYS,
};

/* {1, 2, 4, 8 bytes} x {zero, sign, write}: each naturally aligned part of a register. */
static bool generate_width(size_t index, struct suite_draft *d)
{
	static const char *const names[WAYS] = {"zero", "sign", "write"};
	enum way way = (enum way)(index % WAYS);
	uint8_t width = index < 4 * WAYS ? (uint8_t)(1U << index / WAYS) : 0;

	if (width == 0)
		return false;
	draft_name(d, "mmio.width.%u.%s", 8U * width, names[way]);
	for (unsigned offset = 0; offset < 8; offset += width) {
		uint64_t part = NEG_VALUE >> 8 * offset;
		uint64_t at = (way == WAY_WRITE ? TEST_SCRATCH : TEST_NEG) + offset;

		if (way == WAY_ZERO)
			draft_op(d, (struct suite_op)READ(width, at, part & low_bits(width)));
		else if (way == WAY_SIGN)
			draft_op(d, (struct suite_op)READ_SIGNED(width, at,
			                                         sign_extended(part, width)));
		else
			draft_op(d, (struct suite_op)WRITE(width, at, part));
		draft_fault(d, device_fault(at, way == WAY_WRITE ? MM_W : MM_R));
	}
	if (way == WAY_WRITE) {
		draft_op(d, (struct suite_op)READ(8, TEST_SCRATCH, NEG_VALUE));
		draft_fault(d, device_fault(TEST_SCRATCH, MM_R));
	}
	return true;
}

/* --- accesses that lie across two parts of a register --- */

/* The device's page and the page after it, at VIRTUAL. Normal memory in the guest's tables: on Arm,
 * an unaligned access to Device memory faults in the guest's own first stage. */
#define TABLES  (ARENA + 4 * PAGE)
#define MAPPING (AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X | AGENT_PTE_AD | AGENT_PTE_NORMAL)
#define MAP_PAGES(at)                                                                              \
	STAGE1(), MAP_AS(VIRTUAL, (at), 0, TABLES, MAPPING),                                       \
		MAP_AS(VIRTUAL + PAGE, (at) + PAGE, 0, TABLES, MAPPING)

/* Each access faults in one page. The comparison cannot be more exact: the implementation decides
 * which part of the access comes first. */
static bool generate_unaligned(size_t index, struct suite_draft *d)
{
	static const struct {
		uint8_t width;
		uint8_t offset;
	} rows[] = {{2, 1}, {4, 1}, {4, 2}, {4, 3}, {8, 1}, {8, 2}, {8, 4}, {8, 7}};
	size_t row = index / 2;
	bool write = index % 2 != 0;
	struct suite_fault fault;
	uint64_t at;

	if (row >= MM_ARRAY_SIZE(rows))
		return false;
	at = VIRTUAL + GUEST_TEST_SCRATCH + rows[row].offset;
	draft_name(d, "mmio.unaligned.%s.%u.%u", write ? "write" : "read", 8U * rows[row].width,
	           rows[row].offset);
	draft_area(d, (struct suite_area)POPULATED(ARENA, 8 * PAGE, MM_RW));
	draft_op(d, (struct suite_op)STAGE1());
	draft_op(d, (struct suite_op)MAP_AS(VIRTUAL, GUEST_TEST_BASE, 0, TABLES, MAPPING));
	if (write)
		draft_op(d, (struct suite_op)WRITE(rows[row].width, at, STORED));
	else
		draft_op(d, (struct suite_op)READ(rows[row].width, at, 0));
	fault = device_fault(TEST_SCRATCH, write ? MM_W : MM_R);
	fault.page = true;
	draft_fault(d, fault);
	d->c.end = SUITE_DIES;
	return true;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const size_t widths = 4 * WAYS, unaligned = 16;

	(void)host;
	if (index < widths)
		return generate_width(index, d);
	if (index < widths + unaligned)
		return generate_unaligned(index - widths, d);
	return generate_form(index - widths - unaligned, d);
}

/* --- accesses that no device handles --- */

#define CODE (ARENA + PAGE)

/* Step 0 makes the code unreadable. */
static uint64_t make_execute_only(struct suite_run *run, uint64_t number)
{
	(void)number;
	return (uint64_t)(uint32_t)mm_aspace_protect(&run->vm->as,
	                                             mm_gpa_range(mm_gpa_at(CODE), PAGE), MM_X);
}

#define DEVICE(at, how)                                                                            \
	{                                                                                          \
		.gpa = (at), .access = (how), .outcome = MM_FAULT_IS_DEVICE                        \
	}
/* For an access in two parts, the implementation decides which part and which byte is reported. */
#define DEVICE_PAGE(at, how)                                                                       \
	{                                                                                          \
		.gpa = (at), .access = (how), .outcome = MM_FAULT_IS_DEVICE, .page = true          \
	}

static const struct suite_case cases[] = {
	{
		.name = "mmio.count",
		.script = SCRIPT(
			{OP(TOUCH, .addr = TEST_ID, .count = 100, .stride = 0), .value = ID_VALUE}),
		.faults = FAULTS({.gpa = TEST_ID,
                                  .access = MM_R,
                                  .outcome = MM_FAULT_IS_DEVICE,
                                  .count = 100}),
	},
	{
		.name = "mmio.stage1",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, GUEST_TEST_BASE, 0, ARENA),
                                 READ(4, VIRTUAL + 4, ID_VALUE >> 32),
                                 WRITE(2, VIRTUAL + GUEST_TEST_SCRATCH + 2, 0x1234),
                                 READ(8, VIRTUAL + GUEST_TEST_SCRATCH, 0x12340000)),
		.faults = FAULTS(DEVICE(TEST_ID + 4, MM_R), DEVICE(TEST_SCRATCH + 2, MM_W),
                                 DEVICE(TEST_SCRATCH, MM_R)),
	},
	{
		.name = "mmio.no-such-register.read",
		.script = SCRIPT(READ(4, GUEST_TEST_BASE + 0x800, 0)),
		.faults = FAULTS(DEVICE(GUEST_TEST_BASE + 0x800, MM_R)),
		.end = SUITE_DIES,
	},
	{
		.name = "mmio.behind-the-device",
		.script = SCRIPT(READ(4, TEST_END, 0)),
		.faults = FAULTS(FAULT(TEST_END, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "mmio.fetch",
		.script = SCRIPT(FETCH(TEST_ID)),
		.faults = FAULTS(DEVICE(TEST_ID, MM_X)),
		.end = SUITE_DIES,
		.kill = KILL_MMIO_UNDECODED,
	},
	{
		.name = "mmio.straddle.two-devices",
		.areas = AREAS(POPULATED(ARENA, 8 * PAGE, MM_RW)),
		.script = SCRIPT(MAP_PAGES(GUEST_TEST_BASE - PAGE), READ(8, VIRTUAL + PAGE - 4, 0)),
		.faults = FAULTS({.gpa = GUEST_UART_BASE,
                                  .access = MM_R,
                                  .outcome = MM_FAULT_IS_DEVICE,
                                  .page = true,
                                  .optional = true},
                                 {.gpa = GUEST_TEST_BASE,
                                  .access = MM_R,
                                  .outcome = MM_FAULT_IS_DEVICE,
                                  .page = true,
                                  .optional = true}),
		.end = SUITE_DIES,
		.kill = KILL_MMIO_UNDECODED,
	},
	{
		.name = "mmio.straddle.into-ram",
		.areas = AREAS(POPULATED(TEST_END, PAGE, MM_RW), POPULATED(ARENA, 8 * PAGE, MM_RW)),
		.script = SCRIPT(MAP_PAGES(GUEST_TEST_BASE), WRITE(8, VIRTUAL + PAGE - 4, STORED)),
		.faults = FAULTS(DEVICE_PAGE(TEST_END - 4, MM_W)),
		.end = SUITE_DIES,
		.kill = KILL_MMIO_UNDECODED,
	},
	{
		.name = "mmio.straddle.from-ram",
		.areas = AREAS(POPULATED(GUEST_UART_BASE - PAGE, PAGE, MM_RW),
                               POPULATED(ARENA, 8 * PAGE, MM_RW)),
		.script = SCRIPT(MAP_PAGES(GUEST_UART_BASE - PAGE), READ(8, VIRTUAL + PAGE - 4, 0)),
		.faults = FAULTS(DEVICE_PAGE(GUEST_UART_BASE, MM_R)),
		.end = SUITE_DIES,
		.kill = KILL_MMIO_UNDECODED,
	},
	{
		/* The whole access is in the second page. It is not the second part of an earlier
                 * access. */
		.name = "mmio.straddle.not-at-all",
		.areas = AREAS(POPULATED(GUEST_UART_BASE - PAGE, PAGE, MM_RW),
                               POPULATED(ARENA, 8 * PAGE, MM_RW)),
		.script = SCRIPT(MAP_PAGES(GUEST_UART_BASE), READ(8, VIRTUAL + PAGE, ID_VALUE),
                                 READ(1, VIRTUAL + PAGE, 0x11)),
		.faults = FAULTS(DEVICE(TEST_ID, MM_R), DEVICE(TEST_ID, MM_R)),
	},
	{
		/* For Device memory, Arm checks the alignment first (Arm ARM B2.5.2). */
		.name = "mmio.unaligned.device-memory",
		.arch = "aarch64",
		.rules = "arm.s2.attr.device",
		.areas = AREAS(POPULATED(ARENA, 8 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, GUEST_TEST_BASE, 0, TABLES),
                                 {OP(READ, .width = 4, .addr = VIRTUAL + 2),
                                  .trap = AGENT_ALIGNMENT, .addr = VIRTUAL + 2}),
	},
	{
		/* The instruction crosses a page boundary, with two bytes in each page. */
		.name = "mmio.code.straddles",
		.arch = "riscv64 x86_64",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RWX)),
		.script = SCRIPT(RUN_AT(AGENT_LOAD_PLAIN, CODE - 2, TEST_ID, (uint32_t)ID_VALUE)),
		.faults = FAULTS(MAPPED(CODE - 2, MM_W), MAPPED(CODE, MM_W), DEVICE(TEST_ID, MM_R)),
	},
	{
		.name = "mmio.code.short",
		.arch = "riscv64 x86_64",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RWX)),
		.script = SCRIPT(RUN_AT(AGENT_LOAD_SHORT, CODE - 2, TEST_ID, (uint32_t)ID_VALUE)),
		.faults = FAULTS(MAPPED(CODE - 2, MM_W), MAPPED(CODE, MM_W), DEVICE(TEST_ID, MM_R)),
	},
	{
		/* Executable but not readable: the decoder's fetch needs X only. */
		.name = "mmio.code.execute-only",
		.arch = "riscv64 x86_64",
		.needs = SUITE_NEEDS_XONLY,
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RWX)),
		.script = SCRIPT(
			RUN_AT(AGENT_LOAD_PLAIN, CODE, TEST_ID, (uint32_t)ID_VALUE), STEP(0),
			{OP(CALL_AT, .addr = CODE, .value = TEST_ID), .value = (uint32_t)ID_VALUE}),
		.faults = FAULTS(MAPPED(CODE, MM_W), DEVICE(TEST_ID, MM_R), DEVICE(TEST_ID, MM_R)),
		.step = make_execute_only,
	},
};

const struct suite_subject suite_mmio = {
	.name = "mmio",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "mmio.",
};
