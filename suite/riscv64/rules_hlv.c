/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V rules: the virtual-machine loads and stores HLV, HLVX and HSV (8.3.1), and the fences
 * HFENCE.VVMA and HFENCE.GVMA (8.3.2).
 */
#include "machine/riscv64/isa.h"
#include "suite/riscv64/rules_lab.h"

#define WORD UINT64_C(0xf1e2d3c4b5a69788)

static void load(struct suite_run *run, const char *name, enum lab_mode mode, uint32_t insn,
                 uint64_t at, uint64_t expected)
{
	lab.x[A0] = at;
	lab.x[A2] = UINT64_C(0x5555555555555555);
	if (!lab_do(mode, insn))
		suite_fail(run, "%s: traps: scause=%" PRIu64 " stval=0x%" PRIx64, name, lab.scause,
		           lab.stval);
	else
		lab_expect(run, name, "value", lab.x[A2], expected);
}

/* A load or store that must end with a page fault of the VS-stage. */
static void refused(struct suite_run *run, const char *name, uint32_t insn, uint64_t at,
                    uint64_t cause)
{
	lab.x[A0] = at;
	lab.x[A2] = 0;
	(void)lab_do(LAB_HS, insn);
	lab_expect_page_fault(run, name, cause, lab_host(LAB_CODE), at, insn);
}

static void refused_by_gstage(struct suite_run *run, const char *name, uint32_t insn, uint64_t at,
                              uint64_t gpa, uint64_t cause)
{
	lab.x[A0] = at;
	lab.x[A2] = 0;
	(void)lab_do(LAB_HS, insn);
	lab_expect_guest_fault(run, name, cause, lab_host(LAB_CODE), at, gpa, insn);
}

/* --- widths --- */

static const struct {
	const char *name;
	uint32_t insn;
	uint64_t value;
} loads[] = {
	{"hlv.b", INSN_HLV_B(A2, A0), UINT64_C(0xffffffffffffff88)},
	{"hlv.bu", INSN_HLV_BU(A2, A0), 0x88},
	{"hlv.h", INSN_HLV_H(A2, A0), UINT64_C(0xffffffffffff9788)},
	{"hlv.hu", INSN_HLV_HU(A2, A0), 0x9788},
	{"hlvx.hu", INSN_HLVX_HU(A2, A0), 0x9788},
	{"hlv.w", INSN_HLV_W(A2, A0), UINT64_C(0xffffffffb5a69788)},
	{"hlv.wu", INSN_HLV_WU(A2, A0), 0xb5a69788},
	{"hlvx.wu", INSN_HLVX_WU(A2, A0), 0xb5a69788},
	{"hlv.d", INSN_HLV_D(A2, A0), WORD},
};

static const struct {
	const char *name;
	uint32_t insn;
	uint64_t after;
} stores[] = {
	{"hsv.b", INSN_HSV_B(A2, A0), UINT64_C(0xf1e2d3c4b5a69711)},
	{"hsv.h", INSN_HSV_H(A2, A0), UINT64_C(0xf1e2d3c4b5a62211)},
	{"hsv.w", INSN_HSV_W(A2, A0), UINT64_C(0xf1e2d3c444332211)},
	{"hsv.d", INSN_HSV_D(A2, A0), UINT64_C(0x8877665544332211)},
};

static void every_form(struct suite_run *run, enum lab_mode mode, uint64_t at)
{
	uint64_t *data = lab_ptr(LAB_DATA);

	for (size_t i = 0; i < MM_ARRAY_SIZE(loads); i++) {
		*data = WORD;
		load(run, loads[i].name, mode, loads[i].insn, at, loads[i].value);
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(stores); i++) {
		*data = WORD;
		lab.x[A0] = at;
		lab.x[A2] = UINT64_C(0x8877665544332211);
		EXPECT(run, lab_do(mode, stores[i].insn));
		lab_expect(run, stores[i].name, "memory", *data, stores[i].after);
	}
}

