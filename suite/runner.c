/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Selects, runs and reports cases. A case that is data gets one VM with the agent, its mailbox and
 * the case's areas. The runner records everything and then compares. Afterwards every frame must be
 * free again.
 */
#include "frame.h"
#include "kernel/job.h"
#include "kernel/nearest.h"
#include "kernel/run.h"
#include "kernel/string.h"
#include "kernel/tap.h"
#include "log.h"
#include "machine.h"
#include "suite/beside.h"
#include "suite/compare.h"
#include "suite/deviations.h"
#include "suite/mailbox.h"
#include "suite/rules.h"
#include "suite/run.h"
#include "suite/suite.h"
#include "wait_limit.h"

static bool begins_with(const char *text, const char *start)
{
	return strlen(text) >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

/* --- set-up --- */

static enum mm_error map_area(struct suite_run *run, const struct suite_area *area)
{
	struct mm_aspace_backing backing = {area->kind == SUITE_POPULATED, area->leaf};
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(area->base), area->size);

	if (area->kind == SUITE_PLACED)
		return MM_OK;
	if (area->kind == SUITE_LINEAR)
		return mm_aspace_map_linear(&run->vm->as, range,
		                            mm_hpa_plus(run->linear, area->host), area->perm,
		                            MM_NORMAL, area->leaf);
	return mm_aspace_map_alloc(&run->vm->as, range, area->perm, backing);
}

static bool map_areas(struct suite_run *run)
{
	const struct suite_area *area = run->c->areas;

	for (; area != NULL && area->kind != SUITE_NO_AREA; area++) {
		enum mm_error error = map_area(run, area);

		if (error != area->refused)
			return suite_fail(run, "area at 0x%" PRIx64 ": expected %s, got %s",
			                  area->base, mm_error_name(area->refused),
			                  mm_error_name(error));
	}
	return true;
}

static bool write_scripts(struct suite_run *run)
{
	struct mm_gpa_range shared = mm_gpa_range(mm_gpa_at(AGENT_SHARED_BASE), PAGE);
	struct mm_aspace_backing backing = {.populate = true};
	bool ok = mm_aspace_map_alloc(&run->vm->as, shared, MM_RW, backing) == MM_OK;

	for (unsigned i = 0; i < run->vm->vcpu_count && ok; i++)
		ok = suite_write_script(run->vm, i, suite_script_of(run->c, i));
	return ok || suite_fail(run, "no memory for the scripts");
}

/* --- hooks --- */

static uint64_t on_step(void *ctx, struct vm_vcpu *v, uint64_t number)
{
	struct suite_run *run = ctx;

	(void)v;
	return run->c->step != NULL ? run->c->step(run, number) : UINT32_MAX;
}

static void on_fault(void *ctx, struct vm_vcpu *v, const struct vm_exit_fault *fault)
{
	struct suite_run *run = ctx;

	(void)v;
	if (run->c->meanwhile != NULL)
		run->c->meanwhile(run, fault);
}

static bool on_repair(void *ctx, struct vm_vcpu *v, const struct vm_exit *exit)
{
	struct suite_run *run = ctx;

	(void)v;
	return run->c->repair != NULL && run->c->repair(run, exit);
}

static void on_exit(void *ctx, struct vm_vcpu *v, const struct vm_exit *exit)
{
	struct suite_run *run = ctx;

	(void)v;
	if (run->c->seen != NULL)
		run->c->seen(run, exit);
}

/* --- one case --- */

