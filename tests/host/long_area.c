/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The area map at length: AREA_OPS operations (10 million) on maps of 1 to 100,000 areas, built in
 * orders that split nodes in all ways, and then changed where it is hardest for the tree: at the
 * ends of its leaves, in full leaves, and over many leaves at once. The HAL refuses frames at
 * random.
 *
 * The model is an array with a word per page. After each operation it is compared with the map
 * around the range, and every node on the ways to the range's ends is checked, with the neighbours
 * of each; from time to time, everything. Each operation must take its frames from its reservation
 * alone, and each frame must be a node, or come back.
 *
 *	AREA_OPS=1000000000   so many
 *	AREA_SEED=7           another run; it is printed
 *
 * build/host/small/long_area is the same program on a library whose nodes have few slots, so
 * that trees are high.
 */
#include "area_check.h"
#include "check.h"
#include "soak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPACING     4 /* pages from one place for an area to the next */
#define MOST_AREAS  100000
#define HOST_PAGES  (1U << 24)
#define REFUSE_EACH 16 /* one operation of so many meets a HAL that refuses */

/* A word of the model: 0 is a hole. A linear page has its host page as well. */
#define PRESENT   UINT32_C(0x8)
#define LINEAR    UINT32_C(0x10)
#define KIND      UINT32_C(0x1f) /* with the permissions in the lowest three bits */
#define HOST_UNIT UINT32_C(0x20)

struct world {
	struct hal_test *hal;
	struct mm_area_map map;
	uint32_t *page;
	unsigned pages;
	size_t areas; /* in the model */
	struct rng rng;
	uint64_t done, of;
	uint64_t refused;   /* reservations */
	uint64_t too_high;  /* refused because the tree is as high as it can be */
	unsigned most;      /* frames that one operation took */
	unsigned highest;   /* tree */
	unsigned unchecked; /* operations since everything was checked */
	struct soak soak;
};

enum op {
	INSERT,
	CUT,
	REPLACE,
	PROTECT,
	SET_HOST,
};

/* --- the model --- */

static bool continues(uint32_t low, uint32_t high)
{
	uint32_t step = low & LINEAR ? HOST_UNIT : 0;
	return (low & PRESENT) != 0 && high == low + step;
}

/* Does an area begin at this page? */
static bool begins(const struct world *w, unsigned page)
{
	return page < w->pages && w->page[page] != 0 &&
	       (page == 0 || !continues(w->page[page - 1], w->page[page]));
}

static size_t begin_in(const struct world *w, unsigned first, unsigned end)
{
	size_t n = 0;
	for (unsigned page = first; page < end; page++)
		n += begins(w, page);
	return n;
}

static bool is_free(const struct world *w, unsigned first, unsigned n)
{
	for (unsigned page = first; page < first + n; page++) {
		if (w->page[page] != 0)
			return false;
	}
	return true;
}

/* Are these pages of one linear area? */
static bool is_one_linear(const struct world *w, unsigned first, unsigned n)
{
	for (unsigned page = first + 1; page < first + n; page++) {
		if (!continues(w->page[page - 1], w->page[page]))
			return false;
	}
	return (w->page[first] & LINEAR) != 0;
}

/* The permissions of `word`, and for SET_HOST its host page, are what the operation gives. */
static void model_apply(struct world *w, enum op op, unsigned first, unsigned n, uint32_t word)
{
	w->areas -= begin_in(w, first, first + n + 1);
	for (unsigned page = first; page < first + n; page++) {
		uint32_t *at = &w->page[page];
		uint32_t host = word & LINEAR ? (word & ~KIND) + (page - first) * HOST_UNIT : 0;
		if (op == CUT)
			*at = 0;
		else if (op == INSERT || op == REPLACE)
			*at = (word & KIND) | host;
		else if (op == SET_HOST)
			*at = (*at & KIND) | host;
		else if (*at != 0)
			*at = (*at & ~(uint32_t)MM_RWX) | (word & MM_RWX);
	}
	w->areas += begin_in(w, first, first + n + 1);
}

/* --- comparing --- */

