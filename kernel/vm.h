/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine: an address space, its devices, its vCPUs, and its outcome.
 *
 *	vm_create()    from a description: areas, image, devices, vCPUs
 *	vm_run()       (run.h) until every vCPU has exited, or the VM was killed
 *	vm_destroy()   frees every frame, and answers how many are missing
 *
 * A guest cannot make any of these panic. vm_kill() kills a VM once: the first reason is kept.
 */
#ifndef KERNEL_VM_H
#define KERNEL_VM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot_info.h"
#include "kernel/devices.h"
#include "kernel/hang.h"
#include "kernel/loader.h"
#include "mm/aspace.h"
#include "mm/hal.h"
#include "vcpu.h"

#define VM_VCPUS 8
/* With vm_config.vcpu_room. */
#define VM_MOST_VCPUS 64
#define VM_AREAS      4
#define VM_DEVICES    8
#define VM_BLOCKS     16
#define VM_REPORTS    16

/* Bytes of code at the PC that are kept for a report. No instruction is longer. */
#define VM_CODE_BYTES 16

/* What this machine gives to every VM: the extension that was found, and what it can do. */
struct host {
	const struct boot_info *boot;
	const struct virt_ops *ops;
	struct virt_caps caps;
	unsigned cpus;   /* CPUs that run and have the extension enabled */
	unsigned wanted; /* CPUs that firmware and the command line give, but MACHINE_MAX_CPUS at
	                    most */
};

/* The frames of a VM. */
struct vm_frames {
	_Atomic uint64_t taken; /* frames held now */
	uint64_t limit;         /* an allocation beyond this many fails */
};

enum vm_backing {
	VM_LAZY,      /* frames are allocated on the first access */
	VM_POPULATED, /* frames are allocated by vm_create() */
	VM_LINEAR,    /* contiguous host memory, allocated by vm_create() */
};

struct vm_area {
	mm_gpa_t start;
	uint64_t bytes; /* 0: no area */
	enum vm_backing backing;
	enum mm_perm perm;
	unsigned max_leaf;
};

struct vm_vcpu;

/* The description of a VM. Outlives the VM. */
struct vm_config {
	const char *name;
	struct guest_image image;
	uint64_t ram_bytes;             /* guest_info.ram_bytes; 0: what the image requests */
	struct vm_area areas[VM_AREAS]; /* the first is guest_info's arena */
	unsigned vcpus;                 /* 0 means 1 */
	struct vm_vcpu *vcpu_room;      /* for more than VM_VCPUS vCPUs: an array of `vcpus`,
	                                   which outlives the VM; else NULL */
	uint64_t quota;                 /* frames that its address space may hold; 0: no limit */
	uint64_t frame_limit;           /* allocations beyond this many frames fail; 0: no limit */
	uint64_t budget_ms;             /* guest time after which it is killed: hang.h; 0: none */
	uint32_t quiet_s;               /* rounds without progress: hang.h. 0 means HANG_QUIET */
	uint32_t total_s;               /* rounds in all; 0 means HANG_TOTAL */
	uint64_t seed;
	uint64_t args[8];
	const struct virt_geometry *geometry; /* NULL: the first with enough GPA bits */
};

enum vm_outcome {
	VM_RUNNING,
	VM_EXITED, /* every vCPU called GUEST_EXIT, or one did so with a status that is not 0 */
	VM_KILLED,
};

/* Why a VM was killed. */
enum vm_kill {
	KILL_NONE,
	KILL_NOT_MAPPED,     /* an access to a GPA outside of every area */
	KILL_PERMISSION,     /* an access that its area does not permit */
	KILL_OUT_OF_RANGE,   /* an access beyond the GPA width */
	KILL_NO_MEMORY,      /* the host has no free frame */
	KILL_QUOTA,          /* the VM has used its quota of frames */
	KILL_MISCONFIG,      /* a malformed nested entry: a defect of the hypervisor */
	KILL_MMIO_UNDECODED, /* a device access in a form that is not emulated */
	KILL_MMIO_REFUSED,   /* a device access that the device or the bus refuses */
	KILL_BUDGET,         /* it ran for too long: hang.h */
	KILL_HANG,           /* it made no progress: hang.h */
	KILL_SHUTDOWN,       /* triple fault */
	KILL_FAILURE,        /* the hardware refused to enter the guest */
	KILL_REASONS,
};

/* "not-mapped", never NULL. */
const char *vm_kill_name(enum vm_kill reason);

/* One nested fault and its answer. */
struct fault_record {
	mm_gpa_t gpa;
	enum mm_perm access;
	enum mm_fault result;
	bool stage1_walk;
	bool gpa_is_page; /* the GPA is exact to the page only */
	unsigned vcpu;
	uint64_t size;   /* of the leaf that maps the page afterwards, in bytes; 0: none */
	uint64_t cycles; /* machine_cycles() of mm_aspace_fault() */
};

/* Whether a vCPU may go on on another CPU. */
enum vm_moves {
	VM_STAYS,
	VM_MOVES,   /* all vCPUs begin on CPU 0, in time slices; GUEST_MOVE moves them */
	VM_WANDERS, /* the same, and each goes to the next CPU at each GUEST_YIELD */
};

/* A record of faults, for tests and the demonstration. The owner sets records and capacity. Faults
 * beyond the capacity are only counted. */
struct fault_trace {
	struct fault_record *records;
	size_t capacity;
	_Atomic size_t count;
};

struct vm;
struct vm_vcpu;

