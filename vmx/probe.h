/* virt_ops.probe for VMX: see vcpu.h. */
#ifndef VMX_PROBE_H
#define VMX_PROBE_H

#include "vcpu.h"

bool vmx_probe(struct virt_caps *caps);

#endif
