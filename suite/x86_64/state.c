/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a guest across a switch. Each register is written with one value in one guest and
 * another in a second one on the same CPU; each guest reads its own value back, however often the
 * other has run. The same for two vCPUs of one VM, and for one vCPU that moves to another CPU. And
 * a new VM has the values after a reset, not those of its predecessor.
 *
 * The MSRs and the breakpoints come from the tables of x86/state.h.
 */
#include "x86/state.h"
#include "machine/x86_64/cpu.h"
#include "suite/beside.h"
#include "suite/x86_64/x86.h"

#define SCRATCH (ARENA + 4 * PAGE)
#define TABLES  (ARENA + 8 * PAGE)

#define ALTERNATE UINT64_C(0x5a3c69f01e87d2b4)

enum kind {
	KIND_MSR,
	KIND_CR,
	KIND_DR,
	KIND_XCR,
	KIND_IMAGE,
	KIND_GPRS,
	KIND_TABLES,
	KIND_GS,
};

struct item {
	const char *name;
	enum kind kind;
	uint64_t number;
	uint64_t values[2]; /* of the two guests; IMAGE, GPRS, TABLES: seeds */
	uint64_t reset;     /* value in a new VM */
	bool no_reset;      /* the agent's own start-up sets it */
	uint64_t needs;     /* components of XCR0 */
	bool svm_only;
};

#define MSR_ITEM(label, msr, mask)                                                                 \
	{.name = #label,                                                                           \
	 .kind = KIND_MSR,                                                                         \
	 .number = (msr),                                                                          \
	 .values = {ALTERNATE & (mask), ~ALTERNATE & (mask)}},
/* GS holds the agent's own data. */
#define HELD_ITEM(label, msr, mask)                                                                \
	{.name = #label,                                                                           \
	 .kind = (msr) == 0xc0000101U ? KIND_GS : KIND_MSR,                                        \
	 .number = (msr),                                                                          \
	 .values = {ALTERNATE & (mask), ~ALTERNATE & (mask)},                                      \
	 .no_reset = (msr) == 0xc0000101U},
#define DR_ITEM(n)                                                                                 \
	{.name = "dr" #n,                                                                          \
	 .kind = KIND_DR,                                                                          \
	 .number = (n),                                                                            \
	 .values = {ALTERNATE + (n), ~ALTERNATE - (n)}},

static const struct item items[] = {
	X86_STATE_HELD_MSRS(HELD_ITEM) X86_STATE_SYSCALL_MSRS(MSR_ITEM)
		X86_STATE_BREAKPOINTS(DR_ITEM)
	/* Length and type of the breakpoints, GE, LE; none is enabled. */
	{"dr6", KIND_DR, 6, {0xffff4ff5, 0xffff8ffa}, .reset = 0xffff0ff0},
	{"dr7", KIND_DR, 7, {0x33330700, 0xdd110400}, .reset = 0x400},
	/* AM, MP; DE, TSD, PGE */
	{"cr0", KIND_CR, 0, {0x80050033, 0x80010031}, .no_reset = true},
	{"cr2", KIND_CR, 2, {ALTERNATE, ~ALTERNATE}, .reset = 0},
	{"cr4", KIND_CR, 4, {0x6a8, 0x624}, .no_reset = true},
	{"cr8", KIND_CR, 8, {5, 10}, .svm_only = true},
	/* SCE, NXE, LME, LMA */
	{"efer", KIND_MSR, 0xc0000080, {0xd01, 0x500}, .reset = 0x500},
	{"xcr0", KIND_XCR, 0, {7, 3}, .reset = 1, .needs = XCR0_AVX},
	{"x87", KIND_IMAGE, XCR0_X87, {0x1105, 0x220a}, .reset = 0},
	{"sse", KIND_IMAGE, XCR0_SSE, {0x1105, 0x220a}, .reset = 0},
	{"avx", KIND_IMAGE, XCR0_AVX, {0x1105, 0x220a}, .needs = XCR0_AVX},
	{"avx512", KIND_IMAGE, XCR0_AVX512, {0x1105, 0x220a}, .needs = XCR0_AVX512},
	{"gprs.call", KIND_GPRS, AGENT_X86_EXIT_CALL, {0x1234567, 0x89abcdef}, .no_reset = true},
	{"gprs.load", KIND_GPRS, AGENT_X86_EXIT_LOAD, {0x1234567, 0x89abcdef}, .no_reset = true},
	{"gprs.cpuid", KIND_GPRS, AGENT_X86_EXIT_CPUID, {0x1234567, 0x89abcdef}, .no_reset = true},
	{"gprs.rdmsr", KIND_GPRS, AGENT_X86_EXIT_RDMSR, {0x1234567, 0x89abcdef}, .no_reset = true},
	{"gprs.hlt", KIND_GPRS, AGENT_X86_EXIT_HLT, {0x1234567, 0x89abcdef}, .no_reset = true},
	{"tables", KIND_TABLES, 0, {1, 2}, .no_reset = true},
};