static void run_vm(struct suite_run *run)
{
	const struct vm_hooks hooks = {on_step, on_fault, on_repair, on_exit, run};
	const struct suite_case *c = run->c;
	struct vm *vms[1 + SUITE_BESIDE] = {run->vm};
	size_t count = 1;

	for (size_t i = 0; i < beside_count(run); i++)
		vms[count++] = beside_vm(i);
	run->vm->hooks = &hooks;
	run->vm->trace = &run->trace;
	mm_aspace_get_stats(&run->vm->as, &run->before);
	if (c->ready != NULL && !c->ready(run)) {
		suite_fail(run, "ready() failed");
		return;
	}
	vm_run_all(vms, count);
	for (unsigned i = 0; i < run->vm->vcpu_count && c->end != SUITE_EITHER; i++)
		compare_results(run, i, suite_read_mailbox(run->vm, i));
	if (run->skip != NULL)
		return;
	compare_faults(run);
	if (c->end != SUITE_EITHER)
		compare_end(run);
	if (c->verify != NULL && !c->verify(run) && run->complaints == 0)
		suite_fail(run, "verify() failed");
}

/* A fault that repeats: notes the state of the tables at its address. */
static void note_futile(struct suite_run *run)
{
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	struct vm *vm = run->vm;
	size_t count;

	for (unsigned i = 0; i < vm->vcpu_count; i++) {
		const struct vm_vcpu *v = &vm->vcpus[i];

		if (v->futile_faults < RUN_FUTILE_FAULTS)
			continue;
		count = mm_aspace_steps(&vm->as, v->futile_gpa, steps);
		suite_fail(run,
		           "vcpu %u: the same fault %u times at pc=0x%" PRIx64 " gpa=0x%" PRIx64
		           ", which the tables permit: level=%u entry=0x%" PRIx64,
		           i, v->futile_faults, v->futile_pc, v->futile_gpa.raw,
		           count != 0 ? steps[count - 1].level : 0,
		           count != 0 ? steps[count - 1].entry : 0);
	}
}

/* Notes the position of each vCPU of a failed case when its VM ended. */
static void note_places(struct suite_run *run)
{
	bool by_itself = run->vm->outcome == VM_EXITED && run->vm->exit_status == 0;

	if (run->complaints == 0 || by_itself || run->vm->outcome == VM_RUNNING)
		return;
	note_futile(run);
	suite_note_places(run, run->vm);
}

static void run_in_vm(struct suite_run *run)
{
	const struct suite_case *c = run->c;

	if (c->prepare != NULL && !c->prepare(run))
		suite_fail(run, "prepare() failed");
	else if (map_areas(run) && c->end != SUITE_REFUSED && write_scripts(run))
		run_vm(run);
	note_places(run);
}

/* The frames of a case's VM before its guest runs. */
static uint64_t frames_at_start(struct suite_run *run, const struct vm_config *config)
{
	uint64_t frames = 0;
	struct mm_aspace_stats stats;

	if (!vm_create(run->vm, run->host, config))
		return 0;
	if (map_areas(run) && write_scripts(run)) {
		mm_aspace_get_stats(&run->vm->as, &stats);
		frames = stats.frames + stats.tables;
	}
	(void)vm_destroy(run->vm);
	return frames;
}

/* The guest's stacks for more vCPUs than its image provides for. */
static void make_room(struct vm_config *config)
{
	static struct vm_vcpu room[VM_MOST_VCPUS];
	struct guest_header header;

	memcpy(&header, config->image.start, sizeof(header));
	config->vcpu_room = room;
	config->ram_bytes = header.memory_bytes + config->vcpus * PAGE;
}

static void make_and_run(struct suite_run *run)
{
	static struct vm vm;
	const struct suite_case *c = run->c;
	struct vm_config config = {
		.name = c->name,
		.vcpus = suite_vcpu_count(c),
		.budget_ms = c->budget,
		.quiet_s = c->quiet_s,
		.total_s = c->total_s,
		.seed = run->seed,
		.geometry = c->geometry != NULL ? c->geometry : suite_geometry(),
	};

	run->vm = &vm;
	if (!guest_image_find("agent", &config.image))
		panic("no agent");
	if (c->crowd > VM_VCPUS)
		make_room(&config);
	if (c->configure != NULL)
		c->configure(run, &config);
	if (c->quota != 0)
		config.quota = frames_at_start(run, &config) + c->quota;
	if (!vm_create(&vm, run->host, &config)) {
		if (c->no_vm == NULL || !begins_with(vm.error, c->no_vm))
			suite_fail(run, "no VM: %s", vm.error);
		return;
	}
	if (c->no_vm != NULL)
		suite_fail(run, "expected no VM, because: %s", c->no_vm);
	vm.moves = c->moves;
	run_in_vm(run);
	(void)vm_destroy(&vm);
	if (c->cleanup != NULL)
		c->cleanup(run);
}

