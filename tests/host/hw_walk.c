#include "hw_walk.h"

#include <string.h>

#include "mm/bits.h"

/* What one entry means to the hardware. */
struct hw_entry {
	enum hw_outcome outcome; /* HW_OK, or why it cannot be used whatever the access */
	bool leaf;
	enum mm_perm perm; /* of a table entry: what it leaves of what is below */
	enum mm_memtype memtype;
	unsigned shareability;
	bool ignore_pat;
	hpa_t next;
	uint64_t accessed, dirty; /* bits that hardware sets in it; 0 if none */
	bool flags_by_software;   /* A (or D, for a write) is clear, and software has to set it */
	bool flags_first;         /* that fault has priority over one of permission */
};

const char *hw_outcome_name(enum hw_outcome outcome)
{
	static const char *const names[] = {"ok",         "out of range", "not present",
	                                    "permission", "access flag",  "misconfiguration"};
	return names[outcome];
}

static struct hw_entry entry_bad(enum hw_outcome outcome)
{
	return (struct hw_entry){.outcome = outcome};
}

/* Not aligned, or not all of it below 2^hpa_bits. A leaf can be larger than physical memory. */
static bool address_bad(const struct hw_mmu *mmu, uint64_t address, unsigned level, bool leaf)
{
	uint64_t unit = leaf ? MM_LEVEL_SIZE(level) : MM_PAGE_SIZE;
	return (address & (unit - 1)) || (address | (unit - 1)) >> mmu->config.hpa_bits;
}

/*
 * Intel SDM vol. 3C, 29.3.2 "EPT Translation Mechanism", tables 29-1 to 29-7, and 29.3.3.1 "EPT
 * Misconfigurations". Bit 0 R, 1 W, 2 X; 5:3 memory type, 6 ignore-PAT, 7 leaf, 8 A, 9 D.
 */
static struct hw_entry decode_ept(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                                  enum mm_perm access)
{
	(void)access;
	struct hw_entry out = {.perm = (enum mm_perm)(e & 7)};
	unsigned type = (unsigned)FIELD_GET(GENMASK(5, 3), e);

	if (out.perm == MM_NONE)
		return entry_bad(HW_NOT_PRESENT);
	if ((e & 3) == 2 || (out.perm == MM_X && !mmu->config.execute_only))
		return entry_bad(HW_MISCONFIG);
	out.leaf = level == 0 || (e & BIT(7));
	if (out.leaf && level > mmu->config.max_leaf)
		return entry_bad(HW_MISCONFIG);
	if (!out.leaf && (e & GENMASK(7, 3)))
		return entry_bad(HW_MISCONFIG);
	if (out.leaf && (type == 2 || type == 3 || type == 7))
		return entry_bad(HW_MISCONFIG);
	out.next = hpa_at(e & GENMASK(51, 12));
	if (address_bad(mmu, out.next.raw, level, out.leaf))
		return entry_bad(HW_MISCONFIG);
	static const enum mm_memtype types[] = {
		[0] = MM_DEVICE,   [1] = MM_NONCACHED, [4] = MM_MEMTYPES,
		[5] = MM_MEMTYPES, [6] = MM_NORMAL,    [7] = MM_MEMTYPES};
	out.memtype = types[type];
	out.ignore_pat = out.leaf && (e & BIT(6));
	if (mmu->config.accessed_dirty) {
		out.accessed = BIT(8);
		out.dirty = out.leaf ? BIT(9) : 0;
	}
	return out;
}

/*
 * AMD APM vol. 2, 5.3-5.4 (long-mode entries) and 15.25.5: a nested walk is a user access, so U
 * has to be set. Bit 0 P, 1 W, 2 U, 5 A, 6 D, 7 PS, 63 NX. PWT 3, PCD 4, PAT 7 or 12.
 */
static struct hw_entry decode_amd(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                                  enum mm_perm access)
{
	(void)access;
	struct hw_entry out = {.accessed = BIT(5)};

	if (!(e & BIT(0)))
		return entry_bad(HW_NOT_PRESENT);
	out.leaf = level == 0 || (e & BIT(7));
	if (out.leaf && level > mmu->config.max_leaf)
		return entry_bad(HW_MISCONFIG);
	if (level >= 3 && (e & GENMASK(8, 7)))
		return entry_bad(HW_MISCONFIG);
	uint64_t pat_bit = level == 0 ? BIT(7) : BIT(12);
	uint64_t address = e & GENMASK(51, 12);
	if (out.leaf && level > 0)
		address &= ~pat_bit;
	if (address_bad(mmu, address, level, out.leaf))
		return entry_bad(HW_MISCONFIG);
	out.next = hpa_at(address);
	out.dirty = out.leaf ? BIT(6) : 0;
	unsigned perm = (e & BIT(1) ? MM_RW : MM_R) | (e & BIT(63) ? 0 : (unsigned)MM_X);
	out.perm = e & BIT(2) ? (enum mm_perm)perm : MM_NONE;
	/* PCD and PWT: the index into the PAT that the host runs with, as it is after reset (7.8):
	 * WB, WT, UC-, UC. The upper four fields, which the PAT bit selects, repeat them. */
	static const enum mm_memtype types[] = {MM_NORMAL, MM_MEMTYPES, MM_NONCACHED, MM_DEVICE};
	out.memtype = types[FIELD_GET(GENMASK(4, 3), e)];
	return out;
}

