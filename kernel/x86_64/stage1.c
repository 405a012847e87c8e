/*
 * The walk. Three shapes of table, each a number of levels with an index width:
 *
 *	32-bit       10 | 10 | 12            4-byte entries, 4 MiB pages with CR4.PSE
 *	PAE      2 |  9 |  9 | 12            8-byte entries, 2 MiB pages
 *	4-level  9 |  9 |  9 |  9 | 12       8-byte entries, 2 MiB and 1 GiB pages
 *	5-level  9 more on top
 */
#include "kernel/x86_64/stage1.h"

#include "kernel/x86_64/bits.h"

#define PTE_PRESENT BIT(0)
#define PTE_WRITE   BIT(1)
#define PTE_USER    BIT(2)
#define PTE_LARGE   BIT(7)
#define PTE_NX      BIT(63)
#define PTE_ADDRESS GENMASK(51, 12)

#define CR3_TABLE_32  GENMASK(31, 12)
#define CR3_TABLE_PAE GENMASK(31, 5)

struct shape {
	unsigned levels;
	unsigned index_bits;
	unsigned entry_size;
};

/* What the entries on the way permit together. */
struct rights {
	bool write, user, no_execute;
};

static struct shape shape_of(const struct stage1 *s)
{
	if (!(s->cr4 & CR4_PAE))
		return (struct shape){2, 10, 4};
	if (!(s->efer & EFER_LMA))
		return (struct shape){3, 9, 8};
	return (struct shape){s->cr4 & CR4_LA57 ? 5 : 4, 9, 8};
}

static uint64_t root_of(const struct stage1 *s)
{
	if (!(s->cr4 & CR4_PAE))
		return s->cr3 & CR3_TABLE_32;
	return s->cr3 & (s->efer & EFER_LMA ? PTE_ADDRESS : CR3_TABLE_PAE);
}

/* Tables 4-4 to 4-6 and 4-14 to 4-18: who may map a large page at this level? */
static bool is_leaf(const struct stage1 *s, const struct shape *shape, unsigned level,
                    uint64_t entry)
{
	if (level == 0)
		return true;
	if (!(entry & PTE_LARGE))
		return false;
	if (shape->entry_size == 4)
		return s->cr4 & CR4_PSE;
	return level == 1 || (level == 2 && shape->levels > 3);
}

/* 32-bit tables name a 4 MiB page with up to 40 bits, in bits 31:22 and 20:13: table 4-4. */
static uint64_t leaf_address(const struct shape *shape, unsigned shift, uint64_t entry)
{
	if (shape->entry_size == 4 && shift != PAGE_SHIFT)
		return (entry & GENMASK(31, 22)) | FIELD_GET(GENMASK(20, 13), entry) << 32;
	return entry & PTE_ADDRESS & ~(BIT(shift) - 1);
}

static void restrict_rights(struct rights *rights, const struct shape *shape, unsigned level,
                            uint64_t entry)
{
	/* PAE's four top entries have no permissions: table 4-8. */
	if (shape->levels == 3 && level == 2)
		return;
	rights->write &= (entry & PTE_WRITE) != 0;
	rights->user &= (entry & PTE_USER) != 0;
	rights->no_execute |= (entry & PTE_NX) != 0;
}

/* 4.6.1: access rights by mode and kind. */
static bool permitted(const struct stage1 *s, const struct rights *rights, enum mm_perm access)
{
	if (s->user && !rights->user)
		return false;
	switch (access) {
	case MM_X:
		if ((s->efer & EFER_NXE) && rights->no_execute)
			return false;
		return s->user || !rights->user || !(s->cr4 & CR4_SMEP);
	case MM_W:
		if (!rights->write && (s->user || (s->cr0 & CR0_WP)))
			return false;
		break;
	default:
		break;
	}
	return s->user || !rights->user || !(s->cr4 & CR4_SMAP) || s->access_user;
}

/* In 4- and 5-level mode, bits above the highest index repeat it: 3.3.7.1 of vol. 1. */
static bool is_canonical(const struct shape *shape, uint64_t address)
{
	unsigned unused = 64 - (PAGE_SHIFT + shape->levels * shape->index_bits);

	return shape->levels < 4 || (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

static enum mm_error walk(const struct stage1 *s, uint64_t address, enum mm_perm access, gpa_t *out)
{
	struct shape shape = shape_of(s);
	struct rights rights = {true, true, false};
	uint64_t table = root_of(s);

	if (!is_canonical(&shape, address))
		return MM_NOT_MAPPED;
	for (unsigned level = shape.levels; level-- > 0;) {
		unsigned shift = PAGE_SHIFT + level * shape.index_bits;
		uint64_t index = address >> shift & (BIT(shape.index_bits) - 1);
		uint64_t entry;
		enum mm_error err = aspace_load(s->as, gpa_at(table + index * shape.entry_size),
		                                shape.entry_size, &entry);

		if (err != MM_OK)
			return err;
		if (!(entry & PTE_PRESENT))
			return MM_NOT_MAPPED;
		restrict_rights(&rights, &shape, level, entry);
		if (is_leaf(s, &shape, level, entry)) {
			if (!permitted(s, &rights, access))
				return MM_DENIED;
			*out = gpa_at(leaf_address(&shape, shift, entry) |
			              (address & (BIT(shift) - 1)));
			return MM_OK;
		}
		table = entry & PTE_ADDRESS;
	}
	return MM_NOT_MAPPED;
}

enum mm_error stage1_translate(const struct stage1 *s, gva_t gva, enum mm_perm access, gpa_t *out)
{
	bool long_mode = s->efer & EFER_LMA;
	uint64_t address = long_mode ? gva.raw : (uint32_t)gva.raw;

	if (!(s->cr0 & CR0_PG)) {
		*out = gpa_at(address);
		return MM_OK;
	}
	return walk(s, address, access, out);
}
