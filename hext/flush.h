/* Forgetting G-stage translations: see flush.c. */
#ifndef HEXT_FLUSH_H
#define HEXT_FLUSH_H

#include "mm/hal.h"

/* For virt_ops.flush. */
void hext_flush(void *ctx, const struct mm_flush *request);

#endif
