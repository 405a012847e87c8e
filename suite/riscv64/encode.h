/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that the cases of this folder write into their guests: unprivileged manual, chapter
 * 24 "RV32/64G Instruction Set Listings"; sret, wfi: privileged manual, 3.3.
 */
#ifndef SUITE_RISCV64_ENCODE_H
#define SUITE_RISCV64_ENCODE_H

#include <stdint.h>

/* Registers by the names of the calling convention. */
enum {
	X0 = 0,
	RA = 1,
	T0 = 5,
	T1 = 6,
	S1 = 9,
	A0 = 10,
	A1 = 11,
	A2 = 12,
	A3 = 13,
	A4 = 14,
	A5 = 15,
	A7 = 17,
	S2 = 18,
	S3 = 19,
	S4 = 20,
	S5 = 21,
	T5 = 30,
	T6 = 31,
};

#define INSN_NOP         UINT32_C(0x00000013)
#define INSN_ECALL       UINT32_C(0x00000073)
#define INSN_EBREAK      UINT32_C(0x00100073)
#define INSN_SRET        UINT32_C(0x10200073)
#define INSN_WFI         UINT32_C(0x10500073)
#define INSN_MRET        UINT32_C(0x30200073)
#define INSN_SFENCE_VMA  UINT32_C(0x12000073)
#define INSN_HFENCE_VVMA UINT32_C(0x22000073)
#define INSN_HFENCE_GVMA UINT32_C(0x62000073)
#define INSN_FENCE_I     UINT32_C(0x0000100f)
#define INSN_ILLEGAL     UINT32_C(0xffffffff)

#define INSN_I(opcode, funct3, rd, rs1, imm)                                                       \
	((uint32_t)(imm) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(funct3) << 12 |                \
	 (uint32_t)(rd) << 7 | (uint32_t)(opcode))
#define INSN_S(opcode, funct3, rs2, rs1, imm)                                                      \
	(((uint32_t)(imm) >> 5 & 0x7f) << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 |     \
	 (uint32_t)(funct3) << 12 | ((uint32_t)(imm)&0x1f) << 7 | (uint32_t)(opcode))
#define INSN_R(opcode, funct3, funct7, rd, rs1, rs2)                                               \
	((uint32_t)(funct7) << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 |                \
	 (uint32_t)(funct3) << 12 | (uint32_t)(rd) << 7 | (uint32_t)(opcode))

#define INSN_LD(rd, rs1, offset)  INSN_I(0x03, 3, rd, rs1, offset)
#define INSN_LW(rd, rs1, offset)  INSN_I(0x03, 2, rd, rs1, offset)
#define INSN_SD(rs2, rs1, offset) INSN_S(0x23, 3, rs2, rs1, offset)
#define INSN_ADDI(rd, rs1, imm)   INSN_I(0x13, 0, rd, rs1, imm)
#define INSN_ANDI(rd, rs1, imm)   INSN_I(0x13, 7, rd, rs1, imm)
#define INSN_MV(rd, rs)           INSN_ADDI(rd, rs, 0)
#define INSN_JR(rs1)              INSN_I(0x67, 0, X0, rs1, 0)
#define INSN_RET                  INSN_JR(RA)
#define INSN_LR_D(rd, rs1)        INSN_R(0x2f, 3, 0x08, rd, rs1, 0)
#define INSN_AMOADD_D(rd, rs1)    INSN_R(0x2f, 3, 0x00, rd, rs1, 0)
#define INSN_LUI(rd, imm)         ((uint32_t)(imm) << 12 | (uint32_t)(rd) << 7 | 0x37U)
#define INSN_HLV_W(rd, rs1)       INSN_R(0x73, 4, 0x34, rd, rs1, 0)

/* funct3 of Zicsr */
enum {
	CSR_RW = 1,
	CSR_RS,
	CSR_RC,
	CSR_RWI = 5,
	CSR_RSI,
	CSR_RCI,
};
#define INSN_CSR_OP(op, rd, csr, source) INSN_I(0x73, op, rd, source, csr)
#define INSN_CSRW(csr, rs1)              INSN_CSR_OP(CSR_RW, X0, csr, rs1)
#define INSN_CSRR(rd, csr)               INSN_CSR_OP(CSR_RS, rd, csr, X0)
#define INSN_CSRS(csr, rs1)              INSN_CSR_OP(CSR_RS, X0, csr, rs1)
#define INSN_CSRC(csr, rs1)              INSN_CSR_OP(CSR_RC, X0, csr, rs1)

#define INSN_FLD(fd, rs1, offset)  INSN_I(0x07, 3, fd, rs1, offset)
#define INSN_FSD(fs2, rs1, offset) INSN_S(0x27, 3, fs2, rs1, offset)
#define INSN_FEQ_D(rd, fs1, fs2)   INSN_R(0x53, 2, 0x51, rd, fs1, fs2)
#define INSN_VS8R(vs, rs1)         INSN_R(0x27, 0, 0x71, vs, rs1, 8)
#define INSN_VL8RE8(vd, rs1)       INSN_R(0x07, 0, 0x71, vd, rs1, 8)
#define INSN_VSETVL(rd, avl, type) INSN_R(0x57, 7, 0x40, rd, avl, type)

/* jal x0 to `to` from `from`: indices of instructions. Backwards or forwards, up to 1 MiB. */
static inline uint32_t insn_j(unsigned from, unsigned to)
{
	uint32_t offset = (to - from) * 4;

	return (offset & 0x100000) << 11 | (offset & 0x7fe) << 20 | (offset & 0x800) << 9 |
	       (offset & 0xff000) | 0x6f;
}

/* A branch: funct3 0 beq, 1 bne, 6 bltu, 7 bgeu. Up to 4 KiB. */
static inline uint32_t insn_branch(unsigned funct3, unsigned rs1, unsigned rs2, unsigned from,
                                   unsigned to)
{
	uint32_t offset = (to - from) * 4;

	return (offset & 0x1000) << 19 | (offset & 0x7e0) << 20 | rs2 << 20 | rs1 << 15 |
	       funct3 << 12 | (offset & 0x1e) << 7 | (offset & 0x800) >> 4 | 0x63;
}

/* CSRs by the numbers that a guest uses. */
enum {
	CSR_SSTATUS = 0x100,
	CSR_SIE = 0x104,
	CSR_STVEC = 0x105,
	CSR_SCOUNTEREN = 0x106,
	CSR_SENVCFG = 0x10a,
	CSR_SSCRATCH = 0x140,
	CSR_SEPC = 0x141,
	CSR_SCAUSE = 0x142,
	CSR_STVAL = 0x143,
	CSR_SIP = 0x144,
	CSR_STIMECMP = 0x14d,
	CSR_SATP = 0x180,
	CSR_FCSR = 0x003,
	CSR_VSTART = 0x008,
	CSR_VCSR = 0x00f,
	CSR_VL = 0xc20,
	CSR_VTYPE = 0xc21,
	CSR_VLENB = 0xc22,
	CSR_CYCLE = 0xc00,
	CSR_TIME = 0xc01,
	CSR_INSTRET = 0xc02,
};

#endif
