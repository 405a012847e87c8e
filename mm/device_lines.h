/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt lines of a device on its bus. Not for users of the library. */
#ifndef MM_DEVICE_LINES_H
#define MM_DEVICE_LINES_H

#include "mm/device.h"

/* Claims all lines of the device or none. */
enum mm_error mm_device_lines_claim(struct mm_device_bus *bus, const struct mm_device *dev);
/* Releases the first `count` lines of the device, which are claimed. */
void mm_device_lines_release(struct mm_device_bus *bus, const struct mm_device *dev, size_t count);

#endif
