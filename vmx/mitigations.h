/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two errata of Intel CPUs that a guest can use against the host: which CPUs have them, and which
 * mitigation Faultline applies. Pure functions, which the host tests call.
 *
 * L1TF (CVE-2018-3646): if an entry of the guest's own tables is not present, the CPU nevertheless
 * reads the L1 data cache at the physical address in that entry, without the EPT. So vmx_run()
 * flushes the L1 data cache before its first entry. Until it returns, the host accesses only this
 * vCPU's own state, so the entries after exits that resume need no flush. A CPU without the flush
 * command (CPUID.(7,0):EDX.L1D_FLUSH; microcode of 2018) is reported as unmitigated. Hyper-threads
 * share the cache: a flush does not protect against a sibling that runs other code meanwhile.
 *
 * iTLB multi-hit (CVE-2018-12207): if a guest changes the size of a page while the instruction TLB
 * holds it in the old size, the CPU may raise a machine check. So executable EPT leaves are 4 KiB:
 * mm_npt_config.no_large_exec.
 *
 * Sources: Intel's "Deep Dive" papers on both; IA32_ARCH_CAPABILITIES and IA32_FLUSH_CMD: SDM
 * vol. 4, table 2-2; the list of CPUs: Linux (cpu_vuln_whitelist). Every CPU with VMX has both
 * errata unless the list or IA32_ARCH_CAPABILITIES says otherwise.
 */
#ifndef VMX_MITIGATIONS_H
#define VMX_MITIGATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/bits.h"

#define ARCH_RDCL_NO          BIT(0) /* no L1TF, among others */
#define ARCH_SKIP_L1DFL       BIT(3) /* no flush needed: an outer hypervisor does it */
#define ARCH_PSCHANGE_MC_NO   BIT(6) /* no iTLB multi-hit */
#define FLUSH_CMD_L1D         BIT(0)
#define MSR_ARCH_CAPABILITIES 0x10aU
#define MSR_FLUSH_CMD         0x10bU

/* The identity of a CPU. */
struct vmx_cpu_id {
	bool intel; /* CPUID.0 says "GenuineIntel" */
	unsigned family, model;
	uint64_t arch; /* IA32_ARCH_CAPABILITIES; 0 if there is none */
	bool flush;    /* CPUID.(7,0):EDX.L1D_FLUSH: IA32_FLUSH_CMD exists */
};

struct vmx_mitigations {
	bool flush_l1d;     /* write FLUSH_CMD_L1D to MSR_FLUSH_CMD before entries */
	bool no_large_exec; /* mm_npt_config.no_large_exec */
	const char *l1tf;   /* for the log: "flush", "not-affected", "not-needed", or
	                       "unmitigated": needed, but no flush command */
	const char *itlb;   /* "split" or "not-affected" */
};

struct vmx_mitigations vmx_mitigations_for(const struct vmx_cpu_id *id);

/* Family and model of CPUID.1:EAX, with their extended parts (SDM vol. 2A, CPUID, figure 3-6). */
void vmx_cpu_signature(uint32_t eax, struct vmx_cpu_id *id);

#endif
