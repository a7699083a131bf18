"""The services as a person uses them: from the shell, joined, over each protocol, after kill -9.

What: `hector policy`, joined services, restarts.
Why: what a service promises has to hold at its far end.
Who: ctest.
"""

import os
import subprocess
import tempfile
import time
import unittest

import waiting
from capsules import CommandFailed, Capsules
from meeting import ROLES, start_meeting
from needs import MEETING, durable, needs

QUESTION = ("diary.Meeting.room.protocols", "--class", "Binding.Binding.Role.Protocols")
HUB = """capsule: hub
protocols: {{udp: {{listen: "127.0.0.1:0"}}, grpc: {{listen: "127.0.0.1:0"}}, zenoh: {{listen: "tcp/127.0.0.1:0"}}}}
services: {{policy: {settings}}}
"""
JOINED = """capsule: north
protocols: {udp: {listen: "127.0.0.1:0"}, grpc: {listen: "127.0.0.1:0"}, zenoh: {listen: "tcp/127.0.0.1:0"}}
services: {policy: {joined: hub}}
"""


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


@needs("services/policy", "stores/sqlite", "protocols/udp", "protocols/grpc", "protocols/zenoh")
class Policy(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.hub()

    def hub(self, settings="embedded"):
        return self.capsules.configure("hub", HUB.format(settings=settings))

    def policy(self, *arguments, capsule="hub"):
        return self.capsules.hector("policy", *arguments, capsule=capsule).strip()

    def refused(self, *arguments, capsule="hub"):
        with self.assertRaises(CommandFailed) as caught:
            self.policy(*arguments, capsule=capsule)
        return str(caught.exception)

    @durable
    def test_put_get_explain_and_kill(self):
        self.policy("put", "enterprise", "*protocols", "grpc udp")
        self.policy("put", "capsule:hub", "*room.protocols", "zenoh")
        self.assertEqual(self.policy("get", *QUESTION), "zenoh")
        explained = self.policy("explain", *QUESTION)
        self.assertIn("→ *room.protocols: zenoh", explained)
        self.assertIn("capsule:hub is nearer and has a match", explained)
        self.capsules.processes["hub"].kill()
        self.capsules.processes["hub"].wait()
        os.remove(os.path.join(self.capsules.run, "hub.reference"))
        self.hub()
        self.assertEqual(
            self.policy("get", *QUESTION), "zenoh", "what was acknowledged is there after kill -9"
        )
        self.policy("put", "enterprise", "*room.protocols", "udp", "--final")
        self.assertEqual(self.policy("get", *QUESTION), "udp")
        self.policy("remove", "enterprise", "*room.protocols")
        self.assertEqual(self.policy("get", *QUESTION), "zenoh")
        self.policy("chain", "capsule:hub", "enterprise")
        self.assertEqual(self.policy("chain", "capsule:hub"), "capsule:hub\nenterprise")

    def test_errors_say_what_and_where(self):
        self.assertIn(
            "BAD_SPEC: column 4",
            self.refused("put", "enterprise", "x.*.?", "1").replace("column 5", "column 4"),
        )
        self.assertIn("BAD_CONTEXT", self.refused("put", "elsewhere", "x", "1"))
        self.assertIn("BAD_KEY", self.refused("get", "a.b", "--class", "A"))
        self.assertIn("NO_MATCH", self.refused("get", "a.b", "--class", "A.B"))
        self.assertIn("NO_MATCH", self.refused("remove", "enterprise", "x"))
        self.assertIn("CYCLE", self.refused("chain", "enterprise", "capsule:hub"))
        self.policy("put", "enterprise", "*deadline", "soon")
        self.assertIn(
            "TYPE_ERROR: enterprise, entry '*deadline': 'soon' is no duration",
            self.refused("get", "a.deadline", "--class", "A.Deadline", "--type", "duration"),
        )
        self.policy("put", "enterprise", "*deadline", "1.5 s")
        self.assertEqual(
            self.policy("get", "a.deadline", "--class", "A.Deadline", "--type", "duration"), "1.5 s"
        )

    def test_bundles_are_signed_and_never_go_back(self):
        with tempfile.TemporaryDirectory() as folder:
            key, public = os.path.join(folder, "key.pem"), os.path.join(folder, "public.der")
            openssl("genpkey", "-algorithm", "ed25519", "-out", key)
            openssl("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", public)
            with open(public, "rb") as file:
                raw = subprocess.run(
                    ["base64", "-w0"], input=file.read()[-32:], capture_output=True, check=True
                ).stdout.decode()

            def bundle(version, text, rest=""):
                path = os.path.join(folder, f"bundle-{version}")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(f"! hector-bundle version {version}{rest}\n{text}\n")
                openssl(
                    "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", path, "-out", path + ".sig"
                )
                return "load", "enterprise", path, "--signature", path + ".sig"

            self.assertIn(
                "BAD_SIGNATURE: this capsule trusts no key", self.refused(*bundle(1, "*x: 1"))
            )
            self.capsules.stop()
            self.capsules = Capsules()
            self.addCleanup(self.capsules.stop)
            self.hub(f'{{settings: {{keys: ["{raw}"]}}}}')
            self.policy(*bundle(2, "*protocols: udp\nfinal *x: 7"))
            self.assertEqual(self.policy("get", "a.x", "--class", "A.X"), "7")
            self.assertIn(
                "ROLLBACK: version 2 is there, 1 is not newer", self.refused(*bundle(1, "*x: 1"))
            )
            self.assertIn(
                "EXPIRED", self.refused(*bundle(3, "*x: 1", " expires 2020-01-01T00:00:00Z"))
            )
            self.assertIn("enterprise:2:1: BAD_SPEC", self.refused(*bundle(4, "*?: 1")))
            load = bundle(5, "*x: 5")
            with open(load[2], "a", encoding="utf-8") as file:
                file.write("*x: 6\n")
            self.assertIn("BAD_SIGNATURE: none of the trusted keys", self.refused(*load))
            self.assertEqual(
                self.policy("get", "a.x", "--class", "A.X"), "7", "the last good one stays"
            )

    def test_every_protocol_reaches_it_and_a_joined_capsule_asks_it(self):
        self.capsules.configure("north", JOINED)
        self.policy("put", "enterprise", "*Role.protocols", "grpc, udp")
        self.policy("put", "capsule:north", "*Role.protocols", "zenoh")
        for protocol in ("udp", "grpc", "zenoh"):
            self.assertEqual(
                self.capsules.hector(
                    "--protocol", protocol, "policy", "get", *QUESTION, capsule="hub"
                ).strip(),
                "grpc, udp",
            )
        self.assertIn("joined to hub", self.capsules.hector("get", "services", capsule="north"))

    @durable
    def test_a_joined_service_that_goes_away_and_comes_back(self):
        self.capsules.configure("north", JOINED)
        self.policy("put", "enterprise", "*x", "1")
        question = ("get", "a.x", "--class", "A.X")
        self.assertEqual(self.policy(*question, capsule="north"), "1")
        self.capsules.processes["hub"].kill()
        self.capsules.processes["hub"].wait()
        self.assertIn("service policy of capsule 'hub' cannot be reached", self.away(question))
        os.remove(os.path.join(self.capsules.run, "hub.reference"))
        self.hub()
        deadline = time.time() + 20
        while time.time() < deadline:
            try:
                self.assertEqual(self.policy(*question, capsule="north"), "1")
                return
            except CommandFailed as failed:
                print("not yet:", str(failed).splitlines()[0])
        self.fail("the joined service did not come back by itself")

    def away(self, question):
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.hector("--timeout-ms", "3000", "policy", *question, capsule="north")
        return str(caught.exception)


TRADERS = """capsule: hub
protocols: {udp: {listen: "127.0.0.1:0"}, grpc: {listen: "127.0.0.1:0"}, zenoh: {listen: "tcp/127.0.0.1:0"}}
services: {trading: embedded}
"""
PRINTER = (
    "name:string:mandatory+readonly",
    "ppm:long:mandatory",
    "colour:boolean",
    "floor:long",
    "langs:sequence<string>",
)


@needs("services/trading", "stores/sqlite", "protocols/udp", "protocols/grpc", "protocols/zenoh")
class Trading(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.capsules.configure("hub", TRADERS)
        self.trade("type", "add", "PRINTER", *PRINTER)
        self.ids = [
            self.trade("export", "PRINTER", *each)
            for each in (
                ("O1", "name=lp1", "ppm=10", "colour=false", "floor=1", 'langs=["ps", "pcl"]'),
                ("O2", "name=lp2", "ppm=30", "colour=true", "floor=2", 'langs=["ps"]'),
                ("O3", "name=hall", "ppm=20", "floor=1"),
            )
        ]

    def trade(self, *arguments, capsule="hub", protocol=None):
        return self.capsules.hector(
            *(("--protocol", protocol) if protocol else ()), "trade", *arguments, capsule=capsule
        ).strip()

    def found(self, *arguments, **options):
        return [
            line.split()[1]
            for line in self.trade("query", "PRINTER", *arguments, **options).splitlines()
            if "#" in line
        ]

    def refused(self, *arguments):
        with self.assertRaises(CommandFailed) as caught:
            self.trade(*arguments)
        return str(caught.exception).split(": ")[2]

    def test_query_and_explain_over_each_protocol_and_joined(self):
        self.capsules.configure(
            "north", TRADERS.replace("hub", "north").replace("embedded", "{joined: hub}")
        )
        for capsule in ("hub", "north"):
            for protocol in ("udp", "grpc", "zenoh"):
                self.assertEqual(
                    self.found(
                        "--where",
                        "ppm >= 20",
                        "--prefer",
                        "max ppm",
                        capsule=capsule,
                        protocol=protocol,
                    ),
                    ["O2", "O3"],
                )
        explained = self.trade(
            "query",
            "PRINTER",
            "--where",
            "ppm >= 20",
            "--prefer",
            "max ppm",
            "--explain",
            capsule="north",
        )
        self.assertIn("1 PRINTER#2 O2  ranked by 30", explained)
        self.assertIn("- PRINTER#1 O1  ranked by 10\n      ppm >= 20: FALSE (ppm is 10)", explained)
        self.assertIn(
            "PRINTER: where ppm >= 20",
            self.trade(
                "query", "PRINTER", "--where", "ppm >= 20 and floor == 1", "--explain"
            ).replace("floor == 1", "ppm >= 20"),
        )

    def test_t10_what_a_service_type_demands(self):
        self.assertEqual(
            self.refused("export", "PRINTER", "O9", "ppm=1"), "MissingMandatoryProperty"
        )
        self.assertEqual(
            self.refused("export", "PRINTER", "O9", "name=x", "ppm=x"), "PropertyTypeMismatch"
        )
        self.assertEqual(
            self.refused("export", "PRINTER", "O9", "name=x", "ppm=1", "9x=1"),
            "IllegalPropertyName",
        )
        self.assertEqual(self.refused("modify", self.ids[0], "name=other"), "ReadonlyProperty")
        self.assertEqual(
            self.refused("modify", self.ids[0], "--delete", "ppm"), "MandatoryProperty"
        )
        self.assertEqual(
            self.refused("modify", self.ids[0], "--delete", "owner"), "UnknownPropertyName"
        )
        self.assertEqual(
            self.refused("modify", self.ids[0], "floor=3", "ppm=x"), "PropertyTypeMismatch"
        )
        self.assertIn(
            "floor=1",
            self.trade("describe", self.ids[0]),
            "what was wrong with one left all as they were",
        )
        self.trade("modify", self.ids[0], "floor=7", "owner=ann", "--delete", "colour")
        self.assertIn("floor=7, langs", self.trade("describe", self.ids[0]))
        self.assertEqual(self.refused("export", "PLOTTER", "O9"), "UnknownServiceType")
        self.assertEqual(self.refused("export", "a b", "O9"), "IllegalServiceType")
        self.assertEqual(self.refused("withdraw", "nothing"), "IllegalOfferId")
        self.assertEqual(self.refused("withdraw", "PRINTER#99"), "UnknownOfferId")
        self.assertEqual(self.refused("query", "PRINTER", "--where", "ppm >="), "IllegalConstraint")
        self.assertEqual(
            self.refused("query", "PRINTER", "--where", "ppm == 'x'"), "IllegalConstraint"
        )
        self.assertEqual(
            self.refused("query", "PRINTER", "--where", "price > 3", "--strict"),
            "IllegalConstraint",
        )
        self.assertEqual(self.refused("query", "PRINTER", "--prefer", "best"), "IllegalPreference")
        self.assertEqual(
            self.refused("query", "PRINTER", "--policy", "colour=1"), "IllegalPolicyName"
        )
        self.assertEqual(
            self.refused("query", "PRINTER", "--policy", "match_card=x"), "PolicyTypeMismatch"
        )

    def test_t9_t15_cards_subtypes_and_masks(self):
        self.assertIn(
            "cut by match_card",
            self.trade("query", "PRINTER", "--prefer", "max ppm", "--policy", "match_card=1"),
        )
        self.assertEqual(self.found("--where", "ppm >= 20", "--policy", "search_card=2"), ["O2"])
        self.assertIn(
            "cut by return_card", self.trade("query", "PRINTER", "--policy", "return_card=2")
        )
        self.assertEqual(self.refused("type", "add", "PRINTER"), "ServiceTypeExists")
        self.assertEqual(
            self.refused("type", "add", "CP", "--super", "PLOTTER"), "UnknownServiceType"
        )
        self.assertEqual(
            self.refused("type", "add", "CP", "ppm:string", "--super", "PRINTER"),
            "ValueTypeRedefinition",
        )
        self.assertEqual(
            self.refused("type", "add", "CP", "--super", "PRINTER", "--super", "PRINTER"),
            "DuplicateServiceTypeName",
        )
        self.trade("type", "add", "CP", "tray:long", "--super", "PRINTER")
        self.assertIn("ppm mandatory: long", self.trade("type", "describe", "CP", "--full"))
        self.trade("export", "CP", "O4", "name=cp", "ppm=5")
        self.assertEqual(self.found(), ["O1", "O2", "O3", "O4"])
        self.assertEqual(self.found("--policy", "exact_type_match=true"), ["O1", "O2", "O3"])
        self.assertEqual(self.refused("type", "remove", "PRINTER"), "HasSubTypes")
        self.trade("type", "mask", "PRINTER")
        self.assertEqual(self.refused("type", "mask", "PRINTER"), "AlreadyMasked")
        self.assertEqual(
            self.refused("export", "PRINTER", "O9", "name=x", "ppm=1"), "UnknownServiceType"
        )
        self.assertEqual(self.found(), ["O1", "O2", "O3", "O4"])
        self.trade("type", "unmask", "PRINTER")
        self.assertEqual(self.refused("type", "unmask", "PRINTER"), "NotMasked")

    def test_iterators_and_withdrawing_by_constraint(self):
        first = self.capsules.call(
            "trading.query",
            {"type": "PRINTER", "preference": "max ppm", "how_many": 2},
            capsule="hub",
        )
        self.assertEqual([offer["reference"]["object"] for offer in first["offers"]], ["O2", "O3"])
        rest = self.capsules.call(
            "trading.next_offers", {"iterator": first["iterator"], "how_many": 2}, capsule="hub"
        )
        self.assertEqual([offer["reference"]["object"] for offer in rest["offers"]], ["O1"])
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call(
                "trading.next_offers", {"iterator": first["iterator"], "how_many": 2}, capsule="hub"
            )
        self.assertIn("UnknownIterator", str(caught.exception))
        only = self.capsules.call(
            "trading.query",
            {"type": "PRINTER", "constraint": "ppm == 10", "desired": ["ppm"]},
            capsule="hub",
        )
        self.assertEqual(only["offers"][0]["properties"], {"ppm": "10"})
        self.assertEqual(
            self.capsules.call(
                "trading.withdraw_using_constraint",
                {"type": "PRINTER", "constraint": "floor == 1"},
                capsule="hub",
            )["count"],
            2,
        )
        self.assertEqual(self.found(), ["O2"])
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call(
                "trading.withdraw_using_constraint",
                {"type": "PRINTER", "constraint": "floor == 1"},
                capsule="hub",
            )
        self.assertIn("NoMatchingOffers", str(caught.exception))

    @durable
    def test_offers_outlive_the_trader_and_leased_ones_their_lease_only(self):
        lease = self.capsules.call(
            "trading.open_lease", {"owner": "test", "ttl_ms": 2000}, capsule="hub"
        )["lease"]
        self.capsules.call(
            "trading.export",
            {
                "type": "PRINTER",
                "reference": {"object": "leased"},
                "properties": {"name": '"l"', "ppm": "1"},
                "lease": lease,
            },
            capsule="hub",
        )
        self.assertEqual(self.found(), ["O1", "O2", "O3", "leased"])
        self.capsules.processes["hub"].kill()
        self.capsules.processes["hub"].wait()
        os.remove(os.path.join(self.capsules.run, "hub.reference"))
        self.capsules.configure("hub", TRADERS)
        self.assertEqual(
            self.found(), ["O1", "O2", "O3", "leased"], "there was nobody who could have renewed it"
        )
        self.capsules.call("trading.renew_lease", {"lease": lease}, capsule="hub")
        deadline = time.time() + 6
        while "leased" in self.found():
            self.assertLess(time.time(), deadline)
        self.assertEqual(self.found(), ["O1", "O2", "O3"])


@needs(*MEETING)
class OffersOfACapsule(unittest.TestCase):
    def rooms(self, capsules):
        return sorted(
            line.split()[1]
            for line in capsules.hector(
                "trade", "query", "diary.Room/1", capsule="hub"
            ).splitlines()
            if "#" in line
        )

    def test_they_go_when_it_is_killed_and_are_new_when_it_comes_back(self):
        with Capsules() as capsules:
            start_meeting(capsules)
            self.assertEqual(self.rooms(capsules), ["cubby", "studio"])
            capsules.processes["north"].kill()
            capsules.processes["north"].wait()
            waiting.until(lambda: not self.rooms(capsules), 14, "the end of a lease of 10 s")


@needs(*MEETING)
class PolicyInTheMeeting(unittest.TestCase):
    def test_an_enterprises_final_word_chooses_the_protocol_of_a_binding(self):
        with Capsules() as capsules:
            start_meeting(capsules)
            before = capsules.hector("bind", "diary.Meeting/1", *ROLES, "--explain", capsule="hub")
            self.assertNotIn("(enterprise)", before)
            capsules.hector(
                "policy",
                "put",
                "enterprise",
                "diary.Meeting.attendee.protocols",
                "zenoh",
                "--final",
                capsule="hub",
            )
            after = capsules.hector("bind", "diary.Meeting/1", *ROLES, "--explain", capsule="hub")
            self.assertIn("policy 'diary.Meeting.attendee.protocols (enterprise): zenoh'", after)
            self.assertGreater(after.count("zenoh"), before.count("zenoh"))

    def test_an_objects_own_context_chooses_for_its_channels(self):
        with Capsules() as capsules:
            start_meeting(capsules)
            capsules.hector(
                "policy",
                "put",
                "object:organiser",
                "diary.Meeting.attendee.protocols",
                "grpc",
                capsule="hub",
            )
            capsules.hector(
                "policy",
                "put",
                "object:nobody",
                "diary.Meeting.attendee.protocols",
                "zenoh",
                capsule="hub",
            )
            explained = capsules.hector(
                "bind", "diary.Meeting/1", *ROLES, "--explain", capsule="hub"
            )
            self.assertIn(
                "policy 'diary.Meeting.attendee.protocols (object:organiser): grpc'", explained
            )
            self.assertNotIn("object:nobody", explained)


@needs("services/policy", "stores/memory")
class ResourceFiles(unittest.TestCase):
    def test_a_file_needs_no_capsule(self):
        with Capsules() as capsules, tempfile.NamedTemporaryFile("w", suffix=".ad") as file:
            file.write("*a.b: L\nx.a.b: T\n*?: odd\n")
            file.flush()
            self.assertEqual(
                capsules.hector(
                    "policy", "get", "x.a.b", "--class", "X.A.B", "--db", file.name, "--xrm"
                ).strip(),
                "T",
            )
            with self.assertRaises(CommandFailed) as caught:
                capsules.hector("policy", "get", "x.a.b", "--class", "X.A.B", "--db", file.name)
            self.assertIn("text:3:1: BAD_SPEC", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
