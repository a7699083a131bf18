"""What a capsule goes by, and where it comes from.

What: `hector policy` and `hector type` beside what the kernel decides, with and without services.
Why: an answer that leaves out the capsule's own configuration sends its reader the wrong way.
Who: ctest.
"""

import json
import os
import tempfile
import unittest

from capsules import CommandFailed, Capsules
from needs import needs

TYPES = """interface: a.Giver/1
messages: [google/protobuf/empty.proto]
operations:
  give: {kind: rpc, in: google.protobuf.Empty, out: google.protobuf.Empty}
---
interface: a.Taker/1
messages: [google/protobuf/empty.proto]
operations:
  take: {kind: rpc, in: google.protobuf.Empty, out: google.protobuf.Empty}
---
binding: a.Pair/1
roles:
  giver: {interface: a.Giver/1}
  taker: {interface: a.Taker/1}
interactions:
  give: {kind: rpc, from: taker, to: giver, operation: give}
  take: {kind: rpc, from: giver, to: taker, operation: take}
protocol: (give ; take)*
"""
POLICY = """policy:
  "*protocols": [udp]
  "a.Pair.giver.protocols": [zenoh, udp]
  "*give.deadline_ms": [700]
"""
TEMPLATE = """import hector


@hector.template("sums.Adder/1")
class Adder:
    def add(self, a: int, b: int) -> int:
        return a + b
"""


