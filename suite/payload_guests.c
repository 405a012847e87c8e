/* Payloads that behave: they run to their end, and say what they were to say. */
#include "kernel/string.h"
#include "suite/scenario.h"
#include "suite/tests.h"

static void hello(struct test *t, const void *data)
{
	struct vm_config config = scenario_config("hello", "hello", VM_LAZY, MIB(1));
	struct scenario *s;

	(void)data;
	config.ram_bytes = MIB(2);
	config.seed = t->options->seed;
	s = scenario_do(t, &config);
	if (s == NULL)
		return;
	expect_exit(t, s);
	expect_faults(t, s, 0);
	EXPECT_EQ(t, s->vm.reports[0], 1);
	EXPECT_EQ(t, s->vm.reports[1], MIB(2));
	EXPECT_EQ(t, s->vm.reports[2], config.seed);
}

/* Both the guest's tables and the pages behind them come lazily: the payload writes its tables
 * before it turns them on, so each is one fault, and each page is one more. */
static void stage1(struct test *t, const void *data)
{
	struct vm_config config = scenario_config("stage1", "stage1", VM_LAZY, MIB(64));
	struct scenario *s;
	uint64_t table_pages;

	(void)data;
	config.args[1] = 3 * MM_PAGE_SIZE;
	config.args[2] = 256;
	config.args[3] = MIB(32);
	s = scenario_begin(t, &config, true);
	if (s == NULL)
		return;
	scenario_run(s);
	scenario_end(t, s);

	table_pages = s->vm.reports[2] / MM_PAGE_SIZE;
	expect_exit(t, s);
	EXPECT_EQ(t, s->vm.reports[1], 0);
	EXPECT(t, table_pages != 0);
	EXPECT_EQ(t, s->vm.reports[3], table_pages);
	EXPECT_EQ(t, s->vm.reports[4], 256);
	expect_faults(t, s, table_pages + 256);
}

static void mmio(struct test *t, const void *data)
{
	struct vm_config config = scenario_config("mmio", "mmio", VM_LAZY, MIB(1));
	struct scenario *s = scenario_do(t, &config);

	(void)data;
	if (s == NULL)
		return;
	expect_exit(t, s);
	EXPECT_EQ(t, s->vm.reports[1], 0);
	EXPECT_EQ(t, s->vm.uart.bytes, strlen("through the UART, a byte at a time\n"));
	EXPECT_EQ(t, s->vm.test.registers[GUEST_TEST_WRITES / 8], 15);
	EXPECT_EQ(t, s->vm.stats.faults[MM_FAULT_MAPPED], 0);
	EXPECT(t, s->vm.stats.faults[MM_FAULT_IS_DEVICE] >= s->vm.reports[0]);
}

static void calls(struct test *t, const void *data)
{
	struct vm_config config = scenario_config("calls", "calls", VM_LAZY, MIB(1));
	struct scenario *s = scenario_do(t, &config);

	(void)data;
	if (s == NULL)
		return;
	expect_exit(t, s);
	EXPECT_EQ(t, s->vm.reports[0], 18);
	EXPECT_EQ(t, s->vm.reports[1], 0);
}

static const struct test_case cases[] = {
	{"guest.hello", hello, NULL},
	{"guest.stage1", stage1, NULL},
	{"guest.mmio", mmio, NULL},
	{"guest.bad-calls", calls, NULL},
};

const struct test_suite tests_guests = {.cases = cases, .count = MM_ARRAY_SIZE(cases)};
