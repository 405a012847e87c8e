/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hart may write to the CSRs of a trap, and one emulator does not: 0 to htval, stval and
 * htinst, the pseudoinstructions of a walk, causes that are not delegated. A filter in front of the
 * trap vector writes them. The rest of the hypervisor must decode the same exit.
 */
#include "kernel/string.h"
#include "machine/riscv64/csr.h"
#include "suite/payload.h"
#include "suite/published.h"
#include "suite/riscv64/bare.h"
#include "suite/riscv64/filter.h"
#include "suite/riscv64/published.h"

#define TABLES (ARENA + 32 * PAGE)
#define DATA   (ARENA + 16 * PAGE)

FILTER(no_htval, "csrw htval, zero")
FILTER(no_htinst, "csrw htinst, zero")
FILTER(walk_reads, "li t1, 0x3000\n\tcsrw htinst, t1")
FILTER(walk_writes, "li t1, 0x3020\n\tcsrw htinst, t1")
/* lw a3, transformed: of 4 bytes, of 2 bytes, and 4 bytes after the start of the access. */
FILTER(transformed, "li t1, 0x2683\n\tcsrw htinst, t1")
FILTER(transformed_short, "li t1, 0x2681\n\tcsrw htinst, t1")
FILTER(transformed_late, "li t1, 0x22683\n\tcsrw htinst, t1")
FILTER(illegal, ONLY_AFTER(22) "li t1, 2\n\tcsrw scause, t1")
/* cbo.inval (a0), which henvcfg.CBIE forbids; its funct3 is that of csrrs. */
FILTER(cache_block, ONLY_AFTER(22) "li t1, 0x5200f\n\tcsrw stval, t1")
FILTER(fetch_access, ONLY_AFTER(22) "li t1, 1\n\tcsrw scause, t1")
FILTER(load_access, ONLY_AFTER(22) "li t1, 5\n\tcsrw scause, t1")
FILTER(store_access, ONLY_AFTER(22) "li t1, 7\n\tcsrw scause, t1")
FILTER(call_of_hs, ONLY_AFTER(22) "li t1, 9\n\tcsrw scause, t1")
FILTER(external, ONLY_AFTER(22) "li t1, 1\n\tslli t1, t1, 63\n\tori t1, t1, 9\n\tcsrw scause, t1")

PUBLISHED_TEXT(exit_by_csr, "csrr a0, 0x600\n"
                            "ret")

/* suite_case.data: published_put() writes the code. */
struct filtered {
	struct published code;
	void (*filter)(void);
	const char *failure; /* the failure of the exit begins with this; NULL: there is none */
};

#define FILTERED(by)                                                                               \
	&(const struct filtered)                                                                   \
	{                                                                                          \
		.filter = (by)                                                                     \
	}
#define FILTERED_CALL(by, why)                                                                     \
	&(const struct filtered)                                                                   \
	{                                                                                          \
		.code = {.code = TEXT(exit_by_csr)}, .filter = (by), .failure = (why)              \
	}

static bool begin(struct suite_run *run)
{
	const struct filtered *data = run->c->data;

	if (!published_put(run))
		return false;
	filter_begin(data->filter);
	return true;
}

static void end(struct suite_run *run)
{
	(void)run;
	filter_end();
}

static void note_failure(struct suite_run *run, const struct vm_exit *exit)
{
	const struct filtered *data = run->c->data;

	if (exit->kind != VM_EXIT_FAILURE)
		return;
	run->scratch[0]++;
	if (data->failure == NULL ||
	    memcmp(exit->failure, data->failure, strlen(data->failure)) != 0)
		suite_fail(run, "failure: %s", exit->failure);
}

static bool saw_failure(struct suite_run *run)
{
	return run->scratch[0] == 1 || suite_fail(run, "%" PRIu64 " failures", run->scratch[0]);
}

#define FAILS(case_name, by, why)                                                                  \
	{                                                                                          \
		.name = "riscv.exit.cause." case_name, .areas = AREAS(PLACE),                      \
		.script = SCRIPT(CALL_CODE(0, 0)), .data = FILTERED_CALL(by, why), .ready = begin, \
		.cleanup = end, .seen = note_failure, .verify = saw_failure, .end = SUITE_DIES,    \
		.kill = KILL_FAILURE                                                               \
	}
#define ACCESS_FAULT "access fault: "

/* --- nested faults, decoded --- */

/* An access to an address that the VM does not map. */
struct access {
	enum mm_perm kind;
	uint64_t gpa;
};

