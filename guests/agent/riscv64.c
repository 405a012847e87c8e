/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent on RISC-V, VS-mode: the operations that use this architecture's instructions. Sections
 * are those of the privileged manual, 20211203.
 */
#include "agent/agent.h"
#include "guests/agent/forms.h"

#define SATP_SV39   (UINT64_C(8) << 60) /* 4.1.11: MODE 8 */
#define SSTATUS_SIE UINT64_C(0x2)       /* 4.1.1 */
#define SIE_STIE    UINT64_C(0x20)      /* 4.1.3 */

/* 4.1.8: scause. */
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS     1
#define CAUSE_ILLEGAL          2
#define CAUSE_BREAKPOINT       3
#define CAUSE_LOAD_MISALIGNED  4
#define CAUSE_LOAD_ACCESS      5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS     7
#define CAUSE_FETCH_PAGE       12
#define CAUSE_LOAD_PAGE        13
#define CAUSE_STORE_PAGE       15
#define CAUSE_VIRTUAL          22 /* 8.6.1: treated like the illegal-instruction exception */

/* 4.4.1: page-table entries. */
#define PTE_V  0x01U
#define PTE_R  0x02U
#define PTE_W  0x04U
#define PTE_X  0x08U
#define PTE_U  0x10U
#define PTE_A  0x40U
#define PTE_AD 0xc0U
/* PPN, 53:10, is the address from bit 12 upwards. */
#define PTE_PPN UINT64_C(0x3ffffffffffc00)

extern const uint8_t agent_load_plain[], agent_load_plain_end[];
extern const uint8_t agent_load_short[], agent_load_short_end[];
extern const char agent_vector[];

void agent_arch_init(unsigned vcpu, struct agent_frame *frame)
{
	(void)vcpu;
	__asm__ volatile("csrw sscratch, %0; csrw stvec, %1"
	                 :
	                 : "r"(frame), "r"(agent_vector)
	                 : "memory");
}

enum agent_trap agent_arch_trap(const struct agent_context *ctx)
{
	switch (ctx->frame->cause) {
	case CAUSE_ILLEGAL:
	case CAUSE_VIRTUAL:
		return AGENT_UNDEFINED;
	case CAUSE_BREAKPOINT:
		return AGENT_DEBUG;
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		return AGENT_ALIGNMENT;
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		return AGENT_ACCESS;
	case CAUSE_FETCH_PAGE:
	case CAUSE_LOAD_PAGE:
	case CAUSE_STORE_PAGE:
		return AGENT_PAGE_FAULT;
	default:
		return AGENT_OTHER_TRAP;
	}
}

uint64_t agent_call(uint64_t entry, uint64_t arg)
{
	return ((uint64_t(*)(uint64_t))entry)(arg);
}

bool agent_amo(uint64_t at, uint64_t value, unsigned width, uint64_t *old)
{
	if (width == 4)
		__asm__ volatile("amoadd.w.aqrl %0, %2, (%1)"
		                 : "=r"(*old)
		                 : "r"(at), "r"(value)
		                 : "memory");
	else
		__asm__ volatile("amoadd.d.aqrl %0, %2, (%1)"
		                 : "=r"(*old)
		                 : "r"(at), "r"(value)
		                 : "memory");
	return width >= 4;
}

bool agent_llsc(uint64_t at, uint64_t value, unsigned width, uint64_t *old)
{
	uint64_t sum;

	if (width == 4)
		__asm__ volatile("1: lr.w.aq %0, (%2); add %1, %0, %3; sc.w.rl %1, %1, (%2); "
		                 "bnez %1, 1b"
		                 : "=&r"(*old), "=&r"(sum)
		                 : "r"(at), "r"(value)
		                 : "memory");
	else
		__asm__ volatile("1: lr.d.aq %0, (%2); add %1, %0, %3; sc.d.rl %1, %1, (%2); "
		                 "bnez %1, 1b"
		                 : "=&r"(*old), "=&r"(sum)
		                 : "r"(at), "r"(value)
		                 : "memory");
	return width >= 4;
}

#define FORM_FUNCTION(name, text, width, kind)                                                     \
	static uint64_t form_##name(uint64_t at, uint64_t value)                                   \
	{                                                                                          \
		__asm__ volatile(text                                                              \
		                 : "+&r"(value)                                                    \
		                 : "r"(at)                                                         \
		                 : "memory", "t0", "a4", "a5", "a7");                              \
		return value;                                                                      \
	}
AGENT_FORMS_RISCV64(FORM_FUNCTION)

#define FORM_POINTER(name, text, width, kind) form_##name,
static uint64_t (*const forms[])(uint64_t, uint64_t) = {AGENT_FORMS_RISCV64(FORM_POINTER)};

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
		__asm__ volatile(text : "+r"(value) : : "memory", "t0");                           \
		return value;                                                                      \
	}
AGENT_PRIVS_RISCV64(PRIV_FUNCTION)

#define PRIV_POINTER(name, text, outcome) priv_##name,
static uint64_t (*const privs[])(uint64_t) = {AGENT_PRIVS_RISCV64(PRIV_POINTER)};

bool agent_priv(unsigned n, uint64_t *value)
{
	if (n >= sizeof(privs) / sizeof(privs[0]))
		return false;
	*value = privs[n](*value);
	return true;
}

const void *agent_snippet(unsigned n, uint64_t *bytes)
{
	const uint8_t *start = n == AGENT_LOAD_SHORT ? agent_load_short : agent_load_plain;
	const uint8_t *end = n == AGENT_LOAD_SHORT ? agent_load_short_end : agent_load_plain_end;

	*bytes = (uint64_t)(end - start);
	return n < AGENT_SNIPPETS ? start : NULL;
}