/* The area is what the model has in its pages [from, end), and ends where the model says. */
static void check_area(const struct world *w, const struct mm_area *area, unsigned from,
                       unsigned end)
{
	unsigned first = (unsigned)(area->range.start.raw / MM_PAGE_SIZE);
	unsigned after = first + (unsigned)(area->range.size / MM_PAGE_SIZE);
	uint32_t word = w->page[first];

	CHECK(after <= w->pages);
	CHECK(begins(w, first));
	CHECK_EQ(area->perm, word & MM_RWX);
	CHECK_EQ(area->backend, word & LINEAR ? MM_AREA_LINEAR : MM_AREA_ALLOC);
	if (word & LINEAR)
		CHECK_EQ(area->host.raw / MM_PAGE_SIZE, word / HOST_UNIT);
	from = from > first + 1 ? from : first + 1;
	for (unsigned page = from; page < end && page < after; page++)
		CHECK(continues(w->page[page - 1], w->page[page]));
	CHECK(after == w->pages || !continues(w->page[after - 1], w->page[after]));
}

/* All areas that meet the pages [from, end), and the holes between. */
static void check_pages(const struct world *w, unsigned from, unsigned end)
{
	for (unsigned page = from; page < end;) {
		mm_gpa_t gpa = mm_gpa_at(page * MM_PAGE_SIZE);
		const struct mm_area *area = mm_area_first_from(&w->map, gpa);
		CHECK(mm_area_find(&w->map, gpa) ==
		      (area && mm_gpa_range_contains(area->range, gpa) ? area : NULL));
		uint64_t next = area ? area->range.start.raw / MM_PAGE_SIZE : end;
		for (; page < next && page < end; page++)
			CHECK_EQ(w->page[page], 0);
		if (page == end)
			return;
		check_area(w, area, page, end);
		page = (unsigned)(mm_area_last(area) / MM_PAGE_SIZE) + 1;
	}
}

/* --- the nodes on the way to a page --- */

static void check_leaf_alone(const struct mm_area_slots *leaf)
{
	unsigned count = leaf->head->count;
	uint64_t gap = 0;

	CHECK(count <= leaf->capacity);
	for (unsigned i = 0; i < leaf->capacity; i++) {
		if (leaf->starts[i] != (i < count ? leaf->areas[i].range.start.raw : UINT64_MAX))
			check_failed(__FILE__, __LINE__, "slot %u of %u", i, count);
		if (i == 0 || i >= count)
			continue;
		uint64_t last = mm_area_last(&leaf->areas[i - 1]);
		CHECK(leaf->starts[i] > last);
		gap = leaf->starts[i] - last - 1 > gap ? leaf->starts[i] - last - 1 : gap;
	}
	CHECK_EQ(leaf->head->gap, gap);
	if (count > 0)
		CHECK_EQ(leaf->head->last, mm_area_last(&leaf->areas[count - 1]));
}

/* Checks the node itself, and children slot - 1 to slot + 1. */
static void check_inner_alone(const struct mm_area_inner *inner, unsigned slot)
{
	unsigned count = inner->head.count;
	uint64_t gap = 0;

	CHECK(count > 0 && count <= MM_AREA_INNER_SLOTS);
	for (unsigned i = 0; i < count; i++) {
		CHECK(i == 0 || inner->starts[i] > inner->starts[i - 1]);
		gap = inner->gaps[i] > gap ? inner->gaps[i] : gap;
	}
	for (unsigned i = count; i < MM_AREA_INNER_SLOTS; i++)
		CHECK_EQ(inner->starts[i], UINT64_MAX);
	CHECK_EQ(inner->head.gap, gap);
	CHECK_EQ(inner->head.last, inner->children[count - 1]->head.last);
	for (unsigned i = slot > 0 ? slot - 1 : 0; i < count && i <= slot + 1; i++) {
		const struct mm_area_node *child = inner->children[i];
		uint64_t hole = i + 1 < count ? inner->starts[i + 1] - child->head.last - 1 : 0;
		CHECK(child->head.count > 0);
		CHECK_EQ(inner->starts[i], child->leaf.starts[0]);
		CHECK_EQ(inner->gaps[i], hole > child->head.gap ? hole : child->head.gap);
	}
}

