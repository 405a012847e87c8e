/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's accesses to guest memory, by guest-physical and by guest-virtual address, while
 * a guest uses the same memory. Each side reads what the other writes. The guest's permissions
 * apply to both. An access that cannot be completed is not started.
 */
#include "guests/agent/forms.h"
#include "kernel/string.h"
#include "suite/run.h"
#include "suite/suite.h"

#define VALUE  UINT64_C(0x0011223344556677)
#define OTHER  UINT64_C(0x8899aabbccddeeff)
#define TABLES (ARENA + 32 * PAGE)
#define BYTES  (3 * PAGE)

static uint64_t answer(enum mm_error error)
{
	return (uint64_t)(uint32_t)error;
}

/* --- by guest-physical address --- */

/* Step 0 reads the word at the arena's start (its low half is the result). Step 1 writes OTHER
 * there. */
static uint64_t access_word(struct suite_run *run, uint64_t number)
{
	uint64_t word = OTHER;

	if (number == 1)
		return answer(mm_aspace_store(&run->vm->as, mm_gpa_at(ARENA), 8, word));
	if (mm_aspace_load(&run->vm->as, mm_gpa_at(ARENA), 8, &word) != MM_OK)
		return UINT32_MAX;
	return (uint32_t)word;
}

/* Step 0 copies from the first to the second range of pages. Begins in the middle of a page. */
static uint64_t copy_pages(struct suite_run *run, uint64_t number)
{
	static uint8_t buffer[BYTES];
	enum mm_error error = mm_aspace_read(&run->vm->as, mm_gpa_at(ARENA + 100), buffer, BYTES);

	(void)number;
	if (error == MM_OK)
		error = mm_aspace_write(&run->vm->as, mm_gpa_at(ARENA + 8 * PAGE + 100), buffer,
		                        BYTES);
	return answer(error);
}

/* The access of step n, each of BYTES bytes from that address. The result is the error. */
static const struct {
	uint64_t gpa;
	bool write;
} attempts[] = {
	{ARENA + 2 * PAGE, true},        /* 0: writes pages that are read-only */
	{ARENA + 2 * PAGE, false},       /* 1: reads them */
	{ARENA + 5 * PAGE, false},       /* 2: continues into a hole */
	{ARENA + 5 * PAGE, true},        /* 3 */
	{GUEST_TEST_BASE, false},        /* 4: a device */
	{UINT64_MAX - 100, false},       /* 5: wraps */
	{UINT64_C(1) << 60, true},       /* 6: beyond the address width of every format */
	{ARENA + PAGE + PAGE / 2, true}, /* 7: begins in a writable page */
};

static uint64_t attempt(struct suite_run *run, uint64_t number)
{
	static uint8_t buffer[BYTES];
	mm_gpa_t gpa = mm_gpa_at(attempts[number].gpa);

	memset(buffer, 0xee, sizeof(buffer));
	if (attempts[number].write)
		return answer(mm_aspace_write(&run->vm->as, gpa, buffer, BYTES));
	return answer(mm_aspace_read(&run->vm->as, gpa, buffer, BYTES));
}

#define REFUSED(number, error) STEP_ANSWERS(number, (uint32_t)(error))

/* --- by guest-virtual address --- */

/* Step n: an access of the kind in bits 7:0 at VIRTUAL + page (bits 15:8). The result is 0, and the
 * address is stored; or the result is the error. */
static uint64_t translate(struct suite_run *run, uint64_t number)
{
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;
	mm_gva_t gva = mm_gva_at(VIRTUAL + (number >> 8) * PAGE + 0x18);
	mm_gpa_t gpa = mm_gpa_at(0);
	enum mm_error error = vcpu->ops->translate(vcpu, gva, (enum mm_perm)(number & 0xff), &gpa);

	run->scratch[0] = gpa.raw;
	return answer(error);
}

static bool found_page(struct suite_run *run)
{
	if (run->scratch[0] == ARENA + PAGE + 0x18)
		return true;
	return suite_fail(run, "translated to 0x%" PRIx64, run->scratch[0]);
}

#define TRANSLATE(page, access)         STEP((page) << 8 | (access))
#define NO_TRANSLATION(page, access, e) STEP_ANSWERS((page) << 8 | (access), (uint32_t)(e))

enum {
	AGENT_PRIVS_RISCV64(AGENT_PRIV_ENUM_RISCV64)
};

