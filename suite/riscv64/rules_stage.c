/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V rules: two-stage address translation (8.5), guest-page faults, and what they write to
 * htval and htinst (8.6.3).
 */
#include "machine/riscv64/isa.h"
#include "suite/riscv64/rules_lab.h"

#define LOAD  INSN_LD(A2, 0, A0)
#define STORE INSN_SD(A2, A0)

static uint64_t code_at(void)
{
	return lab.stage1 ? lab_va(LAB_CODE) : lab_at(LAB_CODE);
}

/* An access of VS or VU-mode that must succeed. */
static void works(struct suite_run *run, const char *name, enum lab_mode mode, uint32_t insn,
                  uint64_t at)
{
	lab.x[A0] = at;
	if (!lab_do(mode, insn))
		suite_fail(run,
		           "%s: traps: scause=%" PRIu64 " stval=0x%" PRIx64 " htval=0x%" PRIx64,
		           name, lab.scause, lab.stval, lab.htval);
}

static void guest_fault(struct suite_run *run, const char *name, enum lab_mode mode, uint32_t insn,
                        uint64_t at, uint64_t gpa)
{
	bool store = (insn & 0x7f) == 0x23 || (insn & 0x7f) == 0x2f;
	/* LR is a load. */
	bool lr = (insn & 0x7f) == 0x2f && insn >> 27 == 2;

	lab.x[A0] = at;
	(void)lab_do(mode, insn);
	lab_expect_guest_fault(run, name,
	                       store && !lr ? CAUSE_STORE_GUEST_PAGE : CAUSE_LOAD_GUEST_PAGE,
	                       code_at(), at, gpa, insn);
}

static void fetch_fault(struct suite_run *run, const char *name, enum lab_mode mode, uint64_t at,
                        uint64_t gpa)
{
	lab_run(mode, at);
	lab.as_guest = false;
	lab_expect_guest_fault(run, name, CAUSE_FETCH_GUEST_PAGE, at, at, gpa, 0);
}

/* --- both stages --- */

static void stages(struct suite_run *run)
{
	uint64_t *data = lab_ptr(LAB_DATA);

	*data = 5;
	/* VS-stage bare: a guest-virtual address is guest-physical. */
	works(run, "VS-stage bare", LAB_VS, LOAD, lab_at(LAB_DATA));
	EXPECT_EQ(run, lab.x[A2], 5);
	works(run, "VS-stage bare", LAB_VU, LOAD, lab_at(LAB_DATA));
	lab.x[A2] = 6;
	works(run, "VS-stage bare", LAB_VS, STORE, lab_at(LAB_DATA));
	EXPECT_EQ(run, *data, 6);
	guest_fault(run, "VS-stage bare", LAB_VS, LOAD, lab_at(LAB_EMPTY), lab_at(LAB_EMPTY));
	/* Both. */
	lab_stage1(LAB_SUPER);
	works(run, "both", LAB_VS, LOAD, lab_va(LAB_DATA));
	EXPECT_EQ(run, lab.x[A2], 6);
	guest_fault(run, "both", LAB_VS, LOAD, lab_va(LAB_EMPTY) + 24, lab_at(LAB_EMPTY) + 24);
	guest_fault(run, "both", LAB_VS, STORE, lab_va(LAB_EMPTY) + 24, lab_at(LAB_EMPTY) + 24);
	fetch_fault(run, "both", LAB_VS, lab_va(LAB_EMPTY), lab_at(LAB_EMPTY));
	/* Fetches, too: the code is at lab_va(LAB_CODE). */
	EXPECT_EQ(run, code_at(), lab_va(LAB_CODE));
}

/* G-stage bare: guest-physical addresses are host-physical, without protection. */
static void gstage_bare(struct suite_run *run)
{
	csr_write(hgatp, 0);
	lab_fence();
	*(uint64_t *)lab_ptr(LAB_DATA) = 9;
	LAB_CODE_OF(LAB_CODE, LOAD, INSN_ECALL);
	lab.x[A0] = lab_host(LAB_DATA);
	lab_run(LAB_VS, lab_host(LAB_CODE));
	EXPECT_EQ(run, lab.scause, CAUSE_ECALL_VS);
	EXPECT_EQ(run, lab.x[A2], 9);
	lab_run(LAB_VU, lab_host(LAB_CODE));
	EXPECT_EQ(run, lab.scause, CAUSE_ECALL_U);
}

