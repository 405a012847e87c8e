/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several views of one page. Two vCPUs on two CPUs see the same contents of a copy-on-write page,
 * whichever of them made the copy. The same holds after a snapshot is restored. An access of the
 * hypervisor leaves a page table intact while another CPU's fault splits a leaf of it.
 *
 * vCPU 0 writes and asks (AGENT_ASK). vCPU 1 reads the same word in a loop, so that its CPU keeps a
 * translation, and answers with the value. The checks compare contents and do not depend on time.
 *
 * snapshot.coherent.SIZE: each round is a snapshot, a write that copies the page, and a question.
 *
 * snapshot.coherent.restored.SIZE: then the snapshot is restored, and a second question follows.
 *
 * snapshot.coherent.window.SIZE: another CPU accesses the page between the new entry and the flush.
 *
 * host.beside-split.*: the hypervisor reads and writes during splits and merges.
 */
#include "kernel/string.h"
#include "machine.h"
#include "mm/dirty.h"
#include "mm/npt/walk.h"
#include "mm/snapshot.h"
#include "suite/run.h"
#include "suite/suite.h"
#include "wait_limit.h"

#define WORD    (ARENA + 3 * PAGE + 0x40)
#define TALK    (ARENA + GIB(1)) /* linear memory: not part of any snapshot */
#define LIST    (ARENA + GIB(2)) /* of host.beside-split.fault */
#define PATTERN UINT64_C(0xc0c0c0c0c0c0c0c0)
#define ROUNDS  24U
#define MARK    UINT64_C(0x3a4b5c6d7e8f9011)

static const char *const size_names[] = {"4k", "2m"};

static struct mm_snapshot snapshot;
static bool taken;

static uint64_t answer(enum mm_error error)
{
	return (uint64_t)(uint32_t)error;
}

static struct agent_talk *talk(void)
{
	return suite_linear_memory();
}

/* --- the window: the entry of a copy is in the table, and its flush is pending --- */

static void (*real_flush)(void *ctx, const struct mm_flush *request);
static void (*real_written)(void *ctx, void *at, size_t bytes);
static struct vm *window_vm;
static bool window_armed;
static unsigned windows;    /* flushes of the page that were checked */
static unsigned unanswered; /* number of them that vCPU 1 did not answer */
static unsigned incoherent; /* number of them where a write was done and vCPU 1 did not see it */

static uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Host address that a CPU without a translation would write now; NULL: it would fault. */
static uint64_t *written_now(const struct mm_npt *npt, uint64_t gpa)
{
	struct mm_npt_slot slot = mm_npt_walk(npt, mm_gpa_at(gpa));
	uint64_t offset = gpa & (MM_LEVEL_SIZE(slot.level) - 1);

	if (!mm_npt_present(npt->format, slot.value) ||
	    !mm_permits(mm_npt_perm(npt, slot.value), MM_W))
		return NULL;
	return (uint64_t *)mm_hal_to_virt(&npt->hal, mm_npt_decode_pa(npt->format, slot.value)) +
	       offset / sizeof(uint64_t);
}

/* The value that vCPU 1 reads. False: no answer in the number of rounds of wait_limit.h. */
static bool ask(uint64_t *got, unsigned rounds)
{
	uint64_t question = load(&talk()->asked) + 1;
	struct wait_limit limit;

	__atomic_store_n(&talk()->asked, question, __ATOMIC_RELEASE);
	wait_begin(&limit, machine_cpu_index(), 1);
	while (load(&talk()->answered) != question && wait_more(&limit, rounds))
		machine_relax();
	*got = load(&talk()->answer);
	return load(&talk()->answered) == question;
}

/* The copy is made, and its entry is stored next. Publishing the copy's bytes may have flushed the
 * translations of other CPUs. After this answer, vCPU 1 has a translation to the old page. */
static void written_before_window(void *ctx, void *at, size_t bytes)
{
	uint64_t old;

	real_written(ctx, at, bytes);
	if (window_armed && !ask(&old, WAIT_MOST / 2))
		unanswered++;
}

/* A CPU without a translation writes, and the CPU with the old translation is asked. It may have to
 * wait for the flush. So a missing answer for some time is also correct. */
static void look_into_window(void)
{
	uint64_t *word = written_now(&window_vm->as.npt, WORD);
	uint64_t got;

	windows++;
	if (word == NULL)
		return;
	__atomic_store_n(word, MARK, __ATOMIC_RELEASE);
	if (ask(&got, 2) && got != MARK)
		incoherent++;
}

