/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detects the features of the hypervisor extension.
 *
 * hgatp.MODE is WARL: a mode that is not implemented should not read back. QEMU 7.2 keeps all 16
 * values, so each mode is tried: hlv reads a word through a root table with one leaf, which only
 * this mode's walk finds.
 *
 *	mode	root index	leaf
 *	Sv39x4	gpa[40:30]	1 GiB		gpa = 1 << 30 | pa[29:0]
 *	Sv48x4	gpa[49:39]	512 GiB		gpa = 1 << 39 | pa[38:0]
 *	Sv57x4	gpa[58:48]	256 TiB		gpa = 1 << 48 | pa[47:0]
 *
 * The leaf is in entry 1. A walk of another depth reads entry 0, which is not valid.
 */
#include "hext/hext.h"
#include "log.h"
#include "machine/riscv64/isa.h"
#include "machine/riscv64/timer.h"
#include "machine/riscv64/zero.h"

#define ROOT_ENTRIES 2048
#define WORD         UINT64_C(0x4641554c544c494e)

struct hext_caps hext_caps;

/* A root table is aligned to 16 KiB, the image only to 4 KiB. So trial_root is an aligned part of
 * trial_space. */
static uint64_t trial_space[2 * ROOT_ENTRIES] MM_ALIGNED_TO(4096);
static uint64_t *trial_root;
static uint64_t trial_stage1[512] MM_ALIGNED_TO(4096);
static volatile uint64_t trial_word;

struct mode {
	enum atp_mode mode;
	struct virt_geometry geometry;
};

/* A PPN has 44 bits. find_modes() sets accessed_dirty. */
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

/* Reads a word through both stages. False: it trapped. */
static bool try_read(uint64_t gva, uint64_t *value)
{
	bool ok;

	__asm__ volatile(CATCH(HLV_D("%[value]", "%[gva]"))
	                 : [ok] "=&r"(ok), [value] "=&r"(*value)
	                 : [gva] "r"(gva)
	                 : "t0", "memory");
	return ok;
}

/* Does a walk of this mode find the word, if the leaf has these bits? */
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
	/* hlv reads as VS-mode does, with the VS-stage bare. */
	csr_write(vsatp, 0);
	csr_write(vsstatus, 0);
	csr_write(hstatus, FIELD_PREP(HSTATUS_VSXL, VSXL_64) | HSTATUS_SPVP);
	for (size_t i = 0; i < MM_ARRAY_SIZE(modes); i++) {
		struct virt_geometry *geometry = &caps->geometries[caps->geometry_count];

		if (!try_mode(&modes[i], leaf | PTE_A | PTE_D))
			continue;
		*geometry = modes[i].geometry;
		/* If the leaf has no A, the walk faults or sets it. */
		geometry->npt.accessed_dirty =
			try_mode(&modes[i], leaf) && (trial_root[1] & PTE_A) != 0;
		caps->geometry_count++;
	}
}

/* VMIDLEN: the number of VMID bits that are implemented (8.2.10). */
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

/* 4.4.1, and the extensions that define bits of an entry: Svrsw60t59b 60:59, Svpbmt 62:61,
 * Svnapot 63. */
static uint64_t reserved_bits(void)
{
	return GENMASK(58, 54) | (isa_has("svrsw60t59b") ? 0 : GENMASK(60, 59)) |
	       (hext_caps.svpbmt ? 0 : GENMASK(62, 61)) | (isa_has("svnapot") ? 0 : BIT(63));
}

