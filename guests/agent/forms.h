/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load, store and privileged instructions of the agent, one list per architecture. The payload
 * makes a function of each line (guests/agent/<arch>.c). The suite makes a row of expected results
 * (suite/mmio.c, privileged.c). A script selects a line by its position in the list.
 *
 * Text of a form: %0 is the value (in and out), %1 the address, both in registers of the
 * compiler's choice; t0, x16 and rax may be changed.
 */
#ifndef GUESTS_AGENT_FORMS_H
#define GUESTS_AGENT_FORMS_H

/* The effect of a form on memory, and for a load on the register's bits above its width. */
enum form_kind {
	FORM_ZERO,    /* load, zero-extended */
	FORM_SIGN,    /* load, sign-extended to 8 bytes */
	FORM_SIGN32,  /* load, sign-extended to 4 bytes, zero above */
	FORM_SIGN16,  /* load, sign-extended to 2 bytes, the rest of the register kept */
	FORM_KEEP,    /* load into the low part of a register, the rest kept */
	FORM_DISCARD, /* load into the zero register: the device is read, the value does not change
	               */
	FORM_STORE,   /* store of the value */
	FORM_PAIR,    /* two loads, the second 8 bytes higher; the value is their exclusive or */
	FORM_STORE2,  /* two stores of the value, the second 8 bytes higher */
	FORM_REPEAT,  /* the same, one exit for each store */
	FORM_SWAP,    /* load and store: exchange */
	FORM_AND,     /* load, combine with the value, store */
	FORM_OR,
	FORM_XOR,
	FORM_COMPARE,   /* load; the value becomes 1 if it equals the loaded value, else 0 */
	FORM_REFUSED,   /* the guest is killed; the device receives no access */
	FORM_LSE,       /* the same, on a CPU that has FEAT_LSE */
	FORM_F,         /* the same, on a RISC-V hart with floating-point registers */
	FORM_V,         /* the same, on a RISC-V hart with vector registers */
	FORM_FP,        /* the same, on a CPU that has floating point */
	FORM_UNDEFINED, /* registers that guests may not use: undefined, no access to the device */
};

