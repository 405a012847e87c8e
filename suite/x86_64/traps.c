/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that the hypervisor intercepts. A row is the code, its registers, and the exact
 * result: the exception with its error code and return address, or no exception and the values of
 * registers. Behind code that has to succeed comes UD2, so that its #UD shows where the guest goes
 * on.
 */
#include "machine/x86_64/cpu.h"
#include "suite/x86_64/x86.h"
#include "x86/state.h"

#define IDT (ARENA)

#define UD 6U
#define GP 13U

enum only {
	BOTH,
	ON_SVM,
	ON_VMX,
};

struct row {
	const char *name;
	uint8_t code[8];
	uint8_t length;
	uint64_t rcx;
	uint64_t operand; /* RAX: lower half, RDX: upper half, RDI and RSI: all of it */
	uint8_t vector;   /* 0: none */
	bool checked;     /* compare RAX */
	uint64_t rax;     /* afterwards */
	enum only only;
	bool kills; /* the VM is killed: an access that is not emulated */
};

#define CODE(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})

#define UNDEFINED(label, ...)                                                                      \
	{                                                                                          \
		label, CODE(__VA_ARGS__), .operand = GUEST_RAM_BASE, .vector = UD                  \
	}
#define UNDEFINED_ON(where, label, ...)                                                            \
	{                                                                                          \
		label, CODE(__VA_ARGS__), .operand = GUEST_RAM_BASE, .vector = UD, .only = where   \
	}
#define GOES_ON(label, ...)                                                                        \
	{                                                                                          \
		label, CODE(__VA_ARGS__), .operand = 0                                             \
	}
/* `port` is in DX, RAX has a pattern. */
#define PORT(label, port, result, ...)                                                             \
	{                                                                                          \
		label, CODE(__VA_ARGS__), .operand = (uint64_t)(port) << 32 | 0xc1d2e3f4,          \
					  .checked = true, .rax = (result)                         \
	}
/* RDI is in the arena, and DX is 1. */
#define KILLS(label, ...)                                                                          \
	{                                                                                          \
		label, CODE(__VA_ARGS__), .operand = ARENA + PAGE, .kills = true                   \
	}
#define FORBIDDEN(label, index, value, ...)                                                        \
	{                                                                                          \
		label, CODE(__VA_ARGS__), .rcx = (index), .operand = (value), .vector = GP         \
	}

#define XSETBV_OF(label, index, value) FORBIDDEN("xsetbv." label, index, value, 0x0f, 0x01, 0xd1)

