/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Creates and destroys a VM. Everything that can fail is done before the guest's first instruction.
 * After a failure, release() undoes what was done; vm_destroy() uses it, too.
 */
#include "kernel/vm.h"

#include "frame.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "mm/bits.h"

/* Sets vm->error. */
static bool fail(struct vm *vm, const char *what, enum mm_error error)
{
	format_string(vm->error, sizeof(vm->error), "%s: %s (%" PRIu64 "M free)", what,
	              mm_error_name(error), frames_free() >> (20 - MM_PAGE_SHIFT));
	return false;
}

/* --- areas --- */

/* Allocates a block of host memory, which release() frees. */
static bool take_block(struct vm *vm, unsigned order, mm_hpa_t *out)
{
	struct mm_hal *hal = &vm->as.npt.hal;

	if (vm->block_count == VM_BLOCKS || hal->alloc(hal->ctx, order, 1, out) != 1)
		return false;
	vm->blocks[vm->block_count].start = *out;
	vm->blocks[vm->block_count].order = order;
	vm->block_count++;
	return true;
}

/* The order of the largest block that is not larger than `bytes`. */
static unsigned order_for(uint64_t bytes)
{
	unsigned order = mm_fls64(bytes >> MM_PAGE_SHIFT);

	return order < FRAME_MAX_ORDER ? order : FRAME_MAX_ORDER;
}

static enum mm_error map_linear(struct vm *vm, const struct vm_area *area)
{
	mm_gpa_t at = area->start;
	uint64_t left = area->bytes;

	while (left != 0) {
		unsigned order = order_for(left);
		uint64_t bytes = MM_PAGE_SIZE << order;
		enum mm_error error;
		mm_hpa_t block;

		if (!take_block(vm, order, &block))
			return MM_NO_MEMORY;
		machine_zero(NULL, frame_ptr(block), bytes);
		error = mm_aspace_map_linear(&vm->as, mm_gpa_range(at, bytes), block, area->perm,
		                             MM_NORMAL, area->max_leaf);
		if (error != MM_OK)
			return error;
		at = mm_gpa_plus(at, bytes);
		left -= bytes;
	}
	return MM_OK;
}

static enum mm_error map_area(struct vm *vm, const struct vm_area *area)
{
	struct mm_aspace_backing backing = {area->backing == VM_POPULATED, area->max_leaf};

	if (area->backing == VM_LINEAR)
		return map_linear(vm, area);
	return mm_aspace_map_alloc(&vm->as, mm_gpa_range(area->start, area->bytes), area->perm,
	                           backing);
}

static bool map_areas(struct vm *vm)
{
	for (size_t i = 0; i < VM_AREAS && vm->config->areas[i].bytes != 0; i++) {
		enum mm_error error = map_area(vm, &vm->config->areas[i]);

		if (error != MM_OK)
			return fail(vm, "arena", error);
	}
	return true;
}

/* --- the address space --- */

static uint64_t last_byte(const struct vm_config *config)
{
	uint64_t last = GUEST_RAM_BASE + config->ram_bytes;

	for (size_t i = 0; i < VM_AREAS && config->areas[i].bytes != 0; i++) {
		uint64_t end = config->areas[i].start.raw + (config->areas[i].bytes - 1);

		last = end > last ? end : last;
	}
	return last;
}

static const struct virt_geometry *geometry_for(const struct vm_config *config,
                                                const struct virt_caps *caps)
{
	if (config->geometry != NULL)
		return config->geometry;
	for (size_t i = 0; i < caps->geometry_count; i++) {
		unsigned bits = mm_npt_gpa_bits(&caps->geometries[i].npt);

		if (last_byte(config) >> bits == 0)
			return &caps->geometries[i];
	}
	return NULL;
}

static bool make_aspace(struct vm *vm)
{
	const struct vm_config *config = vm->config;
	const struct virt_caps *caps = &vm->host->caps;
	const struct virt_geometry *geometry = geometry_for(config, caps);
	struct mm_aspace_config as = {
		.format = caps->format,
		.hal = hal_for_vm(&vm->frames, vm->ops),
		.quota = config->quota != 0 ? config->quota : UINT64_MAX,
	};
	enum mm_error error;

	if (geometry == NULL)
		return fail(vm, "no table geometry has enough GPA bits", MM_UNSUPPORTED);
	if (!tag_take(caps, &vm->tag))
		return fail(vm, "no VM tag left", MM_BUSY);
	as.npt = geometry->npt;
	if (geometry->format != NULL)
		as.format = geometry->format;
	as.tag = vm->tag;
	as.limits = mm_gpa_range(mm_gpa_at(0), BIT(mm_npt_gpa_bits(&geometry->npt)));
	error = mm_aspace_init(&vm->as, &as);
	if (error == MM_OK)
		return true;
	tag_give(vm->tag);
	return fail(vm, "address space", error);
}

/* --- RAM, the image and the info page --- */

