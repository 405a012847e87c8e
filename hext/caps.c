/*
 * What this machine's hypervisor extension can do.
 *
 * hgatp.MODE is WARL: it should read back as 0 for a mode that is not there. QEMU 7.2 keeps all
 * 16 values, so each mode has to prove itself by translating an address: a word is read by hlv
 * through a table of one leaf, placed where only that mode's walk finds it.
 *
 *	mode	root index	leaf
 *	Sv39x4	gpa[40:30]	1 GiB		gpa = 1 << 30 | pa[29:0]
 *	Sv48x4	gpa[49:39]	512 GiB		gpa = 1 << 39 | pa[38:0]
 *	Sv57x4	gpa[58:48]	256 TiB		gpa = 1 << 48 | pa[47:0]
 *
 * The leaf is in entry 1; a walk of another depth looks into entry 0, which is not valid.
 */
#include "hext/features.h"

#include "decode/riscv64_insn.h"
#include "hext/fields.h"
#include "log.h"
#include "machine/riscv64/isa.h"
#include "machine/riscv64/timer.h"
#include "machine/riscv64/trap.h"
#include "mm/bits.h"

#define ROOT_ENTRIES 2048
#define WORD         UINT64_C(0x4641554c544c494e)

struct hext_features hext_features;

/* A root is aligned to its 16 KiB, and the image to 4 KiB alone: trial_root is aligned in here. */
static uint64_t trial_space[2 * ROOT_ENTRIES] MM_ALIGNED_TO(4096);
static uint64_t *trial_root;
static uint64_t trial_stage1[512] MM_ALIGNED_TO(4096);
static volatile uint64_t trial_word;

struct mode {
	enum atp_mode mode;
	struct virt_geometry geometry;
};

/* PPNs have 44 bits. accessed_dirty is found by the trial. */
static const struct mode modes[] = {
	{ATP_SV39,
         {"sv39x4",
          {.levels = 3, .root_bits = 11, .hpa_bits = 56, .max_leaf = 2, .execute_only = true},
          NULL}},
	{ATP_SV48,
         {"sv48x4",
          {.levels = 4, .root_bits = 11, .hpa_bits = 56, .max_leaf = 3, .execute_only = true},
          NULL}},
	{ATP_SV57,
         {"sv57x4",
          {.levels = 5, .root_bits = 11, .hpa_bits = 56, .max_leaf = 4, .execute_only = true},
          NULL}},
};

/* Reads a guest word at an address with both stages on. False: it trapped. */
static bool try_read(uint64_t gva, uint64_t *value)
{
	bool ok;

	__asm__ volatile(CATCH(HLV_D("%[value]", "%[gva]"))
	                 : [ok] "=&r"(ok), [value] "=&r"(*value)
	                 : [gva] "r"(gva)
	                 : "t0", "memory");
	return ok;
}

/* Does a walk of this mode find the word, with these bits in the leaf? */
static bool try_mode(const struct mode *mode, uint64_t bits)
{
	unsigned shift = MM_LEVEL_SHIFT(mode->geometry.npt.levels - 1);
	uint64_t pa = (uint64_t)(uintptr_t)&trial_word;
	uint64_t value = 0;
	bool ok;

	trial_word = WORD;
	trial_root[1] = FIELD_PREP(PTE_PPN, mm_align_down(pa, BIT(shift)) >> MM_PAGE_SHIFT) | bits;
	csr_write(hgatp,
	          FIELD_PREP(ATP_MODE, mode->mode) |
	                  FIELD_PREP(ATP_PPN, (uint64_t)(uintptr_t)trial_root >> MM_PAGE_SHIFT));
	ok = FIELD_GET(ATP_MODE, csr_read(hgatp)) == (uint64_t)mode->mode;
	hfence_gvma_all();
	hfence_vvma_all();
	ok = ok && try_read(BIT(shift) | (pa & (BIT(shift) - 1)), &value) && value == WORD;
	csr_write(hgatp, 0);
	hfence_gvma_all();
	return ok;
}

