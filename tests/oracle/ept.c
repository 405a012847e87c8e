/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel EPT: SDM vol. 3C, 29.3. The walk is recursive, one call per EPT paging structure, because
 * the SDM states the rules per structure (tables 29-1 to 29-7) and combines permissions over all.
 *
 * Order of events (29.3.3): a misconfiguration is found while the path is followed and comes
 * first. A violation is decided from the whole path: an absent entry ends it; otherwise the AND of
 * the access bits decides.
 */
#include "oracle.h"

/* 29.3.3, appendix C: basic exit reasons. */
#define EXIT_VIOLATION 48
#define EXIT_MISCONFIG 49

/* Reserved bits of one kind of entry. `page` is 0 where the entry cannot map a page. */
struct structure {
	unsigned shift;         /* lowest bit of the guest-physical address that selects an entry */
	bool can_map;           /* bit 7 set: this entry maps a page */
	uint64_t reserved;      /* must be 0 in an entry that references a table */
	uint64_t page_reserved; /* must be 0 in an entry that maps a page */
};

/* 29.3.2, tables 29-2 to 29-7. Bits beyond MAXPHYADDR are added by is_misconfigured(). */
static const struct structure structures[] = {
	/* EPT PTE: bits 6:0 and 9:8 have a meaning, bit 7 is ignored */
	{12, true, 0, 0},
	/* EPT PDE: table: 6:3; 2 MiB page: 20:12 */
	{21, true, 0x0000000000000078, 0x00000000001ff000},
	/* EPT PDPTE: table: 6:3; 1 GiB page: 29:12 */
	{30, true, 0x0000000000000078, 0x000000003ffff000},
	/* EPT PML4E: 7:3 */
	{39, false, 0x00000000000000f8, 0},
	/* EPT PML5E: 7:3 */
	{48, false, 0x00000000000000f8, 0},
};

struct translation {
	const struct oracle_ept *regs;
	const struct oracle_memory *memory;
	uint64_t gpa;
	enum oracle_access access;
	struct oracle_walk walk;
	unsigned allowed; /* AND of bits 2:0 of the entries used so far */
};

static uint64_t bits_from(unsigned low, unsigned high)
{
	uint64_t mask = 0;

	for (unsigned bit = low; bit <= high; bit++)
		mask |= UINT64_C(1) << bit;
	return mask;
}

static void misconfiguration(struct translation *t)
{
	t->walk.fault = ORACLE_RESERVED;
	t->walk.code = EXIT_MISCONFIG;
}

/* 28.2.1, table 28-7: bits 2:0 say what the access was, bits 5:3 what the path allows. */
static void violation(struct translation *t, enum oracle_fault fault)
{
	t->walk.fault = fault;
	t->walk.code = EXIT_VIOLATION;
	t->walk.detail = (uint64_t)t->access | (uint64_t)t->allowed << 3;
}

/* 29.3.3.1: is this present entry misconfigured? */
static bool is_misconfigured(const struct translation *t, const struct structure *s, uint64_t entry,
                             bool maps_page)
{
	uint64_t reserved = maps_page ? s->page_reserved : s->reserved;
	unsigned memtype = (entry >> 3) & 7;

	/* "Bit 0 of the entry is clear and bit 1 is set." */
	if (!(entry & 1) && (entry & 2))
		return true;
	/* "The processor does not support execute-only translations and [...] bit 0 is clear and
	 * bit 2 is set." */
	if (!t->regs->execute_only && !(entry & 1) && (entry & 4))
		return true;
	/* "A reserved bit is set. This includes the setting of a bit in the range 51:12 that is
	 * beyond the logical processor's physical-address width." */
	if (t->regs->maxphyaddr < 52)
		reserved |= bits_from(t->regs->maxphyaddr, 51);
	if (entry & reserved)
		return true;
	/* A page of a size that IA32_VMX_EPT_VPID_CAP does not report: bit 7 is reserved. */
	if (maps_page && s->shift == 30 && !t->regs->page_1g)
		return true;
	if (maps_page && s->shift == 21 && !t->regs->page_2m)
		return true;
	/* "The entry is the last one used [...] and the value of bits 5:3 (EPT memory type) is 2,
	 * 3, or 7." */
	return maps_page && (memtype == 2 || memtype == 3 || memtype == 7);
}

/* 29.3.7.2: the EPT memory type. */
static enum oracle_memtype memtype_of(unsigned bits)
{
	switch (bits) {
	case 0:
		return ORACLE_UC;
	case 1:
		return ORACLE_WC;
	case 4:
		return ORACLE_WT;
	case 5:
		return ORACLE_WP;
	default:
		return ORACLE_WB;
	}
}

