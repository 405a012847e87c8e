/*
 * The target suite: what every case is made of.
 *
 * A case is data, or a function (payload.h). Data says which areas a fresh VM has, what its vCPUs
 *do in them (scripts of the agent, guests/agent.c), and exactly what must come of it: every nested
 *fault with its address, access and outcome; the result of each operation; how the VM ends. The
 *runner (runner.c) builds the VM, records every exit, and compares. One file per subject holds the
 *cases; what differs by architecture is a column of the table, never a line of code.
 *
 *	{
 *		.name = "lazy.first.read",
 *		.areas = AREAS(LAZY(ARENA, 16 * MM_PAGE_SIZE, MM_RWX)),
 *		.script = SCRIPT(READ(8, ARENA + 0x128, 0)),
 *		.faults = FAULTS(MAPPED(ARENA + 0x128, MM_R)),
 *	},
 */
#ifndef SUITE_SUITE_H
#define SUITE_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guests/abi.h"
#include "guests/agent/abi.h"
#include "kernel/session.h"
#include "kernel/vm.h"
#include "mm/access.h"
#include "mm/aspace.h"
#include "vcpu.h"

struct suite_run; /* run.h: a case while it runs */

#define ARENA GUEST_ARENA_BASE
#define PAGE  MM_PAGE_SIZE
#define MIB2  MM_LEVEL_SIZE(1)

/* --- areas --- */

enum suite_area_kind {
	SUITE_NO_AREA, /* ends a list */
	SUITE_LAZY,
	SUITE_POPULATED,
	SUITE_LINEAR, /* host memory of the suite's own: see suite_linear_memory() */
	SUITE_PLACED, /* the case's prepare() maps it: the row only carries its numbers */
};

struct suite_area {
	enum suite_area_kind kind;
	uint64_t base; /* guest-physical */
	uint64_t size;
	enum mm_perm perm;
	unsigned leaf;         /* largest leaf level to try */
	uint64_t host;         /* SUITE_LINEAR: offset into the suite's linear memory */
	enum mm_error refused; /* what the map call must answer; MM_OK if it must succeed */
};

#define LAZY(at, bytes, permitted)                                                                 \
	{                                                                                          \
		.kind = SUITE_LAZY, .base = (at), .size = (bytes), .perm = (permitted)             \
	}
#define POPULATED(at, bytes, permitted)                                                            \
	{                                                                                          \
		.kind = SUITE_POPULATED, .base = (at), .size = (bytes), .perm = (permitted)        \
	}
#define LAZY_LEAF(at, bytes, permitted, level)                                                     \
	{                                                                                          \
		.kind = SUITE_LAZY, .base = (at), .size = (bytes), .perm = (permitted),            \
		.leaf = (level)                                                                    \
	}
#define POPULATED_LEAF(at, bytes, permitted, level)                                                \
	{                                                                                          \
		.kind = SUITE_POPULATED, .base = (at), .size = (bytes), .perm = (permitted),       \
		.leaf = (level)                                                                    \
	}
#define LINEAR(at, bytes, permitted, offset)                                                       \
	{                                                                                          \
		.kind = SUITE_LINEAR, .base = (at), .size = (bytes), .perm = (permitted),          \
		.host = (offset), .leaf = 1                                                        \
	}
#define AREAS(...) ((const struct suite_area[]){__VA_ARGS__, {.kind = SUITE_NO_AREA}})

/* --- what the guest does, and what each operation must answer --- */

struct suite_op {
	struct agent_op op;
	uint64_t value;       /* agent_result.value, if the operation is done */
	enum agent_trap trap; /* agent_result.trap */
	uint64_t addr;        /* agent_result.addr, if there is a trap that has one */
	bool any_value;       /* the value may be anything */
	bool any_trap;        /* done, undefined or refused (AGENT_ACCESS): all are right */
};

#define OP(name, ...) .op = {.code = AGENT_##name, __VA_ARGS__}

#define READ(bytes, at, expected)                                                                  \
	{                                                                                          \
		OP(READ, .width = (bytes), .addr = (at)), .value = (expected)                      \
	}
#define READ_SIGNED(bytes, at, expected)                                                           \
	{                                                                                          \
		OP(READ, .width = (bytes), .addr = (at), .flags = AGENT_SIGNED),                   \
			.value = (expected)                                                        \
	}
