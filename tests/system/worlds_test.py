"""One Binding with four parties in four worlds: a HERO in Python, a ROC server, a Hermes topic and
a C++ Object.

What: they are found, checked, wired, and go through their order.
Why: worlds that know nothing of each other work together by type.
Who: ctest.
"""

import os
import sys
import unittest

sys.path[:0] = [
    os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), each)
    for each in ("tools", "tests/system")
]
from heros_test import eventually, free_port
from needs import needs
from zeromq_test import Network


@needs(
    "protocols/heros",
    "protocols/zeromq",
    "protocols/udp",
    "languages/cpp",
    "services/naming",
    "services/trading",
    "services/type",
)
class Worlds(Network):
    def start(self, more="", name="lab"):
        folder = os.path.join(self.capsules.build, "tests", "worlds")
        self.ports = [free_port() for _ in range(3)]
        self.broker = self.triple()
        into, out = (f"tcp://127.0.0.1:{port}" for port in self.ports[:2])
        return self.capsules.configure(
            name,
            f"""capsule: {name}
store: memory
protocols:
  udp: {{listen: "127.0.0.1:0"}}
  heros:
    listen: heros
    settings:
      zenoh: {{mode: peer, listen: {{endpoints: ["tcp/127.0.0.1:{self.port}"]}}, scouting: {{multicast: {{enabled: false}}}}}}
  zeromq:
    listen: ["broker:{self.broker}", "roc:{self.broker}", "postoffice:{into},{out}", "hermes:{into},{out}"]
    settings: {{heartbeat_ms: 200}}
services: {{naming: embedded, trading: embedded, type: embedded}}
languages: [cpp]
types: ["{folder}/worlds.hector.yaml"]
templates: ["{folder}/conductor.so"]
objects: [{{template: run.Conductor.cpp, name: conductor}}]
""",
        )

    def test_four_worlds_in_one_binding(self):
        hero, roc, hermes = self.peer("2026.2.2"), self.zeromq(), self.zeromq()
        hero("serve", "camera")
        roc("serve", self.broker, "vnir")
        hermes("hermes_receive", f"tcp://127.0.0.1:{self.ports[1]}")
        eventually(
            lambda: all(
                each in self.objects() for each in ("camera", "vnir", "hermes", "conductor")
            )
        )
        eventually(
            lambda: self.object_json("hermes.publish", {"topic": "warm", "data": {"text": "up"}})
            is not None
            and hermes("received", 1, 0.2)
        )
        roles = [
            part
            for role, who in (
                ("conductor", "conductor"),
                ("camera", "camera"),
                ("spectrometer", "vnir"),
                ("topic", "hermes"),
            )
            for part in ("--role", f"{role}={who}")
        ]
        binding = self.capsules.hector(
            "bind", "run.Measurement/1", *roles, "-o", "name", capsule="lab"
        ).strip()
        done = self.object_json("conductor.go", {"rounds": 3})
        self.assertEqual(
            done,
            {
                "exposed": [6.0, 8.0, 10.0],
                "summed": ["11", "12", "13"],
                "errors": ["FAILED_PRECONDITION"],
            },
        )
        told = [each for each in hermes("received", 3, 5) if each[0] == "lab/run"]
        self.assertEqual(
            [each[:3] for each in told],
            [["lab/run", "conductor", f"round {number}"] for number in (1, 2, 3)],
        )
        described = self.capsules.hector("binding", "describe", binding, capsule="lab")
        for each in ("camera", "vnir", "hermes", "conductor"):
            self.assertIn(each, described)


if __name__ == "__main__":
    unittest.main(verbosity=2)
