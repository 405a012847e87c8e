/* SPDX-License-Identifier: BSD-2-Clause */
/* The offset that enter.S uses. vmcb.h asserts it. */
#ifndef SVM_OFFSETS_H
#define SVM_OFFSETS_H

#define VMCB_RAX 0x5f8 /* struct vmcb: APM vol. 2, table B-2 */

#endif
