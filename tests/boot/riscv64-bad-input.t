#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bad command lines and guest images.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"
# shellcheck source=tests/bad-input.sh
. "$top/tests/bad-input.sh"

bad_command_lines --arch riscv64
bad_guests riscv64 aarch64 --arch riscv64

done_testing
