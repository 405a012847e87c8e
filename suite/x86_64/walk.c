/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's walk of the guest's page tables (x86/stage1.c) by the guest's mode: CR0.WP,
 * CR4.SMEP, CR4.SMAP with both values of RFLAGS.AC, EFER.NXE, and the privilege level. The guest
 * gets what the CPU itself would do:
 *
 *	mmio.walk.to-ram.*	MOVSB from a device to a page with these bits. The CPU exits for the
 *				device, so the hypervisor checks the page, and injects the page
 *fault. mmio.walk.to-device.*	MOVSB from such a page to a device. The CPU checks the page.
 *	mmio.walk.fetch.*	A load from a device by an instruction on such a page.
 */
#include "suite/x86_64/x86.h"

#include "machine/x86_64/bits.h"
#include "x86/x86.h"

#define ID      (GUEST_TEST_BASE + GUEST_TEST_ID)
#define SCRATCH (GUEST_TEST_BASE + GUEST_TEST_SCRATCH)

#define GDT    (ARENA + PAGE)
#define RAM    (ARENA + 2 * PAGE) /* what VIRTUAL maps */
#define TABLES (ARENA + 3 * PAGE)
#define LEAF   (TABLES + PAGE) /* the entry of VIRTUAL in the lowest table */

#define DATA       0x123U
#define CODE       0x200U
#define RAM_BEFORE UINT64_C(0xa8a7a6a5a4a3a2a1)
#define FILLED     UINT64_C(0x1122334455667788) /* SCRATCH before */

#define MSR_OF_EFER 0xc0000080U
#define EFER_BASE   UINT64_C(0x500) /* LME, LMA */
#define GP          13U
#define PF          14U
#define HIGH        BIT(62) /* not canonical */

#define P  UINT64_C(0x1)
#define W  UINT64_C(0x2)
#define U  UINT64_C(0x4)
#define NX BIT(63)
#define AD UINT64_C(0x60)

/* Bits of the error code. */
#define F_P    0x1U
#define F_W    0x2U
#define F_U    0x4U
#define F_RSVD 0x8U

enum kind {
	TO_RAM,
	TO_DEVICE,
	FETCH_CODE,
};

struct row {
	const char *name;
	enum kind kind;
	uint64_t entry; /* permissions of the page */
	uint64_t cr4;
	bool nxe;
	bool wp_off;
	bool ac;   /* RFLAGS.AC is set by STAC */
	bool user; /* CPL 3 */
	bool faults;
	uint32_t code; /* the error code of the page fault */
	bool high;     /* the address is not canonical */
};

#define FAULTS_AS(bits) .faults = true, .code = (bits)

#define ROW(label, what, bits) .name = (label), .kind = (what), .entry = (bits)

static const struct row rows[] = {
	{ROW("supervisor", TO_RAM, P | W)},
	{ROW("user-page", TO_RAM, P | W | U)},
	{ROW("smep", TO_RAM, P | W | U), .cr4 = CR4_SMEP},
	{ROW("smap", TO_RAM, P | W | U), .cr4 = CR4_SMAP, FAULTS_AS(F_P | F_W)},
	{ROW("smap-ac", TO_RAM, P | W | U), .cr4 = CR4_SMAP, .ac = true},
	{ROW("smap-supervisor", TO_RAM, P | W), .cr4 = CR4_SMAP},
	{ROW("smap-ac-supervisor", TO_RAM, P | W), .cr4 = CR4_SMAP, .ac = true},
	{ROW("smap-read-only", TO_RAM, P | U), .cr4 = CR4_SMAP, .ac = true, FAULTS_AS(F_P | F_W)},
	{ROW("smap-wp-off", TO_RAM, P | U), .cr4 = CR4_SMAP, .ac = true, .wp_off = true},
	{ROW("smap-absent", TO_RAM, U), .cr4 = CR4_SMAP, .ac = true, FAULTS_AS(F_W)},
	{ROW("read-only", TO_RAM, P), FAULTS_AS(F_P | F_W)},
	{ROW("read-only-wp-off", TO_RAM, P), .wp_off = true},
	{ROW("absent", TO_RAM, 0), FAULTS_AS(F_W)},
	{ROW("nx", TO_RAM, P | W | NX), .nxe = true},
	{ROW("nx-reserved", TO_RAM, P | W | NX), FAULTS_AS(F_P | F_W | F_RSVD)},
	{ROW("not-canonical", TO_RAM, P | W), .high = true, .faults = true},
	{ROW("cpl-3", TO_RAM, P | W | U), .user = true},
	{ROW("cpl-3-supervisor", TO_RAM, P | W | AGENT_X86_PTE_KEPT), .user = true,
         FAULTS_AS(F_P | F_W | F_U)},
	{ROW("cpl-3-read-only", TO_RAM, P | U), .user = true, FAULTS_AS(F_P | F_W | F_U)},
	{ROW("cpl-3-wp-off", TO_RAM, P | U), .wp_off = true, .user = true,
         FAULTS_AS(F_P | F_W | F_U)},

	{ROW("supervisor", TO_DEVICE, P)},
	{ROW("user-page", TO_DEVICE, P | U)},
	{ROW("smep", TO_DEVICE, P | U), .cr4 = CR4_SMEP},
	{ROW("smap", TO_DEVICE, P | U), .cr4 = CR4_SMAP, FAULTS_AS(F_P)},
	{ROW("smap-ac", TO_DEVICE, P | U), .cr4 = CR4_SMAP, .ac = true},
	{ROW("smap-supervisor", TO_DEVICE, P), .cr4 = CR4_SMAP},
	{ROW("absent", TO_DEVICE, 0), FAULTS_AS(0)},
	{ROW("nx", TO_DEVICE, P | NX), .nxe = true},
	{ROW("not-canonical", TO_DEVICE, P), .high = true, .faults = true},
	{ROW("cpl-3", TO_DEVICE, P | U), .user = true},

	{ROW("supervisor", FETCH_CODE, P)},
	{ROW("user-page", FETCH_CODE, P | U)},
	{ROW("smep", FETCH_CODE, P | U), .cr4 = CR4_SMEP, .faults = true},
	{ROW("smep-supervisor", FETCH_CODE, P), .cr4 = CR4_SMEP},
	{ROW("smap", FETCH_CODE, P | U), .cr4 = CR4_SMAP},
	{ROW("smap-smep", FETCH_CODE, P), .cr4 = CR4_SMAP | CR4_SMEP},
	{ROW("nxe", FETCH_CODE, P | U), .nxe = true},
	{ROW("nx", FETCH_CODE, P | NX), .nxe = true, .faults = true},
	{ROW("nx-reserved", FETCH_CODE, P | NX), .faults = true},
};

