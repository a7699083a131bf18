"""What is measured and shown, never enforced: sizes and shapes of this tree or of another one.

What: `tools/measure [TREE…]` prints one table, a column a tree; `--largest` shows the largest
functions, files, folders and classes and the shared_ptr members of the first tree, each a question.
Why: whether something is one idea needs judgement; where to look first does not.
Who: people, before and after they change the shape of something; docs/structure.md.
"""

import argparse
import collections
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True

from tidy_rules import graph  # noqa: E402
from tidy_rules.tree import ROOT, Tree  # noqa: E402

LIZARD = "1.24.3"
VENV = os.path.join(ROOT, "build", "measure-venv")
ENDS = (".cc", ".h", ".c++", ".cpp", ".hpp", ".cxx", ".hh")
# What is not shipped, by the names that C++ projects give it.
TESTS = re.compile(
    r"(^|/)(tests?|testing|kits?|testdata)/|[_-]tests?\.[a-z+]+$|(^|/)test[_-][^/]*$"
)
LEFT_OUT = re.compile(
    r"(^|/)(bench(marks?)?|third_party|docs?|examples?|samples?|fuzz|build)/|\.(capnp|pb)\."
)


def need_lizard():
    """Goes on in a venv that has lizard; installs it there the first time."""
    try:
        import lizard  # noqa: F401
    except ImportError:
        python = os.path.join(VENV, "bin", "python")
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        pip = [python, "-m", "pip", "install", "-q", f"lizard=={LIZARD}"]
        subprocess.run(pip, check=True)
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])


