"""Who includes whom: folders against a table, and no circle.

What: resolves each #include to a tracked file and compares rooms with the table below.
Why: a layer that is only written down is left at the first opportunity.
Who: tools/tidy.py; docs/architecture.md shows the same table as a picture.
"""

import functools
import os
import re

from tidy_rules.tree import (
    PLUGIN_KINDS,
    Breach,
    Fault,
    Rule,
    add_include,
    first,
    header,
    include_planted,
    is_test,
)

# The rooms of kernel/src; each may include those before it. A new room gets its place here.
KERNEL_ORDER = (
    "call",
    "store",
    "objects",
    "channel",
    "party",
    "services",
    "binding",
    "capsule",
    "management",
    "capi",
)

# What a room is: the longest of these that a path begins with. "*" is one folder.
ROOMS = (
    "base/include",
    "base/testing",
    "base",
    "audit/include",
    "audit",
    "identity/include",
    "identity",
    "types/include",
    "types/proto",
    "types/authoring",
    "types",
    "kernel/include",
    "kernel/proto",
    "kernel/testing",
    "kernel/src/*",
    "kernel/src",
    "protocols/common",
    "protocols/*",
    "languages/*/include",
    "languages/*",
    "services/common",
    "services/*",
    "stores/common",
    "stores/*",
    "capsule/process",
    "capsule/cli",
    "capsule/embed",
    "capsule/*",
    "templates/*",
    "tests",
    "bench",
)

# The public headers of the three libraries, with the messages in them: #include "hector/…".
PUBLIC = (
    "base/include",
    "audit/include",
    "identity/include",
    "types/include",
    "types/proto",
    "kernel/include",
    "kernel/proto",
)
TYPES = ("types/include", "types/proto")
KERNEL = ("kernel/include", "kernel/proto")

# Who may include whom, beside itself. A room that is not here may include nothing but itself.
MAY_INCLUDE = {
    "base/include": (),
    "base": ("base/include",),
    "audit/include": ("base/include",),
    "audit": ("base/include", "base", "audit/include"),
    "identity/include": ("base/include",),
    "identity": ("base/include", "base", "identity/include"),
    "types/include": ("base/include", "types/proto"),
    "types": ("base/include", "base", *TYPES),
    "base/testing": ("base/include", "base"),
    # Generation, formatting, drawing: reached through hector/authoring.h by who links them.
    "types/authoring": ("base/include", "base", "types", *TYPES),
    "kernel/include": ("base/include", *TYPES, "kernel/proto"),
    "kernel/testing": PUBLIC,
    "protocols/common": PUBLIC,
    "services/common": PUBLIC,
    "stores/common": PUBLIC,
    "capsule/process": (*PUBLIC, "base"),
    "capsule/cli": (*PUBLIC, "base", "capsule/process"),
    # An embedded capsule shows plain objects of a script as Objects, which is what worlds do.
    "capsule/embed": (*PUBLIC, "base", "capsule/process", "protocols/common"),
    "tests": None,  # anything
    "bench": None,
}


@functools.cache
def room(path):
    parts = path.split("/")
    for pattern in ROOMS:
        names = pattern.split("/")
        if len(parts) > len(names) and all(n in ("*", p) for n, p in zip(names, parts)):
            return "/".join(parts[: len(names)])
    return None


@functools.cache
def allowed(name):
    """The rooms that the room `name` may include; None: any."""
    if name in MAY_INCLUDE:
        rooms = MAY_INCLUDE[name]
        return None if rooms is None else {name, *rooms}
    parts = name.split("/")
    if parts[:2] == ["kernel", "src"]:
        here = KERNEL_ORDER.index(parts[2]) if len(parts) > 2 and parts[2] in KERNEL_ORDER else -1
        before = {f"kernel/src/{room}" for room in KERNEL_ORDER[: max(here, 0)]}
        return {name, *PUBLIC, "base", "types", *before}
    if parts[0] == "languages" and len(parts) == 3:
        return {name, *PUBLIC}
    if parts[0] in PLUGIN_KINDS:
        return {name, f"{name}/include", f"{parts[0]}/common", *PUBLIC}
    if parts[0] == "templates":
        return {name, *PUBLIC, "languages/*/include"}
    return {name}


