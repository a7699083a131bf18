"""What C++ and Python of ours do not do, and what each header begins with.

What: no instance(), no mutable global, no thread and no sleep but in the one place for it, no
#if, one form of header.
Why: each of them was a fault that a reader had to find.
Who: tools/tidy.py.
"""

import ast
import os
import re

from tidy_rules.tree import (
    Breach,
    Fault,
    Rule,
    append,
    first,
    header,
    is_test,
    line_of,
    scan,
    with_include,
)

# --- singletons and globals ---


def _instances(path, text):
    code = scan(path, text).code
    return [
        Breach(
            path,
            line_of(code, match.start()),
            f"has {match.group()}",
            "make the object in main() (capsule/process) and pass it on as constructor parameter",
        )
        for match in re.finditer(r"\b(?:get_)?[iI]nstance\s*\(\s*\)", code)
    ]


def check_instance(tree):
    yield from tree.each(_instances, tree.cpp())


# Mutable things of a whole process or of a thread, each with its reason. Unused rows are breaches.
SCRATCH = "what a thread encodes into, kept so that a call allocates nothing"
GLOBALS = {
    ("base/blocking_pool.cc", "is_worker"): "a thread knows what it is",
    ("base/epoch.cc", "epoch_slot"): "a thread's slot, found without a lock",
    ("base/parker.cc", "parker_of_this_thread"): "a thread sleeps in a place of its own",
    ("base/parker.cc", "this_thread_may_block"): "a thread knows what it is",
    ("base/udp_network.cc", "inside_"): "the socket whose handler this thread runs",
    ("kernel/src/capsule/message_files.cc", "loading_here"): "the library that this thread loads",
    ("kernel/src/call/call.cc", "frames_of_this_thread"): "the Objects that this thread is in",
    (
        "kernel/src/call/thread_activity.cc",
        "activity_of_this_thread",
    ): "what this thread is at, for observers",
    ("kernel/src/call/thread_activity.cc", "mine"): "enters and leaves the list with its thread",
    ("languages/cpp/include/hector/cpp.h", "table"): "the C API keeps pointers into a template's",
    ("languages/cpp/include/hector/cpp.h", "names"): "description for as long as its library is",
    ("languages/cpp/include/hector/cpp.h", "description"): "mapped",
    ("protocols/grpc/grpc_protocol.cc", "once"): "gRPC 1.51 frees its callback queue twice",
    ("protocols/grpc/socket_hooks.cc", "watched_sockets"): "gRPC calls with a descriptor alone",
    ("protocols/grpc/status_mapping.cc", "octets"): SCRATCH,
    ("protocols/udp/conversation.cc", "messages"): SCRATCH,
    ("protocols/udp/udp_server.cc", "head"): SCRATCH,
    ("stores/etcd/etcd.cc", "for_life"): "gRPC 1.51 waits for itself when its last channel ends",
}

_SCOPE = re.compile(r"\b(namespace|extern)\b[^;{}()]*$")
_TYPE = re.compile(
    r"\b(class|struct|union|enum)\b(?![^{}]*\)\s*(const|noexcept|override|->|$))[^;{}]*$"
)


def _statements(code):
    """(scope, text, offset) of each statement of C++ code whose preprocessor lines are blank.
    scope: "namespace", "type", "function" or "value" (a braced initialiser).
    """
    stack, start, depth = [("namespace", 0)], 0, 0
    for match in re.finditer(r"[{};()]", code):
        at, mark = match.start(), match.group()
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif mark == "{":
            before = code[start:at]
            scope = stack[-1][0]
            if depth > 0:
                kind = (
                    "function"
                    if re.search(r"[\])]\s*(mutable|noexcept|->[^{]*)?\s*$", before)
                    else "value"
                )
            elif scope in ("namespace", "type") and _SCOPE.search(before):
                kind = "namespace"
            elif _TYPE.search(before):
                kind = "type"
            elif scope in ("function", "value"):
                kind = (
                    "value"
                    if re.search(r"[=\w>,(]\s*$", before)
                    and not re.search(r"\b(else|do|try)\s*$", before)
                    else "function"
                )
            else:
                head = before.strip()
                is_value = re.search(r"=\s*$", head) or not re.search(r"\)", head)
                kind = "value" if is_value and not head.endswith(")") else "function"
            stack.append((kind, depth))
            depth = 0
            if kind != "value":
                start = at + 1
        elif mark == "}":
            if len(stack) > 1:
                kind, depth = stack.pop()
                if kind != "value":
                    start = at + 1
        elif depth == 0 and stack[-1][0] != "value":
            yield stack[-1][0], code[start:at], start
            start = at + 1


