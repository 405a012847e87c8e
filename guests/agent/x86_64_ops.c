/* SPDX-License-Identifier: BSD-2-Clause */
/* AGENT_ARCH on x86-64: single registers, the XSAVE image, general registers, segment tables. */
#include "guests/agent/x86_64_ops.h"

#include "agent/agent.h"
#include "agent/x86_64_event.h"

#define CR4_FX      UINT64_C(0x600) /* OSFXSR, OSXMMEXCPT */
#define CR4_OSXSAVE UINT64_C(0x40000)
#define HAS_XSAVE   (1U << 26)

static uint64_t join(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

static void rdmsr(struct agent_context *ctx)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"((uint32_t)ctx->op->addr));
	ctx->value = join(low, high);
}

static void wrmsr(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;

	__asm__ volatile("wrmsr"
	                 :
	                 : "c"((uint32_t)op->addr), "a"((uint32_t)op->value),
	                   "d"((uint32_t)(op->value >> 32))
	                 : "memory");
}

/* --- control and debug registers --- */

#define READ_REGISTER(kind, n)                                                                     \
	case n:                                                                                    \
		__asm__ volatile("movq %%" kind #n ", %0" : "=r"(ctx->value));                     \
		break;
#define WRITE_REGISTER(kind, n)                                                                    \
	case n:                                                                                    \
		__asm__ volatile("movq %0, %%" kind #n : : "r"(ctx->op->value) : "memory");        \
		break;

static void read_cr(struct agent_context *ctx)
{
	switch (ctx->op->addr) {
		READ_REGISTER("cr", 0)
		READ_REGISTER("cr", 2)
		READ_REGISTER("cr", 3)
		READ_REGISTER("cr", 4)
		READ_REGISTER("cr", 8)
	default:
		ctx->supported = false;
	}
}

static void write_cr(struct agent_context *ctx)
{
	switch (ctx->op->addr) {
		WRITE_REGISTER("cr", 0)
		WRITE_REGISTER("cr", 2)
		WRITE_REGISTER("cr", 3)
		WRITE_REGISTER("cr", 4)
		WRITE_REGISTER("cr", 8)
	default:
		ctx->supported = false;
	}
}

static void change_cr(struct agent_context *ctx)
{
	uint64_t set = ctx->op->value, clear = ctx->op->stride, value;

	if (ctx->op->addr == 0) {
		__asm__ volatile("movq %%cr0, %0" : "=r"(value));
		__asm__ volatile("movq %0, %%cr0" : : "r"((value & ~clear) | set) : "memory");
	} else {
		__asm__ volatile("movq %%cr4, %0" : "=r"(value));
		__asm__ volatile("movq %0, %%cr4" : : "r"((value & ~clear) | set) : "memory");
	}
}

static void read_dr(struct agent_context *ctx)
{
	switch (ctx->op->addr) {
		READ_REGISTER("db", 0)
		READ_REGISTER("db", 1)
		READ_REGISTER("db", 2)
		READ_REGISTER("db", 3)
		READ_REGISTER("db", 6)
		READ_REGISTER("db", 7)
	default:
		ctx->supported = false;
	}
}

static void write_dr(struct agent_context *ctx)
{
	switch (ctx->op->addr) {
		WRITE_REGISTER("db", 0)
		WRITE_REGISTER("db", 1)
		WRITE_REGISTER("db", 2)
		WRITE_REGISTER("db", 3)
		WRITE_REGISTER("db", 6)
		WRITE_REGISTER("db", 7)
	default:
		ctx->supported = false;
	}
}

static void cpuid(struct agent_context *ctx)
{
	uint32_t r[4] = {(uint32_t)ctx->op->addr, 0, (uint32_t)ctx->op->stride, 0};

	__asm__ volatile("cpuid" : "+a"(r[0]), "=b"(r[1]), "+c"(r[2]), "=d"(r[3]));
	ctx->value = r[ctx->op->width & 3] & ctx->op->value;
}

/* --- XCR0 and the image --- */

static void or_cr4(uint64_t bits)
{
	uint64_t cr4;

	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	if ((cr4 & bits) != bits)
		__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | bits) : "memory");
}

static bool has_xsave(void)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ecx & HAS_XSAVE;
}

static void xgetbv(struct agent_context *ctx)
{
	uint32_t low, high;

	or_cr4(CR4_OSXSAVE);
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"((uint32_t)ctx->op->addr));
	ctx->value = join(low, high);
}

