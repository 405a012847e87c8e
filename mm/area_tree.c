/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The B+ tree of areas: descent, insertion with splits, removal with merges, and the summaries of
 * nodes (first start, last byte, largest hole), which every change updates along its path.
 *
 * A change writes to one leaf, and to its ancestors as far up as their summaries change. A node is
 * searched for its largest hole only if that hole has become smaller.
 *
 * A node is split at its end if the new entry goes there, so that areas added in ascending order
 * fill the nodes; otherwise in the middle. A node that is at most a quarter full is merged with a
 * neighbour if both fit in half a node, so that the next insertion does not split it again.
 */
#include "mm/area_tree.h"
#include "mm/bits.h"

#include "mm/assert.h"

/* --- moving entries --- */

static void move_words(uint64_t *to, const uint64_t *from, unsigned n)
{
	mm_move_bytes(to, from, n * sizeof(*to));
}

static void move_areas(struct mm_area *to, const struct mm_area *from, unsigned n)
{
	mm_move_bytes(to, from, n * sizeof(*to));
}

static void move_children(struct mm_area_node **to, struct mm_area_node *const *from, unsigned n)
{
	mm_move_bytes(to, from, n * sizeof(*to));
}

static void fill_unused(uint64_t *starts, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		starts[i] = UINT64_MAX;
}

/* --- frames --- */

/* A wrong number of frames must not become an index. */
static struct mm_area_node *take_node(struct mm_area_map *map, struct mm_area_reservation *reserved)
{
	MM_REQUIRE(map->hal, reserved->count > 0 && reserved->count <= MM_AREA_RESERVATION_FRAMES);
	map->frames++;
	return mm_hal_to_virt(map->hal, reserved->frames[--reserved->count]);
}

/* Straight to the HAL: no change needs a frame after it has freed a node. */
static void node_free(struct mm_area_map *map, struct mm_area_node *node)
{
	mm_hpa_t frame = mm_hal_to_phys(map->hal, node);
	map->frames--;
	map->hal->free(map->hal->ctx, 0, 1, &frame);
}

/* Depth first. The path is the stack. A leaf is freed when its parent steps to it. */
void mm_area_free_nodes(struct mm_area_map *map)
{
	struct mm_area_node *nodes[MM_AREA_MAX_HEIGHT];
	unsigned next[MM_AREA_MAX_HEIGHT];

	if (map->height == 0)
		return;
	unsigned level = map->height - 1;
	nodes[level] = map->root;
	next[level] = 0;
	for (;;) {
		if (level > 0 && next[level] < nodes[level]->head.count) {
			struct mm_area_node *child = nodes[level]->inner.children[next[level]++];
			nodes[--level] = child;
			next[level] = 0;
			continue;
		}
		node_free(map, nodes[level]);
		if (++level == map->height)
			break;
	}
	map->root = NULL;
	map->height = 0;
}

/* --- descent, and steps to the next area --- */

static struct mm_area_slots slots_of_leaf(struct mm_area_leaf *leaf)
{
	return (struct mm_area_slots){&leaf->head, leaf->starts, leaf->areas, MM_AREA_LEAF_SLOTS};
}

/* Readers and writers use the same paths. Only writers, which have a map that is not const, store.
 */
static struct mm_area_slots slots_of_map(const struct mm_area_map *map)
{
	struct mm_area_map *own = (struct mm_area_map *)(uintptr_t)map;
	return (struct mm_area_slots){&own->head, own->starts, own->first, MM_AREA_INLINE};
}

void mm_area_descend(const struct mm_area_map *map, uint64_t key, struct mm_area_path *path)
{
	/* Unused slots start at 2^64 - 1, and no page does. */
	key = mm_align_down(key, MM_PAGE_SIZE);
	if (map->height == 0) {
		path->leaf = slots_of_map(map);
		path->slot = mm_area_inline_slot(map->starts, key);
		return;
	}
	struct mm_area_node *node = map->root;
	for (unsigned level = map->height - 1; level > 0; level--) {
		unsigned slot = mm_area_inner_slot(node->inner.starts, key);
		path->nodes[level] = node;
		path->slots[level] = slot;
		node = node->inner.children[slot];
	}
	path->nodes[0] = node;
	path->leaf = slots_of_leaf(&node->leaf);
	path->slot = mm_area_leaf_slot(node->leaf.starts, key);
}

