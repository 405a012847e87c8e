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
 * The instruction at this address: its 2 or 4 bytes are read once, and *insn has 0 above them.
 * It may lie across two pages. Errors as above, or aspace_fetch()'s.
 */
enum mm_error walk_fetch(const struct hext_vcpu *v, gva_t pc, uint32_t *insn,
                         unsigned *bytes) must_check;

#endif
