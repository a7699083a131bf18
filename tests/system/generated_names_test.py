"""Names that are words of C++, Python or YAML.

What: for each word a service, an operation, messages and fields of that name go through `type
import`, `check`, `gen` and a compiler, or are refused by that name; and an Object plays one.
Why: people cannot rename what other people's .proto files have.
Who: ctest.
"""

import ast
import builtins
import keyword
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from capsules import ROOT, Capsules
from needs import needs

BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
CPP = (
    "alignas and auto bitor bool char8_t class co_await co_yield compl concept const_cast constinit"
    " default delete double else enum explicit export extern false friend if inline int long"
    " namespace new noexcept not_eq nullptr operator private public register requires return short"
    " signed static struct switch template this throw true try typedef typename union unsigned"
    " using virtual void volatile while xor_eq"
).split()
MACROS = (
    "NULL EOF EINVAL EWOULDBLOCK INT_MAX SEEK_SET assert errno linux offsetof stdin unix"
).split()
# What protoc 3.21 writes into its C++ as it is.
LEFT = (
    "char8_t co_await co_yield concept constinit requires assert errno linux offsetof stdin unix"
).split()
MEMBERS = "operations model kInterface capsule_ who_ call in out member T object capsule".split()
YAML = "null Null NULL true True no off on y N yes end before".split()
WORDS = sorted(set(CPP + MACROS + MEMBERS + YAML + keyword.kwlist + ["self", "match", "type"]))


def run(*command, cwd=None):
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout, done.stderr


def hector(*arguments, cwd=None):
    return run(os.path.join(BUILD, "bin", "hector"), *arguments, cwd=cwd)


