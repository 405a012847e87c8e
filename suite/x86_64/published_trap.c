/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published defects, x86-64: instructions whose exception is the wrong one, is missing, or comes at
 * the wrong place, in ring 0 and in user mode. docs/published.md lists them.
 */
#include "kernel/string.h"
#include "suite/published.h"
#include "suite/run.h"
#include "suite/x86_64/published.h"

/*
 * The layout of SPACE, from its first page on:
 *
 *	0x0000  stack pointer, GS, CR0, CR4, the old GDTR and IDTR
 *	0x0100  TSS        0x0200  GDT: a copy of the agent's, then 0x60 user code, 0x68 user data,
 *	                           0x70 TSS
 *	0x1000  IDT        0x3000  top of the user stack        0x4000  top of the ring 0 stack
 */
__asm__(".section .rdata,\"dr\"\n"
        "published_trap:\n"
        /* 1. Save the agent's state. r15 is SPACE. */
        "pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
        "leaq published_trap(%rip), %r15\n"
        "addq $0x2000, %r15\n"
        "movq %rsp, (%r15)\n"
        "movl %gs, %eax; movl %eax, 8(%r15)\n"
        "movq %cr0, %rax; movq %rax, 16(%r15); orq $0x40000, %rax; movq %rax, %cr0\n"
        "movq %cr4, %rax; movq %rax, 24(%r15)\n"
        "sgdt 32(%r15); sidt 48(%r15)\n"
        /* 2. Copy the GDT and add three descriptors. */
        "movq 34(%r15), %rsi; leaq 0x200(%r15), %r8; movl $12, %ecx\n"
        "1: movq (%rsi), %rax; movq %rax, (%r8); addq $8, %rsi; addq $8, %r8; decl %ecx; jnz 1b\n"
        "movabsq $0x0020fb0000000000, %rax; movq %rax, 0x260(%r15)\n"
        "movabsq $0x00cff3000000ffff, %rax; movq %rax, 0x268(%r15)\n"
        "leaq 0x100(%r15), %rdx\n"
        "movq %rdx, %rax; andl $0xffffff, %eax; shlq $16, %rax\n"
        "movq %rdx, %rcx; shrq $24, %rcx; andl $0xff, %ecx; shlq $56, %rcx; orq %rcx, %rax\n"
        "movabsq $0x0000890000000067, %rcx; orq %rcx, %rax; movq %rax, 0x270(%r15)\n"
        "movq %rdx, %rcx; shrq $32, %rcx; movq %rcx, 0x278(%r15)\n"
        "leaq 0x4000(%r15), %rax; movq %rax, 0x104(%r15); movw $0x68, 0x166(%r15)\n"
        "movw $0x7f, 64(%r15); leaq 0x200(%r15), %rax; movq %rax, 66(%r15); lgdt 64(%r15)\n"
        "movl $0x70, %eax; ltr %ax\n"
        /* 3. An IDT whose first 32 gates lead to the stubs below. Gate 3 may be used by user
         * mode. */
        "leaq 0x1000(%r15), %r8; leaq 4f(%rip), %rdx; movl $32, %ecx\n"
        "2: movl %edx, %eax; andl $0xffff, %eax; orl $0x80000, %eax; movl %eax, (%r8)\n"
        "movl %edx, %eax; andl $0xffff0000, %eax; orl $0x8e00, %eax; movl %eax, 4(%r8)\n"
        "movq %rdx, %rax; shrq $32, %rax; movq %rax, 8(%r8)\n"
        "addq $8, %rdx; addq $16, %r8; decl %ecx; jnz 2b\n"
        "orw $0x6000, 0x1034(%r15)\n"
        "movw $0x1ff, 80(%r15); leaq 0x1000(%r15), %rax; movq %rax, 82(%r15); lidt 80(%r15)\n"
        /* 4. The pages of the arena are user pages: PML4 entry 0, its entry 4, and the directory
         * if there is one. */
        "movq %cr3, %rax; andq $-4096, %rax; orq $4, (%rax); movq (%rax), %rdx\n"
        "movabsq $0xffffffffff000, %rcx; andq %rcx, %rdx; orq $4, 32(%rdx); movq 32(%rdx), %rdx\n"
        "testl $0x80, %edx; jnz 3f\n"
        "andq %rcx, %rdx; movl $512, %ecx\n"
        "5: orq $4, (%rdx); addq $8, %rdx; decl %ecx; jnz 5b\n"
        "3: movq %cr3, %rax; movq %rax, %cr3\n"
        /* 5. Go there. rdi is the address without its flag. */
        "testl $1, %edi; jnz 6f\n"
        "pushq $0x6b; leaq 0x3000(%r15), %rax; pushq %rax; pushq $2; pushq $0x63; pushq %rdi\n"
        "iretq\n"
        "6: decq %rdi; leaq 0x3000(%r15), %rsp; jmp *%rdi\n"
        /* 6. 32 stubs of 8 bytes each. */
        ".balign 8\n"
        "4:\n"
        ".set vector, 0\n"
        ".rept 32\n"
        ".balign 8\n"
        "pushq $vector\n"
        ".byte 0xe9; .long 7f - . - 4\n"
        ".set vector, vector + 1\n"
        ".endr\n"
        /* 7. The stack: vector, error code of some, RIP, CS. */
        ".balign 8\n"
        "7: leaq published_trap(%rip), %r15; addq $0x2000, %r15\n"
        "popq %rax; xorl %ecx, %ecx; movl $0x227d00, %edx; btl %eax, %edx; jnc 8f; popq %rcx\n"
        "8: movzwl %cx, %ecx; shlq $40, %rcx; orq %rcx, %rax\n"
        "movq (%rsp), %rcx; leaq -0x1000(%r15), %rdx; subq %rdx, %rcx\n"
        "andl $0xffffff, %ecx; shlq $8, %rcx; orq %rcx, %rax\n"
        "movq 8(%rsp), %rcx; andl $3, %ecx; shlq $32, %rcx; orq %rcx, %rax\n"
        "movq (%rsp), %rcx; shrq $40, %rcx; shlq $56, %rcx; orq %rcx, %rax\n"
        /* 8. Restore the agent's state. */
        "movq 16(%r15), %rcx; movq %rcx, %cr0; movq 24(%r15), %rcx; movq %rcx, %cr4\n"
        "lgdt 32(%r15); lidt 48(%r15)\n"
        "movl $0x10, %ecx; movl %ecx, %ss; movl %ecx, %ds; movl %ecx, %es\n"
        "movl 8(%r15), %ecx; movl %ecx, %gs\n"
        "movq (%r15), %rsp; cld\n"
        "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
        "ret\n"
        "published_trap_end:\n.text");