static void forms(struct suite_run *run)
{
	lab.with.hstatus |= HSTATUS_SPVP;
	every_form(run, LAB_HS, lab_at(LAB_DATA));
	lab_stage1(LAB_SUPER);
	every_form(run, LAB_HS, lab_va(LAB_DATA));
	/* The address is the guest's, and not the hypervisor's. */
	*(uint64_t *)lab_ptr(LAB_OTHER) = 1;
	lab_stage1_swap(LAB_DATA, LAB_OTHER);
	lab_fence();
	load(run, "the guest's tables", LAB_HS, INSN_HLV_D(A2, A0), lab_va(LAB_DATA), 1);
}

/* In U-mode hstatus.HU decides. */
static void in_u_mode(struct suite_run *run)
{
	lab.with.hstatus |= HSTATUS_HU | HSTATUS_SPVP;
	every_form(run, LAB_U, lab_at(LAB_DATA));
	lab.with.hstatus &= ~HSTATUS_HU;
	/* stval must not be that of an earlier trap. */
	(void)lab_do(LAB_U, INSN_CSRR(A2, CSR_HSTATUS));
	for (size_t i = 0; i < MM_ARRAY_SIZE(loads); i++) {
		(void)lab_do(LAB_U, loads[i].insn);
		lab.as_guest = false;
		lab_expect_insn_trap(run, loads[i].name, CAUSE_ILLEGAL, lab_host(LAB_CODE),
		                     loads[i].insn);
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(stores); i++) {
		(void)lab_do(LAB_U, stores[i].insn);
		lab.as_guest = false;
		lab_expect_insn_trap(run, stores[i].name, CAUSE_ILLEGAL, lab_host(LAB_CODE),
		                     stores[i].insn);
	}
	/* HS-mode does not depend on HU. */
	every_form(run, LAB_HS, lab_at(LAB_DATA));
}

/* --- privilege --- */

/* SPVP selects VS or VU; SUM is that of vsstatus. */
static void privilege(struct suite_run *run)
{
	const uint32_t hlv = INSN_HLV_D(A2, A0), hsv = INSN_HSV_D(A2, A0);
	uint64_t at;

	lab_stage1(LAB_SUPER);
	lab_stage1_leaf(LAB_OTHER, LAB_SUPER | PTE_U);
	*(uint64_t *)lab_ptr(LAB_DATA) = 1;
	*(uint64_t *)lab_ptr(LAB_OTHER) = 2;
	for (unsigned sum = 0; sum < 2; sum++) {
		/* As VS: supervisor pages, and user pages if vsstatus.SUM is set. */
		lab.with.hstatus |= HSTATUS_SPVP;
		csr_write(vsstatus, sum ? SSTATUS_SUM : 0);
		/* The HS-level SUM is ignored: it is the opposite. */
		lab.with.sstatus = sum ? 0 : SSTATUS_SUM;
		load(run, "VS, supervisor page", LAB_HS, hlv, lab_va(LAB_DATA), 1);
		at = lab_va(LAB_OTHER);
		if (sum) {
			load(run, "VS, user page, SUM=1", LAB_HS, hlv, at, 2);
		} else {
			refused(run, "VS, user page, SUM=0", hlv, at, CAUSE_LOAD_PAGE);
			refused(run, "VS, store to a user page", hsv, at, CAUSE_STORE_PAGE);
		}
		/* As VU: user pages only, whatever SUM is. */
		lab.with.hstatus &= ~HSTATUS_SPVP;
		load(run, "VU, user page", LAB_HS, hlv, at, 2);
		refused(run, "VU, supervisor page", hlv, lab_va(LAB_DATA), CAUSE_LOAD_PAGE);
		refused(run, "VU, store to a supervisor page", hsv, lab_va(LAB_DATA),
		        CAUSE_STORE_PAGE);
	}
}

/* --- MXR --- */

