/* Accesses to emulated devices, for virt_ops: see mmio.c. */
#ifndef HEXT_MMIO_H
#define HEXT_MMIO_H

#include "vcpu.h"

size_t hext_given_insn(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES]);
enum mm_error hext_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                               struct mmio_access *access) MM_MUST_CHECK;
bool hext_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

#endif