static void find_modes(struct virt_caps *caps)
{
	const uint64_t leaf = PTE_V | PTE_R | PTE_W | PTE_X | PTE_U;

	trial_root =
		(uint64_t *)mm_align_up((uintptr_t)trial_space, ROOT_ENTRIES * sizeof(uint64_t));
	/* hlv reads as VS-mode would, without a VS-stage. */
	csr_write(vsatp, 0);
	csr_write(vsstatus, 0);
	csr_write(hstatus, FIELD_PREP(HSTATUS_VSXL, VSXL_64) | HSTATUS_SPVP);
	for (size_t i = 0; i < MM_ARRAY_SIZE(modes); i++) {
		struct virt_geometry *geometry = &caps->geometries[caps->geometry_count];

		if (!try_mode(&modes[i], leaf | PTE_A | PTE_D))
			continue;
		*geometry = modes[i].geometry;
		/* Without A: the walk faults, or the hardware sets it. */
		geometry->npt.accessed_dirty =
			try_mode(&modes[i], leaf) && (trial_root[1] & PTE_A) != 0;
		caps->geometry_count++;
	}
}

/* How many bits of the VMID hold what is written (8.2.10: VMIDLEN). */
static unsigned vmid_bits(void)
{
	uint64_t all;

	csr_write(hgatp,
	          FIELD_PREP(ATP_MODE, ATP_SV39) | HGATP_VMID |
	                  FIELD_PREP(ATP_PPN, (uint64_t)(uintptr_t)trial_root >> MM_PAGE_SHIFT));
	all = FIELD_GET(HGATP_VMID, csr_read(hgatp));
	csr_write(hgatp, 0);
	hfence_gvma_all();
	return all == 0 ? 0 : mm_fls64(all) + 1;
}

