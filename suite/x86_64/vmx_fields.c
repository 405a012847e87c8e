/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMCS, field by field: the guest state in which a vCPU starts, the controls, and the host
 * state. The expected values come from the SDM, from guests/abi.h, and from the registers of the
 * CPU itself.
 */
#include "kernel/string.h"
#include "machine.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/desc.h"
#include "machine/x86_64/smp.h"
#include "suite/x86_64/vmx_read.h"
#include "suite/x86_64/vmx_subjects.h"

/* Step numbers. */
#define LOOK 1U

struct field {
	uint32_t number;
	const char *name;
	uint64_t value;
};

static void expect_fields(struct suite_run *run, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vmcs_expect(run, fields[i].number, fields[i].name, fields[i].value);
}

/* --- the guest state of a new vCPU --- */

#define SEGMENT(n, name, selector, access, limit)                                                  \
	{0x0800 + 2 * (n), name " selector", selector}, {0x4800 + 2 * (n), name " limit", limit},  \
		{0x4814 + 2 * (n), name " access rights", access},                                 \
	{                                                                                          \
		0x6806 + 2 * (n), name " base", 0                                                  \
	}

/* 32-bit protected mode, flat segments, paging off: guests/abi.h. The other registers are as after
 * reset (SDM vol. 3A, table 9-1). VM entry demands values of LDTR and TR (vol. 3C, 27.3.1.2). */
static const struct field start_state[] = {
	SEGMENT(0, "ES", 0x10, 0xc093, 0xffffffff),
	SEGMENT(1, "CS", 0x08, 0xc09b, 0xffffffff),
	SEGMENT(2, "SS", 0x10, 0xc093, 0xffffffff),
	SEGMENT(3, "DS", 0x10, 0xc093, 0xffffffff),
	SEGMENT(4, "FS", 0x10, 0xc093, 0xffffffff),
	SEGMENT(5, "GS", 0x10, 0xc093, 0xffffffff),
	SEGMENT(6, "LDTR", 0, 0x82, 0xffff),
	SEGMENT(7, "TR", 0, 0x8b, 0xffff),
	{0x4810, "GDTR limit", 0},
	{0x4812, "IDTR limit", 0},
	{0x6816, "GDTR base", 0},
	{0x6818, "IDTR base", 0},
	{0x6800, "CR0", 0x31},
	{0x6802, "CR3", 0},
	{0x2806, "EFER", 0},
	{0x681a, "DR7", 0x400},
	{0x681c, "RSP", 0},
	{0x6820, "RFLAGS", 2},
	{0x6822, "pending debug exceptions", 0},
	{0x4824, "interruptibility", 0},
	{0x4826, "activity", 0},
	{0x482a, "SYSENTER_CS", 0},
	{0x6824, "SYSENTER_ESP", 0},
	{0x6826, "SYSENTER_EIP", 0},
	{0x2800, "VMCS link pointer", UINT64_MAX},
};

#define CR0_EM BIT(2)
#define CR0_TS BIT(3)

#define MSR_CR0_FIXED0 0x486U
#define MSR_CR4_FIXED0 0x488U

static bool starts_clean(struct suite_run *run)
{
	vmcs_load(run, 0);
	expect_fields(run, start_state, MM_ARRAY_SIZE(start_state));
	vmcs_expect(run, 0x6804, "CR4", rdmsr(MSR_CR4_FIXED0));
	vmcs_expect(run, 0x681e, "RIP", run->vm->entry);
	vmcs_expect(run, 0x4016, "entry interruption information", 0);
	return true;
}

/* --- the controls --- */