/* X(name, text, width, kind) */
#define AGENT_FORMS_RISCV64(X)                                                                     \
	X(lb, ".option push; .option norvc; lb %0, 0(%1); .option pop", 1, FORM_SIGN)              \
	X(lbu, ".option push; .option norvc; lbu %0, 0(%1); .option pop", 1, FORM_ZERO)            \
	X(lh, ".option push; .option norvc; lh %0, 0(%1); .option pop", 2, FORM_SIGN)              \
	X(lhu, ".option push; .option norvc; lhu %0, 0(%1); .option pop", 2, FORM_ZERO)            \
	X(lw, ".option push; .option norvc; lw %0, 0(%1); .option pop", 4, FORM_SIGN)              \
	X(lwu, ".option push; .option norvc; lwu %0, 0(%1); .option pop", 4, FORM_ZERO)            \
	X(ld, ".option push; .option norvc; ld %0, 0(%1); .option pop", 8, FORM_ZERO)              \
	X(ld_negative, "addi t0, %1, 16; ld %0, -16(t0)", 8, FORM_ZERO)                            \
	X(ld_x0, ".option push; .option norvc; ld x0, 0(%1); .option pop", 8, FORM_DISCARD)        \
	X(ld_ra, "mv t0, ra; ld ra, 0(%1); mv %0, ra; mv ra, t0", 8, FORM_ZERO)                    \
	X(ld_sp, "mv t0, sp; ld sp, 0(%1); mv %0, sp; mv sp, t0", 8, FORM_ZERO)                    \
	X(ld_gp, "mv t0, gp; ld gp, 0(%1); mv %0, gp; mv gp, t0", 8, FORM_ZERO)                    \
	X(ld_tp, "mv t0, tp; ld tp, 0(%1); mv %0, tp; mv tp, t0", 8, FORM_ZERO)                    \
	X(ld_t0, "ld t0, 0(%1); mv %0, t0", 8, FORM_ZERO)                                          \
	X(ld_s0, "mv t0, s0; ld s0, 0(%1); mv a7, s0; mv s0, t0; mv %0, a7", 8, FORM_ZERO)         \
	X(ld_s1, "mv t0, s1; ld s1, 0(%1); mv a7, s1; mv s1, t0; mv %0, a7", 8, FORM_ZERO)         \
	X(ld_a7, "ld a7, 0(%1); mv %0, a7", 8, FORM_ZERO)                                          \
	X(ld_s2, "mv t0, s2; ld s2, 0(%1); mv a7, s2; mv s2, t0; mv %0, a7", 8, FORM_ZERO)         \
	X(ld_s11, "mv t0, s11; ld s11, 0(%1); mv a7, s11; mv s11, t0; mv %0, a7", 8, FORM_ZERO)    \
	X(ld_t6, "mv t0, t6; ld t6, 0(%1); mv a7, t6; mv t6, t0; mv %0, a7", 8, FORM_ZERO)         \
	X(c_lw, "mv a5, %1; c.lw a4, 0(a5); mv %0, a4", 4, FORM_SIGN)                              \
	X(c_ld, "mv a5, %1; c.ld a4, 0(a5); mv %0, a4", 8, FORM_ZERO)                              \
	X(c_lw_offset, "addi a5, %1, -124; c.lw a4, 124(a5); mv %0, a4", 4, FORM_SIGN)             \
	X(c_ld_offset, "addi a5, %1, -248; c.ld a4, 248(a5); mv %0, a4", 8, FORM_ZERO)             \
	X(c_lwsp, "mv t0, sp; mv sp, %1; c.lwsp a4, 0(sp); mv sp, t0; mv %0, a4", 4, FORM_SIGN)    \
	X(c_ldsp, "mv t0, sp; mv sp, %1; c.ldsp a4, 0(sp); mv sp, t0; mv %0, a4", 8, FORM_ZERO)    \
	X(sb, "sb %0, 0(%1)", 1, FORM_STORE)                                                       \
	X(sh, "sh %0, 0(%1)", 2, FORM_STORE)                                                       \
	X(sw, ".option push; .option norvc; sw %0, 0(%1); .option pop", 4, FORM_STORE)             \
	X(sd, ".option push; .option norvc; sd %0, 0(%1); .option pop", 8, FORM_STORE)             \
	X(sd_negative, "addi t0, %1, 16; sd %0, -16(t0)", 8, FORM_STORE)                           \
	X(c_sw, "mv a5, %1; mv a4, %0; c.sw a4, 0(a5)", 4, FORM_STORE)                             \
	X(c_sd, "mv a5, %1; mv a4, %0; c.sd a4, 0(a5)", 8, FORM_STORE)                             \
	X(c_swsp, "mv t0, sp; mv sp, %1; c.swsp %0, 0(sp); mv sp, t0", 4, FORM_STORE)              \
	X(c_sdsp, "mv t0, sp; mv sp, %1; c.sdsp %0, 0(sp); mv sp, t0", 8, FORM_STORE)              \
	X(amoadd, "amoadd.d %0, %0, (%1)", 8, FORM_REFUSED)                                        \
	X(amoswap_w, "amoswap.w %0, %0, (%1)", 4, FORM_REFUSED)                                    \
	X(lr, "lr.d %0, (%1)", 8, FORM_REFUSED)                                                    \
	X(fld, "li t0, 0x2000; csrs sstatus, t0; mv t0, %1; .4byte 0x0002b007", 8, FORM_F)         \
	X(fsw, "li t0, 0x2000; csrs sstatus, t0; mv t0, %1; .4byte 0x0002a027", 4, FORM_F)         \
	X(c_fld, "li a5, 0x2000; csrs sstatus, a5; mv a5, %1; .2byte 0x2380", 8, FORM_F)           \
	X(vle8, "li t0, 0x200; csrs sstatus, t0; .4byte 0xc0047057; mv t0, %1; .4byte 0x02028007", \
	  8, FORM_V)

/* The guest enables these registers for itself (CPACR_EL1.FPEN). x16 is the address. LDR d0, STR
 * q0, LDP q0, q1 and LD1 {v0.16b} follow. */
#define AGENT_FP_ON                                                                                \
	"mrs x16, cpacr_el1; orr x16, x16, #0x300000; msr cpacr_el1, x16; isb; mov x16, %1; "

