/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions as the assembler takes them, and what decode/aarch64.c has to make of them. Read
 * twice: aarch64.c assembles the texts, test_decode_aarch64.c compares the rest.
 *
 *	ONE(text, kind, width, reg_width, rt, rn, imm, writeback)
 *	INDEX(text, kind, width, reg_width, rt, rn, rm, extend, shift)
 *	PAIR(text, kind, width, reg_width, rt, rt2, rn, imm, writeback)
 *	LITERAL(text, kind, width, reg_width, rt, imm)
 *	REFUSED(text, why)
 */
#ifndef AARCH64_H
#define AARCH64_H

/* Unsigned offset: every width, both signs, both register widths; the ends of the offset. */
ONE("ldrb w0, [x1]", ZERO, 1, 4, 0, 1, 0, KEEP)
ONE("ldrb w30, [x29, #4095]", ZERO, 1, 4, 30, 29, 4095, KEEP)
ONE("ldrh w2, [x3, #8190]", ZERO, 2, 4, 2, 3, 8190, KEEP)
ONE("ldr w4, [x5, #16380]", ZERO, 4, 4, 4, 5, 16380, KEEP)
ONE("ldr x6, [x7, #32760]", ZERO, 8, 8, 6, 7, 32760, KEEP)
ONE("ldrsb w8, [x9, #1]", SIGN, 1, 4, 8, 9, 1, KEEP)
ONE("ldrsb x8, [x9, #1]", SIGN, 1, 8, 8, 9, 1, KEEP)
ONE("ldrsh w10, [x11, #2]", SIGN, 2, 4, 10, 11, 2, KEEP)
ONE("ldrsh x10, [x11, #2]", SIGN, 2, 8, 10, 11, 2, KEEP)
ONE("ldrsw x12, [x13, #4]", SIGN, 4, 8, 12, 13, 4, KEEP)
ONE("strb w14, [x15, #4095]", STORE, 1, 4, 14, 15, 4095, KEEP)
ONE("strh w16, [x17]", STORE, 2, 4, 16, 17, 0, KEEP)
ONE("str w18, [x19, #4]", STORE, 4, 4, 18, 19, 4, KEEP)
ONE("str x20, [x21, #8]", STORE, 8, 8, 20, 21, 8, KEEP)
ONE("str xzr, [sp]", STORE, 8, 8, 31, 31, 0, KEEP)
ONE("ldr wzr, [sp, #16]", ZERO, 4, 4, 31, 31, 16, KEEP)

/* Unscaled and unprivileged: the ends of nine bits. */
ONE("ldurb w0, [x1, #-256]", ZERO, 1, 4, 0, 1, -256, KEEP)
ONE("ldurh w0, [x1, #255]", ZERO, 2, 4, 0, 1, 255, KEEP)
ONE("ldur w0, [x1, #-1]", ZERO, 4, 4, 0, 1, -1, KEEP)
ONE("ldur x0, [sp, #-256]", ZERO, 8, 8, 0, 31, -256, KEEP)
ONE("ldursb w0, [x1, #-1]", SIGN, 1, 4, 0, 1, -1, KEEP)
ONE("ldursb x0, [x1, #-1]", SIGN, 1, 8, 0, 1, -1, KEEP)
ONE("ldursh w0, [x1, #-1]", SIGN, 2, 4, 0, 1, -1, KEEP)
ONE("ldursh x0, [x1, #-1]", SIGN, 2, 8, 0, 1, -1, KEEP)
ONE("ldursw x0, [x1, #-1]", SIGN, 4, 8, 0, 1, -1, KEEP)
ONE("sturb w0, [x1, #255]", STORE, 1, 4, 0, 1, 255, KEEP)
ONE("sturh w0, [x1, #255]", STORE, 2, 4, 0, 1, 255, KEEP)
ONE("stur w0, [x1, #255]", STORE, 4, 4, 0, 1, 255, KEEP)
ONE("stur x0, [x1, #255]", STORE, 8, 8, 0, 1, 255, KEEP)
ONE("ldtrb w2, [x3, #-256]", ZERO, 1, 4, 2, 3, -256, KEEP)
ONE("ldtrsw x2, [x3, #8]", SIGN, 4, 8, 2, 3, 8, KEEP)
ONE("sttr x2, [x3, #8]", STORE, 8, 8, 2, 3, 8, KEEP)

