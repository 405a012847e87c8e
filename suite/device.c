/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two emulated devices at every offset and width: what they answer, what they refuse, and what
 * the UART logs. The widths 1, 2, 4 and 8 are made by loops over the registers.
 */
#include "kernel/devices.h"
#include "kernel/string.h"
#include "log.h"
#include "suite/run.h"
#include "suite/suite.h"

#define TEST(offset) (GUEST_TEST_BASE + (offset))
#define UART(offset) (GUEST_UART_BASE + (offset))
#define ID           UINT64_C(0x8877665544332211)
#define NEG          UINT64_C(0xfffefdfcfbfaf9f8)
#define PATTERN      UINT64_C(0x1122334455667788)
#define TEST_BYTES   (8 * TEST_REGISTERS)
#define LAST(at, n)  ((uint64_t)(at) << 16 | (n))

static char text[4096];

/* --- generated: each width at each offset, aligned and not --- */

enum what {
	READ_ID,       /* all naturally aligned parts of the constant registers */
	WRITE_SCRATCH, /* the same of the scratch register: the other bytes stay */
	WRITE_CONST,   /* writes to constant registers are counted, and change nothing */
	WHATS,
};

static const char *const whats[WHATS] = {"read", "write", "write-constant"};
static const uint8_t widths[] = {1, 2, 4, 8};

static uint64_t part(uint64_t whole, unsigned shift, unsigned width)
{
	return whole >> shift & (~UINT64_C(0) >> (64 - 8 * width));
}

static void add_reads(struct suite_draft *d, uint8_t width)
{
	for (unsigned at = 0; at < 8; at += width) {
		draft_op(d, (struct suite_op)READ(width, TEST(GUEST_TEST_ID + at),
		                                  part(ID, 8 * at, width)));
		draft_op(d, (struct suite_op)READ(width, TEST(GUEST_TEST_NEG + at),
		                                  part(NEG, 8 * at, width)));
		draft_op(d, (struct suite_op)READ(width, TEST(GUEST_TEST_SCRATCH + at), 0));
	}
	draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_WRITES), 0));
	draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_LAST), 0));
}

static void add_writes(struct suite_draft *d, uint8_t width)
{
	uint64_t now = 0;
	unsigned writes = 0;

	for (unsigned at = 0; at < 8; at += width) {
		uint64_t mask = part(UINT64_MAX, 0, width) << (8 * at);

		now = (now & ~mask) | (PATTERN & mask);
		draft_op(d, (struct suite_op)WRITE(width, TEST(GUEST_TEST_SCRATCH + at),
		                                   PATTERN >> (8 * at)));
		writes++;
		draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_SCRATCH), now));
		draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_LAST),
		                                  LAST(GUEST_TEST_SCRATCH + at, width)));
	}
	draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_WRITES), writes));
}

static void add_constant_writes(struct suite_draft *d, uint8_t width)
{
	static const unsigned at[] = {GUEST_TEST_ID,   GUEST_TEST_NEG, GUEST_TEST_WRITES,
	                              GUEST_TEST_LAST, TEST_BYTES,     MM_PAGE_SIZE - 8};

	for (unsigned i = 0; i < MM_ARRAY_SIZE(at); i++) {
		draft_op(d, (struct suite_op)WRITE(width, TEST(at[i]), PATTERN));
		draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_LAST), LAST(at[i], width)));
	}
	draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_ID), ID));
	draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_NEG), NEG));
	draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_SCRATCH), 0));
	draft_op(d, (struct suite_op)READ(8, TEST(GUEST_TEST_WRITES), MM_ARRAY_SIZE(at)));
}

/* The accesses that a device refuses: the VM is killed. */
static const struct refused {
	const char *name;
	uint64_t at;
	uint8_t width;
	bool write;
} refusals[] = {
	{"test.read.behind-last", TEST(TEST_BYTES), 8, false},
	{"test.read.behind-last.1", TEST(TEST_BYTES), 1, false},
	{"test.read.end", TEST(MM_PAGE_SIZE - 8), 8, false},
	{"uart.read.2", UART(GUEST_UART_DATA), 2, false},
	{"uart.read.4", UART(GUEST_UART_DATA), 4, false},
	{"uart.read.8", UART(GUEST_UART_DATA), 8, false},
	{"uart.write.2", UART(GUEST_UART_DATA), 2, true},
	{"uart.write.4", UART(GUEST_UART_DATA), 4, true},
	{"uart.write.8", UART(GUEST_UART_DATA), 8, true},
};