#define AGENT_FORMS_AARCH64(X)                                                                     \
	X(ldrb, "ldrb %w0, [%1]", 1, FORM_ZERO)                                                    \
	X(ldrh, "ldrh %w0, [%1]", 2, FORM_ZERO)                                                    \
	X(ldr_w, "ldr %w0, [%1]", 4, FORM_ZERO)                                                    \
	X(ldr_x, "ldr %0, [%1]", 8, FORM_ZERO)                                                     \
	X(ldrsb_w, "ldrsb %w0, [%1]", 1, FORM_SIGN32)                                              \
	X(ldrsb_x, "ldrsb %0, [%1]", 1, FORM_SIGN)                                                 \
	X(ldrsh_w, "ldrsh %w0, [%1]", 2, FORM_SIGN32)                                              \
	X(ldrsh_x, "ldrsh %0, [%1]", 2, FORM_SIGN)                                                 \
	X(ldrsw, "ldrsw %0, [%1]", 4, FORM_SIGN)                                                   \
	X(ldur_x, "add x16, %1, #3; ldur %0, [x16, #-3]", 8, FORM_ZERO)                            \
	X(ldr_offset, "sub x16, %1, #256; ldr %0, [x16, #256]", 8, FORM_ZERO)                      \
	X(ldr_register, "sub x16, %1, #64; mov x17, #8; ldr %0, [x16, x17, lsl #3]", 8, FORM_ZERO) \
	X(ldr_post, "mov x16, %1; ldr %0, [x16], #8", 8, FORM_ZERO)                                \
	X(ldr_pre, "sub x16, %1, #8; ldr %0, [x16, #8]!", 8, FORM_ZERO)                            \
	X(ldrb_post, "mov x16, %1; ldrb %w0, [x16], #1", 1, FORM_ZERO)                             \
	X(ldrsw_post, "mov x16, %1; ldrsw %0, [x16], #4", 4, FORM_SIGN)                            \
	X(ldr_xzr, "ldr xzr, [%1]", 8, FORM_DISCARD)                                               \
	X(ldr_x0, "mov x17, x0; ldr x0, [%1]; mov x16, x0; mov x0, x17; mov %0, x16", 8,           \
	  FORM_ZERO)                                                                               \
	X(ldr_x15, "ldr x15, [%1]; mov %0, x15", 8, FORM_ZERO)                                     \
	X(ldr_x18, "mov x17, x18; ldr x18, [%1]; mov x16, x18; mov x18, x17; mov %0, x16", 8,      \
	  FORM_ZERO)                                                                               \
	X(ldr_x28, "mov x17, x28; ldr x28, [%1]; mov x16, x28; mov x28, x17; mov %0, x16", 8,      \
	  FORM_ZERO)                                                                               \
	X(ldr_x29, "mov x17, x29; ldr x29, [%1]; mov x16, x29; mov x29, x17; mov %0, x16", 8,      \
	  FORM_ZERO)                                                                               \
	X(ldr_x30, "mov x17, x30; ldr x30, [%1]; mov x16, x30; mov x30, x17; mov %0, x16", 8,      \
	  FORM_ZERO)                                                                               \
	X(ldar, "ldar %0, [%1]", 8, FORM_ZERO)                                                     \
	X(ldtr, "ldtr %0, [%1]", 8, FORM_ZERO)                                                     \
	X(ldp_x, "ldp x16, x17, [%1]; eor %0, x16, x17", 8, FORM_PAIR)                             \
	X(ldp_post, "mov x15, %1; ldp x16, x17, [x15], #16; eor %0, x16, x17", 8, FORM_PAIR)       \
	X(strb, "strb %w0, [%1]", 1, FORM_STORE)                                                   \
	X(strh, "strh %w0, [%1]", 2, FORM_STORE)                                                   \
	X(str_w, "str %w0, [%1]", 4, FORM_STORE)                                                   \
	X(str_x, "str %0, [%1]", 8, FORM_STORE)                                                    \
	X(stur_x, "add x16, %1, #3; stur %0, [x16, #-3]", 8, FORM_STORE)                           \
	X(str_post, "mov x16, %1; str %0, [x16], #8", 8, FORM_STORE)                               \
	X(str_pre, "sub x16, %1, #8; str %0, [x16, #8]!", 8, FORM_STORE)                           \
	X(stlr, "stlr %0, [%1]", 8, FORM_STORE)                                                    \
	X(stp_x, "stp %0, %0, [%1]", 8, FORM_STORE2)                                               \
	X(ldxr, "ldxr %0, [%1]", 8, FORM_REFUSED)                                                  \
	X(ldaxp, "ldaxp x15, %0, [%1]", 8, FORM_REFUSED)                                           \
	X(ldadd, ".arch_extension lse; ldadd %0, x17, [%1]", 8, FORM_LSE)                          \
	X(swp, ".arch_extension lse; swp %0, x17, [%1]", 8, FORM_LSE)                              \
	X(cas, ".arch_extension lse; mov x17, #0; cas x17, %0, [%1]", 8, FORM_LSE)                 \
	X(ldr_d, AGENT_FP_ON ".inst 0xfd400200", 8, FORM_FP)                                       \
	X(str_q, AGENT_FP_ON ".inst 0x3d800200", 8, FORM_FP)                                       \
	X(ldp_q, AGENT_FP_ON ".inst 0xad400600", 8, FORM_FP)                                       \
	X(ld1, AGENT_FP_ON ".inst 0x4c407200", 8, FORM_FP)

