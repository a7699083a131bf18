"""A Binding whose parties wait for each other, in two capsules over udp.

What: a courier who says that it has arrived before the customer was told of it; what its callers
hear, what `describe` shows, and how `binding reset` brings the Binding back.
Why: such a program waited for its deadline without a word, and its Binding was of no use any more.
Who: ctest.
"""

import os
import time
import unittest

from capsules import Capsules, CommandFailed
from needs import needs

CAPSULE = """capsule: {name}
protocols: {{udp: {{listen: "127.0.0.1:0"}}}}
languages: [python]
store: memory
types: [{folder}/pickup.hector.yaml]
"""
FILES = {
    "pickup.proto": 'syntax = "proto3"; package pickup; message Text { string text = 1; }\n',
    "pickup.hector.yaml": """
interface: pickup.Customer/1
messages: [pickup.proto]
operations:
  order:   {kind: rpc, in: pickup.Text, out: pickup.Text}
  booked:  {kind: announce, in: pickup.Text}
  arrived: {kind: rpc, in: pickup.Text, out: pickup.Text}
initiates:
  request: {kind: rpc, in: pickup.Text, out: pickup.Text}
---
interface: pickup.Dispatcher/1
messages: [pickup.proto]
operations:
  request: {kind: rpc, in: pickup.Text, out: pickup.Text}
initiates:
  assign:  {kind: rpc, in: pickup.Text, out: pickup.Text}
  booked:  {kind: announce, in: pickup.Text}
---
interface: pickup.Courier/1
messages: [pickup.proto]
operations:
  assign:  {kind: rpc, in: pickup.Text, out: pickup.Text}
  arrive:  {kind: rpc, in: pickup.Text, out: pickup.Text}
initiates:
  arrived: {kind: rpc, in: pickup.Text, out: pickup.Text}
---
binding: pickup.Pickup/1
roles:
  customer:   {interface: pickup.Customer/1}
  dispatcher: {interface: pickup.Dispatcher/1}
  courier:    {interface: pickup.Courier/1}
interactions:
  request: {kind: rpc,      from: customer,   to: dispatcher, operation: request}
  assign:  {kind: rpc,      from: dispatcher, to: courier,    operation: assign}
  booked:  {kind: announce, from: dispatcher, to: customer,   operation: booked}
  arrived: {kind: rpc,      from: courier,    to: customer,   operation: arrived}
protocol: (request ; assign ; booked ; arrived)*
""",
    "customer.py": """
import hector
from pickup import Customer, Text


@hector.template(name="pickup.Customer.python")
class CustomerObject(Customer):
    def bound(self, session):
        self.session = session

    def order(self, text):
        return self.session.call("request", 0, text, Text)

    def booked(self, text):
        pass

    def arrived(self, text):
        return text
""",
    "dispatcher.py": """
import hector
from pickup import Dispatcher, Text


@hector.template(name="pickup.Dispatcher.python")
class DispatcherObject(Dispatcher):
    def bound(self, session):
        self.session = session

    def request(self, text):
        answer = self.session.call("assign", 0, text, Text)
        self.session.call("booked", 0, text)
        return answer
""",
    "courier.py": """
import hector
from pickup import Courier, Text


@hector.template(name="pickup.Courier.python")
class CourierObject(Courier):
    def bound(self, session):
        self.session = session

    def assign(self, text):
        return self.arrive(text) if text.text == "at once" else text

    def arrive(self, text):
        return self.session.call("arrived", 0, text, Text)
""",
}
CHAIN = (
    "customer 0 holds 'arrived' of courier 0 until 'booked' of dispatcher 0; dispatcher 0 waits in"
    " 'request' for 'assign' at courier 0; courier 0 waits in 'assign' for 'arrived' at customer 0"
)
LONG_BEFORE_THE_DEADLINE_S = 15  # of 30; alone on a machine it takes 0.3 s


