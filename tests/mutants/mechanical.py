# SPDX-License-Identifier: BSD-2-Clause
"""
Small mutants of C source, by the dozen: one token or one call changed at a time. Text in, text
out; no parser but enough of one to leave comments, strings and preprocessor lines alone.
"""

import hashlib
import re

# (what, pattern, replacement). Each match of each is one mutant.
SWAPS = [
    ("< to <=", r" < ", " <= "),
    ("<= to <", r" <= ", " < "),
    ("> to >=", r" > ", " >= "),
    (">= to >", r" >= ", " > "),
    ("== to !=", r" == ", " != "),
    ("!= to ==", r" != ", " == "),
    ("&& to ||", r" && ", " || "),
    ("|| to &&", r" \|\| ", " && "),
    ("+ 1 to + 2", r" \+ 1\b", " + 2"),
    ("+ 1 dropped", r" \+ 1\b", ""),
    ("- 1 dropped", r" - 1\b", ""),
    ("+ to -", r" \+ (?=[a-z])", " - "),
    ("- to +", r" - (?=[a-z])", " + "),
    ("+= to -=", r" \+= ", " -= "),
    ("-= to +=", r" -= ", " += "),
    ("|= to &=", r" \|= ", " &= "),
    ("& to |", r" & (?=[a-zA-Z~(])", " | "),
    ("| to &", r" \| (?=[a-zA-Z~(])", " & "),
    ("<< to >>", r" << ", " >> "),
    ("~ dropped", r"~(?=[a-z(])", ""),
    ("! dropped", r"(?<=[( ])!(?=[a-z])", ""),
    ("++ to --", r"\+\+", "--"),
    ("-- to ++", r"--", "++"),
    ("true to false", r"\btrue\b", "false"),
    ("false to true", r"\bfalse\b", "true"),
    ("0 to 1", r"(?<=[(,=] )0(?=[,;)])", "1"),
    ("error to ok", r"return MM_[A-Z_]+;", "return MM_OK;"),
    ("continue to break", r"\bcontinue;", "break;"),
    ("break to continue", r"\bbreak;", "continue;"),
]

# A call that is a whole statement: dropped.
CALL = re.compile(r"^(\t+)((?:npt|area|hal|aspace|move|fill|leaf|inner|tell|record|count|node|mm)_?"
                  r"[a-z_]*\([^;{}]*\);)$")


def code_lines(text):
    """(number, line) of lines with code on them, comments and the preprocessor left out."""
    in_comment = in_macro = False
    for number, line in enumerate(text.split("\n")):
        stripped = line.strip()
        if in_comment:
            in_comment = "*/" not in stripped
            continue
        if stripped.startswith("/*"):
            in_comment = "*/" not in stripped
            continue
        macro = in_macro or stripped.startswith("#")
        in_macro = macro and stripped.endswith("\\")
        if macro or not stripped or "_Static_assert" in stripped or "MM_ASSERT" in stripped:
            continue
        yield number, line


def mutants_of(text):
    """All mutants of a file: (line number, what, the line as it becomes)."""
    for number, line in code_lines(text):
        code = line.split("/*")[0].rstrip() if "/*" in line else line
        tail = line[len(code):]
        if not code.startswith("\t"):
            continue  # declarations, and the first lines of functions
        call = CALL.match(code)
        if call:
            yield number, "call dropped", call.group(1) + ";" + tail
        for what, pattern, replacement in SWAPS:
            for match in re.finditer(pattern, code):
                changed = code[:match.start()] + re.sub(pattern, replacement, match.group()) + code[match.end():]
                if what in ("+ to -", "- to +") and match.group() not in code:
                    continue
                if changed == code:
                    # the lookarounds of a pattern do not match the piece alone
                    changed = code[:match.start()] + replacement + code[match.end():]
                yield number, what, changed + tail


def choose(files, count, least=2):
    """
    `count` mutants out of all files, `least` of each that has so many: (file, line number, what,
    the line as it becomes). In the order of a hash over what is changed, so that they are the same
    ones for as long as the code is the same, and most stay where a part of it changes.
    """
    pool = []
    for name, text in files.items():
        original = text.split("\n")
        for number, what, line in mutants_of(text):
            key = hashlib.sha256(f"{name}|{original[number].strip()}|{what}|{line.strip()}".encode())
            pool.append((key.hexdigest(), name, number, what, line))
    pool.sort()
    seen, first, rest = {}, [], []
    for mutant in pool:
        seen[mutant[1]] = seen.get(mutant[1], 0) + 1
        (first if seen[mutant[1]] <= least else rest).append(mutant)
    return [mutant[1:] for mutant in first + rest[:max(0, count - len(first))]]