static void xsetbv(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;

	or_cr4(CR4_OSXSAVE);
	__asm__ volatile("xsetbv"
	                 :
	                 : "c"((uint32_t)op->addr), "a"((uint32_t)op->value),
	                   "d"((uint32_t)(op->value >> 32))
	                 : "memory");
}

/* SDM vol. 1, 10.5.1 and 13.4: FXSAVE's image, and what XSAVE has behind it. */
#define IMAGE_BYTES  4096U
#define FX_TAGS      4U
#define FX_POINTERS  6U /* to 24: not saved by each CPU */
#define FX_MXCSR     24U
#define FX_MASK      28U
#define FX_ST        32U
#define FX_XMM       160U
#define FX_END       416U
#define XSAVE_HEADER 512U
#define CONTROL_WORD 0x037fU
#define MXCSR        0x1f80U

static uint8_t pattern(uint64_t seed, uint32_t at)
{
	uint64_t x = (seed + at + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint8_t)(x >> 40);
}

static void fill(uint8_t *image, uint64_t seed, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		image[i] = pattern(seed, i);
}

static void build_legacy(uint8_t *image, uint64_t seed, uint64_t mask)
{
	image[0] = (uint8_t)CONTROL_WORD;
	image[1] = CONTROL_WORD >> 8;
	image[FX_MXCSR] = MXCSR & 0xff;
	image[FX_MXCSR + 1] = MXCSR >> 8;
	if (seed == 0)
		return;
	if (mask & 1) {
		image[1] ^= (uint8_t)(seed & 0x0c); /* rounding control */
		image[FX_TAGS] = 0xff;
		for (uint32_t i = 0; i < 8; i++)
			fill(image, seed, FX_ST + 16 * i, FX_ST + 16 * i + 10);
	}
	if (mask & 2) {
		image[FX_MXCSR + 1] ^= (uint8_t)((seed << 4) & 0x60);
		fill(image, seed, FX_XMM, FX_END);
	}
}

static void build_image(uint8_t *image, uint64_t seed, uint64_t mask)
{
	for (uint32_t i = 0; i < IMAGE_BYTES; i++)
		image[i] = 0;
	build_legacy(image, seed, mask);
	if (seed == 0)
		return;
	*(uint64_t *)(void *)(image + XSAVE_HEADER) = mask;
	for (uint32_t i = 2; i < 32; i++) {
		uint32_t eax = 0xd, ebx, ecx = i, edx;

		if (!(mask >> i & 1))
			continue;
		__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
		if (eax != 0 && ebx + eax <= IMAGE_BYTES)
			fill(image, seed, ebx, ebx + eax);
	}
}

static void image_load(struct agent_context *ctx)
{
	uint64_t mask = ctx->op->addr;
	uint8_t(*image)[IMAGE_BYTES] = (uint8_t(*)[IMAGE_BYTES])(uintptr_t)ctx->op->stride;

	or_cr4(CR4_FX);
	build_image(*image, ctx->op->value, mask);
	if (!has_xsave()) {
		__asm__ volatile("fxrstor64 %0" : : "m"(*image));
		return;
	}
	or_cr4(CR4_OSXSAVE);
	__asm__ volatile("xrstor64 %0"
	                 :
	                 : "m"(*image), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)));
}

/* XSAVE writes the bytes of the requested components only. MXCSR also belongs to AVX, but not in
 * QEMU 7.2. */
static bool is_compared(uint32_t at, uint64_t mask)
{
	if (at < FX_POINTERS || (at >= FX_ST && at < FX_XMM))
		return mask & 1;
	if (at >= FX_MXCSR && at < FX_MASK)
		return mask & 2;
	if (at >= FX_XMM && at < FX_END)
		return mask & 2;
	return at >= XSAVE_HEADER + 64;
}

static void image_check(struct agent_context *ctx)
{
	uint64_t mask = ctx->op->addr;
	uint8_t(*image)[IMAGE_BYTES] = (uint8_t(*)[IMAGE_BYTES])(uintptr_t)ctx->op->stride;

	or_cr4(CR4_FX);
	build_image(image[0], ctx->op->value, mask);
	for (uint32_t i = 0; i < IMAGE_BYTES; i++)
		image[1][i] = 0;
	if (has_xsave()) {
		or_cr4(CR4_OSXSAVE);
		__asm__ volatile("xsave64 %0"
		                 : "+m"(image[1])
		                 : "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)));
	} else {
		__asm__ volatile("fxsave64 %0" : "+m"(image[1]));
	}
	for (uint32_t i = 0; i < IMAGE_BYTES; i++)
		ctx->value += is_compared(i, mask) && image[0][i] != image[1][i];
}

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return join(low, high);
}