def may(from_path, to_path):
    here, there = room(from_path), room(to_path)
    rooms = allowed(here)
    if rooms is None or there in rooms:
        return True
    if there.startswith("languages/") and there.endswith("/include"):
        return "languages/*/include" in rooms
    # Tests beside the code may use what is made for tests, and what comes after their room.
    if there == "tests":  # a language's kit implements tests/kits/kit.proto
        return is_test(from_path) and here.split("/")[0] in PLUGIN_KINDS
    return is_test(from_path) and there in ("base/testing", "kernel/testing")


# Files that are made of tracked ones, by their ends.
MADE = (
    (".pb.h", (".proto",)),
    (".hector.h", (".hector.yaml",)),
    ("_yaml.inc", (".hector.yaml",)),
    ("_proto.inc", (".proto",)),
)
# Made by CMake alone, of files that lie elsewhere.
MADE_BY_CMAKE = {"service_texts.h"}


def resolve(tree, path, name, quoted):
    """The tracked file that `path` includes as `name`; None: there is none."""
    beside = os.path.normpath(f"{os.path.dirname(path)}/{name}")
    if quoted and beside in tree:
        return beside
    if not quoted and "/" not in name:
        return None
    asked = [os.path.normpath(name)]
    for end, sources in MADE:
        if name.endswith(end):
            asked += [os.path.normpath(name[: -len(end)] + source) for source in sources]
    best, shared = None, -1
    for wanted in asked:
        wanted = wanted.lstrip("./")
        for candidate in tree.by_name[wanted.rsplit("/", 1)[-1]]:
            if candidate == wanted or candidate.endswith("/" + wanted):
                common = len(os.path.commonprefix([candidate, path]))
                if common > shared:
                    best, shared = candidate, common
    return best


def forwards(tree, path):
    """kernel/include/hector/NAME.h that only includes base's or types' public header NAME.h."""
    named = re.fullmatch(r"kernel/include/hector/(\w+\.h)", path)
    names = [name for _, name, _ in tree.includes(path)]
    return (
        named is not None
        and len(names) == 1
        and re.fullmatch(r"(\.\./){3}(base|types)/include/hector/" + named[1], names[0]) is not None
    )


def edges(tree):
    """(path, line, header as written, tracked file) of every include that leads into the tree."""
    if tree.edges is None:
        tree.edges = [
            (path, line, name, target)
            for path in tree.cpp()
            for line, name, quoted in tree.includes(path)
            if (target := resolve(tree, path, name, quoted)) is not None
        ]
    return tree.edges


def check_rooms(tree):
    for path, line, name, target in edges(tree):
        here, there = room(path), room(target)
        if here is None:
            yield Breach(
                path,
                line,
                "lies in no room that tidy knows",
                "put it into a room, or add the new room to ROOMS and MAY_INCLUDE in "
                "tools/tidy_rules/graph.py, with a reason",
            )
        elif there is None:
            continue
        elif not may(path, target):
            yield Breach(path, line, f"includes {name} ({target})", _instead(here, there))


def _instead(here, there):
    mine, theirs = here.split("/"), there.split("/")
    if there == "types/authoring":
        return (
            "a capsule does not carry the types' authoring: ask for what is needed through "
            "hector/authoring.h, and link it where people write types"
        )
    if mine[:2] == theirs[:2] == ["kernel", "src"]:
        return (
            f"the order of kernel/src is {' <- '.join(KERNEL_ORDER)}: move what both need to the "
            "earlier room, or take an interface as constructor parameter"
        )
    if theirs[0] in PLUGIN_KINDS and mine[0] in PLUGIN_KINDS and mine[0] == theirs[0]:
        return (
            f"plugins do not know each other: move what both need to {theirs[0]}/common/, or call "
            "the other one through its Interface"
        )
    if theirs[0] in PLUGIN_KINDS:
        return (
            f"{'/'.join(mine[:2])} knows no plugin: use the interface in hector/… that the plugin "
            "implements"
        )
    if mine[0] in PLUGIN_KINDS or mine[0] == "templates":
        return f"{mine[0]} include public headers, hector/…, and their own folder's"
    return (
        f"{here} may include {', '.join(sorted(allowed(here) or ()))}: use a public header, "
        "hector/…, or move what both need down"
    )


