/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encodings of device accesses, one by one: hostile.insn.NAME. The guest executes a load or a store
 * of 4 bytes. After its exit, and before the hypervisor decodes it, the case replaces the
 * instruction in memory. So the decoding of any encoding is checked, also of one that the emulator
 * would not execute, or would describe by itself.
 *
 * The new instruction counts. It has its full effect if it can have caused the fault; otherwise the
 * guest is killed, and no device is written to. If the hardware reports the instruction with the
 * fault, the old one counts, and the case is skipped.
 */
#include "kernel/string.h"
#include "machine.h"
#include "suite/hostile_code.h"
#include "suite/mailbox.h"
#include "suite/run.h"
#include "suite/suite.h"

#define CODE      (ARENA + PAGE)
#define INSN      (CODE + 8) /* the instruction that changes */
#define NEG       (GUEST_TEST_BASE + GUEST_TEST_NEG)
#define STORED    (GUEST_TEST_BASE + GUEST_TEST_SCRATCH)
#define NEG_VALUE UINT64_C(0xfffefdfcfbfaf9f8)
#define REFUSED   UINT64_C(0x5245465553454421) /* no value: the guest is killed */

struct row {
	const char *name;
	bool write;          /* the guest executes a store to SCRATCH, else a load from NEG */
	uint64_t before;     /* 8 bytes of code before it */
	uint64_t changed[2]; /* the new instruction and what follows */
	uint64_t value;      /* returned, or stored; REFUSED */
};

#define WORDS(low, high) ((uint64_t)(high) << 32 | (low))
#define BYTES(a, b, c, d, e, f, g, h)                                                              \
	WORDS((uint32_t)(d) << 24 | (c) << 16 | (b) << 8 | (a),                                    \
	      (uint32_t)(h) << 24 | (g) << 16 | (f) << 8 | (e))

/* --- RISC-V: x10 is the address and the result --- */

#define RV_NOP  UINT32_C(0x00000013)
#define RV_RET  UINT32_C(0x00008067)
#define RV_NOPS WORDS(RV_NOP, RV_NOP)
/* Two bytes, then RET. */
#define RV_SHORT(insn)                                                                             \
	{                                                                                          \
		(uint64_t) RV_RET << 16 | (insn), 0                                                \
	}
#define RV_SP(insn)                                                                                \
	{                                                                                          \
		(uint64_t) RV_RET << 32 | UINT32_C(0x8116) << 16 | (insn), 0                       \
	}
#define RV_LONG(insn)                                                                              \
	{                                                                                          \
		WORDS(insn, RV_RET), 0                                                             \
	}

