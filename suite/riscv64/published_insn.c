/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published defects, RISC-V: instructions that raise the wrong exception in VS- and VU-mode. 8.6.1:
 * a virtual-instruction exception traps to the hypervisor, an illegal-instruction exception is the
 * guest's own. Both are illegal instructions for the guest, so the case looks at the exit.
 */
#include "suite/published.h"
#include "suite/riscv64/published.h"
#include "suite/run.h"

/*
 * Runs the code at a0 in user mode, and returns how it ended: scause, the offset of its sepc in
 * bits 31:8, and bit 32 if it came from VS-mode. SPACE has the state of VS-mode.
 */
PUBLISHED_TEXT(run_in_user, "auipc t0, 2\n"
                            "srli t0, t0, 12\n"
                            "slli t0, t0, 12\n"
                            "sd ra, 0(t0)\n"
                            "sd sp, 8(t0)\n"
                            "csrr t1, stvec\n"
                            "sd t1, 16(t0)\n"
                            "csrr t1, sscratch\n"
                            "sd t1, 24(t0)\n"
                            "csrw sscratch, t0\n"
                            "1: auipc t1, %pcrel_hi(2f)\n"
                            "addi t1, t1, %pcrel_lo(1b)\n"
                            "csrw stvec, t1\n"
                            "li t1, 0x120\n"
                            "csrc sstatus, t1\n"
                            "csrw sepc, a0\n"
                            "sret\n"
                            ".balign 4\n"
                            "2: csrrw t0, sscratch, t0\n"
                            "ld t1, 24(t0)\n"
                            "csrw sscratch, t1\n"
                            "ld t1, 16(t0)\n"
                            "csrw stvec, t1\n"
                            "ld ra, 0(t0)\n"
                            "ld sp, 8(t0)\n"
                            "csrr a0, scause\n"
                            "li t1, 4096\n"
                            "sub t0, t0, t1\n"
                            "csrr t1, sepc\n"
                            "sub t1, t1, t0\n"
                            "slli t1, t1, 8\n"
                            "or a0, a0, t1\n"
                            "csrr t1, sstatus\n"
                            "srli t1, t1, 8\n"
                            "andi t1, t1, 1\n"
                            "slli t1, t1, 32\n"
                            "or a0, a0, t1\n"
                            "ret")

/* The result of code that ends with an exception at this offset. */
#define ENDS(cause, offset) ((uint64_t)(cause) | (uint64_t)(offset) << 8)

/* A hypercall from user mode goes to the guest's own kernel. */
PUBLISHED_TEXT(call_from_user, "li a7, 0x0846544c\n"
                               "li a6, 1\n"
                               "li a0, 7\n"
                               "ecall\n"
                               "ebreak")

enum expected {
	IS_ILLEGAL,
	IS_VIRTUAL,
};

static const struct row {
	const char *name;
	uint32_t insn;
	bool user;
	enum expected expected;
	uint32_t counters; /* bits of hcounteren that are clear meanwhile */
} rows[] = {
	/* cva6, issue 3459: sfence.vma with a destination register was executed. */
	{"published.cva6.3459", 0x120000f3, false, IS_ILLEGAL, 0},
	/* cva6, issue 3462: hfence.gvma and hfence.vvma with a destination register are no
         * instructions, but raised a virtual-instruction exception. */
	{"published.cva6.3462.gvma", 0x620000f3, false, IS_ILLEGAL, 0},
	{"published.cva6.3462.vvma", 0x220000f3, false, IS_ILLEGAL, 0},
	/* cva6, issue 2373: in VU-mode, sstatus raised an illegal-instruction exception. */
	{"published.cva6.2373", 0x10002573, true, IS_VIRTUAL, 0},
	/* Spike, commit 348fc0c9: the privilege was checked before V. */
	{"published.spike.348fc0c9.vs", 0x62000073, false, IS_VIRTUAL, 0},
	{"published.spike.348fc0c9.vu", 0x62000073, true, IS_VIRTUAL, 0},
	/* Spike, commit 77024fa1: the same of hlv.d and hsv.d. */
	{"published.spike.77024fa1.vs", 0x6c054573, false, IS_VIRTUAL, 0},
	{"published.spike.77024fa1.vu", 0x6c054573, true, IS_VIRTUAL, 0},
	/* Spike, commit ac46e18f: sret and sfence.vma in VU-mode. */
	{"published.spike.ac46e18f.sret", 0x10200073, true, IS_VIRTUAL, 0},
	{"published.spike.ac46e18f.sfence", 0x12000073, true, IS_VIRTUAL, 0},
	/* Spike, commit 24b962de: a write of the read-only CSR cycle. */
	{"published.spike.24b962de", 0xc0051073, false, IS_ILLEGAL, 0},
	/* Spike, commit 46300119: the same of a CSR of the hypervisor, hgeip. */
	{"published.spike.46300119", 0xe1251073, false, IS_ILLEGAL, 0},
	/* Spike, commit d6ac560a: a hypervisor CSR that does not exist, 0x6bf. */
	{"published.spike.d6ac560a", 0x6bf02573, false, IS_ILLEGAL, 0},
	/* Spike, commit 2e8c8cfb: a counter that hcounteren disables. */
	{"published.spike.2e8c8cfb", 0xc0102573, false, IS_VIRTUAL, HCOUNTEREN_TM},
};

