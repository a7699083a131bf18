"""zenoh through the real router.

What: capsules that know only the router reach each other.
Why: a router is how zenoh leaves a network.
Who: ctest.
"""

import os
import socket
import subprocess
import unittest

import outside
import waiting
from capsules import ROOT, Capsules
from needs import needs

SUMS = """import hector

@hector.template("sums.Adder/1")
class Adder:
    def add(self, a: int, b: int) -> int:
        return a + b
"""


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@needs("protocols/zenoh", "languages/python")
class Router(unittest.TestCase):
    def test_a_capsule_behind_the_router_is_called_through_it(self):
        zenohd = outside.zenohd()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with Capsules() as c:
            with open(os.path.join(c.folder, "zenohd.log"), "wb") as log:
                router = subprocess.Popen(
                    [
                        zenohd,
                        "-l",
                        f"tcp/127.0.0.1:{port}",
                        "--no-multicast-scouting",
                        "--rest-http-port",
                        "none",
                    ],
                    stdout=log,
                    stderr=log,
                )
            try:
                waiting.until(lambda: is_open(port), 20, "the router's port")
                with open(os.path.join(c.folder, "sums.py"), "w", encoding="utf-8") as file:
                    file.write(SUMS)
                c.configure(
                    "far",
                    "capsule: far\nprotocols:\n"
                    f'  zenoh: {{listen: "router/tcp/127.0.0.1:{port}"}}\n'
                    "languages: [python]\n"
                    "templates: [sums.py]\n"
                    f"objects: [{{template: sums.Adder, name: sum}}]\n",
                )
                self.assertIn(f"far@tcp/127.0.0.1:{port}", c.hector("get", "capsules"))
                self.assertEqual(c.call("sum.add", {"a": 40, "b": 2}), {"value": "42"})
                self.assertEqual(c.json("get", "objects")[0]["name"], "sum")
            finally:
                router.terminate()
                router.wait(10)


if __name__ == "__main__":
    unittest.main()
