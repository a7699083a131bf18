"""The workflows of templates/, each across two protocols.

What: what each is for happens, and what may go wrong in it is told.
Why: a template is a promise that its README makes.
Who: ctest.

Custom Interaction types: the auction uses hector.Auction/1, the approval one of its own and
hector.TwoPhaseAgreement/1, and a contract net is made here.
"""

import os
import threading
import time
import unittest

import waiting
from capsules import Capsules, CommandFailed
from needs import needs

CAPSULE = """
capsule: {name}
protocols:
  udp:   {{listen: "127.0.0.1:0"}}
  grpc:  {{listen: "127.0.0.1:0"}}
services:
  naming:  {service}
  trading: {service}
languages: [cpp, python]
types: [{types}]
policy:
  "*protocols": [{protocol}]
"""
PROTOCOLS = ("udp", "grpc")

CONTRACT_TYPES = """interface: work.Manager/1
messages: [google/protobuf/wrappers.proto]
operations:
  let:   {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  offer: {kind: announce, in: google.protobuf.StringValue}
initiates:
  call:  {kind: announce, in: google.protobuf.StringValue}
  award: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  deny:  {kind: announce, in: google.protobuf.StringValue}
---
interface: work.Contractor/1
messages: [google/protobuf/wrappers.proto]
operations:
  call:  {kind: announce, in: google.protobuf.StringValue}
  award: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  deny:  {kind: announce, in: google.protobuf.StringValue}
initiates:
  offer: {kind: announce, in: google.protobuf.StringValue}
---
binding: work.Contract/1
roles:
  manager:    {interface: work.Manager/1}
  contractor: {interface: work.Contractor/1, cardinality: 1..9}
interactions:
  net: {kind: hector.ContractNet/1, roles: {manager: manager, contractor: contractor}, operations: {bid: offer}, with: {bids_within: 300ms}}
protocol: net*
"""
MANAGER = """
import time
import hector
from google.protobuf.wrappers_pb2 import StringValue
from work import Manager

@hector.template(name="work.Manager.python")
class Boss(Manager):
    def bound(self, session):
        self.session, self.offers, self.task = session, [], None
    def let(self, task):
        self.offers = []
        self.session.multicast("net_call", task)
        end = time.monotonic() + 0.35                      # the phase ends by its time: who comes later is refused
        while time.monotonic() < end:
            self.capsule.call("clock", "tick", {})         # bids are served while this waits
            time.sleep(0.005)
        if not self.offers:
            return StringValue(value="nobody")
        best = min(self.offers)
        done = self.session.call("net_award", best[1], task, StringValue).value
        for _, number in self.offers:
            if number != best[1]:
                self.session.call("net_deny", number, task)
        return StringValue(value=done)
    def offer(self, offer):
        price, number = offer.value.split(":")
        self.offers.append((int(price), int(number)))
"""
CONTRACTOR = """
import threading
import hector
from google.protobuf.wrappers_pb2 import StringValue
from work import Contractor

@hector.template(name="work.Contractor.python")
class Builder(Contractor):
    def __init__(self, price, late=False):
        self.price, self.late, self.told = price, late, []
    def bound(self, session):
        self.session = session
    def call(self, task):
        offer = StringValue(value=f"{self.price}:{self.session.number}")
        if self.late:
            threading.Timer(0.45, self.bid_late, [offer]).start()
        elif self.price:
            self.session.call("net_bid", 0, offer)
    def bid_late(self, offer):
        try:
            self.session.call("net_bid", 0, offer)
            open("{folder}/late", "w").write("taken")
        except hector.Error as error:
            open("{folder}/late", "w").write(str(error.code))
    def award(self, task):
        return StringValue(value=f"{self.capsule.object_name} did {task.value} for {self.price}")
    def deny(self, task):
        open("{folder}/denied", "a").write(self.capsule.object_name)
"""
CLOCK = """
import hector

@hector.template("work.Clock/1")
class Clock:
    def tick(self) -> int:
        return 0
"""