static const struct row riscv_rows[] = {
	/* addi a1, a0, -2; c.lbu a0, 2(a1); c.lhu; c.lh. A load cannot become c.sb or c.sh. */
	{"c.lbu", false, WORDS(0xffe50593, RV_NOP), RV_SHORT(0x81a8), 0xf8},
	{"c.lhu", false, WORDS(0xffe50593, RV_NOP), RV_SHORT(0x85a8), 0xf9f8},
	{"c.lh", false, WORDS(0xffe50593, RV_NOP), RV_SHORT(0x85e8), UINT64_C(0xfffffffffffff9f8)},
	{"c.sb-not-a-load", false, RV_NOPS, RV_SHORT(0x8908), REFUSED},
	{"c.sh-not-a-load", false, RV_NOPS, RV_SHORT(0x8d08), REFUSED},
	/* li a1, 0x123; c.sb a1, 0(a0); c.sh. Then reserved encodings of Zcb. */
	{"c.sb", true, WORDS(0x12300593, RV_NOP), RV_SHORT(0x890c), 0x23},
	{"c.sh", true, WORDS(0x12300593, RV_NOP), RV_SHORT(0x8d0c), 0x123},
	{"c.sh-reserved", true, RV_NOPS, RV_SHORT(0x8d4c), REFUSED},
	{"zcb-reserved", true, RV_NOPS, RV_SHORT(0x910c), REFUSED},
	/* Reserved values of funct3; floating point; atomics. */
	{"ldu", false, RV_NOPS, RV_LONG(0x00057503), REFUSED},
	{"store-funct3-6", true, RV_NOPS, RV_LONG(0x00a56023), REFUSED},
	{"flw", false, RV_NOPS, RV_LONG(0x00052507), REFUSED},
	{"fsw", true, RV_NOPS, RV_LONG(0x00a52027), REFUSED},
	{"amoadd", true, RV_NOPS, RV_LONG(0x00b5252f), REFUSED},
	{"lr", false, RV_NOPS, RV_LONG(0x1005252f), REFUSED},
	{"c.fld", false, RV_NOPS, RV_SHORT(0x2108), REFUSED},
	{"c.fsd", true, RV_NOPS, RV_SHORT(0xa108), REFUSED},
	/* Each part of an offset: 80 and 104 from a1. From sp 148 and 328, then mv sp, t0. A store
         * is of its address. */
	{"c.lw", false, WORDS(0xfb050593, RV_NOP), RV_SHORT(0x49a8), UINT64_C(0xfffffffffbfaf9f8)},
	{"c.ld", false, WORDS(0xf9850593, RV_NOP), RV_SHORT(0x75a8), NEG_VALUE},
	{"c.sw", true, WORDS(0xfb050593, RV_NOP), RV_SHORT(0xc9a8), STORED},
	{"c.sd", true, WORDS(0xf9850593, RV_NOP), RV_SHORT(0xf5a8), STORED},
	{"c.lwsp", false, WORDS(0x00010293, 0xf6c50113), RV_SP(0x455a),
         UINT64_C(0xfffffffffbfaf9f8)},
	{"c.ldsp", false, WORDS(0x00010293, 0xeb850113), RV_SP(0x6536), NEG_VALUE},
	{"c.swsp", true, WORDS(0x00010293, 0xf6c50113), RV_SP(0xcb2a), STORED},
	{"c.sdsp", true, WORDS(0x00010293, 0xeb850113), RV_SP(0xe6aa), STORED},
	/* mv t0, sp; mv sp, a0; c.ldsp x0, 0(sp) and c.lwsp x0 are reserved. */
	{"c.ldsp-x0", false, WORDS(0x00010293, 0x00050113), RV_SHORT(0x6002), REFUSED},
	{"c.lwsp-x0", false, WORDS(0x00010293, 0x00050113), RV_SHORT(0x4002), REFUSED},
};

/* --- AArch64: x0 is the address and the result, x1 the base --- */

#define A64_NOP UINT32_C(0xd503201f)
#define A64_RET UINT32_C(0xd65f03c0)
/* Code before: mov x1, x0; w3 = 0x123; x1 = x0 - 16, + 3, + 8; x1 = x0 - 8 and x2 = 2. */
#define A64_SAME   WORDS(A64_NOP, 0xaa0003e1)
#define A64_STORE  WORDS(0x52802463, 0xaa0003e1)
#define A64_LOW    WORDS(A64_NOP, 0xd1004001)
#define A64_HIGH_3 WORDS(A64_NOP, 0x91000c01)
#define A64_HIGH_8 WORDS(A64_NOP, 0x91002001)
#define A64_INDEX  WORDS(0xd1002001, 0xd2800042)
#define A64(insn)                                                                                  \
	{                                                                                          \
		WORDS(insn, A64_RET), 0                                                            \
	}

