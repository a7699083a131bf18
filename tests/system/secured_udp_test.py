"""Capsules that speak DTLS with each other, as processes.

What: the command line and two capsules over udp alone, each with an identity; who is refused, and
what ends when an identity is revoked.
Why: the tests of the protocol run on a simulated network and clock.
Who: ctest.
"""

import os
import socket
import time
import unittest

import waiting
from capsules import Capsules, CommandFailed
from needs import needs

CAPSULE = """capsule: {name}
protocols: {{udp: {{listen: "127.0.0.1:0"}}}}
"""
HELLO = b"\x01\x01" + b"\x07" * 8 + b"\x00" * 1190  # of a capsule without an identity


@needs("protocols/udp")
class SecuredUdp(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules(realm="td.example")
        self.addCleanup(self.capsules.stop)
        self.capsules.configure("north", CAPSULE.format(name="north"))

    def place(self):
        address, _, principal = self.capsules.address("north", "udp").partition("/")
        self.assertEqual(principal, "capsule:north", "the address says who must answer")
        host, port = address.rsplit(":", 1)
        return host, int(port)

    def ask(self):
        return self.capsules.hector("--protocol", "udp", "get", "protocols", capsule="north")

    def act_as(self, name):
        self.capsules.hector("identity", "issue", name)
        self.capsules.environment["HECTOR_IDENTITY"] = name

    def refusal(self):
        with self.assertRaises(CommandFailed) as refused:
            self.ask()
        return refused.exception.text

    def test_the_command_line_is_let_in_with_an_identity(self):
        self.assertIn("privacy", self.ask())

    def test_a_revoked_caller_is_refused_by_name(self):
        self.act_as("user/bob")
        self.ask()
        self.capsules.hector("identity", "revoke", "user/bob")
        waiting.until(lambda: "read again" in self.capsules.log("north"), 5)
        self.assertIn("REVOKED", self.refusal())

    def test_a_capsule_without_an_identity_is_not_answered_and_does_not_ask(self):
        host, port = self.place()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
            plain.settimeout(0.5)
            for _ in range(100):
                plain.sendto(HELLO, (host, port))
            with self.assertRaises(TimeoutError):
                plain.recv(2000)
        waiting.until(lambda: "not encrypted" in self.capsules.log("north"), 5)
        self.assertLess(self.capsules.log("north").count("not encrypted"), 5)
        del self.capsules.environment["HECTOR_REALM"]
        self.assertIn("HECTOR_REALM", self.refusal())

    def test_garbage_ends_no_connection_and_no_capsule(self):
        host, port = self.place()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for first in range(256):
                for size in (1, 13, 14, 59, 60, 300, 1400):
                    stranger.sendto(bytes([first]) + os.urandom(size), (host, port))
        began = time.monotonic()
        self.ask()
        self.assertLess(time.monotonic() - began, 4)


if __name__ == "__main__":
    unittest.main()