/* --- modes --- */

struct mode_row {
	enum atp_mode mode;
	unsigned bits; /* of a guest-physical address */
};

static void mode(struct suite_run *run, const struct mode_row *row)
{
	uint64_t beyond = lab_at(LAB_DATA) | BIT(row->bits);

	if (!lab_gstage_mode(row->mode)) {
		run->skip = "the hart has no such mode";
		return;
	}
	*(uint64_t *)lab_ptr(LAB_DATA) = 3;
	works(run, "load", LAB_VS, LOAD, lab_at(LAB_DATA));
	EXPECT_EQ(run, lab.x[A2], 3);
	/* The bits above must be zero. */
	guest_fault(run, "one bit beyond", LAB_VS, LOAD, beyond, beyond);
	guest_fault(run, "bit 63", LAB_VS, LOAD, lab_at(LAB_DATA) | BIT(63),
	            lab_at(LAB_DATA) | BIT(63));
	guest_fault(run, "sign-extended", LAB_VS, STORE,
	            UINT64_MAX << (row->bits - 1) | lab_at(LAB_DATA),
	            UINT64_MAX << (row->bits - 1) | lab_at(LAB_DATA));
}

/* The root has 2048 entries: the two highest bits of the address select among them. */
static void mode_upper(struct suite_run *run, const struct mode_row *row)
{
	uint64_t *entry;

	if (!lab_gstage_mode(row->mode)) {
		run->skip = "the hart has no such mode";
		return;
	}
	*(uint64_t *)lab_ptr(LAB_DATA) = 3;
	entry = lab_gstage_entry(lab.levels - 1);
	/* entry is number 1 with Sv39x4 and 0 otherwise. */
	for (unsigned high = 1; high < 4; high++) {
		entry[high * 512] = *entry;
		lab_fence();
		works(run, "high address", LAB_VS, LOAD,
		      lab_at(LAB_DATA) | (uint64_t)high << (row->bits - 2));
		EXPECT_EQ(run, lab.x[A2], 3);
		entry[high * 512] = 0;
		lab_fence();
		guest_fault(run, "high address, not mapped", LAB_VS, LOAD,
		            lab_at(LAB_DATA) | (uint64_t)high << (row->bits - 2),
		            lab_at(LAB_DATA) | (uint64_t)high << (row->bits - 2));
	}
}

static const struct mode_row sv39x4 = {ATP_SV39, 41}, sv48x4 = {ATP_SV48, 50},
			     sv57x4 = {ATP_SV57, 59};

static void mode_sv39x4(struct suite_run *run)
{
	mode(run, &sv39x4);
}

static void mode_sv48x4(struct suite_run *run)
{
	mode(run, &sv48x4);
}

static void mode_sv57x4(struct suite_run *run)
{
	mode(run, &sv57x4);
}

static void upper_sv39x4(struct suite_run *run)
{
	mode_upper(run, &sv39x4);
}

static void upper_sv48x4(struct suite_run *run)
{
	mode_upper(run, &sv48x4);
}

static void upper_sv57x4(struct suite_run *run)
{
	mode_upper(run, &sv57x4);
}

