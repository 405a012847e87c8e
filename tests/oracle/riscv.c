/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V G-stage: privileged manual, "Guest Physical Address Translation" (hypervisor extension),
 * which is "Virtual Address Translation Process" of the supervisor chapter with four differences:
 * hgatp for satp, a root of 16 KiB, U-mode as the privilege, guest-page faults. The numbered steps
 * below are those of that process.
 */
#include "oracle.h"

/* mcause, scause: exception codes. */
enum {
	FETCH_ACCESS_FAULT = 1,
	LOAD_ACCESS_FAULT = 5,
	STORE_ACCESS_FAULT = 7,
	FETCH_GUEST_PAGE_FAULT = 20,
	LOAD_GUEST_PAGE_FAULT = 21,
	STORE_GUEST_PAGE_FAULT = 23,
};

/* A PTE's fields, taken apart. */
struct pte {
	bool v, r, w, x, u, g, a, d;
	uint64_t ppn;  /* 53:10 */
	unsigned zero; /* 60:54, reserved */
	unsigned pbmt; /* 62:61 */
	bool n;        /* 63 */
};

static struct pte unpack(uint64_t raw)
{
	return (struct pte){
		.v = raw >> 0 & 1,
		.r = raw >> 1 & 1,
		.w = raw >> 2 & 1,
		.x = raw >> 3 & 1,
		.u = raw >> 4 & 1,
		.g = raw >> 5 & 1,
		.a = raw >> 6 & 1,
		.d = raw >> 7 & 1,
		.ppn = raw >> 10 & UINT64_C(0xfffffffffff),
		.zero = raw >> 54 & 0x7f,
		.pbmt = raw >> 61 & 3,
		.n = raw >> 63 & 1,
	};
}

static void page_fault(struct oracle_walk *walk, enum oracle_fault fault, enum oracle_access access)
{
	walk->fault = fault;
	walk->code = access == ORACLE_READ    ? LOAD_GUEST_PAGE_FAULT
	             : access == ORACLE_WRITE ? STORE_GUEST_PAGE_FAULT
	                                      : FETCH_GUEST_PAGE_FAULT;
}

static void access_fault(struct oracle_walk *walk, enum oracle_access access)
{
	walk->fault = ORACLE_BUS;
	walk->code = access == ORACLE_READ    ? LOAD_ACCESS_FAULT
	             : access == ORACLE_WRITE ? STORE_ACCESS_FAULT
	                                      : FETCH_ACCESS_FAULT;
}

/* hgatp.MODE: how many levels. 0: reserved, or Bare. */
static unsigned levels_of(uint64_t hgatp)
{
	switch (hgatp >> 60) {
	case 8:
		return 3; /* Sv39x4: 41 bits */
	case 9:
		return 4; /* Sv48x4: 50 bits */
	case 10:
		return 5; /* Sv57x4: 59 bits */
	default:
		return 0;
	}
}

/* Step 3, "any bits or encodings that are reserved for future standard use are set within pte",
 * for all PTEs. G is not among them: in G-stage PTEs software clears it and hardware ignores it. */
static bool reserved_in_any(const struct oracle_riscv *regs, const struct pte *pte)
{
	if (pte->w && !pte->r)
		return true;
	if (pte->zero != 0)
		return true;
	/* Without Svpbmt bits 62:61 are reserved, without Svnapot bit 63. PBMT 3 is reserved. */
	if (regs->svpbmt ? pte->pbmt == 3 : pte->pbmt != 0)
		return true;
	return pte->n && !regs->svnapot;
}

/* "For non-leaf PTEs, the D, A, and U bits are reserved"; so are N and PBMT (Svnapot, Svpbmt). */
static bool reserved_in_pointer(const struct pte *pte)
{
	return pte->d || pte->a || pte->u || pte->n || pte->pbmt != 0;
}

/* Svnapot: 64 KiB at level 0 (ppn[3:0] = 1000) is the only encoding that is not reserved. */
static bool reserved_in_leaf(const struct pte *pte, unsigned level)
{
	return pte->n && !(level == 0 && (pte->ppn & 0xf) == 8);
}

struct oracle_walk oracle_riscv_walk(const struct oracle_riscv *regs,
                                     const struct oracle_memory *memory, uint64_t gpa,
                                     enum oracle_access access)
{
	struct oracle_walk walk = {0};
	unsigned levels = levels_of(regs->hgatp);
	uint64_t a, index, raw = 0, low, pa;
	struct pte pte = {0};
	unsigned i, shift = 0;