#define NOWHERE (ARENA + GIB(1))

static const struct access accesses[] = {
	{MM_R, NOWHERE},
	{MM_W, NOWHERE + 8},
	{MM_X, NOWHERE + 0x124},
	{MM_R, NOWHERE + 0x127},
	{MM_W, NOWHERE + PAGE - 1},
	{MM_X, NOWHERE + PAGE - 2},
	{MM_W, NOWHERE + GIB(2) + 0xabd},
};

/* Each of them, with this filter. */
struct shape {
	void (*filter)(void);
	bool htinst;       /* it writes htinst */
	enum mm_perm walk; /* MM_NONE: the access is the guest's own */
};

/* Not every machine lets software write htinst, which only needs to hold what the hart writes. */
static bool keeps_htinst(void)
{
	bool kept;

	csr_write(htinst, 0x3000);
	kept = csr_read(htinst) == 0x3000;
	csr_write(htinst, 0);
	return kept;
}

/* a2 = the address, a3 = a value; then the instruction. */
static void run_access(struct bare *b, uint32_t insn, uint64_t a2, uint64_t a3,
                       void (*filter)(void))
{
	struct code code = {.count = 0};

	if (!bare_restart(b))
		return;
	emit(&code, INSN_MV(T6, A0));
	emit(&code, INSN_LD(A2, T6, 0));
	emit(&code, INSN_LD(A3, T6, 8));
	emit(&code, insn);
	emit(&code, INSN_ECALL);
	bare_put(b, b->data, a2);
	bare_put(b, b->data + 8, a3);
	bare_code(b, &code);
	if (filter != NULL)
		filter_begin(filter);
	(void)bare_run(b);
	filter_end();
}

#define ACCESS_AT(b) ((b)->base + 4 * 3)
#define A3_BEFORE    UINT64_C(0x8877665544332211)

static void expect_shape(struct bare *b, const struct access *a, const struct shape *shape)
{
	const struct vm_exit_fault *got = &b->exit.fault;
	bool walk = shape->walk != MM_NONE;

	if (b->exit.kind != VM_EXIT_NESTED_FAULT) {
		suite_fail(b->run, "exit %d", (int)b->exit.kind);
		return;
	}
	EXPECT_EQ(b->run, b->exit.pc, a->kind == MM_X ? a->gpa : ACCESS_AT(b));
	EXPECT_EQ(b->run, got->gpa.raw, walk ? mm_align_down(a->gpa, 4) : a->gpa);
	EXPECT_EQ(b->run, got->gva.raw, a->gpa);
	EXPECT_EQ(b->run, b->exit.raw[0], a->kind == MM_R ? 21 : a->kind == MM_W ? 23 : 20);
	EXPECT_EQ(b->run, b->exit.raw[1], a->gpa);
	EXPECT_EQ(b->run, b->exit.raw[2], shape->filter == no_htval ? 0 : a->gpa >> 2);
	EXPECT_EQ(b->run, got->access, walk ? shape->walk : a->kind);
	EXPECT_EQ(b->run, got->stage1_walk, walk);
	EXPECT(b->run, got->gva_valid && !got->gpa_is_page && !got->present);
}

static void shapes(struct suite_run *run, const void *data)
{
	const struct shape *shape = data;
	struct bare b;

	if (shape->htinst && !keeps_htinst())
		run->skip = "htinst holds only what the hart writes";
	if (run->skip != NULL || !bare_begin(run, 1, 1, &b))
		return;
	for (size_t i = 0; i < MM_ARRAY_SIZE(accesses); i++) {
		const struct access *a = &accesses[i];

		run_access(&b,
		           a->kind == MM_R   ? INSN_I(0x03, 4, A3, A2, 0)
		           : a->kind == MM_W ? INSN_S(0x23, 0, A3, A2, 0)
		                             : INSN_JR(A2),
		           a->gpa, A3_BEFORE, shape->filter);
		expect_shape(&b, a, shape);
	}
	bare_end(1);
}

/* --- device accesses, by htinst or by the instruction in memory --- */

struct decoding {
	void (*filter)(void);
	bool htinst;
	enum mm_error error;
	unsigned given; /* bytes of the instruction that the hart gives; only with htinst */
	unsigned length;
};