def undefined(text):
    """Names in annotations that nobody defines."""
    tree = ast.parse(text)
    known = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    known |= set(dir(builtins)) | {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    used = set()
    for node in ast.walk(tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if part is not None:
                used |= {name.id for name in ast.walk(part) if isinstance(name, ast.Name)}
    return used - known


class GeneratedNames(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hector-names-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def imported(self, name, proto):
        """name.hector.yaml of a .proto file; checked."""
        self.write(name + ".proto", 'syntax = "proto3";\n' + proto)
        code, out, error = hector("type", "import", name + ".proto", cwd=self.folder)
        self.assertEqual(code, 0, error)
        self.write(name + ".hector.yaml", out)
        code, out, error = hector("type", "check", name + ".hector.yaml", cwd=self.folder)
        self.assertEqual(code, 0, error + out)

    def compiles(self, name):
        header = name + ".hector.h"
        code, _, error = hector(
            "type", "gen", name + ".hector.yaml", "--out", header, cwd=self.folder
        )
        if code != 0:
            return error
        self.assertEqual(run("protoc", "--cpp_out=.", name + ".proto", cwd=self.folder)[0], 0)
        includes = [
            f"-I{os.path.join(ROOT, place, 'include')}"
            for place in ("base", "kernel", "languages/cpp")
        ]
        command = ["g++", "-std=gnu++20", "-fsyntax-only", "-x", "c++", "-I.", *includes, header]
        code, _, error = run(*command, cwd=self.folder)
        self.assertEqual(code, 0, "\n".join(re.findall(r".*error:.*", error)[:5]))
        return ""

    def python(self, name):
        code, out, error = hector(
            "type", "gen", name + ".hector.yaml", "--form", "pyi", cwd=self.folder
        )
        self.assertEqual(code, 0, error)
        compile(out, name + ".pyi", "exec")
        self.assertEqual(undefined(out), set())
        return out

    def test_every_word_may_be_an_operation(self):
        operations = "".join(f"  rpc {word}(Item) returns (Item);\n" for word in WORDS)
        self.imported(
            "ops", f"package ops;\nmessage Item {{}}\nservice Words {{\n{operations}}}\n"
        )
        self.assertEqual(self.compiles("ops"), "")
        made = self.python("ops")
        for word in keyword.kwlist:
            self.assertIn(f"def {word}_(", made)

    def test_every_word_may_be_a_field_and_a_message_in_another(self):
        # Two fields with one JSON name have no place in one message: None and none, who and who_.
        words = {word.replace("_", "").lower(): word for word in WORDS if word not in LEFT}
        words = sorted(words.values())
        fields = "".join(f" string {word} = {i};" for i, word in enumerate(words, 1))
        inner = [word for word in WORDS if word not in LEFT + MACROS]
        nested = "".join(f" message {word} {{}}" for word in inner)
        operations = "".join(
            f"  rpc f{i}(Outer.{word}) returns (Fields);\n" for i, word in enumerate(inner)
        )
        self.imported(
            "fields",
            f"package f;\nmessage Fields {{{fields} }}\nmessage Outer {{{nested} }}\n"
            f"service S {{\n{operations}}}\n",
        )
        self.assertEqual(self.compiles("fields"), "")
        self.python("fields")

    def test_every_word_may_be_a_message_or_is_refused_by_its_name(self):
        compiled = []
        for word in WORDS:
            self.write(
                "m.proto",
                f'syntax = "proto3"; package m; message {word} {{}}'
                f" service Of {{ rpc f(.m.{word}) returns (.m.{word}); }}",
            )
            with self.subTest(word):
                code, out, error = hector("type", "import", "m.proto", cwd=self.folder)
                self.assertEqual(code, 0, error)
                self.write("m.hector.yaml", out)
                self.assertEqual(hector("type", "check", "m.hector.yaml", cwd=self.folder)[0], 0)
                code, out, error = hector("type", "gen", "m.hector.yaml", cwd=self.folder)
                if code == 0:
                    compiled.append(word)
                else:
                    self.assertIn(f"'{word}'", error)
                self.python("m")
        messages = "".join(f" message {word} {{}}" for word in compiled)
        operations = "".join(
            f" rpc f_{word}(.all.{word}) returns (.all.{word});" for word in compiled
        )
        self.imported("all", f"package all; {messages} service Of {{ {operations} }}")
        self.assertEqual(self.compiles("all"), "")
        self.assertIn("delete", compiled)
        self.assertNotIn("EOF", compiled)

    def test_every_word_may_be_a_service(self):
        services = "".join(f"service {w} {{ rpc f(Item) returns (Item); }}\n" for w in WORDS)
        self.imported("services", f"package s;\nmessage Item {{}}\n{services}")
        self.assertEqual(self.compiles("services"), "")
        self.python("services")

    def test_a_package_that_cpp_has_no_namespace_for_is_refused_by_its_word(self):
        for package, word in (("a.new", "new"), ("delete.b", "delete"), ("NULL", "NULL")):
            self.imported(
                "p", f"package {package}; message M {{}} service S {{ rpc f(M) returns (M); }}"
            )
            self.assertIn(f"'{word}'", self.compiles("p"))
            self.python("p")

    @needs("protocols/udp", "languages/python")
    def test_a_template_in_python_plays_an_interface_with_such_names(self):
        self.imported(
            "trips",
            "package trips; message None { string from = 1; }"
            " service Trips { rpc import(None) returns (None); rpc global(None) returns (None); }",
        )
        self.write(
            "template.py",
            "from trips import None_, Trips\n\n\n"
            "class Agency(Trips):\n"
            "    def import_(self, none):\n"
            '        return None_(**{"from": getattr(none, "from") + "!"})\n\n'
            "    async def global_(self, none):\n"
            "        return none\n",
        )
        with Capsules() as capsules:
            capsules.configure(
                "hub", 'capsule: hub\nprotocols: {udp: {listen: "127.0.0.1:0"}}\n'
                "languages: [python]\nstore: memory\n"
            )
            capsules.hector("load", "template", os.path.join(self.folder, "template.py"))
            capsules.hector("create", "object", "template.Agency", "--name", "a")
            self.assertEqual(capsules.call("a.import", {"from": "Bonn"}), {"from": "Bonn!"})
            self.assertEqual(capsules.call("a.global", {"from": "Bonn"}), {"from": "Bonn"})


if __name__ == "__main__":
    unittest.main()
