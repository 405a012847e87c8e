/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "golden.h"

/* hw_walk.c's own function; other files reach it through __wrap_hw_walk(). */
struct hw_result __real_hw_walk(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access,
                                bool update);
struct hw_result __wrap_hw_walk(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access,
                                bool update);

/* --- the oracle on a struct hw_mmu --- */

static bool read_word(void *ctx, uint64_t pa, uint64_t *word)
{
	const struct hw_mmu *mmu = ctx;
	const _Atomic uint64_t *at = mmu->memory(mmu->ctx, mm_hpa_at(pa));

	*word = atomic_load_explicit(at, memory_order_acquire);
	return true;
}

bool oracle_knows(const struct mm_npt_format *format)
{
	return golden_of(format)->oracle != NULL;
}

struct oracle_walk oracle_walk_mmu(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access)
{
	const struct oracle_memory memory = {read_word, (void *)(uintptr_t)mmu};
	enum oracle_access kind = access == MM_R   ? ORACLE_READ
	                          : access == MM_W ? ORACLE_WRITE
	                                           : ORACLE_FETCH;

	CHECK(oracle_knows(mmu->format));
	return golden_of(mmu->format)->oracle(mmu, &memory, gpa.raw, kind);
}

/* --- from the oracle's terms to hw_walk()'s --- */

bool oracle_unclean(const struct oracle_walk *walk)
{
	return walk->should_be_zero || walk->reserved_encoding;
}

static enum hw_outcome outcome_of(const struct oracle_walk *walk)
{
	switch (walk->fault) {
	case ORACLE_OK:
		return HW_OK;
	case ORACLE_WIDTH:
		return HW_OUT_OF_RANGE;
	case ORACLE_ABSENT:
		return HW_NOT_PRESENT;
	case ORACLE_PERMISSION:
		return HW_PERMISSION;
	case ORACLE_ACCESS_FLAG:
		return HW_ACCESS_FLAG;
	default:
		return HW_MISCONFIG;
	}
}

static enum mm_memtype memtype_of(enum oracle_memtype type)
{
	switch (type) {
	case ORACLE_WB:
		return MM_NORMAL;
	case ORACLE_UC:
		return MM_DEVICE;
	case ORACLE_WC:
	case ORACLE_UC_MINUS:
		return MM_NONCACHED;
	default:
		return MM_MEMTYPES; /* the library has no such type */
	}
}

struct hw_result oracle_to_hw(const struct hw_mmu *mmu, const struct oracle_walk *walk,
                              enum mm_perm access, bool update)
{
	struct hw_result r = {
		.outcome = oracle_unclean(walk) ? HW_MISCONFIG : outcome_of(walk),
		.hpa = mm_hpa_at(walk->pa),
		.level = walk->shift ? (walk->shift - MM_PAGE_SHIFT) / 9 : mmu->config.levels - 1,
		.perm = (walk->read ? MM_R : 0) | (walk->write ? MM_W : 0) |
	                (walk->fetch ? MM_X : 0),
		.memtype = memtype_of(walk->memtype),
		.shareability = walk->shareability,
		.ignore_pat = walk->ignore_pat,
		.dirty = !walk->clean || (update && access == MM_W),
		.table_count = walk->step_count,
	};

	for (unsigned i = 0; i < walk->step_count; i++) {
		r.tables[i] = i == 0 ? mmu->root
		                     : mm_hpa_at(mm_align_down(walk->steps[i].pa, MM_PAGE_SIZE));
		r.table_levels[i] = (walk->steps[i].shift - MM_PAGE_SHIFT) / 9;
		r.entry = walk->steps[i].word;
	}
	return r;
}

/* --- both --- */

