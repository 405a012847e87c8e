/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code that changes between an exit and its decoding. The hypervisor decodes an access to a device
 * from the guest's instruction. Another vCPU may overwrite this instruction after the exit. The
 * instruction is fetched once. The result is that of the old instruction, or that of the new one,
 * or a refusal if the new one cannot have caused the fault. It is never a mixture of both, and it
 * never affects a neighbour.
 *
 * The hardware decides which instruction counts. If it reports the instruction with the fault
 * (RISC-V's htinst, AMD's decode assists), the old one counts. Otherwise the new one counts,
 * because memory contains it.
 */
#include "suite/hostile_code.h"
#include "kernel/string.h"
#include "machine.h"
#include "mm/bits.h"
#include "suite/mailbox.h"
#include "suite/run.h"
#include "suite/suite.h"

#define CODE    (ARENA + PAGE)
#define LOAD    (CODE + 8) /* the instruction that changes, and the return after it */
#define TEST_ID (GUEST_TEST_BASE + GUEST_TEST_ID)
#define WORD    UINT32_C(0x44332211) /* expected result of a load of 4 bytes */
#define BYTE    UINT32_C(0x11)       /* expected result of a load of 1 byte */
#define TRIES   30U

/* The instruction at LOAD when the hypervisor decodes it. */
enum variant {
	AS_IT_WAS,
	OTHER_WIDTH,
	OTHER_REGISTER, /* the function returns its argument, the pointer, unchanged */
	OTHER_ADDRESS,  /* 8 bytes higher */
	A_STORE,
	NO_ACCESS, /* no memory access */
	VARIANTS,
};

static const char *const names[VARIANTS] = {"as-it-was",     "other-width", "other-register",
                                            "other-address", "a-store",     "no-access"};

static const struct code {
	const char *arch;
	uint64_t before; /* at CODE */
	uint64_t at_load[VARIANTS];
} codes[] = {
	/* NOP, NOP; LWU, LBU a0, 0(a0); LWU a1, 0(a0); LWU a0, 8(a0); SW a0, 0(a0); an undefined
         * instruction; RET */
	{"riscv64",
         UINT64_C(0x0000001300000013),
         {UINT64_C(0x0000806700056503), UINT64_C(0x0000806700054503), UINT64_C(0x0000806700056583),
          UINT64_C(0x0000806700856503), UINT64_C(0x0000806700a52023),
          UINT64_C(0x00008067ffffffff)}},
	/* With write-back, which the syndrome cannot describe. NOP; MOV x1, x0; LDR w0, LDRB w0,
         * LDR w2 from [x1], #0; LDR w0, [x1, #8]!; STR w0, [x1], #0; UDF; RET */
	{"aarch64",
         UINT64_C(0xaa0003e1d503201f),
         {UINT64_C(0xd65f03c0b8400420), UINT64_C(0xd65f03c038400420), UINT64_C(0xd65f03c0b8400422),
          UINT64_C(0xd65f03c0b8408c20), UINT64_C(0xd65f03c0b8000420),
          UINT64_C(0xd65f03c000000000)}},
	/* NOPs; MOV RAX, RDI is the first of them: MOV EAX, [RDI + 0]; MOVZX EAX, BYTE [RDI]; MOV
         * ECX, [RDI + 0]; MOV EAX, [RDI + 8]; MOV [RDI + 0], EAX; UD2 and NOP; RET. All have the
         * same length, so the guest always continues at RET. */
	{"x86_64",
         UINT64_C(0x9090909090f88948),
         {UINT64_C(0x90909090c300478b), UINT64_C(0x90909090c307b60f), UINT64_C(0x90909090c3004f8b),
          UINT64_C(0x90909090c308478b), UINT64_C(0x90909090c3004789),
          UINT64_C(0x90909090c3900b0f)}},
};

static const struct code *code_here(void)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(codes); i++) {
		if (strcmp(codes[i].arch, machine_arch) == 0)
			return &codes[i];
	}
	panic("no code for %s", machine_arch);
}

static bool put_code(struct suite_run *run, mm_gpa_t at, uint64_t code)
{
	return mm_aspace_store(&run->vm->as, at, 8, code) == MM_OK;
}

