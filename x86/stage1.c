/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk. Table formats, each a number of levels with an index width:
 *
 *	32-bit       10 | 10 | 12            4-byte entries, 4 MiB pages with CR4.PSE
 *	PAE      2 |  9 |  9 | 12            8-byte entries, 2 MiB pages
 *	4-level  9 |  9 |  9 |  9 | 12       8-byte entries, 2 MiB and 1 GiB pages
 *	5-level  9 more on top
 */
#include "x86/stage1.h"

#include "machine/x86_64/bits.h"
#include "mm/compiler.h"

#define PTE_PRESENT BIT(0)
#define PTE_WRITE   BIT(1)
#define PTE_USER    BIT(2)
#define PTE_LARGE   BIT(7)
#define PTE_NX      BIT(63)
#define PTE_ADDRESS GENMASK(51, 12)

/* Error code of a page fault: SDM vol. 3, 4.7. */
#define FAULT_PRESENT  BIT(0)
#define FAULT_WRITE    BIT(1)
#define FAULT_USER     BIT(2)
#define FAULT_RESERVED BIT(3)
#define FAULT_FETCH    BIT(4)
#define WHY_NONE       UINT32_MAX
#define WHY_CANONICAL  (UINT32_MAX - 1)

#define CR3_TABLE_32  GENMASK(31, 12)
#define CR3_TABLE_PAE GENMASK(31, 5)

struct shape {
	unsigned levels;
	unsigned index_bits;
	unsigned entry_size;
};

/* The bits that are set in all entries of the walk, and in at least one. */
struct rights {
	uint64_t all, any;
};

static uint64_t root_of(const struct stage1 *s, struct shape shape)
{
	if (shape.entry_size == 4)
		return s->cr3 & CR3_TABLE_32;
	return s->cr3 & (shape.levels == 3 ? CR3_TABLE_PAE : PTE_ADDRESS);
}

/* Tables 4-4 to 4-6 and 4-14 to 4-18: the levels at which PS maps a large page. */
static bool is_leaf(const struct stage1 *s, struct shape shape, unsigned level, uint64_t entry)
{
	if (level == 0)
		return true;
	if (!(entry & PTE_LARGE))
		return false;
	if (shape.entry_size == 4)
		return s->cr4 & CR4_PSE;
	return level == 1 || (level == 2 && shape.levels > 3);
}

/* PS at a level without large pages, address bits that the CPU does not have, and XD without
 * EFER.NXE: tables 4-14 to 4-20. The guest takes a page fault. */
static bool is_reserved(const struct stage1 *s, struct shape shape, unsigned level, uint64_t entry)
{
	if (shape.entry_size == 4)
		return false;
	if ((entry & PTE_NX) && !(s->efer & EFER_NXE))
		return true;
	if (s->address_bits != 0 && (entry & PTE_ADDRESS) >> s->address_bits != 0)
		return true;
	if (shape.levels == 3 || !(entry & PTE_LARGE))
		return false;
	return level > 2 || (level == 2 && s->no_gib_pages);
}

/* An entry for a 4 MiB page has bits 31:22 and 39:32 of the address in 31:22 and 20:13: table 4-4.
 */
static uint64_t leaf_address(struct shape shape, unsigned shift, uint64_t entry)
{
	if (shape.entry_size == 4 && shift != MM_PAGE_SHIFT)
		return (entry & GENMASK(31, 22)) | FIELD_GET(GENMASK(20, 13), entry) << 32;
	return entry & PTE_ADDRESS & ~(BIT(shift) - 1);
}

/* 4.6.1: access rights by mode and type of access. */
static bool permitted(const struct stage1 *s, struct rights rights, enum mm_perm access)
{
	bool user_page = rights.all & PTE_USER;

	if (s->user && !user_page)
		return false;
	if (access == MM_X) {
		if (rights.any & PTE_NX)
			return false;
		return s->user || !user_page || !(s->cr4 & CR4_SMEP);
	}
	if (access == MM_W && !(rights.all & PTE_WRITE) && (s->user || (s->cr0 & CR0_WP)))
		return false;
	return s->user || !user_page || !(s->cr4 & CR4_SMAP) || s->access_user;
}

