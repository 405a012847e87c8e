#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs one command of the build. Its output file is complete or does not exist: the command writes
# it under a temporary name, and then it is renamed. So two runs of make in one tree never read an
# incomplete file.
#
# If the file cannot be written (full disk, read-only tree), this script prints one sentence instead
# of the command's messages. All other messages of the command are shown unchanged.
#
# usage: make-file.sh FILE COMMAND...     in COMMAND, @@ stands for the temporary name
#
# The file @@.deps of the command is kept as FILE with .d instead of .o or .o.bc: a list of headers.
# exit status: that of the command; 1 if the file cannot be written
set -u
file=$1
shift
temporary=$file.$$.tmp

clean() {
	rm -f "$temporary" "$temporary.deps"
}

cannot_write() { # REASON
	clean
	case $1 in
	*'Read-only'* | *'Permission denied'*) advice='run make in a copy of the tree, where you may write' ;;
	*) advice='free some space, then run make again' ;;
	esac
	echo "make: cannot write ${file%/*}: $1; $advice" >&2
	exit 1
}

# The system's reason, if a message is about writing.
reason_of() { # MESSAGE
	for reason in 'No space left on device' 'Disk quota exceeded' 'File too large' \
		'Read-only file system'; do
		case $1 in *"$reason"*) echo "$reason" && return ;; esac
	done
	[ -w "${file%/*}" ] || { echo 'Permission denied' && return; }
	# A program that maps its output into memory is killed if the disk is full.
	(head -c 65536 /dev/zero >"$temporary") 2>/dev/null || echo 'No space left on device'
}

trap 'clean; exit 130' INT TERM HUP
# The signal of a file size limit is ignored, so that the command fails with a message.
trap '' XFSZ
if [ ! -d "${file%/*}" ]; then
	message=$(LC_ALL=C mkdir -p "${file%/*}" 2>&1) || cannot_write "${message##*: }"
fi

# Copies each argument with @@ replaced.
count=$#
while [ "$count" -gt 0 ]; do
	case $1 in
	*@@*) set -- "$@" "${1%%@@*}$temporary${1#*@@}" ;;
	*) set -- "$@" "$1" ;;
	esac
	shift
	count=$((count - 1))
done

status=0
# The inner shell prints "Aborted" to a hidden output.
message=$({ "$@"; exit "$?"; } 2>&1) || status=$?
if [ "$status" -ne 0 ]; then
	reason=$(reason_of "$message")
	[ -z "$reason" ] || cannot_write "$reason"
fi
[ -z "$message" ] || printf '%s\n' "$message" >&2
if [ "$status" -eq 0 ] && [ -e "$temporary.deps" ]; then
	mv -f "$temporary.deps" "${file%.o*}.d" || status=1
fi
if [ "$status" -eq 0 ]; then
	mv -f "$temporary" "$file" || status=1
fi
[ "$status" -eq 0 ] || clean
exit "$status"
