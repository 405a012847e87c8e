/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image's header and the entry point of every vCPU: 32-bit protected mode, flat segments,
 * paging off, interrupts off, %edi = vCPU index, %esi = guest_info. 64-bit mode requires page
 * tables. The image contains them: they map the lower 512 GiB to themselves.
 *
 * Everything except the tables is in the header's section, so that the assembler can compute the
 * addresses in the descriptor tables.
 */
	.equ BASE, 0x40000000		/* guest.ld's guest_base */
	.equ CODE, 0x08
	.equ DATA, 0x10

	.equ CR0_PG_WP, 0x80010000
	.equ CR4_PAE, 0x20
	.equ MSR_EFER, 0xc0000080
	.equ EFER_LME, 0x100

	.equ PTE_TABLE, 0x23		/* P, W, A */
	.equ PTE_LARGE, 0xe3		/* P, W, A, D, PS */
	.equ PDPT_ENTRIES, 512
	.equ DIRECTORIES, 8		/* GiB mapped if the CPU has no 1 GiB pages */

	.section .guest_header, "awx"
header:
	.quad	0x54534555474c46	/* GUEST_MAGIC */
	.long	3			/* GUEST_X86_64 */
	.long	1			/* GUEST_ABI */
	.quad	guest_image_end - BASE
	.quad	guest_memory_end - BASE
	.quad	guest_start - header

	.globl guest_start
	.code32
guest_start:
	/* 1. Choose the hypercall instruction by the last letters of CPUID's "FaultlineVMX". */
	movl	$0x40000000, %eax
	cpuid
	cmpl	$0x4d565365, %edx	/* "eSVM" */
	sete	BASE + (guest_uses_vmmcall - header)

	/* 2. A CPU without 1 GiB pages gets directories of 2 MiB pages. */
	movl	$0x80000001, %eax
	cpuid
	btl	$26, %edx
	jc	2f
	movl	$guest_directories, %ebx
	movl	$guest_pdpt, %ecx
	xorl	%ebp, %ebp
	movl	$PTE_LARGE, %eax
	xorl	%edx, %edx
1:	movl	%eax, (%ebx,%ebp,8)
	movl	%edx, 4(%ebx,%ebp,8)
	addl	$0x200000, %eax
	adcl	$0, %edx
	incl	%ebp
	cmpl	$(DIRECTORIES * 512), %ebp
	jne	1b
	addl	$PTE_TABLE, %ebx
	xorl	%ebp, %ebp
1:	movl	%ebx, (%ecx,%ebp,8)
	movl	$0, 4(%ecx,%ebp,8)
	addl	$4096, %ebx
	incl	%ebp
	cmpl	$DIRECTORIES, %ebp
	jne	1b

	/* 3. PAE, the tables, LME, and paging: together they enable 64-bit mode. */
2:	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$guest_pml4, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$EFER_LME, %eax
	xorl	%edx, %edx
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PG_WP, %eax
	movl	%eax, %cr0
	lgdtl	BASE + (gdt_pointer - header)
	ljmpl	$CODE, $(BASE + (long_mode - header))

	.code64
long_mode:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs

	/* 4. An unexpected exception ends the guest with its vector. */
	lidt	idt_pointer(%rip)

	/* 5. Stack number %edi, from its high end. %edi and %rsi already hold the payload's
	 * arguments. */
	movl	%edi, %eax
	incl	%eax
	shll	$12, %eax
	leaq	guest_stacks(%rip), %rsp
	addq	%rax, %rsp
	movl	%esi, %esi
	xorl	%ebp, %ebp
	cld

	/* 6. Call the payload. A return is success. */
	call	guest_main
	xorl	%edi, %edi
	call	guest_exit

	/* Status 0x100 + vector. No stub returns, so the error code that some exceptions push does
	 * not matter. */
	.macro trap_stubs
	.set	vector, 0
	.rept	32
	.balign	8
	pushq	$vector
	jmp	trap
	.set	vector, vector + 1
	.endr
	.endm
	.balign	8
traps:
	trap_stubs
trap:
	popq	%rdi
	addl	$0x100, %edi
	andq	$-16, %rsp
	call	guest_exit

	.globl guest_uses_vmmcall
guest_uses_vmmcall:
	.byte	0

	.balign	8
gdt:
	.quad	0
	.quad	0x00209b0000000000	/* 0x08: code, 64-bit */
	.quad	0x00cf93000000ffff	/* 0x10: data */
gdt_pointer:
	.word	. - gdt - 1
	.long	BASE + (gdt - header)

	/* 32 interrupt gates: SDM vol. 3, figure 6-8. */
	.balign	8
idt:
	.set	stub, 0
	.rept	32
	.word	(traps - header) + 8 * stub	/* the image begins at a multiple of 64 KiB */
	.word	CODE, 0x8e00, BASE >> 16
	.quad	0
	.set	stub, stub + 1
	.endr
idt_pointer:
	.word	. - idt - 1
	.quad	BASE + (idt - header)

	/* Accessed and dirty are set, so that no walk writes to these entries. */
	.data
	.balign	4096
guest_pml4:
	.quad	guest_pdpt + PTE_TABLE
	.fill	511, 8, 0
guest_pdpt:
	.set	gib, 0
	.rept	PDPT_ENTRIES
	.quad	(gib << 30) + PTE_LARGE
	.set	gib, gib + 1
	.endr

	.bss
	.balign	4096
guest_directories:
	.skip	DIRECTORIES * 4096

	/* Last in memory: vCPUs beyond GUEST_MAX_VCPUS have their stacks behind it, if the VM has more
	   RAM than the image requests. */
	.section .stacks, "aw", @nobits
	.balign	4096
guest_stacks:
	.skip	8 * 4096		/* GUEST_MAX_VCPUS * GUEST_STACK_SIZE */
