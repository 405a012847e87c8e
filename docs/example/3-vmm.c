/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step 3: a hypervisor in user space. It runs a guest of 43 bytes in real mode, by /dev/kvm where
 * that is usable (cpu_kvm.h), and otherwise by a CPU in software that walks the library's nested
 * page table (cpu_soft.h). Both give the same output.
 *
 *	cc docs/example/3-vmm.c $(pkg-config --cflags --libs faultline-mm) -o vmm
 *	./vmm [kvm | soft]
 */
#include "vm.h"

#include "cpu_soft.h"
/* Linux on x86-64 has this header. */
#if __has_include(<asm/vmx.h>)
#include "cpu_kvm.h"
#endif

/* --- the guest --- */

#define RAM_BYTES UINT64_C(0xa0000) /* lazily allocated */
#define SUM_BASE  UINT64_C(0xd0000)
#define SUM_AT    8

static const uint8_t guest[] = {
	0xbe, 0x2c, 0x10,       /* 1000       mov si, text */
	0xba, 0xf8, 0x03,       /* 1003       mov dx, 0x3f8 */
	0xac,                   /* 1006 next: lodsb */
	0x84, 0xc0,             /* 1007       test al, al */
	0x74, 0x03,             /* 1009       jz done */
	0xee,                   /* 100b       out dx, al */
	0xeb, 0xf8,             /* 100c       jmp next */
	0xbb, 0x00, 0x80,       /* 100e done: mov bx, 0x8000 */
	0xb9, 0x04, 0x00,       /* 1011       mov cx, 4 */
	0x88, 0x0f,             /* 1014 page: mov [bx], cl */
	0x02, 0x27,             /* 1016       add ah, [bx] */
	0x81, 0xc3, 0x00, 0x10, /* 1018       add bx, 0x1000 */
	0xe2, 0xf6,             /* 101c       loop page */
	0xbb, 0x00, 0xd0,       /* 101e       mov bx, 0xd000 */
	0x8e, 0xdb,             /* 1021       mov ds, bx */
	0x88, 0x26, 0x08, 0x00, /* 1023       mov [8], ah */
	0xa0, 0x00, 0x00,       /* 1027       mov al, [0] */
	0xee,                   /* 102a       out dx, al */
	0xf4,                   /* 102b       hlt */
	'h',  'e',  'l',  'l',  'o', 0,
};

/* --- its devices --- */

static enum mm_error serial_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                 uint64_t *value)
{
	(void)dev, (void)width;
	*value = offset == 5 ? 0x60 : 0;
	return MM_OK;
}

static enum mm_error serial_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                  uint64_t value)
{
	(void)dev, (void)width;
	if (offset == 0)
		putchar((int)value);
	return MM_OK;
}

/* It keeps the last sum that the guest has written, and reads as a newline. */
struct sum {
	struct mm_device device;
	uint64_t value;
};

static enum mm_error sum_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                              uint64_t *value)
{
	(void)dev, (void)offset, (void)width;
	*value = '\n';
	return MM_OK;
}

static enum mm_error sum_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                               uint64_t value)
{
	if (offset != SUM_AT || width != MM_WIDTH_1)
		return MM_UNSUPPORTED;
	MM_CONTAINER_OF(dev, struct sum, device)->value = value;
	return MM_OK;
}

static const struct mm_device_ops serial_ops = {serial_read, serial_write};
static const struct mm_device_ops sum_ops = {sum_read, sum_write};

static const struct mm_device_config serial_config = {
	.name = "com1",
	.type = MM_DEVICE_TYPE_CONSOLE,
	.range = MM_DEVICE_AT_PORTS(0x3f8, 8),
};

static const struct mm_device_config sum_config = {
	.name = "sum",
	.type = MM_DEVICE_TYPE_TEST,
	.range = MM_DEVICE_AT_MMIO(SUM_BASE, MM_PAGE_SIZE),
};

static bool add_devices(struct vm *vm, struct mm_device *serial, struct sum *sum)
{
	struct mm_device *const devices[] = {serial, &sum->device};

	mm_device_init(serial, &serial_config, &serial_ops);
	mm_device_init(&sum->device, &sum_config, &sum_ops);
	return mm_device_bus_add_group(&vm->bus, devices, 2) == MM_OK &&
	       mm_aspace_map_device(&vm->as, mm_gpa_range(mm_gpa_at(SUM_BASE), MM_PAGE_SIZE)) ==
	               MM_OK;
}

/* --- the hypervisor --- */

static bool load(struct vm *vm)
{
	const struct mm_gpa_range ram = {mm_gpa_at(0), RAM_BYTES};
	const struct mm_aspace_backing lazily = {.populate = false};

	return mm_aspace_map_alloc(&vm->as, ram, MM_RWX, lazily) == MM_OK &&
	       mm_aspace_write(&vm->as, mm_gpa_at(GUEST_CODE), guest, sizeof(guest)) == MM_OK;
}

#ifdef CPU_KVM_H
/* False: there is no usable KVM, and the guest has not begun. */
static bool run_by_kvm(struct vm *vm, bool *done)
{
	const struct mm_gpa_range ram = {mm_gpa_at(0), RAM_BYTES};
	struct kvm_cpu cpu;
	bool usable = kvm_open(&cpu, vm) &&
	              mm_aspace_for_each_leaf(&vm->as, ram, kvm_add, &cpu) == MM_OK &&
	              cpu.slots != 0;

	if (usable)
		*done = kvm_loop(&cpu);
	kvm_close(&cpu);
	return usable;
}
#else
static bool run_by_kvm(struct vm *vm, bool *done)
{
	(void)vm, (void)done;
	return false;
}
#endif

static bool run(struct vm *vm, const char *how, const struct sum *sum)
{
	bool done = false, by_kvm = strcmp(how, "soft") != 0 && run_by_kvm(vm, &done);

	if (!by_kvm && strcmp(how, "kvm") == 0) {
		fprintf(stderr, "vmm: /dev/kvm is not usable: try ./vmm soft\n");
		return false;
	}
	if (!by_kvm)
		done = soft_run(vm);
	printf("sum=%" PRIu64 " faults=%" PRIu64 " accesses=%" PRIu64 " ", sum->value, vm->faults,
	       vm->accesses);
	return done;
}

int main(int argc, char **argv)
{
	static struct vm vm;
	struct mm_device serial, *slots[2];
	struct sum sum = {.value = 0};
	bool done;

	mm_device_bus_init(&vm.bus, slots, 2);
	if (!pool_open(&vm.pool, &vm.as, UINT64_C(1) << 20))
		return 1;
	done = load(&vm) && add_devices(&vm, &serial, &sum) &&
	       run(&vm, argc > 1 ? argv[1] : "any", &sum);
	return pool_close(&vm.pool, &vm.as) && done ? 0 : 1;
}