/* Harts with Smstateen, if firmware has set mstateen0. */
static bool has_hstateen(void)
{
	uint64_t value;
	bool ok;

	__asm__ volatile(CATCH("csrr %[value], 0x60c")
	                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	return ok;
}

/* FS and VS stay 0 where there are no such registers. fmv.x.d is an instruction of D. */
static void find_registers(void)
{
	uint64_t value;
	bool ok;

	csr_set(sstatus, SSTATUS_FS | SSTATUS_VS);
	__asm__ volatile(CATCH(".insn r 0x53, 0, 0x71, %[value], x0, x0")
	                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	hext_caps.d = ok && (csr_read(sstatus) & SSTATUS_FS) != 0;
	__asm__ volatile(CATCH("csrr %[value], 0xc22")
	                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	hext_caps.vlenb = ok && (csr_read(sstatus) & SSTATUS_VS) != 0 ? value : 0;
	csr_clear(sstatus, SSTATUS_FS | SSTATUS_VS);
}

/* Writes henvcfg, and returns the bits that read back. 0: henvcfg does not exist. */
static uint64_t try_henvcfg(uint64_t bits)
{
	uint64_t value;
	bool ok;

	__asm__ volatile(CATCH("csrw 0x60a, %[bits]\n\tcsrr %[value], 0x60a")
	                 : [ok] "=&r"(ok), [value] "=&r"(value)
	                 : [bits] "r"(bits)
	                 : "t0", "memory");
	hext_caps.envcfg = ok;
	return ok ? value : 0;
}

uint64_t hext_henvcfg(void)
{
	return (hext_caps.sstc ? HENVCFG_STCE : 0) | (hext_caps.svpbmt ? HENVCFG_PBMTE : 0) |
	       (hext_caps.svadu ? HENVCFG_ADUE : 0);
}

/* Maps the GiB that contains `at` by entry `index` of trial_root, and returns the guest-physical
 * address of `at`. */
static uint64_t map_gib(uint64_t index, const volatile void *at)
{
	const uint64_t gib = MM_LEVEL_SIZE(2), pa = (uint64_t)(uintptr_t)at;

	trial_root[index] = FIELD_PREP(PTE_PPN, mm_align_down(pa, gib) >> MM_PAGE_SHIFT) | PTE_V |
	                    PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
	return index * gib | (pa & (gib - 1));
}

/*
 * Does a VS-stage walk set A? henvcfg.ADUE does not answer this: it reads as 0 if the firmware has
 * not set menvcfg.ADUE, and harts older than Svadu set A and D without it. So a word is read
 * through both stages, by a VS-stage leaf whose A is 0:
 *
 *	gva --trial_stage1[1], 1 GiB--> gpa --trial_root[2], 1 GiB--> trial_word
 */
static bool stage1_updates(void)
{
	const uint64_t gib = MM_LEVEL_SIZE(2);
	uint64_t table = map_gib(1, trial_stage1), word = map_gib(2, &trial_word), value = 0;
	bool ok;

	trial_word = WORD;
	trial_stage1[1] = FIELD_PREP(PTE_PPN, mm_align_down(word, gib) >> MM_PAGE_SHIFT) | PTE_V |
	                  PTE_R | PTE_W;
	if (hext_caps.envcfg)
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

static void find_features(struct virt_caps *caps)
{
	uint64_t henvcfg = try_henvcfg(HENVCFG_STCE | HENVCFG_PBMTE | HENVCFG_ADUE);
	bool hardware_ad = caps->geometries[0].npt.accessed_dirty;

	hext_caps.sstc = timer_has_sstc() && (henvcfg & HENVCFG_STCE) != 0;
	/* QEMU 7.2 keeps PBMTE even without Svpbmt. */
	hext_caps.svpbmt = isa_has("svpbmt") && (henvcfg & HENVCFG_PBMTE) != 0;
	hext_caps.svadu = (henvcfg & HENVCFG_ADUE) != 0;
	hext_caps.vmid_bits = vmid_bits();
	hext_caps.reserved = reserved_bits();
	hext_caps.stateen = has_hstateen();
	find_registers();
	caps->stage1_ad = stage1_updates() ? STAGE1_AD_UPDATED : STAGE1_AD_FAULTS;
	/* Without Svpbmt PBMT is reserved in G-stage leaves. */
	for (size_t i = 0; i < caps->geometry_count; i++)
		caps->geometries[i].npt.fixed_memtype = !hext_caps.svpbmt;

	virt_add_feature(caps, "h", true, true);
	virt_add_feature(caps, "vmid", hext_caps.vmid_bits != 0, true);
	virt_add_feature(caps, "gstage-ad", hardware_ad, true);
	virt_add_feature(caps, "stage1-ad", caps->stage1_ad == STAGE1_AD_UPDATED, true);
	virt_add_feature(caps, "sstc", hext_caps.sstc, true);
	virt_add_feature(caps, "envcfg", hext_caps.envcfg, true);
	virt_add_feature(caps, "svpbmt", isa_has("svpbmt"), hext_caps.svpbmt);
	virt_add_feature(caps, "svadu", hext_caps.svadu, true);
	virt_add_feature(caps, "svnapot", isa_has("svnapot"), false);
	virt_add_feature(caps, "svrsw60t59b", isa_has("svrsw60t59b"), false);
	virt_add_feature(caps, "svinval", isa_has("svinval"), false);
	virt_add_feature(caps, "svvptc", isa_has("svvptc"), false);
	virt_add_feature(caps, "zicboz", isa_has("zicboz"), zero_uses_blocks());
	virt_add_feature(caps, "zicbom", isa_has("zicbom"), false);
	virt_add_feature(caps, "ssaia", isa_has("ssaia"), false);
	virt_add_feature(caps, "smstateen", isa_has("smstateen"), hext_caps.stateen);
	virt_add_feature(caps, "sscofpmf", isa_has("sscofpmf"), false);
	virt_add_feature(caps, "f", isa_has("f"), hext_caps.d);
	virt_add_feature(caps, "v", isa_has("v"), hext_caps.vlenb != 0);
}

bool hext_probe(struct virt_caps *caps)
{
	*caps = (struct virt_caps){.format = &mm_npt_gstage, .hpa_bits = 56};
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
	caps->tag_bits = hext_caps.vmid_bits;
	caps->max_tag = BIT(caps->tag_bits) - 1;
	return true;
}