/* The lowest level at which the path has a next slot; map->height if there is none. */
static unsigned level_to_step(const struct mm_area_map *map, const struct mm_area_path *path)
{
	unsigned level = 1;
	while (level < map->height && path->slots[level] + 1 >= path->nodes[level]->head.count)
		level++;
	return level;
}

const struct mm_area *mm_area_after(const struct mm_area_map *map, const struct mm_area_path *path)
{
	if (path->slot + 1 < path->leaf.head->count)
		return &path->leaf.areas[path->slot + 1];
	unsigned level = level_to_step(map, path);
	if (level >= map->height)
		return NULL;
	const struct mm_area_node *node =
		path->nodes[level]->inner.children[path->slots[level] + 1];
	while (--level > 0)
		node = node->inner.children[0];
	return &node->leaf.areas[0];
}

bool mm_area_path_next(const struct mm_area_map *map, struct mm_area_path *path)
{
	if (++path->slot < path->leaf.head->count)
		return true;
	unsigned level = level_to_step(map, path);
	if (level >= map->height)
		return false;
	path->slots[level]++;
	for (; level > 0; level--) {
		path->nodes[level - 1] = path->nodes[level]->inner.children[path->slots[level]];
		path->slots[level - 1] = 0;
	}
	path->leaf = slots_of_leaf(&path->nodes[0]->leaf);
	path->slot = 0;
	return true;
}

/* --- holes and summaries --- */

static uint64_t hole_after(const struct mm_area_slots *leaf, unsigned slot)
{
	return leaf->starts[slot + 1] - mm_area_last(&leaf->areas[slot]) - 1;
}

/* The largest hole between neighbours in slots [from, to] that exist. */
static uint64_t largest_hole(const struct mm_area_slots *leaf, unsigned from, unsigned to)
{
	uint64_t largest = 0;
	for (unsigned i = from; i < to && i + 1 < leaf->head->count; i++) {
		uint64_t hole = hole_after(leaf, i);
		largest = hole > largest ? hole : largest;
	}
	return largest;
}

static uint64_t largest_gap(const struct mm_area_inner *inner)
{
	uint64_t largest = 0;
	for (unsigned i = 0; i < inner->head.count; i++)
		largest = inner->gaps[i] > largest ? inner->gaps[i] : largest;
	return largest;
}

/* Updates the summary of a leaf. `before`: the largest hole around the change, before it. */
static void leaf_settle(struct mm_area_slots *leaf, uint64_t before, uint64_t after)
{
	struct mm_area_head *head = leaf->head;
	if (after >= head->gap)
		head->gap = after;
	else if (before == head->gap)
		head->gap = largest_hole(leaf, 0, head->count);
	head->last = head->count ? mm_area_last(&leaf->areas[head->count - 1]) : 0;
}

static void leaf_summarise(struct mm_area_leaf *leaf)
{
	struct mm_area_slots slots = slots_of_leaf(leaf);
	leaf->head.gap = largest_hole(&slots, 0, leaf->head.count);
	leaf->head.last = mm_area_last(&leaf->areas[leaf->head.count - 1]);
}

/* The right value of gaps[slot]. */
static uint64_t child_gap(const struct mm_area_inner *inner, unsigned slot)
{
	const struct mm_area_head *child = &inner->children[slot]->head;
	if (slot + 1 == inner->head.count)
		return child->gap;
	uint64_t hole = inner->starts[slot + 1] - child->last - 1;
	return hole > child->gap ? hole : child->gap;
}

/* After entries were added or removed: gaps[] is right, except that of the last child. */
static void inner_summarise(struct mm_area_inner *inner)
{
	unsigned last = inner->head.count - 1;
	inner->gaps[last] = child_gap(inner, last);
	inner->head.gap = largest_gap(inner);
	inner->head.last = inner->children[last]->head.last;
}

