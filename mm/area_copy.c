/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A copy of an area map: the areas as they were when a snapshot was taken.
 */
#include "mm/area_tree.h"

/* A copy of the nodes from this one down. NULL: no frame was free, and nothing was taken.
 * Recursion: the height of the tree. */
static struct mm_area_node *copy_node(struct mm_area_map *to, const struct mm_area_node *from,
                                      unsigned level);

/* Frees the first n nodes below an inner node. */
static void free_children(struct mm_area_map *map, struct mm_area_node *node, unsigned level,
                          unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct mm_area_map part = {.hal = map->hal, .frames = map->frames};

		part.root = node->inner.children[i];
		part.height = level;
		mm_area_free_nodes(&part);
		map->frames = part.frames;
	}
}

static struct mm_area_node *copy_node(struct mm_area_map *to, const struct mm_area_node *from,
                                      unsigned level)
{
	struct mm_area_node *node;
	mm_hpa_t frame;

	if (to->hal->alloc(to->hal->ctx, 0, 1, &frame) != 1)
		return NULL;
	to->frames++;
	node = mm_hal_to_virt(to->hal, frame);
	__builtin_memcpy(node, from, sizeof(*node));
	for (unsigned i = 0; level > 0 && i < from->head.count; i++) {
		node->inner.children[i] = copy_node(to, from->inner.children[i], level - 1);
		if (!node->inner.children[i]) {
			free_children(to, node, level, i);
			to->frames--;
			to->hal->free(to->hal->ctx, 0, 1, &frame);
			return NULL;
		}
	}
	return node;
}

enum mm_error mm_area_map_copy(struct mm_area_map *to, const struct mm_area_map *from)
{
	*to = *from;
	to->frames = 0;
	if (from->height == 0)
		return MM_OK;
	to->root = copy_node(to, from->root, from->height - 1);
	return to->root ? MM_OK : MM_NO_MEMORY;
}