static const char *lacking(const struct host *host, const struct suite_case *c)
{
	const struct mm_npt_config *npt = &suite_geometry()->npt;

	if ((c->needs & SUITE_NEEDS_XONLY) && !npt->execute_only)
		return "no execute-only leaves";
	if ((c->needs & SUITE_NEEDS_2M) && npt->max_leaf < 1)
		return "no 2 MiB leaves";
	if ((c->needs & SUITE_NEEDS_1G) && npt->max_leaf < 2)
		return "no 1 GiB leaves";
	if ((c->needs & SUITE_NEEDS_AD) && !npt->accessed_dirty)
		return "no accessed and dirty bits in nested tables";
	if ((c->needs & SUITE_NEEDS_TAGS) && host->caps.tag_bits == 0)
		return "no VMIDs";
	if ((c->needs & SUITE_NEEDS_PML) && !suite_has_feature(host, "pml"))
		return "no log of dirty pages in hardware";
	if ((c->needs & SUITE_NEEDS_STAGE1_UPDATE) && host->caps.stage1_ad == STAGE1_AD_FAULTS)
		return "the CPU does not update A and D in the guest's tables";
	if ((c->needs & SUITE_NEEDS_STAGE1_FAULT) && host->caps.stage1_ad == STAGE1_AD_UPDATED)
		return "the CPU updates A and D in the guest's tables: the guest cannot disable this";
	if (c->feature != NULL && !suite_has_feature(host, c->feature))
		return "no such instructions on this CPU";
	if (c->cpus > host->cpus || (c->moves != VM_STAYS && host->cpus < 2))
		return "not enough CPUs";
	return NULL;
}

static void run_data(struct suite_run *run)
{
	static struct fault_record records[SUITE_TRACE];

	run->trace = (struct fault_trace){.records = records, .capacity = SUITE_TRACE};
	if (run->c->before != NULL && !run->c->before(run)) {
		suite_fail(run, "before() failed");
	} else if (beside_begin(run)) {
		make_and_run(run);
		beside_end(run);
	}
}

static void run_once(struct suite_run *run)
{
	uint64_t free;

	run->skip = lacking(run->host, run->c);
	if (run->skip != NULL)
		return;
	if (run->c->run == NULL && !suite_linear_take()) {
		run->skip = "no free block of 2 MiB for the linear memory of the suite";
		return;
	}
	run->linear = mm_hpa_at(suite_linear_offset());
	free = frames_free();
	if (run->c->run != NULL)
		run->c->run(run, run->c->data);
	else
		run_data(run);
	if (frames_free() != free)
		suite_fail(run, "leaked=%" PRId64 " frames", (int64_t)(free - frames_free()));
}

static void report(const struct suite_run *run, const struct cmdline *options)
{
	const char *name = run->c->name, *reason = run->skip;
	enum tap_directive directive = TAP_NORMAL;

	if (run->complaints == 0 && run->skip != NULL)
		directive = TAP_SKIP;
	else
		directive = deviation(options->emulator, run->host, name, &reason);
	if (run->c->firmware_writes)
		log_raw("");
	tap_result(run->complaints == 0, name, directive, reason);
	for (unsigned i = 0; i < run->complaints && i < SUITE_WHYS; i++)
		log_line(LOG_QUIET, "  %s", run->why[i]);
	for (unsigned i = 0; run->complaints != 0 && i < SUITE_VCPUS && run->place[i][0] != '\0';
	     i++)
		log_line(LOG_QUIET, "  %s", run->place[i]);
	if (run->complaints != 0)
		log_line(LOG_QUIET, "  rerun: test=%s seed=%" PRIu64, name, run->seed);
}