static void inner_settle_gap(struct mm_area_inner *inner, unsigned slot)
{
	uint64_t before = inner->gaps[slot];
	uint64_t after = child_gap(inner, slot);
	inner->gaps[slot] = after;
	if (after >= inner->head.gap)
		inner->head.gap = after;
	else if (before == inner->head.gap)
		inner->head.gap = largest_gap(inner);
}

/* The summary of the node at `level` may have changed: updates its ancestors, as far up as theirs
 * change. */
static void tell_ancestors(struct mm_area_map *map, struct mm_area_path *path, unsigned level)
{
	for (; level + 1 < map->height; level++) {
		uint64_t start = path->nodes[level]->leaf.starts[0];
		struct mm_area_inner *inner = &path->nodes[level + 1]->inner;
		struct mm_area_head before = inner->head;
		unsigned slot = path->slots[level + 1];
		bool first_moved = slot == 0 && inner->starts[0] != start;

		if (inner->starts[slot] != start) {
			inner->starts[slot] = start;
			if (slot > 0)
				inner_settle_gap(inner, slot - 1);
		}
		inner_settle_gap(inner, slot);
		inner->head.last = inner->children[inner->head.count - 1]->head.last;
		if (!first_moved && inner->head.last == before.last &&
		    inner->head.gap == before.gap)
			return;
	}
}

/* --- splitting --- */

static void inner_open(struct mm_area_inner *inner, unsigned slot, struct mm_area_node *child)
{
	unsigned count = inner->head.count;
	move_words(&inner->starts[slot + 1], &inner->starts[slot], count - slot);
	move_words(&inner->gaps[slot + 1], &inner->gaps[slot], count - slot);
	move_children(&inner->children[slot + 1], &inner->children[slot], count - slot);
	inner->starts[slot] = child->leaf.starts[0];
	inner->children[slot] = child;
	inner->head.count = count + 1;
	inner->gaps[slot] = child_gap(inner, slot);
	if (slot > 0)
		inner->gaps[slot - 1] = child_gap(inner, slot - 1);
	inner_summarise(inner);
}

/* Moves a leaf's entries from slot `at` on to an empty leaf. */
static void leaf_move_tail(struct mm_area_leaf *from, unsigned at, struct mm_area_leaf *to)
{
	unsigned moved = from->head.count - at;
	move_words(to->starts, &from->starts[at], moved);
	move_areas(to->areas, &from->areas[at], moved);
	fill_unused(to->starts, moved, MM_AREA_LEAF_SLOTS);
	fill_unused(from->starts, at, MM_AREA_LEAF_SLOTS);
	to->head.count = moved;
	from->head.count = at;
	leaf_summarise(from);
	leaf_summarise(to);
}

static void inner_move_tail(struct mm_area_inner *from, unsigned at, struct mm_area_inner *to)
{
	unsigned moved = from->head.count - at;
	move_words(to->starts, &from->starts[at], moved);
	move_words(to->gaps, &from->gaps[at], moved);
	move_children(to->children, &from->children[at], moved);
	fill_unused(to->starts, moved, MM_AREA_INNER_SLOTS);
	fill_unused(from->starts, at, MM_AREA_INNER_SLOTS);
	to->head.count = moved;
	from->head.count = at;
	inner_summarise(from);
	inner_summarise(to);
}

/* Splits the full node at `level` of the path. Its parent has a free slot. */
static void split_node(struct mm_area_map *map, struct mm_area_path *path, unsigned level,
                       uint64_t key, struct mm_area_reservation *reserved)
{
	struct mm_area_node *left = path->nodes[level];
	struct mm_area_node *right = take_node(map, reserved);
	unsigned count = left->head.count;
	const uint64_t *starts = level == 0 ? left->leaf.starts : left->inner.starts;
	unsigned at = starts[count - 1] < key ? count - 1 : count / 2;

	if (level == 0)
		leaf_move_tail(&left->leaf, at, &right->leaf);
	else
		inner_move_tail(&left->inner, at, &right->inner);
	inner_open(&path->nodes[level + 1]->inner, path->slots[level + 1] + 1, right);
}

