/*
 * Leaves where two features meet: what one leaves behind in an entry must not mislead the other.
 */
#include "guest.h"

#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

static const struct hal_test_options roomy = {.frames = 8192};

/* Pages 512 to 1535 as two leaves of 2 MiB, with frames of the library's own. */
static void map_large(struct guest *g, enum mm_perm perm)
{
	CHECK_OK(aspace_map_alloc(&g->as, pages(512, 1024), perm,
	                          (struct aspace_backing){.populate = true, .max_leaf = 1}));
	CHECK_EQ(guest_stats(g).leaves[1], 2);
}

/* --- protect --- */

/* A leaf that a dropped snapshot has left read-only is still a leaf of a writable area. */
static void protect_after_a_snapshot(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	struct snapshot s;
	map_large(g, MM_RW);
	CHECK_OK(aspace_snapshot_take(&g->as, &s));
	aspace_snapshot_drop(&g->as, &s);
	CHECK_OK(aspace_protect(&g->as, pages(700, 1), MM_R));
	guest_store(g, page(701), 1);
	CHECK_EQ(guest_walk(g, page(700), MM_R).perm & MM_W, 0);
	EXPECT_FAULT(g, page(700), MM_W, MM_FAULT_PERMISSION);
	guest_store(g, page(699), 2);
	/* A whole leaf needs no split. */
	CHECK_OK(aspace_protect(&g->as, pages(1024, 512), MM_R));
	CHECK_EQ(guest_walk(g, page(1024), MM_R).level, 1);
	EXPECT_FAULT(g, page(1100), MM_W, MM_FAULT_PERMISSION);
	guest_close(g);
}
// MORE

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(protect_after_a_snapshot),
		// TESTS
	};
	return run_geometry_tests("leaves", tests, MM_ARRAY_SIZE(tests));
}
