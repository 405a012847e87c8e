/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faultline's own hypercalls: their effects and exact answers. suite/boundary.c tests the limits of
 * their arguments.
 */
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "mm/bits.h"
#include "suite/mailbox.h"
#include "suite/published.h"
#include "suite/run.h"
#include "suite/suite.h"

#define PATTERN UINT64_C(0xca11ca11ca11ca10)
#define NAME    "call.print.text"

static char text[4096];

static bool divert(struct suite_run *run)
{
	(void)run;
	log_divert(text, sizeof(text));
	return true;
}

static void undivert(struct suite_run *run)
{
	(void)run;
	log_divert(NULL, 0);
}

static bool logged(struct suite_run *run, const char *expected)
{
	log_divert(NULL, 0);
	if (strcmp(text, expected) == 0)
		return true;
	return suite_fail(run, "expected the log \"%.60s\", got \"%.60s\"", expected, text);
}

/* "ABCDEFGH", in the byte order of all three architectures. */
#define LETTERS UINT64_C(0x4847464544434241)

static bool printed(struct suite_run *run)
{
	return logged(run, "# guest vm=call.print.text: ABCDEFGH\n"
	                   "# guest vm=call.print.text: ABC\n"
	                   "# guest vm=call.print.text: \n"
	                   "# guest vm=call.print.text: HA\n"
	                   "# guest vm=call.print.text: ABCD\n");
}

/* 128 bytes are printed, and 129 are refused. */
static bool printed_128(struct suite_run *run)
{
	char expected[200] = "# guest vm=call.print.128: ";
	size_t n = strlen(expected);

	for (unsigned i = 0; i < 16; i++, n += 8)
		memcpy(expected + n, "ABCDEFGH", 8);
	expected[n] = '\n';
	expected[n + 1] = '\0';
	return logged(run, expected);
}

/* Every byte but the printable ones of ASCII is shown as '?'. */
static bool fill_all_bytes(struct suite_run *run)
{
	uint8_t bytes[256];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1); /* a zero would end the line */
	if (mm_aspace_write(&run->vm->as, mm_gpa_at(ARENA), bytes, sizeof(bytes)) != MM_OK)
		return false;
	return divert(run);
}

static bool printed_safely(struct suite_run *run)
{
	static char expected[600];
	size_t n = 0;

	for (unsigned line = 0; line < 2; line++) {
		static const char head[] = "# guest vm=call.print.bytes: ";

		memcpy(expected + n, head, sizeof(head) - 1);
		n += sizeof(head) - 1;
		for (unsigned i = 0; i < 128 && (line == 0 || i < 127); i++) {
			unsigned c = 128 * line + i + 1;

			expected[n++] = (char)(c >= 0x20 && c <= 0x7e ? c : '?');
		}
		expected[n++] = '\n';
	}
	expected[n] = '\0';
	return logged(run, expected);
}

/* Keys 0 to 15. The last value of a key is kept. */
static bool reported(struct suite_run *run)
{
	const struct vm *vm = run->vm;

	if (vm->reported != 0x802f)
		return suite_fail(run, "expected the keys 0x802f, got 0x%x",
		                  (unsigned)vm->reported);
	if (vm->reports[0] != 7 || vm->reports[1] != PATTERN + 1 || vm->reports[2] != 22 ||
	    vm->reports[3] != 9 || vm->reports[5] != UINT64_MAX || vm->reports[15] != 15)
		return suite_fail(run, "a value is not the one that the guest has reported");
	if (vm->reports[4] != 0 || vm->reports[14] != 0)
		return suite_fail(run, "a value that the guest has not reported");
	return true;
}

#define REPORT(key, value) CALL(GUEST_REPORT, key, value, GUEST_OK, 0)
#define REFUSE(call, a, b) CALL(call, a, b, GUEST_BAD_ARGUMENT, 0)
#define FAULTS_ARE(n)      CALL(GUEST_FAULTS, 0, 0, GUEST_OK, n)
#define CALL3(n, a, b, c, error)                                                                   \
	{                                                                                          \
		OP(CALL3, .count = (n), .addr = (a), .value = (b), .stride = (c)),                 \
			.value = (uint64_t)(error) << 32                                           \
	}