/* Puts a new root above the old one, which is its only child until it is split. */
static void grow_root(struct mm_area_map *map, struct mm_area_path *path,
                      struct mm_area_reservation *reserved)
{
	struct mm_area_node *root = take_node(map, reserved);
	root->head.count = 0;
	fill_unused(root->inner.starts, 0, MM_AREA_INNER_SLOTS);
	inner_open(&root->inner, 0, map->root);
	path->nodes[map->height] = root;
	path->slots[map->height] = 0;
	map->root = root;
	map->height++;
}

/* The slots in the map are full: moves the areas to the first node of a tree. */
static void plant_tree(struct mm_area_map *map, struct mm_area_reservation *reserved)
{
	struct mm_area_node *node = take_node(map, reserved);
	move_words(node->leaf.starts, map->starts, map->head.count);
	fill_unused(node->leaf.starts, map->head.count, MM_AREA_LEAF_SLOTS);
	move_areas(node->leaf.areas, map->first, map->head.count);
	node->head = map->head;
	map->root = node;
	map->height = 1;
}

/* Splits the full leaf of the path, after those ancestors that have no free slot. */
static void make_room(struct mm_area_map *map, struct mm_area_path *path, uint64_t key,
                      struct mm_area_reservation *reserved)
{
	if (map->height == 0) {
		plant_tree(map, reserved);
		mm_area_descend(map, key, path);
		return;
	}
	unsigned full = 1; /* levels, from the leaf upwards */
	while (full < map->height && path->nodes[full]->head.count == MM_AREA_INNER_SLOTS)
		full++;
	if (full == map->height)
		grow_root(map, path, reserved);
	/* From the root down, with a new descent each time: the path may go through the new node.
	 */
	while (full-- > 0) {
		split_node(map, path, full, key, reserved);
		mm_area_descend(map, key, path);
	}
}

/* --- changes --- */

/* The leaf has enough free slots. */
static MM_ALWAYS_INLINE void put_areas(struct mm_area_map *map, struct mm_area_path *path,
                                       unsigned old, const struct mm_area *areas, unsigned n)
{
	struct mm_area_slots *leaf = &path->leaf;
	unsigned slot = path->slot;
	unsigned count = leaf->head->count;
	if (old == 0 && leaf->starts[slot] < areas[0].range.start.raw)
		slot++;
	unsigned below = slot > 0 ? slot - 1 : 0;
	uint64_t before = largest_hole(leaf, below, slot + old);

	if (n != old) {
		unsigned above = count - slot - old;
		move_words(&leaf->starts[slot + n], &leaf->starts[slot + old], above);
		move_areas(&leaf->areas[slot + n], &leaf->areas[slot + old], above);
		leaf->head->count += n - old;
		map->count += n - old;
	}
	for (unsigned i = 0; i < n; i++) {
		leaf->starts[slot + i] = areas[i].range.start.raw;
		leaf->areas[slot + i] = areas[i];
	}
	leaf_settle(leaf, before, largest_hole(leaf, below, slot + n));
	tell_ancestors(map, path, 0);
}

void mm_area_splice(struct mm_area_map *map, struct mm_area_path *path, unsigned old,
                    const struct mm_area *areas, unsigned n, struct mm_area_reservation *reserved)
{
	if (path->leaf.head->count + n - old > path->leaf.capacity)
		make_room(map, path, areas[0].range.start.raw, reserved);
	put_areas(map, path, old, areas, n);
}

void mm_area_set(struct mm_area_map *map, struct mm_area_path *path, const struct mm_area *area)
{
	put_areas(map, path, 1, area, 1);
}

/* --- removal and merging --- */

/* Removes a child that is empty, or whose entries are in its left neighbour now. */
static void inner_close(struct mm_area_inner *inner, unsigned slot)
{
	unsigned count = --inner->head.count;
	move_words(&inner->starts[slot], &inner->starts[slot + 1], count - slot);
	move_words(&inner->gaps[slot], &inner->gaps[slot + 1], count - slot);
	inner->starts[count] = UINT64_MAX;
	move_children(&inner->children[slot], &inner->children[slot + 1], count - slot);
	if (slot > 0)
		inner->gaps[slot - 1] = child_gap(inner, slot - 1);
	if (count > 0)
		inner_summarise(inner);
}