/* The same host with one CPU, for cases with share_cpu. */
static struct host one_cpu;

static void run_case(const struct suite_case *c, const struct host *host,
                     const struct cmdline *options)
{
	static struct suite_run run;
	enum log_level level = log_level;
	const char *wrong;

	memset(&run, 0, sizeof(run));
	run.c = c;
	one_cpu = *host;
	one_cpu.cpus = 1;
	run.host = c->share_cpu ? &one_cpu : host;
	run.seed = options->seed;
	/* A report on each killed guest would hide the results. A function prints its own
	 * measurements. */
	if (level == LOG_INFO && c->run == NULL)
		log_level = LOG_QUIET;
	wait_case(c->name);
	if (deviation(options->emulator, host, c->name, &run.skip) != TAP_SKIP)
		run_once(&run);
	log_level = level;
	wait_case(NULL);
	wrong = wait_complaint();
	if (wrong != NULL)
		suite_fail(&run, "%s", wrong);
	report(&run, options);
}

/* --- all cases --- */

static const struct suite_subject *const subjects[] = {
	&suite_payload_demo,
	&suite_payload_guests,
	&suite_payload_lazy,
	&suite_payload_hostile,
	&suite_payload_limits,
	&suite_payload_bench,
	&suite_payload_soak,
	&suite_lazy,
	&suite_perm,
	&suite_size,
	&suite_stage1,
	&suite_tlb,
	&suite_atomics,
	&suite_straddle,
	&suite_mmio,
	&suite_hostaccess,
	&suite_timer,
	&suite_privileged,
	&suite_capability,
	&suite_dirty,
	&suite_range,
	&suite_misconfig,
	&suite_vms,
	&suite_smp,
	&suite_move,
	&suite_memory,
	&suite_report,
	&suite_shootdown,
	&suite_cpus,
	&suite_crowd,
	&suite_call,
	&suite_device,
	&suite_create,
	&suite_limits,
	&suite_pure,
	&suite_pure_boot,
	&suite_scarce,
	&suite_account,
	&suite_turns,
	&suite_session,
	&suite_firmware,
	&suite_hostile,
	&suite_hostile_code,
	&suite_hostile_insn,
	&suite_boundary,
	&suite_boundary_access,
	&suite_coherent,
	&suite_published,
	&suite_selftest,
};

typedef void visit_case(const struct suite_case *c, const struct host *host,
                        const struct cmdline *options);

/* True if this is one of the words of a list. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; strlen(list) >= length; list++) {
		if (memcmp(list, word, length) == 0)
			return true;
	}
	return false;
}

static bool selected(const struct suite_case *c, const struct cmdline *options)
{
	char pattern[CMDLINE_TEST];

	if (c->arch != NULL && !has_word(c->arch, machine_arch))
		return false;
	for (const char *list = options->test; glob_next(&list, pattern);) {
		if (glob_match(pattern, c->name))
			return true;
	}
	return options->test[0] == '\0';
}

/* True if a pattern can select any of the cases that generate() makes. */
static bool worth_making(const struct suite_subject *subject, const struct cmdline *options)
{
	char pattern[CMDLINE_TEST];

	if (subject->generate == NULL)
		return false;
	for (const char *list = options->test; glob_next(&list, pattern);) {
		if (glob_may_match(pattern, subject->generated))
			return true;
	}
	return options->test[0] == '\0';
}

/* True if a pattern begins with the name of the subject. */
static bool is_named(const struct suite_subject *subject, const struct cmdline *options)
{
	char pattern[CMDLINE_TEST];

	for (const char *list = options->test; glob_next(&list, pattern);) {
		if (begins_with(pattern, subject->name))
			return true;
	}
	return false;
}

