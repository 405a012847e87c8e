/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent on AArch64, EL1: the operations that use this architecture's instructions. Sections are
 * those of the Arm ARM, DDI 0487.
 */
#include "agent/agent.h"
#include "guests/agent/forms.h"

/* D17.2.37: ESR_EL1. */
#define ESR_EC(esr)      ((esr) >> 26 & 0x3f)
#define ESR_FSC(esr)     ((esr)&0x3f)
#define EC_UNKNOWN       0x00
#define EC_FP            0x07 /* CPACR_EL1: the agent leaves floating point disabled */
#define EC_SYSTEM        0x18 /* a system register access, trapped to EL1 */
#define EC_SVE           0x19
#define EC_SME           0x1d
#define EC_PC_ALIGNMENT  0x22
#define EC_FETCH_ABORT   0x21
#define EC_DATA_ABORT    0x25
#define EC_BRK           0x3c
#define FSC_TRANSLATION  0x04 /* 0x04 to 0x0f: translation, access flag, permission */
#define FSC_PERMISSION_3 0x0f
#define FSC_ALIGNMENT    0x21

/* D17.2.131: TCR_EL1 for a 39-bit space of 4 KiB pages in TTBR0 only, write-back, inner
 * shareable. */
#define TCR_T0SZ   UINT64_C(25)
#define TCR_IRGN0  (UINT64_C(1) << 8)
#define TCR_ORGN0  (UINT64_C(1) << 10)
#define TCR_SH0    (UINT64_C(3) << 12)
#define TCR_EPD1   (UINT64_C(1) << 23)
#define TCR_IPS(n) ((uint64_t)(n) << 32)
#define TCR_HA     (UINT64_C(1) << 39)
#define TCR_HD     (UINT64_C(1) << 40)
#define IPS_48     5U

/* D17.2.97: MAIR_EL1: attribute 0 is write-back RAM, attribute 1 Device-nGnRE. */
#define MAIR UINT64_C(0x04ff)

/* D17.2.118: SCTLR_EL1. */
#define SCTLR_MMU UINT64_C(0x1005) /* M, C, I */

/* D8.3: descriptors. */
#define PTE_TABLE    UINT64_C(0x3)
#define PTE_BLOCK    UINT64_C(0x1)
#define PTE_DEVICE   (UINT64_C(1) << 2)
#define PTE_USER     (UINT64_C(1) << 6)
#define PTE_READONLY (UINT64_C(1) << 7)
#define PTE_SH       (UINT64_C(3) << 8)
#define PTE_AF       (UINT64_C(1) << 10)
#define PTE_DBM      (UINT64_C(1) << 51)
#define PTE_PXN      (UINT64_C(1) << 53)
#define PTE_UXN      (UINT64_C(1) << 54)
#define PTE_ADDRESS  UINT64_C(0xfffffffff000)

extern const uint8_t agent_load_plain[], agent_load_plain_end[];
extern const char agent_vector[];

static bool updates_ad;

static uint64_t id_mmfr(unsigned n)
{
	uint64_t value;

	if (n == 0)
		__asm__ volatile("mrs %0, id_aa64mmfr0_el1" : "=r"(value));
	else
		__asm__ volatile("mrs %0, id_aa64mmfr1_el1" : "=r"(value));
	return value;
}

void agent_arch_init(unsigned vcpu, struct agent_frame *frame)
{
	(void)vcpu;
	__asm__ volatile("msr tpidr_el1, %0; msr vbar_el1, %1; isb"
	                 :
	                 : "r"(frame), "r"(agent_vector)
	                 : "memory");
}

static enum agent_trap abort_trap(uint64_t fsc)
{
	if (fsc >= FSC_TRANSLATION && fsc <= FSC_PERMISSION_3)
		return AGENT_PAGE_FAULT;
	return fsc == FSC_ALIGNMENT ? AGENT_ALIGNMENT : AGENT_ACCESS;
}

enum agent_trap agent_arch_trap(const struct agent_context *ctx)
{
	uint64_t esr = ctx->frame->cause;

	switch (ESR_EC(esr)) {
	case EC_UNKNOWN:
		return AGENT_UNDEFINED;
	case EC_FETCH_ABORT:
	case EC_DATA_ABORT:
		return abort_trap(ESR_FSC(esr));
	case EC_FP:
	case EC_SYSTEM:
	case EC_SVE:
	case EC_SME:
		return AGENT_ACCESS;
	case EC_PC_ALIGNMENT:
		return AGENT_ALIGNMENT;
	case EC_BRK:
		return AGENT_DEBUG;
	default:
		return AGENT_OTHER_TRAP;
	}
}

uint64_t agent_call(uint64_t entry, uint64_t arg)
{
	return ((uint64_t(*)(uint64_t))entry)(arg);
}

