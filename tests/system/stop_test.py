"""SIGTERM while Objects are at work.

What: an Object that only sleeps, several of them, an idle client, and the clock that says how long
the end took.
Why: whoever stops a capsule waits as long as its configuration says, and reads what was cut short.
Who: ctest.
"""

import json
import os
import signal
import subprocess
import time
import unittest

import http2_peer as h2
import sleeper
import waiting
from capsules import Capsules
from needs import needs

CAPSULE = """capsule: north
protocols: {udp: {listen: "127.0.0.1:0"}, grpc: {listen: "127.0.0.1:0"}}
services: {naming: embedded}
languages: [python]
store: memory
limits: {drain_ms: 1000}
"""
#: The grace, what follows it in a capsule that hangs (3 s), and a busy machine.
STOP_S_MAX = 9


@needs("protocols/udp", "protocols/grpc", "services/naming", "stores/memory", "languages/python")
class Stop(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.process = self.capsules.configure("north", CAPSULE)
        self.calls = []
        self.addCleanup(lambda: [call.kill() or call.communicate() for call in self.calls])

    def put_to_sleep(self, *names):
        """Objects that sleep for ten minutes each."""
        sleeper.load(self.capsules, "north")
        for name in names:
            sleeper.create(self.capsules, "north", name)
            self.call(name, 600)

    def call(self, name, seconds):
        message = json.dumps({"seconds": seconds})
        command = [os.path.join(self.capsules.build, "bin", "hector"), "-c", "north"]
        self.calls.append(
            subprocess.Popen(
                [*command, "call", f"{name}.nap", message],
                env=self.capsules.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        waiting.spend(0.5, "the call gives no sign of having arrived")

    def stop(self):
        """Seconds until it has ended, with 0."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.assertEqual(self.process.returncode, 0, self.capsules.log("north"))
        return time.monotonic() - began

    def test_an_object_that_sleeps_is_cut_short_after_the_grace(self):
        self.put_to_sleep("sleeper")
        self.assertLess(self.stop(), STOP_S_MAX)
        log = self.capsules.log("north")
        self.assertIn("calls did not end within the grace object=sleeper", log)
        self.assertIn("ended while calls were still at work", log)
        self.assertNotEqual(self.calls[0].wait(20), 0)

    def test_many_that_sleep_have_one_grace_together(self):
        self.put_to_sleep(*(f"s{number}" for number in range(6)))
        self.assertLess(self.stop(), STOP_S_MAX)
        self.assertEqual(self.capsules.log("north").count("within the grace object=s"), 6)

    def test_a_call_that_ends_within_the_grace_is_answered(self):
        self.put_to_sleep()
        sleeper.create(self.capsules, "north", "a")
        self.call("a", 1)
        self.assertLess(self.stop(), STOP_S_MAX)
        out, _ = self.calls[0].communicate(timeout=20)
        self.assertEqual(json.loads(out), {"value": "awake"})
        self.assertNotIn("still at work", self.capsules.log("north"))

    def test_idle_clients_are_not_waited_for(self):
        address = self.capsules.address("north", "grpc")
        peers = [h2.Peer(address) for _ in range(20)]
        for peer in peers:
            peer.acknowledge()
        took = self.stop()
        self.assertLess(took, 3)
        self.assertTrue(all(peer.is_closed(5) for peer in peers))
        for peer in peers:
            peer.close()


if __name__ == "__main__":
    unittest.main()
