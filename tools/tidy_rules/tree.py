"""The tree that the rules look at, and what a rule is.

What: Tree (tracked files, with changes laid over them), Rule, Breach, Fault, and C++ read apart
into code, comments and literals.
Why: a planted fault is a change to one file in memory; what was computed for all the others is
kept, so that a hundred faults take seconds.
Who: every module of rules beside it, tools/tidy.py, tools/measure.
"""

import collections
import dataclasses
import os
import re
import subprocess

PLUGIN_KINDS = ("protocols", "languages", "services", "stores")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclasses.dataclass(frozen=True)
class Breach:
    """One place that breaks a rule. `what` says what is there; `instead` says what to do."""

    path: str
    line: int
    what: str
    instead: str

    def __str__(self):
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.what}; {self.instead}"


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault planted by the self-test: `plant(tree)` gives {path: text, or None to delete it}.
    The breach that it provokes must contain `says`. `also` are rules that it breaks by its nature,
    as an #include against the order of rooms closes a circle.
    """

    name: str
    plant: object
    says: str
    also: tuple = ()


@dataclasses.dataclass(frozen=True)
class Rule:
    """`check(tree)` yields breaches. Each rule has at least one planted fault."""

    name: str
    why: str
    check: object
    faults: tuple


class Tree:
    """Text files by their path from the root. `text` of a missing path raises KeyError."""

    def __init__(self, paths, load, memory=None):
        self._load = load
        self._texts = dict.fromkeys(paths)
        self._memory = {} if memory is None else memory
        self._folders = None
        self.edges = None  # graph.edges() keeps them here
        self.files = sorted(self._texts)
        self.by_name = collections.defaultdict(list)
        for path in self.files:
            self.by_name[path.rsplit("/", 1)[-1]].append(path)

    @staticmethod
    def tracked(root=ROOT):
        """What git knows below `root`, and what is new there and not ignored."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        paths = [p for p in listed.stdout.split("\0") if p and os.path.isfile(f"{root}/{p}")]

        def load(path):
            with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
                return file.read()

        return Tree(paths, load)

    def changed(self, changes):
        """This tree with `changes`: {path: new text, or None: without it}."""
        for path in self.files:
            self.text(path)
        texts = {**self._texts, **changes}
        kept = {path: text for path, text in texts.items() if text is not None}
        return Tree(kept, kept.__getitem__, self._memory)

    def __contains__(self, path):
        return path in self._texts

    def text(self, path):
        found = self._texts[path]
        if found is None:
            found = self._texts[path] = self._load(path)
        return found

    def lines(self, path):
        return self.text(path).split("\n")

    def remembered(self, function, path, *more):
        """function(path, text, *more), computed once for equal ones."""
        text = self.text(path)
        key = (function, path, text, more)
        if key not in self._memory:
            self._memory[key] = function(path, text, *more)
        return self._memory[key]

    def each(self, function, paths, *more):
        """All that function(path, text, *more) finds in the paths, file by file."""
        for path in paths:
            yield from self.remembered(function, path, *more)

    def folders(self):
        """Every folder, from the root."""
        if self._folders is None:
            self._folders = set()
            for path in self.files:
                while path := os.path.dirname(path):
                    if path in self._folders:
                        break
                    self._folders.add(path)
        return self._folders

    def tops(self):
        return {folder for folder in self.folders() if "/" not in folder}

    def matching(self, *ends):
        return [path for path in self.files if path.endswith(ends)]

    def cpp(self):
        """C++ of ours; test data is none of it."""
        return [
            path for path in self.matching(".cc", ".h") if not path.startswith("tests/fuzz/corp")
        ]

    def plugins(self, kind=None):
        """Folders "kind/name" that have a manifest."""
        kinds = (kind,) if kind else PLUGIN_KINDS
        ends = [path[: -len("/plugin.yaml")] for path in self.by_name["plugin.yaml"]]
        return [folder for folder in ends if folder.split("/")[0] in kinds]

    def code(self, path):
        return self.remembered(scan, path).code

    def comments(self, path):
        return self.remembered(scan, path).comments

    def literals(self, path):
        return self.remembered(scan, path).literals

    def includes(self, path):
        """(line, the header as it is written, is it in quotes) of each #include."""
        return self.remembered(_includes, path)


