"""Peers that never finish, over gRPC.

What: each attack is made of frames by hand and lasts seconds; the capsule's resident memory is
measured before, at its most and after, and others call it meanwhile.
Why: what a peer never finishes costs no memory beyond the bounds in docs/limits.md, is given back,
and the peer is closed; others are served.
Who: ctest.
"""

import os
import resource
import struct
import subprocess
import threading
import time
import unittest

import http2_peer as h2
import outside
import waiting
from capsules import Capsules, CommandFailed
from needs import needs

CAPSULE = """capsule: north
protocols: {grpc: {listen: "127.0.0.1:0"}}
services: {naming: embedded}
store: memory
log: {level: warning}
"""
MIB = 1024
WHY = "it sent calls whose answers it does not take"
LIST = "/hector.Naming/list_names"


def resident(process):
    """In KiB."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class Most:
    """The most of a figure while it is watched."""

    def __init__(self, figure):
        self.figure, self.value, self.over = figure, figure(), threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.01):
            self.value = max(self.value, self.figure())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@needs("protocols/grpc", "services/naming", "stores/memory")
class GrpcAbuse(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.process = self.capsules.configure("north", CAPSULE)
        self.address = self.capsules.address("north", "grpc")
        self.peers = []
        self.addCleanup(lambda: [peer.close() for peer in self.peers])

    def peer(self, **options):
        self.peers.append(h2.Peer(self.address, **options))
        return self.peers[-1]

    def resident(self):
        return resident(self.process)

    def answers(self, seconds=5):
        """Another client is served."""
        self.capsules.hector("name", "list", capsule="north", timeout=seconds)

    def attack(self, work, bound_mib, left_mib=48):
        """What work() returns; the capsule's memory has grown by no more than the bound meanwhile,
        and is given back but for what gRPC and the allocator keep for the next one.
        """
        self.answers()
        before = self.resident()
        with Most(self.resident) as most:
            told = work()
            self.answers()
        self.assertLess(most.value - before, bound_mib * MIB)
        for peer in self.peers:
            peer.close()
        waiting.until(
            lambda: self.resident() - before < left_mib * MIB,
            60,
            lambda: f"{(self.resident() - before) / MIB:.1f} MiB more than before: it",
        )
        self.answers()
        return told

    def flood(self, peer, octets, times):
        """How many of the times were taken."""
        return next((i for i in range(times) if not peer.try_send(octets)), times)

    def test_a_header_that_never_ends_closes_its_connection(self):
        """One value of 2 GiB, in CONTINUATION frames."""

        def work():
            peer = self.peer()
            begin = h2.headers(LIST) + h2.endless_literal("x", 2**31)
            peer.send(h2.frame(h2.HEADERS, 0, 1, begin))
            more = h2.frame(h2.CONTINUATION, 0, 1, b"a" * h2.FRAME_MAX)
            return self.flood(peer, more * 16, 2000), peer.is_closed(5)

        taken, is_closed = self.attack(work, 16)
        self.assertLess(taken, 200)
        self.assertTrue(is_closed)
        self.assertIn("a header beyond the limit", self.capsules.log("north"))

    def test_small_headers_without_end_close_their_connection(self):
        def work():
            peer = self.peer()
            peer.send(h2.frame(h2.HEADERS, 0, 1, h2.headers(LIST)))
            more = h2.frame(h2.CONTINUATION, 0, 1, h2.literal("name", "value") * 1000)
            return self.flood(peer, more * 16, 2000), peer.is_closed(5)

        taken, is_closed = self.attack(work, 16)
        self.assertLess(taken, 200)
        self.assertTrue(is_closed)

    def test_empty_continuations_close_their_connection(self):
        def work():
            peer = self.peer()
            peer.send(h2.frame(h2.HEADERS, 0, 1, h2.headers(LIST)))
            return self.flood(peer, h2.frame(h2.CONTINUATION, 0, 1) * 1000, 2000)

        self.assertLess(self.attack(work, 16), 500)

    def test_a_long_trailer_closes_its_connection(self):
        def work():
            peer = self.peer()
            peer.send(peer.open(LIST))
            peer.send(h2.frame(h2.DATA, 0, 1, h2.message(b"")))
            begin = h2.endless_literal("x", 2**31)
            peer.send(h2.frame(h2.HEADERS, h2.END_STREAM, 1, begin))
            more = h2.frame(h2.CONTINUATION, 0, 1, b"a" * h2.FRAME_MAX)
            return self.flood(peer, more * 16, 2000)

        self.assertLess(self.attack(work, 16), 200)

    def test_many_headers_just_below_the_limit_are_given_back(self):
        """400 connections with 240 KiB each, which together are beyond what all may have."""

        def work():
            begin = h2.headers(LIST) + h2.endless_literal("x", 2**31)
            more = h2.frame(h2.CONTINUATION, 0, 1, b"a" * h2.FRAME_MAX)
            for _ in range(400):
                self.peer().try_send(h2.frame(h2.HEADERS, 0, 1, begin) + more * 14)
            self.answers()
            return [peer.is_closed(10) for peer in self.peers]

        self.assertTrue(all(self.attack(work, 128)))

    def test_streams_without_a_request_are_bounded(self):
        """Eight connections with 1,024 streams each; the oldest half is answered."""

        def work():
            for _ in range(8):
                peer = self.peer()
                peer.acknowledge()
                peer.try_send(b"".join(peer.open(LIST) for _ in range(1024)))

        self.attack(work, 200, 128)

    def test_a_peer_that_ignores_the_settings_is_closed(self):
        """40,000 streams, and never an acknowledgement of how many there may be."""

        def work():
            peer = self.peer()
            for _ in range(40):
                if not peer.try_send(b"".join(peer.open(LIST) for _ in range(1000))):
                    break
            return peer.is_closed(5)

        self.assertTrue(self.attack(work, 64))
        self.assertIn("acknowledgement of the settings", self.capsules.log("north"))

    def test_messages_that_never_end_are_bounded(self):
        """200 streams, each of which has sent all of a message of 15 MiB but its last octet: what
        the window allows of it.
        """

        def work():
            peer = self.peer(timeout=2)
            size = 15 * 2**20
            begin = b"\0" + struct.pack(">I", size)
            peer.acknowledge()
            for _ in range(200):
                peer.try_send(peer.open(LIST) + h2.frame(h2.DATA, 0, peer.stream, begin))
            # Whatever window it gives: a peer that ignores it is closed.
            for _ in range(size // h2.FRAME_MAX):
                for stream in range(1, 400, 2):
                    if not peer.try_send(h2.frame(h2.DATA, 0, stream, b"a" * h2.FRAME_MAX)):
                        return

        self.attack(work, 320)  # what gRPC may keep for messages, and what is around them

    def test_pings_without_reading_close_their_connection(self):
        def work():
            peer = self.peer(timeout=3)
            peer.send(peer.open(LIST))
            pings = h2.frame(h2.PING, 0, 0, b"12345678") * 1000
            return self.flood(peer, pings, 10000)

        self.assertLess(self.attack(work, 16), 10000)

    def test_settings_without_reading_close_their_connection(self):
        def work():
            peer = self.peer(timeout=3)
            peer.send(peer.open(LIST))
            return self.flood(peer, h2.frame(h2.SETTINGS, 0, 0) * 1000, 10000)

        self.assertLess(self.attack(work, 16), 10000)

    def test_calls_that_are_taken_back_are_bounded(self):
        """Streams that are opened and reset, 100,000 of them."""

        def work():
            peer = self.peer(timeout=3)
            for _ in range(100):
                both = (
                    peer.open(LIST)
                    + h2.frame(h2.RST_STREAM, 0, peer.stream, struct.pack(">I", 8))
                    for _ in range(1000)
                )
                if not peer.try_send(b"".join(both)):
                    return

        self.attack(work, 64)

    def test_answers_that_are_not_taken_are_bounded(self):
        """160,000 calls on eight connections, whose answers are never read."""

        def work():
            empty = h2.message(b"")
            for _ in range(8):
                peer = self.peer(window=h2.WINDOW_MAX, timeout=1)
                peer.acknowledge()
                for _ in range(20000):
                    ask = peer.open(LIST) + h2.frame(h2.DATA, h2.END_STREAM, peer.stream, empty)
                    if not peer.try_send(ask):
                        break
            began = time.monotonic()
            self.answers()
            return time.monotonic() - began

        # There may be 16,384 calls of 15 KiB and more, and those of closed connections that gRPC
        # still holds.
        self.assertLess(self.attack(work, 1_200), 5)

    def test_answers_that_are_not_taken_of_many_connections(self):
        """24,000 answers of 1 KiB on connections that take 64 KiB each; the connection of such a
        peer is found, whichever way gRPC writes its address.
        """
        request = h2.message(b"\x0a\x01m")  # NamingPage.name
        for host in ("127.0.0.1", "::1"):
            with self.subTest(host):
                self.capsules = Capsules()
                self.addCleanup(self.capsules.stop)
                text = CAPSULE if host == "127.0.0.1" else CAPSULE.replace("127.0.0.1", "*")
                try:
                    self.process = self.capsules.configure("north", text)
                except CommandFailed as failed:
                    self.skipTest(f"no IPv6 here: {failed}")
                self.address = f"{host}:{self.capsules.address('north', 'grpc').rsplit(':', 1)[1]}"
                self.capsules.hector("name", "create", "m", capsule="north")
                for letter in "abcd":
                    self.capsules.hector("name", "create", f"m/{letter * 240}", capsule="north")
                self.peers = []

                def work():
                    for _ in range(24):
                        peer = self.peer()
                        peer.acknowledge()
                        for _ in range(1000):
                            ask = peer.open(LIST)
                            peer.send(ask + h2.frame(h2.DATA, h2.END_STREAM, peer.stream, request))
                    waiting.until(lambda: WHY in self.capsules.log("north"), 20, "the end of one")
                    self.answers()
                    return sum(peer.is_closed(0.01) for peer in self.peers)

                closed = self.attack(work, 1_200)
                self.assertGreater(closed, 0)
                self.assertLess(closed, 12)

    def test_connections_that_say_nothing_make_room(self):
        """More than a capsule may have: the newest and the called ones stay."""
        limit = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        mine = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(mine[1], 8192), mine[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, mine)
        count = min(4096, limit[0] // 2) + 500

        def work():
            for _ in range(min(count, 6000)):
                self.peer()
                if len(self.peers) % 500 == 0:
                    self.answers()

        # gRPC's own lists of connections stay as long as they once were.
        self.attack(work, 160)
        opened = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        self.assertLess(opened, limit[0])

    def test_without_descriptors_it_recovers(self):
        """All descriptors are gone for a while; whoever comes then gets an error, and later an
        answer.
        """
        spare = 12
        used = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        limit = (used + spare, used + spare)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, limit)
        for _ in range(40):
            self.peer()
        closed = [peer for peer in self.peers if peer.is_closed(0.2)]
        self.assertGreater(len(closed), 20)
        self.assertIn("gRPC connections are refused", self.capsules.log("north"))
        for peer in self.peers:
            peer.close()
        waiting.until(lambda: self.serves(), 10, "an answer")
        self.assertEqual(self.capsules.log("north").count("connections are refused"), 1)

    def serves(self):
        try:
            self.answers()
        except (CommandFailed, subprocess.TimeoutExpired):
            return False
        return True

    def test_an_ordinary_client_is_not_disturbed(self):
        """100,000 octets of metadata are refused as RESOURCE_EXHAUSTED, 16 MiB are taken, pings at
        the rate of one client are answered, and a thousand calls are one connection's right, for
        each of eight at once; what a client gives up again and again does it no harm.
        """
        script = f"""
