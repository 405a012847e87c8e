/*
 * The bytes of the guest images. In .data, because that section's directive is the same in ELF
 * and in COFF; nobody writes to it.
 */
	.macro guest_image name
	.globl	guest_\name\()_start
	.globl	guest_\name\()_end
	.balign	16
guest_\name\()_start:
	.incbin	"\name\().bin"
guest_\name\()_end:
	.endm

#define GUEST(name) guest_image name

	.data
#include "kernel/guest_list.inc"
	.byte	0 /* so that the last image's end is not the section's */