#define UD 6
#define NM 7
#define GP 13
#define AC 17
#define BP 3
#define DB 1

/* --- user mode --- */

/* GUEST_EXIT. HLT is #GP in user mode. */
PUBLISHED_TEXT(user_vmcall, "movl $0x464c0001, %eax; movl $7, %edi; vmcall; hlt")
PUBLISHED_TEXT(user_vmmcall, "movl $0x464c0001, %eax; movl $7, %edi; vmmcall; hlt")
PUBLISHED_TEXT(user_vmlaunch, "vmlaunch; hlt")
PUBLISHED_TEXT(user_vmresume, "vmresume; hlt")
PUBLISHED_TEXT(user_hlt, "hlt; int3")
PUBLISHED_TEXT(user_invd, "invd; int3")
PUBLISHED_TEXT(user_wbinvd, "wbinvd; int3")
PUBLISHED_TEXT(user_cr0, "movq %cr0, %rax; int3")
PUBLISHED_TEXT(user_cr4, "xorl %eax, %eax; movq %rax, %cr4; int3")
PUBLISHED_TEXT(user_rdmsr, "movl $0xc0000080, %ecx; rdmsr; int3")
PUBLISHED_TEXT(user_wrmsr, "movl $0xc0000080, %ecx; xorl %eax, %eax; xorl %edx, %edx; wrmsr; int3")
PUBLISHED_TEXT(user_in, "inb $0x80, %al; int3")
PUBLISHED_TEXT(user_out, "outb %al, $0x80; int3")
/* EFLAGS.AC, and a load that is not aligned. */
PUBLISHED_TEXT(user_alignment, "pushfq; orl $0x40000, (%rsp); popfq; movq -15(%rsp), %rax; int3")

