/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a vCPU across the world switch. Two vCPUs write different values to every register
 * of hext/state.h, to all general, floating-point and vector registers. They take turns, on one
 * hart or on several. Each finds its own values. A new vCPU finds those of a reset.
 *
 * Each value comes from a generator, and many of the registers are WARL. So a guest reads what it
 * has written at once, and compares it later with what it then reads.
 */
#include "hext/state.h"
#include "kernel/string.h"
#include "machine.h"
#include "machine/riscv64/csr.h"
#include "suite/payload.h"
#include "suite/riscv64/bare.h"

#define ROUNDS 4

static const struct guest_csr {
	const char *name;
	unsigned number;
	enum {
		WHEN_always,
		WHEN_envcfg,
		WHEN_sstc,
		WHEN_v
	} when;
} guest_csrs[] = {
	/* Those of the manual, in case that the lists of hext/state.h lack one. */
	{"sstatus", CSR_SSTATUS, WHEN_always},
	{"sie", CSR_SIE, WHEN_always},
	{"stvec", CSR_STVEC, WHEN_always},
	{"sscratch", CSR_SSCRATCH, WHEN_always},
	{"sepc", CSR_SEPC, WHEN_always},
	{"scause", CSR_SCAUSE, WHEN_always},
	{"stval", CSR_STVAL, WHEN_always},
	{"satp", CSR_SATP, WHEN_always},
	{"scounteren", CSR_SCOUNTEREN, WHEN_always},
	{"senvcfg", CSR_SENVCFG, WHEN_envcfg},
	{"stimecmp", CSR_STIMECMP, WHEN_sstc},
	{"sip", CSR_SIP, WHEN_always},
	{"vstart", CSR_VSTART, WHEN_v},
	{"vcsr", CSR_VCSR, WHEN_v},
	{"vl", CSR_VL, WHEN_v},
	{"vtype", CSR_VTYPE, WHEN_v},
#define ROW(name, csr, guest, when) {#name, guest, WHEN_##when},
	HEXT_GUEST_CSRS(ROW) HEXT_VECTOR_CSRS(ROW)
#undef ROW
};

/* What a guest writes, what it reads at once, and what it reads later: in its data. */
struct values {
	uint64_t x[32];
	uint64_t csr[MM_ARRAY_SIZE(guest_csrs)];
	uint64_t fcsr;
	uint64_t f[32];
	uint64_t vectors; /* address of the vector registers */
	uint64_t status;  /* SSTATUS_FS | SSTATUS_VS */
};

#define WRITTEN 0
#define BEFORE  2048
#define AFTER   4096
#define ROOTS   (4 * MM_PAGE_SIZE) /* ROUNDS root tables */
#define VECTORS (16 * MM_PAGE_SIZE)
#define MOST_VLENB                                                                                 \
	((BARE_BYTES - BARE_DATA - VECTORS) / 64) /* twice, what is written and what is read */

_Static_assert(sizeof(struct values) <= 2048, "an offset has 12 bits");

#define AT(block, member) (int)(offsetof(struct values, member) - (block))

static bool has_f(struct suite_run *run)
{
	return suite_has_feature(run->host, "f");
}

/* Bytes of a vector register; 0: none. */
static uint64_t vlenb_of(struct suite_run *run)
{
	uint64_t vlenb = 0;

	if (!suite_has_feature(run->host, "v"))
		return 0;
	csr_set(sstatus, SSTATUS_VS);
	vlenb = csr_read(0xc22);
	csr_clear(sstatus, SSTATUS_VS);
	return vlenb <= MOST_VLENB ? vlenb : 0;
}

static bool has_csr(struct suite_run *run, const struct guest_csr *csr)
{
	switch (csr->when) {
	case WHEN_envcfg:
		return suite_has_feature(run->host, "envcfg");
	case WHEN_sstc:
		return suite_has_feature(run->host, "sstc");
	case WHEN_v:
		return vlenb_of(run) != 0;
	default:
		return true;
	}
}