/* FEAT_LSE: ID_AA64ISAR0_EL1.Atomic. */
bool agent_amo(uint64_t at, uint64_t value, unsigned width, uint64_t *old)
{
	uint64_t isar0;

	__asm__ volatile("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
	if ((isar0 >> 20 & 0xf) == 0)
		return false;
	if (width == 4)
		__asm__ volatile(".arch_extension lse; ldaddal %w2, %w0, [%1]"
		                 : "=&r"(*old)
		                 : "r"(at), "r"(value)
		                 : "memory");
	else
		__asm__ volatile(".arch_extension lse; ldaddal %2, %0, [%1]"
		                 : "=&r"(*old)
		                 : "r"(at), "r"(value)
		                 : "memory");
	return width >= 4;
}

bool agent_llsc(uint64_t at, uint64_t value, unsigned width, uint64_t *old)
{
	uint64_t sum;
	uint32_t failed;

	if (width == 4)
		__asm__ volatile("1: ldaxr %w0, [%3]; add %w1, %w0, %w4; stlxr %w2, %w1, [%3]; "
		                 "cbnz %w2, 1b"
		                 : "=&r"(*old), "=&r"(sum), "=&r"(failed)
		                 : "r"(at), "r"(value)
		                 : "memory");
	else
		__asm__ volatile("1: ldaxr %0, [%3]; add %1, %0, %4; stlxr %w2, %1, [%3]; "
		                 "cbnz %w2, 1b"
		                 : "=&r"(*old), "=&r"(sum), "=&r"(failed)
		                 : "r"(at), "r"(value)
		                 : "memory");
	return width >= 4;
}

#define FORM_FUNCTION(name, text, width, kind)                                                     \
	static uint64_t form_##name(uint64_t at, uint64_t value)                                   \
	{                                                                                          \
		__asm__ volatile(text : "+&r"(value) : "r"(at) : "memory", "x15", "x16", "x17");   \
		return value;                                                                      \
	}
AGENT_FORMS_AARCH64(FORM_FUNCTION)

#define FORM_POINTER(name, text, width, kind) form_##name,
static uint64_t (*const forms[])(uint64_t, uint64_t) = {AGENT_FORMS_AARCH64(FORM_POINTER)};

bool agent_form(unsigned n, uint64_t at, uint64_t *value)
{
	if (n >= sizeof(forms) / sizeof(forms[0]))
		return false;
	*value = forms[n](at, *value);
	return true;
}

#define PRIV_FUNCTION(name, text, outcome)                                                         \
	static uint64_t priv_##name(uint64_t value)                                                \
	{                                                                                          \
		__asm__ volatile(text : "+r"(value) : : "memory", "x16", "x17");                   \
		return value;                                                                      \
	}
AGENT_PRIVS_AARCH64(PRIV_FUNCTION)

#define PRIV_POINTER(name, text, outcome) priv_##name,
static uint64_t (*const privs[])(uint64_t) = {AGENT_PRIVS_AARCH64(PRIV_POINTER)};

bool agent_priv(unsigned n, uint64_t *value)
{
	if (n >= sizeof(privs) / sizeof(privs[0]))
		return false;
	*value = privs[n](*value);
	return true;
}

const void *agent_snippet(unsigned n, uint64_t *bytes)
{
	*bytes = (uint64_t)(agent_load_plain_end - agent_load_plain);
	return n < AGENT_SNIPPETS ? agent_load_plain : NULL;
}

bool agent_firmware(const struct agent_op *op, uint64_t *value)
{
	register uint64_t x0 __asm__("x0") = op->addr;
	register uint64_t x1 __asm__("x1") = op->value;
	register uint64_t x2 __asm__("x2") = op->stride;
	register uint64_t x3 __asm__("x3") = op->count;

	if (op->flags & AGENT_SMC)
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	else
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	*value = x0;
	return true;
}

void agent_irq_mask(bool masked)
{
	if (masked)
		__asm__ volatile("msr daifset, #2" : : : "memory");
	else
		__asm__ volatile("msr daifclr, #2; isb" : : : "memory");
}

/* --- sweeps --- */

/* C6.2: MRS x0, S3_<op1>_<CRn>_<CRm>_<op2>; these fields are 14 bits of the encoding, from bit 5
 * upwards. */
#define ENCODINGS UINT32_C(16384)
#define MRS_X0    UINT32_C(0xd5380000)
#define RET       UINT32_C(0xd65f03c0)

/* Code that is written for one attempt. */
static uint32_t code[2];

void agent_sweep_register(struct agent_context *ctx)
{
	code[0] = MRS_X0 | ctx->attempt << 5;
	code[1] = RET;
	guest_sync_code(code, sizeof(code));
	agent_call((uint64_t)code, 0);
}

/* D17.1.2: op1 4 to 7 are registers of EL2 and EL3, and EL1 registers by their EL2 names. op1 0
 * with CRn 0 are the identification registers. */
#define OP1(encoding) ((encoding) >> 11 & 7)
#define CRN(encoding) ((encoding) >> 7 & 0xf)
#define MSR_X0        UINT32_C(0xd5180000)

bool agent_sweep_forbidden(struct agent_context *ctx)
{
	return OP1(ctx->attempt) >= 4 || (OP1(ctx->attempt) == 0 && CRN(ctx->attempt) == 0);
}

void agent_sweep_write(struct agent_context *ctx)
{
	code[0] = MSR_X0 | ctx->attempt << 5;
	code[1] = RET;
	guest_sync_code(code, sizeof(code));
	agent_call((uint64_t)code, 0);
}

/* PSCI calls and the ranges of other owners, by HVC and SMC, with invalid arguments. */
void agent_sweep_firmware(struct agent_context *ctx)
{
	static const uint64_t bases[] = {0x80000000, 0x84000000, 0xc4000000, 0x82000000,
	                                 0xc3000000, 0xf2000000, 0x00000000, 0xfffffff0};
	struct agent_op op = {.addr = bases[ctx->attempt >> 5 & 7] + (ctx->attempt & 31),
	                      .value = ctx->attempt & 1 ? UINT64_MAX : 0x70000000,
	                      .stride = UINT64_MAX,
	                      .flags = ctx->attempt >> 8 ? AGENT_SMC : 0};
	uint64_t value;

	(void)agent_firmware(&op, &value);
}

uint32_t agent_sweep_length(unsigned sweep)
{
	return sweep == AGENT_SWEEP_FIRMWARE ? 512 : ENCODINGS;
}

void agent_vector_base(uint64_t at)
{
	__asm__ volatile("msr vbar_el1, %0; isb" : : "r"(at));
}

/* --- stage 1 --- */

uint64_t agent_pte_table(uint64_t table)
{
	return table | PTE_TABLE;
}

/* Without AGENT_PTE_AD the access flag is clear, and a writable page is "writable clean" (D8.4.6):
 * read-only until the hardware makes it dirty, if it supports that. */
uint64_t agent_pte_leaf(uint64_t pa, unsigned level, uint8_t flags)
{
	uint64_t entry = pa | PTE_SH | PTE_UXN | (level == 0 ? PTE_TABLE : PTE_BLOCK);

	if (pa < GUEST_RAM_BASE && !(flags & AGENT_PTE_NORMAL))
		entry |= PTE_DEVICE;
	entry |= flags & AGENT_PTE_USER ? PTE_USER : 0;
	entry |= flags & AGENT_PTE_A ? PTE_AF : 0;
	entry |= flags & AGENT_PTE_X ? 0 : PTE_PXN;
	if (flags & AGENT_PTE_AD)
		return entry | PTE_AF | (flags & AGENT_PTE_W ? 0 : PTE_READONLY);
	if (!updates_ad)
		return entry | (flags & AGENT_PTE_W ? 0 : PTE_READONLY);
	return entry | PTE_READONLY | (flags & AGENT_PTE_W ? PTE_DBM : 0);
}

uint64_t agent_pte_target(uint64_t entry)
{
	return entry & PTE_ADDRESS;
}

bool agent_pte_can(unsigned level)
{
	return level <= 2;
}

uint64_t agent_pte_gib(unsigned gib)
{
	return agent_pte_leaf((uint64_t)gib << 30, 2,
	                      AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X | AGENT_PTE_AD);
}

/* ID_AA64MMFR0_EL1.PARange gives the output address size, ID_AA64MMFR1_EL1.HAFDBS the A and D
 * support. */
bool agent_stage1_load(uint64_t *gib_table, bool with_ad)
{
	uint64_t range = id_mmfr(0) & 0xf;
	uint64_t tcr = TCR_T0SZ | TCR_IRGN0 | TCR_ORGN0 | TCR_SH0 | TCR_EPD1 |
	               TCR_IPS(range < IPS_48 ? range : IPS_48);
	uint64_t sctlr;

	if (with_ad && (id_mmfr(1) & 0xf) < 2)
		return false;
	updates_ad = with_ad;
	tcr |= with_ad ? TCR_HA | TCR_HD : 0;
	__asm__ volatile("msr mair_el1, %0; msr tcr_el1, %1; msr ttbr0_el1, %2; isb; "
	                 "dsb ish; tlbi vmalle1; dsb ish; isb"
	                 :
	                 : "r"(MAIR), "r"(tcr), "r"(gib_table)
	                 : "memory");
	__asm__ volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	__asm__ volatile("msr sctlr_el1, %0; isb" : : "r"(sctlr | SCTLR_MMU) : "memory");
	return true;
}

bool agent_stage1_is_on(void)
{
	uint64_t sctlr;

	__asm__ volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	return sctlr & 1;
}

void agent_stage1_flush(void)
{
	__asm__ volatile("dsb ishst; tlbi vmalle1; dsb ish; isb" : : : "memory");
}
