/* SPDX-License-Identifier: BSD-2-Clause */
#include "ghost_tlb.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

void ghost_tlb_init(struct ghost_tlb *tlb, unsigned cpus, size_t limit)
{
	*tlb = (struct ghost_tlb){.cpus = cpus, .limit = limit, .random = 1, .capacity = limit};
	if (limit) {
		tlb->entries = calloc(limit, sizeof(*tlb->entries));
		CHECK(tlb->entries != NULL);
	}
}

void ghost_tlb_fini(struct ghost_tlb *tlb)
{
	free(tlb->entries);
}

/* --- entries --- */

static uint64_t entry_base(uint64_t gpa, unsigned level)
{
	return MM_LEVEL_SHIFT(level) < 64 ? mm_align_down(gpa, MM_LEVEL_SIZE(level)) : 0;
}

static struct mm_gpa_range entry_range(const struct ghost_entry *e)
{
	return mm_gpa_range(e->gpa, MM_LEVEL_SIZE(e->level));
}

/* The entry of the lowest level, from `level` up, that covers gpa. */
static struct ghost_entry *find(struct ghost_tlb *tlb, unsigned cpu, bool table, uint32_t tag,
                                mm_gpa_t gpa, unsigned level)
{
	struct ghost_entry *found = NULL;
	for (size_t i = 0; i < tlb->count; i++) {
		struct ghost_entry *e = &tlb->entries[i];
		if (e->cpu == cpu && e->table == table && e->tag == tag && e->level >= level &&
		    e->gpa.raw == entry_base(gpa.raw, e->level) &&
		    (!found || e->level < found->level))
			found = e;
	}
	return found;
}

static void drop(struct ghost_tlb *tlb, size_t i)
{
	tlb->entries[i] = tlb->entries[--tlb->count];
}

static void add(struct ghost_tlb *tlb, const struct ghost_entry *e)
{
	if (tlb->limit && tlb->count == tlb->limit) {
		tlb->random = tlb->random * UINT64_C(6364136223846793005) + 1442695040888963407;
		drop(tlb, (tlb->random >> 33) % tlb->count);
	}
	if (tlb->count == tlb->capacity) {
		tlb->capacity = tlb->capacity ? 2 * tlb->capacity : 64;
		tlb->entries = realloc(tlb->entries, tlb->capacity * sizeof(*tlb->entries));
		CHECK(tlb->entries != NULL);
	}
	tlb->entries[tlb->count++] = *e;
}

/* --- address spaces --- */

static struct ghost_space *space_of(struct ghost_tlb *tlb, uint32_t tag)
{
	for (size_t i = 0; i < tlb->space_count; i++) {
		if (tlb->spaces[i].tag == tag)
			return &tlb->spaces[i];
	}
	return NULL;
}

void ghost_tlb_watch(struct ghost_tlb *tlb, uint32_t tag, const struct hw_mmu *mmu)
{
	CHECK(space_of(tlb, tag) == NULL && tlb->space_count < GHOST_SPACES);
	tlb->spaces[tlb->space_count++] = (struct ghost_space){tag, *mmu};
}

void ghost_tlb_unwatch(struct ghost_tlb *tlb, uint32_t tag)
{
	struct ghost_space *space = space_of(tlb, tag);
	CHECK(space != NULL);
	for (size_t i = 0; i < tlb->count; i++) {
		if (tlb->entries[i].tag == tag)
			check_failed(__FILE__, __LINE__, "gpa 0x%llx is still in the TLB",
			             (unsigned long long)tlb->entries[i].gpa.raw);
	}
	*space = tlb->spaces[--tlb->space_count];
}

/* --- invalidation --- */

/* Does an invalidation of one address in every stride of the range hit this entry? That is what
 * a hook may do with TLBI IPAS2E1 or HFENCE.GVMA. */
static bool stride_hits(const struct mm_flush *request, const struct ghost_entry *e)
{
	uint64_t stride = MM_LEVEL_SIZE(request->leaf_level);
	struct mm_gpa_range range = request->range;
	struct mm_gpa_range covered = entry_range(e);

	if (!mm_gpa_range_overlaps(range, covered))
		return false;
	if (mm_gpa_range_contains(covered, range.start))
		return true;
	/* The first address of the stride at or after the entry's start. */
	uint64_t offset = mm_align_up(covered.start.raw - range.start.raw, stride);
	return offset < range.size &&
	       mm_gpa_range_contains(covered, mm_gpa_plus(range.start, offset));
}