/* Tables 25-5 to 25-15. A control that is not named here is off, if the CPU permits that. */
#define PIN_WANTED   (BIT(0) | BIT(3)) /* interrupts and NMIs exit */
#define PIN_TIMER    BIT(6)
#define EXIT_WANTED  (BIT(2) | BIT(9) | BIT(15) | BIT(20) | BIT(21))
#define EXIT_TIMER   BIT(22)            /* save the value of the preemption timer */
#define ENTRY_WANTED (BIT(2) | BIT(15)) /* load DR7, EFER */
#define ENTRY_IA32E  BIT(9)             /* follows the guest's EFER.LMA */
#define PROC_INTR    BIT(2)             /* interrupt-window exiting: not while nothing is pending */
#define PROC2_WANTED (BIT(1) | BIT(7))  /* EPT, unrestricted guest */
#define PROC2_VPID   BIT(5)
#define PROC2_WBINVD BIT(6)
#define EPT_VPID_CAP 0x48cU
#define CAP_INVVPID  (BIT(32) | BIT(41))
#define BASIC_TRUE   BIT(55)
/* HLT, MWAIT, RDPMC, CR8 load and store, I/O, MSR bitmaps, MONITOR, secondary controls. */
#define PROC_WANTED                                                                                \
	(BIT(7) | BIT(10) | BIT(11) | BIT(19) | BIT(20) | BIT(24) | BIT(28) | BIT(29) | BIT(31))

/* The bits that must be 1, and those of `wanted` that may be. */
static uint64_t chosen(uint32_t msr, uint64_t wanted)
{
	uint64_t value = rdmsr(msr);

	return (uint32_t)value | (wanted & value >> 32);
}

static uint32_t may(uint32_t msr)
{
	return (uint32_t)(rdmsr(msr) >> 32);
}

static void expect_control_words(struct suite_run *run)
{
	/* 0x48d to 0x490 are the MSRs with TRUE in their names; 0x481 to 0x484 are older. */
	uint32_t base = rdmsr(0x480) & BASIC_TRUE ? 0x48d : 0x481;
	bool timer = (may(base) & PIN_TIMER) && (may(base + 2) & EXIT_TIMER);
	bool vpid = (may(0x48b) & PROC2_VPID) && (rdmsr(EPT_VPID_CAP) & CAP_INVVPID) == CAP_INVVPID;

	vmcs_expect(run, 0x4000, "pin-based controls",
	            chosen(base, PIN_WANTED | (timer ? PIN_TIMER : 0)));
	vmcs_expect(run, 0x4002, "processor-based controls", chosen(base + 1, PROC_WANTED));
	vmcs_expect(run, 0x401e, "secondary controls",
	            chosen(0x48b, PROC2_WANTED | PROC2_WBINVD | (vpid ? PROC2_VPID : 0)));
	vmcs_expect(run, 0x400c, "exit controls",
	            chosen(base + 2, EXIT_WANTED | (timer ? EXIT_TIMER : 0)));
	vmcs_expect(run, 0x4012, "entry controls", chosen(base + 3, ENTRY_WANTED) & ~ENTRY_IA32E);
	vmcs_expect(run, 0x0000, "VPID", vpid ? mm_aspace_tag(&run->vm->as) : 0);
	if (vpid && mm_aspace_tag(&run->vm->as) == 0)
		suite_fail(run, "a guest has VPID 0, which is the host's");
}

/* Table 25-9: write-back, the length of a walk, accessed and dirty flags. */
static uint64_t expected_eptp(const struct suite_run *run)
{
	const struct mm_npt_config *npt = &suite_geometry()->npt;

	return mm_aspace_root(&run->vm->as).raw | 6 | (uint64_t)(npt->levels - 1) << 3 |
	       (rdmsr(EPT_VPID_CAP) & BIT(21) ? BIT(6) : 0);
}

static bool controls_as_chosen(struct suite_run *run)
{
	static const struct field fields[] = {
		{0x4004, "exception bitmap", 1 << 1 | 1 << 17}, /* #DB, #AC */
		{0x400a, "CR3-target count", 0},
		{0x400e, "exit MSR-store count", 0},
		{0x4010, "exit MSR-load count", 0},
		{0x4014, "entry MSR-load count", 0},
	};

	vmcs_load(run, 0);
	expect_control_words(run);
	expect_fields(run, fields, MM_ARRAY_SIZE(fields));
	vmcs_expect(run, 0x201a, "EPT pointer", expected_eptp(run));
	return true;
}

/* --- control registers --- */

/* A guest changes these bits without an exit, if VMX operation does not fix them. */
#define CR0_OWNED UINT64_C(0x8005000f) /* PE, MP, EM, TS, WP, AM, PG */
#define CR0_HELD  (CR0_NE | CR0_NW | CR0_CD)
#define CR4_OWNED (CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT)
/* VMXE, SMXE, PCIDE, PKE, CET, MCE. */
#define CR4_HELD (CR4_VMXE | BIT(14) | BIT(17) | BIT(22) | BIT(23) | CR4_MCE)