#define AGENT_FORMS_X86_64(X)                                                                      \
	X(mov8, "movb (%1), %b0", 1, FORM_KEEP)                                                    \
	X(mov8_high, "movb (%1), %%ah; movzbl %%ah, %%eax; movq %%rax, %0", 1, FORM_ZERO)          \
	X(mov16, "movw (%1), %w0", 2, FORM_KEEP)                                                   \
	X(mov32, "movl (%1), %k0", 4, FORM_ZERO)                                                   \
	X(mov64, "movq (%1), %0", 8, FORM_ZERO)                                                    \
	X(movzx8_32, "movzbl (%1), %k0", 1, FORM_ZERO)                                             \
	X(movzx8_64, "movzbq (%1), %0", 1, FORM_ZERO)                                              \
	X(movzx16_32, "movzwl (%1), %k0", 2, FORM_ZERO)                                            \
	X(movzx16_64, "movzwq (%1), %0", 2, FORM_ZERO)                                             \
	X(movsx8_16, "movsbw (%1), %w0", 1, FORM_SIGN16)                                           \
	X(movsx8_32, "movsbl (%1), %k0", 1, FORM_SIGN32)                                           \
	X(movsx8_64, "movsbq (%1), %0", 1, FORM_SIGN)                                              \
	X(movsx16_32, "movswl (%1), %k0", 2, FORM_SIGN32)                                          \
	X(movsx16_64, "movswq (%1), %0", 2, FORM_SIGN)                                             \
	X(movsx32_64, "movslq (%1), %0", 4, FORM_SIGN)                                             \
	X(mov_disp8, "leaq -64(%1), %%rax; movq 64(%%rax), %0", 8, FORM_ZERO)                      \
	X(mov_disp32, "leaq -4096(%1), %%rax; movq 4096(%%rax), %0", 8, FORM_ZERO)                 \
	X(mov_index,                                                                               \
	  "leaq -32(%1), %%rax; pushq %%rcx; movl $4, %%ecx; "                                     \
	  "movq (%%rax,%%rcx,8), %%rax; popq %%rcx; movq %%rax, %0",                               \
	  8, FORM_ZERO)                                                                            \
	X(mov_rax, "movq (%1), %%rax; movq %%rax, %0", 8, FORM_ZERO)                               \
	X(mov_rbp, "movq %%rbp, %%rax; movq (%1), %%rbp; xchgq %%rbp, %%rax; movq %%rax, %0", 8,   \
	  FORM_ZERO)                                                                               \
	X(mov_rsp, "movq %%rsp, %%rax; movq (%1), %%rsp; xchgq %%rsp, %%rax; movq %%rax, %0", 8,   \
	  FORM_ZERO)                                                                               \
	X(mov_r8, "movq %%r8, %%rax; movq (%1), %%r8; xchgq %%r8, %%rax; movq %%rax, %0", 8,       \
	  FORM_ZERO)                                                                               \
	X(mov_r15, "movq %%r15, %%rax; movq (%1), %%r15; xchgq %%r15, %%rax; movq %%rax, %0", 8,   \
	  FORM_ZERO)                                                                               \
	X(store8, "movb %b0, (%1)", 1, FORM_STORE)                                                 \
	X(store16, "movw %w0, (%1)", 2, FORM_STORE)                                                \
	X(store32, "movl %k0, (%1)", 4, FORM_STORE)                                                \
	X(store64, "movq %0, (%1)", 8, FORM_STORE)                                                 \
	X(stos8, "movq %%rdi, %%rdx; movq %0, %%rax; movq %1, %%rdi; stosb; movq %%rdx, %%rdi", 1, \
	  FORM_STORE)                                                                              \
	X(stos64, "movq %%rdi, %%rdx; movq %0, %%rax; movq %1, %%rdi; stosq; movq %%rdx, %%rdi",   \
	  8, FORM_STORE)                                                                           \
	X(rep_stos64,                                                                              \
	  "movq %%rdi, %%rdx; movq %0, %%rax; pushq %%rcx; movl $2, %%ecx; rep stosq; "            \
	  "popq %%rcx; movq %%rdx, %%rdi",                                                         \
	  8, FORM_REPEAT)                                                                          \
	X(movs_load,                                                                               \
	  "movq %%rdi, %%rdx; movq %1, %%rsi; pushq $0; movq %%rsp, %%rdi; movsq; popq %%rsi; "    \
	  "movq %%rdx, %%rdi",                                                                     \
	  8, FORM_ZERO)                                                                            \
	X(movs_store,                                                                              \
	  "pushq %0; movq %%rdi, %%rdx; movq %%rsp, %%rsi; movsq; movq %%rdx, %%rdi; popq %0", 8,  \
	  FORM_STORE)                                                                              \
	X(and32, "andl %k0, (%1)", 4, FORM_AND)                                                    \
	X(or32, "orl %k0, (%1)", 4, FORM_OR)                                                       \
	X(xor64, "xorq %0, (%1)", 8, FORM_XOR)                                                     \
	X(cmp64, "cmpq %0, (%1); sete %%al; movzbl %%al, %%eax; movq %%rax, %0", 8, FORM_COMPARE)  \
	X(xchg64, "xchgq %0, (%1)", 8, FORM_SWAP)                                                  \
	X(lock_xadd, "lock xaddq %0, (%1)", 8, FORM_REFUSED)                                       \
	X(movups, "movq %%cr4, %%rax; orq $0x600, %%rax; movq %%rax, %%cr4; movups (%1), %%xmm0",  \
	  8, FORM_REFUSED)