@dataclasses.dataclass(frozen=True)
class Literal:
    line: int
    value: str
    is_raw: bool
    last_line: int


@dataclasses.dataclass(frozen=True)
class Scanned:
    """`code` has the length and the lines of the text; comments and what is in quotes are blank."""

    code: str
    comments: tuple
    literals: tuple


_TOKEN = re.compile(
    r"""(?P<comment>//(?:[^\n\\]|\\.)*|/\*.*?\*/)
    |R"(?P<mark>[^()\\\s]{0,16})\((?P<raw>.*?)\)(?P=mark)"
    |"(?P<text>(?:\\.|[^"\\\n])*)"
    |(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'""",
    re.S | re.X,
)


def scan(path, text):
    """C++ apart: code, comments as (line, text), literals."""
    code, comments, literals = [], [], []
    at = line = 0
    last = 0
    for match in _TOKEN.finditer(text):
        code.append(text[last : match.start()])
        line += text.count("\n", at, match.start())
        at = match.start()
        whole = match.group()
        if match.group("comment") is not None:
            comments.append((line + 1, whole))
            blank = re.sub(r"[^\n]", " ", whole)
        else:
            is_raw = match.group("raw") is not None
            value = match.group("raw") if is_raw else match.group("text")
            if value is not None:
                literals.append(Literal(line + 1, value, is_raw, line + 1 + whole.count("\n")))
            blank = whole[0] + re.sub(r"[^\n]", " ", whole[1:-1]) + whole[-1]
        code.append(blank)
        last = match.end()
    code.append(text[last:])
    return Scanned("".join(code), tuple(comments), tuple(literals))


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.M)


def _includes(path, text):
    code = scan(path, text).code
    found = []
    for match in _INCLUDE.finditer(text):
        if code[match.start() : match.start(2)].strip().startswith("#"):
            line = text.count("\n", 0, match.start()) + 1
            found.append((line, match.group(2), match.group(1) == '"'))
    return found


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def is_test(path):
    """Tests, benches and kits: they may sleep less and name more than what is shipped."""
    parts = path.split("/")
    if parts[0] in ("tests", "bench") or path.endswith("_test.cc"):
        return True
    return "kit" in parts[:-1] or parts[-1].startswith("kit_") or parts[1:2] == ["testing"]


# --- planting ---


def head(what="A planted file."):
    return f"// What: {what}\n// Why: to be found.\n// Who: the self-test of tidy.\n"


def header(body=""):
    return f"{head()}#pragma once\n\n{body}"


def append(path_of, text):
    """Plants `text` at the end of the file that path_of(tree) names."""
    return lambda tree: {(path := path_of(tree)): tree.text(path) + text}


def with_include(tree, path, include):
    """The text of `path` with another #include behind those that it has."""
    lines = tree.lines(path)
    last = max((line for line, _, _ in tree.includes(path)), default=0)
    lines.insert(last, include)
    return "\n".join(lines)


def add_include(path_of, include):
    """Plants an #include in the file that path_of(tree) names."""
    return lambda tree: {(path := path_of(tree)): with_include(tree, path, include)}


def include_planted(path_of, folder, name=None):
    """Plants a header in `folder`, or what folder(tree) says, and an #include of it as `name`."""

    def plant(tree):
        target = f"{folder(tree) if callable(folder) else folder}/planted.h"
        include = f'#include "{name(target) if name else target}"'
        path = path_of(tree)
        return {target: header(), path: with_include(tree, path, include)}

    return plant


def first(pattern):
    """The first path that matches the regular expression `pattern`; tests are passed over."""

    def find(tree):
        for path in tree.files:
            if re.fullmatch(pattern, path) and not is_test(path):
                return path
        raise LookupError(f"no file matches {pattern}: plant the fault somewhere else")

    return find