/* --- the values --- */

static uint64_t random_at(uint64_t seed, uint64_t index)
{
	uint64_t z = seed * UINT64_C(0x9e3779b97f4a7c15) + index * UINT64_C(0xbf58476d1ce4e5b9);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* The guest's interrupts stay disabled. */
#define SSTATUS_TESTED (SSTATUS_SPIE | SSTATUS_SPP | SSTATUS_SUM | SSTATUS_MXR)
/* A summary of FS, VS and XS. QEMU 7.2 shows it in sstatus of the guest, and not in vsstatus. */
#define SSTATUS_SD  BIT(63)
#define FCSR_TESTED UINT64_C(0x9f) /* the flags, and rounding modes 0 and 4 */
#define SIP_SSIP    BIT(1)
#define VTYPE_E8_TA UINT64_C(0xc0)

static uint64_t csr_value(struct suite_run *run, unsigned number, uint64_t random, uint64_t root)
{
	switch (number) {
	case CSR_SSTATUS:
		return (random & SSTATUS_TESTED) | SSTATUS_FS | SSTATUS_VS;
	case CSR_SCAUSE: /* 4.1.8: holds at least 0 to 31 */
		return random & (SCAUSE_INTERRUPT | 0x1f);
	case CSR_SATP:
		return FIELD_PREP(ATP_MODE, ATP_SV39) | (random & SATP_ASID) | root >> 12;
	case CSR_SIP:
		return random & SIP_SSIP;
	case CSR_VSTART:
	case CSR_VCSR:
		return random & 7;
	case CSR_VL: /* of vsetvl with e8: up to VLENB */
		return 8 + random % (vlenb_of(run) - 7);
	case CSR_VTYPE:
		return random & VTYPE_E8_TA;
	default:
		return random;
	}
}

/* Fills what vCPU number `which` writes in this round. */
static void choose(struct bare *b, unsigned which, unsigned round)
{
	uint64_t seed = 2 * round + which + 1, vlenb = vlenb_of(b->run);
	struct values v = {.status = SSTATUS_FS | SSTATUS_VS, .vectors = b->data + VECTORS};

	for (unsigned i = 1; i < 32; i++)
		v.x[i] = i == T6 ? b->data : random_at(seed, i);
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++)
		v.csr[i] = csr_value(b->run, guest_csrs[i].number, random_at(seed, 100 + i),
		                     b->data + ROOTS + round * MM_PAGE_SIZE);
	v.fcsr = random_at(seed, 200) & FCSR_TESTED;
	for (unsigned i = 0; i < 32; i++)
		v.f[i] = random_at(seed, 300 + i);
	bare_write(b, b->data + WRITTEN, &v, sizeof(v));
	for (uint64_t at = 0; at < 32 * vlenb; at += 8)
		bare_put(b, b->data + VECTORS + at, random_at(seed, 1000 + at));
}

/* Identity maps of the lower 16 GiB by leaves of 1 GiB. */
static void make_roots(struct bare *b)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (uint64_t gib = 0; gib < 16; gib++)
			bare_put(b, b->data + ROOTS + i * MM_PAGE_SIZE + 8 * gib,
			         FIELD_PREP(PTE_PPN, gib << 18) | PTE_V | PTE_R | PTE_W | PTE_X |
			                 PTE_A | PTE_D);
	}
}

/* --- the code --- */

/* In the code, t6 = x31 points at the middle of the block of values: offsets reach both halves. */

static void emit_load_csrs(struct suite_run *run, struct code *code)
{
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++) {
		const struct guest_csr *csr = &guest_csrs[i];

		if (!has_csr(run, csr) || csr->when == WHEN_v)
			continue;
		emit(code, INSN_LD(T0, T6, AT(0, csr[i])));
		emit(code, INSN_CSRW(csr->number, T0));
	}
}

