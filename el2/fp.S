/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saves and loads the vector registers of a guest. The hypervisor is built without them, so they
 * stay in the CPU until another vCPU is loaded there.
 *
 *	void el2_save_vectors(uint64_t to[64])
 *	void el2_load_vectors(const uint64_t from[64])
 */
	.arch_extension fp
	.arch_extension simd
	.text

	.macro	all_pairs insn
	\insn	q0, q1, [x0]
	\insn	q2, q3, [x0, #32]
	\insn	q4, q5, [x0, #64]
	\insn	q6, q7, [x0, #96]
	\insn	q8, q9, [x0, #128]
	\insn	q10, q11, [x0, #160]
	\insn	q12, q13, [x0, #192]
	\insn	q14, q15, [x0, #224]
	\insn	q16, q17, [x0, #256]
	\insn	q18, q19, [x0, #288]
	\insn	q20, q21, [x0, #320]
	\insn	q22, q23, [x0, #352]
	\insn	q24, q25, [x0, #384]
	\insn	q26, q27, [x0, #416]
	\insn	q28, q29, [x0, #448]
	\insn	q30, q31, [x0, #480]
	.endm

	.globl	el2_save_vectors
el2_save_vectors:
	all_pairs stp
	ret

	.globl	el2_load_vectors
el2_load_vectors:
	all_pairs ldp
	ret
