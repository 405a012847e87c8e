/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second opinion on nested page tables: one walker per architecture, written from the manuals.
 *
 * Nothing here includes a header of mm/ or shares code with tests/host/hw_walk.c. An input is what
 * the hardware has: the registers in the manual's layout, capability bits, and a function that
 * reads one 64-bit word of physical memory. An output is what the hardware does: an address with
 * its attributes, or one fault with the code that the manual gives it.
 *
 * A walk writes nothing. It returns the writes of A and D bits that the hardware would do.
 *
 *	ept.c    Intel SDM vol. 3C, 29.3 "The extended page table mechanism (EPT)"
 *	amd.c    AMD APM vol. 2, 5.3 to 5.6, and 15.25 "Nested paging"
 *	arm.c    Arm ARM (DDI 0487) D8 "The AArch64 Virtual Memory System Architecture", stage 2
 *	riscv.c  RISC-V privileged manual, "Two-Stage Address Translation"; Svnapot, Svpbmt, Svadu
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_MAX_STEPS 5

enum oracle_access {
	ORACLE_READ = 1,
	ORACLE_WRITE = 2,
	ORACLE_FETCH = 4,
};

enum oracle_fault {
	ORACLE_OK,
	ORACLE_BAD_ROOT,     /* register values that the manual forbids */
	ORACLE_WIDTH,        /* input address wider than the tables translate */
	ORACLE_ABSENT,       /* an entry on the path is not valid */
	ORACLE_PERMISSION,   /* the path is valid and forbids the access */
	ORACLE_ACCESS_FLAG,  /* software has to set A or D first */
	ORACLE_RESERVED,     /* reserved bit or encoding that the hardware checks */
	ORACLE_ADDRESS_SIZE, /* output or table address wider than the configured size (Arm) */
	ORACLE_BUS,          /* no memory at the address of a table or of the output (RISC-V PMA) */
	ORACLE_FAULTS,       /* their number */
};

/* Cacheability of the output, as the nested tables state it. */
enum oracle_memtype {
	ORACLE_WB,
	ORACLE_WT,
	ORACLE_WP,
	ORACLE_WC,       /* write combining; Arm Normal Non-cacheable; RISC-V NC */
	ORACLE_UC_MINUS, /* uncacheable, and a WC MTRR overrides it (x86 PAT) */
	ORACLE_UC,       /* uncacheable; any Arm Device type; RISC-V IO */
	ORACLE_MIXED,    /* Arm: inner and outer cacheability differ */
};

struct oracle_memory {
	/* Reads the little-endian 64-bit word at `pa`, a multiple of 8. False: no memory there. */
	bool (*read)(void *ctx, uint64_t pa, uint64_t *word);
	void *ctx;
};

/* One entry that the walk read. */
struct oracle_step {
	uint64_t pa;    /* of the entry */
	uint64_t word;  /* its value */
	unsigned shift; /* the entry covers 2^shift bytes of input addresses */
};

/* One write of A or D bits: an atomic change of the word at `pa`. */
struct oracle_write {
	uint64_t pa;
	uint64_t before;
	uint64_t after;
	/* The hardware may do it or not: an A bit of a walk that ends in a fault. */
	bool optional;
};

struct oracle_walk {
	enum oracle_fault fault;
	/* x86: the exit reason or exit code. Arm: the fault status code (DFSC, IFSC). RISC-V: the
	 * exception code. 0 on success. */
	unsigned code;
	uint64_t detail; /* x86: exit qualification (EPT violation) or EXITINFO1 (AMD) */

	uint64_t pa;    /* of the accessed byte, on success */
	unsigned shift; /* of the entry that decided; a page has 2^shift bytes */

	/* What the whole path permits, on success and on ORACLE_PERMISSION. */
	bool read, write, fetch;
	bool fetch_user; /* Arm with FEAT_XNX: fetch is for EL1, fetch_user for EL0 */