static void tsc(struct agent_context *ctx)
{
	uint64_t before = rdtsc(), host = guest_call(GUEST_CYCLES, 0, 0, 0).value;

	ctx->value = host < before || host > rdtsc();
}

static void ports(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;

	for (uint64_t i = 0; i < op->value; i++) {
		uint8_t value;

		__asm__ volatile("inb %w1, %0"
		                 : "=a"(value)
		                 : "d"((uint32_t)(op->addr + i * op->stride)));
		ctx->value += value != 0xff;
	}
}

/* --- general registers --- */

/* The registers that the exit defines, by their numbers in instructions. */
static const uint16_t defined_by[AGENT_X86_EXITS] = {
	[AGENT_X86_EXIT_CALL] = 1U << 0 | 1U << 2,
	[AGENT_X86_EXIT_LOAD] = 0,
	[AGENT_X86_EXIT_CPUID] = 1U << 0 | 1U << 1 | 1U << 2 | 1U << 3,
	[AGENT_X86_EXIT_RDMSR] = 1U << 0 | 1U << 2,
	[AGENT_X86_EXIT_HLT] = 0,
};

#define RAX 0
#define RCX 1
#define RSP 4
#define RDI 7

static void gprs(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;
	uint64_t before[16], after[16];

	for (unsigned i = 0; i < 16; i++)
		before[i] = (op->value + i) * UINT64_C(0x9e3779b97f4a7c15);
	if (op->width == AGENT_X86_EXIT_CALL)
		before[RAX] = GUEST_X86_BASE | GUEST_YIELD;
	if (op->width == AGENT_X86_EXIT_LOAD)
		before[RDI] = op->addr;
	if (op->width == AGENT_X86_EXIT_CPUID)
		before[RAX] = before[RCX] = 0;
	if (op->width == AGENT_X86_EXIT_RDMSR)
		before[RCX] = 0xc0000100;
	agent_gprs(op->width, before, after);
	for (unsigned i = 0; i < 16; i++) {
		if (i != RSP && !(defined_by[op->width] >> i & 1) && before[i] != after[i])
			ctx->value |= 1U << i;
	}
}

/* The agent's own GS is away for so long: no exception may occur. */
static void gs(struct agent_context *ctx)
{
	struct agent_op op = {.addr = 0xc0000101};
	struct agent_context msr = {.op = &op};

	rdmsr(&msr);
	op.value = ctx->op->value;
	wrmsr(&msr);
	op.value = msr.value;
	guest_call(GUEST_YIELD, 0, 0, 0);
	rdmsr(&msr);
	ctx->value = msr.value;
	wrmsr(&msr);
}

/* --- segment tables --- */

#define GDT_COPIED  16U /* entries */
#define GDT_ENTRIES 64U
#define DATA        UINT64_C(0x00cf93000000ffff)
#define LDT         UINT64_C(0x0000820000000000)
#define TSS         UINT64_C(0x0000890000000000)

struct table_register {
	uint16_t pad[3];
	uint16_t limit;
	uint64_t base;
};

