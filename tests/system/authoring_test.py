"""Writing templates, as their author does.

What: typed C++ from type files, .pyi for editors, the smallest program in each language,
`hector type fmt` and `import`.
Why: a type file that is read must also be writable and usable.
Who: ctest.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from capsules import ROOT, Capsules
from needs import needs

BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
HELLO = os.path.join(ROOT, "templates", "hello")
CAPSULE = """
capsule: hub
protocols: {{grpc: {{listen: "127.0.0.1:0"}}}}
services: {{naming: embedded}}
languages: [{language}]
"""


def hector(*arguments, cwd=None, code=0):
    done = subprocess.run(
        [os.path.join(BUILD, "bin", "hector"), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != code:
        raise AssertionError(f"exit {done.returncode}, {code} expected: {done.stdout}{done.stderr}")
    return done.stdout if code == 0 else done.stderr


def lines_written(path):
    with open(path, encoding="utf-8") as file:
        return [
            line
            for line in file.read().splitlines()
            if line.strip() and not line.strip().startswith(("#!", "//"))
        ]


class Authoring(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hector-authoring-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def greets(self, language, template):
        with Capsules() as capsules:
            capsules.configure("hub", CAPSULE.format(language=language))
            name = capsules.hector("load", "template", template, capsule="hub").split()[1]
            capsules.hector("create", "object", name, "--name", "hi", capsule="hub")
            self.assertEqual(
                capsules.call("hi.greet", {"text": "you"}, capsule="hub"), {"text": "hello you"}
            )

    @needs("protocols/grpc", "languages/cpp", "services/naming")
    def test_hello_world_is_short_in_cpp_and_brings_its_types(self):
        self.assertLessEqual(len(lines_written(os.path.join(HELLO, "hello.cc"))), 15)
        self.greets("cpp", os.path.join(BUILD, "lib", "hector", "templates", "hello", "hello.so"))

    @needs("protocols/grpc", "languages/python", "services/naming")
    def test_hello_world_is_short_in_python(self):
        self.assertLessEqual(len(lines_written(os.path.join(HELLO, "hello.py"))), 10)
        self.greets("python", os.path.join(HELLO, "hello.py"))

    def compile(self, source):
        """The compiler's messages; "" if it compiles."""
        self.write("greeter.cc", source)
        hector(
            "type",
            "gen",
            os.path.join(HELLO, "hello.hector.yaml"),
            "--out",
            os.path.join(self.folder, "hello.hector.h"),
        )
        subprocess.run(
            ["protoc", "-I", HELLO, f"--cpp_out={self.folder}", "hello/messages.proto"], check=True
        )
        command = [
            "g++",
            "-std=c++20",
            "-fsyntax-only",
            "-I",
            self.folder,
            "-I",
            os.path.join(ROOT, "languages/cpp/include"),
            "-I",
            os.path.join(ROOT, "kernel/include"),
            "greeter.cc",
        ]
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        ).stderr

    def test_a_wrong_operation_does_not_compile_and_is_named(self):
        with open(os.path.join(HELLO, "hello.cc"), encoding="utf-8") as file:
            right = file.read()
        self.assertEqual(self.compile(right), "")
        self.assertRegex(
            self.compile(right.replace(" greet(", " greeet(")), "greeet.*(override|marked)"
        )
        self.assertIn(
            "greet",
            self.compile(right.replace("const hello::Name& name", "const hello::Greeting& name")),
        )
        self.assertRegex(
            self.compile(
                right + "hector::Status f(hello::GreeterStub& stub) { return stub.greets({}); }"
            ),
            "no member named .greets.",
        )
        self.assertIn(
            "hello::Name",
            self.compile(
                right + "auto g(hello::GreeterStub& stub) { return stub.greet(hello::Greeting()); }"
            ),
        )

    def test_roles_of_a_binding_type_are_typed_too(self):
        made = hector(
            "type", "gen", os.path.join(ROOT, "templates", "meeting", "meeting.hector.yaml")
        )
        self.assertIn("class MeetingOrganiser {", made)
        self.assertIn(
            "::hector::Result<::diary::Slots> ask(uint32_t member, const ::diary::Range& range",
            made,
        )
        self.assertIn(
            "::hector::cpp::Multicast<::diary::Hold> propose(const ::diary::Slot& slot", made
        )
        self.assertIn("::hector::Status post(const ::diary::Item& item)", made)
        self.assertNotIn("class MeetingRoom", made, "it starts nothing")

    def test_fmt_lays_files_out_and_leaves_their_comments(self):
        path = self.write(
            "t.hector.yaml",
            "# mine\ninterface:  t.I/1\n"
            "messages: [google/protobuf/empty.proto]\n"
            "operations:\n"
            "  a: {kind: rpc,in: google.protobuf.Empty,out: google.protobuf.Empty}   # first\n"
            "  longer: { kind: announce, in: google.protobuf.Empty }\n"
            "protocol: (a;longer)*   # in turn\n",
        )
        self.assertEqual(hector("type", "fmt", "--check", path, code=1), "")
        self.assertEqual(hector("type", "fmt", path).strip(), path)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(
                file.read(),
                "# mine\ninterface: t.I/1\n"
                "messages: [google/protobuf/empty.proto]\n"
                "operations:\n"
                "  a:      {kind: rpc, in: google.protobuf.Empty, out: google.protobuf.Empty}   "
                "# first\n"
                "  longer: {kind: announce, in: google.protobuf.Empty}\n"
                "protocol: (a ; longer)*   # in turn\n",
            )
        self.assertEqual(
            hector(
                "type",
                "fmt",
                "--check",
                path,
                os.path.join(ROOT, "templates"),
                os.path.join(ROOT, "types", "standard"),
            ),
            "",
        )
        broken = self.write("broken.hector.yaml", "interface: t.I/1\noperations: {a: [\n")
        self.assertIn("not YAML", hector("type", "fmt", broken, code=2))

    @needs("protocols/grpc", "languages/cpp", "services/naming")
    def test_import_reads_the_types_of_a_live_server(self):
        with Capsules() as capsules:
            capsules.configure("hub", CAPSULE.format(language="cpp"))
            address = capsules.address("hub", "grpc")
            template = os.path.join(BUILD, "lib", "hector", "templates", "hello", "hello.so")
            capsules.hector(
                "create",
                "object",
                capsules.hector("load", "template", template, capsule="hub").split()[1],
                "--name",
                "hi",
                capsule="hub",
            )
            written = hector("type", "import", f"grpc:{address}", "--out", self.folder).split()
            types = os.path.join(self.folder, "types.hector.yaml")
            self.assertIn(types, written)
            self.assertIn("hello.Greeter/1", hector("type", "check", types))
            self.assertEqual(
                hector(
                    "type",
                    "conforms",
                    f"{types}:hello.Greeter/1",
                    f"{os.path.join(HELLO, 'hello.hector.yaml')}:hello.Greeter/1",
                ).split()[0],
                "yes",
            )
        self.assertIn(
            "127.0.0.1:9",
            hector("type", "import", "grpc:127.0.0.1:9", "--out", self.folder, code=6),
        )

    def test_stubs_for_editors_are_python_and_have_every_operation(self):
        made = hector(
            "type",
            "gen",
            "--form",
            "pyi",
            os.path.join(ROOT, "templates", "meeting", "meeting.hector.yaml"),
        )
        compile(made, "meeting.pyi", "exec")
        self.assertIn("class Calendar(ABC):", made)
        self.assertIn(
            "    def free_slots(self, range: Range) -> Slots | Awaitable[Slots]: ...", made
        )
        self.assertRegex(
            made, r"class Slots\(Message\):\n    free: MutableSequence\[Range\]\n    who: str"
        )


if __name__ == "__main__":
    unittest.main()