_NOT_A_VARIABLE = re.compile(
    r"^(using|typedef|template|class|struct|enum|union|friend|static_assert|extern|namespace|public"
    r"|private|protected|return|throw|delete|goto|case|default|operator|explicit|virtual|asm|if|for"
    r"|while|else|do|switch|concept|requires|co_return|break|continue)\b"
)
_VARIABLE = re.compile(
    r"^[\w:<>,*&\s\[\]]+?[\w>*&\]]\s+[*&]?(\w+)\s*(?:\[[^\]]*\])?\s*(?:=.*|\{.*)?$", re.S
)


def _is_constant(declaration):
    left = re.split(r"[={]", declaration, maxsplit=1)[0]
    if re.search(r"\b(constexpr|consteval)\b", left):
        return True
    if not re.search(r"\bconst\b", left):
        return False
    return "*" not in left or bool(re.search(r"\*\s*const\b", left))


def mutable_things(path, text):
    """(line, name) of mutable variables that live as long as the process or a thread."""
    code = re.sub(
        r"(?m)^[ \t]*#(?:[^\n\\]|\\.)*", lambda m: " " * len(m.group()), scan(path, text).code
    )
    found = []
    for scope, statement, offset in _statements(code):
        stripped = statement.strip()
        stripped = re.sub(r"^(?:(?:public|private|protected)\s*:\s*)+", "", stripped)
        stripped = re.sub(r"^\[\[[^\]]*\]\]\s*", "", stripped)
        lasting = re.match(r"(?:(?:inline|static|thread_local|constinit)\b\s*)+", stripped)
        if scope == "namespace":
            if _NOT_A_VARIABLE.match(stripped) and not lasting:
                continue
        elif not lasting or not re.search(r"\b(static|thread_local)\b", lasting.group()):
            continue
        match = _VARIABLE.match(stripped)
        if not match or _is_constant(stripped) or "(" in re.split(r"[={]", stripped, maxsplit=1)[0]:
            continue
        begin = offset + len(statement) - len(statement.lstrip())
        found.append((line_of(code, begin), match.group(1)))
    return tuple(found)


def check_globals(tree):
    used = set()
    for path in tree.cpp():
        for line, name in tree.remembered(mutable_things, path):
            if (path, name) in GLOBALS:
                used.add((path, name))
            elif not is_test(path):
                yield Breach(
                    path,
                    line,
                    f"the variable {name} is one for the whole process",
                    "make it a member of the object whose state it is, or constexpr",
                )
    for path, name in GLOBALS:
        if path in tree and (path, name) not in used:
            yield Breach(
                "tools/tidy_rules/code.py",
                0,
                f"the row ({path}, {name}) of GLOBALS is needed by nothing",
                "delete the row",
            )


# --- threads and sleep ---

_THREAD = re.compile(r"\bstd::(?:j?thread\b(?!::)|async\s*\()|\bpthread_create\b")


def _threads(path, text):
    code = scan(path, text).code
    return [
        Breach(
            path,
            line_of(code, match.start()),
            f"uses {match.group().rstrip('(')}",
            "use hector::Thread (hector/thread.h), which names it and joins it, or an Executor",
        )
        for match in _THREAD.finditer(code)
    ]


def check_threads(tree):
    paths = [p for p in tree.cpp() if not p.startswith("base/") and not is_test(p)]
    yield from tree.each(_threads, paths)


