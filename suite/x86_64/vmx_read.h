/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMCS as the suite reads it. The field numbers of the cases are those of the SDM (vol. 3D,
 * appendix B) and not those of vmx/, so that a wrong number in vmx/ is a difference.
 */
#ifndef SUITE_X86_64_VMX_READ_H
#define SUITE_X86_64_VMX_READ_H

#include <stdint.h>

#include "kernel/string.h"
#include "suite/run.h"

static inline bool vmx_is_here(const struct host *host)
{
	return strcmp(host->ops->name, "vmx") == 0;
}

/* For suite_subject.generate: row `index` of a list. There is no case on a machine without VMX. */
static inline bool vmx_case(const struct suite_case *cases, size_t count, size_t index,
                            const struct host *host, struct suite_draft *draft)
{
	if (index >= count || !vmx_is_here(host))
		return false;
	draft->c = cases[index];
	return true;
}

/* Of the current VMCS. */
static inline uint64_t vmcs_read(uint32_t field)
{
	uint64_t value = 0;

	__asm__ volatile("vmread %1, %0" : "+r"(value) : "r"((uint64_t)field) : "cc");
	return value;
}

static inline void vmcs_write(uint32_t field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"((uint64_t)field), "r"(value) : "cc");
}

/* Makes the VMCS of this vCPU current on the calling CPU. No other CPU has it. */
static inline void vmcs_load(struct suite_run *run, unsigned vcpu)
{
	struct vcpu_register registers[VCPU_REGISTERS];
	const struct vcpu *v = &run->vm->vcpus[vcpu].vcpu;

	(void)v->ops->registers(v, registers);
}

/* Compares a field. Notes a difference. */
static inline void vmcs_expect(struct suite_run *run, uint32_t field, const char *name,
                               uint64_t expected)
{
	uint64_t got = vmcs_read(field);

	if (got != expected)
		suite_fail(run, "%s: expected 0x%" PRIx64 ", got 0x%" PRIx64, name, expected, got);
}

#endif
