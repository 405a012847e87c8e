/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The laboratory of the RISC-V rules: runs a few instructions in HS, U, VS or VU-mode and records
 * the trap that ends them. Unlike a VM of kernel/vm.h it does nothing else: the case writes every
 * CSR and every entry of both stages' tables, and reads them afterwards.
 *
 *	static void ecall_from_vs(struct suite_run *run)
 *	{
 *		lab_code(LAB_CODE, (const uint32_t[]){INSN_ECALL}, 1);
 *		lab_run(LAB_VS, lab_at(LAB_CODE));
 *		lab_expect_trap(run, CAUSE_ECALL_VS, lab_at(LAB_CODE), 0);
 *	}
 *
 * Memory. The laboratory has LAB_PAGES pages. Page n is at guest-physical address lab_at(n): at
 * first with all permissions in the G-stage, and with the VS-stage bare. lab_stage1() maps guest
 * virtual address lab_va(n) to page n, by tables in the last pages.
 *
 * A case runs on one hart, without any vCPU, and with all HS-level interrupts off except a timer
 * that ends code which never traps. lab_case() restores every CSR afterwards.
 */
#ifndef SUITE_RISCV64_RULES_LAB_H
#define SUITE_RISCV64_RULES_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/riscv64/csr.h"
#include "suite/payload.h"
#include "suite/riscv64/rules_insn.h"

enum lab_mode {
	LAB_HS,
	LAB_U,
	LAB_VS,
	LAB_VU,
};

enum lab_page {
	LAB_CODE,    /* what lab_run() begins with, by convention */
	LAB_HANDLER, /* vstvec: an ecall, which leaves the guest */
	LAB_DATA,
	LAB_OTHER, /* more data */
	LAB_MORE,
	LAB_EMPTY, /* not mapped in the G-stage at first */
	LAB_ROOT,  /* the VS-stage tables */
	LAB_MIDDLE,
	LAB_LEAVES,
	LAB_PAGES,
};

/* The registers of a run, before it and after it. rules_lab_switch.S uses these offsets. */
struct lab {
	uint64_t x[32];
	uint64_t pc;      /* 256: before; afterwards sepc */
	uint64_t sstatus; /* 264 */
	uint64_t hstatus; /* 272 */
	uint64_t satp;    /* 280: during the run; 0 in U-mode */
	uint64_t scause;  /* 288: of the trap */
	uint64_t stval;   /* 296 */
	uint64_t htval;   /* 304 */
	uint64_t htinst;  /* 312 */
	uint64_t host_sp; /* 320 */
	uint64_t host_tp;
	uint64_t host_satp;
	uint64_t host_stvec;
	uint64_t host_sstatus;
	/* Not used by the assembly. */
	struct {
		uint64_t sstatus, hstatus;
	} with;                  /* values for the next runs */
	enum lab_mode mode;      /* of the last run */
	uint64_t hstatus_before; /* of the last run */
	uint64_t sstatus_before; /* of the last run */
	bool stage1;             /* lab_stage1() has been called */
	bool as_guest;           /* the last run's instruction was HLV, HLVX or HSV */
	bool compressed;         /* for the next expectation only: a 2-byte instruction */
	uint64_t first_byte;     /* for the next expectation only: the address of the access,
	                            if stval is another; 0: it is not */
	unsigned levels;         /* of the G-stage mode in use */
};

extern struct lab lab;

/* --- cases --- */

typedef void lab_fn(struct suite_run *run);

struct lab_part {
	lab_fn *function;
};

/* suite_case.run: prepares the hart, calls the function, and restores the hart. `data` is a struct
 * lab_part. */
void lab_case(struct suite_run *run, const void *data);

/* LAB_NOISY: instructions of the case reach the firmware, which may write to the console. */
#define LAB_CASE(text, fn, names)  LAB_ROW(text, fn, names, false)
#define LAB_NOISY(text, fn, names) LAB_ROW(text, fn, names, true)
#define LAB_ROW(text, fn, names, noisy)                                                            \
	{                                                                                          \
		.name = "rules." text, .arch = "riscv64", .run = lab_case,                         \
		.data = &(const struct lab_part){fn}, .firmware_writes = (noisy), .rules = (names) \
	}

/* --- memory --- */

