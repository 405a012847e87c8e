/* What this machine is called, and what it might have. */
#include "machine.h"

#include "vcpu.h"

const char machine_arch[] = "aarch64";

const struct virt_ops *const virt_candidates[] = {&el2_ops, NULL};
