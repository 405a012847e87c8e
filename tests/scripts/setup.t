#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# setup.sh with a fake dpkg and a fake apt: it checks before it acts, and prints its actions.
# shellcheck disable=SC2016 # the fakes expand their own
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

bin=$scratch/bin few=$scratch/few
mkdir "$bin" "$few"
for tool in sh sed tr fold wc id env cat; do
	ln -s "$(command -v $tool)" "$few/"
done
# All packages are installed except those in $LACKING.
cat >"$bin/dpkg-query" <<'END'
#!/bin/sh
for package; do :; done
case " $LACKING " in
*" $package "*) exit 1 ;;
*) printf 'install ok installed' ;;
esac
END
cat >"$bin/apt-get" <<'END'
#!/bin/sh
echo "apt-get $*" | sed 's/-o [^ ]* //'
case "$*" in *install*) exit "${APT_STATUS:-0}" ;; esac
END
printf '#!/bin/sh\necho "as root: $1"\nexec "$@"\n' >"$few/sudo"
printf '#!/bin/sh\necho "${FAKE_UID:-0}"\n' >"$bin/id"
chmod +x "$bin"/* "$few/sudo"

setup() { # VARIABLE=... ...
	env PATH="$bin:$few" "$@" sh "$top/scripts/setup.sh"
}

runs 0 "nothing lacks" setup
shows "it says so" 'nothing to do: all [0-9]+ packages are installed'
check "and leaves apt alone" test -z "$(grep apt-get <<<"$out")"

runs 0 "something lacks" setup LACKING="clang bochs"
shows "it says what" '^setup: installing clang bochs bochs-term$'
shows "fetches lists" '^apt-get .*update$'
shows "installs that and nothing else" \
	'^apt-get install .*-y .*--no-install-recommends clang bochs bochs-term$'
runs 1 "apt fails" setup LACKING=lld APT_STATUS=1

runs 0 "not root" setup LACKING=lld FAKE_UID=1000
shows "it asks sudo" '^as root: apt-get$'
rm "$few/sudo"
runs 1 "not root, and no sudo" setup LACKING=lld FAKE_UID=1000
shows "it says what to run" 'run as root: apt-get install lld$'

runs 1 "not a Debian" env PATH="$few" sh "$top/scripts/setup.sh"
shows "it says what to install" 'clang lld llvm '
check "--list names them" sh -c "'$top/scripts/setup.sh' --list | grep -qx qemu-system-misc"

runs 2 "an unknown option" env PATH="$few:$PATH" sh "$top/scripts/setup.sh" --second
shows "it says which there are" '--list . --second-opinion'

# The second emulators, in a copy of the tree, with a fake mmdebstrap that writes a root.
copy=$scratch/copy
mkdir -p "$copy/scripts"
cp "$top"/scripts/{setup,second-opinion}.sh "$copy/scripts/"
cat >"$bin/mmdebstrap" <<'END'
#!/bin/bash
root=$(mktemp -d -p "${0%/*}") && mkdir -p "$root/usr/bin" "$root/lib64"
echo "$*" >"${0%/*}/asked.$RANDOM"
[ -z "$MMDEBSTRAP_STATUS" ] || exit "$MMDEBSTRAP_STATUS"
# The fake loader runs its argument, as the real loader does.
printf '#!/bin/sh\nshift 2\nexec "$@"\n' >"$root/lib64/ld-linux-x86-64.so.2"
printf '#!/bin/sh\necho "version 10.0.2"\n' >"$root/usr/bin/qemu-system-riscv64"
printf '#!/bin/sh\necho "Bochs x86 Emulator 3.0"\n' >"$root/usr/bin/bochs-bin"
chmod +x "$root"/*/* "$root"/usr/bin/*
for tar; do case $tar in *.tar) tar -C "$root" -cf "$tar" . ;; esac; done
END
cat >"$bin/apt-get" <<'END'
#!/bin/sh
[ -n "$NO_MIRROR" ] || printf '%s\n' "Debian http://a.mirror/debian/" "Debian-Security http://b/s/"
END
chmod +x "$bin"/*
rm "$bin/id"

second() { # VARIABLE=... ...
	env PATH="$bin:$PATH" "$@" "$copy/scripts/setup.sh" --second-opinion
}

runs 1 "no mirror" second NO_MIRROR=yes
shows "it says what to give" 'SECOND_MIRROR=URL'
runs 1 "mmdebstrap fails" second MMDEBSTRAP_STATUS=1
shows "it says where the log is" 'see build/second/qemu-10.log'
runs 0 "unpacks" second
shows "QEMU" '^setup: qemu-10: version 10.0.2$'
shows "and Bochs" '^setup: bochs-3: Emulator 3.0$'
shows "with size and time" '^setup: qemu-10: [0-9]+K, [0-9]+ s$'
check "from the mirror of the host" grep -q 'deb http://a.mirror/debian/ bookworm-backports main' \
	"$bin"/asked.*
runs 0 "the newest QEMU" second NEWEST=1
shows "is unpacked" '^setup: qemu-newest: version 10.0.2$'
check "from unstable" grep -q 'qemu-system-riscv,.* sid .*deb http://a.mirror/debian/ sid main' "$bin"/asked.*
rm "$bin/mmdebstrap"
runs 0 "again" second
shows "it leaves QEMU alone" 'nothing to do: build/second/qemu-10'
shows "and Bochs" 'nothing to do: build/second/bochs-3'

done_testing
