#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
What headers declare at file scope, by clang's syntax tree. What the standard headers declare by
themselves does not count.

usage: declared.py names  CLANG FLAG...     every function, type, variable and enumerator
       declared.py exported CLANG FLAG...   the functions and variables that the library defines
       declared.py unclear CLANG FLAG...    functions whose comment leaves something out, and what
       declared.py layout CLANG FLAG...     a C and C++ program: a table of the size, alignment and
                                            offsets of every struct and of all its members

The source text that includes the headers comes from standard input.
"""

import json
import re
import subprocess
import sys

STANDARD = "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"


def tree(command, text):
    run = subprocess.run(
        [*command, "-fsyntax-only", "-Xclang", "-ast-dump=json", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        sys.exit(run.stderr)
    return json.loads(run.stdout)


def file_scope(node):
    for child in node.get("inner", []):
        if child["kind"] == "LinkageSpecDecl":
            yield from file_scope(child)
        elif not child.get("isImplicit"):
            yield child


def names(root):
    for node in file_scope(root):
        if "name" in node:
            yield node["name"]
        if node["kind"] == "EnumDecl":
            for child in node.get("inner", []):
                if child["kind"] == "EnumConstantDecl":
                    yield child["name"]


def exported(root):
    """Functions without a body, and extern variables: those that the linker has to find."""
    for node in file_scope(root):
        if node["kind"] == "FunctionDecl" and node.get("storageClass") != "static":
            yield node["name"]
        if node["kind"] == "VarDecl" and node.get("storageClass") == "extern":
            yield node["name"]


def comment_of(node):
    """The text of the documentation comment, or None."""
    if node["kind"] == "TextComment":
        return node.get("text", "")
    if node["kind"] == "FullComment" or node["kind"].endswith("Comment"):
        own = " ".join(node.get(key, "") for key in ("name", "param") if key in node)
        return own + " ".join(comment_of(child) for child in node.get("inner", []))
    for child in node.get("inner", []):
        if child["kind"] == "FullComment":
            return comment_of(child)
    return None


CONCURRENCY = ("[any]", "[shared]", "[exclusive]", "[exclusive, in turns]", "[alone]")


def unclear(root):
    """Yields a line for each function whose comment leaves out how it may be called concurrently,
    or its errors. A function may be declared twice; its comment stands at one of them."""
    texts, types = {}, {}
    for node in file_scope(root):
        if node["kind"] != "FunctionDecl" or "expansionLoc" in node.get("loc", {}):
            continue
        name = node["name"]
        texts[name] = texts.get(name) or comment_of(node)
        types[name] = node["type"]["qualType"]
    for name, text in texts.items():
        if text is None:
            yield f"{name}: no comment"
        elif not any(mark in text for mark in CONCURRENCY):
            yield f"{name}: its comment has none of {' '.join(CONCURRENCY)}"
        elif types[name].startswith("enum mm_error") and not re.search("MM_[A-Z]|[Ee]rrors", text):
            yield f"{name}: its comment names no error"


def structs(root):
    for node in file_scope(root):
        if node["kind"] == "RecordDecl" and node.get("completeDefinition") and "name" in node:
            fields = [f["name"] for f in node.get("inner", []) if f["kind"] == "FieldDecl"]
            yield node["name"], fields


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("names", "exported", "unclear", "layout"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    command = sys.argv[2:]
    text = sys.stdin.read()
    known = set(names(tree(command, STANDARD)))
    found = tree(command, STANDARD + text)
    if sys.argv[1] == "names":
        print("\n".join(sorted(set(names(found)) - known)))
        return 0
    if sys.argv[1] == "exported":
        print("\n".join(sorted(set(exported(found)) - known)))
        return 0
    if sys.argv[1] == "unclear":
        print("\n".join(line for line in unclear(found) if line.split(":")[0] not in known))
        return 0
    print(text + "#include <stddef.h>\n#ifdef __cplusplus\n#define ALIGN alignof\n#else")
    print("#define ALIGN _Alignof\n#endif\nextern const unsigned layout[];\nconst unsigned layout[] = {")
    for name, fields in structs(found):
        if name in known:
            continue
        print(f"\t(unsigned)sizeof(struct {name}), (unsigned)ALIGN(struct {name}),")
        for field in fields:
            print(f"\t(unsigned)offsetof(struct {name}, {field}),")
    print("};")
    return 0


if __name__ == "__main__":
    sys.exit(main())