static void finish(struct translation *t, const struct structure *s, uint64_t entry)
{
	uint64_t offset = bits_from(0, s->shift - 1);

	t->walk.pa = (entry & bits_from(12, 51) & ~offset) | (t->gpa & offset);
	t->walk.memtype_bits = (entry >> 3) & 7;
	t->walk.memtype = memtype_of(t->walk.memtype_bits);
	t->walk.ignore_pat = (entry & 0x40) != 0;
	t->walk.clean = (t->regs->eptp & 0x40) && !(entry & 0x200);
	t->walk.read = t->allowed & 1;
	t->walk.write = t->allowed & 2;
	t->walk.fetch = t->allowed & 4;
	if ((t->allowed & (unsigned)t->access) == 0)
		violation(t, ORACLE_PERMISSION);
}

static void use_structure(struct translation *t, uint64_t table, unsigned row)
{
	const struct structure *s = &structures[row];
	uint64_t index = (t->gpa >> s->shift) & 0x1ff;
	uint64_t pa = table | index << 3;
	bool maps_page;
	uint64_t entry;

	if (!oracle_read_entry(&t->walk, t->memory, pa, s->shift, &entry)) {
		t->walk.fault = ORACLE_BUS;
		return;
	}
	/* 29.3.2: "not present" if bits 2:0 are all 0; the other bits are ignored. */
	if ((entry & 7) == 0) {
		t->allowed = 0;
		violation(t, ORACLE_ABSENT);
		return;
	}
	maps_page = s->shift == 12 || (s->can_map && (entry & 0x80));
	if (is_misconfigured(t, s, entry, maps_page)) {
		misconfiguration(t);
		return;
	}
	t->allowed &= entry & 7;
	if (maps_page)
		finish(t, s, entry);
	else
		use_structure(t, entry & bits_from(12, 51), row - 1);
}

/*
 * 29.3.5: the accessed flag is set in each entry used, the dirty flag in the last one for a write.
 * An entry counts as used although the walk ends in an EPT violation further down, and processors
 * differ in that: those writes are optional. The entry that stops the walk is not used.
 */
static void mark(struct translation *t)
{
	struct oracle_walk *w = &t->walk;
	bool done = w->fault == ORACLE_OK;

	for (unsigned i = 0; i < w->step_count; i++) {
		bool last = i + 1 == w->step_count;

		if (last && (w->fault == ORACLE_ABSENT || w->fault == ORACLE_RESERVED))
			break;
		oracle_set_bits(w, i, last && done && t->access == ORACLE_WRITE ? 0x300 : 0x100,
		                !done);
	}
}

/* 27.2.1.1, "Checks on VM-execution control fields": EPTP. */
static bool eptp_is_valid(const struct oracle_ept *regs)
{
	unsigned memtype = regs->eptp & 7;
	unsigned length = (regs->eptp >> 3) & 7;

	if (memtype != 0 && memtype != 6)
		return false;
	if (length != 3 && !(length == 4 && regs->five_level))
		return false;
	if ((regs->eptp & 0x40) && !regs->accessed_dirty)
		return false;
	/* Bits 11:7: supervisor shadow-stack control (7) is not reported here; 11:8 reserved. */
	return (regs->eptp & 0xf80) == 0 && (regs->eptp & bits_from(regs->maxphyaddr, 63)) == 0;
}

struct oracle_walk oracle_ept_walk(const struct oracle_ept *regs,
                                   const struct oracle_memory *memory, uint64_t gpa,
                                   enum oracle_access access)
{
	struct translation t = {
		.regs = regs, .memory = memory, .gpa = gpa, .access = access, .allowed = 7};
	unsigned length = ((regs->eptp >> 3) & 7) + 1;

	if (!eptp_is_valid(regs)) {
		t.walk.fault = ORACLE_BAD_ROOT;
		return t.walk;
	}
	/* 29.3.2: 4-level EPT translates 48 bits, 5-level EPT 57 bits. An address with a higher bit
	 * set causes an EPT violation. */
	if (gpa >> (length == 4 ? 48 : 57) != 0) {
		t.allowed = 0;
		violation(&t, ORACLE_WIDTH);
		return t.walk;
	}
	use_structure(&t, regs->eptp & bits_from(12, 51), length - 1);
	if (regs->eptp & 0x40)
		mark(&t);
	return t.walk;
}
