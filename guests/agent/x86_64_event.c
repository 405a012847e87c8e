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
};

struct agent_note agent_note;
void agent_event_run(void);

extern const uint8_t agent_note_stubs[], agent_event_finish[];

#define STUB_BYTES 16U
static const uint8_t noted[] = {1, 3, 4, 6, 11, 12, 13, 14, 17, 0x20, 0x21};

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
	}
	idtr.base = ctx->op->addr;
	__asm__ volatile("lidt %0" : : "m"(*(char(*)[10])(void *)&idtr.limit) : "memory");
}

/* The code, NOPs, and JMP *address behind them. */
static void write_code(uint64_t bytes)
{
	static const uint8_t jump[6] = {0xff, 0x25};
	uint64_t finish = (uint64_t)(uintptr_t)agent_event_finish;

	for (unsigned i = 0; i < CODE_BYTES; i++)
		code[i] = i < 8 ? (uint8_t)(bytes >> 8 * i) : NOP;
	for (unsigned i = 0; i < sizeof(jump); i++)
		code[CODE_BYTES - 14 + i] = jump[i];
	for (unsigned i = 0; i < 8; i++)
		code[CODE_BYTES - 8 + i] = (uint8_t)(finish >> 8 * i);
}

static uint64_t wrongs(const struct agent_note *n)
{
	uint64_t kept = FLAGS_KEPT | FLAG_TF, bits = 0;

	if (((n->flags ^ n->flags_in) & FLAGS_KEPT) != 0 || n->end != n->given_rsp)
		bits |= AGENT_X86_WRONG_AFTER;
	if (n->count == 0)
		return bits;
	if (((n->rflags ^ n->flags_in) & kept) != 0)
		bits |= AGENT_X86_WRONG_FLAGS;
	if (n->rsp != n->given_rsp || n->ss != 0x10)
		bits |= AGENT_X86_WRONG_STACK;
	if (n->cs != 0x08)
		bits |= AGENT_X86_WRONG_CS;
	if ((n->flags_in & ~n->rflags & FLAG_IF) != 0)
		bits |= AGENT_X86_WRONG_IF;
	return bits;
}

void agent_event(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;
	struct agent_note *n = &agent_note;

	write_code(op->value);
	*n = (struct agent_note){
		.start = (uint64_t)(uintptr_t)code,
		.given_rsp = op->width & AGENT_X86_STACK ? op->addr : 0,
		.flags_in = FLAG_ONE | FLAGS_KEPT | (op->width & AGENT_X86_STEP ? FLAG_TF : 0) |
	                    (op->width & AGENT_X86_MASKED ? 0 : FLAG_IF),
		.reg = {(uint32_t)op->stride, op->addr, op->stride >> 32, op->addr, op->stride,
	                op->stride},
	};
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
	default:
		ctx->value = agent_note.reg[ctx->op->addr % 6];
	}
}
