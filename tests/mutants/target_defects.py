# SPDX-License-Identifier: BSD-2-Clause
"""The defects that on_target.py tries: those of tests/mutants/target, and mechanical ones."""

import hashlib
import importlib
import os

import mechanical
import target_tree
from planting import plant_all
from target import FOLDERS, MACHINES
from target_run import DETECTED

HERE = os.path.dirname(os.path.abspath(__file__))


def arch_of(machine):
    words = MACHINES[machine].split()
    return words[words.index("--arch") + 1]


HOST_TEST = "host:"  # in Defect.cases
LEAST = 24  # planted defects of a folder in a sample


class Mutant:
    """One defect, planted by hand or mechanical, and what became of it."""

    def __init__(self, folder, name, changed, machines, cases="", unseen="", trouble="", where=""):
        self.folder, self.name = folder, name
        self.full = f"{folder}/{name}" if not where else name
        self.changed, self.machines = changed, machines
        words = cases.split()
        self.cases = [word for word in words if not word.startswith(HOST_TEST)]
        self.hosts = [word[len(HOST_TEST):] for word in words if word.startswith(HOST_TEST)]
        self.unseen, self.trouble, self.where = unseen, trouble, where
        self.mechanical = bool(where)
        text = self.full + repr(machines) + "".join(p + t for p, t in sorted(changed.items()))
        self.key = hashlib.sha256(text.encode()).hexdigest()
        self.verdict, self.by, self.machine, self.case = "", "", "", ""

    @property
    def detected(self):
        return self.verdict in DETECTED


def edits_of(defect):
    """Triples, however deep the entry has them."""
    found = []
    for edit in defect.edits:
        found += [edit] if isinstance(edit[0], str) else list(edit)
    return found


def defects_of(folder):
    module = FOLDERS[folder][0]
    if not os.path.exists(os.path.join(HERE, "target", module + ".py")):
        return []
    return importlib.import_module(f"target.{module}").DEFECTS


def planted_ones(folders):
    mutants, seen = [], set()
    for folder in folders:
        for defect in defects_of(folder):
            changed, trouble = plant_all(edits_of(defect), target_tree.read)
            machines = (defect.on or FOLDERS[folder][1]).split()
            unknown = [m for m in machines if m not in MACHINES]
            trouble = f"no machine {unknown[0]}: see target/__init__.py" if unknown else trouble
            mutant = Mutant(folder, defect.name, changed, machines, defect.cases, defect.unseen, trouble)
            missing = [t for t in mutant.hosts if not target_tree.read(f"tests/host/{t}.c")]
            if missing:
                mutant.trouble = f"no host test {missing[0]}: tests/host/{missing[0]}.c"
            if mutant.full in seen:
                mutant.trouble = "this name is given twice"
            seen.add(mutant.full)
            mutants.append(mutant)
    return mutants


def sample(mutants, count):
    """`count` of them by hash, or a few more: at least LEAST of each folder. 0: all."""
    if not 0 < count < len(mutants):
        return mutants
    by_folder = {}
    for mutant in mutants:
        by_folder.setdefault(mutant.folder, []).append(mutant)
    taken = set()
    for own in by_folder.values():
        share = max(LEAST, round(count * len(own) / len(mutants)))
        own.sort(key=lambda m: hashlib.sha256(m.full.encode()).hexdigest())
        taken.update(m.full for m in own[:share])
    return [m for m in mutants if m.full in taken]


def mechanical_ones(folders, count):
    pools = {folder: target_tree.sources_of(folder) for folder in folders}
    sizes = {folder: sum(len(mechanical.target_mutants(p, t)) for p, t in pool.items())
             for folder, pool in pools.items()}
    mutants = []
    for folder, pool in pools.items():
        share = max(4, round(count * sizes[folder] / max(1, sum(sizes.values()))))
        for path, number, what, line in mechanical.choose(pool, share, 0, mechanical.target_mutants):
            lines = pool[path].split("\n")
            original, lines[number] = lines[number].strip(), line
            shown = original if what in mechanical.WHOLE_LINE else line.strip()
            mutants.append(Mutant(folder, f"{path} | {what} | {shown}", {path: "\n".join(lines)},
                                  FOLDERS[folder][1].split(), where=f"{path}:{number + 1}"))
    return mutants
