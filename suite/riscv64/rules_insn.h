/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions and CSR numbers that the RISC-V rules use, as numbers: clang 14 does not know
 * all of them. Registers are numbers too: 10 is a0. */
#ifndef SUITE_RISCV64_RULES_INSN_H
#define SUITE_RISCV64_RULES_INSN_H

#include <stdint.h>

#define INSN(hi, rs2, rs1, funct3, rd, opcode)                                                     \
	((uint32_t)(hi) << 25 | (uint32_t)(rs2) << 20 | (uint32_t)(rs1) << 15 |                    \
	 (uint32_t)(funct3) << 12 | (uint32_t)(rd) << 7 | (uint32_t)(opcode))
#define INSN_I(immediate, rs1, funct3, rd, opcode)                                                 \
	((uint32_t)(immediate) << 20 | (uint32_t)(rs1) << 15 | (uint32_t)(funct3) << 12 |          \
	 (uint32_t)(rd) << 7 | (uint32_t)(opcode))

#define INSN_NOP           UINT32_C(0x00000013)
#define INSN_ECALL         UINT32_C(0x00000073)
#define INSN_EBREAK        UINT32_C(0x00100073)
#define INSN_SRET          UINT32_C(0x10200073)
#define INSN_MRET          UINT32_C(0x30200073)
#define INSN_WFI           UINT32_C(0x10500073)
#define INSN_SFENCE_INVAL  UINT32_C(0x18100073) /* sfence.inval.ir */
#define INSN_MV(rd, rs1)   INSN_I(0, rs1, 0, rd, 0x13)
#define INSN_LI(rd, value) INSN_I((value)&0xfff, 0, 0, rd, 0x13)
#define INSN_JR(rs1)       INSN_I(0, rs1, 0, 0, 0x67)

#define INSN_CSRRW(rd, csr, rs1) INSN_I(csr, rs1, 1, rd, 0x73)
#define INSN_CSRRS(rd, csr, rs1) INSN_I(csr, rs1, 2, rd, 0x73)
#define INSN_CSRRC(rd, csr, rs1) INSN_I(csr, rs1, 3, rd, 0x73)
#define INSN_CSRR(rd, csr)       INSN_CSRRS(rd, csr, 0)
#define INSN_CSRW(csr, rs1)      INSN_CSRRW(0, csr, rs1)

#define INSN_LB(rd, offset, rs1)  INSN_I((offset)&0xfff, rs1, 0, rd, 0x03)
#define INSN_LH(rd, offset, rs1)  INSN_I((offset)&0xfff, rs1, 1, rd, 0x03)
#define INSN_LW(rd, offset, rs1)  INSN_I((offset)&0xfff, rs1, 2, rd, 0x03)
#define INSN_LD(rd, offset, rs1)  INSN_I((offset)&0xfff, rs1, 3, rd, 0x03)
#define INSN_LBU(rd, offset, rs1) INSN_I((offset)&0xfff, rs1, 4, rd, 0x03)
#define INSN_LHU(rd, offset, rs1) INSN_I((offset)&0xfff, rs1, 5, rd, 0x03)
#define INSN_LWU(rd, offset, rs1) INSN_I((offset)&0xfff, rs1, 6, rd, 0x03)
/* Stores with offset 0. */
#define INSN_SB(rs2, rs1) INSN(0, rs2, rs1, 0, 0, 0x23)
#define INSN_SH(rs2, rs1) INSN(0, rs2, rs1, 1, 0, 0x23)
#define INSN_SW(rs2, rs1) INSN(0, rs2, rs1, 2, 0, 0x23)
#define INSN_SD(rs2, rs1) INSN(0, rs2, rs1, 3, 0, 0x23)

#define INSN_AMOADD_D(rd, rs2, rs1)  INSN(0x00, rs2, rs1, 3, rd, 0x2f)
#define INSN_AMOSWAP_W(rd, rs2, rs1) INSN(0x04, rs2, rs1, 2, rd, 0x2f)
#define INSN_LR_D(rd, rs1)           INSN(0x08, 0, rs1, 3, rd, 0x2f)
#define INSN_SC_D(rd, rs2, rs1)      INSN(0x0c, rs2, rs1, 3, rd, 0x2f)

#define INSN_SFENCE_VMA(rs1, rs2)  INSN(0x09, rs2, rs1, 0, 0, 0x73)
#define INSN_SINVAL_VMA(rs1, rs2)  INSN(0x0b, rs2, rs1, 0, 0, 0x73)
#define INSN_HFENCE_VVMA(rs1, rs2) INSN(0x11, rs2, rs1, 0, 0, 0x73)
#define INSN_HFENCE_GVMA(rs1, rs2) INSN(0x31, rs2, rs1, 0, 0, 0x73)