/* The required result of a privileged instruction. */
enum priv_outcome {
	PRIV_DONE,      /* executed or emulated, without an effect that the guest can see */
	PRIV_UNDEFINED, /* the guest takes an undefined-instruction exception */
	PRIV_ACCESS,    /* x86: general protection */
	PRIV_OPERAND,   /* x86: general protection on SVM because of an operand; undefined elsewhere
	                 */
	PRIV_EITHER,    /* executed, emulated or undefined; no other result */
	PRIV_DEBUG,     /* the guest takes a debug exception */
	PRIV_SHUTDOWN,  /* x86: a triple fault, which ends the VM */
	PRIV_APART,     /* tested by a case of its own */
};

/* X(name, text, outcome): %0 is the value, in and out. */
#define AGENT_PRIVS_RISCV64(X)                                                                     \
	X(hgatp_read, "csrr %0, 0x680", PRIV_UNDEFINED)                                            \
	X(hgatp_write, "csrw 0x680, %0", PRIV_UNDEFINED)                                           \
	X(hstatus, "csrr %0, 0x600", PRIV_UNDEFINED)                                               \
	X(hedeleg, "csrw 0x602, %0", PRIV_UNDEFINED)                                               \
	X(htval, "csrr %0, 0x643", PRIV_UNDEFINED)                                                 \
	X(vsatp, "csrw 0x280, %0", PRIV_UNDEFINED)                                                 \
	X(vsstatus, "csrr %0, 0x200", PRIV_UNDEFINED)                                              \
	X(hfence_gvma, ".insn r 0x73, 0, 0x31, x0, x0, x0", PRIV_UNDEFINED)                        \
	X(hfence_vvma, ".insn r 0x73, 0, 0x11, x0, x0, x0", PRIV_UNDEFINED)                        \
	X(hlv, ".insn r 0x73, 4, 0x34, %0, x0, x0", PRIV_UNDEFINED)                                \
	X(mstatus, "csrr %0, 0x300", PRIV_UNDEFINED)                                               \
	X(mret, ".4byte 0x30200073", PRIV_UNDEFINED)                                               \
	X(mcycle, "csrw 0xb00, %0", PRIV_UNDEFINED)                                                \
	X(unknown, ".4byte 0xffffffff", PRIV_UNDEFINED)                                            \
	X(cycle, "csrr %0, 0xc00", PRIV_EITHER)                                                    \
	X(time, "csrr %0, 0xc01", PRIV_EITHER)                                                     \
	X(instret, "csrr %0, 0xc02", PRIV_EITHER)                                                  \
	X(sfence, "sfence.vma", PRIV_DONE)                                                         \
	X(satp, "csrr %0, satp", PRIV_DONE)                                                        \
	X(sscratch, "csrr %0, sscratch", PRIV_DONE)                                                \
	X(sum_on, "li t0, 0x40000; csrs sstatus, t0", PRIV_APART)                                  \
	X(mxr_on, "li t0, 0x80000; csrs sstatus, t0", PRIV_APART)

