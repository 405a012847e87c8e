/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step 3, a CPU by /dev/kvm (Linux on x86-64). KVM has nested page tables of its own. The library
 * keeps the map of the guest's memory: each leaf that it has is a memory slot of KVM, and what is
 * in no slot exits as MMIO. So the guest's first access to a lazily allocated page exits; the fault
 * gives it a frame, and the frame becomes a slot.
 */
#ifndef CPU_KVM_H
#define CPU_KVM_H

#include "vm.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct kvm_cpu {
	struct vm *vm;
	int kvm, fd, vcpu;
	uint32_t slots; /* so far: their numbers are 0 to this */
	struct kvm_run *run;
	size_t run_bytes;
};

/* A leaf of the library's table becomes a slot. */
static inline bool kvm_add(void *ctx, const struct mm_npt_leaf *leaf)
{
	struct kvm_cpu *cpu = ctx;
	const struct kvm_userspace_memory_region slot = {
		.slot = cpu->slots,
		.guest_phys_addr = leaf->gpa.raw,
		.memory_size = MM_LEVEL_SIZE(leaf->level),
		.userspace_addr = leaf->hpa.raw, /* hpa = hva: see pool.h */
	};

	if (ioctl(cpu->fd, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		return false;
	cpu->slots++;
	return true;
}

/* The guest has accessed what is in no slot: a device, or a page that has no frame yet. KVM
 * completes the instruction, so the access itself is done here as well. */
static inline bool kvm_mmio(struct kvm_cpu *cpu)
{
	struct kvm_run *run = cpu->run;
	mm_gpa_t gpa = mm_gpa_at(run->mmio.phys_addr);
	struct mm_gpa_range page = {mm_gpa_align_down(gpa, MM_PAGE_SIZE), MM_PAGE_SIZE};
	uint32_t slots = cpu->slots;
	enum mm_width width;
	uint64_t value = 0;
	bool is_device, write = run->mmio.is_write != 0;

	if (mm_width_from_bytes(run->mmio.len, &width) != MM_OK ||
	    !vm_fault(cpu->vm, gpa, write ? MM_W : MM_R, &is_device))
		return false;
	if (write)
		memcpy(&value, run->mmio.data, width);
	if (is_device) {
		if (!vm_device(cpu->vm, gpa, width, write, &value))
			return false;
	} else {
		struct mm_aspace *as = &cpu->vm->as;

		if ((write ? mm_aspace_store(as, gpa, width, value)
		           : mm_aspace_load(as, gpa, width, &value)) != MM_OK ||
		    mm_aspace_for_each_leaf(as, page, kvm_add, cpu) != MM_OK || cpu->slots == slots)
			return false;
	}
	if (!write)
		memcpy(run->mmio.data, &value, width);
	return true;
}

static inline bool kvm_io(struct kvm_cpu *cpu)
{
	struct kvm_run *run = cpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool write = run->io.direction == KVM_EXIT_IO_OUT;
	enum mm_width width;

	if (mm_width_from_bytes(run->io.size, &width) != MM_OK)
		return false;
	for (uint32_t i = 0; i < run->io.count; i++, data += width) {
		uint64_t value = 0;

		memcpy(&value, data, width);
		if (!vm_port(cpu->vm, mm_port_at(run->io.port), width, write, &value))
			return false;
		if (!write)
			memcpy(data, &value, width);
	}
	return true;
}

/* Real mode with CS 0. Before an Intel CPU had "unrestricted guest", KVM needed three pages that
 * the guest does not use. */
static inline bool kvm_reset(struct kvm_cpu *cpu)
{
	struct kvm_regs regs = {.rip = GUEST_CODE, .rflags = 2};
	struct kvm_sregs sregs;

	if (ioctl(cpu->fd, KVM_SET_TSS_ADDR, 0xfffbd000UL) < 0 ||
	    ioctl(cpu->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return false;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	return ioctl(cpu->vcpu, KVM_SET_SREGS, &sregs) >= 0 &&
	       ioctl(cpu->vcpu, KVM_SET_REGS, &regs) >= 0;
}

/* Until the guest halts. */
static inline bool kvm_loop(struct kvm_cpu *cpu)
{
	for (;;) {
		bool good = false;

		if (ioctl(cpu->vcpu, KVM_RUN, 0) < 0)
			return false;
		if (cpu->run->exit_reason == KVM_EXIT_HLT)
			return true;
		if (cpu->run->exit_reason == KVM_EXIT_MMIO)
			good = kvm_mmio(cpu);
		else if (cpu->run->exit_reason == KVM_EXIT_IO)
			good = kvm_io(cpu);
		if (!good) {
			fprintf(stderr, "vmm: KVM exit %" PRIu32 "\n", cpu->run->exit_reason);
			return false;
		}
	}
}

/* False: there is no usable /dev/kvm. */
static inline bool kvm_open(struct kvm_cpu *cpu, struct vm *vm)
{
	int bytes;

	*cpu = (struct kvm_cpu){.vm = vm, .kvm = -1, .fd = -1, .vcpu = -1, .run = MAP_FAILED};
	cpu->kvm = open("/dev/kvm", O_RDWR);
	if (cpu->kvm < 0 || ioctl(cpu->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return false;
	cpu->fd = ioctl(cpu->kvm, KVM_CREATE_VM, 0);
	if (cpu->fd < 0)
		return false;
	cpu->vcpu = ioctl(cpu->fd, KVM_CREATE_VCPU, 0);
	bytes = ioctl(cpu->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (cpu->vcpu < 0 || bytes < (int)sizeof(*cpu->run))
		return false;
	cpu->run_bytes = (size_t)bytes;
	cpu->run = mmap(NULL, cpu->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->vcpu, 0);
	return cpu->run != MAP_FAILED && kvm_reset(cpu);
}

/* After this KVM uses no frame any more, and the address space may be destroyed. */
static inline void kvm_close(struct kvm_cpu *cpu)
{
	if (cpu->run != MAP_FAILED)
		munmap(cpu->run, cpu->run_bytes);
	if (cpu->vcpu >= 0)
		close(cpu->vcpu);
	if (cpu->fd >= 0)
		close(cpu->fd);
	if (cpu->kvm >= 0)
		close(cpu->kvm);
}

#endif