static void check_way(const struct mm_area_map *map, const struct mm_area_path *path)
{
	check_leaf_alone(&path->leaf);
	for (unsigned level = 1; level < map->height; level++)
		check_inner_alone(&path->nodes[level]->inner, path->slots[level]);
	CHECK(map->height < 2 || map->root->head.count > 1);
	CHECK(map->height <= MM_AREA_MAX_HEIGHT);
	CHECK((map->height == 0) == (map->root == NULL));
}

static void check_ways(const struct world *w, unsigned first, unsigned n)
{
	const unsigned pages[] = {first > 0 ? first - 1 : 0, first, first + n};
	const struct mm_area_head *seen = NULL;
	struct mm_area_path path;
	for (unsigned i = 0; i < MM_ARRAY_SIZE(pages); i++) {
		mm_area_descend(&w->map, pages[i] * MM_PAGE_SIZE, &path);
		if (path.leaf.head != seen)
			check_way(&w->map, &path);
		seen = path.leaf.head;
	}
}

static void check_all(struct world *w)
{
	w->unchecked = 0;
	area_check_map(&w->map, w->hal);
	check_pages(w, 0, w->pages);
	CHECK_EQ(begin_in(w, 0, w->pages), w->map.count);
}

/* --- one operation --- */

static struct mm_area area_of(unsigned first, unsigned n, uint32_t word)
{
	struct mm_area area = alloc_area(first, n, (enum mm_perm)(word & MM_RWX));
	if (word & LINEAR) {
		area.backend = MM_AREA_LINEAR;
		area.host = mm_hpa_at(word / HOST_UNIT * MM_PAGE_SIZE);
	}
	return area;
}

static enum mm_error reserve(struct world *w, enum op op, struct mm_gpa_range range,
                             struct mm_area_path *place, struct mm_area_reservation *reserved)
{
	if (op != INSERT)
		return mm_area_reserve(&w->map, range, reserved);
	CHECK(mm_area_place(&w->map, range, place));
	return mm_area_reserve_place(&w->map, place, reserved);
}

static void change(struct world *w, enum op op, const struct mm_area *area,
                   struct mm_area_path *place, struct mm_area_reservation *reserved)
{
	switch (op) {
	case INSERT:
		mm_area_insert(&w->map, place, area, reserved);
		break;
	case CUT:
		mm_area_remove(&w->map, area->range, reserved);
		break;
	case REPLACE:
		mm_area_replace(&w->map, area, reserved);
		break;
	case PROTECT:
		mm_area_protect(&w->map, area->range, (enum mm_perm)area->perm, reserved);
		break;
	case SET_HOST:
		mm_area_set_host(&w->map, area->range, area->host, reserved);
		break;
	}
}

/* Lets the HAL refuse at times; then nothing has changed, and the next try is served. False: the
 * tree has reached its greatest height. */
static bool reserve_sometimes(struct world *w, enum op op, struct mm_gpa_range range,
                              struct mm_area_path *place, struct mm_area_reservation *reserved)
{
	size_t frames = w->map.frames;

	if (rng_below(&w->rng, REFUSE_EACH) == 0)
		hal_test_fail_after(w->hal, 1 + rng_below(&w->rng, 3));
	enum mm_error err = reserve(w, op, range, place, reserved);
	hal_test_fail_after(w->hal, 0);
	if (err != MM_OK) {
		CHECK_ERR(err, MM_NO_MEMORY);
		CHECK_EQ(reserved->count, 0);
		CHECK_EQ(w->hal->in_use, frames);
		w->refused++;
		err = reserve(w, op, range, place, reserved);
	}
	CHECK_EQ(w->map.frames, frames);
	CHECK_EQ(w->hal->in_use, frames + reserved->count);
	if (err == MM_OK)
		return true;
	CHECK_EQ(w->map.height, MM_AREA_MAX_HEIGHT);
	w->too_high++;
	return false;
}