/* --- ring 0 --- */

/* RFLAGS.TF takes effect after the instruction that follows POPFQ. */
#define TRACED "pushfq; orl $0x100, (%rsp); popfq; "

PUBLISHED_TEXT(step_cpuid, "xorl %eax, %eax; " TRACED "cpuid; nop; int3")
PUBLISHED_TEXT(step_vmcall, "movl $0x464c0000, %eax; " TRACED "vmcall; nop; int3")
PUBLISHED_TEXT(step_vmmcall, "movl $0x464c0000, %eax; " TRACED "vmmcall; nop; int3")
PUBLISHED_TEXT(step_load, "movl $0x10001000, %esi; " TRACED "movl (%rsi), %eax; nop; int3")
PUBLISHED_TEXT(step_rdmsr, "movl $0xc0000080, %ecx; " TRACED "rdmsr; nop; int3")
PUBLISHED_TEXT(step_in, TRACED "inb $0x80, %al; nop; int3")
/* No trap comes after MOV SS, but after the instruction that follows it. */
PUBLISHED_TEXT(step_shadow,
               "movl %ss, %ecx; xorl %eax, %eax; " TRACED "movl %ecx, %ss; .byte 0xf1; nop; int3")
PUBLISHED_TEXT(step_shadow_cpuid,
               "movl %ss, %esi; xorl %eax, %eax; " TRACED "movl %esi, %ss; cpuid; nop; int3")
PUBLISHED_TEXT(step_shadow_vmcall, "movl %ss, %esi; movl $0x464c0000, %eax; " TRACED
                                   "movl %esi, %ss; vmcall; nop; int3")
PUBLISHED_TEXT(step_shadow_vmmcall, "movl %ss, %esi; movl $0x464c0000, %eax; " TRACED
                                    "movl %esi, %ss; vmmcall; nop; int3")

/* CR0.TS. SSE needs CR4.OSFXSR. */
PUBLISHED_TEXT(fpu_disabled, "movq %cr4, %rax; orl $0x600, %eax; movq %rax, %cr4; "
                             "movq %cr0, %rax; andl $-5, %eax; orl $8, %eax; movq %rax, %cr0; "
                             "movups -32(%rsp), %xmm0; int3")

/* An address that is not canonical for an MSR that holds one. */
#define WRMSR(number)                                                                              \
	"movl $" #number ", %ecx; xorl %eax, %eax; movl $0x12340000, %edx; wrmsr; int3"
PUBLISHED_TEXT(msr_fs_base, WRMSR(0xc0000100))
PUBLISHED_TEXT(msr_gs_base, WRMSR(0xc0000101))
PUBLISHED_TEXT(msr_sysenter_esp, WRMSR(0x175))
PUBLISHED_TEXT(msr_sysenter_eip, WRMSR(0x176))
#define RDMSR(number) "movl $" #number ", %ecx; rdmsr; int3"
PUBLISHED_TEXT(msr_x2apic_840, RDMSR(0x840))
PUBLISHED_TEXT(msr_x2apic_8ff, RDMSR(0x8ff))
PUBLISHED_TEXT(msr_x2apic_900, RDMSR(0x900))
PUBLISHED_TEXT(msr_x2apic_bff, RDMSR(0xbff))

/* XCR0 with every bit set. */
PUBLISHED_TEXT(set_xcr0, "movq %cr4, %rax; orl $0x40000, %eax; movq %rax, %cr4; xorl %ecx, %ecx; "
                         "movl $-1, %eax; movl %eax, %edx; xsetbv; int3")