uint64_t lab_at(enum lab_page page); /* guest-physical */
uint64_t lab_va(enum lab_page page); /* guest-virtual, after lab_stage1() */
void *lab_ptr(enum lab_page page);   /* the hypervisor's pointer */
uint64_t lab_host(enum lab_page page);

/* Writes instructions to the beginning of a page, and makes them fetchable. */
void lab_code(enum lab_page page, const uint32_t *insns, size_t count);
#define LAB_CODE_OF(page, ...)                                                                     \
	lab_code(page, (const uint32_t[]){__VA_ARGS__},                                            \
	         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The G-stage leaf of a page: its PTE_* bits. 0: not mapped. Fences. */
void lab_gstage(enum lab_page page, uint64_t bits);
#define LAB_ALL (PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D)
/* Maps guest-physical lab_at(page) to the host frame of another page. No fence. */
void lab_gstage_swap(enum lab_page page, enum lab_page frame);
/* Builds the G-stage tables with this mode, and writes hgatp. False: no such mode. */
bool lab_gstage_mode(enum atp_mode mode);
/* The entry of the G-stage root for 1 GiB (or more) that contains the pages. */
uint64_t *lab_gstage_entry(unsigned level);
/* The value of hgatp for the laboratory's tables. */
uint64_t lab_hgatp(enum atp_mode mode, uint64_t vmid);

/* Builds the VS-stage tables with these PTE_* bits in each leaf, and writes vsatp: Sv39. */
void lab_stage1(uint64_t bits);
#define LAB_SUPER (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D)
/* The VS-stage leaf of a page. Fences. */
void lab_stage1_leaf(enum lab_page page, uint64_t bits);
/* The same without a fence, and for another page of the memory. */
void lab_stage1_swap(enum lab_page page, enum lab_page target);

void lab_fence(void);

/* --- runs --- */

/* Runs from pc in this mode until the next trap to HS-mode. lab.x holds the registers. In HS-mode
 * and U-mode pc is lab_host(page), otherwise lab_at(page) or lab_va(page). Uses lab.with, and sets
 * the fields for the mode itself. The registers that a trap writes have other values before the
 * run. */
void lab_run(enum lab_mode mode, uint64_t pc);

/* One instruction, and then a trap that leaves the mode. True: the instruction did not trap. */
bool lab_do(enum lab_mode mode, uint32_t insn);

/* A CSR by its number, in HS-mode. False: it trapped. */
bool lab_csr_read(unsigned csr, uint64_t *value);
bool lab_csr_write(unsigned csr, uint64_t value);
/* Writes a value, and returns what the CSR then holds. A trap fails the case. */
uint64_t lab_csr_try(struct suite_run *run, unsigned csr, uint64_t value);

/* --- expectations --- */

/* The last run ended with a trap of this cause at this pc, with this stval. Checks every other
 * register that a trap into HS-mode writes, too. If `name` is not NULL it begins the message. */
void lab_expect_trap(struct suite_run *run, uint64_t cause, uint64_t pc, uint64_t stval);
void lab_expect_named(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                      uint64_t stval);
/* The same for an exception that may write the instruction or 0 to stval. */
void lab_expect_insn_trap(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                          uint32_t insn);
/* A page fault or access fault of the instruction, or of a fetch if `insn` is 0. */
void lab_expect_page_fault(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                           uint64_t stval, uint32_t insn);
/* A guest-page fault at this guest-physical address, by the instruction or, if `insn` is 0, by a
 * fetch. LAB_WALK instead of the instruction: by the VS-stage walk. LAB_WALK_WRITE: by its update
 * of A or D. */
#define LAB_WALK       UINT32_C(0x3000)
#define LAB_WALK_WRITE UINT32_C(0x3020)
void lab_expect_guest_fault(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                            uint64_t stval, uint64_t gpa, uint32_t insn);
/* Returns true if the values are equal. Otherwise notes the difference. */
bool lab_expect(struct suite_run *run, const char *name, const char *what, uint64_t got,
                uint64_t expected);

/* Sets henvcfg.STCE. False: the hart has no vstimecmp for guests, and the case is skipped. */
bool lab_use_vstimecmp(struct suite_run *run);

/* Reports what the implementation has chosen where the manual permits it. */
void lab_choice(const char *rule, uint64_t value);

#endif