enum variant {
	TWO_VMS,
	TWO_VCPUS,
	MOVED,
	FRESH,
	VARIANTS,
};

static const char *const variant_names[VARIANTS] = {"two-vms", "two-vcpus", "moved", "fresh"};

/* --- the CPU --- */

#define CPUID1_ECX_XSAVE BIT(26)

static bool has_xsave(void)
{
	return cpuid(1, 0).ecx & CPUID1_ECX_XSAVE;
}

static bool has_components(uint64_t wanted)
{
	return wanted == 0 || (has_xsave() && (cpuid(0xd, 0).eax & wanted) == wanted);
}

/* XCR0 with all components of which an image may consist. */
static uint64_t full_xcr0(void)
{
	uint64_t has = cpuid(0xd, 0).eax & XCR0_SUPPORTED;

	return (has & XCR0_AVX512) == XCR0_AVX512 ? has : has & ~XCR0_AVX512;
}

/* --- scripts --- */

#define OPS 24
static struct suite_op scripts[2][OPS];

static void add(unsigned guest, struct suite_op op)
{
	unsigned n = 0;

	while (scripts[guest][n].op.code != AGENT_END)
		n++;
	ASSERT(n + 1 < OPS);
	scripts[guest][n] = op;
	scripts[guest][n + 1] = (struct suite_op){OP(END)};
}

/* Each guest has scratch memory of its own. */
static uint64_t own(uint64_t at, unsigned guest)
{
	return at + guest * 16 * PAGE;
}

static struct suite_op write_op(const struct item *i, uint64_t value, unsigned guest)
{
	static const uint32_t codes[] = {
		[KIND_MSR] = AGENT_X86_WRMSR,        [KIND_CR] = AGENT_X86_WRITE_CR,
		[KIND_DR] = AGENT_X86_WRITE_DR,      [KIND_XCR] = AGENT_X86_XSETBV,
		[KIND_IMAGE] = AGENT_X86_IMAGE_LOAD, [KIND_TABLES] = AGENT_X86_TABLES,
	};

	return (struct suite_op){
		.op = {.code = AGENT_ARCH,
	               .count = codes[i->kind],
	               .addr = i->kind == KIND_TABLES ? own(TABLES, guest) : i->number,
	               .value = value,
	               .stride = own(SCRATCH, guest)},
	};
}

static struct suite_op read_op(const struct item *i, uint64_t value, unsigned guest)
{
	static const uint32_t codes[] = {
		[KIND_MSR] = AGENT_X86_RDMSR,         [KIND_CR] = AGENT_X86_READ_CR,
		[KIND_DR] = AGENT_X86_READ_DR,        [KIND_XCR] = AGENT_X86_XGETBV,
		[KIND_IMAGE] = AGENT_X86_IMAGE_CHECK, [KIND_TABLES] = AGENT_X86_TABLES_CHECK,
	};
	bool counts = i->kind == KIND_IMAGE || i->kind == KIND_TABLES;

	return (struct suite_op){
		.op = {.code = AGENT_ARCH,
	               .count = codes[i->kind],
	               .addr = i->kind == KIND_TABLES ? own(TABLES, guest) : i->number,
	               .value = value,
	               .stride = own(SCRATCH, guest)},
		.value = counts ? 0 : value,
	};
}

/* The whole test of a register that one operation writes, keeps over an exit, and reads. */
static struct suite_op at_once(const struct item *i, uint64_t value, unsigned guest, unsigned round)
{
	bool gs = i->kind == KIND_GS;

