#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the packages that Faultline needs for building, running and testing: Debian 12 packages.
#
# Idempotent: it asks dpkg first. If nothing is missing, it does not need root and does not use the
# network. On other systems it lists the packages to install by hand, and fails.
#
# usage: scripts/setup.sh [--list | --second-opinion]
#   --list             prints the packages, one per line
#   --second-opinion   unpacks newer emulators into build/second/, for make matrix; installs nothing
set -eu

# package			what for
packages() {
	sed -e 's/[[:space:]]*#.*//' -e '/^$/d' <<-END
		clang                   # the compiler for all three targets and the host
		lld                     # the linker: ELF and UEFI images
		llvm                    # llvm-objcopy, llvm-nm, llvm-cov
		libclang-rt-14-dev      # ASan, UBSan, libFuzzer for the host tests
		libc6-dev               # the host tests' C library
		g++                     # make test: the library's headers in a second compiler, C and C++
		libcmocka-dev           # the host tests' framework
		gnu-efi                 # UEFI headers for the x86-64 boot path
		qemu-system-x86         # x86-64 with SVM, or VMX by nested KVM
		qemu-system-arm         # AArch64 with EL2
		qemu-system-misc        # RISC-V with the H extension, and OpenSBI
		bochs                   # x86-64 with VMX
		vgabios                 # the VGA BIOS that Bochs loads; seabios alone does not bring it
		ovmf                    # UEFI firmware for x86-64
		device-tree-compiler    # device trees for boards without one, and for tests
		clang-format            # make lint, make format
		clang-tidy              # make lint
		shellcheck              # make lint
		valgrind                # make bench: instruction counts
		gdb-multiarch           # make gdb
		pkgconf                 # make install: tests find the library through pkg-config
		cmake                   # the same: through its CMake package
		meson                   # the same: a Meson project, and the library as a subproject
		qemu-user               # make lib: tests run programs with the archives of other targets
		doxygen                 # make docs: the reference of the library's calls
		man-db                  # make docs: a test reads the manual pages as man does
		frama-c-base            # make proofs, part of make test: range arithmetic for all values
		why3                    # the same: between Frama-C and the provers
		cvc4                    # the same: a prover
		z3                      # the same: a prover; and for the claims on page-table entries
		mmdebstrap              # make test-fresh: a minimal Debian for the test
		perl                    # prove, which runs tests one by one
		python3                 # scripts/
	END
}

if [ "${1-}" = --list ]; then
	packages
	exit 0
fi
if [ "${1-}" = --second-opinion ]; then
	exec "$(dirname "$0")/second-opinion.sh"
fi
if [ $# -gt 0 ]; then
	echo "setup: unknown word '$1'; usage: scripts/setup.sh [--list | --second-opinion]" >&2
	exit 2
fi

say() {
	printf 'setup: %s\n' "$*"
}

by_hand() {
	say "$1; install these by hand, by the names they have here:" >&2
	packages | tr '\n' ' ' | fold -s -w 92 | sed 's/^/    /' >&2
	echo >&2
	exit 1
}

command -v dpkg-query >/dev/null || by_hand "this is not a Debian"
command -v apt-get >/dev/null || by_hand "there is no apt-get here"

missing=
for package in $(packages); do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
	*' ok installed') ;;
	*) missing="$missing $package" ;;
	esac
done
if [ -z "$missing" ]; then
	say "nothing to do: all $(packages | wc -l) packages are installed"
	exit 0
fi

# shellcheck source=/dev/null
. /etc/os-release
if [ "${ID-}" != debian ] || [ "${VERSION_ID-}" != 12 ]; then
	say "made for Debian 12; on ${PRETTY_NAME-this system} versions may differ" >&2
fi

# Bochs requires one of its screens. This is the smallest. No screen is ever shown.
case "$missing " in
*' bochs '*) missing="$missing bochs-term" ;;
esac

root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		say "needs root, and there is no sudo: run as root: apt-get install$missing" >&2
		exit 1
	}
	root=sudo
fi

say "installing$missing"
say "apt-get update"
# shellcheck disable=SC2086 # $root is one word or none, $missing a list of words
{
	$root apt-get -q -o Acquire::Retries=3 update
	say "apt-get install"
	$root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y -o Acquire::Retries=3 --no-install-recommends $missing
}
say "done"
