/* INVEPT, here and, by way of shootdown.h, on the other CPUs. */
#include "mm/hal.h"
#include "vmx/caps.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"
#include "x86/shootdown.h"

static void invalidate(const struct vmx_cpu *cpu, uint64_t root)
{
	if (!cpu->on)
		return;
	/* A single-context INVEPT names the tables by their root alone (SDM vol. 3C, 29.4.3.1);
	 * the rest of the operand has to be a valid EPTP, and the loaded one has that. */
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
	invalidate(vmx_this_cpu(), request->root.raw);
	shootdown_end(request->root.raw);
}

void vmx_flush_late(const struct vmx_cpu *cpu, uint64_t stale)
{
	invalidate(cpu, stale);
}
