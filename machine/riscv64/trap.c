/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of an unexpected trap.
 */
#include "machine/riscv64/trap.h"

#include "log.h"
#include "machine/riscv64/cpu.h"

static const char *cause_name(uint64_t scause)
{
	static const char *const names[] = {
		[CAUSE_FETCH_MISALIGNED] = "instruction address misaligned",
		[CAUSE_FETCH_ACCESS] = "instruction access fault",
		[CAUSE_ILLEGAL] = "illegal instruction",
		[CAUSE_BREAKPOINT] = "breakpoint",
		[CAUSE_LOAD_MISALIGNED] = "load address misaligned",
		[CAUSE_LOAD_ACCESS] = "load access fault",
		[CAUSE_STORE_MISALIGNED] = "store address misaligned",
		[CAUSE_STORE_ACCESS] = "store access fault",
		[CAUSE_FETCH_PAGE] = "instruction page fault",
		[CAUSE_LOAD_PAGE] = "load page fault",
		[CAUSE_STORE_PAGE] = "store page fault",
		[CAUSE_FETCH_GUEST_PAGE] = "instruction guest-page fault",
		[CAUSE_LOAD_GUEST_PAGE] = "load guest-page fault",
		[CAUSE_VIRTUAL_INSTRUCTION] = "virtual instruction",
		[CAUSE_STORE_GUEST_PAGE] = "store guest-page fault",
	};

	if ((scause & SCAUSE_INTERRUPT) != 0)
		return "interrupt";
	if (scause >= MM_ARRAY_SIZE(names) || names[scause] == NULL)
		return "unknown";
	return names[scause];
}

void trap_report(const struct trap_frame *frame)
{
	static const char names[32][5] = {
		"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
		"a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
		"s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	const uint64_t *x = frame->x;
	uint64_t scause = csr_read(scause), sepc = csr_read(sepc), stval = csr_read(stval);

	log_line(LOG_QUIET, "trap cpu=%u hart=%llu pc=%#llx scause=%#llx stval=%#llx sstatus=%#llx",
	         machine_cpu_index(), (unsigned long long)this_cpu()->hart,
	         (unsigned long long)sepc, (unsigned long long)scause, (unsigned long long)stval,
	         (unsigned long long)csr_read(sstatus));
	for (unsigned i = 0; i < 32; i += 4)
		log_line(LOG_QUIET, "trap %s=%#llx %s=%#llx %s=%#llx %s=%#llx", names[i],
		         (unsigned long long)x[i], names[i + 1], (unsigned long long)x[i + 1],
		         names[i + 2], (unsigned long long)x[i + 2], names[i + 3],
		         (unsigned long long)x[i + 3]);
	panic("%s in the hypervisor at pc %#llx, address %#llx", cause_name(scause),
	      (unsigned long long)sepc, (unsigned long long)stval);
}