	enum oracle_memtype memtype;
	unsigned memtype_bits; /* the field as it stands in the leaf */
	bool ignore_pat;       /* EPT */
	unsigned shareability; /* Arm: SH[1:0] that applies */
	bool clean;            /* before this walk: hardware sets D (Arm: S2AP[1]) at a write */

	/* Bits that the hardware ignores or may ignore, and that software must leave zero. */
	uint64_t should_be_zero;
	/* What gives no fault of its own and software must not write. Arm: a reserved MemAttr or
	 * SH, a block descriptor at a level that has none, a block larger than the output size.
	 * RISC-V: a leaf that ends beyond the physical width. */
	bool reserved_encoding;

	struct oracle_step steps[ORACLE_MAX_STEPS]; /* from the root down */
	unsigned step_count;
	struct oracle_write writes[ORACLE_MAX_STEPS];
	unsigned write_count;
};

/* Intel: the VMCS field and what IA32_VMX_EPT_VPID_CAP and CPUID report. */
struct oracle_ept {
	uint64_t eptp;
	unsigned maxphyaddr;
	bool execute_only;   /* capability bit 0 */
	bool page_2m;        /* bit 16 */
	bool page_1g;        /* bit 17 */
	bool five_level;     /* bit 7 */
	bool accessed_dirty; /* bit 21 */
};

/* AMD: the VMCB field and what the host had at VMRUN. */
struct oracle_amd {
	uint64_t ncr3;
	bool la57;               /* host CR4.LA57: 5 levels, otherwise 4 */
	bool nxe;                /* host EFER.NXE */
	bool page_1g;            /* CPUID Fn8000_0001_EDX[Page1GB] */
	unsigned physical_width; /* CPUID Fn8000_0008_EAX[PhysAddrSize] */
	uint64_t pat;            /* the host's PAT register */
};

/* Arm: two registers and what the ID registers report. */
struct oracle_arm {
	uint64_t vttbr;
	uint64_t vtcr;
	unsigned pamax; /* ID_AA64MMFR0_EL1.PARange in bits */
	bool fwb;       /* HCR_EL2.FWB */
	bool xnx;       /* FEAT_XNX */
	bool xs;        /* FEAT_XS: bit 11 of a leaf is FnXS */
};

/* RISC-V: one register and what the extensions are. */
struct oracle_riscv {
	uint64_t hgatp;
	unsigned physical_width; /* widest address that any PMA describes, at most 56 */
	bool svadu;              /* menvcfg.ADUE: hardware sets A and D; otherwise Svade */
	bool svnapot;
	bool svpbmt; /* menvcfg.PBMTE */
	bool mxr;    /* sstatus.MXR (HS level) */
};

/* Translate one guest-physical address for one access. */
struct oracle_walk oracle_ept_walk(const struct oracle_ept *regs,
                                   const struct oracle_memory *memory, uint64_t gpa,
                                   enum oracle_access access);
struct oracle_walk oracle_amd_walk(const struct oracle_amd *regs,
                                   const struct oracle_memory *memory, uint64_t gpa,
                                   enum oracle_access access);
struct oracle_walk oracle_arm_walk(const struct oracle_arm *regs,
                                   const struct oracle_memory *memory, uint64_t ipa,
                                   enum oracle_access access);
struct oracle_walk oracle_riscv_walk(const struct oracle_riscv *regs,
                                     const struct oracle_memory *memory, uint64_t gpa,
                                     enum oracle_access access);

const char *oracle_fault_name(enum oracle_fault fault);

/* For the walkers: reads one entry and records the step. False: no memory there. */
bool oracle_read_entry(struct oracle_walk *walk, const struct oracle_memory *memory, uint64_t pa,
                       unsigned shift, uint64_t *word);
/* For the walkers: records a write to the entry of step i, unless it changes nothing. */
void oracle_set_bits(struct oracle_walk *walk, unsigned i, uint64_t bits, bool optional);

#endif
