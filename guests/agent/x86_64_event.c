/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AGENT_X86_EVENT: executes a few bytes of code, and reports each detail of the exception or
 * interrupt that it causes. One vCPU at a time.
 */
#include "agent/x86_64_event.h"

#include "guests/agent/x86_64_ops.h"

#define FLAG_CF    UINT64_C(0x001)
#define FLAG_ONE   UINT64_C(0x002)
#define FLAG_TF    UINT64_C(0x100)
#define FLAG_IF    UINT64_C(0x200)
#define FLAG_DF    UINT64_C(0x400)
#define FLAG_OF    UINT64_C(0x800)
#define FLAG_AC    UINT64_C(0x40000)
#define FLAGS_KEPT (FLAG_CF | FLAG_DF | FLAG_OF)

#define CODE_BYTES 32
#define NOP        0x90

/* x86_64_event.S uses the offsets. */
struct agent_note {
	uint64_t active;
	uint64_t count, vector, error; /* of the last event */
	uint64_t rip, cs, rflags, rsp, ss, cr2, dr6;
	uint64_t start;      /* of the code */
	uint64_t saved_rsp;  /* of agent_event_run() */
	uint64_t given_rsp;  /* during the code */
	uint64_t flags_in;   /* during the code */
	uint64_t flags, end; /* after the code: RFLAGS, RSP */
	uint64_t reg[6];     /* RAX, RCX, RDX, RBX, RSI, RDI: before, then after */
	uint64_t code_selector, stack_selector, data_selector; /* during the code */
	uint64_t saved_gs;
};

struct agent_note agent_note;
void agent_event_run(void);

extern const uint8_t agent_note_stubs[], agent_event_finish[];

#define STUB_BYTES 16U
static const uint8_t noted[] = {1, 3, 4, 6, 11, 12, 13, 14, 17, 0x20, 0x21, 0x22};
#define LEAVE_VECTOR 0x22 /* ends code at CPL 3 */

#define GATE_DPL_3 (UINT64_C(3) << 45)

static uint8_t code[CODE_BYTES];

struct table_register {
	uint16_t pad[3];
	uint16_t limit;
	uint64_t base;
};

void agent_copy_idt(struct agent_context *ctx)
{
	uint64_t *to = (uint64_t *)(uintptr_t)ctx->op->addr;
	struct table_register idtr;

	__asm__ volatile("sidt %0" : "=m"(*(char(*)[10])(void *)&idtr.limit));
	for (unsigned i = 0; i <= idtr.limit / 8U; i++)
		to[i] = ((const uint64_t *)(uintptr_t)idtr.base)[i];
	for (unsigned i = 0; i < sizeof(noted); i++) {
		uint64_t at = (uint64_t)(uintptr_t)agent_note_stubs + STUB_BYTES * i;
		uint64_t *gate = to + UINT64_C(2) * noted[i];

		gate[0] = (gate[0] & UINT64_C(0x0000ffffffff0000)) | (at & 0xffff) |
		          (at >> 16 & 0xffff) << 48;
		gate[1] = at >> 32;
		if (noted[i] == 3 || noted[i] == 4 || noted[i] >= 0x21)
			gate[0] |= GATE_DPL_3;
	}
	idtr.base = ctx->op->addr;
	__asm__ volatile("lidt %0" : : "m"(*(char(*)[10])(void *)&idtr.limit) : "memory");
}

/* --- CPL 3 --- */

/* Entries of the GDT that AGENT_X86_TABLES has made, and that it does not use. */
#define USER_DATA       53U
#define USER_CODE64     54U
#define USER_CODE       55U /* 32 or 16 bits */
#define USER_FIRST      56U /* ES, CS, SS, DS, FS, GS */
#define SELECTOR(entry) (8U * (entry) | 3U)

#define DESC_DATA     UINT64_C(0x00cff3000000ffff)
#define DESC_CODE64   UINT64_C(0x0020fb0000000000)
#define DESC_CODE32   UINT64_C(0x00cffb000000ffff)
#define DESC_CODE16   UINT64_C(0x008ffb000000ffff)
#define DESC_BASE(at) (((uint64_t)(at)&0xffffff) << 16 | ((uint64_t)(at) >> 24 & 0xff) << 56)

#define USER_STACK 0x800U
static uint8_t user_stack[USER_STACK];

#define PTE_USER    UINT64_C(4)
#define PTE_LARGE   UINT64_C(0x80)
#define PTE_PRESENT UINT64_C(1)
#define PTE_ADDRESS UINT64_C(0xffffffffff000)

static void user_pages(uint64_t *table, unsigned level)
{
	for (unsigned i = 0; i < 512; i++) {
		uint64_t *next = (uint64_t *)(uintptr_t)(table[i] & PTE_ADDRESS);

		if (!(table[i] & PTE_PRESENT) || (table[i] & AGENT_X86_PTE_KEPT))
			continue;
		table[i] |= PTE_USER;
		if (level > 0 && !(table[i] & PTE_LARGE))
			user_pages(next, level - 1);
	}
}

