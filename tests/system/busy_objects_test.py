"""Objects that burn a processor or block, in Python and in C++.

What: what their callers, other Objects, management and the operator see meanwhile, and how the
capsule ends.
Why: code that does not return cannot be stopped; everything around it has to stay usable, and the
one who is woken by it has to read what it is.
Who: ctest.
"""

import json
import os
import signal
import subprocess
import time
import unittest

import waiting
from capsules import ROOT, Capsules, CommandFailed
from needs import needs

CAPSULE = """capsule: north
protocols: {{udp: {{listen: "127.0.0.1:0"}}}}
languages: [{languages}]
store: memory
limits: {{drain_ms: 500}}
"""
BUSY = """
import time

import hector


@hector.template("lab.Busy/1", name="lab.Busy.python")
class Busy:
    def act(self, what: str) -> int:
        deadline = time.monotonic() + 60  # it ends, should the test not end it
        while what == "spin" and time.monotonic() < deadline:
            pass
        if what == "sleep":
            time.sleep(60)
        return 7

    def add(self, a: int, b: int) -> int:
        return a + b
"""
ANSWERS_WITHIN_S = 3  # a command alone takes 0.03 s; two processors may be busy with other tests
STOPS_WITHIN_S = 12  # 0.5 s of grace, 2 s for modules


