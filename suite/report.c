/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report on a killed guest, read back and compared: what happened, to which vCPU, at which PC
 * and GPA, every register by name and value, and each step of the walk. The guest runs
 * suite/known.h and is killed at a store, or in a loop, with known values in all registers.
 */
#include "kernel/run.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "suite/known.h"
#include "suite/run.h"
#include "suite/suite.h"

#define CODE     ARENA
#define UNMAPPED (ARENA + GIB(2) + 0x123458)
#define READABLE (ARENA + 16 * PAGE)
#define FREE     (ARENA + 32 * PAGE) /* lazy */
#define AT_STORE 0
#define AT_LOOP  1

static char text[8192], expected[4096];
static size_t length;

/* Appends to expected[]. */
static void expect(const char *format, ...) MM_PRINTF_LIKE(1, 2);
static void expect(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	length +=
		(size_t)format_string_v(expected + length, sizeof(expected) - length, format, args);
	va_end(args);
	ASSERT(length < sizeof(expected));
}

static bool ready(struct suite_run *run)
{
	size_t bytes = (size_t)(suite_known.end - suite_known.start);

	if (mm_aspace_write(&run->vm->as, mm_gpa_at(CODE), suite_known.start, bytes) != MM_OK)
		return suite_fail(run, "the code cannot be written");
	log_divert(text, sizeof(text));
	return true;
}

/* The machine has no frame for this VM any more. */
static bool ready_without_memory(struct suite_run *run)
{
	run->vm->frames.limit = run->vm->frames.taken;
	return ready(run);
}

static void cleanup(struct suite_run *run)
{
	(void)run;
	log_divert(NULL, 0);
}

/* The line that begins at `at`, without its end; *next: the one after it. */
static bool next_line(const char **next, const char **line, size_t *bytes)
{
	*line = *next;
	if (**line == '\0')
		return false;
	for (*bytes = 0; (*line)[*bytes] != '\n' && (*line)[*bytes] != '\0'; ++*bytes)
		continue;
	*next = *line + *bytes + ((*line)[*bytes] == '\n');
	return true;
}

static bool begins(const char *line, size_t bytes, const char *start)
{
	return bytes >= strlen(start) && memcmp(line, start, strlen(start)) == 0;
}

/* Copies the rest of each line that begins with `start`, one after the other. */
static size_t collect(const char *start, char *out, size_t size)
{
	const char *next = text, *line;
	size_t bytes, n = 0;

	while (next_line(&next, &line, &bytes)) {
		size_t head = strlen(start);

		if (!begins(line, bytes, start) || n + bytes - head >= size)
			continue;
		memcpy(out + n, line + head, bytes - head);
		n += bytes - head;
	}
	out[n] = '\0';
	return n;
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (; strlen(words) >= n; words++) {
		if (memcmp(words, word, n) == 0 && (words[n] == ' ' || words[n] == '\0'))
			return true;
	}
	return false;
}

static uint64_t expected_pc(unsigned where)
{
	const uint8_t *at = where == AT_LOOP ? suite_known.loop : suite_known.store;

	return CODE + (uint64_t)(at - suite_known.start);
}

static bool headline_is_right(struct suite_run *run)
{
	const struct vm *vm = run->vm;
	bool loops = vm->reason == KILL_BUDGET || vm->reason == KILL_HANG;
	static char line[256];

	length = 0;
	expect("vm=%s vcpu=0 pc=0x%" PRIx64 " gpa=0x%" PRIx64 " access=%s reason=%s exit=%s raw=",
	       run->c->name, expected_pc(loops ? AT_LOOP : AT_STORE),
	       loops ? 0 : run->c->script[run->scratch[0]].op.value,
	       loops ? "---" : mm_perm_name(MM_W), vm_kill_name(run->c->kill),
	       loops ? "deadline" : "nested-fault");
	collect("# kill ", line, sizeof(line));
	if (!begins(line, strlen(line), expected))
		return suite_fail(run, "expected \"%s\", got \"%.90s\"", expected, line);
	return true;
}

