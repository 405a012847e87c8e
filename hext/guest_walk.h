/*
 * The guest's own translation (VS-stage), and instructions fetched through it.
 */
#ifndef HEXT_GUEST_WALK_H
#define HEXT_GUEST_WALK_H

#include "decode/riscv64_insn.h"
#include "hext/hext.h"
#include "machine/riscv64/trap.h"
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
                             gpa_t *out) MM_MUST_CHECK;

/* Where walk_fetch() cannot: the instruction is not aligned, or its page is not there, or the
 * vCPU is on no hart. hstatus is as the guest left it. */
enum mm_error walk_fetch_slowly(const struct hext_vcpu *v, gva_t pc, uint32_t *insn,
                                uint64_t hstatus) MM_MUST_CHECK;

/*
 * The instruction at this address, which is the vCPU's pc: its 2 or 4 bytes are read once, in
 * 4-byte instructions possibly from two pages. Above the 2 bytes of a compressed one, *insn has
 * anything. Errors as above, or aspace_fetch()'s.
 *
 * Every access to a device waits for this. Aligned, the instruction lies in one page, more can be
 * read than may be needed, and one hlvx.wu does it, as a fetch of the guest through both stages.
 * What it reads is not negative; what stays in the register if it traps is.
 */
static MM_ALWAYS_INLINE MM_MUST_CHECK enum mm_error walk_fetch(const struct hext_vcpu *v, gva_t pc,
                                                               uint32_t *insn)
{
	uint64_t hstatus = csr_read(hstatus);
	int64_t read;

	if (MM_UNLIKELY(!mm_is_aligned(pc.raw, 4)) || MM_UNLIKELY(v->cpu == NULL))
		return walk_fetch_slowly(v, pc, insn, hstatus);
	__asm__ volatile("li %[read], -1\n\t"
	                 "la t0, 1f\n\t"
	                 "sd t0, " CATCH_PC
	                 "(tp)\n\t" HLVX_WU("%[read]", "%[pc]") "\n"
	                                                        "1:\n\t"
	                                                        "sd zero, " CATCH_PC "(tp)"
	                 : [read] "=&r"(read)
	                 : [pc] "r"(pc.raw)
	                 : "t0", "memory");
	if (MM_UNLIKELY(read < 0))
		return walk_fetch_slowly(v, pc, insn, hstatus);
	*insn = (uint32_t)read;
	return MM_OK;
}

#endif
