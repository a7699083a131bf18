"""How a capsule ends that did not mean to.

What: a signal inside an Object, with the record that is left; signals that end nothing.
Why: whoever is woken by it must read which Object it was.
Who: ctest.
"""

import base64
import os
import signal
import subprocess
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
        path = os.path.join(self.capsules.folder, "south.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CAPSULE.replace("north", "south"))
        log = open(os.path.join(self.capsules.folder, "south.log"), "wb")
        self.addCleanup(log.close)
        master, terminal = os.openpty()
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", self.capsules.build + "/bin/hector-capsule", path],
            env=self.capsules.environment,
            stdin=terminal,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        os.close(terminal)
        waiting.until(lambda: "south ready" in self.capsules.log("south"), 20)
        os.close(master)
        process.wait(10)
        self.assertIn("signal=HUP", self.capsules.log("south"))

    def test_exit_in_an_object_ends_its_call_and_not_the_capsule(self):
        kit = os.path.join(self.capsules.build, "lib/hector/languages/cpp/kit/kit.so")
        types = os.path.join(ROOT, "tests/kits/language.hector.yaml")
        self.capsules.hector("load", "type", types, capsule="north")
        self.capsules.hector("load", "template", kit, capsule="north")
        for name, how in (("a", "by exit()"), ("b", "by _exit()")):
            self.capsules.hector(
                "create", "object", "kit.Language.cpp", "--name", name, capsule="north"
            )
            data = base64.b64encode(how.encode()).decode()
            with self.assertRaises(CommandFailed) as caught:
                self.capsules.call(f"{name}.crashes", {"data": data}, "north")
            self.assertIn("INTERNAL", caught.exception.text)
            self.assertIn("exit(3), which would end the capsule", caught.exception.text)
            self.assertIn(
                f"exit(3) refused, in Object '{name}' (kit.Language.cpp), operation 'crashes'",
                self.capsules.log("north"),
            )
        self.capsules.hector("create", "object", "kit.Language.cpp", "--name", "c", capsule="north")
        self.assertEqual(self.capsules.call("c.echo", {"data": "eA=="}, "north"), {"data": "eA=="})
        self.process.send_signal(signal.SIGTERM)  # also with threads that were stopped for good
        self.process.wait(30)
        self.assertEqual(self.process.returncode, 0)

    def test_signals_without_a_meaning_end_nothing(self):
        self.process.send_signal(signal.SIGUSR1)
        self.process.send_signal(signal.SIGUSR2)
        self.assertEqual(self.capsules.json("get", "objects", capsule="north"), [])


if __name__ == "__main__":
    unittest.main()
