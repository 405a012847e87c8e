/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SVM as the APM defines it: the virtual machine control block (VMCB; vol. 2, appendix B), a
 * control area of 1 KiB and the guest's state; the bits of its fields (ch. 15); the exit codes
 * (appendix C); the MSRs (15.30). Assertions check the offsets.
 */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

#include <stddef.h>
#include <stdint.h>

#include "mm/bits.h"
#include "svm/offsets.h"

/* MSRs: 15.30. */
#define MSR_VM_CR    0xc0010114U
#define MSR_VM_HSAVE 0xc0010117U
#define VM_CR_SVMDIS BIT(4)
#define EFER_SVME    BIT(12)

/* Intercepts, a word each: table B-1, offsets 000h to 010h. */
#define INTERCEPT_CR_READ(n)  (UINT32_C(1) << (n))
#define INTERCEPT_CR_WRITE(n) (UINT32_C(1) << (16 + (n)))

#define INTERCEPT1_INTR        (UINT32_C(1) << 0)
#define INTERCEPT1_NMI         (UINT32_C(1) << 1)
#define INTERCEPT1_INIT        (UINT32_C(1) << 3)
#define INTERCEPT1_RDPMC       (UINT32_C(1) << 15)
#define INTERCEPT1_CPUID       (UINT32_C(1) << 18)
#define INTERCEPT1_INVD        (UINT32_C(1) << 22)
#define INTERCEPT1_HLT         (UINT32_C(1) << 24)
#define INTERCEPT1_INVLPGA     (UINT32_C(1) << 26)
#define INTERCEPT1_IOIO        (UINT32_C(1) << 27)
#define INTERCEPT1_MSR         (UINT32_C(1) << 28)
#define INTERCEPT1_TASK_SWITCH (UINT32_C(1) << 29)
#define INTERCEPT1_SHUTDOWN    (UINT32_C(1) << 31)

#define INTERCEPT2_VMRUN   (UINT32_C(1) << 0) /* must be set: 15.5.1 */
#define INTERCEPT2_VMMCALL (UINT32_C(1) << 1)
#define INTERCEPT2_VMLOAD  (UINT32_C(1) << 2)
#define INTERCEPT2_VMSAVE  (UINT32_C(1) << 3)
#define INTERCEPT2_STGI    (UINT32_C(1) << 4)
#define INTERCEPT2_CLGI    (UINT32_C(1) << 5)
#define INTERCEPT2_SKINIT  (UINT32_C(1) << 6)
#define INTERCEPT2_RDTSCP  (UINT32_C(1) << 7)
#define INTERCEPT2_WBINVD  (UINT32_C(1) << 9)
#define INTERCEPT2_MONITOR (UINT32_C(1) << 10)
#define INTERCEPT2_MWAIT   (UINT32_C(1) << 11)
#define INTERCEPT2_XSETBV  (UINT32_C(1) << 13)

/* TLB_CONTROL, offset 05ch: 15.16.1. */
#define TLB_KEEP       0U
#define TLB_FLUSH_ALL  1U
#define TLB_FLUSH_ASID 3U

/* Virtual interrupts, offset 060h: 15.21. */
#define V_TPR          GENMASK(3, 0) /* the guest's CR8 */
#define V_IRQ          BIT(8)
#define V_PRIORITY     GENMASK(19, 16)
#define V_IGNORE_TPR   BIT(20)
#define V_INTR_MASKING BIT(24)
#define V_VECTOR       GENMASK(39, 32)

#define INTERRUPT_SHADOW BIT(0) /* offset 068h */
#define NESTED_PAGING    BIT(0) /* offset 090h */

/* Clean bits, offset 0c0h: 15.15.3. Set: the fields have not changed since the last VMRUN. */
#define CLEAN_INTERCEPTS BIT(0)
#define CLEAN_IOPM       BIT(1)
#define CLEAN_ASID       BIT(2)
#define CLEAN_TPR        BIT(3)
#define CLEAN_NP         BIT(4)
#define CLEAN_CRX        BIT(5)
#define CLEAN_DRX        BIT(6)
#define CLEAN_DT         BIT(7)
#define CLEAN_SEGMENTS   BIT(8)
#define CLEAN_CR2        BIT(9)
#define CLEAN_ALL        GENMASK(9, 0)

/* EVENTINJ and EXITINTINFO: 15.20. x86/x86.h has bits 31:0. */
#define EVENT_ERROR GENMASK(63, 32)

