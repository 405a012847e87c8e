#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# make install and make uninstall, and separate projects that build with the installed library: by
# make and pkg-config, CMake, Meson, and in C++ (tests/lib/projects/).
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

cd "$top" || exit 1
unset MAKELEVEL MAKEFLAGS MAKEOVERRIDES MFLAGS PREFIX DESTDIR LIBDIR INCLUDEDIR MANDIR DOCDIR
version=$(make -s print-lib-version)
major=${version%%.*}
projects=tests/lib/projects
answer='^value=42 leaked=0 version=same$'

# --- what is refused ---
refused() { # NAME REGEX VARIABLE=...
	local name=$1 regex=$2
	shift 2
	runs 2 "$name" make -s install "$@"
	shows "it says what to do" "$regex"
}
refused "a relative PREFIX" 'PREFIX=usr is relative; give an absolute path' PREFIX=usr
refused "a relative LIBDIR" 'LIBDIR=lib64 is relative; give an absolute path' PREFIX=/usr LIBDIR=lib64
refused "a relative DESTDIR" 'DESTDIR=stage is relative; give an absolute path' DESTDIR=stage
refused "a PREFIX with a blank" 'PREFIX=/opt/a b has a blank' PREFIX='/opt/a b'
refused "a mistyped variable" 'PREFX=: no such variable; did you mean PREFIX' PREFX=/usr
touch "$scratch/file"
refused "a PREFIX that is a file" 'cannot make .*/file/lib/.*; choose another PREFIX or DESTDIR' \
	PREFIX="$scratch/file"

# --- for a package: DESTDIR, with a blank ---
stage="$scratch/st age"
mkdir -p "$stage/usr/include/mm" "$stage/usr/share/man/man3"
touch "$stage/usr/include/mm/other.h" "$stage/usr/share/man/man3/mm_aspace_other.3"
check "make install" make -s install DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib64
mapfile -t files < <(cd "$stage" && find . \( -type f -o -type l \) | sort)
has() {
	check "installs $1" test -s "$stage/$1"
}
for header in mm/include/mm/*.h; do
	has "usr/include/faultline-mm/mm/${header##*/}"
done
for page in $(scripts/make-man --list); do
	has "usr/share/man/man3/$page.3"
done
for file in libfaultline-mm.a "libfaultline-mm.so.$version" "libfaultline-mm.so.$major" libfaultline-mm.so \
	pkgconfig/faultline-mm.pc cmake/faultline-mm/faultline-mm-config{,-version}.cmake; do
	has "usr/lib64/$file"
done
has usr/share/doc/faultline-mm/LICENSE
check "and nothing else, apart from what was there" test "$(printf '%s\n' "${files[@]}" | grep -cv \
	-e faultline-mm -e /man3/mm_aspace_ -e '/mm/other\.h$')" -eq 0
check "no package file names the build or DESTDIR" \
	test -z "$(grep -rlF -e "$top" -e "$stage" "$stage/usr/lib64/pkgconfig" "$stage/usr/lib64/cmake" "$stage/usr/share")"
check "make install again" make -s install DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib64
check "make uninstall" make -s uninstall DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib64
left=$(cd "$stage" && find . -type f -o -type l -o -name '*faultline*' | sort | tr '\n' ' ')
check "removes its own files, and no others" \
	test "$left" = "./usr/include/mm/other.h ./usr/share/man/man3/mm_aspace_other.3 "

# --- for use ---
prefix=$scratch/prefix
check "make install, for use" make -s install PREFIX="$prefix"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
build() { # PROJECT: a copy of it outside this tree
	mkdir -p "$scratch/build"
	cp -r "$projects/$1" "$scratch/build/$1"
	[ "$1" = cxx ] || cp tests/lib/small.c "$scratch/build/$1/"
	cd "$scratch/build/$1" || exit 1
}
shared() { # NAME REGEX PROGRAM: runs with the shared library
	runs 0 "$1" env LD_LIBRARY_PATH="$prefix/lib" "$3"
	shows "$1: the right answer" "$2"
	runs 0 "$1: its libraries" llvm-readelf -d "$3"
	shows "$1: one is the shared library, by its soname" "NEEDED.*\[libfaultline-mm\.so\.$major\]"
}
archive() { # NAME PROGRAM: runs without it
	runs 0 "$1" "$2"
	shows "$1: the right answer" "$answer"
}

if command -v pkg-config >/dev/null; then
	runs 0 "pkg-config" pkg-config --modversion faultline-mm
	shows "has the version of the headers" "^${version//./\\.}$"
	runs 0 "pkg-config --cflags" pkg-config --cflags faultline-mm
	shows "has the folder of the library's own" "^-I$prefix/include/faultline-mm *$"
	(build make && make) >"$scratch/log" 2>&1
	check "make: builds" test -x "$scratch/build/make/small"
	shared "make: runs" "$answer" "$scratch/build/make/small"
	(cd "$scratch/build/make" && make -B STATIC=1) >"$scratch/log" 2>&1
	archive "make: runs with the archive" "$scratch/build/make/small"
	(build cxx && make) >"$scratch/log" 2>&1
	check "C++: builds" test -x "$scratch/build/cxx/guest"
	shared "C++: runs" '^value=42 then=not mapped version=same$' "$scratch/build/cxx/guest"