static unsigned vector_index(unsigned number)
{
	unsigned i = 0;

	while (guest_csrs[i].number != number)
		i++;
	return i;
}

static void emit_load_vectors(struct suite_run *run, struct code *code)
{
	uint64_t vlenb = vlenb_of(run);

	if (vlenb == 0)
		return;
	emit(code, INSN_LD(T0, T6, AT(0, vectors)));
	emit(code, INSN_CSRR(T1, CSR_VLENB));
	emit(code, INSN_I(0x13, 1, T1, T1, 3)); /* slli t1, t1, 3 */
	emit(code, INSN_CSR_OP(CSR_RWI, X0, CSR_VSTART, 0));
	for (unsigned v = 0; v < 32; v += 8) {
		emit(code, INSN_VL8RE8(v, T0));
		emit(code, INSN_R(0x33, 0, 0, T0, T0, T1)); /* add t0, t0, t1 */
	}
	emit(code, INSN_LD(T0, T6, AT(0, csr[vector_index(CSR_VL)])));
	emit(code, INSN_LD(T1, T6, AT(0, csr[vector_index(CSR_VTYPE)])));
	emit(code, INSN_VSETVL(X0, T0, T1));
	emit(code, INSN_LD(T0, T6, AT(0, csr[vector_index(CSR_VCSR)])));
	emit(code, INSN_CSRW(CSR_VCSR, T0));
	emit(code, INSN_LD(T0, T6, AT(0, csr[vector_index(CSR_VSTART)])));
	emit(code, INSN_CSRW(CSR_VSTART, T0));
}

static void emit_load_floats(struct suite_run *run, struct code *code)
{
	if (!has_f(run))
		return;
	for (unsigned i = 0; i < 32; i++)
		emit(code, INSN_FLD(i, T6, AT(0, f[i])));
	emit(code, INSN_LD(T0, T6, AT(0, fcsr)));
	emit(code, INSN_CSRW(CSR_FCSR, T0));
}

/* Reads the CSRs to a block whose address is in t5. The block of AFTER also gets fcsr, the floats
 * and the vectors. Changes t0, and t1 if there are vectors. */
static void emit_store_csrs(struct suite_run *run, struct code *code)
{
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++) {
		if (!has_csr(run, &guest_csrs[i]))
			continue;
		emit(code, INSN_CSRR(T0, guest_csrs[i].number));
		emit(code, INSN_SD(T0, T5, AT(0, csr[i])));
	}
}

static void emit_store_floats(struct suite_run *run, struct code *code)
{
	if (!has_f(run))
		return;
	emit(code, INSN_CSRR(T0, CSR_FCSR));
	emit(code, INSN_SD(T0, T5, AT(0, fcsr)));
	for (unsigned i = 0; i < 32; i++)
		emit(code, INSN_FSD(i, T5, AT(0, f[i])));
}

static void emit_store_vectors(struct suite_run *run, struct code *code)
{
	if (vlenb_of(run) == 0)
		return;
	emit(code, INSN_LD(T0, T5, AT(0, vectors)));
	emit(code, INSN_CSRR(T1, CSR_VLENB));
	emit(code, INSN_I(0x13, 1, T1, T1, 3));
	emit(code, INSN_CSR_OP(CSR_RWI, X0, CSR_VSTART, 0));
	for (unsigned v = 0; v < 32; v += 8) {
		emit(code, INSN_VS8R(v, T0));
		emit(code, INSN_R(0x33, 0, 0, T0, T0, T1));
	}
}

/* t5 = t6 + offset, a multiple of 2048 */
static void emit_block(struct code *code, uint64_t offset)
{
	emit(code, INSN_MV(T5, T6));
	for (; offset != 0; offset -= 1024)
		emit(code, INSN_ADDI(T5, T5, 1024));
}

static void emit_store_x(struct code *code, unsigned base)
{
	for (unsigned i = 1; i < 32; i++)
		emit(code, INSN_SD(i, base, AT(0, x[i])));
}