/* vCPU 0 is about to get its copy. */
static void arm_window(struct suite_run *run, const struct vm_exit_fault *fault)
{
	(void)run;
	if (fault->access == MM_W &&
	    mm_align_down(fault->gpa.raw, PAGE) == mm_align_down(WORD, PAGE))
		window_armed = true;
}

static void flush_with_window(void *ctx, const struct mm_flush *request)
{
	if (window_armed && !request->all && request->leaf_level == 0) {
		window_armed = false;
		look_into_window();
	}
	real_flush(ctx, request);
}

/* --- the rounds --- */

static uint64_t turn(struct suite_run *run, uint64_t number)
{
	enum mm_error error;

	if (number == TALK_AFTER)
		return answer(mm_aspace_snapshot_restore(&run->vm->as, &snapshot));
	if (taken)
		mm_aspace_snapshot_drop(&run->vm->as, &snapshot);
	error = mm_aspace_snapshot_take(&run->vm->as, &snapshot);
	taken = error == MM_OK;
	return answer(error);
}

static bool ready(struct suite_run *run)
{
	memset(talk(), 0, sizeof(*talk()));
	run->vm->trace = NULL;
	taken = window_armed = false;
	window_vm = NULL;
	return true;
}

static bool window_ready(struct suite_run *run)
{
	struct mm_hal *hal = &run->vm->as.npt.hal;

	(void)ready(run);
	run->vm->trace = &run->trace; /* required for the call of meanwhile() */
	window_vm = run->vm;
	windows = unanswered = incoherent = 0;
	real_flush = hal->flush;
	real_written = hal->written;
	hal->flush = flush_with_window;
	hal->written = written_before_window;
	return true;
}

/* Checks that every answer came. The script checks the values. */
static bool all_asked(struct suite_run *run)
{
	uint64_t turns = run->c->script[3].op.stride != 0 ? 2 * ROUNDS : ROUNDS;

	if (taken)
		mm_aspace_snapshot_drop(&run->vm->as, &snapshot);
	if (talk()->round != turns)
		return suite_fail(run, "%" PRIu64 " rounds of %" PRIu64, talk()->round, turns);
	return true;
}

static bool window_verify(struct suite_run *run)
{
	run->vm->as.npt.hal.flush = real_flush;
	run->vm->as.npt.hal.written = real_written;
	if (incoherent != 0)
		return suite_fail(run, "the other CPU did not see %u of %u writes before a flush",
		                  incoherent, windows);
	if (windows != ROUNDS || unanswered != 0)
		return suite_fail(run, "%u flushes of the page in %u rounds, %u unanswered",
		                  windows, ROUNDS, unanswered);
	return all_asked(run);
}

enum kind {
	WRITTEN,
	RESTORED,
	WINDOW,
	KINDS,
};

static const char *const kind_names[KINDS] = {"", "restored.", "window."};

/* Interrupts are enabled, although none is pending: see smp.revoke.masked. */
#define TOGETHER STAGE1(), {OP(IRQ_MASK, .value = 0)}, BARRIER(0)

/* vCPU 1's script. */
static const struct suite_op *const echo =
	SCRIPT(TOGETHER, {OP(ECHO, .addr = WORD, .value = TALK), .any_value = true});

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	unsigned size = (unsigned)(index % MM_ARRAY_SIZE(size_names));
	enum kind kind = (enum kind)(index / MM_ARRAY_SIZE(size_names));

	(void)host;
	if (kind >= KINDS)
		return false;
	draft_name(d, "snapshot.coherent.%s%s", kind_names[kind], size_names[size]);
	draft_area(d, (struct suite_area)POPULATED_LEAF(ARENA, MIB2, MM_RW, size));
	draft_area(d, (struct suite_area)LINEAR(TALK, PAGE, MM_RW, 0));
	draft_op(d, (struct suite_op)STAGE1());
	draft_op(d, (struct suite_op){OP(IRQ_MASK, .value = 0)});
	draft_op(d, (struct suite_op)BARRIER(0));
	draft_op(d, (struct suite_op){OP(ASK, .addr = WORD, .value = TALK, .count = ROUNDS,
	                                 .stride = kind == RESTORED)});
	d->c.others[0] = echo;
	d->c.needs = size == 1 ? SUITE_NEEDS_2M : 0;
	d->c.cpus = 2;
	d->c.uncounted = true;
	d->c.step = turn;
	d->c.ready = kind == WINDOW ? window_ready : ready;
	d->c.verify = kind == WINDOW ? window_verify : all_asked;
	d->c.meanwhile = kind == WINDOW ? arm_window : NULL;
	return true;
}