static void mxr(struct suite_run *run)
{
	const uint32_t hlv = INSN_HLV_D(A2, A0);
	const uint64_t xonly = PTE_V | PTE_X | PTE_A | PTE_D, at = lab_va(LAB_DATA);

	lab.with.hstatus |= HSTATUS_SPVP;
	*(uint64_t *)lab_ptr(LAB_DATA) = 7;
	lab_stage1(LAB_SUPER);
	/* Execute-only in the VS-stage: either MXR makes it readable. */
	lab_stage1_leaf(LAB_DATA, xonly);
	refused(run, "VS-stage x, no MXR", hlv, at, CAUSE_LOAD_PAGE);
	csr_write(vsstatus, SSTATUS_MXR);
	load(run, "VS-stage x, vsstatus.MXR", LAB_HS, hlv, at, 7);
	csr_write(vsstatus, 0);
	lab.with.sstatus = SSTATUS_MXR;
	load(run, "VS-stage x, sstatus.MXR", LAB_HS, hlv, at, 7);
	lab.with.sstatus = 0;
	/* Execute-only in the G-stage: only the HS-level MXR does. */
	lab_stage1_leaf(LAB_DATA, LAB_SUPER);
	lab_gstage(LAB_DATA, xonly | PTE_U);
	refused_by_gstage(run, "G-stage x, no MXR", hlv, at, lab_at(LAB_DATA),
	                  CAUSE_LOAD_GUEST_PAGE);
	csr_write(vsstatus, SSTATUS_MXR);
	refused_by_gstage(run, "G-stage x, vsstatus.MXR", hlv, at, lab_at(LAB_DATA),
	                  CAUSE_LOAD_GUEST_PAGE);
	lab.with.sstatus = SSTATUS_MXR;
	load(run, "G-stage x, both MXR", LAB_HS, hlv, at, 7);
	csr_write(vsstatus, 0);
	load(run, "G-stage x, sstatus.MXR", LAB_HS, hlv, at, 7);
	/* Execute-only in both. */
	lab_stage1_leaf(LAB_DATA, xonly);
	load(run, "both stages x, sstatus.MXR", LAB_HS, hlv, at, 7);
	/* MXR is for explicit loads: it does not make a page writable. */
	refused(run, "MXR and a store", INSN_HSV_D(A2, A0), at, CAUSE_STORE_PAGE);
}

/* --- HLVX: execute permission instead of read permission --- */

static void hlvx_refused(struct suite_run *run)
{
	const uint32_t hlvx = INSN_HLVX_WU(A2, A0), hlv = INSN_HLV_WU(A2, A0);
	const uint64_t rw = PTE_V | PTE_R | PTE_W | PTE_A | PTE_D, at = lab_va(LAB_DATA);

	lab.with.hstatus |= HSTATUS_SPVP;
	lab_stage1(LAB_SUPER);
	lab_stage1_leaf(LAB_DATA, rw);
	load(run, "hlv of rw", LAB_HS, hlv, at, 0);
	refused(run, "hlvx of rw in the VS-stage", hlvx, at, CAUSE_LOAD_PAGE);
	lab.with.sstatus = SSTATUS_MXR;
	refused(run, "hlvx of rw, MXR", hlvx, at, CAUSE_LOAD_PAGE);
	lab.with.sstatus = 0;
	lab_stage1_leaf(LAB_DATA, LAB_SUPER);
	lab_gstage(LAB_DATA, rw | PTE_U);
	load(run, "hlv of rw in the G-stage", LAB_HS, hlv, at, 0);
	refused_by_gstage(run, "hlvx of rw in the G-stage", hlvx, at, lab_at(LAB_DATA),
	                  CAUSE_LOAD_GUEST_PAGE);
}

static void hlvx_execute_only(struct suite_run *run)
{
	const uint32_t hlvx = INSN_HLVX_WU(A2, A0), half = INSN_HLVX_HU(A2, A0);
	const uint64_t xonly = PTE_V | PTE_X | PTE_A | PTE_D, at = lab_va(LAB_DATA);

	*(uint64_t *)lab_ptr(LAB_DATA) = WORD;
	lab.with.hstatus |= HSTATUS_SPVP;
	lab_stage1(LAB_SUPER);
	lab_stage1_leaf(LAB_DATA, xonly);
	load(run, "x in the VS-stage", LAB_HS, hlvx, at, 0xb5a69788);
	load(run, "x in the VS-stage", LAB_HS, half, at, 0x9788);
	lab_gstage(LAB_DATA, xonly | PTE_U);
	load(run, "x in both stages", LAB_HS, hlvx, at, 0xb5a69788);
	lab_stage1_leaf(LAB_DATA, LAB_SUPER);
	load(run, "x in the G-stage", LAB_HS, hlvx, at, 0xb5a69788);
}

