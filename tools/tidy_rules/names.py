"""Who names whom: plugins are known by nobody but themselves; libraries are named where they are
used.

What: names of plugins in the kernel and the capsule, links to plugins' libraries, headers of
libraries in public headers and in plugins whose manifest does not name them.
Why: a plugin can be deleted, and a public header brings no library along.
Who: tools/tidy.py.
"""

import re

from tidy_rules import graph
from tidy_rules.manifests import Manifest
from tidy_rules.tree import (
    PLUGIN_KINDS,
    Breach,
    Fault,
    Rule,
    append,
    first,
    is_test,
    line_of,
    scan,
    add_include,
)

# The standard services, whose Interfaces the kernel asks by itself. They leave this row when their
# clients in kernel/src/services are generated from type files.
STANDARD_SERVICES = {"naming", "trading", "policy", "type"}
# Names that are dimensions of QoS as well, which types and the kernel speak of.
WORDS_OF_QOS = {"privacy"}
# Names that are words of programs as well: only a literal and a class's name count.
WORDS_OF_CPP = {"memory"}


def _names(tree):
    return {folder.split("/")[1] for folder in tree.plugins()} - STANDARD_SERVICES - WORDS_OF_QOS


def _is_core(path):
    return path.startswith(("kernel/", "capsule/")) and not is_test(path)


def _plugin_names(path, text, names):
    either = "|".join(map(re.escape, names))
    in_text = re.compile(rf"^({either})$|(?<![\w.])({either}):(?!:)")
    camel = "|".join(name.capitalize() for name in names)
    snake = "|".join(re.escape(name) for name in names if name not in WORDS_OF_CPP)
    in_code = re.compile(rf"\b(?:\w*_)?({snake})(?:_\w*)?\b|\b\w*?({camel})(?=[A-Z0-9_]|\b)\w*")
    scanned = scan(path, text)
    found = []
    for literal in scanned.literals:
        if match := in_text.search(literal.value):
            found.append(_named(path, literal.line, f'"{match.group().rstrip(":")}"'))
    code = re.sub(r"(?m)^[ \t]*#.*$", "", scanned.code)
    for match in in_code.finditer(code):
        found.append(_named(path, line_of(code, match.start()), match.group()))
    return found


def check_plugin_names(tree):
    names = tuple(sorted(_names(tree)))
    if names:
        yield from tree.each(_plugin_names, filter(_is_core, tree.cpp()), names)


def _named(path, line, name):
    return Breach(
        path,
        line,
        f"names the plugin {name}",
        "go by what a plugin can do (its Capabilities, its Interface) or by what the configuration "
        "says, never by its name",
    )


_DEFINES = re.compile(r"hector_library\((\w+)|add_library\(hector::(\w+) ALIAS")
_USES = re.compile(r"hector::(\w+)")


def check_links(tree):
    """Targets of plugins' folders in the CMakeLists.txt of folders that may not include them."""
    defined = {}
    lists = [p for p in tree.files if p.endswith("/CMakeLists.txt")]
    for path in lists:
        if path.split("/")[0] in PLUGIN_KINDS:
            for a, b in _DEFINES.findall(tree.text(path)):
                defined[a or b] = path
    for path in lists:
        top = path.split("/")[0]
        if top in ("tests", "bench"):
            continue
        text = re.sub(r"#[^\n]*|[^\n]*\bTARGET hector::[^\n]*", "", tree.text(path))
        for match in _USES.finditer(text):
            owner = defined.get(match.group(1))
            if owner is None or _may_link(path, owner):
                continue
            yield Breach(
                path,
                line_of(text, match.start()),
                f"links {match.group()}, which is {owner.rsplit('/', 1)[0]}'s",
                "link hector::kernel only; what several need goes to common/ of their kind",
            )


def _may_link(path, owner):
    here, there = graph.room(path), graph.room(owner)
    if here is None:
        return False
    if here == there or graph.may(path, owner):
        return True
    return here.startswith("templates/") and there.startswith("languages/")


# --- libraries ---