static const struct row aarch64_rows[] = {
	{"ldrb", false, A64_SAME, A64(0x39400020), 0xf8},
	{"ldrh", false, A64_SAME, A64(0x79400020), 0xf9f8},
	{"ldr-x", false, A64_SAME, A64(0xf9400020), NEG_VALUE},
	{"ldrsb-w", false, A64_SAME, A64(0x39c00020), UINT64_C(0xfffffff8)},
	{"ldrsb-x", false, A64_SAME, A64(0x39800020), UINT64_C(0xfffffffffffffff8)},
	{"ldrsh-w", false, A64_SAME, A64(0x79c00020), UINT64_C(0xfffff9f8)},
	{"ldrsh-x", false, A64_SAME, A64(0x79800020), UINT64_C(0xfffffffffffff9f8)},
	{"ldrsw", false, A64_SAME, A64(0xb9800020), UINT64_C(0xfffffffffbfaf9f8)},
	{"ldar", false, A64_SAME, A64(0x88dffc20), UINT64_C(0xfbfaf9f8)},
	{"ldarh", false, A64_SAME, A64(0x48dffc20), 0xf9f8},
	{"ldapr", false, A64_SAME, A64(0xb8bfc020), UINT64_C(0xfbfaf9f8)},
	{"ldaprb", false, A64_SAME, A64(0x38bfc020), 0xf8},
	{"ldr-scaled", false, A64_LOW, A64(0xb9401020), UINT64_C(0xfbfaf9f8)},
	{"ldur", false, A64_HIGH_3, A64(0xb85fd020), UINT64_C(0xfbfaf9f8)},
	{"ldapur", false, A64_HIGH_3, A64(0x995fd020), UINT64_C(0xfbfaf9f8)},
	{"index", false, A64_INDEX, A64(0xb8627820), UINT64_C(0xfbfaf9f8)},
	{"index-not-shifted", false, A64_INDEX, A64(0xb8626820), REFUSED},
	/* x2 = 0x200000002: UXTW and SXTW take its low word, LSL all of it. Then w2 = -2. */
	{"index-uxtw", false, WORDS(0xd1002001, 0xb21f03e2), A64(0xb8625820), UINT64_C(0xfbfaf9f8)},
	{"index-lsl", false, WORDS(0xd1002001, 0xb21f03e2), A64(0xb8627820), REFUSED},
	{"index-sxtw", false, WORDS(0x91002001, 0x12800022), A64(0xb862d820), UINT64_C(0xfbfaf9f8)},
	{"index-not-signed", false, WORDS(0x91002001, 0x12800022), A64(0xb8625820), REFUSED},
	/* A pair at [x1, #-8]: its first and its second register. */
	{"ldp-w-first", false, A64_HIGH_8, A64(0x297f0c20), UINT64_C(0xfbfaf9f8)},
	{"ldp-w-second", false, A64_HIGH_8, A64(0x297f0023), UINT64_C(0xfffefdfc)},
	{"ldp-x", false, A64_HIGH_8, A64(0xa97f8c20), NEG_VALUE},
	{"ldpsw", false, A64_HIGH_8, A64(0x697f0c20), UINT64_C(0xfffffffffbfaf9f8)},
	{"ldrb-pre", false, A64_HIGH_3, A64(0x385fdc20), 0xf8},
	/* mov x9, sp; mov sp, x0; ldr wzr, [sp], #0, whose base is not its target; mov sp, x9. */
	{"sp-is-not-zr",
         false,
         WORDS(0x910003e9, 0x9100001f),
         {WORDS(0xb84007ff, 0x9100013f), A64_RET},
         NEG},
	{"ldrh-post", false, A64_SAME, A64(0x78408420), 0xf9f8},
	{"ldrsb-post", false, A64_SAME, A64(0x38808420), UINT64_C(0xfffffffffffffff8)},
	/* Not accesses of the integer registers, or not accesses: ldxr, ldadd, swp, prfm, ldr s0,
         * ld1, ldp q0, ldraa, ldg, and unallocated encodings. */
	{"ldxr", false, A64_SAME, A64(0x885f7c20), REFUSED},
	{"ldadd", false, A64_SAME, A64(0xb8230020), REFUSED},
	{"swp", true, A64_SAME, A64(0xb8238020), REFUSED},
	{"prfm", false, A64_SAME, A64(0xf9800020), REFUSED},
	{"prfum", false, A64_SAME, A64(0xf8800020), REFUSED},
	{"ldr-s", false, A64_SAME, A64(0xbd400020), REFUSED},
	{"ld1", false, A64_SAME, A64(0x4c407020), REFUSED},
	{"ld1-post", false, A64_SAME, A64(0x4cdf7020), REFUSED},
	{"ldp-q", false, A64_SAME, A64(0xad400420), REFUSED},
	{"ldraa", false, A64_SAME, A64(0xf8200420), REFUSED},
	{"ldg", false, A64_SAME, A64(0xd9600020), REFUSED},
	{"unallocated-word", false, A64_SAME, A64(0xb9c00020), REFUSED},
	{"unallocated-pair", false, A64_SAME, A64(0xe9400c20), REFUSED},
	{"index-of-halfword", false, A64_INDEX, A64(0xb8621820), REFUSED},
	/* Unpredictable: write-back to the register that is loaded, one register twice. */
	{"writeback-to-target", false, A64_SAME, A64(0xb8404421), REFUSED},
	{"writeback-to-second", false, A64_SAME, A64(0x28c00423), REFUSED},
	{"pair-of-one", false, A64_SAME, A64(0x29400020), REFUSED},
	{"strb", true, A64_STORE, A64(0x39000023), 0x23},
	{"strh-post", true, A64_STORE, A64(0x78008423), 0x123},
	{"stlr", true, A64_STORE, A64(0x889ffc23), 0x123},
	{"stlurh", true, A64_STORE, A64(0x59000023), 0x123},
	{"stp-zero", true, A64_STORE, A64(0x29007c23), 0x123},
	{"stgp", true, A64_SAME, A64(0x69000c20), REFUSED},
};