void ghost_tlb_flush(struct ghost_tlb *tlb, unsigned cpu, const struct mm_flush *request)
{
	struct ghost_space *space = space_of(tlb, request->tag);

	if (space && space->mmu.root.raw != request->root.raw)
		check_failed(__FILE__, __LINE__, "flush of tag %u names root 0x%llx, not 0x%llx",
		             request->tag, (unsigned long long)request->root.raw,
		             (unsigned long long)space->mmu.root.raw);
	if (!request->all) {
		CHECK(mm_gpa_range_valid(request->range));
		CHECK(request->leaf_level < MM_NPT_MAX_LEVELS);
		CHECK(mm_gpa_range_is_aligned(request->range, MM_LEVEL_SIZE(request->leaf_level)));
	}
	for (size_t i = tlb->count; i-- > 0;) {
		const struct ghost_entry *e = &tlb->entries[i];
		if (e->cpu != cpu || e->tag != request->tag)
			continue;
		if (request->all ||
		    (e->table ? request->tables &&
		                        mm_gpa_range_overlaps(request->range, entry_range(e))
		              : stride_hits(request, e)))
			drop(tlb, i);
	}
}

void ghost_tlb_check_free(const struct ghost_tlb *tlb, mm_hpa_t frame, unsigned order)
{
	struct mm_hpa_range block = mm_hpa_range(frame, MM_PAGE_SIZE << order);
	for (size_t i = 0; i < tlb->count; i++) {
		const struct ghost_entry *e = &tlb->entries[i];
		uint64_t size = e->table ? MM_PAGE_SIZE : MM_LEVEL_SIZE(e->level);
		if (mm_hpa_range_overlaps(block, mm_hpa_range(e->hpa, size)))
			check_failed(__FILE__, __LINE__,
			             "frame 0x%llx is freed, and the TLB still holds a %s for gpa "
			             "0x%llx, level %u, that leads to it",
			             (unsigned long long)frame.raw, e->table ? "table" : "leaf",
			             (unsigned long long)e->gpa.raw, e->level);
	}
}

/* --- invariants --- */

static const struct ghost_space *const_space_of(const struct ghost_tlb *tlb, uint32_t tag)
{
	for (size_t i = 0; i < tlb->space_count; i++) {
		if (tlb->spaces[i].tag == tag)
			return &tlb->spaces[i];
	}
	return NULL;
}

static mm_hpa_t hpa_of(const struct ghost_entry *e, uint64_t gpa)
{
	return mm_hpa_plus(e->hpa, gpa - e->gpa.raw);
}

/* Whatever a walk for one of these permissions finds now. */
static struct hw_result walk_for(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm perm)
{
	static const enum mm_perm single[] = {MM_R, MM_W, MM_X};
	struct hw_result r = {.outcome = HW_NOT_PRESENT};
	for (unsigned i = 0; i < 3 && r.outcome != HW_OK; i++) {
		if (mm_permits(perm, single[i]))
			r = hw_walk(mmu, gpa, single[i], false);
	}
	return r;
}

_Noreturn static void incoherent(const struct ghost_entry *e, uint64_t gpa, mm_hpa_t other,
                                 const char *whose)
{
	check_failed(__FILE__, __LINE__, "gpa 0x%llx: CPU %u uses frame 0x%llx, %s 0x%llx",
	             (unsigned long long)gpa, e->cpu, (unsigned long long)hpa_of(e, gpa).raw, whose,
	             (unsigned long long)other.raw);
}

void ghost_tlb_check_coherent(const struct ghost_tlb *tlb)
{
	for (size_t i = 0; i < tlb->count; i++) {
		const struct ghost_entry *a = &tlb->entries[i];
		const struct ghost_space *space = const_space_of(tlb, a->tag);
		if (a->table || !space)
			continue;
		struct hw_result r = walk_for(&space->mmu, a->gpa, MM_RWX);
		if (r.outcome == HW_OK && r.hpa.raw != a->hpa.raw)
			incoherent(a, a->gpa.raw, r.hpa, "the table says");
		for (size_t j = 0; j < i; j++) {
			const struct ghost_entry *b = &tlb->entries[j];
			if (b->table || b->tag != a->tag || b->cpu == a->cpu ||
			    !mm_gpa_range_overlaps(entry_range(a), entry_range(b)))
				continue;
			uint64_t at = a->gpa.raw > b->gpa.raw ? a->gpa.raw : b->gpa.raw;
			if (hpa_of(a, at).raw != hpa_of(b, at).raw)
				incoherent(a, at, hpa_of(b, at), "another");
		}
	}
}

/* All that this entry lets its CPU do at one address. */
static void check_granted(const struct hw_mmu *mmu, const struct ghost_entry *e, uint64_t at)
{
	static const enum mm_perm single[] = {MM_R, MM_W, MM_X};
	for (unsigned i = 0; i < 3; i++) {
		if (!mm_permits(e->perm, single[i]))
			continue;
		struct hw_result r = hw_walk(mmu, mm_gpa_at(at), single[i], false);
		if (r.outcome != HW_OK || r.hpa.raw != hpa_of(e, at).raw)
			check_failed(__FILE__, __LINE__,
			             "gpa 0x%llx: CPU %u still has %s on 0x%llx, the table says %s",
			             (unsigned long long)at, e->cpu, mm_perm_name(single[i]),
			             (unsigned long long)hpa_of(e, at).raw,
			             hw_outcome_name(r.outcome));
		if (single[i] == MM_W && e->dirty && !r.dirty)
			check_failed(__FILE__, __LINE__,
			             "gpa 0x%llx: CPU %u writes without a mark in the table",
			             (unsigned long long)at, e->cpu);
	}
}

