/*
 * Two errata of Intel CPUs by which a guest that maps its memory at will reads what is not its own,
 * or stops the machine; which CPUs have them, and what Faultline does. Pure.
 *
 * L1TF (CVE-2018-3646): a guest's own entry that is not present still makes the CPU read the L1
 * data cache at the host-physical address that the guest has put there, past EPT. So L1D is
 * flushed before a guest is entered after anybody else's data may have come into it: on each
 * vmx_run(). Between the exits that vmx_run() answers itself, only this vCPU's own state is
 * touched, and nothing is flushed. Without the command (CPUID.(7,0):EDX.L1D_FLUSH; microcode of
 * 2018) nothing is, and the log says so. Hyper-threads share L1D: against a sibling that runs
 * something else meanwhile, no flush helps.
 *
 * iTLB multi-hit (CVE-2018-12207): the instruction TLB holds a page in two sizes while a guest
 * changes its own, and the CPU takes a machine check. Executable EPT leaves have to be 4 KiB:
 * npt_config.no_large_exec.
 *
 * Sources: Intel's "Deep Dive" papers on both; IA32_ARCH_CAPABILITIES and IA32_FLUSH_CMD: SDM
 * vol. 4, table 2-2. The list of CPUs is Linux's (cpu_vuln_whitelist, on which KVM builds):
 * every CPU with VMX has both unless it is listed or says otherwise.
 */
#ifndef VMX_MITIGATIONS_H
#define VMX_MITIGATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/bits.h"

#define ARCH_RDCL_NO          BIT(0) /* no L1TF, among others */
#define ARCH_SKIP_L1DFL       BIT(3) /* an outer hypervisor flushes, or nobody needs to */
#define ARCH_PSCHANGE_MC_NO   BIT(6) /* no iTLB multi-hit */
#define FLUSH_CMD_L1D         BIT(0)
#define MSR_ARCH_CAPABILITIES 0x10aU
#define MSR_FLUSH_CMD         0x10bU

/* What tells CPUs apart. */
struct vmx_cpu_id {
	bool intel; /* CPUID.0 says "GenuineIntel" */
	unsigned family, model;
	uint64_t arch; /* IA32_ARCH_CAPABILITIES; 0 if there is none */
	bool flush;    /* CPUID.(7,0):EDX.L1D_FLUSH: IA32_FLUSH_CMD exists */
};

struct vmx_mitigations {
	bool flush_l1d;     /* write FLUSH_CMD_L1D to MSR_FLUSH_CMD before entries */
	bool no_large_exec; /* npt_config.no_large_exec */
	const char *l1tf;   /* for the log: "flush", "not-affected", "not-needed", or
	                       "unmitigated" for want of the command */
	const char *itlb;   /* "split" or "not-affected" */
};

struct vmx_mitigations vmx_mitigations_for(const struct vmx_cpu_id *id);

/* Family and model of CPUID.1:EAX, with their extended parts (SDM vol. 2A, CPUID, figure 3-6). */
void vmx_cpu_signature(uint32_t eax, struct vmx_cpu_id *id);

#endif