/* All pages that the agent has mapped are user pages from now on. */
static void permit_user(void)
{
	uint64_t cr3;

	__asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
	user_pages((uint64_t *)(uintptr_t)(cr3 & PTE_ADDRESS), 3);
	__asm__ volatile("movq %0, %%cr3" : : "r"(cr3) : "memory");
}

static void enter_user(struct agent_note *n, unsigned width)
{
	bool narrow = width & (AGENT_X86_CODE32 | AGENT_X86_CODE16);
	struct table_register gdtr;
	uint64_t *gdt, cs_base;

	permit_user();
	__asm__ volatile("sgdt %0" : "=m"(gdtr.limit), "=m"(gdtr.base));
	gdt = (uint64_t *)(uintptr_t)gdtr.base;
	gdt[USER_DATA] = DESC_DATA;
	gdt[USER_CODE64] = DESC_CODE64;
	/* IP has 16 bits. */
	cs_base = width & AGENT_X86_CODE16 ? n->start - 0x100 : AGENT_X86_USER_BASE(1);
	gdt[USER_CODE] =
		(width & AGENT_X86_CODE16 ? DESC_CODE16 : DESC_CODE32) | DESC_BASE(cs_base);
	for (unsigned i = 0; i < 6; i++)
		gdt[USER_FIRST + i] = DESC_DATA | DESC_BASE(AGENT_X86_USER_BASE(i));
	n->code_selector = SELECTOR(narrow ? USER_CODE : USER_CODE64);
	n->stack_selector = SELECTOR(narrow ? USER_FIRST + 2 : USER_DATA);
	n->data_selector = narrow ? SELECTOR(USER_FIRST) : 0;
	if (narrow)
		n->start = (uint32_t)(n->start - cs_base);
	if (n->given_rsp == 0)
		n->given_rsp = (uint64_t)(uintptr_t)user_stack + USER_STACK / 2;
	if (narrow)
		n->given_rsp = (uint32_t)(n->given_rsp - AGENT_X86_USER_BASE(2));
}

/* The code, NOPs, and JMP *address behind them; at CPL 3 INT instead. */
static void write_code(uint64_t bytes, bool user)
{
	static const uint8_t jump[6] = {0xff, 0x25}, leave[6] = {0xcd, LEAVE_VECTOR};
	uint64_t finish = (uint64_t)(uintptr_t)agent_event_finish;

	for (unsigned i = 0; i < CODE_BYTES; i++)
		code[i] = i < 8 ? (uint8_t)(bytes >> 8 * i) : NOP;
	for (unsigned i = 0; i < sizeof(jump); i++)
		code[CODE_BYTES - 14 + i] = user ? leave[i] : jump[i];
	for (unsigned i = 0; i < 8; i++)
		code[CODE_BYTES - 8 + i] = (uint8_t)(finish >> 8 * i);
}

static uint64_t wrongs(const struct agent_note *n)
{
	uint64_t kept = FLAGS_KEPT | FLAG_AC | FLAG_TF, bits = 0;

	if (((n->flags ^ n->flags_in) & (FLAGS_KEPT | FLAG_AC)) != 0 || n->end != n->given_rsp)
		bits |= AGENT_X86_WRONG_AFTER;
	if (n->count == 0)
		return bits;
	if (((n->rflags ^ n->flags_in) & kept) != 0)
		bits |= AGENT_X86_WRONG_FLAGS;
	if (n->rsp != n->given_rsp || n->ss != n->stack_selector)
		bits |= AGENT_X86_WRONG_STACK;
	if (n->cs != n->code_selector)
		bits |= AGENT_X86_WRONG_CS;
	if ((n->flags_in & ~n->rflags & FLAG_IF) != 0)
		bits |= AGENT_X86_WRONG_IF;
	return bits;
}

void agent_event(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;
	struct agent_note *n = &agent_note;

	bool user = op->width & AGENT_X86_USER;

	write_code(op->value, user);
	*n = (struct agent_note){
		.start = (uint64_t)(uintptr_t)code,
		.given_rsp = op->width & AGENT_X86_STACK ? op->addr : 0,
		.flags_in = FLAG_ONE | FLAGS_KEPT | (user ? FLAG_AC : 0) |
	                    (op->width & AGENT_X86_STEP ? FLAG_TF : 0) |
	                    (op->width & AGENT_X86_MASKED ? 0 : FLAG_IF),
		.reg = {(uint32_t)op->stride, op->addr, op->stride >> 32, op->addr, op->stride,
	                op->stride},
		.code_selector = 0x08,
		.stack_selector = 0x10,
	};
	if (user)
		enter_user(n, op->width);
	agent_event_run();
	ctx->value = wrongs(n);
	if (n->count != 0)
		ctx->value |= AGENT_X86_GOT(n->vector, n->count & 0xff, n->error & 0xffff,
		                            n->rip - n->start);
}

void agent_event_after(struct agent_context *ctx)
{
	switch (ctx->op->addr) {
	case AGENT_X86_CR2:
		ctx->value = agent_note.cr2;
		break;
	case AGENT_X86_DR6:
		ctx->value = agent_note.dr6;
		break;
	case AGENT_X86_RSP:
		ctx->value = agent_note.end;
		break;
	default:
		ctx->value = agent_note.reg[ctx->op->addr % 6];
	}
}
