#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Unpacks other versions of the emulators into build/second/, beside the installed ones: QEMU of
# bookworm-backports and Bochs of Debian 13. With NEWEST=1, also the QEMU of Debian's unstable.
# Nothing is installed. `make matrix` uses the unpacked versions.
#
# The packages come from the mirror of apt's configuration ($SECOND_MIRROR: another one), and apt
# checks their signatures. Each emulator gets a root of its own with all required libraries, and a
# wrapper in build/second/NAME/bin that starts it with these libraries.
#
# Idempotent: an emulator whose wrapper works is not changed.
#
# usage: [NEWEST=1] scripts/second-opinion.sh
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
second=$top/build/second

say() {
	printf 'setup: %s\n' "$*"
}

fail() {
	say "$*" >&2
	exit 1
}

find_mirror() {
	mirror=${SECOND_MIRROR-}
	[ -z "$mirror" ] || return 0
	command -v apt-get >/dev/null || fail "there is no apt-get here: --second-opinion needs Debian"
	# shellcheck disable=SC2016 # apt expands these
	mirror=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
		sed -n 's/^Debian \([^ ]*\)$/\1/p' | sort -u | head -n 1)
	[ -n "$mirror" ] ||
		fail "apt is configured with no Debian mirror: give one in SECOND_MIRROR=URL"
}

# unpack NAME SUITE PACKAGES [DEFAULT-RELEASE]: the packages with all their dependencies.
unpack() {
	say "unpacking $3 of $2 into build/second/$1"
	started=$(date +%s)
	rm -rf "${second:?}/$1"
	mkdir -p "$second/$1/root" "$second/$1/bin"
	set -- "$@" "$second/$1/root.tar"
	if [ "$2" = bookworm-backports ]; then
		set -- "$@" --aptopt='APT::Default-Release "bookworm-backports"' \
			bookworm "$4" "deb $mirror bookworm main" "deb $mirror $2 main"
	elif [ "$2" = sid ]; then
		# The Release file of a snapshot mirror has expired.
		set -- "$@" --aptopt='Acquire::Check-Valid-Until "false"' "$2" "$4" "deb $mirror $2 main"
	else
		set -- "$@" "$2" "$4" "deb $mirror $2 main"
	fi
	tar=$4 name=$1 packages=$3
	shift 4
	timeout -s KILL 1800 mmdebstrap --variant=extract --format=tar --include="$packages" "$@" \
		>"$second/$name.log" 2>&1 ||
		fail "mmdebstrap failed: see build/second/$name.log, and try again"
	tar -x -f "$tar" -C "$second/$name/root" --no-same-owner --exclude='./dev/*' \
		--exclude='./usr/share/doc/*' --exclude='./usr/share/locale/*'
	rm -f "$tar"
	# Debian 14's packages contain no /lib64: an installer makes the link.
	[ -e "$second/$name/root/lib64" ] || ln -s usr/lib64 "$second/$name/root/lib64"
	say "$name: $(du -sh "$second/$name" | cut -f 1), $(($(date +%s) - started)) s"
}

# wrapper NAME PROGRAM BINARY ARGUMENTS: a script that works in any folder.
wrapper() {
	cat >"$second/$1/bin/$2" <<-END
		#!/bin/sh
		# Starts $3 of the root beside it, with its own libraries.
		root=\$(cd "\$(dirname "\$0")/../root" && pwd)
		export LTDL_LIBRARY_PATH="\$root/usr/lib/x86_64-linux-gnu/bochs/plugins"
		export BXSHARE="\$root/usr/share/bochs"
		export QEMU_MODULE_DIR="\$root/usr/lib/x86_64-linux-gnu/qemu"
		lib=\$root/usr/lib/x86_64-linux-gnu
		exec "\$root/lib64/ld-linux-x86-64.so.2" --library-path "\$lib:\$lib/pulseaudio" \\
			"\$root/usr/bin/$3" $4"\$@"
	END
	chmod +x "$second/$1/bin/$2"
}

# True if it starts. Its first line is the version.
works() {
	version=$(timeout -s KILL 20 "$second/$1" --version 2>&1 </dev/null |
		grep -m 1 -oE '(version|Emulator) [0-9][0-9.]*') && [ -n "$version" ]
}

[ "$(uname -m)" = x86_64 ] || fail "--second-opinion has packages only for x86-64 hosts"
mkdir -p "$second"

# qemu NAME SUITE PACKAGES
qemu() {
	if works "$1/bin/qemu-system-riscv64"; then
		say "nothing to do: build/second/$1 is there, $version"
		return
	fi
	command -v mmdebstrap >/dev/null || fail "mmdebstrap is not installed: run make setup"
	find_mirror
	unpack "$@"
	for arch in riscv64 aarch64 x86_64; do
		# shellcheck disable=SC2016 # the wrapper expands it
		wrapper "$1" "qemu-system-$arch" "qemu-system-$arch" \
			'-L "$root/usr/share/qemu" -L "$root/usr/share/seabios" '
	done
	works "$1/bin/qemu-system-riscv64" || fail "build/second/$1/bin/qemu-system-riscv64 does not start"
	say "$1: $version"
}

qemu qemu-10 bookworm-backports qemu-system-misc,qemu-system-arm,qemu-system-x86
[ -z "${NEWEST-}" ] || qemu qemu-newest sid qemu-system-riscv,qemu-system-arm,qemu-system-x86

if works bochs-3/bin/bochs; then
	say "nothing to do: build/second/bochs-3 is there, $version"
else
	command -v mmdebstrap >/dev/null || fail "mmdebstrap is not installed: run make setup"
	find_mirror
	unpack bochs-3 trixie bochs,bochs-term,vgabios
	wrapper bochs-3 bochs bochs-bin ''
	works bochs-3/bin/bochs || fail "build/second/bochs-3/bin/bochs does not start"
	say "bochs-3: $version"
fi
