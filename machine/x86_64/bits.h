/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control-register, flag and model-specific-register bits that more than one file needs. Names
 * are those of the Intel SDM (vol. 3, ch. 2; vol. 4) and the AMD APM (vol. 2). There are no
 * instructions here, so that decoders also compile for the host tests.
 */
#ifndef MACHINE_X86_64_BITS_H
#define MACHINE_X86_64_BITS_H

#include "mm/bits.h"

/* --- control registers: SDM vol. 3, 2.5 --- */
#define CR0_PE BIT(0)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME        BIT(0)
#define CR4_PVI        BIT(1)
#define CR4_TSD        BIT(2)
#define CR4_DE         BIT(3)
#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_MCE        BIT(6)
#define CR4_PGE        BIT(7)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_FSGSBASE   BIT(16)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)

#define DR6_CAUSES (GENMASK(3, 0) | GENMASK(15, 13)) /* breakpoints, BD, BS, BT */
#define DR6_BS     BIT(14)
#define DR7_GD     BIT(13)

#define RFLAGS_ONE BIT(1) /* always reads as 1 */
#define RFLAGS_TF  BIT(8)
#define RFLAGS_IF  BIT(9)
#define RFLAGS_DF  BIT(10)
#define RFLAGS_AC  BIT(18)

/* --- model-specific registers: SDM vol. 4 --- */
#define MSR_TSC             0x010U
#define MSR_APIC_BASE       0x01bU
#define MSR_FEATURE_CONTROL 0x03aU
#define MSR_TSC_DEADLINE    0x6e0U
#define MSR_X2APIC          0x800U /* + APIC register offset / 16 */
#define MSR_EFER            0xc0000080U

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

#endif
