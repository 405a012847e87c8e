/* SPDX-License-Identifier: BSD-2-Clause */
/* Boundary values for what a guest reaches without the library between: hypercalls, and the
 * emulated devices on their bus. See boundary.h. */
#include "boundary.h"
#include "bus.h"

#include <string.h>

#include "guests/abi.h"
#include "kernel/run.h"
#include "kernel_stubs.h"
#include "mm/compiler.h"

/* --- a VM around the address space --- */

static struct {
	unsigned returns;
	uint64_t error, value;
} answer;

static void note_return(struct vcpu *vcpu, uint64_t first, uint64_t second)
{
	(void)vcpu;
	answer.returns++;
	answer.error = first;
	answer.value = second;
}

static void no_interrupt(struct vcpu *vcpu, bool pending)
{
	(void)vcpu, (void)pending;
}

static const struct virt_ops ops = {
	.name = "none", .call_return = note_return, .set_interrupt = no_interrupt};
static const struct vm_config config = {.name = "b"};

static uint64_t note_step(void *ctx, struct vm_vcpu *v, uint64_t number)
{
	(void)ctx, (void)v;
	return number;
}

static const struct vm_hooks hooks = {.step = note_step};

static struct vm_vcpu *some_vcpu(struct boundary *b)
{
	struct vm *vm = b->vm;

	if (vm->ops == NULL) { /* the first time in this state */
		vm->ops = &ops;
		vm->config = &config;
		vm->bus = (struct mm_device_bus){.slots = vm->slots, .capacity = VM_DEVICES};
		vm->vcpus = vm->own_vcpus;
		for (size_t i = 0; i < device_class_count; i++) {
			device_class_init(device_classes[i], &vm->devices[i].device, config.name);
			CHECK_OK(mm_device_bus_add(&vm->bus, &vm->devices[i].device));
		}
	}
	vm->hooks = boundary_chance(b, 2) ? &hooks : NULL;
	vm->vcpus[0].vm = vm;
	return &vm->vcpus[0];
}

/* --- hypercalls --- */

static enum guest_error expected_of(enum mm_error err)
{
	switch (err) {
	case MM_OK:
		return GUEST_OK;
	case MM_INVALID:
	case MM_MISALIGNED:
		return GUEST_BAD_ARGUMENT;
	default:
		return GUEST_BAD_ADDRESS;
	}
}

/* What is certain about the answer, or GUEST_CALLS. */
static uint64_t expected_answer(struct boundary *b, const struct vm_exit_call *call)
{
	const uint64_t *a = call->args;
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(a[0]), a[1]);
	enum mm_error err;

	switch (call->function) {
	case GUEST_PRINT:
		if (a[1] > 128)
			return GUEST_BAD_ARGUMENT;
		err = boundary_expect_bytes(b, a[0], a[1], MM_R);
		return err == MM_OK && a[1] != 0 ? GUEST_CALLS : expected_of(err);
	case GUEST_REPORT:
		return a[0] < VM_REPORTS ? GUEST_OK : GUEST_BAD_ARGUMENT;
	case GUEST_PROTECT:
		if (a[2] >= MM_PERM_SETS)
			return GUEST_BAD_ARGUMENT;
		/* W without R, or X alone, may be more than the format can say. */
		if (a[2] != MM_R && a[2] != MM_RW && a[2] != MM_RWX)
			return GUEST_CALLS;
		err = boundary_expect_range(b, range);
		return err == MM_OK ? GUEST_CALLS : expected_of(err);
	case GUEST_UNMAP:
		err = boundary_expect_range(b, range);
		return err == MM_OK ? GUEST_CALLS : expected_of(err);
	case GUEST_TIMER:
		return a[0] <= UINT64_C(3600000000) ? GUEST_OK : GUEST_BAD_ARGUMENT;
	case GUEST_MOVE:
		return GUEST_REFUSED;
	case GUEST_STEP:
		return b->vm->hooks ? GUEST_OK : GUEST_UNKNOWN_CALL;
	case GUEST_NOP:
	case GUEST_YIELD:
	case GUEST_CYCLES:
	case GUEST_FAULTS:
		return GUEST_OK;
	default:
		return GUEST_UNKNOWN_CALL;
	}
}

static void call_hypercall(struct boundary *b)
{
	struct vm_vcpu *v = some_vcpu(b);
	struct vm_exit_call call = {.function = rng_below(&b->rng, GUEST_CALLS + 2)};
	uint64_t reports[VM_REPORTS];
	uint64_t expected;

	if (boundary_chance(b, 8))
		call.function = boundary_number(b);
	if (boundary_chance(b, 2)) {
		call.args[0] = boundary_address(b);
		call.args[1] = boundary_size(b, call.args[0]);
	} else {
		struct mm_gpa_range range = boundary_range(b);

		call.args[0] = range.start.raw;
		call.args[1] = range.size;
	}
	if (boundary_chance(b, 3))
		call.args[0] = boundary_enum(b);
	call.args[2] = boundary_chance(b, 2) ? boundary_number(b) : boundary_enum(b);
	boundary_before(b, "hypercall(0x%llx, 0x%llx, 0x%llx, 0x%llx)",
	                (unsigned long long)call.function, (unsigned long long)call.args[0],
	                (unsigned long long)call.args[1], (unsigned long long)call.args[2]);
	expected = expected_answer(b, &call);
	memcpy(reports, b->vm->reports, sizeof(reports));
	stubs_clear();
	answer.returns = 0;

	bool yields = hypercall(v, &call);

	CHECK_EQ(yields, call.function == GUEST_YIELD || call.function == GUEST_MOVE);
	CHECK_EQ(answer.returns, call.function == GUEST_EXIT ? 0 : 1);
	if (call.function != GUEST_EXIT && expected != GUEST_CALLS)
		CHECK_EQ(answer.error, expected);
	if (call.function == GUEST_REPORT && expected == GUEST_OK)
		reports[call.args[0]] = call.args[1];
	CHECK(memcmp(reports, b->vm->reports, sizeof(reports)) == 0);
	if (stubs_lines != 0)
		boundary_check_bytes(b, stubs_log + strlen("guest vm=b: "),
		                     strlen(stubs_log) - strlen("guest vm=b: "));
	boundary_after(b, answer.error != GUEST_OK);
}