static uint64_t base_bits(uint64_t base)
{
	return (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
}

/* The selectors and the limit that the seed chooses. */
static unsigned slot(uint64_t seed, unsigned which)
{
	return GDT_COPIED + (unsigned)(seed % 4) + 8 * which;
}

static uint16_t gdt_limit(uint64_t seed)
{
	return (uint16_t)(GDT_ENTRIES * 8 - 1 + 8 * (seed % 4));
}

static uint32_t fs_base(uint64_t seed)
{
	return (uint32_t)seed << 12 | 0x123;
}

static void tables(struct agent_context *ctx)
{
	uint64_t at = ctx->op->addr, seed = ctx->op->value, *gdt = (uint64_t *)(uintptr_t)at;
	uint64_t ldt = at + 0x800, tss = at + 0x900;
	struct table_register old, new = {.limit = gdt_limit(seed), .base = at};

	__asm__ volatile("sgdt %0" : "=m"(*(char(*)[10])(void *)&old.limit));
	for (unsigned i = 0; i < GDT_COPIED && 8 * i < old.limit; i++)
		gdt[i] = ((uint64_t *)(uintptr_t)old.base)[i];
	gdt[slot(seed, 0)] = DATA;
	gdt[slot(seed, 1)] = DATA;
	gdt[slot(seed, 2)] = DATA | base_bits(fs_base(seed));
	gdt[slot(seed, 3)] = LDT | base_bits(ldt) | 0x7f;
	gdt[slot(seed, 3) + 1] = ldt >> 32;
	gdt[slot(seed, 4)] = TSS | base_bits(tss) | 0x67;
	gdt[slot(seed, 4) + 1] = tss >> 32;
	((uint64_t *)(uintptr_t)ldt)[2 + seed % 4] = DATA;
	*(uint32_t *)(uintptr_t)(tss + 4) = (uint32_t)AGENT_X86_RSP0(at);
	*(uint32_t *)(uintptr_t)(tss + 8) = (uint32_t)(AGENT_X86_RSP0(at) >> 32);
	__asm__ volatile("lgdt %0" : : "m"(*(char(*)[10])(void *)&new.limit) : "memory");
	__asm__ volatile("movl %0, %%ds; movl %1, %%es; movl %2, %%fs"
	                 :
	                 : "r"(slot(seed, 0) * 8), "r"(slot(seed, 1) * 8), "r"(slot(seed, 2) * 8)
	                 : "memory");
	__asm__ volatile("lldt %w0" : : "r"(slot(seed, 3) * 8) : "memory");
	__asm__ volatile("ltr %w0" : : "r"(slot(seed, 4) * 8) : "memory");
}

static uint64_t unless(bool good, enum agent_x86_table bit)
{
	return good ? 0 : bit;
}

static void tables_check(struct agent_context *ctx)
{
	uint64_t at = ctx->op->addr, seed = ctx->op->value;
	struct table_register gdtr, idtr;
	uint32_t ds, es, fs, ldtr, tr, low, high;

	__asm__ volatile("sgdt %0" : "=m"(*(char(*)[10])(void *)&gdtr.limit));
	__asm__ volatile("sidt %0" : "=m"(*(char(*)[10])(void *)&idtr.limit));
	__asm__ volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2"
	                 : "=r"(ds), "=r"(es), "=r"(fs));
	__asm__ volatile("sldt %0; str %1" : "=r"(ldtr), "=r"(tr));
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000100));
	ctx->value = unless(gdtr.limit == gdt_limit(seed), AGENT_X86_GDTR_LIMIT) |
	             unless(gdtr.base == at, AGENT_X86_GDTR_BASE) |
	             unless(idtr.limit == 0xfff, AGENT_X86_IDTR) |
	             unless(ldtr == slot(seed, 3) * 8, AGENT_X86_LDTR) |
	             unless(tr == slot(seed, 4) * 8, AGENT_X86_TR) |
	             unless(ds == slot(seed, 0) * 8, AGENT_X86_DS) |
	             unless(es == slot(seed, 1) * 8, AGENT_X86_ES) |
	             unless(fs == slot(seed, 2) * 8, AGENT_X86_FS) |
	             unless(join(low, high) == fs_base(seed), AGENT_X86_FS_BASE);
	/* TI is set. A fault ends the operation. */
	ds = (uint32_t)(2 + seed % 4) * 8 | 4;
	__asm__ volatile("movl %0, %%es" : : "r"(ds) : "memory");
	__asm__ volatile("movl %0, %%es" : : "r"(es) : "memory");
}

static agent_fn *const ops[AGENT_X86_64_OPS + 1] = {
	[AGENT_X86_RDMSR] = rdmsr,
	[AGENT_X86_WRMSR] = wrmsr,
	[AGENT_X86_READ_CR] = read_cr,
	[AGENT_X86_WRITE_CR] = write_cr,
	[AGENT_X86_CHANGE_CR] = change_cr,
	[AGENT_X86_READ_DR] = read_dr,
	[AGENT_X86_WRITE_DR] = write_dr,
	[AGENT_X86_CPUID] = cpuid,
	[AGENT_X86_XGETBV] = xgetbv,
	[AGENT_X86_XSETBV] = xsetbv,
	[AGENT_X86_IMAGE_LOAD] = image_load,
	[AGENT_X86_IMAGE_CHECK] = image_check,
	[AGENT_X86_GPRS] = gprs,
	[AGENT_X86_GS] = gs,
	[AGENT_X86_TABLES] = tables,
	[AGENT_X86_TABLES_CHECK] = tables_check,
	[AGENT_X86_TSC] = tsc,
	[AGENT_X86_PORTS] = ports,
	[AGENT_X86_EVENT] = agent_event,
	[AGENT_X86_AFTER] = agent_event_after,
	[AGENT_X86_COPY_IDT] = agent_copy_idt,
};

void agent_arch_op(struct agent_context *ctx)
{
	agent_fn *op = ctx->op->count < AGENT_X86_64_OPS ? ops[ctx->op->count] : NULL;

	ctx->supported = op != NULL;
	if (op != NULL)
		op(ctx);
}
