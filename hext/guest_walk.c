/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VS-stage translation by a walk of the guest's tables, and instruction fetch. hlvx fetches by
 * hardware. It traps on a page that is not mapped at the moment, and in QEMU 7.2 on a page with
 * execute permission only. Then the walk does it.
 *
 *	gva --vsatp: Sv39, Sv48, Sv57 or bare--> gpa --the aspace--> memory
 */
#include "decode/riscv64.h"
#include "hext/hext.h"
#include "mm/aspace.h"

/* Svnapot, 5: a leaf of level 0 with N set and PPN bits 3:0 = 8 maps 64 KiB. */
#define PTE_N           BIT(63)
#define NAPOT_PPN       GENMASK(13, 10)
#define NAPOT_64K       8
#define NAPOT_64K_PAGES 16
/* Svpbmt, 6: the memory type has no effect on the address. Type 3 is reserved. */
#define PTE_PBMT GENMASK(62, 61)
/* 4.3.1; Svnapot, 5; Svpbmt, 6: in an entry that points at a table, these are reserved as well. */
#define PTE_RESERVED_TABLE (PTE_N | PTE_PBMT | PTE_D | PTE_A | PTE_U)

#define INDEX_BITS 9

/* The state that a VS-stage translation depends on. */
struct vs_stage {
	uint64_t vsatp;
	uint64_t vsstatus;
	bool user; /* VU rather than VS */
};

static struct vs_stage vs_stage_of(const struct hext_vcpu *v)
{
	bool loaded = v->cpu != NULL;
	uint64_t hstatus = loaded ? csr_read(hstatus) : v->csr.hstatus;

	return (struct vs_stage){
		.vsatp = loaded ? csr_read(vsatp) : v->csr.vsatp,
		.vsstatus = loaded ? csr_read(vsstatus) : v->csr.vsstatus,
		.user = (hstatus & HSTATUS_SPVP) == 0,
	};
}

/* 4.3.2 step 1: the number of levels; 0: bare. */
static unsigned levels_of(uint64_t vsatp)
{
	switch (FIELD_GET(ATP_MODE, vsatp)) {
	case ATP_SV39:
		return 3;
	case ATP_SV48:
		return 4;
	case ATP_SV57:
		return 5;
	default:
		return 0;
	}
}

/* 4.3.2 steps 5 and 6: does the leaf permit the access? */
static bool leaf_permits(const struct vs_stage *s, uint64_t pte, enum mm_perm access)
{
	bool user_page = (pte & PTE_U) != 0;

	if (s->user && !user_page)
		return false;
	if (!s->user && user_page && (access == MM_X || (s->vsstatus & SSTATUS_SUM) == 0))
		return false;
	switch (access) {
	case MM_R:
		return (pte & PTE_R) != 0 ||
		       ((s->vsstatus & SSTATUS_MXR) != 0 && (pte & PTE_X) != 0);
	case MM_W:
		return (pte & PTE_W) != 0;
	default:
		return (pte & PTE_X) != 0;
	}
}

/* 4.3.2 steps 5 to 8, for the leaf found at this level. */
static enum mm_error leaf_translate(const struct vs_stage *s, uint64_t pte, unsigned level,
                                    mm_gva_t gva, enum mm_perm access, mm_gpa_t *out)
{
	uint64_t pages = BIT(INDEX_BITS * level);
	uint64_t ppn = FIELD_GET(PTE_PPN, pte);

	if ((pte & PTE_PBMT) == PTE_PBMT)
		return MM_NOT_MAPPED;
	if (!leaf_permits(s, pte, access))
		return MM_DENIED;
	if ((pte & PTE_N) != 0) {
		if (level != 0 || FIELD_GET(NAPOT_PPN, pte) != NAPOT_64K)
			return MM_NOT_MAPPED;
		pages = NAPOT_64K_PAGES;
		ppn = mm_align_down(ppn, pages);
	}
	if (!mm_is_aligned(ppn, pages))
		return MM_NOT_MAPPED;
	*out = mm_gpa_at((ppn << MM_PAGE_SHIFT) | (gva.raw & ((pages << MM_PAGE_SHIFT) - 1)));
	return MM_OK;
}