/* --- x86-64: RDI is the address, RAX the result --- */

#define X86_COPY BYTES(0x48, 0x89, 0xf8, 0x90, 0x90, 0x90, 0x90, 0x90) /* mov rax, rdi */
#define X86_EAX(n)                                                                                 \
	BYTES(0xb8, (n)&0xff, (n) >> 8 & 0xff, (n) >> 16 & 0xff, (n) >> 24, 0x90, 0x90, 0x90)
#define X86_ESI(n)                                                                                 \
	BYTES(0xbe, (n)&0xff, (n) >> 8 & 0xff, (n) >> 16 & 0xff, (n) >> 24, 0x90, 0x90, 0x90)
#define X86(a, b, c, d, e, f, g, h)                                                                \
	{                                                                                          \
		BYTES(a, b, c, d, e, f, g, h), 0                                                   \
	}
#define AT(n) (NEG >> 8 * (n)&0xff)
/* pushfq; pop rax; and eax, 0x8d5 (the six status flags); ret, after the instruction of 2, 3, 6
 * bytes. */
#define FLAGS2(a, b)                                                                               \
	{                                                                                          \
		BYTES(a, b, 0x9c, 0x58, 0x25, 0xd5, 0x08, 0x00),                                   \
			BYTES(0x00, 0xc3, 0, 0, 0, 0, 0, 0)                                        \
	}
#define FLAGS3(a, b, c)                                                                            \
	{                                                                                          \
		BYTES(a, b, c, 0x9c, 0x58, 0x25, 0xd5, 0x08),                                      \
			BYTES(0x00, 0x00, 0xc3, 0, 0, 0, 0, 0)                                     \
	}
#define FLAGS4(a, b, c, d)                                                                         \
	{                                                                                          \
		BYTES(a, b, c, d, 0x9c, 0x58, 0x25, 0xd5),                                         \
			BYTES(0x08, 0x00, 0x00, 0xc3, 0, 0, 0, 0)                                  \
	}
#define FLAGS6(a, b, c, d, e, f)                                                                   \
	{                                                                                          \
		BYTES(a, b, c, d, e, f, 0x9c, 0x58),                                               \
			BYTES(0x25, 0xd5, 0x08, 0x00, 0x00, 0xc3, 0, 0)                            \
	}

enum {
	CF = 0x1,
	PF = 0x4,
	AF = 0x10,
	ZF = 0x40,
	SF = 0x80,
	OF = 0x800,
};

