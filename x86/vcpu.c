/* The state in which an x86 guest starts: the same for VMX and SVM. */
#include "x86/guest_regs.h"

#include "machine/x86_64/cpu.h"

#define FLAT_DATA                                                                                  \
	{                                                                                          \
		0x10, SEGMENT_ACCESS_DATA, UINT32_MAX, 0                                           \
	}

const struct x86_segment_state guest_start_segments[SEGMENT_COUNT] = {
	[SEGMENT_ES] = FLAT_DATA,
	[SEGMENT_CS] = {0x08, SEGMENT_ACCESS_CODE32, UINT32_MAX, 0},
	[SEGMENT_SS] = FLAT_DATA,
	[SEGMENT_DS] = FLAT_DATA,
	[SEGMENT_FS] = FLAT_DATA,
	[SEGMENT_GS] = FLAT_DATA,
	[SEGMENT_LDTR] = {0, SEGMENT_ACCESS_LDT, 0xffff, 0},
	[SEGMENT_TR] = {0, SEGMENT_ACCESS_TSS, 0xffff, 0},
};

const char *const x86_gpr_names[GPR_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                              "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                              "r12", "r13", "r14", "r15"};

void x86_give_port(uint64_t gpr[GPR_COUNT], unsigned width, uint64_t value)
{
	uint64_t mask = GENMASK(8 * width - 1, 0);
	uint64_t kept = width == 4 ? 0 : gpr[GPR_RAX] & ~mask;

	gpr[GPR_RAX] = kept | (value & mask);
}

/* SDM vol. 1, 10.5.1 (the image's layout) and vol. 3, table 9-1 (the values). */
#define FPU_CONTROL_WORD 0
#define FPU_MXCSR        24
#define CONTROL_WORD     UINT16_C(0x037f)
#define MXCSR            UINT32_C(0x1f80)

void x86_fpu_reset(uint8_t fpu[FPU_STATE_BYTES])
{
	*(uint16_t *)(void *)(fpu + FPU_CONTROL_WORD) = CONTROL_WORD;
	*(uint32_t *)(void *)(fpu + FPU_MXCSR) = MXCSR;
}

uint64_t guest_cr4_allowed(void)
{
	return CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_OSFXSR |
	       CR4_OSXMMEXCPT | CR4_LA57 | CR4_FSGSBASE | CR4_SMEP | CR4_SMAP;
}

void x86_msr_exit(const uint64_t gpr[GPR_COUNT], bool write, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_SYSREG;
	exit->sysreg = (struct vm_exit_sysreg){
		.reg = (uint32_t)gpr[GPR_RCX],
		.write = write,
		.value = gpr[GPR_RDX] << 32 | (uint32_t)gpr[GPR_RAX],
		.gpr = GPR_RAX,
	};
}
