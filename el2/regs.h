/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System registers of EL2 and EL1, and their fields. Names and sections are those of the Arm
 * Architecture Reference Manual, DDI 0487, chapter D17.
 */
#ifndef EL2_REGS_H
#define EL2_REGS_H

#include "machine/aarch64/sysreg.h"
#include "mm/bits.h"

/* --- ID registers --- */

SYSREG_READ(id_aa64mmfr0_el1, "id_aa64mmfr0_el1")
SYSREG_READ(id_aa64mmfr1_el1, "id_aa64mmfr1_el1")
SYSREG_READ(id_aa64mmfr2_el1, "id_aa64mmfr2_el1")
SYSREG_READ(id_aa64isar0_el1, "id_aa64isar0_el1")
SYSREG_READ(id_aa64isar1_el1, "id_aa64isar1_el1")
SYSREG_READ(id_aa64pfr0_el1, "id_aa64pfr0_el1")
SYSREG_READ(id_aa64pfr1_el1, "id_aa64pfr1_el1")
SYSREG_READ(id_aa64dfr0_el1, "id_aa64dfr0_el1")
SYSREG_READ(midr_el1, "midr_el1")
SYSREG_READ(pmcr_el0, "pmcr_el0")

#define MMFR0_PARANGE  GENMASK(3, 0)
#define PARANGE_48     5U
#define PARANGE_52     6U /* with a 4 KiB granule only with LPA2 */
#define MMFR0_TGRAN4   GENMASK(31, 28)
#define MMFR0_TGRAN4_2 GENMASK(43, 40)
#define MMFR0_FGT      GENMASK(59, 56)
#define MMFR0_ECV      GENMASK(63, 60)
#define MMFR1_HAFDBS   GENMASK(3, 0)
#define MMFR1_VMIDBITS GENMASK(7, 4)
#define MMFR1_VH       GENMASK(11, 8)
#define MMFR1_HCX      GENMASK(43, 40)
#define MMFR1_XNX      GENMASK(31, 28)
#define MMFR2_CNP      GENMASK(3, 0)
#define MMFR2_NV       GENMASK(27, 24)
#define MMFR2_ST       GENMASK(31, 28)
#define MMFR2_FWB      GENMASK(43, 40)
#define MMFR2_TTL      GENMASK(51, 48)
#define MMFR2_BBM      GENMASK(55, 52)
#define MMFR2_EVT      GENMASK(59, 56)
#define ISAR0_ATOMIC   GENMASK(23, 20)
#define ISAR0_TLB      GENMASK(59, 56)
#define ISAR1_PAUTH    (GENMASK(7, 4) | GENMASK(11, 8))
#define PFR0_FP        GENMASK(19, 16)
#define PFR0_FP_NONE   15
#define PFR0_RAS       GENMASK(31, 28)
#define PFR0_SVE       GENMASK(35, 32)
#define PFR0_CSV2      GENMASK(59, 56)
#define PFR1_MTE       GENMASK(11, 8)
#define PFR1_SME       GENMASK(27, 24)
#define DFR0_PMUVER    GENMASK(11, 8)
#define PMCR_N         GENMASK(15, 11)

/* --- registers of EL2 --- */

SYSREG(hcr_el2, "hcr_el2")
SYSREG(vtcr_el2, "vtcr_el2")
SYSREG(vttbr_el2, "vttbr_el2")
SYSREG(vpidr_el2, "vpidr_el2")
SYSREG(vmpidr_el2, "vmpidr_el2")
SYSREG(cptr_el2, "cptr_el2")
SYSREG(mdcr_el2, "mdcr_el2")
SYSREG(hstr_el2, "hstr_el2")
SYSREG(cnthctl_el2, "cnthctl_el2")
SYSREG(cntvoff_el2, "cntvoff_el2")
SYSREG(vbar_el2, "vbar_el2")
SYSREG(ich_hcr_el2, "S3_4_C12_C11_0")
SYSREG_WRITE(hcrx_el2, "S3_4_C1_C2_2")
SYSREG_WRITE(hfgrtr_el2, "S3_4_C1_C1_4")
SYSREG_WRITE(hfgwtr_el2, "S3_4_C1_C1_5")
SYSREG_WRITE(hfgitr_el2, "S3_4_C1_C1_6")
SYSREG_WRITE(hdfgrtr_el2, "S3_4_C3_C1_4")
SYSREG_WRITE(hdfgwtr_el2, "S3_4_C3_C1_5")
SYSREG_READ(cntvct_el0, "cntvct_el0")
SYSREG_READ(esr_el2, "esr_el2")
SYSREG_READ(far_el2, "far_el2")
SYSREG_READ(hpfar_el2, "hpfar_el2")

