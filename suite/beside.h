/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMs that run beside the VM of a case. They are created and run with it, checked and destroyed.
 */
#ifndef SUITE_BESIDE_H
#define SUITE_BESIDE_H

#include "suite/run.h"

/* Creates the VMs that the case requests. False: the reason is noted, and no VM is left. */
bool beside_begin(struct suite_run *run);
/* Checks and destroys them. */
void beside_end(struct suite_run *run);

/* The number of these VMs, and each of them. */
size_t beside_count(const struct suite_run *run);
struct vm *beside_vm(size_t index);

/* True if the memory of VM `index` holds what the script beside_neighbour writes. Otherwise notes
 * the difference. */
bool beside_intact(struct suite_run *run, size_t index);

/* Creates, runs and destroys one VM with this script. Stores its tag in *tag. */
bool beside_alone(struct suite_run *run, const struct suite_op *script, uint32_t *tag);

#endif
