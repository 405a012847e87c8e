/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries that the hardware does not accept. Reserved bits and combinations are written to the
 * nested table directly, not through the library. The guest is killed for a misconfigured entry,
 * not for an error of its own.
 *
 * EPT and NPT report this case separately. Arm and RISC-V report an ordinary fault. There the
 * hypervisor detects that its own table permits the access, and that the hardware still refuses it.
 */
#include "kernel/run.h"
#include "kernel/string.h"
#include "machine.h"
#include "mm/bits.h"
#include "mm/npt/entry.h"
#include "suite/feature.h"
#include "suite/run.h"
#include "suite/suite.h"

#define AT (ARENA + 3 * PAGE + 0x70)

/* The result of the guest's access to a modified entry. */
enum planted {
	REFUSED, /* the hardware refuses the entry */
	BEYOND,  /* the entry is well-formed, but its output address has no memory */
	IGNORED, /* the hardware ignores the bit: the guest continues */
};

/* A change to the entry that maps AT. */
static const struct plant {
	const char *format;
	const char *name;
	unsigned level;      /* level of the leaf */
	enum mm_perm access; /* the guest's access */
	uint64_t clear;
	uint64_t set;
	enum planted came; /* the result */
	const char
		*freed_by; /* feature that makes the hardware ignore the bit: IGNORED; NULL: none */
} plants[] = {
	/* SDM 29.3.3.1: W without R; memory types 2, 3 and 7; address bits 20:12 of a 2 MiB
         * leaf. */
	{"ept", "write-only", 0, MM_W, 0x7, 0x2, REFUSED, NULL},
	{"ept", "write-execute", 0, MM_W, 0x7, 0x6, REFUSED, NULL},
	{"ept", "memory-type-2", 0, MM_R, 0x38, 0x10, REFUSED, NULL},
	{"ept", "memory-type-3", 0, MM_R, 0x38, 0x18, REFUSED, NULL},
	{"ept", "memory-type-7", 0, MM_R, 0x38, 0x38, REFUSED, NULL},
	{"ept", "misaligned-2m", 1, MM_R, 0, BIT(13), REFUSED, NULL},
	{"ept", "misaligned-2m.bit-12", 1, MM_R, 0, BIT(12), REFUSED, NULL},
	{"ept", "address-too-wide", 0, MM_R, 0, BIT(51), REFUSED, NULL},
	/* APM 15.25.6, 5.3: reserved bits of a leaf. */
	{"amd", "address-too-wide", 0, MM_R, 0, BIT(51), REFUSED, NULL},
	{"amd", "misaligned-2m", 1, MM_R, 0, BIT(13), REFUSED, NULL},
	/* APM 15.25.5: guest accesses require US. */
	{"amd", "user-clear", 0, MM_R, BIT(2), 0, REFUSED, NULL},
	/* Privileged manual 4.3.1, 4.4.1, 8.5.1: W without R; bits 60:54; a misaligned superpage; U
         * clear, because guest accesses require U. 5.1: N with a PPN that Svnapot reserves; any N
         * without Svnapot. 6: PBMT 3; any PBMT but 0 without Svpbmt. The format defines all 44 bits
         * of the PPN. A machine with fewer address bits has no memory there. */
	/* "Svrsw60t59b" reserves bits 60:59 for software. */
	{"gstage", "write-only", 0, MM_W, 0xa, 0x4, REFUSED, NULL},
	{"gstage", "write-execute", 0, MM_W, 0xe, 0xc, REFUSED, NULL},
	{"gstage", "reserved-bit-54", 0, MM_R, 0, BIT(54), REFUSED, NULL},
	{"gstage", "reserved-bit-57", 0, MM_R, 0, BIT(57), REFUSED, NULL},
	{"gstage", "reserved-bit-60", 0, MM_R, 0, BIT(60), REFUSED, "svrsw60t59b"},
	{"gstage", "napot-reserved", 0, MM_R, GENMASK(13, 10), BIT(63) | BIT(10), REFUSED, NULL},
	{"gstage", "memory-type-3", 0, MM_R, 0, BIT(62) | BIT(61), REFUSED, NULL},
	{"gstage", "misaligned-2m", 1, MM_R, 0, BIT(11), REFUSED, NULL},
	{"gstage", "user-clear", 0, MM_R, 0x10, 0, REFUSED, NULL},
	{"gstage", "address-too-wide", 0, MM_R, 0, BIT(53), BEYOND, NULL},
	/* Arm ARM D8.3: at the last level 0b01 is reserved. An output address beyond PARange is an
         * address size fault. The address bits below a block's size are RES0, so they must have no
         * effect. */
	{"stage2", "reserved-type", 0, MM_R, 0x2, 0, REFUSED, NULL},
	/* Bits 58:55 are the software's. Bit 10 is AF: hardware that does not set it refuses. */
	{"stage2", "software-bits", 0, MM_R, 0, GENMASK(58, 55), IGNORED, NULL},
	{"stage2", "access-flag-clear", 0, MM_R, BIT(10), 0, REFUSED, "access-flag"},
	{"stage2", "address-too-wide", 0, MM_R, 0, BIT(47), REFUSED, NULL},
	{"stage2", "misaligned-2m", 1, MM_R, 0, BIT(17), IGNORED, NULL},
	{"stage2-lpa2", "reserved-type", 0, MM_R, 0x2, 0, REFUSED, NULL},
	{"stage2-lpa2", "software-bits", 0, MM_R, 0, GENMASK(58, 55), IGNORED, NULL},
	{"stage2-lpa2", "access-flag-clear", 0, MM_R, BIT(10), 0, REFUSED, "access-flag"},
	{"stage2-lpa2", "misaligned-2m", 1, MM_R, 0, BIT(17), IGNORED, NULL},
};