/* In 4- and 5-level mode, the bits above the highest index repeat its top bit: vol. 1, 3.3.7.1. */
static bool is_canonical(struct shape shape, uint64_t address)
{
	unsigned unused = 64 - (MM_PAGE_SHIFT + shape.levels * shape.index_bits);

	return shape.levels < 4 || (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

/* Inlined once per format, so that the format is a constant in the loop. `*why`: the bits of the
 * error code that say which entry refuses the access, or one of WHY_*. */
static MM_ALWAYS_INLINE enum mm_error walk(const struct stage1 *s, struct shape shape,
                                           uint64_t address, enum mm_perm access, mm_gpa_t *out,
                                           uint32_t *why)
{
	struct rights rights = {PTE_WRITE | PTE_USER, 0};
	uint64_t table = root_of(s, shape), entry;
	unsigned level = shape.levels, shift;

	*why = WHY_NONE;
	if (!is_canonical(shape, address)) {
		*why = WHY_CANONICAL;
		return MM_NOT_MAPPED;
	}
	do {
		shift = MM_PAGE_SHIFT + --level * shape.index_bits;

		uint64_t index = address >> shift & (BIT(shape.index_bits) - 1);
		enum mm_error err =
			mm_aspace_load(s->as, mm_gpa_at(table + index * shape.entry_size),
		                       shape.entry_size, &entry);

		if (err != MM_OK)
			return err;
		if (!(entry & PTE_PRESENT)) {
			*why = 0;
			return MM_NOT_MAPPED;
		}
		if (is_reserved(s, shape, level, entry)) {
			*why = FAULT_PRESENT | FAULT_RESERVED;
			return MM_NOT_MAPPED;
		}
		/* A PDPTE of PAE paging has no permissions: table 4-8. */
		if (shape.levels != 3 || level != 2) {
			rights.all &= entry;
			rights.any |= entry;
		}
		table = entry & PTE_ADDRESS;
	} while (!is_leaf(s, shape, level, entry));
	if (!permitted(s, rights, access)) {
		*why = FAULT_PRESENT;
		return MM_DENIED;
	}
	*out = mm_gpa_at(leaf_address(shape, shift, entry) | (address & (BIT(shift) - 1)));
	return MM_OK;
}

static enum mm_error translate(const struct stage1 *s, mm_gva_t gva, enum mm_perm access,
                               mm_gpa_t *out, uint32_t *why)
{
	bool long_mode = s->efer & EFER_LMA;
	uint64_t address = long_mode ? gva.raw : (uint32_t)gva.raw;

	if (!(s->cr0 & CR0_PG)) {
		*out = mm_gpa_at(address);
		return MM_OK;
	}
	if (!(s->cr4 & CR4_PAE))
		return walk(s, (struct shape){2, 10, 4}, address, access, out, why);
	if (!long_mode)
		return walk(s, (struct shape){3, 9, 8}, address, access, out, why);
	if (s->cr4 & CR4_LA57)
		return walk(s, (struct shape){5, 9, 8}, address, access, out, why);
	return walk(s, (struct shape){4, 9, 8}, address, access, out, why);
}

enum mm_error stage1_translate(const struct stage1 *s, mm_gva_t gva, enum mm_perm access,
                               mm_gpa_t *out)
{
	uint32_t why;

	return translate(s, gva, access, out, &why);
}

/* I/D is set only if fetches can be refused: 4.7. */
enum stage1_fault stage1_fault(const struct stage1 *s, mm_gva_t gva, enum mm_perm access,
                               uint32_t *code)
{
	bool can_refuse = (s->efer & EFER_NXE) || (s->cr4 & CR4_SMEP);
	uint32_t why = WHY_NONE;
	mm_gpa_t gpa;

	if (translate(s, gva, access, &gpa, &why) == MM_OK || why == WHY_NONE)
		return STAGE1_NO_FAULT;
	if (why == WHY_CANONICAL)
		return STAGE1_NOT_CANONICAL;
	*code = why | (access == MM_W ? FAULT_WRITE : 0) | (s->user ? FAULT_USER : 0) |
	        (access == MM_X && can_refuse ? FAULT_FETCH : 0);
	return STAGE1_PAGE_FAULT;
}
