/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a vCPU is its own. Each vCPU writes its own values to every register that a guest
 * can write (registers.h), to the general registers and to the vector registers, lets others run on
 * its CPU, and then finds its values. The vCPUs are those of two VMs, of one VM, or of VMs that
 * move from CPU to CPU. A fresh vCPU finds the values of a reset.
 */
#include "el2/state.h"
#include "machine/aarch64/sysreg.h"
#include "suite/aarch64/arm.h"
#include "suite/aarch64/registers.h"
#include "suite/aarch64/state_block.h"
#include "suite/beside.h"
#include "suite/compare.h"
#include "suite/mailbox.h"

/* Every register that el2/ switches is in the list of this folder. */
#define LISTED(name) SWITCHED_##name = ARM_##name,
enum {
	EL1_STATE(LISTED)
	EL1_STATE_FP(LISTED) EL1_STATE_RAS(LISTED) EL1_STATE_SME(LISTED) EL1_STATE_CSV2(LISTED)
};
#undef LISTED

#define GENERAL 31
#define VECTORS 64 /* words */

struct mm_block {
	uint64_t in[32], before[32], after[32], x_in[32], x_out[32];
	uint64_t vectors_in[VECTORS], vectors_out[VECTORS];
	uint64_t kept[32];
};

_Static_assert(offsetof(struct mm_block, before) == BLOCK_BEFORE, "state_block.h");
_Static_assert(offsetof(struct mm_block, after) == BLOCK_AFTER, "state_block.h");
_Static_assert(offsetof(struct mm_block, x_in) == BLOCK_X_IN, "state_block.h");
_Static_assert(offsetof(struct mm_block, x_out) == BLOCK_X_OUT, "state_block.h");
_Static_assert(offsetof(struct mm_block, vectors_in) == BLOCK_VECTORS_IN, "state_block.h");
_Static_assert(offsetof(struct mm_block, vectors_out) == BLOCK_VECTORS_OUT, "state_block.h");
_Static_assert(offsetof(struct mm_block, kept) == BLOCK_KEPT, "state_block.h");
_Static_assert(sizeof(struct mm_block) == BLOCK_BYTES && BLOCK_BYTES <= PAGE, "state_block.h");
_Static_assert(ARM_REGISTER_COUNT <= 32, "a block has room for the registers");

static const struct {
	const char *name;
	uint64_t varied, fixed, sure;
	enum arm_needs needs;
} registers[] = {
#define ROW(name, spelling, varied, fixed, sure, needs) {#name, varied, fixed, sure, needs},
	ARM_REGISTERS(ROW)
#undef ROW
};

/* Per register: MRS x1 and MSR x1, by the assembler. */
#define MOVES(name, spelling, varied, fixed, sure, needs)                                          \
	"mrs x1, " spelling "\n\tmsr " spelling ", x1\n\t"
__asm__(".pushsection .rodata\n\t.balign 4\narm_state_moves:\n\t" ARM_REGISTERS(
	MOVES) ".popsection");
extern const uint32_t arm_state_moves[][2];

#define MOV_X1_SP UINT32_C(0x910003e1)
#define MOV_SP_X1 UINT32_C(0x9100003f)
#define LDR_X1    UINT32_C(0xf9400381) /* ldr x1, [x28] */
#define STR_X1    UINT32_C(0xf9000381)

ARM_PIECE(state_begin);
ARM_PIECE(state_load_vectors);
ARM_PIECE(state_yield);
ARM_PIECE(state_store_vectors);
ARM_PIECE(state_end);
ARM_PIECE(fresh_branch);
ARM_PIECE(fresh_begin);
ARM_PIECE(fresh_end);

/* --- the features of this CPU --- */

SYSREG_READ(id_aa64pfr0_el1, "id_aa64pfr0_el1")
SYSREG_READ(id_aa64pfr1_el1, "id_aa64pfr1_el1")
SYSREG_READ(id_aa64mmfr0_el1, "id_aa64mmfr0_el1")

static bool has(enum arm_needs needs)
{
	switch (needs) {
	case ARM_FP:
		return FIELD_GET(GENMASK(19, 16), read_id_aa64pfr0_el1()) != 15;
	case ARM_RAS:
		return FIELD_GET(GENMASK(31, 28), read_id_aa64pfr0_el1()) != 0;
	case ARM_CSV2:
		return FIELD_GET(GENMASK(59, 56), read_id_aa64pfr0_el1()) >= 2;
	case ARM_SME:
		return FIELD_GET(GENMASK(27, 24), read_id_aa64pfr1_el1()) != 0 &&
		       FIELD_GET(GENMASK(59, 56), read_id_aa64mmfr0_el1()) == 0;
	default:
		return true;
	}
}

