/* Running a vCPU, for virt_ops. */
#ifndef HEXT_RUN_H
#define HEXT_RUN_H

#include "vcpu.h"

void hext_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

#endif
