/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent on x86-64, long mode: the operations that use this architecture's instructions.
 * Chapters are those of the Intel SDM, volume 3A.
 */
#include <stdalign.h>

#include "agent/agent.h"
#include "agent/stage1.h"
#include "guests/agent/forms.h"

/* 6.3.1: vectors. */
#define VECTOR_DEBUG      1
#define VECTOR_BREAKPOINT 3
#define VECTOR_UNDEFINED  6
#define VECTOR_NO_SEGMENT 11
#define VECTOR_STACK      12
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_ALIGNMENT  17
#define VECTORS           256U
#define EXCEPTIONS        32U

/* 3.4.5: segment descriptors. GS of each vCPU begins at its frame. */
#define GDT_CODE      UINT64_C(0x00209b0000000000)
#define GDT_DATA      UINT64_C(0x00cf93000000ffff)
#define GDT_BASE(at)  (((at)&0xffffff) << 16 | ((at) >> 24 & 0xff) << 56)
#define SELECTOR_CODE 0x08U
#define SELECTOR_DATA 0x10U
#define GDT_FIRST_GS  3U

/* 6.14.1: 64-bit interrupt gate, present. */
#define GATE_INTERRUPT UINT64_C(0x8e00)

/* 4.5: paging-structure entries. */
#define PTE_P       UINT64_C(0x01)
#define PTE_W       UINT64_C(0x02)
#define PTE_U       UINT64_C(0x04)
#define PTE_A       UINT64_C(0x20)
#define PTE_D       UINT64_C(0x40)
#define PTE_PS      UINT64_C(0x80)
#define PTE_ADDRESS UINT64_C(0xffffffffff000)

#define CPUID_EXTENDED    0x80000001U
#define CPUID_EDX_PAGE1GB (1U << 26)

#define IDENTITY_GIBS 8U
#define ENTRIES       512U

struct table_register {
	uint16_t pad[3];
	uint16_t limit;
	uint64_t base;
};

extern const char agent_vector[], agent_interrupt[];
extern const uint8_t agent_load_plain[], agent_load_plain_end[];
extern const uint8_t agent_load_short[], agent_load_short_end[];
void agent_load_segments(const void *gdtr, const void *idtr, unsigned gs);

/* Only its cause is used: x86_64_trap.S, agent_fatal(). */
extern struct agent_frame agent_fatal_frame;
struct agent_frame agent_fatal_frame;

static uint64_t gdt[GDT_FIRST_GS + AGENT_MAX_VCPUS];
static uint64_t idt[VECTORS][2];
static alignas(4096) uint64_t pml4[ENTRIES];
static alignas(4096) uint64_t directories[IDENTITY_GIBS][ENTRIES];

/* x86_64_trap.S places the exception stubs 16 bytes apart. */
static void build_idt(void)
{
	for (unsigned i = 0; i < VECTORS; i++) {
		uint64_t at = i < EXCEPTIONS ? (uint64_t)agent_vector + 16 * (uint64_t)i
		                             : (uint64_t)agent_interrupt;

		idt[i][0] = (at & 0xffff) | SELECTOR_CODE << 16 | GATE_INTERRUPT << 32 |
		            (at >> 16 & 0xffff) << 48;
		idt[i][1] = at >> 32;
	}
}

void agent_arch_init(unsigned vcpu, struct agent_frame *frame)
{
	struct table_register gdtr = {.limit = sizeof(gdt) - 1, .base = (uint64_t)gdt};
	struct table_register idtr = {.limit = sizeof(idt) - 1, .base = (uint64_t)idt};
	unsigned slot = GDT_FIRST_GS + vcpu;

	gdt[SELECTOR_CODE / 8] = GDT_CODE;
	gdt[SELECTOR_DATA / 8] = GDT_DATA;
	gdt[slot] = GDT_DATA | GDT_BASE((uint64_t)frame);
	build_idt();
	agent_load_segments(&gdtr.limit, &idtr.limit, slot * 8);
	stage1_on(false);
}

/* Zeros are ADD %al, (%rax). agent_call() makes them a general-protection fault. */
enum agent_trap agent_arch_trap(const struct agent_context *ctx)
{
	switch (ctx->frame->cause & 0xff) {
	case VECTOR_UNDEFINED:
		return AGENT_UNDEFINED;
	case VECTOR_DEBUG:
	case VECTOR_BREAKPOINT:
		return AGENT_DEBUG;
	case VECTOR_ALIGNMENT:
		return AGENT_ALIGNMENT;
	case VECTOR_PAGE_FAULT:
		return AGENT_PAGE_FAULT;
	case VECTOR_PROTECTION:
		if (ctx->op->code == AGENT_FETCH && ctx->frame->pc == ctx->op->addr)
			return AGENT_UNDEFINED;
		return AGENT_ACCESS;
	case VECTOR_NO_SEGMENT:
	case VECTOR_STACK:
		return AGENT_ACCESS;
	default:
		return AGENT_OTHER_TRAP;
	}
}

