#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Faultline on Intel: VMX and EPT, in Bochs, or under KVM if the host supports nesting.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "haswell" --arch x86_64 --emulator bochs
boot "haswell, 4 CPUs" --arch x86_64 --emulator bochs --smp 4 --append 'test=*smp.*'
boot "KVM" --arch x86_64 --accel kvm --virt vmx
boot "haswell, not named as Bochs" --arch x86_64 --emulator bochs --append 'test=misconfig.misaligned-2m.* emulator=auto'

refuse "VMX without EPT" 3 'missing extension=vmx' --arch x86_64 --emulator bochs --cpu core2_penryn_t9600

done_testing
