"""Management while Objects are at work.

What: list, describe, create, load and unload while many calls wait in Objects, and while Objects'
calls come through management itself.
Why: an operator who looks for what holds a capsule up must be answered by it.
Who: ctest.
"""

import os
import subprocess
import time
import unittest

import waiting
from capsules import ROOT, Capsules
from needs import needs

CAPSULE = """capsule: north
protocols: {udp: {listen: "127.0.0.1:0"}}
languages: [cpp]
services: {naming: embedded}
store: memory
limits: {drain_ms: 500}
"""
WAITING = 24
#: A process of the command line is started and answered in far less; the calls wait for 20 s.
ANSWERED_WITHIN_S = 5


@needs("protocols/udp", "stores/memory", "languages/cpp", "services/naming")
class ManagementStaysOpen(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.capsules.configure("north", CAPSULE)
        self.kit = os.path.join(self.capsules.build, "lib/hector/languages/cpp/kit/kit.so")
        self.hector("load", "type", os.path.join(ROOT, "tests/kits/language.hector.yaml"))
        self.hector("load", "template", self.kit)
        self.callers = []

    def hector(self, *arguments):
        began = time.monotonic()
        said = self.capsules.hector(*arguments, capsule="north")
        self.assertLess(time.monotonic() - began, ANSWERED_WITHIN_S, arguments)
        return said

    def wait_in(self, name):
        """A call through management that waits in this Object."""
        process = subprocess.Popen(
            [os.path.join(self.capsules.build, "bin/hector"), "-c", "north", "call"]
            + [f"{name}.waits", "{}"],
            env=self.capsules.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.callers.append(process)

    def objects_at_work(self):
        rows = self.capsules.json("get", "objects", capsule="north")
        return sum(int(row["calls"]) > 0 for row in rows if row["name"] != "free")

    def test_everything_is_answered_while_many_calls_wait(self):
        self.hector("create", "object", "kit.Language.cpp", "--name", "free")
        for number in range(WAITING):
            name = f"o{number % 6}"
            if number < 6:
                self.hector("create", "object", "kit.Language.cpp", "--name", name)
            self.wait_in(name)
        waiting.until(lambda: self.objects_at_work() == 6, 20)
        self.assertTrue(all(process.poll() is None for process in self.callers))
        for kind in ("objects", "protocols", "templates", "bindings", "channels", "services"):
            self.hector("get", kind)
        self.hector("describe", "object", "o0")
        self.hector("create", "object", "kit.Language.cpp", "--name", "late")
        self.hector("call", "late.echo", '{"data": "eA=="}')
        self.hector("call", "free.echo", '{"data": "eA=="}')
        self.hector("delete", "object", "late")
        self.hector("unload", "service", "naming")
        self.hector("load", "service", "naming")
        self.assertTrue(all(process.poll() is None for process in self.callers))


if __name__ == "__main__":
    unittest.main()