/* --- faults of HLV and HSV --- */

static void faults(struct suite_run *run)
{
	uint64_t at;

	lab.with.hstatus |= HSTATUS_SPVP;
	for (unsigned stage1 = 0; stage1 < 2; stage1++) {
		if (stage1)
			lab_stage1(LAB_SUPER);
		at = stage1 ? lab_va(LAB_EMPTY) : lab_at(LAB_EMPTY);
		for (size_t i = 0; i < MM_ARRAY_SIZE(loads); i++)
			refused_by_gstage(run, loads[i].name, loads[i].insn, at + 8,
			                  lab_at(LAB_EMPTY) + 8, CAUSE_LOAD_GUEST_PAGE);
		for (size_t i = 0; i < MM_ARRAY_SIZE(stores); i++)
			refused_by_gstage(run, stores[i].name, stores[i].insn, at + 8,
			                  lab_at(LAB_EMPTY) + 8, CAUSE_STORE_GUEST_PAGE);
	}
	lab_stage1_leaf(LAB_EMPTY, 0);
	for (size_t i = 0; i < MM_ARRAY_SIZE(loads); i++)
		refused(run, loads[i].name, loads[i].insn, lab_va(LAB_EMPTY) + 16, CAUSE_LOAD_PAGE);
	for (size_t i = 0; i < MM_ARRAY_SIZE(stores); i++)
		refused(run, stores[i].name, stores[i].insn, lab_va(LAB_EMPTY) + 16,
		        CAUSE_STORE_PAGE);
}

/* --- fences --- */

enum fence_form {
	VVMA_ALL,
	VVMA_ADDRESS,
	VVMA_ASID,
	VVMA_ASID_HIGH,
	VVMA_BOTH,
	VVMA_FORMS,
};

/* LAB_DATA's virtual address shows another page, by a store to the leaf and each form of fence. */
static void hfence_vvma(struct suite_run *run)
{
	static const uint32_t insns[VVMA_FORMS] = {
		[VVMA_ALL] = INSN_HFENCE_VVMA(0, 0),    [VVMA_ADDRESS] = INSN_HFENCE_VVMA(A0, 0),
		[VVMA_ASID] = INSN_HFENCE_VVMA(0, A1),  [VVMA_ASID_HIGH] = INSN_HFENCE_VVMA(0, A1),
		[VVMA_BOTH] = INSN_HFENCE_VVMA(A0, A1),
	};
	const uint64_t at = lab_va(LAB_DATA);

	lab.with.hstatus |= HSTATUS_SPVP;
	*(uint64_t *)lab_ptr(LAB_DATA) = 1;
	*(uint64_t *)lab_ptr(LAB_OTHER) = 2;
	lab_stage1(LAB_SUPER);
	for (enum fence_form form = 0; form < VVMA_FORMS; form++) {
		load(run, "before", LAB_HS, INSN_HLV_D(A2, A0), at, 1);
		load(run, "before", LAB_VS, INSN_LD(A2, 0, A0), at, 1);
		lab_stage1_swap(LAB_DATA, LAB_OTHER);
		lab.x[A0] = at;
		/* ASID 1, as in vsatp. The bits above ASIDMAX (16) are ignored. */
		lab.x[A1] = form == VVMA_ASID_HIGH ? UINT64_C(0xabcd00000001) : 1;
		EXPECT(run, lab_do(LAB_HS, insns[form]));
		load(run, "after hfence.vvma", LAB_HS, INSN_HLV_D(A2, A0), at, 2);
		load(run, "after hfence.vvma, in VS", LAB_VS, INSN_LD(A2, 0, A0), at, 2);
		lab_stage1_swap(LAB_DATA, LAB_DATA);
		lab_fence();
	}
}