static void apply(struct world *w, enum op op, unsigned first, unsigned n, uint32_t word)
{
	struct mm_area area = area_of(first, n, word);
	struct mm_area_reservation reserved;
	struct mm_area_path place;
	size_t areas = w->map.count;

	check_context("%u pages, operation %" PRIu64 ": %d of %u+%u, word %#x", w->pages, w->done,
	              op, first, n, word);
	mm_area_reservation_init(&reserved);
	if (!reserve_sometimes(w, op, area.range, &place, &reserved))
		return;
	unsigned held = reserved.count;
	uint64_t requests = w->hal->requests;
	change(w, op, &area, &place, &reserved);
	CHECK_EQ(w->hal->requests, requests);
	CHECK(reserved.count <= held);
	if (op == INSERT) /* exact: all of it, or nothing where it joins a neighbour */
		CHECK_EQ(reserved.count, w->map.count > areas ? 0 : held);
	CHECK_EQ(w->hal->in_use, w->map.frames + reserved.count);
	w->most = held - reserved.count > w->most ? held - reserved.count : w->most;
	w->highest = w->map.height > w->highest ? w->map.height : w->highest;
	mm_area_release(&w->map, &reserved);
	CHECK_EQ(w->hal->in_use, w->map.frames);

	model_apply(w, op, first, n, word);
	CHECK_EQ(w->map.count, w->areas);
	check_pages(w, first > 0 ? first - 1 : 0, first + n < w->pages ? first + n + 1 : w->pages);
	check_ways(w, first, n);
	if (++w->unchecked > 300 + w->map.count / 4)
		check_all(w);
	if (++w->done % 4096 == 0)
		soak_tell(&w->soak, w->done);
}

/* --- shapes --- */

static uint32_t some_word(struct world *w)
{
	uint32_t word = PRESENT | (uint32_t)rng_below(&w->rng, MM_PERM_SETS);
	if (rng_below(&w->rng, 2))
		word |= LINEAR | (uint32_t)rng_below(&w->rng, HOST_PAGES) * HOST_UNIT;
	return word;
}

/* The same with other permissions. */
static uint32_t unlike(uint32_t word)
{
	return word ^ MM_R;
}

static void insert_if_free(struct world *w, unsigned first, unsigned n, uint32_t word)
{
	if (first + n <= w->pages && is_free(w, first, n))
		apply(w, INSERT, first, n, word);
}

/* The place in which area i of n comes, for each order. */
enum order {
	ASCENDING,
	DESCENDING,
	BOTH_ENDS,
	MIDDLE_OUT,
	BIT_REVERSED,
	RANDOM,
	ORDERS,
};

static unsigned reversed(unsigned i, unsigned bits)
{
	unsigned r = 0;
	for (unsigned b = 0; b < bits; b++)
		r |= (i >> b & 1) << (bits - 1 - b);
	return r;
}

/* UINT32_MAX: none. The caller goes on to the next power of two. */
static unsigned place_of(enum order order, unsigned i, unsigned n, unsigned bits, unsigned odd)
{
	unsigned half = i % 2 ? n - 1 - i / 2 : i / 2;
	switch (order) {
	case ASCENDING:
		return i < n ? i : UINT32_MAX;
	case DESCENDING:
		return i < n ? n - 1 - i : UINT32_MAX;
	case BOTH_ENDS:
		return i < n ? half : UINT32_MAX;
	case MIDDLE_OUT:
		return i < n ? (half + (n + 1) / 2) % n : UINT32_MAX;
	case BIT_REVERSED:
		i = reversed(i, bits);
		return i < n ? i : UINT32_MAX;
	default: /* a permutation of the power of two: an odd factor, and a shift that mixes */
		i = (i * odd + odd / 3) & ((1U << bits) - 1);
		i ^= i >> (bits / 2 + 1);
		return i < n ? i : UINT32_MAX;
	}
}

/* Inserts an area, or cuts what is there, at each of n places from the first one, in this order. */
static void fill(struct world *w, enum op op, enum order order, unsigned from, unsigned n)
{
	unsigned bits = 0;
	unsigned odd = (unsigned)rng_next(&w->rng) | 1;
	while (1U << bits < n)
		bits++;
	for (unsigned i = 0; i < 1U << bits && w->done < w->of; i++) {
		unsigned place = place_of(order, i, n, bits, odd);
		unsigned page = (from + place) * SPACING + 1;
		if (place == UINT32_MAX || page + SPACING > w->pages)
			continue;
		if (op == CUT)
			apply(w, CUT, page, SPACING, 0);
		else
			insert_if_free(w, page, 1 + place % 2, some_word(w));
	}
}

