/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which features of an address space have met: counts of operations by the feature that they
 * belong to (row) and the features that were active in the state at that moment (column).
 *
 * A cell has two numbers: how often the operation happened, and how often it was refused with the
 * error that its contract names (MM_BUSY beside a snapshot, say). Each test program that uses
 * this file prints the table and fails if a cell is empty that its rules do not exempt.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum feature {
	F_SNAPSHOT,   /* state: one is live. operation: take, restore; copy-on-write */
	F_DROPPED,    /* state: one was dropped earlier in this address space. operation: drop */
	F_LOG_PERM,   /* a dirty log by write protection: start, collect, stop, write */
	F_LOG_HW,     /* a dirty log by hardware marks */
	F_QUOTA,      /* state: there is a quota. operation: takes or returns frames under it */
	F_LARGE,      /* state: the table has a large leaf. operation: its range meets one */
	F_PROTECT,    /* state: has happened earlier in this address space; so for the next three */
	F_REPLACE,    /* */
	F_REMAP,      /* */
	F_HARVEST,    /* */
	F_LINEAR,     /* state: there is such an area. operation: on one */
	F_DEVICE,     /* as above */
	F_AD,         /* state: hardware sets A and D. operation: an access that may set them */
	F_CONCURRENT, /* another CPU accesses memory or faults during the operation */
	F_NO_MEMORY,  /* the HAL refuses a frame during the operation */
	FEATURES,
};

#define FEATURE(f) (1U << (f))

/* Why a cell may stay empty, or may have refusals alone. */
struct feature_rule {
	enum feature operation; /* FEATURES: all */
	uint32_t states;        /* FEATURE()s */
	bool refused_alone;     /* asked for and always refused; otherwise never asked for */
	const char *reason;
};

struct feature_table {
	uint64_t happened[FEATURES][FEATURES]; /* [operation][state] */
	uint64_t refused[FEATURES][FEATURES];
};

/* One operation that belongs to the features of `operations`, in a state with `states`. Features
 * that take part in one operation meet each other too. */
void features_count(struct feature_table *table, uint32_t operations, uint32_t states,
                    bool refused);

void features_add(struct feature_table *sum, const struct feature_table *part);

/* Prints the rows of these features as TAP comments. Answers how many of their cells break the
 * rules: empty, or happened where the contract always refuses; those are named on stderr. */
unsigned features_report(const struct feature_table *table, uint32_t rows,
                         const struct feature_rule *rules, size_t n);

#endif
