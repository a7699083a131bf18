"""Files that nothing refers to.

What: each tracked file is compiled, included, imported, run or named by another one.
Why: a dead file is read as if it counted.
Who: tools/tidy.py.
"""

import fnmatch
import os
import re

from tidy_rules import graph
from tidy_rules.tree import Breach, Fault, Rule, head, header

# Found by their names or places: by git, CMake, CI, the loader, people.
ROOTS = re.compile(
    r"(.*/)?(README\.md|CMakeLists\.txt|plugin\.yaml|__init__\.py|kit\.(cc|py)|Cargo\.toml|lib\.rs)"
    r"|\.[^/]+|\.ci/run|LICENSE|CONTRIBUTING\.md|CMakePresets\.json"
    # Each is named by its number: ADR 0007.
    r"|docs/adr/\d{4}-[a-z0-9-]+\.md"
    # A folder a target; targets.cc names them.
    r"|tests/fuzz/corpus/.*"
)
_TOKEN = re.compile(r"[\w.+-]*\w")


def _tokens(path, text):
    return frozenset(_TOKEN.findall(text))


def _globs(path, text):
    """Patterns of a CMakeLists.txt, from the root."""
    folder = os.path.dirname(path)
    found = []
    for call in re.finditer(r"\b(?:file\(GLOB\w*|COPY)\b([^)]*)", text):
        for word in re.findall(r"[^\s\"]*\*[^\s\"]*", call.group(1)):
            word = word.replace("${CMAKE_SOURCE_DIR}/", "/").replace(
                "${CMAKE_CURRENT_SOURCE_DIR}/", ""
            )
            word = re.sub(r"\$\{\w+\}", "*", word)
            found.append(word[1:] if word.startswith("/") else os.path.join(folder, word))
    return tuple(found)


def check_dead(tree):
    included = {target for _, _, _, target in graph.edges(tree)}
    tokens, counts = {}, {}
    for path in tree.files:
        if path.startswith(("tests/fuzz/corpus/", "tests/types/wrong/")):
            continue
        tokens[path] = tree.remembered(_tokens, path)
        for token in tokens[path]:
            counts[token] = counts.get(token, 0) + 1
    globs = [
        glob for path in tree.by_name["CMakeLists.txt"] for glob in tree.remembered(_globs, path)
    ]

    def named(word, path):
        return counts.get(word, 0) > (word in tokens.get(path, ()))

    for path in tree.files:
        if ROOTS.fullmatch(path) or path in included:
            continue
        name = os.path.basename(path)
        stem, end = os.path.splitext(name)
        if end == ".h":
            alive = graph.forwards(tree, path)
        elif end == ".cc":
            alive = _compiled(tree, path, stem, tokens) or _globbed(path, globs)
        elif end == ".py":
            alive = named(name, path) or named(stem, path) or _globbed(path, globs)
        elif path.startswith("tests/types/wrong/"):
            other = ".expected" if end == ".yaml" else ".yaml"
            alive = path[: -len(end)] + other in tree
        else:
            alive = named(name, path) or named(stem, path) or _globbed(path, globs)
        if not alive:
            yield Breach(
                path,
                0,
                "is used by nothing",
                "include, compile, import or run it where it belongs, or delete it",
            )


def _globbed(path, globs):
    return any(fnmatch.fnmatch(path, glob) for glob in globs)


def _compiled(tree, path, stem, tokens):
    """Named by a CMakeLists.txt above it."""
    folder = os.path.dirname(path)
    while folder:
        above = f"{folder}/CMakeLists.txt"
        if above in tree and not {stem, stem + ".cc"}.isdisjoint(tokens[above]):
            return True
        folder = os.path.dirname(folder)
    return False


def _listed_folder(tree):
    """A folder whose CMakeLists.txt lists its sources one by one."""
    for folder in tree.plugins():
        text = tree.text(f"{folder}/CMakeLists.txt")
        if "GLOB" not in text:
            return folder
    raise LookupError("every folder finds its sources by itself")


# A name that stands nowhere, nor here.
ORPHAN = "or" + "phan"

RULES = (
    Rule(
        "dead-file",
        "every file counts",
        check_dead,
        (
            Fault(
                "a header that nothing includes",
                lambda _: {"base/planted.h": header()},
                "delete it",
            ),
            Fault(
                "a source that nothing compiles",
                lambda tree: {f"{_listed_folder(tree)}/planted.cc": head()},
                "delete it",
            ),
            Fault(
                "a Python file that nothing imports",
                lambda _: {
                    f"tools/{ORPHAN}.py": '"""What: it.\n\nWhat: a.\nWhy: b.\nWho: c.\n"""\n'
                },
                "delete it",
            ),
            Fault(
                "a document that nothing names",
                lambda _: {f"docs/guides/{ORPHAN}.md": "# Planted\n"},
                "delete it",
            ),
        ),
    ),
)
