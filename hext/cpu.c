/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches the hypervisor extension on for one hart, and moves a vCPU's registers between the
 * hart and memory.
 */
#include "hext/hext.h"
#include "log.h"

/*
 * hedeleg (8.2.2): exceptions that the guest's own handler takes. Access faults are not delegated,
 * because they mean that a nested leaf leads to an address without memory. The bits of ecall from
 * VS, of guest-page faults and of virtual instructions are read-only zero.
 */
#define DELEGATED                                                                                  \
	(BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_ILLEGAL) | BIT(CAUSE_BREAKPOINT) |                \
	 BIT(CAUSE_LOAD_MISALIGNED) | BIT(CAUSE_STORE_MISALIGNED) | BIT(CAUSE_ECALL_U) |           \
	 BIT(CAUSE_FETCH_PAGE) | BIT(CAUSE_LOAD_PAGE) | BIT(CAUSE_STORE_PAGE))

/* Those that a guest with page tables needs. */
#define REQUIRED                                                                                   \
	(BIT(CAUSE_ECALL_U) | BIT(CAUSE_FETCH_PAGE) | BIT(CAUSE_LOAD_PAGE) | BIT(CAUSE_STORE_PAGE))

bool hext_cpu_enable(const char **why)
{
	csr_write(hedeleg, DELEGATED);
	if ((csr_read(hedeleg) & REQUIRED) != REQUIRED) {
		*why = "hedeleg does not delegate page faults and calls from user mode";
		return false;
	}
	csr_write(hideleg, INTERRUPT_VS_SOFTWARE | INTERRUPT_VS_TIMER | INTERRUPT_VS_EXTERNAL);
	csr_write(hcounteren, HCOUNTEREN_CY | HCOUNTEREN_TM | HCOUNTEREN_IR);
	csr_write(hgeie, 0);
	csr_write(hvip, 0);
	if (hext_caps.envcfg)
		csr_write(HENVCFG, hext_henvcfg());
	if (hext_caps.stateen)
		csr_write(HSTATEEN0, HSTATEEN0_ENVCFG);
	csr_write(hgatp, 0);
	hfence_gvma_all();
	csr_write(stvec, (uint64_t)(uintptr_t)hext_trap);
	return true;
}

/* --- loading and unloading --- */

#define HAS_always true
#define HAS_envcfg hext_caps.envcfg
#define HAS_sstc   hext_caps.sstc

static void read_csrs(struct hext_csrs *csr)
{
#define SAVE(name, number, guest, when)                                                            \
	if (HAS_##when)                                                                            \
		csr->name = csr_read(number);
	HEXT_HOST_CSRS(SAVE)
	HEXT_GUEST_CSRS(SAVE)
#undef SAVE
}

static void write_csrs(const struct hext_csrs *csr)
{
#define RESTORE(name, number, guest, when)                                                         \
	if (HAS_##when)                                                                            \
		csr_write(number, csr->name);
	HEXT_HOST_CSRS(RESTORE)
	HEXT_GUEST_CSRS(RESTORE)
#undef RESTORE
	csr_write(hgatp, csr->hgatp);
}

void hext_save_csrs(struct hext_vcpu *v)
{
	if (v->cpu == NULL)
		return;
	ASSERT(v->cpu == this_cpu());
	read_csrs(&v->csr);
}

void hext_unload(struct hext_vcpu *v)
{
	if (v->cpu == NULL)
		return;
	hext_save_csrs(v);
	hext_fpu_save(v);
	/* From here on this hart does not walk the nested tables: their owner may free them. */
	csr_write(hgatp, 0);
	v->cpu->guest = NULL;
	atomic_store_explicit(&v->cpu->guest_root, 0, memory_order_release);
	v->cpu = NULL;
}

/*
 * Makes up for the fences that other harts have not sent to this one while it had no guest. They
 * set `stale` before they read guest_root, and this hart sets guest_root before it reads `stale`:
 * so the other hart sends a fence, or this one sees `stale`.
 */
static void fence_if_stale(struct cpu *cpu)
{
	if (atomic_exchange_explicit(&cpu->stale, 0, memory_order_seq_cst) != 0)
		hfence_gvma_all();
	__asm__ volatile("fence.i" ::: "memory");
}

void hext_load(struct cpu *cpu, struct hext_vcpu *v)
{
	ASSERT(v->cpu == NULL);
	if (cpu->guest != NULL)
		hext_unload(cpu->guest);
	atomic_store_explicit(&cpu->guest_root, v->csr.hgatp, memory_order_seq_cst);
	fence_if_stale(cpu);
	write_csrs(&v->csr);
	hext_fpu_load(v);
	/* VS-stage translations are tagged by VMID and ASID, and two vCPUs of one VM may use one
	 * ASID for different tables. Without VMIDs, G-stage translations have no tag. */
	hfence_vvma_all();
	if (hext_caps.vmid_bits == 0)
		hfence_gvma_all();
	v->host_tp = (uint64_t)(uintptr_t)cpu;
	v->cpu = cpu;
	cpu->guest = v;
}

void hext_park(struct vcpu *vcpu)
{
	hext_unload(hext_of(vcpu));
}
