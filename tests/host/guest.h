/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest without a machine: one address space on a hostile HAL, and a CPU that reaches its
 * memory through the ghost TLB and the hardware's own walk, and takes nested faults to
 * mm_aspace_fault() as a hypervisor does.
 */
#ifndef GUEST_H
#define GUEST_H

#include "mm/aspace.h"

#include "geometry.h"
#include "hal_test.h"

struct guest {
	const struct geometry *geo;
	struct hal_test *hal;
	struct mm_aspace as;
	unsigned faults;  /* nested faults taken by touches so far */
	bool both_layers; /* compare each fault with the slow path: fault_agree.h */
};

/* How an address space for tests is configured: all that the format spans, no quota, tag 1. */
struct mm_aspace_config guest_config(const struct geometry *geo, struct hal_test *hal);

struct guest *guest_open(const struct geometry *geo, struct hal_test_options options);
/* As above, with the configuration of the caller's making. */
struct guest *guest_open_with(const struct geometry *geo, struct hal_test *hal,
                              const struct mm_aspace_config *config);
/* Destroys the address space, and checks that every frame is back and the TLB empty. */
void guest_close(struct guest *g);

/* Forgets it with all its frames: after step_through(), what happened has happened in a child, and
 * only the pool is shared with it. */
void guest_abandon(struct guest *g);

/* What became of one access by the guest. */
enum touch {
	TOUCH_HIT,     /* no fault at all */
	TOUCH_SERVED,  /* one fault, then it succeeded */
	TOUCH_REFUSED, /* a fault that mm_aspace_fault() did not resolve: see last_fault */
};

struct touched {
	enum touch outcome;
	enum mm_fault fault; /* the (last) answer of mm_aspace_fault(), if there was a fault */
	mm_hpa_t hpa;        /* where the access went, unless refused */
	unsigned level;      /* of the leaf */
};

/* Fails the test if the same access faults again after a fault was resolved. */
struct touched guest_touch(struct guest *g, mm_gpa_t gpa, enum mm_perm access);

/* The same, and the outcome has to be this one. */
void guest_expect(struct guest *g, mm_gpa_t gpa, enum mm_perm access, enum touch outcome,
                  const char *file, int line);
#define EXPECT_TOUCH(g, gpa, access, outcome)                                                      \
	guest_expect(g, gpa, access, outcome, __FILE__, __LINE__)
void guest_expect_fault(struct guest *g, mm_gpa_t gpa, enum mm_perm access, enum mm_fault fault,
                        const char *file, int line);
#define EXPECT_FAULT(g, gpa, access, fault)                                                        \
	guest_expect_fault(g, gpa, access, fault, __FILE__, __LINE__)

/* A byte of guest memory, as the guest's CPU reads and writes it. */
uint8_t guest_load(struct guest *g, mm_gpa_t gpa);
void guest_store(struct guest *g, mm_gpa_t gpa, uint8_t value);

/* What the hardware's walk says now, without a TLB and without a trace. */
struct hw_result guest_walk(struct guest *g, mm_gpa_t gpa, enum mm_perm access);

struct mm_aspace_stats guest_stats(struct guest *g);

/*
 * Everything about the address space that is to be the same after a failed call: each leaf in
 * the given ranges as the hardware sees it, the areas, and all counters but those of faults.
 */
uint64_t guest_fingerprint(struct guest *g);

/* The same, and what guest_open_with() does for the HAL, for an address space that is part of
 * something else. */
uint64_t fingerprint_of(struct mm_aspace *as, const struct geometry *geo, struct hal_test *hal);
void watch_aspace(struct mm_aspace *as, const struct geometry *geo, struct hal_test *hal);
struct hw_result walk_aspace(const struct mm_aspace *as, const struct geometry *geo,
                             struct hal_test *hal, mm_gpa_t gpa, enum mm_perm access);

/* n pages from page number `first`. */
struct mm_gpa_range pages(uint64_t first, uint64_t n);
mm_gpa_t page(uint64_t number);

/* The format's own largest permission set that it can express of these. */
bool guest_can(const struct guest *g, enum mm_perm perm);

#endif
