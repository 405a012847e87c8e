/*
 * What the probe found that the rest of this folder acts on. Written once, on the boot hart.
 */
#ifndef HEXT_FEATURES_H
#define HEXT_FEATURES_H

#include <stdbool.h>

#include "vcpu.h"

struct hext_features {
	unsigned vmid_bits;
	bool sstc;   /* vstimecmp, once henvcfg.STCE is set */
	bool envcfg; /* henvcfg and senvcfg (privileged architecture 1.12) */
	bool svpbmt;
	bool svadu;
};

extern struct hext_features hext_features;

/* What henvcfg is set to, where it is there. */
uint64_t hext_henvcfg(void);

/* For virt_ops.probe. */
bool hext_probe(struct virt_caps *caps);

/* For virt_ops.cpu_enable. */
bool hext_cpu_enable(const char **why);

#endif