/*
 * Arm ARM (DDI 0487) D8.3.1 "VMSAv8-64 descriptor formats" and D8.4, stage 2, 4 KiB granule.
 * Bits 1:0 type; MemAttr 5:2, S2AP 7:6, SH 9:8, AF 10, DBM 51, XN 54:53. With LPA2 (VTCR.DS = 1)
 * the output address is bits 49:12 and 9:8 hold its bits 51:50.
 */
static struct hw_entry decode_stage2(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                                     enum mm_perm access)
{
	bool lpa2 = mmu->format == &npt_stage2_lpa2;
	struct hw_entry out = {.perm = MM_RWX};

	if (!(e & BIT(0)))
		return entry_bad(HW_NOT_PRESENT);
	out.leaf = level == 0 || !(e & BIT(1));
	if (level == 0 && !(e & BIT(1)))
		return entry_bad(HW_MISCONFIG);
	if (out.leaf && level > mmu->config.max_leaf)
		return entry_bad(HW_MISCONFIG);
	uint64_t address = e & (lpa2 ? GENMASK(49, 12) : GENMASK(47, 12));
	if (lpa2)
		address |= FIELD_GET(GENMASK(9, 8), e) << 50;
	if (address_bad(mmu, address, level, out.leaf) || (!lpa2 && (e & GENMASK(50, 48))))
		return entry_bad(HW_MISCONFIG);
	out.next = hpa_at(address);
	if (!out.leaf)
		return out;

	bool managed = (e & BIT(51)) && mmu->config.accessed_dirty;
	unsigned perm = (unsigned)FIELD_GET(GENMASK(7, 6), e); /* bit 6 read, bit 7 write */
	if (managed)
		perm |= MM_W;
	if (e & BIT(53))
		return entry_bad(HW_MISCONFIG);
	out.perm = (enum mm_perm)(perm | (e & BIT(54) ? 0 : (unsigned)MM_X));
	/* D8.6.5: outer and inner attributes, two bits each. Outer 0 is Device, whose kind the
	 * inner bits say; otherwise inner 0 is reserved, 1 Non-cacheable, 2 write-through, 3
	 * write-back. */
	unsigned attr = (unsigned)FIELD_GET(GENMASK(5, 2), e), outer = attr >> 2, inner = attr & 3;
	if (outer != 0 && inner == 0)
		return entry_bad(HW_MISCONFIG);
	out.memtype = outer == 0    ? MM_DEVICE
	              : attr == 0x5 ? MM_NONCACHED
	              : attr == 0xf ? MM_NORMAL
	                            : MM_MEMTYPES;
	/* D8.6.2; with DS it is VTCR_EL2.SH0, which el2/ sets to inner shareable. Device and
	 * Non-cacheable memory is always outer shareable; for the rest 1 is reserved. */
	out.shareability = lpa2 ? 3 : (unsigned)FIELD_GET(GENMASK(9, 8), e);
	if (out.shareability == 1 && outer != 0 && attr != 0x5)
		return entry_bad(HW_MISCONFIG);
	if (mmu->config.accessed_dirty) {
		out.accessed = BIT(10);
		out.dirty = managed ? BIT(7) : 0;
	}
	/* D8.15: the access flag is checked before permissions. */
	out.flags_by_software = !(e & BIT(10)) && !mmu->config.accessed_dirty;
	out.flags_first = true;
	(void)access;
	return out;
}

/*
 * RISC-V privileged manual, "Sv39" (entry format), "Two-stage address translation" (G-stage: U
 * must be set), "Svpbmt", "Svadu". V R W X U G A D in bits 0 to 7, PPN 53:10, PBMT 62:61, N 63.
 */
static struct hw_entry decode_gstage(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                                     enum mm_perm access)
{
	struct hw_entry out = {.perm = (enum mm_perm)((e >> 1) & 7)};
	unsigned pbmt = (unsigned)FIELD_GET(GENMASK(62, 61), e);

