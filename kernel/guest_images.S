/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of the guest images. They are in .data because the directive for that section is the
 * same in ELF and in COFF. They are never written.
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
	.byte	0 /* so that the end of the last image is inside the section */
