/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLB flushes. SVM has no instruction that invalidates the nested translations of one VM, but a
 * VMRUN can begin with a flush (APM vol. 2, 15.16). So a flush is requested for the next entry: on
 * this CPU by flush_all, on the others by the protocol of x86/shootdown.h.
 */
#include "svm/svm.h"

void svm_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx;
	shootdown_begin(request->root.raw);
	/* A CPU does not record which ASIDs have used a root: the entry flushes all of them. */
	svm_this_cpu()->flush_all = true;
	shootdown_end(request->root.raw);
}