# Header prefixes, and how a manifest calls the library. The longest prefix counts.
LIBRARIES = {
    "fmt/": "fmt",
    "boost/": "boost",
    "google/protobuf/": "protobuf",
    "grpc/": "grpc++",
    "grpcpp/": "grpc++",
    "openssl/": "openssl",
    "gssapi/": "krb5",
    "krb5.h": "krb5",
    "sqlite3.h": "sqlite3",
    "sodium.h": "libsodium",
    "cbor.h": "libcbor",
    "zmq": "libzmq",
    "pybind11/": "pybind11",
    "pybind11/embed.h": "python3.11",
    "ares.h": "cares",
    "omniORB4/": "omniorb",
    "tao/": "pegtl",
    "spdlog/": "spdlog",
    "yaml-cpp/": "yaml-cpp",
    "CLI/": "cli11",
    "graphviz/": "graphviz",
    "unicode/": "icu",
    "absl/": "abseil",
    "tl/": "tl-expected",
    "X11/": "libx11",
    "gtest/": "gtest",
    "gmock/": "gmock",
    "benchmark/": "benchmark",
    "Ice/": "ice",
    "capnp/": "capnp",
}
# These crates stand behind a C ABI of ours.
OURS = {"hector_zenoh.h": "zenoh", "hector_cedar.h": "cedar-policy"}
STANDARD = re.compile(
    r"[a-z_0-9]+"  # C++
    r"|(sys|arpa|netinet|linux)/\w+\.h"  # POSIX and Linux
    r"|(dlfcn|elf|fcntl|link|malloc|netdb|poll|pthread|pwd|sched|signal|spawn|stddef|stdint|string"
    r"|unistd)\.h"
)
# Every C++ compiler has these, and tl::expected is what Result is made of.
PUBLIC = re.compile(r"[a-z_0-9]+|stddef\.h|stdint\.h|tl/expected\.hpp")


def library_of(name):
    """How a manifest calls the library of the header `name`; "": none; None: unknown."""
    if STANDARD.fullmatch(name):
        return ""
    found = [prefix for prefix in LIBRARIES if name.startswith(prefix)]
    return LIBRARIES[max(found, key=len)] if found else None


def _is_public(path):
    rooms = r"(base|audit|identity|types|kernel|languages/\w+)/include/"
    return path.endswith(".h") and re.match(rooms, path)


def check_public_headers(tree):
    for path in filter(_is_public, tree.files):
        if graph.forwards(tree, path):
            continue
        for line, name, _ in tree.includes(path):
            if PUBLIC.fullmatch(name):
                continue
            if name.startswith("hector/") and not name.endswith(".pb.h"):
                continue
            yield Breach(
                path,
                line,
                f"a public header includes {name}",
                "declare what is needed (class X;) and include it in the .cc: public headers bring "
                "the standard library, tl/expected and hector/… only",
            )


def _used(tree, folder):
    """{library: (path, line)} of a plugin, with what it takes from common/ of its kind."""
    common = folder.split("/")[0] + "/common/"
    folders, used, seen = [folder], {}, set()
    while folders:
        here = folders.pop()
        if here in seen:
            continue
        seen.add(here)
        for path in tree.cpp():
            if not path.startswith(here + "/") or is_test(path):
                continue
            for line, name, quoted in tree.includes(path):
                target = graph.resolve(tree, path, name, quoted)
                library = OURS.get(name.rsplit("/", 1)[-1])
                if target is None:
                    library = library or library_of(name)
                elif target.endswith(".proto"):
                    library = "protobuf"
                elif target.startswith(common):
                    folders.append("/".join(target.split("/")[:3]))
                if library:
                    used.setdefault(library, (path, line))
    return used


def check_manifest_libraries(tree):
    for folder in tree.plugins():
        path = f"{folder}/plugin.yaml"
        manifest = Manifest(tree, path)
        if "libraries" not in manifest.entries:
            continue  # the rule `manifest` says so
        named = set(manifest.list("libraries"))
        used = _used(tree, folder)
        for library in sorted(set(used) - named):
            where, line = used[library]
            yield Breach(
                path,
                manifest.line("libraries"),
                f"does not name {library}, which {where}:{line} includes",
                f"add {library} to `libraries`",
            )
        for library in sorted(named - set(used)):
            yield Breach(
                path,
                manifest.line("libraries"),
                f"names {library}, of which nothing here includes a header",
                f"take {library} out of `libraries`",
            )


def check_known_libraries(tree):
    for path in tree.cpp():
        for line, name, quoted in tree.includes(path):
            if quoted or graph.resolve(tree, path, name, quoted) or library_of(name) is not None:
                continue
            if path.startswith("bench/"):
                continue
            yield Breach(
                path,
                line,
                f"includes <{name}> of a library that tidy does not know",
                "add the library to docs/dependencies.md, with why it, and its headers to LIBRARIES "
                "in tools/tidy_rules/names.py",
            )


# --- faults ---


def _core(folder):
    return first(rf"{folder}/.*\.cc")


