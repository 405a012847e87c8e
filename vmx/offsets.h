/* SPDX-License-Identifier: BSD-2-Clause */
/* The offsets and field encodings that enter.S uses. vcpu.c asserts each of them. */
#ifndef VMX_OFFSETS_H
#define VMX_OFFSETS_H

#define VMX_HOST_RSP       0xd00  /* struct vmx_vcpu */
#define VMX_FIELD_HOST_RSP 0x6c14 /* VMCS_HOST_RSP */

#endif
