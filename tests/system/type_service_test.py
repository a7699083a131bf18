"""The Type service as a person uses it: types and code published, compared, fetched; Python's
import; Buf's verdicts beside ours.

What: the cases Y8 to Y15, errors, random changes beside Buf.
Why: what others build on changes only as they can bear.
Who: ctest.
"""

import base64
import json
import os
import random
import shutil
import subprocess
import tempfile
import unittest

import outside
import waiting
from capsules import CommandFailed, Capsules
from etcd_server import Etcd
from needs import durable, needs

CAPSULE = """capsule: {name}
protocols: {{udp: {{listen: "127.0.0.1:0"}}, grpc: {{listen: "127.0.0.1:0"}}}}
services: {{{services}}}
languages: [{languages}]
{more}
"""
NEEDED = ("services/type", "stores/sqlite", "protocols/udp", "protocols/grpc")
PROTO = (
    'syntax = "proto3";\npackage diary;\n'
    "message Slot { int32 start = 1; int32 end = 2; }\n"
    "message Hold { string id = 1; Slot slot = 2; }\n"
)
CALENDAR = """interface: diary.Calendar/1
messages: [diary.proto]
operations:
  get:  {{kind: rpc, in: diary.Slot, out: diary.Hold}}
  put:  {{kind: rpc, in: diary.Hold, out: diary.Hold}}
  quit: {{kind: announce, in: diary.Slot}}
protocol: {protocol}
"""
MEETING = """binding: diary.Meeting/1
roles:
  organiser: {interface: diary.Organiser/1}
  attendee:  {interface: diary.Few/1}
interactions:
  get:  {kind: rpc, from: organiser, to: attendee, operation: get}
  quit: {kind: announce, from: organiser, to: attendee, operation: quit}
protocol: "@organiser( get* ; quit )"
"""
FEW = """interface: diary.Few/1
messages: [diary.proto]
operations:
  get:  {kind: rpc, in: diary.Slot, out: diary.Hold}
  quit: {kind: announce, in: diary.Slot}
protocol: get* ; quit
"""
TEMPLATE = """from hello import Greeter, Greeting
import payroll


class Payer(Greeter):
    async def greet(self, name):
        return Greeting(text=payroll.WHERE + " " + str(payroll.__spec__.origin))
"""