/*
 * Writes everything; reads the CSRs at once; calls. Reads everything; calls. Again. x30 and x31 are
 * stored by the second part: x31 is its base, and x30 is stored before it is used.
 */
static void write_switcher(struct bare *b)
{
	struct code code = {.count = 0};
	unsigned start;

	emit(&code, INSN_MV(T6, A0));
	start = code.count;
	emit_load_csrs(b->run, &code);
	emit_load_floats(b->run, &code);
	emit_load_vectors(b->run, &code);
	emit_block(&code, BEFORE);
	emit_store_csrs(b->run, &code);
	for (unsigned i = 1; i < 31; i++)
		emit(&code, INSN_LD(i, T6, AT(0, x[i])));
	emit(&code, INSN_ECALL);

	emit(&code, INSN_ADDI(T6, T6, 2047));
	emit(&code, INSN_ADDI(T6, T6, 2047));
	emit(&code, INSN_ADDI(T6, T6, 2)); /* AFTER */
	emit_store_x(&code, T6);
	emit(&code, INSN_MV(T5, T6));
	emit(&code, INSN_ADDI(T6, T6, -2048));
	emit(&code, INSN_ADDI(T6, T6, -2048));
	emit_store_csrs(b->run, &code);
	emit_store_floats(b->run, &code);
	emit_store_vectors(b->run, &code);
	emit(&code, INSN_ECALL);
	emit(&code, insn_j(code.count, start));
	bare_code(b, &code);
}

static uint64_t vectors_after(struct bare *b)
{
	return b->data + VECTORS + 32 * vlenb_of(b->run);
}

/* --- comparison --- */

static void compare_x(struct bare *b, const struct values *written, const struct values *after)
{
	for (unsigned i = 1; i < 32; i++) {
		char name[8];

		format_string(name, sizeof(name), "x%u", i);
		bare_expect(b->run, "state", name, after->x[i],
		            i == T6 ? b->data + AFTER : written->x[i]);
	}
}

/* riscv.interrupt.* has the cases of sip.STIP. */
#define SIP_STIP BIT(5)

static uint64_t steady(const struct guest_csr *csr, uint64_t value)
{
	return csr->number == CSR_SIP ? value & ~SIP_STIP : value;
}

static void compare_csrs(struct bare *b, const struct values *before, const struct values *after)
{
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++) {
		if (has_csr(b->run, &guest_csrs[i]))
			bare_expect(b->run, "state", guest_csrs[i].name,
			            steady(&guest_csrs[i], after->csr[i]),
			            steady(&guest_csrs[i], before->csr[i]));
	}
}

static void compare_floats(struct bare *b, const struct values *written, const struct values *after)
{
	if (!has_f(b->run))
		return;
	bare_expect(b->run, "state", "fcsr", after->fcsr, written->fcsr);
	for (unsigned i = 0; i < 32; i++) {
		char name[8];

		format_string(name, sizeof(name), "f%u", i);
		bare_expect(b->run, "state", name, after->f[i], written->f[i]);
	}
}

static void compare_vectors(struct bare *b)
{
	uint64_t vlenb = vlenb_of(b->run);

	for (uint64_t at = 0; at < 32 * vlenb; at += 8) {
		char name[16];

		format_string(name, sizeof(name), "v%" PRIu64 "+%" PRIu64, at / vlenb, at % vlenb);
		bare_expect(b->run, "state", name, bare_get(b, vectors_after(b) + at),
		            bare_get(b, b->data + VECTORS + at));
	}
}

static void compare(struct bare *b)
{
	struct values written, before, after;

	bare_read(b, b->data + WRITTEN, &written, sizeof(written));
	bare_read(b, b->data + BEFORE, &before, sizeof(before));
	bare_read(b, b->data + AFTER, &after, sizeof(after));
	compare_x(b, &written, &after);
	compare_csrs(b, &before, &after);
	compare_floats(b, &written, &after);
	compare_vectors(b);
}