/* The code of the current case: one instruction, and a return or a trap. */
static uint32_t text[2];

static const struct row *row_of(const struct suite_run *run)
{
	return run->c->data;
}

/* In VS-mode the instruction is at CODE itself. */
static bool put_instruction(struct suite_run *run)
{
	const struct row *row = row_of(run);
	struct mm_aspace *as = &run->vm->as;

	text[0] = row->insn;
	text[1] = row->user ? 0x00100073 : 0x00008067; /* ebreak; ret */
	if (!row->user)
		return mm_aspace_write(as, mm_gpa_at(CODE), text, sizeof(text)) == MM_OK;
	return mm_aspace_write(as, mm_gpa_at(CODE), run_in_user,
	                       (size_t)(run_in_user_end - run_in_user)) == MM_OK &&
	       mm_aspace_write(as, mm_gpa_at(USER), text, sizeof(text)) == MM_OK;
}

/* Step 0 disables the counters for the guest. Step 1 enables them. */
static uint64_t disable_counters(struct suite_run *run, uint64_t number)
{
	if (number == 0)
		csr_clear(hcounteren, (uint64_t)row_of(run)->counters);
	else
		csr_set(hcounteren, (uint64_t)row_of(run)->counters);
	return 0;
}

/* 8.6.1: stval is zero or the instruction. */
static void watch(struct suite_run *run, const struct vm_exit *exit)
{
	if (exit->raw[0] != CAUSE_VIRTUAL_INSTRUCTION)
		return;
	run->scratch[0]++;
	if (exit->raw[1] != 0 && exit->raw[1] != row_of(run)->insn)
		suite_fail(run, "stval=0x%" PRIx64, exit->raw[1]);
}

static bool right_exception(struct suite_run *run)
{
	uint64_t expected = row_of(run)->expected == IS_VIRTUAL;

	return run->scratch[0] == expected ||
	       suite_fail(run, "expected %" PRIu64 " virtual-instruction exceptions, got %" PRIu64,
	                  expected, run->scratch[0]);
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct row *row = &rows[index];

	(void)host;
	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	draft_name(d, "%s", row->name);
	draft_area(d, (struct suite_area)PLACE);
	draft_op(d, (struct suite_op)STEP(0));
	if (row->user)
		draft_op(d, (struct suite_op)CALL_CODE(USER, ENDS(CAUSE_ILLEGAL, 0)));
	else
		draft_op(d, (struct suite_op)CALL_CODE_TRAPS(0, AGENT_UNDEFINED));
	draft_op(d, (struct suite_op)STEP(1));
	d->script[1].addr = row->user ? 0 : CODE;
	d->c.data = row;
	d->c.ready = put_instruction;
	d->c.step = disable_counters;
	d->c.seen = watch;
	d->c.verify = right_exception;
	d->c.firmware_writes = true;
	return true;
}

static const struct suite_case cases[] = {
	{
		/* Xen, XSA-76: user mode of a guest could make hypercalls. */
		.name = "published.xen.76",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(USER, ENDS(CAUSE_ECALL_U, 16))),
		.data = USER_OF(run_in_user, call_from_user),
		.ready = published_put,
	},
};

const struct suite_subject suite_riscv64_published_insn = {
	.name = "published",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "published.",
};