static bool write_code(struct suite_run *run)
{
	const struct code *code = code_here();

	return put_code(run, mm_gpa_at(CODE), code->before) &&
	       put_code(run, mm_gpa_at(LOAD), code->at_load[AS_IT_WAS]);
}

/* --- changed after the exit, before the decoding --- */

/* The name of the variant contains the number of the case. */
static enum variant variant_of(const struct suite_run *run)
{
	return (enum variant)run->c->script[0].op.stride;
}

/* True if the hardware reported the instruction with the fault. Stored in run->scratch[0]. */
static size_t given_insn(struct suite_run *run, uint8_t bytes[VCPU_INSN_BYTES])
{
	const struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;

	return vcpu->ops->given_insn != NULL ? vcpu->ops->given_insn(vcpu, bytes) : 0;
}

bool suite_reports_insn(struct suite_run *run)
{
	uint8_t bytes[VCPU_INSN_BYTES];

	return given_insn(run, bytes) != 0;
}

static void change_code(struct suite_run *run, const struct vm_exit_fault *fault)
{
	if (fault->gpa.raw != TEST_ID)
		return;
	run->scratch[0] = suite_reports_insn(run);
	if (!put_code(run, mm_gpa_at(LOAD), code_here()->at_load[variant_of(run)]))
		suite_fail(run, "the code cannot be changed");
}

static bool answers(struct suite_run *run, uint64_t value)
{
	const struct agent_result *result = &suite_read_mailbox(run->vm, 0)->results[0];

	if (vm_outcome(run->vm) == VM_KILLED)
		return suite_fail(run, "killed for %s, where the %s instruction counts",
		                  vm_kill_name(run->vm->reason),
		                  run->scratch[0] != 0 ? "old" : "new");
	if (result->trap != AGENT_DONE || result->value != value)
		return suite_fail(run, "expected 0x%" PRIx64 ", got 0x%" PRIx64 ", trap %u", value,
		                  result->value, result->trap);
	return true;
}

/* Either the old or the new instruction was executed, as the hardware decides. */
static bool one_counts(struct suite_run *run)
{
	static const uint64_t results[VARIANTS] = {
		[AS_IT_WAS] = WORD, [OTHER_WIDTH] = BYTE, [OTHER_REGISTER] = TEST_ID};

	const struct test_device *test =
		MM_CONTAINER_OF(vm_device(run->vm, &test_class), struct test_device, device);

	/* In every case no device has been written to. */
	if (test->registers[GUEST_TEST_WRITES / 8] != 0)
		return suite_fail(run, "the device was written to");
	if (run->scratch[0] != 0)
		return answers(run, WORD);
	if (variant_of(run) < OTHER_ADDRESS)
		return answers(run, results[variant_of(run)]);
	if (vm_outcome(run->vm) != VM_KILLED || run->vm->reason != KILL_MMIO_UNDECODED)
		return suite_fail(
			run,
			"expected to be killed: the instruction in memory is not the one that faulted");
	return true;
}

static bool generate_changed(enum variant variant, struct suite_draft *d)
{
	draft_name(d, "hostile.code.%s", names[variant]);
	draft_area(d, (struct suite_area)POPULATED(ARENA, 4 * PAGE, MM_RWX));
	/* CALL_AT does not use the stride. */
	draft_op(d,
	         (struct suite_op){OP(CALL_AT, .addr = CODE, .value = TEST_ID, .stride = variant),
	                           .any_value = true});
	draft_fault(d, (struct suite_fault)FAULT(TEST_ID, MM_R, MM_FAULT_IS_DEVICE));
	d->c.ready = write_code;
	d->c.meanwhile = change_code;
	d->c.end = SUITE_EITHER;
	d->c.verify = one_counts;
	return true;
}

/* --- the bytes that the hardware reports, against memory --- */

/* C.LW a0, 0(a0); RET */
#define SHORT_LOAD UINT64_C(0x0000000080674108)

/* Privileged manual, 8.6.3: for a load, funct3, rd and opcode are kept. The field rs1 contains the
 * address offset, here 0. A compressed instruction is expanded, with bit 1 clear. */
#define TRANSFORMED_LOAD  GENMASK(14, 0)
#define TRANSFORMED_SHORT UINT32_C(0x2501) /* LW a0 */