/* Leaves of a higher level; a leaf that is not aligned to its size faults. */
static void superpages(struct suite_run *run)
{
	uint64_t host = lab_host(LAB_DATA);

	*(uint64_t *)lab_ptr(LAB_DATA) = 4;
	for (unsigned level = 1; level <= 2; level++) {
		uint64_t *entry = lab_gstage_entry(level), kept, size = MM_LEVEL_SIZE(level);
		uint64_t base = GIB(1) + size, at = base | (host & (size - 1));
		uint64_t leaf =
			FIELD_PREP(PTE_PPN, mm_align_down(host, size) >> MM_PAGE_SHIFT) | LAB_ALL;

		kept = entry[1];
		entry[1] = leaf;
		lab_fence();
		works(run, "large leaf", LAB_VS, LOAD, at);
		EXPECT_EQ(run, lab.x[A2], 4);
		/* The lowest bit of its PPN. */
		entry[1] = leaf | BIT(10);
		lab_fence();
		guest_fault(run, "misaligned large leaf", LAB_VS, LOAD, at, at);
		entry[1] = kept;
		lab_fence();
	}
}

/* --- permissions of the G-stage --- */

static void permissions(struct suite_run *run)
{
	const uint64_t ad = PTE_A | PTE_D;
	uint64_t at = lab_at(LAB_MORE);

	for (uint64_t rwx = 0; rwx < 8; rwx++) {
		uint64_t bits = PTE_V | PTE_U | ad | rwx << 1;
		bool valid = rwx != 0 && rwx != 2 && rwx != 6;
		bool r = valid && (rwx & 1) != 0, w = valid && (rwx & 2) != 0;
		bool x = valid && (rwx & 4) != 0;

		for (enum lab_mode from = LAB_VS; from <= LAB_VU; from++) {
			lab_gstage(LAB_MORE, bits);
			if (r)
				works(run, "readable", from, LOAD, at);
			else
				guest_fault(run, "not readable", from, LOAD, at, at);
			if (w)
				works(run, "writable", from, STORE, at);
			else
				guest_fault(run, "not writable", from, STORE, at, at);
			LAB_CODE_OF(LAB_MORE, INSN_ECALL);
			if (!x) {
				fetch_fault(run, "not executable", from, at, at);
				continue;
			}
			lab_run(from, at);
			lab_expect(run, "executable", "sepc", lab.pc, at);
			lab_expect(run, "executable", "scause", lab.scause,
			           from == LAB_VS ? CAUSE_ECALL_VS : CAUSE_ECALL_U);
		}
	}
}

/* All accesses are checked as those of U-mode: a leaf without U faults, and SUM changes nothing. */
static void user(struct suite_run *run)
{
	uint64_t at = lab_at(LAB_MORE);

	lab_gstage(LAB_MORE, LAB_ALL & ~PTE_U);
	for (unsigned sum = 0; sum < 2; sum++) {
		csr_write(vsstatus, sum ? SSTATUS_SUM : 0);
		lab.with.sstatus = sum ? SSTATUS_SUM : 0;
		for (enum lab_mode from = LAB_VS; from <= LAB_VU; from++) {
			guest_fault(run, "U=0", from, LOAD, at, at);
			guest_fault(run, "U=0", from, STORE, at, at);
			fetch_fault(run, "U=0", from, at, at);
		}
	}
	/* V=0; and the table of a walk without U is no leaf, so U there is ignored. */
	lab_gstage(LAB_MORE, LAB_ALL & ~PTE_V);
	guest_fault(run, "V=0", LAB_VS, LOAD, at, at);
}

/* The G bit is ignored. */
static void global(struct suite_run *run)
{
	lab_gstage(LAB_MORE, LAB_ALL | PTE_G);
	works(run, "G=1", LAB_VS, LOAD, lab_at(LAB_MORE));
	works(run, "G=1", LAB_VS, STORE, lab_at(LAB_MORE));
	*(uint64_t *)lab_ptr(LAB_MORE) = 1;
	*(uint64_t *)lab_ptr(LAB_OTHER) = 2;
	works(run, "G=1", LAB_VS, LOAD, lab_at(LAB_MORE));
	EXPECT_EQ(run, lab.x[A2], 1);
	/* It is not shared by all VMs: a fence of the VMID includes it. */
	lab_gstage_swap(LAB_MORE, LAB_OTHER);
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" ::"r"(UINT64_C(1)) : "memory");
	works(run, "G=1", LAB_VS, LOAD, lab_at(LAB_MORE));
	EXPECT_EQ(run, lab.x[A2], 2);
}

