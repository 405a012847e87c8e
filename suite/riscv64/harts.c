/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine layer of RISC-V: every hart that firmware names is started, each has a number, a
 * stack and a timer of its own, a kick reaches exactly one, and what the machine reports of itself
 * agrees with its own registers.
 */
#include "boot_info.h"
#include "cpu_work.h"
#include "fdt.h"
#include "kernel/string.h"
#include "machine.h"
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/csr.h"
#include "machine/riscv64/isa.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/trap.h"
#include "suite/payload.h"
#include "suite/riscv64/bare.h"

/* --- harts --- */

struct hart {
	uint64_t hart;
	uint64_t stack;
	uint64_t sie;
	uint64_t sstatus;
	uint64_t satp;
	uint64_t hedeleg, hideleg, hcounteren, hgeie, henvcfg, hstateen0, sscratch, stvec;
	unsigned index;
};

enum extra {
	SSTC,
	STATEEN,
	ENVCFG,
};

static bool can_access(enum extra which)
{
	uint64_t value;
	bool ok;

	if (which == SSTC)
		__asm__ volatile(CATCH("csrr %[value], 0x14d")
		                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	else if (which == STATEEN)
		__asm__ volatile(CATCH("csrr %[value], 0x60c")
		                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	else
		__asm__ volatile(CATCH("csrr %[value], 0x60a")
		                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	return ok;
}

static void look(void *arg)
{
	struct hart *out = arg;

	*out = (struct hart){
		.hart = this_cpu()->hart,
		.stack = (uint64_t)(uintptr_t)__builtin_frame_address(0),
		.sie = csr_read(sie),
		.sstatus = csr_read(sstatus),
		.satp = csr_read(satp),
		.hedeleg = csr_read(hedeleg),
		.hideleg = csr_read(hideleg),
		.hcounteren = csr_read(hcounteren),
		.hgeie = csr_read(hgeie),
		.henvcfg = can_access(ENVCFG) ? csr_read(0x60a) : 0,
		.hstateen0 = can_access(STATEEN) ? csr_read(0x60c) : 0,
		.sscratch = csr_read(sscratch),
		.stvec = csr_read(stvec),
		.index = machine_cpu_index(),
	};
}

/* The command line asks for a number of harts. */
static bool has_smp_option(const char *cmdline)
{
	static const char option[] = "smp=";
	size_t length = strlen(cmdline), least = sizeof(option) - 1;

	for (size_t i = 0; i + least <= length; i++)
		if (memcmp(cmdline + i, option, least) == 0)
			return true;
	return false;
}

static bool is_named(const struct boot_info *boot, uint64_t hart)
{
	for (unsigned i = 0; i < boot->cpus; i++)
		if (boot->cpu_ids[i] == hart)
			return true;
	return false;
}

/* SSIE, STIE */
#define SIE_NEEDED UINT64_C(0x22)

static void expect_hart(struct suite_run *run, const struct hart harts[], unsigned cpu)
{
	const struct hart *h = &harts[cpu];

	EXPECT_EQ(run, h->index, cpu);
	EXPECT_EQ(run, h->sie & 0x222, SIE_NEEDED);
	EXPECT_EQ(run, h->sstatus & SSTATUS_SIE, 0);
	EXPECT_EQ(run, h->satp, harts[0].satp);
	EXPECT_EQ(run, FIELD_GET(ATP_MODE, h->satp), ATP_SV39);
	EXPECT_EQ(run, h->hedeleg, harts[0].hedeleg);
	EXPECT_EQ(run, h->hideleg, harts[0].hideleg);
	EXPECT_EQ(run, h->hcounteren, harts[0].hcounteren);
	EXPECT_EQ(run, h->hgeie, 0);
	EXPECT_EQ(run, h->henvcfg, harts[0].henvcfg);
	EXPECT_EQ(run, h->hstateen0, harts[0].hstateen0);
	EXPECT_EQ(run, h->sscratch, 0);
	EXPECT_EQ(run, h->stvec, harts[0].stvec);
	EXPECT(run, is_named(run->host->boot, h->hart));
	for (unsigned other = 0; other < cpu; other++) {
		uint64_t above = h->stack - harts[other].stack, below = -above;

		EXPECT(run, h->hart != harts[other].hart);
		if (above < CPU_STACK_BYTES / 2 || below < CPU_STACK_BYTES / 2)
			suite_fail(run, "cpus %u and %u have one stack", cpu, other);
	}
}

/* What guests may use, if this machine has it: Sstc's timer, the memory types of Svpbmt, and the
 * updates of A and D by Svadu. */
static void expect_henvcfg(struct suite_run *run, uint64_t henvcfg)
{
	static const struct {
		const char *extension;
		uint64_t bit;
	} rows[] = {{"sstc", BIT(63)}, {"svpbmt", BIT(62)}, {"svadu", BIT(61)}};
	uint64_t possible;

	if (!can_access(ENVCFG))
		return;
	csr_write(0x60a, UINT64_MAX);
	possible = csr_read(0x60a);
	csr_write(0x60a, henvcfg);
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++)
		if (isa_has(rows[i].extension) && (possible & ~henvcfg & rows[i].bit) != 0)
			suite_fail(run, "%s is there, and guests may not use it",
			           rows[i].extension);
}

static void all_harts(struct suite_run *run, const void *data)
{
	struct hart harts[MACHINE_MAX_CPUS];
	const struct boot_info *boot = run->host->boot;

	(void)data;
	look(&harts[0]);
	expect_henvcfg(run, harts[0].henvcfg);
	for (unsigned cpu = 1; cpu < run->host->cpus; cpu++) {
		cpu_work_give(cpu, look, &harts[cpu]);
		cpu_work_wait(cpu);
	}
	for (unsigned cpu = 0; cpu < run->host->cpus; cpu++)
		expect_hart(run, harts, cpu);
	EXPECT_EQ(run, harts[0].hart, boot->boot_cpu);
	if (!has_smp_option(boot->cmdline))
		EXPECT_EQ(run, machine_cpu_count(),
		          boot->cpus < MACHINE_MAX_CPUS ? boot->cpus : MACHINE_MAX_CPUS);
}

/* --- what the machine reports --- */

static bool can_read_instret(void)
{
	uint64_t value;
	bool ok;

	__asm__ volatile(CATCH("csrr %[value], instret")
	                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	return ok;
}

static void counter(struct suite_run *run, const void *data)
{
	uint64_t ours, first, second;

	(void)data;
	if (!can_read_instret()) {
		run->skip = "instret cannot be read";
		return;
	}
	EXPECT(run, strcmp(machine_cycles_unit(), "instructions") == 0);
	first = csr_read(instret);
	ours = machine_cycles();
	second = csr_read(instret);
	EXPECT(run, first <= ours && ours <= second);
	EXPECT(run, run->host->boot->start_cycles != 0);
	EXPECT(run, run->host->boot->start_cycles <= first);
	EXPECT(run, machine_ticks_per_second() >= 1000);
	first = csr_read(time);
	ours = machine_ticks();
	second = csr_read(time);
	EXPECT(run, first <= ours && ours <= second);
}

/* The device tree has it in /cpus, of 32 or 64 bits; 0 is not possible. */
static void frequency(struct suite_run *run, const void *data)
{
	struct fdt fdt;
	struct fdt_node cpus;
	struct fdt_property property;
	uint64_t expected = 0;

	(void)data;
	if (run->host->boot->fdt == NULL ||
	    fdt_open(&fdt, run->host->boot->fdt, UINT32_MAX) != FDT_OK ||
	    !fdt_find_path(&fdt, "/cpus", &cpus) ||
	    !fdt_get(&fdt, &cpus, "timebase-frequency", &property)) {
		run->skip = "no device tree with a frequency";
		return;
	}
	for (uint32_t i = 0; i < property.bytes; i++)
		expected = expected << 8 | property.data[i];
	if (expected != 0)
		EXPECT_EQ(run, machine_ticks_per_second(), expected);
}

static uint64_t base_call(enum sbi_function function)
{
	struct sbi_result result = sbi_call(SBI_BASE, function, 0, 0, 0, 0, 0);

	return result.error == SBI_SUCCESS ? (uint64_t)result.value : 0;
}

static void identity(struct suite_run *run, const void *data)
{
	struct machine_signs signs;

	(void)data;
	machine_read_signs(&signs);
	EXPECT(run, signs.kind == SIGNS_RISCV64);
	EXPECT_EQ(run, signs.mvendorid, base_call(SBI_BASE_MVENDORID));
	EXPECT_EQ(run, signs.marchid, base_call(SBI_BASE_MARCHID));
	EXPECT_EQ(run, signs.mimpid, base_call(SBI_BASE_MIMPID));
}

/* Letters and words that every hart with the hypervisor extension names, parts of words, and words
 * that do not exist. */
static void isa(struct suite_run *run, const void *data)
{
	static const char *const present[] = {"i", "m", "a", "c", "h"};
	static const char *const absent[] = {"",    "j",       "n",       "ss",   "sst",
	                                     "zic", "zicsrxx", "rv64ima", "ssta", "q9"};

	(void)data;
	for (size_t i = 0; i < MM_ARRAY_SIZE(present); i++)
		if (!isa_has(present[i]))
			suite_fail(run, "the ISA lacks %s", present[i]);
	for (size_t i = 0; i < MM_ARRAY_SIZE(absent); i++)
		if (isa_has(absent[i]))
			suite_fail(run, "the ISA has '%s'", absent[i]);
}

/* --- features against the hart's behaviour --- */

static uint64_t status_keeps(uint64_t bits)
{
	uint64_t kept;

	csr_set(sstatus, bits);
	kept = csr_read(sstatus) & bits;
	csr_clear(sstatus, bits);
	return kept;
}

/* QEMU 7.2 keeps sstatus.VS on harts without vector registers. */
static bool has_vectors(void)
{
	uint64_t value;
	bool ok;

	csr_set(sstatus, SSTATUS_VS);
	__asm__ volatile(CATCH("csrr %[value], 0xc22")
	                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	csr_clear(sstatus, SSTATUS_VS);
	return ok;
}

static bool is_used(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->caps.feature_count; i++)
		if (strcmp(host->caps.features[i].name, name) == 0)
			return host->caps.features[i].used;
	return false;
}

/* Features that the machine has if its ISA names them. */
static const char *const by_isa[] = {
	"svpbmt", "svnapot", "svrsw60t59b", "svinval",  "svvptc", "zicboz",
	"zicbom", "ssaia",   "smstateen",   "sscofpmf", "f",      "v",
};

static void features(struct suite_run *run, const void *data)
{
	const struct host *host = run->host;

	(void)data;
	EXPECT(run, suite_has_feature(host, "h"));
	EXPECT(run, !suite_has_feature(host, "sstc") || can_access(SSTC));
	EXPECT(run, suite_has_feature(host, "sstc") || !can_access(SSTC));
	EXPECT_EQ(run, suite_has_feature(host, "envcfg"), can_access(ENVCFG));
	EXPECT_EQ(run, suite_has_feature(host, "f"), status_keeps(SSTATUS_FS) != 0);
	EXPECT(run, !suite_has_feature(host, "v") || status_keeps(SSTATUS_VS) != 0);
	EXPECT_EQ(run, is_used(host, "v"), has_vectors());
	EXPECT_EQ(run, is_used(host, "f"), suite_has_feature(host, "f"));
	EXPECT_EQ(run, is_used(host, "smstateen"), can_access(STATEEN));
	EXPECT_EQ(run, suite_has_feature(host, "vmid"), host->caps.tag_bits != 0);
	EXPECT_EQ(run, host->caps.max_tag, (UINT64_C(1) << host->caps.tag_bits) - 1);
	EXPECT_EQ(run, suite_has_feature(host, "stage1-ad"),
	          host->caps.stage1_ad == STAGE1_AD_UPDATED);
	for (size_t i = 0; i < MM_ARRAY_SIZE(by_isa); i++)
		if (suite_has_feature(host, by_isa[i]) != isa_has(by_isa[i]))
			suite_fail(run, "%s is not as the ISA says", by_isa[i]);
}

/* 8.5.1: Sv39x4, Sv48x4, Sv57x4. 44 bits of PPN. */
static void geometries(struct suite_run *run, const void *data)
{
	const struct virt_caps *caps = &run->host->caps;

	(void)data;
	EXPECT_EQ(run, caps->hpa_bits, 56);
	for (size_t i = 0; i < caps->geometry_count; i++) {
		const struct mm_npt_config *npt = &caps->geometries[i].npt;

		EXPECT(run, npt->levels == 3 || npt->levels == 4 || npt->levels == 5);
		EXPECT_EQ(run, npt->root_bits, 11);
		EXPECT_EQ(run, npt->hpa_bits, 56);
		EXPECT_EQ(run, npt->max_leaf, npt->levels - 1);
		EXPECT(run, npt->execute_only);
		EXPECT_EQ(run, npt->fixed_memtype, !is_used(run->host, "svpbmt"));
		EXPECT_EQ(run, npt->accessed_dirty, suite_has_feature(run->host, "gstage-ad"));
		EXPECT(run, i == 0 || npt->levels > caps->geometries[i - 1].npt.levels);
	}
}

/* HS-mode's own registers, as hext/ and the machine layer set them. */
static void registers(struct suite_run *run, const void *data)
{
	(void)data;
	EXPECT_EQ(run, csr_read(hideleg) & 0x444, 0x444);
	/* Access faults are the hypervisor's. */
	EXPECT_EQ(run, csr_read(hedeleg) & (1 << 1 | 1 << 5 | 1 << 7), 0);
	EXPECT_EQ(run, csr_read(hgeie), 0);
	EXPECT_EQ(run, csr_read(hcounteren), 7);
	if (can_access(ENVCFG))
		EXPECT_EQ(run, (csr_read(0x60a) >> 63 & 1), suite_has_feature(run->host, "sstc"));
}

static const struct suite_case cases[] = {
	{.name = "riscv.machine.harts", .run = all_harts},
	{.name = "riscv.machine.counter", .run = counter},
	{.name = "riscv.machine.frequency", .run = frequency},
	{.name = "riscv.machine.identity", .run = identity},
	{.name = "riscv.machine.isa", .run = isa},
	{.name = "riscv.machine.features", .run = features},
	{.name = "riscv.machine.geometries", .run = geometries},
	{.name = "riscv.machine.registers", .run = registers},
};

const struct suite_subject suite_riscv_machine = {
	.name = "riscv.machine",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
