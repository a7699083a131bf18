"""Hector's Objects are HEROs, and HEROs are Objects: the real HEROS packages, 0.9.1 and 2026.2.2,
call and are called.

What: each line of the wire contract's checklist.
Why: labs that run HEROS join as they are.
Who: ctest.
"""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path[:0] = [
    os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), each)
    for each in ("tools", "tests/system")
]
import outside
import waiting
from capsules import ROOT, Capsules, CommandFailed
from needs import needs

HERE = os.path.join(ROOT, "tests", "system", "heros_peers")
VERSIONS = ("0.9.1", "2026.2.2")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class PeerError(Exception):
    def __init__(self, answer):
        super().__init__(f"{answer['error']}: {answer['text']}")
        self.type, self.bases, self.text = answer["error"], answer["bases"], answer["text"]


class Peer:
    """A process with the real package."""

    def __init__(self, version, *connect):
        self.log = (
            open(os.devnull, "w")
            if not os.environ.get("HECTOR_PEER_LOG")
            else open(os.environ["HECTOR_PEER_LOG"], "a")
        )
        self.process = subprocess.Popen(
            [*self.command(version), *connect],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def command(self, version):
        return [outside.heros(version), os.path.join(HERE, "peer.py")]

    def __call__(self, *what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        answer = json.loads(
            self.process.stdout.readline()
            or '{"error": "Gone", "bases": [], "text": "the peer has ended"}'
        )
        if "error" in answer:
            raise PeerError(answer)
        return answer["ok"]

    def close(self):
        self.process.kill()  # an orderly end of the real package takes its time
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


def eventually(condition, seconds=10):
    """As waiting.until(); what the condition raises while the world is not ready is no value."""
    raised = []

    def value():
        raised.clear()
        try:
            return condition()
        except (CommandFailed, PeerError, KeyError, IndexError) as error:
            raised.append(error)
            return None

    try:
        return waiting.until(value, seconds)
    except AssertionError:
        if raised:
            raise raised[0] from None
        raise


class World(unittest.TestCase):
    """One capsule in the realm, and as many peers as a test wants."""

    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.port = free_port()
        self.folder = os.path.join(self.capsules.folder, "lab")
        shutil.copytree(HERE, self.folder)
        shutil.copytree(
            os.path.join(ROOT, "protocols", "common", "objects", "hector"),
            os.path.join(self.folder, "hector"),
        )
        self.start()

    realm = "heros"
    settings = ""

    def start(self, more="", name="lab"):
        os.environ["PYTHONPATH"] = os.pathsep.join([self.folder, os.environ.get("PYTHONPATH", "")])
        return self.capsules.configure(
            name,
            f"""capsule: {name}
store: memory
protocols:
  udp: {{listen: "127.0.0.1:0"}}
  heros:
    listen: {self.realm}
    settings:
      zenoh: {{mode: peer, listen: {{endpoints: ["tcp/127.0.0.1:{self.port}"]}}, scouting: {{multicast: {{enabled: false}}}}}}
      {self.settings}
services: {{naming: embedded, trading: embedded, type: embedded}}
languages: [cpp, python]
{more}""",
        )

    def peer(self, version, port=None):
        peer = Peer(version, f"tcp/127.0.0.1:{port or self.port}")
        self.addCleanup(peer.close)
        return peer

    def instrument(self, name="gauge"):
        if not self.capsules.hector("get", "templates", capsule="lab").count(
            "lab.Instrument.python"
        ):
            self.capsules.hector(
                "load", "type", os.path.join(self.folder, "instrument.hector.yaml"), capsule="lab"
            )
            self.capsules.hector(
                "load", "template", os.path.join(self.folder, "instrument.py"), capsule="lab"
            )
        self.capsules.hector(
            "create", "object", "lab.Instrument.python", "--name", name, capsule="lab"
        )

    def object_json(self, what, message=None):
        return self.capsules.call(what, message, capsule="lab")


@needs(
    "protocols/heros",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class ObjectsAsHeros(World):
    def with_each_version(self, work):
        self.instrument()
        for version in VERSIONS:
            with self.subTest(version):
                peer = self.peer(version)
                eventually(lambda: "gauge" in peer("discover"))
                work(peer, version)

    def test_s1_and_s2_it_is_discovered_with_its_capabilities(self):
        def work(peer, version):
            found = peer("discover")["gauge"]
            self.assertEqual(
                (found["name"], found["class"], found["proto_version"]),
                ("gauge", "Instrument", 1.0),
            )
            self.assertIn("lab.Instrument/1", found["implements"]["set"])
            if version != "0.9.1":
                self.assertTrue(found["extra_metadata"]["hector_reference"].startswith("hector:"))
            capabilities = {each["name"]: each for each in peer("capabilities", "gauge")}
            self.assertEqual(
                [each["name"] for each in capabilities["add"]["parameters"]], ["a", "b", "scale"]
            )
            self.assertEqual(capabilities["add"]["return_type"], "float")
            self.assertEqual(
                [(each["name"], each["kind"]) for each in capabilities["collect"]["parameters"]],
                [("first", 1), ("rest", 2), ("named", 4)],
            )
            self.assertEqual(capabilities["tick"]["flavor"], "event")
            self.assertEqual(
                (
                    capabilities["gain"]["flavor"],
                    capabilities["gain"]["access"],
                    capabilities["serial"]["access"],
                ),
                ("attribute", "rw", "r"),
            )

        self.with_each_version(work)

    def test_s3_to_s6_calls_attributes_and_errors(self):
        def work(peer, version):
            self.assertEqual(peer("call", "gauge", "add", [1], {"b": 5, "scale": 2.0}), 12.0)
            self.assertEqual(peer("call", "gauge", "add", [1, 2], {}), 3.0)
            self.assertEqual(
                peer("call", "gauge", "collect", [1, 2, 3], {"x": 4, "y": 5}),
                ["1", "2", "3", "x=4", "y=5"],
            )
            self.assertEqual(peer("call", "gauge", "collect", [], {"first": 7}), ["7"])
            self.assertIsNone(peer("call", "gauge", "note", ["n"], {}))
            peer("set", "gauge", "gain", 2.5)
            self.assertEqual(eventually(lambda: peer("get", "gauge", "gain") == 2.5 and 2.5), 2.5)
            self.assertEqual(peer("get", "gauge", "serial"), "S-17")
            if version == "0.9.1":
                return  # its client logs errors and returns None
            for kind, base in (
                ("INVALID_ARGUMENT", "ValueError"),
                ("PERMISSION_DENIED", "PermissionError"),
                ("NOT_FOUND", "LookupError"),
                ("INTERNAL", "RuntimeError"),
            ):
                with self.assertRaises(PeerError) as raised:
                    peer("call", "gauge", "fail", [kind], {})
                self.assertIn(base, raised.exception.bases)
                self.assertIn("told to fail", raised.exception.text)
                self.assertNotIn("File ", raised.exception.text)
            for arguments in ([{}, "a"], {"scale": "x", "a": 1, "b": 2}), ({}, {}):
                with self.assertRaises(PeerError):
                    peer(
                        "call", "gauge", "add", [], arguments if isinstance(arguments, dict) else {}
                    )
            with self.assertRaises(PeerError) as raised:
                peer("set", "gauge", "gain", -1.0)
            self.assertIn("ValueError", raised.exception.bases)
            with self.assertRaises(PeerError) as raised:
                peer("set", "gauge", "serial", "S-18")
            self.assertIn("PermissionError", raised.exception.bases)

        self.with_each_version(work)

    def test_s7_and_s8_every_value_comes_back(self):
        self.with_each_version(lambda peer, _: self.assertEqual(peer("echo_all", "gauge"), []))

    def test_s9_events(self):
        def work(peer, _):
            peer("watch", "gauge", "tick")
            peer("watch_all", "tick")
            eventually(
                lambda: (self.object_json("gauge.fire", {"value": 0}) or True)
                and peer("events", 2, 0.2)
            )
            peer("events", 100, 0.3)
            for number in range(1, 21):
                self.object_json("gauge.fire", {"value": number})
            told = peer("events", 40, 10)
            self.assertEqual([each[2] for each in told if each[0] == "gauge"], list(range(1, 21)))
            self.assertEqual(
                [each[1:] for each in told if each[0] == "all"],
                [["gauge", number] for number in range(1, 21)],
            )

        self.with_each_version(work)

    def test_s10_a_kill_is_seen_as_ten_leaves(self):
        for number in range(10):
            self.instrument(f"gauge{number}")
        for version in VERSIONS:
            observers = [self.peer(version)]
            eventually(lambda: len(observers[0]("discover")) == 10)
            known = observers[0]("observe")
            self.assertEqual(len(known), 10)
        observers = [self.peer(version) for version in VERSIONS]
        for observer in observers:
            eventually(lambda: len(observer("discover")) == 10)
            observer("observe")
        self.capsules.hector("delete", "object", "gauge9", capsule="lab")
        for observer in observers:
            self.assertEqual(observer("events", 1, 10), [["removed", "gauge9"]])
        self.instrument("gauge9")
        for observer in observers:
            self.assertEqual(observer("events", 1, 10), [["added", "gauge9"]])
        self.capsules.processes["lab"].send_signal(signal.SIGKILL)
        for observer in observers:
            self.assertEqual(
                sorted(observer("events", 10, 20)),
                [["removed", f"gauge{number}"] for number in range(10)],
            )

    def test_s11_and_s13_unknown_members_and_malformed_payloads(self):
        def work(peer, _):
            self.assertEqual(peer("raw", "@object/heros/gauge/nothing/**", "8280a0"), [])
            self.assertEqual(peer("raw", "@object/heros/gauge/_management/**", "8280a0"), [])
            deep = "81" * 100_000
            for payload in (
                "",
                "ff",
                "01",
                "8101",
                "82",
                "8280",
                "8280a1",
                "5b7fffffffffffffff",
                "bb7fffffffffffffff",
                "9b7fffffffffffffff",
                deep,
                "827fa0",
                "82808101",
                "8280a10102",
                "62c328",
                None,
            ):
                answers = peer("raw", "@object/heros/gauge/add/**", payload)
                self.assertEqual(
                    [(each[0], each[2]) for each in answers],
                    [("err", "application/cbor")],
                    (payload or "none")[:20],
                )
                self.assertTrue(answers[0][1].startswith("d9232d"), answers)
            ok = peer(
                "raw", "@object/heros/gauge/add/**", "828101a2616205657363616c65fb4000000000000000"
            )
            self.assertEqual(
                ok, [["ok", "fb4028000000000000", "application/cbor", "@object/heros/gauge/add"]]
            )
            self.assertEqual(
                peer("raw", "@object/heros/gauge/add/**", "a2616101616201")[0][:2],
                ["ok", "fb4000000000000000"],
            )  # version 0.1

        self.with_each_version(work)

    def test_c8_references_come_back_as_they_were_and_nobody_is_asked_about_them(self):
        def text(octets):
            return bytes([0x60 + len(octets)]) + octets

        hero = b"\xd9\x23\x28\x82" + text(b"heros") + text(b"nobody")
        references = (
            hero,
            b"\xd9\x23\x29\x83" + text(b"lab.Thing") + b"\x05" + text(b"a thing"),
            b"\xd9\x23\x2a\x05",
            b"\xd9\x23\x2b\x82" + hero + text(b"tick"),
            b"\xd9\x23\x2c\x82" + hero + text(b"on"),
        )

        def work(peer, _):
            for reference in references:
                begin = time.monotonic()
                self.assertEqual(
                    peer(
                        "raw",
                        "@object/heros/gauge/echo/**",
                        (b"\x82\x81" + reference + b"\xa0").hex(),
                    )[0][:2],
                    ["ok", reference.hex()],
                )
                self.assertLess(
                    time.monotonic() - begin, 1.5
                )  # who asks about nobody waits for two seconds

        self.with_each_version(work)

    def test_s12_events_are_wired_to_methods_of_others(self):
        self.instrument()
        self.instrument("other")
        for version in VERSIONS:
            peer = self.peer(version)
            name = "camera_" + version.replace(".", "_")
            peer("serve", name)
            eventually(lambda: {"gauge", "other"} <= set(peer("discover")))
            self.assertEqual(peer("connect", "gauge", "tick", name, "on_tick"), f"{name}.on_tick")
            self.assertEqual(peer("callbacks", "gauge", "tick"), [f"{name}.on_tick"])
            self.object_json("gauge.fire", {"value": 7})
            eventually(lambda: peer("heard", name) == [7])
            self.assertEqual(peer("connect", name, "tick", "other", "on_tick"), "other.on_tick")
            peer("fire", name, 5)
            eventually(lambda: "5" in self.object_json("other.received").get("texts", []))
            wire = {
                "hero": name,
                "event": "tick",
                "to_hero": "gauge",
                "method": "on_tick",
                "origin": "the shell",
            }
            self.assertEqual(
                self.object_json("realm-heros.connect", wire), {"name": "gauge.on_tick"}
            )
            self.assertIn(
                {"name": "gauge.on_tick", "origin": "the shell", "is_remote_hero": True},
                self.object_json("realm-heros.callbacks", {"hero": name, "event": "tick"})[
                    "callbacks"
                ],
            )
            peer("fire", name, 6)
            eventually(lambda: "6" in self.object_json("gauge.received").get("texts", []))
            self.assertEqual(
                self.object_json("realm-heros.disconnect", wire), {"was_connected": True}
            )
            with self.assertRaises(CommandFailed) as nobody:
                self.object_json("realm-heros.connect", {**wire, "hero": "nobody"})
            self.assertIn("UNAVAILABLE", nobody.exception.text)
            self.assertTrue(peer("disconnect", "gauge", "tick", name, "on_tick"))
            self.assertFalse(peer("disconnect", "gauge", "tick", name, "on_tick"))
            self.object_json("gauge.fire", {"value": 8})
            self.assertEqual(peer("heard", name), [7])

    def test_h2_a_name_that_is_taken_is_not_shown_twice(self):
        peer = self.peer("2026.2.2")
        peer("serve", "gauge")
        eventually(lambda: "gauge" in peer("discover"))
        eventually(lambda: "gauge" in self.capsules.hector("get", "objects", capsule="lab"))
        self.instrument("plain")
        eventually(lambda: "plain" in peer("discover"))
        self.assertEqual(peer("call", "gauge", "add", [1, 1], {}), 2.0)


@needs(
    "protocols/heros",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class HerosAsObjects(World):
    def test_c1_to_c4_it_is_an_object_with_an_interface(self):
        for version in VERSIONS:
            with self.subTest(version):
                name = "camera_" + version.replace(".", "_")
                peer = self.peer(version)
                peer("serve", name)
                eventually(lambda: name in self.capsules.hector("get", "objects", capsule="lab"))
                described = self.capsules.hector("describe", "object", name, capsule="lab")
                for member in ("add", "get_exposure", "set_exposure", "tick"):
                    self.assertIn(member, described)
                self.assertEqual(self.object_json(f"{name}.add", {"a": 1})["value"], 3.0)
                self.assertEqual(
                    self.object_json(f"{name}.add", {"a": 1, "b": 5, "scale": 2.0})["value"], 12.0
                )
                self.assertEqual(self.object_json(f"{name}.get_exposure"), {"value": 0.5})
                self.object_json(f"{name}.set_exposure", {"value": 0.25})
                self.assertEqual(
                    eventually(lambda: self.object_json(f"{name}.get_exposure") == {"value": 0.25}),
                    True,
                )
                self.assertEqual(
                    self.object_json(
                        f"{name}.collect",
                        {
                            "first": {"integer": 1},
                            "rest": [{"integer": 2}],
                            "named": {"x": {"text": "y"}},
                        },
                    )["value"]["list"]["items"][1],
                    {"list": {"items": [{"integer": "2"}]}},
                )
                self.assertEqual(
                    self.object_json(f"{name}.image")["value"]["tagged"]["tag"], "4242"
                )
                with self.assertRaises(CommandFailed) as refused:
                    self.object_json(f"{name}.fail", {"kind": "ValueError"})
                self.assertIn("told to fail", refused.exception.text)
                if version != "0.9.1":
                    self.assertIn("INVALID_ARGUMENT", refused.exception.text)

    def test_c1_its_type_and_its_properties_are_in_the_services(self):
        peer = self.peer("2026.2.2")
        peer("serve", "camera", {"tags": ["optics"], "implements": ["lab.imaging"]})
        eventually(
            lambda: "camera"
            in self.capsules.hector(
                "trade", "query", "hero.Camera/1", "--where", "'optics' in tags", capsule="lab"
            )
        )
        self.assertIn(
            "kind: rpc",
            eventually(
                lambda: self.capsules.hector(
                    "type", "get", "hero.Camera/1", "--language", "hector", capsule="lab"
                )
            ),
        )
        with self.assertRaises(CommandFailed) as missing:
            self.object_json("nobody.add", {})
        self.assertIn("NOT_FOUND", missing.exception.text)

    def test_h1_and_c6_who_dies_is_gone_and_never_answers_nothing(self):
        peer = self.peer("2026.2.2")
        peer("serve", "camera")
        eventually(lambda: "camera" in self.capsules.hector("get", "objects", capsule="lab"))
        caller = subprocess.Popen(
            [
                os.path.join(self.capsules.build, "bin", "hector"),
                "-c",
                "lab",
                "call",
                "camera.slow",
                '{"seconds": 8}',
            ],
            env=self.capsules.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        waiting.spend(1, "the call is in flight, of which the caller gives no sign")
        begin = time.monotonic()
        peer.close()
        out, error = caller.communicate(timeout=20)
        took = time.monotonic() - begin
        self.assertNotEqual(caller.returncode, 0, out)
        self.assertIn("UNAVAILABLE", error)
        print(
            f"who was killed is reported after {took:.2f} s"
        )  # the aim is 1 s; here other work may be in flight
        self.assertLess(took, 5.0)
        eventually(
            lambda: "camera" not in self.capsules.hector("get", "objects", capsule="lab"), 5.0
        )
        again = self.peer("0.9.1")
        again("serve", "camera")
        eventually(lambda: self.object_json("camera.add", {"a": 1})["value"] == 3.0)

    def test_h4_a_deadline_ends_the_call_in_time_and_the_hero_goes_on_being_called(self):
        peer = self.peer("2026.2.2")
        peer("serve", "camera")
        eventually(lambda: "camera" in self.capsules.hector("get", "objects", capsule="lab"))
        begin = time.monotonic()
        with self.assertRaises(CommandFailed) as late:
            self.capsules.hector(
                "--timeout-ms", "300", "call", "camera.slow", '{"seconds": 3}', capsule="lab"
            )
        self.assertIn("DEADLINE_EXCEEDED", late.exception.text)
        self.assertLess(time.monotonic() - begin, 2.5)
        self.assertEqual(self.object_json("camera.add", {"a": 1})["value"], 3.0)

    @needs("protocols/grpc")
    def test_c5_its_events_are_a_flow_over_every_protocol(self):
        peer = self.peer("2026.2.2")
        peer("serve", "camera")
        eventually(lambda: "camera" in self.capsules.hector("get", "objects", capsule="lab"))
        self.capsules.hector("load", "protocol", "grpc", capsule="lab")
        reader = subprocess.Popen(
            [
                outside.go_program(outside.GRPCURL),
                "-plaintext",
                self.capsules.address("lab", "grpc"),
                "hero.Camera/tick",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            eventually(
                lambda: peer("fire", "camera", 0) is not None
                and select.select([reader.stdout], [], [], 0.1)[0]
            )
            for number in range(1, 4):
                peer("fire", "camera", number)
            told = []
            while "3" not in told:
                told += re.findall(r'"integer": "(\d+)"', reader.stdout.readline())
            self.assertEqual(told[told.index("1") :], ["1", "2", "3"])
        finally:
            reader.terminate()
            reader.wait()
            reader.stdout.close()

    def test_a_realm_is_joined_by_a_running_capsule(self):
        zenoh = {
            "mode": "peer",
            "listen": {"endpoints": [f"tcp/127.0.0.1:{self.port}"]},
            "scouting": {"multicast": {"enabled": False}},
        }
        self.capsules.hector("unload", "protocol", "heros", capsule="lab")
        self.capsules.hector(
            "load",
            "protocol",
            "heros",
            "--listen",
            "lab3",
            "--settings",
            json.dumps({"zenoh": zenoh}),
            capsule="lab",
        )
        peer = self.peer("2026.2.2")
        peer("serve", "camera", {"realm": "lab3"})
        eventually(
            lambda: "hero.lab3.Camera/1" in self.capsules.hector("get", "objects", capsule="lab")
        )
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector("load", "service", "policy", "--listen", "lab3", capsule="lab")
        self.assertIn("only a protocol listens", refused.exception.text)

    def test_h3_calls_of_one_hero_are_as_parallel_as_it_is_and_none_holds_up_others(self):
        peer, other = self.peer("2026.2.2"), self.peer("2026.2.2")
        peer("serve", "camera")
        other("serve", "second")
        eventually(
            lambda: all(
                each in self.capsules.hector("get", "objects", capsule="lab")
                for each in ("camera", "second")
            )
        )
        slow = subprocess.Popen(
            [
                os.path.join(self.capsules.build, "bin", "hector"),
                "-c",
                "lab",
                "call",
                "camera.slow",
                '{"seconds": 4}',
            ],
            env=self.capsules.environment,
            stdout=subprocess.DEVNULL,
        )
        begin = time.monotonic()
        self.assertEqual(self.object_json("second.add", {"a": 1})["value"], 3.0)
        self.assertLess(time.monotonic() - begin, 3.5)
        slow.wait()


@needs(
    "protocols/heros",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
    "services/policy",
)
class H7(World):
    """HEROS proves nobody's identity and checks no access; Policy says what the realm as a whole
    may do.
    """

    settings = "authorise: true"

    def test_h7_policy_decides_what_the_realm_may_do(self):
        self.instrument()
        peer = self.peer("2026.2.2")
        found = eventually(lambda: peer("discover")["gauge"])
        self.assertNotIn("hector_reference", found["extra_metadata"])  # no way around

        def refused(*what):
            with self.assertRaises(PeerError) as raised:
                peer(*what)
            return raised.exception

        self.assertIn(
            "no Policy service", refused("call", "gauge", "add", [1, 2], {}).text
        )  # nobody to ask: nothing goes in
        self.assertIn(
            "no Policy service", refused("connect", "gauge", "tick", "gauge", "on_tick").text
        )
        self.capsules.hector("load", "service", "policy", capsule="lab")
        self.assertIn("PermissionError", refused("call", "gauge", "add", [1, 2], {}).bases)
        rules = os.path.join(self.folder, "realm.cedar")
        with open(rules, "w", encoding="utf-8") as file:
            file.write(
                """permit (principal == Realm::"heros", action, resource == Object::"gauge");
forbid (principal == Realm::"heros", action == Action::"set", resource) when { context.member == "gain" };
"""
            )
        self.capsules.hector("policy", "rules", "realm", rules, capsule="lab")
        self.assertEqual(eventually(lambda: peer("call", "gauge", "add", [1, 2], {})), 3.0)
        self.assertEqual(peer("get", "gauge", "gain"), 1.0)
        told = refused("set", "gauge", "gain", 2.0)
        self.assertIn("PermissionError", told.bases)
        self.assertIn("""Realm::"heros" may not set 'gain' of 'gauge'""", told.text)
        self.assertEqual(peer("get", "gauge", "gain"), 1.0)
        self.object_json("gauge.set_gain", {"value": 3.0})  # the capsule's own are not asked
        self.assertEqual(peer("get", "gauge", "gain"), 3.0)


@needs(
    "protocols/heros",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class AnotherRealm(World):
    realm = "lab2"

    def test_c7_a_realm_other_than_heros(self):
        self.instrument()
        for version in VERSIONS:
            with self.subTest(version):
                peer = self.peer(version)
                name = "camera_" + version.replace(".", "_")
                peer("serve", name, {"realm": "lab2"})
                eventually(lambda: name in self.capsules.hector("get", "objects", capsule="lab"))
                self.assertEqual(self.object_json(f"{name}.add", {"a": 1})["value"], 3.0)
                self.assertIn(
                    "hero.lab2.Camera/1", self.capsules.hector("get", "objects", capsule="lab")
                )
                eventually(lambda: "gauge" in peer("discover", "lab2"))
                self.assertNotIn("gauge", peer("discover", "heros"))


@needs(
    "protocols/heros",
    "protocols/udp",
    "protocols/grpc",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class CapsulesInARealm(World):
    """Two capsules that know of each other by the realm alone: an Object of one is the same Object
    in the other, reached by a protocol that both have.
    """

    def setUp(self):
        super().setUp()
        self.instrument()

    def start_desk(self, *protocols):
        spoken = "".join(f'  {each}: {{listen: "127.0.0.1:0"}}\n' for each in protocols)
        self.capsules.configure(
            "desk",
            f"""capsule: desk
store: memory
protocols:
{spoken}  heros:
    listen: heros
    settings:
      adopt_capsules: true
      zenoh: {{mode: peer, connect: {{endpoints: ["tcp/127.0.0.1:{self.port}"]}}, scouting: {{multicast: {{enabled: false}}}}}}
services: {{naming: embedded, trading: embedded, type: embedded}}
""",
        )
        eventually(lambda: "gauge" in self.desk("get", "objects"))

    def desk(self, *arguments):
        return self.capsules.hector(*arguments, capsule="desk")

    def call(self, what, message=None):
        return self.capsules.call(what, message, capsule="desk")

    def test_it_keeps_its_interface_and_is_called_without_the_realm(self):
        self.start_desk("udp")
        self.assertRegex(self.desk("get", "objects"), r"gauge +lab.Instrument/1")
        self.assertIn(
            "gauge", self.desk("trade", "query", "lab.Instrument/1", "--where", "realm == 'heros'")
        )
        self.assertEqual(self.call("gauge.add", {"a": 1, "b": 5, "scale": 2.0}), {"value": 12.0})
        self.assertEqual(
            self.call("gauge.echo", {"value": {"list": {"items": [{"text": "ä"}]}}}),
            {"value": {"list": {"items": [{"text": "ä"}]}}},
        )
        self.call("gauge.note", {"text": "from the desk"})
        eventually(lambda: self.object_json("gauge.received")["texts"] == ["from the desk"])
        for code in ("INVALID_ARGUMENT", "NOT_FOUND"):
            with self.assertRaises(CommandFailed) as refused:
                self.call("gauge.fail", {"text": code})
            self.assertIn(code, refused.exception.text)
            self.assertIn("told to fail", refused.exception.text)
        with self.assertRaises(CommandFailed) as late:
            self.desk("--timeout-ms", "300", "call", "gauge.slow", '{"value": 3}')
        self.assertIn("DEADLINE_EXCEEDED", late.exception.text)

    def test_its_events_are_a_flow_that_ends_there_when_it_ends_here(self):
        self.start_desk("udp", "grpc")

        def watchers():
            return int(self.object_json("gauge.fire", {"value": 0})["value"])

        own = eventually(watchers)  # the realm's own
        reader = subprocess.Popen(
            [
                outside.go_program(outside.GRPCURL),
                "-plaintext",
                self.capsules.address("desk", "grpc"),
                "lab.Instrument/tick",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            eventually(lambda: watchers() == own + 1)
            for number in range(1, 401):
                if number % 100 == 0:
                    self.object_json("gauge.fire", {"value": number})
            told = []
            while "400" not in told:
                told += re.findall(r'"value": "(\d+)"', reader.stdout.readline())
            self.assertEqual([each for each in told if each != "0"], ["100", "200", "300", "400"])
        finally:
            reader.terminate()
            reader.wait()
            reader.stdout.close()
        eventually(lambda: watchers() == own)

    def test_it_is_found_again_where_its_capsule_speaks_another_protocol(self):
        self.capsules.hector("load", "protocol", "grpc", capsule="lab")
        self.start_desk("grpc")
        self.assertEqual(self.call("gauge.add", {"a": 1, "b": 1}), {"value": 2.0})
        self.desk("load", "protocol", "udp")
        self.capsules.hector("unload", "protocol", "grpc", capsule="lab")
        self.assertEqual(
            eventually(lambda: self.call("gauge.add", {"a": 1, "b": 2})), {"value": 3.0}
        )
        self.assertRegex(self.desk("get", "objects"), r"gauge +lab.Instrument/1")

    def test_without_a_protocol_that_both_have_it_is_called_by_the_realm(self):
        self.start_desk("grpc")
        self.assertRegex(self.desk("get", "objects"), r"gauge +hero.Instrument/1")
        self.assertEqual(self.call("gauge.add", {"a": 1, "b": 2}), {"value": 3.0})

    def test_who_is_killed_is_gone(self):
        self.start_desk("udp")
        self.capsules.processes["lab"].send_signal(signal.SIGKILL)
        eventually(lambda: "gauge" not in self.desk("get", "objects"))
        with self.assertRaises(CommandFailed) as gone:
            self.call("gauge.add", {"a": 1, "b": 1})
        self.assertRegex(gone.exception.text, "NOT_FOUND|UNAVAILABLE")


if __name__ == "__main__":
    unittest.main(verbosity=2)
