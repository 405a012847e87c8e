/* What the run loop does with a vCPU that does not run: for virt_ops. */
#ifndef HEXT_VCPU_OPS_H
#define HEXT_VCPU_OPS_H

#include "vcpu.h"

enum mm_error hext_create(struct vcpu *vcpu, const struct vcpu_config *config) MM_MUST_CHECK;
void hext_destroy(struct vcpu *vcpu);
void hext_park(struct vcpu *vcpu);

void hext_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second);
void hext_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value);
void hext_inject_undefined(struct vcpu *vcpu);
void hext_set_interrupt(struct vcpu *vcpu, bool pending);
enum mm_error hext_translate(struct vcpu *vcpu, gva_t gva, enum mm_perm access,
                             gpa_t *out) MM_MUST_CHECK;
uint64_t hext_pc(const struct vcpu *vcpu);
size_t hext_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

#endif
