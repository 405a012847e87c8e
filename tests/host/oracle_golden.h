/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden rows for tests/oracle: raw entries in hexadecimal beside what the manual says of them.
 *
 * All rows of a file share a guest-physical address whose index differs on every level, and tables
 * at fixed addresses. So a row lists its entries alone, the root's first, and a walker that reads
 * another address than `path` fails the test.
 */
#ifndef ORACLE_GOLDEN_H
#define ORACLE_GOLDEN_H

#include <string.h>

#include "check.h"

#include "tests/oracle/oracle.h"

struct golden_path {
	uint64_t gpa;
	unsigned levels;
	uint64_t path[ORACLE_MAX_STEPS]; /* addresses of the entries, the root's first */
};

struct golden {
	const char *name;
	unsigned machine; /* index of the file's register sets */
	uint64_t words[ORACLE_MAX_STEPS];
	char access; /* r, w or x */
	enum oracle_fault fault;
	unsigned code;
	uint64_t detail;
	unsigned shift;
	/* On success (perm: also on a permission fault). */
	uint64_t pa;
	const char *perm;
	enum oracle_memtype memtype;
	uint64_t after[ORACLE_MAX_STEPS]; /* entries that the walk writes; 0: not written */
};

/* What every bit of one entry means, in the walk of row `base`. */
struct golden_bits {
	const char *name;
	struct golden base;
	unsigned entry;    /* index into words */
	uint64_t reserved; /* setting one of these gives `fault` */
	enum oracle_fault fault;
	uint64_t ignored;        /* setting one changes nothing */
	uint64_t should_be_zero; /* setting one changes nothing, and is reported */
	uint64_t address; /* setting bit n changes bit n + address_shift of the output alone */
	unsigned address_shift;
};

struct golden_memory {
	const struct golden_path *path;
	const uint64_t *words;
};

static inline bool golden_read(void *ctx, uint64_t pa, uint64_t *word)
{
	const struct golden_memory *memory = ctx;

	for (unsigned i = 0; i < memory->path->levels; i++) {
		if (memory->path->path[i] == pa) {
			*word = memory->words[i];
			return true;
		}
	}
	check_failed(__FILE__, __LINE__, "the walk reads 0x%llx", (unsigned long long)pa);
}

static inline enum oracle_access golden_access(char access)
{
	return access == 'r' ? ORACLE_READ : (access == 'w' ? ORACLE_WRITE : ORACLE_FETCH);
}

static inline bool golden_has(const struct golden *row, char letter)
{
	return strchr(row->perm, letter) != NULL;
}

static inline void golden_check(const struct golden *row, const struct golden_path *path,
                                const struct oracle_walk *walk)
{
	check_context("row=%s", row->name);
	CHECK_TEXT(oracle_fault_name(walk->fault), oracle_fault_name(row->fault));
	CHECK_EQ(walk->code, row->code);
	CHECK_EQ(walk->detail, row->detail);
	if (row->shift)
		CHECK_EQ(walk->shift, row->shift);
	if (row->perm) {
		CHECK_EQ(walk->read, golden_has(row, 'r'));
		CHECK_EQ(walk->write, golden_has(row, 'w'));
		CHECK_EQ(walk->fetch, golden_has(row, 'x'));
	}
	if (row->fault == ORACLE_OK) {
		CHECK_EQ(walk->pa, row->pa);
		CHECK_EQ(walk->memtype, row->memtype);
	}
	/* Mandatory writes are those of `after`, in any order. */
	unsigned expected = 0, got = 0;
	for (unsigned w = 0; w < walk->write_count; w++)
		got += !walk->writes[w].optional;
	for (unsigned i = 0; i < path->levels; i++) {
		if (!row->after[i])
			continue;
		expected++;
		for (unsigned w = 0; w < walk->write_count; w++) {
			if (walk->writes[w].pa == path->path[i]) {
				CHECK_EQ(walk->writes[w].before, row->words[i]);
				CHECK_EQ(walk->writes[w].after, row->after[i]);
			}
		}
	}
	CHECK_EQ(got, expected);
}

typedef struct oracle_walk golden_walk(unsigned machine, const struct oracle_memory *memory,
                                       uint64_t gpa, enum oracle_access access);

static inline void golden_run(const struct golden *rows, size_t n, const struct golden_path *path,
                              golden_walk *walk)
{
	for (size_t i = 0; i < n; i++) {
		struct golden_memory words = {path, rows[i].words};
		const struct oracle_memory memory = {golden_read, &words};
		struct oracle_walk w =
			walk(rows[i].machine, &memory, path->gpa, golden_access(rows[i].access));
		golden_check(&rows[i], path, &w);
	}
}

static inline void golden_bit(const struct golden_bits *row, const struct golden_path *path,
                              golden_walk *walk, unsigned bit, const struct oracle_walk *before)
{
	uint64_t one = UINT64_C(1) << bit;
	struct golden changed = row->base;
	struct golden_memory words = {path, changed.words};
	const struct oracle_memory memory = {golden_read, &words};

	check_context("row=%s bit=%u", row->name, bit);
	if (!((row->reserved | row->ignored | row->should_be_zero | row->address) & one))
		return;
	CHECK((row->base.words[row->entry] & one) == 0);
	changed.words[row->entry] |= one;
	struct oracle_walk w =
		walk(changed.machine, &memory, path->gpa, golden_access(changed.access));
	if (row->reserved & one) {
		CHECK_TEXT(oracle_fault_name(w.fault), oracle_fault_name(row->fault));
		CHECK_EQ(w.step_count, row->entry + 1);
		return;
	}
	CHECK_TEXT(oracle_fault_name(w.fault), oracle_fault_name(before->fault));
	CHECK_EQ(w.pa, before->pa | (row->address & one) << row->address_shift);
	CHECK_EQ(w.read | w.write << 1 | w.fetch << 2,
	         before->read | before->write << 1 | before->fetch << 2);
	CHECK_EQ(w.memtype, before->memtype);
	CHECK_EQ(w.shift, before->shift);
	CHECK_EQ(w.should_be_zero, row->should_be_zero & one);
}

static inline void golden_run_bits(const struct golden_bits *rows, size_t n,
                                   const struct golden_path *path, golden_walk *walk)
{
	for (size_t i = 0; i < n; i++) {
		struct golden_memory words = {path, rows[i].base.words};
		const struct oracle_memory memory = {golden_read, &words};
		struct oracle_walk before = walk(rows[i].base.machine, &memory, path->gpa,
		                                 golden_access(rows[i].base.access));

		check_context("row=%s", rows[i].name);
		CHECK_TEXT(oracle_fault_name(before.fault), "ok");
		for (unsigned bit = 0; bit < 64; bit++)
			golden_bit(&rows[i], path, walk, bit, &before);
	}
}

#define GOLDEN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