/* Write-back, before and after; the stack pointer may be the base and the zero register moved. */
ONE("ldrb w0, [x1], #1", ZERO, 1, 4, 0, 1, 1, POST)
ONE("ldrh w0, [x1], #-256", ZERO, 2, 4, 0, 1, -256, POST)
ONE("ldr w0, [x1], #255", ZERO, 4, 4, 0, 1, 255, POST)
ONE("ldr x0, [sp], #16", ZERO, 8, 8, 0, 31, 16, POST)
ONE("ldrsb x0, [x1], #1", SIGN, 1, 8, 0, 1, 1, POST)
ONE("ldrsh w0, [x1], #2", SIGN, 2, 4, 0, 1, 2, POST)
ONE("ldrsw x0, [x1], #4", SIGN, 4, 8, 0, 1, 4, POST)
ONE("strb w0, [x1], #1", STORE, 1, 4, 0, 1, 1, POST)
ONE("str xzr, [sp], #8", STORE, 8, 8, 31, 31, 8, POST)
ONE("ldrb w0, [x1, #1]!", ZERO, 1, 4, 0, 1, 1, PRE)
ONE("ldrh w0, [x1, #-256]!", ZERO, 2, 4, 0, 1, -256, PRE)
ONE("ldr w0, [x1, #255]!", ZERO, 4, 4, 0, 1, 255, PRE)
ONE("ldr x30, [sp, #-16]!", ZERO, 8, 8, 30, 31, -16, PRE)
ONE("ldrsw x0, [x1, #4]!", SIGN, 4, 8, 0, 1, 4, PRE)
ONE("strh w0, [x1, #2]!", STORE, 2, 4, 0, 1, 2, PRE)
ONE("str x30, [sp, #-16]!", STORE, 8, 8, 30, 31, -16, PRE)

/* Register offset: every extension, scaled or not. */
INDEX("ldrb w0, [x1, x2]", ZERO, 1, 4, 0, 1, 2, 3, 0)
INDEX("ldrh w0, [x1, x2, lsl #1]", ZERO, 2, 4, 0, 1, 2, 3, 1)
INDEX("ldr w0, [x1, w2, uxtw]", ZERO, 4, 4, 0, 1, 2, 2, 0)
INDEX("ldr x0, [x1, w2, uxtw #3]", ZERO, 8, 8, 0, 1, 2, 2, 3)
INDEX("ldr w0, [x1, w2, sxtw #2]", ZERO, 4, 4, 0, 1, 2, 6, 2)
INDEX("ldr x0, [x1, x2, sxtx]", ZERO, 8, 8, 0, 1, 2, 7, 0)
INDEX("ldrsb x0, [x1, x2]", SIGN, 1, 8, 0, 1, 2, 3, 0)
INDEX("ldrsh w0, [x1, x2]", SIGN, 2, 4, 0, 1, 2, 3, 0)
INDEX("ldrsw x0, [sp, xzr]", SIGN, 4, 8, 0, 31, 31, 3, 0)
INDEX("strb w0, [x1, w30, sxtw]", STORE, 1, 4, 0, 1, 30, 6, 0)
INDEX("str x0, [x1, x2, lsl #3]", STORE, 8, 8, 0, 1, 2, 3, 3)

/* Near the PC. */
LITERAL("ldr w0, .+1048572", ZERO, 4, 4, 0, 1048572)
LITERAL("ldr x1, .-1048576", ZERO, 8, 8, 1, -1048576)
LITERAL("ldrsw x2, .+4", SIGN, 4, 8, 2, 4)

