/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of devices, their names and their numbers. */
#include "mm/compiler.h"
#include "mm/device.h"

static const struct {
	enum mm_device_type type;
	const char *name;
} types[] = {
	{MM_DEVICE_TYPE_DUMMY, "dummy"},
	{MM_DEVICE_TYPE_INTERRUPT_CONTROLLER, "interrupt-controller"},
	{MM_DEVICE_TYPE_CONSOLE, "console"},
	{MM_DEVICE_TYPE_FW_CFG, "fw-cfg"},
	{MM_DEVICE_TYPE_IVC_CHANNEL, "ivc-channel"},
	{MM_DEVICE_TYPE_GPPT_REDISTRIBUTOR, "gppt-redistributor"},
	{MM_DEVICE_TYPE_GPPT_DISTRIBUTOR, "gppt-distributor"},
	{MM_DEVICE_TYPE_GPPT_ITS, "gppt-its"},
	{MM_DEVICE_TYPE_X86_IO_APIC, "x86-io-apic"},
	{MM_DEVICE_TYPE_X86_PIT, "x86-pit"},
	{MM_DEVICE_TYPE_LOONGARCH_PCH_PIC, "loongarch-pch-pic"},
	{MM_DEVICE_TYPE_PPPT_GLOBAL, "pppt-global"},
	{MM_DEVICE_TYPE_VIRTIO_BLK, "virtio-blk"},
	{MM_DEVICE_TYPE_VIRTIO_NET, "virtio-net"},
	{MM_DEVICE_TYPE_VIRTIO_CONSOLE, "virtio-console"},
	{MM_DEVICE_TYPE_TEST, "test"},
	{MM_DEVICE_TYPE_TIMER, "timer"},
	{MM_DEVICE_TYPE_PASSTHROUGH, "passthrough"},
};

const char *mm_device_type_name(enum mm_device_type type)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(types); i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "unknown";
}

enum mm_error mm_device_type_from_number(uint64_t number, enum mm_device_type *out)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(types); i++) {
		if ((uint64_t)types[i].type == number) {
			*out = types[i].type;
			return MM_OK;
		}
	}
	return MM_INVALID;
}

/* The next character that matters, in lower case; the NUL at the end. */
static char next_of(const char **text)
{
	while (**text == '-' || **text == '_' || **text == ' ')
		(*text)++;

	char c = **text;

	if (c != '\0')
		(*text)++;
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_same(const char *a, const char *b)
{
	for (;;) {
		char from_a = next_of(&a);

		if (from_a != next_of(&b))
			return false;
		if (from_a == '\0')
			return true;
	}
}

enum mm_error mm_device_type_from_name(const char *name, enum mm_device_type *out)
{
	for (size_t i = 0; name && i < MM_ARRAY_SIZE(types); i++) {
		if (is_same(name, types[i].name)) {
			*out = types[i].type;
			return MM_OK;
		}
	}
	return MM_INVALID;
}