#define ALL (AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X | AGENT_PTE_AD)
#define PRIVILEGED(name)                                                                           \
	{                                                                                          \
		OP(PRIV, .count = PRIV_RISCV64_##name), .any_value = true                          \
	}

static const struct suite_case cases[] = {
	{
		.name = "host.read.what-guest-wrote",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, VALUE), STEP_ANSWERS(0, (uint32_t)VALUE)),
		.faults = FAULTS(MAPPED(ARENA, MM_W)),
		.step = access_word,
	},
	{
		.name = "host.write.seen-by-guest",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(READ(8, ARENA, 0), STEP(1), READ(8, ARENA, OTHER)),
		.faults = FAULTS(MAPPED(ARENA, MM_R)),
		.step = access_word,
	},
	{
		/* The hypervisor's access populates the page. The guest's access then takes no
                 * fault. */
		.name = "host.read.lazy",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(STEP_ANSWERS(0, 0), READ(8, ARENA, 0), WRITE(8, ARENA, 1)),
		.step = access_word,
	},
	{
		.name = "host.write.lazy",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(STEP(1), READ(8, ARENA, OTHER), READ(8, ARENA + 8, 0)),
		.step = access_word,
	},
	{
		.name = "host.copy.pages",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA + 104, BYTES / 8 - 1, 8, VALUE), STEP(0),
                                 READ(8, ARENA + 8 * PAGE + 104, VALUE ^ (ARENA + 104)),
                                 READ(8, ARENA + 10 * PAGE, VALUE ^ (ARENA + 2 * PAGE))),
		.faults = FAULTS(MAPPED(ARENA + 104, MM_W),
                                 MAPPED_SERIES(ARENA + PAGE, MM_W, 3, PAGE)),
		.step = copy_pages,
	},
	{
		.name = "host.refused",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RW), LAZY(ARENA + 2 * PAGE, 3 * PAGE, MM_R),
                               LAZY(ARENA + 5 * PAGE, PAGE, MM_RW)),
		.script =
			SCRIPT(REFUSED(0, MM_DENIED), REFUSED(1, MM_OK), REFUSED(2, MM_NOT_MAPPED),
                               REFUSED(3, MM_NOT_MAPPED), REFUSED(4, MM_IS_DEVICE),
                               REFUSED(5, MM_OUT_OF_RANGE), REFUSED(6, MM_OUT_OF_RANGE)),
		.step = attempt,
	},
	{
		.name = "host.all-or-nothing",
		.areas = AREAS(POPULATED(ARENA, 2 * PAGE, MM_RW),
                               POPULATED(ARENA + 2 * PAGE, 3 * PAGE, MM_R),
                               POPULATED(ARENA + 5 * PAGE, PAGE, MM_RW)),
		.script = SCRIPT(REFUSED(7, MM_DENIED), REFUSED(3, MM_NOT_MAPPED),
                                 ZEROS(ARENA, 6 * 512, 8)),
		.step = attempt,
	},
	{
		.name = "host.virtual.found",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA + PAGE, 0, TABLES),
                                 TRANSLATE(0, MM_R), TRANSLATE(0, MM_X), TRANSLATE(0, MM_W)),
		.step = translate,
		.verify = found_page,
	},
	{
		.name = "host.virtual.2m",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA, 1, TABLES), TRANSLATE(1, MM_R)),
		.step = translate,
		.verify = found_page,
	},
	{
		.name = "host.virtual.readonly",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script =
			SCRIPT(STAGE1(),
                               MAP_AS(VIRTUAL, ARENA + PAGE, 0, TABLES, AGENT_PTE_R | AGENT_PTE_AD),
                               NO_TRANSLATION(0, MM_W, MM_DENIED), TRANSLATE(0, MM_R)),
		.step = translate,
		.verify = found_page,
	},
	{
		/* Privileged manual 4.3.1: VS-mode may load from and store to a user page under SUM
                 * only. It may never fetch from one. */
		.name = "host.virtual.sum",
		.arch = "riscv64",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(
			STAGE1(), MAP_AS(VIRTUAL, ARENA + PAGE, 0, TABLES, ALL | AGENT_PTE_USER),
			NO_TRANSLATION(0, MM_R, MM_DENIED), NO_TRANSLATION(0, MM_W, MM_DENIED),
			PRIVILEGED(sum_on), NO_TRANSLATION(0, MM_X, MM_DENIED), TRANSLATE(0, MM_W),
			TRANSLATE(0, MM_R), WRITE(8, VIRTUAL, VALUE)),
		.step = translate,
		.verify = found_page,
	},
	{
		/* 4.1.1.2: under MXR, executable pages are readable. */
		.name = "host.virtual.mxr",
		.arch = "riscv64",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script =
			SCRIPT(STAGE1(),
                               MAP_AS(VIRTUAL, ARENA + PAGE, 0, TABLES, AGENT_PTE_X | AGENT_PTE_AD),
                               NO_TRANSLATION(0, MM_R, MM_DENIED), TRANSLATE(0, MM_X),
                               PRIVILEGED(mxr_on), NO_TRANSLATION(0, MM_W, MM_DENIED),
                               TRANSLATE(0, MM_R), READ(8, VIRTUAL, 0)),
		.step = translate,
		.verify = found_page,
	},
	{
		/* Arm ARM D8.4.2: EL1 may access a page of EL0. It may not write a read-only
                 * one. */
		.name = "host.virtual.user",
		.arch = "aarch64",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(),
                                 MAP_AS(VIRTUAL, ARENA + PAGE, 0, TABLES, ALL | AGENT_PTE_USER),
                                 MAP_AS(VIRTUAL + PAGE, ARENA + PAGE, 0, TABLES,
                                        AGENT_PTE_R | AGENT_PTE_AD | AGENT_PTE_USER),
                                 NO_TRANSLATION(1, MM_W, MM_DENIED), TRANSLATE(0, MM_W),
                                 TRANSLATE(0, MM_R), WRITE(8, VIRTUAL, VALUE)),
		.step = translate,
		.verify = found_page,
	},
	{
		/* The page of the guest's table is not populated yet. It reads as zeros and maps
                 * nothing. */
		.name = "host.virtual.table-absent",
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP_AS(VIRTUAL, ARENA, 0, TABLES, AGENT_KEEP),
                                 NO_TRANSLATION(0, MM_R, MM_NOT_MAPPED)),
		.step = translate,
	},
	{
		.name = "host.virtual.invalid",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA + PAGE, 0, TABLES),
                                 NO_TRANSLATION(1, MM_R, MM_NOT_MAPPED), TRANSLATE(0, MM_R)),
		.step = translate,
		.verify = found_page,
	},
};

const struct suite_subject suite_hostaccess = {
	.name = "hostaccess",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