/* --- the routine --- */

static void emit_writes(struct arm_code *code)
{
	for (uint32_t i = 0; i < ARM_REGISTER_COUNT; i++) {
		if (!has(registers[i].needs))
			continue;
		arm_emit(code, LDR_X1 | (BLOCK_IN / 8 + i) << 10);
		arm_emit(code, i == ARM_sp_el1 ? MOV_SP_X1 : arm_state_moves[i][1]);
	}
	arm_emit(code, ARM_ISB);
}

static void emit_reads(struct arm_code *code, uint32_t offset)
{
	for (uint32_t i = 0; i < ARM_REGISTER_COUNT; i++) {
		if (!has(registers[i].needs))
			continue;
		arm_emit(code, i == ARM_sp_el1 ? MOV_X1_SP : arm_state_moves[i][0]);
		arm_emit(code, STR_X1 | (offset / 8 + i) << 10);
	}
}

static const struct arm_code *routine(void)
{
	static struct arm_code code;

	code.count = 0;
	arm_emit_piece(&code, state_begin);
	emit_writes(&code);
	emit_reads(&code, BLOCK_BEFORE);
	if (has(ARM_FP))
		arm_emit_piece(&code, state_load_vectors);
	if (code.count % 2 != 0)
		arm_emit(&code, ARM_ISB);
	arm_emit_piece(&code, state_yield);
	if (has(ARM_FP))
		arm_emit_piece(&code, state_store_vectors);
	emit_reads(&code, BLOCK_AFTER);
	arm_emit_piece(&code, state_end);
	return &code;
}

/* --- values: different for each VM, vCPU, block and register --- */

#define BLOCKS 3 /* per vCPU: each one call of the routine */

static uint64_t value_of(unsigned who, unsigned block, unsigned number)
{
	uint64_t z = (who * UINT64_C(64) + block) * 1024 + number + 1;

	z *= UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Two consecutive vCPUs and blocks differ in every bit, so narrow fields differ, too. */
static uint64_t mixed(unsigned who, unsigned block, unsigned number)
{
	uint64_t value = value_of(who / 2, block / 2, number);

	return (who + block) % 2 != 0 ? ~value : value;
}

static uint64_t block_at(unsigned vcpu, unsigned block)
{
	return ARM_DATA + vcpu * ARM_SLOT + block * PAGE;
}

static uint64_t code_at(unsigned vcpu)
{
	return ARM_CODE + vcpu * ARM_SLOT;
}

static struct mm_block block;

static void fill_block(unsigned who, unsigned number)
{
	block = (struct mm_block){.in = {0}};
	for (unsigned i = 0; i < ARM_REGISTER_COUNT; i++)
		block.in[i] = (mixed(who, number, i) & registers[i].varied) | registers[i].fixed;
	for (unsigned i = 0; i < GENERAL; i++)
		block.x_in[i] = mixed(who, number, 100 + i);
	block.x_in[0] &= ARM_FLAGS;
	for (unsigned i = 0; i < VECTORS; i++)
		block.vectors_in[i] = mixed(who, number, 200 + i);
}

/* `who` is the number of the vCPU in the case. */
static bool set_up(struct suite_run *run, struct vm *vm, unsigned vcpu, unsigned who)
{
	bool good = arm_place(run, vm, code_at(vcpu), routine());

	for (unsigned i = 0; i < BLOCKS && good; i++) {
		fill_block(who, i);
		good = mm_aspace_write(&vm->as, mm_gpa_at(block_at(vcpu, i)), &block,
		                       sizeof(block)) == MM_OK;
	}
	return good || suite_fail(run, "no memory for the blocks");
}

/* --- comparison --- */

static void check_register(struct suite_run *run, unsigned who, unsigned number, unsigned i)
{
	uint64_t ignored = i == ARM_cntv_ctl_el0 ? ARM_CNTV_ISTATUS : 0;

	if (((block.before[i] ^ block.in[i]) & registers[i].sure) != 0)
		suite_fail(run, "vCPU %u, turn %u: wrote %s=0x%" PRIx64 ", read 0x%" PRIx64, who,
		           number, registers[i].name, block.in[i], block.before[i]);
	if (((block.before[i] ^ block.after[i]) & ~ignored) != 0)
		suite_fail(run,
		           "vCPU %u, turn %u: %s=0x%" PRIx64 " before the others ran, 0x%" PRIx64
		           " afterwards",
		           who, number, registers[i].name, block.before[i], block.after[i]);
}

static void check_words(struct suite_run *run, unsigned who, const char *what, const uint64_t *in,
                        const uint64_t *out, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (in[i] != out[i])
			suite_fail(run, "vCPU %u: %s %u: 0x%" PRIx64 " became 0x%" PRIx64, who,
			           what, i, in[i], out[i]);
	}
}