#define WRITE(bytes, at, what)                                                                     \
	{                                                                                          \
		OP(WRITE, .width = (bytes), .addr = (at), .value = (what))                         \
	}
/* A fetch of memory that reads as zero: an undefined instruction, at that address. */
#define FETCH_ZEROS(at)                                                                            \
	{                                                                                          \
		OP(FETCH, .addr = (at)), .trap = AGENT_UNDEFINED, .addr = (at)                     \
	}
#define FETCH(at)                                                                                  \
	{                                                                                          \
		OP(FETCH, .addr = (at)), .value = 1                                                \
	}
/* A call of `at` that ends in zeros at `trap_at`. */
#define FETCH_FROM(at, trap_at)                                                                    \
	{                                                                                          \
		OP(FETCH, .addr = (at)), .trap = AGENT_UNDEFINED, .addr = (trap_at)                \
	}
/* A load of 4 bytes from `from`, by code that is put at `at`. */
#define RUN_AT(snippet, at, from, expected)                                                        \
	{                                                                                          \
		OP(RUN_AT, .count = (snippet), .addr = (at), .value = (from)), .value = (expected) \
	}
#define PUT_RETURN(at)                                                                             \
	{                                                                                          \
		OP(PUT_RET, .addr = (at)), .any_value = true                                       \
	}
/* Loads of 8 bytes, all of which read zero. */
#define TOUCH(at, times, bytes)                                                                    \
	{                                                                                          \
		OP(TOUCH, .addr = (at), .count = (times), .stride = (bytes))                       \
	}
#define TOUCH_DOWN(at, times, bytes)                                                               \
	{                                                                                          \
		OP(TOUCH, .addr = (at), .count = (times), .stride = (bytes),                       \
		   .flags = AGENT_BACKWARD)                                                        \
	}
#define FILL(at, times, bytes, pattern)                                                            \
	{                                                                                          \
		OP(FILL, .addr = (at), .count = (times), .stride = (bytes), .value = (pattern))    \
	}
#define CHECK(at, times, bytes, pattern)                                                           \
	{                                                                                          \
		OP(CHECK, .addr = (at), .count = (times), .stride = (bytes), .value = (pattern))   \
	}
#define ZEROS(at, times, bytes)                                                                    \
	{                                                                                          \
		OP(ZERO, .addr = (at), .count = (times), .stride = (bytes))                        \
	}
/* The step's answer must be 0. */
#define STEP(number)                                                                               \
	{                                                                                          \
		OP(STEP, .value = (number))                                                        \
	}
#define STEP_ANSWERS(number, expected)                                                             \
	{                                                                                          \
		OP(STEP, .value = (number)), .value = (expected)                                   \
	}
#define CALL(number, a0, a1, error_expected, value_expected)                                       \
	{                                                                                          \
		OP(CALL, .addr = (number), .value = (a0), .stride = (a1)),                         \
			.value = (uint64_t)(error_expected) << 32 | (value_expected)               \
	}
#define STAGE1()                                                                                   \
	{                                                                                          \
		OP(STAGE1)                                                                         \
	}
/* The CPU updates accessed and dirty bits by itself. */
#define STAGE1_AD()                                                                                \
	{                                                                                          \
		OP(STAGE1, .flags = AGENT_PTE_AD)                                                  \
	}
#define OP_FLUSH()                                                                                 \
	{                                                                                          \
		OP(FLUSH)                                                                          \
	}
/* All permissions, accessed and dirty set; tables at `tables`, if any are missing. */
#define MAP(va, gpa, leaf_level, tables)                                                           \
	{                                                                                          \
		OP(MAP, .addr = (va), .value = (gpa), .count = (leaf_level), .stride = (tables),   \
		   .flags = AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X | AGENT_PTE_AD),               \
			.any_value = true                                                          \
	}
#define MAP_AS(va, gpa, leaf_level, tables, what)                                                  \
	{                                                                                          \
		OP(MAP, .addr = (va), .value = (gpa), .count = (leaf_level), .stride = (tables),   \
		   .flags = (what)),                                                               \
			.any_value = true                                                          \
	}
#define BARRIER(number)                                                                            \
	{                                                                                          \
		OP(BARRIER, .value = (number))                                                     \
	}
