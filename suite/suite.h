/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The target suite: the parts of a case.
 *
 * A case is data, or a function (payload.h). The data lists the areas of a new VM, and what its
 * vCPUs do in them (scripts of the agent, guests/agent.c). It also lists the exact result: every
 * nested fault with its address, access and outcome, the result of each operation, and how the VM
 * ends. The runner (runner.c) builds the VM, records every exit, and compares. Each subject has one
 * file of cases. Differences between architectures are columns of a table.
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

struct suite_run; /* run.h: the state of a running case */

#define ARENA GUEST_ARENA_BASE
#define PAGE  MM_PAGE_SIZE
#define MIB2  MM_LEVEL_SIZE(1)

/* --- areas --- */

enum suite_area_kind {
	SUITE_NO_AREA, /* ends a list */
	SUITE_LAZY,
	SUITE_POPULATED,
	SUITE_LINEAR, /* the suite's host memory: see suite_linear_memory() */
	SUITE_PLACED, /* mapped by the case's prepare(); the row only gives the numbers */
};

struct suite_area {
	enum suite_area_kind kind;
	uint64_t base; /* guest-physical */
	uint64_t size;
	enum mm_perm perm;
	unsigned leaf;         /* largest leaf level to try */
	uint64_t host;         /* SUITE_LINEAR: offset into the suite's linear memory */
	enum mm_error refused; /* expected result of the map call; MM_OK if it must succeed */
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

/* --- what the guest does, and the expected result of each operation --- */

struct suite_op {
	struct agent_op op;
	uint64_t value;       /* agent_result.value, if the operation is done */
	enum agent_trap trap; /* agent_result.trap */
	uint64_t addr;        /* agent_result.addr, if there is a trap with an address */
	bool any_value;       /* any value is correct */
	bool any_trap;        /* done, undefined or refused (AGENT_ACCESS) are all correct */
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
/* A fetch from memory that reads as zero: an undefined-instruction exception at that address. */
#define FETCH_ZEROS(at)                                                                            \
	{                                                                                          \
		OP(FETCH, .addr = (at)), .trap = AGENT_UNDEFINED, .addr = (at)                     \
	}
#define FETCH(at)                                                                                  \
	{                                                                                          \
		OP(FETCH, .addr = (at)), .value = 1                                                \
	}
/* A call of `at` that reaches zeros at `trap_at`. */
#define FETCH_FROM(at, trap_at)                                                                    \
	{                                                                                          \
		OP(FETCH, .addr = (at)), .trap = AGENT_UNDEFINED, .addr = (trap_at)                \
	}
/* A load of 4 bytes from `from`, by code that is written to `at`. */
#define RUN_AT(snippet, at, from, expected)                                                        \
	{                                                                                          \
		OP(RUN_AT, .count = (snippet), .addr = (at), .value = (from)), .value = (expected) \
	}
#define PUT_RETURN(at)                                                                             \
	{                                                                                          \
		OP(PUT_RET, .addr = (at)), .any_value = true                                       \
	}
/* Loads of 8 bytes. Each must read zero. */
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
/* The result of the step must be 0. */
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
/* The next operation is done on that CPU: suite_case.moves. */
#define MOVE(cpu) CALL(GUEST_MOVE, cpu, 0, GUEST_OK, 0)
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
/* All permissions, accessed and dirty set; new tables, if any are missing, at `tables`. */
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
/* Until the word has the value. */
#define POLL(at, awaited)                                                                          \
	{                                                                                          \
		OP(POLL, .addr = (at), .value = (awaited))                                         \
	}
#define SPIN(turns)                                                                                \
	{                                                                                          \
		OP(SPIN, .count = (turns))                                                         \
	}
#define SCRIPT(...) ((const struct suite_op[]){__VA_ARGS__, {OP(END)}})

/* AGENT_MAP uses this range for the case's mappings: above the agent's identity map. */
#define VIRTUAL GIB(12)

/* --- the expected nested faults, in order --- */

struct suite_fault {
	uint64_t gpa;
	unsigned access;  /* enum mm_perm; two bits: either is correct */
	unsigned outcome; /* enum mm_fault, or SUITE_MISCONFIG */
	bool walk;        /* during a walk of the guest's own page tables */
	bool page;        /* compare the page of the address only */
	bool optional;    /* the fault may be missing */
	bool end;         /* end of the list */
	uint32_t count;   /* number of faults, `stride` bytes apart; 0 means 1 */
	uint64_t stride;  /* bytes, modulo 2^64: may be negative */
};

/* In addition to enum mm_fault: VM_EXIT_MISCONFIG. */
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
	SUITE_DIES,    /* vCPU 0's last operation gets the VM killed; the others may be in any
	                  operation */
	SUITE_EITHER,  /* either of these: `verify` checks the end and the results */
	SUITE_REFUSED, /* an area is refused as its row says; the VM does not run */
};

enum suite_need {
	SUITE_NEEDS_XONLY = 1 << 0, /* execute-only leaves */
	SUITE_NEEDS_2M = 1 << 1,
	SUITE_NEEDS_1G = 1 << 2,
	SUITE_NEEDS_AD = 1 << 3,   /* accessed and dirty bits in the nested table */
	SUITE_NEEDS_TAGS = 1 << 4, /* VMIDs, VPIDs or ASIDs */
	SUITE_NEEDS_PML = 1 << 5,  /* the CPU's log of dirty pages (PML) */
	/* What an access does if A or D is clear in the guest's tables: updates them, or faults. */
	SUITE_NEEDS_STAGE1_UPDATE = 1 << 6,
	SUITE_NEEDS_STAGE1_FAULT = 1 << 7,
};

#define SUITE_VCPUS  4
#define SUITE_BESIDE 3

struct suite_case {
	const char *name; /* dotted and stable; selected by test=GLOB */
	const struct suite_area *areas;
	const struct suite_op *script;                  /* for vCPU 0 */
	const struct suite_op *others[SUITE_VCPUS - 1]; /* for the other vCPUs; NULL: none */
	const struct suite_fault *faults;               /* NULL: no fault is expected */
	enum suite_end end;
	const struct virt_geometry *geometry; /* NULL: the run's */
	unsigned needs;      /* enum suite_need; skipped on a machine without them */
	const char *feature; /* name as reported by the machine; skipped on a machine without it.
	                        NULL: none */
	const char *arch;    /* "riscv64 x86_64"; NULL: all */
	const char *rules;   /* rules of the manual that this case tests, separated by spaces: names
	                        of docs/rules/. NULL: none */
	bool unordered;      /* the faults may come in any order */
	bool arena_only;     /* faults in the guest's own RAM and mailbox do not count */
	bool uncounted;      /* no fault counts: `verify` checks them */
	/* Scripts of other VMs beside this one, each with a lazy arena of 64 pages. They must run
	 * to their ends with correct results, whatever happens to this VM. One of them runs
	 * beside_neighbour. */
	const struct suite_op *beside[SUITE_BESIDE];
	uint64_t quota;   /* in frames, beyond those that it starts with; 0: none */
	uint64_t budget;  /* ms of guest time; then the VM is killed. 0: none */
	uint32_t quiet_s; /* seconds, as in vm_config: limit without progress; 0: the default */
	uint32_t total_s; /* seconds, as in vm_config: limit in total; 0: the default */
	unsigned cpus;    /* number of real CPUs required, one vCPU on each */
	/* More vCPUs than `others` has: so many, and the script of each. */
	unsigned crowd;
	const struct suite_op *(*member)(const struct suite_case *c, unsigned vcpu);
	bool firmware_writes; /* firmware may write to the console and leave its line unfinished */
	/* The vCPUs of all VMs of the case begin on CPU 0, in time slices. VM_MOVES: MOVE(n) moves
	 * a vCPU to CPU n. VM_WANDERS: each operation of the script begins on another CPU than the
	 * one before. Skipped with one CPU; `cpus` if more are required. Without share_cpu. */
	enum vm_moves moves;
	bool share_cpu; /* all VMs take turns on one CPU: the hypervisor decides what each gets */
	enum vm_kill kill; /* SUITE_DIES: the reason; KILL_NONE: as the last fault says */