static unsigned visit_subject(const struct suite_subject *subject, const struct host *host,
                              const struct cmdline *options, visit_case *visit)
{
	static struct suite_draft draft;
	bool make = worth_making(subject, options);
	unsigned count = 0;

	if (subject->by_name_only && !is_named(subject, options))
		return 0;
	for (size_t i = 0; i < subject->count; i++) {
		if (!selected(&subject->cases[i], options))
			continue;
		count++;
		if (visit != NULL)
			visit(&subject->cases[i], host, options);
	}
	for (size_t i = 0; make; i++) {
		draft_reset(&draft);
		if (!subject->generate(i, host, &draft))
			break;
		ASSERT(begins_with(draft.c.name, subject->generated));
		if (!selected(&draft.c, options))
			continue;
		count++;
		if (visit != NULL)
			visit(&draft.c, host, options);
	}
	return count;
}

static unsigned visit_all(const struct host *host, const struct cmdline *options, visit_case *visit)
{
	unsigned count = 0;

	for (size_t i = 0; i < MM_ARRAY_SIZE(subjects); i++)
		count += visit_subject(subjects[i], host, options, visit);
	for (size_t i = 0; suite_arch_subjects[i] != NULL; i++)
		count += visit_subject(suite_arch_subjects[i], host, options, visit);
	return count;
}

/* --- entry point --- */

static void list_case(const struct suite_case *c, const struct host *host,
                      const struct cmdline *options)
{
	const char *rules = c->rules != NULL ? c->rules : suite_rules_by_name(c->name);

	(void)host;
	(void)options;
	if (rules != NULL)
		log_line(LOG_QUIET, "case %s rules: %s", c->name, rules);
	else
		log_line(LOG_QUIET, "case %s", c->name);
}

static struct nearest search;

static void offer_case(const struct suite_case *c, const struct host *host,
                       const struct cmdline *options)
{
	(void)host;
	(void)options;
	nearest_try_case(&search, c->name);
}

static const char *refuse_geometry(const struct virt_caps *caps, const struct cmdline *options)
{
	static char text[CMDLINE_ERROR];

	nearest_begin(&search, options->geometry, strlen(options->geometry));
	for (size_t i = 0; i < caps->geometry_count; i++)
		nearest_try(&search, caps->geometries[i].name);
	format_string(text, sizeof(text), "no geometry of that name that reaches 2^36%s",
	              nearest_text(&search));
	return text;
}

static const char *refuse_pattern(const struct host *host, const char *pattern)
{
	static char text[CMDLINE_ERROR];
	const struct cmdline all = {.repeat = 1};

	nearest_begin(&search, pattern, strlen(pattern));
	(void)visit_all(host, &all, offer_case);
	format_string(text, sizeof(text), "'%.60s': no test of that name%s", pattern,
	              nearest_text(&search));
	return text;
}

/* Each pattern of test= selects at least one case. NULL, or what is wrong. */
static const char *refuse_test(const struct host *host, const struct cmdline *options)
{
	struct cmdline one = *options;
	const char *list = options->test;

	if (list[0] == '\0')
		return NULL;
	while (glob_next(&list, one.test)) {
		if (one.test[0] == '\0' || visit_all(host, &one, NULL) == 0)
			return refuse_pattern(host, one.test);
	}
	return NULL;
}

static bool suite_wanted(const struct boot_info *info, const struct cmdline *options)
{
	(void)info;
	return options->test[0] != '\0' || options->list;
}

static const char *suite_run_selected(const struct host *host, const struct cmdline *options)
{
	const char *wrong;
	unsigned count;

	if (!suite_choose_geometry(&host->caps, options))
		return refuse_geometry(&host->caps, options);
	wrong = refuse_test(host, options);
	if (wrong != NULL)
		return wrong;
	count = visit_all(host, options, NULL);
	if (options->list) {
		(void)visit_all(host, options, list_case);
		tap_plan(0, "listed only");
		return NULL;
	}
	tap_plan(count * options->repeat, NULL);
	for (unsigned i = 0; i < options->repeat; i++) {
		/* Each repetition starts with cleared linear memory. */
		(void)visit_all(host, options, run_case);
		suite_linear_give();
	}
	return NULL;
}

const struct job job_suite = {suite_wanted, suite_run_selected};