static const struct row rows[] = {
	UNDEFINED("vmrun", 0x0f, 0x01, 0xd8),
	UNDEFINED("vmload", 0x0f, 0x01, 0xda),
	UNDEFINED("vmsave", 0x0f, 0x01, 0xdb),
	UNDEFINED("stgi", 0x0f, 0x01, 0xdc),
	UNDEFINED("clgi", 0x0f, 0x01, 0xdd),
	UNDEFINED("skinit", 0x0f, 0x01, 0xde),
	UNDEFINED("invlpga", 0x0f, 0x01, 0xdf),
	UNDEFINED("monitor", 0x0f, 0x01, 0xc8),
	UNDEFINED("mwait", 0x0f, 0x01, 0xc9),
	UNDEFINED("monitorx", 0x0f, 0x01, 0xfa),
	UNDEFINED("mwaitx", 0x0f, 0x01, 0xfb),
	UNDEFINED("rdtscp", 0x0f, 0x01, 0xf9),
	UNDEFINED("rsm", 0x0f, 0xaa),
	UNDEFINED("getsec", 0x0f, 0x37),
	UNDEFINED("vmxoff", 0x0f, 0x01, 0xc4),
	UNDEFINED("vmresume", 0x0f, 0x01, 0xc3),
	UNDEFINED("vmfunc", 0x0f, 0x01, 0xd4),
	UNDEFINED("xsetbv-without-osxsave", 0x0f, 0x01, 0xd1),
	UNDEFINED_ON(ON_SVM, "vmcall", 0x0f, 0x01, 0xc1),
	UNDEFINED_ON(ON_VMX, "vmmcall", 0x0f, 0x01, 0xd9),
	/* Executed or emulated: no effect that the guest can see. */
	GOES_ON("nop", 0x90),
	GOES_ON("invd", 0x0f, 0x08),
	GOES_ON("wbinvd", 0x0f, 0x09),
	GOES_ON("wbinvd-prefixed", 0x66, 0x0f, 0x09),
	GOES_ON("pause", 0xf3, 0x90),
	GOES_ON("hlt", 0xf4),
	GOES_ON("hlt-prefixed", 0x48, 0xf4),
	GOES_ON("cpuid", 0x0f, 0xa2),
	GOES_ON("cpuid-prefixed", 0x66, 0x48, 0x0f, 0xa2),
	GOES_ON("rdtsc", 0x0f, 0x31),
	GOES_ON("invlpg", 0x0f, 0x01, 0x3e),
	GOES_ON("clts", 0x0f, 0x06),
	{"rdmsr-efer", CODE(0x0f, 0x32), .rcx = 0xc0000080, .checked = true, .rax = 0x500},
	{"rdmsr-efer-prefixed", CODE(0x66, 0x0f, 0x32), .rcx = 0xc0000080, .checked = true,
         .rax = 0x500},
	{"wrmsr-efer", CODE(0x0f, 0x30), .rcx = 0xc0000080, .operand = 0xd01, .checked = true,
         .rax = 0xd01},
	{"rdmsr-rcx-upper-half", CODE(0x0f, 0x32), .rcx = 0xffffffffc0000080, .checked = true,
         .rax = 0x500},
	/* MOV RAX, RDI; RDMSR */
	{"rdmsr-clears-upper-half", CODE(0x48, 0x89, 0xf8, 0x0f, 0x32), .rcx = 0xc0000080,
         .operand = UINT64_MAX, .checked = true, .rax = 0x500},
	/* XSETBV and EFER with values that the CPU refuses. */
	XSETBV_OF("0", 0, 0),
	XSETBV_OF("sse-alone", 0, 2),
	XSETBV_OF("avx-without-sse", 0, 5),
	XSETBV_OF("avx-without-x87", 0, 6),
	XSETBV_OF("bndregs", 0, 0xb),
	XSETBV_OF("opmask-alone", 0, 0x27),
	XSETBV_OF("zmm-alone", 0, 0x47),
	XSETBV_OF("hi16-alone", 0, 0x87),
	XSETBV_OF("avx512-without-avx", 0, 0xe3),
	XSETBV_OF("pt", 0, 0x103),
	XSETBV_OF("pkru", 0, 0x203),
	XSETBV_OF("amx", 0, 0x60003),
	XSETBV_OF("bit-63", 0, UINT64_C(1) << 63 | 3),
	XSETBV_OF("index-1", 1, 3),
	FORBIDDEN("efer.bit-1", 0xc0000080, 0x502, 0x0f, 0x30),
	FORBIDDEN("efer.lme-off", 0xc0000080, 0x400, 0x0f, 0x30),
	FORBIDDEN("efer.bit-9", 0xc0000080, 0x700, 0x0f, 0x30),
	FORBIDDEN("efer.svme", 0xc0000080, 0x1500, 0x0f, 0x30),
	FORBIDDEN("efer.lmsle", 0xc0000080, 0x2500, 0x0f, 0x30),
	FORBIDDEN("efer.ffxsr", 0xc0000080, 0x4500, 0x0f, 0x30),
	FORBIDDEN("efer.tce", 0xc0000080, 0x8500, 0x0f, 0x30),
	FORBIDDEN("efer.bit-21", 0xc0000080, 0x200500, 0x0f, 0x30),
	FORBIDDEN("efer.bit-63", 0xc0000080, UINT64_C(1) << 63 | 0x500, 0x0f, 0x30),
	FORBIDDEN("rdpmc", 0, 0, 0x0f, 0x33),
	FORBIDDEN("rdpmc-fixed", 0x40000000, 0, 0x0f, 0x33),
	FORBIDDEN("tsc-write", 0x10, 0, 0x0f, 0x30),
	/* Ports without a device. The upper bits of RAX: SDM vol. 1, 3.4.1.1. */
	PORT("in8", 0x60, 0xc1d2e3ff, 0xec),
	PORT("in16", 0x60, 0xc1d2ffff, 0x66, 0xed),
	PORT("in32", 0x60, 0xffffffff, 0xed),
	PORT("in8-immediate", 0, 0xc1d2e3ff, 0xe4, 0x61),
	PORT("in16-immediate", 0, 0xc1d2ffff, 0x66, 0xe5, 0x40),
	PORT("in32-immediate", 0, 0xffffffff, 0xe5, 0x80),
	/* MOV RAX, RDI before it: RAX has an upper half. */
	PORT("in8-rax", 0x60, 0x60c1d2e3ff, 0x48, 0x89, 0xf8, 0xec),
	PORT("in16-rax", 0x60, 0x60c1d2ffff, 0x48, 0x89, 0xf8, 0x66, 0xed),
	PORT("in32-rax", 0x60, 0xffffffff, 0x48, 0x89, 0xf8, 0xed),
	PORT("in8-last", 0xffff, 0xc1d2e3ff, 0xec),
	PORT("in16-last", 0xffff, 0xc1d2ffff, 0x66, 0xed),
	PORT("in32-last", 0xffff, 0xffffffff, 0xed),
	PORT("in32-rex", 0xcf8, 0xffffffff, 0x48, 0xed),
	PORT("out8", 0x80, 0xc1d2e3f4, 0xee),
	PORT("out16", 0x80, 0xc1d2e3f4, 0x66, 0xef),
	PORT("out32", 0xcf8, 0xc1d2e3f4, 0xef),
	PORT("out8-immediate", 0, 0xc1d2e3f4, 0xe6, 0x80),
	PORT("out32-immediate", 0, 0xc1d2e3f4, 0xe7, 0x80),
	PORT("out8-last", 0xffff, 0xc1d2e3f4, 0xee),
	KILLS("insb", 0x6c),
	KILLS("insd", 0x6d),
	KILLS("rep-insb", 0xf3, 0x6c),
	KILLS("outsb", 0x6e),
	KILLS("outsw", 0x66, 0x6f),
	KILLS("rep-outsd", 0xf3, 0x6f),
};

