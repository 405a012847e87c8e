/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device accesses whose instruction uses what the forms of guests/agent/forms.h do not: segment
 * bases, the direction flag (the agent's EVENT operation sets it), address-size prefixes, and
 * registers that change beside the result.
 */
#include "suite/x86_64/x86.h"

#define ID         (GUEST_TEST_BASE + GUEST_TEST_ID)
#define SCRATCH    (GUEST_TEST_BASE + GUEST_TEST_SCRATCH)
#define NEGATIVE   (GUEST_TEST_BASE + GUEST_TEST_NEG)
#define FILLED     UINT64_C(0x1122334455667788) /* SCRATCH before */
#define RAM        (ARENA + 2 * PAGE + 0x100)
#define UD         6U
#define RAM_BEFORE UINT64_C(0xa8a7a6a5a4a3a7a1)
#define FS         0x5018U
#define GS         0x7028U

#define MSR_OF_FS  0xc0000100U
#define MSR_OF_KGS 0xc0000102U

struct row {
	const char *name;
	uint8_t code[8];
	uint8_t length;
	uint64_t rcx, rdi; /* RBX is RCX, RSI is RDI, EAX its lower half */
	uint64_t rax, rcx_after, rdi_after, rsi_after;
	uint64_t scratch; /* afterwards */
	uint64_t ram;     /* the word at RAM afterwards */
	uint64_t writes;
	uint64_t wrong; /* AGENT_X86_WRONG_*: the code changes CF and OF */
	uint8_t how;    /* of AGENT_X86_EVENT */
};

#define CODE(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
/* Registers that stay as they are. */
#define KEPT(count, at)                                                                            \
	.rcx = (count), .rdi = (at), .rcx_after = (count), .rdi_after = (at), .rsi_after = (at)

#define LOW(at) ((at)&0xffffffff)

/* The offset of a linear address in a segment of 32-bit code. */
#define IN(segment, at) LOW((at)-AGENT_X86_USER_BASE(segment))
#define NARROW          (AGENT_X86_USER | AGENT_X86_CODE32)
/* MOV AL, [EDI] with that segment. */
#define CODE32(label, segment, at, al, ...)                                                        \
	{                                                                                          \
		"code32." label, CODE(__VA_ARGS__), KEPT(0, IN(segment, at)),                      \
			.rax = (IN(segment, at) & ~UINT64_C(0xff)) | (al), .how = NARROW           \
	}
#define STRING32(label, ...)                                                                       \
	{                                                                                          \
		"code32." label, CODE(__VA_ARGS__),                                                \
			.rdi = IN(0, SCRATCH + 3), .rdi_after = IN(0, SCRATCH + 2),                \
			.rsi_after = IN(0, SCRATCH + 3), .rax = IN(0, SCRATCH + 3),                \
			.scratch = 0x112233440b667788, .writes = 1, .how = NARROW                  \
	}

static const struct row rows[] = {
	{"stosb-down", CODE(0xaa), .rdi = SCRATCH + 3, .rdi_after = SCRATCH + 2,
         .rsi_after = SCRATCH + 3, .rax = LOW(SCRATCH + 3), .scratch = 0x112233440b667788,
         .writes = 1},
	{"rep-stosb-down", CODE(0xf3, 0xaa), .rcx = 3, .rdi = SCRATCH + 3, .rdi_after = SCRATCH,
         .rsi_after = SCRATCH + 3, .rax = LOW(SCRATCH + 3), .scratch = 0x112233440b0b0b88,
         .writes = 3},
	{"rep-stosd-down", CODE(0xf3, 0xab), .rcx = 2, .rdi = SCRATCH + 4, .rdi_after = SCRATCH - 4,
         .rsi_after = SCRATCH + 4, .rax = LOW(SCRATCH + 4),
         .scratch = LOW(SCRATCH + 4) << 32 | LOW(SCRATCH + 4), .writes = 2},
	/* MOV RSI, RBX; MOVSB */
	{"movsb-to-device-down", CODE(0x48, 0x89, 0xde, 0xa4), .rcx = RAM + 1, .rdi = SCRATCH,
         .rcx_after = RAM + 1, .rdi_after = SCRATCH - 1, .rsi_after = RAM, .rax = LOW(SCRATCH),
         .scratch = 0x11223344556677a7, .writes = 1},
	/* MOV RDI, RBX; MOVSW */
	{"movsw-from-device-down", CODE(0x48, 0x89, 0xdf, 0x66, 0xa5), .rcx = RAM, .rdi = ID + 2,
         .rcx_after = RAM, .rdi_after = RAM - 2, .rsi_after = ID, .rax = LOW(ID + 2),
         .ram = 0xa8a7a6a5a4a34433},
	{"fs", CODE(0x64, 0x8a, 0x07), KEPT(0, ID + 2 - FS),
         .rax = (LOW(ID + 2 - FS) & ~0xffU) | 0x33},
	{"gs", CODE(0x0f, 0x01, 0xf8, 0x65, 0x8a, 0x07), KEPT(0, ID + 3 - GS),
         .rax = (LOW(ID + 3 - GS) & ~0xffU) | 0x44},
	{"ds-ignored", CODE(0x3e, 0x8a, 0x07), KEPT(0, ID + 1), .rax = (LOW(ID) & ~0xffU) | 0x22},
	{"address-32", CODE(0x67, 0x8a, 0x07), KEPT(0, UINT64_C(0xffffffff00000000) | (ID + 4)),
         .rax = (LOW(ID) & ~0xffU) | 0x55},
	{"sum", CODE(0x8b, 0x44, 0x8f, 0xfc), KEPT(2, ID - 4), .rax = 0x44332211},
	{"sum-rex", CODE(0x48, 0x8b, 0x44, 0xcf, 0xf8), KEPT(4, ID - 8), .rax = 0xfffefdfcfbfaf9f8},
	{"store-ah", CODE(0x88, 0x27), KEPT(0, SCRATCH), .rax = LOW(SCRATCH),
         .scratch = 0x1122334455667710, .writes = 1},
	{"load-ah", CODE(0x8a, 0x27), KEPT(0, ID + 1), .rax = (LOW(ID + 1) & ~0xff00U) | 0x2200},
	{"load-16", CODE(0x66, 0x8b, 0x07), KEPT(0, ID), .rax = (LOW(ID) & ~0xffffU) | 0x2211},
	{"movzx", CODE(0x0f, 0xb6, 0x07), KEPT(0, NEGATIVE), .rax = 0xf8},
	{"movsx-32", CODE(0x0f, 0xbe, 0x07), KEPT(0, NEGATIVE), .rax = 0xfffffff8},
	{"movsx-64", CODE(0x48, 0x0f, 0xbf, 0x07), KEPT(0, NEGATIVE), .rax = 0xfffffffffffff9f8},
	{"movsxd", CODE(0x48, 0x63, 0x07), KEPT(0, NEGATIVE), .rax = 0xfffffffffbfaf9f8},
	{"xchg", CODE(0x87, 0x07), KEPT(0, SCRATCH), .rax = 0x55667788,
         .scratch = 0x1122334400000000 | LOW(SCRATCH), .writes = 1},
	/* ADD [RDI], AL; LAHF: 88h + 08h sets SF, AF and PF, and clears CF and OF. */
	{"add-flags", CODE(0x00, 0x07, 0x9f), KEPT(0, SCRATCH),
         .rax = (LOW(SCRATCH) & ~0xff00U) | 0x9600, .scratch = 0x1122334455667790, .writes = 1,
         .wrong = AGENT_X86_WRONG_FLAGS | AGENT_X86_WRONG_AFTER},
	{"store-immediate", CODE(0xc6, 0x07, 0x5a), KEPT(0, SCRATCH + 1), .rax = LOW(SCRATCH + 1),
         .scratch = 0x1122334455665a88, .writes = 1},
	/* 32- and 16-bit code: segments with bases. */
	CODE32("ds", 3, ID + 1, 0x22, 0x8a, 0x07),
	CODE32("es", 0, ID + 2, 0x33, 0x26, 0x8a, 0x07),
	CODE32("cs", 1, ID + 3, 0x44, 0x2e, 0x8a, 0x07),
	CODE32("ss", 2, ID + 4, 0x55, 0x36, 0x8a, 0x07),
	CODE32("fs", 4, ID + 5, 0x66, 0x64, 0x8a, 0x07),
	CODE32("gs", 5, ID + 6, 0x77, 0x65, 0x8a, 0x07),
	/* MOV EBP, EDI: SS is the default for EBP. */
	CODE32("ebp", 2, ID + 4, 0x55, 0x89, 0xfd, 0x8a, 0x45, 0x00),
	CODE32("address-16", 3, UINT64_C(0xabc00000) + ID + 1, 0x22, 0x67, 0x8a, 0x05),
	STRING32("stosb", 0xaa),
	STRING32("stosb-override", 0x65, 0xaa),
	{"code32.rep-stosb", CODE(0xf3, 0xaa), .rcx = 3, .rdi = IN(0, SCRATCH + 3),
         .rdi_after = IN(0, SCRATCH), .rsi_after = IN(0, SCRATCH + 3), .rax = IN(0, SCRATCH + 3),
         .scratch = 0x112233440b0b0b88, .writes = 3, .how = NARROW},
	/* [BX+DI]; both wrap at 16 bits. */
	{"code32.bx-di", CODE(0x67, 0x8a, 0x01), KEPT(0xff02, IN(3, ID) + 0xff),
         .rax = (LOW(IN(3, ID) + 0xff) & ~0xffU) | 0x22, .how = NARROW},
	{"code32.load-32", CODE(0x8b, 0x07), KEPT(0, IN(3, ID)), .rax = 0x44332211, .how = NARROW},
	{"code16.load-16", CODE(0x8b, 0x05), KEPT(0, IN(3, ID + 2)), .rax = 0x4433,
         .how = AGENT_X86_USER | AGENT_X86_CODE16},
	{"code16.load-32", CODE(0x66, 0x8b, 0x05), KEPT(0, IN(3, ID)), .rax = 0x44332211,
         .how = AGENT_X86_USER | AGENT_X86_CODE16},
	{"code16.address-32", CODE(0x67, 0x8a, 0x07), KEPT(0, IN(3, ID + 5)),
         .rax = (IN(3, ID) & ~0xffU) | 0x66, .how = AGENT_X86_USER | AGENT_X86_CODE16},
};

static uint64_t code_of(const struct row *r)
{
	uint64_t code = UINT64_C(0x9090909090909090);

	for (unsigned i = 0; i < 8 && i < r->length + 2U; i++) {
		uint64_t byte = i < r->length ? r->code[i] : i == r->length ? 0x0f : 0x0b;

		code = (code & ~(UINT64_C(0xff) << 8 * i)) | byte << 8 * i;
	}
	return code;
}

static void draft_after(struct suite_draft *d, const struct row *r)
{
	draft_op(d, (struct suite_op)AFTER(RAX, r->rax));
	draft_op(d, (struct suite_op)AFTER(RCX, r->rcx_after));
	draft_op(d, (struct suite_op)AFTER(RDI, r->rdi_after));
	draft_op(d, (struct suite_op)AFTER(RSI, r->rsi_after));
	draft_op(d, (struct suite_op)READ(8, GUEST_TEST_BASE + GUEST_TEST_WRITES, r->writes + 1));
	draft_op(d, (struct suite_op)READ(8, SCRATCH, r->writes != 0 ? r->scratch : FILLED));
	draft_op(d, (struct suite_op)READ(8, RAM, r->ram != 0 ? r->ram : RAM_BEFORE));
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct row *r = &rows[index];

	(void)host;
	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	draft_name(d, "mmio.x86.%s", r->name);
	draft_area(d, (struct suite_area)POPULATED(ARENA, 4 * PAGE, MM_RW));
	d->c.uncounted = true;
	if (r->how != 0)
		draft_op(d, (struct suite_op){X86_OP(TABLES, .addr = ARENA + PAGE, .value = 1)});
	draft_op(d, (struct suite_op)COPY_IDT(ARENA));
	draft_op(d, (struct suite_op)WRMSR(MSR_OF_FS, FS));
	draft_op(d, (struct suite_op)WRMSR(MSR_OF_KGS, GS));
	draft_op(d, (struct suite_op)WRITE(8, RAM, RAM_BEFORE));
	draft_op(d, (struct suite_op)WRITE(8, SCRATCH, FILLED));
	draft_op(d, (struct suite_op)EVENT(code_of(r), AGENT_X86_MASKED | r->how, r->rcx, r->rdi,
	                                   AGENT_X86_GOT(UD, 2, 0, r->length) | r->wrong));
	draft_after(d, r);
	/* SWAPGS back. */
	if (r->code[2] == 0xf8)
		draft_op(d, (struct suite_op)EVENT(UINT64_C(0x9090909090f8010f), AGENT_X86_MASKED,
		                                   0, 0, 0));
	return true;
}

const struct suite_subject suite_x86_mmio = {
	.name = "mmio",
	.generate = generate,
	.generated = "mmio.x86.",
};