static void decoding(struct suite_run *run, const void *data)
{
	const struct decoding *d = data;
	struct mmio_access got = {0};
	uint8_t insn[VCPU_INSN_BYTES];
	const struct virt_ops *ops;
	struct bare b;

	if (d->htinst && !keeps_htinst())
		run->skip = "htinst holds only what the hart writes";
	if (run->skip != NULL || !bare_begin(run, 1, 1, &b))
		return;
	ops = b.vm->ops;
	run_access(&b, INSN_LW(A3, A2, -8), GUEST_TEST_BASE + 16, A3_BEFORE, d->filter);
	EXPECT(run, b.exit.kind == VM_EXIT_NESTED_FAULT);
	if (run->complaints == 0)
		EXPECT_EQ(run, ops->mmio_decode(b.vcpu, &b.exit, &got), d->error);
	if (d->htinst)
		EXPECT_EQ(run, ops->given_insn(b.vcpu, insn), d->given);
	if (run->complaints == 0 && d->error == MM_OK) {
		EXPECT(run, !got.write && got.width == 4 && got.reg == A3);
		EXPECT_EQ(run, got.gpa.raw, GUEST_TEST_BASE + 8);
		EXPECT_EQ(run, got.length, d->length);
		(void)ops->mmio_complete(b.vcpu, &got, UINT64_C(0x1122334480000001));
		bare_expect_register(&b, "a3", UINT64_C(0xffffffff80000001));
		bare_expect_register(&b, "pc", ACCESS_AT(&b) + d->length);
	}
	bare_end(1);
}

/* A load of 2 bytes, at the end of the mapped memory: nothing after it may be fetched. Decoded on
 * the hart, or with the vCPU in memory, by the hypervisor's own walk. */
#define C_LW_A3_A2 0x4214

static void at_page_end(struct suite_run *run, const void *data)
{
	const uint16_t insn = C_LW_A3_A2;

	(void)data;
	for (unsigned parked = 0; parked < 2; parked++) {
		struct mmio_access got;
		struct bare b;

		if (!bare_begin(run, 1, 1, &b))
			return;
		bare_write(&b, b.base + BARE_BYTES - 2, &insn, 2);
		bare_put(&b, b.data + 8, b.base + BARE_BYTES - 2);
		run_access(&b, INSN_JR(A3), GUEST_TEST_BASE + 8, b.base + BARE_BYTES - 2, NULL);
		EXPECT(run, b.exit.kind == VM_EXIT_NESTED_FAULT);
		if (parked != 0)
			b.vm->ops->park(b.vcpu);
		if (run->complaints == 0)
			EXPECT_EQ(run, b.vm->ops->mmio_decode(b.vcpu, &b.exit, &got), MM_OK);
		if (run->complaints == 0) {
			EXPECT_EQ(run, got.length, 2);
			EXPECT_EQ(run, got.gpa.raw, GUEST_TEST_BASE + 8);
			EXPECT(run, got.width == 4 && got.reg == A3 && !got.write);
			(void)b.vm->ops->mmio_complete(b.vcpu, &got, 5);
			EXPECT_EQ(run, b.vm->ops->pc(b.vcpu), b.base + BARE_BYTES);
		}
		bare_end(1);
	}
}

/* A device access from VU or VS, whose code cannot be read at first: the hypervisor's fetch traps.
 * Then the guest goes on in its own mode: an ecall from VU goes to its own handler. */
#define HANDLER(b) ((b)->base + 2 * MM_PAGE_SIZE)

static void put_sret_to(struct bare *b, uint64_t pc, bool user, uint64_t device)
{
	struct code code = {.count = 0};
	const uint32_t insns[] = {INSN_LW(A3, A2, 0), INSN_ECALL}, handler = INSN_ECALL;

	emit(&code, INSN_MV(T6, A0));
	emit(&code, INSN_LD(A2, T6, 0));
	emit(&code, INSN_LD(A4, T6, 8));
	emit(&code, INSN_ADDI(T0, X0, (int)SSTATUS_SPP));
	emit(&code, INSN_CSR_OP(user ? CSR_RC : CSR_RS, X0, CSR_SSTATUS, T0));
	emit(&code, INSN_CSRW(CSR_SEPC, A4));
	emit(&code, INSN_LD(A5, T6, 16));
	emit(&code, INSN_CSRW(CSR_STVEC, A5));
	emit(&code, INSN_SRET);
	bare_code(b, &code);
	bare_put(b, b->data, device);
	bare_put(b, b->data + 8, pc);
	bare_put(b, b->data + 16, HANDLER(b));
	bare_write(b, HANDLER(b), &handler, sizeof(handler));
	bare_write(b, pc, insns, sizeof(insns));
}

