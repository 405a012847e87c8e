# SPDX-License-Identifier: BSD-2-Clause
"""
Defects of the hypervisor, one file per folder of the tree: hext.py, el2.py, svm.py, vmx.py, x86.py,
machine_riscv64.py, machine_aarch64.py, machine_x86_64.py, decode.py, kernel.py, boot.py.

Each file has a list DEFECTS. A defect is small: one mistake that a programmer could make. The old
text occurs exactly once in its file, in whatever way it is broken into lines; <this> in it stands for
any name, and in the new text for the same one. Whoever changes that code brings the defect up to
date (tests/scripts/mutants.t). `make mutants-target` plants each one and runs the suite.

	from . import Defect

	DEFECTS = [
	Defect("vsepc-not-restored",
	       ("hext/state.h", "X(vsepc)", ""),
	       cases="state.*"),
	]
"""

from dataclasses import dataclass


@dataclass
class Defect:
    name: str  # unique in its folder
    edits: tuple  # (file, old text, new text), or a tuple of these
    # globs of the cases that are likely to detect it, separated by spaces; host:test_x: a host test
    cases: str = ""
    on: str = ""  # machines of MACHINES, separated by spaces; empty: those of its folder
    unseen: str = ""  # why no emulator can show it; empty: at least one of its machines can

    def __init__(self, name, *edits, cases="", on="", unseen=""):
        self.name, self.edits = name, edits
        self.cases, self.on, self.unseen = cases, on, unseen


# Machine: options of scripts/run-qemu.sh.
MACHINES = {
    "riscv64": "--arch riscv64 --smp 4",
    "riscv64-v": "--arch riscv64 --smp 4 --cpu rv64,v=on,vlen=256",
    "riscv64-svnapot": "--arch riscv64 --smp 4 --cpu rv64,svnapot=true,svpbmt=true",
    "riscv64-sstc-off": "--arch riscv64 --smp 4 --cpu rv64,sstc=off",
    "aarch64": "--arch aarch64 --smp 4 --cpu max",
    "aarch64-a57": "--arch aarch64 --smp 4 --cpu cortex-a57",
    "aarch64-gicv2": "--arch aarch64 --smp 4 --cpu cortex-a72 --machine virt,virtualization=on,gic-version=2",
    "aarch64-raspi3b": "--arch aarch64 --machine raspi3b",
    "svm": "--arch x86_64 --virt svm --smp 4",
    "vmx": "--arch x86_64 --emulator bochs",
    "vmx-2": "--arch x86_64 --emulator bochs --smp 2",
    "vmx-skylake": "--arch x86_64 --emulator bochs --cpu skylake_x",
}

# Folder: the file of this package with its defects, and the machines that run its code.
FOLDERS = {
    "hext": ("hext", "riscv64"),
    "el2": ("el2", "aarch64"),
    "svm": ("svm", "svm"),
    "vmx": ("vmx", "vmx"),
    "x86": ("x86", "svm vmx"),
    "machine/riscv64": ("machine_riscv64", "riscv64"),
    "machine/aarch64": ("machine_aarch64", "aarch64"),
    "machine/x86_64": ("machine_x86_64", "svm vmx"),
    "decode": ("decode", "riscv64 aarch64 svm"),
    "kernel": ("kernel", "riscv64 aarch64"),
    "boot": ("boot", "riscv64 aarch64 svm"),
    "published": ("published", "riscv64 aarch64 svm vmx"),  # in any folder: docs/published.md
}
