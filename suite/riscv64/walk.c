/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's walk of a guest's tables (virt_ops.translate) against the hart's own walk. A
 * guest in VS or VU makes one access by an entry of the case. The hypervisor's answer, for the same
 * mode, SUM and MXR, must be what the hart does: the access succeeds at that address, or the guest
 * takes a page fault.
 */
#include "machine/riscv64/csr.h"
#include "suite/payload.h"
#include "suite/riscv64/bare.h"

/*
 * Virtual addresses, in each mode:
 *	4 GiB	the code in VS, a leaf of 1 GiB
 *	5 GiB	the same for VU
 *	6 GiB	the same memory by the entry of the case
 */
#define CODE_GIB  4
#define USER_GIB  5
#define TEST_GIB  6
#define TABLES    (16 * MM_PAGE_SIZE) /* in the data: levels 0 to 4, one page each */
#define TARGET    (32 * MM_PAGE_SIZE) /* in the data */
#define OTHERS    16                  /* pages after it */
#define EXIT_INSN INSN_CSRR(X0, 0x600)

struct probe {
	enum atp_mode mode;
	unsigned level;   /* of the leaf */
	uint64_t bits;    /* of the leaf, beside the address */
	uint64_t ppn_xor; /* changes the address */
	uint64_t va_xor;  /* changes the virtual address */
	bool in_place;    /* the entry is at the changed address */
	bool root_at_0;   /* the root table is at guest-physical address 0 */
	uint64_t offset;  /* of the access in its page: 0 to 8 bytes before the end */
	enum mm_perm access;
	bool user;
	uint64_t status; /* SUM, MXR */
};

/* --- tables --- */

static uint64_t table(const struct bare *b, unsigned level)
{
	return b->data + TABLES + level * MM_PAGE_SIZE;
}

static uint64_t target(const struct bare *b)
{
	return b->data + TARGET;
}

static uint64_t in_gib(uint64_t gib, uint64_t gpa)
{
	return GIB(gib) | (gpa & (GIB(1) - 1));
}

static void put_entry(struct bare *b, unsigned level, uint64_t va, uint64_t entry)
{
	bare_put(b, table(b, level) + 8 * (va >> MM_LEVEL_SHIFT(level) & 511), entry);
}

static uint64_t entry_for(uint64_t gpa)
{
	return FIELD_PREP(PTE_PPN, gpa >> MM_PAGE_SHIFT);
}

static unsigned top_level(enum atp_mode mode)
{
	return mode == ATP_SV39 ? 2 : mode == ATP_SV48 ? 3 : 4;
}

static uint64_t test_va(const struct bare *b, const struct probe *p)
{
	return (in_gib(TEST_GIB, target(b)) ^ p->va_xor) + p->offset;
}

/* To guest-physical address 0. */
static void copy_root(struct bare *b, uint64_t root)
{
	static uint64_t entries[512];
	struct mm_aspace_backing populated = {.populate = true};

	(void)mm_aspace_map_alloc(&b->vm->as, mm_gpa_range(mm_gpa_at(0), MM_PAGE_SIZE), MM_RW,
	                          populated);
	bare_read(b, root, entries, sizeof(entries));
	bare_write(b, 0, entries, sizeof(entries));
}

static void make_tables(struct bare *b, const struct probe *p)
{
	const uint64_t all = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D;
	uint64_t va = p->in_place ? test_va(b, p) : in_gib(TEST_GIB, target(b));
	uint64_t leaf = mm_align_down(target(b), MM_LEVEL_SIZE(p->level));

	for (unsigned level = 1; level <= top_level(p->mode); level++)
		put_entry(b, level, va, entry_for(table(b, level - 1)) | PTE_V);
	/* The code is in the lower half. */
	for (unsigned level = 3; level <= top_level(p->mode); level++)
		put_entry(b, level, GIB(CODE_GIB), entry_for(table(b, level - 1)) | PTE_V);
	put_entry(b, 2, GIB(CODE_GIB), entry_for(GIB(CODE_GIB)) | all);
	put_entry(b, 2, GIB(USER_GIB), entry_for(GIB(CODE_GIB)) | all | PTE_U);
	put_entry(b, p->level, va, (entry_for(leaf) ^ p->ppn_xor) | p->bits);
	if (p->root_at_0)
		copy_root(b, table(b, top_level(p->mode)));
}

