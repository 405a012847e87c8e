/*
 * What this CPU's VMX can do (SDM vol. 3D, appendix A), and the control words that Faultline
 * makes of it. The same on every CPU of a machine: read once, by the probe.
 */
#ifndef VMX_CAPS_H
#define VMX_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/bits.h"
#include "vmx/mitigations.h"

#define MSR_VMX_CR0_FIXED0 0x486U
#define MSR_VMX_CR0_FIXED1 0x487U
#define MSR_VMX_CR4_FIXED0 0x488U
#define MSR_VMX_CR4_FIXED1 0x489U

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

/* One control word: what may be 1, and what must be. */
struct vmx_control {
	uint32_t must;
	uint32_t may;
};

struct vmx_caps {
	uint32_t revision; /* of VMXON regions and VMCSs */
	struct vmx_control pin, proc, proc2, exit, entry;
	uint64_t ept_vpid;
	unsigned preemption_shift; /* its timer counts once in 2^n TSC ticks */

	/* What Faultline uses of it. */
	bool preemption_timer;
	bool vpid;
	uint32_t pin_controls, proc_controls, proc2_controls, exit_controls, entry_controls;
	struct vmx_mitigations mitigations;
};

/* Reads the capability MSRs, which exist if CPUID says VMX, and chooses. NULL, or what is
 * missing that Faultline cannot do without. */
const char *vmx_caps_read(struct vmx_caps *caps);

/* As vmx_caps_read left them for the probe; constant afterwards. */
extern struct vmx_caps vmx_caps;

#endif