# Rows of MAY_INCLUDE that are exceptions: they go when nothing needs them any more.
EXCEPTIONS = (("capsule/embed", "protocols/common"),)


def check_rows(tree):
    used = {(room(path), room(target)) for path, _, _, target in edges(tree)}
    rooms = {room(path) for path in tree.files}
    for here, there in EXCEPTIONS:
        if (here, there) not in used and here in rooms and there in rooms:
            yield Breach(
                "tools/tidy_rules/graph.py",
                0,
                f"{here} includes nothing of {there} any more",
                f"delete the row of {there} in MAY_INCLUDE",
            )


def check_resolved(tree):
    for path in tree.cpp():
        for line, name, quoted in tree.includes(path):
            if not quoted or name in MADE_BY_CMAKE or is_test(path):
                continue
            if resolve(tree, path, name, quoted) is None:
                yield Breach(
                    path,
                    line,
                    f'includes "{name}", which is no file of ours',
                    f"write <{name}> for a library's header, or correct the path",
                )


def circles(graph):
    """Strongly connected parts with more than one node (Tarjan's), as sorted lists."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(start):
        work = [(start, iter(sorted(graph.get(start, ()))))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(graph.get(other, ())))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while True:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                        if part[-1] == node:
                            break
                    if len(part) > 1:
                        found.append(sorted(part))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def graph_of(tree, node_of):
    """({node: nodes it includes}, {(node, node): (path, line, header)}), without tests."""
    graph, examples = {}, {}
    for path, line, name, target in edges(tree):
        if is_test(path) or is_test(target):
            continue
        here, there = node_of(path), node_of(target)
        if here != there:
            graph.setdefault(here, set()).add(there)
            examples.setdefault((here, there), (path, line, name))
    return graph, examples


def _circle_breaches(tree, node_of, what, instead):
    graph, examples = graph_of(tree, node_of)
    for part in circles(graph):
        inside = [(a, b) for a, b in sorted(examples) if a in part and b in part]
        told = "; ".join(
            f"{examples[pair][0]}:{examples[pair][1]} includes {examples[pair][2]}"
            for pair in inside[:6]
        )
        path, line, _ = examples[inside[0]]
        yield Breach(
            path, line, f"closes a circle of {what}: {' <-> '.join(part)} ({told})", instead
        )


def check_folder_circles(tree):
    yield from _circle_breaches(
        tree,
        os.path.dirname,
        "folders",
        "move what both need into the folder that is included, or take it as an interface",
    )


def _file_room(path):
    """foo.h and foo.cc are one room; made files belong to what they are made of."""
    return re.sub(r"\.(h|cc|proto|hector\.yaml)$", "", path)


def check_file_circles(tree):
    yield from _circle_breaches(
        tree,
        _file_room,
        "files",
        "split off what both need, or let one of them take an interface of the other",
    )


# --- rules and their faults ---


def _plugin(kind, number=0):
    return lambda tree: tree.plugins(kind)[number]


def _in_plugin(kind):
    """A C++ file of the first plugin of `kind`."""

    def find(tree):
        folder = tree.plugins(kind)[0]
        return next(p for p in tree.cpp() if p.startswith(folder + "/") and not is_test(p))

    return find


def _below(folder):
    """How a header is included whose include root is `folder`."""
    return lambda target: target[len(folder) + 1 :]


def _kit(tree):
    return next(p for p in tree.cpp() if p.startswith("tests/kits/"))


def _plant_room(tree):
    return {
        "attic/README.md": "# attic\n",
        "attic/planted.h": header('#include "hector/result.h"\n'),
        **add_include(_kit, '#include "attic/planted.h"')(tree),
    }


def _plant_circle(tree):
    return {
        "base/planted_a.h": header('#include "base/planted_b.h"\n'),
        "base/planted_b.h": header('#include "base/planted_a.h"\n'),
        **add_include(_kit, '#include "base/planted_a.h"')(tree),
    }


def _plant_folder_circle(tree):
    return {
        "base/one/planted.h": header('#include "base/two/planted.h"\n'),
        "base/two/planted.h": header('#include "base/one/planted_too.h"\n'),
        "base/one/planted_too.h": header(),
        **add_include(_kit, '#include "base/one/planted.h"')(tree),
    }


def _unused_row(tree):
    """Takes every #include of protocols/common out of capsule/embed."""
    changes = {}
    for path, _, name, target in edges(tree):
        if room(path) == "capsule/embed" and room(target) == "protocols/common":
            text = changes.get(path, tree.text(path))
            changes[path] = text.replace(f'#include "{name}"\n', "")
    return changes