/* --- the hypervisor during splits and merges --- */

enum {
	LOADS, /* vCPU 0: accesses until vCPU 1 is done */
	LOADS_AND_STORES,
	FLICKER,
	FRESH,
	LOG_OVER,
	DONE,
};

#define SPLITS 48U

static _Atomic bool done;

static struct mm_gpa_range arena(void)
{
	return mm_gpa_range(mm_gpa_at(ARENA), MIB2);
}

/* Up to 63 iterations, so that accesses come at all phases of the other CPU's work. */
static void pause_a_little(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	for (unsigned turns = *seed % 64; turns != 0; turns--)
		machine_relax();
}

/*
 * Accesses that set accessed and dirty bits as a guest's accesses do. This is a wait for vCPU 1,
 * which runs on CPU 1. On a busy host it takes longer than WAIT_MOST rounds.
 */
static uint64_t hammer(struct suite_run *run, bool stores)
{
	mm_gpa_t at = mm_gpa_at(WORD);
	enum mm_error error = MM_OK;
	uint64_t value, seed = run->seed | 1;
	struct wait_limit limit;

	wait_begin(&limit, machine_cpu_index(), 1);
	while (error == MM_OK && !atomic_load(&done) && vm_outcome(run->vm) == VM_RUNNING) {
		(void)wait_step(&limit, false);
		pause_a_little(&seed);
		wait_alive(machine_cpu_index()); /* it is not stuck, however long the others take */
		error = mm_aspace_load(&run->vm->as, at, 8, &value);
		if (error == MM_OK)
			error = mm_aspace_fetch(&run->vm->as, mm_gpa_plus(at, PAGE), &value, 8);
		if (error == MM_OK && stores)
			error = mm_aspace_store(&run->vm->as, mm_gpa_plus(at, 2 * PAGE), 8, value);
	}
	return answer(error);
}

static bool no_matter(void *ctx, const struct mm_npt_leaf *leaf)
{
	(void)ctx;
	(void)leaf;
	return true;
}

/* Where the hardware has A/D bits, the next access sets them again. */
static enum mm_error clear_marks(struct mm_aspace *as)
{
	if (!as->npt.config.accessed_dirty)
		return MM_OK;
	return mm_aspace_harvest(as, arena(), no_matter, NULL);
}

/* Protects one page and restores it: a split and a merge. */
static enum mm_error split_and_merge(struct mm_aspace *as)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(ARENA + 9 * PAGE), PAGE);
	enum mm_error error = clear_marks(as);

	if (error == MM_OK)
		error = mm_aspace_protect(as, page, MM_R);
	if (error == MM_OK)
		error = mm_aspace_protect(as, page, MM_RWX);
	return error;
}

static uint64_t flicker(struct suite_run *run)
{
	enum mm_error error = MM_OK;

	for (unsigned i = 0; i < SPLITS && error == MM_OK; i++) {
		error = split_and_merge(&run->vm->as);
		wait_alive(machine_cpu_index());
	}
	return answer(error);
}

/* A large leaf that was never used, under a log that splits it at the first write. */
static uint64_t fresh(struct suite_run *run)
{
	struct mm_aspace_backing large = {.populate = true, .max_leaf = 1};
	enum mm_error error = mm_aspace_replace_alloc(&run->vm->as, arena(), MM_RWX, large);

	if (error == MM_OK)
		error = mm_aspace_dirty_start(&run->vm->as, MM_DIRTY_WRITE_PROTECT, true);
	if (error == MM_OK)
		error = clear_marks(&run->vm->as);
	return answer(error);
}

/* How many entries that point to tables have a mark where the format reserves it. Privileged
 * manual, 4.3.1: D and A. EPT and NPT have A there, Arm ignores it. */
static uint64_t marks_in_tables(struct suite_run *run)
{
	const struct mm_npt_format *f = run->vm->as.npt.format;
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	size_t count = mm_aspace_steps(&run->vm->as, mm_gpa_at(WORD), steps);
	uint64_t reserved = (f->accessed | f->dirty) & f->table_reserved;
	uint64_t marked = 0;

	for (size_t i = 0; i + 1 < count; i++)
		marked += (steps[i].entry & reserved) != 0;
	return marked;
}

