/* SPDX-License-Identifier: BSD-2-Clause */
/* The laboratory of the RISC-V rules: its memory, its runs, and the registers around a case. */
#include "suite/riscv64/rules_lab.h"

#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/timer.h"

#define BASE       GIB(1) /* guest-physical address of page 0 */
#define VIRTUAL_AT GIB(2) /* guest-virtual address of page 0 */
#define ENTRIES    512
#define WATCH_S    60 /* ends code that never traps */

struct lab lab;

void lab_switch(struct lab *run);

/* The root of the G-stage is aligned to 16 KiB, the image only to 4 KiB. */
static uint64_t root_space[8 * ENTRIES] MM_ALIGNED_TO(4096);
static uint64_t tables[4][ENTRIES] MM_ALIGNED_TO(4096); /* by level; the root has the highest */
static uint8_t pages[LAB_PAGES][MM_PAGE_SIZE] MM_ALIGNED_TO(4096);

/* --- memory --- */

uint64_t lab_at(enum lab_page page)
{
	return BASE + (uint64_t)page * MM_PAGE_SIZE;
}

uint64_t lab_va(enum lab_page page)
{
	return VIRTUAL_AT + (uint64_t)page * MM_PAGE_SIZE;
}

void *lab_ptr(enum lab_page page)
{
	return pages[page];
}

uint64_t lab_host(enum lab_page page)
{
	return (uint64_t)(uintptr_t)pages[page];
}

void lab_code(enum lab_page page, const uint32_t *insns, size_t count)
{
	memcpy(pages[page], insns, count * sizeof(*insns));
	__asm__ volatile("fence.i" ::: "memory");
}

static uint64_t *root(void)
{
	return (uint64_t *)mm_align_up((uintptr_t)root_space, UINT64_C(4) * MM_PAGE_SIZE);
}

static uint64_t entry_to(uint64_t address, uint64_t bits)
{
	return FIELD_PREP(PTE_PPN, address >> MM_PAGE_SHIFT) | bits;
}

void lab_fence(void)
{
	__asm__ volatile("fence rw, rw\n\t"
	                 ".insn r 0x73, 0, 0x31, x0, x0, x0\n\t"
	                 ".insn r 0x73, 0, 0x11, x0, x0, x0" ::
	                         : "memory");
}

uint64_t *lab_gstage_entry(unsigned level)
{
	uint64_t *table = level == lab.levels - 1 ? root() : tables[level];

	return &table[(BASE >> MM_LEVEL_SHIFT(level)) & (ENTRIES - 1)];
}

void lab_gstage(enum lab_page page, uint64_t bits)
{
	tables[0][page] = bits == 0 ? 0 : entry_to(lab_host(page), bits);
	lab_fence();
}

void lab_gstage_swap(enum lab_page page, enum lab_page frame)
{
	tables[0][page] = entry_to(lab_host(frame), LAB_ALL);
	__asm__ volatile("fence rw, rw" ::: "memory");
}

uint64_t lab_hgatp(enum atp_mode mode, uint64_t vmid)
{
	return FIELD_PREP(ATP_MODE, mode) | FIELD_PREP(HGATP_VMID, vmid) |
	       FIELD_PREP(ATP_PPN, (uint64_t)(uintptr_t)root() >> MM_PAGE_SHIFT);
}

bool lab_gstage_mode(enum atp_mode mode)
{
	lab.levels = 3 + (mode - ATP_SV39);
	memset(root_space, 0, sizeof(root_space));
	memset(tables, 0, sizeof(tables));
	for (unsigned level = 1; level < lab.levels; level++)
		*lab_gstage_entry(level) = entry_to((uint64_t)(uintptr_t)tables[level - 1], PTE_V);
	for (enum lab_page page = 0; page < LAB_PAGES; page++)
		tables[0][page] = page == LAB_EMPTY ? 0 : entry_to(lab_host(page), LAB_ALL);
	csr_write(hgatp, lab_hgatp(mode, 1));
	lab_fence();
	return csr_read(hgatp) >> 60 == (uint64_t)mode;
}

