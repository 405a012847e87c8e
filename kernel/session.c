/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of one VM: see session.h. */
#include "kernel/session.h"

#include "frame.h"
#include "guests/abi.h"
#include "kernel/run.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "mm/bits.h"

static struct session only;

struct vm_config session_config(const char *name, const char *guest, enum vm_backing backing,
                                uint64_t arena_bytes)
{
	struct vm_config config = {.name = name, .seed = 1};

	ASSERT(guest_image_find(guest, &config.image));
	config.areas[0] = (struct vm_area){
		.start = mm_gpa_at(GUEST_ARENA_BASE),
		.bytes = arena_bytes,
		.backing = backing,
		.perm = MM_RWX,
	};
	return config;
}

/* --- free memory --- */

/* For the tables, one per 512 frames and their parents, and for the image and its stack. */
#define EXTRA_BYTES(bytes) ((bytes) / 256 + MIB(1))

#define LEAF_ORDER  9U /* 2 MiB */
#define LEAVES_MOST 64U

bool session_fits(uint64_t bytes)
{
	return PAGES(frames_free()) >= bytes + EXTRA_BYTES(bytes);
}

bool session_fits_linear(uint64_t bytes)
{
	unsigned order = mm_fls64((bytes - 1) >> MM_PAGE_SHIFT) + 1;
	mm_hpa_t block;

	if (!session_fits(bytes) || !frame_alloc(order, &block))
		return false;
	frame_free(order, block);
	return true;
}

bool session_fits_leaves(uint64_t bytes)
{
	size_t wanted = (size_t)(bytes / MM_LEVEL_SIZE(1)), got;
	mm_hpa_t blocks[LEAVES_MOST];
	bool fits;

	ASSERT(wanted <= LEAVES_MOST);
	got = frame_alloc_many(LEAF_ORDER, wanted, blocks);
	/* While the blocks are held, the rest must suffice for the tables and the image. */
	fits = got == wanted && PAGES(frames_free()) >= EXTRA_BYTES(bytes);
	frame_free_many(LEAF_ORDER, got, blocks);
	return fits;
}

/* --- from beginning to end --- */

struct session *session_begin(const struct host *host, const struct vm_config *config, bool traced)
{
	static struct fault_record records[SESSION_RECORDS];
	struct session *s = &only;
	uint64_t start;

	memset(s, 0, sizeof(*s));
	s->trace = (struct fault_trace){records, SESSION_RECORDS, 0};
	start = machine_cycles();
	if (!vm_create(&s->vm, host, config))
		return NULL;
	s->setup_cycles = machine_cycles() - start;
	if (traced)
		s->vm.trace = &s->trace;
	return s;
}

const char *session_error(void)
{
	return only.vm.error;
}

void session_run(struct session *s)
{
	uint64_t start = machine_cycles();

	vm_run(&s->vm);
	s->run_cycles = machine_cycles() - start;
}

void session_end(struct session *s)
{
	struct vm *vm = &s->vm;

	s->leaked = vm_destroy(vm);
	log_line(LOG_INFO,
	         "vm name=%s end=%s faults=%" PRIu64 " frames=%" PRIu64 " tables=%" PRIu64
	         " leaked=%" PRId64,
	         vm->config->name, vm_outcome(vm) == VM_KILLED ? vm_kill_name(vm->reason) : "exit",
	         session_faults(s), vm->stats.frames, vm->stats.tables, (int64_t)s->leaked);
}

/* --- results --- */

uint64_t session_faults(const struct session *s)
{
	uint64_t total = 0;

	for (size_t i = 0; i < MM_FAULTS; i++)
		total += s->vm.stats.faults[i];
	return total;
}

const char *session_trace_differs(const struct session *s, mm_gpa_t first, uint64_t stride,
                                  uint64_t count, enum mm_perm access)
{
	static char text[160];

	if (s->trace.count != count) {
		format_string(text, sizeof(text), "faults: expected %" PRIu64 ", got %zu", count,
		              (size_t)s->trace.count);
		return text;
	}
	for (size_t i = 0; i < count && i < SESSION_RECORDS; i++) {
		const struct fault_record *record = &s->trace.records[i];

		if (record->gpa.raw != first.raw || record->access != access ||
		    record->result != MM_FAULT_MAPPED) {
			format_string(text, sizeof(text),
			              "fault %zu: expected gpa=0x%" PRIx64
			              " access=%u result=%u, got gpa=0x%" PRIx64
			              " access=%u result=%u",
			              i, first.raw, (unsigned)access, (unsigned)MM_FAULT_MAPPED,
			              record->gpa.raw, (unsigned)record->access,
			              (unsigned)record->result);
			return text;
		}
		first = mm_gpa_plus(first, stride);
	}
	return NULL;
}