static const char *const kinds[] = {"to-ram", "to-device", "fetch"};

/* --- the instructions --- */

/* STAC; MOV RDI, RBX or MOV RSI, RBX; MOVSB; NOPs. */
static uint64_t movs_code(const struct row *r, unsigned *at)
{
	uint64_t move = r->kind == TO_RAM ? 0xa4df8948 : 0xa4de8948;
	uint64_t nops = UINT64_C(0x9090909090909090);

	*at = r->ac ? 6 : 3;
	return r->ac ? nops << 56 | move << 24 | 0xcb010f : nops << 32 | move;
}

/* The handler returns to MOVSB once. STAC is not undone. */
static uint64_t movs_result(const struct row *r, unsigned at)
{
	uint64_t result = r->faults ? AGENT_X86_GOT(r->high ? GP : PF, 2, r->code, at) : 0;

	if (r->ac && r->faults)
		result |= AGENT_X86_WRONG_FLAGS;
	return result | (r->ac ? AGENT_X86_WRONG_AFTER : 0);
}

static void draft_movs(struct suite_draft *d, const struct row *r)
{
	bool to_ram = r->kind == TO_RAM;
	uint64_t ram = RAM_BEFORE, scratch = FILLED;
	uint8_t how = AGENT_X86_MASKED | (r->user ? AGENT_X86_USER : 0);
	unsigned at;
	uint64_t code = movs_code(r, &at);
	uint64_t address = (VIRTUAL + DATA) | (r->high ? HIGH : 0);

	if (!r->faults && to_ram)
		ram = (RAM_BEFORE & ~UINT64_C(0xff)) | 0x11;
	if (!r->faults && !to_ram)
		scratch = (FILLED & ~UINT64_C(0xff)) | 0xa1;
	draft_op(d, (struct suite_op)EVENT(code, how, address, to_ram ? ID : SCRATCH,
	                                   movs_result(r, at)));
	if (r->faults && !r->high)
		draft_op(d, (struct suite_op)AFTER(CR2, VIRTUAL + DATA));
	draft_op(d, (struct suite_op)READ(8, RAM + DATA, ram));
	draft_op(d, (struct suite_op)READ(8, SCRATCH, scratch));
}

/* MOV EAX, [RDI]; RET. */
static void draft_fetch(struct suite_draft *d, const struct row *r)
{
	struct suite_op call = {OP(CALL_AT, .addr = VIRTUAL + CODE, .value = ID)};

	if (r->faults) {
		call.trap = AGENT_PAGE_FAULT;
		call.addr = VIRTUAL + CODE;
	} else {
		call.value = 0x44332211;
	}
	draft_op(d, call);
}

/* --- the guest's mode --- */

static void draft_mode(struct suite_draft *d, const struct row *r)
{
	if (r->user)
		draft_op(d, (struct suite_op){X86_OP(TABLES, .addr = GDT, .value = 1)});
	draft_op(d, (struct suite_op)COPY_IDT(ARENA));
	draft_op(d, (struct suite_op)WRITE(8, RAM + DATA, RAM_BEFORE));
	draft_op(d, (struct suite_op)WRITE(4, RAM + CODE, 0x90c3078b));
	draft_op(d, (struct suite_op)WRITE(8, SCRATCH, FILLED));
	draft_op(d, (struct suite_op)MAP(VIRTUAL, RAM, 0, TABLES));
	draft_op(d, (struct suite_op)WRITE(8, LEAF, RAM | AD | r->entry));
	draft_op(d, (struct suite_op)OP_FLUSH());
	if (r->nxe)
		draft_op(d, (struct suite_op)WRMSR(MSR_OF_EFER, EFER_BASE | EFER_NXE));
	draft_op(d, (struct suite_op){X86_OP(CHANGE_CR, .addr = 0, .value = r->wp_off ? 0 : CR0_WP,
	                                     .stride = r->wp_off ? CR0_WP : 0)});
	draft_op(d, (struct suite_op){X86_OP(CHANGE_CR, .addr = 4, .value = r->cr4)});
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct row *r = &rows[index];

	(void)host;
	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	draft_name(d, "mmio.walk.%s.%s", kinds[r->kind], r->name);
	draft_area(d, (struct suite_area)POPULATED(ARENA, 8 * PAGE, MM_RWX));
	d->c.uncounted = true;
	/* A CPU without SMEP or SMAP. */
	if ((r->cr4 & ~x86_cr4_allowed()) != 0)
		d->c.arch = "none";
	draft_mode(d, r);
	if (r->kind == FETCH_CODE)
		draft_fetch(d, r);
	else
		draft_movs(d, r);
	return true;
}

const struct suite_subject suite_x86_walk = {
	.name = "mmio",
	.generate = generate,
	.generated = "mmio.walk.",
};
