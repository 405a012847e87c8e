#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/loongarch.patch adds a fifth page-table format. It applies to this tree, changes the files
# and lines that docs/formats.md gives, and the tests of formats pass on it.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

patch=$top/docs/loongarch.patch
copy=$scratch/tree
mkdir "$copy"
(cd "$top" && git ls-files -z --cached --others --exclude-standard |
	xargs -0 cp --parents -t "$copy" 2>/dev/null)
cd "$copy" || exit 1
git init -q .

check "the patch applies" git apply --check "$patch"
git apply "$patch"

# As `git apply --stat` counts them.
while read -r added removed file; do
	check "$file: +$added -$removed, as docs/formats.md says" \
		grep -qxF "| \`$file\` | $added | $removed |" docs/formats.md
done < <(git apply --numstat "$patch")
# shellcheck disable=SC2016 # backticks of Markdown
check "docs/formats.md lists no other file" \
	test "$(grep -cE '^\| `[^`]+` \| [0-9]+ \| [0-9]+ \|$' docs/formats.md)" = \
	"$(git apply --numstat "$patch" | wc -l)"

runs 0 "test_format builds with it" make build/host/asan/test_format
runs 0 "test_format passes" build/host/asan/test_format
shows "on the new format as well" '^ok .*/la48$'
done_testing
