/* The payloads linked into the hypervisor, one line each: for guest_images.S, which takes their
 * bytes in, and for guest_images.c, which finds them by name. */
/* clang-format off */
GUEST(hello)
GUEST(lazy)
GUEST(fetch)
GUEST(stage1)
GUEST(mmio)
GUEST(protect)
GUEST(wild)
GUEST(spin)
GUEST(calls)
GUEST(bench)
GUEST(agent)
