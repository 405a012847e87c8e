/* The machine layer's beginning, and what of it is only an instruction or two. */
#include "machine.h"

#include "machine/x86_64/apic.h"
#include "machine/x86_64/desc.h"
#include "machine/x86_64/init.h"
#include "machine/x86_64/smp.h"
#include "machine/x86_64/traps.h"
#include "machine/x86_64/tsc.h"
#include "vcpu.h"

const char machine_arch[] = "x86_64";

const struct virt_ops *const virt_candidates[] = {&vmx_ops, &svm_ops, NULL};

/* Stores are seen in order by every CPU's table walker: SDM vol. 3, 8.2.2. */
void (*const machine_publish)(void *ctx) = NULL;

void machine_init(const struct boot_info *info)
{
	console_init();
	desc_init_cpu(0);
	traps_init();
	traps_init_cpu();
	tsc_init();
	apic_init();
	apic_init_cpu();
	smp_init(info);
}

void machine_zero(void *ctx, void *page, size_t bytes)
{
	size_t words = bytes / 8;

	(void)ctx;
	__asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(UINT64_C(0)) : "memory");
}

/* x86 keeps instruction fetch coherent with stores; what was prefetched is dropped at the
 * latest by the next VM entry, which serializes: SDM vol. 3, 8.1.3 and 8.3. */
void machine_sync_code(const void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
}