#define INSN_HLV_B(rd, rs1)   INSN(0x30, 0, rs1, 4, rd, 0x73)
#define INSN_HLV_BU(rd, rs1)  INSN(0x30, 1, rs1, 4, rd, 0x73)
#define INSN_HLV_H(rd, rs1)   INSN(0x32, 0, rs1, 4, rd, 0x73)
#define INSN_HLV_HU(rd, rs1)  INSN(0x32, 1, rs1, 4, rd, 0x73)
#define INSN_HLVX_HU(rd, rs1) INSN(0x32, 3, rs1, 4, rd, 0x73)
#define INSN_HLV_W(rd, rs1)   INSN(0x34, 0, rs1, 4, rd, 0x73)
#define INSN_HLV_WU(rd, rs1)  INSN(0x34, 1, rs1, 4, rd, 0x73)
#define INSN_HLVX_WU(rd, rs1) INSN(0x34, 3, rs1, 4, rd, 0x73)
#define INSN_HLV_D(rd, rs1)   INSN(0x36, 0, rs1, 4, rd, 0x73)
#define INSN_HSV_B(rs2, rs1)  INSN(0x31, rs2, rs1, 4, 0, 0x73)
#define INSN_HSV_H(rs2, rs1)  INSN(0x33, rs2, rs1, 4, 0, 0x73)
#define INSN_HSV_W(rs2, rs1)  INSN(0x35, rs2, rs1, 4, 0, 0x73)
#define INSN_HSV_D(rs2, rs1)  INSN(0x37, rs2, rs1, 4, 0, 0x73)

#define INSN_CBO(operation, rs1) INSN_I(operation, rs1, 2, 0, 0x0f)
#define CBO_INVAL                0
#define CBO_CLEAN                1
#define CBO_FLUSH                2
#define CBO_ZERO                 4

#define A0 10
#define A1 11
#define A2 12
#define A3 13
#define A4 14
#define A5 15

/* Privileged manual, 2.2. */
enum csr_number {
	CSR_FCSR = 0x003,
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
	CSR_VSSTATUS = 0x200,
	CSR_VSIE = 0x204,
	CSR_VSTVEC = 0x205,
	CSR_VSSCRATCH = 0x240,
	CSR_VSEPC = 0x241,
	CSR_VSCAUSE = 0x242,
	CSR_VSTVAL = 0x243,
	CSR_VSIP = 0x244,
	CSR_VSTIMECMP = 0x24d,
	CSR_VSTIMECMPH = 0x25d,
	CSR_VSATP = 0x280,
	CSR_MSTATUS = 0x300,
	CSR_HSTATUS = 0x600,
	CSR_HEDELEG = 0x602,
	CSR_HIDELEG = 0x603,
	CSR_HIE = 0x604,
	CSR_HTIMEDELTA = 0x605,
	CSR_HCOUNTEREN = 0x606,
	CSR_HGEIE = 0x607,
	CSR_HENVCFG = 0x60a,
	CSR_HSTATEEN0 = 0x60c,
	CSR_HEDELEGH = 0x612,
	CSR_HTIMEDELTAH = 0x615,
	CSR_HENVCFGH = 0x61a,
	CSR_HTVAL = 0x643,
	CSR_HIP = 0x644,
	CSR_HVIP = 0x645,
	CSR_HTINST = 0x64a,
	CSR_HGATP = 0x680,
	CSR_CYCLE = 0xc00,
	CSR_TIME = 0xc01,
	CSR_INSTRET = 0xc02,
	CSR_CYCLEH = 0xc80,
	CSR_HGEIP = 0xe12,
};

/* hstatus (8.2.1) */
#define HSTATUS_VSBE  BIT(5)
#define HSTATUS_GVA   BIT(6)
#define HSTATUS_SPV   BIT(7)
#define HSTATUS_SPVP  BIT(8)
#define HSTATUS_HU    BIT(9)
#define HSTATUS_VGEIN GENMASK(17, 12)
#define HSTATUS_VTVM  BIT(20)
#define HSTATUS_VTW   BIT(21)
#define HSTATUS_VTSR  BIT(22)
#define HSTATUS_VSXL  GENMASK(33, 32)

/* henvcfg (8.2.5) */
#define HENVCFG_CBIE  GENMASK(5, 4)
#define HENVCFG_CBCFE BIT(6)
#define HENVCFG_CBZE  BIT(7)
#define HENVCFG_PMM   GENMASK(33, 32)
#define HENVCFG_ADUE  BIT(61)
#define HENVCFG_PBMTE BIT(62)
#define HENVCFG_STCE  BIT(63)

/* sstatus and vsstatus (4.1.1) */
#define SSTATUS_UBE BIT(6)
#define SSTATUS_VS  GENMASK(10, 9)
#define SSTATUS_FS  GENMASK(14, 13)
#define SSTATUS_XS  GENMASK(16, 15)
#define SSTATUS_UXL GENMASK(33, 32)
#define SSTATUS_SD  BIT(63)

#endif