/* The guest's own SFENCE.VMA orders its own tables. */
static void sfence_v1(struct suite_run *run)
{
	static const uint32_t insns[] = {INSN_SFENCE_VMA(0, 0), INSN_SFENCE_VMA(A0, 0),
	                                 INSN_SFENCE_VMA(0, A1), INSN_SFENCE_VMA(A0, A1)};
	const uint64_t at = lab_va(LAB_DATA);

	*(uint64_t *)lab_ptr(LAB_DATA) = 1;
	*(uint64_t *)lab_ptr(LAB_OTHER) = 2;
	lab_stage1(LAB_SUPER);
	for (size_t i = 0; i < MM_ARRAY_SIZE(insns); i++) {
		load(run, "before", LAB_VS, INSN_LD(A2, 0, A0), at, 1);
		lab_stage1_swap(LAB_DATA, LAB_OTHER);
		lab.x[A0] = at;
		lab.x[A1] = 1;
		EXPECT(run, lab_do(LAB_VS, insns[i]));
		load(run, "after sfence.vma", LAB_VS, INSN_LD(A2, 0, A0), at, 2);
		lab_stage1_swap(LAB_DATA, LAB_DATA);
		lab_fence();
	}
}

/* SFENCE.VMA in HS-mode is for the tables of satp: its address and ASID are HS-level's. */
static void sfence_v0(struct suite_run *run)
{
	static const uint32_t insns[] = {INSN_SFENCE_VMA(0, 0), INSN_SFENCE_VMA(A0, 0),
	                                 INSN_SFENCE_VMA(0, A1)};

	for (size_t i = 0; i < MM_ARRAY_SIZE(insns); i++) {
		lab.x[A0] = lab_host(LAB_DATA);
		lab.x[A1] = 0;
		EXPECT(run, lab_do(LAB_HS, insns[i]));
		load(run, "HS load", LAB_HS, INSN_LD(A2, 0, A0), lab_host(LAB_DATA), 0);
	}
}

enum gvma_form {
	GVMA_ALL,
	GVMA_ADDRESS,
	GVMA_VMID,
	GVMA_VMID_HIGH,
	GVMA_BOTH,
	GVMA_FORMS,
};

static void hfence_gvma(struct suite_run *run)
{
	static const uint32_t insns[GVMA_FORMS] = {
		[GVMA_ALL] = INSN_HFENCE_GVMA(0, 0),    [GVMA_ADDRESS] = INSN_HFENCE_GVMA(A0, 0),
		[GVMA_VMID] = INSN_HFENCE_GVMA(0, A1),  [GVMA_VMID_HIGH] = INSN_HFENCE_GVMA(0, A1),
		[GVMA_BOTH] = INSN_HFENCE_GVMA(A0, A1),
	};

	lab.with.hstatus |= HSTATUS_SPVP;
	*(uint64_t *)lab_ptr(LAB_DATA) = 1;
	*(uint64_t *)lab_ptr(LAB_OTHER) = 2;
	for (unsigned stage1 = 0; stage1 < 2; stage1++) {
		uint64_t at;

		if (stage1)
			lab_stage1(LAB_SUPER);
		at = stage1 ? lab_va(LAB_DATA) : lab_at(LAB_DATA);
		for (enum gvma_form form = 0; form < GVMA_FORMS; form++) {
			load(run, "before", LAB_HS, INSN_HLV_D(A2, A0), at, 1);
			load(run, "before", LAB_VS, INSN_LD(A2, 0, A0), at, 1);
			lab_gstage_swap(LAB_DATA, LAB_OTHER);
			/* A guest-physical address >> 2. Bits above VMIDMAX (14) are ignored. */
			lab.x[A0] = lab_at(LAB_DATA) >> 2;
			lab.x[A1] = form == GVMA_VMID_HIGH ? UINT64_C(0xab0000000001) : 1;
			EXPECT(run, lab_do(LAB_HS, insns[form]));
			load(run, "after hfence.gvma", LAB_HS, INSN_HLV_D(A2, A0), at, 2);
			load(run, "after hfence.gvma, in VS", LAB_VS, INSN_LD(A2, 0, A0), at, 2);
			lab_gstage_swap(LAB_DATA, LAB_DATA);
			lab_fence();
		}
	}
}

