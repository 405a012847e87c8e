/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMX as the SDM defines it: the fields of the VMCS (vol. 3D, appendix B), the bits of its
 * controls (vol. 3C, 25.6 to 25.8), the information that exits record in it (25.9), the
 * capability MSRs (vol. 3D, appendix A) and the VMX instructions (vol. 3C, ch. 31).
 *
 * VMPTRLD, VMCLEAR and VMXON return whether they succeeded. VMREAD and VMWRITE do not: with a
 * current VMCS they fail only for a field that does not exist, and the code uses a field only
 * after the capabilities have shown that it exists.
 */
#ifndef VMX_VMCS_H
#define VMX_VMCS_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/bits.h"

enum vmcs_field {
	/* 16 bits */
	VMCS_VPID = 0x0000,
	VMCS_GUEST_ES_SELECTOR = 0x0800,
	VMCS_GUEST_CS_SELECTOR = 0x0802,
	VMCS_GUEST_SS_SELECTOR = 0x0804,
	VMCS_GUEST_DS_SELECTOR = 0x0806,
	VMCS_GUEST_FS_SELECTOR = 0x0808,
	VMCS_GUEST_GS_SELECTOR = 0x080a,
	VMCS_GUEST_LDTR_SELECTOR = 0x080c,
	VMCS_GUEST_TR_SELECTOR = 0x080e,
	VMCS_GUEST_PML_INDEX = 0x0812,
	VMCS_HOST_ES_SELECTOR = 0x0c00,
	VMCS_HOST_CS_SELECTOR = 0x0c02,
	VMCS_HOST_SS_SELECTOR = 0x0c04,
	VMCS_HOST_DS_SELECTOR = 0x0c06,
	VMCS_HOST_FS_SELECTOR = 0x0c08,
	VMCS_HOST_GS_SELECTOR = 0x0c0a,
	VMCS_HOST_TR_SELECTOR = 0x0c0c,

	/* 64 bits */
	VMCS_MSR_BITMAP = 0x2004,
	VMCS_PML_ADDRESS = 0x200e,
	VMCS_EPT_POINTER = 0x201a,
	VMCS_GUEST_PHYSICAL_ADDRESS = 0x2400,
	VMCS_LINK_POINTER = 0x2800,
	VMCS_GUEST_EFER = 0x2806,
	VMCS_HOST_EFER = 0x2c02,

	/* 32 bits */
	VMCS_PIN_CONTROLS = 0x4000,
	VMCS_PROC_CONTROLS = 0x4002,
	VMCS_EXCEPTION_BITMAP = 0x4004,
	VMCS_CR3_TARGET_COUNT = 0x400a,
	VMCS_EXIT_CONTROLS = 0x400c,
	VMCS_EXIT_MSR_STORE_COUNT = 0x400e,
	VMCS_EXIT_MSR_LOAD_COUNT = 0x4010,
	VMCS_ENTRY_CONTROLS = 0x4012,
	VMCS_ENTRY_MSR_LOAD_COUNT = 0x4014,
	VMCS_ENTRY_INTERRUPTION_INFO = 0x4016,
	VMCS_ENTRY_ERROR_CODE = 0x4018,
	VMCS_ENTRY_INSTRUCTION_LENGTH = 0x401a,
	VMCS_PROC_CONTROLS2 = 0x401e,
	VMCS_INSTRUCTION_ERROR = 0x4400,
	VMCS_EXIT_REASON = 0x4402,
	VMCS_EXIT_INTERRUPTION_INFO = 0x4404,
	VMCS_EXIT_ERROR_CODE = 0x4406,
	VMCS_IDT_VECTORING_INFO = 0x4408,
	VMCS_IDT_VECTORING_ERROR_CODE = 0x440a,
	VMCS_EXIT_INSTRUCTION_LENGTH = 0x440c,
	VMCS_GUEST_ES_LIMIT = 0x4800,
	VMCS_GUEST_CS_LIMIT = 0x4802,
	VMCS_GUEST_SS_LIMIT = 0x4804,
	VMCS_GUEST_DS_LIMIT = 0x4806,
	VMCS_GUEST_FS_LIMIT = 0x4808,
	VMCS_GUEST_GS_LIMIT = 0x480a,
	VMCS_GUEST_LDTR_LIMIT = 0x480c,
	VMCS_GUEST_TR_LIMIT = 0x480e,
	VMCS_GUEST_GDTR_LIMIT = 0x4810,
	VMCS_GUEST_IDTR_LIMIT = 0x4812,
	VMCS_GUEST_ES_ACCESS = 0x4814,
	VMCS_GUEST_CS_ACCESS = 0x4816,
	VMCS_GUEST_SS_ACCESS = 0x4818,
	VMCS_GUEST_DS_ACCESS = 0x481a,
	VMCS_GUEST_FS_ACCESS = 0x481c,
	VMCS_GUEST_GS_ACCESS = 0x481e,
	VMCS_GUEST_LDTR_ACCESS = 0x4820,
	VMCS_GUEST_TR_ACCESS = 0x4822,
	VMCS_GUEST_INTERRUPTIBILITY = 0x4824,
	VMCS_GUEST_ACTIVITY = 0x4826,
	VMCS_GUEST_SYSENTER_CS = 0x482a,
	VMCS_PREEMPTION_TIMER = 0x482e,
	VMCS_HOST_SYSENTER_CS = 0x4c00,