static bool masks_hold(struct suite_run *run)
{
	uint64_t mask0, mask4, own;

	vmcs_load(run, 0);
	mask0 = vmcs_read(0x6000);
	mask4 = vmcs_read(0x6002);
	own = CR0_OWNED & ~(rdmsr(MSR_CR0_FIXED0) & ~(CR0_PE | CR0_PG));
	if (mask0 & own)
		suite_fail(run, "CR0 mask 0x%" PRIx64 " has bits of the guest's", mask0);
	if (~mask0 & CR0_HELD)
		suite_fail(run, "CR0 mask 0x%" PRIx64 " gives NE, NW or CD to the guest", mask0);
	if (mask4 & CR4_OWNED & ~rdmsr(MSR_CR4_FIXED0) & rdmsr(MSR_CR4_FIXED0 + 1))
		suite_fail(run, "CR4 mask 0x%" PRIx64 " has bits of the guest's", mask4);
	if (~mask4 & (CR4_HELD | rdmsr(MSR_CR4_FIXED0) | ~rdmsr(MSR_CR4_FIXED0 + 1)))
		suite_fail(run, "CR4 mask 0x%" PRIx64 " gives VMXE and others to the guest", mask4);
	vmcs_expect(run, 0x6004, "CR0 shadow", 0x31);
	vmcs_expect(run, 0x6006, "CR4 shadow", 0);
	return true;
}

/* --- the MSR bitmap --- */

/* MSRs that a guest accesses without an exit: the VMCS or the world switch has the guest's own
 * value. Reads of the TSC do no harm. */
static const struct {
	uint32_t msr;
	bool write;
} passing[] = {
	{0x10, false},      {0x174, true},      {0x175, true},      {0x176, true},
	{0xc0000080, true}, {0xc0000081, true}, {0xc0000082, true}, {0xc0000083, true},
	{0xc0000084, true}, {0xc0000100, true}, {0xc0000101, true}, {0xc0000102, true},
};

static bool passes(uint32_t msr, bool write)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(passing); i++) {
		if (passing[i].msr == msr)
			return passing[i].write || !write;
	}
	return false;
}

/* 25.6.9: reads of MSRs 0 to 0x1fff, of 0xc0000000 to 0xc0001fff, then writes of both. */
static bool bitmap_holds(struct suite_run *run)
{
	const uint8_t *bitmap;

	vmcs_load(run, 0);
	bitmap = (const uint8_t *)(uintptr_t)vmcs_read(0x2004);
	for (uint32_t i = 0; i < PAGE * 8; i++) {
		uint32_t msr = i % 0x2000 | (i & 0x2000 ? 0xc0000000 : 0);
		bool write = i >= 0x4000, exits = bitmap[i / 8] >> i % 8 & 1;

		if (exits == passes(msr, write))
			suite_fail(run, "MSR 0x%x: %s %s", msr, write ? "writes" : "reads",
			           exits ? "exit" : "do not exit");
	}
	return true;
}

/* --- the report of capabilities --- */

#define CPUID7_EBX_AVX512ER          BIT(27)
#define CPUID1_ECX_AVX               BIT(28)
#define CPUID7_EDX_ARCH_CAPABILITIES BIT(29)

/* Bits of IA32_VMX_EPT_VPID_CAP (A.10), and of the control words' upper halves. */
static const struct {
	const char *name;
	uint32_t msr;
	unsigned bit;
} reported[] = {
	{"accessed-dirty", EPT_VPID_CAP, 21},
	{"execute-only", EPT_VPID_CAP, 0},
	{"leaf-2m", EPT_VPID_CAP, 16},
	{"leaf-1g", EPT_VPID_CAP, 17},
	{"5-level", EPT_VPID_CAP, 7},
	{"uncached", EPT_VPID_CAP, 8},
	{"exit-info", EPT_VPID_CAP, 22},
	{"invept-single", EPT_VPID_CAP, 25},
	{"invvpid-single", EPT_VPID_CAP, 41},
	{"vpid", 0x48b, 32 + 5},
	{"vmfunc", 0x48b, 32 + 13},
	{"vmcs-shadowing", 0x48b, 32 + 14},
	{"pml", 0x48b, 32 + 17},
	{"ept-ve", 0x48b, 32 + 18},
	{"mbec", 0x48b, 32 + 22},
	{"spp", 0x48b, 32 + 23},
	{"tsc-scaling", 0x48b, 32 + 25},
	{"virtual-nmis", 0x481, 32 + 5},
	{"preemption-timer", 0x481, 32 + 6},
	{"posted-interrupts", 0x481, 32 + 7},
	{"tpr-shadow", 0x482, 32 + 21},
};

