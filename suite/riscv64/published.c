/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published defects of two-stage translation and of the state around it, RISC-V: docs/published.md.
 * Here are those of loads by hlv and hlvx, of the guest's tables, and of CSRs. Instructions that
 * raise the wrong exception are in published_insn.c.
 */
#include "suite/published.h"

#include "machine/riscv64/cpu.h"
#include "machine/riscv64/trap.h"
#include "suite/riscv64/published.h"
#include "suite/run.h"

#define TABLES ARENA /* 2 pages */
#define DATA   (ARENA + 8 * PAGE)
#define OTHER  (ARENA + 9 * PAGE)
#define TARGET (VIRTUAL + 5 * PAGE)
#define VALUE  UINT64_C(0x600dda7a600dda7a)
#define RW_AD  (AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_AD)
#define ALL    (RW_AD | AGENT_PTE_X)

/* --- loads with the guest's translation --- */

/* The state of the vCPU that a trap in the hypervisor changes. */
struct kept {
	uint64_t sepc, sstatus, hstatus;
};

static struct kept keep(void)
{
	return (struct kept){csr_read(sepc), csr_read(sstatus), csr_read(hstatus)};
}

static void put_back(const struct kept *kept)
{
	csr_write(sepc, kept->sepc);
	csr_write(sstatus, kept->sstatus);
	csr_write(hstatus, kept->hstatus);
}

/* The cause of the trap; NO_TRAP. */
#define NO_TRAP UINT64_C(0xff)

static uint64_t cause(bool ok)
{
	return ok ? NO_TRAP : csr_read(scause);
}

static uint64_t hlv_d(uint64_t gva, uint64_t *value)
{
	struct kept kept = keep();
	bool ok;

	__asm__ volatile(CATCH(HLV_D("%[value]", "%[gva]"))
	                 : [ok] "=&r"(ok), [value] "=&r"(*value)
	                 : [gva] "r"(gva)
	                 : "t0", "memory");
	put_back(&kept);
	return cause(ok);
}

static uint64_t hlvx_wu(uint64_t gva, uint64_t *value)
{
	struct kept kept = keep();
	bool ok;

	__asm__ volatile(CATCH(HLVX_WU("%[value]", "%[gva]"))
	                 : [ok] "=&r"(ok), [value] "=&r"(*value)
	                 : [gva] "r"(gva)
	                 : "t0", "memory");
	put_back(&kept);
	return cause(ok);
}

/* The answer of a load: its cause in bits 31:24, and bits 23:0 of the value if it did not trap. */
#define LOADED(value)  ((uint32_t)(NO_TRAP << 24 | ((value)&0xffffff)))
#define TRAPPED(cause) ((uint32_t)(cause) << 24)

static uint64_t answer(uint64_t why, uint64_t value)
{
	return why == NO_TRAP ? LOADED(value) : TRAPPED(why);
}

/* Step n: a load from TARGET + n by hlvx.wu, or with BY_HLV by hlv.d. */
#define BY_HLV 0x10000U

static uint64_t load(struct suite_run *run, uint64_t number)
{
	uint64_t gva = TARGET + (number & (BY_HLV - 1)), value = 0, why;

	(void)run;
	why = (number & BY_HLV) != 0 ? hlv_d(gva, &value) : hlvx_wu(gva, &value);
	return answer(why, value);
}

/* Step n: an hlvx.wu from TARGET + n, which may trap, and then an hlv.d. */
static uint64_t load_twice(struct suite_run *run, uint64_t number)
{
	uint64_t gva = TARGET + number, value = 0;

	(void)run;
	(void)hlvx_wu(gva, &value);
	return answer(hlv_d(gva, &value), value);
}

/*
 * bool hlv_before_page_end(uint64_t gva): an hlv.d 12 bytes before the end of a page of code, from
 * which execution continues on the next page. False: it trapped.
 */
bool hlv_before_page_end(uint64_t gva);
__asm__(".text\n\t"
        ".option push\n\t"
        ".option norvc\n\t"
        ".balign 4096\n\t"
        ".skip 4096 - 12 - 16\n"
        "hlv_before_page_end:\n\t"
        "la t0, 1f\n\t"
        "sd t0, " CATCH_PC "(tp)\n\t"
        "li a1, 0\n\t" HLV_D("a0", "a0") "\n\t"
                                         "li a1, 1\n\t"
                                         "nop\n"
                                         "1:\n\t"
                                         "sd zero, " CATCH_PC "(tp)\n\t"
                                         "mv a0, a1\n\t"
                                         "ret\n\t"
                                         ".option pop");