void ghost_tlb_check_at_rest(const struct ghost_tlb *tlb)
{
	for (size_t i = 0; i < tlb->count; i++) {
		const struct ghost_entry *e = &tlb->entries[i];
		const struct ghost_space *space = const_space_of(tlb, e->tag);
		uint64_t step = e->level == 0 ? MM_PAGE_SIZE : MM_LEVEL_SIZE(e->level) / 64;
		if (e->table || !space)
			continue;
		for (uint64_t at = 0; at < MM_LEVEL_SIZE(e->level); at += step)
			check_granted(&space->mmu, e, e->gpa.raw + at);
	}
}

/* --- the CPU's side --- */

/* Two entries for one address: Arm's TLB conflict abort, and undefined elsewhere. */
static void check_conflict(struct ghost_tlb *tlb, const struct ghost_entry *leaf)
{
	for (size_t i = 0; i < tlb->count; i++) {
		const struct ghost_entry *e = &tlb->entries[i];
		if (e->cpu != leaf->cpu || e->table || e->tag != leaf->tag ||
		    !mm_gpa_range_overlaps(entry_range(e), entry_range(leaf)))
			continue;
		check_failed(__FILE__, __LINE__,
		             "TLB conflict: gpa 0x%llx level %u while 0x%llx level %u is cached",
		             (unsigned long long)leaf->gpa.raw, leaf->level,
		             (unsigned long long)e->gpa.raw, e->level);
	}
}

/* Keeps what a walk read: the entry in tables[i] led to tables[i + 1]. */
static void keep_walk(struct ghost_tlb *tlb, unsigned cpu, uint32_t tag, mm_gpa_t gpa,
                      const struct hw_result *r)
{
	for (unsigned i = 0; i + 1 < r->table_count; i++) {
		struct ghost_entry e = {
			.cpu = cpu, .table = true, .tag = tag, .level = r->table_levels[i]};
		e.gpa = mm_gpa_at(entry_base(gpa.raw, e.level));
		e.hpa = r->tables[i + 1];
		struct ghost_entry *old = find(tlb, cpu, true, tag, gpa, e.level);
		if (old && old->level == e.level)
			*old = e;
		else
			add(tlb, &e);
	}
}

/* A walk from the lowest table that this CPU has cached an entry for. */
static struct hw_result walk_cached(struct ghost_tlb *tlb, const struct hw_mmu *mmu, unsigned cpu,
                                    uint32_t tag, mm_gpa_t gpa, enum mm_perm access)
{
	const struct ghost_entry *table = find(tlb, cpu, true, tag, gpa, 0);
	if (!table || gpa.raw >> mm_npt_gpa_bits(&mmu->config))
		return hw_walk(mmu, gpa, access, true);
	return hw_walk_from(mmu, table->hpa, table->level - 1, gpa, access, true);
}

struct hw_result ghost_tlb_access(struct ghost_tlb *tlb, unsigned cpu, uint32_t tag, mm_gpa_t gpa,
                                  enum mm_perm access)
{
	struct ghost_space *space = space_of(tlb, tag);
	CHECK(space != NULL);
	struct ghost_entry *hit = find(tlb, cpu, false, tag, gpa, 0);
	bool x86 = space->mmu.format == &mm_npt_ept || space->mmu.format == &mm_npt_amd;

	if (hit && mm_permits(hit->perm, access) && (access != MM_W || hit->dirty)) {
		struct hw_result r = {.outcome = HW_OK, .level = hit->level, .perm = hit->perm};
		r.hpa = mm_hpa_plus(hit->hpa, gpa.raw - hit->gpa.raw);
		return r;
	}
	/* x86 walks again before it reports a violation, and forgets the entry (SDM 29.4.3.1, APM
	 * 5.5.2); Arm and RISC-V may report from the TLB. A first write walks to set D. */
	if (hit && !x86 && !mm_permits(hit->perm, access))
		return (struct hw_result){
			.outcome = HW_PERMISSION, .level = hit->level, .perm = hit->perm};
	if (hit)
		drop(tlb, (size_t)(hit - tlb->entries));

	struct hw_result r = walk_cached(tlb, &space->mmu, cpu, tag, gpa, access);
	keep_walk(tlb, cpu, tag, gpa, &r);
	if (r.outcome == HW_OK) {
		struct ghost_entry leaf = {
			.cpu = cpu, .tag = tag, .level = r.level, .perm = r.perm};
		leaf.gpa = mm_gpa_at(entry_base(gpa.raw, r.level));
		leaf.hpa = mm_hpa_at(r.hpa.raw - (gpa.raw - leaf.gpa.raw));
		leaf.dirty = access == MM_W;
		check_conflict(tlb, &leaf);
		add(tlb, &leaf);
	}
	return r;
}