static uint64_t code_of(const uint8_t *bytes, unsigned length, bool ud2)
{
	uint64_t code = UINT64_C(0x9090909090909090);

	for (unsigned i = 0; i < length + (ud2 ? 2U : 0U); i++) {
		uint64_t byte = i < length ? bytes[i] : i == length ? 0x0f : 0x0b;

		code = (code & ~(UINT64_C(0xff) << 8 * i)) | byte << 8 * i;
	}
	return code;
}

static bool needs_osxsave(const struct row *r)
{
	return r->vector == GP && r->code[1] == 0x01 && r->code[2] == 0xd1;
}

static bool has_xsave(void)
{
	return cpuid(1, 0).ecx & BIT(26);
}

static void begin(struct suite_draft *d)
{
	draft_area(d, (struct suite_area)POPULATED(ARENA, 4 * PAGE, MM_RWX));
	d->c.uncounted = true;
	draft_op(d, (struct suite_op)COPY_IDT(IDT));
}

static void make_row(struct suite_draft *d, const struct row *r, const struct host *host)
{
	bool fails = r->vector != 0;
	uint64_t got =
		fails ? AGENT_X86_GOT(r->vector, 1, 0, 0) : AGENT_X86_GOT(UD, 2, 0, r->length);

	draft_name(d, "trap.%s", r->name);
	if ((r->only == ON_SVM && !x86_is_svm(host)) || (r->only == ON_VMX && x86_is_svm(host)) ||
	    (needs_osxsave(r) && !has_xsave())) {
		d->c.arch = "none"; /* not selected on any architecture */
		return;
	}
	begin(d);
	if (needs_osxsave(r))
		draft_op(d, (struct suite_op)XSETBV(1));
	draft_op(d, (struct suite_op)EVENT(code_of(r->code, r->length, !fails && !r->kills), 0,
	                                   r->rcx, r->operand, got));
	if (r->kills) {
		d->c.end = SUITE_DIES;
		d->c.kill = KILL_MMIO_UNDECODED;
		return;
	}
	if (r->checked)
		draft_op(d, (struct suite_op)AFTER(RAX, r->rax));
	if (needs_osxsave(r))
		draft_op(d, (struct suite_op){X86_OP(XGETBV), .value = 1});
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
}