/* All registers of the vCPU in order, and those that the code has set. */
static bool registers_are_right(struct suite_run *run)
{
	const struct vm_vcpu *v = &run->vm->vcpus[0];
	struct vcpu_register all[VCPU_REGISTERS];
	size_t count = run->vm->ops->registers(&v->vcpu, all);
	static char line[4096], word[64];

	length = 0;
	for (size_t i = 0; i < count; i++)
		expect(" %s=%" PRIx64, all[i].name, all[i].value);
	collect("# registers", line, sizeof(line));
	if (strcmp(line, expected) != 0)
		return suite_fail(run, "registers: expected \"%.70s\", got \"%.70s\"", expected,
		                  line);
	for (size_t i = 0; i < suite_known.count; i++) {
		format_string(word, sizeof(word), " %s=%" PRIx64, suite_known.registers[i].name,
		              suite_known.registers[i].value);
		if (!has_word(line, word))
			return suite_fail(run, "not in the report:%s", word);
	}
	format_string(word, sizeof(word), " %s=%" PRIx64, suite_known.argument,
	              run->c->script[run->scratch[0]].op.value);
	return has_word(line, word) || suite_fail(run, "not in the report:%s", word);
}

static bool walk_is_right(struct suite_run *run)
{
	struct vm *vm = run->vm;
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	size_t count = mm_aspace_steps(&vm->as, vm->kill_gpa, steps);
	static char line[512];

	length = 0;
	expected[0] = '\0';
	if (vm->reason != KILL_BUDGET && vm->reason != KILL_HANG) {
		expect(" gpa=0x%" PRIx64, vm->kill_gpa.raw);
		for (size_t i = 0; i < count; i++)
			expect(" %u[%u]=0x%" PRIx64, steps[i].level, steps[i].index,
			       steps[i].entry);
		if (count == 0)
			expect(" beyond the tables");
	}
	collect("# walk", line, sizeof(line));
	if (strcmp(line, expected) != 0)
		return suite_fail(run, "walk: expected \"%s\", got \"%.90s\"", expected, line);
	return true;
}

/* scratch[0]: the operation that is killed. */
static bool report_is_right(struct suite_run *run)
{
	log_divert(NULL, 0);
	while (run->c->script[run->scratch[0] + 1].op.code != AGENT_END)
		run->scratch[0]++;
	return headline_is_right(run) && registers_are_right(run) && walk_is_right(run);
}

#define RUN_KNOWN(at)                                                                              \
	{                                                                                          \
		OP(CALL_AT, .addr = CODE, .value = (at))                                           \
	}
#define KNOWN_AREAS                                                                                \
	AREAS(POPULATED(CODE, PAGE, MM_RWX), POPULATED(READABLE, PAGE, MM_R),                      \
	      LAZY(FREE, 16 * PAGE, MM_RW))
#define REPORT(reason)                                                                             \
	.areas = KNOWN_AREAS, .end = SUITE_DIES, .kill = (reason), .uncounted = true,              \
	.ready = ready, .verify = report_is_right, .cleanup = cleanup

/* --- reports on exits that no guest here causes --- */

static const struct synthetic {
	struct vm_exit exit;
	const char *line; /* after the name of the VM */
} synthetic[] = {
	{{.kind = VM_EXIT_FAILURE, .pc = 0x1234, .raw = {1, 2, 3, 4}, .failure = "a reason"},
         " vcpu=0 pc=0x1234 gpa=0x0 access=--- reason=entry-failure exit=failure raw=1,2,3,4\n"
         "# kill failure=\"a reason\"\n"},
	{{.kind = VM_EXIT_SHUTDOWN, .pc = 0xfff0, .raw = {0, UINT64_MAX, 0, 9}},
         " vcpu=0 pc=0xfff0 gpa=0x0 access=--- reason=shutdown exit=shutdown "
         "raw=0,ffffffffffffffff,0,9\n"},
	{{.kind = VM_EXIT_MISCONFIG, .pc = 8, .fault = {.access = MM_X}},
         " vcpu=0 pc=0x8 gpa=0x0 access=--x reason=misconfigured-entry exit=misconfig "
         "raw=0,0,0,0\n"},
	{{.kind = VM_EXIT_NESTED_FAULT, .pc = 8, .fault = {.access = MM_R}},
         " vcpu=0 pc=0x8 gpa=0x0 access=r-- reason=mmio-undecoded exit=nested-fault "
         "raw=0,0,0,0\n"},
	{{.kind = VM_EXIT_DEADLINE, .pc = 8},
         " vcpu=0 pc=0x8 gpa=0x0 access=--- reason=hang exit=deadline raw=0,0,0,0\n"},
	{{.kind = VM_EXIT_PORT, .pc = 8},
         " vcpu=0 pc=0x8 gpa=0x0 access=--- reason=mmio-undecoded exit=port raw=0,0,0,0\n"},
};