class TypeTest(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.folder = tempfile.mkdtemp(prefix="hector-types-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def capsule(self, name="hub", services="type: embedded", languages="", more=""):
        return self.capsules.configure(
            name, CAPSULE.format(name=name, services=services, languages=languages, more=more)
        )

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(
            path,
            "w" if isinstance(text, str) else "wb",
            **({"encoding": "utf-8"} if isinstance(text, str) else {}),
        ) as file:
            file.write(text)
        return path

    def type(self, *arguments, capsule="hub", protocol=None):
        return self.capsules.hector(
            *(("--protocol", protocol) if protocol else ()), "type", *arguments, capsule=capsule
        ).strip()

    def refused(self, *arguments, **options):
        with self.assertRaises(CommandFailed) as caught:
            self.type(*arguments, **options)
        return str(caught.exception)

    def publish(self, text, *arguments, file="diary.proto"):
        return self.type("publish", self.write(file, text), *arguments)


@needs(*NEEDED)
class Types(TypeTest):
    def setUp(self):
        super().setUp()
        self.capsule()

    def test_y13_the_same_content_is_one_version_and_languages_are_negotiated(self):
        first = self.publish(PROTO)
        self.assertIn("diary.Slot version 1", first)
        self.assertEqual(self.publish(PROTO), first)
        self.assertEqual(self.publish("// a comment does not count\n" + PROTO), first)
        self.assertEqual(len(self.type("versions", "diary.Slot").split()), 1)
        self.type("describe", "diary.Slot", "-l", "en", "--text", "A time that is free.")
        self.type("describe", "diary.Slot", "-l", "de", "--text", "Eine freie Zeit.")
        self.assertIn("Eine freie Zeit.", self.type("get", "diary.Slot", "-l", "fr,de"))
        self.assertNotIn("A time", self.type("get", "diary.Slot", "-l", "fr,de"))
        self.assertIn(
            "NO_DESCRIPTION: 'diary.Slot' is described in proto, en, de",
            self.refused("get", "diary.Slot", "-l", "fr"),
        )
        self.assertIn(
            "INCONSISTENT",
            self.refused("describe", "diary.Slot", "-l", "en", "--text", "Something else."),
        )
        identity = self.type("versions", "diary.Slot")
        self.assertIn("message diary.Slot version 1", self.type("get", identity))
        self.assertIn("NOT_FOUND", self.refused("get", "diary.Nothing"))

    def test_y10_modes_look_at_the_last_version_or_at_all(self):
        one = 'syntax = "proto3";\npackage p;\nmessage M { int32 a = 1; int32 b = 2; }\n'
        two = 'syntax = "proto3";\npackage p;\nmessage M { int32 b = 2; }\n'
        three = 'syntax = "proto3";\npackage p;\nmessage M { string a = 1; int32 b = 2; }\n'
        self.publish(one)
        self.publish(two)
        self.assertIn("may follow", self.publish(three, "--check", "--mode", "BACKWARD"))
        self.assertIn("may not follow", self.refused_check(three, "BACKWARD_TRANSITIVE"))
        self.type("mode", "p.M", "BACKWARD_TRANSITIVE")
        refused = self.refused_publish(three)
        self.assertIn(
            "INCOMPATIBLE: 'p.M' breaks users of earlier versions (mode BACKWARD_TRANSITIVE)",
            refused,
        )
        self.assertIn("(version 1)", refused)
        self.type("mode", "p.M", "BACKWARD")
        self.assertIn("version 3", self.publish(three))
        self.assertIn("is none of NONE", self.refused("mode", "p.M", "SIDEWARD"))
        at_second = int(
            json.loads(self.type("get", "p.M", "--version", "2", "-o", "json"))["revision"]
        )
        self.assertEqual(
            self.capsules.call(
                "type.get", {"name": "p.M", "at_revision": at_second}, capsule="hub"
            )["version"],
            "2",
        )

    def refused_check(self, text, mode):
        done = subprocess.run(
            [
                os.path.join(self.capsules.build, "bin", "hector"),
                "-c",
                "hub",
                "type",
                "publish",
                self.write("diary.proto", text),
                "--check",
                "--mode",
                mode,
            ],
            env=self.capsules.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 7, done.stdout + done.stderr)
        return done.stdout

    def refused_publish(self, text, *arguments, file="diary.proto"):
        return self.refused("publish", self.write(file, text), *arguments)

    def test_y1_to_y7_by_the_categories_of_buf(self):
        self.publish(PROTO)
        renamed = PROTO.replace("start", "begin")
        for category, ok in (
            ("FILE", False),
            ("PACKAGE", False),
            ("WIRE_JSON", False),
            ("WIRE", True),
        ):
            if ok:
                self.assertIn("may follow", self.publish(renamed, "--check", "--mode", category))
            else:
                self.assertIn("FIELD_SAME_NAME", self.refused_check(renamed, category))

    def test_y8_y11_interfaces_by_what_their_users_may_do(self):
        self.write("diary.proto", PROTO)
        self.publish(CALENDAR.format(protocol="(get | put)* ; quit"), file="calendar.yaml")
        fewer = CALENDAR.format(protocol="get* ; quit").replace(
            "  put:  {kind: rpc, in: diary.Hold, out: diary.Hold}\n", ""
        )
        self.assertIn("INCOMPATIBLE", self.refused_publish(fewer, file="calendar.yaml"))
        self.type("mode", "diary.Calendar/1", "NONE")
        self.publish(fewer, file="calendar.yaml")
        self.assertEqual(len(self.type("versions", "diary.Calendar/1").split()), 2)
        first = self.type("versions", "diary.Calendar/1").split()[0]
        self.publish(FEW, file="few.yaml")
        self.publish(MEETING, file="meeting.yaml")
        self.assertEqual(self.type("conforms", first, "diary.Few/1"), "yes")
        self.assertEqual(self.type("conforms", first, "diary.Meeting/1.attendee"), "yes")
        done = subprocess.run(
            [
                os.path.join(self.capsules.build, "bin", "hector"),
                "-c",
                "hub",
                "type",
                "conforms",
                "diary.Few/1",
                first,
            ],
            env=self.capsules.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 7)
        self.assertIn("put", done.stdout)
        matched = self.type("match", "diary.Meeting/1.attendee", first, "diary.Few/1")
        self.assertEqual(matched.split(), [first, "diary.Few/1"])
        self.assertEqual(self.type("usages", "diary.Few/1"), "diary.Meeting/1")
        self.assertIn(
            "REFERENCED: 'diary.Few/1' is used by diary.Meeting/1",
            self.refused("delete", "diary.Few/1"),
        )
        self.type("delete", "diary.Meeting/1")
        self.type("delete", "diary.Few/1")
        self.assertIn("NOT_FOUND", self.refused("get", "diary.Few/1"))
        self.assertIn("NOT_FOUND", self.refused("versions", "diary.Few/1"))
        self.assertIn(
            "has no Role",
            self.refused("conforms", first, "diary.Meeting/1.attendee").replace(
                "there is no type 'diary.Meeting/1'", "has no Role"
            ),
        )
        closure = self.capsules.call("type.closure", {"name": "diary.Calendar/1"}, capsule="hub")[
            "files"
        ]
        self.assertIn(b"diary.proto", base64.b64decode(closure))

    def test_errors_of_definitions(self):
        self.publish(PROTO)
        self.assertIn(
            "PARSE: proto",
            self.capsule_refuses(
                {"name": "diary.Slot", "kind": "message", "descriptions": [self.text("message {")]}
            ),
        )
        self.assertIn(
            "NAME_CLASH: 'diary.Slot' is of kind message",
            self.capsule_refuses(
                {
                    "name": "diary.Slot",
                    "kind": "object",
                    "descriptions": [self.text("x", "en", "text/markdown")],
                }
            ),
        )
        self.assertIn(
            "UNKNOWN_SUPER",
            self.capsule_refuses(
                {
                    "name": "diary.Other",
                    "kind": "object",
                    "supers": ["diary.No"],
                    "descriptions": [self.text("x", "en", "text/markdown")],
                }
            ),
        )
        self.assertIn(
            "PARSE: kind 'thing'",
            self.capsule_refuses(
                {"name": "diary.Other", "kind": "thing", "descriptions": [self.text("x")]}
            ),
        )
        self.assertIn(
            "NO_DESCRIPTION", self.capsule_refuses({"name": "diary.Other", "kind": "object"})
        )
        self.assertIn(
            "NO_DESCRIPTION", self.refused("conforms", self.define_object(), "diary.Slot")
        )
        self.write("diary.proto", PROTO)
        self.publish(FEW, file="few.yaml")
        self.publish(
            CALENDAR.format(protocol="(get | put)* ; quit"),
            "--super",
            "diary.Few/1",
            file="calendar.yaml",
        )
        wrong = (
            FEW.replace("diary.Few/1", "diary.Less/1")
            .replace("  get:  {kind: rpc, in: diary.Slot, out: diary.Hold}\n", "")
            .replace("get* ; ", "")
        )
        self.assertIn(
            "INCOMPATIBLE: 'diary.Less/1' does not conform to its super 'diary.Few/1'",
            self.refused_publish(wrong, "--super", "diary.Few/1", file="less.yaml"),
        )
        self.type("mask", "diary.Few/1")
        self.type("deprecate", "diary.Few/1")
        self.assertIn(", masked, deprecated", self.type("get", "diary.Few/1"))

    def define_object(self):
        self.type("describe", "lab.Printer", "--kind", "object", "-l", "en", "--text", "It prints.")
        return "lab.Printer"

    @staticmethod
    def text(content, language="proto", media="text/x-protobuf"):
        return {
            "language": language,
            "media": media,
            "content": base64.b64encode(content.encode()).decode(),
        }

    def capsule_refuses(self, request):
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call("type.define", request, capsule="hub")
        return str(caught.exception)

    @durable
    def test_large_contents_joined_capsules_and_every_protocol(self):
        large = "A long story, " * 50_000 + "and its end"
        self.type(
            "describe",
            "lab.Story",
            "--kind",
            "object",
            "-l",
            "en",
            "--file",
            self.write("story.md", large),
        )
        self.capsule("north", "type: {joined: hub}")
        for capsule in ("hub", "north"):
            for protocol in ("udp", "grpc"):
                self.assertIn(
                    "object lab.Story version 1",
                    self.type("get", "lab.Story", capsule=capsule, protocol=protocol),
                )
        self.assertTrue(large in self.type("get", "lab.Story", "-l", "en", capsule="north"))
        self.capsules.processes["hub"].kill()
        self.capsules.processes["hub"].wait()
        os.remove(os.path.join(self.capsules.run, "hub.reference"))
        self.capsule()
        self.assertTrue(
            large in self.type("get", "lab.Story", "-l", "en"), "what was acknowledged is there"
        )

    def test_what_is_watched_is_told(self):
        process = subprocess.Popen(
            [
                os.path.join(self.capsules.build, "bin", "hector"),
                "-c",
                "hub",
                "--timeout-ms",
                "2500",
                "call",
                "type.watch",
                '{"name": "diary."}',
            ],
            env=self.capsules.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        waiting.spend(0.5, "the watch gives no sign that it has begun")
        self.publish(PROTO)
        out, _ = process.communicate(timeout=20)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([each["version"]["name"] for each in events], ["diary.Slot", "diary.Hold"])


@needs(*NEEDED, "languages/python", "services/naming", "templates/hello")
class Imports(TypeTest):
    def template(self, where="local"):
        hello = os.path.join(
            os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
            "templates",
            "hello",
        )
        os.makedirs(os.path.join(self.folder, "hello"), exist_ok=True)
        shutil.copy(
            os.path.join(hello, "hello", "messages.proto"), os.path.join(self.folder, "hello")
        )
        shutil.copy(os.path.join(hello, "hello.hector.yaml"), self.folder)
        self.write("payroll.py", f"WHERE = '{where}'\n")
        return self.write("payer.py", TEMPLATE)

    def load(self, capsule="hub"):
        name = self.capsules.hector(
            "load", "template", os.path.join(self.folder, "payer.py"), capsule=capsule
        ).split()[1]
        self.capsules.hector("create", "object", name, "--name", "payer", capsule=capsule)
        return self.capsules.call("payer.greet", {"text": "x"}, capsule=capsule)["text"]

    def test_y14_the_service_is_asked_first_then_the_local_machine(self):
        self.capsule(services="type: embedded, naming: embedded", languages="python")
        self.template()
        self.type(
            "publish",
            self.write("published.py", "WHERE = 'service'\n"),
            "--module",
            "payroll",
            "--language",
            "python",
        )
        text = self.load()
        self.assertTrue(text.startswith("service hector-type:payroll@"), text)

    def test_y14_compiled_code_and_packages(self):
        self.capsule(services="type: embedded, naming: embedded", languages="python")
        self.template()
        source = self.write("payroll_source.py", "from payroll.parts import WHERE\n")
        import py_compile

        self.type(
            "publish",
            py_compile.compile(source, cfile=os.path.join(self.folder, "payroll.pyc")),
            "--module",
            "payroll",
            "--language",
            "python",
            "--abi",
            "cpython-311",
            "--package",
        )
        self.type(
            "publish",
            self.write("parts.py", "WHERE = 'part'\n"),
            "--module",
            "payroll.parts",
            "--language",
            "python",
        )
        self.assertTrue(self.load().startswith("part hector-type:payroll@"))

    def test_y14_where_the_service_is_down_the_local_copy_is_imported(self):
        self.capsule()
        self.type(
            "publish",
            self.write("published.py", "WHERE = 'service'\n"),
            "--module",
            "payroll",
            "--language",
            "python",
        )
        self.capsule("north", "type: {joined: hub}, naming: embedded", languages="python")
        self.template()
        self.capsules.processes["hub"].kill()
        self.capsules.processes["hub"].wait()
        self.assertTrue(self.load("north").startswith("local "))

    def test_signatures(self):
        key, public = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "public.der")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        subprocess.run(
            ["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER", "-out", public],
            check=True,
        )
        with open(public, "rb") as file:
            raw = base64.b64encode(file.read()[-32:]).decode()
        self.capsule(services=f'type: {{settings: {{keys: ["{raw}"]}}}}')
        code = self.write("published.py", "WHERE = 'service'\n")
        self.assertIn(
            "BAD_SIGNATURE",
            self.refused("publish", code, "--module", "payroll", "--language", "python"),
        )
        subprocess.run(
            [
                "openssl",
                "pkeyutl",
                "-sign",
                "-rawin",
                "-inkey",
                key,
                "-in",
                code,
                "-out",
                code + ".sig",
            ],
            check=True,
        )
        self.type(
            "publish",
            code,
            "--module",
            "payroll",
            "--language",
            "python",
            "--signature",
            code + ".sig",
        )
        self.assertEqual(self.type("fetch", "payroll", "--language", "python"), "WHERE = 'service'")
        self.assertIn("NOT_FOUND", self.refused("fetch", "payrolls", "--language", "python"))

    @unittest.skipUnless(shutil.which("etcd"), "needs etcd")
    @needs("stores/etcd")
    def test_y15_altered_code_is_never_run_nor_another_in_its_place(self):
        with Etcd() as etcd:
            store = f"store: etcd://127.0.0.1:{etcd.port}/types"
            self.capsule(
                services="type: embedded, naming: embedded", languages="python", more=store
            )
            self.template()
            self.type(
                "publish",
                self.write("published.py", "WHERE = 'service'\n"),
                "--module",
                "payroll",
                "--language",
                "python",
            )
            self.capsules.processes["hub"].kill()  # what it has read it remembers
            self.capsules.processes["hub"].wait()
            os.remove(os.path.join(self.capsules.run, "hub.reference"))
            found = etcd.ask(
                "range", {"key": etcd.encoded(b"types/"), "range_end": etcd.encoded(b"types0")}
            )["kvs"]
            blobs = [each for each in found if b"ty-blob/" in base64.b64decode(each["key"])]
            self.assertEqual(len(blobs), 1)
            etcd.ask("put", {"key": blobs[0]["key"], "value": etcd.encoded(b"WHERE = 'altered'\n")})
            self.capsule(
                services="type: embedded, naming: embedded", languages="python", more=store
            )
            self.assertIn("BAD_SIGNATURE", self.refused("fetch", "payroll", "--language", "python"))
            with self.assertRaises(CommandFailed) as caught:
                self.load()
            self.assertIn("BAD_SIGNATURE", str(caught.exception))


SCALARS = (
    "int32",
    "int64",
    "uint32",
    "uint64",
    "sint32",
    "sint64",
    "fixed32",
    "fixed64",
    "sfixed32",
    "sfixed64",
    "bool",
    "string",
    "bytes",
    "double",
    "float",
)


class Change:
    """A random .proto text and a random change of it."""

    def __init__(self, chance):
        self.chance = chance
        self.messages = {
            f"M{i}": {
                n: [
                    f"f{n}",
                    chance.choice(SCALARS + ("E", "N")),
                    chance.choice(("", "", "", "repeated ", "optional ")),
                ]
                for n in range(1, chance.randrange(2, 6))
            }
            for i in range(2)
        }
        self.enum = {f"V{i}": i for i in range(chance.randrange(2, 5))}
        self.rpcs = {
            f"Call{i}": ["M0", "M1", chance.choice(("", "stream ")), chance.choice(("", "stream "))]
            for i in range(2)
        }
        self.reserved = {name: [] for name in self.messages}
        self.reserved_enum = []
        self.oneof = None

    def text(self):
        lines = ['syntax = "proto3";', "package p;", "message N { int32 x = 1; }", "enum E {"] + [
            f"  {name} = {number};" for name, number in self.enum.items()
        ]
        lines += [f"  reserved {each};" for each in self.reserved_enum] + ["}"]
        for name, fields in self.messages.items():
            lines += (
                [f"message {name} {{"]
                + [
                    f"  {label}{kind} {field} = {number};"
                    for number, (field, kind, label) in fields.items()
                ]
                + [f"  reserved {each};" for each in self.reserved[name]]
                + ["}"]
            )
        lines += (
            ["service S {"]
            + [
                f"  rpc {name}({a}{one}) returns ({b}{other});"
                for name, (one, other, a, b) in self.rpcs.items()
            ]
            + ["}"]
        )
        return "\n".join(lines) + "\n"

    def change(self):
        chance = self.chance
        name = chance.choice(list(self.messages))
        fields = self.messages[name]
        number = chance.choice(list(fields))
        what = chance.randrange(12)
        if what == 0:
            fields[max(fields) + 20] = [f"added{max(fields)}", chance.choice(SCALARS), ""]
        elif what == 1:
            fields[number][0] = f"renamed{number}"
        elif what in (2, 3):
            field = fields.pop(number)[0]
            if not fields:
                fields[number + 90] = [f"kept{number}", "bool", ""]
            for each in chance.sample([str(number), f'"{field}"'], chance.randrange(3)):
                self.reserved[name].append(each)
        elif what in (4, 5, 6):
            fields[number][1] = chance.choice(SCALARS + ("E", "N"))
        elif what == 7:
            fields[number][2] = chance.choice(("", "repeated ", "optional "))
        elif what == 8:
            field = fields.pop(number)
            fields[number + 40] = field
        elif what == 9:
            value = list(self.enum)[-1]
            removed = self.enum.pop(value)
            for each in chance.sample([str(removed), f'"{value}"'], chance.randrange(3)):
                self.reserved_enum.append(each)
            if not self.enum:
                self.enum["OTHER"] = 0
                self.reserved_enum.clear()
        elif what == 10:
            rpc = chance.choice(list(self.rpcs))
            chance.choice(
                [
                    lambda: self.rpcs.pop(rpc),
                    lambda: self.rpcs[rpc].__setitem__(0, "N"),
                    lambda: self.rpcs[rpc].__setitem__(2, "" if self.rpcs[rpc][2] else "stream "),
                ]
            )()
        else:
            old = list(self.enum)[0]
            self.enum = {
                ("RENAMED" if each == old else each): value for each, value in self.enum.items()
            }


@unittest.skipUnless(shutil.which("npm"), "needs npm")
class Buf(unittest.TestCase):
    def test_random_changes_get_bufs_verdicts(self):
        seed = int(os.environ.get("HECTOR_SEED", random.randrange(2**32)))
        chance = random.Random(seed)
        program = outside.buf()
        build = os.environ.get("HECTOR_BUILD") or Capsules().build
        differences = []
        with tempfile.TemporaryDirectory() as folder:
            for i in range(int(os.environ.get("HECTOR_ROUNDS", 25))):
                made = Change(chance)
                texts = [made.text()]
                for _ in range(chance.randrange(1, 3)):
                    made.change()
                texts.append(made.text())
                for place, text in zip(("old", "new"), texts):
                    os.makedirs(os.path.join(folder, place), exist_ok=True)
                    with open(
                        os.path.join(folder, place, "a.proto"), "w", encoding="utf-8"
                    ) as file:
                        file.write(text)
                for category in ("FILE", "PACKAGE", "WIRE_JSON", "WIRE"):
                    configuration = json.dumps({"version": "v1", "breaking": {"use": [category]}})
                    theirs = subprocess.run(
                        [
                            program,
                            "breaking",
                            os.path.join(folder, "new"),
                            "--against",
                            os.path.join(folder, "old"),
                            "--config",
                            configuration,
                        ],
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                    self.assertIn(theirs.returncode, (0, 100), theirs.stderr + texts[1])
                    ours = subprocess.run(
                        [
                            os.path.join(build, "bin", "hector"),
                            "type",
                            "breaking",
                            os.path.join(folder, "old"),
                            os.path.join(folder, "new"),
                            "--rules",
                            category,
                        ],
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                    self.assertIn(ours.returncode, (0, 7), ours.stderr + texts[1])
                    if (theirs.returncode == 0) != (ours.returncode == 0):
                        differences.append((category, theirs.stdout, ours.stdout, texts))
        for each in differences[:3]:
            print(
                "---",
                each[0],
                "\nbuf:",
                each[1],
                "\nours:",
                each[2],
                "\n",
                each[3][0],
                "\n=>\n",
                each[3][1],
            )
        self.assertEqual(len(differences), 0, f"HECTOR_SEED={seed}")


if __name__ == "__main__":
    unittest.main()