import grpc
channel = grpc.insecure_channel({self.address!r})
call = channel.unary_unary({LIST!r})
def code(request, **options):
    try:
        call(request, timeout=10, **options)
        return "OK"
    except grpc.RpcError as error:
        return error.code().name
print(code(b""), code(b"", metadata=[("x", "a" * 100000)]), code(b"\\x7a\\x80\\x80\\x80\\x07" + b"a" * 14680064))
own = [("grpc.use_local_subchannel_pool", 1)]
calls = [grpc.insecure_channel({self.address!r}, own).unary_unary({LIST!r}) for _ in range(8)]
print({{each.code().name
       for each in [call.future(b"", timeout=40) for _ in range(1000) for call in calls]}})
for _ in range(4):
    for given_up in [calls[0].future(b"", timeout=40) for _ in range(1000)]:
        given_up.cancel()
print(calls[0].future(b"", timeout=20).code())
"""
        done = subprocess.run(
            [outside.python(), "-c", script], capture_output=True, text=True, timeout=90, check=True
        ).stdout
        self.assertEqual(done.split("\n")[0].split()[:2], ["OK", "RESOURCE_EXHAUSTED"])
        self.assertEqual(done.split("\n")[1:3], ["{'OK'}", "StatusCode.OK"])
        self.assertNotIn("was closed", self.capsules.log("north"))


if __name__ == "__main__":
    unittest.main()