/* --- MXR --- */

static void mxr(struct suite_run *run)
{
	const uint64_t xonly = PTE_V | PTE_X | PTE_A | PTE_D;
	const uint64_t at = lab_va(LAB_MORE), gpa = lab_at(LAB_MORE);

	lab_stage1(LAB_SUPER);
	lab_gstage(LAB_MORE, xonly | PTE_U);
	guest_fault(run, "no MXR", LAB_VS, LOAD, at, gpa);
	csr_write(vsstatus, SSTATUS_MXR);
	guest_fault(run, "vsstatus.MXR", LAB_VS, LOAD, at, gpa);
	lab_stage1_leaf(LAB_MORE, xonly);
	lab_gstage(LAB_MORE, LAB_ALL);
	works(run, "vsstatus.MXR, VS-stage", LAB_VS, LOAD, at);
	csr_write(vsstatus, 0);
	lab.with.sstatus = SSTATUS_MXR;
	works(run, "sstatus.MXR, VS-stage", LAB_VS, LOAD, at);
	lab_gstage(LAB_MORE, xonly | PTE_U);
	works(run, "sstatus.MXR, both stages", LAB_VS, LOAD, at);
	lab_stage1_leaf(LAB_MORE, LAB_SUPER);
	works(run, "sstatus.MXR, G-stage", LAB_VS, LOAD, at);
	guest_fault(run, "a store", LAB_VS, STORE, at, gpa);
}

/* --- the VS-stage walk --- */

/* The walk's own accesses go through the G-stage: the fault names the entry, and the access. */
static void walk_fault(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                       uint64_t at, uint64_t entry)
{
	lab_expect_guest_fault(run, name, cause, pc, at, entry, LAB_WALK);
}

static uint64_t entry_of(enum lab_page table)
{
	uint64_t at = lab_va(LAB_MORE);

	return lab_at(table) + (table == LAB_ROOT     ? (at >> 30 & 511) * 8
	                        : table == LAB_MIDDLE ? (at >> 21 & 511) * 8
	                                              : (at >> 12 & 511) * 8);
}

static void walk_loads(struct suite_run *run)
{
	static const enum lab_page table[] = {LAB_ROOT, LAB_MIDDLE, LAB_LEAVES};
	static const uint64_t bits[] = {0, LAB_ALL & ~PTE_U, PTE_V | PTE_X | PTE_U | PTE_A | PTE_D};
	uint64_t at = lab_va(LAB_MORE);

	/* The code is translated by the same tables, so HLV makes the access. */
	lab_stage1(LAB_SUPER);
	lab.with.hstatus |= HSTATUS_SPVP;
	for (size_t i = 0; i < MM_ARRAY_SIZE(table); i++) {
		for (size_t k = 0; k < MM_ARRAY_SIZE(bits); k++) {
			lab_gstage(table[i], bits[k]);
			lab.x[A0] = at;
			(void)lab_do(LAB_HS, INSN_HLV_D(A2, A0));
			walk_fault(run, "table not readable", CAUSE_LOAD_GUEST_PAGE,
			           lab_host(LAB_CODE), at, entry_of(table[i]));
		}
		/* Readable is enough, if A and D are set. */
		lab_gstage(table[i], PTE_V | PTE_R | PTE_U | PTE_A | PTE_D);
		lab.x[A0] = at;
		EXPECT(run, lab_do(LAB_HS, INSN_HLV_D(A2, A0)));
		lab_gstage(table[i], LAB_ALL);
	}
	lab.as_guest = false;
}

/* The exception is that of the original access. */
static void walk_stores(struct suite_run *run)
{
	uint64_t at = lab_va(LAB_MORE);

	lab_stage1(LAB_SUPER);
	lab.with.hstatus |= HSTATUS_SPVP;
	lab_gstage(LAB_LEAVES, 0);
	lab.x[A0] = at;
	(void)lab_do(LAB_HS, INSN_HSV_D(A2, A0));
	walk_fault(run, "store", CAUSE_STORE_GUEST_PAGE, lab_host(LAB_CODE), at,
	           entry_of(LAB_LEAVES));
	lab.as_guest = false;
	lab_run(LAB_VS, at);
	walk_fault(run, "fetch", CAUSE_FETCH_GUEST_PAGE, at, at, entry_of(LAB_LEAVES));
}

