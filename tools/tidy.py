"""The invariants of this tree, as a test: include rules, names, sizes, manifests.

What: checks every source file against docs/architecture.md's table.
Why: style is a test, not a memory.
Who: ctest; `tools/tidy.py` by hand.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KERNEL_ORDER = ["runtime", "types", "dispatch", "offers", "binding", "management", "capi"]
# A folder of kernel/src may include those before it; runtime and types know nothing of each other
# but the wire's models.
FILE_LINES_MAX = 800
# Today's breaches, one by one; they may shrink, never grow.
LONGER = {"protocols/udp/udp_protocol.cc": 860}
PLUGIN_KINDS = ("protocols", "languages", "services", "stores")
# What plugins of a kind share: libraries, no plugins.
SHARED = {
    "services/expression",
    "services/state",
    "stores/engine",
    "protocols/objects",
    "protocols/zenoh_c",
}
LIBRARY_HEADERS = (
    "boost/",
    "google/",
    "grpcpp/",
    "yaml-cpp/",
    "spdlog/",
    "CLI/",
    "tao/",
    "pybind11/",
    "openssl/",
    "libical/",
)


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [path for path in listed if os.path.isfile(os.path.join(ROOT, path))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def includes(text):
    return re.findall(r'^#include ["<]([^">]+)[">]', text, re.M)


def check_includes(path, text, breaches):
    parts = path.split("/")
    is_test = path.endswith("_test.cc") or parts[0] in ("tests", "bench")
    for header in includes(text):

        def refuse(why):
            breaches.append(f"{path}: includes {header}: {why}")

        if path.startswith("kernel/include/") and header.startswith(LIBRARY_HEADERS):
            refuse("public headers stand on the standard library and tl::expected")
        if parts[0] == "kernel" and header.split("/")[0] in PLUGIN_KINDS + ("capsule", "templates"):
            refuse("the kernel knows no plugin and no capsule")
        if (
            path.startswith("kernel/src/")
            and not is_test
            and header.split("/")[0] in KERNEL_ORDER
            and parts[2] in KERNEL_ORDER
        ):
            if KERNEL_ORDER.index(header.split("/")[0]) > KERNEL_ORDER.index(parts[2]):
                refuse(f"the order is {' <- '.join(KERNEL_ORDER)}")
        if parts[0] in PLUGIN_KINDS and not is_test:
            if any(
                header.startswith(f"{folder}/") for folder in KERNEL_ORDER + ["binding", "capsule"]
            ):
                refuse("plugins include hector/… only")
        if parts[0] == "capsule" and any(header.startswith(kind + "/") for kind in PLUGIN_KINDS):
            refuse("the capsule knows no plugin")
        if parts[0] == "templates" and header.startswith(("types/", "binding/", "dispatch/")):
            refuse("templates include hector/… only")


def check_names(path, text, names, breaches):
    if not path.startswith(("kernel/src/", "kernel/include/", "capsule/src/")) or path.endswith(
        "_test.cc"
    ):
        return
    code = re.sub(r"//[^\n]*", "", text)
    for name in names:
        if re.search(rf'"{name}"', code):
            breaches.append(f"{path}: names the plugin '{name}'")


def check_file(path, text, breaches):
    lines = text.count("\n")
    allowed = LONGER.get(path, FILE_LINES_MAX)
    if lines > allowed:
        breaches.append(f"{path}: {lines} lines, {allowed} at most")
    if "TODO" + "(now)" in text:
        breaches.append(f"{path}: something was to be done now")
    if (
        path.startswith(("kernel/include/", "capsule/src/"))
        and path.endswith(".h")
        and not text.lstrip("/* ").startswith("What:")
    ):
        breaches.append(f"{path}: a header begins with what it is, why it exists and who uses it")
    if path.startswith(("kernel/src/", "services/", "stores/", "templates/")) and re.search(
        r"^#if(?!ndef)", text, re.M
    ):
        breaches.append(f"{path}: no #if here")


def main():
    breaches = []
    files = tracked()
    manifests = [path for path in files if path.endswith("/plugin.yaml")]
    folders = {
        "/".join(path.split("/")[:2])
        for path in files
        if path.split("/")[0] in PLUGIN_KINDS and path.count("/") >= 2
    }
    for folder in folders - SHARED - {os.path.dirname(path) for path in manifests}:
        breaches.append(f"{folder}: a plugin folder without plugin.yaml")
    for path in manifests:
        if f"name: {path.split('/')[1]}" not in read(path):
            breaches.append(f"{path}: its name is not its folder's")
    # naming and trading are standard services whose interfaces the kernel has; their providers it
    # does not know.
    names = {path.split("/")[1] for path in manifests if not path.startswith("services/")}
    for path in files:
        if path.endswith((".cc", ".h")):
            text = read(path)
            check_includes(path, text, breaches)
            check_names(path, text, names, breaches)
            check_file(path, text, breaches)
    for folder in sorted({path.split("/")[0] for path in files if "/" in path} - {".ci"}):
        if f"{folder}/README.md" not in files:
            breaches.append(f"{folder}: no README.md")
    for breach in breaches:
        print(breach)
    print(f"tidy: {len(files)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