/* --- MSRs --- */

/* MSRs of the host that a guest must neither read nor write. */
static const uint32_t closed[] = {
	0x0,        0x1,        0x17,       0x1b,       0x2a,       0x3a,       0x3b,
	0x48,       0x79,       0x8b,       0xc1,       0xe7,       0xe8,       0xfe,
	0x10a,      0x122,      0x17a,      0x186,      0x198,      0x1a0,      0x1d9,
	0x1db,      0x200,      0x250,      0x277,      0x2ff,      0x38f,      0x400,
	0x480,      0x48b,      0x600,      0x6a2,      0x6e0,      0x800,      0x802,
	0x80b,      0x830,      0x832,      0x83f,      0xd90,      0xda0,      0xfff,
	0x1000,     0x1fff,     0x2000,     0x40000000, 0x40000070, 0x7fffffff, 0x80000000,
	0xbfffffff, 0xc000007f, 0xc0000085, 0xc0000103, 0xc0000104, 0xc0000ffe, 0xc0001fff,
	0xc0002000, 0xc000ffff, 0xc0010000, 0xc0010010, 0xc0010015, 0xc001001a, 0xc001001f,
	0xc0010055, 0xc0010114, 0xc0010115, 0xc0010117, 0xc0010118, 0xc0010130, 0xc0011020,
	0xc0011029, 0xc0011fff, 0xc0012000, 0xffffffff,
};

#define OPEN_ROW(name, number, mask) number,
static const uint32_t open[] = {X86_STATE_HELD_MSRS(OPEN_ROW) X86_STATE_SYSCALL_MSRS(OPEN_ROW)};

#define MSRS_EACH 12U

static void draft_msr(struct suite_draft *d, uint32_t msr, bool write)
{
	const uint8_t rdmsr[] = {0x0f, 0x32}, wrmsr[] = {0x0f, 0x30};
	uint64_t got = AGENT_X86_GOT(GP, 1, 0, 0);

	draft_op(d,
	         (struct suite_op)EVENT(code_of(write ? wrmsr : rdmsr, 2, false), 0, msr, 0, got));
}

static bool make_closed(struct suite_draft *d, size_t index)
{
	if (index * MSRS_EACH >= MM_ARRAY_SIZE(closed))
		return false;
	draft_name(d, "msr.closed.%zu", index);
	begin(d);
	for (size_t i = index * MSRS_EACH; i < (index + 1) * MSRS_EACH && i < MM_ARRAY_SIZE(closed);
	     i++) {
		draft_msr(d, closed[i], false);
		draft_msr(d, closed[i], true);
	}
	return true;
}

static bool is_open(uint32_t msr)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(open); i++) {
		if (open[i] == msr)
			return true;
	}
	return msr == MSR_EFER || msr == MSR_TSC;
}