/* Step n: that hlv from TARGET + n, while this hart has no translation of its code. */
static uint64_t load_before_page_end(struct suite_run *run, uint64_t number)
{
	struct kept kept = keep();
	uint64_t why;

	(void)run;
	__asm__ volatile("sfence.vma" ::: "memory");
	why = cause(hlv_before_page_end(TARGET + number));
	put_back(&kept);
	return why;
}

/* Step n: an hlv.d from TARGET + n, which is not aligned. */
static uint64_t load_misaligned(struct suite_run *run, uint64_t number)
{
	uint64_t value = 0, expected, why = hlv_d(TARGET + number, &value);

	(void)run;
	/* VALUE twice in a row, and zeros after the first in DATA. */
	expected = number == 1 ? VALUE >> 8 : VALUE >> 40 | VALUE << 24;
	if (why == CAUSE_LOAD_MISALIGNED)
		return 0;
	return why == NO_TRAP && value == expected ? 0 : 1;
}

/* Step 0: an hlv, and in the next instruction a load of the hypervisor at the same address. The
 * guest maps the address of `own` to a page of its own. */
static uint64_t own __attribute__((aligned(4096)));

static uint64_t load_after_hlv(struct suite_run *run, uint64_t number)
{
	uint64_t at = (uint64_t)(uintptr_t)&own, guests, ours;

	(void)run;
	(void)number;
	own = ~VALUE;
	__asm__ volatile(HLV_D("%0", "%2") "\n\tld %1, (%2)"
	                 : "=&r"(guests), "=&r"(ours)
	                 : "r"(at)
	                 : "memory");
	return guests == VALUE && ours == ~VALUE ? 0 : 1;
}

/* The guest's entry for the address of `own`: the third table is at OTHER. */
static bool map_own(struct suite_run *run)
{
	uint64_t at = (uint64_t)(uintptr_t)&own;
	uint64_t gib = ARENA + (at >> 30) % 512 * 8;
	const uint64_t entries[3] = {(ARENA + PAGE) >> 2 | 1, (ARENA + 2 * PAGE) >> 2 | 1,
	                             DATA >> 2 | 0xcf};

	return mm_aspace_store(&run->vm->as, mm_gpa_at(gib), 8, entries[0]) == MM_OK &&
	       mm_aspace_store(&run->vm->as, mm_gpa_at(ARENA + PAGE + (at >> 21) % 512 * 8), 8,
	                       entries[1]) == MM_OK &&
	       mm_aspace_store(&run->vm->as, mm_gpa_at(ARENA + 2 * PAGE + (at >> 12) % 512 * 8), 8,
	                       entries[2]) == MM_OK &&
	       mm_aspace_store(&run->vm->as, mm_gpa_at(DATA), 8, VALUE) == MM_OK;
}

/* Step 0 with the guest's tables at ARENA, which map nothing else. */
static uint64_t hlv_then_load(struct suite_run *run, uint64_t number)
{
	uint64_t vsatp = csr_read(vsatp), result;

	if (!map_own(run))
		return UINT32_MAX;
	csr_write(vsatp, UINT64_C(8) << 60 | ARENA >> 12);
	hfence_vvma_all();
	result = load_after_hlv(run, number);
	csr_write(vsatp, vsatp);
	hfence_vvma_all();
	return result;
}

/* --- the guest's tables --- */

/* Step n sets bit n in the entry of the first table that leads to TARGET's table; step 64 clears
 * them again. Step 65: the hypervisor's own walk. */
enum {
	REPAIR = 64,
	OUR_WALK,
};

#define ACCESSED 6U
#define DIRTY    7U
#define USER_BIT 4U

static uint64_t spoil_table(struct suite_run *run, uint64_t number)
{
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;
	mm_gpa_t at = mm_gpa_at(TABLES + (TARGET >> 21) % 512 * 8), found;
	uint64_t entry;

	if (number == OUR_WALK)
		return (uint32_t)vcpu->ops->translate(vcpu, mm_gva_at(TARGET), MM_R, &found);
	if (mm_aspace_load(&run->vm->as, at, 8, &entry) != MM_OK)
		return UINT32_MAX;
	entry = number == REPAIR ? entry & ~UINT64_C(0xd0) : entry | UINT64_C(1) << number;
	return (uint32_t)mm_aspace_store(&run->vm->as, at, 8, entry);
}