static unsigned some_page(struct world *w)
{
	return (unsigned)rng_below(&w->rng, w->pages);
}

static void random_op(struct world *w, unsigned longest)
{
	unsigned first = some_page(w), n = 1 + (unsigned)rng_below(&w->rng, longest);
	enum op op = (enum op)rng_below(&w->rng, 5);
	n = n < w->pages - first ? n : w->pages - first;
	if (op == SET_HOST && !is_one_linear(w, first, n))
		op = PROTECT;
	if (op == INSERT && !is_free(w, first, n))
		op = REPLACE;
	apply(w, op, first, n, op == SET_HOST ? some_word(w) | LINEAR : some_word(w));
}

/* The pages of a leaf's first area and of its last one. False: there is no area. */
static bool ends_of_leaf(const struct world *w, unsigned page, unsigned *first, unsigned *last)
{
	struct mm_area_path path;
	mm_area_descend(&w->map, page * MM_PAGE_SIZE, &path);
	if (path.leaf.head->count == 0)
		return false;
	*first = (unsigned)(path.leaf.starts[0] / MM_PAGE_SIZE);
	*last = (unsigned)(path.leaf.head->last / MM_PAGE_SIZE);
	return true;
}

/* Adds areas in the holes of this page's leaf, until it is full or has no hole; it may split. */
static void fill_leaf(struct world *w, unsigned at)
{
	unsigned first, last;
	struct mm_area_path path;
	if (!ends_of_leaf(w, at, &first, &last))
		return;
	for (unsigned page = first; page < last && w->done < w->of; page++) {
		mm_area_descend(&w->map, first * MM_PAGE_SIZE, &path);
		if (path.leaf.head->count == path.leaf.capacity)
			return;
		if (w->page[page] == 0)
			apply(w, INSERT, page, 1, unlike(w->page[page - 1] & KIND & ~LINEAR));
	}
}

/* Replaces the first area of a leaf, beside a full leaf. */
static void first_of_leaf(struct world *w)
{
	unsigned first, last;
	if (!ends_of_leaf(w, some_page(w), &first, &last) || first == 0)
		return;
	fill_leaf(w, first - 1);
	if (last > first + 6)
		apply(w, CUT, first + 3, last - first < 40 ? 3 : 20, 0);
	apply(w, REPLACE, first, 1, unlike(some_word(w)));
}

/* Changes a range from inside one full leaf to inside another. */
static void across_full_leaves(struct world *w, unsigned most)
{
	unsigned a = some_page(w), b = a + (unsigned)rng_below(&w->rng, most);
	unsigned first, last;
	b = b < w->pages ? b : w->pages - 1;
	fill_leaf(w, a);
	fill_leaf(w, b);
	/* An area of two pages across each end, so that both are cut. */
	if (b > a + 2 && rng_below(&w->rng, 2)) {
		if (w->page[a] && a > 0 && w->page[a - 1])
			apply(w, REPLACE, a - 1, 2, some_word(w));
		if (w->page[b] && b + 2 < w->pages)
			apply(w, REPLACE, b, 2, some_word(w));
	} else if (ends_of_leaf(w, a, &first, &last) && last > a && last < b) {
		a = last; /* exactly from the end of a leaf, or right after it */
		a += (unsigned)rng_below(&w->rng, 2);
	}
	enum op op = (enum op[]){PROTECT, PROTECT, REPLACE, CUT}[rng_below(&w->rng, 4)];
	apply(w, op, a, b + 1 - a, some_word(w));
}

static void every_other(struct world *w, enum order order, unsigned areas)
{
	unsigned window = areas < 4000 ? areas : 4000;
	unsigned from = (unsigned)rng_below(&w->rng, areas - window + 1);
	for (unsigned i = from; i < from + window && w->done < w->of; i += 2)
		apply(w, CUT, i * SPACING + 1, 2, 0);
	fill(w, INSERT, order, from, window);
}

