/*
 * Forgetting translations: SVM has no instruction that drops one VM's nested ones, but every
 * VMRUN may begin with a flush of its ASID (APM vol. 2, 15.16). So a flush is a note to self for
 * the next entry, here and, by way of shootdown.h, on the other CPUs.
 */
#include "svm/svm.h"
#include "x86/shootdown.h"

void svm_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx;
	shootdown_begin(request->root.raw);
	/* Which vCPUs have run on that root here is not known: the next entry flushes them all. */
	svm_this_cpu()->flush_all = true;
	shootdown_end(request->root.raw);
}