#define FAULTS_AT(code, at)                                                                        \
	{                                                                                          \
		OP(code, .width = 8, .addr = (at)), .trap = AGENT_PAGE_FAULT, .addr = (at)         \
	}
#define SPOILED(bit)                                                                               \
	STEP(bit), OP_FLUSH(), FAULTS_AT(READ, TARGET), FAULTS_AT(WRITE, TARGET),                  \
		FAULTS_AT(FETCH, TARGET), STEP_ANSWERS(OUR_WALK, (uint32_t)MM_NOT_MAPPED),         \
		STEP(REPAIR), OP_FLUSH(), READ(8, TARGET, VALUE), STEP(OUR_WALK)

/*
 * a0: the address of the leaf for VIRTUAL. Loads from VIRTUAL and from the page after it. Changes
 * the first entry to the second's, loads from the second page again, and fences the first only. The
 * result is what the first reads then.
 */
PUBLISHED_TEXT(selective_fence, "li t0, 0x300000000\n"
                                "lui t1, 1\n"
                                "add t1, t1, t0\n"
                                "ld t2, (t0)\n"
                                "ld t2, (t1)\n"
                                "ld t3, 8(a0)\n"
                                "sd t3, (a0)\n"
                                "ld t2, (t1)\n"
                                "sfence.vma t0, zero\n"
                                "ld a0, (t0)\n"
                                "ret")

/* --- CSRs --- */

/* sie: reads back the three bits that the hypervisor delegates. */
PUBLISHED_TEXT(write_sie, "csrr t1, sie\n"
                          "li t0, -1\n"
                          "csrw sie, t0\n"
                          "csrr a0, sie\n"
                          "csrw sie, t1\n"
                          "li t0, 0x222\n"
                          "and a0, a0, t0\n"
                          "ret")

/* A hypercall of step a0; the next two instructions read sscratch and sstatus. The result is FS,
 * and SD in bit 2. */
PUBLISHED_TEXT(first_sstatus, "li t0, 0x6000\n"
                              "csrc sstatus, t0\n"
                              "li t0, 0x2000\n"
                              "csrs sstatus, t0\n"
                              "li a7, 0x0846544c\n"
                              "li a6, 9\n"
                              "ecall\n"
                              "csrr t1, sscratch\n"
                              "csrr t0, sstatus\n"
                              "srli a0, t0, 13\n"
                              "andi a0, a0, 3\n"
                              "srli t1, t0, 63\n"
                              "slli t1, t1, 2\n"
                              "or a0, a0, t1\n"
                              "li t0, 0x6000\n"
                              "csrc sstatus, t0\n"
                              "ret")

/* FS off, initial, dirty: SD is set for the last only. The result is SD for each, in bits 0 to 2.
 */
PUBLISHED_TEXT(dirty_state, "li t2, 0x6000\n"
                            "csrc sstatus, t2\n"
                            "csrr t0, sstatus\n"
                            "srli a0, t0, 63\n"
                            "li t1, 0x2000\n"
                            "csrs sstatus, t1\n"
                            "csrr t0, sstatus\n"
                            "srli t0, t0, 63\n"
                            "slli t0, t0, 1\n"
                            "or a0, a0, t0\n"
                            "csrs sstatus, t2\n"
                            "csrr t0, sstatus\n"
                            "srli t0, t0, 63\n"
                            "slli t0, t0, 2\n"
                            "or a0, a0, t0\n"
                            "csrc sstatus, t2\n"
                            "ret")

/* sip.STIP */
PUBLISHED_TEXT(timer_pending, "csrr a0, sip\n"
                              "srli a0, a0, 5\n"
                              "andi a0, a0, 1\n"
                              "ret")

PUBLISHED_TEXT(load_word, "lw a0, (a0)\n"
                          "ret")

PUBLISHED_TEXT(set_mxr, "li t0, 0x80000\n"
                        "csrs sstatus, t0\n"
                        "ret")

