/* Virtual-instruction exceptions: see sysreg.c. */
#ifndef HEXT_VIRTUAL_INSN_H
#define HEXT_VIRTUAL_INSN_H

#include "hext/hext.h"
#include "vm_exit.h"

/* Fills kind and the rest of *exit, whose pc and raw[] are set. */
void virtual_insn_decode(struct hext_vcpu *v, struct vm_exit *exit);

#endif
