/*
 * The library's hooks for one VM: its frames come from the frame allocator and are counted, so
 * that a VM's account can be closed; and a limit makes the allocator run dry where a test wants.
 */
#ifndef KERNEL_HAL_H
#define KERNEL_HAL_H

#include <stdatomic.h>
#include <stdint.h>

#include "mm/hal.h"
#include "vcpu.h"

struct vm_frames {
	_Atomic uint64_t taken; /* frames held now */
	uint64_t limit;         /* alloc answers "none left" beyond this many */
};

/* `frames` outlives the address space that is given the hooks. */
struct mm_hal hal_for_vm(struct vm_frames *frames, const struct virt_ops *ops);

#endif
