#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Faultline on a later Intel CPU, with page-modification logging.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

boot "skylake_x" --arch x86_64 --emulator bochs --cpu skylake_x

done_testing