/* Checked while the leaf is split, after an exclusive call. No access is in progress. */
static uint64_t log_over(struct suite_run *run)
{
	uint64_t marked = clear_marks(&run->vm->as) == MM_OK ? marks_in_tables(run) : 1;

	mm_aspace_dirty_stop(&run->vm->as);
	return marked;
}

static uint64_t beside_step(struct suite_run *run, uint64_t number)
{
	switch (number) {
	case LOADS:
	case LOADS_AND_STORES:
		return hammer(run, number == LOADS_AND_STORES);
	case FLICKER:
		return flicker(run);
	case FRESH:
		return fresh(run);
	case LOG_OVER:
		return log_over(run);
	default:
		atomic_store(&done, true);
		return 0;
	}
}

static bool beside_ready(struct suite_run *run)
{
	run->vm->trace = NULL;
	atomic_store(&done, false);
	return true;
}

/* Rounds of: a new leaf, a write that splits it, the end of the log. */
static const struct agent_op fault_round[] = {
	{.code = AGENT_STEP, .value = FRESH},
	{.code = AGENT_SPIN, .count = 1}, /* longer in each round */
	{.code = AGENT_WRITE, .width = 8, .addr = ARENA + 9 * PAGE, .value = PATTERN},
	{.code = AGENT_READ, .width = 8, .addr = ARENA + 9 * PAGE},
	{.code = AGENT_STEP, .value = LOG_OVER},
};

#define LIST_STEPS (SPLITS * MM_ARRAY_SIZE(fault_round))
#define LIST_PAGES ((LIST_STEPS * sizeof(struct agent_step) + PAGE - 1) / PAGE)

static bool list_ready(struct suite_run *run)
{
	for (unsigned i = 0; i < LIST_STEPS; i++) {
		struct agent_step step = {.op = fault_round[i % MM_ARRAY_SIZE(fault_round)],
		                          .result = {.trap = AGENT_NOT_RUN}};

		if (step.op.code == AGENT_SPIN)
			step.op.count += i * 4;
		if (mm_aspace_write(&run->vm->as, mm_gpa_at(LIST + i * sizeof(step)), &step,
		                    sizeof(step)) != MM_OK)
			return false;
	}
	return beside_ready(run);
}

static bool list_done(struct suite_run *run)
{
	for (unsigned i = 0; i < LIST_STEPS; i++) {
		const struct agent_op *op = &fault_round[i % MM_ARRAY_SIZE(fault_round)];
		uint64_t due = op->code == AGENT_READ ? PATTERN : 0;
		struct agent_step step;

		if (mm_aspace_read(&run->vm->as, mm_gpa_at(LIST + i * sizeof(step)), &step,
		                   sizeof(step)) != MM_OK ||
		    step.result.trap != AGENT_DONE || step.result.value != due)
			return suite_fail(run, "operation %u: trap %u, 0x%" PRIx64, i,
			                  step.result.trap, step.result.value);
	}
	return true;
}

/* Afterwards every page works for the guest. */
#define EVERY_PAGE FILL(ARENA, 512, PAGE, ~PATTERN), CHECK(ARENA, 512, PAGE, ~PATTERN)

static const struct suite_case cases[] = {
	{
		.name = "host.beside-split.protect",
		.needs = SUITE_NEEDS_2M,
		.cpus = 2,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RWX, 1)),
		.script = SCRIPT(TOGETHER, STEP(LOADS_AND_STORES), BARRIER(1), EVERY_PAGE),
		.others = {SCRIPT(TOGETHER, STEP(FLICKER), STEP(DONE), BARRIER(1))},
		.uncounted = true,
		.ready = beside_ready,
		.step = beside_step,
	},
	{
		.name = "host.beside-split.fault",
		.needs = SUITE_NEEDS_2M,
		.cpus = 2,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RWX, 1),
                               POPULATED(LIST, LIST_PAGES *PAGE, MM_RW)),
		.script = SCRIPT(TOGETHER, STEP(LOADS), BARRIER(1), EVERY_PAGE),
		.others = {SCRIPT(
			TOGETHER,
			{OP(STEPS, .addr = LIST, .count = LIST_STEPS), .value = LIST_STEPS},
			STEP(DONE), BARRIER(1))},
		.uncounted = true,
		.ready = list_ready,
		.step = beside_step,
		.verify = list_done,
	},
};

const struct suite_subject suite_coherent = {
	.name = "coherent",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "snapshot.coherent.",
};
