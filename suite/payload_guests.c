/* SPDX-License-Identifier: BSD-2-Clause */
/* Payloads that behave correctly: they run to their end and report the expected values. */
#include "kernel/string.h"
#include "suite/payload.h"

static void hello(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("hello", "hello", VM_LAZY, MIB(1));
	struct session *s;

	(void)data;
	config.ram_bytes = MIB(2);
	config.seed = run->seed;
	s = payload_run(run, &config);
	if (s == NULL)
		return;
	expect_exit(run, s);
	expect_faults(run, s, 0);
	EXPECT_EQ(run, s->vm.reports[0], 1);
	EXPECT_EQ(run, s->vm.reports[1], MIB(2));
	EXPECT_EQ(run, s->vm.reports[2], config.seed);
}

/* The guest's tables and the mapped pages are lazy. The payload writes its tables before it enables
 * them, so each table is one fault. Each page is one more fault. */
static void stage1(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("stage1", "stage1", VM_LAZY, MIB(64));
	struct session *s;
	uint64_t table_pages;

	(void)data;
	config.args[1] = 3 * MM_PAGE_SIZE;
	config.args[2] = 256;
	config.args[3] = MIB(32);
	s = payload_begin(run, &config, true);
	if (s == NULL)
		return;
	session_run(s);
	payload_end(run, s);

	table_pages = s->vm.reports[2] / MM_PAGE_SIZE;
	expect_exit(run, s);
	EXPECT_EQ(run, s->vm.reports[1], 0);
	EXPECT(run, table_pages != 0);
	EXPECT_EQ(run, s->vm.reports[3], table_pages);
	EXPECT_EQ(run, s->vm.reports[4], 256);
	expect_faults(run, s, table_pages + 256);
}

static void mmio(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("mmio", "mmio", VM_LAZY, MIB(1));
	struct session *s = payload_run(run, &config);
	const struct uart *uart;
	const struct test_device *test;

	(void)data;
	if (s == NULL)
		return;
	expect_exit(run, s);
	EXPECT_EQ(run, s->vm.reports[1], 0);
	uart = MM_CONTAINER_OF(vm_device(&s->vm, &uart_class), struct uart, device);
	test = MM_CONTAINER_OF(vm_device(&s->vm, &test_class), struct test_device, device);
	EXPECT_EQ(run, uart->bytes, strlen("through the UART, a byte at a time\n"));
	EXPECT_EQ(run, test->registers[GUEST_TEST_WRITES / 8], 15);
	EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_MAPPED], 0);
	EXPECT(run, s->vm.stats.faults[MM_FAULT_IS_DEVICE] >= s->vm.reports[0]);
}

static void calls(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("calls", "calls", VM_LAZY, MIB(1));
	struct session *s = payload_run(run, &config);

	(void)data;
	if (s == NULL)
		return;
	expect_exit(run, s);
	EXPECT_EQ(run, s->vm.reports[0], 18);
	EXPECT_EQ(run, s->vm.reports[1], 0);
}

static const struct suite_case cases[] = {
	{.name = "guest.hello",
         .rules = "arm.s2.stage1-off ept.paging-off vmx.unrestricted npt.paging-off",
         .run = hello},
	{.name = "guest.stage1", .run = stage1},
	{.name = "guest.mmio", .run = mmio},
	{.name = "guest.bad-calls", .run = calls},
};

const struct suite_subject suite_payload_guests = {
	.name = "payload_guests",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
