#!/bin/bash
# Bad command lines and guest images, from files on the EFI system partition.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"
# shellcheck source=tests/bad-input.sh
. "$top/tests/bad-input.sh"

bad_command_lines --arch x86_64 --virt svm
bad_guests x86_64 aarch64 --arch x86_64 --virt svm

done_testing