static const struct plant *plant_number(const char *format, size_t index)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(plants); i++) {
		if (strcmp(plants[i].format, format) == 0 && index-- == 0)
			return &plants[i];
	}
	return NULL;
}

/* The entry that maps a page, found by a walk. */
static uint64_t *entry_of(const struct mm_npt *npt, mm_gpa_t gpa)
{
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	size_t count = mm_npt_steps(npt, gpa, steps);
	uint64_t *table = mm_hal_to_virt(&npt->hal, npt->root);

	for (size_t i = 0; i + 1 < count; i++) {
		mm_hpa_t next = mm_npt_decode_pa(npt->format, steps[i].entry);

		table = mm_hal_to_virt(&npt->hal, next);
	}
	return count != 0 ? &table[steps[count - 1].index] : NULL;
}

static uint64_t original;

static void flush_all(struct vm *vm)
{
	struct mm_flush everything = {
		.root = mm_aspace_root(&vm->as),
		.tag = mm_aspace_tag(&vm->as),
		.all = true,
		.tables = true,
	};

	vm->ops->flush(vm->as.npt.hal.ctx, &everything);
}

static uint64_t plant_at(struct suite_run *run, const struct plant *p, uint64_t at)
{
	uint64_t *entry = entry_of(&run->vm->as.npt, mm_gpa_at(at));

	if (entry == NULL)
		return UINT32_MAX;
	original = *entry;
	*entry = (original & ~p->clear) | p->set;
	flush_all(run->vm);
	return 0;
}

/* Step n writes row n. The guest has accessed the page before, so nothing else can fault. */
static uint64_t plant(struct suite_run *run, uint64_t number)
{
	return plant_at(run, &plants[number], AT);
}

/* Restores the library's entry before the library unmaps it. */
static bool came_of_it(struct suite_run *run)
{
	const struct vm *vm = run->vm;
	uint64_t *entry = entry_of(&vm->as.npt, mm_gpa_at(AT));

	if (entry == NULL)
		return suite_fail(run, "the entry cannot be found");
	*entry = original;
	if (vm->reason == KILL_MISCONFIG &&
	    mm_align_down(vm->kill_gpa.raw, PAGE) != mm_align_down(AT, PAGE))
		return suite_fail(run, "killed at 0x%" PRIx64, vm->kill_gpa.raw);
	return true;
}

/* The test of a format must not be left out because its rows are missing. */
static bool no_rows(struct suite_run *run)
{
	return suite_fail(run, "plants[] has no row for format %s",
	                  mm_npt_format_name(run->vm->as.npt.format));
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct plant *p = plant_number(mm_npt_format_name(suite_format(host)), index);
	enum planted came;

	if (p == NULL && index == 0) {
		draft_name(d, "misconfig.no-rows");
		d->c.verify = no_rows;
		d->c.end = SUITE_EXITS;
		return true;
	}
	if (p == NULL)
		return false;
	came = p->freed_by != NULL && suite_has_feature(host, p->freed_by) ? IGNORED : p->came;
	/* Not wider than this machine's addresses, or without an entry that is too wide. */
	if (strcmp(p->format, "stage2") == 0 && strcmp(p->name, "address-too-wide") == 0 &&
	    host->caps.hpa_bits > 47)
		d->c.arch = "none";
	draft_name(d, "misconfig.%s", p->name);
	d->c.needs = p->level == 1 ? SUITE_NEEDS_2M : 0;
	d->c.step = plant;
	d->c.verify = came_of_it;
	d->c.end = came == IGNORED ? SUITE_EXITS : SUITE_DIES;
	d->c.kill = came == BEYOND ? KILL_FAILURE : KILL_MISCONFIG;
	d->c.uncounted = true;
	d->c.beside[0] = beside_neighbour;
	draft_area(d, (struct suite_area){
			      .kind = SUITE_POPULATED,
			      .base = ARENA,
			      .size = MIB2,
			      .perm = MM_RWX,
			      .leaf = p->level,
		      });
	draft_op(d, (struct suite_op)WRITE(8, AT, 42));
	draft_op(d, (struct suite_op)READ(8, AT, 42));
	draft_op(d, (struct suite_op)STEP((uint64_t)(p - plants)));
	if (came == IGNORED)
		d->c.kill = KILL_NONE;
	if (p->access == MM_W)
		draft_op(d, (struct suite_op)WRITE(8, AT, 43));
	else
		draft_op(d, (struct suite_op)READ(8, AT, 42));
	return true;
}