	if (!(e & BIT(0)))
		return entry_bad(HW_NOT_PRESENT);
	if ((out.perm & MM_RW) == MM_W || (e & GENMASK(60, 54)) || (e & BIT(63)) || pbmt == 3)
		return entry_bad(HW_MISCONFIG);
	/* Without Svpbmt these bits are reserved: a page fault. */
	if (mmu->config.fixed_memtype && pbmt != 0)
		return entry_bad(HW_MISCONFIG);
	out.leaf = out.perm != MM_NONE;
	out.next = hpa_at(FIELD_GET(GENMASK(53, 10), e) << 12);
	if (address_bad(mmu, out.next.raw, level, out.leaf))
		return entry_bad(HW_MISCONFIG);
	if (!out.leaf) {
		bool reserved = level == 0 || pbmt || (e & (BIT(4) | BIT(6) | BIT(7)));
		out.perm = MM_RWX;
		return reserved ? entry_bad(HW_MISCONFIG) : out;
	}
	if (level > mmu->config.max_leaf)
		return entry_bad(HW_MISCONFIG);
	if (!(e & BIT(4)))
		out.perm = MM_NONE;
	out.memtype = pbmt == 0 ? MM_NORMAL : pbmt == 1 ? MM_NONCACHED : MM_DEVICE;
	if (mmu->config.accessed_dirty) {
		out.accessed = BIT(6);
		out.dirty = BIT(7);
	}
	out.flags_by_software =
		!mmu->config.accessed_dirty && (!(e & BIT(6)) || (access == MM_W && !(e & BIT(7))));
	return out;
}

static struct hw_entry decode(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                              enum mm_perm access)
{
	if (mmu->format == &npt_ept)
		return decode_ept(mmu, e, level, access);
	if (mmu->format == &npt_amd)
		return decode_amd(mmu, e, level, access);
	if (mmu->format == &npt_gstage)
		return decode_gstage(mmu, e, level, access);
	return decode_stage2(mmu, e, level, access);
}

/* One attempt. Sets *raced if the entry changed under an A/D update. */
static struct hw_result walk_once(const struct hw_mmu *mmu, hpa_t table, unsigned top, gpa_t gpa,
                                  enum mm_perm access, bool update, bool *raced)
{
	const struct npt_config *config = &mmu->config;
	struct hw_result result = {.perm = MM_RWX};

	*raced = false;
	if (npt_gpa_bits(config) < 64 && gpa.raw >> npt_gpa_bits(config)) {
		result.outcome = HW_OUT_OF_RANGE;
		return result;
	}
	for (unsigned level = top + 1; level-- > 0;) {
		unsigned bits = level + 1 == config->levels ? config->root_bits : NPT_INDEX_BITS;
		uint64_t index = (gpa.raw >> MM_LEVEL_SHIFT(level)) & (BIT(bits) - 1);
		uint64_t *entry = mmu->memory(mmu->ctx, hpa_plus(table, index * 8));
		uint64_t e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
		struct hw_entry d = decode(mmu, e, level, access);

		result.tables[result.table_count] = table;
		result.table_levels[result.table_count++] = level;
		result.level = level;
		result.entry = e;
		result.perm = (enum mm_perm)(result.perm & d.perm);
		result.outcome = d.outcome;
		if (d.outcome != HW_OK)
			return result;
		uint64_t set = d.accessed;
		if (d.leaf) {
			result.memtype = d.memtype;
			result.shareability = d.shareability;
			result.ignore_pat = d.ignore_pat;
			bool denied = !mm_permits(result.perm, access);
			if (denied && !(d.flags_by_software && d.flags_first))
				result.outcome = HW_PERMISSION;
			else if (d.flags_by_software)
				result.outcome = HW_ACCESS_FLAG;
			if (result.outcome != HW_OK)
				return result;
			set |= access == MM_W ? d.dirty : 0;
		}
		if (update && (e & set) != set &&
		    !__atomic_compare_exchange_n(entry, &e, e | set, false, __ATOMIC_ACQ_REL,
		                                 __ATOMIC_ACQUIRE)) {
			*raced = true;
			return result;
		}
		if (d.leaf) {
			result.dirty = ((e | (update ? set : 0)) & d.dirty) == d.dirty;
			result.hpa = hpa_plus(d.next, gpa.raw & (MM_LEVEL_SIZE(level) - 1));
			return result;
		}
		table = d.next;
	}
	result.outcome = HW_MISCONFIG;
	return result;
}

struct hw_result hw_walk_from(const struct hw_mmu *mmu, hpa_t table, unsigned level, gpa_t gpa,
                              enum mm_perm access, bool update)
{
	struct hw_result result;
	bool raced;
	do
		result = walk_once(mmu, table, level, gpa, access, update, &raced);
	while (raced);
	return result;
}

struct hw_result hw_walk(const struct hw_mmu *mmu, gpa_t gpa, enum mm_perm access, bool update)
{
	return hw_walk_from(mmu, mmu->root, mmu->config.levels - 1, gpa, access, update);
}

bool hw_entry_is_table(const struct npt_format *format, uint64_t entry, unsigned level, hpa_t *next)
{
	/* The widest machine of the format: what it may lead to is not the question here. */
	const struct hw_mmu mmu = {.format = format,
	                           .config = {.levels = 5,
	                                      .hpa_bits = format == &npt_gstage ? 56 : 52,
	                                      .max_leaf = 4,
	                                      .execute_only = true}};
	struct hw_entry d = decode(&mmu, entry, level, MM_R);
	*next = d.next;
	return d.outcome == HW_OK && !d.leaf;
}