struct report {
	char *text;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct report *report, const char *format,
                                                      ...)
{
	size_t room = report->size - report->used;
	va_list args;

	va_start(args, format);
	int n = vsnprintf(report->text + report->used, room, format, args);
	va_end(args);
	if (n > 0)
		report->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void differ(struct report *report, const char *what, uint64_t first, uint64_t second)
{
	say(report, "%s %s: hw_walk 0x%llx, oracle 0x%llx", report->used ? ";" : "", what,
	    (unsigned long long)first, (unsigned long long)second);
}

/* What the walk writes to entry i, or NULL. */
static const struct oracle_write *write_to(const struct oracle_walk *walk, unsigned i)
{
	for (unsigned w = 0; w < walk->write_count; w++) {
		if (walk->writes[w].pa == walk->steps[i].pa)
			return &walk->writes[w];
	}
	return NULL;
}

/* May the walk leave this word at entry i? */
static bool may_leave(const struct oracle_walk *walk, unsigned i, bool update, uint64_t word)
{
	const struct oracle_write *write = update ? write_to(walk, i) : NULL;

	if (!write)
		return word == walk->steps[i].word;
	return word == write->after || (write->optional && word == write->before);
}

static void compare_results(const struct hw_mmu *mmu, const struct oracle_walk *walk,
                            enum mm_perm access, bool update, const struct hw_result *first,
                            struct report *report)
{
	struct hw_result second = oracle_to_hw(mmu, walk, access, update);
	unsigned last = second.table_count - 1;

	/* What compares is what the hardware does, if that is what hw_walk() answers. */
	if (first->outcome == HW_MISCONFIG && oracle_unclean(walk))
		return;
	second.outcome = outcome_of(walk);
	if (first->outcome != second.outcome) {
		differ(report, "outcome", first->outcome, second.outcome);
		return;
	}
	if (first->outcome == HW_OUT_OF_RANGE)
		return;
	/* An access fault has no level. */
	if (first->level != second.level && walk->fault != ORACLE_BUS)
		differ(report, "level", first->level, second.level);
	if (first->table_count != second.table_count)
		differ(report, "tables", first->table_count, second.table_count);
	for (unsigned i = 0; i < second.table_count && i < first->table_count; i++) {
		if (first->tables[i].raw != second.tables[i].raw)
			differ(report, "table", first->tables[i].raw, second.tables[i].raw);
		if (first->table_levels[i] != second.table_levels[i])
			differ(report, "table level", first->table_levels[i],
			       second.table_levels[i]);
	}
	if (second.table_count && first->entry != second.entry &&
	    !may_leave(walk, last, update, first->entry))
		differ(report, "entry", first->entry, second.entry);
	if (first->outcome != HW_OK && first->outcome != HW_PERMISSION)
		return;
	if (first->perm != second.perm)
		differ(report, "permissions", first->perm, second.perm);
	if (first->outcome != HW_OK)
		return;
	if (first->hpa.raw != second.hpa.raw)
		differ(report, "address", first->hpa.raw, second.hpa.raw);
	if (first->memtype != second.memtype)
		differ(report, "memory type", first->memtype, second.memtype);
	if (first->shareability != second.shareability)
		differ(report, "shareability", first->shareability, second.shareability);
	if (first->ignore_pat != second.ignore_pat)
		differ(report, "ignore-PAT", first->ignore_pat, second.ignore_pat);
	if (first->dirty != second.dirty)
		differ(report, "dirty", first->dirty, second.dirty);
}

static void add_context(struct report *report, mm_gpa_t gpa, enum mm_perm access,
                        const struct oracle_walk *walk)
{
	say(report, " (gpa 0x%llx, access %s, oracle: %s at 2^%u, should be zero 0x%llx; entries",
	    (unsigned long long)gpa.raw, mm_perm_name(access), oracle_fault_name(walk->fault),
	    walk->shift, (unsigned long long)walk->should_be_zero);
	for (unsigned i = 0; i < walk->step_count; i++)
		say(report, " 0x%llx", (unsigned long long)walk->steps[i].word);
	say(report, ")");
}

/*
 * As oracle_compare(), with the oracle's walk made before. `reread`: check the words in memory
 * after a walk without `update` as well, which writes nothing.
 */
static bool compare_with(const struct hw_mmu *mmu, const struct oracle_walk *walk, mm_gpa_t gpa,
                         enum mm_perm access, bool update, bool reread, struct hw_result *result,
                         struct report *report)
{
	report->text[0] = '\0';
	*result = __real_hw_walk(mmu, gpa, access, update);
	compare_results(mmu, walk, access, update, result, report);
	for (unsigned i = 0; i < walk->step_count && (update || reread); i++) {
		uint64_t now;

		read_word((void *)(uintptr_t)mmu, walk->steps[i].pa, &now);
		if (result->outcome == HW_MISCONFIG && now == walk->steps[i].word)
			continue;
		if (!may_leave(walk, i, update, now))
			differ(report, "word left in memory", now,
			       write_to(walk, i) ? write_to(walk, i)->after : walk->steps[i].word);
	}
	if (report->used)
		add_context(report, gpa, access, walk);
	return report->used == 0;
}

bool oracle_compare(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access, bool update,
                    struct hw_result *result, char *text, size_t size)
{
	/* The oracle first: it sees the memory before hw_walk() writes. */
	struct oracle_walk walk = oracle_walk_mmu(mmu, gpa, access);

	struct report report = {text, size, 0};

	return compare_with(mmu, &walk, gpa, access, update, true, result, &report);
}

/* The oracle alone: does its writes. */
static struct hw_result walk_second(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access,
                                    bool update)
{
	struct oracle_walk walk = oracle_walk_mmu(mmu, gpa, access);

	for (unsigned i = 0; update && i < walk.write_count; i++) {
		_Atomic uint64_t *at = mmu->memory(mmu->ctx, mm_hpa_at(walk.writes[i].pa));

		/* Not the optional ones: hw_walk() does them, so both variants are tested. */
		if (!walk.writes[i].optional)
			atomic_fetch_or(at, walk.writes[i].after ^ walk.writes[i].before);
	}
	return oracle_to_hw(mmu, &walk, access, update);
}

enum selection {
	BOTH = 1,
	FIRST,
	SECOND,
};

static enum selection selected(void)
{
	static atomic_int selection;
	int now = atomic_load_explicit(&selection, memory_order_relaxed);

	if (now == 0) {
		const char *text = getenv("FAULTLINE_ORACLE");

		if (!text || !*text || strcmp(text, "both") == 0)
			now = BOTH;
		else if (strcmp(text, "first") == 0)
			now = FIRST;
		else if (strcmp(text, "second") == 0)
			now = SECOND;
		else
			check_failed(__FILE__, __LINE__,
			             "FAULTLINE_ORACLE=%s is none of both, first, second", text);
		atomic_store_explicit(&selection, now, memory_order_relaxed);
	}
	return (enum selection)now;
}

/* Both walkers, and no entry may hold what software must not write. */
static struct hw_result walk_both(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access,
                                  bool update)
{
	static _Thread_local char text[1024];
	struct oracle_walk walk = oracle_walk_mmu(mmu, gpa, access);
	struct report report = {text, sizeof(text), 0};
	struct hw_result result;

	/* Not reread: it would double the time of every test. */
	if (!compare_with(mmu, &walk, gpa, access, update, false, &result, &report))
		check_failed(__FILE__, __LINE__, "the two walkers differ:%s", text);
	if (oracle_unclean(&walk) && result.outcome != HW_MISCONFIG)
		check_failed(__FILE__, __LINE__,
		             "gpa 0x%llx: entry 0x%llx, or one above, sets bits 0x%llx that have "
		             "to be zero, or a reserved encoding",
		             (unsigned long long)gpa.raw, (unsigned long long)result.entry,
		             (unsigned long long)walk.should_be_zero);
	return result;
}

struct hw_result __wrap_hw_walk(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access,
                                bool update)
{
	if (!oracle_knows(mmu->format))
		return __real_hw_walk(mmu, gpa, access, update);
	switch (selected()) {
	case FIRST:
		return __real_hw_walk(mmu, gpa, access, update);
	case SECOND:
		return walk_second(mmu, gpa, access, update);
	default:
		return walk_both(mmu, gpa, access, update);
	}
}
