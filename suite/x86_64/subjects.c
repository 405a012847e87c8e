/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects that only x86-64 has: VMX and SVM. */
#include <stddef.h>

#include "suite/x86_64/vmx_subjects.h"

extern const struct suite_subject suite_x86_state, suite_x86_cpuid, suite_x86_traps,
	suite_x86_events, suite_x86_mmio, suite_x86_walk, suite_x86_formats, suite_x86_emulated,
	suite_x86_kills, suite_x86_64_published, suite_x86_64_published_trap, suite_x86_device;

const struct suite_subject *const suite_arch_subjects[] = {
	&suite_x86_state,
	&suite_x86_cpuid,
	&suite_x86_traps,
	&suite_x86_events,
	&suite_x86_mmio,
	&suite_x86_walk,
	&suite_x86_formats,
	&suite_x86_emulated,
	&suite_x86_device,
	&suite_x86_kills,
	VMX_SUBJECTS,
	&suite_x86_64_published,
	&suite_x86_64_published_trap,
	NULL,
};