static void check_vcpu(struct suite_run *run, struct vm *vm, unsigned vcpu, unsigned who)
{
	for (unsigned n = 0; n < BLOCKS; n++) {
		if (mm_aspace_read(&vm->as, mm_gpa_at(block_at(vcpu, n)), &block, sizeof(block)) !=
		    MM_OK) {
			suite_fail(run, "no block");
			return;
		}
		for (unsigned i = 0; i < ARM_REGISTER_COUNT; i++) {
			if (has(registers[i].needs))
				check_register(run, who, n, i);
		}
		/* x1 is the value of the hypercall. */
		check_words(run, who, "x", block.x_in + 2, block.x_out + 2, GENERAL - 2);
		check_words(run, who, "nzcv", block.x_in, block.x_out, 1);
		if (has(ARM_FP))
			check_words(run, who, "word of vectors", block.vectors_in,
			            block.vectors_out, VECTORS);
	}
}

/* --- the cases --- */

#define TURN(vcpu, number)                                                                         \
	CALL_AT(ARM_CODE + (vcpu)*ARM_SLOT, ARM_DATA + (vcpu)*ARM_SLOT + (number)*PAGE, 0)
#define TURNS(vcpu) SCRIPT(TURN(vcpu, 0), TURN(vcpu, 1), TURN(vcpu, 2))

static bool ready_vms(struct suite_run *run)
{
	bool good = set_up(run, run->vm, 0, 0);

	for (unsigned i = 0; i < beside_count(run) && good; i++)
		good = set_up(run, beside_vm(i), 0, i + 1);
	return good;
}

static bool verify_vms(struct suite_run *run)
{
	check_vcpu(run, run->vm, 0, 0);
	for (unsigned i = 0; i < beside_count(run); i++)
		check_vcpu(run, beside_vm(i), 0, i + 1);
	return run->complaints == 0;
}

static bool ready_vcpus(struct suite_run *run)
{
	bool good = true;

	for (unsigned i = 0; i < run->vm->vcpu_count && good; i++)
		good = set_up(run, run->vm, i, i);
	return good;
}

static bool verify_vcpus(struct suite_run *run)
{
	for (unsigned i = 0; i < run->vm->vcpu_count; i++)
		check_vcpu(run, run->vm, i, i);
	return run->complaints == 0;
}

/* --- a fresh vCPU, on a CPU that has another VM's values --- */

/* The last turn of the first VM comes before the entry of the VM beside. */
static bool hook_entry(struct suite_run *run, struct vm *vm)
{
	static struct arm_code code;
	uint64_t literal = block_at(0, 0), at = code_at(0), entry[2];
	const size_t address = 2; /* word of the address in fresh_branch and fresh_begin */

	block = (struct mm_block){.in = {0}};
	if (mm_aspace_read(&vm->as, mm_gpa_at(vm->entry), entry, sizeof(entry)) != MM_OK)
		return suite_fail(run, "no code at the entry");
	block.kept[0] = entry[0];
	block.kept[1] = entry[1];
	block.kept[2] = vm->entry;
	code.count = 0;
	arm_emit_piece(&code, fresh_begin);
	code.word[address] = (uint32_t)literal;
	code.word[address + 1] = (uint32_t)(literal >> 32);
	for (uint32_t i = 0; i < ARM_REGISTER_COUNT; i++) {
		if (!has(registers[i].needs))
			continue;
		arm_emit(&code, i == ARM_sp_el1 ? MOV_X1_SP : arm_state_moves[i][0]);
		arm_emit(&code, STR_X1 | (BLOCK_AFTER / 8 + i) << 10);
	}
	if (has(ARM_FP))
		arm_emit_piece(&code, state_store_vectors);
	arm_emit_piece(&code, fresh_end);
	if (mm_aspace_write(&vm->as, mm_gpa_at(literal), &block, sizeof(block)) != MM_OK ||
	    !arm_place(run, vm, at, &code))
		return suite_fail(run, "no memory");
	code.count = 0;
	arm_emit_piece(&code, fresh_branch);
	code.word[address] = (uint32_t)at;
	code.word[address + 1] = (uint32_t)(at >> 32);
	return arm_place(run, vm, vm->entry, &code);
}