/* The numbers beside each open MSR, at distances at which a wrong bit of a bitmap shows. */
static bool make_beside(struct suite_draft *d, size_t index)
{
	static const uint32_t flips[] = {1,     2,      4,          8,          0x10,
	                                 0x400, 0x1000, 0x40000000, 0xc0000000, 0x10000};
	uint32_t msr;

	if (index > MM_ARRAY_SIZE(open))
		return false;
	msr = index < MM_ARRAY_SIZE(open) ? open[index] : MSR_TSC;
	draft_name(d, "msr.beside.%x", msr);
	begin(d);
	for (size_t i = 0; i < MM_ARRAY_SIZE(flips); i++) {
		if (is_open(msr ^ flips[i]))
			continue;
		draft_msr(d, msr ^ flips[i], false);
		draft_msr(d, msr ^ flips[i], true);
	}
	return true;
}

/* --- CR4 --- */

/* The CPUID bits on which each bit of CR4 depends: SDM vol. 3, 2.5. Not here: never allowed. */
static uint64_t cr4_of_cpu(void)
{
	struct cpuid one = cpuid(1, 0), seven = {0, 0, 0, 0};
	uint64_t cr4 = 0;

	if (cpuid(0, 0).eax >= 7)
		seven = cpuid(7, 0);
	cr4 |= one.edx & BIT(1) ? BIT(0) | BIT(1) : 0;
	cr4 |= one.edx & BIT(4) ? BIT(2) : 0;
	cr4 |= one.edx & BIT(2) ? BIT(3) : 0;
	cr4 |= one.edx & BIT(3) ? BIT(4) : 0;
	cr4 |= one.edx & BIT(6) ? BIT(5) : 0;
	cr4 |= one.edx & BIT(13) ? BIT(7) : 0;
	cr4 |= one.edx & BIT(24) ? BIT(9) : 0;
	cr4 |= one.edx & BIT(25) ? BIT(10) : 0;
	cr4 |= seven.ebx & BIT(0) ? BIT(16) : 0;
	cr4 |= one.ecx & BIT(26) ? BIT(18) : 0;
	cr4 |= seven.ebx & BIT(7) ? BIT(20) : 0;
	cr4 |= seven.ebx & BIT(20) ? BIT(21) : 0;
	return cr4;
}

#define CR4_BASE UINT64_C(0x620) /* PAE, OSFXSR, OSXMMEXCPT */

/* MOV CR4 from each register that the EVENT operation can set, and with prefixes. */
static const struct {
	const char *name;
	uint8_t code[8];
	uint8_t length;
} moves[] = {
	{"rdi", CODE(0x0f, 0x22, 0xe7)},
	{"rsi", CODE(0x0f, 0x22, 0xe6)},
	{"rcx", CODE(0x0f, 0x22, 0xe1)},
	{"rbx", CODE(0x0f, 0x22, 0xe3)},
	{"rax", CODE(0x0f, 0x22, 0xe0)},
	{"rex", CODE(0x48, 0x0f, 0x22, 0xe7)},
	{"66", CODE(0x66, 0x0f, 0x22, 0xe7)},
	{"r8", CODE(0x49, 0x89, 0xf8, 0x41, 0x0f, 0x22, 0xe0)},
	{"r12", CODE(0x49, 0x89, 0xfc, 0x41, 0x0f, 0x22, 0xe4)},
	{"r15", CODE(0x49, 0x89, 0xff, 0x41, 0x0f, 0x22, 0xe7)},
	/* The stack pointer is the value; no event may use it. */
	{"rsp", CODE(0x0f, 0x22, 0xe4)},
};

static bool is_from_rsp(unsigned move)
{
	return moves[move].length == 3 && moves[move].code[2] == 0xe4;
}