static void compare_riscv(struct suite_run *run, const uint8_t *bytes, bool is_short)
{
	uint32_t htinst, insn = (uint32_t)code_here()->at_load[AS_IT_WAS];
	uint32_t want = is_short ? TRANSFORMED_SHORT : insn & (uint32_t)TRANSFORMED_LOAD;

	memcpy(&htinst, bytes, sizeof(htinst));
	if (htinst != want)
		suite_fail(run, "expected htinst 0x%x, got 0x%x", want, htinst);
}

static void compare_given(struct suite_run *run, const struct vm_exit_fault *fault)
{
	bool is_short = run->c->script[0].op.stride != 0;
	uint8_t bytes[VCPU_INSN_BYTES];
	size_t count = given_insn(run, bytes);

	if (fault->gpa.raw != TEST_ID)
		return;
	if (count == 0)
		run->skip = "the hardware does not report the instruction";
	else if (strcmp(machine_arch, "riscv64") == 0)
		compare_riscv(run, bytes, is_short);
	else if (memcmp(bytes, &code_here()->at_load[AS_IT_WAS], count < 8 ? count : 8) != 0)
		suite_fail(run, "the %zu bytes reported differ from memory", count);
}

static bool write_short(struct suite_run *run)
{
	return put_code(run, mm_gpa_at(CODE), code_here()->before) &&
	       put_code(run, mm_gpa_at(LOAD), SHORT_LOAD);
}

static bool generate_given(bool is_short, struct suite_draft *d)
{
	draft_name(d, "hostile.code.given%s", is_short ? ".compressed" : "");
	draft_area(d, (struct suite_area)POPULATED(ARENA, 4 * PAGE, MM_RWX));
	draft_op(d,
	         (struct suite_op){OP(CALL_AT, .addr = CODE, .value = TEST_ID, .stride = is_short),
	                           .value = WORD});
	draft_fault(d, (struct suite_fault)FAULT(TEST_ID, MM_R, MM_FAULT_IS_DEVICE));
	d->c.arch = is_short ? "riscv64" : "riscv64 x86_64";
	d->c.ready = is_short ? write_short : write_code;
	d->c.meanwhile = compare_given;
	return true;
}

/* --- changed by another vCPU, at any time --- */

static struct suite_op racer[SUITE_DRAFT_OPS];

/* Each load was one of the two instructions, never a mixture. */
static bool one_or_the_other(struct suite_run *run)
{
	const struct agent_mailbox *mailbox = suite_read_mailbox(run->vm, 0);

	for (unsigned i = 1; i <= TRIES; i++) {
		const struct agent_result *result = &mailbox->results[i];

		if (result->trap != AGENT_DONE || (result->value != WORD && result->value != BYTE))
			return suite_fail(run, "try %u answered 0x%" PRIx64, i, result->value);
	}
	return true;
}

/* vCPU 1 writes the instruction while vCPU 0 executes it on a device. */
static bool generate_race(struct suite_draft *d)
{
	unsigned i;

	draft_name(d, "hostile.code.changes");
	draft_area(d, (struct suite_area)POPULATED(ARENA, 4 * PAGE, MM_RWX));
	draft_op(d, (struct suite_op)BARRIER(0));
	racer[0] = (struct suite_op)BARRIER(0);
	for (i = 1; i <= TRIES; i++) {
		draft_op(d, (struct suite_op){OP(CALL_AT, .addr = CODE, .value = TEST_ID),
		                              .any_value = true});
		racer[i] = (struct suite_op)WRITE(8, LOAD, code_here()->at_load[i % 2]);
	}
	racer[i] = (struct suite_op){OP(END)};
	d->c.others[0] = racer;
	d->c.ready = write_code;
	d->c.verify = one_or_the_other;
	d->c.uncounted = true;
	return true;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	d->c.beside[0] = beside_neighbour;
	if (index < VARIANTS)
		return generate_changed((enum variant)index, d);
	if (index == VARIANTS)
		return generate_race(d);
	return index <= VARIANTS + 2 && generate_given(index == VARIANTS + 2, d);
}

const struct suite_subject suite_hostile_code = {
	.name = "hostile.code",
	.generate = generate,
	.generated = "hostile.code.",
};