	/* natural width */
	VMCS_CR0_MASK = 0x6000,
	VMCS_CR4_MASK = 0x6002,
	VMCS_CR0_SHADOW = 0x6004,
	VMCS_CR4_SHADOW = 0x6006,
	VMCS_EXIT_QUALIFICATION = 0x6400,
	VMCS_GUEST_LINEAR_ADDRESS = 0x640a,
	VMCS_GUEST_CR0 = 0x6800,
	VMCS_GUEST_CR3 = 0x6802,
	VMCS_GUEST_CR4 = 0x6804,
	VMCS_GUEST_ES_BASE = 0x6806,
	VMCS_GUEST_CS_BASE = 0x6808,
	VMCS_GUEST_SS_BASE = 0x680a,
	VMCS_GUEST_DS_BASE = 0x680c,
	VMCS_GUEST_FS_BASE = 0x680e,
	VMCS_GUEST_GS_BASE = 0x6810,
	VMCS_GUEST_LDTR_BASE = 0x6812,
	VMCS_GUEST_TR_BASE = 0x6814,
	VMCS_GUEST_GDTR_BASE = 0x6816,
	VMCS_GUEST_IDTR_BASE = 0x6818,
	VMCS_GUEST_DR7 = 0x681a,
	VMCS_GUEST_RSP = 0x681c,
	VMCS_GUEST_RIP = 0x681e,
	VMCS_GUEST_RFLAGS = 0x6820,
	VMCS_GUEST_PENDING_DEBUG = 0x6822,
	VMCS_GUEST_SYSENTER_ESP = 0x6824,
	VMCS_GUEST_SYSENTER_EIP = 0x6826,
	VMCS_HOST_CR0 = 0x6c00,
	VMCS_HOST_CR3 = 0x6c02,
	VMCS_HOST_CR4 = 0x6c04,
	VMCS_HOST_FS_BASE = 0x6c06,
	VMCS_HOST_GS_BASE = 0x6c08,
	VMCS_HOST_TR_BASE = 0x6c0a,
	VMCS_HOST_GDTR_BASE = 0x6c0c,
	VMCS_HOST_IDTR_BASE = 0x6c0e,
	VMCS_HOST_SYSENTER_ESP = 0x6c10,
	VMCS_HOST_SYSENTER_EIP = 0x6c12,
	VMCS_HOST_RSP = 0x6c14,
	VMCS_HOST_RIP = 0x6c16,
};

/* In each group the segment registers follow in the order of enum x86_segment, 2 apart. */
#define VMCS_SEGMENT(field, index) ((enum vmcs_field)((unsigned)(field) + 2U * (index)))

/* Pin-based controls: table 25-5. */
#define PIN_INTERRUPT_EXITING BIT(0)
#define PIN_NMI_EXITING       BIT(3)
#define PIN_VIRTUAL_NMIS      BIT(5)
#define PIN_PREEMPTION_TIMER  BIT(6)
#define PIN_POSTED_INTERRUPTS BIT(7)

/* Primary processor-based controls: table 25-6. */
#define PROC_INTERRUPT_WINDOW BIT(2)
#define PROC_HLT_EXITING      BIT(7)
#define PROC_MWAIT_EXITING    BIT(10)
#define PROC_RDPMC_EXITING    BIT(11)
#define PROC_CR3_LOAD         BIT(15)
#define PROC_CR3_STORE        BIT(16)
#define PROC_CR8_LOAD         BIT(19)
#define PROC_CR8_STORE        BIT(20)
#define PROC_TPR_SHADOW       BIT(21)
#define PROC_IO_EXITING       BIT(24)
#define PROC_MSR_BITMAPS      BIT(28)
#define PROC_MONITOR_EXITING  BIT(29)
#define PROC_SECONDARY        BIT(31)