static bool generate_refusal(size_t index, struct suite_draft *d)
{
	const struct refused *r = &refusals[index];

	draft_name(d, "device.refused.%s", r->name);
	if (r->write)
		draft_op(d, (struct suite_op)WRITE(r->width, r->at, 0x41));
	else
		draft_op(d, (struct suite_op)READ(r->width, r->at, 0));
	draft_fault(d,
	            (struct suite_fault)FAULT(r->at, r->write ? MM_W : MM_R, MM_FAULT_IS_DEVICE));
	d->c.end = SUITE_DIES;
	return true;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	size_t good = WHATS * MM_ARRAY_SIZE(widths);
	uint8_t width = widths[index / WHATS % MM_ARRAY_SIZE(widths)];
	enum what what = (enum what)(index % WHATS);

	(void)host;
	if (index >= good + MM_ARRAY_SIZE(refusals))
		return false;
	if (index >= good)
		return generate_refusal(index - good, d);
	draft_name(d, "device.test.%s.%u", whats[what], width);
	if (what == READ_ID)
		add_reads(d, width);
	else if (what == WRITE_SCRATCH)
		add_writes(d, width);
	else
		add_constant_writes(d, width);
	d->c.uncounted = true;
	return true;
}

/* --- the UART --- */

static bool divert(struct suite_run *run)
{
	(void)run;
	log_divert(text, sizeof(text));
	return true;
}

/* The last line has no newline: it is logged when the VM is destroyed. */
static void check_lines(struct suite_run *run)
{
	static char expected[512];

	log_divert(NULL, 0);
	format_string(expected, sizeof(expected),
	              "# guest vm=%s: AB\n# guest vm=%s: \n# guest vm=%s: C\n", run->c->name,
	              run->c->name, run->c->name);
	if (strcmp(text, expected) != 0)
		suite_fail(run, "expected the log \"%s\", got \"%.70s\"", expected, text);
}

/* Of 250 characters, the first 120 are a line, then the next 120. */
static void check_long_line(struct suite_run *run)
{
	static char expected[512];
	size_t n = 0;

	log_divert(NULL, 0);
	for (unsigned left = 250; left != 0;) {
		unsigned here = left < UART_LINE ? left : UART_LINE;

		n += (size_t)format_string(expected + n, sizeof(expected) - n,
		                           "# guest vm=%s: ", run->c->name);
		memset(expected + n, 'x', here);
		n += here;
		expected[n++] = '\n';
		left -= here;
	}
	expected[n] = '\0';
	if (strcmp(text, expected) != 0)
		suite_fail(run, "expected \"%.80s\", got \"%.80s\"", expected, text);
}

/* As 250 stores of the guest would do. */
static uint64_t write_250(struct suite_run *run, uint64_t number)
{
	(void)number;
	for (unsigned i = 0; i < 250; i++) {
		if (mm_device_bus_write_mmio(&run->vm->bus, mm_gpa_at(GUEST_UART_BASE), MM_WIDTH_1,
		                             'x') != MM_OK)
			return 1;
	}
	return 0;
}

static bool counted_bytes(struct suite_run *run)
{
	const struct uart *uart = (const struct uart *)vm_device(run->vm, &uart_class);

	if (uart->bytes == 5)
		return true;
	return suite_fail(run, "expected 5 bytes, got %" PRIu64, uart->bytes);
}

static const struct suite_case cases[] = {
	{
		.name = "device.uart.lines",
		.script = SCRIPT(WRITE(1, UART(0), 'A'), WRITE(1, UART(0), 'B'),
                                 WRITE(1, UART(1), 'x'), WRITE(1, UART(5), 'y'),
                                 WRITE(1, UART(0), '\n'), WRITE(1, UART(4095), 'z'),
                                 WRITE(1, UART(0), '\n'), WRITE(1, UART(0), 'C')),
		.uncounted = true,
		.ready = divert,
		.verify = counted_bytes,
		.cleanup = check_lines,
	},
	{
		.name = "device.uart.long-line",
		.script = SCRIPT(STEP(0)),
		.step = write_250,
		.uncounted = true,
		.ready = divert,
		.cleanup = check_long_line,
	},
	{
		.name = "device.uart.registers",
		.script = SCRIPT(READ(1, UART(0), 0), READ(1, UART(1), 0), READ(1, UART(2), 0),
                                 READ(1, UART(3), 0), READ(1, UART(4), 0), READ(1, UART(5), 0x60),
                                 READ(1, UART(6), 0), READ(1, UART(7), 0), READ(1, UART(13), 0),
                                 READ(1, UART(4095), 0)),
		.uncounted = true,
	},
	{
		/* Each VM has devices of its own, in their first state. */
		.name = "device.own",
		.script = SCRIPT(READ(8, TEST(GUEST_TEST_WRITES), 0),
                                 WRITE(8, TEST(GUEST_TEST_SCRATCH), PATTERN),
                                 CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0),
                                 READ(8, TEST(GUEST_TEST_WRITES), 1),
                                 READ(8, TEST(GUEST_TEST_SCRATCH), PATTERN)),
		.beside = {SCRIPT(
			WRITE(4, TEST(GUEST_TEST_SCRATCH), 3),
			WRITE(4, TEST(GUEST_TEST_SCRATCH), 4), CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0),
			READ(8, TEST(GUEST_TEST_WRITES), 2), READ(8, TEST(GUEST_TEST_SCRATCH), 4))},
		.uncounted = true,
		.share_cpu = true,
	},
};

const struct suite_subject suite_device = {
	.name = "device",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "device.",
};