/* The registers in the kill report, after the first call. */
static void compare_report(struct bare *b)
{
	static const char *const names[32] = {
		"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
		"a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
		"s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	static const char *const csrs[] = {"vsstatus", "vsatp",   "vstvec",
	                                   "vsepc",    "vscause", "vstval"};
	struct values written, before;

	/* First: registers() copies the loaded state to memory. */
	EXPECT_EQ(b->run, b->vm->ops->pc(b->vcpu), b->exit.pc + 4);
	bare_read(b, b->data + WRITTEN, &written, sizeof(written));
	bare_read(b, b->data + BEFORE, &before, sizeof(before));
	for (unsigned i = 1; i < 32; i++)
		bare_expect_register(b, names[i], written.x[i]);
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++) {
		for (unsigned j = 0; j < MM_ARRAY_SIZE(csrs); j++)
			if (strcmp(guest_csrs[i].name, csrs[j]) == 0)
				bare_expect(b->run, "report", csrs[j],
				            bare_register(b, csrs[j]) & ~SSTATUS_SD,
				            before.csr[i] & ~SSTATUS_SD);
	}
	bare_expect_register(b, "pc", b->exit.pc + 4);
	EXPECT(b->run, FIELD_GET(GENMASK(57, 44), bare_register(b, "hgatp")) == b->vm->tag);
}

/* Had the two vCPUs different values in every register in one of the rounds? */
static void expect_distinct(struct suite_run *run, const uint64_t different[])
{
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++)
		/* 4.1.10: the fields of senvcfg may be read-only zero. */
		if (has_csr(run, &guest_csrs[i]) && different[i] == 0 &&
		    guest_csrs[i].number != CSR_SENVCFG)
			suite_fail(run, "%s had one value in both vCPUs", guest_csrs[i].name);
}

static void note_different(struct bare b[2], uint64_t different[])
{
	struct values first, second;

	bare_read(&b[0], b[0].data + BEFORE, &first, sizeof(first));
	bare_read(&b[1], b[1].data + BEFORE, &second, sizeof(second));
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++)
		different[i] |= first.csr[i] ^ second.csr[i];
}

/* --- the cases --- */

struct way {
	unsigned vms;   /* two vCPUs of one VM, or one of each of two */
	bool migrate;   /* each runs on another hart after each call */
	bool unload;    /* unloaded between two calls, and nothing else runs */
	bool interrupt; /* the interrupt line changes in between */
};

static void prepare(struct bare *b)
{
	struct values v;

	write_switcher(b);
	make_roots(b);
	memset(&v, 0, sizeof(v));
	v.vectors = vectors_after(b);
	bare_write(b, b->data + AFTER, &v, sizeof(v));
}

/* One part of the code of both vCPUs. */
static bool run_part(struct bare b[2], const struct way *way, unsigned step)
{
	unsigned cpus = way->migrate ? b[0].run->host->cpus : 1;

	for (unsigned i = 0; i < 2; i++) {
		bool ok = way->migrate ? bare_call_on(&b[i], (step + i) % cpus) : bare_call(&b[i]);

		if (!ok)
			return false;
		if (way->unload)
			b[i].vm->ops->park(b[i].vcpu);
		if (way->interrupt)
			b[i].vm->ops->set_interrupt(b[i].vcpu, step % 2 == 0);
	}
	return true;
}

static bool run_round(struct bare b[2], const struct way *way, unsigned round, uint64_t different[])
{
	for (unsigned i = 0; i < 2; i++)
		choose(&b[i], i, round);
	if (!run_part(b, way, 2 * round))
		return false;
	note_different(b, different);
	for (unsigned i = 0; i < 2; i++)
		if (!way->migrate && !way->interrupt) /* loaded here: vCPU 1; in memory: vCPU 0 */
			compare_report(&b[i]);
	if (!run_part(b, way, 2 * round + 1))
		return false;
	for (unsigned i = 0; i < 2; i++)
		compare(&b[i]);
	return true;
}