/* D17.2.48: HCR_EL2. */
#define HCR_VM     BIT(0)
#define HCR_SWIO   BIT(1)
#define HCR_FMO    BIT(3)
#define HCR_IMO    BIT(4)
#define HCR_AMO    BIT(5)
#define HCR_VI     BIT(7)
#define HCR_FB     BIT(9)
#define HCR_BSU    GENMASK(11, 10)
#define HCR_DC     BIT(12)
#define HCR_TWI    BIT(13)
#define HCR_TID3   BIT(18)
#define HCR_TSC    BIT(19)
#define HCR_TIDCP  BIT(20)
#define HCR_TACR   BIT(21)
#define HCR_TSW    BIT(22)
#define HCR_TVM    BIT(26)
#define HCR_RW     BIT(31)
#define HCR_TLOR   BIT(35)
#define HCR_TERR   BIT(36)
#define HCR_ENSCXT BIT(53)
#define HCR_TID5   BIT(58)

/* D17.2.157: VTCR_EL2. */
#define VTCR_T0SZ  GENMASK(5, 0)
#define VTCR_SL0   GENMASK(7, 6)
#define VTCR_IRGN0 GENMASK(9, 8)
#define VTCR_ORGN0 GENMASK(11, 10)
#define VTCR_SH0   GENMASK(13, 12)
#define VTCR_PS    GENMASK(18, 16)
#define VTCR_VS    BIT(19)
#define VTCR_HA    BIT(21)
#define VTCR_HD    BIT(22)
#define VTCR_RES1  BIT(31)
#define VTCR_DS    BIT(32)
#define VTCR_SL2   BIT(33)

#define VTTBR_VMID GENMASK(63, 48)

/* D17.2.31: CPTR_EL2 with E2H 0. One of the RES1 bits is TZ, which traps SVE. */
#define CPTR_RES1 UINT64_C(0x33ff)
#define CPTR_TFP  BIT(10)
#define CPTR_TTA  BIT(20)
#define CPTR_TAM  BIT(30) /* FEAT_AMUv1; else RES0 */

/* D17.3.11: MDCR_EL2. */
#define MDCR_HPMN  GENMASK(4, 0)
#define MDCR_TPMCR BIT(5)
#define MDCR_TPM   BIT(6)
#define MDCR_TDA   BIT(9)
#define MDCR_TDOSA BIT(10)
#define MDCR_TDRA  BIT(11)
#define MDCR_TPMS  BIT(14)
#define MDCR_TTRF  BIT(19)

/* D17.11.2: CNTHCTL_EL2. EL1PCTEN: the guest reads the physical counter without a trap. */
#define CNTHCTL_EL1PCTEN BIT(0)

/* GICv3, IHI 0069, 12.4.5: ICH_HCR_EL2. */
#define ICH_HCR_TC    BIT(10)
#define ICH_HCR_TALL0 BIT(11)
#define ICH_HCR_TALL1 BIT(12)

/* D17.2.37: ESR_EL2. */
#define ESR_EC        GENMASK(31, 26)
#define ESR_IL        BIT(25)
#define ESR_ISS       GENMASK(24, 0)
#define EC_UNKNOWN    UINT64_C(0x00)
#define EC_WFX        UINT64_C(0x01)
#define EC_FP         UINT64_C(0x07)
#define EC_PAUTH      UINT64_C(0x09)
#define EC_HVC64      UINT64_C(0x16)
#define EC_SMC64      UINT64_C(0x17)
#define EC_SYSREG     UINT64_C(0x18)
#define EC_SVE        UINT64_C(0x19)
#define EC_SME        UINT64_C(0x1d)
#define EC_INSN_ABORT UINT64_C(0x20)
#define EC_DATA_ABORT UINT64_C(0x24)
#define ISS_FSC       GENMASK(5, 0)
#define ISS_WNR       BIT(6)
#define ISS_S1PTW     BIT(7)
#define ISS_CM        BIT(8)
#define ISS_FNV       BIT(10)
#define ISS_SF        BIT(15)
#define ISS_SRT       GENMASK(20, 16)
#define ISS_SSE       BIT(21)
#define ISS_SAS       GENMASK(23, 22)
#define ISS_ISV       BIT(24)
#define ISS_SYS_READ  BIT(0)
#define ISS_SYS_RT    GENMASK(9, 5)
#define ISS_SYS_REG   (GENMASK(21, 10) | GENMASK(4, 1))
#define ISS_SYS_OP0   GENMASK(21, 20)
#define ISS_SYS_OP2   GENMASK(19, 17)
#define ISS_SYS_OP1   GENMASK(16, 14)
#define ISS_SYS_CRN   GENMASK(13, 10)
#define ISS_SYS_CRM   GENMASK(4, 1)