/* A change of hgatp: of the tables with a fence, of the VMID without, and of the mode. */
static void hgatp_change(struct suite_run *run)
{
	uint64_t at = lab_at(LAB_DATA), hgatp = csr_read(hgatp);
	uint64_t other = lab_hgatp(ATP_SV39, 2);

	lab.with.hstatus |= HSTATUS_SPVP;
	*(uint64_t *)lab_ptr(LAB_DATA) = 1;
	*(uint64_t *)lab_ptr(LAB_OTHER) = 2;
	load(run, "VMID 1", LAB_HS, INSN_HLV_D(A2, A0), at, 1);
	/* The tables change, and both VMIDs are fenced. */
	lab_gstage_swap(LAB_DATA, LAB_OTHER);
	csr_write(hgatp, other);
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" ::"r"(UINT64_C(2)) : "memory");
	load(run, "VMID 2", LAB_HS, INSN_HLV_D(A2, A0), at, 2);
	csr_write(hgatp, hgatp);
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" ::"r"(UINT64_C(1)) : "memory");
	load(run, "VMID 1 again", LAB_HS, INSN_HLV_D(A2, A0), at, 2);
	/* MODE=Bare: guest-physical addresses are host-physical, after a fence. */
	csr_write(hgatp, 0);
	lab_fence();
	load(run, "Bare", LAB_HS, INSN_HLV_D(A2, A0), lab_host(LAB_DATA), 1);
	csr_write(hgatp, hgatp);
	lab_fence();
	load(run, "after Bare", LAB_HS, INSN_HLV_D(A2, A0), at, 2);
}

static const struct suite_case cases[] = {
	LAB_CASE("hlv.forms", forms, "hlsv_op hlsv_u_op hlsv_trans hlsv_mode vsstatus_v0 vsatp_v0"),
	LAB_NOISY("hlv.u-mode", in_u_mode, "hstatus_hu_op hlsv_mode hlsv_illegalinst"),
	LAB_CASE("hlv.privilege", privilege, "hlsv_priv hlsv_trans hstatus_spvp_op vsstatus_v0"),
	LAB_CASE("hlv.mxr", mxr,
                 "hlsv_sstatus_mxr hlsv_vsstatus_mxr vsstatus_mxr_vm sstatus_mxr_vm"),
	LAB_CASE("hlv.hlvx.refused", hlvx_refused, "hlsv_u_op"),
	LAB_CASE("hlv.hlvx.execute-only", hlvx_execute_only, "hlsv_u_op"),
	LAB_CASE("hlv.faults", faults,
                 "hlsv_trans hstatus_gva_op HTVAL_TRAPVAL mtval2_htval_virtaddr "
                 "H_trap_xtinst_exception H_trap_xtinst_val"),
	LAB_CASE("fence.vvma", hfence_vvma,
                 "hfence-vvma_hfence-gvma_op hfence-vvma_mode hfence-vvma_limits "
                 "hfence-vvma_asid"),
	LAB_CASE("fence.gvma", hfence_gvma,
                 "hfence-vvma_hfence-gvma_op hfence-gvma_op hfence-gvma_vmid"),
	LAB_CASE("fence.hgatp", hgatp_change,
                 "hgatp_op_hfence_gvma hgatp_op hgatp_mode_bare hgatp_mode_bare_trans "
                 "hfence-gvma_mode"),
	LAB_CASE("fence.sfence.v0", sfence_v0, "sfence_vma_v0"),
	LAB_CASE("fence.sfence.v1", sfence_v1, "sfence_vma_v1"),
};

const struct suite_subject suite_rules_hlv = {
	.name = "rules_hlv",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