static const enum vm_kill synthetic_reasons[] = {KILL_FAILURE,   KILL_SHUTDOWN,
                                                 KILL_MISCONFIG, KILL_MMIO_UNDECODED,
                                                 KILL_HANG,      KILL_MMIO_UNDECODED};

/* The VM has exited. Its outcome is changed for the report alone. */
static bool synthetic_is_right(struct suite_run *run)
{
	enum vm_kill before = run->vm->reason;

	for (size_t i = 0; i < MM_ARRAY_SIZE(synthetic); i++) {
		run->vm->reason = synthetic_reasons[i];
		log_divert(text, sizeof(text));
		trace_kill(&run->vm->vcpus[0], &synthetic[i].exit);
		log_divert(NULL, 0);
		length = 0;
		expect("# kill vm=%s%s# registers", run->c->name, synthetic[i].line);
		if (!begins(text, strlen(text), expected))
			suite_fail(run, "expected \"%.85s\", got \"%.85s\"", expected, text);
	}
	run->vm->reason = before;
	return run->complaints == 0;
}

static bool names_vcpu_1(struct suite_run *run)
{
	log_divert(text, sizeof(text));
	trace_kill(&run->vm->vcpus[1], &synthetic[0].exit);
	log_divert(NULL, 0);
	length = 0;
	expect("# kill vm=%s vcpu=1 pc=0x1234", run->c->name);
	return begins(text, strlen(text), expected) ||
	       suite_fail(run, "expected \"%s\", got \"%.85s\"", expected, text);
}

/* The names of all reasons: each has one, and no two are the same. */
static void names(struct suite_run *run, const void *data)
{
	static const char *const expected_names[KILL_REASONS] = {
		"none",
		"not-mapped",
		"permission",
		"out-of-range",
		"no-memory",
		"quota",
		"misconfigured-entry",
		"mmio-undecoded",
		"mmio-refused",
		"budget",
		"hang",
		"shutdown",
		"entry-failure",
	};

	(void)data;
	for (unsigned i = 0; i < KILL_REASONS; i++) {
		if (strcmp(vm_kill_name((enum vm_kill)i), expected_names[i]) != 0)
			suite_fail(run, "reason %u: expected %s, got %s", i, expected_names[i],
			           vm_kill_name((enum vm_kill)i));
	}
	if (strcmp(vm_kill_name(KILL_REASONS), "unknown") != 0)
		suite_fail(run, "a reason that does not exist is %s", vm_kill_name(KILL_REASONS));
}

/* --- the place of a vCPU that did not end by itself --- */

static bool place_is_right(struct suite_run *run)
{
	char got[160];

	log_divert(NULL, 0);
	vm_describe_vcpu(&run->vm->vcpus[0], got, sizeof(got));
	length = 0;
	expect("vcpu 0: cpu=%" PRIu64 " pc=0x%" PRIx64 " code=", run->scratch[1],
	       expected_pc(AT_STORE));
	for (unsigned i = 0; i < VM_CODE_BYTES; i++) {
		uint8_t byte;

		if (mm_aspace_read(&run->vm->as, mm_gpa_at(expected_pc(AT_STORE) + i), &byte, 1) !=
		    MM_OK)
			return suite_fail(run, "the code cannot be read");
		expect("%02x", byte);
	}
	return strcmp(got, expected) == 0 ||
	       suite_fail(run, "expected \"%s\", got \"%s\"", expected, got);
}

static bool place_is_right_on_1(struct suite_run *run)
{
	run->scratch[1] = 1;
	return place_is_right(run);
}

/* At the end of a page only what is in the page is shown. */
static bool ready_at_page_end(struct suite_run *run)
{
	uint64_t to = CODE + PAGE - (uint64_t)(suite_known.loop - suite_known.start);
	size_t bytes = (size_t)(suite_known.loop - suite_known.start);

	if (mm_aspace_write(&run->vm->as, mm_gpa_at(to), suite_known.start, bytes) != MM_OK)
		return suite_fail(run, "the code cannot be written");
	run->scratch[2] = to;
	return true;
}

static uint64_t code_of_page_end(struct suite_run *run, uint64_t number)
{
	(void)number;
	return run->scratch[2];
}

