#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/fresh in environments where it cannot run, and its usage. The full run takes minutes: make
# test-fresh.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

runs 2 "an unknown option" "$top/tests/fresh" --frob
shows "says which there are" '^usage: tests/fresh .*--without PACKAGE'
runs 2 "no number of times" "$top/tests/fresh" --times no

# A folder with its programs only, and a fake user. Each missing thing is named.
mkdir "$scratch/bin"
for tool in bash dirname sed; do
	ln -s "$(command -v "$tool")" "$scratch/bin/"
done
fake() { # NAME TEXT
	printf '#!/bin/bash\n%s\n' "$2" >"$scratch/bin/$1"
	chmod +x "$scratch/bin/$1"
}
cannot() { # NAME REASON
	runs 77 "$1" env PATH="$scratch/bin" "$top/tests/fresh" --check
	shows "is named" "^fresh: cannot run here: $2"
}
fake id 'echo 1000'
cannot "not root" 'chroot needs root$'
fake id 'echo 0'
cannot "no apt" 'there is no apt-get$'
fake apt-get ''
cannot "no mmdebstrap" 'mmdebstrap is not installed \(make setup\)$'
fake mmdebstrap ''
fake unshare 'exit 1'
cannot "no namespaces" 'no mount namespaces here$'

if command -v mmdebstrap >/dev/null; then
	runs 0 "mmdebstrap" mmdebstrap --version
else
	skip "mmdebstrap" "not installed"
fi

done_testing