/* A and D of VS-stage entries: a page fault, or an update, which is a write for the G-stage. */
static void walk_updates(struct suite_run *run)
{
	uint64_t at = lab_va(LAB_MORE), *leaf = (uint64_t *)lab_ptr(LAB_LEAVES) + LAB_MORE;

	lab_stage1(LAB_SUPER);
	lab.with.hstatus |= HSTATUS_SPVP;
	(void)lab_csr_try(run, CSR_HENVCFG, HENVCFG_ADUE);
	lab_stage1_leaf(LAB_MORE, LAB_SUPER & ~PTE_A);
	lab.x[A0] = at;
	if (!lab_do(LAB_HS, INSN_HLV_D(A2, A0))) {
		lab_expect_page_fault(run, "A=0", CAUSE_LOAD_PAGE, lab_host(LAB_CODE), at,
		                      INSN_HLV_D(A2, A0));
		lab.as_guest = false;
		run->skip = "the hart does not update A and D";
		return;
	}
	EXPECT_EQ(run, *leaf & PTE_A, PTE_A);
	lab_stage1_leaf(LAB_MORE, LAB_SUPER & ~PTE_D);
	lab.x[A0] = at;
	EXPECT(run, lab_do(LAB_HS, INSN_HSV_D(A2, A0)));
	EXPECT_EQ(run, *leaf & PTE_D, PTE_D);
	/* The G-stage does not permit the write. */
	lab_stage1_leaf(LAB_MORE, LAB_SUPER & ~PTE_A);
	lab_gstage(LAB_LEAVES, PTE_V | PTE_R | PTE_U | PTE_A | PTE_D);
	lab.x[A0] = at;
	(void)lab_do(LAB_HS, INSN_HLV_D(A2, A0));
	lab_expect_guest_fault(run, "update of A", CAUSE_LOAD_GUEST_PAGE, lab_host(LAB_CODE), at,
	                       entry_of(LAB_LEAVES), LAB_WALK_WRITE);
	EXPECT_EQ(run, *leaf & PTE_A, 0);
	lab.as_guest = false;
}

/* henvcfg.ADUE, if it is writable: 0 is a page fault, 1 an update. */
static void adue(struct suite_run *run)
{
	uint64_t at = lab_va(LAB_MORE), *leaf = (uint64_t *)lab_ptr(LAB_LEAVES) + LAB_MORE;

	if (lab_csr_try(run, CSR_HENVCFG, HENVCFG_ADUE) != HENVCFG_ADUE) {
		run->skip = "henvcfg.ADUE is read-only zero";
		return;
	}
	lab_stage1(LAB_SUPER);
	for (unsigned on = 0; on < 2; on++) {
		(void)lab_csr_try(run, CSR_HENVCFG, on ? HENVCFG_ADUE : 0);
		for (unsigned store = 0; store < 2; store++) {
			uint64_t bit = store ? PTE_D : PTE_A;

			lab_stage1_leaf(LAB_MORE, LAB_SUPER & ~bit);
			lab.x[A0] = at;
			if (lab_do(LAB_VS, store ? STORE : LOAD) != (on != 0))
				suite_fail(run, "ADUE=%u: scause=%" PRIu64, on, lab.scause);
			else if (!on)
				lab_expect_page_fault(run, "ADUE=0",
				                      store ? CAUSE_STORE_PAGE : CAUSE_LOAD_PAGE,
				                      lab_va(LAB_CODE), at, store ? STORE : LOAD);
			EXPECT_EQ(run, *leaf & bit, on ? bit : 0);
		}
	}
}

