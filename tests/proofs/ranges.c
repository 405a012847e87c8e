/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mm/addr.h promises of ranges, proved for all values by Frama-C's WP: `make proofs`.
 *
 * Logic integers do not wrap, so a contract may say start + size where the code may not. The
 * functions under proof are inlined into these, one each, which only give them a contract.
 * All four kinds of address are one macro: what holds for gpa holds for each.
 *
 * Inlined: mm_gpa_range_valid,mm_gpa_range_last,mm_gpa_range_contains,mm_gpa_range_covers,mm_gpa_range_overlaps,mm_gpa_range_intersect,mm_gpa_range_split,mm_gpa_add
 */
#include "mm/addr.h"

/*@
  predicate valid(struct mm_gpa_range r) = r.size > 0 && r.start.raw + r.size <= 0x10000000000000000;
  predicate in(integer x, struct mm_gpa_range r) = r.start.raw <= x < r.start.raw + r.size;
*/

/*@ assigns \nothing; ensures \result <==> valid(r); */
bool prove_valid(struct mm_gpa_range r)
{
	return mm_gpa_range_valid(r);
}

/*@ requires valid(r); assigns \nothing; ensures \result.raw == r.start.raw + r.size - 1; */
mm_gpa_t prove_last(struct mm_gpa_range r)
{
	return mm_gpa_range_last(r);
}

/*@ requires valid(r); assigns \nothing; ensures \result <==> in(a.raw, r); */
bool prove_contains(struct mm_gpa_range r, mm_gpa_t a)
{
	return mm_gpa_range_contains(r, a);
}

/*@ requires valid(outer) && valid(inner);
    assigns \nothing;
    ensures \result <==> (outer.start.raw <= inner.start.raw &&
                          inner.start.raw + inner.size <= outer.start.raw + outer.size); */
bool prove_covers(struct mm_gpa_range outer, struct mm_gpa_range inner)
{
	return mm_gpa_range_covers(outer, inner);
}

/*@ requires valid(a) && valid(b);
    assigns \nothing;
    ensures \result <==> (a.start.raw < b.start.raw + b.size && b.start.raw < a.start.raw + a.size); */
bool prove_overlaps(struct mm_gpa_range a, struct mm_gpa_range b)
{
	return mm_gpa_range_overlaps(a, b);
}

/*@ requires valid(a) && valid(b);
    assigns \nothing;
    ensures \forall integer x; 0 <= x < 0x10000000000000000 ==>
            (in(x, \result) <==> (in(x, a) && in(x, b))); */
struct mm_gpa_range prove_intersect(struct mm_gpa_range a, struct mm_gpa_range b)
{
	return mm_gpa_range_intersect(a, b);
}

/*@ requires valid(r) && \valid(low) && \valid(high) && \separated(low, high);
    assigns *low, *high;
    ensures \result <==> (r.start.raw < at.raw < r.start.raw + r.size);
    ensures \result ==> valid(*low) && valid(*high);
    ensures \result ==> low->start.raw == r.start.raw && low->start.raw + low->size == at.raw;
    ensures \result ==> high->start.raw == at.raw && low->size + high->size == r.size;
    ensures !\result ==> *low == \old(*low) && *high == \old(*high); */
bool prove_split(struct mm_gpa_range r, mm_gpa_t at, struct mm_gpa_range *low, struct mm_gpa_range *high)
{
	return mm_gpa_range_split(r, at, low, high);
}

/*@ requires \valid(sum);
    assigns *sum;
    ensures \result <==> (a.raw + bytes < 0x10000000000000000);
    ensures \result ==> sum->raw == a.raw + bytes;
    ensures !\result ==> *sum == \old(*sum); */
bool prove_add(mm_gpa_t a, uint64_t bytes, mm_gpa_t *sum)
{
	return mm_gpa_add(a, bytes, sum);
}
