"""Bindings changed under load: rebinding, channels that move, members, parties that die.

What: no call is lost, doubled or refused while a Binding changes.
Why: a Binding outlives its parties.
Who: ctest.

Each prints its figures: the longest call as its caller sees it, and beside it the same with
commands that change nothing, since a command line that starts takes a processor for milliseconds;
the Binding's own gaps. What is asserted is that no call is lost, doubled or refused.
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
  udp:  {{listen: "127.0.0.1:0"}}
  grpc: {{listen: "127.0.0.1:0"}}
services:
  naming:  {service}
  trading: {service}
languages: [cpp]
types: [{folder}/load.hector.yaml]
policy:
  "*protocols": [{protocols}]
"""
CALLS_PER_SECOND = 10_000
RUN_MS = 2_000


@needs("protocols/udp", "protocols/grpc", "languages/cpp", "services/naming", "services/trading")
class Changes(unittest.TestCase):
    def setUp(self):
        self.c = Capsules()
        self.addCleanup(self.c.stop)
        self.folder = os.path.join(self.c.build, "tests", "changes")

    def start(self, *names, protocols="udp, grpc"):
        for name in names:
            service = "embedded" if name == "hub" else "{joined: hub}"
            self.c.configure(
                name,
                CAPSULE.format(name=name, service=service, folder=self.folder, protocols=protocols),
            )
            for template in ("driver.so", "counter.so"):
                self.c.hector("load", "template", os.path.join(self.folder, template), capsule=name)

    def create(self, template, name, capsule, arguments="{}", *rest):
        self.c.hector(
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

    def bind(self, kind, *roles):
        arguments = [part for role in roles for part in ("--role", role)]
        return self.c.hector("bind", kind, *arguments, "-o", "name", capsule="hub").strip()

    def binding(self, *arguments, capsule="hub"):
        return self.c.json("binding", *arguments, capsule=capsule)

    def under_load(self, change, driver="driver", milliseconds=RUN_MS, rate=CALLS_PER_SECOND):
        """Runs `change` while the driver calls; the driver's report."""
        report = {}

        def run():
            try:
                report.update(
                    self.c.call(
                        f"{driver}.run",
                        {"milliseconds": milliseconds, "calls_per_second": rate},
                        capsule="hub",
                    )
                )
            except CommandFailed as failed:
                report["errors"] = [failed.text]
                report["failed"] = 1

        thread = threading.Thread(target=run)
        thread.start()
        waiting.spend(0.5, "under load")
        try:
            change()
        finally:
            thread.join()
        return {key: int(value) if str(value).isdigit() else value for key, value in report.items()}

    def told(self, what, report):
        print(
            "\n"
            f"  {what}: {report.get('calls', 0)} calls, {report.get('failed', 0)} failed, "
            f"{report.get('wrong', 0)} wrong; longest call {report.get('longest_us', 0)} µs, "
            f"longest gap {report.get('gap_us', 0)} µs",
            flush=True,
        )

    def check(self, what, report, calls_at_least=0.5):
        self.told(what, report)
        self.assertEqual(report.get("failed", 0), 0, report.get("errors"))
        self.assertEqual(report.get("wrong", 0), 0)
        self.assertGreater(report["calls"], CALLS_PER_SECOND * RUN_MS / 1_000 * calls_at_least)

    def test_a_role_is_rebound_under_load_in_one_capsule_with_its_state(self):
        self.start("hub")
        for name in ("a", "b"):
            self.create("load.Counter", name, "hub")
        self.create("load.Driver", "driver", "hub")
        binding = self.bind("load.Load/1", "driver=driver", "counter=a")
        gaps = []

        def change():
            for who in ("b", "a", "b"):
                rebound = self.binding("rebind", binding, "counter", who)
                self.assertTrue(rebound["with_state"])
                gaps.append(int(rebound["gap_us"]))

        report = self.under_load(change)
        self.check(f"rebinding in one capsule (own gaps {gaps} µs)", report)
        self.assertEqual(report["by"], ["a", "b", "a", "b"])

    def test_a_role_is_rebound_under_load_to_another_capsule_and_back(self):
        for protocols in ("udp, grpc", "grpc, udp"):
            with self.subTest(protocols):
                self.c.stop()
                self.setUp()
                self.start("hub", "north", "south", protocols=protocols)
                self.create("load.Counter", "a", "north")
                self.create("load.Counter", "b", "south")
                self.create("load.Driver", "driver", "hub")
                binding = self.bind("load.Load/1", "driver=driver", "counter=a")
                gaps = []

                def change():
                    for who in ("b", "a"):
                        gaps.append(int(self.binding("rebind", binding, "counter", who)["gap_us"]))

                self.told(
                    "two commands that change nothing",
                    self.under_load(lambda: [self.binding("describe", binding) for _ in range(2)]),
                )
                report = self.under_load(change)
                self.check(
                    f"rebinding between capsules over {protocols.split(',')[0]} (own gaps"
                    f" {gaps} µs)",
                    report,
                    calls_at_least=0.1,
                )
                self.assertEqual(report["by"], ["a", "b", "a"])

    def test_an_object_moves_to_another_capsule_under_load_and_is_found_again(self):
        self.start("hub", "north", "south")
        self.create("load.Counter", "a", "north")
        self.create("load.Driver", "driver", "hub")
        self.bind("load.Load/1", "driver=driver", "counter=a")
        told = []

        def change():
            told.append(self.c.hector("move", "a", "--to", "south", capsule="north"))
            told.append(self.c.hector("move", "a", "--to", "north", capsule="south"))

        report = self.under_load(change)
        self.check("an Object moved to another capsule and back", report, calls_at_least=0.1)
        self.assertIn("with its state", told[0])
        self.assertEqual(
            [item["name"] for item in self.c.json("get", "objects", capsule="south")], []
        )
        self.assertEqual(
            int(self.c.call("a.look", capsule="hub")["count"]),
            report["calls"],
            "found by its name as well",
        )
        with self.assertRaises(CommandFailed) as failed:
            self.c.hector("move", "a", "--to", "nowhere", capsule="north")
        self.assertIn("nowhere", failed.exception.text)

    def test_a_channel_moves_under_load_from_one_protocol_to_another_and_back(self):
        self.start("hub", "north")
        self.create("load.Counter", "a", "north")
        self.create("load.Driver", "driver", "hub")
        binding = self.bind("load.Load/1", "driver=driver", "counter=a")

        def change():
            for protocol in ("grpc", "udp", "grpc"):
                self.assertIn(
                    f": {protocol} ", self.binding("move", binding, "counter", protocol)["moves"][0]
                )

        self.told(
            "three commands that change nothing",
            self.under_load(lambda: [self.binding("describe", binding) for _ in range(3)]),
        )
        self.check("moving a channel three times", self.under_load(change), calls_at_least=0.1)
        with self.assertRaises(CommandFailed) as failed:
            self.binding("move", binding, "counter", "zenoh")
        self.assertIn("zenoh", failed.exception.text)

    def test_what_cannot_be_rebound_goes_on_as_it_was(self):
        self.start("hub")
        self.create("load.Counter", "a", "hub")
        for name in ("driver", "idle"):
            self.create("load.Driver", name, "hub")
        binding = self.bind("load.Load/1", "driver=driver", "counter=a")
        for who, code, why in (("idle", 7, "step"), ("nobody", 3, "nobody"), ("a", 5, "already")):
            with self.assertRaises(CommandFailed) as failed:
                self.binding("rebind", binding, "counter", who)
            self.assertEqual(
                (failed.exception.code, why in failed.exception.text),
                (code, True),
                failed.exception.text,
            )
        self.check("after refused rebindings", self.under_load(lambda: None))

    def test_a_suspended_binding_keeps_its_calls_and_goes_on(self):
        self.start("hub")
        self.create("load.Counter", "a", "hub")
        self.create("load.Driver", "driver", "hub")
        binding = self.bind("load.Load/1", "driver=driver", "counter=a")

        def change():
            self.binding("suspend", binding)
            self.assertEqual(self.binding("describe", binding)["state"], "suspended")
            waiting.spend(0.3, "suspended")
            self.binding("resume", binding)

        report = self.under_load(change)
        self.check("suspended for 0.3 s", report)
        self.assertGreater(report["longest_us"], 250_000)
        self.assertEqual(
            [event["kind"] for event in self.binding("events", binding)["events"]],
            ["bound", "suspended", "resumed"],
        )

    def test_members_join_and_leave_while_one_sends_to_all(self):
        self.start("hub", "north")
        for name, capsule in (("a", "hub"), ("b", "hub"), ("c", "north")):
            self.create("load.Counter", name, capsule)
        self.create("load.Driver", "driver", "hub", '{"mode": "tell"}')
        binding = self.bind("load.Crowd/1", "driver=driver", "counter=a")

        def change():
            self.assertEqual(self.binding("join", binding, "counter", "b")["number"], 1)
            self.assertEqual(self.binding("join", binding, "counter", "c")["number"], 2)
            waiting.spend(0.2, "under load, with three members")
            self.binding("leave", binding, "counter.1")
            waiting.spend(0.2, "under load, with two members")
            self.assertEqual(
                self.binding("join", binding, "counter", "b")["number"],
                1,
                "a number that was left is given again",
            )

        report = self.under_load(change, rate=1_000)
        self.told("two members joined, one left and came again", report)
        self.assertEqual(report.get("failed", 0), 0, report.get("errors"))
        seen = {
            name: [int(n) for n in self.c.call(f"{name}.seen", capsule="hub")["numbers"]]
            for name in "abc"
        }
        self.assertEqual(
            seen["a"],
            list(range(1, report["calls"] + 1)),
            "who was there from the beginning saw everything, once, in order",
        )
        for late in "bc":
            self.assertEqual(seen[late], sorted(set(seen[late])))
            self.assertEqual(seen[late][-1], report["calls"])
        self.assertEqual(
            seen["c"],
            list(range(seen["c"][0], report["calls"] + 1)),
            "who joined late saw all from there on",
        )
        self.assertLess(len(seen["b"]), len(range(seen["b"][0], report["calls"] + 1)))
        for arguments, why in (
            (("leave", binding, "counter.7"), "has no member 7"),
            (("join", binding, "counter", "a"), "already"),
            (("join", binding, "reader", "a"), "no role 'reader'"),
        ):
            with self.assertRaises(CommandFailed) as failed:
                self.binding(*arguments)
            self.assertIn(why, failed.exception.text)

    def test_a_party_that_is_killed_is_replaced_and_calls_go_on(self):
        for looks in (True, False):
            with self.subTest(looks=looks):
                self.c.stop()
                self.setUp()
                self.start("hub", "north", "south")
                self.create("load.Counter", "a", "north", "{}", "--property", "spare=1")
                self.create("load.Counter", "b", "south", "{}", "--property", "spare=1")
                self.create("load.Driver", "driver", "hub", '{"mode": "look"}' if looks else "{}")
                binding = self.bind("load.Guarded/1", "driver=driver", "counter=a")
                killed = []

                def change():
                    self.c.processes["north"].kill()
                    killed.append(time.time())

                report = self.under_load(change, milliseconds=4_000)
                events = self.binding("events", binding)["events"]
                lost, rebound = (
                    next(int(e["time_ms"]) / 1_000 for e in events if e["kind"] == kind)
                    for kind in ("lost", "rebound")
                )
                self.told(
                    f"killed with idempotent={looks}: noticed after {lost - killed[0]:.2f} s,"
                    f" replaced after {rebound - killed[0]:.2f} s",
                    report,
                )
                self.assertLess(lost - killed[0], 2)
                self.assertEqual(report["by"], ["a", "b"])
                if looks:
                    self.assertEqual(report.get("failed", 0), 0, report.get("errors"))
                else:
                    self.assertLessEqual(report["failed"], 1)
                    for error in report.get("errors", []):
                        self.assertIn("outcome unknown", error)


if __name__ == "__main__":
    unittest.main()
