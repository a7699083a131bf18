"""A calendar that is set back and forth under a capsule.

What: the system's time of one capsule jumps by a day while leases are renewed and calls have
deadlines.
Why: leases, deadlines and grace are measured by a clock that only goes forward; nothing expires
early and nothing lives for ever because an administrator, or NTP, sets the time.
Who: ctest.
"""

import json
import os
import signal
import struct
import subprocess
import threading
import time
import unittest

import sleeper
import waiting
from capsules import Capsules
from needs import needs

HUB = """capsule: hub
protocols: {udp: {listen: "127.0.0.1:0"}, grpc: {listen: "127.0.0.1:0"}}
services: {naming: embedded, trading: embedded}
languages: [python]
store: memory
limits: {drain_ms: 1000}
"""
MEMBER = """capsule: member
protocols: {udp: {listen: "127.0.0.1:0"}, grpc: {listen: "127.0.0.1:0"}}
services: {naming: {joined: hub}, trading: {joined: hub}}
languages: [python]
"""
DAY_S = 86400
#: A lease of a capsule is one of 10 s.
LEASE_S = 10


@needs("protocols/udp", "protocols/grpc", "services/naming", "services/trading", "stores/memory")
@needs("languages/python")
class Clock(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        shim = os.path.join(self.capsules.folder, "clock_shift.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock_shift.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source], check=True)
        self.shift = os.path.join(self.capsules.folder, "shift")
        self.set(0)
        self.capsules.environment.update(CLOCK_SHIFT=self.shift, LD_PRELOAD=shim)
        self.hub = self.capsules.configure("hub", HUB)
        self.member = self.capsules.configure("member", MEMBER)
        for name in ("CLOCK_SHIFT", "LD_PRELOAD"):
            del self.capsules.environment[name]
        for capsule, name in (("member", "s"), ("hub", "asks")):
            sleeper.load(self.capsules, capsule)
            sleeper.create(self.capsules, capsule, name)

    def set(self, seconds):
        mode = "r+b" if os.path.exists(self.shift) else "wb"
        with open(self.shift, mode) as file:
            file.write(struct.pack("@l", seconds))

    def names(self):
        return {item["name"] for item in json.loads(self.list())["bindings"]}

    def list(self):
        return self.capsules.hector("name", "list", "-o", "json", capsule="hub")

    def test_leases_are_kept_and_end_as_if_the_calendar_stood(self):
        before = self.names()
        self.assertIn("s", before)
        for seconds in (-DAY_S, DAY_S):
            self.set(seconds)
            waiting.spend(LEASE_S * 0.6, "leases are renewed each third of their time")
            self.assertEqual(self.names(), before)
        self.set(-DAY_S)
        self.member.send_signal(signal.SIGKILL)
        self.member.wait()
        waiting.until(lambda: "s" not in self.names(), 3 * LEASE_S, "the end of a dead one's lease")

    def test_deadlines_last_as_long_as_they_are(self):
        for seconds in (-DAY_S, DAY_S, 0):
            for nap, timeout, told in ((1, 5, "answered"), (3, 1, "DEADLINE_EXCEEDED")):
                began = time.monotonic()
                call = threading.Thread(target=lambda: self.answers.append(self.ask(nap, timeout)))
                call.start()
                waiting.spend(0.4, "the call gives no sign of having arrived")
                self.set(seconds)
                call.join()
                self.assertEqual(self.answers.pop(), told)
                took = time.monotonic() - began
                self.assertTrue(0.9 < took < 10, took)
                waiting.until(lambda: self.ask(0, 5) == "answered", 20)

    answers = []

    def ask(self, nap, timeout):
        message = {"who": "s", "seconds": nap, "timeout": timeout}
        return self.capsules.call("asks.ask", message, "hub")["value"]


if __name__ == "__main__":
    unittest.main()