static void fetch_fails(struct bare *b, uint64_t pc, bool user)
{
	struct mm_gpa_range page =
		mm_gpa_range(mm_gpa_at(mm_align_down(pc, MM_PAGE_SIZE)), MM_PAGE_SIZE);
	const struct virt_ops *ops = b->vm->ops;
	struct mmio_access got;

	put_sret_to(b, pc, user, GUEST_TEST_BASE);
	if (!bare_run(b))
		return;
	EXPECT(b->run, b->exit.kind == VM_EXIT_NESTED_FAULT && b->exit.pc == pc);
	if (b->exit.raw[3] != 0 || b->run->complaints != 0)
		return; /* the hart gives the instruction */
	EXPECT(b->run, mm_aspace_protect(&b->vm->as, page, MM_NONE) == MM_OK);
	EXPECT(b->run, ops->mmio_decode(b->vcpu, &b->exit, &got) != MM_OK);
	EXPECT(b->run, mm_aspace_protect(&b->vm->as, page, MM_RWX) == MM_OK);
	EXPECT_EQ(b->run, ops->pc(b->vcpu), pc);
	EXPECT(b->run, ops->mmio_decode(b->vcpu, &b->exit, &got) == MM_OK);
	if (b->run->complaints != 0)
		return;
	(void)ops->mmio_complete(b->vcpu, &got, 1);
	if (bare_call(b))
		EXPECT_EQ(b->run, b->exit.pc, user ? HANDLER(b) : pc + 4);
}

static void failing_fetches(struct suite_run *run, const void *data)
{
	struct bare b;

	(void)data;
	for (unsigned i = 0; i < 4; i++) {
		if (!bare_begin(run, 1, 1, &b))
			return;
		fetch_fails(&b, b.base + MM_PAGE_SIZE + (i & 2), (i & 1) != 0);
		bare_end(1);
	}
}

/* stval has an instruction that is no access to a CSR. */
static void no_csr(struct suite_run *run, const void *data)
{
	struct bare b;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	run_access(&b, INSN_CSRR(A3, 0x600), 0, 0, cache_block);
	EXPECT(run, b.exit.kind == VM_EXIT_UNDEFINED);
	bare_end(1);
}

/* --- each register of a call, and those of the hypervisor --- */

#define CALLS 3

/* a0 to a7 have different values, and so has every other register. */
static uint64_t call_value(unsigned call, unsigned reg)
{
	return UINT64_C(0x0101010101010101) * (32 * call + reg + 1);
}

static const char *const argument_names[] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"};

/* Call 0 is a hypercall, the others are calls of the firmware. */
static uint64_t argument(unsigned call, unsigned n)
{
	return call == 0 && n == 7 ? GUEST_SBI_EXTENSION : call_value(call, A0 + n);
}

static void write_calls(struct bare *b)
{
	struct code code = {.count = 0};

	emit(&code, INSN_MV(T6, A0));
	for (unsigned call = 0; call < CALLS; call++) {
		for (unsigned n = 0; n < 8; n++) {
			bare_put(b, b->data + 64 * call + 8 * n, argument(call, n));
			emit(&code, INSN_LD(A0 + n, T6, (int)(64 * call + 8 * n)));
		}
		emit(&code, INSN_ECALL);
	}
	emit(&code, INSN_ECALL);
	bare_code(b, &code);
}

static void expect_call(struct bare *b, unsigned call)
{
	const struct vm_exit_call *got = &b->exit.call;
	unsigned function = call == 0 ? 6 : 7, arguments = call == 0 ? 3 : 5;

	EXPECT(b->run,
	       b->exit.kind == (call == 0 ? VM_EXIT_HYPERCALL : VM_EXIT_FIRMWARE) && !got->smc);
	EXPECT_EQ(b->run, got->function, argument(call, function));
	for (unsigned i = 0; i < arguments; i++)
		bare_expect(b->run, "argument", argument_names[i], got->args[i], argument(call, i));
	if (call != 0)
		EXPECT_EQ(b->run, got->args[5], argument(call, 6));
	b->vm->ops->call_return(b->vcpu, ~call_value(call, 0), ~call_value(call, 1));
	for (unsigned n = 0; n < 8; n++)
		bare_expect_register(b, argument_names[n],
		                     n < 2 ? ~call_value(call, n) : argument(call, n));
}

static void calls(struct suite_run *run, const void *data)
{
	struct bare b;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	write_calls(&b);
	for (unsigned call = 0; call < CALLS && bare_call(&b); call++)
		expect_call(&b, call);
	bare_end(1);
}

