/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code for guests of AArch64. A case makes a routine, the suite writes it to the guest's memory,
 * and AGENT_CALL_AT calls it: x0 is its argument and its result. The pieces of code are copied;
 * the instructions for lists of registers are generated.
 */
#ifndef SUITE_AARCH64_ARM_H
#define SUITE_AARCH64_ARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "suite/run.h"
#include "suite/suite.h"

#define ARM_CODE_WORDS 2048

struct arm_code {
	uint32_t word[ARM_CODE_WORDS];
	size_t count;
};

/* A piece of code: piece.inc. */
struct arm_piece {
	const uint32_t *start, *end;
};
#define ARM_PIECE(name)                                                                            \
	extern const uint32_t arm_##name[], arm_##name##_end[];                                    \
	static const struct arm_piece name = {arm_##name, arm_##name##_end}

void arm_emit(struct arm_code *code, uint32_t word);
void arm_emit_piece(struct arm_code *code, struct arm_piece piece);

/* C6.2: instructions with a system register; `reg` is arm_reg(). */
#define ARM_MRS      UINT32_C(0xd5200000)
#define ARM_MSR      UINT32_C(0xd5000000)
#define ARM_RET      UINT32_C(0xd65f03c0)
#define ARM_ISB      UINT32_C(0xd5033fdf)
#define ARM_MOV_X0_0 UINT32_C(0xd2800000)
static inline uint32_t arm_reg(unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
	return op0 << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5;
}

/* Writes code to a guest's memory. False: noted as a failure. */
bool arm_place(struct suite_run *run, struct vm *vm, uint64_t gpa, const struct arm_code *code);
bool arm_place_piece(struct suite_run *run, struct vm *vm, uint64_t gpa, struct arm_piece piece);

/* Where the cases put code and data. vCPU n has the n-th ARM_SLOT of each. */
#define ARM_SLOT  (4 * PAGE)
#define ARM_CODE  ARENA
#define ARM_DATA  (ARENA + 16 * PAGE)
#define ARM_AREAS AREAS(POPULATED(ARENA, 32 * PAGE, MM_RWX))

#define CALL_AT(at, arg, expected)                                                                 \
	{                                                                                          \
		OP(CALL_AT, .addr = (at), .value = (arg)), .value = (expected)                     \
	}

/* .ready of a case: writes the piece at .data, a struct arm_piece, to ARM_CODE. */
bool arm_ready(struct suite_run *run);

/* --- move.c --- */

/* Runs the VMs, each with one vCPU, in turns: each turn ends at GUEST_YIELD. In each turn a vCPU is
 * on another CPU than before, if `cpus` is more than 1. *halts is the number of WFI exits. False:
 * noted as a failure. */
bool arm_run_moving(struct suite_run *run, struct vm *const vms[], size_t count, unsigned cpus,
                    unsigned *halts);

/* Makes a VM whose vCPU calls the piece at ARM_CODE once, and compares its result with 0. */
bool arm_make_moving(struct suite_run *run, struct vm *vm, struct arm_piece piece);
void arm_compare_moving(struct suite_run *run, struct vm *vm);

extern const struct suite_subject suite_arm_state, suite_arm_trap, suite_arm_id, suite_arm_inject,
	suite_arm_timer, suite_arm_mmio, suite_arm_report, suite_arm_caps, suite_arm_machine,
	suite_arm_sweep, suite_arm_fault;

#endif