/* Appends the entries of `right` to its left neighbour, which has enough free slots. */
static void merge_leaves(struct mm_area_leaf *left, const struct mm_area_leaf *right)
{
	unsigned count = left->head.count;
	move_words(&left->starts[count], right->starts, right->head.count);
	move_areas(&left->areas[count], right->areas, right->head.count);
	left->head.count = count + right->head.count;
	leaf_summarise(left);
}

static void merge_inners(struct mm_area_inner *left, const struct mm_area_inner *right)
{
	unsigned count = left->head.count;
	move_words(&left->starts[count], right->starts, right->head.count);
	move_words(&left->gaps[count], right->gaps, right->head.count);
	move_children(&left->children[count], right->children, right->head.count);
	left->head.count = count + right->head.count;
	left->gaps[count - 1] = child_gap(left, count - 1);
	inner_summarise(left);
}

/* Merges children `slot` and `slot + 1` of a node above `level`, if they exist and fit in half a
 * node. */
static bool merge_at(struct mm_area_map *map, struct mm_area_inner *parent, unsigned slot,
                     unsigned level)
{
	if (slot + 1 >= parent->head.count)
		return false;
	struct mm_area_node *left = parent->children[slot];
	struct mm_area_node *right = parent->children[slot + 1];
	if (left->head.count + right->head.count > mm_area_node_capacity(level) / 2)
		return false;
	if (level == 0)
		merge_leaves(&left->leaf, &right->leaf);
	else
		merge_inners(&left->inner, &right->inner);
	inner_close(parent, slot + 1);
	node_free(map, right);
	return true;
}

/* After a removal: removes empty nodes, merges small ones, and removes a root with one child. */
static void shrink(struct mm_area_map *map, struct mm_area_path *path)
{
	unsigned level = 0;
	for (; level + 1 < map->height; level++) {
		struct mm_area_node *node = path->nodes[level];
		struct mm_area_inner *parent = &path->nodes[level + 1]->inner;
		unsigned slot = path->slots[level + 1];

		if (node->head.count == 0) {
			inner_close(parent, slot);
			node_free(map, node);
		} else if (node->head.count > mm_area_node_capacity(level) / 4) {
			break;
		} else {
			tell_ancestors(map, path, level);
			if (!merge_at(map, parent, slot, level) &&
			    !(slot > 0 && merge_at(map, parent, slot - 1, level)))
				break;
		}
	}
	if (path->nodes[level]->head.count > 0)
		tell_ancestors(map, path, level);

	while (map->height > 1 && map->root->head.count == 1) {
		struct mm_area_node *old = map->root;
		map->root = old->inner.children[0];
		map->height--;
		node_free(map, old);
	}
}

/* Few areas are left: moves them to the map itself, and frees the last node. */
static void fell_tree(struct mm_area_map *map)
{
	struct mm_area_node *node = map->root;
	map->head = node->head;
	move_words(map->starts, node->leaf.starts, MM_AREA_INLINE);
	for (unsigned i = 0; i < MM_AREA_INLINE; i++)
		map->first[i] = i < node->head.count ? node->leaf.areas[i] : (struct mm_area){0};
	mm_area_free_nodes(map);
}

void mm_area_drop(struct mm_area_map *map, struct mm_area_path *path, unsigned end)
{
	struct mm_area_slots *leaf = &path->leaf;
	unsigned slot = path->slot;
	unsigned count = leaf->head->count;
	unsigned dropped = end - slot;
	unsigned below = slot > 0 ? slot - 1 : 0;
	uint64_t before = largest_hole(leaf, below, end);

	move_words(&leaf->starts[slot], &leaf->starts[end], count - end);
	move_areas(&leaf->areas[slot], &leaf->areas[end], count - end);
	fill_unused(leaf->starts, count - dropped, count);
	leaf->areas[count - dropped].range.size = 0; /* mm_area_find() looks at the first one */
	leaf->head->count = count - dropped;
	leaf_settle(leaf, before, largest_hole(leaf, below, slot));
	map->count -= dropped;

	if (map->height == 0)
		return;
	shrink(map, path);
	if (map->height == 1 && map->count <= MM_AREA_INLINE / 2)
		fell_tree(map);
}
