#!/bin/bash
# setup.sh with a fake dpkg and a fake apt: it asks before it acts, and says what it does.
# shellcheck disable=SC2016 # the fakes expand their own
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

bin=$scratch/bin few=$scratch/few
mkdir "$bin" "$few"
for tool in sh sed tr fold wc id env cat; do
	ln -s "$(command -v $tool)" "$few/"
done
# Installed is all but what $LACKING names.
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

done_testing
