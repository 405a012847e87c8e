/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What exits and entries report: the fields of an EPT violation, the registers of a report, an
 * entry that the CPU refuses, and an NMI of the host while a guest runs.
 */
#include "machine.h"
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/smp.h"
#include "machine/x86_64/trap.h"
#include "suite/payload.h"
#include "suite/x86_64/vmx_guest.h"
#include "suite/x86_64/vmx_read.h"
#include "suite/x86_64/vmx_subjects.h"

#define TABLES (ARENA + 64 * PAGE)
#define WORD   (ARENA + 0x128)

/* --- the fields of a nested fault (SDM vol. 3C, table 28-7) --- */

struct seen {
	uint64_t gpa; /* page of the fault */
	uint64_t gva;
	bool walk, present;
};

/* The fault that the case is about is in scratch: [0] how many, [1] the others. */
static void compare_fields(struct suite_run *run, const struct vm_exit_fault *f)
{
	const struct seen *s = run->c->data;

	if (mm_align_down(f->gpa.raw, PAGE) != s->gpa)
		return;
	run->scratch[0]++;
	EXPECT_EQ(run, f->gva_valid, true);
	EXPECT_EQ(run, f->gva.raw, s->gva);
	EXPECT_EQ(run, f->stage1_walk, s->walk);
	EXPECT_EQ(run, f->present, s->present);
	EXPECT_EQ(run, f->gpa_is_page, false);
}

static bool was_seen(struct suite_run *run)
{
	EXPECT_EQ(run, run->scratch[0], 1);
	return run->complaints == 0;
}

/* --- the registers of a report --- */

static uint64_t register_of(struct suite_run *run, const char *name)
{
	struct vcpu_register registers[VCPU_REGISTERS];
	const struct vcpu *v = &run->vm->vcpus[0].vcpu;
	size_t count = v->ops->registers(v, registers);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(registers[i].name, name) == 0)
			return registers[i].value;
	}
	suite_fail(run, "the report has no %s", name);
	return 0;
}

/* The values that the guest and the VMCS have at this hypercall, by the field's number. */
static uint64_t compare_report(struct suite_run *run, uint64_t number)
{
	static const struct {
		const char *name;
		uint32_t field;
	} fields[] = {
		{"rip", 0x681e},     {"rsp", 0x681c},  {"rflags", 0x6820}, {"cr0", 0x6800},
		{"cr3", 0x6802},     {"cr4", 0x6804},  {"efer", 0x2806},   {"cs", 0x0802},
		{"ss", 0x0804},      {"gdtr", 0x6816}, {"idtr", 0x6818},   {"activity", 0x4826},
		{"blocked", 0x4824},
	};

	for (size_t i = 0; i < MM_ARRAY_SIZE(fields); i++) {
		uint64_t got = register_of(run, fields[i].name);

		vmcs_expect(run, fields[i].field, fields[i].name, got);
	}
	EXPECT_EQ(run, register_of(run, "cr0"), 0x80010031);
	EXPECT_EQ(run, register_of(run, "cs"), 0x08);
	EXPECT_EQ(run, register_of(run, "ss"), 0x10);
	EXPECT_EQ(run, register_of(run, "efer"), 0x500);
	/* The last page fault: code "page_fault". */
	EXPECT_EQ(run, register_of(run, "cr2"), UINT64_C(0x7f0000000123));
	EXPECT_EQ(run, register_of(run, "rax"), VMX_CALL_STEP);
	EXPECT_EQ(run, register_of(run, "rdi"), number);
	return 0;
}

/* Blocking by MOV SS has a number of its own in the report. */
static uint64_t compare_blocked(struct suite_run *run, uint64_t number)
{
	(void)number;
	vmcs_write(0x4824, 2);
	EXPECT_EQ(run, register_of(run, "blocked"), 2);
	EXPECT_EQ(run, register_of(run, "activity"), 0);
	vmcs_write(0x4824, 0);
	return 0;
}

/* --- an entry that the CPU refuses --- */

/* Writes a value that the checks of VM entry refuse (27.2, 27.3). */
static uint64_t spoil(struct suite_run *run, uint64_t field)
{
	(void)run;
	switch (field) {
	case 0x6820:
		vmcs_write(0x6820, 0); /* RFLAGS: bit 1 is always 1 */
		break;
	case 0x0c02:
		vmcs_write(0x0c02, 0); /* the host's CS is not null */
		break;
	default:
		vmcs_write(0x201a, 0x3f); /* EPTP: memory type 7 */
	}
	return 0;
}

/* --- FS and GS of an access to a device --- */

/* MOV EAX, FS:[RDI]; RET, and the same with GS, and without. */
static bool put_segment_code(struct suite_run *run)
{
	static const uint8_t fs[] = {0x64, 0x8b, 0x07, 0xc3}, es[] = {0x26, 0x8b, 0x07, 0xc3};

	return mm_aspace_write(&run->vm->as, mm_gpa_at(ARENA), fs, sizeof(fs)) == MM_OK &&
	       mm_aspace_write(&run->vm->as, mm_gpa_at(ARENA + 64), es, sizeof(es)) == MM_OK;
}