static struct guest_result sbi(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1)
{
	register uint64_t r0 __asm__("a0") = a0;
	register uint64_t r1 __asm__("a1") = a1;
	register uint64_t r2 __asm__("a2") = 0;
	register uint64_t r6 __asm__("a6") = function;
	register uint64_t r7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r6), "r"(r7) : "memory");
	return (struct guest_result){r0, r1};
}

bool agent_firmware(const struct agent_op *op, uint64_t *value)
{
	struct guest_result result = sbi(op->addr, op->count, op->value, op->stride);

	*value = result.error << 32 | (uint32_t)result.value;
	return true;
}

void agent_irq_mask(bool masked)
{
	if (masked)
		__asm__ volatile("csrc sie, %0; csrc sstatus, %1"
		                 :
		                 : "r"(SIE_STIE), "r"(SSTATUS_SIE)
		                 : "memory");
	else
		__asm__ volatile("csrs sie, %0; csrs sstatus, %1"
		                 :
		                 : "r"(SIE_STIE), "r"(SSTATUS_SIE)
		                 : "memory");
}

/* --- sweeps --- */

#define CSRS      4096U
#define CSRR_A0   UINT32_C(0x00002573) /* csrrs a0, csr, x0 */
#define CSR_SHIFT 20
#define RET       UINT32_C(0x00008067)

/* Code that is written for one attempt. */
static uint32_t code[2];

void agent_sweep_register(struct agent_context *ctx)
{
	code[0] = CSRR_A0 | ctx->attempt << CSR_SHIFT;
	code[1] = RET;
	guest_sync_code(code, sizeof(code));
	agent_call((uint64_t)code, 0);
}

/* 2.1: bits 9:8 of a CSR's number give the lowest privilege; 11:10 are both set if it is read-only.
 * CSRs that VS-mode or U-mode may write are not included: they belong to the guest. */
#define CSR_PRIVILEGE(csr) ((csr) >> 8 & 3)
#define CSR_READ_ONLY(csr) ((csr) >> 10 == 3)
#define CSRW_A0            UINT32_C(0x00051073) /* csrrw x0, csr, a0 */

bool agent_sweep_forbidden(struct agent_context *ctx)
{
	return CSR_PRIVILEGE(ctx->attempt) >= 2 || CSR_READ_ONLY(ctx->attempt);
}

void agent_sweep_write(struct agent_context *ctx)
{
	code[0] = CSRW_A0 | ctx->attempt << CSR_SHIFT;
	code[1] = RET;
	guest_sync_code(code, sizeof(code));
	agent_call((uint64_t)code, 0);
}

/* Extensions by number, each with invalid functions, hart masks and addresses. */
void agent_sweep_firmware(struct agent_context *ctx)
{
	static const uint64_t extensions[] = {
		0,          1,        2,          3,        4,          5,
		6,          7,        8,          0x10,     0x54494d45, 0x735049,
		0x52464e43, 0x48534d, 0x53525354, 0x504d55, 0x9000000,  0xffffffff,
	};
	static const uint64_t arguments[] = {0, 1, 0x70000000, UINT64_MAX};
	const unsigned kinds = sizeof(arguments) / sizeof(arguments[0]);
	unsigned n = ctx->attempt;

	if (n / kinds / kinds / 4 < sizeof(extensions) / sizeof(extensions[0]))
		(void)sbi(extensions[n / kinds / kinds / 4], n / kinds / kinds % 4,
		          arguments[n / kinds % kinds], arguments[n % kinds]);
}

uint32_t agent_sweep_length(unsigned sweep)
{
	return sweep == AGENT_SWEEP_FIRMWARE ? 18 * 4 * 4 * 4 : CSRS;
}

void agent_vector_base(uint64_t at)
{
	__asm__ volatile("csrw stvec, %0" : : "r"(at));
}

/* --- stage 1 --- */

uint64_t agent_pte_table(uint64_t table)
{
	return table >> 12 << 10 | PTE_V;
}

uint64_t agent_pte_leaf(uint64_t pa, unsigned level, uint8_t flags)
{
	uint64_t entry = agent_pte_table(pa);

	(void)level;
	entry |= flags & AGENT_PTE_R ? PTE_R : 0;
	entry |= flags & AGENT_PTE_W ? PTE_W : 0;
	entry |= flags & AGENT_PTE_X ? PTE_X : 0;
	entry |= flags & AGENT_PTE_A ? PTE_A : 0;
	entry |= flags & AGENT_PTE_AD ? PTE_AD : 0;
	entry |= flags & AGENT_PTE_USER ? PTE_U : 0;
	return entry;
}

uint64_t agent_pte_target(uint64_t entry)
{
	return (entry & PTE_PPN) << 2;
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

/* Whether the CPU updates A and D or faults instead (4.3.1) is found by a test access. */
bool agent_stage1_load(uint64_t *gib_table, bool with_ad)
{
	(void)with_ad;
	__asm__ volatile("sfence.vma; csrw satp, %0; sfence.vma"
	                 :
	                 : "r"(SATP_SV39 | (uint64_t)gib_table >> 12)
	                 : "memory");
	return true;
}

bool agent_stage1_is_on(void)
{
	uint64_t satp;

	__asm__ volatile("csrr %0, satp" : "=r"(satp));
	return satp != 0;
}

void agent_stage1_flush(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}