/* Fault status codes: groups of four, for levels 0 to 3. Level -1, with LPA2, has its own. */
#define FSC_TYPE           GENMASK(5, 2)
#define FSC_ADDRESS        UINT64_C(0)
#define FSC_TRANSLATION    UINT64_C(1)
#define FSC_ACCESS_FLAG    UINT64_C(2)
#define FSC_PERMISSION     UINT64_C(3)
#define FSC_ADDRESS_M1     UINT64_C(0x29)
#define FSC_TRANSLATION_M1 UINT64_C(0x2b)

#define HPFAR_FIPA GENMASK(43, 4)

/* --- registers of EL1 and EL0 --- */

SYSREG(sctlr_el1, "sctlr_el1")
SYSREG(cpacr_el1, "cpacr_el1")
SYSREG(ttbr0_el1, "ttbr0_el1")
SYSREG(ttbr1_el1, "ttbr1_el1")
SYSREG(tcr_el1, "tcr_el1")
SYSREG(mair_el1, "mair_el1")
SYSREG(amair_el1, "amair_el1")
SYSREG(vbar_el1, "vbar_el1")
SYSREG(contextidr_el1, "contextidr_el1")
SYSREG(esr_el1, "esr_el1")
SYSREG(far_el1, "far_el1")
SYSREG(afsr0_el1, "afsr0_el1")
SYSREG(afsr1_el1, "afsr1_el1")
SYSREG(par_el1, "par_el1")
SYSREG(tpidr_el0, "tpidr_el0")
SYSREG(tpidrro_el0, "tpidrro_el0")
SYSREG(tpidr_el1, "tpidr_el1")
SYSREG(sp_el0, "sp_el0")
SYSREG(sp_el1, "sp_el1")
SYSREG(elr_el1, "elr_el1")
SYSREG(spsr_el1, "spsr_el1")
SYSREG(cntkctl_el1, "cntkctl_el1")
SYSREG(cntv_ctl_el0, "cntv_ctl_el0")
SYSREG(cntv_cval_el0, "cntv_cval_el0")
SYSREG(csselr_el1, "csselr_el1")
SYSREG_WRITE(mdscr_el1, "mdscr_el1")
SYSREG(fpcr, "S3_3_C4_C4_0")
SYSREG(fpsr, "S3_3_C4_C4_1")
SYSREG(vdisr_el2, "S3_4_C12_C1_1")
SYSREG(tpidr2_el0, "S3_3_C13_C0_5")
SYSREG(scxtnum_el0, "S3_3_C13_C0_7")
SYSREG(scxtnum_el1, "S3_0_C13_C0_7")

/* D17.2.118: SCTLR_EL1 with all features off. */
#define SCTLR_EL1_RES1  (BIT(29) | BIT(28) | BIT(23) | BIT(22) | BIT(20) | BIT(11))
#define SCTLR_EL1_M     BIT(0)
#define SCTLR_EL1_SPAN  BIT(23)
#define SCTLR_EL1_E0E   BIT(24)
#define SCTLR_EL1_EE    BIT(25)
#define SCTLR_EL1_DSSBS BIT(44)

/* VBAR_EL1: bits 10:0 are RES0. */
#define VBAR_EL1_BASE GENMASK(63, 11)

/* D17.2.111: PAR_EL1. */
#define PAR_F      BIT(0)
#define PAR_FST    GENMASK(6, 1)
#define PAR_STAGE2 BIT(9)
#define PAR_PA     GENMASK(51, 12)

/* C5.2.19: PSTATE as SPSR_EL2 has it. */
#define PSTATE_MODE GENMASK(3, 0)
#define PSTATE_EL0T UINT64_C(0)
#define PSTATE_EL1T UINT64_C(4)
#define PSTATE_EL1H UINT64_C(5)
#define PSTATE_DAIF GENMASK(9, 6)
#define PSTATE_SSBS BIT(12)
#define PSTATE_PAN  BIT(22)
#define PSTATE_DIT  BIT(24)
#define PSTATE_NZCV GENMASK(31, 28)

#endif