/* --- the guest --- */

struct setup {
	uint64_t stvec, satp, clear, status, sepc, a2, a3;
};

#define AT(member) (int)offsetof(struct setup, member)

static uint32_t access_insn(enum mm_perm access)
{
	return access == MM_R   ? INSN_LD(A3, A2, 0)
	       : access == MM_W ? INSN_SD(A3, A2, 0)
	                        : INSN_JR(A2);
}

struct places {
	unsigned body;
	unsigned handler;
};

/* The body exits, makes the access, and exits. Fetched code exits, too. */
static struct places write_guest(struct bare *b, enum mm_perm access)
{
	struct code code = {.count = 0};
	struct places at;

	emit(&code, INSN_MV(T6, A0));
	emit(&code, INSN_LD(T0, T6, AT(stvec)));
	emit(&code, INSN_CSRW(CSR_STVEC, T0));
	emit(&code, INSN_LD(T0, T6, AT(clear)));
	emit(&code, INSN_CSRC(CSR_SSTATUS, T0));
	emit(&code, INSN_LD(T0, T6, AT(status)));
	emit(&code, INSN_CSRS(CSR_SSTATUS, T0));
	emit(&code, INSN_LD(T0, T6, AT(sepc)));
	emit(&code, INSN_CSRW(CSR_SEPC, T0));
	emit(&code, INSN_LD(A2, T6, AT(a2)));
	emit(&code, INSN_LD(A3, T6, AT(a3)));
	emit(&code, INSN_LD(T0, T6, AT(satp)));
	emit(&code, INSN_CSRW(CSR_SATP, T0));
	emit(&code, INSN_CSRR(A4, CSR_SATP));
	emit(&code, INSN_SFENCE_VMA);
	emit(&code, INSN_SRET);
	at.body = emit(&code, EXIT_INSN);
	emit(&code, access_insn(access));
	emit(&code, EXIT_INSN);
	while (code.count % 16 != 0)
		emit(&code, INSN_NOP);
	at.handler = emit(&code, INSN_CSRR(S2, CSR_SCAUSE));
	emit(&code, INSN_CSRR(S3, CSR_STVAL));
	emit(&code, INSN_ECALL);
	bare_code(b, &code);
	return at;
}

#define STORED UINT64_C(0x57013d57013d5701)

static uint64_t content(uint64_t page)
{
	return EXIT_INSN | (0xc0ffee00 + page) << 32;
}

static struct places prepare(struct bare *b, const struct probe *p)
{
	struct places at = write_guest(b, p->access);
	struct setup setup = {
		.stvec = b->base + 4 * at.handler,
		.satp = FIELD_PREP(ATP_MODE, p->mode) |
	                (p->root_at_0 ? 0
	                              : FIELD_PREP(ATP_PPN,
	                                           table(b, top_level(p->mode)) >> MM_PAGE_SHIFT)),
		.clear = SSTATUS_SPP | SSTATUS_SUM | SSTATUS_MXR,
		.status = p->status | (p->user ? 0 : SSTATUS_SPP),
		.sepc = in_gib(p->user ? USER_GIB : CODE_GIB, b->base + 4 * at.body),
		.a2 = test_va(b, p),
		.a3 = STORED,
	};

	make_tables(b, p);
	for (uint64_t i = 0; i < OTHERS; i++)
		bare_put(b, target(b) + i * MM_PAGE_SIZE + p->offset, content(i));
	bare_write(b, b->data, &setup, sizeof(setup));
	return at;
}