/* EXITCODE: appendix C. */
enum svm_exit_code {
	SVM_CR_WRITE = 0x010,
	SVM_EXCEPTION = 0x040,
	SVM_EXCEPTION_LAST = 0x05f,
	SVM_INTR = 0x060,
	SVM_NMI = 0x061,
	SVM_INIT = 0x063,
	SVM_RDPMC = 0x06f,
	SVM_CPUID = 0x072,
	SVM_INVD = 0x076,
	SVM_HLT = 0x078,
	SVM_INVLPGA = 0x07a,
	SVM_IOIO = 0x07b,
	SVM_MSR = 0x07c,
	SVM_TASK_SWITCH = 0x07d,
	SVM_SHUTDOWN = 0x07f,
	SVM_VMRUN = 0x080,
	SVM_VMMCALL = 0x081,
	SVM_VMLOAD = 0x082,
	SVM_VMSAVE = 0x083,
	SVM_STGI = 0x084,
	SVM_CLGI = 0x085,
	SVM_SKINIT = 0x086,
	SVM_RDTSCP = 0x087,
	SVM_WBINVD = 0x089,
	SVM_MONITOR = 0x08a,
	SVM_MWAIT = 0x08b,
	SVM_MWAIT_ARMED = 0x08c,
	SVM_XSETBV = 0x08d,
	SVM_NPF = 0x400,
};

#define INSN_COUNT GENMASK(3, 0)

#define SVM_INVALID UINT64_MAX /* VMRUN refused the VMCB */

/* EXITINFO1 of a nested page fault: 15.25.6. */
#define NPF_PRESENT  BIT(0)
#define NPF_WRITE    BIT(1)
#define NPF_RESERVED BIT(3)
#define NPF_FETCH    BIT(4)
#define NPF_FINAL    BIT(32) /* the access itself... */
#define NPF_WALK     BIT(33) /* ...or the walk of the guest's own tables */

/* EXITINFO1 of IN and OUT: 15.10.2. EXITINFO2 is the RIP of the next instruction. */
#define IOIO_IN     BIT(0)
#define IOIO_STRING BIT(2)
#define IOIO_WIDTH  GENMASK(6, 4) /* one bit for each of 1, 2, 4 bytes: the value is the width */
#define IOIO_PORT   GENMASK(31, 16)

#define MSR_IS_WRITE UINT64_C(1) /* EXITINFO1 of an MSR access: 15.11 */

/* Attributes of a segment. */
#define ATTRIBUTE_LONG BIT(9)  /* CS.L, descriptor bit 53 */
#define ATTRIBUTE_BIG  BIT(10) /* CS.D, descriptor bit 54 */

struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes; /* descriptor bits 55:52 and 47:40 as 11:8 and 7:0 */
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint32_t intercept_cr;
	uint32_t intercept_dr;
	uint32_t intercept_exceptions;
	uint32_t intercept1;
	uint32_t intercept2;
	uint32_t intercept3;
	uint8_t reserved_018[0x40 - 0x18];
	uint64_t iopm_base;
	uint64_t msrpm_base;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t virtual_interrupt;
	uint64_t interrupt_shadow;
	uint64_t exit_code;
	uint64_t exit_info1;
	uint64_t exit_info2;
	uint64_t exit_int_info;
	uint64_t nested_control;
	uint8_t reserved_098[0xa8 - 0x98];
	uint64_t event_injection;
	uint64_t nested_cr3;
	uint64_t lbr_control;
	uint64_t clean;
	uint64_t next_rip;
	/* Decode assists, 15.8.4: the bytes that the CPU fetched for a data access that ended in a
	 * nested page fault, and their number. */
	uint8_t insn_count; /* bits 3:0 */
	uint8_t insn[15];
	uint8_t reserved_0e0[0x400 - 0xe0];

	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t cpl;
	uint8_t reserved_4cc[0x4d0 - 0x4cc];
	uint64_t efer;
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4;
	uint64_t cr3;
	uint64_t cr0;
	uint64_t dr7;
	uint64_t dr6;
	uint64_t rflags;
	uint64_t rip;
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t reserved_5e0[0x5f8 - 0x5e0];
	uint64_t rax;
	uint8_t syscall_state[0x640 - 0x600]; /* STAR to SYSENTER_EIP: VMLOAD's and VMSAVE's */
	uint64_t cr2;
	uint8_t reserved_648[0x668 - 0x648];
	uint64_t g_pat;
	uint8_t reserved_670[0x1000 - 0x670];
};

_Static_assert(offsetof(struct vmcb, iopm_base) == 0x040, "APM table B-1");
_Static_assert(offsetof(struct vmcb, asid) == 0x058, "APM table B-1");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x070, "APM table B-1");
_Static_assert(offsetof(struct vmcb, nested_control) == 0x090, "APM table B-1");
_Static_assert(offsetof(struct vmcb, event_injection) == 0x0a8, "APM table B-1");
_Static_assert(offsetof(struct vmcb, clean) == 0x0c0, "APM table B-1");
_Static_assert(offsetof(struct vmcb, insn_count) == 0x0d0, "APM table B-1");
_Static_assert(offsetof(struct vmcb, es) == 0x400, "APM table B-2");
_Static_assert(offsetof(struct vmcb, tr) == 0x490, "APM table B-2");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "APM table B-2");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "APM table B-2");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "APM table B-2");
_Static_assert(offsetof(struct vmcb, rax) == VMCB_RAX, "APM table B-2; enter.S");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "APM table B-2");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "APM table B-2");
_Static_assert(sizeof(struct vmcb) == 0x1000, "a VMCB is a frame");

#endif