static const struct row x86_rows[] = {
	/* mov eax, [disp32]; xor ecx, ecx, [rcx * 4 + disp32]; mov rcx, rdi with bit 40 set, [ecx].
         */
	{"no-base", false, X86_COPY, X86(0x8b, 0x04, 0x25, AT(0), AT(1), AT(2), AT(3), 0xc3),
         UINT64_C(0xfbfaf9f8)},
	{"index-no-base", false, BYTES(0x31, 0xc9, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90),
         X86(0x8b, 0x04, 0x8d, AT(0), AT(1), AT(2), AT(3), 0xc3), UINT64_C(0xfbfaf9f8)},
	{"address-size", false, BYTES(0x48, 0x89, 0xf9, 0x48, 0x0f, 0xba, 0xe9, 0x28),
         X86(0x67, 0x8b, 0x01, 0xc3, 0, 0, 0, 0), UINT64_C(0xfbfaf9f8)},
	/* lea r9, [rdi - 8]; push 4; pop r8; mov eax, [r9 + r8 * 2]. */
	{"index-r8", false, BYTES(0x4c, 0x8d, 0x4f, 0xf8, 0x6a, 0x04, 0x41, 0x58),
         X86(0x43, 0x8b, 0x04, 0x41, 0xc3, 0, 0, 0), UINT64_C(0xfbfaf9f8)},
	/* lea rcx, [rdi + 0x80]; mov eax, [rcx - 0x80]. */
	{"disp8-negative", false, BYTES(0x48, 0x8d, 0x8f, 0x80, 0x00, 0x00, 0x00, 0x90),
         X86(0x8b, 0x41, 0x80, 0xc3, 0, 0, 0, 0), UINT64_C(0xfbfaf9f8)},
	{"rex-before-prefix", false, X86_COPY, X86(0x48, 0x66, 0x8b, 0x07, 0xc3, 0, 0, 0),
         (NEG & ~UINT64_C(0xffff)) | 0xf9f8},
	{"moffs-64",
         false,
         X86_COPY,
         {BYTES(0x48, 0xa1, AT(0), AT(1), AT(2), AT(3), 0, 0), BYTES(0, 0, 0xc3, 0, 0, 0, 0, 0)},
         NEG_VALUE},
	{"moffs-8",
         false,
         X86_COPY,
         {BYTES(0xa0, AT(0), AT(1), AT(2), AT(3), 0, 0, 0), BYTES(0, 0xc3, 0, 0, 0, 0, 0, 0)},
         (NEG & ~UINT64_C(0xff)) | 0xf8},
	{"movsxd", false, X86_COPY, X86(0x48, 0x63, 0x07, 0xc3, 0, 0, 0, 0),
         UINT64_C(0xfffffffffbfaf9f8)},
	{"movsxd-16", false, X86_COPY, X86(0x66, 0x63, 0x07, 0xc3, 0, 0, 0, 0),
         (NEG & ~UINT64_C(0xffff)) | 0xf9f8},
	{"movzx-r8",
         false,
         X86_COPY,
         {BYTES(0x44, 0x0f, 0xb6, 0x07, 0x4c, 0x89, 0xc0, 0xc3), 0},
         0xf8},
	/* movsx esi, byte [rdi]; mov eax, esi: register 6 of a byte form, but of full width. */
	{"movsx-esi",
         false,
         X86_COPY,
         {BYTES(0x0f, 0xbe, 0x37, 0x89, 0xf0, 0xc3, 0, 0), 0},
         UINT64_C(0xfffffff8)},
	/* mov ch, [rdi]; movzx eax, ch. */
	{"to-ch", false, X86_COPY, {BYTES(0x8a, 0x2f, 0x0f, 0xb6, 0xc5, 0xc3, 0, 0), 0}, 0xf8},
	/* mov sil, [rdi]; movzx eax, sil. */
	{"to-sil",
         false,
         X86_COPY,
         {BYTES(0x40, 0x8a, 0x37, 0x40, 0x0f, 0xb6, 0xc6, 0xc3), 0},
         0xf8},

	/* Status flags: the operands are chosen so that each flag is 0 and 1. */
	{"cmp-imm32", false, X86_COPY, FLAGS6(0x81, 0x3f, 0x09, 0x00, 0x00, 0x7c), OF | AF},
	{"cmp-imm8", false, X86_COPY, FLAGS3(0x80, 0x3f, 0xf9), CF | PF | AF | SF},
	{"cmp-imm8-extended", false, X86_COPY, FLAGS4(0x66, 0x83, 0x3f, 0xf8), CF | PF | SF},
	{"cmp-register", false, X86_EAX(UINT32_C(0xfbfaf9f8)), FLAGS2(0x39, 0x07), ZF | PF},
	{"cmp-memory", false, X86_EAX(UINT32_C(0x7c000009)), FLAGS2(0x3b, 0x07), CF | OF | PF | SF},
	{"add", false, X86_EAX(UINT32_C(0x80000008)), FLAGS2(0x03, 0x07), CF | OF | AF | PF},
	{"add-8", false, X86_EAX(UINT32_C(0x01)), FLAGS2(0x02, 0x07), SF | PF},
	{"sub", false, X86_EAX(UINT32_C(0xfbfaf9f8)), FLAGS2(0x2b, 0x07), ZF | PF},
	{"or", false, X86_EAX(UINT32_C(0x00000001)), FLAGS2(0x0b, 0x07), SF | PF},
	{"xor-to-zero", false, X86_EAX(UINT32_C(0xfbfaf9f8)), FLAGS2(0x33, 0x07), ZF | PF},
	{"test-imm", false, X86_COPY, FLAGS6(0xf7, 0x07, 0x07, 0x00, 0x00, 0x80), SF | PF},
	{"test-imm-alias", false, X86_COPY, FLAGS3(0xf6, 0x0f, 0x08), 0},
	{"test-register", false, X86_EAX(UINT32_C(0x00000407)), FLAGS2(0x85, 0x07), ZF | PF},
	/* Values of arithmetic. */
	{"sub-value", false, X86_EAX(UINT32_C(0xfbfafa00)), X86(0x2b, 0x07, 0xc3, 0, 0, 0, 0, 0),
         8},
	{"add-value", false, X86_EAX(UINT32_C(0x00000009)), X86(0x03, 0x07, 0xc3, 0, 0, 0, 0, 0),
         UINT64_C(0xfbfafa01)},
	{"or-value", false, X86_EAX(UINT32_C(0x0000000f)), X86(0x0b, 0x07, 0xc3, 0, 0, 0, 0, 0),
         UINT64_C(0xfbfaf9ff)},

	/* Refused: LOCK, REPNE, ADC, SBB, a register operand, group 1 by 82, NOT, INC, XADD,
           CMPXCHG. */
	{"lock", false, X86_COPY, X86(0xf0, 0x8b, 0x07, 0xc3, 0, 0, 0, 0), REFUSED},
	{"repne", false, X86_COPY, X86(0xf2, 0x8b, 0x07, 0xc3, 0, 0, 0, 0), REFUSED},
	{"adc", false, X86_COPY, X86(0x13, 0x07, 0xc3, 0, 0, 0, 0, 0), REFUSED},
	{"sbb-imm", true, X86_COPY, X86(0x83, 0x1f, 0x01, 0xc3, 0, 0, 0, 0), REFUSED},
	{"register-operand", false, X86_COPY, X86(0x8b, 0xc7, 0xc3, 0, 0, 0, 0, 0), REFUSED},
	{"group-82", true, X86_COPY, X86(0x82, 0x07, 0x01, 0xc3, 0, 0, 0, 0), REFUSED},
	{"not", true, X86_COPY, X86(0xf7, 0x17, 0xc3, 0, 0, 0, 0, 0), REFUSED},
	{"inc", true, X86_COPY, X86(0xff, 0x07, 0xc3, 0, 0, 0, 0, 0), REFUSED},
	{"mov-imm-field", true, X86_COPY, X86(0xc6, 0x0f, 0x01, 0xc3, 0, 0, 0, 0), REFUSED},
	{"cmpxchg", true, X86_COPY, X86(0x0f, 0xb1, 0x07, 0xc3, 0, 0, 0, 0), REFUSED},
	/* 14 prefixes: 16 bytes. */
	{"too-long",
         false,
         X86_COPY,
         {BYTES(0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e),
          BYTES(0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x8b, 0x07)},
         REFUSED},

	/* Stores. SCRATCH is 0 before. */
	{"store-imm-64", true, X86_COPY, X86(0x48, 0xc7, 0x07, 0xef, 0xcd, 0xab, 0x89, 0xc3),
         UINT64_C(0xffffffff89abcdef)},
	{"store-imm-16", true, X86_COPY, X86(0x66, 0xc7, 0x07, 0x34, 0x12, 0xc3, 0, 0), 0x1234},
	{"store-imm-8", true, X86_COPY, X86(0xc6, 0x07, 0x5a, 0xc3, 0, 0, 0, 0), 0x5a},
	{"store-ah", true, X86_EAX(UINT32_C(0x56341278)), X86(0x88, 0x27, 0xc3, 0, 0, 0, 0, 0),
         0x12},
	{"store-sil", true, X86_ESI(UINT32_C(0x5634125a)), X86(0x40, 0x88, 0x37, 0xc3, 0, 0, 0, 0),
         0x5a},
	{"store-esi", true, X86_ESI(UINT32_C(0x5634125a)), X86(0x89, 0x37, 0xc3, 0, 0, 0, 0, 0),
         0x5634125a},
	{"add-memory", true, X86_EAX(UINT32_C(0x56341278)), X86(0x01, 0x07, 0xc3, 0, 0, 0, 0, 0),
         0x56341278},
	{"add-imm32", true, X86_COPY, X86(0x81, 0x07, 0x78, 0x56, 0x34, 0x12, 0xc3, 0), 0x12345678},
	{"add-imm8", true, X86_COPY, X86(0x83, 0x07, 0xff, 0xc3, 0, 0, 0, 0), UINT64_C(0xffffffff)},
	{"add-imm8-to-8", true, X86_COPY, X86(0x80, 0x07, 0xff, 0xc3, 0, 0, 0, 0), 0xff},
	{"sub-imm8-64", true, X86_COPY, X86(0x48, 0x83, 0x2f, 0x02, 0xc3, 0, 0, 0),
         UINT64_C(0xfffffffffffffffe)},
	{"or-imm8", true, X86_COPY, X86(0x83, 0x0f, 0x41, 0xc3, 0, 0, 0, 0), 0x41},
	{"xor-imm32", true, X86_COPY, X86(0x81, 0x37, 0x78, 0x56, 0x34, 0x12, 0xc3, 0), 0x12345678},
	{"moffs-store",
         true,
         X86_EAX(UINT32_C(0x56341278)),
         {BYTES(0xa3, STORED & 0xff, STORED >> 8 & 0xff, STORED >> 16 & 0xff, STORED >> 24 & 0xff,
                0, 0, 0),
          BYTES(0, 0xc3, 0, 0, 0, 0, 0, 0)},
         0x56341278},
};

