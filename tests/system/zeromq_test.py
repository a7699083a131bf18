"""Hermes and ROC: the real Hermes, 18/MDP's majortomo, and a client and a worker of 7/MDP call
Hector and are called.

What: each line of the wire contracts' checklists.
Why: clusters that run Hermes and labs that run ROC join as they are.
Who: ctest.
"""

import json
import os
import re
import select
import signal
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
from capsules import ROOT, CommandFailed
from heros_test import Peer, World, eventually, free_port
from needs import needs

CLIENT, WORKER = b"MDPC01", b"MDPW01"


class ZeroMqPeer(Peer):
    def command(self, _):
        return [outside.zeromq(), os.path.join(ROOT, "tests", "system", "zeromq_peers", "peer.py")]


class Network(World):
    settings = "heartbeat_ms: 200"
    endpoints = ("broker", "roc", "postoffice", "hermes")

    def start(self, more="", name="lab"):
        self.ports = [free_port() for _ in range(3)]
        self.broker = self.triple()
        listen = []
        for each in self.endpoints:
            if each in ("broker", "roc"):
                listen.append(f"{each}:{self.broker}")
            elif each == "postoffice":
                listen.append(
                    "postoffice:" + ",".join(f"tcp://127.0.0.1:{port}" for port in self.ports)
                )
            else:
                listen.append(
                    f"hermes:tcp://127.0.0.1:{self.ports[0]},tcp://127.0.0.1:{self.ports[1]}"
                )
        os.environ["PYTHONPATH"] = os.pathsep.join([self.folder, os.environ.get("PYTHONPATH", "")])
        return self.capsules.configure(
            name,
            f"""capsule: {name}
store: memory
protocols:
  udp: {{listen: "127.0.0.1:0"}}
  zeromq: {{listen: {json.dumps(listen)}, settings: {{{self.settings}}}}}
services: {{naming: embedded, trading: embedded, type: embedded}}
languages: [cpp, python]
{more}""",
        )

    @staticmethod
    def triple():
        """A broker's address with two free ports behind it."""
        import socket

        while True:
            port = free_port()
            try:
                for each in (port, port + 1, port + 2):
                    with socket.socket() as one:
                        one.bind(("127.0.0.1", each))
                return f"tcp://127.0.0.1:{port}"
            except OSError:
                continue

    def zeromq(self):
        peer = ZeroMqPeer("")
        self.addCleanup(peer.close)
        return peer

    def objects(self):
        return self.capsules.hector("get", "objects", capsule="lab")


