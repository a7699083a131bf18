"""Traders that ask each other: links, proxies, dynamic properties, watched queries.

What: the case T12 and what stands beside it.
Why: a query goes on where a trader's offers end, and never in a ring.
Who: ctest.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import waiting
from capsules import CommandFailed, Capsules
from needs import needs

CAPSULE = """capsule: {name}
protocols: {{udp: {{listen: "127.0.0.1:0"}}, grpc: {{listen: "127.0.0.1:0"}}}}
services: {{trading: embedded}}
languages: [{languages}]
"""
NEEDED = ("services/trading", "stores/sqlite", "protocols/udp", "protocols/grpc")
METER_TYPE = """interface: lab.Meter/1
messages: [meter.proto]
operations:
  evalDP: {kind: rpc, in: lab.Ask, out: lab.Any}
"""
METER_PROTO = (
    'syntax = "proto3";\npackage lab;\n'
    "message Ask { string name = 1; string returned_type = 2; string extra_info = 3; }\n"
    "message Any { string value = 1; }\n"
)
METER = """import asyncio
import os

from meter import Meter, Any


class Gauge(Meter):
    async def evalDP(self, ask):
        with open(os.path.join(os.path.dirname(__file__), "asked"), "a", encoding="utf-8") as file:
            file.write(ask.name + "\\n")
        if ask.name == "slow":
            await asyncio.sleep(1)
        if ask.name == "broken":
            raise ValueError("no gauge")
        return Any(value="42")
