/*
 * Fields of the hypervisor extension's registers: privileged manual, 8.2 "Hypervisor and Virtual
 * Supervisor CSRs".
 */
#ifndef HEXT_FIELDS_H
#define HEXT_FIELDS_H

#include "machine/riscv64/csr.h"

/* hstatus */
#define HSTATUS_GVA  BIT(6)  /* stval is a guest virtual address */
#define HSTATUS_SPV  BIT(7)  /* sret enters V = 1 */
#define HSTATUS_SPVP BIT(8)  /* the guest was in VS, not VU: and hlv acts as that */
#define HSTATUS_VTW  BIT(21) /* wfi in VS traps */
#define HSTATUS_VSXL GENMASK(33, 32)
#define VSXL_64      2

/* hcounteren: which counters the guest reads without a trap */
#define HCOUNTEREN_CY BIT(0)
#define HCOUNTEREN_TM BIT(1)
#define HCOUNTEREN_IR BIT(2)

/* henvcfg */
#define HENVCFG_CBIE  GENMASK(5, 4)
#define HENVCFG_CBCFE BIT(6)
#define HENVCFG_CBZE  BIT(7)
#define HENVCFG_ADUE  BIT(61) /* Svadu: VS-stage A and D are set by hardware */
#define HENVCFG_PBMTE BIT(62) /* Svpbmt: VS-stage memory types */
#define HENVCFG_STCE  BIT(63) /* Sstc: vstimecmp */

/* 8.6.3: the pseudo-instructions of htinst, for an access that a VS-stage walk made */
#define HTINST_WALK_READ  0x3000 /* RV64: a load of an entry */
#define HTINST_WALK_WRITE 0x3020 /* a store of A or D */

#endif