/* --- devices --- */

static void check_uart(const struct uart *uart)
{
	CHECK(uart->length <= UART_LINE);
	CHECK_EQ(uart->lock.next, uart->lock.serving);
}

static void check_test_device(const struct test_device *test)
{
	CHECK_EQ(test->lock.next, test->lock.serving);
	CHECK_EQ(test->registers[GUEST_TEST_ID / 8], UINT64_C(0x8877665544332211));
	CHECK_EQ(test->registers[GUEST_TEST_NEG / 8], UINT64_C(0xfffefdfcfbfaf9f8));
}

static void check_devices(const struct vm *vm)
{
	for (size_t i = 0; i < device_class_count; i++) {
		const struct mm_device *device = &vm->devices[i].device;

		if (device_classes[i] == &uart_class || device_classes[i] == &uart_ports_class)
			check_uart((const struct uart *)device);
		if (device_classes[i] == &test_class || device_classes[i] == &test_msrs_class)
			check_test_device((const struct test_device *)device);
	}
}

/* Near a register, at a boundary, or anywhere. */
static uint64_t device_address(struct boundary *b)
{
	static const uint64_t bases[] = {GUEST_UART_BASE, GUEST_TEST_BASE, GUEST_UART_PORT,
	                                 GUEST_TEST_MSR};
	uint64_t base = bases[rng_below(&b->rng, MM_ARRAY_SIZE(bases))];

	switch (rng_below(&b->rng, 4)) {
	case 0:
		return boundary_number(b);
	case 1:
		return base + boundary_number(b);
	default:
		return base + rng_below(&b->rng, 0x40);
	}
}

/* What the bus says before it asks a device; MM_OK: a device was asked. */
static enum mm_error expect_device(uint32_t space, uint64_t addr, unsigned width)
{
	static const uint64_t lasts[] = {UINT64_MAX, 0xffff, 0xffffffff};
	static const unsigned widths[] = {8, 4, 8};
	bool inside = addr >= GUEST_UART_BASE && addr < GUEST_TEST_BASE + MM_PAGE_SIZE;
	unsigned more = space == MM_DEVICE_SYSREG ? 0 : width - 1;

	if (space > 2 || (width != 1 && width != 2 && width != 4 && width != 8) ||
	    width > widths[space] || addr > lasts[space] || more > lasts[space] - addr ||
	    (space == MM_DEVICE_SYSREG && width != 8))
		return MM_INVALID;
	if (space == MM_DEVICE_SYSREG)
		return addr - GUEST_TEST_MSR < TEST_REGISTERS ? MM_OK : MM_NOT_MAPPED;
	if (space == MM_DEVICE_PORT) {
		if (addr - GUEST_UART_PORT >= GUEST_UART_PORTS)
			return MM_NOT_MAPPED;
		return addr + more < GUEST_UART_PORT + GUEST_UART_PORTS ? MM_OK : MM_OUT_OF_RANGE;
	}
	if (!inside)
		return MM_NOT_MAPPED;
	return addr % MM_PAGE_SIZE + width <= MM_PAGE_SIZE ? MM_OK : MM_OUT_OF_RANGE;
}

static void call_device(struct boundary *b)
{
	struct vm *vm = some_vcpu(b)->vm;
	uint32_t space = boundary_chance(b, 2) ? (uint32_t)rng_below(&b->rng, 3) : boundary_enum(b);
	uint64_t addr = device_address(b);
	unsigned width = boundary_chance(b, 3) ? boundary_enum(b) : 1U << rng_below(&b->rng, 4);
	enum mm_error expected = expect_device(space, addr, width);
	uint64_t value = 0x7777;
	enum mm_error err;

	boundary_before(b, "device(0x%x, 0x%llx, 0x%x)", space, (unsigned long long)addr, width);
	err = bus_read(&vm->bus, (enum mm_device_space)space, addr, width, &value);
	CHECK(expected == MM_OK ? err == MM_OK || err == MM_UNSUPPORTED : err == expected);
	CHECK(err == MM_OK ? width == 8 || value >> (8 * width) == 0 : value == 0x7777);
	err = bus_write(&vm->bus, (enum mm_device_space)space, addr, width, boundary_number(b));
	CHECK(expected == MM_OK ? err == MM_OK || err == MM_UNSUPPORTED : err == expected);
	check_devices(vm);
	boundary_after(b, true);
}

const struct boundary_call boundary_kernel[] = {
	{"hypercall", call_hypercall},
	{"mm_device_bus_read_mmio", call_device, .one_way = true},
	{"mm_device_bus_read_port", call_device, .one_way = true},
	{"mm_device_bus_read_sysreg", call_device, .one_way = true},
	{"mm_device_bus_write_mmio", call_device, .one_way = true},
	{"mm_device_bus_write_port", call_device, .one_way = true},
	{"mm_device_bus_write_sysreg", call_device, .one_way = true},
	{"device_class_init", call_device, .one_way = true},
};

const size_t boundary_kernel_count = MM_ARRAY_SIZE(boundary_kernel);
