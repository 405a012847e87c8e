/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of device classes: see devices.h. */
#include "kernel/devices.h"

#include "mm/compiler.h"

#define DEVICE(name) extern const struct device_class name##_class;
#include "kernel/device_list.inc"
#undef DEVICE

const struct device_class *const device_classes[] = {
#define DEVICE(name) &name##_class,
#include "kernel/device_list.inc"
#undef DEVICE
};

const size_t device_class_count = MM_ARRAY_SIZE(device_classes);

void device_class_init(const struct device_class *class, struct mm_device *dev, const char *owner)
{
	mm_device_init(dev, &class->config, class->ops);
	if (class->start != NULL)
		class->start(dev, owner);
}