/* henvcfg.PBMTE: without it, PBMT in a VS-stage leaf is reserved. */
static void pbmte(struct suite_run *run)
{
	uint64_t at = lab_va(LAB_MORE), *leaf = (uint64_t *)lab_ptr(LAB_LEAVES) + LAB_MORE;

	if (!isa_has("svpbmt") || lab_csr_try(run, CSR_HENVCFG, HENVCFG_PBMTE) != HENVCFG_PBMTE) {
		run->skip = "henvcfg.PBMTE is read-only zero";
		return;
	}
	lab_stage1(LAB_SUPER);
	for (uint64_t type = 1; type <= 2; type++) {
		lab_stage1_leaf(LAB_MORE, LAB_SUPER);
		*leaf |= type << 61;
		(void)lab_csr_try(run, CSR_HENVCFG, HENVCFG_PBMTE);
		lab_fence();
		works(run, "PBMTE=1", LAB_VS, LOAD, at);
		(void)lab_csr_try(run, CSR_HENVCFG, 0);
		lab_fence();
		lab.x[A0] = at;
		(void)lab_do(LAB_VS, LOAD);
		lab_expect_page_fault(run, "PBMTE=0", CAUSE_LOAD_PAGE, lab_va(LAB_CODE), at, LOAD);
	}
}

/* henvcfg.PMM: the upper bits of VS-mode's addresses are ignored. */
static void pmm(struct suite_run *run)
{
	static const struct {
		uint64_t pmm, tag;
	} rows[] = {{2, UINT64_C(0x54) << 57}, {3, UINT64_C(0x5a5a) << 48}};
	bool any = false;

	lab_stage1(LAB_SUPER);
	*(uint64_t *)lab_ptr(LAB_MORE) = 8;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		uint64_t value = FIELD_PREP(HENVCFG_PMM, rows[i].pmm);
		uint64_t at = lab_va(LAB_MORE) | rows[i].tag;

		if (lab_csr_try(run, CSR_HENVCFG, value) != value)
			continue;
		any = true;
		works(run, "masked", LAB_VS, LOAD, at);
		EXPECT_EQ(run, lab.x[A2], 8);
		(void)lab_csr_try(run, CSR_HENVCFG, 0);
		lab.x[A0] = at;
		(void)lab_do(LAB_VS, LOAD);
		lab_expect_page_fault(run, "not masked", CAUSE_LOAD_PAGE, lab_va(LAB_CODE), at,
		                      LOAD);
	}
	if (!any)
		run->skip = "henvcfg.PMM is read-only zero";
}

/* --- accesses that straddle pages --- */

static void straddle(struct suite_run *run)
{
	uint64_t end = lab_at(LAB_EMPTY), at = end - 4;
	uint16_t *last = (uint16_t *)((uint8_t *)lab_ptr(LAB_MORE) + PAGE - 2);

	/* LAB_MORE is mapped, the next page is not. */
	lab.x[A0] = at;
	(void)lab_do(LAB_VS, LOAD);
	lab.first_byte = at;
	lab_expect_guest_fault(run, "load", CAUSE_LOAD_GUEST_PAGE, lab_at(LAB_CODE), end, end,
	                       LOAD);
	lab.x[A0] = at;
	(void)lab_do(LAB_VS, STORE);
	lab.first_byte = at;
	lab_expect_guest_fault(run, "store", CAUSE_STORE_GUEST_PAGE, lab_at(LAB_CODE), end, end,
	                       STORE);
	/* The first page is not mapped, the second is: the first byte faults. */
	at = lab_at(LAB_ROOT) - 4;
	lab_gstage(LAB_EMPTY, 0);
	lab.x[A0] = at;
	(void)lab_do(LAB_VS, LOAD);
	lab_expect_guest_fault(run, "first part", CAUSE_LOAD_GUEST_PAGE, lab_at(LAB_CODE), at, at,
	                       LOAD);
	/* A 4-byte instruction whose second half is on the page that is not mapped. */
	*last = INSN_NOP & 0xffff;
	__asm__ volatile("fence.i" ::: "memory");
	if (!isa_has("c"))
		return;
	lab_run(LAB_VS, end - 2);
	lab_expect_guest_fault(run, "fetch", CAUSE_FETCH_GUEST_PAGE, end - 2, end, end, 0);
}