def tree_of(folder):
    if os.path.exists(os.path.join(folder, ".git")):
        return Tree.tracked(folder)
    paths = []
    for place, _, names in os.walk(folder):
        paths += [os.path.relpath(os.path.join(place, name), folder) for name in names]

    def load(path):
        with open(os.path.join(folder, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    return Tree(paths, load)


def at(sorted_values, share):
    if not sorted_values:
        return 0
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def share(part, whole):
    return 100 * part / whole if whole else 0


class Measured:
    """One tree's production code in C++."""

    def __init__(self, folder):
        self.tree = tree_of(folder)
        cpp = [p for p in self.tree.files if p.endswith(ENDS) and not LEFT_OUT.search(p)]
        self.production = [p for p in cpp if not TESTS.search(p)]
        self.tests = [p for p in cpp if TESTS.search(p)]
        self.lines = {p: self.tree.text(p).count("\n") for p in self.production}
        self.total = sum(self.lines.values())
        self.code = {p: self.tree.code(p) for p in self.production}
        self.functions = self._functions(folder)

    def _functions(self, folder):
        import lizard

        found = []
        self.tokens = self.code_lines = 0
        analyse = lizard.FileAnalyzer(lizard.get_extensions([]))
        for path in self.production:
            # lizard goes by the end of a name; KJ's .c++ is C++ as well.
            name = path + ".cc" if path.endswith((".c++", ".hh")) else path
            result = analyse.analyze_source_code(name, self.tree.text(path))
            self.tokens += result.token_count
            self.code_lines += result.nloc
            found += [(path, function) for function in result.function_list]
        return found

    def count(self, pattern):
        return sum(len(re.findall(pattern, code)) for code in self.code.values())

    def per_kloc(self, pattern):
        return 1000 * self.count(pattern) / self.total if self.total else 0

    def comments(self, paths):
        """(share of lines, share of characters) that are comments."""
        lines = characters = 0
        for path in paths:
            for _, text in self.tree.comments(path):
                lines += text.count("\n") + 1
                characters += len(text)
        all_lines = sum(self.lines[p] for p in paths)
        all_characters = sum(len(self.tree.text(p)) for p in paths)
        # A comment behind code is no line of comment.
        behind = sum(
            1
            for path in paths
            for line, _ in self.tree.comments(path)
            if not re.match(r"\s*(//|/\*)", self.tree.lines(path)[line - 1])
        )
        return share(lines - behind, all_lines), share(characters, all_characters)

    def folders(self):
        counts = collections.Counter(os.path.dirname(p) for p in self.production)
        return counts

    def folder_circles(self):
        edges = {}
        for path in self.production:
            for _, name, quoted in self.tree.includes(path):
                target = graph.resolve(self.tree, path, name, quoted)
                if target in self.lines:
                    here, there = os.path.dirname(path), os.path.dirname(target)
                    if here != there:
                        edges.setdefault(here, set()).add(there)
        return sum(len(part) for part in graph.circles(edges))

    def tested(self):
        """(.cc with a test of its own beside it, .cc)."""
        sources = [p for p in self.production if p.endswith((".cc", ".c++", ".cpp", ".cxx"))]
        found = 0
        for path in sources:
            stem, end = os.path.splitext(path)
            found += any(f"{stem}{sep}test{end}" in self.tree for sep in "_-")
        return found, len(sources)

    def constants(self):
        """(named constants without a comment on their line or above it, named constants)."""
        bare = named = 0
        for path in self.production:
            lines = self.tree.lines(path)
            for match in re.finditer(r"(?m)^.*\bk[A-Z]\w*(?:\{| =)[^=].*$", self.code[path]):
                if not re.search(r"\bconst(expr|init|eval)?\b", match.group()):
                    continue
                named += 1
                number = self.code[path].count("\n", 0, match.start())
                above = lines[number - 1].strip() if number else ""
                bare += "//" not in lines[number] and not above.startswith(("//", "*"))
        return bare, named


ASSERT = (
    r"\b(?:static_assert|assert|HECTOR_CHECK|ASSERT|KJ_ASSERT|KJ_REQUIRE|KJ_D(?:ASSERT|REQUIRE)"
    r"|D?CHECK\w*)\s*\("
)


def rows(m):
    """(row, what it says) in the order of the table."""
    sizes = sorted(m.lines.values())
    lines = sorted(f.length for _, f in m.functions)
    tokens = sorted(f.token_count for _, f in m.functions)
    widths = sorted(len(line) for p in m.production for line in m.tree.lines(p) if line.strip())
    folders = sorted(m.folders().values())
    headers = [p for p in m.production if p.endswith((".h", ".hpp", ".hh"))]
    sources = [p for p in m.production if p not in headers]
    shared, unique = m.count(r"\bshared_ptr\b"), m.count(r"\bunique_ptr\b")
    test_lines = sum(m.tree.text(p).count("\n") for p in m.tests)
    tested, cc = m.tested()
    bare, named = m.constants()
    over = [n for n in sizes if n > 400], [n for n in sizes if n > 800]
    source_lines, source_characters = m.comments(sources)
    yield "files / kLOC", f"{len(sizes)} / {m.total / 1000:.1f}"
    yield "file med / p90 / max", f"{at(sizes, 0.5)} / {at(sizes, 0.9)} / {sizes[-1]}"
    yield "files >400 / >800", f"{len(over[0])} / {len(over[1])}"
    yield "functions", f"{len(lines)}"
    yield "fn lines med / p90", f"{at(lines, 0.5)} / {at(lines, 0.9)}"
    long = sum(n > 70 for n in lines)
    yield "fn >70 lines, %", f"{share(long, len(lines)):.2f} ({long})"
    branches = sum(f.cyclomatic_complexity > 15 for _, f in m.functions)
    yield "CCN >15, %", f"{share(branches, len(lines)):.1f} ({branches})"
    yield "fn tokens med / p90 / p99", f"{at(tokens, 0.5)} / {at(tokens, 0.9)} / {at(tokens, 0.99)}"
    many = sum(len(f.full_parameters) > 4 for _, f in m.functions)
    yield "fn >4 parameters", f"{many}"
    yield "tokens per code line", f"{m.tokens / max(1, m.code_lines):.1f}"
    wide = share(sum(w > 100 for w in widths), len(widths))
    width = f"{at(widths, 0.9)} / {at(widths, 0.99)} / {widths[-1]}; {wide:.1f}"
    yield "line width p90 / p99 / max; >100 %", width
    all_lines, header_lines = m.comments(m.production)[0], m.comments(headers)[0]
    yield "comment % of lines / of headers", f"{all_lines:.1f} / {header_lines:.0f}"
    yield "comment % of `.cc`, lines / characters", f"{source_lines:.1f} / {source_characters:.1f}"
    yield "`#if` / kLOC", f"{m.per_kloc(r'(?m)^[ 	]*#[ 	]*if(?!ndef [A-Z_]+_H)'):.2f}"
    yield "assert / kLOC", f"{m.per_kloc(ASSERT):.2f}"
    yield "`::instance()`", f"{m.count(r'::[iI]nstance[(][)]')}"
    ratio = f"{shared / unique:.2f}" if unique else "–"
    yield "shared_ptr : unique_ptr", f"{ratio} ({shared} : {unique})"
    yield "`static_cast` / kLOC", f"{m.per_kloc(r'static_cast<'):.1f}"
    yield "files a folder med / max", f"{at(folders, 0.5)} / {folders[-1]}"
    yield "folders in circles", f"{m.folder_circles()} / {len(folders)}"
    yield "test : production, lines of C++", f"{test_lines / max(1, m.total):.2f}"
    yield "`.cc` with its own test", f"{tested} / {cc}"
    yield "named constants without a comment", f"{bare} / {named}"


def print_table(folders, names):
    columns = [dict(rows(Measured(folder))) for folder in folders]
    print("| row | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for row in columns[0]:
        print(f"| {row} | " + " | ".join(column[row] for column in columns) + " |")


def class_of(function):
    return function.name.rsplit("::", 1)[0].split("::")[-1] if "::" in function.name else None


def print_largest(folder, count):
    m = Measured(folder)

    def show(question, entries):
        print(f"\n{question}")
        for value, text in sorted(entries, key=lambda e: (-e[0], e[1]))[:count]:
            print(f"  {value:6}  {text}")

    def place(path, function):
        return f"{path}:{function.start_line} {function.name}"

    all_functions = m.functions
    show(
        "Functions by lines. Does it do one thing, and does a reader see its end?",
        [(f.length, place(p, f)) for p, f in all_functions],
    )
    show(
        "Functions by tokens. Could a part of it have a name?",
        [(f.token_count, place(p, f)) for p, f in all_functions],
    )
    show(
        "Functions by branches. Which of them belong to the caller?",
        [(f.cyclomatic_complexity, place(p, f)) for p, f in all_functions],
    )
    show(
        "Functions by parameters. Which of them are one thing with a name?",
        [(len(f.full_parameters), place(p, f)) for p, f in all_functions],
    )
    show("Files by lines. Is it one idea?", [(n, p) for p, n in m.lines.items()])
    show("Folders by files. Is it one room?", [(n, f) for f, n in m.folders().items()])
    classes = collections.Counter()
    for path, function in all_functions:
        if (name := class_of(function)) is not None:
            classes[f"{name} ({os.path.dirname(path)})"] += function.length
    show(
        "Classes by lines of their methods. Can one reader hold it?",
        [(n, name) for name, n in classes.items()],
    )
    members = []
    for path in m.production:
        for match in re.finditer(
            r"(?m)^\s+(?:mutable )?(?:const )?std::shared_ptr<.*\w_(?:\{.*\}| = .*)?;", m.code[path]
        ):
            line = m.code[path].count("\n", 0, match.start()) + 1
            members.append((path, line, match.group().strip()))
    print(f"\nMembers that are shared_ptr: {len(members)}. Who are the two owners?")
    for path, line, text in members:
        print(f"          {path}:{line} {text}")


def main():
    need_lizard()
    parser = argparse.ArgumentParser(prog="tools/measure", description="shows a tree's sizes")
    parser.add_argument(
        "tree", nargs="*", default=[ROOT], help="folders; this tree if none is given"
    )
    parser.add_argument("--largest", action="store_true", help="what is largest, each a question")
    parser.add_argument("--count", type=int, default=12, help="how many of each (12)")
    options = parser.parse_args()
    if options.largest:
        print_largest(options.tree[0], options.count)
    else:
        names = [os.path.basename(os.path.abspath(folder)) for folder in options.tree]
        print_table(options.tree, names)


if __name__ == "__main__":
    main()
