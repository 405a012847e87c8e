#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Decides what tests/proofs/encoders.c claims, for all values: clang compiles it to LLVM's code,
each function without loops or memory becomes a formula over bit vectors, and Z3 looks for arguments
with which the function answers false. Undefined behaviour (shifts, overflow, bounds) counts as
false: the sanitizer's traps are in the code.

usage: bits.py [--mm FOLDER]        the folder that holds mm/; as it is, without it

What the compiler has already reduced to `true` is proved by it; the rest is Z3's.

exit status: 0 if every claim holds; 1 if one does not, with the arguments; 77 without the tools.
"""

import os
import re
import shutil
import subprocess
import sys

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
FLAGS = ("-std=c17 -O2 -g0 -w -S -emit-llvm -fno-vectorize -fno-slp-vectorize -mllvm "
         "-inline-threshold=100000 -fsanitize=shift,signed-integer-overflow,bounds,unreachable "
         "-fsanitize-trap=all").split()

SHOWN = 10  # claims that do not hold

PREDICATES = {"ult": "bvult", "ule": "bvule", "ugt": "bvugt", "uge": "bvuge",
              "slt": "bvslt", "sle": "bvsle", "sgt": "bvsgt", "sge": "bvsge"}
BINARY = {"add": "bvadd", "sub": "bvsub", "mul": "bvmul", "and": "bvand", "or": "bvor",
          "xor": "bvxor", "shl": "bvshl", "lshr": "bvlshr", "ashr": "bvashr"}
FLAGWORDS = re.compile(r"\b(nuw|nsw|exact|noundef|zeroext|tail|range\(.*?\))\b ?")


class Unknown(Exception):
    """An instruction that this translator does not know."""


class Function:
    """One function of LLVM's text as definitions in SMT-LIB: bit vectors, i1 as one bit wide."""

    def __init__(self, name, arguments, lines):
        self.name = name
        self.arguments = arguments  # [(type, name)]
        self.out = []
        self.prefix = name + "!"
        self.types = {n: t for t, n in arguments}
        self.blocks = self.split(lines)
        self.edges = {}  # (from, to): condition, a Bool

    def split(self, lines):
        blocks, label = [], str(len(self.arguments))
        current = []
        for line in lines:
            line = re.sub(r",? ?(!\w+ !\d+|!srcloc !\d+)", "", line.split(" ; ")[0]).strip()
            line = re.sub(r",\s*!.*$", "", line)
            found = re.match(r"^([\w.]+):", line)
            if found:
                blocks.append((label, current))
                label, current = found.group(1), []
            elif line and not line.startswith(";"):
                current.append(FLAGWORDS.sub("", line))
        blocks.append((label, current))
        return blocks

    @staticmethod
    def width(kind):
        found = re.fullmatch(r"i(\d+)", kind)
        if not found:
            raise Unknown(f"type {kind}")
        return int(found.group(1))

    def value(self, kind, text):
        text = text.strip()
        bits = self.width(kind)
        if text.startswith("%"):
            return f"|{self.prefix}{text[1:]}|"
        number = {"true": 1, "false": 0}.get(text)
        if text in ("undef", "poison"):
            raise Unknown(text)
        number = int(text) if number is None else number
        return f"(_ bv{number % (1 << bits)} {bits})"

    def define(self, name, kind, term):
        self.types[name] = kind
        self.out.append(f"(define-fun |{self.prefix}{name}| () (_ BitVec {self.width(kind)}) {term})")

    def condition(self, name, term):
        self.out.append(f"(define-fun |{self.prefix}{name}| () Bool {term})")
        return f"|{self.prefix}{name}|"

    def edge(self, source, target, term):
        # Two ways from a switch to one block are one edge.
        old = self.edges.get((source, target))
        self.edges[source, target] = f"(or {old} {term})" if old else term

    def translate(self):
        """The term, a Bool, that is true where the function answers false or goes wrong."""
        wrong = []
        for number, (label, lines) in enumerate(self.blocks):
            into = [term for (_, target), term in self.edges.items() if target == label]
            reached = "true" if number == 0 else f"(or false {' '.join(into)})"
            here = self.condition(f"at.{label}", reached)
            for line in lines:
                self.instruction(label, here, line, wrong)
        return f"(or false {' '.join(wrong)})"

    def instruction(self, label, here, line, wrong):
        for pattern, method in self.KNOWN:
            found = re.fullmatch(pattern, line)
            if found:
                method(self, label, here, found, wrong)
                return
        raise Unknown(line)

    def do_binary(self, _label, _here, m, _wrong):
        name, op, kind, a, b = m.groups()
        self.define(name, kind, f"({BINARY[op]} {self.value(kind, a)} {self.value(kind, b)})")

    def do_icmp(self, _label, _here, m, _wrong):
        name, how, kind, a, b = m.groups()
        a, b = self.value(kind, a), self.value(kind, b)
        term = {"eq": f"(= {a} {b})", "ne": f"(not (= {a} {b}))"}.get(how) or f"({PREDICATES[how]} {a} {b})"
        self.define(name, "i1", f"(ite {term} #b1 #b0)")

    def do_select(self, _label, _here, m, _wrong):
        name, chosen, kind, a, b = m.groups()
        self.define(name, kind, f"(ite (= {self.value('i1', chosen)} #b1) {self.value(kind, a)} {self.value(kind, b)})")

    def do_cast(self, _label, _here, m, _wrong):
        name, op, kind, a, to = m.groups()
        a, more = self.value(kind, a), self.width(to) - self.width(kind)
        term = {"zext": f"((_ zero_extend {more}) {a})", "sext": f"((_ sign_extend {more}) {a})",
                "trunc": f"((_ extract {self.width(to) - 1} 0) {a})"}[op]
        self.define(name, to, term)

    def do_phi(self, label, _here, m, _wrong):
        name, kind, rest = m.groups()
        ways = re.findall(r"\[ (.+?), %([\w.]+) \]", rest)
        term = self.value(kind, ways[-1][0])
        for value, source in reversed(ways[:-1]):
            term = f"(ite {self.edges[source, label]} {self.value(kind, value)} {term})"
        self.define(name, kind, term)

    def do_branch(self, label, here, m, _wrong):
        chosen, then, otherwise = m.groups()
        yes = f"(= {self.value('i1', chosen)} #b1)"
        self.edge(label, then, f"(and {here} {yes})")
        self.edge(label, otherwise, f"(and {here} (not {yes}))")

    def do_goto(self, label, here, m, _wrong):
        self.edge(label, m.group(1), here)

    def do_return(self, _label, here, m, wrong):
        wrong.append(f"(and {here} (= {self.value('i1', m.group(1))} #b0))")

    def do_wrong(self, _label, here, _m, wrong):
        wrong.append(here)

    KNOWN = [
        (r"%([\w.]+) = (add|sub|mul|and|or|xor|shl|lshr|ashr) (i\d+) (.+), (.+)", do_binary),
        (r"%([\w.]+) = icmp (\w+) (i\d+) (.+), (.+)", do_icmp),
        (r"%([\w.]+) = select i1 (.+), (i\d+) (.+), i\d+ (.+)", do_select),
        (r"%([\w.]+) = (zext|sext|trunc) (i\d+) (.+) to (i\d+)", do_cast),
        (r"%([\w.]+) = phi (i\d+) (.+)", do_phi),
        (r"br i1 (.+), label %([\w.]+), label %([\w.]+)", do_branch),
        (r"br label %([\w.]+)", do_goto),
        (r"ret i1 (.+)", do_return),
        (r"call void @llvm.ubsantrap\(.*\).*", do_wrong),
        (r"unreachable", do_wrong),
    ]