/* Step 0 notes machine_cycles(). Step 1: is it not less than before? The guest's value lies between
 * those of the steps, unless the machine has no counter. */
static uint64_t cycles_step(struct suite_run *run, uint64_t number)
{
	uint64_t now = machine_cycles();

	run->scratch[number] = now;
	return number == 1 && now < run->scratch[0];
}

static bool cycles_between(struct suite_run *run)
{
	const uint64_t *noted = run->scratch;
	uint32_t answer = (uint32_t)suite_read_mailbox(run->vm, 0)->results[1].value;
	uint64_t between = noted[1] - noted[0];

	if (noted[0] == 0 && noted[1] == 0)
		return true; /* no counter */
	if (between == 0)
		return suite_fail(run, "the counter stands still");
	/* The answer has 32 bits. */
	return between > UINT32_MAX || (uint32_t)(answer - (uint32_t)noted[0]) <= between ||
	       suite_fail(run, "0x%x is not between 0x%" PRIx64 " and 0x%" PRIx64, answer, noted[0],
	                  noted[1]);
}

/* The guest's range is that of the address space, exactly. */
static bool first_and_last_left(struct suite_run *run)
{
	struct mm_aspace_translation t;

	for (unsigned i = 0; i < 6; i++) {
		bool mapped =
			mm_aspace_translate(&run->vm->as, mm_gpa_at(ARENA + i * PAGE), &t) == MM_OK;

		if (mapped != (i < 1 || i > 3))
			return suite_fail(run, "page %u is %s", i,
			                  mapped ? "mapped" : "not mapped");
	}
	return true;
}

static bool two_protected(struct suite_run *run)
{
	struct mm_aspace_translation t;

	for (unsigned i = 0; i < 5; i++) {
		if (mm_aspace_translate(&run->vm->as, mm_gpa_at(ARENA + i * PAGE), &t) != MM_OK)
			return suite_fail(run, "page %u is not mapped", i);
		if (t.perm != (i == 1 || i == 2 ? MM_R : MM_RW))
			return suite_fail(run, "page %u has permissions %s", i,
			                  mm_perm_name(t.perm));
	}
	return true;
}

/*
 * GUEST_PROTECT of two pages from the argument on, read-only. Each other register that a call could
 * have arguments in has a small negative number.
 */
static const struct {
	const char *ops;
	uint32_t words[16];
	unsigned bytes;
} protect_code[] = {
	{"hext",
         {
		 0x084658b7, 0x44c8889b, /* li a7, GUEST_SBI_EXTENSION */
		 0x00400813,             /* li a6, GUEST_PROTECT */
		 0x000025b7,             /* lui a1, 2 */
		 0x00100613,             /* li a2, 1 */
		 0xfff00693,             /* li a3, -1 */
		 0xffe00713,             /* li a4, -2 */
		 0xffd00793,             /* li a5, -3 */
		 0xffc00293,             /* li t0, -4 */
		 0x00000073,             /* ecall */
		 0x00008067,             /* ret */
	 },
         44},
	{"el2",
         {
		 0xaa0003e1,             /* mov x1, x0 */
		 0x52800080, 0x72b8c000, /* mov w0, GUEST_SMCCC_BASE | GUEST_PROTECT */
		 0xd2840002,             /* mov x2, #0x2000 */
		 0xd2800023,             /* mov x3, #1 */
		 0x92800004,             /* mov x4, #-1 */
		 0x92800025,             /* mov x5, #-2 */
		 0x92800046,             /* mov x6, #-3 */
		 0x92800067,             /* mov x7, #-4 */
		 0xd4000002,             /* hvc #0 */
		 0xd65f03c0,             /* ret */
	 },
         44},
/* mov $GUEST_X86_BASE + GUEST_PROTECT, %eax; mov $0x2000, %esi; mov $1, %edx; mov $-1, %rcx; -2 in
 * r8, -3 in r9, -4 in r10, -5 in r11; vmcall or vmmcall; ret */
#define PROTECT_X86(call)                                                                          \
	{                                                                                          \
		0x4c0004b8, 0x2000be46, 0x01ba0000, 0x48000000, 0xffffc1c7, 0xc749ffff,            \
			0xfffffec0, 0xc1c749ff, 0xfffffffd, 0xfcc2c749, 0x49ffffff, 0xfffbc3c7,    \
			0x010fffff, 0xc300 | (call)                                                \
	}
	{"vmx", PROTECT_X86(0xc1U), 54},
	{"svm", PROTECT_X86(0xd9U), 54},
};