static void switch_state(struct suite_run *run, const void *data)
{
	const struct way *way = data;
	uint64_t different[MM_ARRAY_SIZE(guest_csrs)] = {0};
	struct bare b[2];
	bool ok = true;

	if (!bare_begin(run, way->vms, 2 / way->vms, b))
		return;
	prepare(&b[0]);
	prepare(&b[1]);
	for (unsigned round = 0; round < ROUNDS && ok; round++)
		ok = run_round(b, way, round, different);
	if (ok)
		expect_distinct(run, different);
	bare_end(way->vms);
}

/* Stores everything before it changes anything. */
static void write_observer(struct bare *b)
{
	struct code code = {.count = 0};

	emit(&code, INSN_SD(T6, A0, AT(0, x[31])));
	for (unsigned i = 1; i < 31; i++)
		emit(&code, INSN_SD(i, A0, AT(0, x[i])));
	emit(&code, INSN_MV(T6, A0));
	emit(&code, INSN_MV(T5, A0));
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++) {
		if (!has_csr(b->run, &guest_csrs[i]) || guest_csrs[i].when == WHEN_v)
			continue;
		emit(&code, INSN_CSRR(T0, guest_csrs[i].number));
		emit(&code, INSN_SD(T0, T5, AT(0, csr[i])));
	}
	emit(&code, INSN_LD(T0, T6, AT(0, status)));
	emit(&code, INSN_CSRS(CSR_SSTATUS, T0));
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++) {
		if (!has_csr(b->run, &guest_csrs[i]) || guest_csrs[i].when != WHEN_v)
			continue;
		emit(&code, INSN_CSRR(T0, guest_csrs[i].number));
		emit(&code, INSN_SD(T0, T5, AT(0, csr[i])));
	}
	emit_store_floats(b->run, &code);
	emit_store_vectors(b->run, &code);
	emit(&code, INSN_ECALL);
	bare_code(b, &code);
}

/* Of a new vCPU, as far as they are not 0. */
static uint64_t reset_value(unsigned number)
{
	switch (number) {
	case CSR_SSTATUS:
		return UINT64_C(2) << 32; /* UXL: 64 bits */
	case CSR_SCOUNTEREN:
		return 7;
	case CSR_STIMECMP:
		return UINT64_MAX;
	case CSR_VTYPE:
		return UINT64_C(1) << 63; /* vill */
	default:
		return 0;
	}
}

static void compare_fresh(struct bare *b)
{
	struct values v;

	bare_read(b, b->data, &v, sizeof(v));
	for (unsigned i = 1; i < 32; i++) {
		char name[8];

		format_string(name, sizeof(name), "x%u", i);
		bare_expect(b->run, "fresh", name, v.x[i],
		            i == A0   ? b->data
		            : i == A1 ? BARE_A1
		                      : 0);
	}
	for (unsigned i = 0; i < MM_ARRAY_SIZE(guest_csrs); i++)
		if (has_csr(b->run, &guest_csrs[i]))
			bare_expect(b->run, "fresh", guest_csrs[i].name, v.csr[i],
			            reset_value(guest_csrs[i].number));
	for (unsigned i = 0; i < 32 && has_f(b->run); i++)
		bare_expect(b->run, "fresh", "f", v.f[i], 0);
	if (has_f(b->run))
		bare_expect(b->run, "fresh", "fcsr", v.fcsr, 0);
	for (uint64_t at = 0; at < 32 * vlenb_of(b->run); at += 8)
		bare_expect(b->run, "fresh", "v", bare_get(b, vectors_after(b) + at), 0);
}

