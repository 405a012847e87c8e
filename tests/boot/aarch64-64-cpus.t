#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# AArch64, GICv3, with as many CPUs as Faultline supports, and with more.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "virt, 64 CPUs" --arch aarch64 --smp 64 --mem 512M --append 'test=crowd.*'
boot "virt, 128 CPUs" --arch aarch64 --smp 128 --mem 512M --append 'test=cpus.started' \
	--expect '64 more CPUs are not used: Faultline uses 64 at most'

done_testing