/* Calls into a test while a guest runs, on the CPU that runs it. */
struct vm_hooks {
	/* GUEST_STEP: the guest gets the return value. */
	uint64_t (*step)(void *ctx, struct vm_vcpu *v, uint64_t number);
	/* Before a nested fault is answered. The test changes what another CPU could change. */
	void (*meanwhile)(void *ctx, struct vm_vcpu *v, const struct vm_exit_fault *fault);
	/* Before the VM is killed for a nested fault. True: do not kill it, run it again. */
	bool (*repair)(void *ctx, struct vm_vcpu *v, const struct vm_exit *exit);
	/* Every exit of a watched VM, before it is handled, on the CPU that ran the guest. NULL:
	 * none. */
	void (*seen)(void *ctx, struct vm_vcpu *v, const struct vm_exit *exit);
	void *ctx;
};

struct vm_vcpu {
	struct vcpu vcpu;
	struct vm *vm;
	/* The last spurious fault. */
	mm_gpa_t futile_gpa;
	uint64_t futile_pc;
	uint64_t futile_changes; /* mm_aspace_stats.changes at that time */
	unsigned futile_faults;  /* how many at the same place, one after the other */
	uint64_t timer; /* machine_ticks() when its interrupt line is raised; UINT64_MAX: never */
	uint64_t slice_end; /* machine_ticks() at which its slice ends */
	struct hang_account hang;
	bool exited;
	_Atomic unsigned cpu;     /* the CPU that runs it */
	unsigned next_cpu;        /* where it goes at the end of its slice; written on `cpu` */
	_Atomic uint64_t seen_pc; /* PC at the last watched exit, or at the start of the slice */

	/* Its place at the end of the run, if the guest did not end by itself. */
	unsigned last_cpu;
	uint64_t last_pc;
	uint8_t last_code[VM_CODE_BYTES];
	unsigned last_code_bytes; /* 0: the code cannot be read */
};

struct vm {
	/* Every exit reads these. They are first, so that their offsets are small. */
	const struct virt_ops *ops;
	_Atomic(enum vm_outcome) outcome;
	bool watched; /* there is a trace, or the log level asks for a line per fault or exit */
	struct mm_device_bus bus;

	const struct vm_config *config;
	const struct host *host;
	uint32_t tag;
	struct mm_aspace as;

	_Atomic uint32_t vcpus_running;
	uint64_t exit_status;         /* if VM_EXITED */
	enum vm_kill reason;          /* if VM_KILLED */
	mm_gpa_t kill_gpa;            /* of the access that it was killed for */
	_Atomic uint64_t calls;       /* exits that are progress, without faults: hang.h */
	struct fault_trace *trace;    /* NULL: none */
	const struct vm_hooks *hooks; /* NULL: none */
	enum vm_moves moves;          /* set before the run */

	uint64_t reports[VM_REPORTS];
	_Atomic uint32_t reported; /* bit per key */

	uint64_t entry;        /* GPA of the first instruction */
	struct vm_vcpu *vcpus; /* own_vcpus[], or vm_config.vcpu_room */
	struct vm_vcpu own_vcpus[VM_VCPUS];
	unsigned vcpu_count;

	struct mm_device *slots[VM_DEVICES];
	union {
		struct mm_device device;
		uint8_t state[DEVICE_STATE];
	} devices[VM_DEVICES]; /* in the order of device_classes[] */

	/* Frames. */
	struct vm_frames frames;
	uint64_t frames_before; /* free in the machine before vm_create() */
	struct {
		mm_hpa_t start;
		unsigned order;
	} blocks[VM_BLOCKS]; /* linear areas and the info page */
	unsigned block_count;

	struct mm_aspace_stats stats; /* at the start of vm_destroy() */
	char error[128];              /* why vm_create() failed */
};

/* False: vm->error says why, and nothing is allocated. */
bool vm_create(struct vm *vm, const struct host *host,
               const struct vm_config *config) MM_MUST_CHECK;

/* After a run: creates the vCPUs again, at the entry. Guest memory does not change. False: no
 * memory. Only vm_destroy() may follow. */
bool vm_restart(struct vm *vm) MM_MUST_CHECK;

/* Answers how many frames are missing: 0, unless there is a leak. Meanwhile no other VM may
 * allocate or free frames. */
uint64_t vm_destroy(struct vm *vm);

/* This VM's device of a class, or NULL. */
struct mm_device *vm_device(struct vm *vm, const struct device_class *class);

/* Ends a VM, from any of its vCPUs. False: it had ended already. */
bool vm_kill(struct vm *vm, enum vm_kill reason, mm_gpa_t gpa);
/* After a run, for a vCPU whose VM did not end by itself: writes its CPU, PC and code. */
void vm_describe_vcpu(const struct vm_vcpu *v, char *text, size_t size);
/* One vCPU has called GUEST_EXIT. */
void vm_vcpu_exit(struct vm_vcpu *v, uint64_t status);

/* --- hal.c: what an address space takes from the host --- */

/* The library's hooks for one VM. They take frames from the frame allocator and count them.
 * `frames` outlives the address space that uses the hooks. */
struct mm_hal hal_for_vm(struct vm_frames *frames, const struct virt_ops *ops);

#define TAGS 64 /* VMs at the same time, at most */

/*
 * A tag (VMID, VPID or ASID) keeps the translations of one VM apart from those of another one in
 * the TLB. The lowest free one; 0, for every VM, where the machine has none. False: all are in use.
 * A tag may be used again at once: an address space is flushed on every CPU before it is destroyed
 * (mm/aspace.h), so no translation is left under its tag.
 */
bool tag_take(const struct virt_caps *caps, uint32_t *out) MM_MUST_CHECK;
void tag_give(uint32_t tag);

static inline enum vm_outcome vm_outcome(const struct vm *vm)
{
	return atomic_load_explicit(&vm->outcome, memory_order_relaxed);
}

#endif
