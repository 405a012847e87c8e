/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86/mmio.c, the device accesses of one instruction, on a real address space: guest
 * code at CODE, RAM at RAM (lazily backed), a device's registers at DEVICE, paging off.
 */
#include <string.h>

#include "decode/x86_64.h"
#include "guest.h"
#include "machine/x86_64/bits.h"
#include "mm/bits.h"
#include "x86/mmio.h"

#define CODE   UINT64_C(0x10000)
#define RAM    UINT64_C(0x20000)
#define RDONLY UINT64_C(0x28000)
#define DEVICE UINT64_C(0x30000)

#define FLAG_CF BIT(0)
#define FLAG_ZF BIT(6)
#define FLAG_SF BIT(7)

struct machine {
	struct guest *guest;
	struct x86_guest view;
	struct x86_mmio mmio;
	struct vm_exit exit;
	struct mmio_access access;
	uint64_t gpr[GPR_COUNT];
};

static const struct geometry *ept(void)
{
	for (size_t i = 0; i < geometry_count; i++) {
		if (is_ept(&geometries[i]))
			return &geometries[i];
	}
	return NULL;
}

static void open_machine(struct machine *m)
{
	const struct mm_aspace_backing lazily = {0};

	*m = (struct machine){.guest = guest_open(ept(), (struct hal_test_options){0})};
	CHECK_OK(mm_aspace_map_alloc(&m->guest->as, mm_gpa_range(mm_gpa_at(CODE), 0x2000), MM_RWX,
	                             lazily));
	CHECK_OK(mm_aspace_map_alloc(&m->guest->as, mm_gpa_range(mm_gpa_at(RAM), 0x2000), MM_RW,
	                             lazily));
	CHECK_OK(mm_aspace_map_alloc(&m->guest->as, mm_gpa_range(mm_gpa_at(RDONLY), 0x1000), MM_R,
	                             lazily));
	CHECK_OK(mm_aspace_map_device(&m->guest->as, mm_gpa_range(mm_gpa_at(DEVICE), 0x2000)));
	m->view = (struct x86_guest){
		.stage1 = {.as = &m->guest->as},
		.gpr = m->gpr,
		.rip = CODE,
		.rflags = RFLAGS_ONE,
		.code_width = 8,
	};
	/* No page tables, and 64-bit code: no CPU can be so, but each part is tested by itself. */
	m->view.stage1.efer = EFER_LMA;
}

static void close_machine(struct machine *m)
{
	guest_close(m->guest);
}

/* The guest runs these bytes at `rip`, and exits for an access to `gpa`. */
static enum mm_error run(struct machine *m, const char *bytes, size_t count, uint64_t gpa,
                         enum mm_perm access)
{
	CHECK_OK(mm_aspace_write(&m->guest->as, mm_gpa_at(m->view.rip), bytes, count));
	m->exit = (struct vm_exit){
		.kind = VM_EXIT_NESTED_FAULT,
		.fault = {.gpa = mm_gpa_at(gpa),
	                  .gva = mm_gva_at(gpa),
	                  .access = access,
	                  .gva_valid = true},
	};
	return x86_mmio_decode(&m->mmio, &m->view, &m->exit, &m->access);
}
#define RUN(m, bytes, gpa, access) run(m, bytes, sizeof(bytes) - 1, gpa, access)

static bool complete(struct machine *m, uint64_t value)
{
	return x86_mmio_complete(&m->mmio, &m->view, &m->access, value);
}

static void expect_access(const struct machine *m, bool write, unsigned width, uint64_t value)
{
	CHECK_EQ(m->access.write, write);
	CHECK_EQ(m->access.width, width);
	if (write)
		CHECK_EQ(m->access.value, value);
}