@needs("protocols/udp", "languages/python", "stores/memory")
class StuckBindings(unittest.TestCase):
    def setUp(self):
        self.c = Capsules()
        self.addCleanup(self.c.stop)
        self.folder = self.c.folder
        for name, text in FILES.items():
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        for capsule in ("north", "south"):
            self.c.configure(capsule, CAPSULE.format(name=capsule, folder=self.folder))
        self.create("Customer", "ann", "north")
        self.create("Dispatcher", "hub", "north")
        courier = self.create("Courier", "bob", "south")
        roles = ("customer=ann", "dispatcher=hub", f"courier={courier}")
        arguments = [part for role in roles for part in ("--role", role)]
        self.binding = self.north("bind", "pickup.Pickup/1", *arguments, "-o", "name").strip()

    def north(self, *words):
        return self.c.hector(*words, capsule="north")

    def create(self, template, name, capsule):
        file = os.path.join(self.folder, template.lower() + ".py")
        self.c.hector("load", "template", file, capsule=capsule)
        template = f"pickup.{template}.python"
        return self.c.json("create", "object", template, "--name", name, capsule=capsule)[
            "reference"
        ]

    def wedge(self):
        """The courier arrives at once; what the customer hears, and after what time."""
        began = time.monotonic()
        with self.assertRaises(CommandFailed) as failed:
            self.c.call("ann.order", {"text": "at once"}, "north")
        return failed.exception.text, time.monotonic() - began

    def test_a_circle_over_two_capsules_ends_at_once_and_is_named(self):
        heard, seconds = self.wedge()
        self.assertIn("ABORTED", heard)
        self.assertIn(CHAIN, heard)
        self.assertLess(seconds, LONG_BEFORE_THE_DEADLINE_S)
        self.assertIn(CHAIN, self.north("binding", "events", self.binding))

    def test_describe_shows_where_each_party_stands_and_reset_brings_it_back(self):
        self.wedge()
        state = self.c.json("describe", "binding", self.binding, capsule="north")
        self.assertTrue(state["state"].startswith("stuck: 'arrived' of courier 0"), state["state"])
        at = {party["role"]: party for party in state["parties"]}
        self.assertEqual(at["customer"]["position"], ["request"])
        self.assertEqual(at["dispatcher"]["position"], ["request", "assign"])
        self.assertEqual(at["courier"]["position"], [], "its part of the round is over")
        self.assertEqual(at["courier"]["capsule"], "south")
        self.assertEqual(at["customer"]["held"][0]["until"], "'booked' of dispatcher 0")
        self.assertIn("'arrived' of courier 0 waits at customer 0", state["waiting"][0])
        listed = self.c.json("get", "bindings", capsule="north")[0]
        self.assertTrue(listed["state"].startswith("stuck: "), listed)
        with self.assertRaises(CommandFailed) as failed:
            self.c.call("ann.order", {"text": "later"}, "north")
        self.assertIn("out of order", failed.exception.text)

        self.assertIn("reset to the start", self.north("binding", "reset", self.binding))
        told = self.north("binding", "describe", self.binding)
        self.assertIn(": active", told)
        self.assertIn("customer 0 stands after nothing; allowed now: request", told)
        for _ in range(2):
            self.assertEqual(self.c.call("ann.order", {"text": "x"}, "north"), {"text": "x"})
            self.assertEqual(self.c.call("bob.arrive", {"text": "y"}, "south"), {"text": "y"})

    def test_a_reset_to_the_last_common_state_keeps_what_all_have_seen(self):
        self.wedge()
        told = self.north("binding", "reset", self.binding, "--to", "last")
        self.assertIn("reset to after request;", told)  # the courier is between two rounds
        told = self.north("binding", "describe", self.binding)
        self.assertIn("courier 0 stands after nothing", told)
        self.assertIn("dispatcher 0 stands after request; allowed now: assign", told)

    def test_a_reset_says_what_it_can_be_reset_to(self):
        with self.assertRaises(CommandFailed) as failed:
            self.north("binding", "reset", self.binding, "--to", "strat")
        self.assertEqual(failed.exception.code, 2)
        self.assertIn("did you mean 'start'?", failed.exception.text)


if __name__ == "__main__":
    unittest.main()
