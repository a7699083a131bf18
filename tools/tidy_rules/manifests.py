"""Folders of plugins: manifest, library, README; and what a manifest may say.

What: every folder of a kind is a plugin with a manifest, or common/; keys and grades of a manifest.
Why: the manifest is read before the library is loaded, by programs and by people who choose.
Who: tools/tidy.py; docs/plugins.md has the bar for each grade.
"""

import re

from tidy_rules import graph
from tidy_rules.tree import PLUGIN_KINDS, Breach, Fault, Rule, head

BAR = "docs/plugins.md"
STATUS = ("experimental", "beta", "stable")
SECURITY = {
    "protocols": ("trusted_peers_only", "robust_to_untrusted_peers"),
    "languages": ("trusted_templates_only", "isolated_templates"),
    "services": ("trusted_peers_only", "robust_to_untrusted_peers"),
    "stores": ("trusted_peers_only", "robust_to_untrusted_peers"),
}
UNLOAD = ("retire", "unmap")
REQUIRED = ("name", "description", "status", "security", "unload", "libraries")
OPTIONAL = {
    "protocols": ("listen", "weight", "peers"),
    "languages": ("load_globally",),
    "services": ("try",),
    "stores": ("weight",),
}
# CMake adds these to the manifest beside the built library.
MADE = ("abi", "library")


class Manifest:
    """A plugin.yaml: one `key: value` a line, a value may be a flow list."""

    def __init__(self, tree, path):
        self.entries = {}
        self.mistakes = []
        for number, line in enumerate(tree.lines(path), 1):
            if not line.strip() or line.startswith("#"):
                continue
            key, colon, value = line.partition(":")
            if not colon or not re.fullmatch(r"[a-z_]+", key) or key in self.entries:
                self.mistakes.append((number, line))
            else:
                self.entries[key] = (number, value.strip())

    def line(self, key):
        return self.entries.get(key, (1, ""))[0]

    def text(self, key):
        return self.entries.get(key, (1, ""))[1].strip("\"'")

    def list(self, key):
        value = self.entries.get(key, (1, ""))[1]
        if not re.fullmatch(r"\[.*\]", value):
            return []
        return [item.strip().strip("\"'") for item in value[1:-1].split(",") if item.strip()]


def _plugin_folders(tree):
    found = set()
    for path in tree.files:
        parts = path.split("/")
        if parts[0] in PLUGIN_KINDS and len(parts) > 2:
            found.add("/".join(parts[:2]))
    return sorted(found)


def check_folders(tree):
    for folder in _plugin_folders(tree):
        kind, name = folder.split("/")
        manifest = f"{folder}/plugin.yaml"
        if name == "common":
            if manifest in tree:
                yield Breach(manifest, 0, "common/ is no plugin", f"give it a folder in {kind}/")
        elif manifest not in tree:
            yield Breach(
                folder,
                0,
                "is a plugin's folder without plugin.yaml",
                f"add the manifest, or move what plugins share to {kind}/common/{name}/",
            )
        elif Manifest(tree, manifest).text("name") != name:
            yield Breach(
                manifest,
                Manifest(tree, manifest).line("name"),
                "its name is not its folder's",
                f"write `name: {name}`",
            )


def check_library(tree):
    """hector_plugin() calls the library after the folder; nothing may call it otherwise."""
    for folder in tree.plugins():
        path = f"{folder}/CMakeLists.txt"
        kind, name = folder.split("/")
        text = tree.text(path) if path in tree else ""
        if not re.search(r"\bhector_plugin\(", text):
            yield Breach(
                path, 0, "makes no plugin", "call hector_plugin(SOURCES … LIBRARIES …) there"
            )
        found = re.search(rf"set_target_properties\({kind}_{name}\b[^)]*OUTPUT_NAME", text)
        if found:
            yield Breach(
                path,
                text.count("\n", 0, found.start()) + 1,
                "calls the plugin's library otherwise than its manifest",
                "leave OUTPUT_NAME to hector_plugin(): folder, manifest and library have one name",
            )