/* Writes every CSR of the hypervisor and of VS. Each write traps, and the handler counts it. */
/* clang-format off */
#define WRITE_CSRS(X) \
	X(0x600) X(0x602) X(0x603) X(0x604) X(0x605) X(0x606) X(0x607) X(0x60a) X(0x643) X(0x644) \
	X(0x645) X(0x64a) X(0x680) X(0x200) X(0x204) X(0x205) X(0x240) X(0x241) X(0x242) X(0x243) \
	X(0x244) X(0x24d) X(0x280)
/* clang-format on */
#define WRITE_CSR(number) "csrw " #number ", a1\n"
#define COUNT_CSR(number) +1
#define CSR_WRITES        (0 WRITE_CSRS(COUNT_CSR))

PUBLISHED_TEXT(write_csrs, "csrr t2, stvec\n"
                           "1: auipc t0, %pcrel_hi(2f)\n"
                           "addi t0, t0, %pcrel_lo(1b)\n"
                           "csrw stvec, t0\n"
                           "mv a1, a0\n"
                           "li a0, 0\n" WRITE_CSRS(WRITE_CSR) "csrw stvec, t2\n"
                                                              "ret\n"
                                                              ".balign 4\n"
                                                              "2: addi a0, a0, 1\n"
                                                              "csrr t0, sepc\n"
                                                              "addi t0, t0, 4\n"
                                                              "csrw sepc, t0\n"
                                                              "sret")

/* The CSRs that no write of the guest above may change. */
/* clang-format off */
#define UNCHANGED(X) \
	X(hedeleg) X(hideleg) X(hie) X(htimedelta) X(hcounteren) X(hgeie) X(hvip) X(hgatp) X(vsie) \
	X(vstvec) X(vsscratch) X(vsatp)
/* clang-format on */

/* Step 0 keeps them. Step 1 compares. Every register is compared with each other's place in the
 * list, so the answer names the first that differs, counted from 1. */
static uint64_t watch_csrs(struct suite_run *run, uint64_t number)
{
	static uint64_t before[16];
	uint64_t at = 0, differs = 0;

	(void)run;
#define WATCH(name)                                                                                \
	if (number == 0)                                                                           \
		before[at] = csr_read(name);                                                       \
	else if (before[at] != csr_read(name) && differs == 0)                                     \
		differs = at + 1;                                                                  \
	at++;
	UNCHANGED(WATCH)
#undef WATCH
	return differs;
}

/* Step 0: sstatus.FS of the hypervisor is dirty. Step 1 restores it. The vCPU's own is in vsstatus.
 */
static uint64_t dirty_host(struct suite_run *run, uint64_t number)
{
	if (number == 0) {
		run->scratch[0] = csr_read(sstatus) & SSTATUS_FS;
		csr_set(sstatus, SSTATUS_FS);
	} else {
		csr_clear(sstatus, SSTATUS_FS);
		csr_set(sstatus, run->scratch[0]);
	}
	return 0;
}

/* Step 0: henvcfg.STCE is clear, and then vstimecmp is in the past. Step 1: neither. */
static uint64_t disable_stimecmp(struct suite_run *run, uint64_t number)
{
	(void)run;
	if (number == 0) {
		csr_clear(0x60a, HENVCFG_STCE);
		csr_write(0x24d, 0);
	} else {
		csr_write(0x24d, UINT64_MAX);
		csr_set(0x60a, HENVCFG_STCE);
	}
	return 0;
}

/* --- hstatus.GVA --- */

/* Set by a guest-page fault, whose stval is an address of the guest. Clear for an ecall and for a
 * virtual instruction, whose stval is none. */
static void check_gva(struct suite_run *run, const struct vm_exit *exit)
{
	bool is_set = (csr_read(hstatus) & HSTATUS_GVA) != 0;

	if ((exit->raw[0] & SCAUSE_INTERRUPT) != 0)
		return;
	if (is_set != (exit->kind == VM_EXIT_NESTED_FAULT))
		suite_fail(run, "scause=%" PRIu64 ": hstatus.GVA=%u", exit->raw[0], is_set);
	if (exit->raw[0] == CAUSE_VIRTUAL_INSTRUCTION)
		run->scratch[0]++;
}

static bool saw_virtual(struct suite_run *run)
{
	return run->scratch[0] != 0 || suite_fail(run, "no virtual instruction");
}