#define SPIN(turns)                                                                                \
	{                                                                                          \
		OP(SPIN, .count = (turns))                                                         \
	}
#define SCRIPT(...) ((const struct suite_op[]){__VA_ARGS__, {OP(END)}})

/* Where AGENT_MAP puts what a case maps: above the agent's identity map. */
#define VIRTUAL GIB(12)

/* --- the nested faults that must be taken, in this order --- */

struct suite_fault {
	uint64_t gpa;
	unsigned access;  /* enum mm_perm; two bits: either is right */
	unsigned outcome; /* enum mm_fault, or SUITE_MISCONFIG */
	bool walk;        /* during a walk of the guest's own tables */
	bool page;        /* the address counts to the page only */
	bool optional;    /* it may be missing */
	bool end;         /* of the list */
	uint32_t count;   /* so many of them, `stride` apart; 0 is 1 */
	uint64_t stride;  /* modulo 2^64: downwards too */
};

/* Beside enum mm_fault: VM_EXIT_MISCONFIG. */
#define SUITE_MISCONFIG MM_FAULTS

#define FAULT(at, how, what)                                                                       \
	{                                                                                          \
		.gpa = (at), .access = (how), .outcome = (what)                                    \
	}
#define FAULT_IN_WALK(at, how, what)                                                               \
	{                                                                                          \
		.gpa = (at), .access = (how), .outcome = (what), .walk = true                      \
	}
#define MAPPED(at, how) FAULT(at, how, MM_FAULT_MAPPED)
#define MAPPED_SERIES(at, how, times, bytes)                                                       \
	{                                                                                          \
		.gpa = (at), .access = (how), .outcome = MM_FAULT_MAPPED, .count = (times),        \
		.stride = (uint64_t)(bytes)                                                        \
	}
#define FAULTS(...) ((const struct suite_fault[]){__VA_ARGS__, {.end = true}})

/* --- a case --- */

enum suite_end {
	SUITE_EXITS,   /* every script runs to its end */
	SUITE_DIES,    /* vCPU 0's last operation gets the VM killed; the others may be anywhere */
	SUITE_EITHER,  /* the one or the other: `verify` judges that and the results */
	SUITE_REFUSED, /* an area is refused as its row says, so the VM is never run */
};

enum suite_need {
	SUITE_NEEDS_XONLY = 1 << 0, /* execute-only leaves */
	SUITE_NEEDS_2M = 1 << 1,
	SUITE_NEEDS_1G = 1 << 2,
	SUITE_NEEDS_AD = 1 << 3,   /* accessed and dirty bits in the nested table */
	SUITE_NEEDS_TAGS = 1 << 4, /* VMIDs, VPIDs or ASIDs */
	SUITE_NEEDS_PML = 1 << 5,  /* the CPU's own log of dirty pages */
	/* An access that finds A or D due in the guest's tables: updates them, or faults. */
	SUITE_NEEDS_STAGE1_UPDATE = 1 << 6,
	SUITE_NEEDS_STAGE1_FAULT = 1 << 7,
};

#define SUITE_VCPUS  4
#define SUITE_BESIDE 3

struct suite_case {
	const char *name; /* dotted, stable: what test=GLOB selects by */
	const struct suite_area *areas;
	const struct suite_op *script;                  /* vCPU 0's */
	const struct suite_op *others[SUITE_VCPUS - 1]; /* of the vCPUs after it; NULL: none */
	const struct suite_fault *faults;               /* NULL: none at all may be taken */
	enum suite_end end;
	const struct virt_geometry *geometry; /* NULL: the run's */
	unsigned needs;                       /* enum suite_need: a machine without is SKIP */
	const char *feature; /* as the machine reports it: one without is SKIP. NULL: none */
	const char *arch;    /* "riscv64 x86_64"; NULL: all */
	bool unordered;      /* the faults may come in any order */
	bool arena_only;     /* faults in the guest's own RAM and mailbox do not count */
	bool uncounted;      /* ...or not at all: `verify` judges */
	/* Other VMs beside it, with a lazy arena of 64 pages each: they must run to their ends and
	 * answer as they should, whatever becomes of this one. beside_neighbour is one of them. */
	const struct suite_op *beside[SUITE_BESIDE];
	uint64_t quota;   /* of frames beyond those it starts with; 0: none */
	uint64_t budget;  /* milliseconds of guest time, after which the VM is killed; 0: none */
	uint32_t quiet_s; /* as in vm_config: a hang; 0: the default */
	uint32_t total_s; /* as in vm_config: too long; 0: the default */
	unsigned cpus;    /* needs so many real CPUs: one vCPU on each */
	bool firmware_writes; /* firmware may write to the console, and leave its line unfinished */
	bool share_cpu;       /* all VMs take turns on one CPU: what each gets is our doing */
	enum vm_kill kill;    /* SUITE_DIES: why; KILL_NONE: as the last fault says */

