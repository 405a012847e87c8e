/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A software walk of a guest's own page tables: SDM vol. 3, ch. 4. It reads the tables through
 * the guest's address space, and does not change their accessed and dirty bits.
 */
#ifndef X86_STAGE1_H
#define X86_STAGE1_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/aspace.h"

struct stage1 {
	struct mm_aspace *as;
	uint64_t cr0, cr3, cr4, efer;
	bool user;        /* CPL is 3 */
	bool access_user; /* RFLAGS.AC: SMAP permits supervisor data accesses to user pages */
	/* What is reserved in the guest's entries: see x86_stage1_limits(). */
	bool no_gib_pages;    /* PS in an entry that covers 1 GiB */
	uint8_t address_bits; /* of an entry; higher ones, up to 51, are reserved. 0: none is */
};

/* Fills in what depends on the CPU. */
void x86_stage1_limits(struct stage1 *out);

/* MM_NOT_MAPPED or MM_DENIED if the access raises a page fault in the guest; the errors of
 * mm_aspace_load() if a table cannot be read. */
enum mm_error stage1_translate(const struct stage1 *s, mm_gva_t gva, enum mm_perm access,
                               mm_gpa_t *out) MM_MUST_CHECK;

enum stage1_fault {
	STAGE1_NO_FAULT, /* or a table cannot be read */
	STAGE1_PAGE_FAULT,
	STAGE1_NOT_CANONICAL, /* #GP or #SS with the error code 0 */
};

/* What the access raises in the guest. `*code`: the error code of the page fault. */
enum stage1_fault stage1_fault(const struct stage1 *s, mm_gva_t gva, enum mm_perm access,
                               uint32_t *code);

#endif