class Lab(unittest.TestCase):
    languages = "python"

    def setUp(self):
        self.c = Capsules()
        self.addCleanup(self.c.stop)
        self.process = self.c.configure("north", CAPSULE.format(languages=self.languages))

    def north(self, *words):
        return self.c.hector(*words, capsule="north")

    def call(self, what, json, timeout_ms=1_000):
        """What a call comes to, and after what time."""
        began = time.monotonic()
        try:
            said = self.north("--timeout-ms", str(timeout_ms), "call", what, json).strip()
        except CommandFailed as failed:
            said = failed.text
        return said, time.monotonic() - began

    def shown(self, name):
        for row in self.c.json("get", "objects", capsule="north"):
            if row["name"] == name:
                return row
        return {}

    def check_is_shown(self, name, template, operation):
        """By every way of looking, and once in the log."""
        waiting.until(lambda: self.shown(name).get("state", "").startswith("overdue"), 10)
        began = time.monotonic()
        row = self.shown(name)
        self.assertLess(time.monotonic() - began, ANSWERS_WITHIN_S)
        self.assertEqual(row["operation"], operation)
        self.assertGreater(row["running_ms"], 500)
        self.assertRegex(row["since"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn("PROCESSOR MS", self.north("get", "objects", "-o", "wide"))
        self.assertNotIn("PROCESSOR MS", self.north("get", "objects"))
        told = self.north("describe", "object", name)
        self.assertIn(f"'{operation}' for ", told)
        top = self.north("top", "-n", "2", "--every-ms", "300")
        self.assertIn(f"overdue '{operation}' for ", top)
        told = [line for line in self.c.log("north").splitlines() if "caller's deadline" in line]
        self.assertEqual(len(told), 1, told)
        for word in (name, template, operation, "late_s=", "processor_s="):
            self.assertIn(word, told[0])
        return row

    def check_refuses(self, name, operation, json):
        said, seconds = self.call(f"{name}.{operation}", json, 20_000)
        self.assertIn("RESOURCE_EXHAUSTED", said)
        self.assertIn(f"Object '{name}'", said)
        self.assertIn("past its deadline", said)
        self.assertLess(seconds, ANSWERS_WITHIN_S)

    def check_ends(self, name):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        waiting.until(lambda: self.process.poll() is not None, STOPS_WITHIN_S)
        self.assertEqual(self.process.returncode, 0)
        log = self.c.log("north")
        kept = [line for line in log.splitlines() if "calls did not end within the grace" in line]
        self.assertEqual(len(kept), 1, log)
        self.assertIn(name, kept[0])
        self.assertIn("' for ", kept[0])
        return time.monotonic() - began


@needs("protocols/udp", "stores/memory", "languages/python")
class BusyPythonObjects(Lab):
    def setUp(self):
        super().setUp()
        file = os.path.join(self.c.folder, "busy.py")
        with open(file, "w", encoding="utf-8") as out:
            out.write(BUSY)
        self.north("load", "template", file)
        for name in ("bad", "good"):
            self.north("create", "object", "lab.Busy.python", "--name", name)

    def test_one_that_burns(self):
        said, _ = self.call("bad.act", '{"what": "spin"}')
        self.assertIn("DEADLINE_EXCEEDED", said)
        row = self.check_is_shown("bad", "lab.Busy.python", "act")
        self.assertGreater(row["call_processor_ms"], 200)
        rows = json.loads(self.north("-o", "json", "top", "-n", "1"))
        self.assertEqual(rows[0]["name"], "bad", "the busiest first")
        self.assertGreater(rows[0]["processor_%"], 10)
        self.check_refuses("bad", "act", '{"what": ""}')
        said, _ = self.call("good.add", '{"a": 1, "b": 2}', 10_000)
        self.assertIn("3", said)
        self.check_ends("bad")

    def test_one_that_blocks_and_is_deleted_is_still_shown(self):
        self.call("bad.act", '{"what": "sleep"}')
        row = self.check_is_shown("bad", "lab.Busy.python", "act")
        self.assertLess(row["call_processor_ms"], 500)
        self.check_refuses("bad", "act", '{"what": ""}')
        self.north("delete", "object", "bad")
        self.assertIn("deleted, still running 'act'", self.north("get", "objects"))
        self.process.send_signal(signal.SIGTERM)
        waiting.until(lambda: self.process.poll() is not None, STOPS_WITHIN_S)
        self.assertEqual(self.process.returncode, 0)

    def test_calls_that_wait_behind_it_end_at_their_own_deadlines(self):
        patient = self.start_call("bad.act", '{"what": "sleep"}', 30_000)
        waiting.until(lambda: self.shown("bad").get("state", "").startswith("running"), 10)
        said, seconds = self.call("bad.act", '{"what": ""}', 1_500)
        self.assertIn("DEADLINE_EXCEEDED", said)
        self.assertLess(seconds, 1.5 + ANSWERS_WITHIN_S)
        waiting.until(lambda: self.shown("bad")["queued"] == 0, 10)
        patient.kill()
        patient.wait()

    def start_call(self, what, json, timeout_ms):
        return subprocess.Popen(
            [
                os.path.join(self.c.build, "bin", "hector"),
                "-c",
                "north",
                "--timeout-ms",
                str(timeout_ms),
                "call",
                what,
                json,
            ],
            env=self.c.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@needs("protocols/udp", "stores/memory", "languages/cpp")
class BusyCppObjects(Lab):
    languages = "cpp"

    def setUp(self):
        super().setUp()
        kit = os.path.join(self.c.build, "lib/hector/languages/cpp/kit/kit.so")
        self.north("load", "type", os.path.join(ROOT, "tests/kits/language.hector.yaml"))
        self.north("load", "template", kit)
        self.north("create", "object", "kit.Language.cpp", "--name", "bad")

    def test_one_that_burns(self):
        said, _ = self.call("bad.crashes", '{"data": "YnkgYSBsb29w"}')  # by a loop
        self.assertIn("DEADLINE_EXCEEDED", said)
        row = self.check_is_shown("bad", "kit.Language.cpp", "crashes")
        self.assertGreater(row["call_processor_ms"], 200)
        self.check_refuses("bad", "echo", "{}")
        self.check_ends("bad")

    def test_one_that_blocks(self):
        said, _ = self.call("bad.crashes", '{"data": "YnkgYSBzbGVlcA=="}')  # by a sleep
        self.assertIn("DEADLINE_EXCEEDED", said)
        self.check_is_shown("bad", "kit.Language.cpp", "crashes")
        self.check_refuses("bad", "echo", "{}")
        self.check_ends("bad")


if __name__ == "__main__":
    unittest.main()