/* SS is null, which 64-bit ring 0 may have. Exits follow. */
PUBLISHED_TEXT(null_ss, "xorl %eax, %eax; movl %eax, %ss; cpuid; "
                        "movl $0x10001000, %esi; movl (%rsi), %eax; "
                        "pushq $5; popq %rax; int3")

/*
 * Maps the page at SPACE + 0x9000 at the top of the lower half, and executes CPUID in its last two
 * bytes. The address after it is not canonical. r15 is SPACE; its tables are at 0x6000.
 */
PUBLISHED_TEXT(end_of_half, "leaq 0x6003(%r15), %rax; movq %cr3, %rdx; andq $-4096, %rdx\n"
                            "movq %rax, 0x7f8(%rdx)\n"
                            "addq $0x1000, %rax; movq %rax, 0x6ff8(%r15)\n"
                            "addq $0x1000, %rax; movq %rax, 0x7ff8(%r15)\n"
                            "addq $0x1000, %rax; movq %rax, 0x8ff8(%r15)\n"
                            "movw $0xa20f, 0x9ffe(%r15)\n"
                            "movabsq $0x7ffffffffffe, %rsi; xorl %eax, %eax; jmp *%rsi")

/* What ends the text: an exception of one of its instructions. `last`: the bytes from that
 * instruction to the end of the text. For a trap, from the next one. */
