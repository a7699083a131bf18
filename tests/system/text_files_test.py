"""Text files as editors on Windows save them.

What: every kind of text file that a person gives, with a byte order mark and with Windows' line
ends; in UTF-16.
Why: a file is read as it is meant or refused, never in part.
Who: ctest.
"""

import json
import os
import unittest

from capsules import Capsules, CommandFailed
from needs import needs

TYPE = """interface: {name}.Counter/1
messages: [{name}/messages.proto]
operations:
  add: {{kind: rpc, in: {name}.Number, out: {name}.Number}}
protocol: add*
---
binding: {name}.Count/1
roles:
  one: {{interface: {name}.Counter/1}}
  two: {{interface: {name}.Counter/1}}
interactions:
  add: {{kind: rpc, from: one, to: two, operation: add}}
protocol: >-
  @one(
    add
    | add ; add
  )
"""
MESSAGES = 'syntax = "proto3";\npackage {name};\nmessage Number {{ int64 value = 1; }}\n'
TEMPLATE = """import hector
from {name} import Counter, Number


@hector.template(name="{name}.Counter.python")
class Adder(Counter):
    TEXT = '''one
two'''

    def add(self, number):
        return Number(value=number.value + len(self.TEXT))
"""
POLICY = "*Role.protocols: udp, \\\n  grpc\n*Role.deadline: 1 s\n"
CEDAR = 'permit (\n  principal == User::"a", // who\n  action, resource);\n'
SCHEMA = '{\n  "entities": {"User": {}}\n}\n'
MARK = b"\xef\xbb\xbf"


@needs(
    "languages/python",
    "protocols/udp",
    "services/naming",
    "services/policy",
    "services/type",
    "stores/memory",
)
class TextFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.c = Capsules()
        cls.addClassCleanup(cls.c.stop)

    def write(self, path, octets):
        path = os.path.join(self.c.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(octets)
        return path

    def check(self, name, form):
        """All kinds of file in one form; `form` makes octets of a text."""
        configuration = self.write(
            f"{name}.yaml",
            form(
                f"capsule: {name}\n"
                'protocols: {udp: {listen: "127.0.0.1:0"}}\n'
                "services:\n  policy: embedded\n  type: embedded\n  naming: embedded\n"
                "store: memory\nlanguages: [python]\n"
            ),
        )
        self.c.start(name, configuration)
        types = self.write(f"{name}/{name}.hector.yaml", form(TYPE.format(name=name)))
        self.write(f"{name}/{name}/messages.proto", form(MESSAGES.format(name=name)))
        self.assertIn(f"{name}.Counter/1", self.c.hector("type", "check", types))
        self.assertIn(f"{name}.Count/1", self.c.hector("type", "check", types))
        wrong = self.write(
            f"{name}/wrong.yaml", form(TYPE.format(name=name).replace("kind: rpc", "kind: rcp"))
        )
        with self.assertRaises(CommandFailed) as refused:
            self.c.hector("type", "check", wrong)
        self.assertIn("wrong.yaml:4:15: unknown kind 'rcp'", refused.exception.text)
        os.remove(wrong)
        self.assertIn(
            f"{name}.Counter/1", self.c.hector("type", "publish", types, capsule=name)
        )
        service = self.write(
            f"{name}/service.proto",
            form(
                f'import "{name}/messages.proto";\npackage s{name};\n'
                f"service S {{ rpc Get({name}.Number) returns ({name}.Number); }}\n"
            ),
        )
        self.assertIn(f"s{name}.S/1", self.c.hector("type", "import", service))
        template = self.write(f"{name}/adder.py", form(TEMPLATE.format(name=name)))
        self.c.hector("load", "template", template, capsule=name)
        self.c.hector(
            "create", "object", f"{name}.Counter.python", "--name", "adder", capsule=name
        )
        self.assertEqual(
            int(self.c.call("adder.add", {"value": 5}, capsule=name)["value"]), 12, "5 + 7"
        )
        policy = self.write(f"{name}.policy", form(POLICY))
        told = self.c.hector(
            "policy",
            "get",
            "diary.Meeting.room.protocols",
            "--class",
            "Binding.Binding.Role.Protocols",
            "--db",
            policy,
        )
        self.assertEqual(told, "udp,   grpc\n")
        self.c.hector("policy", "rules", "r", self.write("r.cedar", form(CEDAR)), capsule=name)
        for user, code in (("a", 0), ("b", 7)):
            try:
                self.c.hector(
                    "policy", "authorise", f"User::{user}", "read", "Doc::b", capsule=name
                )
                self.assertEqual(code, 0)
            except CommandFailed as denied:
                self.assertEqual(denied.code, code, denied.text)
        self.c.hector("policy", "schema", self.write("s.json", form(SCHEMA)), capsule=name)
        loose = TYPE.format(name=name).replace("{kind: rpc, in", "{ kind: rpc, in")
        types = self.write(f"{name}/{name}.hector.yaml", form(loose))
        self.assertIn(types, self.c.hector("type", "fmt", types))
        with open(types, "rb") as file:
            self.assertEqual(file.read().decode(), TYPE.format(name=name))

    def test_windows_line_ends(self):
        self.check("lines", lambda text: text.replace("\n", "\r\n").encode())

    def test_a_byte_order_mark(self):
        self.check("mark", lambda text: MARK + text.encode())

    def test_both(self):
        self.check("both", lambda text: MARK + text.replace("\n", "\r\n").encode())

    def test_utf_16_is_refused_where_it_is_read(self):
        for command, name, text in (
            (["type", "check"], "wide.hector.yaml", TYPE.format(name="wide")),
            (["type", "import"], "wide.proto", MESSAGES.format(name="wide")),
            (["policy", "get", "a", "--class", "A", "--db"], "wide.policy", POLICY),
        ):
            path = self.write(name, text.encode("utf-16"))
            with self.assertRaises(CommandFailed) as refused:
                self.c.hector(*command, path)
            self.assertIn(path if "type" not in command else "wide", refused.exception.text)
            self.assertEqual(refused.exception.code, 2, json.dumps(refused.exception.text))


if __name__ == "__main__":
    unittest.main()