def check_schema(tree):
    for folder in tree.plugins():
        path = f"{folder}/plugin.yaml"
        kind = folder.split("/")[0]
        manifest = Manifest(tree, path)
        for number, line in manifest.mistakes:
            yield Breach(
                path, number, f"'{line}' is no key of a manifest", "write `key: value`, once"
            )
        for key in REQUIRED:
            if key not in manifest.entries:
                yield Breach(path, 0, f"has no `{key}`", f"add it; {BAR} says what it may be")
        known = REQUIRED + OPTIONAL[kind]
        for key, (number, _) in manifest.entries.items():
            if key in MADE:
                yield Breach(path, number, f"has `{key}`", "leave it to CMake, which adds it")
            elif key not in known:
                yield Breach(path, number, f"has `{key}`", f"{kind} have {', '.join(known)}")
        grades = (("status", STATUS), ("security", SECURITY[kind]), ("unload", UNLOAD))
        for key, values in grades:
            if key in manifest.entries and manifest.text(key) not in values:
                yield Breach(
                    path,
                    manifest.line(key),
                    f"`{key}: {manifest.text(key)}`",
                    f"{kind} have {' or '.join(values)}; {BAR} has the bar of each",
                )
        for key in ("libraries", "listen", "load_globally"):
            if key in manifest.entries and not manifest.entries[key][1].startswith("["):
                yield Breach(path, manifest.line(key), f"`{key}` is no list", "write [a, b]")


def check_bar(tree):
    """The bar of every grade is written down."""
    text = tree.text(BAR) if BAR in tree else ""
    grades = {*STATUS, *UNLOAD, *(value for values in SECURITY.values() for value in values)}
    for grade in sorted(grades):
        if f"`{grade}`" not in text:
            yield Breach(
                BAR, 0, f"has no bar for `{grade}`", "write what a plugin must show for it"
            )


def check_grades(tree):
    """A grade's bar, as far as it is a fact."""
    fuzzed = {
        "/".join(target.split("/")[:2])
        for path, _, _, target in graph.edges(tree)
        if path.startswith("tests/fuzz/")
    }
    for folder in tree.plugins():
        path = f"{folder}/plugin.yaml"
        manifest = Manifest(tree, path)
        own = [p for p in tree.files if p.startswith(folder + "/")]
        if manifest.text("status") in STATUS[1:] and not any(
            p.endswith(("_test.cc", "_test.py")) for p in own
        ):
            yield Breach(
                path,
                manifest.line("status"),
                f"`status: {manifest.text('status')}` without a unit test in the folder",
                f"add foo_test.cc beside foo.cc, or grade it {STATUS[0]} ({BAR})",
            )
        if manifest.text("security") == "robust_to_untrusted_peers" and folder not in fuzzed:
            yield Breach(
                path,
                manifest.line("security"),
                "`security: robust_to_untrusted_peers` without a fuzz target",
                f"fuzz what it reads in tests/fuzz/targets.cc, or grade it down ({BAR})",
            )


# Folders whose README a newcomer looks for.
def check_readmes(tree):
    tops = {path.split("/")[0] for path in tree.files if "/" in path and not path.startswith(".")}
    for folder in sorted(tops | set(_plugin_folders(tree))):
        if f"{folder}/README.md" not in tree:
            yield Breach(
                folder,
                0,
                "has no README.md",
                "say what it is, why it exists and how it is tried out",
            )


def _first_plugin(tree, kind=None):
    return tree.plugins(kind)[0]


def _edit(old, new, kind=None):
    def plant(tree):
        path = f"{_first_plugin(tree, kind)}/plugin.yaml"
        text = re.sub(old, new, tree.text(path), count=1, flags=re.M)
        if text == tree.text(path):
            raise LookupError(f"{path} has no {old}")
        return {path: text}

    return plant


