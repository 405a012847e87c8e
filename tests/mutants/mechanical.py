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


# --- the folders that run on the target ---

TARGET_SWAPS = [swap for swap in SWAPS if swap[0] != "error to ok"] + [
    ("BIT(n) to BIT(n + 1)", r"\bBIT\((\d+)\)", None),
    ("number + 1", r"(?<![\w.\"'])(?:[1-9]|[1-9]\d+)(?=[U)\],; ])", None),
]
WHOLE_LINE = ("call dropped", "assignment dropped", "instruction dropped", "entry dropped")
ANY_CALL = re.compile(r"^\t+(?!return\b)[a-z_]\w*\([^;{}]*\);$")
ASSIGNMENT = re.compile(r"^\t+(?:[a-z_]\w*(?:->|\.|\[)|\*)[^=;{}\"]*[^=!<>;{}\"](?<![=!<>])=(?!=)[^;{}]*;$")
ENTRY = re.compile(r"^(\t+)X\(.*\)(\s*\\?)$")
INSTRUCTION = re.compile(r"^\t(?![.#/*])[a-z][\w.]*(?:\s|$)")


def _raised(text):
    """The one number in a text, one larger."""
    return re.sub(r"\d+", lambda m: str(int(m.group()) + 1), text)


def _assembly_mutants(text):
    in_comment = False
    for number, line in enumerate(text.split("\n")):
        in_comment, was = (in_comment or "/*" in line) and "*/" not in line, in_comment
        if not was and INSTRUCTION.match(line):
            yield number, "instruction dropped", ""


def _table_mutants(text):
    for number, line in enumerate(text.split("\n")):
        entry = ENTRY.match(line)
        if entry:
            yield number, "entry dropped", entry.group(1) + entry.group(2).strip()


def _swapped(code):
    for what, pattern, replacement in TARGET_SWAPS:
        for match in re.finditer(pattern, code):
            by = _raised(match.group()) if replacement is None else replacement
            yield what, code[:match.start()] + by + code[match.end():]


def target_mutants(path, text):
    """As mutants_of(), for C and assembly of the folders that run on the target; a list."""
    if path.endswith((".S", ".inc")) and "#define" not in text:
        return list(_assembly_mutants(text))
    found = list(_table_mutants(text))
    for number, line in code_lines(text):
        code = line.split("/*")[0].rstrip() if "/*" in line else line
        tail, indent = line[len(code):], code[:len(code) - len(code.lstrip())]
        if not code.startswith("\t") or code.lstrip().startswith(('"', "__asm__")):
            continue
        if ANY_CALL.match(code):
            found.append((number, "call dropped", indent + ";" + tail))
        elif ASSIGNMENT.match(code):
            found.append((number, "assignment dropped", indent + ";" + tail))
        found += [(number, what, changed + tail) for what, changed in _swapped(code) if changed != code]
    unlike = {}
    for number, what, line in found:
        unlike.setdefault((number, line), what)
    return [(number, what, line) for (number, line), what in unlike.items()]


def choose(files, count, least=2, make=None):
    """
    `count` mutants out of all files, `least` of each that has so many: (file, line number, what,
    the line as it becomes). In the order of a hash over what is changed, so that they are the same
    ones for as long as the code is the same, and most stay where a part of it changes. make(name,
    text) gives the mutants of a file; without it, mutants_of().
    """
    pool = []
    for name, text in files.items():
        original = text.split("\n")
        for number, what, line in make(name, text) if make else mutants_of(text):
            key = hashlib.sha256(f"{name}|{original[number].strip()}|{what}|{line.strip()}".encode())
            pool.append((key.hexdigest(), name, number, what, line))
    pool.sort()
    seen, first, rest = {}, [], []
    for mutant in pool:
        seen[mutant[1]] = seen.get(mutant[1], 0) + 1
        (first if seen[mutant[1]] <= least else rest).append(mutant)
    return [mutant[1:] for mutant in first + rest[:max(0, count - len(first))]]