/* --- htinst --- */

static void instructions(struct suite_run *run)
{
	static const struct {
		const char *name;
		uint32_t insn;
	} rows[] = {
		{"lb", INSN_LB(A2, 0, A0)},
		{"lbu", INSN_LBU(A2, 0, A0)},
		{"lh", INSN_LH(A2, 0, A0)},
		{"lhu", INSN_LHU(A2, 0, A0)},
		{"lw", INSN_LW(A2, 0, A0)},
		{"lwu", INSN_LWU(A2, 0, A0)},
		{"ld", INSN_LD(A2, 0, A0)},
		{"ld x31", INSN_LD(31, 0, A0)},
		{"sb", INSN_SB(A2, A0)},
		{"sh", INSN_SH(A2, A0)},
		{"sw", INSN_SW(A2, A0)},
		{"sd", INSN_SD(A2, A0)},
		{"sd x0", INSN_SD(0, A0)},
		{"amoadd.d", INSN_AMOADD_D(A2, A1, A0)},
		{"lr.d", INSN_LR_D(A2, A0)},
		{"amoswap.w", INSN_AMOSWAP_W(A2, A1, A0)},
		{"ld offset", INSN_LD(A2, 16, A0)},
	};
	uint64_t at = lab_at(LAB_EMPTY), written = 0;

	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		bool offset = rows[i].insn == INSN_LD(A2, 16, A0);
		uint64_t cause = (rows[i].insn & 0x7f) == 0x03 || rows[i].insn == INSN_LR_D(A2, A0)
		                         ? CAUSE_LOAD_GUEST_PAGE
		                         : CAUSE_STORE_GUEST_PAGE;

		lab.x[A0] = at + (offset ? 0 : 8);
		(void)lab_do(LAB_VS, rows[i].insn);
		written |= lab.htinst;
		lab_expect_guest_fault(run, rows[i].name, cause, lab_at(LAB_CODE),
		                       at + (offset ? 16 : 8), at + (offset ? 16 : 8),
		                       rows[i].insn);
	}
	lab_choice("H_trap_xtinst", written != 0);
}

/* Compressed: the transformation of the 4-byte instruction, with bit 1 clear. */
static void compressed(struct suite_run *run)
{
	static const struct {
		const char *name;
		uint32_t insn, same;
	} rows[] = {
		{"c.lw", 0x4110, INSN_LW(A2, 0, A0)},
		{"c.ld", 0x6110, INSN_LD(A2, 0, A0)},
		{"c.sw", 0xc110, INSN_SW(A2, A0)},
		{"c.sd", 0xe110, INSN_SD(A2, A0)},
	};
	uint64_t at = lab_at(LAB_EMPTY);

	if (!isa_has("c")) {
		run->skip = "no compressed instructions";
		return;
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		LAB_CODE_OF(LAB_CODE, rows[i].insn | UINT32_C(0x10000), INSN_ECALL);
		lab.x[A0] = at;
		lab_run(LAB_VS, lab_at(LAB_CODE));
		lab.compressed = true;
		lab_expect_guest_fault(run, rows[i].name,
		                       i < 2 ? CAUSE_LOAD_GUEST_PAGE : CAUSE_STORE_GUEST_PAGE,
		                       lab_at(LAB_CODE), at, at, rows[i].same);
	}
}

/* --- physical memory protection --- */

