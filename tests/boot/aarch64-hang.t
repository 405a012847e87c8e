#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Cases that hang, on Arm.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/hang.sh
. "$top/tests/hang.sh"

hang_all el2 --arch aarch64 --smp 2
stuck el2 '0x[0-9a-f]+' --arch aarch64 --smp 2

done_testing
