/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published defects, x86-64: device accesses, the guest's tables, the state of a new guest, and the
 * syndrome of a nested fault. docs/published.md lists them. Exceptions are in published_trap.c.
 */
#include "suite/published.h"

#include "kernel/string.h"
#include "machine/x86_64/bits.h"
#include "mm/npt/entry.h"
#include "suite/run.h"
#include "suite/x86_64/published.h"

#define DATA  (ARENA + 8 * PAGE)
#define VALUE UINT64_C(0x600dda7a600dda7a)

/* --- device accesses --- */

/* IN of 1, 2 and 4 bytes from a port without a device: all ones in exactly these bits; a 4-byte
 * result clears bits 63:32. The result is 0. */
PUBLISHED_TEXT(port_widths, "movabsq $0x1122334455667788, %rcx\n"
                            "movq %rcx, %rax; inb $0x80, %al; movq %rax, %rsi\n"
                            "movabsq $0x11223344556677ff, %rdx; xorq %rdx, %rsi\n"
                            "movq %rcx, %rax; inw $0x80, %ax\n"
                            "movabsq $0x112233445566ffff, %rdx; xorq %rdx, %rax; orq %rax, %rsi\n"
                            "movq %rcx, %rax; inl $0x80, %eax\n"
                            "movl $0xffffffff, %edx; xorq %rdx, %rax; orq %rsi, %rax\n"
                            "ret")

/* A load from the device at rdi by MOV with each segment override, and with none. In 64-bit code
 * the bases of ES, CS, SS and DS are 0; that of FS is 0 here. The result is the OR of the
 * differences. */
PUBLISHED_TEXT(segment_overrides, "xorl %esi, %esi; movl (%rdi), %ecx\n"
                                  ".byte 0x26; movl (%rdi), %eax; xorl %ecx, %eax; orl %eax, %esi\n"
                                  ".byte 0x2e; movl (%rdi), %eax; xorl %ecx, %eax; orl %eax, %esi\n"
                                  ".byte 0x36; movl (%rdi), %eax; xorl %ecx, %eax; orl %eax, %esi\n"
                                  ".byte 0x3e; movl (%rdi), %eax; xorl %ecx, %eax; orl %eax, %esi\n"
                                  ".byte 0x64; movl (%rdi), %eax; xorl %ecx, %eax; orl %eax, %esi\n"
                                  "movl %esi, %eax\n"
                                  "ret")

/* --- the guest's tables --- */

/* PML4 entry 1 becomes a copy of entry 0, with the bits of rdi. */
PUBLISHED_TEXT(copy_pml4, "movq %cr3, %rdx; andq $-4096, %rdx; movq (%rdx), %rax; orq %rdi, %rax\n"
                          "movq %rax, 8(%rdx); movq %cr3, %rax; movq %rax, %cr3; xorl %eax, %eax\n"
                          "ret")
#define PML4_1 (UINT64_C(1) << 39)
#define PS     BIT(7)

/* Step n: the hypervisor's own walk of the address n pages behind PML4_1 + ARENA. */
static uint64_t own_walk(struct suite_run *run, uint64_t number)
{
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;
	mm_gpa_t gpa;

	return (uint32_t)vcpu->ops->translate(vcpu, mm_gva_at(PML4_1 + ARENA + number * PAGE), MM_R,
	                                      &gpa);
}

/* Bit 51 is reserved. */
static bool narrow_addresses(struct suite_run *run)
{
	if (run->host->caps.hpa_bits > 51)
		run->skip = "the CPU has 52 address bits";
	return true;
}

/* --- state --- */

/* CR0.CD: a load of a page that was never touched, a store, and a load through the cache. */
PUBLISHED_TEXT(no_cache, "movq %cr0, %rdx; movq %rdx, %rax; orl $0x40000000, %eax\n"
                         "movq %rax, %cr0; wbinvd\n"
                         "movq (%rdi), %rcx; addq $5, %rcx; movq %rcx, (%rdi)\n"
                         "movq %rdx, %cr0; movq (%rdi), %rax\n"
                         "ret")

/* The FPU's data as the guest finds it: ST0 to ST7, XMM0 to XMM15, and the addresses of the last
 * instruction. rdi is aligned. The result is the OR of all of it. */
PUBLISHED_TEXT(read_fpu, "movq %cr4, %rdx; movq %rdx, %rax; orl $0x600, %eax; movq %rax, %cr4\n"
                         "fxsaveq (%rdi)\n"
                         "movq %rdx, %cr4\n"
                         "movq 8(%rdi), %rax; orq 16(%rdi), %rax; movl $32, %ecx\n"
                         "shlq $32, %rax; movq 8(%rdi), %rdx; orq %rdx, %rax\n"
                         "1: orq (%rdi,%rcx), %rax; addl $8, %ecx; cmpl $416, %ecx; jb 1b\n"
                         "ret")

