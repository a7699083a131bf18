"""clang-tidy on what has changed since it last passed, and clang-format on everything.

What: `tools/lint` runs the checks that fail (WarningsAsErrors of .clang-tidy) on each source whose
text, headers or flags are not those of an earlier pass; `--all` runs every check of .clang-tidy;
`--format` only compares with clang-format. PATHS limit either to them.
Why: clang-tidy takes seconds a file; what has passed once need not be asked again. Results are kept
below build/lint by the hash of all that they depend on.
Who: ctest (format, lint), people.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from tidy_rules import graph  # noqa: E402
from tidy_rules.tree import ROOT, Tree  # noqa: E402

CLANG_TIDY = "clang-tidy-14"
CLANG_FORMAT = "clang-format-14"
# g++ knows them, clang does not, or not in this form.
STRIPPED = re.compile(r"^\S*ccache |(?<= )-fno-gnu-unique |(?<= )-Wno-tsan ")
# g++ is the compiler here. What clang 14 cannot read (structured bindings that a lambda captures,
# statement expressions in generic lambdas) is no finding; a header that is not there is.
NOT_YET = re.compile(r"(?<!file not found) \[clang-diagnostic-error")
FINDING = re.compile(r"^(.+?):(\d+):\d+: (warning|error): (.*) \[(.+)\]$")


def format_all(paths):
    found = subprocess.run(
        [CLANG_FORMAT, "--dry-run", "-Werror", *paths], cwd=ROOT, capture_output=True, text=True
    )
    places = re.findall(r"^(\S+?:\d+):\d+: error", found.stderr, re.M)
    for place in places:
        print(f"{place}: is not as clang-format lays it out; run clang-format-14 -i on it")
    print(f"format: {len(paths)} files, {len(places)} places")
    return 1 if found.returncode else 0


class Lint:
    def __init__(self, tree, preset, is_whole):
        self.tree = tree
        self.is_whole = is_whole
        self.folder = os.path.join(ROOT, "build", "lint")
        self.passed = os.path.join(self.folder, "passed")
        os.makedirs(self.passed, exist_ok=True)
        self.commands = self._commands(os.path.join(ROOT, "build", preset))
        self.checks = self._checks()
        self.headers = {}
        for path, _, _, target in graph.edges(tree):
            self.headers.setdefault(path, set()).add(target)

    def _commands(self, build):
        """{tracked source: its command}, written for clang-tidy to build/lint."""
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            entries = json.load(file)
        commands, kept = {}, []
        for entry in entries:
            path = os.path.relpath(entry["file"], ROOT)
            if path in self.tree and path not in commands:
                entry["command"] = STRIPPED.sub("", entry["command"])
                commands[path] = entry["command"]
                kept.append(entry)
        with open(
            os.path.join(self.folder, "compile_commands.json"), "w", encoding="utf-8"
        ) as file:
            json.dump(kept, file)
        return commands

    def _checks(self):
        if self.is_whole:
            return None
        text = self.tree.text(".clang-tidy")
        failing = re.search(r"(?m)^WarningsAsErrors: >-\n((?:  .*\n)+)", text).group(1)
        return "-*," + re.sub(r"\s", "", failing)

    def key(self, path):
        """The hash of all that the result for `path` depends on, but for the system's headers."""
        seen, rest = set(), [path]
        while rest:
            here = rest.pop()
            if here not in seen:
                seen.add(here)
                rest += self.headers.get(here, ())
        digest = hashlib.sha256()
        parts = [self.tree.text(".clang-tidy"), self.checks or "all", self.commands[path]]
        for part in parts + [self.tree.text(p) for p in sorted(seen)]:
            digest.update(part.encode() + b"\0")
        return digest.hexdigest()

    def check(self, path):
        """Findings of one source: [(place, text)]."""
        command = [CLANG_TIDY, "-p", self.folder, "--quiet", path]
        if self.checks is not None:
            command.insert(1, f"--checks={self.checks}")
        result = subprocess.run(["nice", *command], cwd=ROOT, capture_output=True, text=True)
        findings = []
        for line in result.stdout.split("\n"):
            match = FINDING.match(line)
            if match and not NOT_YET.search(line):
                place = f"{os.path.relpath(match.group(1), ROOT)}:{match.group(2)}"
                check = match.group(5).replace(",-warnings-as-errors", "")
                findings.append((place, f"{match.group(4)} [{check}]"))
        return findings

    def run(self, paths, budget):
        keys = {path: self.key(path) for path in paths}
        todo = [p for p in paths if not os.path.exists(os.path.join(self.passed, keys[p]))]
        # What was edited last is what a person waits for.
        todo.sort(key=lambda p: -os.path.getmtime(os.path.join(ROOT, p)))
        end = time.monotonic() + budget
        found, left = set(), []

        def one(path):
            if time.monotonic() > end:
                left.append(path)
                return
            findings = self.check(path)
            if findings:
                for place, text in sorted(set(findings) - found):
                    print(f"{place}: {text}", flush=True)
                found.update(findings)
            else:
                with open(os.path.join(self.passed, keys[path]), "w", encoding="utf-8") as file:
                    file.write(path)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(one, todo))
        checked = len(todo) - len(left)
        print(
            f"lint: {len(paths)} files, {len(paths) - len(todo)} as they passed before, {checked} "
            f"checked, {len(found)} findings"
        )
        if left:
            print(f"lint: {len(left)} are left for the next run, or for `tools/lint --budget 3600`")
        return 1 if found and not self.is_whole else 0


def main():
    parser = argparse.ArgumentParser(prog="tools/lint", description="clang-tidy and clang-format")
    parser.add_argument("paths", nargs="*", help="tracked C++ files; all if none is given")
    parser.add_argument("--format", action="store_true", help="only compare with clang-format")
    parser.add_argument("--all", action="store_true", help="every check; findings are questions")
    parser.add_argument("--preset", default="release", help="whose compile commands (release)")
    parser.add_argument("--budget", type=float, default=3600, help="begin no file after SECONDS")
    options = parser.parse_args()
    tree = Tree.tracked()
    known = [p for p in tree.cpp() if not options.paths or p in options.paths]
    if options.format:
        return format_all(known)
    lint = Lint(tree, options.preset, options.all)
    return lint.run([p for p in known if p in lint.commands], options.budget)


if __name__ == "__main__":
    sys.exit(main())
