/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects of VMX alone: vmx_*.c. Without VMX they have no cases. */
#ifndef SUITE_X86_64_VMX_SUBJECTS_H
#define SUITE_X86_64_VMX_SUBJECTS_H

#include "suite/suite.h"

extern const struct suite_subject suite_vmx_fields, suite_vmx_event, suite_vmx_insn, suite_vmx_log,
	suite_vmx_exit;

#define VMX_SUBJECTS                                                                               \
	&suite_vmx_fields, &suite_vmx_event, &suite_vmx_insn, &suite_vmx_log, &suite_vmx_exit

#endif