	/* The whole case, instead of everything above but the name, `needs`, `feature`, `arch` and
	 * `cpus`: payload.h. `data` is for cases that share a function. */
	void (*run)(struct suite_run *run, const void *data);
	const void *data;

	/* First of all, before there is a VM: false fails the case. */
	bool (*before)(struct suite_run *run);
	/* Called by the guest's STEP operations, on the CPU that ran it, with no vCPU of the VM
	 * in the guest but on other CPUs. Answers what the guest gets. NULL: no steps. */
	uint64_t (*step)(struct suite_run *run, uint64_t number);
	/* Before the areas are mapped and the scripts written: false fails the case. */
	bool (*prepare)(struct suite_run *run);
	/* Everything is set up, and the guest about to start: false fails the case. */
	bool (*ready)(struct suite_run *run);
	/* After the VM has ended, its memory still there: false fails the case. */
	bool (*verify)(struct suite_run *run);
	/* Last of all, however it went: takes back what prepare did. */
	void (*cleanup)(struct suite_run *run);
	/* Each nested fault, before it is answered: does what another CPU might do just then. */
	void (*meanwhile)(struct suite_run *run, const struct vm_exit_fault *fault);
	/* A nested fault that the VM must die of: true repairs it instead, and it runs on. */
	bool (*repair)(struct suite_run *run, const struct vm_exit *exit);
};

/* Cases that are made from a loop over a small table have their parts in here. */
#define SUITE_DRAFT_OPS 40

struct suite_draft {
	struct suite_case c;
	char name[64];
	struct suite_area areas[6];
	size_t area_count;
	struct suite_op script[SUITE_DRAFT_OPS];
	size_t op_count;
	struct suite_fault faults[20];
	size_t fault_count;
};

struct suite_subject {
	const char *name;
	const struct suite_case *cases;
	size_t count;
	/* Makes case number `index` in an empty draft; false: there is none, and none after
	 * it. */
	bool (*generate)(size_t index, const struct host *host, struct suite_draft *draft);
	/* Selected by a pattern that begins with the name of the subject, and by no other. */
	bool by_name_only;
	/* What all their names begin with: where the pattern excludes it, no case is made. */
	const char *generated;
};

extern const struct suite_subject suite_payload_demo, suite_payload_guests, suite_payload_lazy,
	suite_payload_hostile, suite_payload_limits, suite_payload_bench, suite_payload_soak,
	suite_lazy, suite_perm, suite_size, suite_stage1, suite_tlb, suite_atomics, suite_straddle,
	suite_mmio, suite_timer, suite_privileged, suite_capability, suite_hostaccess, suite_dirty,
	suite_range, suite_misconfig, suite_vms, suite_smp, suite_firmware, suite_hostile,
	suite_hostile_code, suite_boundary, suite_boundary_access, suite_coherent, suite_selftest;

/* The geometry of nested tables that all cases of this run have, and its format. */
const struct virt_geometry *suite_geometry(void);
const struct npt_format *suite_format(const struct host *host);

/* A neighbour's work, for .beside: it fills memory, and finds it as it left it. */
extern const struct suite_op beside_neighbour[];

/* Nothing is in it. */
void draft_reset(struct suite_draft *draft);
/* Appends to a draft's lists. */
void draft_area(struct suite_draft *draft, struct suite_area area);
void draft_op(struct suite_draft *draft, struct suite_op op);
void draft_fault(struct suite_draft *draft, struct suite_fault fault);
void draft_name(struct suite_draft *draft, const char *format, ...) MM_PRINTF_LIKE(2, 3);

#endif