/* The load and the store of 4 bytes that the guest executes. LWU, SW; LDR and STR w3 with
 * write-back, which the syndrome cannot describe; MOV. */
static const struct arch {
	const char *name;
	const struct row *rows;
	size_t count;
	uint64_t load, store;
} arches[] = {
	{"riscv64", riscv_rows, MM_ARRAY_SIZE(riscv_rows), WORDS(0x00056503, RV_RET),
         WORDS(0x00a52023, RV_RET)},
	{"aarch64", aarch64_rows, MM_ARRAY_SIZE(aarch64_rows), WORDS(0xb8400403, A64_RET),
         WORDS(0xb8000403, A64_RET)},
	{"x86_64", x86_rows, MM_ARRAY_SIZE(x86_rows), BYTES(0x8b, 0x07, 0xc3, 0, 0, 0, 0, 0),
         BYTES(0x89, 0x07, 0xc3, 0, 0, 0, 0, 0)},
};

static const struct arch *arch_here(void)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(arches); i++) {
		if (strcmp(arches[i].name, machine_arch) == 0)
			return &arches[i];
	}
	panic("no instructions for %s", machine_arch);
}

static const struct row *row_of(const struct suite_run *run)
{
	return &arch_here()->rows[run->c->script[0].op.stride];
}