/* RAX is not canonical: see agent_arch_trap(). */
uint64_t agent_call(uint64_t entry, uint64_t arg)
{
	uint64_t rax = UINT64_C(1) << 63;

	__asm__ volatile("call *%2"
	                 : "+a"(rax), "+D"(arg)
	                 : "r"(entry)
	                 : "memory", "cc", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11");
	return rax;
}

bool agent_amo(uint64_t at, uint64_t value, unsigned width, uint64_t *old)
{
	if (width == 4) {
		uint32_t low = (uint32_t)value;

		__asm__ volatile("lock xaddl %0, (%1)" : "+r"(low) : "r"(at) : "memory", "cc");
		*old = low;
	} else {
		__asm__ volatile("lock xaddq %0, (%1)" : "+r"(value) : "r"(at) : "memory", "cc");
		*old = value;
	}
	return width >= 4;
}

bool agent_llsc(uint64_t at, uint64_t value, unsigned width, uint64_t *old)
{
	uint64_t sum;

	if (width == 4)
		__asm__ volatile("movl (%2), %%eax; 1: leal (%%rax,%3), %k1; "
		                 "lock cmpxchgl %k1, (%2); jne 1b"
		                 : "=&a"(*old), "=&r"(sum)
		                 : "r"(at), "r"(value)
		                 : "memory", "cc");
	else
		__asm__ volatile("movq (%2), %%rax; 1: leaq (%%rax,%3), %1; "
		                 "lock cmpxchgq %1, (%2); jne 1b"
		                 : "=&a"(*old), "=&r"(sum)
		                 : "r"(at), "r"(value)
		                 : "memory", "cc");
	return width >= 4;
}

/* The address is in RDI. So every register of the value can be encoded without a REX prefix. */
#define FORM_FUNCTION(name, text, width, kind)                                                     \
	static uint64_t form_##name(uint64_t at, uint64_t value)                                   \
	{                                                                                          \
		__asm__ volatile(text : "+&S"(value) : "D"(at) : "memory", "cc", "rax", "rdx");    \
		return value;                                                                      \
	}
AGENT_FORMS_X86_64(FORM_FUNCTION)

#define FORM_POINTER(name, text, width, kind) form_##name,
static uint64_t (*const forms[])(uint64_t, uint64_t) = {AGENT_FORMS_X86_64(FORM_POINTER)};

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
		__asm__ volatile(text : "+S"(value) : : "memory", "cc", "rax", "rcx", "rdx");      \
		return value;                                                                      \
	}
AGENT_PRIVS_X86_64(PRIV_FUNCTION)

#define PRIV_POINTER(name, text, outcome) priv_##name,
static uint64_t (*const privs[])(uint64_t) = {AGENT_PRIVS_X86_64(PRIV_POINTER)};

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

bool agent_firmware(const struct agent_op *op, uint64_t *value)
{
	(void)op;
	(void)value;
	return false;
}

void agent_irq_mask(bool masked)
{
	if (masked)
		__asm__ volatile("cli" : : : "memory");
	else
		__asm__ volatile("sti; nop" : : : "memory");
}

/* --- sweeps --- */

/* The two ranges that an MSR bitmap covers, and one range that it does not. */
#define MSRS_EACH 0x1000U

void agent_sweep_register(struct agent_context *ctx)
{
	static const uint32_t bases[] = {0, 0xc0000000, 0x40000000};
	uint32_t number = bases[ctx->attempt / MSRS_EACH] + ctx->attempt % MSRS_EACH;

	__asm__ volatile("rdmsr" : : "c"(number) : "rax", "rdx");
}

void agent_sweep_firmware(struct agent_context *ctx)
{
	ctx->supported = false;
}

/* Reads only: the faults of WRMSR are rows of guests/agent/forms.h. */
bool agent_sweep_forbidden(struct agent_context *ctx)
{
	(void)ctx;
	return false;
}

void agent_sweep_write(struct agent_context *ctx)
{
	ctx->supported = false;
}

uint32_t agent_sweep_length(unsigned sweep)
{
	return sweep == AGENT_SWEEP_REGISTERS ? 3 * MSRS_EACH : 0;
}

void agent_vector_base(uint64_t at)
{
	struct table_register idtr = {.limit = sizeof(idt) - 1, .base = at};

	__asm__ volatile("lidt (%0)" : : "r"(&idtr.limit) : "memory");
}

/* --- stage 1 --- */

/* The entry of the leaf decides what user mode may do. */
uint64_t agent_pte_table(uint64_t table)
{
	return table | PTE_P | PTE_W | PTE_U | PTE_A;
}

/* Every readable page is executable here: the agent leaves EFER.NXE clear. */
uint64_t agent_pte_leaf(uint64_t pa, unsigned level, uint8_t flags)
{
	uint64_t entry = pa | PTE_P;

	entry |= flags & AGENT_PTE_W ? PTE_W : 0;
	entry |= flags & AGENT_PTE_AD ? PTE_A | PTE_D : 0;
	entry |= level > 0 ? PTE_PS : 0;
	return entry;
}

uint64_t agent_pte_target(uint64_t entry)
{
	return entry & PTE_ADDRESS;
}

static bool has_gib_pages(void)
{
	uint32_t eax = CPUID_EXTENDED, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx & CPUID_EDX_PAGE1GB;
}

bool agent_pte_can(unsigned level)
{
	return level < 2 || has_gib_pages();
}

uint64_t agent_pte_gib(unsigned gib)
{
	const uint8_t flags = AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X | AGENT_PTE_AD;
	uint64_t pa = (uint64_t)gib << 30;

	if (has_gib_pages())
		return agent_pte_leaf(pa, 2, flags);
	for (unsigned i = 0; i < ENTRIES; i++)
		directories[gib][i] = agent_pte_leaf(pa | (uint64_t)i << 21, 1, flags);
	return agent_pte_table((uint64_t)directories[gib]);
}

/* The CPU always updates A and D. */
bool agent_stage1_load(uint64_t *gib_table, bool with_ad)
{
	(void)with_ad;
	pml4[0] = agent_pte_table((uint64_t)gib_table);
	__asm__ volatile("movq %0, %%cr3" : : "r"(pml4) : "memory");
	return true;
}

bool agent_stage1_is_on(void)
{
	return true;
}

void agent_stage1_flush(void)
{
	uint64_t cr3;

	__asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(cr3) : : "memory");
}