def _name(tree, kind="protocols"):
    return tree.plugins(kind)[0].split("/")[1]


def _append_named(folder, form):
    def plant(tree):
        name = _name(tree)
        text = form.replace("NAME", name).replace("Name", name.capitalize())
        return append(_core(folder), f"\nnamespace hector {{\n{text}\n}}\n")(tree)

    return plant


def _library_of_manifest(tree):
    """A manifest with `libraries`, and its last library."""
    for folder in tree.plugins():
        listed = Manifest(tree, f"{folder}/plugin.yaml").list("libraries")
        if listed:
            return f"{folder}/plugin.yaml", listed
    raise LookupError("no manifest names a library")


def _unnamed(tree):
    path, listed = _library_of_manifest(tree)
    text = re.sub(r"(?m)^libraries:.*$", f"libraries: [{', '.join(listed[:-1])}]", tree.text(path))
    return {path: text}


def _overnamed(tree):
    path, listed = _library_of_manifest(tree)
    return {
        path: re.sub(
            r"(?m)^libraries:.*$", f"libraries: [{', '.join([*listed, 'ice'])}]", tree.text(path)
        )
    }


def _plant_link(tree):
    for path in tree.files:
        if path.split("/")[0] == "services" and path.endswith("CMakeLists.txt"):
            if defined := _DEFINES.search(tree.text(path)):
                name = defined.group(1) or defined.group(2)
                return append(
                    lambda _: "kernel/CMakeLists.txt",
                    f"target_link_libraries(kernel PRIVATE hector::{name})\n",
                )(tree)
    raise LookupError("no service has a library")


PUBLIC_HEADER = r"kernel/include/hector/[a-z_]+\.h"

RULES = (
    Rule(
        "plugin-name",
        "the kernel and the capsule know no plugin by name",
        check_plugin_names,
        (
            Fault(
                "a protocol's name in the kernel",
                _append_named("kernel/src/binding", 'const char* const kPlanted = "NAME";'),
                "what a plugin can do",
            ),
            Fault(
                "an address of a protocol in the kernel",
                _append_named(
                    "kernel/src/binding", 'const char* const kPlanted = "NAME:1.2.3.4:5";'
                ),
                "what a plugin can do",
            ),
            Fault(
                "a class with a protocol's name in the kernel",
                _append_named("kernel/src/channel", "class NameChannel;"),
                "what a plugin can do",
            ),
            Fault(
                "a function with a protocol's name in the capsule",
                _append_named("capsule/process", "void open_NAME_socket();"),
                "what a plugin can do",
            ),
            Fault(
                "a protocol's name in the embedded capsule",
                _append_named("capsule/embed", 'const char* const kPlanted = "NAME";'),
                "what a plugin can do",
            ),
        ),
    ),
    Rule(
        "plugin-link",
        "only a plugin links what belongs to its kind",
        check_links,
        (Fault("the kernel links a service's library", _plant_link, "link hector::kernel only"),),
    ),
    Rule(
        "public-header",
        "a public header brings no library along",
        check_public_headers,
        (
            Fault(
                "fmt in a public header",
                add_include(first(PUBLIC_HEADER), "#include <fmt/format.h>"),
                "declare what is needed",
            ),
            Fault(
                "a public header that reaches into another folder by its path",
                add_include(
                    lambda _: "kernel/include/hector/network.h",
                    '#include "../../../base/include/hector/system.h"',
                ),
                "declare what is needed",
            ),
            Fault(
                "yaml-cpp in a public header",
                add_include(first(r"types/include/hector/.*\.h"), "#include <yaml-cpp/yaml.h>"),
                "declare what is needed",
            ),
            Fault(
                "a header of the operating system in a public header of a language",
                add_include(first(r"languages/\w+/include/.*\.h"), "#include <sys/socket.h>"),
                "declare what is needed",
            ),
        ),
    ),
    Rule(
        "manifest-library",
        "a manifest names the libraries that its plugin brings into a process",
        check_manifest_libraries,
        (
            Fault("a library that the manifest does not name", _unnamed, "to `libraries`"),
            Fault("a library that is not used", _overnamed, "out of `libraries`"),
        ),
    ),
    Rule(
        "known-library",
        "a library that comes to the tree has been chosen",
        check_known_libraries,
        (
            Fault(
                "a library that is nowhere written down",
                add_include(_core("kernel/src/binding"), "#include <nlohmann/json.hpp>"),
                "docs/dependencies.md",
            ),
        ),
    ),
)