/* A guest before this one has left its data in the registers. */
static bool leave_fpu_data(struct suite_run *run)
{
	static const uint64_t pattern[2] = {VALUE, ~VALUE};

	(void)run;
	__asm__ volatile("fninit; fldpi; fldl2e; fldln2; fldlg2\n\t"
	                 "movups (%0), %%xmm0; movaps %%xmm0, %%xmm1; movaps %%xmm0, %%xmm2\n\t"
	                 "movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm8; movaps %%xmm0, %%xmm15"
	                 :
	                 : "r"(pattern)
	                 : "memory");
	return true;
}

/* A comparison that fails writes the old value back. */
PUBLISHED_TEXT(failing_cmpxchg, "movl $7, %eax; movl $9, %edx; lock cmpxchgl %edx, (%rdi)\n"
                                "ret")

/* --- the syndrome --- */

/* AMD APM vol. 2, 15.25.6: EXITINFO1 has the error code of a page fault, of a user access (bit 2).
 * Bit 32: the final address, bit 33: the guest's tables. Intel SDM, table 28-7: the access in bits
 * 2:0, the permissions in 5:3, valid linear address in 7, and in 8 that it is not of a walk. */
static const struct {
	uint64_t svm, vmx;
} syndromes[] = {
	{UINT64_C(1) << 32 | 4, 0x181},          /* a read of an absent page */
	{UINT64_C(1) << 32 | 6, 0x182},          /* a write */
	{UINT64_C(1) << 32 | 0x14, 0x184},       /* a fetch */
	{UINT64_C(1) << 32 | 7, 0x182 | 1 << 3}, /* a write to a read-only page */
};

#define SVM_BITS (UINT64_C(3) << 32 | 0x17)
#define VMX_BITS UINT64_C(0x1bf)

static void check_syndrome(struct suite_run *run, const struct vm_exit *exit)
{
	bool svm = strcmp(run->host->ops->name, "svm") == 0;
	uint64_t n = run->scratch[0], got, expected;

	if (exit->kind != VM_EXIT_NESTED_FAULT)
		return;
	run->scratch[0]++;
	if (n >= MM_ARRAY_SIZE(syndromes))
		return;
	got = exit->raw[1] & (svm ? SVM_BITS : VMX_BITS);
	expected = svm ? syndromes[n].svm : syndromes[n].vmx;
	if (got != expected)
		suite_fail(run, "fault %" PRIu64 ": expected 0x%" PRIx64 ", got 0x%" PRIx64, n,
		           expected, got);
}

/* Step 0: the page at DATA becomes present. */
static uint64_t populate(struct suite_run *run, uint64_t number)
{
	uint64_t word;

	(void)number;
	return (uint32_t)mm_aspace_load(&run->vm->as, mm_gpa_at(DATA), 8, &word);
}

static bool saw_all(struct suite_run *run)
{
	return run->scratch[0] == MM_ARRAY_SIZE(syndromes) ||
	       suite_fail(run, "%" PRIu64 " faults", run->scratch[0]);
}

/* --- reserved bits of an entry that points at a table --- */

static uint64_t original, *spoilt;

/* Step n sets bit n of the directory entry for DATA. */
static uint64_t spoil_directory(struct suite_run *run, uint64_t number)
{
	const struct mm_npt *npt = &run->vm->as.npt;
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	size_t count = mm_npt_steps(npt, mm_gpa_at(DATA), steps);
	uint64_t *table = mm_hal_to_virt(&npt->hal, npt->root);
	struct mm_flush everything = {.root = mm_aspace_root(&run->vm->as),
	                              .tag = mm_aspace_tag(&run->vm->as),
	                              .all = true,
	                              .tables = true};

	if (count < 2 || steps[count - 1].level != 0)
		return UINT32_MAX;
	for (size_t i = 0; i + 2 < count; i++)
		table = mm_hal_to_virt(&npt->hal, mm_npt_decode_pa(npt->format, steps[i].entry));
	spoilt = &table[steps[count - 2].index];
	original = *spoilt;
	*spoilt |= BIT(number);
	run->vm->ops->flush(npt->hal.ctx, &everything);
	return 0;
}

static bool repair_directory(struct suite_run *run)
{
	(void)run;
	if (spoilt != NULL)
		*spoilt = original;
	spoilt = NULL;
	return true;
}