static bool write_code(struct suite_run *run)
{
	const struct row *row = row_of(run);
	uint64_t old = row->write ? arch_here()->store : arch_here()->load;

	return mm_aspace_store(&run->vm->as, mm_gpa_at(CODE), 8, row->before) == MM_OK &&
	       mm_aspace_store(&run->vm->as, mm_gpa_at(INSN), 8, old) == MM_OK;
}

static void change_code(struct suite_run *run, const struct vm_exit_fault *fault)
{
	const struct row *row = row_of(run);

	if (mm_align_down(fault->gpa.raw, PAGE) != GUEST_TEST_BASE)
		return;
	if (suite_reports_insn(run)) {
		run->skip = "the hardware reports the instruction with the fault";
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (mm_aspace_store(&run->vm->as, mm_gpa_at(INSN + 8 * i), 8, row->changed[i]) !=
		    MM_OK)
			suite_fail(run, "the code cannot be changed");
	}
}

static bool was_killed(struct suite_run *run, const struct test_device *test)
{
	if (vm_outcome(run->vm) != VM_KILLED || run->vm->reason != KILL_MMIO_UNDECODED)
		return suite_fail(run, "expected to be killed: this instruction is refused");
	if (test->registers[GUEST_TEST_WRITES / 8] != 0)
		return suite_fail(run, "the device was written to");
	return true;
}