#define AGENT_PRIVS_AARCH64(X)                                                                     \
	X(hcr_el2_read, "mrs %0, hcr_el2", PRIV_UNDEFINED)                                         \
	X(hcr_el2_write, "msr hcr_el2, %0", PRIV_UNDEFINED)                                        \
	X(vttbr_el2, "mrs %0, vttbr_el2", PRIV_UNDEFINED)                                          \
	X(vbar_el2, "msr vbar_el2, %0", PRIV_UNDEFINED)                                            \
	X(scr_el3, "mrs %0, scr_el3", PRIV_UNDEFINED)                                              \
	X(tlbi_ipas2, "tlbi ipas2e1is, %0", PRIV_UNDEFINED)                                        \
	X(tlbi_alle1, "tlbi alle1", PRIV_UNDEFINED)                                                \
	X(at_s12, "at s12e1r, %0", PRIV_UNDEFINED)                                                 \
	X(smc_unknown,                                                                             \
	  "mov x16, x0; mov x17, x1; mov x0, #0x4444; smc #0; mov x0, x16; "                       \
	  "mov x1, x17",                                                                           \
	  PRIV_DONE)                                                                               \
	X(dc_isw, "dc isw, xzr", PRIV_UNDEFINED)                                                   \
	X(dc_csw, "dc csw, xzr", PRIV_UNDEFINED)                                                   \
	X(dc_cisw, "dc cisw, xzr", PRIV_UNDEFINED)                                                 \
	X(midr, "mrs %0, midr_el1", PRIV_DONE)                                                     \
	X(mpidr, "mrs %0, mpidr_el1", PRIV_DONE)                                                   \
	X(id_pfr0, "mrs %0, id_aa64pfr0_el1", PRIV_DONE)                                           \
	X(id_mmfr0, "mrs %0, id_aa64mmfr0_el1", PRIV_DONE)                                         \
	X(id_isar0, "mrs %0, id_aa64isar0_el1", PRIV_DONE)                                         \
	X(clidr, "mrs %0, clidr_el1", PRIV_DONE)                                                   \
	X(ctr, "mrs %0, ctr_el0", PRIV_DONE)                                                       \
	X(actlr, "mrs %0, actlr_el1", PRIV_UNDEFINED)                                              \
	X(pmcr, "mrs %0, pmcr_el0", PRIV_UNDEFINED)                                                \
	X(cntvct, "mrs %0, cntvct_el0", PRIV_DONE)                                                 \
	X(cntpct, "mrs %0, cntpct_el0", PRIV_DONE)                                                 \
	X(icc_iar1, "mrs %0, s3_0_c12_c12_0", PRIV_UNDEFINED)                                      \
	X(icc_sgi1r, "msr s3_0_c12_c11_5, xzr", PRIV_UNDEFINED)                                    \
	X(icc_sre, "mrs %0, s3_0_c12_c12_5", PRIV_EITHER)                                          \
	X(impdef, "mrs %0, s3_1_c11_c0_3", PRIV_EITHER)                                            \
	X(unknown, ".inst 0x00000000", PRIV_UNDEFINED)