static bool load_image(struct vm *vm, const struct guest_header *header, uint64_t ram_bytes)
{
	mm_gpa_t base = mm_gpa_at(GUEST_RAM_BASE);
	struct mm_aspace_backing backing = {.populate = true};
	enum mm_error error;

	if (ram_bytes > GUEST_ARENA_BASE - GUEST_RAM_BASE)
		return fail(vm, "guest RAM", MM_OUT_OF_RANGE);
	error = mm_aspace_map_alloc(&vm->as, mm_gpa_range(base, ram_bytes), MM_RWX, backing);
	if (error == MM_OK)
		error = mm_aspace_write(&vm->as, base, vm->config->image.start,
		                        header->image_bytes);
	return error == MM_OK || fail(vm, "not enough memory for the guest's RAM", error);
}

static bool make_info(struct vm *vm, uint64_t ram_bytes)
{
	const struct vm_config *config = vm->config;
	struct guest_info *info;
	enum mm_error error;
	mm_hpa_t page;

	if (!take_block(vm, 0, &page))
		return fail(vm, "info page", MM_NO_MEMORY);
	info = frame_ptr(page);
	machine_zero(NULL, info, MM_PAGE_SIZE);
	*info = (struct guest_info){
		.abi = GUEST_ABI,
		.vcpus = vm->vcpu_count,
		.ram_bytes = ram_bytes,
		.arena_base = config->areas[0].start.raw,
		.arena_bytes = config->areas[0].bytes,
		.seed = config->seed,
	};
	memcpy(info->args, config->args, sizeof(info->args));
	machine_sync_code(info, MM_PAGE_SIZE); /* to memory, for a guest with its caches off */
	error = mm_aspace_map_linear(&vm->as,
	                             mm_gpa_range(mm_gpa_at(GUEST_INFO_BASE), MM_PAGE_SIZE), page,
	                             MM_R, MM_NORMAL, 0);
	return error == MM_OK || fail(vm, "info page", error);
}

static bool load(struct vm *vm)
{
	const struct vm_config *config = vm->config;
	struct guest_header header;
	const char *wrong = guest_image_check(&config->image, guest_arch_of(machine_arch),
	                                      config->ram_bytes, &header);
	uint64_t ram_bytes;

	if (wrong != NULL) {
		format_string(vm->error, sizeof(vm->error), "%s", wrong);
		return false;
	}
	ram_bytes = config->ram_bytes != 0 ? config->ram_bytes : header.memory_bytes;
	ram_bytes = mm_align_up(ram_bytes, MM_PAGE_SIZE);
	vm->entry = GUEST_RAM_BASE + header.entry;
	return load_image(vm, &header, ram_bytes) && make_info(vm, ram_bytes);
}

/* --- devices --- */

static bool add_device(struct vm *vm, const struct device_class *class, struct mm_device *device)
{
	const struct mm_device_range *at = &class->config.range;
	enum mm_error error;

	device_class_init(class, device, vm->config->name);
	error = mm_device_bus_add(&vm->bus, device);
	if (error == MM_OK && at->space == MM_DEVICE_MMIO)
		error = mm_aspace_map_device(&vm->as,
		                             mm_gpa_range(mm_gpa_at(at->base), at->length));
	return error == MM_OK || fail(vm, class->config.name, error);
}

static bool add_devices(struct vm *vm)
{
	mm_device_bus_init(&vm->bus, vm->slots, VM_DEVICES);
	for (size_t i = 0; i < device_class_count; i++) {
		const struct device_class *class = device_classes[i];

		if (i == VM_DEVICES || class->bytes > DEVICE_STATE)
			return fail(vm, class->config.name, MM_NO_MEMORY);
		if (!add_device(vm, class, &vm->devices[i].device))
			return false;
	}
	return true;
}

struct mm_device *vm_device(struct vm *vm, const struct device_class *class)
{
	for (size_t i = 0; i < device_class_count; i++) {
		if (device_classes[i] == class)
			return &vm->devices[i].device;
	}
	return NULL;
}

static void stop_devices(struct vm *vm)
{
	for (size_t i = 0; i < device_class_count; i++) {
		if (device_classes[i]->stop != NULL)
			device_classes[i]->stop(&vm->devices[i].device);
	}
}

/* --- vCPUs --- */

static bool make_vcpus(struct vm *vm)
{
	while (vm->vcpus_running < vm->vcpu_count) {
		struct vm_vcpu *v = &vm->vcpus[vm->vcpus_running];
		struct vcpu_config config = {
			.as = &vm->as,
			.index = vm->vcpus_running,
			.entry = vm->entry,
			.args = {vm->vcpus_running, GUEST_INFO_BASE},
		};
		enum mm_error error;

		v->vm = vm;
		v->timer = UINT64_MAX;
		v->vcpu.ops = vm->ops;
		error = vm->ops->create(&v->vcpu, &config);
		if (error != MM_OK)
			return fail(vm, "vCPU", error);
		vm->vcpus_running++;
	}
	return true;
}