PUBLISHED_TEXT(read_hstatus, "csrr a0, 0x600\n"
                             "ret")

static const struct suite_case cases[] = {
	{
		/* cva6, issue 3427: the translation of an hlv was used for the hypervisor's next
                 * load as well. */
		.name = "published.cva6.3427",
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STEP(0), STEP(0)),
		.step = hlv_then_load,
	},
	{
		/* cva6, issue 3425: hlvx required that the pages of the guest's tables are
                 * executable. QEMU 7.2 requires R for the page itself, which is granted. */
		.name = "published.cva6.3425",
		.areas = AREAS(POPULATED(TABLES, 2 * PAGE, MM_RW), POPULATED(DATA, PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), WRITE(8, TARGET, VALUE),
                                 STEP_ANSWERS(0, LOADED(VALUE)),
                                 STEP_ANSWERS(4, LOADED(VALUE >> 32))),
		.step = load,
	},
	{
		/* Spike, issue 709: hlvx read a page that the G-stage does not make executable. */
		.name = "published.spike.709",
		.areas = AREAS(POPULATED(TABLES, 2 * PAGE, MM_RW), POPULATED(DATA, PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), WRITE(8, TARGET, VALUE),
                                 STEP_ANSWERS(0, TRAPPED(CAUSE_LOAD_GUEST_PAGE)),
                                 STEP_ANSWERS(BY_HLV, LOADED(VALUE))),
		.step = load,
	},
	{
		/* Spike, commit 4deb3750: the same for the guest's own tables. hlvx took R or X. */
		.name = "published.spike.4deb3750",
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP_AS(TARGET, DATA, 0, TABLES, RW_AD),
                                 WRITE(8, TARGET, VALUE), STEP_ANSWERS(0, TRAPPED(CAUSE_LOAD_PAGE)),
                                 STEP_ANSWERS(BY_HLV, LOADED(VALUE)),
                                 MAP_AS(TARGET, DATA, 0, TABLES, AGENT_PTE_X | AGENT_PTE_AD),
                                 STEP_ANSWERS(BY_HLV, TRAPPED(CAUSE_LOAD_PAGE))),
		.step = load,
	},
	{
		/* Spike, commit d61dcecc: an hlv at an address that is not aligned used the
                 * hypervisor's privilege and translation. A hart may also trap. */
		.name = "published.spike.d61dcecc",
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES),
                                 MAP(TARGET + PAGE, OTHER + PAGE, 0, TABLES), WRITE(8, DATA, VALUE),
                                 WRITE(8, DATA + PAGE - 8, VALUE), WRITE(8, OTHER + PAGE, VALUE),
                                 STEP(1), STEP(PAGE - 3)),
		.step = load_misaligned,
	},
	{
		/* Spike, commit 20efc828: vsstatus.MXR made execute-only pages of the G-stage
                 * readable. */
		.name = "published.spike.20efc828",
		.needs = SUITE_NEEDS_XONLY,
		.areas = AREAS(POPULATED(ARENA, 2 * PAGE, MM_RW), PLACE,
                               POPULATED(DATA, PAGE, MM_X)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), CALL_CODE(0, 0),
                                 READ(8, TARGET + 8, 0)),
		.faults = FAULTS(FAULT(DATA + 8, MM_R, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.data = CODE_OF(set_mxr),
		.ready = published_put,
	},
	{
		/* cva6, issue 3456: an hlv read an execute-only page of the G-stage after an hlvx
                 * of it. A fetch is no permission to read, either. */
		.name = "published.cva6.3456",
		.needs = SUITE_NEEDS_XONLY,
		.areas = AREAS(POPULATED(TABLES, 2 * PAGE, MM_RW), POPULATED(DATA, PAGE, MM_X)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES),
                                 STEP_ANSWERS(0, TRAPPED(CAUSE_LOAD_GUEST_PAGE)),
                                 STEP_ANSWERS(8, TRAPPED(CAUSE_LOAD_GUEST_PAGE)),
                                 STEP_ANSWERS(16, TRAPPED(CAUSE_LOAD_GUEST_PAGE)),
                                 READ(8, TARGET + 8, 0)),
		.faults = FAULTS(FAULT(DATA + 8, MM_R, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = load_twice,
	},
	{
		/* cva6, issue 3475: while an hlv walked both stages, the fetch of the next page of
                 * code left an entry in the TLB that made the guest's store to another page
                 * fail. */
		.name = "published.cva6.3475",
		.areas = AREAS(POPULATED(TABLES, 2 * PAGE, MM_RW), POPULATED(DATA, PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES),
                                 MAP(TARGET + PAGE, DATA + PAGE, 0, TABLES),
                                 STEP_ANSWERS(PAGE, CAUSE_LOAD_GUEST_PAGE), WRITE(8, TARGET, VALUE),
                                 STEP_ANSWERS(PAGE + 8, CAUSE_LOAD_GUEST_PAGE),
                                 WRITE(8, TARGET + 8, VALUE), STEP_ANSWERS(0, NO_TRAP),
                                 READ(8, TARGET, VALUE), READ(8, TARGET + 8, VALUE)),
		.step = load_before_page_end,
	},
	{
		/* cva6, issue 3420: the bits A, D and U of an entry that points at a table are
                 * reserved, and were ignored. */
		.name = "published.cva6.3420",
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), WRITE(8, TARGET, VALUE),
                                 SPOILED(ACCESSED), SPOILED(DIRTY), SPOILED(USER_BIT)),
		.step = spoil_table,
	},
	{
		/* cva6, issue 3307: sfence.vma with an address used the address of an earlier
                 * access. */
		.name = "published.cva6.3307",
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RWX), PLACE),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, DATA, 0, TABLES),
                                 MAP(VIRTUAL + PAGE, OTHER, 0, TABLES), WRITE(8, DATA, 1),
                                 WRITE(8, OTHER, VALUE), CALL_CODE(TABLES + PAGE, VALUE)),
		.data = CODE_OF(selective_fence),
		.ready = published_put,
	},
	{
		/* Spike, commit bcab7c19: a write of vsie changed only one of its bits. */
		.name = "published.spike.bcab7c19",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(0, 0x222)),
		.data = CODE_OF(write_sie),
		.ready = published_put,
	},
	{
		/* rocket-chip, issue 3816: the first read of sstatus in VS-mode had FS and SD of
                 * the hypervisor. */
		.name = "published.rocket.3816",
		.feature = "f",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(0, 1), CALL_CODE(1, 1)),
		.step = dirty_host,
		.data = CODE_OF(first_sstatus),
		.ready = published_put,
	},
	{
		/* Spike, commit 0cd5a8bf: SD did not follow FS of vsstatus. */
		.name = "published.spike.0cd5a8bf",
		.feature = "f",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(0, 4)),
		.data = CODE_OF(dirty_state),
		.ready = published_put,
	},
	{
		/* Spike, commit 928743b1: vstimecmp raised VSTIP although henvcfg.STCE was clear.
                 */
		.name = "published.spike.928743b1",
		.feature = "sstc",
		.areas = AREAS(PLACE),
		.script =
			SCRIPT(CALL_CODE(0, 0), STEP(0), CALL_CODE(0, 0), STEP(1), CALL_CODE(0, 0)),
		.step = disable_stimecmp,
		.data = CODE_OF(timer_pending),
		.ready = published_put,
	},
	{
		/* cva6, issue 3398: a write of a VS CSR in VS-mode trapped, and changed the CSR. */
		.name = "published.cva6.3398",
		.firmware_writes = true,
		.areas = AREAS(PLACE),
		.script = SCRIPT(STEP(0), CALL_CODE(UINT64_MAX, CSR_WRITES), STEP(1),
                                 CALL_CODE(0, CSR_WRITES), STEP(1)),
		.step = watch_csrs,
		.data = CODE_OF(write_csrs),
		.ready = published_put,
	},
	{
		/* cva6, issue 3493, and Spike, commit 457f628a: hstatus.GVA was set by traps whose
                 * stval is no address. */
		.name = "published.cva6.3493",
		.areas = AREAS(PLACE, LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(READ(8, ARENA, 0), CALL_CODE_TRAPS(0, AGENT_UNDEFINED),
                                 READ(8, ARENA + PAGE, 0), CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		.data = CODE_OF(read_hstatus),
		.ready = published_put,
		.seen = check_gva,
		.verify = saw_virtual,
		.uncounted = true,
	},
};

const struct suite_subject suite_riscv64_published = {
	.name = "published",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