#define AGENT_PRIVS_X86_64(X)                                                                      \
	X(vmxon, "pushq %0; vmxon (%%rsp); popq %0", PRIV_UNDEFINED)                               \
	X(vmlaunch, "vmlaunch", PRIV_UNDEFINED)                                                    \
	X(vmread, "vmread %0, %0", PRIV_UNDEFINED)                                                 \
	X(vmptrld, "pushq %0; vmptrld (%%rsp); popq %0", PRIV_UNDEFINED)                           \
	X(invept, "subq $16, %%rsp; invept (%%rsp), %0; addq $16, %%rsp", PRIV_UNDEFINED)          \
	X(vmrun, "movl $0x1000, %%eax; .byte 0x0f, 0x01, 0xd8", PRIV_UNDEFINED)                    \
	X(vmrun_unaligned, "movl $0x1001, %%eax; .byte 0x0f, 0x01, 0xd8", PRIV_OPERAND)            \
	X(vmload, "movl $0x1000, %%eax; .byte 0x0f, 0x01, 0xda", PRIV_UNDEFINED)                   \
	X(stgi, ".byte 0x0f, 0x01, 0xdc", PRIV_UNDEFINED)                                          \
	X(clgi, ".byte 0x0f, 0x01, 0xdd", PRIV_UNDEFINED)                                          \
	X(ud2, "ud2", PRIV_UNDEFINED)                                                              \
	X(cr4_vmxe, "movq %%cr4, %%rax; orl $0x2000, %%eax; movq %%rax, %%cr4", PRIV_ACCESS)       \
	X(msr_unknown, "movl $0x3fff1234, %%ecx; rdmsr", PRIV_ACCESS)                              \
	X(msr_feature_control, "movl $0x3a, %%ecx; xorl %%edx, %%edx; movl $5, %%eax; wrmsr",      \
	  PRIV_ACCESS)                                                                             \
	X(msr_vmx_basic, "movl $0x480, %%ecx; rdmsr", PRIV_ACCESS)                                 \
	X(msr_vm_hsave, "movl $0xc0010117, %%ecx; rdmsr", PRIV_ACCESS)                             \
	X(msr_apic_base, "movl $0x1b, %%ecx; rdmsr", PRIV_EITHER)                                  \
	X(msr_tsc_write, "rdtsc; movl $0x10, %%ecx; wrmsr", PRIV_EITHER)                           \
	X(cpuid, "xorl %%eax, %%eax; pushq %%rbx; cpuid; popq %%rbx", PRIV_DONE)                   \
	X(rdtsc, "rdtsc", PRIV_DONE)                                                               \
	X(rdpmc, "xorl %%ecx, %%ecx; rdpmc", PRIV_EITHER)                                          \
	X(cr3_read, "movq %%cr3, %0", PRIV_DONE)                                                   \
	X(cr0_rewrite, "movq %%cr0, %%rax; movq %%rax, %%cr0", PRIV_DONE)                          \
	X(invd, "invd", PRIV_EITHER)                                                               \
	X(wbinvd, "wbinvd", PRIV_EITHER)                                                           \
	X(xsetbv, "xorl %%ecx, %%ecx; xorl %%edx, %%edx; xorl %%eax, %%eax; xsetbv", PRIV_EITHER)  \
	X(debug_step, "pushfq; orl $0x100, (%%rsp); popfq; nop; nop", PRIV_DEBUG)                  \
	X(debug_icebp, ".byte 0xf1", PRIV_DEBUG)                                                   \
	X(nmi_storm, "movl $300, %%ecx; 1: int $2; decl %%ecx; jnz 1b", PRIV_DONE)                 \
	X(triple_fault, "pushq $0; pushq $0; lidt (%%rsp); ud2", PRIV_SHUTDOWN)                    \
	X(foreign_stack, "movq %0, %%rsp; ud2", PRIV_APART)                                        \
	X(port_in, "movl $0x80, %%edx; inb %%dx, %%al", PRIV_EITHER)                               \
	X(port_out, "movl $0x8900, %%edx; movb $0x53, %%al; outb %%al, %%dx", PRIV_EITHER)

/* Position in a list, by name. */
#define AGENT_FORM_ENUM_RISCV64(name, text, width, kind) FORM_RISCV64_##name,
#define AGENT_FORM_ENUM_AARCH64(name, text, width, kind) FORM_AARCH64_##name,
#define AGENT_FORM_ENUM_X86_64(name, text, width, kind)  FORM_X86_64_##name,
#define AGENT_PRIV_ENUM_RISCV64(name, text, outcome)     PRIV_RISCV64_##name,
#define AGENT_PRIV_ENUM_AARCH64(name, text, outcome)     PRIV_AARCH64_##name,
#define AGENT_PRIV_ENUM_X86_64(name, text, outcome)      PRIV_X86_64_##name,

#endif