"""


class Federated(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)

    def capsule(self, name, languages=""):
        self.capsules.configure(name, CAPSULE.format(name=name, languages=languages))

    def trade(self, *arguments, capsule="a"):
        return self.capsules.hector("trade", *arguments, capsule=capsule).strip()

    def refused(self, *arguments, capsule="a"):
        with self.assertRaises(CommandFailed) as caught:
            self.trade(*arguments, capsule=capsule)
        return str(caught.exception).split(": ")[2]

    def found(self, *arguments, capsule="a"):
        return [
            line.split()[1]
            for line in self.trade("query", "P", *arguments, capsule=capsule).splitlines()
            if "#" in line
        ]

    def ring(self):
        for name in "abc":
            self.capsule(name)
            self.trade("type", "add", "P", "ppm:long", capsule=name)
            self.trade(
                "export",
                "P",
                f"printer-{name}",
                f"ppm={10 * (1 + 'abc'.index(name))}",
                capsule=name,
            )
        for name, to in ("ab", "bc", "ca"):
            self.trade("link", "add", to, to, capsule=name)


@needs(*NEEDED)
class Links(Federated):
    def test_t12_a_ring_is_asked_once_each(self):
        self.ring()
        always = ("--policy", "link_follow_rule=always", "--policy", "hop_count=5")
        self.assertEqual(self.found(*always), ["printer-a", "printer-b", "printer-c"])
        self.assertEqual(
            self.found("--prefer", "max ppm", *always),
            ["printer-c", "printer-b", "printer-a"],
            "the preference is evaluated where the query began",
        )
        self.assertEqual(
            self.found("--prefer", "max ppm", *always, "--policy", "return_card=2"),
            ["printer-c", "printer-b"],
        )
        self.assertEqual(
            self.found(),
            ["printer-a"],
            "without a rule links are followed if there is nothing here",
        )
        self.assertEqual(self.found("--where", "ppm == 20"), ["printer-b"])
        self.assertEqual(
            self.found("--where", "ppm == 20", "--policy", "link_follow_rule=local_only"), []
        )
        self.assertEqual(
            self.found("--policy", "link_follow_rule=always", "--policy", "hop_count=1"),
            ["printer-a", "printer-b"],
        )
        self.assertEqual(
            self.found("--policy", "link_follow_rule=always", "--policy", "hop_count=0"),
            ["printer-a"],
        )
        self.assertEqual(
            self.found(
                "--policy", "starting_trader=b/c", "--policy", "link_follow_rule=local_only"
            ),
            ["printer-c"],
        )
        self.assertEqual(
            self.refused("query", "P", "--policy", "starting_trader=x"), "InvalidPolicyValue"
        )
        self.assertEqual(
            self.refused("query", "P", "--policy", "link_follow_rule=never"), "PolicyTypeMismatch"
        )
        rest = self.capsules.call(
            "trading.query",
            {"type": "P", "how_many": 2, "policies": {"link_follow_rule": "always"}},
            capsule="a",
        )
        self.assertEqual(len(rest["offers"]), 2)
        self.assertEqual(
            len(
                self.capsules.call(
                    "trading.next_offers",
                    {"iterator": rest["iterator"], "how_many": 9},
                    capsule="a",
                )["offers"]
            ),
            1,
        )
        self.trade("link", "modify", "b", "--limit", "local_only", "--pass-on", "local_only")
        self.assertEqual(self.found(*always), ["printer-a"], "a link's limit")
        self.capsules.processes["c"].kill()
        self.capsules.processes["c"].wait()
        answer = self.capsules.hector(
            "--timeout-ms",
            "20000",
            "trade",
            "query",
            "P",
            "--policy",
            "link_follow_rule=always",
            capsule="b",
        )
        self.assertIn("printer-b", answer)
        self.assertIn("not asked: c: ", answer)

    def test_errors_of_links(self):
        self.capsule("a")
        self.capsule("b")
        self.trade("link", "add", "b", "b")
        self.assertEqual(self.refused("link", "add", "b", "b"), "DuplicateLinkName")
        self.assertEqual(self.refused("link", "add", "x/y", "b"), "IllegalLinkName")
        self.assertEqual(
            self.refused("link", "add", "c", "b", "--pass-on", "always", "--limit", "local_only"),
            "DefaultFollowTooPermissive",
        )
        self.assertEqual(self.refused("link", "remove", "x"), "UnknownLinkName")
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call("trading.add_link", {"name": "nowhere"}, capsule="a")
        self.assertIn("InvalidLookupRef", str(caught.exception))
        self.capsules.call(
            "trading.set_attributes", {"max_link_follow_policy": "if_no_local"}, capsule="a"
        )
        self.assertEqual(self.refused("link", "add", "c", "b"), "LimitingFollowTooPermissive")
        self.trade("link", "add", "c", "b", "--limit", "if_no_local")
        self.assertEqual(self.trade("link", "list"), "b\nc")
        self.assertEqual(
            self.capsules.call("trading.resolve", {"links": ["b"]}, capsule="a")["target"][
                "capsule"
            ],
            "b",
        )
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call("trading.resolve", {"links": ["x"]}, capsule="a")
        self.assertIn("UnknownTraderName", str(caught.exception))

    def test_proxies(self):
        for name in "ab":
            self.capsule(name)
            self.trade("type", "add", "P", "ppm:long", "floor:long", capsule=name)
        self.trade("export", "P", "near", "ppm=10", "floor=1")
        self.trade("export", "P", "far1", "ppm=10", "floor=1", capsule="b")
        self.trade("export", "P", "far2", "ppm=20", "floor=2", capsule="b")
        proxy = self.trade(
            "proxy",
            "export",
            "P",
            "b",
            "floor=2",
            "--recipe",
            "$* and floor == $(floor)",
            "--match-all",
        )
        self.assertEqual(self.found("--where", "ppm >= 10"), ["near", "far2"])
        self.assertEqual(
            self.found("--where", "ppm >= 10", "--policy", "use_proxy_offers=false"), ["near"]
        )
        self.assertEqual(self.refused("withdraw", proxy), "ProxyOfferId")
        self.assertEqual(self.refused("proxy", "withdraw", "P#1"), "NotProxyOfferId")
        self.assertEqual(
            self.refused("proxy", "export", "P", "b", "--recipe", "$x"), "IllegalRecipe"
        )
        self.assertEqual(
            self.refused("proxy", "export", "P", "b", "--recipe", "$(none)"), "IllegalRecipe"
        )
        self.assertEqual(self.trade("proxy", "list"), proxy)
        self.trade("proxy", "withdraw", proxy)
        only = self.trade("proxy", "export", "P", "b", "floor=2")
        self.assertEqual(
            self.found("--where", "floor == 2"), ["far2"], "the proxy's own properties decide"
        )
        self.assertEqual(self.found("--where", "floor == 1"), ["near"])
        self.trade("proxy", "withdraw", only)


@needs(*NEEDED, "languages/python")
class Dynamic(Federated):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="hector-meter-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name, text in (
            ("meter.hector.yaml", METER_TYPE),
            ("meter.proto", METER_PROTO),
            ("gauge.py", METER),
        ):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        self.capsule("a", "python")
        name = self.capsules.hector(
            "load", "template", os.path.join(self.folder, "gauge.py"), capsule="a"
        ).split()[1]
        self.capsules.hector("create", "object", name, "--name", "gauge", capsule="a")
        self.trade(
            "type",
            "add",
            "P",
            "name:string:mandatory+readonly",
            "load:long",
            "slow:long",
            "broken:long",
        )

    def asked(self):
        path = os.path.join(self.folder, "asked")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().split()

    def test_dynamic_properties_are_asked_for_when_they_are_needed_once_and_in_time(self):
        self.trade("export", "P", "o1", "name=x", "--dynamic", "load=long:gauge")
        self.trade("export", "P", "o2", "name=y", "load=7")
        self.assertEqual(
            self.refused("export", "P", "o3", "--dynamic", "name=string:gauge"),
            "ReadonlyDynamicProperty",
        )
        self.assertEqual(
            self.refused("export", "P", "o3", "name=z", "--dynamic", "load=string:gauge"),
            "PropertyTypeMismatch",
        )
        self.assertEqual(
            self.found("--where", "name == 'x'", "--policy", "use_dynamic_properties=false"), ["o1"]
        )
        self.assertEqual(self.asked(), [])
        self.assertEqual(self.found("--where", "load == 42"), ["o1"])
        self.assertEqual(self.asked(), ["load"])
        self.assertEqual(self.found("--prefer", "max load"), ["o1", "o2"])
        self.assertEqual(self.found("--prefer", "min load"), ["o2", "o1"])
        self.assertIn("load=42", self.trade("query", "P", "--where", "name == 'x'"))
        self.assertEqual(
            self.found("--where", "load == 42", "--policy", "use_dynamic_properties=false"), []
        )

    def test_what_is_late_or_fails_is_undefined_and_not_asked_for_a_while(self):
        self.trade("export", "P", "o1", "name=x", "--dynamic", "slow=long:gauge")
        self.trade("export", "P", "o2", "name=y", "--dynamic", "broken=long:gauge")
        begun = time.monotonic()
        self.assertEqual(self.found("--where", "slow == 42"), [])
        self.assertLess(time.monotonic() - begun, 0.9)
        for _ in range(3):
            self.assertEqual(self.found("--where", "broken == 42"), [])
        before = len(self.asked())
        self.assertEqual(self.found("--where", "broken == 42"), [])
        self.assertEqual(
            len(self.asked()),
            before,
            "an evaluator that failed three times is left alone for a second",
        )


@needs(*NEEDED)
class Watched(Federated):
    def test_a_watched_query_tells_who_comes_goes_and_changes(self):
        self.capsule("a")
        self.trade("type", "add", "P", "ppm:long")
        self.trade("export", "P", "o1", "ppm=10")
        process = subprocess.Popen(
            [
                os.path.join(self.capsules.build, "bin", "hector"),
                "-c",
                "a",
                "--timeout-ms",
                "3500",
                "call",
                "trading.watch",
                '{"type": "P", "constraint": "ppm >= 10", "preference": "max ppm"}',
            ],
            env=self.capsules.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        waiting.spend(0.7, "the watch gives no sign that it has begun")
        second = self.trade("export", "P", "o2", "ppm=20")
        self.trade("export", "P", "o3", "ppm=5")
        self.trade("modify", second, "ppm=15")
        self.trade("withdraw", second)
        out, _ = process.communicate(timeout=20)
        events = [json.loads(line) for line in out.splitlines()]
        told = [
            (each["kind"], each["offer"]["reference"]["object"], each["place"]) for each in events
        ]
        self.assertEqual(
            told,
            [
                ("TRADING_ENTER", "o1", 1),
                ("TRADING_ENTER", "o2", 1),
                ("TRADING_REORDER", "o1", 2),
                ("TRADING_REORDER", "o2", 1),
                ("TRADING_LEAVE", "o2", 1),
                ("TRADING_REORDER", "o1", 1),
            ],
        )


if __name__ == "__main__":
    unittest.main()
