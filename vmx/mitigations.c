/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs have L1TF and iTLB multi-hit, and the mitigations: see mitigations.h. */
#include "vmx/mitigations.h"

#include "mm/compiler.h"

#define SIGNATURE_MODEL           GENMASK(7, 4)
#define SIGNATURE_FAMILY          GENMASK(11, 8)
#define SIGNATURE_EXTENDED_MODEL  GENMASK(19, 16)
#define SIGNATURE_EXTENDED_FAMILY GENMASK(27, 20)

/* Intel CPUs of family 6 without one or both errata whose IA32_ARCH_CAPABILITIES may not say it. */
static const struct {
	uint8_t model;
	bool no_l1tf;
	bool no_itlb;
} unaffected[] = {
	{0x1c, true, true},  /* Bonnell */
	{0x26, true, true},  /* Bonnell, Lincroft */
	{0x27, true, true},  /* Saltwell, Penwell */
	{0x35, true, true},  /* Saltwell, Cloverview */
	{0x36, true, true},  /* Saltwell, Cedarview */
	{0x37, true, true},  /* Silvermont */
	{0x4a, true, true},  /* Silvermont, Merrifield */
	{0x4d, true, true},  /* Silvermont, Avoton */
	{0x4c, true, true},  /* Airmont */
	{0x5a, true, true},  /* Airmont, Moorefield */
	{0x75, true, true},  /* Airmont, Lightning Mountain */
	{0x57, true, true},  /* Xeon Phi, Knights Landing */
	{0x85, true, true},  /* Xeon Phi, Knights Mill */
	{0x5c, true, true},  /* Goldmont */
	{0x5f, true, true},  /* Goldmont, Denverton */
	{0x7a, true, true},  /* Goldmont Plus */
	{0x86, false, true}, /* Tremont, Jacobsville: sets RDCL_NO */
};

void vmx_cpu_signature(uint32_t eax, struct vmx_cpu_id *id)
{
	id->family = (unsigned)FIELD_GET(SIGNATURE_FAMILY, eax);
	id->model = (unsigned)FIELD_GET(SIGNATURE_MODEL, eax);
	if (id->family == 6 || id->family == 15)
		id->model |= (unsigned)FIELD_GET(SIGNATURE_EXTENDED_MODEL, eax) << 4;
	if (id->family == 15)
		id->family += (unsigned)FIELD_GET(SIGNATURE_EXTENDED_FAMILY, eax);
}

struct vmx_mitigations vmx_mitigations_for(const struct vmx_cpu_id *id)
{
	bool l1tf = (id->arch & ARCH_RDCL_NO) == 0;
	bool itlb = (id->arch & ARCH_PSCHANGE_MC_NO) == 0;
	bool needed;

	for (unsigned i = 0; i < MM_ARRAY_SIZE(unaffected); i++) {
		if (!id->intel || id->family != 6 || id->model != unaffected[i].model)
			continue;
		l1tf &= !unaffected[i].no_l1tf;
		itlb &= !unaffected[i].no_itlb;
	}
	needed = l1tf && (id->arch & ARCH_SKIP_L1DFL) == 0;
	return (struct vmx_mitigations){
		.flush_l1d = needed && id->flush,
		.no_large_exec = itlb,
		.l1tf = !l1tf       ? "not-affected"
	                : !needed   ? "not-needed"
	                : id->flush ? "flush"
	                            : "unmitigated",
		.itlb = itlb ? "split" : "not-affected",
	};
}