/* Pairs. */
PAIR("ldp w0, w1, [x2]", ZERO, 4, 4, 0, 1, 2, 0, KEEP)
PAIR("ldp w0, w1, [x2, #252]", ZERO, 4, 4, 0, 1, 2, 252, KEEP)
PAIR("ldp x0, x1, [x2, #-512]", ZERO, 8, 8, 0, 1, 2, -512, KEEP)
PAIR("ldp x0, x1, [x0]", ZERO, 8, 8, 0, 1, 0, 0, KEEP)
PAIR("ldpsw x0, x1, [x2, #-256]", SIGN, 4, 8, 0, 1, 2, -256, KEEP)
PAIR("stp w0, wzr, [x2, #4]", STORE, 4, 4, 0, 31, 2, 4, KEEP)
PAIR("stp x0, x0, [sp, #504]", STORE, 8, 8, 0, 0, 31, 504, KEEP)
PAIR("ldp x29, x30, [sp], #16", ZERO, 8, 8, 29, 30, 31, 16, POST)
PAIR("ldpsw x0, x1, [x2], #8", SIGN, 4, 8, 0, 1, 2, 8, POST)
PAIR("stp w0, w1, [x2], #-256", STORE, 4, 4, 0, 1, 2, -256, POST)
PAIR("ldp w0, w1, [x2, #8]!", ZERO, 4, 4, 0, 1, 2, 8, PRE)
PAIR("ldpsw x0, x1, [x2, #8]!", SIGN, 4, 8, 0, 1, 2, 8, PRE)
PAIR("stp x29, x30, [sp, #-16]!", STORE, 8, 8, 29, 30, 31, -16, PRE)
PAIR("ldnp x0, x1, [x2, #16]", ZERO, 8, 8, 0, 1, 2, 16, KEEP)
PAIR("stnp w0, w1, [x2, #-4]", STORE, 4, 4, 0, 1, 2, -4, KEEP)

/* Ordered, which is nothing special to a device. */
ONE("ldarb w0, [x1]", ZERO, 1, 4, 0, 1, 0, KEEP)
ONE("ldarh w0, [x1]", ZERO, 2, 4, 0, 1, 0, KEEP)
ONE("ldar w0, [sp]", ZERO, 4, 4, 0, 31, 0, KEEP)
ONE("ldar x0, [x1]", ZERO, 8, 8, 0, 1, 0, KEEP)
ONE("stlrb w0, [x1]", STORE, 1, 4, 0, 1, 0, KEEP)
ONE("stlr x0, [x1]", STORE, 8, 8, 0, 1, 0, KEEP)
ONE("ldlar x0, [x1]", ZERO, 8, 8, 0, 1, 0, KEEP)
ONE("stllrh w0, [x1]", STORE, 2, 4, 0, 1, 0, KEEP)
ONE("ldaprb w0, [x1]", ZERO, 1, 4, 0, 1, 0, KEEP)
ONE("ldapr x0, [x1]", ZERO, 8, 8, 0, 1, 0, KEEP)
ONE("ldapur w0, [x1, #-256]", ZERO, 4, 4, 0, 1, -256, KEEP)
ONE("ldapursb x0, [x1, #255]", SIGN, 1, 8, 0, 1, 255, KEEP)
ONE("ldapursw x0, [x1, #4]", SIGN, 4, 8, 0, 1, 4, KEEP)
ONE("stlurh w0, [x1, #2]", STORE, 2, 4, 0, 1, 2, KEEP)

/* Exclusives and atomics. */
REFUSED("ldxr x0, [x1]", ATOMIC)
REFUSED("ldaxrb w0, [x1]", ATOMIC)
REFUSED("stxr w2, x0, [x1]", ATOMIC)
REFUSED("stlxrh w2, w0, [x1]", ATOMIC)
REFUSED("ldxp x0, x1, [x2]", ATOMIC)
REFUSED("stlxp w3, x0, x1, [x2]", ATOMIC)
REFUSED("cas x0, x1, [x2]", ATOMIC)
REFUSED("casalb w0, w1, [x2]", ATOMIC)
REFUSED("casp x0, x1, x2, x3, [x4]", ATOMIC)
REFUSED("ldadd x0, x1, [x2]", ATOMIC)
REFUSED("ldclral w0, w1, [x2]", ATOMIC)
REFUSED("stset x0, [x1]", ATOMIC)
REFUSED("ldsmaxb w0, w1, [x2]", ATOMIC)
REFUSED("swp x0, x1, [x2]", ATOMIC)
REFUSED("swpalh w0, w1, [x2]", ATOMIC)