static uint64_t set_fs_base(struct suite_run *run, uint64_t base)
{
	(void)run;
	vmcs_write(0x680e, base);
	return 0;
}

/* --- NMI --- */

/* The hypervisor uses NMIs only to stop for good. For the case, its gate leads to a handler that
 * counts. */
__asm__(".text\n"
        ".balign 16\n"
        "vmx_count_nmi:\n"
        "	lock incq nmi_count_of_vmx(%rip)\n"
        "	iretq\n");

extern const uint8_t vmx_count_nmi[];
volatile uint64_t nmi_count_of_vmx;

#define GATE_WORDS 2
static uint64_t kept_gate[GATE_WORDS];

static uint64_t *nmi_gate(void)
{
	return (uint64_t *)(uintptr_t)(trap_idt_base() + (uint64_t)VECTOR_NMI * 16);
}

static bool hook_nmi(struct suite_run *run)
{
	uint64_t *gate = nmi_gate(), at = (uint64_t)(uintptr_t)vmx_count_nmi;

	(void)run;
	nmi_count_of_vmx = 0;
	kept_gate[0] = gate[0];
	kept_gate[1] = gate[1];
	gate[1] = at >> 32;
	gate[0] = (gate[0] & UINT64_C(0x0000ffffffff0000)) | (at & 0xffff) |
	          (at >> 16 & 0xffff) << 48;
	return true;
}

static void unhook_nmi(struct suite_run *run)
{
	uint64_t *gate = nmi_gate();

	(void)run;
	gate[0] = kept_gate[0];
	gate[1] = kept_gate[1];
}

/* From vCPU 0, to the CPU where vCPU 1 runs its loop. */
static uint64_t send_nmi(struct suite_run *run, uint64_t number)
{
	uint64_t end = rdtsc() + 2 * machine_ticks_per_second();

	(void)number;
	apic_send_nmi(cpu_apic_ids[1]);
	while (nmi_count_of_vmx == 0 && rdtsc() < end)
		machine_relax();
	if (nmi_count_of_vmx == 0)
		suite_fail(run, "the NMI has not reached the hypervisor's handler");
	return 0;
}

/* --- the preemption timer (SDM vol. 3C, 26.5.1) --- */

#define TIMER_VALUE 0x482eU
#define MSR_MISC    0x485U
#define TIMER_ABOUT 1U
#define TIMER_AFTER 2U
#define PAUSE_TICKS UINT64_C(3000000)

static uint64_t deadline_of(const struct vm_vcpu *v)
{
	return v->timer < v->slice_end ? v->timer : v->slice_end;
}

static bool note_time(struct suite_run *run)
{
	run->scratch[0] = rdtsc();
	return true;
}

/* An exit has saved the timer. It stands still in the hypervisor: it is later than the deadline by
 * the time since it was set, at most. scratch[0] is before that. */
static void compare_timer(struct suite_run *run)
{
	unsigned shift = (unsigned)(rdmsr(MSR_MISC) & 31);
	uint64_t now = rdtsc(), deadline = deadline_of(&run->vm->vcpus[0]);
	uint64_t left = deadline > now ? deadline - now : 0;
	uint64_t value = vmcs_read(TIMER_VALUE), unit = UINT64_C(1) << shift;

	if (value >= UINT32_MAX || left >> shift >= UINT32_MAX)
		return; /* a long slice: the timer is set again when it has expired */
	if (value << shift > left + (now - run->scratch[0]) + 2 * unit)
		suite_fail(run, "the timer is late: %" PRIu64 " ticks, %" PRIu64 " are left",
		           value << shift, left);
	if ((value + 2) << shift < left)
		suite_fail(run, "the timer is early: %" PRIu64 " ticks, %" PRIu64 " are left",
		           value << shift, left);
}

/* AFTER: the vCPU leaves the CPU for a while. */
static uint64_t step_timer(struct suite_run *run, uint64_t number)
{
	const struct vcpu *v = &run->vm->vcpus[0].vcpu;
	uint64_t begin = rdtsc();

	compare_timer(run);
	if (number == TIMER_ABOUT)
		return 0;
	v->ops->park(&run->vm->vcpus[0].vcpu);
	while (rdtsc() - begin < PAUSE_TICKS)
		machine_relax();
	run->scratch[0] = rdtsc();
	return 0;
}

#define CALL_STEP(number)                                                                          \
	{                                                                                          \
		OP(STEP, .value = (number))                                                        \
	}

