/*
 * The guest's own translation, by hardware where hlvx can do it, and by a walk of vsatp's tables
 * where not: hlvx fails on a page that is not there at the moment, and in QEMU 7.2 on one that is
 * executable alone.
 *
 *	gva --vsatp: Sv39, Sv48, Sv57 or bare--> gpa --the aspace--> memory
 */
#include "hext/guest_walk.h"

#include "decode/riscv64_insn.h"
#include "hext/fields.h"
#include "machine/riscv64/trap.h"
#include "mm/aspace.h"
#include "mm/bits.h"

/* Svnapot, 5: a leaf of level 0 with N set and PPN bits 3:0 = 8 maps 64 KiB. */
#define PTE_N           BIT(63)
#define NAPOT_PPN       GENMASK(13, 10)
#define NAPOT_64K       8
#define NAPOT_64K_PAGES 16
/* Reserved, or Svpbmt's: 62:61 do not move the address. */
#define PTE_RESERVED GENMASK(60, 54)

#define INDEX_BITS 9

/* What decides on a translation beside the tables. */
struct stage1 {
	uint64_t vsatp;
	uint64_t vsstatus;
	bool user; /* VU rather than VS */
};

static struct stage1 stage1_of(const struct hext_vcpu *v)
{
	bool here = v->cpu != NULL;
	uint64_t hstatus = here ? csr_read(hstatus) : v->csr.hstatus;

	return (struct stage1){
		.vsatp = here ? csr_read(vsatp) : v->csr.vsatp,
		.vsstatus = here ? csr_read(vsstatus) : v->csr.vsstatus,
		.user = (hstatus & HSTATUS_SPVP) == 0,
	};
}

/* 4.3.2 step 1: table levels of the mode; 0: bare. */
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

/* 4.3.2 steps 5 and 6: may a leaf be used so? */
static bool leaf_permits(const struct stage1 *s, uint64_t pte, enum mm_perm access)
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
static enum mm_error leaf_translate(const struct stage1 *s, uint64_t pte, unsigned level, gva_t gva,
                                    enum mm_perm access, gpa_t *out)
{
	uint64_t pages = BIT(INDEX_BITS * level);
	uint64_t ppn = FIELD_GET(PTE_PPN, pte);

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
	*out = gpa_at((ppn << MM_PAGE_SHIFT) | (gva.raw & ((pages << MM_PAGE_SHIFT) - 1)));
	return MM_OK;
}

enum mm_error walk_translate(const struct hext_vcpu *v, gva_t gva, enum mm_perm access, gpa_t *out)
{
	const struct stage1 s = stage1_of(v);
	unsigned level = levels_of(s.vsatp);
	uint64_t table = FIELD_GET(ATP_PPN, s.vsatp) << MM_PAGE_SHIFT;

	if (level == 0) {
		*out = gpa_at(gva.raw);
		return MM_OK;
	}
	/* The bits above are copies of the highest one that is translated. */
	if ((uint64_t)mm_sign_extend(gva.raw, MM_LEVEL_SHIFT(level)) != gva.raw)
		return MM_NOT_MAPPED;
	while (level-- > 0) {
		uint64_t index = (gva.raw >> MM_LEVEL_SHIFT(level)) & (BIT(INDEX_BITS) - 1);
		uint64_t pte;
		enum mm_error error =
			aspace_load(v->as, gpa_at(table + index * sizeof(pte)), sizeof(pte), &pte);

		if (error != MM_OK)
			return error;
		if ((pte & PTE_V) == 0 || (pte & (PTE_R | PTE_W)) == PTE_W ||
		    (pte & PTE_RESERVED) != 0)
			return MM_NOT_MAPPED;
		if ((pte & (PTE_R | PTE_X)) != 0)
			return leaf_translate(&s, pte, level, gva, access, out);
		table = FIELD_GET(PTE_PPN, pte) << MM_PAGE_SHIFT;
	}
	return MM_NOT_MAPPED;
}

/* --- instructions --- */

/*
 * 2 bytes through both stages as a fetch of the guest. False: it trapped, and took sepc, SPV and
 * SPP with it, and SPVP if the firmware passed it on: after_trap() puts them back.
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

/* The way back from the trap was an sret, which leaves SPP at U. The guest's privilege is in SPVP
 * as it was in SPP. */
static void after_trap(uint64_t pc, uint64_t hstatus)
{
	csr_write(sepc, pc);
	csr_write(hstatus, hstatus);
	if ((hstatus & HSTATUS_SPVP) != 0)
		csr_set(sstatus, SSTATUS_SPP);
	else
		csr_clear(sstatus, SSTATUS_SPP);
}

/* Unprivileged manual, 1.5: what the lowest bits of its first 2 bytes tell of its length. */
static bool is_compressed(uint32_t insn)
{
	return (insn & 3) != 3;
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

static enum mm_error fetch_parcel(const struct hext_vcpu *v, gva_t gva, uint16_t *parcel)
{
	gpa_t gpa;
	enum mm_error error = walk_translate(v, gva, MM_X, &gpa);

	if (error != MM_OK)
		return error;
	return aspace_fetch(v->as, gpa, parcel, sizeof(*parcel));
}

static enum mm_error software_fetch(const struct hext_vcpu *v, gva_t pc, uint32_t *insn)
{
	uint16_t low, high = 0;
	enum mm_error error = fetch_parcel(v, pc, &low);

	if (error == MM_OK && !is_compressed(low))
		error = fetch_parcel(v, gva_plus(pc, 2), &high);
	if (error == MM_OK)
		*insn = low | (uint32_t)high << 16;
	return error;
}

enum mm_error walk_fetch_slowly(const struct hext_vcpu *v, gva_t pc, uint32_t *insn,
                                uint64_t hstatus)
{
	if (v->cpu != NULL) {
		if (!mm_is_aligned(pc.raw, 4) && fetch_halves(pc.raw, insn))
			return MM_OK;
		after_trap(pc.raw, hstatus);
	}
	return software_fetch(v, pc, insn);
}
