"""How a capsule ends that did not mean to.

What: a signal inside an Object, with the record that is left; signals that end nothing.
Why: whoever is woken by it must read which Object it was.
Who: ctest.
"""

import os
import signal
import unittest

import waiting
from capsules import ROOT, Capsules, CommandFailed
from needs import needs

CAPSULE = """capsule: north
protocols: {udp: {listen: "127.0.0.1:0"}}
languages: [cpp]
store: memory
"""


@needs("protocols/udp", "stores/memory", "languages/cpp")
class CrashRecord(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.process = self.capsules.configure("north", CAPSULE)

    def test_names_object_template_and_operation(self):
        kit = os.path.join(self.capsules.build, "lib/hector/languages/cpp/kit/kit.so")
        types = os.path.join(ROOT, "tests/kits/language.hector.yaml")
        self.capsules.hector("load", "type", types, capsule="north")
        self.capsules.hector("load", "template", kit, capsule="north")
        self.capsules.hector("create", "object", "kit.Language.cpp", "--name", "k", capsule="north")
        with self.assertRaises(CommandFailed):
            self.capsules.call("k.crashes", {"data": "YnkgYSBzaWduYWw="}, "north")
        waiting.until(lambda: self.process.poll() is not None, 10)
        self.assertEqual(self.process.returncode, -signal.SIGSEGV)
        self.assertIn(
            "in Object 'k' (kit.Language.cpp), operation 'crashes'", self.capsules.log("north")
        )

    def test_says_that_no_object_was_at_work(self):
        self.process.send_signal(signal.SIGABRT)
        waiting.until(lambda: self.process.poll() is not None, 10)
        self.assertEqual(self.process.returncode, -signal.SIGABRT)
        self.assertIn("outside of every Object", self.capsules.log("north"))

    def test_a_closed_terminal_ends_it_in_order(self):
        self.process.send_signal(signal.SIGHUP)
        waiting.until(lambda: self.process.poll() is not None, 10)
        self.assertEqual(self.process.returncode, 0)
        self.assertIn("signal=HUP", self.capsules.log("north"))

    def test_signals_without_a_meaning_end_nothing(self):
        self.process.send_signal(signal.SIGUSR1)
        self.process.send_signal(signal.SIGUSR2)
        self.assertEqual(self.capsules.json("get", "objects", capsule="north"), [])


if __name__ == "__main__":
    unittest.main()