	/* The whole case as a function (payload.h). Then only the name, `needs`, `feature`, `arch`
	 * and `cpus` of the fields above are used. `data` is for cases that share a function. */
	void (*run)(struct suite_run *run, const void *data);
	const void *data;

	/* Called first, before the VM is created. False fails the case. */
	bool (*before)(struct suite_run *run);
	/* Changes the description of the VM. Then vm_create() must succeed, or fail with an error
	 * that begins with `no_vm`. */
	void (*configure)(struct suite_run *run, struct vm_config *config);
	const char *no_vm;
	/* Called by the guest's STEP operations, on the CPU that ran the guest. vCPUs on other CPUs
	 * may be in the guest meanwhile. Returns the result for the guest. NULL: no steps. */
	uint64_t (*step)(struct suite_run *run, uint64_t number);
	/* Called before the areas are mapped and the scripts are written. False fails the case. */
	bool (*prepare)(struct suite_run *run);
	/* Called after the set-up, just before the guest starts. False fails the case. */
	bool (*ready)(struct suite_run *run);
	/* Called after the VM has ended, while its memory still exists. False fails the case. */
	bool (*verify)(struct suite_run *run);
	/* Called last, on success and failure: undoes what prepare() did. */
	void (*cleanup)(struct suite_run *run);
	/* Called at each nested fault, before it is handled: does what another CPU may do then. */
	void (*meanwhile)(struct suite_run *run, const struct vm_exit_fault *fault);
	/* Called at a nested fault that would kill the VM. True: it repaired the cause, and the VM
	 * runs on. */
	bool (*repair)(struct suite_run *run, const struct vm_exit *exit);
	/* Called at each exit of the VM, before it is handled, on the CPU that ran the guest. */
	void (*seen)(struct suite_run *run, const struct vm_exit *exit);
};

/* Storage for the parts of a case that is made by a loop over a small table. */
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

/* The script of a vCPU, and their number. */
const struct suite_op *suite_script_of(const struct suite_case *c, unsigned vcpu);
unsigned suite_vcpu_count(const struct suite_case *c);

struct suite_subject {
	const char *name;
	const struct suite_case *cases;
	size_t count;
	/* Makes case number `index` in an empty draft. False: there is no such case, and none with
	 * a higher number. */
	bool (*generate)(size_t index, const struct host *host, struct suite_draft *draft);
	/* Selected only by a pattern that begins with the name of the subject. */
	bool by_name_only;
	/* The common prefix of all names. No case is made if the pattern excludes it. */
	const char *generated;
};

extern const struct suite_subject suite_payload_demo, suite_payload_guests, suite_payload_lazy,
	suite_payload_hostile, suite_payload_limits, suite_payload_bench, suite_payload_soak,
	suite_lazy, suite_perm, suite_size, suite_stage1, suite_tlb, suite_atomics, suite_straddle,
	suite_mmio, suite_timer, suite_privileged, suite_capability, suite_hostaccess, suite_dirty,
	suite_range, suite_misconfig, suite_vms, suite_smp, suite_move, suite_memory, suite_report,
	suite_shootdown, suite_cpus, suite_crowd, suite_call, suite_device, suite_create,
	suite_turns, suite_session, suite_firmware, suite_hostile, suite_hostile_code,
	suite_hostile_insn, suite_boundary, suite_boundary_access, suite_coherent, suite_published,
	suite_pure, suite_pure_boot, suite_limits, suite_scarce, suite_account, suite_selftest;

/* The subjects of this architecture: suite/<arch>/subjects.c. Ends with NULL. */
extern const struct suite_subject *const suite_arch_subjects[];

/* The geometry of nested tables for all cases of this run, and its format. */
const struct virt_geometry *suite_geometry(void);
const struct mm_npt_format *suite_format(const struct host *host);

/* The script of a neighbour, for .beside: it fills memory and checks that it has not changed. */
extern const struct suite_op beside_neighbour[];

/* Clears a draft. */
void draft_reset(struct suite_draft *draft);
/* Append to a draft's lists. */
void draft_area(struct suite_draft *draft, struct suite_area area);
void draft_op(struct suite_draft *draft, struct suite_op op);
void draft_fault(struct suite_draft *draft, struct suite_fault fault);
void draft_name(struct suite_draft *draft, const char *format, ...) MM_PRINTF_LIKE(2, 3);

#endif