/* Of the CPUs with AVX that do not say which errata they have, only Xeon Phi has no iTLB
 * multi-hit: vmx/mitigations.c. */
static bool has_multi_hit(void)
{
	return cpuid(0, 0).eax >= 7 && (cpuid(1, 0).ecx & CPUID1_ECX_AVX) &&
	       !(cpuid(7, 0).ebx & CPUID7_EBX_AVX512ER) &&
	       !(cpuid(7, 0).edx & CPUID7_EDX_ARCH_CAPABILITIES);
}

static bool reports_msrs(struct suite_run *run)
{
	const struct mm_npt_config *npt = &suite_geometry()->npt;
	uint64_t ept = rdmsr(EPT_VPID_CAP);
	unsigned leaf = ept & BIT(17) ? 2 : ept & BIT(16) ? 1 : 0;

	for (size_t i = 0; i < MM_ARRAY_SIZE(reported); i++) {
		bool has = rdmsr(reported[i].msr) >> reported[i].bit & 1;

		if (suite_has_feature(run->host, reported[i].name) != has)
			suite_fail(run, "%s: MSR 0x%x says %d", reported[i].name, reported[i].msr,
			           has);
	}
	if (npt->max_leaf != leaf || npt->execute_only != (ept & 1) ||
	    npt->accessed_dirty != (ept >> 21 & 1))
		suite_fail(run, "the geometry does not use what the CPU has");
	if (has_multi_hit() && !npt->no_large_exec)
		suite_fail(run, "executable leaves are large on a CPU with iTLB multi-hit");
	if (run->host->caps.hpa_bits != (cpuid(0x80000008, 0).eax & 0xff))
		suite_fail(run, "%u bits of host addresses", run->host->caps.hpa_bits);
	if (run->host->caps.tag_bits != (suite_has_feature(run->host, "vpid") ? 16 : 0))
		suite_fail(run, "%u bits of VPID", run->host->caps.tag_bits);
	return run->complaints == 0;
}

/* --- the host state --- */

/* What the CPU has, as instructions read it. */
struct host_state {
	uint64_t cr0, cr3, cr4, efer, fs_base, gs_base, gdtr, idtr, tr_base, dr7, debugctl;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t rflags;
	uint16_t es, cs, ss, ds, fs, gs, tr;
};

#define READ_SELECTOR(name)                                                                        \
	static uint16_t read_##name(void)                                                          \
	{                                                                                          \
		uint16_t value;                                                                    \
                                                                                                   \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value));                             \
		return value;                                                                      \
	}
READ_SELECTOR(es)
READ_SELECTOR(cs)
READ_SELECTOR(ss)
READ_SELECTOR(ds)
READ_SELECTOR(fs)
READ_SELECTOR(gs)

struct table_register {
	uint16_t limit;
	uint64_t base;
} MM_PACKED;

static void read_tables(struct host_state *h)
{
	struct table_register gdtr = {0, 0}, idtr = {0, 0};
	const uint64_t *descriptor;

	__asm__ volatile("sgdt %0" : "+m"(gdtr));
	__asm__ volatile("sidt %0" : "+m"(idtr));
	__asm__ volatile("str %0" : "=r"(h->tr));
	h->gdtr = gdtr.base;
	h->idtr = idtr.base;
	/* SDM vol. 3A, figure 8-4: the base of a TSS, in a descriptor of 16 bytes. */
	descriptor = (const uint64_t *)(uintptr_t)(gdtr.base + h->tr);
	h->tr_base = (descriptor[0] >> 16 & 0xffffff) | (descriptor[0] >> 56) << 24 |
	             descriptor[1] << 32;
}