static const struct row {
	const char *name;
	const char *extension; /* virt_ops.name; NULL: each */
	struct published_text text;
	bool user;
	uint8_t vector;
	uint8_t last;
} rows[] = {
	/* Xen, XSA-76: user mode of a guest could make hypercalls. */
	{"published.xen.76.vmcall", NULL, TEXT(user_vmcall), true, UD, 4},
	{"published.xen.76.vmmcall", NULL, TEXT(user_vmmcall), true, UD, 4},
	/* Xen, XSA-75: VMLAUNCH and VMRESUME in user mode were emulated before the privilege was
         * checked. */
	{"published.xen.75.vmlaunch", NULL, TEXT(user_vmlaunch), true, UD, 4},
	{"published.xen.75.vmresume", NULL, TEXT(user_vmresume), true, UD, 4},
	/* Xen, XSA-105: HLT, LGDT, LIDT and LMSW were emulated in user mode. */
	{"published.xen.105.hlt", NULL, TEXT(user_hlt), true, GP, 2},
	{"published.xen.105.invd", NULL, TEXT(user_invd), true, GP, 3},
	{"published.xen.105.wbinvd", NULL, TEXT(user_wbinvd), true, GP, 3},
	{"published.xen.105.cr0", NULL, TEXT(user_cr0), true, GP, 4},
	{"published.xen.105.cr4", NULL, TEXT(user_cr4), true, GP, 4},
	{"published.xen.105.rdmsr", NULL, TEXT(user_rdmsr), true, GP, 3},
	{"published.xen.105.wrmsr", NULL, TEXT(user_wrmsr), true, GP, 3},
	{"published.xen.105.in", NULL, TEXT(user_in), true, GP, 3},
	{"published.xen.105.out", NULL, TEXT(user_out), true, GP, 3},
	/* Xen, XSA-156: #AC, which the hypervisor intercepts and gives back to the guest. */
	{"published.xen.156", NULL, TEXT(user_alignment), true, AC, 6},
	/* Linux, commit bd7d95cafb49: the step trap came one instruction too late if the hypervisor
         * had emulated the instruction. That was on Arm; TF is x86's means. */
	{"published.linux.bd7d95cafb49.cpuid", NULL, TEXT(step_cpuid), false, DB, 2},
	{"published.linux.bd7d95cafb49.vmcall", "vmx", TEXT(step_vmcall), false, DB, 2},
	{"published.linux.bd7d95cafb49.vmmcall", "svm", TEXT(step_vmmcall), false, DB, 2},
	{"published.linux.bd7d95cafb49.load", NULL, TEXT(step_load), false, DB, 2},
	{"published.linux.bd7d95cafb49.rdmsr", NULL, TEXT(step_rdmsr), false, DB, 2},
	{"published.linux.bd7d95cafb49.in", NULL, TEXT(step_in), false, DB, 2},
	/* Xen, XSA-308: VM entry failed if #DB was given back to a guest that has TF set and
         * executed MOV SS just before. */
	{"published.xen.308.int1", NULL, TEXT(step_shadow), false, DB, 2},
	{"published.xen.308.cpuid", NULL, TEXT(step_shadow_cpuid), false, DB, 2},
	{"published.xen.308.vmcall", "vmx", TEXT(step_shadow_vmcall), false, DB, 2},
	{"published.xen.308.vmmcall", "svm", TEXT(step_shadow_vmmcall), false, DB, 2},
	/* Xen, XSA-190: CR0.TS of the guest was not respected. */
	{"published.xen.190", NULL, TEXT(fpu_disabled), false, NM, 6},
	/* Xen, XSA-193: base addresses that are not canonical were written to MSRs. */
	{"published.xen.193.fs-base", NULL, TEXT(msr_fs_base), false, GP, 3},
	{"published.xen.193.gs-base", NULL, TEXT(msr_gs_base), false, GP, 3},
	{"published.xen.193.sysenter-esp", NULL, TEXT(msr_sysenter_esp), false, GP, 3},
	{"published.xen.193.sysenter-eip", NULL, TEXT(msr_sysenter_eip), false, GP, 3},
	/* Xen, XSA-108: reads of MSRs after the x2APIC registers returned the hypervisor's memory.
         */
	{"published.xen.108.840", NULL, TEXT(msr_x2apic_840), false, GP, 3},
	{"published.xen.108.8ff", NULL, TEXT(msr_x2apic_8ff), false, GP, 3},
	{"published.xen.108.900", NULL, TEXT(msr_x2apic_900), false, GP, 3},
	{"published.xen.108.bff", NULL, TEXT(msr_x2apic_bff), false, GP, 3},
	/* Linux, commit d7876f1be40a: a guest could enable XSAVE states that its CPUID does not
         * have. */
	{"published.linux.d7876f1be40a", NULL, TEXT(set_xcr0), false, GP, 4},
	/* Linux, commit 33ab91103b34 (CVE-2017-2583): after a null selector in SS, VM entry failed,
         * or the guest had the wrong CPL. */
	{"published.linux.33ab91103b34", NULL, TEXT(null_ss), false, BP, 0},
	/* Xen, XSA-170: VM entry failed after an instruction at the end of the canonical
         * addresses. The address that #GP pushes is 0x8000_0000_0000. */
	{"published.xen.170", NULL, TEXT(end_of_half), false, GP, UINT8_MAX},
};

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	static struct published texts;
	const struct row *row = &rows[index];
	uint64_t offset;

	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	texts = (struct published){{published_trap, published_trap_end}, row->text};
	offset = (uint64_t)(row->text.end - row->text.start) - row->last;
	if (row->last == UINT8_MAX)
		offset = (UINT64_C(1) << 47) - USER;
	draft_name(d, "%s", row->name);
	if (row->extension != NULL && strcmp(row->extension, host->ops->name) != 0)
		d->c.arch = "none";
	d->c.data = &texts;
	d->c.ready = published_put;
	draft_area(d, (struct suite_area)PLACE);
	draft_op(d, (struct suite_op)CALL_CODE(USER + (row->user ? 0 : RING0),
	                                       ENDED(row->vector, offset, row->user ? 3 : 0, 0) |
	                                               ((USER + offset) >> 40) << 56));
	/* The hypervisor and the agent still work. */
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
	d->c.uncounted = true;
	return true;
}

const struct suite_subject suite_x86_64_published_trap = {
	.name = "published",
	.generate = generate,
	.generated = "published.",
};
