"""Unloading what others use, and loading it again.

What: consent, what is told beforehand, and what comes back by itself.
Why: an operator unloads a service under two other capsules, or the protocol that the command line
itself came by; nothing may be lost for good by that.
Who: ctest.
"""

import os
import unittest

import waiting
from capsules import Capsules, CommandFailed
from needs import needs

HUB = """capsule: hub
protocols: {udp: {listen: "127.0.0.1:0"}, grpc: {listen: "127.0.0.1:0"}}
services: {naming: embedded, trading: embedded}
languages: [python]
store: memory
"""
JOINED = """capsule: NAME
protocols: {udp: {listen: "127.0.0.1:0"}}
services: {naming: {joined: hub}, trading: {joined: hub}}
languages: [python]
"""
TEMPLATE = '''
import hector


@hector.template("unload.Echo/1", name="unload.Echo.python")
class Echo:
    def say(self, text: str) -> str:
        return text
'''
FAILED_PRECONDITION = "FAILED_PRECONDITION"


@needs(
    "protocols/udp",
    "protocols/grpc",
    "services/naming",
    "services/trading",
    "languages/python",
    "stores/memory",
)
class UnloadTest(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.capsules.configure("hub", HUB)
        self.template = os.path.join(self.capsules.folder, "echo.py")
        with open(self.template, "w", encoding="utf-8") as file:
            file.write(TEMPLATE)

    def hector(self, *arguments, capsule="hub"):
        return self.capsules.hector(*arguments, capsule=capsule)

    def refused(self, *arguments):
        with self.assertRaises(CommandFailed) as caught:
            self.hector(*arguments)
        return caught.exception.text

    def echo(self, capsule):
        self.capsules.configure(capsule, JOINED.replace("NAME", capsule))
        self.hector("load", "template", self.template, capsule=capsule)
        self.hector(
            "create", "object", "unload.Echo.python", "--name", "e-" + capsule, capsule=capsule
        )

    def is_found(self, name):
        try:
            self.hector("name", "lookup", name)
            return True
        except CommandFailed:
            return False

    def offers(self):
        return self.hector("trade", "query", "unload.Echo/1").count("e-")

    def reference(self):
        path = os.path.join(self.capsules.run, "hub.reference")
        with open(path, encoding="utf-8") as file:
            return file.read().strip()

    def test_a_service_with_others_names_is_kept_and_they_are_named(self):
        self.echo("north")
        self.echo("south")
        for service in ("naming", "trading"):
            for extra in ([], ["--dry-run"]):
                said = self.refused("unload", "service", service, *extra)
                self.assertIn(FAILED_PRECONDITION, said)
                self.assertIn("capsule:north", said)
                self.assertIn("capsule:south", said)
                self.assertNotIn("capsule:hub", said)
        self.assertTrue(self.is_found("e-north"))
        self.assertEqual(self.offers(), 2)

    def test_what_was_published_comes_back_with_the_service(self):
        self.echo("north")
        for service in ("naming", "trading"):
            said = self.hector("unload", "service", service, "--force")
            self.assertIn("capsule:north", said)
        waiting.until(lambda: "everything is entered later" in self.capsules.log("north"), 20)
        self.assertEqual(
            self.capsules.call("e-north.say", {"text": "still"}, "north"), {"value": "still"}
        )
        for service in ("naming", "trading"):
            self.hector("load", "service", service)
        waiting.until(lambda: self.is_found("e-north") and self.offers() == 1, 20)
        self.assertEqual(self.capsules.call("e-north.say", {"text": "a"}, "hub"), {"value": "a"})

    def test_the_protocol_that_the_command_came_by_answers_before_it_closes(self):
        before = self.reference()
        for protocol, other in (("udp", "grpc"), ("grpc", "udp")):
            said = self.hector("--protocol", protocol, "unload", "protocol", protocol)
            self.assertIn("endpoint 127.0.0.1:", said)
            names = [row["name"] for row in self.capsules.json("get", "protocols", capsule="hub")]
            self.assertEqual(names, [other])
            self.assertNotEqual(self.reference(), before)
            # who has an old reference gets there by what is left
            self.assertIn(other, self.hector("get", "protocols", capsule=before))
            self.hector("load", "protocol", protocol, "--listen", "127.0.0.1:0")
            names = [row["name"] for row in self.capsules.json("get", "protocols", capsule="hub")]
            self.assertEqual(names, ["grpc", "udp"])
            before = self.reference()


if __name__ == "__main__":
    unittest.main()