static void read_host(struct host_state *h)
{
	memset(h, 0, sizeof(*h));
	read_tables(h);
	h->cr0 = read_cr0();
	h->cr3 = read_cr3();
	h->cr4 = read_cr4();
	h->efer = rdmsr(MSR_EFER);
	h->fs_base = rdmsr(0xc0000100);
	h->gs_base = rdmsr(0xc0000101);
	h->sysenter_cs = rdmsr(0x174);
	h->sysenter_esp = rdmsr(0x175);
	h->sysenter_eip = rdmsr(0x176);
	h->debugctl = rdmsr(0x1d9);
	__asm__ volatile("mov %%dr7, %0" : "=r"(h->dr7));
	__asm__ volatile("pushfq; popq %0" : "=r"(h->rflags));
	h->es = read_es();
	h->cs = read_cs();
	h->ss = read_ss();
	h->ds = read_ds();
	h->fs = read_fs();
	h->gs = read_gs();
}

/* The fields of the current VMCS against the registers of this CPU, before its first entry. */
static bool host_fields_hold(struct suite_run *run)
{
	struct host_state h;

	vmcs_load(run, 0);
	read_host(&h);
	const struct field fields[] = {
		{0x6c00, "host CR0", h.cr0},
		{0x6c02, "host CR3", h.cr3},
		{0x6c04, "host CR4", h.cr4},
		{0x2c02, "host EFER", h.efer},
		{0x0c00, "host ES", SELECTOR_DATA},
		{0x0c02, "host CS", h.cs},
		{0x0c04, "host SS", SELECTOR_DATA},
		{0x0c06, "host DS", SELECTOR_DATA},
		{0x0c08, "host FS", 0},
		{0x0c0a, "host GS", 0},
		{0x0c0c, "host TR", h.tr},
		{0x6c06, "host FS base", 0},
		{0x6c08, "host GS base", 0},
		{0x6c0a, "host TR base", h.tr_base},
		{0x6c0c, "host GDTR base", h.gdtr},
		{0x6c0e, "host IDTR base", h.idtr},
		{0x4c00, "host SYSENTER_CS", 0},
		{0x6c10, "host SYSENTER_ESP", 0},
		{0x6c12, "host SYSENTER_EIP", 0},
	};

	expect_fields(run, fields, MM_ARRAY_SIZE(fields));
	return true;
}

static struct host_state before;

static bool note_host(struct suite_run *run)
{
	(void)run;
	read_host(&before);
	return true;
}

struct after_exit {
	const char *name;
	uint64_t got, expected;
};

static void expect_after_exit(struct suite_run *run, const struct after_exit *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].got != rows[i].expected)
			suite_fail(run, "after an exit %s is 0x%" PRIx64 ", not 0x%" PRIx64,
			           rows[i].name, rows[i].got, rows[i].expected);
	}
}

#define CR0_KNOWN   (CR0_PE | CR0_NE | CR0_PG | CR0_NW | CR0_CD | CR0_TS | CR0_EM)
#define CR4_KNOWN   (CR4_VMXE | CR4_PAE | CR4_OSFXSR | CR4_TSD | CR4_PVI)
#define FLAGS_KNOWN (RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC)

