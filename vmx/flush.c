/* SPDX-License-Identifier: BSD-2-Clause */
/* INVEPT on this CPU and, by the protocol of x86/shootdown.h, on the others. */
#include "vmx/vmx.h"

void vmx_invalidate(const struct vmx_cpu *cpu, uint64_t root)
{
	if (!cpu->on)
		return;
	/* Single-context INVEPT selects the tables by their root (SDM vol. 3C, 29.4.3.1). The other
	 * bits of its operand have to be those of a valid EPTP: the current vCPU's are. */
	if (root != SHOOTDOWN_ALL && cpu->current != NULL &&
	    (vmx_caps.ept_vpid & EPT_INVEPT_SINGLE))
		invept(INVEPT_SINGLE, (cpu->current->eptp & (MM_PAGE_SIZE - 1)) | root);
	else
		invept(INVEPT_ALL, 0);
}

void vmx_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx;
	shootdown_begin(request->root.raw);
	vmx_invalidate(vmx_this_cpu(), request->root.raw);
	shootdown_end(request->root.raw);
}
