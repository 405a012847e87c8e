/* SPDX-License-Identifier: BSD-2-Clause */
/* The offsets into struct hext_vcpu that enter.S uses. hext.h asserts each of them. */
#ifndef HEXT_OFFSETS_H
#define HEXT_OFFSETS_H

#define VCPU_X(n)    (8 * (n))
#define VCPU_HOST_SP 256
#define VCPU_HOST_TP 264

#endif
