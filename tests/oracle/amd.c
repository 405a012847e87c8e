/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD nested paging: APM vol. 2, 15.25, on the long-mode tables of chapter 5. The walk is a loop
 * over a table of levels, root first.
 *
 * Nested tables are walked as user accesses (15.25.5): U/S has to be 1 on every level. CR0.WP does
 * not matter to user writes. EXITINFO1 (15.25.6) has the page-fault error code, U always set.
 */
#include "oracle.h"

#define VMEXIT_NPF 0x400

#define NPF_P     UINT64_C(0x01)
#define NPF_W     UINT64_C(0x02)
#define NPF_U     UINT64_C(0x04)
#define NPF_R     UINT64_C(0x08) /* a reserved bit is set */
#define NPF_ID    UINT64_C(0x10)
#define NPF_FINAL (UINT64_C(1) << 32) /* the guest's final physical address, not a table of it */

/* 5.3.3, figures 5-19 to 5-28, and 5.3.4 (PML5). Must-be-zero bits below the physical address. */
static const struct level {
	unsigned shift;
	uint64_t mbz;      /* of an entry that leads to a table; PS is clear */
	bool ps;           /* bit 7 is PS here: an entry can map a page */
	uint64_t mbz_page; /* of an entry with PS set, or of a PTE */
	unsigned pat_bit;  /* where PAT is in a page's entry */
} levels[] = {
	{48, 0x180, false, 0, 0},      /* PML5E: 8:7 MBZ */
	{39, 0x180, false, 0, 0},      /* PML4E: 8:7 MBZ */
	{30, 0, true, 0x3fffe000, 12}, /* PDPE, 1 GiB: 29:13 MBZ, 12 is PAT */
	{21, 0, true, 0x001fe000, 12}, /* PDE, 2 MiB: 20:13 MBZ, 12 is PAT */
	{12, 0, false, 0, 7},          /* PTE: 7 is PAT */
};

enum {
	ROOT_LA57 = 0,
	ROOT_LONG = 1,
	LAST = 4,
};

static struct oracle_walk *nested_fault(struct oracle_walk *walk, enum oracle_fault fault,
                                        enum oracle_access access, uint64_t error)
{
	walk->fault = fault;
	walk->code = VMEXIT_NPF;
	walk->detail = error | NPF_U | NPF_FINAL;
	if (access == ORACLE_WRITE)
		walk->detail |= NPF_W;
	if (access == ORACLE_FETCH)
		walk->detail |= NPF_ID;
	return walk;
}

/* 7.8.1, table 7-9: the eight PAT fields, one byte each. */
static enum oracle_memtype memtype_of(uint64_t pat, unsigned index)
{
	switch ((pat >> (8 * index)) & 7) {
	case 0:
		return ORACLE_UC;
	case 1:
		return ORACLE_WC;
	case 4:
		return ORACLE_WT;
	case 5:
		return ORACLE_WP;
	case 6:
		return ORACLE_WB;
	default:
		return ORACLE_UC_MINUS; /* 7; 2 and 3 cannot be written into the register */
	}
}

/* 5.3.3: bits 51:12, of which those from the physical width up are MBZ; 63 is NX (5.6.1). */
static uint64_t must_be_zero(const struct oracle_amd *regs, const struct level *l, bool page)
{
	uint64_t mbz = page ? l->mbz_page : l->mbz;

	mbz |= (UINT64_C(0x000fffffffffffff) >> regs->physical_width) << regs->physical_width;
	if (!regs->nxe)
		mbz |= UINT64_C(0x8000000000000000);
	if (l->shift == 30 && page && !regs->page_1g)
		mbz |= 0x80;
	return mbz;
}

static void walk_levels(const struct oracle_amd *regs, const struct oracle_memory *memory,
                        uint64_t gpa, enum oracle_access access, struct oracle_walk *walk)
{
	uint64_t base = regs->ncr3 & UINT64_C(0x000ffffffffff000);
	bool user = true, writable = true, no_execute = false;
	uint64_t entry = 0;
	const struct level *l = NULL;

	for (unsigned i = regs->la57 ? ROOT_LA57 : ROOT_LONG; i <= LAST; i++) {
		bool page;

		l = &levels[i];
		if (!oracle_read_entry(walk, memory, base + 8 * ((gpa >> l->shift) % 512), l->shift,
		                       &entry)) {
			walk->fault = ORACLE_BUS;
			return;
		}
		if ((entry & 1) == 0) { /* P; the rest of the entry is software's */
			nested_fault(walk, ORACLE_ABSENT, access, 0);
			return;
		}
		page = i == LAST || (l->ps && (entry & 0x80) != 0);
		if (entry & must_be_zero(regs, l, page)) {
			nested_fault(walk, ORACLE_RESERVED, access, NPF_P | NPF_R);
			return;
		}
		/* 5.6: user and write access need the bit on every level; one NX forbids. */
		writable = writable && (entry & 2);
		user = user && (entry & 4);
		no_execute = no_execute || (entry >> 63) != 0;
		if (page)
			break;
		base = entry & UINT64_C(0x000ffffffffff000);
	}

	uint64_t size = UINT64_C(1) << l->shift;
	uint64_t frame = entry & UINT64_C(0x000ffffffffff000);
	unsigned pwt = (entry >> 3) & 1, pcd = (entry >> 4) & 1, pat = (entry >> l->pat_bit) & 1;

	walk->pa = frame - frame % size + gpa % size;
	walk->memtype_bits = 4 * pat + 2 * pcd + pwt;
	walk->memtype = memtype_of(regs->pat, walk->memtype_bits);
	walk->clean = (entry & 0x40) == 0;
	walk->read = user;
	walk->write = user && writable;
	walk->fetch = user && !no_execute;
	if (!(access == ORACLE_READ ? walk->read
	                            : (access == ORACLE_WRITE ? walk->write : walk->fetch)))
		nested_fault(walk, ORACLE_PERMISSION, access, NPF_P);
}

struct oracle_walk oracle_amd_walk(const struct oracle_amd *regs,
                                   const struct oracle_memory *memory, uint64_t gpa,
                                   enum oracle_access access)
{
	struct oracle_walk walk = {0};

	/* 15.25.3: VMRUN fails if nCR3 has a bit set beyond the physical width. */
	if (regs->ncr3 >> regs->physical_width != 0) {
		walk.fault = ORACLE_BAD_ROOT;
		return walk;
	}
	/* 15.25.4: the tables translate 48 bits, or 57 with LA57. */
	if (gpa >> (regs->la57 ? 57 : 48) != 0) {
		nested_fault(&walk, ORACLE_WIDTH, access, 0);
		return walk;
	}
	walk_levels(regs, memory, gpa, access, &walk);
	/* 5.4.2: A in every entry used, D in the page's entry for a write. The processor always
	 * does it: there is no control bit. Whether a walk that faults leaves A in the entries
	 * above is not said: those writes are optional. */
	for (unsigned i = 0; i < walk.step_count; i++) {
		bool last = i + 1 == walk.step_count, done = walk.fault == ORACLE_OK;

		if (last && (walk.fault == ORACLE_ABSENT || walk.fault == ORACLE_RESERVED))
			break;
		oracle_set_bits(&walk, i, last && done && access == ORACLE_WRITE ? 0x60 : 0x20,
		                !done);
	}
	return walk;
}
