/*
 * The hypercall, and what else of guest.h is an instruction or two here. System V ABI.
 */
	.text

/* struct guest_result guest_call(function, a0, a1, a2): error in %rax and value in %rdx, as C
 * returns a struct of two words. */
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

/* Fetches see stores without being told. */
	.globl guest_sync_code
guest_sync_code:
	ret