/* --- comparison --- */

static bool differs(struct bare *b, const struct probe *p, const char *what)
{
	return suite_fail(b->run,
	                  "%s: mode=%d level=%u bits=0x%" PRIx64
	                  " access=%d user=%d status=0x%" PRIx64 " va=0x%" PRIx64,
	                  what, (int)p->mode, p->level, p->bits | p->ppn_xor, (int)p->access,
	                  p->user, p->status, test_va(b, p));
}

/* The access has succeeded. The hypervisor's address must be where it went. */
static bool compare_success(struct bare *b, const struct probe *p, enum mm_error error,
                            mm_gpa_t gpa)
{
	if (error != MM_OK)
		return differs(b, p, "the hart permits it, the hypervisor does not");
	if (p->access == MM_R && bare_register(b, "a3") != bare_get(b, gpa.raw))
		return differs(b, p, "read at another address");
	if (p->access == MM_W && bare_get(b, gpa.raw) != STORED)
		return differs(b, p, "written at another address");
	if (p->access == MM_X && (uint32_t)bare_get(b, gpa.raw) != EXIT_INSN)
		return differs(b, p, "fetched at another address");
	return true;
}

static unsigned page_fault(enum mm_perm access)
{
	return access == MM_R ? 13 : access == MM_W ? 15 : 12;
}

static bool compare_fault(struct bare *b, const struct probe *p, enum mm_error error)
{
	if (bare_register(b, "s2") != page_fault(p->access) ||
	    bare_register(b, "s3") != test_va(b, p))
		return differs(b, p, "another exception");
	if (error != MM_NOT_MAPPED && error != MM_DENIED)
		return differs(b, p, "the hypervisor permits it, the hart does not");
	return true;
}

/* Answers both of a loaded vCPU, and of one in memory, which must be the same. */
static enum mm_error ask(struct bare *b, const struct probe *p, mm_gpa_t *gpa)
{
	enum mm_error loaded, parked;
	mm_gpa_t again = mm_gpa_at(0);

	*gpa = mm_gpa_at(0);
	loaded = b->vm->ops->translate(b->vcpu, mm_gva_at(test_va(b, p)), p->access, gpa);
	b->vm->ops->park(b->vcpu);
	parked = b->vm->ops->translate(b->vcpu, mm_gva_at(test_va(b, p)), p->access, &again);
	if (loaded != parked || (loaded == MM_OK && gpa->raw != again.raw))
		differs(b, p, "another answer for a parked vCPU");
	return loaded;
}

static bool run_probe(struct bare *b, const struct probe *p)
{
	struct places at;
	enum mm_error error;
	mm_gpa_t gpa;

	if (!bare_restart(b))
		return false;
	at = prepare(b, p);
	if (!bare_run(b))
		return false;
	if (FIELD_GET(ATP_MODE, bare_register(b, "a4")) != (uint64_t)p->mode)
		return true; /* this hart does not have the mode */
	if (b->exit.kind != VM_EXIT_SYSREG)
		return differs(b, p, "the guest has not begun");
	error = ask(b, p, &gpa);
	b->vm->ops->skip(b->vcpu, &b->exit, 0);
	if (!bare_run(b))
		return false;
	if (b->exit.kind == VM_EXIT_SYSREG)
		return compare_success(b, p, error, gpa);
	EXPECT(b->run, b->exit.pc == b->base + 4 * (at.handler + 2));
	return compare_fault(b, p, error);
}

/* --- the cases --- */

static const enum mm_perm accesses[] = {MM_R, MM_W, MM_X};

/* All accesses by this entry, in both modes, with each of SUM and MXR. */
static bool run_entry(struct bare *b, struct probe p)
{
	for (unsigned i = 0; i < 3 * 2 * 4; i++) {
		p.access = accesses[i % 3];
		p.user = (i / 3) % 2 != 0;
		p.status = (i / 6 % 2 != 0 ? SSTATUS_SUM : 0) | (i / 12 != 0 ? SSTATUS_MXR : 0);
		if (!run_probe(b, &p))
			return false;
	}
	return true;
}

