/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation of guest addresses by the AT instructions, which walk the tables of the vCPU that is
 * loaded (Arm ARM D8.8).
 */
#include "el2/el2.h"

/* Executes AT, returns the result that it writes to PAR_EL1, and restores the guest's PAR_EL1. */
#define AT(name, operation)                                                                        \
	static uint64_t name(uint64_t address)                                                     \
	{                                                                                          \
		uint64_t guests = read_par_el1(), result;                                          \
                                                                                                   \
		__asm__ volatile("at " operation ", %0\n\tisb" : : "r"(address) : "memory");       \
		result = read_par_el1();                                                           \
		write_par_el1(guests);                                                             \
		return result;                                                                     \
	}
AT(at_s1e0r, "s1e0r")
AT(at_s1e0w, "s1e0w")
AT(at_s1e1r, "s1e1r")
AT(at_s1e1w, "s1e1w")
AT(at_s12e0r, "s12e0r")
AT(at_s12e1r, "s12e1r")

static bool in_el0(const struct el2_vcpu *v)
{
	return FIELD_GET(PSTATE_MODE, v->pstate) == PSTATE_EL0T;
}

uint64_t el2_at_stage1(uint64_t address)
{
	return at_s1e1r(address);
}

uint64_t el2_at_both_stages(const struct el2_vcpu *v, uint64_t address)
{
	return in_el0(v) ? at_s12e0r(address) : at_s12e1r(address);
}

static uint64_t stage1_at_level_of(const struct el2_vcpu *v, uint64_t address, bool write)
{
	if (in_el0(v))
		return write ? at_s1e0w(address) : at_s1e0r(address);
	return write ? at_s1e1w(address) : at_s1e1r(address);
}

enum mm_error el2_translate(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access, mm_gpa_t *out)
{
	struct el2_vcpu *v = el2_of(vcpu);
	uint64_t par;

	el2_load(v);
	par = stage1_at_level_of(v, gva.raw, access == MM_W);
	if ((par & PAR_F) != 0)
		return FIELD_GET(FSC_TYPE, FIELD_GET(PAR_FST, par)) == FSC_PERMISSION
		               ? MM_DENIED
		               : MM_NOT_MAPPED;
	*out = mm_gpa_at((par & PAR_PA) | (gva.raw & (MM_PAGE_SIZE - 1)));
	return MM_OK;
}