	/* hgatp.PPN: 43:0. The root is 16 KiB; PPN[1:0] always read as zero. */
	if (levels == 0 || (regs->hgatp & 3) != 0) {
		walk.fault = ORACLE_BAD_ROOT;
		return walk;
	}
	/* "Address bits 63:41 [63:50, 63:59] must all be zeros, or else a guest-page-fault." */
	if (gpa >> (12 + 9 * levels + 2) != 0) {
		page_fault(&walk, ORACLE_WIDTH, access);
		return walk;
	}

	/* 1. Let a be hgatp.ppn x PAGESIZE, and let i = LEVELS - 1. */
	a = (regs->hgatp & UINT64_C(0xfffffffffff)) << 12;
	for (i = levels - 1;; i--) {
		/* 2. Let pte be the value of the PTE at a + gpa.vpn[i] x PTESIZE. If that violates
		 * a PMA or PMP check, raise an access fault of the original access type. */
		shift = 12 + 9 * i;
		index = gpa >> shift;
		index &= i == levels - 1 ? 0x7ff : 0x1ff;
		if ((a + index * 8) >> regs->physical_width != 0 ||
		    !oracle_read_entry(&walk, memory, a + index * 8, shift, &raw)) {
			walk.shift = shift;
			access_fault(&walk, access);
			return walk;
		}
		pte = unpack(raw);
		/* 3. If pte.v = 0, or reserved bits or encodings are set, a page fault. */
		if (!pte.v) {
			page_fault(&walk, ORACLE_ABSENT, access);
			return walk;
		}
		if (pte.g)
			walk.should_be_zero |= 0x20;
		if (reserved_in_any(regs, &pte)) {
			page_fault(&walk, ORACLE_RESERVED, access);
			return walk;
		}
		/* 4. If pte.r = 1 or pte.x = 1, it is a leaf. Otherwise it points to the next
		 * level; below level 0 there is none: a page fault. */
		if (pte.r || pte.x)
			break;
		if (reserved_in_pointer(&pte)) {
			page_fault(&walk, ORACLE_RESERVED, access);
			return walk;
		}
		if (i == 0) {
			page_fault(&walk, ORACLE_RESERVED, access);
			return walk;
		}
		a = pte.ppn << 12;
	}
	if (reserved_in_leaf(&pte, i)) {
		page_fault(&walk, ORACLE_RESERVED, access);
		return walk;
	}

	/* 5. A misaligned superpage: i > 0 and pte.ppn[i-1:0] is not 0. */
	low = (UINT64_C(1) << (9 * i)) - 1;
	if (pte.ppn & low) {
		page_fault(&walk, ORACLE_RESERVED, access);
		return walk;
	}

	/* 6. Is the access allowed by u, r, w, x? G-stage accesses are those of U-mode. */
	walk.read = pte.u && (pte.r || (regs->mxr && pte.x));
	walk.write = pte.u && pte.w;
	walk.fetch = pte.u && pte.x;
	walk.clean = regs->svadu && !pte.d;
	walk.memtype_bits = pte.pbmt;
	walk.memtype = pte.pbmt == 0 ? ORACLE_WB : (pte.pbmt == 1 ? ORACLE_WC : ORACLE_UC);

	/* 10. The translated address; a 64 KiB NAPOT page takes 16 bits of offset. */
	if (pte.n) {
		pa = ((pte.ppn & ~UINT64_C(0xf)) << 12) | (gpa & 0xffff);
		walk.shift = 16;
	} else {
		pa = (pte.ppn << 12) | (gpa & ((UINT64_C(1) << shift) - 1));
	}
	walk.pa = pa;
	/* A superpage has 2^shift bytes and may be larger than what the PMAs describe. */
	walk.reserved_encoding =
		((pte.ppn << 12) | ((UINT64_C(1) << shift) - 1)) >> regs->physical_width != 0;

	if (access == ORACLE_READ    ? !walk.read
	    : access == ORACLE_WRITE ? !walk.write
	                             : !walk.fetch) {
		page_fault(&walk, ORACLE_PERMISSION, access);
		return walk;
	}
	/* 9. If pte.a = 0, or the access is a store and pte.d = 0: Svade faults; with ADUE the
	 * hardware sets A, and D for a store, in one atomic step. */
	if (!pte.a || (access == ORACLE_WRITE && !pte.d)) {
		if (!regs->svadu) {
			page_fault(&walk, ORACLE_ACCESS_FLAG, access);
			return walk;
		}
		oracle_set_bits(&walk, walk.step_count - 1, access == ORACLE_WRITE ? 0xc0 : 0x40,
		                false);
	}
	/* The PMA check of the access itself. */
	if (pa >> regs->physical_width != 0) {
		walk.write_count = 0;
		access_fault(&walk, access);
	}
	return walk;
}
