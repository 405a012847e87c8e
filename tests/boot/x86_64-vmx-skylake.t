#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Faultline on a later Intel CPU, with page-modification logging, and on 2 CPUs.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "skylake_x, 2 CPUs" --arch x86_64 --emulator bochs --cpu skylake_x --smp 2

done_testing