static const struct suite_case cases[] = {
	{
		/* Xen, XSA-121: an IN of a width that the device does not have returned data of the
                 * hypervisor's stack. */
		.name = "published.xen.121",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(0, 0)),
		.data = CODE_OF(port_widths),
		.ready = published_put,
	},
	{
		/* Xen, XSA-123: a segment override that has no effect changed the operand of an
                 * emulated instruction. */
		.name = "published.xen.123",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(GUEST_TEST_BASE + GUEST_TEST_ID, 0),
                                 CALL_CODE(GUEST_TEST_BASE + GUEST_TEST_NEG, 0)),
		.data = CODE_OF(segment_overrides),
		.ready = published_put,
		.uncounted = true,
	},
	{
		/* Xen, XSA-176: the hypervisor's walk of the guest's tables ignored PS in an entry
                 * where it is reserved. */
		.name = "published.xen.176",
		.areas = AREAS(PLACE, POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, VALUE), CALL_CODE(0, 0),
                                 READ(8, PML4_1 + ARENA, VALUE), STEP(0), CALL_CODE(PS, 0),
                                 {OP(READ, .width = 8, .addr = PML4_1 + ARENA),
                                  .trap = AGENT_PAGE_FAULT, .addr = PML4_1 + ARENA},
                                 STEP_ANSWERS(0, (uint32_t)MM_NOT_MAPPED), CALL_CODE(0, 0),
                                 READ(8, PML4_1 + ARENA, VALUE), STEP(0)),
		.step = own_walk,
		.data = CODE_OF(copy_pml4),
		.ready = published_put,
	},
	{
		/* Xen, XSA-173: address bits 44 and above of the guest's entries were cut off. Bits
                 * beyond the CPU's width are reserved. */
		.name = "published.xen.173",
		.areas = AREAS(PLACE, POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, VALUE), CALL_CODE(BIT(51), 0),
                                 {OP(READ, .width = 8, .addr = PML4_1 + ARENA),
                                  .trap = AGENT_PAGE_FAULT, .addr = PML4_1 + ARENA},
                                 STEP_ANSWERS(0, (uint32_t)MM_NOT_MAPPED), CALL_CODE(0, 0),
                                 READ(8, PML4_1 + ARENA, VALUE), STEP(0)),
		.before = narrow_addresses,
		.step = own_walk,
		.data = CODE_OF(copy_pml4),
		.ready = published_put,
	},
	{
		/* Xen, XSA-60: a guest that set CR0.CD made the hypervisor loop for a long time,
                 * and its memory had the wrong type. */
		.name = "published.xen.60",
		.areas = AREAS(PLACE, LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(CALL_CODE(DATA, 5), CALL_CODE(DATA, 10), READ(8, DATA, 10)),
		.faults = FAULTS(MAPPED(DATA, MM_R)),
		.beside = {beside_neighbour},
		.data = CODE_OF(no_cache),
		.ready = published_put,
	},
	{
		/* Xen, XSA-165 and XSA-172: a new guest found the FPU data of another one, because
                 * FNINIT does not change it. */
		.name = "published.xen.165",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(SPACE, 0)),
		.before = leave_fpu_data,
		.data = CODE_OF(read_fpu),
		.ready = published_put,
	},
	{
		/* Bochs, commit 0da1d659d: CMPXCHG that does not exchange did not write. */
		.name = "published.bochs.0da1d659d",
		.areas = AREAS(PLACE, POPULATED(DATA, PAGE, MM_R)),
		.script = SCRIPT(READ(4, DATA + 8, 0), CALL_CODE(DATA + 8, 0)),
		.faults = FAULTS(FAULT(DATA + 8, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.data = CODE_OF(failing_cmpxchg),
		.ready = published_put,
	},
	{
		/* Bochs, commits 4e41530b8 (SVM: the error code of a nested fault) and 9a35c6de7
                 * (VMX: the permissions in the exit qualification). */
		.name = "published.bochs.4e41530b8",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RWX), LAZY(DATA, PAGE, MM_R)),
		.script = SCRIPT(READ(8, ARENA, 0), WRITE(8, ARENA + PAGE, 1),
                                 FETCH_ZEROS(ARENA + 2 * PAGE), STEP(0), WRITE(8, DATA, 1)),
		.step = populate,
		.seen = check_syndrome,
		.verify = saw_all,
		.end = SUITE_DIES,
		.kill = KILL_PERMISSION,
		.uncounted = true,
	},
	{
		/* Bochs, commit 7b2a8bb34: reserved bits of an EPT entry that points at a table
                 * were ignored. */
		.name = "published.bochs.7b2a8bb34",
		.feature = "ept",
		.areas = AREAS(POPULATED(DATA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, DATA, 1), STEP(3), READ(8, DATA, 1)),
		.step = spoil_directory,
		.verify = repair_directory,
		.end = SUITE_DIES,
		.kill = KILL_MISCONFIG,
		.uncounted = true,
	},
};

const struct suite_subject suite_x86_64_published = {
	.name = "published",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