static void draft_cr4(struct suite_draft *d, unsigned move, uint64_t value, bool allowed)
{
	uint64_t got = allowed ? 0 : AGENT_X86_GOT(GP, 1, 0, 0);
	uint8_t how = is_from_rsp(move) ? AGENT_X86_STACK | AGENT_X86_MASKED : 0;

	draft_op(d, (struct suite_op)EVENT(code_of(moves[move].code, moves[move].length, false),
	                                   how, value, value, got));
	draft_op(d, (struct suite_op)READ_CR(4, allowed ? value : CR4_BASE));
	if (allowed)
		draft_op(d, (struct suite_op)WRITE_CR(4, CR4_BASE));
}

static bool make_cr4(struct suite_draft *d, size_t index)
{
	if (index < 32) {
		uint64_t value = CR4_BASE ^ BIT(index);
		bool allowed = cr4_of_cpu() & BIT(index);

		draft_name(d, "cr4.bit-%zu", index);
		begin(d);
		draft_op(d, (struct suite_op)WRITE_CR(4, CR4_BASE));
		/* In long mode PAE stays on, and LA57 stays as it is. */
		draft_cr4(d, 0, value, allowed && index != 5);
		return true;
	}
	if (index - 32 >= MM_ARRAY_SIZE(moves))
		return false;
	draft_name(d, "cr4.from-%s", moves[index - 32].name);
	begin(d);
	draft_op(d, (struct suite_op)WRITE_CR(4, CR4_BASE));
	draft_cr4(d, (unsigned)(index - 32), CR4_BASE | BIT(2) | BIT(7), true);
	if (moves[index - 32].length <= 4 && !is_from_rsp((unsigned)(index - 32)))
		draft_cr4(d, (unsigned)(index - 32), CR4_BASE | BIT(14), false);
	return true;
}

/* --- all ports exit. Those of the UART have cases of their own: device.c of this folder --- */

#define PORT_STEP  7U
#define PORT_COUNT ((0x10000U - 0x400U) / PORT_STEP)

static bool all_exited(struct suite_run *run)
{
	uint64_t calls = atomic_load(&run->vm->calls), least = GUEST_UART_PORT + PORT_COUNT;

	if (calls >= least)
		return true;
	return suite_fail(run, "%" PRIu64 " exits, expected %" PRIu64 " or more", calls, least);
}

static void make_ports(struct suite_draft *d)
{
	draft_name(d, "port.closed");
	draft_op(d, (struct suite_op){
			    X86_OP(PORTS, .addr = 0, .stride = 1, .value = GUEST_UART_PORT)});
	draft_op(d, (struct suite_op){X86_OP(PORTS, .addr = 0x400, .stride = PORT_STEP,
	                                     .value = PORT_COUNT)});
	d->c.uncounted = true;
	d->c.verify = all_exited;
}

/* The TSC is the host's own, on each CPU. */
static void make_tsc(struct suite_draft *d)
{
	draft_name(d, "msr.tsc");
	d->c.uncounted = true;
	draft_op(d, (struct suite_op){X86_OP(TSC)});
	draft_op(d, (struct suite_op)YIELD());
	draft_op(d, (struct suite_op){X86_OP(TSC)});
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	if (index < MM_ARRAY_SIZE(rows)) {
		make_row(d, &rows[index], host);
		return true;
	}
	index -= MM_ARRAY_SIZE(rows);
	if (make_closed(d, index))
		return true;
	index -= (MM_ARRAY_SIZE(closed) + MSRS_EACH - 1) / MSRS_EACH;
	if (make_beside(d, index))
		return true;
	index -= MM_ARRAY_SIZE(open) + 1;
	if (make_cr4(d, index))
		return true;
	index -= 32 + MM_ARRAY_SIZE(moves);
	if (index == 0)
		make_ports(d);
	else if (index == 1)
		make_tsc(d);
	return index <= 1;
}

const struct suite_subject suite_x86_traps = {
	.name = "trap",
	.generate = generate,
	.generated = "",
};