static bool ready_fresh(struct suite_run *run)
{
	return set_up(run, run->vm, 0, 0) && hook_entry(run, beside_vm(0));
}

static void expect(struct suite_run *run, const char *what, uint64_t expected, uint64_t got)
{
	if (expected != got)
		suite_fail(run, "a fresh vCPU has %s=0x%" PRIx64 ", not 0x%" PRIx64, what, got,
		           expected);
}

static bool verify_fresh(struct suite_run *run)
{
	static const uint64_t zeros[VECTORS];

	if (mm_aspace_read(&beside_vm(0)->as, mm_gpa_at(block_at(0, 0)), &block, sizeof(block)) !=
	    MM_OK)
		return suite_fail(run, "no block");
	expect(run, "x0", 0, block.x_out[0]);
	for (unsigned i = 2; i < GENERAL; i++) {
		if (i != 17)
			expect(run, "a general register", 0, block.x_out[i]);
	}
	expect(run, "nzcv", 0, block.before[0]);
	expect(run, "daif", 0x3c0, block.before[1]);
	expect(run, "CurrentEL", 4, block.before[2]);
	expect(run, "SPSel", 1, block.before[3]);
	expect(run, "cpacr_el1", 0, block.before[4]);
	for (unsigned i = 0; i < ARM_REGISTER_COUNT; i++) {
		if (!has(registers[i].needs) || i == ARM_cpacr_el1)
			continue;
		expect(run, registers[i].name, i == ARM_sctlr_el1 ? ARM_SCTLR_RES1 : 0,
		       block.after[i]);
	}
	if (has(ARM_FP))
		check_words(run, 1, "word of fresh vectors", zeros, block.vectors_out, VECTORS);
	return run->complaints == 0;
}

/* --- from CPU to CPU --- */

#define MOVED 3 /* VMs */

static const struct suite_op moved_script[] = {TURN(0, 0), TURN(0, 1), TURN(0, 2), {OP(END)}};
static struct vm moved[MOVED];

static bool make_moved(struct suite_run *run, unsigned i)
{
	static struct vm_config config;
	struct mm_aspace_backing backing = {.populate = true};

	config = (struct vm_config){.name = "moved", .geometry = suite_geometry()};
	if (!guest_image_find("agent", &config.image) || !vm_create(&moved[i], run->host, &config))
		return suite_fail(run, "no VM: %s", moved[i].error);
	return mm_aspace_map_alloc(&moved[i].as, mm_gpa_range(mm_gpa_at(ARENA), 32 * PAGE), MM_RWX,
	                           backing) == MM_OK &&
	       suite_write_script(&moved[i], 0, moved_script) && set_up(run, &moved[i], 0, i);
}

static void run_moved(struct suite_run *run, const void *data)
{
	struct vm *const vms[MOVED] = {&moved[0], &moved[1], &moved[2]};
	unsigned made = 0, halts;
	bool good = true;

	(void)data;
	while (made < MOVED && good)
		good = make_moved(run, made++);
	if (good && arm_run_moving(run, vms, MOVED, run->host->cpus, &halts)) {
		for (unsigned i = 0; i < MOVED; i++) {
			compare_script(run, "moved", moved_script, suite_read_mailbox(&moved[i], 0),
			               BLOCKS);
			check_vcpu(run, &moved[i], 0, i);
		}
	}
	while (made-- > 0)
		(void)vm_destroy(&moved[made]);
}

/* --- another VM is flushed while a vCPU is loaded --- */

/* Step 0 flushes the VM beside: its VMID is in VTTBR_EL2 meanwhile. Step 1 flushes one page of it.
 */
