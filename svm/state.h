/* A guest's registers and instructions as the shared decoder, the walk of its tables and the
 * reports want them, out of its VMCB and back into it. */
#ifndef SVM_STATE_H
#define SVM_STATE_H

#include "mm/error.h"
#include "svm/svm.h"

/* Bytes that an instruction takes by default: 8 in 64-bit code, else 4 or 2. */
unsigned svm_code_width(const struct svm_vcpu *v);

/* One byte of the guest's code, through its own tables. */
enum mm_error svm_fetch_byte(struct svm_vcpu *v, uint64_t rip, uint8_t *byte) MM_MUST_CHECK;
/* The general register that the MOV to a control register at RIP takes its value from. */
enum mm_error svm_mov_cr_source(struct svm_vcpu *v, uint8_t *gpr) MM_MUST_CHECK;

/* struct virt_ops */
size_t svm_given_insn(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES]);
enum mm_error svm_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access);
bool svm_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);
enum mm_error svm_translate(struct vcpu *vcpu, gva_t gva, enum mm_perm access, gpa_t *out);
uint64_t svm_pc(const struct vcpu *vcpu);
size_t svm_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

#endif
