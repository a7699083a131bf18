"""Publications and queries of zenoh programs that know nothing of Hector.

What: payloads as messages and as JSON, by what the encoding says or where it says nothing; what is
refused, and how whoever runs the capsule learns of it.
Why: a publisher gets no answer, so nothing may be dropped without a word.
Who: ctest.
"""

import json
import os
import subprocess
import unittest

import outside
import waiting
from capsules import ROOT, Capsules
from needs import needs

NOTES = """import hector

@hector.template("notes.Pad/1")
class Pad:
    def __init__(self, capsule):
        self.notes = []

    @hector.announce
    def note(self, text: str, count: int = 1):
        self.notes.append(f"{text}*{count}")

    def all(self) -> list[str]:
        return self.notes

    def add(self, a: int, b: int) -> int:
        return a + b
"""
#: text = "msg", count = 2: fields 1 and 2.
MESSAGE = b"\x0a\x03msg\x10\x02"
TEXT = b'{"text": "json", "count": 3}'


@needs("protocols/zenoh", "languages/python", "stores/memory")
class Publications(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        with open(os.path.join(self.capsules.folder, "notes.py"), "w", encoding="utf-8") as file:
            file.write(NOTES)
        self.capsules.configure(
            "south",
            """capsule: south
protocols: {zenoh: {listen: "tcp/127.0.0.1:0"}}
store: memory
languages: [python]
templates: [notes.py]
objects: [{template: notes.Pad, name: pad}]
""",
        )
        locator = self.capsules.address("south", "zenoh").split("@")[1]
        self.program = subprocess.Popen(
            [
                outside.python(),
                os.path.join(ROOT, "tests", "system", "zenoh_peers", "publish.py"),
                locator,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.program.communicate)
        self.addCleanup(self.program.kill)
        self.zid = json.loads(self.program.stdout.readline())

    def tell(self, what, payload, encoding=None, operation="note", object="pad"):
        asked = {
            "do": what,
            "key": f"hector/south/{object}/{operation}",
            "payload": payload.hex(),
            "encoding": encoding,
        }
        self.program.stdin.write(json.dumps(asked) + "\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())

    def put(self, payload, encoding=None, **where):
        self.tell("put", payload, encoding, **where)

    def notes(self):
        return self.capsules.call("pad.all", {}, "south").get("value", [])

    def lines(self):
        log = self.capsules.log("south").splitlines()
        return [line for line in log if "zenoh publication dropped" in line]

    def test_are_decoded_by_what_they_say_that_they_are(self):
        sent = [
            (MESSAGE, None, "msg*2"),
            (MESSAGE, "application/protobuf", "msg*2"),
            (MESSAGE, "application/x-protobuf", "msg*2"),
            (MESSAGE, "application/octet-stream", "msg*2"),
            (MESSAGE, "zenoh/bytes", "msg*2"),
            (TEXT, None, "json*3"),
            (TEXT, "application/json", "json*3"),
            (TEXT, "text/json", "json*3"),
            (TEXT, "Application/JSON; charset=utf-8", "json*3"),
            (TEXT, "text/plain", "json*3"),
            (TEXT, "zenoh/string", "json*3"),
            (b" \n" + TEXT + b"\n", None, "json*3"),
            (b'{"text": "\xc3\xa9"}', "application/json", "\u00e9*1"),
            (b"{}", "application/json", "*1"),
        ]
        for payload, encoding, _ in sent:
            self.put(payload, encoding)
        waiting.until(lambda: len(self.notes()) >= len(sent), 10, self.notes)
        self.assertEqual(self.notes(), [note for _, _, note in sent])
        self.assertEqual(self.lines(), [])

    def test_that_cannot_be_decoded_are_said_in_the_log_and_counted(self):
        sent = [
            (dict(payload=b"{broken", encoding="application/json"), "JSON"),
            (dict(payload=b'{"text": 5}', encoding="application/json"), "text"),
            (dict(payload=b'{"nothing": 5}', encoding="text/json"), "nothing"),
            (dict(payload=b"{broken}"), "JSON"),
            (dict(payload=b"\xff\xff\xff"), "INVALID_ARGUMENT"),
            (dict(payload=b"hello", encoding="text/plain"), "text/plain"),
            (dict(payload=b"\x89PNG", encoding="image/png"), "image/png"),
            (dict(payload=TEXT, encoding="application/cbor"), "application/cbor"),
            (dict(payload=TEXT, operation="nowhere"), "no operation 'nowhere'"),
            (dict(payload=TEXT, object="ped"), "did you mean 'pad'"),
            (dict(payload=TEXT, operation="add"), "not an announcement"),
        ]
        for number, (what, why) in enumerate(sent):
            with self.subTest(**what):
                self.put(**what)
                waiting.until(lambda: len(self.lines()) > number, 10, self.lines)
                line = self.lines()[number]
                self.assertIn(why, line)
                key = f"hector/south/{what.get('object', 'pad')}/{what.get('operation', 'note')}"
                self.assertIn(key, line)
                self.assertIn("from=", line)
                self.assertIn("instead=", line)
                self.assertIn(f"dropped={number + 1}", line)
        self.assertEqual(self.notes(), [])
        self.assertIn("notes.Pad", self.lines()[0])

    def test_that_flood_the_log_are_counted(self):
        for _ in range(200):
            self.put(b"{broken", "application/json")
        waiting.spend(1.1, "a line is written each second")
        self.put(b"{broken", "application/json")
        waiting.until(lambda: "dropped=201" in (self.lines() or [""])[-1], 20, self.lines)
        self.assertLess(len(self.lines()), 60)

    def test_queries_are_answered_in_the_form_they_came_in(self):
        ask = lambda payload, encoding=None: self.tell("get", payload, encoding, operation="add")
        numbers = b"\x08\x28\x10\x02"  # 40 and 2
        self.assertEqual(ask(numbers), [True, b"\x08\x2a".hex()])
        for encoding in (None, "application/json"):
            is_ok, answer = ask(b'{"a": 40, "b": 2}', encoding)
            self.assertTrue(is_ok)
            self.assertEqual(json.loads(bytes.fromhex(answer)), {"value": "42"})
        is_ok, answer = ask(numbers, "image/png")
        self.assertFalse(is_ok)
        self.assertIn("image/png", bytes.fromhex(answer).decode())


if __name__ == "__main__":
    unittest.main()