/* Something over thousands of areas, and then new ones there. */
static void wide(struct world *w, enum order order, unsigned areas)
{
	unsigned n = 1 + (unsigned)rng_below(&w->rng, areas);
	unsigned from = (unsigned)rng_below(&w->rng, areas - n + 1);
	unsigned first = from * SPACING + (unsigned)rng_below(&w->rng, 3);
	unsigned end = (from + n) * SPACING + (unsigned)rng_below(&w->rng, 3);
	enum op op = (enum op[]){REPLACE, REPLACE, CUT, PROTECT}[rng_below(&w->rng, 4)];
	unsigned in_leaf, last;
	if (rng_below(&w->rng, 4)) { /* right after a full leaf */
		fill_leaf(w, first);
		if (ends_of_leaf(w, first, &in_leaf, &last) && last + 1 < end && last >= first)
			first = last + 1;
	}
	apply(w, op, first, end - first, some_word(w));
	if (op == REPLACE)
		apply(w, CUT, first, end - first, 0);
	fill(w, INSERT, order, from, n);
}

/* --- episodes --- */

static void churn(struct world *w, enum order order, unsigned areas)
{
	uint64_t until = w->done + 2 * (areas > 2000 ? areas : 2000);
	until = until < w->of ? until : w->of;
	while (w->done < until) {
		switch (rng_below(&w->rng, areas > 4000 ? 40 : 12)) {
		case 0:
			every_other(w, order, areas);
			break;
		case 1:
			wide(w, order, areas);
			break;
		case 2:
			for (unsigned i = 0; i < 50 && w->done < until; i++)
				random_op(w, i == 0 ? 1 + areas / 10 : 8);
			break;
		case 3:
		case 4:
		case 5:
			across_full_leaves(w, areas < 1000 ? w->pages : 3000);
			break;
		default:
			first_of_leaf(w);
			random_op(w, 3);
		}
	}
}

static void episode(struct world *w, unsigned areas, enum order order)
{
	w->pages = (areas + 1) * SPACING + 2;
	memset(w->page, 0, w->pages * sizeof(*w->page));
	w->areas = 0;
	mm_area_map_init(&w->map, &w->hal->hal);
	fill(w, INSERT, order, 0, areas);
	check_all(w);
	churn(w, order, areas);
	check_all(w);
	fill(w, CUT, (enum order)rng_below(&w->rng, ORDERS), 0, areas);
	check_all(w);
	apply(w, CUT, 0, w->pages, 0);
	CHECK_EQ(w->map.count, 0);
	CHECK_EQ(w->hal->in_use, 0);
	mm_area_map_clear(&w->map);
}

static void areas_at_length(void **state)
{
	const unsigned sizes[] = {1,   4,     8,    9,    13,    60,        MM_AREA_LEAF_SLOTS,
	                          101, 1000,  5000, 300,  16700, 2,         MM_AREA_LEAF_SLOTS + 1,
	                          250, 28617, 20,   2500, 500,   MOST_AREAS};
	uint64_t seed = soak_setting("AREA_SEED", 1);
	uint64_t of = soak_setting("AREA_OPS", 10000000);
	struct world w = {
		.hal = hal_test_open((struct hal_test_options){.frames = 32768, .light = true}),
		.page = calloc((MOST_AREAS + 2) * SPACING, sizeof(*w.page)),
		.rng = rng_seeded(seed),
		.of = of,
		.soak = soak_begin(of, "areas, %u slots a leaf, seed %" PRIu64, MM_AREA_LEAF_SLOTS,
	                           seed),
	};
	(void)state;
	for (unsigned i = 0; w.done < w.of; i++)
		episode(&w, sizes[i % MM_ARRAY_SIZE(sizes)],
		        (enum order)((i + i / MM_ARRAY_SIZE(sizes)) % ORDERS));
	printf("# seed %" PRIu64 ": %" PRIu64
	       " operations, trees up to %u high, up to %u frames in one, "
	       "%" PRIu64 " reservations refused, %" PRIu64 " for height\n",
	       seed, w.done, w.highest, w.most, w.refused, w.too_high);
	CHECK(of < 5000000 || (w.refused > 1000 && w.highest >= 3 && w.most >= 3));
	soak_end(&w.soak, w.done);
	free(w.page);
	hal_test_close(w.hal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_at_length),
	};
	return cmocka_run_group_tests_name("area at length", tests, NULL, NULL);
}