static uint64_t flush_other(struct suite_run *run, uint64_t number)
{
	const struct mm_aspace *as = &beside_vm(0)->as;
	const struct mm_flush request = {
		.root = mm_aspace_root(as),
		.tag = mm_aspace_tag(as),
		.all = number == 0,
		.range = mm_gpa_range(mm_gpa_at(ARENA), PAGE),
	};

	run->vm->ops->flush(as->npt.hal.ctx, &request);
	return 0;
}

/* --- a flush of everything reaches a CPU that reads --- */

#define MANY_PAGES 4096 /* more than any flush by address */
#define WORD       (ARENA + 0x100)

static uint64_t unmap_all(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range all = mm_gpa_range(mm_gpa_at(ARENA), MANY_PAGES * PAGE);

	(void)number;
	return (uint64_t)(uint32_t)mm_aspace_unmap(&run->vm->as, all);
}

#define MINE    UINT64_C(0x1d1d1d1d1d1d1d1d)
#define THEIRS  UINT64_C(0x7e7e7e7e7e7e7e7e)
#define YIELD() CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0)

static const struct suite_case cases[] = {
	{
		.name = "arm.state.flush-other",
		.share_cpu = true,
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 32, PAGE, MINE), YIELD(), STEP(0),
                                 CHECK(ARENA, 32, PAGE, MINE), FILL(ARENA + 8, 64, PAGE, MINE),
                                 STEP(1), CHECK(ARENA, 32, PAGE, MINE), YIELD(),
                                 CHECK(ARENA + 8, 64, PAGE, MINE)),
		.beside = {SCRIPT(FILL(ARENA, 64, PAGE, THEIRS), YIELD(),
                                  CHECK(ARENA, 64, PAGE, THEIRS), ZEROS(ARENA + 8, 64, PAGE))},
		.uncounted = true,
		.step = flush_other,
	},
	{
		.name = "arm.state.revoke-all",
		.cpus = 2,
		.areas = AREAS(LAZY(ARENA, MANY_PAGES *PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, MANY_PAGES / 16, 16 * PAGE, 0), BARRIER(0), SPIN(1000),
                                 STEP(0), SPIN(0)),
		.others = {SCRIPT(READ(8, WORD, 0), BARRIER(0),
                                  {OP(TOUCH, .addr = WORD, .count = UINT32_MAX)})},
		.uncounted = true,
		.end = SUITE_DIES,
		.kill = KILL_NOT_MAPPED,
		.step = unmap_all,
	},
	{
		/* vCPU 0 makes the page read-only and flushes its own TLB alone. HCR_EL2.FB makes
                 * that a flush of all CPUs, because a vCPU may have run on any of them. */
		.name = "arm.state.local-flush",
		.rules = "arm.tlb.fb",
		.cpus = 2,
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW),
                               POPULATED(ARENA + 8 * PAGE, 8 * PAGE, MM_RW)),
		.script = SCRIPT(
			STAGE1(), MAP(VIRTUAL, ARENA, 0, ARENA + 8 * PAGE), BARRIER(0),
			POLL(ARENA, MINE ^ VIRTUAL),
			MAP_AS(VIRTUAL, ARENA, 0, ARENA + 8 * PAGE, AGENT_PTE_R | AGENT_PTE_AD)),
		.others = {SCRIPT(STAGE1(), BARRIER(0),
                                  {OP(FILL, .addr = VIRTUAL, .count = UINT32_MAX, .value = MINE),
                                   .trap = AGENT_PAGE_FAULT, .addr = VIRTUAL})},
	},
	{
		.name = "arm.state.vms",
		.share_cpu = true,
		.areas = ARM_AREAS,
		.script = TURNS(0),
		.beside = {TURNS(0), TURNS(0)},
		.uncounted = true,
		.ready = ready_vms,
		.verify = verify_vms,
	},
	{
		.name = "arm.state.vcpus",
		.share_cpu = true,
		.areas = ARM_AREAS,
		.script = TURNS(0),
		.others = {TURNS(1), TURNS(2)},
		.uncounted = true,
		.ready = ready_vcpus,
		.verify = verify_vcpus,
	},
	{
		.name = "arm.state.moved",
		.cpus = 2,
		.run = run_moved,
	},
	{
		.name = "arm.state.fresh",
		.share_cpu = true,
		.areas = ARM_AREAS,
		.script = TURNS(0),
		.beside = {SCRIPT(SPIN(1))},
		.uncounted = true,
		.ready = ready_fresh,
		.verify = verify_fresh,
	},
};

const struct suite_subject suite_arm_state = {
	.name = "arm.state",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