/* SDM vol. 3C, 28.5: the host state after an exit. On the CPU that ran the guest. */
static void expect_host(struct suite_run *run)
{
	struct host_state now;

	read_host(&now);
	const struct after_exit rows[] = {
		{"CR0", now.cr0, before.cr0},
		{"CR0 (known bits)", now.cr0 & CR0_KNOWN, CR0_PE | CR0_NE | CR0_PG},
		{"CR3", now.cr3, before.cr3},
		{"CR4", now.cr4, before.cr4},
		{"CR4 (known bits)", now.cr4 & CR4_KNOWN, CR4_VMXE | CR4_PAE | CR4_OSFXSR},
		{"EFER", now.efer, before.efer},
		{"GDTR base", now.gdtr, before.gdtr},
		{"IDTR base", now.idtr, before.idtr},
		{"CS", now.cs, before.cs},
		{"ES", now.es, SELECTOR_DATA},
		{"SS", now.ss, SELECTOR_DATA},
		{"DS", now.ds, SELECTOR_DATA},
		{"FS", now.fs, 0},
		{"GS", now.gs, 0},
		{"FS base", now.fs_base, 0},
		{"GS base", now.gs_base, 0},
		{"SYSENTER_CS", now.sysenter_cs, 0},
		{"SYSENTER_ESP", now.sysenter_esp, 0},
		{"SYSENTER_EIP", now.sysenter_eip, 0},
		{"DR7", now.dr7, 0x400},
		{"DEBUGCTL", now.debugctl, 0},
		{"RFLAGS", now.rflags & FLAGS_KNOWN, 0},
	};

	expect_after_exit(run, rows, MM_ARRAY_SIZE(rows));
}

/* Each CPU has a TSS of its own, with its own stack for NMIs. */
static void expect_own_tss(struct suite_run *run)
{
	unsigned cpu = machine_cpu_index();
	struct host_state h;

	read_host(&h);
	vmcs_expect(run, 0x0c0c, "host TR", h.tr);
	vmcs_expect(run, 0x6c0a, "host TR base", h.tr_base);
	if (h.tr != desc_tss_selector(cpu))
		suite_fail(run, "CPU %u: TR is 0x%x", cpu, h.tr);
	if (cpuid(1, 0).ebx >> 24 != (cpu_apic_ids[cpu] & 0xff))
		suite_fail(run, "CPU %u has the TSS of another CPU", cpu);
}

static uint64_t look(struct suite_run *run, uint64_t number)
{
	run->scratch[machine_cpu_index() % 8]++;
	expect_host(run);
	expect_own_tss(run);
	return number - LOOK;
}

static bool seen_on(struct suite_run *run, unsigned cpus)
{
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		if (run->scratch[cpu] == 0)
			suite_fail(run, "no guest ran on CPU %u", cpu);
	}
	return run->complaints == 0;
}

static bool seen_on_two(struct suite_run *run)
{
	return seen_on(run, 2);
}

static bool seen_on_four(struct suite_run *run)
{
	return seen_on(run, 4);
}

/* The guest has other values in its segments, control registers and MSRs. */
#define LOOKING SCRIPT(BARRIER(0), STEP(LOOK), BARRIER(1), STEP(LOOK))

static const struct suite_case cases[] = {
	{
		.name = "vmx.start.state",
		.script = SCRIPT(CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		.ready = starts_clean,
	},
	{
		.name = "vmx.controls.words",
		.script = SCRIPT(CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		.ready = controls_as_chosen,
		/* So that its VPID is not the first one. */
		.beside = {beside_neighbour},
	},
	{
		.name = "vmx.controls.cr-masks",
		.script = SCRIPT(CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		.ready = masks_hold,
	},
	{
		.name = "vmx.controls.msr-bitmap",
		.script = SCRIPT(CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		.ready = bitmap_holds,
	},
	{
		.name = "vmx.controls.capabilities",
		.script = SCRIPT(CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		.ready = reports_msrs,
	},
	{
		.name = "vmx.host.fields",
		.script = SCRIPT(CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		.ready = host_fields_hold,
	},
	{
		.name = "vmx.host.after-exit",
		.script = SCRIPT(STEP(LOOK), STEP(LOOK)),
		.before = note_host,
		.step = look,
	},
	{
		.name = "vmx.smp.host-2",
		.script = LOOKING,
		.others = {LOOKING},
		.cpus = 2,
		.before = note_host,
		.step = look,
		.verify = seen_on_two,
	},
	{
		.name = "vmx.smp.host-4",
		.script = LOOKING,
		.others = {LOOKING, LOOKING, LOOKING},
		.cpus = 4,
		.before = note_host,
		.step = look,
		.verify = seen_on_four,
	},
};

static bool generate(size_t index, const struct host *host, struct suite_draft *draft)
{
	return vmx_case(cases, MM_ARRAY_SIZE(cases), index, host, draft);
}

const struct suite_subject suite_vmx_fields = {
	.name = "vmx",
	.generate = generate,
	.generated = "vmx.",
};
