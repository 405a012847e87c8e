/* One VM from description to account: see scenario.h. */
#include "suite/scenario.h"

#include "frame.h"
#include "kernel/run.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "mm/bits.h"

static struct scenario only;

struct vm_config scenario_config(const char *name, const char *guest, enum vm_backing backing,
                                 uint64_t arena_bytes)
{
	struct vm_config config = {.name = name, .seed = 1};

	ASSERT(guest_image_find(guest, &config.image));
	config.areas[0] = (struct vm_area){
		.start = gpa_at(ARENA),
		.bytes = arena_bytes,
		.backing = backing,
		.perm = MM_RWX,
	};
	return config;
}

/* --- from begin to end --- */

/* A table per 512 frames and those above; the guest's image and stack. */
#define EXTRA_BYTES(bytes) ((bytes) / 256 + MIB(1))

bool scenario_fits(struct test *t, uint64_t bytes)
{
	bool fits = PAGES(frames_free()) >= bytes + EXTRA_BYTES(bytes);

	if (!fits)
		test_skip(t, "less free memory than the case fills");
	return fits;
}

bool scenario_fits_linear(struct test *t, uint64_t bytes)
{
	unsigned order = mm_fls64((bytes - 1) >> MM_PAGE_SHIFT) + 1;
	hpa_t block;

	if (!scenario_fits(t, bytes))
		return false;
	if (!frame_alloc(order, &block)) {
		test_skip(t, "no free block of memory as large as the case needs");
		return false;
	}
	frame_free(order, block);
	return true;
}

struct scenario *scenario_begin(struct test *t, const struct vm_config *config, bool traced)
{
	static struct fault_record records[SCENARIO_RECORDS];
	struct scenario *s = &only;
	uint64_t start;

	memset(s, 0, sizeof(*s));
	s->trace = (struct fault_trace){records, SCENARIO_RECORDS, 0};
	start = machine_cycles();
	if (!vm_create(&s->vm, t->host, config)) {
		test_fail(t, __FILE__, __LINE__, "vm %s: %s", config->name, s->vm.error);
		return NULL;
	}
	s->setup_cycles = machine_cycles() - start;
	if (traced)
		s->vm.trace = &s->trace;
	return s;
}

void scenario_run(struct scenario *s)
{
	uint64_t start = machine_cycles();

	vm_run(&s->vm);
	s->run_cycles = machine_cycles() - start;
}

static uint64_t fault_total(const struct vm *vm)
{
	uint64_t total = 0;

	for (size_t i = 0; i < MM_FAULTS; i++)
		total += vm->stats.faults[i];
	return total;
}

void scenario_end(struct test *t, struct scenario *s)
{
	struct vm *vm = &s->vm;

	s->leaked = vm_destroy(vm);
	log_line(LOG_INFO,
	         "vm name=%s end=%s faults=%" PRIu64 " frames=%" PRIu64 " tables=%" PRIu64
	         " leaked=%" PRId64,
	         vm->config->name, vm_outcome(vm) == VM_KILLED ? vm_kill_name(vm->reason) : "exit",
	         fault_total(vm), vm->stats.frames, vm->stats.tables, (int64_t)s->leaked);
	EXPECT_EQ(t, s->leaked, 0);
	EXPECT_EQ(t, vm->frames.taken, 0);
}

struct scenario *scenario_do(struct test *t, const struct vm_config *config)
{
	struct scenario *s = scenario_begin(t, config, false);

	if (s == NULL)
		return NULL;
	scenario_run(s);
	scenario_end(t, s);
	return s;
}

/* --- expectations --- */

void expect_exit(struct test *t, const struct scenario *s)
{
	EXPECT_EQ(t, vm_outcome(&s->vm), VM_EXITED);
	EXPECT_EQ(t, s->vm.exit_status, 0);
}

void expect_kill(struct test *t, const struct scenario *s, enum vm_kill reason, gpa_t gpa)
{
	EXPECT_EQ(t, vm_outcome(&s->vm), VM_KILLED);
	EXPECT_EQ(t, s->vm.reason, reason);
	EXPECT_EQ(t, s->vm.kill_gpa.raw, gpa.raw);
}

void expect_faults(struct test *t, const struct scenario *s, uint64_t count)
{
	EXPECT_EQ(t, s->vm.stats.faults[MM_FAULT_MAPPED], count);
	EXPECT_EQ(t, fault_total(&s->vm), count);
}

void expect_trace(struct test *t, const struct scenario *s, gpa_t first, uint64_t stride,
                  uint64_t count, enum mm_perm access)
{
	EXPECT_EQ(t, s->trace.count, count);
	for (size_t i = 0; i < count && i < s->trace.count; i++) {
		const struct fault_record *record = &s->trace.records[i];

		if (!test_expect_eq(t, __FILE__, __LINE__, "gpa", record->gpa.raw, first.raw) ||
		    !test_expect_eq(t, __FILE__, __LINE__, "access", record->access, access) ||
		    !test_expect_eq(t, __FILE__, __LINE__, "result", record->result,
		                    MM_FAULT_MAPPED))
			return;
		first = gpa_plus(first, stride);
	}
}
