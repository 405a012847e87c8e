/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall, and the functions of guest.h that are one or two instructions here. System V ABI.
 */
	.text

/* struct guest_result guest_call(function, a0, a1, a2): the error in %rax and the value in %rdx, as
 * C returns a struct of two words. */
	.globl guest_call
guest_call:
	leal	0x464c0000(%rdi), %eax	/* GUEST_X86_BASE + function */
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	cmpb	$0, guest_uses_vmmcall(%rip)
	jne	1f
	vmcall
	ret
1:	vmmcall
	ret

	.globl guest_cycles
guest_cycles:
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	ret

	.globl guest_wait
guest_wait:
	hlt
	ret

/* x86 fetches see earlier stores without a further instruction. */
	.globl guest_sync_code
guest_sync_code:
	ret
