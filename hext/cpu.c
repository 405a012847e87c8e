/*
 * Switching the hypervisor extension on and off on one hart.
 */
#include "decode/riscv64_insn.h"
#include "hext/features.h"
#include "hext/fields.h"
#include "hext/hext.h"
#include "machine/riscv64/trap.h"

/*
 * hedeleg (8.2.2): what the guest's own handler takes without us. Not delegated: access faults,
 * which mean that a mapping of ours leads nowhere, and what can only be ours (8.2.2 makes the
 * bits of ecall from VS, of guest-page faults and of virtual instructions read-only zero).
 */
#define DELEGATED                                                                                  \
	(BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_ILLEGAL) | BIT(CAUSE_BREAKPOINT) |                \
	 BIT(CAUSE_LOAD_MISALIGNED) | BIT(CAUSE_STORE_MISALIGNED) | BIT(CAUSE_ECALL_U) |           \
	 BIT(CAUSE_FETCH_PAGE) | BIT(CAUSE_LOAD_PAGE) | BIT(CAUSE_STORE_PAGE))

/* Those that a guest with page tables cannot do without. */
#define DEMANDED                                                                                   \
	(BIT(CAUSE_ECALL_U) | BIT(CAUSE_FETCH_PAGE) | BIT(CAUSE_LOAD_PAGE) | BIT(CAUSE_STORE_PAGE))

bool hext_cpu_enable(const char **why)
{
	csr_write(hedeleg, DELEGATED);
	if ((csr_read(hedeleg) & DEMANDED) != DEMANDED) {
		*why = "hedeleg does not delegate page faults and calls from user mode";
		return false;
	}
	csr_write(hideleg, INTERRUPT_VS_SOFTWARE | INTERRUPT_VS_TIMER | INTERRUPT_VS_EXTERNAL);
	csr_write(hcounteren, HCOUNTEREN_CY | HCOUNTEREN_TM | HCOUNTEREN_IR);
	csr_write(htimedelta, 0);
	csr_write(hgeie, 0);
	csr_write(hvip, 0);
	if (hext_features.envcfg)
		csr_write(HENVCFG, hext_henvcfg());
	csr_write(hgatp, 0);
	hfence_gvma_all();
	csr_write(stvec, (uint64_t)(uintptr_t)hext_trap);
	return true;
}
