"""A service that nothing but its own folder knows.

What: tests/toy/services/toy, a tenth service: found, loaded, called, joined, unloaded.
Why: a new service costs no file outside its folder, also not in the kernel and the command line.
Who: ctest.
"""

import os
import subprocess
import unittest

from capsules import ROOT, CommandFailed, Capsules
from needs import needs

FOLDER = "tests/toy/services/toy"
NORTH = """capsule: north
protocols: {udp: {listen: "127.0.0.1:0"}}
services: {toy: embedded}
store: memory
"""
SOUTH = """capsule: south
protocols: {udp: {listen: "127.0.0.1:0"}}
services: {toy: {joined: north}}
"""
EMPTY = """capsule: empty
protocols: {udp: {listen: "127.0.0.1:0"}}
services: {policy: embedded, naming: embedded}
store: memory
"""


@needs("protocols/udp", "stores/memory", "services/naming", "services/policy")
class ToyService(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.capsules.environment["HECTOR_PLUGIN_PATH"] = os.path.join(
            self.capsules.build, "tests", "toy"
        )

    def services(self, capsule):
        listed = self.capsules.json("get", "services", capsule=capsule)
        return {item["name"]: item["provider"] for item in listed}

    def test_is_called_by_its_own_messages(self):
        self.capsules.configure("north", NORTH)
        self.assertIn("toy", self.services("north"))
        self.assertIn("toy.Counter/1", self.capsules.hector("get", "types", capsule="north"))
        self.assertEqual(self.capsules.call("toy.add", {"by": "3"}, "north"), {"value": "3"})
        self.assertEqual(self.capsules.call("toy.later", {"by": "4"}, "north"), {"value": "7"})
        self.assertEqual(
            self.capsules.call("toy.count", {"to": "3"}, "north"),
            [{"value": "1"}, {"value": "2"}, {"value": "3"}],
        )
        self.assertEqual(self.capsules.call("toy.sum", {"by": "5"}, "north"), {"value": "5"})

    def test_refuses_under_its_own_code_and_names_its_operations(self):
        self.capsules.configure("north", NORTH)
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call("toy.add", {"by": "-1"}, "north")
        self.assertIn("the total only grows", str(caught.exception))
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call("toy.ad", {}, "north")
        self.assertIn("add, later, reset, count, sum", str(caught.exception))

    def test_is_joined_from_a_capsule_that_does_not_know_its_type(self):
        self.capsules.configure("north", NORTH)
        self.capsules.call("toy.add", {"by": "10"}, "north")
        self.capsules.configure("south", SOUTH)
        self.assertIn("north", self.services("south")["toy"])
        self.assertEqual(self.capsules.call("toy.add", {"by": "1"}, "south"), {"value": "11"})
        self.assertEqual(self.capsules.call("toy.add", {"by": "1"}, "north"), {"value": "12"})

    def test_comes_into_a_running_capsule_and_goes(self):
        self.capsules.configure("empty", EMPTY)
        self.capsules.hector("load", "service", "toy", capsule="empty")
        self.assertEqual(self.capsules.call("toy.add", {"by": "2"}, "empty"), {"value": "2"})
        self.assertEqual(
            self.capsules.call("service/toy.add", {"by": "2"}, "empty"), {"value": "4"}
        )
        self.capsules.hector("unload", "service", "toy", capsule="empty")
        self.assertNotIn("toy", self.services("empty"))
        with self.assertRaises(CommandFailed):
            self.capsules.call("toy.add", {"by": "2"}, "empty")

    def test_is_named_by_no_file_outside_its_folder(self):
        named = subprocess.run(
            ["git", "grep", "-l", "-F", "toy.Counter", "--", ":!" + FOLDER],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        own = "tests/system/toy_service_test.py"
        self.assertEqual([file for file in named.stdout.split() if file != own], [])


if __name__ == "__main__":
    unittest.main()