static bool can_read_hstatus(void)
{
	uint64_t value;
	bool ok;

	__asm__ volatile(CATCH("csrr %[value], hstatus")
	                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	return ok;
}

/* Writes bits of henvcfg, and answers those that stay. */
static uint64_t try_henvcfg(uint64_t bits)
{
	uint64_t value;
	bool ok;

	__asm__ volatile(CATCH("csrw 0x60a, %[bits]\n\tcsrr %[value], 0x60a")
	                 : [ok] "=&r"(ok), [value] "=&r"(value)
	                 : [bits] "r"(bits)
	                 : "t0", "memory");
	hext_features.envcfg = ok;
	return ok ? value : 0;
}

uint64_t hext_henvcfg(void)
{
	return (hext_features.sstc ? HENVCFG_STCE : 0) |
	       (hext_features.svpbmt ? HENVCFG_PBMTE : 0) |
	       (hext_features.svadu ? HENVCFG_ADUE : 0);
}

/* The guest-physical address of what is at `at`, behind the 1 GiB leaf in entry `index` of the
 * trial's G-stage. */
static uint64_t behind_leaf(uint64_t index, const volatile void *at)
{
	const uint64_t gib = MM_LEVEL_SIZE(2), pa = (uint64_t)(uintptr_t)at;

	trial_root[index] = FIELD_PREP(PTE_PPN, mm_align_down(pa, gib) >> MM_PAGE_SHIFT) | PTE_V |
	                    PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
	return index * gib | (pa & (gib - 1));
}

/*
 * Does a VS-stage walk set A? henvcfg.ADUE does not say: it cannot be set where the firmware has
 * not set menvcfg.ADUE, and harts older than Svadu update A and D without having it. So a word is
 * read through both stages, by a VS-stage leaf whose A is clear:
 *
 *	gva --trial_stage1[1], 1 GiB--> gpa --trial_root[2], 1 GiB--> trial_word
 */
static bool stage1_updates(void)
{
	const uint64_t gib = MM_LEVEL_SIZE(2);
	uint64_t table = behind_leaf(1, trial_stage1), word = behind_leaf(2, &trial_word),
		 value = 0;
	bool ok;

	trial_word = WORD;
	trial_stage1[1] = FIELD_PREP(PTE_PPN, mm_align_down(word, gib) >> MM_PAGE_SHIFT) | PTE_V |
	                  PTE_R | PTE_W;
	if (hext_features.envcfg)
		csr_write(HENVCFG, hext_henvcfg());
	csr_write(hgatp,
	          FIELD_PREP(ATP_MODE, ATP_SV39) |
	                  FIELD_PREP(ATP_PPN, (uint64_t)(uintptr_t)trial_root >> MM_PAGE_SHIFT));
	csr_write(vsatp,
	          FIELD_PREP(ATP_MODE, ATP_SV39) | FIELD_PREP(ATP_PPN, table >> MM_PAGE_SHIFT));
	hfence_gvma_all();
	hfence_vvma_all();
	ok = try_read(gib | (word & (gib - 1)), &value) && value == WORD;
	csr_write(vsatp, 0);
	csr_write(hgatp, 0);
	hfence_vvma_all();
	hfence_gvma_all();
	return ok && (*(volatile uint64_t *)&trial_stage1[1] & PTE_A) != 0;
}

static void add_feature(struct virt_caps *caps, const char *name, bool present, bool used)
{
	ASSERT(caps->feature_count < VIRT_FEATURES);
	caps->features[caps->feature_count++] =
		(struct virt_feature){.name = name, .present = present, .used = present && used};
}

static void find_features(struct virt_caps *caps)
{
	uint64_t henvcfg = try_henvcfg(HENVCFG_STCE | HENVCFG_PBMTE | HENVCFG_ADUE);
	bool hardware_ad = caps->geometries[0].npt.accessed_dirty;

	hext_features.sstc = timer_has_sstc() && (henvcfg & HENVCFG_STCE) != 0;
	/* QEMU 7.2 keeps PBMTE where it has no Svpbmt. */
	hext_features.svpbmt = isa_has("svpbmt") && (henvcfg & HENVCFG_PBMTE) != 0;
	hext_features.svadu = (henvcfg & HENVCFG_ADUE) != 0;
	hext_features.vmid_bits = vmid_bits();
	caps->stage1_ad = stage1_updates() ? STAGE1_AD_UPDATED : STAGE1_AD_FAULTS;
	/* PBMT in G-stage leaves is reserved without Svpbmt. */
	for (size_t i = 0; i < caps->geometry_count; i++)
		caps->geometries[i].npt.fixed_memtype = !hext_features.svpbmt;

	add_feature(caps, "h", true, true);
	add_feature(caps, "vmid", hext_features.vmid_bits != 0, true);
	add_feature(caps, "gstage-ad", hardware_ad, true);
	add_feature(caps, "stage1-ad", caps->stage1_ad == STAGE1_AD_UPDATED, true);
	add_feature(caps, "sstc", hext_features.sstc, true);
	add_feature(caps, "svpbmt", isa_has("svpbmt"), hext_features.svpbmt);
	add_feature(caps, "svadu", hext_features.svadu, true);
	add_feature(caps, "svnapot", isa_has("svnapot"), false);
	add_feature(caps, "svrsw60t59b", isa_has("svrsw60t59b"), false);
	add_feature(caps, "svinval", isa_has("svinval"), false);
	add_feature(caps, "svvptc", isa_has("svvptc"), false);
	add_feature(caps, "zicboz", isa_has("zicboz"), false);
	add_feature(caps, "zicbom", isa_has("zicbom"), false);
	add_feature(caps, "ssaia", isa_has("ssaia"), false);
	add_feature(caps, "smstateen", isa_has("smstateen"), false);
	add_feature(caps, "sscofpmf", isa_has("sscofpmf"), false);
	add_feature(caps, "f", isa_has("f"), false);
	add_feature(caps, "v", isa_has("v"), false);
}

bool hext_probe(struct virt_caps *caps)
{
	*caps = (struct virt_caps){.format = &npt_gstage, .hpa_bits = 56};
	if (!can_read_hstatus()) {
		format_string(caps->missing, sizeof(caps->missing),
		              isa_has("h") ? "the ISA string names h, but hstatus traps: it is "
		                             "switched off, or this is not HS-mode"
		                           : "the hypervisor extension: the ISA string names no "
		                             "h, and hstatus traps");
		return false;
	}
	if (!timer_has_time()) {
		format_string(caps->missing, sizeof(caps->missing),
		              "the time: rdtime traps, and the firmware does not emulate it");
		return false;
	}
	find_modes(caps);
	if (caps->geometry_count == 0) {
		format_string(caps->missing, sizeof(caps->missing),
		              "nested paging: neither Sv39x4, Sv48x4 nor Sv57x4 translates");
		return false;
	}
	find_features(caps);
	caps->tag_bits = hext_features.vmid_bits;
	caps->max_tag = BIT(caps->tag_bits) - 1;
	return true;
}
