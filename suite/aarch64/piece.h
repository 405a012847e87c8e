/* SPDX-License-Identifier: BSD-2-Clause */
/* For assembly: a piece of code that a case copies to a guest (arm.h). Addresses in it are relative
   to the PC. */
#ifndef SUITE_AARCH64_PIECE_H
#define SUITE_AARCH64_PIECE_H

	.section .rodata

	.macro	piece name
	.balign	8
	.globl	arm_\name, arm_\name\()_end
arm_\name:
	.endm

	.macro	end_piece name
arm_\name\()_end:
	.endm

#endif