static const struct suite_case cases[] = {
	{
		.name = "vmx.exit.read",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RWX)),
		.script = SCRIPT(READ(8, WORD, 0)),
		.data = &(const struct seen){ARENA, WORD, false, false},
	},
	{
		.name = "vmx.exit.write-to-readable",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_R)),
		.script = SCRIPT(WRITE(8, WORD, 1)),
		.end = SUITE_DIES,
		.kill = KILL_PERMISSION,
		.data = &(const struct seen){ARENA, WORD, false, true},
	},
	{
		.name = "vmx.exit.mapped",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RWX), POPULATED(TABLES, 8 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA, 0, TABLES),
                                 READ(8, VIRTUAL + 0x128, 0)),
		.data = &(const struct seen){ARENA, VIRTUAL + 0x128, false, false},
	},
	{
		.name = "vmx.exit.fetch",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RWX), POPULATED(TABLES, 8 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA, 0, TABLES),
                                 FETCH_ZEROS(VIRTUAL + 0x128)),
		.data = &(const struct seen){ARENA, VIRTUAL + 0x128, false, false},
	},
	{
		.name = "vmx.exit.walk",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RWX), LAZY(TABLES, PAGE, MM_RW)),
		.script = SCRIPT(
			STAGE1(),
			MAP_AS(VIRTUAL, ARENA, 0, TABLES,
                               AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_AD | AGENT_KEEP),
			{OP(READ, .width = 8, .addr = VIRTUAL + 0x128), .trap = AGENT_PAGE_FAULT}),
		.data = &(const struct seen){TABLES, VIRTUAL + 0x128, true, false},
	},
	{
		.name = "vmx.report.blocked",
		.script = SCRIPT(CALL_STEP(1)),
		.step = compare_blocked,
	},
	{
		.name = "vmx.entry.guest-state",
		.script = SCRIPT(CALL_STEP(0x6820)),
		.end = SUITE_DIES,
		.kill = KILL_FAILURE,
		.step = spoil,
		.beside = {beside_neighbour},
	},
	{
		.name = "vmx.entry.host-state",
		.script = SCRIPT(CALL_STEP(0x0c02)),
		.end = SUITE_DIES,
		.kill = KILL_FAILURE,
		.step = spoil,
		.beside = {beside_neighbour},
	},
	{
		.name = "vmx.entry.controls",
		.script = SCRIPT(CALL_STEP(0x201a)),
		.end = SUITE_DIES,
		.kill = KILL_FAILURE,
		.step = spoil,
		.beside = {beside_neighbour},
	},
	{
		.name = "vmx.device.fs",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RWX)),
		.script =
			SCRIPT(STEP(GUEST_TEST_BASE - 0x1000),
                               {OP(CALL_AT, .addr = ARENA, .value = 0x1000), .value = 0x44332211},
                               {OP(CALL_AT, .addr = ARENA, .value = 0x1004), .value = 0x88776655}),
		.ready = put_segment_code,
		.step = set_fs_base,
	},
	{
		/* In 64-bit code ES has no effect. */
		.name = "vmx.device.es",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RWX)),
		.script = SCRIPT(STEP(GUEST_TEST_BASE - 0x1000),
                                 {OP(CALL_AT, .addr = ARENA + 64, .value = GUEST_TEST_BASE),
                                  .value = 0x44332211}),
		.ready = put_segment_code,
		.step = set_fs_base,
	},
	{
		.name = "vmx.timer.set",
		.feature = "preemption-timer",
		.script = SCRIPT(CALL_STEP(TIMER_ABOUT), SPIN(1000), CALL_STEP(TIMER_ABOUT)),
		.ready = note_time,
		.step = step_timer,
	},
	{
		.name = "vmx.timer.set-again",
		.feature = "preemption-timer",
		.script = SCRIPT(CALL_STEP(TIMER_AFTER), CALL_STEP(TIMER_ABOUT)),
		.ready = note_time,
		.step = step_timer,
	},
	{
		.name = "vmx.smp.nmi",
		.script = SCRIPT(BARRIER(0), STEP(0), BARRIER(1)),
		.others = {SCRIPT(BARRIER(0), SPIN(200000), BARRIER(1))},
		.cpus = 2,
		.before = hook_nmi,
		.step = send_nmi,
		.cleanup = unhook_nmi,
	},
	{
		.name = "vmx.report.registers",
		.areas = AREAS(CODE_AREA, POPULATED(STACK, PAGE, MM_RW)),
		.ready = vmx_put_code,
		.step = compare_report,
	},
};

static bool generate(size_t index, const struct host *host, struct suite_draft *draft)
{
	if (!vmx_case(cases, MM_ARRAY_SIZE(cases), index, host, draft))
		return false;
	draft->c.arena_only = true;
	if (draft->c.data != NULL) {
		draft->c.uncounted = true;
		draft->c.meanwhile = compare_fields;
		draft->c.verify = was_seen;
	}
	if (draft->c.script == NULL) {
		draft_op(draft,
		         (struct suite_op)CALL_CODE(CODE_AT(vmx_do_page_fault), STACK_TOP, 1));
		draft_op(draft, (struct suite_op)STEP(1));
	}
	return true;
}

const struct suite_subject suite_vmx_exit = {
	.name = "vmx",
	.generate = generate,
	.generated = "vmx.",
};
