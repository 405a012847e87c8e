/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the first line of the report on a killed guest says about an exit that is no ordinary fault:
 * a triple fault, an instruction that is not emulated, and an entry that the CPU refuses. And the
 * protocol of x86/shootdown.h, and how often the host's timer interrupts a guest.
 */
#include "cpu_work.h"
#include "kernel/string.h"
#include "machine.h"
#include "mm/npt/entry.h"
#include "suite/x86_64/x86.h"
#include "x86/shootdown.h"

#define CODE_PAGE (ARENA)
#define TARGET    (ARENA + 3 * PAGE + 0x70)
#define DEVICE    (GUEST_TEST_BASE + GUEST_TEST_SCRATCH)
#define TOO_WIDE  BIT(51)

struct row {
	const char *name;
	uint8_t code[24];
	uint8_t pc;      /* offset of the instruction that is killed */
	bool pc_unknown; /* on SVM: APM vol. 2, 15.14.3: the state after a shutdown is undefined */
	bool misconfigured; /* the entry of TARGET */
	uint64_t gpa;       /* the argument of the code, in RDI */
	bool names_gpa;
	const char *rest; /* of the line, up to the raw values */
	enum vm_kill kill;
};

static const struct row rows[] = {
	/* LIDT of a table without entries; UD2. The vector cannot be read, nor can #GP's and #DF's.
         */
	{"triple-fault",
         {0x0f, 0x01, 0x1d, 0x02, 0, 0, 0, 0x0f, 0x0b},
         .pc = 7,
         .pc_unknown = true,
         .rest = "access=--- reason=shutdown exit=shutdown",
         .kill = KILL_SHUTDOWN},
	/* MOVNTI [RDI], ESI: not one of the instructions that decode/x86_64.h lists. */
	{"undecodable",
         {0x0f, 0xc3, 0x37, 0xc3},
         .gpa = DEVICE,
         .names_gpa = true,
         .rest = "access=-w- reason=mmio-undecoded exit=nested-fault",
         .kill = KILL_MMIO_UNDECODED},
	/* NOP; MOV EAX, [RDI] */
	{"misconfigured",
         {0x90, 0x8b, 0x07, 0xc3},
         .pc = 1,
         .misconfigured = true,
         .gpa = TARGET,
         .names_gpa = true,
         .rest = "access=r-- reason=misconfigured-entry exit=misconfig",
         .kill = KILL_MISCONFIG},
	/* The same, to memory that is not there. */
	{"non-temporal",
         {0x0f, 0xc3, 0x37, 0xc3},
         .gpa = ARENA + 8 * PAGE,
         .names_gpa = true,
         .rest = "access=-w- reason=not-mapped exit=nested-fault",
         .kill = KILL_NOT_MAPPED},
	/* LOCK XADD [RDI], SIL of a page that the guest may only read: a write. */
	{"read-only",
         {0xf0, 0x40, 0x0f, 0xc0, 0x37, 0xc3},
         .gpa = ARENA + 4 * PAGE + 1,
         .names_gpa = true,
         .rest = "access=-w- reason=permission exit=nested-fault",
         .kill = KILL_PERMISSION},
};

static char text[4096];
static uint64_t *entry, original;

static uint64_t *entry_of(const struct mm_npt *npt, mm_gpa_t gpa)
{
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	size_t count = mm_npt_steps(npt, gpa, steps);
	uint64_t *table = mm_hal_to_virt(&npt->hal, npt->root);

	for (size_t i = 0; i + 1 < count; i++)
		table = mm_hal_to_virt(&npt->hal, mm_npt_decode_pa(npt->format, steps[i].entry));
	return count != 0 ? &table[steps[count - 1].index] : NULL;
}

static bool ready(struct suite_run *run)
{
	const struct row *r = run->c->data;

	if (mm_aspace_write(&run->vm->as, mm_gpa_at(CODE_PAGE), r->code, sizeof(r->code)) != MM_OK)
		return suite_fail(run, "the code cannot be written");
	entry = r->misconfigured ? entry_of(&run->vm->as.npt, mm_gpa_at(TARGET)) : NULL;
	if (entry != NULL) {
		original = *entry;
		*entry |= TOO_WIDE;
	}
	log_divert(text, sizeof(text));
	return true;
}

/* From `at` on, the text begins with `start`. */
static bool begins(const char *at, const char *start)
{
	return strlen(at) >= strlen(start) && memcmp(at, start, strlen(start)) == 0;
}

static const char *find(const char *in, const char *what)
{
	for (; *in != '\0'; in++) {
		if (begins(in, what))
			return in;
	}
	return NULL;
}

static bool line_is_right(struct suite_run *run)
{
	const struct row *r = run->c->data;
	bool any_pc = r->pc_unknown && x86_is_svm(run->host);
	char head[96], rest[160];
	const char *line;

	log_divert(NULL, 0);
	if (entry != NULL)
		*entry = original;
	format_string(head, sizeof(head), "# kill vm=%s vcpu=0 pc=0x%" PRIx64 " ", run->c->name,
	              CODE_PAGE + r->pc);
	format_string(rest, sizeof(rest), " gpa=0x%" PRIx64 " %s raw=", r->names_gpa ? r->gpa : 0,
	              r->rest);
	line = find(text, any_pc ? "# kill " : head);
	if (line == NULL || find(line, rest) == NULL)
		return suite_fail(run, "expected \"%s%s\", got \"%.200s\"", head, rest, text);
	return true;
}