void lab_stage1(uint64_t bits)
{
	uint64_t *top = lab_ptr(LAB_ROOT), *middle = lab_ptr(LAB_MIDDLE);
	uint64_t *leaves = lab_ptr(LAB_LEAVES);

	memset(top, 0, MM_PAGE_SIZE);
	memset(middle, 0, MM_PAGE_SIZE);
	memset(leaves, 0, MM_PAGE_SIZE);
	top[VIRTUAL_AT >> MM_LEVEL_SHIFT(2)] = entry_to(lab_at(LAB_MIDDLE), PTE_V);
	middle[0] = entry_to(lab_at(LAB_LEAVES), PTE_V);
	for (enum lab_page page = 0; page < LAB_PAGES; page++)
		leaves[page] = entry_to(lab_at(page), bits);
	csr_write(vsatp, FIELD_PREP(ATP_MODE, ATP_SV39) | FIELD_PREP(SATP_ASID, 1) |
	                         FIELD_PREP(ATP_PPN, lab_at(LAB_ROOT) >> MM_PAGE_SHIFT));
	lab.stage1 = true;
	lab_fence();
}

void lab_stage1_leaf(enum lab_page page, uint64_t bits)
{
	((uint64_t *)lab_ptr(LAB_LEAVES))[page] = entry_to(lab_at(page), bits);
	lab_fence();
}

void lab_stage1_swap(enum lab_page page, enum lab_page target)
{
	((uint64_t *)lab_ptr(LAB_LEAVES))[page] = entry_to(lab_at(target), LAB_SUPER);
	__asm__ volatile("fence rw, rw" ::: "memory");
}

/* --- runs --- */

static bool is_virtual(enum lab_mode mode)
{
	return mode == LAB_VS || mode == LAB_VU;
}

void lab_run(enum lab_mode mode, uint64_t pc)
{
	const uint64_t own = HSTATUS_SPV | HSTATUS_GVA;

	lab.mode = mode;
	lab.pc = pc;
	lab.hstatus = lab.with.hstatus & ~own;
	if (is_virtual(mode)) {
		/* The trap writes SPVP: it must change. */
		lab.hstatus ^= (lab.hstatus & HSTATUS_SPVP) ^ (mode == LAB_VU ? HSTATUS_SPVP : 0);
		lab.hstatus |= HSTATUS_SPV;
	}
	lab.sstatus = (lab.with.sstatus & ~(SSTATUS_SPP | SSTATUS_SIE)) |
	              (mode == LAB_HS || mode == LAB_VS ? SSTATUS_SPP : 0);
	lab.satp = mode == LAB_U ? 0 : csr_read(satp);
	lab.hstatus_before = lab.hstatus;
	lab.sstatus_before = lab.sstatus;
	csr_write(scause, 24);
	csr_write(stval, 0x5a5a);
	csr_write(htval, 0x5a5a);
	csr_write(htinst, LAB_WALK_WRITE);
	lab_switch(&lab);
}

static uint32_t leave(enum lab_mode mode)
{
	return mode == LAB_HS ? INSN_EBREAK : INSN_ECALL;
}

static uint64_t leave_cause(enum lab_mode mode)
{
	static const uint64_t causes[] = {CAUSE_BREAKPOINT, CAUSE_ECALL_U, CAUSE_ECALL_VS,
	                                  CAUSE_ECALL_U};

	return causes[mode];
}

bool lab_do(enum lab_mode mode, uint32_t insn)
{
	uint64_t pc = !is_virtual(mode) ? lab_host(LAB_CODE)
	              : lab.stage1      ? lab_va(LAB_CODE)
	                                : lab_at(LAB_CODE);

	LAB_CODE_OF(LAB_CODE, insn, leave(mode));
	lab.as_guest = (insn & 0x707f) == 0x4073;
	lab_run(mode, pc);
	return lab.scause == leave_cause(mode) && lab.pc == pc + 4;
}

bool lab_csr_read(unsigned csr, uint64_t *value)
{
	bool ok = lab_do(LAB_HS, INSN_CSRR(A0, csr));

	*value = lab.x[A0];
	return ok;
}

bool lab_csr_write(unsigned csr, uint64_t value)
{
	lab.x[A0] = value;
	return lab_do(LAB_HS, INSN_CSRW(csr, A0));
}

uint64_t lab_csr_try(struct suite_run *run, unsigned csr, uint64_t value)
{
	uint64_t got = 0;

	if (!lab_csr_write(csr, value))
		suite_fail(run, "CSR 0x%x: a write of 0x%" PRIx64 " traps: scause=%" PRIu64, csr,
		           value, lab.scause);
	else if (!lab_csr_read(csr, &got))
		suite_fail(run, "CSR 0x%x: a read traps: scause=%" PRIu64, csr, lab.scause);
	return got;
}

