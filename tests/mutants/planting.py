# SPDX-License-Identifier: BSD-2-Clause
"""How a defect is planted, and the list of known survivors: shared by mutants.py and on_target.py."""

import re


def pattern_of(old):
    """A text to be found however it is broken into lines; <this> is any name, the same each time."""
    pieces = re.split(r"<(\w+)>", old.strip())
    parts, seen = [], set()
    for number, piece in enumerate(pieces):
        if number % 2:
            parts.append(rf"(?P={piece})" if piece in seen else rf"(?P<{piece}>\w+)")
            seen.add(piece)
        else:
            parts.append(r"\s+".join(re.escape(token) for token in re.split(r"\s+", piece)))
    return re.compile("".join(parts))


def plant(text, old, new):
    """The text with the one place that is `old` made `new`; None unless there is just one."""
    found = list(pattern_of(old).finditer(text))
    if len(found) != 1:
        return None
    for name, value in found[0].groupdict().items():
        new = new.replace(f"<{name}>", value)
    return text[:found[0].start()] + new.strip("\n") + text[found[0].end():]


def plant_all(edits, read):
    """({path: text}, ""), or ({}, what is wrong). read(path) gives a file's text."""
    changed = {}
    for path, old, new in edits:
        before = changed[path] if path in changed else read(path)
        text = plant(before, old, new)
        if text is None:
            return {}, f"can no longer be planted: not just once in {path}: {old.strip().splitlines()[0]}"
        if text == before:
            return {}, f"changes nothing in {path}: {old.strip().splitlines()[0]}"
        changed[path] = text
    return changed, ""


def known_survivors(path):
    """{name: reason}: a line with the mutant's name, and an indented one with the reason."""
    known, name = {}, None
    with open(path) as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("\t"):
                known[name] = line.strip()
            elif line and not line.startswith("#"):
                name = line
    return known