else
	skip "make and C++: build" "pkg-config is not installed"
fi

if command -v cmake >/dev/null; then
	(build cmake && cmake -DCMAKE_PREFIX_PATH="$prefix" -B out . && cmake --build out) >"$scratch/log" 2>&1
	check "CMake: builds" test -x "$scratch/build/cmake/out/small-static"
	shared "CMake: runs" "$answer" "$scratch/build/cmake/out/small"
	archive "CMake: runs with the archive" "$scratch/build/cmake/out/small-static"
	configure() { # VERSION
		cmake -DCMAKE_PREFIX_PATH="$prefix" -DFAULTLINE_VERSION="$1" -S "$scratch/build/cmake" -B "$scratch/build/asked-$1"
	}
	runs 1 "CMake: a later major version is refused" configure $((major + 1))
	shows "with the version that there is" "version: ${version//./\\.}"
	runs 1 "CMake: a later minor version is refused" configure "$major.200"
	check "CMake: any version is accepted if none is asked for" configure ""
	suits() { # BITS: the answer of the version file alone
		# shellcheck disable=SC2016 # CMake expands it
		printf '%s\n' "set(CMAKE_SIZEOF_VOID_P $(($1 / 8)))" "set(PACKAGE_FIND_VERSION $version)" \
			"set(PACKAGE_FIND_VERSION_MAJOR $major)" \
			"include($prefix/lib/cmake/faultline-mm/faultline-mm-config-version.cmake)" \
			'message("compatible=${PACKAGE_VERSION_COMPATIBLE} unsuitable=${PACKAGE_VERSION_UNSUITABLE}")' \
			>"$scratch/suits.cmake"
		cmake -P "$scratch/suits.cmake"
	}
	runs 0 "CMake: 64 bits" suits 64
	shows "are right" '^compatible=TRUE unsuitable=$'
	runs 0 "CMake: 32 bits" suits 32
	shows "are refused" 'unsuitable=TRUE$'
	# Another system: the package of `make lib`, which has the archive only.
	check "make lib-riscv64" make -s lib-riscv64
	cat >>"$scratch/build/cmake/CMakeLists.txt" <<-END
		enable_language(ASM)
		target_sources(small PRIVATE $top/tests/lib/bare.c $top/tests/lib/start_riscv64.S)
	END
	cross() {
		cmake -DCMAKE_TOOLCHAIN_FILE=riscv64.cmake -DCMAKE_PREFIX_PATH="$top/build/lib/riscv64" \
			-S "$scratch/build/cmake" -B "$scratch/build/cross" &&
			cmake --build "$scratch/build/cross" --target small
	}
	check "CMake: builds for riscv64" cross
	if command -v qemu-riscv64 >/dev/null; then
		runs 0 "CMake: runs on riscv64" qemu-riscv64 "$scratch/build/cross/small"
		shows "CMake: the right answer on riscv64" "$answer"
	else
		skip "CMake: runs on riscv64" "qemu-riscv64 is not installed"
	fi
else
	skip "CMake: builds" "cmake is not installed"
fi

# By pkg-config, and as a subproject that Meson fetches from a repository.
if command -v meson >/dev/null && command -v ninja >/dev/null; then
	(build meson && meson setup out && ninja -C out) >"$scratch/log" 2>&1
	check "Meson: builds" test -x "$scratch/build/meson/out/small"
	shared "Meson: runs" "$answer" "$scratch/build/meson/out/small"
	repository=$scratch/faultline
	mkdir "$repository"
	cp -r LICENSE meson.build mm "$repository/"
	git -C "$repository" init -q -b main
	git -C "$repository" add .
	git -C "$repository" -c user.name=test -c user.email=test@localhost commit -q -m "a release"
	mkdir "$scratch/build/meson/subprojects"
	# shellcheck disable=SC2016 # backquotes of Markdown
	sed -n '/^\[wrap-git\]$/,/^```$/{/^```$/d;p}' docs/library.md |
		sed -e "s|^url = .*|url = file://$repository|" -e 's|^revision = .*|revision = main|' \
			>"$scratch/build/meson/subprojects/faultline-mm.wrap"
	check "docs/library.md has the wrap" grep -qx '\[provide\]' "$scratch/build/meson/subprojects/faultline-mm.wrap"
	wrapped() { # COMPILER
		cd "$scratch/build/meson" && CC=$1 meson setup --wrap-mode=forcefallback --werror "wrapped-$1" &&
			ninja -C "wrapped-$1"
	}
	for cc in clang gcc; do
		command -v $cc >/dev/null || continue
		check "Meson, $cc: builds the library as a subproject, without warnings" wrapped $cc
		archive "Meson, $cc: runs" "$scratch/build/meson/wrapped-$cc/small"
	done
else
	skip "Meson: builds" "meson is not installed"
fi

done_testing
