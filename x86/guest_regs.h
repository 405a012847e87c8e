/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The general and segment registers by the numbers that instructions use. decode/ and the host
 * tests use it without the rest of this folder.
 */
#ifndef X86_GUEST_REGS_H
#define X86_GUEST_REGS_H

/* General registers: SDM vol. 2, table 3-1. */
enum x86_gpr {
	GPR_RAX,
	GPR_RCX,
	GPR_RDX,
	GPR_RBX,
	GPR_RSP,
	GPR_RBP,
	GPR_RSI,
	GPR_RDI,
	GPR_R8,
	GPR_R15 = 15,
	GPR_COUNT,
};

/* Segment registers as instructions number them, then the two system segments. */
enum x86_segment {
	SEGMENT_ES,
	SEGMENT_CS,
	SEGMENT_SS,
	SEGMENT_DS,
	SEGMENT_FS,
	SEGMENT_GS,
	SEGMENT_LDTR,
	SEGMENT_TR,
	SEGMENT_COUNT,
};

#endif