static bool put_protect(struct suite_run *run)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(protect_code); i++) {
		if (strcmp(protect_code[i].ops, run->vm->ops->name) == 0)
			return mm_aspace_write(&run->vm->as, mm_gpa_at(CODE), protect_code[i].words,
			                       protect_code[i].bytes) == MM_OK;
	}
	return false;
}

/* Step 0 is called by a VM with hooks. The argument and the result have 32 bits that count. */
static uint64_t double_it(struct suite_run *run, uint64_t number)
{
	(void)run;
	return 2 * number;
}

static const struct suite_case cases[] = {
	{
		.name = NAME,
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, LETTERS), WRITE(8, ARENA + 8, LETTERS),
                                 CALL(GUEST_PRINT, ARENA, 8, GUEST_OK, 0),
                                 CALL(GUEST_PRINT, ARENA, 3, GUEST_OK, 0),
                                 CALL(GUEST_PRINT, ARENA, 0, GUEST_OK, 0),
                                 CALL(GUEST_PRINT, ARENA + 7, 2, GUEST_OK, 0),
                                 WRITE(1, ARENA + 4, 0), CALL(GUEST_PRINT, ARENA, 8, GUEST_OK, 0)),
		.ready = divert,
		.verify = printed,
		.cleanup = undivert,
	},
	{
		.name = "call.print.128",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, LETTERS), WRITE(8, ARENA + 8, LETTERS),
                                 WRITE(8, ARENA + 16, LETTERS), WRITE(8, ARENA + 24, LETTERS),
                                 WRITE(8, ARENA + 32, LETTERS), WRITE(8, ARENA + 40, LETTERS),
                                 WRITE(8, ARENA + 48, LETTERS), WRITE(8, ARENA + 56, LETTERS),
                                 WRITE(8, ARENA + 64, LETTERS), WRITE(8, ARENA + 72, LETTERS),
                                 WRITE(8, ARENA + 80, LETTERS), WRITE(8, ARENA + 88, LETTERS),
                                 WRITE(8, ARENA + 96, LETTERS), WRITE(8, ARENA + 104, LETTERS),
                                 WRITE(8, ARENA + 112, LETTERS), WRITE(8, ARENA + 120, LETTERS),
                                 CALL(GUEST_PRINT, ARENA, 128, GUEST_OK, 0),
                                 REFUSE(GUEST_PRINT, ARENA, 129)),
		.ready = divert,
		.verify = printed_128,
		.cleanup = undivert,
	},
	{
		.name = "call.print.bytes",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(CALL(GUEST_PRINT, ARENA, 128, GUEST_OK, 0),
                                 CALL(GUEST_PRINT, ARENA + 128, 127, GUEST_OK, 0)),
		.ready = fill_all_bytes,
		.verify = printed_safely,
		.cleanup = undivert,
	},
	{
		.name = "call.report",
		.script = SCRIPT(REPORT(0, 0), REPORT(0, 7), REPORT(1, PATTERN + 1), REPORT(2, 11),
                                 REPORT(3, 9), REPORT(2, 22), REPORT(5, UINT64_MAX), REPORT(15, 15),
                                 REFUSE(GUEST_REPORT, 16, 1), REFUSE(GUEST_REPORT, GIB(4), 1),
                                 REFUSE(GUEST_REPORT, 32, 1)),
		.verify = reported,
	},
	{
		.name = "call.faults",
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(FAULTS_ARE(0), READ(8, ARENA, 0), FAULTS_ARE(1),
                                 TOUCH(ARENA, 8, PAGE), FAULTS_ARE(8),
                                 READ(8, GUEST_TEST_BASE + GUEST_TEST_SCRATCH, 0), FAULTS_ARE(9),
                                 WRITE(1, GUEST_UART_BASE + 1, 0), FAULTS_ARE(10),
                                 READ(8, ARENA, 0), FAULTS_ARE(10)),
		.uncounted = true,
	},
	{
		.name = "call.cycles",
		.script = SCRIPT(STEP(0), {OP(CALL, .addr = GUEST_CYCLES), .any_value = true},
                                 SPIN(100), STEP(1)),
		.step = cycles_step,
		.verify = cycles_between,
	},
	{
		.name = "call.unmap.exact",
		.areas = AREAS(POPULATED(ARENA, 6 * PAGE, MM_RW)),
		.script = SCRIPT(CALL(GUEST_UNMAP, ARENA + PAGE, 3 * PAGE, GUEST_OK, 0)),
		.verify = first_and_last_left,
	},
	{
		.name = "call.protect.exact",
		.areas = AREAS(POPULATED(ARENA, 5 * PAGE, MM_RW)),
		.script = SCRIPT(CALL3(GUEST_PROTECT, ARENA + PAGE, 2 * PAGE, MM_R, GUEST_OK)),
		.verify = two_protected,
	},
	{
		/* Each argument from its own register. */
		.name = "call.protect.registers",
		.areas = AREAS(POPULATED(ARENA, 5 * PAGE, MM_RW), PLACE),
		.script = SCRIPT(CALL_CODE(ARENA + PAGE, GUEST_OK)),
		.ready = put_protect,
		.verify = two_protected,
	},
	{
		.name = "call.protect.refused",
		.areas = AREAS(POPULATED(ARENA, 5 * PAGE, MM_RW)),
		.script = SCRIPT(
			CALL3(GUEST_PROTECT, ARENA, PAGE, MM_PERM_SETS, GUEST_BAD_ARGUMENT),
			CALL3(GUEST_PROTECT, ARENA, PAGE, GIB(4), GUEST_BAD_ARGUMENT),
			CALL3(GUEST_PROTECT, ARENA + 8, PAGE, MM_R, GUEST_BAD_ARGUMENT),
			CALL3(GUEST_PROTECT, ARENA + 5 * PAGE, PAGE, MM_R, GUEST_BAD_ADDRESS),
			CALL3(GUEST_PROTECT, GUEST_TEST_BASE, PAGE, MM_R, GUEST_BAD_ADDRESS),
			WRITE(8, ARENA, 1)),
	},
	{
		/* The lazy page takes the rest of the quota: a table and a frame. Splitting the
                 * 2 MiB leaf needs a table. */
		.name = "call.protect.quota",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RW, 1),
                               LAZY(ARENA + MIB2, PAGE, MM_RW)),
		.quota = 2,
		.script = SCRIPT(READ(8, ARENA + MIB2, 0),
                                 CALL3(GUEST_PROTECT, ARENA, PAGE, MM_R, GUEST_NO_MEMORY),
                                 WRITE(8, ARENA, 1)),
		.uncounted = true,
	},
	{
		.name = "call.step",
		.script = SCRIPT(STEP_ANSWERS(21, 42), STEP_ANSWERS(UINT64_C(0x7fff), 0xfffe),
                                 CALL(GUEST_STEP, 3, 9, GUEST_OK, 6)),
		.step = double_it,
	},
	{
		.name = "call.nop",
		.script = SCRIPT(CALL(GUEST_NOP, UINT64_MAX, UINT64_MAX, GUEST_OK, 0),
                                 {OP(CALL, .addr = GUEST_NOP, .count = 1000), .value = 0}),
	},
	{
		/* Each call that has no value answers 0 as its value. */
		.name = "call.no-value",
		.areas = AREAS(POPULATED(ARENA, 2 * PAGE, MM_RW)),
		.script = SCRIPT(CALL(GUEST_YIELD, 5, 6, GUEST_OK, 0),
                                 CALL(GUEST_UNMAP, ARENA, PAGE, GUEST_OK, 0),
                                 CALL(GUEST_TIMER, 0, 6, GUEST_OK, 0),
                                 CALL(GUEST_CALLS, 5, 6, GUEST_UNKNOWN_CALL, 0),
                                 CALL(GUEST_MOVE, 0, 0, GUEST_REFUSED, 0)),
	},
};

const struct suite_subject suite_call = {
	.name = "call",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