/* The predecessor's frames are those that the new vCPU gets. */
static void fresh(struct suite_run *run, const void *data)
{
	unsigned cpu = data != NULL ? run->host->cpus - 1 : 0;
	struct values v;
	struct bare b;

	if (!bare_begin(run, 1, 1, &b))
		return;
	prepare(&b);
	choose(&b, 0, 0);
	if (bare_call_on(&b, cpu) && bare_restart(&b)) {
		memset(&v, 0x5a, sizeof(v));
		v.status = SSTATUS_FS | SSTATUS_VS;
		v.vectors = vectors_after(&b);
		bare_write(&b, b.data, &v, sizeof(v));
		write_observer(&b);
		if (bare_call_on(&b, cpu))
			compare_fresh(&b);
	}
	bare_end(1);
}

/* With FS Clean, feq.d with a signalling NaN sets a flag of fcsr and writes no floating-point
 * register. */
static void flags(struct suite_run *run, const void *data)
{
	struct code code = {.count = 0};
	struct bare b[2];

	(void)data;
	if (!has_f(run)) {
		run->skip = "no floating-point registers";
		return;
	}
	if (!bare_begin(run, 2, 1, b))
		return;
	emit(&code, INSN_LD(T0, A0, AT(0, status)));
	emit(&code, INSN_CSRS(CSR_SSTATUS, T0));
	emit(&code, INSN_FLD(1, A0, AT(0, f[1])));
	emit(&code, INSN_ECALL);
	emit(&code, INSN_CSRC(CSR_SSTATUS, T0));
	emit(&code, INSN_LD(T0, A0, AT(0, csr[0])));
	emit(&code, INSN_CSRS(CSR_SSTATUS, T0));
	emit(&code, INSN_FEQ_D(T0, 1, 1));
	emit(&code, INSN_ECALL);
	emit(&code, INSN_CSRR(A2, CSR_FCSR));
	emit(&code, INSN_ECALL);
	for (unsigned i = 0; i < 2; i++) {
		bare_code(&b[i], &code);
		bare_put(&b[i], b[i].data + offsetof(struct values, status), SSTATUS_FS);
		bare_put(&b[i], b[i].data + offsetof(struct values, csr[0]), SSTATUS_FS_CLEAN);
		/* Of the first vCPU alone it is a signalling NaN. */
		bare_put(&b[i], b[i].data + offsetof(struct values, f[1]),
		         i == 0 ? UINT64_C(0x7ff0000000000001) : 0);
	}
	for (unsigned step = 0; step < 3; step++)
		if (!bare_call(&b[0]) || !bare_call(&b[1]))
			break;
	bare_expect_register(&b[0], "a2", 0x10); /* NV */
	bare_expect_register(&b[1], "a2", 0);
	bare_end(2);
}

static const struct way two_vms = {.vms = 2}, two_vcpus = {.vms = 1},
			migrate = {.vms = 2, .migrate = true},
			migrate_vcpus = {.vms = 1, .migrate = true},
			unload = {.vms = 2, .unload = true},
			interrupt = {.vms = 2, .interrupt = true};

static const struct suite_case cases[] = {
	{.name = "riscv.state.two-vms", .run = switch_state, .data = &two_vms},
	{.name = "riscv.state.two-vcpus", .run = switch_state, .data = &two_vcpus},
	{.name = "riscv.state.migrate.two-vms", .run = switch_state, .data = &migrate, .cpus = 2},
	{.name = "riscv.state.migrate.two-vcpus",
         .run = switch_state,
         .data = &migrate_vcpus,
         .cpus = 2},
	{.name = "riscv.state.unload", .run = switch_state, .data = &unload},
	{.name = "riscv.state.interrupt-line", .run = switch_state, .data = &interrupt},
	{.name = "riscv.state.fresh", .run = fresh},
	{.name = "riscv.state.fresh.last-hart", .run = fresh, .data = &migrate, .cpus = 2},
	{.name = "riscv.state.float-flags", .run = flags},
};

const struct suite_subject suite_riscv_state = {
	.name = "riscv.state",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