SRC = _below("kernel/src")
CALL = first(r"kernel/src/call/.*\.cc")

RULES = (
    Rule(
        "rooms",
        "each folder includes what the table of rooms allows",
        check_rooms,
        (
            Fault(
                "an earlier room of the kernel includes a later one",
                include_planted(CALL, "kernel/src/capi", SRC),
                "move what both need to the earlier room",
                also=("folder-circle",),
            ),
            Fault(
                "the same by a path with ..",
                include_planted(CALL, "kernel/src/capi", lambda _: "../capi/planted.h"),
                "move what both need to the earlier room",
                also=("folder-circle",),
            ),
            Fault(
                "types include the kernel",
                include_planted(first(r"types/order/.*\.cc"), "kernel/src/call", SRC),
                "types may include",
            ),
            Fault(
                "base includes types",
                include_planted(first(r"base/[a-z_]+\.cc"), "types/order"),
                "base may include",
            ),
            Fault(
                "the kernel includes the types' authoring",
                include_planted(CALL, "types/authoring"),
                "hector/authoring.h",
            ),
            Fault(
                "a public header includes a room of the kernel",
                include_planted(first(r"kernel/include/hector/[a-z_]+\.h"), "kernel/src/call", SRC),
                "use a public header",
                also=("folder-circle", "public-header"),
            ),
            Fault(
                "the kernel includes a service's library",
                include_planted(CALL, _plugin("services"), _below("services")),
                "knows no plugin",
            ),
            Fault(
                "the kernel includes what protocols share",
                include_planted(CALL, "protocols/common/objects", _below("protocols/common")),
                "knows no plugin",
            ),
            Fault(
                "one protocol includes another",
                include_planted(
                    _in_plugin("protocols"), _plugin("protocols", 1), _below("protocols")
                ),
                "move what both need to protocols/common/",
            ),
            Fault(
                "one service includes another",
                include_planted(_in_plugin("services"), _plugin("services", 1), _below("services")),
                "move what both need to services/common/",
            ),
            Fault(
                "a plugin includes a room of the kernel",
                include_planted(_in_plugin("protocols"), "kernel/src/call", SRC),
                "include public headers",
            ),
            Fault(
                "the capsule includes a plugin's library",
                include_planted(
                    first(r"capsule/process/.*\.cc"), _plugin("protocols"), _below("protocols")
                ),
                "knows no plugin",
            ),
            Fault(
                "the command line includes what services share",
                include_planted(
                    first(r"capsule/cli/.*\.cc"), "services/common/state", _below("services/common")
                ),
                "knows no plugin",
            ),
            Fault(
                "a template includes a service",
                include_planted(
                    first(r"templates/[^/]+/.*\.cc"), _plugin("services"), _below("services")
                ),
                "knows no plugin",
            ),
            Fault(
                "a folder without a place in the table", _plant_room, "add the new room to ROOMS"
            ),
        ),
    ),
    Rule(
        "rows",
        "an exception that nothing needs any more is taken away",
        check_rows,
        (Fault("a row of the table is not needed", _unused_row, "delete the row of"),),
    ),
    Rule(
        "resolved-include",
        'what stands in "" is a file of ours, so that the graph is whole',
        check_resolved,
        (
            Fault(
                "a library's header in quotes",
                add_include(CALL, '#include "sys/epoll.h"'),
                "write <sys/epoll.h>",
            ),
        ),
    ),
    Rule(
        "folder-circle",
        "folders include each other in one direction",
        check_folder_circles,
        (Fault("two folders include each other", _plant_folder_circle, "move what both need"),),
    ),
    Rule(
        "file-circle",
        "a reader can begin with a file that needs no other",
        check_file_circles,
        (Fault("two headers include each other", _plant_circle, "split off what both need"),),
    ),
)
