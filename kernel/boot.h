/* SPDX-License-Identifier: BSD-2-Clause */
/* What main.c does with the boot information, and what it reports of the machine. */
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <stddef.h>

#include "boot_info.h"
#include "mm/addr.h"
#include "vcpu.h"

/* --- memory_map.c: is firmware's memory map possible, and which RAM is free? --- */

/* NULL if the map makes sense; else what is wrong, as a sentence. */
const char *memory_map_check(const struct boot_info *info);

/* RAM minus everything reserved, as whole frames: sorted, disjoint ranges. Answers how many, at
 * most `most`. Further ranges stay unused. Frame 0 is never among them. */
size_t memory_map_usable(const struct boot_info *info, struct mm_hpa_range out[], size_t most);

/* --- report.c: the log's lines about the machine and its virtualization extension --- */

void report_boot(const struct boot_info *info);
void report_caps(const struct virt_ops *ops, const struct virt_caps *caps);

#endif
