/*
 * Moving a vCPU's lazily switched state between the hart's registers and memory.
 */
#include "hext/hext.h"

#include "decode/riscv64_insn.h"
#include "hext/features.h"
#include "hext/fields.h"
#include "log.h"

static void read_csrs(struct hext_csrs *csr)
{
	csr->pc = csr_read(sepc);
	csr->sstatus = csr_read(sstatus);
	csr->hstatus = csr_read(hstatus);
	csr->vsstatus = csr_read(vsstatus);
	csr->vsie = csr_read(vsie);
	csr->vstvec = csr_read(vstvec);
	csr->vsscratch = csr_read(vsscratch);
	csr->vsepc = csr_read(vsepc);
	csr->vscause = csr_read(vscause);
	csr->vstval = csr_read(vstval);
	csr->vsatp = csr_read(vsatp);
	csr->hvip = csr_read(hvip);
	csr->scounteren = csr_read(scounteren);
	if (hext_features.envcfg)
		csr->senvcfg = csr_read(SENVCFG);
	if (hext_features.sstc)
		csr->vstimecmp = csr_read(VSTIMECMP);
}

static void write_csrs(const struct hext_csrs *csr)
{
	csr_write(sepc, csr->pc);
	csr_write(sstatus, csr->sstatus);
	csr_write(hstatus, csr->hstatus);
	csr_write(vsstatus, csr->vsstatus);
	csr_write(vsie, csr->vsie);
	csr_write(vstvec, csr->vstvec);
	csr_write(vsscratch, csr->vsscratch);
	csr_write(vsepc, csr->vsepc);
	csr_write(vscause, csr->vscause);
	csr_write(vstval, csr->vstval);
	csr_write(vsatp, csr->vsatp);
	csr_write(scounteren, csr->scounteren);
	if (hext_features.envcfg)
		csr_write(SENVCFG, csr->senvcfg);
	if (hext_features.sstc)
		csr_write(VSTIMECMP, csr->vstimecmp);
	/* Behind vstimecmp: with a write to that, QEMU 7.2 clears hvip.VSTIP. */
	csr_write(hvip, csr->hvip);
	csr_write(hgatp, csr->hgatp);
}

void state_copy(struct hext_vcpu *v)
{
	if (v->cpu == NULL)
		return;
	ASSERT(v->cpu == this_cpu());
	read_csrs(&v->csr);
}

void state_unload(struct hext_vcpu *v)
{
	if (v->cpu == NULL)
		return;
	state_copy(v);
	/* Nothing walks these tables from here on: their owner may free them. */
	csr_write(hgatp, 0);
	v->cpu->guest = NULL;
	atomic_store_explicit(&v->cpu->guest_root, 0, memory_order_release);
	v->cpu = NULL;
}

/*
 * What other harts have changed while no guest was loaded here. They look at guest_root after
 * their stores: either they find it set and interrupt us, or they have set `stale` by now.
 */
static void catch_up(struct cpu *cpu)
{
	if (atomic_exchange_explicit(&cpu->stale, 0, memory_order_seq_cst) != 0)
		hfence_gvma_all();
	__asm__ volatile("fence.i" ::: "memory");
}

void state_load(struct cpu *cpu, struct hext_vcpu *v)
{
	ASSERT(v->cpu == NULL);
	if (cpu->guest != NULL)
		state_unload(cpu->guest);
	atomic_store_explicit(&cpu->guest_root, v->csr.hgatp, memory_order_seq_cst);
	catch_up(cpu);
	write_csrs(&v->csr);
	/* VS-stage translations are tagged by VMID and ASID, and two vCPUs of one VM may use one
	 * ASID for different tables. Without VMIDs, the G-stage's are nobody's either. */
	hfence_vvma_all();
	if (hext_features.vmid_bits == 0)
		hfence_gvma_all();
	v->host_tp = (uint64_t)(uintptr_t)cpu;
	v->cpu = cpu;
	cpu->guest = v;
}
