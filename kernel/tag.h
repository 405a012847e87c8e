/*
 * Tags: the VMID, VPID or ASID that keeps one VM's translations apart from another's in the TLB.
 * A tag is given out again at once, since an address space is flushed everywhere before it is
 * gone (mm/aspace.h): nothing is left under its tag for the next VM to see.
 */
#ifndef KERNEL_TAG_H
#define KERNEL_TAG_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/compiler.h"
#include "vcpu.h"

#define TAGS 64 /* VMs at a time, at most */

/* The lowest free one. 0, for every VM, where the machine has none. False: all in use. */
bool tag_take(const struct virt_caps *caps, uint32_t *out) MM_MUST_CHECK;
void tag_give(uint32_t tag);

#endif
