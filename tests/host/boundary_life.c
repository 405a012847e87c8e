/* SPDX-License-Identifier: BSD-2-Clause */
/* Boundary values for an address space from init to destroy, its logs and its snapshots: see
 * boundary.h. */
#include "boundary.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mm/compiler.h"

/* --- logs and snapshots --- */

static void call_dirty_start(struct boundary *b)
{
	uint32_t mode = boundary_enum(b);
	enum mm_error err;

	boundary_before(b, "mm_aspace_dirty_start(0x%x)", mode);
	err = mm_aspace_dirty_start(b->as, (enum mm_dirty_mode)mode, boundary_chance(b, 2));
	CHECK(mode <= MM_DIRTY_HARDWARE ? err != MM_INVALID : err == MM_INVALID);
	boundary_after(b, err != MM_OK);
	if (!boundary_chance(b, 4)) { /* or all that comes would be refused for the log's sake */
		mm_aspace_dirty_stop(b->as);
		b->known = false;
	}
}

/* The bitmap of a guest's whole memory may be terabytes, of which next to nothing is used. */
static void call_dirty_collect(struct boundary *b)
{
	struct mm_gpa_range range = boundary_range(b);
	bool valid = boundary_expect_range(b, range) == MM_OK;
	size_t bytes = valid ? mm_dirty_bitmap_words(range.size) * sizeof(uint64_t) : MM_PAGE_SIZE;
	uint64_t *bitmap = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bitmap == MAP_FAILED)
		return;
	boundary_before(b, "mm_aspace_dirty_collect(0x%llx, 0x%llx)",
	                (unsigned long long)range.start.raw, (unsigned long long)range.size);
	boundary_check_range(b, range, b->as->log.active,
	                     mm_aspace_dirty_collect(b->as, range, bitmap));
	munmap(bitmap, bytes);
}

static void call_dirty_stop(struct boundary *b)
{
	boundary_before(b, "mm_aspace_dirty_stop()");
	mm_aspace_dirty_stop(b->as);
	boundary_after(b, false);
}

static struct mm_snapshot *some_snapshot(struct boundary *b, bool *taken)
{
	struct mm_snapshot *s = &b->snapshots[rng_below(&b->rng, BOUNDARY_SNAPSHOTS)];

	*taken = false;
	for (const struct mm_npt *n = b->as->npt.copies; n; n = n->next_copy)
		*taken |= n == &s->tables;
	return s;
}

static void call_snapshot_take(struct boundary *b)
{
	bool taken;
	struct mm_snapshot *s = some_snapshot(b, &taken);
	enum mm_error err;

	boundary_before(b, "mm_aspace_snapshot_take(%s)", taken ? "taken" : "new");
	err = mm_aspace_snapshot_take(b->as, s);
	CHECK_EQ(err == MM_INVALID, taken);
	boundary_after(b, err != MM_OK);
	if (!boundary_chance(b, 4)) { /* as with the log */
		mm_aspace_snapshot_drop(b->as, s);
		b->known = false;
	}
}

static void call_snapshot_restore(struct boundary *b)
{
	bool taken;
	struct mm_snapshot *s = some_snapshot(b, &taken);
	enum mm_error err;

	boundary_before(b, "mm_aspace_snapshot_restore(%s)", taken ? "taken" : "garbage");
	err = mm_aspace_snapshot_restore(b->as, s);
	CHECK_EQ(err == MM_INVALID, !taken);
	boundary_after(b, err != MM_OK);
}

static void call_snapshot_drop(struct boundary *b)
{
	bool taken;
	struct mm_snapshot *s = some_snapshot(b, &taken);

	boundary_before(b, "mm_aspace_snapshot_drop(%s)", taken ? "taken" : "garbage");
	mm_aspace_snapshot_drop(b->as, s);
	boundary_after(b, !taken);
}

/* --- from init to destroy --- */

static void call_clear(struct boundary *b)
{
	boundary_before(b, "mm_aspace_clear()");
	if (boundary_chance(b, 16))
		mm_aspace_clear(b->as);
	boundary_after(b, false);
}

static void no_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx, (void)request;
}

/* Another address space beside the first, on the same frames. */
static void call_init(struct boundary *b)
{
	struct mm_aspace_config config = guest_config(b->geo, b->hal);
	struct mm_aspace *as = aligned_alloc(256, sizeof(*as));
	bool missing = true;
	enum mm_error err;
	size_t in_use = b->hal->in_use;

	config.hal.flush = no_flush;
	switch (rng_below(&b->rng, 10)) {
	case 0:
		config.format = NULL;
		break;
	case 1:
		config.hal.alloc = NULL;
		break;
	case 2:
		config.hal.free = NULL;
		break;
	case 3:
		config.hal.flush = NULL;
		break;
	default:
		missing = false;
	}
	if (boundary_chance(b, 4))
		config.npt.levels = boundary_enum(b);
	if (boundary_chance(b, 4))
		config.npt.root_bits = boundary_enum(b);
	if (boundary_chance(b, 4))
		config.npt.hpa_bits = boundary_enum(b);
	if (boundary_chance(b, 4))
		config.npt.max_leaf = boundary_enum(b);
	if (boundary_chance(b, 2))
		config.limits = boundary_range(b);
	if (boundary_chance(b, 2))
		config.quota = boundary_number(b);
	boundary_before(b, "mm_aspace_init({%d, {%u, %u, %u, %u}, 0x%llx, 0x%llx, 0x%llx})",
	                missing, config.npt.levels, config.npt.root_bits, config.npt.hpa_bits,
	                config.npt.max_leaf, (unsigned long long)config.limits.start.raw,
	                (unsigned long long)config.limits.size, (unsigned long long)config.quota);
	err = mm_aspace_init(as, &config);
	if (missing)
		CHECK_ERR(err, MM_INVALID);
	if (err == MM_OK) {
		CHECK(!boundary_chance(b, 4) || mm_aspace_tag(as) == config.tag);
		CHECK(hal_test_owned(b->hal, mm_aspace_root(as)));
		(void)!mm_aspace_map_alloc(as, config.limits, MM_RWX,
		                           (struct mm_aspace_backing){0});
		(void)!mm_aspace_fault(as, mm_gpa_range_last(config.limits), MM_R);
		mm_aspace_destroy(as);
	}
	CHECK_EQ(b->hal->in_use, in_use);
	boundary_after(b, true);
	free(as);
}

const struct boundary_call boundary_life[] = {
	{"mm_aspace_init", call_init, .one_way = true},
	{"mm_aspace_destroy", call_init, .one_way = true},
	{"mm_aspace_root", call_init, .one_way = true},
	{"mm_aspace_tag", call_init, .one_way = true},
	{"mm_aspace_clear", call_clear, .one_way = true},
	{"mm_aspace_dirty_start", call_dirty_start},
	{"mm_aspace_dirty_collect", call_dirty_collect},
	{"mm_dirty_bitmap_words", call_dirty_collect},
	{"mm_aspace_dirty_stop", call_dirty_stop, .one_way = true},
	{"mm_aspace_snapshot_take", call_snapshot_take},
	{"mm_aspace_snapshot_restore", call_snapshot_restore},
	{"mm_aspace_snapshot_drop", call_snapshot_drop},
};

const size_t boundary_life_count = MM_ARRAY_SIZE(boundary_life);
