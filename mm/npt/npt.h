/*
 * A nested page table: one walker for every format (format.h). It knows tables and leaves, and
 * nothing of areas: what should be where is struct aspace's business.
 */
#ifndef MM_NPT_NPT_H
#define MM_NPT_NPT_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/error.h"
#include "mm/hal.h"
#include "mm/npt/format.h"

struct npt {
	const struct npt_format *format;
	struct npt_config config;
	struct mm_hal hal;
	hpa_t root;
	uint32_t tag;    /* for mm_flush */
	uint64_t tables; /* frames that hold tables, the root's included */
};

/* A present leaf entry, decoded. */
struct npt_leaf {
	gpa_t gpa; /* where the leaf begins */
	hpa_t hpa;
	unsigned level; /* it maps LEVEL_SIZE(level) bytes */
	enum mm_perm perm;
	enum mm_memtype memtype;
	bool accessed;
	bool dirty;
};

#endif
