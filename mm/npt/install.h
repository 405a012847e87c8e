/*
 * What faults ask of a table: see install.c. All of it [shared], each CPU with counts of its own.
 */
#ifndef MM_NPT_INSTALL_H
#define MM_NPT_INSTALL_H

#include "mm/npt/npt.h"
#include "mm/npt/walk.h"

/*
 * Maps the page at gpa, where a walk has found nothing (slot->value is 0), as `mapping` says of
 * the range around it: with the largest leaf that fits there, and smaller ones where no block is
 * free. *slot becomes the new leaf. MM_BUSY: the entry has changed meanwhile, walk again.
 * MM_NO_MEMORY, MM_QUOTA.
 */
enum mm_error npt_install(struct npt *npt, struct npt_counts *counts, struct npt_slot *slot,
                          gpa_t gpa, const struct npt_mapping *mapping) must_check;

/* A fault has found its page present and permitted: another CPU was faster, or this one's TLB
 * still holds that there was nothing. Formats that allow the latter get a flush of the page. */
void npt_forget_absence(struct npt *npt, struct npt_counts *counts, gpa_t gpa);

#endif