def functions(text):
    """(name, arguments, lines) of all that is to be proved."""
    pattern = r"^define [^@]*i1 @(prove_\w+)\((.*?)\)[^{]*\{\n(.*?)^\}"
    for found in re.finditer(pattern, text, re.M | re.S):
        name, arguments, body = found.groups()
        pairs = re.findall(r"(i\d+)[^,%]*%([\w.]+)", arguments)
        yield name, pairs, body.split("\n")


def ask(questions):
    """{name: 'unsat', or what Z3 says with the arguments}, all in one run."""
    script = ["(set-logic QF_BV)", "(set-option :produce-models true)"]
    for name, function, wrong in questions:
        script.append("(push)")
        script += [f"(declare-const |{function.prefix}{n}| (_ BitVec {function.width(t)}))"
                   for t, n in function.arguments]
        script += function.out
        script += [f"(assert {wrong})", f'(echo "= {name}")', "(check-sat)"]
        if function.arguments:
            names = " ".join(f"|{function.prefix}{n}|" for _, n in function.arguments)
            script.append(f"(get-value ({names}))")
        script.append("(pop)")
    done = subprocess.run(["z3", "-smt2", "-in"], input="\n".join(script), capture_output=True, text=True)
    answers, name = {}, None
    for line in done.stdout.splitlines():
        if line.startswith("= "):
            name = line[2:]
            answers[name] = ""
        elif name and not (answers[name] == "unsat" and "model is not available" in line):
            answers[name] += line
    return answers


def main():
    tree = sys.argv[2] if sys.argv[1:2] == ["--mm"] else TOP
    for tool in ("clang", "z3"):
        if not shutil.which(tool):
            print(f"SKIP: {tool} is not installed (make setup)")
            return 77
    source = os.path.join(TOP, "tests/proofs/encoders.c")
    text = subprocess.run(["clang", f"-I{tree}", f"-I{tree}/mm/include", *FLAGS, source, "-o", "-"], check=True,
                          capture_output=True, text=True).stdout
    settled, questions, failed = 0, [], 0
    for name, arguments, lines in functions(text):
        body = [line.strip() for line in lines if line.strip()]
        if body == ["ret i1 true"]:
            settled += 1
            continue
        function = Function(name, arguments, lines)
        try:
            questions.append((name, function, function.translate()))
        except Unknown as what:
            failed += 1
            print(f"{name}: not understood: {what}")
    answers = ask(questions)
    for name, _, _ in questions:
        answer = answers.get(name, "no answer")
        if answer != "unsat":
            failed += 1
            if failed <= SHOWN:
                print(f"{name}: {answer}")
    if failed > SHOWN:
        print(f"... and {failed - SHOWN} more")
    total = settled + len(questions)
    print(f"encoders: proved {total - failed} of {total} claims, {settled} by the compiler, the rest by Z3")
    return 1 if failed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