#define AD      (PTE_A | PTE_D)
#define KERNEL  (PTE_V | PTE_R | PTE_W | PTE_X | AD)
#define PROGRAM (KERNEL | PTE_U)

/* Every combination of V, R, W, X and U in a leaf of this level. */
static void permissions(struct suite_run *run, const void *data)
{
	const struct probe *like = data;
	struct bare b;

	if (!bare_begin(run, 1, 1, &b))
		return;
	for (unsigned i = 0; i < 32; i++) {
		struct probe p = *like;

		/* Above level 0, an entry without R, W and X is a pointer to a table. */
		if (p.level != 0 && (i & (PTE_R | PTE_W | PTE_X)) == 0 && (i & PTE_V) != 0)
			continue;
		p.bits = i | AD;
		if (!run_entry(&b, p))
			break;
	}
	bare_end(1);
}

static void single(struct suite_run *run, const void *data)
{
	const struct probe *p = data;
	struct probe user = *p;
	struct bare b;

	if (!bare_begin(run, 1, 1, &b))
		return;
	user.bits |= PTE_U;
	if (run_entry(&b, *p))
		(void)run_entry(&b, user);
	bare_end(1);
}

/* In VU an exception is injected. Then the guest is in VS: it can fetch its handler, and its own
 * code for VU it cannot. */
static void injected(struct suite_run *run, const void *data)
{
	const struct probe *p = data;
	struct places at;
	struct bare b;
	mm_gpa_t gpa;

	if (!bare_begin(run, 1, 1, &b))
		return;
	at = prepare(&b, p);
	bare_put(&b, b.data + offsetof(struct setup, stvec),
	         in_gib(CODE_GIB, b.base + 4 * at.handler));
	if (bare_run(&b) && b.exit.kind == VM_EXIT_SYSREG) {
		const struct virt_ops *ops = b.vm->ops;
		uint64_t user = in_gib(USER_GIB, b.base + 4 * at.body);

		EXPECT(run, ops->translate(b.vcpu, mm_gva_at(user), MM_X, &gpa) == MM_OK);
		ops->inject_undefined(b.vcpu);
		EXPECT(run,
		       ops->translate(b.vcpu, mm_gva_at(ops->pc(b.vcpu)), MM_X, &gpa) == MM_OK);
		EXPECT_EQ(run, gpa.raw, b.base + 4 * at.handler);
		EXPECT(run, ops->translate(b.vcpu, mm_gva_at(user), MM_X, &gpa) == MM_DENIED);
	} else {
		suite_fail(run, "the guest has not begun");
	}
	bare_end(1);
}

static const struct probe in_user = {
	.mode = ATP_SV39, .bits = PROGRAM, .access = MM_R, .user = true};

static const struct suite_case cases[] = {
	{.name = "riscv.walk.after-injection", .run = injected, .data = &in_user},
};

