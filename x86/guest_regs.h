/*
 * What VMX and SVM share of a guest's registers: their order, the state in which a guest starts,
 * and the numbers under which traps of special registers are reported.
 */
#ifndef X86_GUEST_REGS_H
#define X86_GUEST_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/bits.h"
#include "vm_exit.h"

/* General registers as instructions number them: SDM vol. 2, table 3-1. */
enum x86_gpr {
	GPR_RAX,
	GPR_RCX,
	GPR_RDX,
	GPR_RBX,
	GPR_RSP,
	GPR_RBP,
	GPR_RSI,
	GPR_RDI,
	GPR_R8,
	GPR_R15 = 15,
	GPR_COUNT,
};

/* Segment registers as instructions number them, and then the two that the system uses. */
enum x86_segment {
	SEGMENT_ES,
	SEGMENT_CS,
	SEGMENT_SS,
	SEGMENT_DS,
	SEGMENT_FS,
	SEGMENT_GS,
	SEGMENT_LDTR,
	SEGMENT_TR,
	SEGMENT_COUNT,
};

struct x86_segment_state {
	uint16_t selector;
	uint16_t access; /* descriptor bits 55:52 and 47:40, as a VMCS has them in 15:12 and 7:0 */
	uint32_t limit;
	uint64_t base;
};

/* "rax", by number: for reports. */
extern const char *const x86_gpr_names[GPR_COUNT];

/* What IN of this width leaves in RAX: 4 bytes clear the upper half, 1 and 2 keep the rest. */
void x86_give_port(uint64_t gpr[GPR_COUNT], unsigned width, uint64_t value);

/* FXSAVE's image of the x87 and SSE state after power-on. `fpu` is zeroed. */
#define FPU_STATE_BYTES 512U
void x86_fpu_reset(uint8_t fpu[FPU_STATE_BYTES]);

#define SEGMENT_ACCESS_CODE32 0xc09bU /* present, code, readable, accessed, 32-bit, 4K units */
#define SEGMENT_ACCESS_DATA   0xc093U /* present, data, writable, accessed, 32-bit, 4K units */
#define SEGMENT_ACCESS_LDT    0x0082U
#define SEGMENT_ACCESS_TSS    0x008bU /* 32-bit, busy */

/* guests/abi.h: 32-bit protected mode, flat segments, paging off. */
extern const struct x86_segment_state guest_start_segments[SEGMENT_COUNT];
#define GUEST_START_CR0 UINT64_C(0x31) /* PE, ET, NE */
#define GUEST_START_DR7 UINT64_C(0x400)

/* What a guest may have in CR4 beyond what hardware refuses anyway. Not among it: VMXE and SMXE
 * (no nesting), OSXSAVE (XCR0 is not switched), PCIDE, PKE, CET (hidden by guest_cpuid), MCE
 * (a machine check is the host's). */
uint64_t guest_cr4_allowed(void);

/* vm_exit_sysreg.reg: MSRs by their number, control registers by these. */
#define SYSREG_CR(n) (0xfffff000U + (uint32_t)(n))

/* The vector of the one line that vcpu set_interrupt() raises. */
#define GUEST_INTERRUPT_VECTOR 0x20U

/* What CPUID leaves in RAX, RBX, RCX and RDX: the CPU's own answer, less what Faultline does not
 * give to guests, and leaf 0x4000_0000 with `signature` (12 characters). */
void guest_cpuid(uint64_t gpr[GPR_COUNT], const char *signature);

/* RDMSR or WRMSR as an exit. */
void x86_msr_exit(const uint64_t gpr[GPR_COUNT], bool write, struct vm_exit *exit);

#endif
