/* virt_ops.mmio_decode and mmio_complete: see vcpu.h. */
#ifndef VMX_MMIO_H
#define VMX_MMIO_H

#include "vmx/vmx.h"

enum mm_error vmx_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access);
bool vmx_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

#endif