/*
 * --- faults without progress ---
 *
 * Arm and RISC-V: the VM is killed after RUN_FUTILE_FAULTS faults of one instruction at one address
 * without a change of the address space. These cases repair the entry at the fault before the last.
 */

#define OTHER    (AT + PAGE)
#define UNUSED   (ARENA + 7 * PAGE)
#define ONE_LESS (RUN_FUTILE_FAULTS - 1)

/* scratch[]: faults at the entry so far; its address; faults after which it is repaired. */
enum {
	FAULTS_SO_FAR,
	SPOILED,
	PATIENCE,
	FUTILE_TOTAL
};

/* Step `at` spoils the entry of that address. */
static uint64_t spoil(struct suite_run *run, uint64_t at)
{
	const char *format = mm_npt_format_name(run->vm->as.npt.format);
	const char *name = strcmp(format, "gstage") == 0 ? "user-clear" : "reserved-type";

	run->scratch[FAULTS_SO_FAR] = 0;
	run->scratch[SPOILED] = at;
	if (run->scratch[PATIENCE] == 0)
		run->scratch[PATIENCE] = ONE_LESS;
	for (size_t i = 0; i < MM_ARRAY_SIZE(plants); i++) {
		if (strcmp(plants[i].format, format) == 0 && strcmp(plants[i].name, name) == 0)
			return plant_at(run, &plants[i], at);
	}
	return UINT32_MAX;
}

/* At each fault: true if it is one at the spoiled entry, which is repaired at last. */
static bool futile_fault(struct suite_run *run, const struct vm_exit_fault *fault)
{
	uint64_t at = run->scratch[SPOILED];

	if (at == 0 || mm_align_down(fault->gpa.raw, PAGE) != mm_align_down(at, PAGE))
		return false;
	run->scratch[FUTILE_TOTAL]++;
	if (++run->scratch[FAULTS_SO_FAR] == run->scratch[PATIENCE]) {
		*entry_of(&run->vm->as.npt, mm_gpa_at(at)) = original;
		flush_all(run->vm);
	}
	return true;
}

static void repair_in_time(struct suite_run *run, const struct vm_exit_fault *fault)
{
	(void)futile_fault(run, fault);
}

/* A change elsewhere begins the count again, with the fault that sees it. */
static void change_in_time(struct suite_run *run, const struct vm_exit_fault *fault)
{
	run->scratch[PATIENCE] = 2 * ONE_LESS - 1;
	if (!futile_fault(run, fault) || run->scratch[FAULTS_SO_FAR] != ONE_LESS)
		return;
	if (mm_aspace_protect(&run->vm->as, mm_gpa_range(mm_gpa_at(UNUSED), PAGE), MM_R) != MM_OK)
		suite_fail(run, "the unused page cannot be protected");
}

static void never_repair(struct suite_run *run, const struct vm_exit_fault *fault)
{
	run->scratch[PATIENCE] = UINT64_MAX;
	(void)futile_fault(run, fault);
}

static bool futile_total(struct suite_run *run)
{
	uint64_t got = run->scratch[FUTILE_TOTAL], expected = 2 * ONE_LESS;

	if (run->c->end == SUITE_DIES) {
		expected = RUN_FUTILE_FAULTS;
		*entry_of(&run->vm->as.npt, mm_gpa_at(AT)) = original;
	} else if (run->c->meanwhile == change_in_time) {
		expected--;
	}
	return got == expected ||
	       suite_fail(run, "expected %" PRIu64 " faults, got %" PRIu64, expected, got);
}

#define FUTILE(how)                                                                                \
	.arch = "riscv64 aarch64", .areas = AREAS(POPULATED(ARENA, 8 * PAGE, MM_RWX)),             \
	.uncounted = true, .step = spoil, .meanwhile = (how), .verify = futile_total

static const struct suite_case cases[] = {
	{
		.name = "misconfig.futile.limit",
		.script = SCRIPT(WRITE(8, AT, 42), STEP(AT), READ(8, AT, 42)),
		.end = SUITE_DIES,
		.kill = KILL_MISCONFIG,
		FUTILE(never_repair),
	},
	{
		.name = "misconfig.futile.change",
		.script = SCRIPT(WRITE(8, AT, 42), STEP(AT), READ(8, AT, 42), READ(8, OTHER, 0)),
		FUTILE(change_in_time),
	},
	{
		/* One instruction, two addresses. */
		.name = "misconfig.futile.address",
		.script = SCRIPT(WRITE(8, AT, 42), WRITE(8, OTHER, 43), STEP(AT), READ(8, AT, 42),
                                 STEP(OTHER), READ(8, OTHER, 43)),
		FUTILE(repair_in_time),
	},
	{
		/* One address, two instructions. */
		.name = "misconfig.futile.instruction",
		.script = SCRIPT(WRITE(8, AT, 42), STEP(AT), READ(8, AT, 42), STEP(AT),
                                 WRITE(8, AT, 43), READ(8, AT, 43)),
		FUTILE(repair_in_time),
	},
};

const struct suite_subject suite_misconfig = {
	.name = "misconfig",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "misconfig.",
};