	return (struct suite_op){
		.op = {.code = AGENT_ARCH,
	               .count = gs ? AGENT_X86_GS : AGENT_X86_GPRS,
	               .width = (uint8_t)(gs ? 0 : i->number),
	               .addr = ARENA + (40 + 8 * guest + round) * PAGE,
	               .value = value},
		.value = gs ? value : 0,
	};
}

static bool is_at_once(const struct item *i)
{
	return i->kind == KIND_GS || i->kind == KIND_GPRS;
}

static void enable(const struct item *i, unsigned guest)
{
	if (i->kind == KIND_IMAGE && has_xsave())
		add(guest, (struct suite_op)XSETBV(full_xcr0()));
}

static void put(const struct item *i, unsigned guest, unsigned value)
{
	if (!is_at_once(i))
		add(guest, write_op(i, i->values[value], guest));
}

static void get(const struct item *i, unsigned guest, unsigned value, unsigned round)
{
	add(guest, is_at_once(i) ? at_once(i, i->values[value], guest, round)
	                         : read_op(i, i->values[value], guest));
}

/* Guest `guest` has value `guest`, twice; then the other one. */
static void share(const struct item *i, unsigned guest)
{
	enable(i, guest);
	put(i, guest, guest);
	for (unsigned round = 0; round < 2; round++) {
		add(guest, (struct suite_op)YIELD());
		get(i, guest, guest, round);
	}
	put(i, guest, 1 - guest);
	add(guest, (struct suite_op)YIELD());
	get(i, guest, 1 - guest, 2);
	add(guest, (struct suite_op)YIELD());
}

/* The value goes to the other CPU, where it changes, and comes back. */
static void move(const struct item *i)
{
	enable(i, 0);
	put(i, 0, 0);
	add(0, (struct suite_op)STEP(0));
	if (!is_at_once(i) || i->number != AGENT_X86_EXIT_CALL)
		get(i, 0, 0, 0);
	put(i, 0, 1);
	add(0, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
	get(i, 0, 1, 1);
}

/* --- cases --- */

static bool run_predecessor(struct suite_run *run)
{
	uint32_t tag;

	return beside_alone(run, scripts[1], &tag);
}

static void make_fresh(struct suite_draft *d, const struct item *i)
{
	enable(i, 1);
	put(i, 1, 0);
	enable(i, 0);
	add(0, read_op(i, i->reset, 0));
	d->c.before = run_predecessor;
}

static void make(struct suite_draft *d, const struct item *i, enum variant variant)
{
	for (unsigned guest = 0; guest < 2; guest++)
		scripts[guest][0] = (struct suite_op){OP(END)};
	d->c.script = scripts[0];
	d->c.share_cpu = variant != MOVED;
	if (variant == MOVED) {
		move(i);
		d->c.cpus = 2;
		d->c.step = x86_move;
	} else if (variant == FRESH) {
		make_fresh(d, i);
	} else {
		share(i, 0);
		share(i, 1);
		if (variant == TWO_VMS)
			d->c.beside[0] = scripts[1];
		else
			d->c.others[0] = scripts[1];
	}
}

static bool is_possible(const struct item *i, enum variant variant, const struct host *host)
{
	if ((i->svm_only && !x86_is_svm(host)) || !has_components(i->needs))
		return false;
	if (variant == FRESH)
		return !i->no_reset;
	/* A hypercall ends the stay on the other CPU, and HLT does, too. */
	return variant != MOVED || (i->kind != KIND_GPRS && i->kind != KIND_GS);
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct item *i = &items[index / VARIANTS];
	enum variant variant = (enum variant)(index % VARIANTS);

	if (index >= MM_ARRAY_SIZE(items) * VARIANTS)
		return false;
	draft_name(d, "state.%s.%s", i->name, variant_names[variant]);
	/* A fault would end the stay on the other CPU. */
	if (variant == MOVED)
		draft_area(d, (struct suite_area)POPULATED(ARENA, 64 * PAGE, MM_RWX));
	else
		draft_area(d, (struct suite_area)LAZY(ARENA, 64 * PAGE, MM_RWX));
	d->c.uncounted = true;
	if (!is_possible(i, variant, host)) {
		d->c.arch = "none"; /* not selected on any architecture */
		return true;
	}
	make(d, i, variant);
	return true;
}

const struct suite_subject suite_x86_state = {
	.name = "state",
	.generate = generate,
	.generated = "state.",
};