@needs(
    "protocols/zeromq",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class Broker(Network):
    """The rows of the conformance checklist, over real sockets."""

    endpoints = ("broker",)

    def setUp(self):
        super().setUp()
        self.peer = self.zeromq()

    def open(self, name, kind="DEALER"):
        self.peer("open", name, kind, self.broker)

    def send(self, name, *frames):
        self.peer("send", name, [each.hex() for each in frames])

    def recv(self, name, seconds=3.0, beats=False):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            frames = self.peer("recv", name, left)
            if frames is None:
                return None
            frames = [bytes.fromhex(each) for each in frames]
            if beats or frames[1:3] != [WORKER, b"\x04"]:
                return frames
        return None

    def ready(self, name, service=b"echo"):
        self.open(name)
        self.send(name, b"", WORKER, b"\x01", service)

    def request(self, name, body=(b"x",), service=b"echo"):
        self.send(name, b"", CLIENT, service, *body)

    def reply(self, name, request, *body):
        self.send(name, b"", WORKER, b"\x03", request[3], b"", *body)

    def mmi(self, service, body=b"echo"):
        self.open("mmi")
        self.send("mmi", b"", CLIENT, service, body)
        answer = self.recv("mmi")
        self.peer("close", "mmi")
        return answer[3]

    def test_rows_1_to_3_request_reply_heartbeat(self):
        self.ready("w")
        self.open("c")
        self.request("c", (b"", b"two", b""))
        request = self.recv("w")
        self.assertEqual(
            (request[:3], request[4:]), ([b"", WORKER, b"\x02"], [b"", b"", b"two", b""])
        )
        self.reply("w", request, b"a", b"")
        self.assertEqual(self.recv("c"), [b"", CLIENT, b"echo", b"a", b""])
        self.assertEqual(self.peer("recv", "w", 0.5), ["", WORKER.hex(), "04"])

    def test_rows_4_and_5_what_is_not_in_order_is_disconnected(self):
        self.ready("w")
        self.send("w", b"", WORKER, b"\x01", b"echo")
        self.assertEqual(self.recv("w"), [b"", WORKER, b"\x05"])
        for number, frames in enumerate(
            ([b"", WORKER, b"\x04"], [b"", WORKER, b"\x03", b"someone", b"", b"x"])
        ):
            self.open(f"stranger{number}")
            self.send(f"stranger{number}", *frames)
            self.assertEqual(self.recv(f"stranger{number}"), [b"", WORKER, b"\x05"])

    def test_rows_6_to_9_queue_and_management(self):
        self.open("c")
        self.request("c", (b"early",))
        self.assertEqual(self.mmi(b"mmi.service"), b"404")
        self.ready("w")
        request = self.recv("w")
        self.assertEqual(request[5], b"early")
        self.assertEqual(self.mmi(b"mmi.service"), b"200")
        self.assertEqual(self.mmi(b"mmi.nothing"), b"501")
        self.ready("bad", b"mmi.service")
        self.assertEqual(self.recv("bad"), [b"", WORKER, b"\x05"])
        self.ready("w2")
        self.request("c", (b"second",))
        self.request("c", (b"third",))
        self.assertEqual(self.recv("w2")[5], b"second")
        self.assertIsNone(self.recv("w", 0.3))  # it is busy still
        self.reply("w", request, b"done")
        self.assertEqual(self.recv("w")[5], b"third")

    def test_row_7_and_10_after_the_last_worker_has_left(self):
        self.ready("w")
        self.assertEqual(self.mmi(b"mmi.service"), b"200")
        self.send("w", b"", WORKER, b"\x05")
        eventually(lambda: self.mmi(b"mmi.service") == b"404")
        while self.recv("w", 0.1, beats=True):
            pass
        self.assertIsNone(self.recv("w", 1.0, beats=True))

    def test_row_11_and_15_replies_that_nobody_asked_for(self):
        self.ready("w")
        self.send("w", b"", WORKER, b"\x03", b"someone", b"", b"x")
        self.assertEqual(self.recv("w"), [b"", WORKER, b"\x05"])
        self.ready("w2")
        self.open("gone")
        self.request("gone")
        request = self.recv("w2")
        self.peer("close", "gone")
        self.reply("w2", request, b"to nobody")
        self.open("c")
        self.request("c", (b"next",))
        self.assertEqual(self.recv("w2")[5], b"next")

    def test_rows_12_and_13_a_silent_worker_expires_and_its_request_goes_to_another(self):
        self.ready("silent")
        self.open("c")
        self.request("c", (b"kept",))
        self.assertEqual(self.recv("silent")[5], b"kept")
        self.ready("live")
        for _ in range(8):
            self.send("live", b"", WORKER, b"\x04")
            request = self.recv("live", 0.2)
            if request is not None:
                break
        self.assertEqual(request[5], b"kept")
        self.reply("live", request, b"done")
        self.assertEqual(self.recv("c")[3], b"done")

    def test_row_14_malformed_messages_are_dropped(self):
        self.ready("w")
        self.open("bad")
        for frames in (
            [b""],
            [b"x"],
            [b"", CLIENT],
            [b"", CLIENT, b"echo"],
            [b"", CLIENT, b"", b"x"],
            [b"", WORKER],
            [b"", WORKER, b"\x09"],
            [b"", WORKER, b"\x01"],
            [b"", WORKER, b"\x03"],
            [b"", WORKER, b"\x03", b"a"],
            [b"", WORKER, b"\x03", b"a", b"x", b"y"],
            [b"", b"MDPC03", b"echo", b"x"],
            [b"MDPC02"],
            [b"MDPC02", b"\x07", b"echo", b"x"],
            [b"", b"", b"", b""],
            [b"", CLIENT, b"s" * 300, b"x"],
            [b"", WORKER, b"\x02", b"a", b"", b"x"],
        ):
            self.send("bad", *frames)
        self.open("c")
        self.request("c", (b"still",))
        self.assertEqual(self.recv("w")[5], b"still")

    def test_both_versions_in_one_broker(self):
        self.peer("majortomo_worker", self.broker, "reverse")
        eventually(lambda: self.mmi(b"mmi.service", b"reverse") == b"200")
        self.assertEqual(
            self.peer("majortomo", self.broker, "reverse", "hello")[-1:], ["olleh"]
        )  # it leaves the service in
        self.assertEqual(
            self.peer("rpc", self.broker, "reverse", "abc"), "cba"
        )  # a client of version 1
        self.ready("w", b"old")
        import threading

        answers = []
        second = self.zeromq()
        asking = threading.Thread(
            target=lambda: answers.append(second("majortomo", self.broker, "old", "new"))
        )
        asking.start()
        request = self.recv("w")
        self.reply("w", request, b"from version 1")
        asking.join()
        self.assertEqual(answers[0][-1:], ["from version 1"])


@needs(
    "protocols/zeromq",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class Roc(Network):
    endpoints = ("broker", "roc")

    def rpc(self, peer, method, params=None, **more):
        request = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            **({} if params is None else {"params": params}),
            **more,
        }
        return json.loads(peer("rpc", self.broker, "gauge", json.dumps(request)))

    def test_an_object_is_a_roc_object(self):
        peer = self.zeromq()
        self.instrument()
        eventually(lambda: peer("rpc", self.broker, "mmi.service", "gauge") == "200")
        self.assertEqual(self.rpc(peer, "add", [1, 2]), {"jsonrpc": "2.0", "result": 3.0, "id": 1})
        self.assertEqual(self.rpc(peer, "add", {"a": 1, "b": 5, "scale": 2.0})["result"], 12.0)
        self.assertEqual(
            self.rpc(peer, "echo", [{"a": [1, None, True, "ä"]}])["result"],
            {"a": [1, None, True, "ä"]},
        )
        self.assertIn("add", self.rpc(peer, "rpc.describe")["result"]["methods"])
        self.assertIsNone(self.rpc(peer, "rpc.setattr", ["gain", 4.0])["result"])
        self.assertEqual(self.rpc(peer, "rpc.getattr", ["gain"])["result"], 4.0)
        for method, params, code in (
            ("nothing", [], -32601),
            ("_private", [], -32601),
            ("add", ["x"], -32602),
            ("add", [1, 2, 3, 4], -32602),
            ("fail", ["ABORTED"], -32000),
            ("rpc.setattr", ["serial", "x"], -32000),
        ):
            self.assertEqual(self.rpc(peer, method, params)["error"]["code"], code, method)
        ask = lambda text: peer("rpc", self.broker, "gauge", text)
        self.assertEqual(json.loads(ask("{"))["error"]["code"], -32700)
        self.assertEqual(json.loads(ask('{"jsonrpc": "2.0"}'))["error"]["code"], -32600)
        self.assertEqual(
            json.loads(ask('{"method": "add", "params": [1, 2], "id": 7}')),
            {"result": 3.0, "error": None, "id": 7},
        )
        self.assertEqual(ask('{"jsonrpc": "2.0", "method": "note", "params": ["n"]}'), "")
        batch = json.loads(
            ask(
                '[{"jsonrpc": "2.0", "method": "add", "params": [1, 2], "id": 1}, {"jsonrpc":'
                ' "2.0", "method": "note", "params": ["m"]}, 1]'
            )
        )
        self.assertEqual(
            [each.get("result", each.get("error", {}).get("code")) for each in batch], [3.0, -32600]
        )
        self.assertEqual(self.object_json("gauge.received")["texts"], ["n", "m"])

    def test_an_object_of_another_capsule_keeps_its_interface(self):
        self.instrument()
        self.capsules.configure(
            "desk",
            f"""capsule: desk
store: memory
protocols:
  udp: {{listen: "127.0.0.1:0"}}
  zeromq: {{listen: "roc:{self.broker}", settings: {{heartbeat_ms: 200, adopt_capsules: true}}}}
services: {{naming: embedded, trading: embedded, type: embedded}}
""",
        )
        eventually(
            lambda: re.search(
                r"gauge +lab.Instrument/1", self.capsules.hector("get", "objects", capsule="desk")
            )
        )
        self.assertEqual(
            self.capsules.call("gauge.add", {"a": 1, "b": 5, "scale": 2.0}, capsule="desk"),
            {"value": 12.0},
        )
        self.capsules.hector("delete", "object", "gauge", capsule="lab")
        eventually(lambda: "gauge" not in self.capsules.hector("get", "objects", capsule="desk"))

    def test_a_roc_object_is_an_object(self):
        peer = self.zeromq()
        peer("serve", self.broker, "vnir")
        eventually(lambda: "vnir" in self.objects())
        self.assertIn("get_gain", self.capsules.hector("describe", "object", "vnir", capsule="lab"))
        self.assertEqual(self.object_json("vnir.add", {"a": 1})["value"]["integer"], "3")
        self.object_json("vnir.set_gain", {"value": {"real": 2.5}})
        self.assertEqual(self.object_json("vnir.get_gain"), {"value": {"real": 2.5}})
        with self.assertRaises(CommandFailed) as refused:
            self.object_json("vnir.fail")
        self.assertIn("told to fail", refused.exception.text)
        peer("serve", self.broker, "swir", False)  # it does not describe itself
        eventually(lambda: "swir" in self.objects())
        self.assertEqual(
            self.object_json(
                "swir.call",
                {"method": "add", "params": {"list": {"items": [{"integer": 4}, {"integer": 5}]}}},
            )["value"]["integer"],
            "9",
        )
        peer("stop", "swir")
        eventually(lambda: "swir" not in self.objects(), 5)

    def test_who_dies_is_gone(self):
        peer = self.zeromq()
        peer("serve", self.broker, "vnir")
        eventually(lambda: "vnir" in self.objects())
        caller = subprocess.Popen(
            [
                os.path.join(self.capsules.build, "bin", "hector"),
                "-c",
                "lab",
                "call",
                "vnir.slow",
                '{"seconds": 20}',
            ],
            env=self.capsules.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        waiting.spend(0.5, "the call is in flight, of which the caller gives no sign")
        peer.close()
        begin = time.monotonic()
        _, error = caller.communicate(timeout=20)
        self.assertIn("UNAVAILABLE", error)
        self.assertLess(time.monotonic() - begin, 6.0)  # three heartbeats of 200 ms, and what looks
        eventually(lambda: "vnir" not in self.objects(), 5)

    def test_status_and_logs_by_the_relay(self):
        self.capsules.hector("load", "protocol", "grpc", capsule="lab")
        peer = self.zeromq()
        port = int(self.broker.rsplit(":", 1)[1])
        peer("open", "pub", "PUB", f"tcp://127.0.0.1:{port + 1}")
        peer("open", "sub", "SUB", f"tcp://127.0.0.1:{port + 2}", b"ROC".hex())
        eventually(lambda: "roc" in self.objects())
        reader = subprocess.Popen(
            [
                outside.go_program(outside.GRPCURL),
                "-plaintext",
                "-d",
                '{"masks": ["mount.encoder"]}',
                self.capsules.address("lab", "grpc"),
                "hector.roc.Network/status",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            eventually(
                lambda: peer(
                    "send",
                    "pub",
                    [b"ROCSmount".hex(), b'{"encoder": {"1": 37.5}, "other": 1}'.hex()],
                )
                and select.select([reader.stdout], [], [], 0.1)[0]
            )
            peer("send", "pub", [b"ROCSmount.encoderx".hex(), b"1".hex()])
            peer("send", "pub", [b"ROCSmount.encoder.2".hex(), b"38.5".hex()])
            told = ""
            while "38.5" not in told:
                told += reader.stdout.readline()
            self.assertIn("37.5", told)
            self.assertNotIn("encoderx", told)
        finally:
            reader.terminate()
            reader.wait()
            reader.stdout.close()
        self.object_json("roc.publish_status", {"sensor": "mount.azimuth", "value": {"real": 1.5}})
        self.object_json(
            "roc.log",
            {
                "node": "north",
                "level": "WARNING",
                "record": {
                    "map": {"entries": [{"key": {"text": "msg"}, "value": {"text": "hot"}}]}
                },
            },
        )
        heard = {}
        while len(heard) < 2:
            topic, body = (bytes.fromhex(each).decode() for each in peer("recv", "sub", 5.0))
            if topic in ("ROCSmount.azimuth", "ROCLnorth.WARNING"):
                heard[topic] = json.loads(body)
        self.assertEqual(heard, {"ROCSmount.azimuth": 1.5, "ROCLnorth.WARNING": {"msg": "hot"}})


@needs(
    "protocols/zeromq",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
    "services/policy",
)
class RocAuthorised(Network):
    settings = "heartbeat_ms: 200, authorise: true"
    endpoints = ("broker", "roc")

    def test_policy_decides_what_the_brokers_clients_may_do(self):
        peer = self.zeromq()
        self.instrument()
        eventually(lambda: peer("rpc", self.broker, "mmi.service", "gauge") == "200")

        def ask(method, params):
            return json.loads(
                peer(
                    "rpc",
                    self.broker,
                    "gauge",
                    json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}),
                )
            )

        self.assertIn("no Policy service", ask("add", [1, 2])["error"]["message"])
        self.capsules.hector("load", "service", "policy", capsule="lab")
        rules = os.path.join(self.folder, "broker.cedar")
        with open(rules, "w", encoding="utf-8") as file:
            file.write(
                f"""permit (principal == Broker::"{self.broker}", action in [Action::"call", Action::"get"], resource);"""
            )
        self.capsules.hector("policy", "rules", "broker", rules, capsule="lab")
        self.assertEqual(eventually(lambda: ask("add", [1, 2]).get("result")), 3.0)
        self.assertEqual(ask("rpc.getattr", ["gain"])["result"], 1.0)
        self.assertIn("may not set 'gain'", ask("rpc.setattr", ["gain", 4.0])["error"]["message"])


@needs(
    "protocols/zeromq",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class BrokerElsewhere(Network):
    endpoints = ("roc",)

    def start_broker(self):
        self.capsules.configure(
            "office",
            f"""capsule: office
store: memory
protocols: {{udp: {{listen: "127.0.0.1:0"}}, zeromq: {{listen: ["broker:{self.broker}"], settings: {{heartbeat_ms: 200}}}}}}
""",
        )

    def test_a_broker_that_was_started_again_knows_the_workers_after_a_while(self):
        self.start_broker()
        self.instrument()
        peer = self.zeromq()
        add = '{"jsonrpc": "2.0", "id": 1, "method": "add", "params": [1, 2]}'
        eventually(lambda: peer("rpc", self.broker, "mmi.service", "gauge") == "200")
        self.assertIn("3.0", peer("rpc", self.broker, "gauge", add))
        self.capsules.processes["office"].send_signal(signal.SIGKILL)
        self.capsules.processes["office"].wait()
        os.remove(os.path.join(self.capsules.run, "office.reference"))
        self.start_broker()
        eventually(lambda: peer("rpc", self.broker, "mmi.service", "gauge") == "200")
        self.assertIn("3.0", peer("rpc", self.broker, "gauge", add))


@needs(
    "protocols/zeromq",
    "protocols/udp",
    "protocols/grpc",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class Hermes(Network):
    endpoints = ("postoffice", "hermes")

    def at(self, number):
        return f"tcp://127.0.0.1:{self.ports[number]}"

    def test_hermes_to_hermes_through_our_post_office_with_its_debug_socket(self):
        peer, other = self.zeromq(), self.zeromq()
        other("open", "debug", "SUB", self.at(2))
        peer("hermes_receive", self.at(1))
        other("hermes_publish", self.at(0), "t/one", ["text", ["a", 1]])
        told = peer("received", 2, 5)
        self.assertEqual(
            [each[:3] for each in told],
            [["t/one", "test-publisher", "text"], ["t/one", "test-publisher", ["a", 1]]],
        )
        seen = [other("recv", "debug", 2.0) for _ in range(2)]
        self.assertTrue(any(len(each) == 4 and each[0] == b'"t/one"'.hex() for each in seen), seen)
        peer("hermes_receive", self.at(1), {"topics": "x"})
        frames = eventually(
            lambda: next(
                (
                    each
                    for each in iter(lambda: other("recv", "debug", 0.3), None)
                    if each == [b"\x01x".hex()]
                ),
                None,
            )
        )
        self.assertEqual(frames, [b"\x01x".hex()])

    def test_hector_to_hermes(self):
        peer = self.zeromq()
        peer("hermes_receive", self.at(1), {"topics": '"lab'})
        eventually(lambda: "hermes" in self.objects())
        publish = lambda data, topic="lab/t": self.object_json(
            "hermes.publish", {"topic": topic, "origin": "north", "data": data}
        )
        eventually(lambda: publish({"text": "first"}) is not None and peer("received", 1, 0.2))
        for data in (
            {"integer": 5},
            {"null": True},
            {"boolean": True},
            {"text": ""},
            {"list": {}},
            {"map": {"entries": [{"key": {"text": "k"}, "value": {"integer": 1}}]}},
            {"text": "last"},
        ):
            publish(data)
        publish({"text": "not for it"}, "other")
        told = [each for each in peer("received", 7, 5) if each[2] != "first"]
        self.assertEqual(
            [each[2] for each in told], [[5], [None], [True], [""], [[]], [{"k": 1}], "last"]
        )
        self.assertTrue(
            all(each[1] == "north" and abs(each[3] - time.time()) < 10 for each in told)
        )
        self.assertEqual(peer("alive"), [True])

    def test_hermes_to_hector_and_what_is_malformed(self):
        self.capsules.hector("load", "protocol", "grpc", capsule="lab")
        eventually(lambda: "hermes" in self.objects())
        reader = subprocess.Popen(
            [
                outside.go_program(outside.GRPCURL),
                "-plaintext",
                "-d",
                '{"topics": ["t/"]}',
                self.capsules.address("lab", "grpc"),
                "hector.hermes.Network/receive",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            peer = self.zeromq()
            eventually(
                lambda: peer("hermes_publish", self.at(0), "t/x", ["first"])
                and select.select([reader.stdout], [], [], 0.1)[0]
            )
            peer("open", "raw", "PUB", self.at(0))
            eventually(  # a PUB socket drops what it sends before its peer has joined
                lambda: peer("send", "raw", [b'"t/x"'.hex()])
                and int(self.object_json("hermes.counters").get("malformed", 0))
            )
            for frames in (
                [b'"t/x"'],
                [b'"t/x"', b'"o"', b"{", b"1"],
                [b'"t/x"', b'"o"', b'"d"', b'"x"'],
                [b'"t/\xff"', b'"o"', b"1", b"1"],
                [b'"t/x"', b'"o"', b"[" * 10_000, b"1.0"],
                [b'"t/x"'] * 5,
            ):
                peer("send", "raw", [each.hex() for each in frames])
            peer("hermes_publish", self.at(0), "t/x", [{"message": 7}, {"k": 1}, 5, "last"])
            told = ""
            while "last" not in told:
                told += reader.stdout.readline()
            for each in ("Reading", '"integer": "7"', '"integer": "5"', '"k"'):
                self.assertIn(each, told)
            self.assertGreaterEqual(
                int(eventually(lambda: self.object_json("hermes.counters").get("malformed"))), 5
            )
        finally:
            reader.terminate()
            reader.wait()
            reader.stdout.close()

    def test_an_idle_capsule_rests(self):
        eventually(lambda: "hermes" in self.objects())
        process = self.capsules.processes["lab"].pid

        def ticks():
            with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                return sum(int(each) for each in file.read().rsplit(")", 1)[1].split()[11:13])

        waiting.spend(1, "what starting leaves to do is done")
        before = ticks()
        waiting.spend(5, "idle")
        self.assertLess((ticks() - before) / os.sysconf("SC_CLK_TCK") / 5, 0.01)


if __name__ == "__main__":
    unittest.main(verbosity=2)