@needs(
    "protocols/udp",
    "protocols/grpc",
    "languages/cpp",
    "languages/python",
    "services/naming",
    "services/trading",
    "templates/auction",
    "templates/sensors",
    "templates/approval",
)
class Workflows(unittest.TestCase):
    def start(self, workflow, protocol, types=None):
        c = Capsules()
        self.addCleanup(c.stop)
        self.templates = os.path.join(c.build, "lib", "hector", "templates", workflow)
        types = types or os.path.join(self.templates, f"{workflow}.hector.yaml")
        for name in ("hub", "north"):
            c.configure(
                name,
                CAPSULE.format(
                    name=name,
                    service="embedded" if name == "hub" else "{joined: hub}",
                    types=types,
                    protocol=protocol,
                ),
            )
        return c

    def load(self, c, capsule, *files):
        for file in files:
            c.hector("load", "template", os.path.join(self.templates, file), capsule=capsule)

    def create(self, c, capsule, template, name, arguments="{}", *rest):
        c.hector(
            "create",
            "object",
            template,
            "--name",
            name,
            "--arguments",
            arguments,
            *rest,
            capsule=capsule,
        )

    def bind(self, c, kind, *roles):
        return c.hector(
            "bind",
            kind,
            *[part for role in roles for part in ("--role", role)],
            "-o",
            "name",
            capsule="hub",
        ).strip()

    def in_both(self, workflow, run, types=None):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                c = self.start(workflow, protocol, types)
                run(c)
                used = {item["protocol"] for item in c.json("get", "channels", capsule="hub")} - {
                    "in-process"
                }
                self.assertEqual(used, {protocol})
                c.stop()

    def test_an_auction_goes_to_the_highest_bidder_who_pays_the_price(self):
        def run(c):
            self.load(c, "hub", "auctioneer.so", "bank.so")
            self.load(c, "north", "bidder.py")
            self.create(c, "hub", "auction.Auctioneer.cpp", "house")
            self.create(c, "hub", "auction.Bank.cpp", "dear", "{}", "--property", "fee=90")
            self.create(
                c,
                "hub",
                "auction.Bank.cpp",
                "bank",
                '{"ada": 1000, "ben": 2000, "cyd": 0}',
                "--property",
                "fee=5",
            )
            for name, limit in (("ada", 640), ("ben", 710), ("cyd", 0)):
                self.create(c, "north", "auction.Bidder.python", name, f'{{"limit": {limit}}}')
            self.bind(
                c, "auction.Auction/1", "auctioneer=house", "bidder=ada", "bidder=ben", "bidder=cyd"
            )
            lot = {"title": "clock", "start_price": 500, "step": 100, "round_ms": 150}
            result = c.call("house.sell", lot, capsule="hub")
            self.assertEqual(
                result["sold"], {"title": "clock", "winner": "ben", "price": "700", "rounds": 4}
            )
            self.assertEqual(result["receipt"]["balance"], "700")
            self.assertEqual(
                [
                    c.call("bank.balance", {"name": name}, capsule="hub")["amount"]
                    for name in ("ada", "ben", "house")
                ],
                ["1000", "1300", "700"],
            )
            unsold = c.call("house.sell", dict(lot, start_price=9000), capsule="hub")
            self.assertEqual((unsold["sold"]["winner"], unsold.get("receipt")), ("", None))
            for _ in range(
                2
            ):  # the account of ada, whom ben leaves the field to, has not enough for a second one
                c.call(
                    "bank.transfer",
                    {"payment": {"account": "ada", "price": 300}, "to": "ben"},
                    capsule="hub",
                )
            c.hector("delete", "object", "ben", capsule="north")
            self.create(c, "north", "auction.Bidder.python", "bea", '{"limit": 0}')
            self.bind(c, "auction.Auction/1", "auctioneer=house", "bidder=ada", "bidder=bea")
            with self.assertRaises(CommandFailed) as failed:
                c.call("house.sell", lot, capsule="hub")
            self.assertIn("account 'ada' lacks 200", failed.exception.text)
            self.assertEqual(
                c.call("bank.balance", {"name": "ada"}, capsule="hub")["amount"], "400"
            )

        self.in_both("auction", run)

    def test_a_late_display_catches_up_and_sees_the_rest_live(self):
        def run(c):
            self.load(c, "hub", "probe.so", "display.py")
            self.load(c, "north", "display.py")
            self.create(c, "hub", "sensors.Probe.cpp", "probe")
            self.create(c, "hub", "sensors.Display.python", "here")
            for name in ("there", "late"):
                self.create(c, "north", "sensors.Display.python", name)

            def shown(name):
                told = c.call(f"{name}.shown", capsule="hub")
                return [[int(n) for n in told.get(key, [])] for key in ("caught_up", "live")]

            binding = self.bind(
                c, "sensors.Watch/1", "probe=probe", "display=here", "display=there"
            )
            measuring = threading.Thread(
                target=c.call,
                args=("probe.measure", {"readings": 150, "every_ms": 10}),
                kwargs={"capsule": "hub"},
            )
            measuring.start()
            waiting.until(lambda: len(shown("here")[1]) >= 30, what="a reading")
            self.assertEqual(
                c.json("binding", "join", binding, "display", "late", capsule="hub")["number"], 2
            )
            waiting.until(lambda: len(shown("there")[1]) >= 60, what="a reading")
            c.hector("binding", "leave", binding, "display.1", capsule="hub")
            measuring.join()
            waiting.until(lambda: shown("late")[1][-1:] == [150], 5, "the last reading")
            here, there, late = shown("here"), shown("there"), shown("late")
            everything = list(range(1, 151))
            self.assertEqual(here, [[], everything])
            self.assertEqual(there, [[], everything[: len(there[1])]])
            self.assertLess(len(there[1]), 150)
            self.assertEqual(late[0] + late[1], everything, "what it missed, then the rest")
            self.assertGreater(len(late[0]), 20)

        self.in_both("sensors", run)

    def test_a_document_is_approved_though_a_reviewer_is_replaced_half_way(self):
        def run(c):
            self.load(c, "hub", "author.py", "archive.py", "reviewer.py")
            self.load(c, "north", "reviewer.py")
            self.create(c, "hub", "office.Author.python", "author")
            self.create(c, "hub", "office.Archive.python", "archive")
            self.create(c, "hub", "office.Reviewer.python", "eve")
            for name in ("ann", "dan"):
                self.create(c, "north", "office.Reviewer.python", name)
            binding = self.bind(
                c,
                "office.Approval/1",
                "author=author",
                "reviewer=eve",
                "reviewer=ann",
                "archive=archive",
            )
            self.assertEqual(
                c.call("author.propose", {"title": "Rules"}, capsule="hub")["state"], "in review"
            )
            c.call("eve.decide", {"approves": True}, capsule="hub")
            self.assertTrue(
                c.json("binding", "rebind", binding, "reviewer.1", "dan", capsule="hub")[
                    "with_state"
                ]
            )
            with self.assertRaises(
                CommandFailed
            ):  # ann is not asked any more: she is in no Binding
                c.call("ann.decide", {"approves": False}, capsule="hub")
            self.assertEqual(
                c.call("dan.decide", {"approves": True}, capsule="hub")["title"],
                "Rules",
                "it lay on ann's desk, now on dan's",
            )
            until = time.monotonic() + 5
            while (status := c.call("author.status", capsule="hub"))[
                "state"
            ] == "in review" and time.monotonic() < until:
                pass
            self.assertEqual(
                (status["state"], status["number"], [v["reviewer"] for v in status["verdicts"]]),
                ("published", "1", ["eve", "dan"]),
            )
            self.assertEqual(c.call("archive.titles", capsule="hub")["titles"], ["Rules"])
            c.call("author.propose", {"title": "Exceptions"}, capsule="hub")
            c.call("eve.decide", {"approves": False, "remark": "no"}, capsule="hub")
            c.call("dan.decide", {"approves": True}, capsule="hub")
            while (status := c.call("author.status", capsule="hub"))[
                "state"
            ] == "in review" and time.monotonic() < until:
                pass
            self.assertEqual(status["state"], "rejected")

        self.in_both("approval", run)

    def test_a_contract_net_awards_the_cheapest_and_refuses_who_comes_late(self):
        c = Capsules()
        folder = c.folder
        self.addCleanup(c.stop)
        for name, text in (
            ("work.hector.yaml", CONTRACT_TYPES),
            ("manager.py", MANAGER),
            ("contractor.py", CONTRACTOR.replace("{folder}", folder)),
            ("clock.py", CLOCK),
        ):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)

        def run(c):
            self.templates = folder
            for name in ("late", "denied"):
                if os.path.exists(os.path.join(folder, name)):
                    os.remove(os.path.join(folder, name))
            self.load(c, "hub", "manager.py", "clock.py")
            self.load(c, "north", "contractor.py")
            self.create(c, "hub", "work.Manager.python", "boss")
            self.create(c, "hub", "clock.Clock", "clock")
            for name, arguments in (
                ("dear", '{"price": 90}'),
                ("cheap", '{"price": 40}'),
                ("late", '{"price": 1, "late": true}'),
                ("none", '{"price": 0}'),
            ):
                self.create(c, "north", "work.Contractor.python", name, arguments)
            self.bind(
                c,
                "work.Contract/1",
                "manager=boss",
                *[f"contractor={name}" for name in ("dear", "cheap", "late", "none")],
            )
            self.assertEqual(
                c.call("boss.let", {"value": "roof"}, capsule="hub"), "cheap did roof for 40"
            )
            late = os.path.join(folder, "late")
            waiting.until(lambda: os.path.exists(late), 3, late)
            with open(late, encoding="utf-8") as file:
                self.assertEqual(file.read(), "DEADLINE_EXCEEDED")
            with open(os.path.join(folder, "denied"), encoding="utf-8") as file:
                self.assertEqual(file.read(), "dear")

        self.in_both("contract", run, os.path.join(folder, "work.hector.yaml"))


if __name__ == "__main__":
    unittest.main()