enum mm_error hext_guest_walk(const struct hext_vcpu *v, mm_gva_t gva, enum mm_perm access,
                              mm_gpa_t *out)
{
	const struct vs_stage s = vs_stage_of(v);
	unsigned level = levels_of(s.vsatp);
	uint64_t table = FIELD_GET(ATP_PPN, s.vsatp) << MM_PAGE_SHIFT;

	if (level == 0) {
		*out = mm_gpa_at(gva.raw);
		return MM_OK;
	}
	/* The bits above the translated ones are copies of the highest of these. */
	if ((uint64_t)mm_sign_extend(gva.raw, MM_LEVEL_SHIFT(level)) != gva.raw)
		return MM_NOT_MAPPED;
	while (level-- > 0) {
		uint64_t index = (gva.raw >> MM_LEVEL_SHIFT(level)) & (BIT(INDEX_BITS) - 1);
		uint64_t pte;
		enum mm_error error = mm_aspace_load(v->as, mm_gpa_at(table + index * sizeof(pte)),
		                                     sizeof(pte), &pte);

		if (error != MM_OK)
			return error;
		if ((pte & PTE_V) == 0 || (pte & (PTE_R | PTE_W)) == PTE_W ||
		    (pte & hext_caps.reserved) != 0)
			return MM_NOT_MAPPED;
		if ((pte & (PTE_R | PTE_X)) != 0)
			return leaf_translate(&s, pte, level, gva, access, out);
		if ((pte & PTE_RESERVED_TABLE) != 0)
			return MM_NOT_MAPPED;
		table = FIELD_GET(PTE_PPN, pte) << MM_PAGE_SHIFT;
	}
	return MM_NOT_MAPPED;
}

enum mm_error hext_translate(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access, mm_gpa_t *out)
{
	return hext_guest_walk(hext_of(vcpu), gva, access, out);
}

/* --- instruction fetch --- */

/*
 * Reads 2 bytes through both stages with the guest's execute permission. False: it trapped. The
 * trap has changed sepc, SPV and SPP, and SPVP if the firmware forwarded it; restore_after_trap()
 * restores them.
 */
static bool fetch_2(uint64_t gva, uint32_t *value)
{
	uint64_t read;
	bool ok;

	__asm__ volatile(CATCH(HLVX_HU("%[value]", "%[gva]"))
	                 : [ok] "=&r"(ok), [value] "=&r"(read)
	                 : [gva] "r"(gva)
	                 : "t0", "memory");
	*value = (uint32_t)read;
	return ok;
}

/* The trap has set SPP. The guest's SPVP has the value of its SPP. */
static void restore_after_trap(uint64_t pc, uint64_t hstatus)
{
	csr_write(sepc, pc);
	csr_write(hstatus, hstatus);
	if ((hstatus & HSTATUS_SPVP) != 0)
		csr_set(sstatus, SSTATUS_SPP);
	else
		csr_clear(sstatus, SSTATUS_SPP);
}

static bool is_compressed(uint32_t insn)
{
	return FIELD_GET(INSN_LENGTH, insn) != INSN_LENGTH_4;
}

static bool fetch_halves(uint64_t pc, uint32_t *insn)
{
	uint32_t high;

	if (!fetch_2(pc, insn))
		return false;
	if (is_compressed(*insn))
		return true;
	if (!fetch_2(pc + 2, &high))
		return false;
	*insn |= high << 16;
	return true;
}

static enum mm_error fetch_parcel(const struct hext_vcpu *v, mm_gva_t gva, uint16_t *parcel)
{
	mm_gpa_t gpa;
	enum mm_error error = hext_guest_walk(v, gva, MM_X, &gpa);

	if (error != MM_OK)
		return error;
	return mm_aspace_fetch(v->as, gpa, parcel, sizeof(*parcel));
}

static enum mm_error software_fetch(const struct hext_vcpu *v, mm_gva_t pc, uint32_t *insn)
{
	uint16_t low, high = 0;
	enum mm_error error = fetch_parcel(v, pc, &low);

	if (error == MM_OK && !is_compressed(low))
		error = fetch_parcel(v, mm_gva_plus(pc, 2), &high);
	if (error == MM_OK)
		*insn = low | (uint32_t)high << 16;
	return error;
}

enum mm_error hext_fetch_slow(const struct hext_vcpu *v, mm_gva_t pc, uint32_t *insn,
                              uint64_t hstatus)
{
	if (v->cpu != NULL) {
		if (!mm_is_aligned(pc.raw, 4) && fetch_halves(pc.raw, insn))
			return MM_OK;
		restore_after_trap(pc.raw, hstatus);
	}
	return software_fetch(v, pc, insn);
}
