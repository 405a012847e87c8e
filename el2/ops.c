/* This extension, as the rest of the hypervisor sees it. */
#include "el2/el2.h"

const struct virt_ops el2_ops = {
	.name = "el2",
	.probe = el2_probe,
};
