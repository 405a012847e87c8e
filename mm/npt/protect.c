/*
 * Changing what is there: permissions of a range, and the leaves cut in two where it ends.
 *
 * Hardware sets accessed and dirty marks in live entries at any time, so an entry that it may
 * write to changes by compare-and-swap; else by one store.
 */
#include "mm/npt/change.h"

/* --- splitting --- */

/* 4 levels at most below the largest leaf, at two ends. */
#define SPLIT_TABLES (2U * (NPT_MAX_LEVELS - 1))

/* A place where a range begins or ends, if it lies inside a leaf that has to be cut. */
struct split {
	struct npt_slot slot;
	uint64_t at;
	unsigned tables; /* 0: nothing to cut */
};

static struct split split_at(const struct npt *npt, uint64_t at, const enum mm_perm *perm)
{
	const struct npt_format *f = npt->format;
	struct split s = {.at = at};

	if (at >> npt_gpa_bits(&npt->config) != 0)
		return s;
	s.slot = npt_walk(npt, gpa_at(at));
	if (!npt_is_leaf(f, s.slot.value, s.slot.level))
		return s;
	if (perm && npt_entry_perm(f, s.slot.value) == *perm)
		return s;
	for (unsigned level = s.slot.level; !is_aligned(at, LEVEL_SIZE(level)); level--)
		s.tables++;
	return s;
}

/* Tables that the second cut finds already made by the first, in the same leaf. */
static unsigned common_tables(const struct split *a, const struct split *b)
{
	unsigned common = 0;
	unsigned level = a->slot.level;

	if (a->tables == 0 || b->tables == 0 || a->slot.entry != b->slot.entry)
		return 0;
	while (common < a->tables && common < b->tables &&
	       a->at >> LEVEL_SHIFT(level) == b->at >> LEVEL_SHIFT(level)) {
		common++;
		level--;
	}
	return common;
}

/* 512 leaves that together say what one leaf of the level above said. */
static void fill_split(const struct npt *npt, _Atomic uint64_t *table, uint64_t value,
                       unsigned level)
{
	const struct npt_format *f = npt->format;
	uint64_t address = f->pa_mask | f->high_mask;
	/* The bits of the level change; whether it is present stays. */
	uint64_t attr = (value & ~address & ~(f->leaf[level + 1] & ~f->present)) |
	                (f->leaf[level] & ~f->present);
	hpa_t pa = npt_decode_pa(f, value);

	for (unsigned i = 0; i < (1U << NPT_INDEX_BITS); i++, pa.raw += LEVEL_SIZE(level))
		npt_store(&table[i], attr | npt_encode_pa(f, pa));
}

/* Puts tables under a leaf, down to where s->at is the boundary of one. They are complete
 * before the first is linked. Answers how many of tables[] it used. */
static unsigned split(struct npt *npt, const struct split *s, const hpa_t tables[])
{
	const struct npt_format *f = npt->format;
	struct npt_slot slot =
		npt_walk(npt, gpa_at(s->at)); /* an earlier cut may have changed it */
	struct gpa_range leaf = gpa_range(gpa_at(align_down(s->at, LEVEL_SIZE(slot.level))),
	                                  LEVEL_SIZE(slot.level));
	uint64_t value = slot.value;
	_Atomic uint64_t *entry = NULL;
	unsigned used = 0;

	for (unsigned level = slot.level; !is_aligned(s->at, LEVEL_SIZE(level)); level--) {
		_Atomic uint64_t *table = npt_table_at(npt, tables[used]);

		fill_split(npt, table, value, level - 1);
		if (entry)
			npt_store(entry, npt_table_entry(f, tables[used]));
		used++;
		npt_count(&npt->counts.leaves[level], -1);
		npt_count(&npt->counts.leaves[level - 1], 1 << NPT_INDEX_BITS);
		entry = &table[npt_index(npt, s->at, level - 1)];
		value = npt_load(entry);
	}
	if (used == 0)
		return 0;
	npt_count(&npt->counts.tables, used);
	if (f->break_before_make && npt_present(f, slot.value)) {
		npt_store(slot.entry, npt_mark(f, slot.value, NPT_FROZEN));
		npt_flush(npt, &npt->counts, leaf, slot.level, false);
	}
	npt_link(slot.entry, npt_table_entry(f, tables[0]));
	if (npt->hal.publish)
		npt->hal.publish(npt->hal.ctx);
	return used;
}

