/* The state in which an x86 guest starts: the same for VMX and SVM. */
#include "kernel/x86_64/guest_regs.h"

#include "kernel/x86_64/cpu.h"

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

uint64_t guest_cr4_allowed(void)
{
	return CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_OSFXSR |
	       CR4_OSXMMEXCPT | CR4_LA57 | CR4_FSGSBASE | CR4_SMEP | CR4_SMAP;
}