static void test_loads(void **state)
{
	static const struct {
		const char *text, *bytes;
		size_t count;
		unsigned width;
		uint64_t device, rax;
	} rows[] = {
		{"movb (%rdi), %al", "\x8a\x07", 2, 1, 0xf8, 0x11111111111111f8},
		{"movb (%rdi), %ah", "\x8a\x27", 2, 1, 0xf8, 0x111111111111f811},
		{"movw (%rdi), %ax", "\x66\x8b\x07", 3, 2, 0xfff8, 0x111111111111fff8},
		{"movl (%rdi), %eax", "\x8b\x07", 2, 4, 0xfffffff8, 0xfffffff8},
		{"movq (%rdi), %rax", "\x48\x8b\x07", 3, 8, 0x8000000000000001, 0x8000000000000001},
		{"movzbl (%rdi), %eax", "\x0f\xb6\x07", 3, 1, 0xf8, 0xf8},
		{"movsbw (%rdi), %ax", "\x66\x0f\xbe\x07", 4, 1, 0xf8, 0x111111111111fff8},
		{"movsbl (%rdi), %eax", "\x0f\xbe\x07", 3, 1, 0xf8, 0xfffffff8},
		{"movsbq (%rdi), %rax", "\x48\x0f\xbe\x07", 4, 1, 0xf8, 0xfffffffffffffff8},
		{"movslq (%rdi), %rax", "\x48\x63\x07", 3, 4, 0x80000000, 0xffffffff80000000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct machine m;

		check_context("insn=\"%s\"", rows[i].text);
		open_machine(&m);
		m.gpr[GPR_RAX] = 0x1111111111111111;
		m.gpr[GPR_RDI] = DEVICE;
		CHECK_OK(run(&m, rows[i].bytes, rows[i].count, DEVICE, MM_R));
		expect_access(&m, false, rows[i].width, 0);
		CHECK(!complete(&m, rows[i].device));
		CHECK_EQ(m.gpr[GPR_RAX], rows[i].rax);
		CHECK_EQ(m.view.rip, CODE + rows[i].count);
		CHECK_EQ(m.view.rflags, RFLAGS_ONE);
		close_machine(&m);
	}
}

/* orl %eax, (%rdi): a read, and then a write; flags only at the end. */
static void test_read_modify_write(void **state)
{
	struct machine m;

	(void)state;
	open_machine(&m);
	m.gpr[GPR_RDI] = DEVICE + 8;
	m.gpr[GPR_RAX] = 0xffffffff80000001;
	CHECK_OK(RUN(&m, "\x09\x07", DEVICE + 8, MM_W));
	expect_access(&m, false, 4, 0);
	CHECK(complete(&m, 0x10));
	CHECK_EQ(m.view.rip, CODE);
	CHECK_EQ(m.view.rflags, RFLAGS_ONE);
	CHECK_OK(x86_mmio_decode(&m.mmio, &m.view, &m.exit, &m.access));
	expect_access(&m, true, 4, 0x80000011);
	CHECK(!complete(&m, 0));
	CHECK_EQ(m.view.rip, CODE + 2);
	CHECK(m.view.rflags & FLAG_SF);
	CHECK_EQ(m.gpr[GPR_RAX], 0xffffffff80000001);
	close_machine(&m);
}

/* xchgq %rax, (%rdi) */
static void test_exchange(void **state)
{
	struct machine m;

	(void)state;
	open_machine(&m);
	m.gpr[GPR_RDI] = DEVICE;
	m.gpr[GPR_RAX] = 1;
	CHECK_OK(RUN(&m, "\x48\x87\x07", DEVICE, MM_W));
	expect_access(&m, false, 8, 0);
	CHECK(complete(&m, 2));
	CHECK_OK(x86_mmio_decode(&m.mmio, &m.view, &m.exit, &m.access));
	expect_access(&m, true, 8, 1);
	CHECK(!complete(&m, 0));
	CHECK_EQ(m.gpr[GPR_RAX], 2);
	CHECK_EQ(m.view.rip, CODE + 3);
	close_machine(&m);
}

/* cmpl (%rdi), %eax and cmpl %eax, (%rdi): which side is subtracted shows in the carry. */
static void test_compare(void **state)
{
	struct machine m;

	(void)state;
	open_machine(&m);
	m.gpr[GPR_RDI] = DEVICE;
	m.gpr[GPR_RAX] = 1;
	CHECK_OK(RUN(&m, "\x3b\x07", DEVICE, MM_R));
	CHECK(!complete(&m, 2));
	CHECK(m.view.rflags & FLAG_CF);
	CHECK_OK(RUN(&m, "\x39\x07", DEVICE, MM_R));
	CHECK(!complete(&m, 2));
	CHECK(!(m.view.rflags & (FLAG_CF | FLAG_ZF)));
	CHECK_EQ(m.gpr[GPR_RAX], 1);
	close_machine(&m);
}

/* rep stosw, upwards and downwards: one element a time, RIP at rest until the last. */
static void test_rep_stos(void **state)
{
	(void)state;
	for (int down = 0; down < 2; down++) {
		uint64_t step = down ? (uint64_t)-2 : 2;
		struct machine m;

		check_context("down=%d", down);
		open_machine(&m);
		m.gpr[GPR_RDI] = DEVICE + 16;
		m.gpr[GPR_RCX] = 3;
		m.gpr[GPR_RAX] = 0x12345678;
		m.view.rflags |= down ? RFLAGS_DF : 0;
		for (uint64_t i = 0; i < 3; i++) {
			CHECK_EQ(m.view.rip, CODE);
			CHECK_OK(RUN(&m, "\xf3\x66\xab", DEVICE + 16 + i * step, MM_W));
			expect_access(&m, true, 2, 0x5678);
			CHECK(!complete(&m, 0));
			CHECK_EQ(m.gpr[GPR_RCX], 2 - i);
		}
		CHECK_EQ(m.gpr[GPR_RDI], DEVICE + 16 + 3 * step);
		CHECK_EQ(m.view.rip, CODE + 3);
		close_machine(&m);
	}
}

/* movsl, out of a device and into one; the RAM on the other side may not have been touched. */
static void test_movs(void **state)
{
	uint64_t value;
	struct machine m;

	(void)state;
	open_machine(&m);
	m.gpr[GPR_RSI] = DEVICE;
	m.gpr[GPR_RDI] = RAM + 4;
	CHECK_OK(RUN(&m, "\xa5", DEVICE, MM_R));
	expect_access(&m, false, 4, 0);
	CHECK(!complete(&m, 0xdeadbeef));
	CHECK_OK(mm_aspace_load(&m.guest->as, mm_gpa_at(RAM + 4), 4, &value));
	CHECK_EQ(value, 0xdeadbeef);
	CHECK_EQ(m.gpr[GPR_RSI], DEVICE + 4);
	CHECK_EQ(m.gpr[GPR_RDI], RAM + 8);

	m.gpr[GPR_RSI] = RAM + 4;
	m.gpr[GPR_RDI] = DEVICE + 4;
	CHECK_OK(RUN(&m, "\xa5", DEVICE + 4, MM_W));
	expect_access(&m, true, 4, 0xdeadbeef);
	CHECK(!complete(&m, 0));
	CHECK_EQ(m.view.rip, CODE + 2);
	close_machine(&m);
}

static void test_movs_refused(void **state)
{
	static const uint64_t destinations[] = {DEVICE + 8, RDONLY, RAM + 0xffe};
	struct machine m;

	(void)state;
	open_machine(&m);
	m.gpr[GPR_RSI] = DEVICE;
	for (size_t i = 0; i < sizeof(destinations) / sizeof(destinations[0]); i++) {
		check_context("destination=%#llx", (unsigned long long)destinations[i]);
		m.gpr[GPR_RDI] = destinations[i];
		CHECK_ERR(RUN(&m, "\xa5", DEVICE, MM_R), MM_UNSUPPORTED);
	}
	close_machine(&m);
}

/* The instruction fetched is not the one that exited; the access is half on another page. */
static void test_mismatch_refused(void **state)
{
	struct machine m;

	(void)state;
	open_machine(&m);
	m.gpr[GPR_RDI] = DEVICE + 4;
	CHECK_ERR(RUN(&m, "\x8b\x07", DEVICE, MM_R), MM_UNSUPPORTED);
	m.gpr[GPR_RDI] = DEVICE + 0xffe;
	CHECK_ERR(RUN(&m, "\x8b\x07", DEVICE + 0xffe, MM_R), MM_UNSUPPORTED);
	CHECK_ERR(RUN(&m, "\xf0\x01\x07", DEVICE + 0xffe, MM_W), MM_UNSUPPORTED);
	close_machine(&m);
}

/* movl 0(%rdi), %eax with a long displacement, cut by a page's end at each of its bytes. */
static void test_across_pages(void **state)
{
	(void)state;
	for (unsigned before = 1; before < 6; before++) {
		struct machine m;

		check_context("bytes before the page's end=%u", before);
		open_machine(&m);
		m.view.rip = CODE + 0x1000 - before;
		m.gpr[GPR_RDI] = DEVICE;
		CHECK_OK(RUN(&m, "\x8b\x87\x00\x00\x00\x00", DEVICE, MM_R));
		CHECK(!complete(&m, 7));
		CHECK_EQ(m.gpr[GPR_RAX], 7);
		CHECK_EQ(m.view.rip, CODE + 0x1000 - before + 6);

		/* The second page is looked at only if the instruction goes on there. */
		m.view.rip = CODE + 0x1ffe;
		CHECK_OK(RUN(&m, "\x8b\x07", DEVICE, MM_R));
		CHECK_OK(mm_aspace_write(&m.guest->as, mm_gpa_at(CODE + 0x1ffe), "\x8b\x87", 2));
		CHECK_ERR(x86_mmio_decode(&m.mmio, &m.view, &m.exit, &m.access), MM_NOT_MAPPED);
		close_machine(&m);
	}
}

/* --- arithmetic --- */

/* What the manual says of the flags, by other means than decode/x86_64_alu.c's. */
static uint64_t model(enum insn_op op, uint64_t a, uint64_t b, unsigned width, uint64_t *flags)
{
	uint64_t mask = GENMASK(8 * width - 1, 0), sign = BIT(8 * width - 1), result;
	bool add = op == INSN_ADD, sub = op == INSN_SUB || op == INSN_CMP;
	unsigned __int128 wide = add ? (unsigned __int128)a + b : (unsigned __int128)a - b;

	if (add || sub)
		result = (uint64_t)wide & mask;
	else
		result = (op == INSN_OR ? a | b : op == INSN_XOR ? a ^ b : a & b) & mask;
	*flags = result == 0 ? FLAG_ZF : 0;
	*flags |= result & sign ? FLAG_SF : 0;
	*flags |= __builtin_popcountll(result & 0xff) % 2 == 0 ? BIT(2) : 0;
	if (add) {
		*flags |= wide > mask ? FLAG_CF : 0;
		*flags |= (a & 15) + (b & 15) > 15 ? BIT(4) : 0;
		*flags |=
			!(a & sign) == !(b & sign) && !(a & sign) != !(result & sign) ? BIT(11) : 0;
	} else if (sub) {
		*flags |= a < b ? FLAG_CF : 0;
		*flags |= (a & 15) < (b & 15) ? BIT(4) : 0;
		*flags |=
			!(a & sign) != !(b & sign) && !(a & sign) != !(result & sign) ? BIT(11) : 0;
	}
	return result;
}

static void test_arithmetic(void **state)
{
	static const enum insn_op ops[] = {INSN_ADD, INSN_OR,  INSN_AND, INSN_SUB,
	                                   INSN_XOR, INSN_CMP, INSN_TEST};
	struct rng rng = rng_seeded(1);

	(void)state;
	for (unsigned i = 0; i < 400000; i++) {
		enum insn_op op = ops[rng_below(&rng, sizeof(ops) / sizeof(ops[0]))];
		unsigned width = 1U << rng_below(&rng, 4);
		uint64_t mask = GENMASK(8 * width - 1, 0);
		uint64_t a = rng_next(&rng) >> rng_below(&rng, 64) & mask;
		uint64_t b = rng_below(&rng, 4) == 0 ? a : rng_next(&rng) & mask;
		uint64_t flags, wanted, result = model(op, a, b, width, &wanted);

		check_context("op=%d a=%#llx b=%#llx width=%u", op, (unsigned long long)a,
		              (unsigned long long)b, width);
		flags = RFLAGS_ONE | RFLAGS_DF | GENMASK(7, 6);
		CHECK_EQ(insn_alu(op, a, b, width, &flags), result);
		CHECK_EQ(flags, wanted | RFLAGS_ONE | RFLAGS_DF);
	}
}

/* What the CPU gives counts, and not what is in memory; but all of the one or all of the other. */
static void test_given_bytes(void **state)
{
	static const uint8_t byte_load[15] = {0x0f, 0xb6, 0x07, 0xc3}; /* movzbl (%rdi), %eax */
	static const uint8_t undefined[15] = {0x0f, 0x0b};
	struct machine m;

	(void)state;
	open_machine(&m);
	m.gpr[GPR_RDI] = DEVICE;
	for (size_t count = 0; count <= sizeof(byte_load); count++) {
		check_context("count=%zu", count);
		m.view.rip = CODE;
		m.view.given = byte_load;
		m.view.given_count = count;
		/* movl 0(%rdi), %eax */
		CHECK_OK(RUN(&m, "\x8b\x47\x00", DEVICE, MM_R));
		expect_access(&m, false, count < 3 ? 4 : 1, 0);
		CHECK(!complete(&m, 0x11));
		CHECK_EQ(m.view.rip, CODE + 3);
	}
	m.view.rip = CODE;
	m.view.given = undefined;
	CHECK_ERR(RUN(&m, "\x8b\x47\x00", DEVICE, MM_R), MM_UNSUPPORTED);
	close_machine(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loads),        cmocka_unit_test(test_read_modify_write),
		cmocka_unit_test(test_exchange),     cmocka_unit_test(test_compare),
		cmocka_unit_test(test_rep_stos),     cmocka_unit_test(test_movs),
		cmocka_unit_test(test_movs_refused), cmocka_unit_test(test_mismatch_refused),
		cmocka_unit_test(test_across_pages), cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_given_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