static bool place_ends_with_page(struct suite_run *run)
{
	const struct vm_vcpu *v = &run->vm->vcpus[0];
	unsigned bytes = (unsigned)(suite_known.loop - suite_known.store);

	if (v->last_pc == CODE + PAGE - bytes && v->last_code_bytes == bytes &&
	    memcmp(v->last_code, suite_known.store, bytes) == 0)
		return true;
	return suite_fail(run, "pc=0x%" PRIx64 ", %u bytes of code", v->last_pc,
	                  v->last_code_bytes);
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	uint64_t start = CODE + PAGE - (uint64_t)(suite_known.loop - suite_known.start);

	(void)host;
	if (index != 0)
		return false;
	draft_name(d, "report.place.end-of-page");
	draft_area(d, (struct suite_area)POPULATED(CODE, PAGE, MM_RWX));
	draft_op(d, (struct suite_op){OP(CALL_AT, .addr = start, .value = UNMAPPED)});
	draft_fault(d, (struct suite_fault)FAULT(UNMAPPED, MM_W, MM_FAULT_NOT_MAPPED));
	d->c.end = SUITE_DIES;
	d->c.ready = ready_at_page_end;
	d->c.step = code_of_page_end;
	d->c.verify = place_ends_with_page;
	return true;
}

static const struct suite_case cases[] = {
	{
		.name = "report.not-mapped",
		.script = SCRIPT(RUN_KNOWN(UNMAPPED)),
		REPORT(KILL_NOT_MAPPED),
	},
	{
		.name = "report.gpa-0",
		.script = SCRIPT(RUN_KNOWN(0)),
		REPORT(KILL_NOT_MAPPED),
	},
	{
		.name = "report.beside-the-code",
		.script = SCRIPT(RUN_KNOWN(ARENA + 3 * PAGE + 0x10)),
		REPORT(KILL_NOT_MAPPED),
	},
	{
		.name = "report.permission",
		.script = SCRIPT(RUN_KNOWN(READABLE + 0xff8)),
		REPORT(KILL_PERMISSION),
	},
	{
		.name = "report.out-of-range",
		.arch = "riscv64",
		.script = SCRIPT(RUN_KNOWN((UINT64_C(1) << 59) + 0x40)),
		REPORT(KILL_OUT_OF_RANGE),
	},
	{
		.name = "report.no-memory",
		.script = SCRIPT(RUN_KNOWN(FREE + 0x1238)),
		.areas = KNOWN_AREAS,
		.end = SUITE_DIES,
		.kill = KILL_NO_MEMORY,
		.uncounted = true,
		.ready = ready_without_memory,
		.verify = report_is_right,
		.cleanup = cleanup,
	},
	{
		/* The read takes the one frame that is left. */
		.name = "report.quota",
		.script = SCRIPT(READ(8, FREE, 0), RUN_KNOWN(FREE + 0x1238)),
		.quota = 1,
		REPORT(KILL_QUOTA),
	},
	{
		.name = "report.mmio-refused",
		.script = SCRIPT(RUN_KNOWN(GUEST_UART_BASE + 0x10)),
		REPORT(KILL_MMIO_REFUSED),
	},
	{
		.name = "report.budget",
		.script = SCRIPT(RUN_KNOWN(FREE)),
		.budget = 20,
		REPORT(KILL_BUDGET),
	},
	{
		/* The store is progress; the loop after it is none. */
		.name = "report.hang",
		.script = SCRIPT(RUN_KNOWN(FREE)),
		.quiet_s = 1,
		REPORT(KILL_HANG),
	},
	{
		.name = "report.synthetic",
		.script = SCRIPT(SPIN(1)),
		.verify = synthetic_is_right,
	},
	{
		.name = "report.vcpu-1",
		.script = SCRIPT(SPIN(1)),
		.others = {SCRIPT(SPIN(1))},
		.verify = names_vcpu_1,
	},
	{.name = "report.names", .run = names},
	{
		.name = "report.place",
		.areas = KNOWN_AREAS,
		.script = SCRIPT(RUN_KNOWN(UNMAPPED)),
		.faults = FAULTS(FAULT(UNMAPPED, MM_W, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.ready = ready,
		.verify = place_is_right,
		.cleanup = cleanup,
	},
	{
		.name = "report.place.on-cpu-1",
		.areas = KNOWN_AREAS,
		.script = SCRIPT(MOVE(1), RUN_KNOWN(UNMAPPED)),
		.faults = FAULTS(FAULT(UNMAPPED, MM_W, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.moves = VM_MOVES,
		.ready = ready,
		.verify = place_is_right_on_1,
		.cleanup = cleanup,
	},
};

const struct suite_subject suite_report = {
	.name = "report",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "report.place.",
};