static const struct {
	const char *name;
	struct probe probe;
	bool all; /* permissions() */
} rows[] = {
	{"sv39.4k", {.mode = ATP_SV39}, true},
	{"sv39.2m", {.mode = ATP_SV39, .level = 1}, true},
	{"sv39.1g", {.mode = ATP_SV39, .level = 2}, true},
	{"sv48.4k", {.mode = ATP_SV48}, true},
	{"sv57.4k", {.mode = ATP_SV57}, true},
	{"sv48.1g", {.mode = ATP_SV48, .level = 2, .bits = KERNEL}, false},
	{"sv57.2m", {.mode = ATP_SV57, .level = 1, .bits = KERNEL}, false},
	{"misaligned-2m",
         {.mode = ATP_SV39, .level = 1, .bits = KERNEL, .ppn_xor = BIT(10)},
         false},
	{"misaligned-2m.top",
         {.mode = ATP_SV39, .level = 1, .bits = KERNEL, .ppn_xor = BIT(18)},
         false},
	{"misaligned-1g",
         {.mode = ATP_SV39, .level = 2, .bits = KERNEL, .ppn_xor = BIT(27)},
         false},
	{"reserved-54", {.mode = ATP_SV39, .bits = KERNEL | BIT(54)}, false},
	{"reserved-60", {.mode = ATP_SV39, .bits = KERNEL | BIT(60)}, false},
	{"other-page", {.mode = ATP_SV39, .bits = KERNEL, .ppn_xor = BIT(10) | BIT(12)}, false},
	{"global", {.mode = ATP_SV39, .bits = KERNEL | PTE_G}, false},
	{"software-bits", {.mode = ATP_SV39, .bits = KERNEL | BIT(8) | BIT(9)}, false},
	{"not-canonical.sv39", {.mode = ATP_SV39, .bits = KERNEL, .va_xor = BIT(39)}, false},
	{"not-canonical.sv39.half", {.mode = ATP_SV39, .bits = KERNEL, .va_xor = BIT(38)}, false},
	{"not-canonical.sv48", {.mode = ATP_SV48, .bits = KERNEL, .va_xor = BIT(48)}, false},
	{"not-canonical.sv57", {.mode = ATP_SV57, .bits = KERNEL, .va_xor = BIT(63)}, false},
	{"upper-half.sv39",
         {.mode = ATP_SV39, .bits = KERNEL, .va_xor = GENMASK(63, 38), .in_place = true},
         false},
	{"upper-half.sv48",
         {.mode = ATP_SV48, .bits = KERNEL, .va_xor = GENMASK(63, 47), .in_place = true},
         false},
	{"upper-half.sv57",
         {.mode = ATP_SV57, .bits = KERNEL, .va_xor = GENMASK(63, 56), .in_place = true},
         false},
	{"root-at-0", {.mode = ATP_SV39, .bits = KERNEL, .root_at_0 = true}, false},
	{"page-end", {.mode = ATP_SV39, .bits = KERNEL, .offset = MM_PAGE_SIZE - 8}, false},
	{"page-end.2m",
         {.mode = ATP_SV39, .level = 1, .bits = KERNEL, .offset = MM_PAGE_SIZE - 8},
         false},
	{"unmapped", {.mode = ATP_SV39, .bits = KERNEL, .va_xor = GIB(8)}, false},
	{"offset", {.mode = ATP_SV39, .level = 1, .bits = KERNEL, .va_xor = MM_PAGE_SIZE}, false},
	{"napot", {.mode = ATP_SV39, .bits = KERNEL | BIT(63), .ppn_xor = BIT(13)}, false},
	{"napot.9",
         {.mode = ATP_SV39,
          .bits = KERNEL | BIT(63),
          .ppn_xor = BIT(13),
          .va_xor = 9 * MM_PAGE_SIZE,
          .in_place = true},
         false},
	{"napot.size", {.mode = ATP_SV39, .bits = KERNEL | BIT(63), .ppn_xor = BIT(12)}, false},
	{"napot.2m", {.mode = ATP_SV39, .level = 1, .bits = KERNEL | BIT(63)}, false},
	{"memory-type-1", {.mode = ATP_SV39, .bits = KERNEL | BIT(61)}, false},
	{"memory-type-2", {.mode = ATP_SV39, .bits = KERNEL | BIT(62)}, false},
	{"memory-type-3", {.mode = ATP_SV39, .bits = KERNEL | BIT(61) | BIT(62)}, false},
};

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	draft_name(d, "riscv.walk.%s", rows[index].name);
	d->c.run = rows[index].all ? permissions : single;
	d->c.data = &rows[index].probe;
	return true;
}

const struct suite_subject suite_riscv_walk = {
	.name = "riscv.walk",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "riscv.walk.",
};
