/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mm/addr.h promises of ranges, proved for all values by Frama-C's WP: `make proofs`.
 *
 * Logic integers do not wrap, so a contract may say start + size where the code may not. The
 * functions under proof are inlined into these, one each, which only give them a contract.
 * All four kinds of address are one macro: what holds for gpa holds for each.
 *
 * Inlined: gpa_range_valid,gpa_range_last,gpa_range_contains,gpa_range_covers,gpa_range_overlaps,gpa_range_intersect,gpa_range_split,gpa_add
 */
#include "mm/addr.h"

/*@
  predicate valid(struct gpa_range r) = r.size > 0 && r.start.raw + r.size <= 0x10000000000000000;
  predicate in(integer x, struct gpa_range r) = r.start.raw <= x < r.start.raw + r.size;
*/

/*@ assigns \nothing; ensures \result <==> valid(r); */
bool prove_valid(struct gpa_range r)
{
	return gpa_range_valid(r);
}

/*@ requires valid(r); assigns \nothing; ensures \result.raw == r.start.raw + r.size - 1; */
gpa_t prove_last(struct gpa_range r)
{
	return gpa_range_last(r);
}

/*@ requires valid(r); assigns \nothing; ensures \result <==> in(a.raw, r); */
bool prove_contains(struct gpa_range r, gpa_t a)
{
	return gpa_range_contains(r, a);
}

/*@ requires valid(outer) && valid(inner);
    assigns \nothing;
    ensures \result <==> (outer.start.raw <= inner.start.raw &&
                          inner.start.raw + inner.size <= outer.start.raw + outer.size); */
bool prove_covers(struct gpa_range outer, struct gpa_range inner)
{
	return gpa_range_covers(outer, inner);
}

/*@ requires valid(a) && valid(b);
    assigns \nothing;
    ensures \result <==> (a.start.raw < b.start.raw + b.size && b.start.raw < a.start.raw + a.size); */
bool prove_overlaps(struct gpa_range a, struct gpa_range b)
{
	return gpa_range_overlaps(a, b);
}

/*@ requires valid(a) && valid(b);
    assigns \nothing;
    ensures \forall integer x; 0 <= x < 0x10000000000000000 ==>
            (in(x, \result) <==> (in(x, a) && in(x, b))); */
struct gpa_range prove_intersect(struct gpa_range a, struct gpa_range b)
{
	return gpa_range_intersect(a, b);
}

/*@ requires valid(r) && \valid(low) && \valid(high) && \separated(low, high);
    assigns *low, *high;
    ensures \result <==> (r.start.raw < at.raw < r.start.raw + r.size);
    ensures \result ==> valid(*low) && valid(*high);
    ensures \result ==> low->start.raw == r.start.raw && low->start.raw + low->size == at.raw;
    ensures \result ==> high->start.raw == at.raw && low->size + high->size == r.size;
    ensures !\result ==> *low == \old(*low) && *high == \old(*high); */
bool prove_split(struct gpa_range r, gpa_t at, struct gpa_range *low, struct gpa_range *high)
{
	return gpa_range_split(r, at, low, high);
}

/*@ requires \valid(sum);
    assigns *sum;
    ensures \result <==> (a.raw + bytes < 0x10000000000000000);
    ensures \result ==> sum->raw == a.raw + bytes;
    ensures !\result ==> *sum == \old(*sum); */
bool prove_add(gpa_t a, uint64_t bytes, gpa_t *sum)
{
	return gpa_add(a, bytes, sum);
}
