"""What stands in lines and documents: width, titles, links, words.

What: lines of at most 100 characters, one title a document, paths that exist, the glossary's words.
Why: what can be checked is not left to a reader's patience.
Who: tools/tidy.py.
"""

import ast
import os
import re

from tidy_rules.tree import Breach, Fault, Rule, append, first, line_of, scan

WIDTH = 100
SHELL = {"tools/build", "tools/demo", "tools/lint", "tools/measure", "tools/setup", "tools/test"}


def _is_wide_checked(path):
    # What is wrong in them is expected at a column of a line (tests/types/wrong/*.expected).
    if path.startswith(("tests/types/wrong/", "tests/fuzz/corpus/")):
        return False
    return (
        path in SHELL
        or path == ".ci/run"
        or path.endswith(
            (".cc", ".h", ".py", ".yaml", ".cmake", "CMakeLists.txt", ".sh", ".clang-tidy")
        )
    )


def _data_lines(path, text):
    """Lines within literals of several lines: data, whose lines are not ours to break."""
    lines = set()
    if path.endswith((".cc", ".h")):
        for literal in scan(path, text).literals:
            if literal.is_raw:
                lines.update(range(literal.line, literal.last_line + 1))
    elif path.endswith(".py"):
        tree = ast.parse(text)
        docstrings = {
            node.body[0].value
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and node not in docstrings:
                first_line = text.split("\n")[node.lineno - 1]
                if node.end_lineno > node.lineno or '"""' in first_line:
                    lines.update(range(node.lineno, node.end_lineno + 1))
    return frozenset(lines)


def _wide_lines(path, text):
    wide = [(n, len(line)) for n, line in enumerate(text.split("\n"), 1) if len(line) > WIDTH]
    data = _data_lines(path, text) if wide else ()
    return tuple((number, width) for number, width in wide if number not in data)


def check_width(tree):
    for path in filter(_is_wide_checked, tree.files):
        for number, width in tree.remembered(_wide_lines, path):
            yield Breach(
                path,
                number,
                f"a line of {width} characters",
                f"break it at {WIDTH} (clang-format-14, black -l {WIDTH}); only the lines of a raw "
                "literal may be longer",
            )


MARK = "TODO" + "(now)"


def _todos(path, text):
    at = text.find(MARK)
    if at < 0:
        return ()
    return (Breach(path, line_of(text, at), f"has {MARK}", "resolve it before the commit"),)


def check_todo(tree):
    yield from tree.each(_todos, filter(_is_ours, tree.files))


# --- documents ---


def _without_blocks(text):
    """Markdown with its code blocks blank."""
    return re.sub(r"(?ms)^ *```.*?^ *```", lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_titles(tree):
    for path in tree.matching(".md"):
        text = _without_blocks(tree.text(path))
        titles = [line_of(text, m.start()) for m in re.finditer(r"(?m)^# \S", text)]
        if len(titles) != 1:
            yield Breach(
                path,
                titles[1] if len(titles) > 1 else 1,
                f"has {len(titles)} titles",
                "give a document one `# title` and `##` for its parts",
            )


_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_ENDS = "cc|h|py|md|yaml|yml|proto|cmake|rs|txt|sh|java|expected|map|supp"
_PATH = re.compile(rf"[\w.+-]+(?:/[\w.+*{{}},-]+)+(?:\.(?:{_ENDS})|/)?|[\w-]+\.(?:{_ENDS})|\w+/")


def _exists(tree, path, name):
    """Whether `name` is a file or folder of the tree: from its root, from the document, or as it is
    included.
    """
    name = name.rstrip("/")
    beside = os.path.normpath(f"{os.path.dirname(path)}/{name}")
    for wanted in (name, beside):
        if wanted in tree or wanted in tree.folders():
            return True
    if name.rsplit("/", 1)[-1] in tree.by_name:
        ends = tree.by_name[name.rsplit("/", 1)[-1]]
        return any(p.endswith("/" + name) for p in ends)
    return any(folder.endswith("/" + name) for folder in tree.folders())


def check_links(tree):
    for path in tree.matching(".md"):
        text = _without_blocks(tree.text(path))
        for match in _LINK.finditer(text):
            name = match.group(1).split("#")[0]
            if not name or re.match(r"[a-z]+:", name) or _exists(tree, path, name):
                continue
            yield _gone(path, line_of(text, match.start()), name)
        for match in _SPAN.finditer(text):
            span = match.group(1)
            name = span.split(":")[0] if re.fullmatch(r"[^:]+:\d+", span) else span
            if _is_path(tree, name) and not _exists(tree, path, name):
                yield _gone(path, line_of(text, match.start()), name)


def _is_path(tree, name):
    """Whether a `span` means a file or folder of this tree: it begins with one of its top folders,
    or with a room that is included by its name, or is a file name with an end of ours.
    """
    if not _PATH.fullmatch(name) or re.search(r"[*{}<>…]|(^|/)[A-Z]+(/|$)", name):
        return False
    begin = name.split("/")[0]
    if begin in tree.tops():
        return True
    return name.endswith((".h", ".cc")) and "/" in name


def _gone(path, line, name):
    return Breach(
        path,
        line,
        f"names {name}, which does not exist",
        "name the file that has it now, or take the sentence out",
    )


# --- words ---

GLOSSARY = "docs/glossary.md"


def words(tree):
    """(pattern, term, is it an identifier) of each word in backticks in the last column of a table
    of the glossary: the term stands in the first.
    """
    for line in tree.lines(GLOSSARY):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or len(cells) < 4:
            continue
        for word in _SPAN.findall(cells[3]):
            is_identifier = bool(re.search(r"_|[a-z][A-Z]", word))
            yield rf"(?<!\w){re.escape(word)}(?!\w)", cells[0], is_identifier


def prose(path, text):
    """(line, text) of what is written for people in a file: comments, docstrings, documents."""
    if path.endswith((".cc", ".h")):
        return scan(path, text).comments
    if path.endswith(".md"):
        body = _SPAN.sub(lambda m: " " * len(m.group()), _without_blocks(text))
        return tuple(enumerate(body.split("\n"), 1))
    if path.endswith(".py"):
        found = [
            (n, m.group())
            for n, line in enumerate(text.split("\n"), 1)
            if (m := re.search(r"(?<!\S)# .*", line))
        ]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                if (written := ast.get_docstring(node, clean=False)) is not None:
                    found += enumerate(written.split("\n"), node.body[0].lineno)
        return tuple(found)
    if path.endswith((".proto", ".rs")):
        return tuple(
            (n, m.group())
            for n, line in enumerate(text.split("\n"), 1)
            if (m := re.search(r"//.*", line))
        )
    if path.endswith((".yaml", ".cmake", "CMakeLists.txt")) or path in SHELL:
        return tuple(
            (n, m.group())
            for n, line in enumerate(text.split("\n"), 1)
            if (m := re.search(r"(?<!\S)#.*", line))
        )
    return ()


def _is_ours(path):
    return not path.startswith(("tests/types/wrong/", "tests/fuzz/corpus/"))


def _words_of(path, text, table):
    texts = [(re.compile(pattern, re.I), term) for pattern, term, is_name in table if not is_name]
    names = [(re.compile(pattern), term) for pattern, term, is_name in table if is_name]
    found = []
    for line, written in prose(path, text):
        for pattern, term in texts:
            if match := pattern.search(written):
                number = line + written.count("\n", 0, match.start())
                found.append(_word(path, number, match.group(), term))
    if path.endswith((".cc", ".h")):
        scanned = scan(path, text)
        for literal in scanned.literals:
            for pattern, term in () if literal.is_raw else texts:
                if match := pattern.search(literal.value):
                    found.append(_word(path, literal.line, match.group(), term))
        for pattern, term in names:
            for match in pattern.finditer(scanned.code):
                number = line_of(scanned.code, match.start())
                found.append(_word(path, number, match.group(), term))
    return found


def check_words(tree):
    paths = [p for p in tree.files if _is_ours(p) and p != GLOSSARY]
    yield from tree.each(_words_of, paths, tuple(words(tree)))


def _word(path, line, found, term):
    return Breach(path, line, f"says '{found}'", f"say: {term}")


# --- faults ---

DOCUMENT = first(r"docs/[a-z]+\.md")


def _word_of_the_glossary(wanted):
    """The first word of the table that is an identifier, or is none."""

    def find(tree):
        pattern = next(pattern for pattern, _, is_name in words(tree) if is_name == wanted)
        return pattern[len(r"(?<!\w)") : -len(r"(?!\w)")].replace("\\ ", " ")

    return find


def _plant_word(path_of, form, is_identifier=False):
    word_of = _word_of_the_glossary(is_identifier)
    return lambda tree: append(path_of, form.replace("WORD", word_of(tree)))(tree)


RULES = (
    Rule(
        "width",
        f"two files fit beside each other: {WIDTH} characters",
        check_width,
        (
            Fault(
                "a wide line of C++", append(first(r"base/.*\.cc"), f"// {'x' * 100}\n"), "break it"
            ),
            Fault(
                "a wide line of Python",
                append(first(r"tools/\w+\.py"), f"# {'x' * 100}\n"),
                "break",
            ),
            Fault(
                "a wide line of CMake",
                append(lambda _: "CMakeLists.txt", f"# {'x' * 100}\n"),
                "break",
            ),
            Fault(
                "a wide line of shell", append(lambda _: "tools/build", f"# {'x' * 100}\n"), "break"
            ),
            Fault(
                "a wide line of YAML", append(lambda _: "etc/hub.yaml", f"# {'x' * 100}\n"), "break"
            ),
        ),
    ),
    Rule(
        "todo",
        "what is to be done now is done",
        check_todo,
        (Fault("a mark", append(first(r"base/.*\.cc"), f"// {MARK} plant\n"), "resolve it"),),
    ),
    Rule(
        "title",
        "a document is about one thing",
        check_titles,
        (Fault("two titles", append(DOCUMENT, "\n# Another\n"), "one `# title`"),),
    ),
    Rule(
        "path",
        "a document's paths lead somewhere",
        check_links,
        (
            Fault(
                "a link to nothing", append(DOCUMENT, "\nSee [it](planted.md).\n"), "name the file"
            ),
            Fault(
                "a path of nothing",
                append(DOCUMENT, "\nSee `kernel/planted.cc`.\n"),
                "name the file",
            ),
            Fault(
                "a glossary entry for a file that is gone",
                append(lambda _: "docs/glossary.md", "| planted | it | `dispatch/planted.h` |\n"),
                "name the file",
            ),
        ),
    ),
    Rule(
        "word",
        "one word for one thing, and it is the engineer's",
        check_words,
        (
            Fault("in a document", _plant_word(DOCUMENT, "\nIt is WORD.\n"), "say: "),
            Fault("in a comment", _plant_word(first(r"base/.*\.cc"), "// It is WORD.\n"), "say: "),
            Fault(
                "in a literal",
                _plant_word(first(r"base/.*\.cc"), 'constexpr const char* kIt = "it is WORD";\n'),
                "say: ",
            ),
            Fault("in a name", _plant_word(first(r"base/.*\.cc"), "class WORD;\n", True), "say: "),
        ),
    ),
)