@needs("protocols/udp")
class Sources(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.types = self.write("pair.hector.yaml", TYPES)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def capsule(self, services="{}", more=POLICY):
        self.capsules.configure(
            "hub",
            f"capsule: hub\nprotocols: {{udp: {{listen: '127.0.0.1:0'}}}}\n"
            f"services: {services}\nstore: memory\ntypes: ['{self.types}']\n{more}",
        )

    def hector(self, *arguments):
        return self.capsules.hector(*arguments, capsule="hub").strip()

    def rows(self, *arguments):
        """NAME and SOURCE, of a list."""
        listed = json.loads(self.hector("-o", "json", *arguments))
        return [(each["name"], each["source"]) for each in listed]

    def test_policies_without_a_service(self):
        self.capsule()
        self.assertEqual(self.hector("policy", "get", "a.Pair.giver.protocols"), "zenoh udp")
        self.assertEqual(self.hector("policy", "get", "a.Pair.taker.protocols"), "udp")
        self.assertEqual(self.hector("policy", "get", "a.Pair.give.deadline_ms"), "700")
        self.assertEqual(
            self.hector("policy", "get", "a.Pair.giver.principals"),
            "(built in: any principal may play the role)",
        )
        explained = self.hector("policy", "explain", "a.Pair.giver.protocols")
        self.assertIn("→ a.Pair.giver.protocols: zenoh udp\n    configuration — ", explained)
        self.assertIn("  *protocols: udp\n    configuration — another one is more", explained)
        rows = self.rows("policy", "list")
        self.assertEqual(
            rows[:3],
            [
                ("*protocols", "configuration"),
                ("a.Pair.giver.protocols", "configuration"),
                ("*give.deadline_ms", "configuration"),
            ],
        )
        self.assertIn(("*principals", "built in"), rows)
        self.assertEqual(rows, self.rows("get", "policies"))
        self.assertIn("SOURCE", self.hector("policy", "list"))
        self.assertIn("configuration", self.hector("describe", "policy", "a.Pair.giver.protocols"))
        for name in ("a.Pair.giver.colour", "colour", "a.b"):
            with self.assertRaises(CommandFailed) as caught:
                self.hector("policy", "get", name)
            self.assertIn("--class", str(caught.exception))
            with self.assertRaises(CommandFailed) as caught:
                self.hector("describe", "policy", name)
            self.assertIn("protocols, prefer, principals", str(caught.exception))

    @needs("services/policy", "stores/memory")
    def test_policies_with_a_service_are_decided_as_the_kernel_does(self):
        self.capsule("{policy: embedded}")
        question = "a.Pair.giver.protocols"

        def value(*more):
            return self.hector("policy", "get", question, *more)

        self.hector("policy", "put", "enterprise", "*protocols", "grpc")
        self.hector("policy", "put", "enterprise", "*prefer", "latency")
        self.assertEqual(value(), "zenoh udp", "the capsule's own comes before the enterprise's")
        self.assertEqual(value("--class", "Binding.Binding.Role.Protocols"), "zenoh udp")
        self.assertEqual(value("--chain", "enterprise", "--class", "A.B.C.D"), "grpc")
        self.assertEqual(self.hector("policy", "get", "a.Pair.giver.prefer"), "latency")
        deadline = "a.Pair.give.deadline_ms"
        self.assertEqual(self.hector("policy", "get", deadline, "--type", "integer"), "700")
        with self.assertRaises(CommandFailed) as caught:
            self.hector("policy", "get", question, "--type", "integer")
        self.assertIn("TYPE_ERROR", str(caught.exception))
        explained = self.hector("policy", "explain", question)
        self.assertIn("→ a.Pair.giver.protocols: zenoh udp", explained)
        self.assertIn("  *protocols: grpc\n    enterprise — the capsule's configuration", explained)
        self.hector("policy", "put", "object:o", question, "local")
        self.assertEqual(value("--object", "o"), "local")
        self.assertEqual(value(), "zenoh udp")
        self.hector("policy", "put", "enterprise", "*protocols", "udp", "--final")
        self.assertEqual(value(), "udp")
        explained = json.loads(self.hector("-o", "json", "policy", "explain", question))
        counting = [each for each in explained["candidates"] if each.get("counts")]
        self.assertEqual([each["entry"]["context"] for each in counting], ["enterprise"])
        rows = self.rows("policy", "list")
        self.assertIn(("*protocols", "enterprise"), rows)
        self.assertIn(("a.Pair.giver.protocols", "configuration"), rows)
        self.assertIn(("*transparencies", "built in"), rows)
        self.assertEqual(
            self.rows("policy", "list", "enterprise"),
            [("*prefer", "enterprise"), ("*protocols", "enterprise")],
        )

    def test_types_without_a_service(self):
        self.capsule()
        rows = dict(self.rows("type", "list"))
        self.assertEqual(rows["a.Pair/1"], f"configuration, {self.types}")
        self.assertEqual(rows["hector.Management/1"], "built in")
        loaded = self.write("more.hector.yaml", TYPES.replace(" a.", " b."))
        self.hector("load", "type", loaded)
        self.hector("load", "type", self.types)
        rows = dict(self.rows("type", "list"))
        self.assertEqual(rows["b.Pair/1"], f"loaded, {loaded}")
        self.assertEqual(
            rows["a.Pair/1"], f"configuration, {self.types}", "where it came from first"
        )
        self.assertEqual(
            dict(self.rows("type", "list", "b.")).keys(), {"b.Pair/1", "b.Giver/1", "b.Taker/1"}
        )
        shown = json.loads(self.hector("-o", "json", "type", "get", "a.Giver/1"))
        self.assertEqual(shown["source"], f"configuration, {self.types}")
        self.assertEqual(shown["model"]["name"], "a.Giver")
        self.assertIn("yes", self.hector("type", "conforms", "b.Giver/1", "a.Pair/1.giver"))
        with self.assertRaises(CommandFailed):
            self.hector("type", "conforms", "a.Taker/1", "a.Pair/1.giver")
        with self.assertRaises(CommandFailed):
            self.hector("type", "get", "a.Nobody/1")

    @needs("languages/python")
    def test_a_templates_type_names_its_file(self):
        path = self.write("sums.py", TEMPLATE)
        self.capsule(more="languages: [python]\n")
        self.hector("load", "template", path)
        self.assertEqual(dict(self.rows("get", "types"))["sums.Adder/1"], f"template {path}")

    @needs("services/type", "stores/memory")
    def test_a_type_of_the_service_is_told_from_the_kernels(self):
        self.capsule("{type: embedded}")
        self.hector("type", "publish", self.types)
        rows = [each for each in self.rows("type", "list", "a.Pair")]
        self.assertEqual(
            rows, [("a.Pair/1", f"configuration, {self.types}"), ("a.Pair/1", "Type service")]
        )
        shown = self.hector("type", "get", "a.Pair/1")
        self.assertIn(
            "source Type service; the kernel of this capsule has it from configuration, ", shown
        )
        shown = json.loads(self.hector("-o", "json", "type", "get", "hector.Management/1"))
        self.assertEqual(shown["source"], "built in")


if __name__ == "__main__":
    unittest.main()