/* Calls run() with a value of its own in s0 to s11 and gp. Which of them differs afterwards? */
static uint64_t run_with_marks(struct bare *b)
{
	register struct vcpu *a0 __asm__("a0") = b->vcpu;
	register uint64_t a1 __asm__("a1") = machine_ticks() + machine_ticks_per_second();
	register struct vm_exit *a2 __asm__("a2") = &b->exit;
	register void *a3 __asm__("a3") = (void *)(uintptr_t)b->vm->ops->run;
	register uint64_t differs __asm__("a4");

	/* clang-format off */
	__asm__ volatile("addi sp, sp, -112\n\t"
	                 ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11\n\t"
	                 "sd s\\n, 8 * \\n(sp)\n\t"
	                 "li s\\n, 0x5a500 + \\n\n\t"
	                 ".endr\n\t"
	                 "sd sp, 96(sp)\n\t"
	                 "jalr a3\n\t"
	                 "li a4, 0\n\t"
	                 ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11\n\t"
	                 "li t0, 0x5a500 + \\n\n\t"
	                 "xor t0, t0, s\\n\n\t"
	                 "snez t0, t0\n\t"
	                 "slli t0, t0, \\n\n\t"
	                 "or a4, a4, t0\n\t"
	                 "ld s\\n, 8 * \\n(sp)\n\t"
	                 ".endr\n\t"
	                 "ld t0, 96(sp)\n\t"
	                 "xor t0, t0, sp\n\t"
	                 "snez t0, t0\n\t"
	                 "slli t0, t0, 12\n\t"
	                 "or a4, a4, t0\n\t"
	                 "addi sp, sp, 112"
	                 : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "=r"(differs)
	                 :
	                 : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a5", "a6", "a7", "memory");
	/* clang-format on */
	return differs;
}

/* The guest changes all registers and calls, twice. */
static void kept_by_hypervisor(struct suite_run *run, const void *data)
{
	struct code code = {.count = 0};
	struct bare b;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	for (unsigned reg = 1; reg < 32; reg++)
		emit(&code, INSN_ADDI(reg, X0, (int)reg));
	emit(&code, INSN_ECALL);
	emit(&code, INSN_ECALL);
	bare_code(&b, &code);
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQ(run, run_with_marks(&b), 0);
	bare_end(1);
}

/* A load into x0 changes nothing: a store of x0 gives the device 0. */
static void zero_register(struct suite_run *run, const void *data)
{
	struct mmio_access got = {0};
	struct code code = {.count = 0};
	const struct virt_ops *ops;
	struct bare b;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	ops = b.vm->ops;
	emit(&code, INSN_LD(A2, A0, 0));
	emit(&code, INSN_I(0x03, 3, X0, A2, 0));
	emit(&code, INSN_S(0x23, 3, X0, A2, 8));
	emit(&code, INSN_ECALL);
	bare_put(&b, b.data, GUEST_TEST_BASE);
	bare_code(&b, &code);
	(void)bare_run(&b);
	EXPECT_EQ(run, ops->mmio_decode(b.vcpu, &b.exit, &got), MM_OK);
	EXPECT(run, !got.write && got.reg == X0);
	(void)ops->mmio_complete(b.vcpu, &got, UINT64_C(0x1122334455667788));
	(void)bare_run(&b);
	EXPECT_EQ(run, ops->mmio_decode(b.vcpu, &b.exit, &got), MM_OK);
	EXPECT(run, got.write && got.gpa.raw == GUEST_TEST_BASE + 8);
	EXPECT_EQ(run, got.value, 0);
	bare_end(1);
}

/* 8.2.1: VSXL is 2 (64 bits), VTW traps wfi, SPVP and SPV are those of VS. All else is 0, but GVA
 * depends on the trap. */
#define HSTATUS_IN_VS (UINT64_C(2) << 32 | BIT(21) | BIT(8) | BIT(7))

static void hstatus(struct suite_run *run, const void *data)
{
	struct code code = {.count = 0};
	struct bare b;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	emit(&code, INSN_ECALL);
	bare_code(&b, &code);
	bare_expect(run, "before", "hstatus", bare_register(&b, "hstatus") & ~HSTATUS_GVA,
	            HSTATUS_IN_VS);
	if (bare_call(&b))
		bare_expect(run, "after a call", "hstatus",
		            bare_register(&b, "hstatus") & ~HSTATUS_GVA, HSTATUS_IN_VS);
	bare_end(1);
}

static const struct suite_case cases[] = {
	{
		/* 8.2.9: the address comes from the guest's tables, or is the virtual one. */
		.name = "riscv.exit.no-htval",
		.areas = AREAS(LAZY(ARENA, 32 * PAGE, MM_RWX), POPULATED(TABLES, 8 * PAGE, MM_RW)),
		.script = SCRIPT(READ(8, ARENA + 0x128, 0), WRITE(1, ARENA + PAGE + 3, 1), STAGE1(),
                                 MAP(VIRTUAL, DATA, 0, TABLES),
                                 MAP(VIRTUAL + PAGE, DATA + 4 * PAGE, 0, TABLES),
                                 MAP(VIRTUAL + 2 * PAGE, DATA + PAGE, 0, TABLES),
                                 READ(8, VIRTUAL + 0x128, 0), WRITE(1, VIRTUAL + PAGE + 0xabd, 1),
                                 READ(2, VIRTUAL + 2 * PAGE - 2 + PAGE, 0)),
		.faults = FAULTS(MAPPED(ARENA + 0x128, MM_R), MAPPED(ARENA + PAGE + 3, MM_W),
                                 MAPPED(DATA + 0x128, MM_R), MAPPED(DATA + 4 * PAGE + 0xabd, MM_W),
                                 MAPPED(DATA + 2 * PAGE - 2, MM_R)),
		.arena_only = true,
		.data = FILTERED(no_htval),
		.ready = begin,
		.cleanup = end,
	},
	{
		/* A hart that does not delegate it: the hypervisor injects it. */
		.name = "riscv.exit.cause.illegal",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE_TRAPS(0, AGENT_UNDEFINED)),
		.data = FILTERED_CALL(illegal, NULL),
		.ready = begin,
		.cleanup = end,
		.seen = note_failure,
	},
	FAILS("fetch-access", fetch_access, ACCESS_FAULT),
	FAILS("load-access", load_access, ACCESS_FAULT),
	FAILS("store-access", store_access, ACCESS_FAULT),
	FAILS("unexpected", call_of_hs, "a trap of an unexpected cause"),
	FAILS("interrupt", external, "an interrupt that was not enabled"),
	{.name = "riscv.exit.fault",
         .run = shapes,
         .data = &(const struct shape){NULL, false, MM_NONE}},
	{.name = "riscv.exit.fault.no-htval",
         .run = shapes,
         .data = &(const struct shape){no_htval, false, MM_NONE}},
	{.name = "riscv.exit.fault.no-htinst",
         .run = shapes,
         .data = &(const struct shape){no_htinst, true, MM_NONE}},
	/* 8.6.3: the address of the entry, of 4 or 8 bytes, and its own direction. */
	{.name = "riscv.exit.fault.walk-reads",
         .run = shapes,
         .data = &(const struct shape){walk_reads, true, MM_R}},
	{.name = "riscv.exit.fault.walk-writes",
         .run = shapes,
         .data = &(const struct shape){walk_writes, true, MM_W}},
	{.name = "riscv.exit.device",
         .run = decoding,
         .data = &(const struct decoding){no_htinst, false, MM_OK, 0, 4}},
	{.name = "riscv.exit.device.no-htinst",
         .run = decoding,
         .data = &(const struct decoding){no_htinst, true, MM_OK, 0, 4}},
	{.name = "riscv.exit.device.transformed",
         .run = decoding,
         .data = &(const struct decoding){transformed, true, MM_OK, 4, 4}},
	{.name = "riscv.exit.device.transformed-short",
         .run = decoding,
         .data = &(const struct decoding){transformed_short, true, MM_OK, 4, 2}},
	{.name = "riscv.exit.device.transformed-late",
         .run = decoding,
         .data = &(const struct decoding){transformed_late, true, MM_UNSUPPORTED, 4, 4}},
	{.name = "riscv.exit.device.page-end", .run = at_page_end},
	{.name = "riscv.exit.device.fetch-fails", .run = failing_fetches},
	{.name = "riscv.exit.cause.cache-block", .run = no_csr},
	{.name = "riscv.exit.calls", .run = calls},
	{.name = "riscv.exit.hstatus", .run = hstatus},
	{.name = "riscv.exit.device.x0", .run = zero_register},
	{.name = "riscv.exit.callee-saved", .run = kept_by_hypervisor},
};

const struct suite_subject suite_riscv_exit = {
	.name = "riscv.exit",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