_SLEEP = re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\s*\(")
# The helpers that wait for a condition; they poll, so that nothing else has to.
WAITERS = {"base/testing/waiting.h", "tools/waiting.py"}
# What tests run: peers, drivers and templates, which are slow because a test wants them slow.
PROGRAMS = re.compile(r"tests/system/\w+_peers/|tests/changes/|tests/worlds/|languages/\w+/kit/")


def _sleeps_of_cpp(path, text):
    code = scan(path, text).code
    return tuple((line_of(code, m.start()), m.group().rstrip("( ")) for m in _SLEEP.finditer(code))


def _sleeps_of_python(path, text):
    return tuple(
        (node.lineno, "sleep")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
    )


def _sleeps(tree):
    for path in tree.files:
        found = ()
        if PROGRAMS.match(path) or path.startswith("bench/"):
            continue
        if path.endswith((".cc", ".h")) and is_test(path):
            found = tree.remembered(_sleeps_of_cpp, path)
        elif path.endswith(".py") and path.startswith(("tests/", "tools/")):
            found = tree.remembered(_sleeps_of_python, path)
        for line, name in found:
            yield path, line, name


def check_sleep(tree):
    used = set()
    for path, line, name in _sleeps(tree):
        used.add(path)
        if path not in WAITERS:
            yield Breach(
                path,
                line,
                f"a test sleeps ({name})",
                "wait for what is to happen: waiting::until(condition) of base/testing/waiting.h, "
                "waiting.until(condition) of tools/waiting.py; let time pass by a fake clock",
            )
    for path in sorted(WAITERS - used):
        yield Breach(path, 0, "does not poll any more", "take it out of WAITERS in code.py")


# --- preprocessor and headers ---

# Read by C and by C++.
CONDITIONAL = {"kernel/include/hector/hector.h": "the C API, which C compilers read as well"}


def _conditionals(path, text):
    code = scan(path, text).code
    return [
        Breach(
            path,
            line_of(code, match.start()),
            f"has #{match.group(1)}",
            "choose in CMake which file is compiled, or by an object that main() makes",
        )
        for match in re.finditer(r"(?m)^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)\b", code)
    ]


def check_conditionals(tree):
    used = set()
    for breach in tree.each(_conditionals, tree.cpp()):
        used.add(breach.path)
        if breach.path not in CONDITIONAL:
            yield breach
    for path in sorted(set(CONDITIONAL) - used):
        if path in tree:
            yield Breach(path, 0, "has no #if any more", "take it out of CONDITIONAL in code.py")


def _pragmas(path, text):
    count = len(re.findall(r"(?m)^#pragma once$", text))
    if count == 1:
        return ()
    return (Breach(path, 0, f"has #pragma once {count} times", "write it once, below its head"),)


def check_pragma(tree):
    yield from tree.each(_pragmas, tree.matching(".h"))


HEADS = ("What:", "Why:", "Who:")


def _head_mistake(lines, marker):
    """What of the three is missing at the top; None: nothing."""
    wanted = list(HEADS)
    for line in lines:
        text = line[len(marker) :].strip() if line.startswith(marker) else None
        if text is None:
            break
        if wanted and text.startswith(wanted[0]):
            wanted.pop(0)
    return wanted[0] if wanted else None


def check_heads(tree):
    for path in tree.files:
        if path.endswith(".h"):
            lines = [re.sub(r"^(/\*| \*)", "//", line) for line in tree.lines(path)[:30]]
            missing = _head_mistake(lines, "//")
        elif path.endswith(".py"):
            text = tree.text(path)
            found = re.match(r'(?:#[^\n]*\n)*[rf]?"""(.*?)"""', text, re.S)
            missing = _head_mistake(found.group(1).split("\n"), "") if found else HEADS[0]
        else:
            continue
        if missing:
            yield Breach(
                path,
                1,
                f"its head has no line '{missing} …'",
                "begin with three lines: What: it is, Why: it exists, Who: uses it",
            )


def check_own_header(tree):
    for path in tree.matching(".cc"):
        own = path[:-3] + ".h"
        if own not in tree:
            continue
        included = tree.includes(path)
        name = included[0][1] if included else ""
        if not own.endswith(name) or os.path.basename(name) != os.path.basename(own):
            yield Breach(
                path,
                included[0][0] if included else 1,
                f"includes {name or 'nothing'} before its own header",
                f"begin with the #include of {os.path.basename(own)}: then it compiles alone",
            )


# --- faults ---

ANY = first(r"kernel/src/binding/[a-z_]+\.cc")


def _in_namespace(text, path_of=ANY):
    return append(path_of, f"\nnamespace hector {{\n{text}\n}}  // namespace hector\n")


def _test_file(tree):
    return next(p for p in tree.cpp() if p.endswith("_test.cc"))


def _python_test(tree):
    return next(p for p in tree.files if re.fullmatch(r"tests/system/\w+_test\.py", p))


def _with_header(text):
    """A planted header with `text`, included by a test."""

    def plant(tree):
        user = _test_file(tree)
        include = '#include "base/planted.h"'
        return {"base/planted.h": text, user: with_include(tree, user, include)}

    return plant


def _swap_includes(tree):
    for path in tree.matching(".cc"):
        if path[:-3] + ".h" in tree and not is_test(path):
            lines = tree.lines(path)
            number = tree.includes(path)[0][0] - 1
            lines.insert(number, "#include <vector>")
            return {path: "\n".join(lines)}
    raise LookupError("no .cc has a header")


def _without_head_line(tree):
    path = first(r"kernel/src/[a-z]+/[a-z_]+\.h")(tree)
    return {path: re.sub(r"(?m)^// Why:.*\n(// (?!Who:).*\n)*", "", tree.text(path), count=1)}


def _without_python_head(tree):
    path = next(p for p in tree.files if re.fullmatch(r"tools/\w+\.py", p))
    return {path: re.sub(r"(?m)^Who:", "Used by", tree.text(path), count=1)}


def _stale_global(tree):
    path, name = next(row for row in GLOBALS if row[0] in tree)
    return {path: tree.text(path).replace(f" {name}", f" const {name}")}


RULES = (
    Rule(
        "instance",
        "there is no singleton: main() makes what there is one of",
        check_instance,
        (
            Fault(
                "a singleton",
                _in_namespace("struct Planted {\n  static Planted& instance();\n};"),
                "make the object in main()",
            ),
        ),
    ),
    Rule(
        "mutable-global",
        "state belongs to an object that somebody owns",
        check_globals,
        (
            Fault("a mutable global", _in_namespace("int planted = 0;"), "make it a member"),
            Fault(
                "an atomic global",
                _in_namespace("namespace {\nstd::atomic<int> planted{0};\n}"),
                "make it a member",
            ),
            Fault(
                "a pointer that may change",
                _in_namespace('const char* planted = "x";'),
                "make it a member",
            ),
            Fault(
                "a static local",
                _in_namespace("int next() {\n  static int planted = 0;\n  return ++planted;\n}"),
                "make it a member",
            ),
            Fault(
                "a static member",
                _in_namespace("class Planted {\n  static inline int count_ = 0;\n};"),
                "make it a member",
            ),
            Fault(
                "a thread_local",
                _in_namespace("thread_local int planted;", first(r"capsule/process/.*\.cc")),
                "make it a member",
            ),
            Fault("a row that is not needed", _stale_global, "delete the row"),
        ),
    ),
    Rule(
        "thread",
        "threads are made in base, named and joined",
        check_threads,
        (
            Fault(
                "a thread in the kernel",
                _in_namespace("void planted() { std::thread([] {}).detach(); }"),
                "hector/thread.h",
            ),
            Fault(
                "std::async in a service",
                _in_namespace(
                    "void planted() { auto f = std::async([] {}); }", first(r"services/\w+/\w+\.cc")
                ),
                "hector/thread.h",
            ),
        ),
    ),
    Rule(
        "sleep",
        "a test waits for what is to happen, not for a time in which it mostly does",
        check_sleep,
        (
            Fault(
                "a C++ test sleeps",
                append(
                    _test_file,
                    "void planted() { std::this_thread::sleep_for(std::chrono::seconds(1)); }\n",
                ),
                "waiting::until(condition)",
            ),
            Fault(
                "a Python test sleeps",
                append(_python_test, "\n\ndef planted():\n    time.sleep(1)\n"),
                "waiting.until(condition)",
            ),
            Fault(
                "a helper that does not poll",
                lambda tree: {
                    "tools/waiting.py": tree.text("tools/waiting.py").replace(
                        "time.sleep(", "print("
                    )
                },
                "take it out of WAITERS",
            ),
        ),
    ),
    Rule(
        "conditional",
        "there is one program, not one for each set of macros",
        check_conditionals,
        (
            Fault(
                "#if in the kernel",
                append(ANY, "#if defined(__linux__)\n#endif\n"),
                "choose in CMake",
            ),
            Fault(
                "#ifdef in a public header",
                append(first(r"kernel/include/hector/c[ab][a-z_]*\.h"), "#ifdef NDEBUG\n#endif\n"),
                "choose in CMake",
            ),
            Fault(
                "#if in a protocol",
                append(first(r"protocols/\w+/\w+\.cc"), "#ifndef NDEBUG\n#endif\n"),
                "choose in CMake",
            ),
        ),
    ),
    Rule(
        "pragma-once",
        "a header is read once, and its guard cannot be another one's",
        check_pragma,
        (
            Fault(
                "a header without it",
                _with_header(header("").replace("#pragma once\n", "")),
                "write it once",
            ),
        ),
    ),
    Rule(
        "head",
        "three lines say to a reader whether this is the file",
        check_heads,
        (
            Fault("a header without Why", _without_head_line, "begin with three lines"),
            Fault("a Python file without Who", _without_python_head, "begin with three lines"),
        ),
    ),
    Rule(
        "own-header-first",
        "each header compiles alone",
        check_own_header,
        (Fault("a library's header first", _swap_includes, "then it compiles alone"),),
    ),
)