/* --- the whole --- */

/* Frees what vm_create() has allocated. */
static void release(struct vm *vm, unsigned vcpus)
{
	struct mm_hal hal = vm->as.npt.hal;

	for (unsigned i = 0; i < vcpus; i++)
		vm->ops->destroy(&vm->vcpus[i].vcpu);
	mm_aspace_destroy(&vm->as);
	while (vm->block_count > 0) {
		vm->block_count--;
		hal.free(hal.ctx, vm->blocks[vm->block_count].order, 1,
		         &vm->blocks[vm->block_count].start);
	}
	tag_give(vm->tag);
}

static bool populate(struct vm *vm)
{
	return load(vm) && map_areas(vm) && add_devices(vm) && make_vcpus(vm);
}

bool vm_create(struct vm *vm, const struct host *host, const struct vm_config *config)
{
	memset(vm, 0, sizeof(*vm));
	vm->config = config;
	vm->host = host;
	vm->ops = host->ops;
	vm->vcpu_count = config->vcpus != 0 ? config->vcpus : 1;
	vm->frames_before = frames_free();
	vm->frames.limit = config->frame_limit != 0 ? config->frame_limit : UINT64_MAX;
	vm->vcpus = config->vcpu_room != NULL ? config->vcpu_room : vm->own_vcpus;
	if (vm->vcpu_count > (config->vcpu_room != NULL ? VM_MOST_VCPUS : VM_VCPUS))
		return fail(vm, "too many vCPUs", MM_OUT_OF_RANGE);
	memset(vm->vcpus, 0, vm->vcpu_count * sizeof(*vm->vcpus));
	if (!make_aspace(vm))
		return false;
	if (populate(vm))
		return true;
	release(vm, vm->vcpus_running);
	return false;
}

bool vm_restart(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vm->ops->destroy(&vm->vcpus[i].vcpu);
	memset(vm->vcpus, 0, vm->vcpu_count * sizeof(*vm->vcpus));
	vm->vcpus_running = 0;
	vm->outcome = VM_RUNNING;
	vm->exit_status = 0;
	vm->reason = KILL_NONE;
	if (make_vcpus(vm))
		return true;
	vm->vcpu_count = vm->vcpus_running;
	return false;
}

uint64_t vm_destroy(struct vm *vm)
{
	stop_devices(vm);
	mm_aspace_get_stats(&vm->as, &vm->stats);
	release(vm, vm->vcpu_count);
	return vm->frames_before - frames_free();
}

/* --- the end of a guest --- */

bool vm_kill(struct vm *vm, enum vm_kill reason, mm_gpa_t gpa)
{
	enum vm_outcome running = VM_RUNNING;

	if (!atomic_compare_exchange_strong(&vm->outcome, &running, VM_KILLED))
		return false;
	vm->reason = reason;
	vm->kill_gpa = gpa;
	return true;
}

void vm_vcpu_exit(struct vm_vcpu *v, uint64_t status)
{
	struct vm *vm = v->vm;
	enum vm_outcome running = VM_RUNNING;
	bool last = atomic_fetch_sub(&vm->vcpus_running, 1) == 1;

	v->exited = true;
	if (!last && status == 0)
		return;
	if (atomic_compare_exchange_strong(&vm->outcome, &running, VM_EXITED))
		vm->exit_status = status;
}

void vm_describe_vcpu(const struct vm_vcpu *v, char *text, size_t size)
{
	char code[2 * VM_CODE_BYTES + 1] = "unreadable";

	for (unsigned i = 0; i < v->last_code_bytes; i++)
		format_string(code + (size_t)2 * i, 3, "%02x", v->last_code[i]);
	if (v->exited)
		format_string(text, size, "vcpu %u: exited", v->vcpu.index);
	else
		format_string(text, size, "vcpu %u: cpu=%u pc=0x%" PRIx64 " code=%s", v->vcpu.index,
		              v->last_cpu, v->last_pc, code);
}

const char *vm_kill_name(enum vm_kill reason)
{
	static const char *const names[KILL_REASONS] = {
		[KILL_NONE] = "none",
		[KILL_NOT_MAPPED] = "not-mapped",
		[KILL_PERMISSION] = "permission",
		[KILL_OUT_OF_RANGE] = "out-of-range",
		[KILL_NO_MEMORY] = "no-memory",
		[KILL_QUOTA] = "quota",
		[KILL_MISCONFIG] = "misconfigured-entry",
		[KILL_MMIO_UNDECODED] = "mmio-undecoded",
		[KILL_MMIO_REFUSED] = "mmio-refused",
		[KILL_BUDGET] = "budget",
		[KILL_HANG] = "hang",
		[KILL_SHUTDOWN] = "shutdown",
		[KILL_FAILURE] = "entry-failure",
	};

	return (unsigned)reason < KILL_REASONS ? names[reason] : "unknown";
}
