#!/bin/bash
# Faultline on AArch64: QEMU's virt machine and boards, EL2.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "virt, max" --arch aarch64
boot "virt, cortex-a57" --arch aarch64 --cpu cortex-a57 --smp 4

refuse "no EL2" 3 'missing extension=el2' --arch aarch64 --machine virt,gic-version=3

done_testing