/* Secondary processor-based controls: table 25-7. */
#define PROC2_APIC_ACCESSES BIT(0)
#define PROC2_EPT           BIT(1)
#define PROC2_VPID          BIT(5)
#define PROC2_WBINVD        BIT(6)
#define PROC2_UNRESTRICTED  BIT(7)
#define PROC2_VMFUNC        BIT(13)
#define PROC2_SHADOWING     BIT(14)
#define PROC2_PML           BIT(17)
#define PROC2_EPT_VE        BIT(18)
#define PROC2_MBEC          BIT(22)
#define PROC2_SPP           BIT(23)
#define PROC2_TSC_SCALING   BIT(25)

/* VM-exit controls: table 25-13. */
#define EXIT_SAVE_DEBUG      BIT(2)
#define EXIT_HOST_64         BIT(9)
#define EXIT_ACKNOWLEDGE     BIT(15)
#define EXIT_SAVE_EFER       BIT(20)
#define EXIT_LOAD_EFER       BIT(21)
#define EXIT_SAVE_PREEMPTION BIT(22)

/* VM-entry controls: table 25-15. */
#define ENTRY_LOAD_DEBUG BIT(2)
#define ENTRY_IA32E      BIT(9)
#define ENTRY_LOAD_EFER  BIT(15)

/* Exit reasons: appendix C. */
#define REASON_BASIC         GENMASK(15, 0)
#define REASON_ENTRY_FAILURE BIT(31)

enum exit_reason {
	REASON_EXCEPTION_OR_NMI = 0,
	REASON_EXTERNAL_INTERRUPT = 1,
	REASON_TRIPLE_FAULT = 2,
	REASON_INTERRUPT_WINDOW = 7,
	REASON_TASK_SWITCH = 9,
	REASON_CPUID = 10,
	REASON_GETSEC = 11,
	REASON_HLT = 12,
	REASON_INVD = 13,
	REASON_RDPMC = 15,
	REASON_VMCALL = 18,
	REASON_VMCLEAR = 19,
	REASON_VMLAUNCH = 20,
	REASON_VMPTRLD = 21,
	REASON_VMPTRST = 22,
	REASON_VMREAD = 23,
	REASON_VMRESUME = 24,
	REASON_VMWRITE = 25,
	REASON_VMXOFF = 26,
	REASON_VMXON = 27,
	REASON_CR_ACCESS = 28,
	REASON_IO = 30,
	REASON_RDMSR = 31,
	REASON_WRMSR = 32,
	REASON_BAD_GUEST_STATE = 33,
	REASON_MSR_LOADING = 34,
	REASON_MWAIT = 36,
	REASON_MONITOR = 39,
	REASON_MACHINE_CHECK = 41,
	REASON_EPT_VIOLATION = 48,
	REASON_EPT_MISCONFIGURATION = 49,
	REASON_INVEPT = 50,
	REASON_PREEMPTION_TIMER = 52,
	REASON_INVVPID = 53,
	REASON_WBINVD = 54,
	REASON_XSETBV = 55,
	REASON_INVPCID = 58,
	REASON_VMFUNC = 59,
	REASON_PML_FULL = 62,
};

/* Exit qualification of an EPT violation: table 28-7. */
#define QUAL_EPT_READ         BIT(0)
#define QUAL_EPT_WRITE        BIT(1)
#define QUAL_EPT_FETCH        BIT(2)
#define QUAL_EPT_ENTRY_RWX    GENMASK(5, 3) /* permissions of the entries walked */
#define QUAL_EPT_LINEAR_VALID BIT(7)
#define QUAL_EPT_FINAL        BIT(8) /* the access itself, not a walk of the guest's tables */

/* Exit qualification of an I/O instruction: table 28-5. */
#define QUAL_IO_SIZE   GENMASK(2, 0) /* minus one */
#define QUAL_IO_IN     BIT(3)
#define QUAL_IO_STRING BIT(4)
#define QUAL_IO_PORT   GENMASK(31, 16)

/* Exit qualification of a control-register access: table 28-3. */
#define QUAL_CR_NUMBER GENMASK(3, 0)
#define QUAL_CR_TYPE   GENMASK(5, 4)
#define QUAL_CR_GPR    GENMASK(11, 8)
#define CR_TYPE_WRITE  0U
#define CR_TYPE_READ   1U

