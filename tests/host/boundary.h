/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boundary values by generation. Every public function of the library, every hypercall and every
 * emulated device is called with the values at which something begins, ends or wraps: of each
 * type (0, 1, 2^k - 1, 2^k, 2^k + 1, all ones), of the address space (its limits, the ends of
 * areas, page and level sizes), and of what the library keeps in fewer bits than a caller gives
 * (keys of the translation cache, the fault window, permissions, types, levels).
 *
 * The state in which a call is made comes from random operations: areas of every kind, tables in
 * the cache and tables that have gone back, snapshots, logs, quotas. After each call:
 *
 *	- the answer is what the areas and the limits say, found here by a plain search
 *	- on an error nothing has changed: tables, areas, counters, locks
 *	- what was read is the guest's: the guest's memory holds three byte values, and all other
 *	  memory (free frames, tables, the hypervisor's own frames) is full of others
 */
#ifndef BOUNDARY_H
#define BOUNDARY_H

#include "kernel/vm.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

#include "guest.h"

#define BOUNDARY_SECRETS   16
#define BOUNDARY_SECRET    0x5e /* every byte of the hypervisor's own frames */
#define BOUNDARY_WRITTEN   0x11 /* what calls write to the guest's memory */
#define BOUNDARY_LINEAR    0x22 /* what memory behind linear areas begins as */
#define BOUNDARY_SNAPSHOTS 2
#define BOUNDARY_BUFFER    (UINT64_C(32) << 20) /* larger than all memory that a guest can have */

struct boundary {
	struct rng rng;
	const struct geometry *geo;
	struct hal_test *hal;
	struct vm *vm;
	struct mm_aspace *as; /* the VM's */
	mm_hpa_t linear;      /* 2 MiB of host memory for linear areas */
	mm_hpa_t secrets[BOUNDARY_SECRETS];
	unsigned secret_count;
	struct mm_snapshot snapshots[BOUNDARY_SNAPSHOTS];
	uint64_t recent[8]; /* addresses that were used: near them there are tables */
	uint8_t *buffer;    /* BOUNDARY_BUFFER bytes */
	bool known;         /* `print` is the state's */
	uint64_t print;
	bool over; /* the state is spoilt: begin another */
	uint64_t calls;
	uint64_t changed, refused; /* calls that succeeded, or failed, as boundary_after() says */
};

/* One function under test: picks its arguments, calls it, and checks what has become of it. */
struct boundary_call {
	const char *name; /* the function's */
	void (*run)(struct boundary *b);
	bool one_way; /* it never changes anything, or always succeeds */
};

extern const struct boundary_call boundary_calls[];  /* boundary_calls.c: on memory, mappings */
extern const struct boundary_call boundary_life[];   /* boundary_life.c: on the whole of it */
extern const struct boundary_call boundary_more[];   /* boundary_more.c: on its areas, exchanges */
extern const struct boundary_call boundary_pure[];   /* boundary_pure.c: what has no state */
extern const struct boundary_call boundary_device[]; /* boundary_device.c: the same of devices */
extern const struct boundary_call boundary_kernel[]; /* boundary_kernel.c: hypercalls, devices */
extern const size_t boundary_call_count, boundary_life_count, boundary_more_count,
	boundary_pure_count, boundary_device_count, boundary_kernel_count;

/* A new state for this geometry. */
void boundary_open(struct boundary *b, const struct geometry *geo, uint64_t seed);
void boundary_close(struct boundary *b);
/* Random operations that are valid. */
void boundary_prepare(struct boundary *b);
/* What a CPU remembers becomes something. */
void boundary_warm(struct boundary *b);

/* --- values --- */

uint64_t boundary_number(struct boundary *b);
uint64_t boundary_address(struct boundary *b);
uint64_t boundary_size(struct boundary *b, uint64_t address);
struct mm_gpa_range boundary_range(struct boundary *b); /* mostly page aligned */
struct mm_gpa_range boundary_hole(struct boundary *b);  /* often one with no area in it */
mm_hpa_t boundary_host(struct boundary *b, uint64_t size);
uint32_t boundary_enum(struct boundary *b); /* of 32 bits, mostly below 10 */
enum mm_perm boundary_access(struct boundary *b);
bool boundary_chance(struct boundary *b, unsigned one_in);

/* --- what the answer should be --- */

bool boundary_is_access(uint32_t access);
/* Of an access to so many bytes: MM_OK stands for success, and for running out of frames. */
enum mm_error boundary_expect_bytes(struct boundary *b, uint64_t gpa, uint64_t bytes,
                                    uint32_t access);
/* Of a page-aligned range within limits. */
enum mm_error boundary_expect_range(const struct boundary *b, struct mm_gpa_range range);
/* MM_OK, or for want of frames, the caller's included. */
bool boundary_is_served(enum mm_error err);

/* --- around a call --- */

/* Before it: what it must not change on an error. */
void boundary_before(struct boundary *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* After it. */
void boundary_after(struct boundary *b, bool failed);
/* boundary_after() a call on a range, which has errors of its own; `valid`: its other arguments
 * are, or MM_INVALID may come first. */
void boundary_check_range(struct boundary *b, struct mm_gpa_range range, bool valid,
                          enum mm_error err);
/* These bytes are the guest's. */
void boundary_check_bytes(struct boundary *b, const void *at, size_t bytes);
/* What the hypervisor keeps in its own frames is still there. */
void boundary_check_secrets(struct boundary *b);

#endif