static void cleanup(struct suite_run *run)
{
	(void)run;
	log_divert(NULL, 0);
}

static void make_kill(struct suite_draft *d, const struct row *r)
{
	draft_name(d, "kill.%s", r->name);
	draft_area(d, (struct suite_area)POPULATED_LEAF(ARENA, 4 * PAGE, MM_RWX, 0));
	draft_area(d, (struct suite_area)POPULATED_LEAF(ARENA + 4 * PAGE, PAGE, MM_R, 0));
	draft_op(d, (struct suite_op){OP(CALL_AT, .addr = CODE_PAGE, .value = r->gpa)});
	d->c.data = r;
	d->c.uncounted = true;
	d->c.end = SUITE_DIES;
	d->c.kill = r->kill;
	d->c.ready = ready;
	d->c.verify = line_is_right;
	d->c.cleanup = cleanup;
}

/* --- the protocol of a shootdown --- */

#define ROOT_A UINT64_C(0x7000)
#define ROOT_B UINT64_C(0x8000)

/* What the entry on another CPU invalidates after these requests. */
static const struct requests {
	const char *name;
	uint64_t roots[3];
	uint64_t expected;
} requests[] = {
	{"none", {0, 0, 0}, 0},
	{"one", {ROOT_A, 0, 0}, ROOT_A},
	{"same", {ROOT_B, ROOT_B, 0}, ROOT_B},
	{"two", {ROOT_A, ROOT_B, 0}, SHOOTDOWN_ALL},
	{"back", {ROOT_A, ROOT_B, ROOT_A}, SHOOTDOWN_ALL},
};

static uint64_t entered[2];

static void enter_twice(void *arg)
{
	struct shootdown_cpu *self = shootdown_this_cpu();

	(void)arg;
	for (unsigned i = 0; i < 2; i++) {
		entered[i] = shootdown_enter(self, ROOT_A);
		shootdown_leave(self);
	}
}

static void on_cpu(unsigned cpu)
{
	if (cpu == machine_cpu_index()) {
		enter_twice(NULL);
		return;
	}
	cpu_work_give(cpu, enter_twice, NULL);
	cpu_work_wait(cpu);
}

/* CPU 0 requests. Every other CPU invalidates once, and CPU 0 does not. At the end each CPU is told
 * to invalidate everything, because these requests may have replaced a real one. */
static void protocol(struct suite_run *run, const void *data)
{
	const struct requests *r = data;
	unsigned cpus = machine_cpu_count();

	for (unsigned cpu = 0; cpu < cpus; cpu++)
		on_cpu(cpu);
	for (unsigned i = 0; i < MM_ARRAY_SIZE(r->roots) && r->roots[i] != 0; i++) {
		shootdown_begin(r->roots[i]);
		shootdown_end(r->roots[i]);
	}
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		uint64_t expected = cpu == machine_cpu_index() ? 0 : r->expected;

		on_cpu(cpu);
		if (entered[0] != expected || entered[1] != 0)
			suite_fail(run,
			           "CPU %u: expected 0x%" PRIx64 ", got 0x%" PRIx64
			           ", then 0x%" PRIx64,
			           cpu, expected, entered[0], entered[1]);
	}
	shootdown_begin(SHOOTDOWN_ALL);
	shootdown_end(SHOOTDOWN_ALL);
}

/* --- the host's timer --- */

/* Interrupts before the deadline: a clock that is a little fast has a few. */
#define EARLY_MOST 4U

static void count_interrupts(struct suite_run *run, const struct vm_exit *exit)
{
	if (exit->kind == VM_EXIT_INTERRUPT)
		run->scratch[0]++;
}

static bool few_interrupts(struct suite_run *run)
{
	return run->scratch[0] <= EARLY_MOST ||
	       suite_fail(run, "%" PRIu64 " interrupts before the deadline", run->scratch[0]);
}

static void make_timer(struct suite_draft *d)
{
	draft_name(d, "timer.x86.exits");
	draft_area(d, (struct suite_area)POPULATED(ARENA, PAGE, MM_RW));
	draft_op(d, (struct suite_op)COPY_IDT(ARENA));
	draft_op(d, (struct suite_op)IRQ_MASK(1));
	draft_op(d, (struct suite_op)TIMER(100000));
	/* JMP to itself, without an exit of its own. */
	draft_op(d, (struct suite_op)EVENT(UINT64_C(0x909090909090feeb), 0, 0, 0,
	                                   AGENT_X86_GOT(0x20, 1, 0, 0)));
	draft_op(d, (struct suite_op)TIMER(0));
	d->c.uncounted = true;
	d->c.seen = count_interrupts;
	d->c.verify = few_interrupts;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	if (index < MM_ARRAY_SIZE(rows)) {
		make_kill(d, &rows[index]);
		return true;
	}
	index -= MM_ARRAY_SIZE(rows);
	if (index < MM_ARRAY_SIZE(requests)) {
		draft_name(d, "flush.x86.%s", requests[index].name);
		d->c.run = protocol;
		d->c.data = &requests[index];
		d->c.cpus = 2;
		return true;
	}
	if (index == MM_ARRAY_SIZE(requests))
		make_timer(d);
	return index == MM_ARRAY_SIZE(requests);
}

const struct suite_subject suite_x86_kills = {
	.name = "kill",
	.generate = generate,
	.generated = "",
};