/* Vectors. */
REFUSED("ldr b0, [x1]", VECTOR)
REFUSED("ldr q0, [x1, #16]", VECTOR)
REFUSED("str d0, [x1], #8", VECTOR)
REFUSED("ldur s0, [x1, #-4]", VECTOR)
REFUSED("ldr h0, [x1, x2]", VECTOR)
REFUSED("ldr q0, .+16", VECTOR)
REFUSED("ldp q0, q1, [x2]", VECTOR)
REFUSED("stp d0, d1, [sp, #-16]!", VECTOR)
REFUSED("ldnp s0, s1, [x2]", VECTOR)
REFUSED("ld1 {v0.16b}, [x0]", VECTOR)
REFUSED("st4 {v0.2d, v1.2d, v2.2d, v3.2d}, [x0], #64", VECTOR)
REFUSED("ld1r {v0.8h}, [x0]", VECTOR)

/* What moves no data that a device could give. */
REFUSED("prfm pldl1keep, [x0]", NOT_ACCESS)
REFUSED("prfum pldl1keep, [x0, #-1]", NOT_ACCESS)
REFUSED("prfm pldl1keep, [x0, x1]", NOT_ACCESS)
REFUSED("prfm pldl1keep, .+4", NOT_ACCESS)
REFUSED("dc zva, x0", NOT_ACCESS)
REFUSED("dc civac, x0", NOT_ACCESS)
REFUSED("stg x0, [x1]", NOT_ACCESS)
REFUSED("ldg x0, [x1]", NOT_ACCESS)
REFUSED("stgp x0, x1, [x2]", NOT_ACCESS)
REFUSED("ldraa x0, [x1]", NOT_ACCESS)
REFUSED("ldrab x0, [x1, #8]!", NOT_ACCESS)
REFUSED("add x0, x1, x2", NOT_ACCESS)
REFUSED("b .", NOT_ACCESS)
REFUSED("nop", NOT_ACCESS)
REFUSED("udf #0", NOT_ACCESS)
REFUSED("fadd d0, d1, d2", NOT_ACCESS)

/* Words that the assembler will not write: the base transferred and written back, a pair loaded
   into one register, holes in the encoding. */
REFUSED(".inst 0xf8408400", UNPREDICTABLE) /* ldr x0, [x0], #8 */
REFUSED(".inst 0xf8008c21", UNPREDICTABLE) /* str x1, [x1, #8]! */
REFUSED(".inst 0xa8c10442", UNPREDICTABLE) /* ldp x2, x1, [x2], #16 */
REFUSED(".inst 0xa8c10841", UNPREDICTABLE) /* ldp x1, x2, [x2], #16 */
REFUSED(".inst 0xa9bf0442", UNPREDICTABLE) /* stp x2, x1, [x2, #-16]! */
REFUSED(".inst 0xa9400020", UNPREDICTABLE) /* ldp x0, x0, [x1] */
REFUSED(".inst 0xb8c00020", UNALLOCATED)   /* size 2, opc 3 */
REFUSED(".inst 0xf8c00020", UNALLOCATED)
REFUSED(".inst 0xf8800c20", UNALLOCATED) /* prefetch with write-back */
REFUSED(".inst 0xf8620820", UNALLOCATED) /* an index of bytes: option 000 */
REFUSED(".inst 0xe9400420", UNALLOCATED) /* pair, opc 3 */
REFUSED(".inst 0x68000420", UNALLOCATED) /* LDNP of signed words */

#endif
