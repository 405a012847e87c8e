/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step 3, the VM: its address space, its devices, and what every exit comes to, whichever CPU runs
 * the guest (cpu_kvm.h, cpu_soft.h).
 */
#ifndef VM_H
#define VM_H

#include "pool.h"

#include <mm/device.h>

#define GUEST_CODE UINT64_C(0x1000) /* real mode: CS is 0, and IP begins here */

struct vm {
	struct pool pool;
	struct mm_aspace as;
	struct mm_device_bus bus;
	uint64_t faults, accesses; /* so far */
};

/* An access to guest-physical memory without a usable mapping. False: the guest may not do that. */
static inline bool vm_fault(struct vm *vm, mm_gpa_t gpa, enum mm_perm access, bool *is_device)
{
	enum mm_fault fault = mm_aspace_fault(&vm->as, gpa, access);

	*is_device = fault == MM_FAULT_IS_DEVICE;
	if (*is_device)
		return true;
	vm->faults++;
	if (fault == MM_FAULT_MAPPED || fault == MM_FAULT_SPURIOUS || fault == MM_FAULT_UNSHARED)
		return true;
	fprintf(stderr, "vmm: the guest's access to 0x%" PRIx64 ": %s\n", gpa.raw,
	        mm_fault_name(fault));
	return false;
}

static inline bool vm_device(struct vm *vm, mm_gpa_t gpa, enum mm_width width, bool write,
                             uint64_t *value)
{
	vm->accesses++;
	return (write ? mm_device_bus_write_mmio(&vm->bus, gpa, width, *value)
	              : mm_device_bus_read_mmio(&vm->bus, gpa, width, value)) == MM_OK;
}

/* IN or OUT. A port without a device reads as all ones. */
static inline bool vm_port(struct vm *vm, mm_port_t port, enum mm_width width, bool write,
                           uint64_t *value)
{
	enum mm_error err;

	vm->accesses++;
	if (!write)
		*value = mm_width_mask(width);
	err = write ? mm_device_bus_write_port(&vm->bus, port, width, *value)
	            : mm_device_bus_read_port(&vm->bus, port, width, value);
	return err == MM_OK || err == MM_NOT_MAPPED;
}

#endif
