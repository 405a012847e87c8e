/* A guest's registers: virt_ops.translate, pc and registers, and what mmio.c needs as well. */
#ifndef VMX_STATE_H
#define VMX_STATE_H

#include "vmx/vmx.h"
#include "x86/stage1.h"

/* What a walk of the guest's tables depends on. The VMCS is loaded. */
void vmx_state_stage1(const struct vcpu *vcpu, struct stage1 *out);

enum mm_error vmx_translate(struct vcpu *vcpu, gva_t gva, enum mm_perm access, gpa_t *out);
uint64_t vmx_pc(const struct vcpu *vcpu);
size_t vmx_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

#endif