/* Guest state. */
#define SEGMENT_DPL         GENMASK(6, 5)
#define SEGMENT_LONG        BIT(13)
#define SEGMENT_BIG         BIT(14)
#define BLOCKED_BY_STI      BIT(0) /* interruptibility: table 25-3 */
#define BLOCKED_BY_MOV_SS   BIT(1)
#define ACTIVITY_ACTIVE     0U
#define PENDING_SINGLE_STEP BIT(14) /* pending debug exceptions: table 25-4 */

/* EPT pointer: table 25-9. */
#define EPTP_MEMTYPE        GENMASK(2, 0)
#define EPTP_WALK_LENGTH    GENMASK(5, 3) /* minus one */
#define EPTP_ACCESSED_DIRTY BIT(6)
#define MEMTYPE_WRITE_BACK  6U

/* IA32_FEATURE_CONTROL: 24.7. */
#define FEATURE_CONTROL_LOCK        BIT(0)
#define FEATURE_CONTROL_OUTSIDE_SMX BIT(2)

/* Capability MSRs: appendix A. */
#define MSR_VMX_BASIC        0x480U
#define MSR_VMX_PIN          0x481U
#define MSR_VMX_PROC         0x482U
#define MSR_VMX_EXIT         0x483U
#define MSR_VMX_ENTRY        0x484U
#define MSR_VMX_MISC         0x485U
#define MSR_VMX_CR0_FIXED0   0x486U
#define MSR_VMX_CR0_FIXED1   0x487U
#define MSR_VMX_CR4_FIXED0   0x488U
#define MSR_VMX_CR4_FIXED1   0x489U
#define MSR_VMX_PROC2        0x48bU
#define MSR_VMX_EPT_VPID_CAP 0x48cU
#define MSR_VMX_TRUE_PIN     0x48dU
#define MSR_VMX_TRUE_PROC    0x48eU
#define MSR_VMX_TRUE_EXIT    0x48fU
#define MSR_VMX_TRUE_ENTRY   0x490U

#define BASIC_REVISION   GENMASK(30, 0)
#define BASIC_TRUE       BIT(55) /* the MSRs with TRUE in their names exist */
#define MISC_TIMER_SHIFT GENMASK(4, 0)

/* IA32_VMX_EPT_VPID_CAP: A.10. */
#define EPT_EXECUTE_ONLY   BIT(0)
#define EPT_WALK_4         BIT(6)
#define EPT_WALK_5         BIT(7)
#define EPT_UNCACHED       BIT(8)
#define EPT_WRITE_BACK     BIT(14)
#define EPT_LEAF_2M        BIT(16)
#define EPT_LEAF_1G        BIT(17)
#define EPT_INVEPT         BIT(20)
#define EPT_ACCESSED_DIRTY BIT(21)
#define EPT_EXIT_INFO      BIT(22)
#define EPT_INVEPT_SINGLE  BIT(25)
#define EPT_INVEPT_ALL     BIT(26)
#define VPID_INVVPID       BIT(32)
#define VPID_SINGLE        BIT(41)
#define VPID_ALL           BIT(42)

static inline uint64_t vmread(enum vmcs_field field)
{
	uint64_t value;

	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
	return value;
}

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"((uint64_t)field), "r"(value) : "cc");
}

#define DEFINE_POINTER_INSTRUCTION(name)                                                           \
	static inline bool name(mm_hpa_t region)                                                   \
	{                                                                                          \
		bool done;                                                                         \
                                                                                                   \
		__asm__ volatile(#name " %1" : "=@cca"(done) : "m"(region.raw) : "memory", "cc");  \
		return done;                                                                       \
	}
DEFINE_POINTER_INSTRUCTION(vmxon)
DEFINE_POINTER_INSTRUCTION(vmclear)
DEFINE_POINTER_INSTRUCTION(vmptrld)

/* The types of INVEPT and INVVPID. */
#define INVEPT_SINGLE  UINT64_C(1)
#define INVEPT_ALL     UINT64_C(2)
#define INVVPID_SINGLE UINT64_C(1)
#define INVVPID_ALL    UINT64_C(2)

struct invalidation {
	uint64_t which; /* EPTP, or VPID in bits 15:0 */
	uint64_t address;
};

static inline void invept(uint64_t type, uint64_t eptp)
{
	struct invalidation what = {eptp, 0};

	__asm__ volatile("invept %0, %1" : : "m"(what), "r"(type) : "memory", "cc");
}

static inline void invvpid(uint64_t type, uint16_t vpid)
{
	struct invalidation what = {vpid, 0};

	__asm__ volatile("invvpid %0, %1" : : "m"(what), "r"(type) : "memory", "cc");
}

#endif
