/*
 * The guest's own translation (VS-stage), and instructions fetched through it.
 */
#ifndef HEXT_GUEST_WALK_H
#define HEXT_GUEST_WALK_H

#include "hext/vcpu_state.h"
#include "mm/access.h"
#include "mm/addr.h"
#include "mm/error.h"

/*
 * Walks vsatp's tables as the vCPU's next access would, with its privilege, SUM and MXR; pages of
 * tables that are lazily backed are faulted in. A and D are taken as set: hardware sets them.
 * MM_NOT_MAPPED: the guest would take a page fault. MM_DENIED: because of permissions. Errors of
 * aspace_load() where a table lies in no memory.
 */
enum mm_error walk_translate(const struct hext_vcpu *v, gva_t gva, enum mm_perm access,
                             gpa_t *out) must_check;

/*
 * The instruction at this address, which is the vCPU's pc: its 2 or 4 bytes are read once, in
 * 4-byte instructions possibly from two pages. Above the 2 bytes of a compressed one, *insn has
 * anything. Errors as above, or aspace_fetch()'s.
 */
enum mm_error walk_fetch(const struct hext_vcpu *v, gva_t pc, uint32_t *insn) must_check;

#endif
