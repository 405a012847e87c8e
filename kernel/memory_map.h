/*
 * The boot memory map, as firmware tells it: is it possible, and which of it is ours to use?
 */
#ifndef KERNEL_MEMORY_MAP_H
#define KERNEL_MEMORY_MAP_H

#include <stddef.h>

#include "boot_info.h"
#include "mm/addr.h"

/* NULL if the map makes sense; else what is wrong, as a sentence. */
const char *memory_map_check(const struct boot_info *info);

/* RAM minus everything reserved, as whole frames: sorted, disjoint ranges. Answers how many,
 * at most `most`: ranges beyond that many are left unused. Frame 0 is never among them. */
size_t memory_map_usable(const struct boot_info *info, struct hpa_range out[], size_t most);

#endif