/* Firmware protects itself by PMP. If HS-mode may not read there, a guest may not either. */
static void pmp(struct suite_run *run)
{
	uint64_t ram = mm_align_down(lab_host(LAB_CODE), MM_LEVEL_SIZE(2));

	lab.x[A0] = ram;
	if (lab_do(LAB_HS, LOAD) || lab.scause != CAUSE_LOAD_ACCESS) {
		run->skip = "HS-mode may read the start of memory: no protected address is known";
		return;
	}
	lab_gstage_entry(0)[LAB_EMPTY] = FIELD_PREP(PTE_PPN, ram >> MM_PAGE_SHIFT) | LAB_ALL;
	lab_fence();
	lab.x[A0] = lab_at(LAB_EMPTY);
	lab.with.hstatus |= HSTATUS_SPVP;
	(void)lab_do(LAB_HS, INSN_HLV_D(A2, A0));
	lab_expect_page_fault(run, "hlv", CAUSE_LOAD_ACCESS, lab_host(LAB_CODE), lab_at(LAB_EMPTY),
	                      INSN_HLV_D(A2, A0));
	lab.as_guest = false;
}

static const struct suite_case cases[] = {
	LAB_CASE("stage.both", stages,
                 "H_vm_twostage H_vm_gstagetrans vsatp_op hgatp_op htval_op HTVAL_TRAPVAL "
                 "H_guest_page_fault mtval2_htval_virtaddr H_cause"),
	LAB_CASE("stage.gstage-bare", gstage_bare, "hgatp_mode_bare hgatp_mode_bare_trans"),
	LAB_CASE("stage.sv39x4", mode_sv39x4, "hgatp_mode_x4 hgatp_mode_sv39x4 hgatp_mode_sv"),
	LAB_CASE("stage.sv48x4", mode_sv48x4, "hgatp_mode_x4 hgatp_mode_sv48x4"),
	LAB_CASE("stage.sv57x4", mode_sv57x4, "hgatp_mode_x4 hgatp_mode_sv57x4"),
	LAB_CASE("stage.upper.sv39x4", upper_sv39x4, "hgatp_mode_x4 hgatp_mode_sv39x4"),
	LAB_CASE("stage.upper.sv48x4", upper_sv48x4, "hgatp_mode_x4 hgatp_mode_sv48x4"),
	LAB_CASE("stage.upper.sv57x4", upper_sv57x4, "hgatp_mode_x4 hgatp_mode_sv57x4"),
	LAB_CASE("stage.superpages", superpages, "H_vm_gpatrans hgatp_mode_x4"),
	LAB_CASE("stage.permissions", permissions, "H_vm_gpapriv H_vm_gpatrans"),
	LAB_CASE("stage.user", user, "H_vm_gpapriv H_vm_gpatrans"),
	LAB_CASE("stage.global", global, "H_vm_gpa_g"),
	LAB_CASE("stage.mxr", mxr, "vsstatus_mxr_vm sstatus_mxr_vm"),
	LAB_CASE("stage.walk.load", walk_loads,
                 "H_vm_gpapriv H_vm_gstagetrans HTVAL_TRAPVAL H_trap_xtinst_guestpage "
                 "H_trap_xtinst_guestpage_rw"),
	LAB_CASE("stage.walk.store", walk_stores, "H_vm_gpapriv H_trap_xtinst_guestpage"),
	LAB_CASE("stage.walk.update", walk_updates,
                 "H_vm_gpapriv H_trap_xtinst_guestpage H_trap_xtinst_guestpage_rw"),
	LAB_CASE("stage.adue", adue, "henvcfg_adue_op henvcfg_op"),
	LAB_CASE("stage.pbmte", pbmte, "henvcfg_pbmte_op henvcfg_op"),
	LAB_CASE("stage.pmm", pmm, "henvcfg_pmm_op henvcfg_op"),
	LAB_CASE("stage.straddle", straddle,
                 "H_straddle H_tinst_addr_offset mtval2_htval_virtaddr HTVAL_TRAPVAL"),
	LAB_CASE("stage.htinst", instructions,
                 "H_trap_xtinst H_trap_xtinst_exception H_trap_xtinst_val htinst_op htinst_val"),
	LAB_CASE("stage.htinst.compressed", compressed,
                 "H_trap_xtinst_exception H_trap_xtinst_val"),
	LAB_NOISY("stage.pmp", pmp, "H_pmp"),
};

const struct suite_subject suite_rules_stage = {
	.name = "rules_stage",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
