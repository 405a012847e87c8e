# SPDX-License-Identifier: BSD-2-Clause
"""
Copies of the tree in which on_target.py builds images with defects.

build/mutants-target/N is the copy of job N, build/mutants-target/clean has the objects and images
of the tree without a defect. Before each defect a copy gets these objects again, as hard links: the
build renames complete files into place and never writes into one. So make compiles only what
depends on the changed files.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
ROOT = os.path.join(TOP, "build/mutants-target")
CLEAN = os.path.join(ROOT, "clean")

# What a machine boots; the RISC-V ELF has debug information, so that its flat image is compared.
IMAGES = {"riscv64": "faultline.bin", "aarch64": "faultline.img", "x86_64": "BOOTX64.EFI"}

# Folders of build/ that the host tests need: their objects, and instructions for the decoders.
HOST_PARTS = ("host/asan", "host/insns")
HOST_SECONDS = 300  # after which a host test hangs

# What decides a verdict beside the defect itself.
STATE_FOLDERS = "boot decode el2 guests hext kernel machine mm suite svm tests/host tests/oracle vmx x86".split()
STATE_FILES = ("Makefile tests/host.mk scripts/bochsrc.in scripts/check-log scripts/emulator-commands.sh scripts/run-qemu.sh "
               "scripts/tap.py").split()

_lock = None


def lock():
    """One run at a time in a tree. False: there is another one."""
    global _lock
    os.makedirs(ROOT, exist_ok=True)
    _lock = open(os.path.join(ROOT, "lock"), "w")
    try:
        fcntl.flock(_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def read(path):
    """A file of the tree; empty if there is none."""
    try:
        with open(os.path.join(TOP, path)) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def sources_of(folder):
    """{path: text} of the C and assembly files of a folder of the tree and of those in it."""
    found = {}
    for here, _, names in sorted(os.walk(os.path.join(TOP, folder))):
        for name in sorted(names):
            if name.endswith((".c", ".h", ".S", ".inc")):
                path = os.path.relpath(os.path.join(here, name), TOP)
                found[path] = read(path)
    return found


def state_of(tree):
    """A hash of all files that decide verdicts."""
    state = hashlib.sha256()
    paths = [os.path.join(tree, name) for name in STATE_FILES]
    for folder in STATE_FOLDERS:
        for here, _, names in os.walk(os.path.join(tree, folder)):
            paths += [os.path.join(here, name) for name in names if not name.startswith(".")]
    for path in sorted(paths):
        if os.path.exists(path):
            state.update(os.path.relpath(path, tree).encode() + b"\0")
            with open(path, "rb") as file:
                state.update(file.read() + b"\0")
    return state.hexdigest()


def loaded_bytes(path):
    """An image without its build time, which a PE image has in its header and its debug directory."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"MZ" and path.endswith(".EFI"):
        header = int.from_bytes(data[60:64], "little")
        data = data.replace(data[header + 8:header + 12], bytes(4))
    return data


def _copy_tree(source, target):
    def unwanted(here, names):
        top = os.path.samefile(here, source)
        return [n for n in names if n == "__pycache__" or (top and n in ("build", ".git"))]

    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True, ignore=unwanted)


def _link_tree(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=os.link)


class Tree:
    """The copy of one job. Plant, build, run, reset."""

    def __init__(self, number, source=TOP):
        self.path = os.path.join(ROOT, str(number))
        self.changed = {}
        self.stale = set()
        _copy_tree(source, self.path)
        os.makedirs(os.path.join(self.path, "build"), exist_ok=True)

    def make(self, arch, jobs=1):
        """"" or the messages of make."""
        self.stale.add(arch)
        return self._make(jobs, f"ARCH={arch}", "all")

    def _make(self, jobs, *goals):
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        # A defect may leave a function without a caller, which is no error here.
        done = subprocess.run(["make", "-s", f"-j{jobs}", "WARN=-w", *goals],
                              cwd=self.path, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        return done.stdout.decode(errors="replace") or "make failed" if done.returncode else ""

    def make_hosts(self, tests, jobs=1):
        """"" or the messages of make."""
        self.stale.update(HOST_PARTS)
        return self._make(jobs, *(f"build/{HOST_PARTS[0]}/{test}" for test in tests))

    def run_host(self, test):
        """(verdict, lines of output) of a host test that was built."""
        process = subprocess.Popen([os.path.join(self.path, "build", HOST_PARTS[0], test)],
                                   cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            output = process.communicate(timeout=HOST_SECONDS)[0]
            verdict = "detected" if process.returncode else "lives"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, verdict = process.communicate()[0], "hangs"
        return verdict, output.decode(errors="replace").splitlines()

    def image(self, arch):
        return os.path.join(self.path, "build", arch, IMAGES[arch])

    def make_clean(self, arch, jobs):
        """Builds an architecture without a defect and keeps it for all copies."""
        built = os.path.join(self.path, "build", arch)
        ready = os.path.join(TOP, "build", arch)
        if os.path.isdir(ready):
            shutil.rmtree(built, ignore_errors=True)
            shutil.copytree(ready, built, ignore=shutil.ignore_patterns("*.tmp", "*.deps"))
        trouble = self.make(arch, jobs)
        if trouble:
            raise SystemExit(f"mutants-target: {arch} does not build as it is:\n{trouble}")
        _link_tree(built, os.path.join(CLEAN, arch))
        self.stale.discard(arch)

    def make_clean_hosts(self, tests, jobs):
        """The same for host tests, which must pass."""
        for part in HOST_PARTS:
            ready, built = os.path.join(TOP, "build", part), os.path.join(self.path, "build", part)
            if os.path.isdir(ready):
                shutil.rmtree(built, ignore_errors=True)
                shutil.copytree(ready, built, ignore=shutil.ignore_patterns("*.tmp", "*.deps"))
        trouble = self.make_hosts(tests, jobs)
        if trouble:
            raise SystemExit(f"mutants-target: the host tests do not build as they are:\n{trouble}")
        for test in tests:
            verdict, lines = self.run_host(test)
            if verdict != "lives":
                raise SystemExit("\n".join(lines[-20:] + [f"mutants-target: {test} fails without any defect"]))
        for part in HOST_PARTS:
            os.makedirs(os.path.join(self.path, "build", part), exist_ok=True)
            _link_tree(os.path.join(self.path, "build", part), os.path.join(CLEAN, part))
        self.stale.difference_update(HOST_PARTS)

    def furnish(self, arch):
        _link_tree(os.path.join(CLEAN, arch), os.path.join(self.path, "build", arch))
        self.stale.discard(arch)

    def is_changed(self, arch):
        """Is the image of this architecture, now built, another one than without the defect?"""
        image, clean = self.image(arch), os.path.join(CLEAN, arch, IMAGES[arch])
        if os.path.samefile(image, clean):
            return False
        return loaded_bytes(image) != loaded_bytes(clean)

    def plant(self, changed):
        for path, text in changed.items():
            at = os.path.join(self.path, path)
            with open(at, "rb") as file:
                self.changed[path] = (file.read(), os.stat(at).st_atime_ns, os.stat(at).st_mtime_ns)
            with open(at, "w") as file:
                file.write(text)

    def reset(self):
        """The files as they were, with their old times, and the objects that belong to them."""
        for path, (data, accessed, modified) in self.changed.items():
            at = os.path.join(self.path, path)
            with open(at, "wb") as file:
                file.write(data)
            os.utime(at, ns=(accessed, modified))
        self.changed = {}
        for arch in list(self.stale):
            self.furnish(arch)