static bool has_effect(struct suite_run *run)
{
	const struct row *row = row_of(run);
	const struct test_device *test =
		MM_CONTAINER_OF(vm_device(run->vm, &test_class), struct test_device, device);
	const struct agent_result *result = &suite_read_mailbox(run->vm, 0)->results[0];
	uint64_t due = row->value, got = result->value;

	if (run->skip != NULL)
		return true;
	if (due == REFUSED)
		return was_killed(run, test);
	if (vm_outcome(run->vm) == VM_KILLED)
		return suite_fail(run, "killed for %s", vm_kill_name(run->vm->reason));
	if (row->write)
		got = test->registers[GUEST_TEST_SCRATCH / 8];
	if (result->trap != AGENT_DONE || got != due)
		return suite_fail(run, "expected 0x%" PRIx64 ", got 0x%" PRIx64 ", trap %u", due,
		                  got, result->trap);
	return true;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct arch *arch = arch_here();
	const struct row *row = &arch->rows[index];

	(void)host;
	if (index >= arch->count)
		return false;
	draft_name(d, "hostile.insn.%s", row->name);
	draft_area(d, (struct suite_area)POPULATED(ARENA, 4 * PAGE, MM_RWX));
	/* CALL_AT does not use the stride. */
	draft_op(d, (struct suite_op){OP(CALL_AT, .addr = CODE, .value = row->write ? STORED : NEG,
	                                 .stride = index),
	                              .any_value = true});
	draft_fault(d, (struct suite_fault)FAULT(row->write ? STORED : NEG,
	                                         row->write ? MM_W : MM_R, MM_FAULT_IS_DEVICE));
	d->c.ready = write_code;
	d->c.meanwhile = change_code;
	d->c.end = SUITE_EITHER;
	d->c.verify = has_effect;
	return true;
}

const struct suite_subject suite_hostile_insn = {
	.name = "hostile.insn",
	.generate = generate,
	.generated = "hostile.insn.",
};