def _claim(folder_of, key, value):
    def plant(tree):
        path = f"{folder_of(tree)}/plugin.yaml"
        return {path: re.sub(rf"(?m)^{key}: .*", f"{key}: {value}", tree.text(path))}

    return plant


def _untested(tree):
    tested = {"/".join(p.split("/")[:2]) for p in tree.matching("_test.cc", "_test.py")}
    return next(folder for folder in tree.plugins() if folder not in tested)


def _unfuzzed(tree):
    fuzzed = {t for p, _, _, t in graph.edges(tree) if p.startswith("tests/fuzz/")}
    return next(
        folder
        for folder in tree.plugins()
        if not folder.startswith("languages/")
        and not any(target.startswith(folder + "/") for target in fuzzed)
    )


def _rename_library(tree):
    folder = _first_plugin(tree)
    kind, name = folder.split("/")
    path = f"{folder}/CMakeLists.txt"
    text = f"set_target_properties({kind}_{name} PROPERTIES OUTPUT_NAME other)\n"
    return {path: tree.text(path) + text}


def _without_manifest(tree):
    return {
        "protocols/planted/README.md": "# planted\n\nSee `planted.cc`.\n",
        "protocols/planted/CMakeLists.txt": "hector_library(planted SOURCES planted.cc)\n",
        "protocols/planted/planted.cc": head(),
    }


RULES = (
    Rule(
        "plugin-folder",
        "a plugin is a folder with a manifest that has its name",
        check_folders,
        (
            Fault("a folder without a manifest", _without_manifest, "add the manifest"),
            Fault(
                "a name that is not the folder's",
                _edit(r"^name: .*", "name: other"),
                "write `name:",
            ),
        ),
    ),
    Rule(
        "plugin-library",
        "folder, manifest and library have one name",
        check_library,
        (Fault("a library with another name", _rename_library, "leave OUTPUT_NAME"),),
    ),
    Rule(
        "manifest",
        "a manifest can be compared with others before anything is loaded",
        check_schema,
        (
            Fault("no status", _edit(r"^status: .*\n", ""), "add it"),
            Fault("an unknown status", _edit(r"^status: .*", "status: banana"), "has the bar"),
            Fault("an unknown security", _edit(r"^security: .*", "security: yes"), "has the bar"),
            Fault("an unknown unload", _edit(r"^unload: .*", "unload: maybe"), "has the bar"),
            Fault("no libraries", _edit(r"^libraries: .*\n", ""), "add it"),
            Fault("a key that does not exist", _edit(r"\Z", "colour: red\n"), "have name"),
            Fault("a key that CMake adds", _edit(r"\Z", 'abi: "1"\n'), "leave it to CMake"),
            Fault("a line that is no key", _edit(r"\Z", "- stray\n"), "write `key: value`"),
        ),
    ),
    Rule(
        "grade-bar",
        "each grade that a manifest can claim has a written bar",
        check_bar,
        (
            Fault(
                "a grade without a bar",
                lambda tree: {BAR: tree.text(BAR).replace("`beta`", "beta")},
                "write what a plugin must show",
            ),
        ),
    ),
    Rule(
        "grade",
        "a grade is met, not claimed",
        check_grades,
        (
            Fault("beta without a unit test", _claim(_untested, "status", "beta"), "beside foo.cc"),
            Fault(
                "robust without a fuzz target",
                _claim(_unfuzzed, "security", "robust_to_untrusted_peers"),
                "fuzz what it reads",
            ),
        ),
    ),
    Rule(
        "readme",
        "a newcomer finds in each folder what it is",
        check_readmes,
        (
            Fault(
                "a top folder without a README",
                lambda tree: {"etc/README.md": None},
                "say what it is",
            ),
            Fault(
                "a plugin without a README",
                lambda tree: {f"{_first_plugin(tree)}/README.md": None},
                "say what it is",
            ),
        ),
    ),
)