enum mm_error npt_split_ends(struct npt *npt, struct gpa_range range, const enum mm_perm *perm)
{
	struct split low = split_at(npt, range.start.raw, perm);
	struct split high = split_at(npt, range.start.raw + range.size, perm);
	unsigned needed = low.tables + high.tables - common_tables(&low, &high);
	hpa_t tables[SPLIT_TABLES];
	unsigned used = 0;

	if (needed == 0)
		return MM_OK;

	enum mm_error err = npt_take(npt, 0, needed, tables);

	if (err != MM_OK)
		return err;
	if (low.tables != 0)
		used += split(npt, &low, tables);
	if (high.tables != 0)
		used += split(npt, &high, tables + used);
	MM_ASSERT(used == needed);
	return MM_OK;
}

/* --- permissions --- */

struct protector {
	struct npt *npt;
	enum mm_perm perm;
	bool changed; /* something present changed: a flush is due */
	unsigned leaf_level;
};

static uint64_t with_perm(const struct npt *npt, uint64_t value, unsigned level, enum mm_perm perm)
{
	const struct npt_format *f = npt->format;
	bool hardware = npt->config.accessed_dirty;

	/* A page that a snapshot holds too is written to by way of a fault. */
	if ((value & f->shared) != 0)
		perm = (enum mm_perm)((unsigned)perm & ~(unsigned)MM_W);
	if (hardware && (value & f->dirty) != 0)
		value |= f->soft_dirty;
	if (perm == MM_NONE)
		return npt_mark(f, value, NPT_PARKED);
	return (value & ~(f->perm_mask | NPT_PARKED)) | f->leaf[level] |
	       npt_perm_bits(f, hardware, perm);
}

static void protect_leaf(struct protector *p, _Atomic uint64_t *entry, uint64_t value,
                         unsigned level)
{
	uint64_t changed = with_perm(p->npt, value, level, p->perm);

	if (p->npt->config.accessed_dirty) {
		while (!atomic_compare_exchange_weak_explicit(
			entry, &value, changed, memory_order_relaxed, memory_order_relaxed))
			changed = with_perm(p->npt, value, level, p->perm);
	} else {
		npt_store(entry, changed);
	}
	if (npt_present(p->npt->format, value) && changed != value) {
		p->changed = true;
		if (level < p->leaf_level)
			p->leaf_level = level;
	}
}

static void protect(struct protector *p, _Atomic uint64_t *table, unsigned level, uint64_t start,
                    uint64_t end)
{
	const struct npt_format *f = p->npt->format;
	uint64_t size = LEVEL_SIZE(level);
	unsigned first = npt_index(p->npt, start, level);
	unsigned last = npt_index(p->npt, end - 1, level);
	uint64_t base = align_down(start, size);

	for (unsigned i = first; i <= last; i++, base += size) {
		uint64_t value = npt_load(&table[i]);

		if (value == 0)
			continue;
		if (npt_is_table(f, value, level))
			protect(p, npt_child(p->npt, value), level - 1, base > start ? base : start,
			        u64_min(end, base + size));
		else
			protect_leaf(p, &table[i], value, level);
	}
}

enum mm_error npt_protect(struct npt *npt, struct gpa_range range, enum mm_perm perm)
{
	struct protector p = {.npt = npt, .perm = perm, .leaf_level = NPT_MAX_LEVELS};
	enum mm_error err = npt_split_ends(npt, range, &perm);

	if (err != MM_OK)
		return err;
	protect(&p, npt->root_table, npt_root_level(npt), range.start.raw,
	        range.start.raw + range.size);
	if (p.changed)
		npt_flush(npt, &npt->counts, range, p.leaf_level, false);
	return MM_OK;
}
