/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of a guest that executes the code of vmx_code.S, and its record: vmx_guest.c. */
#ifndef SUITE_X86_64_VMX_GUEST_H
#define SUITE_X86_64_VMX_GUEST_H

#include "suite/run.h"
#include "suite/x86_64/vmx_code.h"

/* CODE and IDT are present and RWX. What is at STACK differs between the cases. */
#define CODE       ARENA
#define CODE_PAGES 3U
#define IDT        (ARENA + CODE_PAGES * PAGE)
#define STACK      (ARENA + 16 * PAGE)
#define STACK_TOP  (STACK + PAGE)

#define CODE_AREA POPULATED(CODE, (CODE_PAGES + 1) * PAGE, MM_RWX)

/* Guest-physical address of a symbol of vmx_code.S. */
#define CODE_AT(symbol) (CODE + (uint64_t)((symbol)-vmx_code))

/* A call of the code at `entry`, with this stack, that must note this number of events. */
#define CALL_CODE(entry, stack, events)                                                            \
	{                                                                                          \
		OP(CALL_AT, .addr = (entry), .value = (stack)), .value = (events)                  \
	}

/* Writes the code and its IDT into the guest. */
bool vmx_put_code(struct suite_run *run);
/* The record as the guest left it. False: it cannot be read; noted. */
bool vmx_get_record(struct suite_run *run, struct vmx_record *out);
/* A vCPU's interrupt line. For steps. */
uint64_t vmx_line_step(struct suite_run *run, uint64_t number);

#endif
