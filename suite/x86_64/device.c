/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices that every VM has at I/O ports and MSRs: a UART and the registers of the test device
 * (kernel/uart.c, kernel/test_device.c). They are not the ones that suite/device.c tests, and share
 * no state with them.
 */
#include "guests/abi.h"
#include "kernel/devices.h"
#include "kernel/string.h"
#include "log.h"
#include "suite/x86_64/x86.h"

#define MSR(reg)        (GUEST_TEST_MSR + (reg) / 8)
#define ID              UINT64_C(0x8877665544332211)
#define NEG             UINT64_C(0xfffefdfcfbfaf9f8)
#define PATTERN         UINT64_C(0x8123456789abcdef)
#define LAST(at, width) ((uint64_t)(at) << 16 | (width))
#define NOPS_BEHIND(op) (UINT64_C(0x9090909090909000) | (op))
#define GP              13

/* IN and OUT by DX: the upper half of the operand. RAX is the lower half, or what is read. */
#define ON_PORT(at, value) ((uint64_t)(GUEST_UART_PORT + (at)) << 32 | (value))
#define OUT8(at, value)    EVENT(NOPS_BEHIND(0xee), AGENT_X86_MASKED, 0, ON_PORT(at, value), 0)
#define IN8(at, result)                                                                            \
	EVENT(NOPS_BEHIND(0xec), AGENT_X86_MASKED, 0, ON_PORT(at, 0), 0), AFTER(RAX, result)
#define IN32(at) EVENT(NOPS_BEHIND(0xed), AGENT_X86_MASKED, 0, ON_PORT(at, 0), 0)
/* RDMSR or WRMSR of an MSR that the guest does not have. */
#define NO_MSR(op, msr)                                                                            \
	EVENT(UINT64_C(0x909090909090000f) | (op) << 8, 0, msr, 0, AGENT_X86_GOT(GP, 1, 0, 0))
#define RDMSR_CODE UINT64_C(0x32)
#define WRMSR_CODE UINT64_C(0x30)

static char text[512];

static bool divert(struct suite_run *run)
{
	(void)run;
	log_divert(text, sizeof(text));
	return true;
}

/* What was written at the ports is not mixed into the line that was begun at the other UART. */
static void check_lines(struct suite_run *run)
{
	static char expected[512];

	log_divert(NULL, 0);
	format_string(expected, sizeof(expected), "# guest vm=%s: P\n# guest vm=%s: M\n",
	              run->c->name, run->c->name);
	if (strcmp(text, expected) != 0)
		suite_fail(run, "expected the log \"%s\", got \"%.70s\"", expected, text);
}

#define WITH_IDT(...)                                                                              \
	.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),                                             \
	.script = SCRIPT(COPY_IDT(ARENA), __VA_ARGS__), .uncounted = true

static const struct suite_case cases[] = {
	{
		.name = "device.port.uart",
		WITH_IDT(WRITE(1, GUEST_UART_BASE, 'M'), OUT8(0, 'P'), OUT8(0, '\n')),
		.ready = divert,
		.cleanup = check_lines,
	},
	{
		.name = "device.port.registers",
		WITH_IDT(IN8(0, 0), IN8(1, 0), IN8(4, 0), IN8(GUEST_UART_LSR, 0x60), IN8(6, 0),
                         IN8(7, 0), IN8(-1, 0xff), IN8(8, 0xff)),
	},
	{
		.name = "device.refused.port.4",
		WITH_IDT(IN32(0)),
		.end = SUITE_DIES,
		.kill = KILL_MMIO_REFUSED,
	},
	{
		/* It begins at the last port of the UART. */
		.name = "device.refused.port.behind-last",
		WITH_IDT(IN32(7)),
		.end = SUITE_DIES,
		.kill = KILL_MMIO_REFUSED,
	},
	{
		.name = "device.msr.registers",
		.script = SCRIPT(
			RDMSR(MSR(GUEST_TEST_ID), ID), RDMSR(MSR(GUEST_TEST_NEG), NEG),
			RDMSR(MSR(GUEST_TEST_SCRATCH), 0), WRMSR(MSR(GUEST_TEST_SCRATCH), PATTERN),
			RDMSR(MSR(GUEST_TEST_SCRATCH), PATTERN), RDMSR(MSR(GUEST_TEST_WRITES), 1),
			RDMSR(MSR(GUEST_TEST_LAST), LAST(GUEST_TEST_SCRATCH, 8)),
			WRMSR(MSR(GUEST_TEST_ID), PATTERN), RDMSR(MSR(GUEST_TEST_ID), ID),
			RDMSR(MSR(GUEST_TEST_WRITES), 2),
			READ(8, GUEST_TEST_BASE + GUEST_TEST_WRITES, 0)),
		.uncounted = true,
	},
	{
		.name = "device.msr.beside",
		WITH_IDT(NO_MSR(RDMSR_CODE, GUEST_TEST_MSR - 1),
                         NO_MSR(WRMSR_CODE, GUEST_TEST_MSR - 1),
                         NO_MSR(RDMSR_CODE, GUEST_TEST_MSR + TEST_REGISTERS),
                         NO_MSR(WRMSR_CODE, GUEST_TEST_MSR + TEST_REGISTERS)),
	},
};

const struct suite_subject suite_x86_device = {
	.name = "device",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