/* --- around a case --- */

/* The CSRs that a case may change. lab_switch() restores sstatus, satp and stvec. */
/* clang-format off */
#define KEPT_CSRS(X) \
	X(sie) X(scounteren) X(hstatus) X(hedeleg) X(hideleg) X(hcounteren) X(htimedelta) X(hgeie) \
	X(hvip) X(hie) X(hgatp) X(vsstatus) X(vsie) X(vstvec) X(vsscratch) X(vsepc) X(vscause) \
	X(vstval) X(vsatp)
/* clang-format on */

static struct {
#define KEPT_MEMBER(csr) uint64_t csr;
	KEPT_CSRS(KEPT_MEMBER)
#undef KEPT_MEMBER
	uint64_t senvcfg, henvcfg, vstimecmp, hstateen0;
	bool has_envcfg, has_vstimecmp, has_hstateen0;
} kept;

static void reset(void)
{
	memset(&lab, 0, sizeof(lab));
	memset(pages, 0, sizeof(pages));
	lab.with.hstatus = csr_read(hstatus) & HSTATUS_VSXL;
	LAB_CODE_OF(LAB_HANDLER, INSN_ECALL);
	csr_write(hstatus, lab.with.hstatus);
	csr_write(hedeleg, 0);
	csr_write(hideleg, 0);
	csr_write(hvip, 0);
	csr_write(hie, 0);
	csr_write(hgeie, 0);
	csr_write(htimedelta, 0);
	csr_write(hcounteren, UINT32_MAX);
	csr_write(scounteren, UINT32_MAX);
	csr_write(vsstatus, 0);
	csr_write(vsatp, 0);
	csr_write(vstvec, lab_at(LAB_HANDLER));
	csr_write(vscause, 0);
	csr_write(vsepc, 0);
	csr_write(vstval, 0);
	csr_write(sie, INTERRUPT_TIMER);
	(void)lab_gstage_mode(ATP_SV39);
}

static void begin(void)
{
	struct cpu *cpu = this_cpu();

#define KEEP(csr) kept.csr = csr_read(csr);
	KEPT_CSRS(KEEP)
#undef KEEP
	timer_set(cpu, machine_ticks() + WATCH_S * machine_ticks_per_second());
	reset();
	kept.has_envcfg = lab_csr_read(CSR_SENVCFG, &kept.senvcfg) &&
	                  lab_csr_read(CSR_HENVCFG, &kept.henvcfg);
	kept.has_vstimecmp = lab_csr_read(CSR_VSTIMECMP, &kept.vstimecmp);
	if (kept.has_vstimecmp)
		(void)lab_csr_write(CSR_VSTIMECMP, UINT64_MAX);
	/* Smstateen: the guest may use all that has a bit there. */
	kept.has_hstateen0 = lab_csr_read(CSR_HSTATEEN0, &kept.hstateen0);
	if (kept.has_hstateen0)
		(void)lab_csr_write(CSR_HSTATEEN0, UINT64_MAX);
	memset(lab.x, 0, sizeof(lab.x));
}

static void end(void)
{
	csr_write(sie, 0);
	csr_write(hie, 0);
	if (kept.has_envcfg) {
		(void)lab_csr_write(CSR_SENVCFG, kept.senvcfg);
		(void)lab_csr_write(CSR_HENVCFG, kept.henvcfg);
	}
	if (kept.has_vstimecmp)
		(void)lab_csr_write(CSR_VSTIMECMP, kept.vstimecmp);
	if (kept.has_hstateen0)
		(void)lab_csr_write(CSR_HSTATEEN0, kept.hstateen0);
#define RESTORE(csr) csr_write(csr, kept.csr);
	KEPT_CSRS(RESTORE)
#undef RESTORE
	timer_program(UINT64_MAX);
	lab_fence();
}

bool lab_use_vstimecmp(struct suite_run *run)
{
	if (kept.has_vstimecmp && lab_csr_try(run, CSR_HENVCFG, HENVCFG_STCE) == HENVCFG_STCE)
		return true;
	run->skip = "no Sstc for guests";
	return false;
}

void lab_case(struct suite_run *run, const void *data)
{
	const struct lab_part *part = data;

	if (this_cpu()->guest != NULL) {
		suite_fail(run, "a vCPU is loaded on this hart");
		return;
	}
	begin();
	part->function(run);
	end();
}
