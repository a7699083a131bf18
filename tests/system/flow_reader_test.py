"""A flow without an end whose reader goes: by the command line over each protocol, and by a gRPC
client, which reads message by message, in both languages.

What: readers that are interrupted, killed, cancel, leave after a few messages, or hold still.
Why: nothing may keep an Object at work for a reader that is gone, nor take memory for one that
waits. tests/kits/protocol_kit.cc asks the same of each protocol.
Who: ctest.
"""

import base64
import os
import shutil
import signal
import subprocess
import unittest

import outside
import waiting
from capsules import ROOT, Capsules
from needs import needs

LISTEN = {"udp": "127.0.0.1:0", "grpc": "127.0.0.1:0", "zenoh": "tcp/127.0.0.1:0"}
#: A call that is still in flight keeps the capsule from ending for so long.
GRACE_S = 60
#: udp counts a peer that says nothing as dead after 5 s.
NOTICED_S = 20
MEMORY_MAX = 32 * 1024 * 1024
TYPES = os.path.join(ROOT, "tests/kits/language.hector.yaml")
SLOW = """import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import hector

@hector.template("slow.Flow/1")
class Flow:
    def __init__(self, capsule):
        self.begun, self.ended = [], []

    async def drip(self) -> AsyncIterator[int]:
        self.begun.append("drip")
        try:
            while True:
                yield 1
                await asyncio.sleep(0.02)
        finally:
            self.ended.append("drip")

    def pour(self) -> Iterator[int]:
        self.begun.append("pour")
        try:
            while True:
                yield 1
                time.sleep(0.02)
        finally:
            self.ended.append("pour")

    async def once(self) -> AsyncIterator[int]:
        self.begun.append("once")
        try:
            yield 1
            await asyncio.sleep(3600)
        finally:
            self.ended.append("once")

    async def have_begun(self) -> list[str]:
        return self.begun

    async def have_ended(self) -> list[str]:
        return self.ended
"""
#: A client that reads `count` of kit.Language: all of it, or so many and then what is said.
CLIENT = """
import sys, time, grpc

where, how = sys.argv[1:]
channel = grpc.insecure_channel(where)
count = channel.unary_stream("/kit.Language/count")
endless = b"\\x0a\\x0a2000000000"
stream = count(endless)
for number, message in enumerate(stream):
    if number == 2:
        print("reading", flush=True)
    if number == 10 and how == "cancel":
        stream.cancel()
        break
    if number == 10 and how == "leave":
        sys.exit(0)
    if number == 10 and how == "hold":
        break
time.sleep(600)
"""


def resident(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Readers(unittest.TestCase):
    def start(self, protocol):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.process = self.capsules.configure(
            "south",
            f"""capsule: south
protocols: {{{protocol}: {{listen: "{LISTEN[protocol]}"}}}}
languages: [cpp, python]
store: memory
limits: {{drain_ms: {GRACE_S * 1000}}}
""",
        )

    def run_reader(self, *command):
        reader = subprocess.Popen(
            command,
            env=self.capsules.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        self.addCleanup(reader.stdout.close)
        return reader

    def ends_in_time(self):
        """As if there had been no reader."""
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(NOTICED_S), 0, self.capsules.log("south"))


class CommandLine(Readers):
    """`hector call` of a flow that is slow, so that it is in the middle of it."""

    def said(self, operation):
        return self.capsules.call(f"slow.{operation}", {}, "south").get("value", [])

    def leave(self, protocol, how):
        self.start(protocol)
        file = os.path.join(self.capsules.folder, "slow.py")
        with open(file, "w", encoding="utf-8") as out:
            out.write(SLOW)
        self.capsules.hector("load", "template", file, capsule="south")
        self.capsules.hector("create", "object", "slow.Flow", "--name", "slow", capsule="south")
        hector = os.path.join(self.capsules.build, "bin", "hector")
        readers = []
        for flow in ("drip", "once", "pour"):
            command = [hector, "--timeout-ms", "600000", "-c", "south", "call", f"slow.{flow}"]
            readers.append(self.run_reader(*command, "{}"))
            if flow != "pour":
                waiting.until(lambda: flow in self.said("have_begun"), 10, "the flow")
        waiting.spend(0.5, "a plain generator keeps the Object's thread, so that nothing is said")
        for reader in readers:
            reader.send_signal(how)
        for reader in readers:
            reader.wait(10)
        waiting.until(lambda: len(self.said("have_ended")) == len(readers), NOTICED_S, self.log)
        self.assertEqual(sorted(self.said("have_begun")), sorted(self.said("have_ended")))
        self.ends_in_time()

    def log(self):
        return f"ended: {self.said('have_ended')}\n{self.capsules.log('south')}"


def command_line(protocol):
    def interrupted(self):
        self.leave(protocol, signal.SIGINT)

    def killed(self):
        self.leave(protocol, signal.SIGKILL)

    tests = {"test_killed": killed, "__doc__": protocol}
    if protocol != "udp":  # where it takes 5 s, and is the same
        tests["test_interrupted"] = interrupted
    made = type(f"CommandLineOver{protocol.capitalize()}", (CommandLine,), tests)
    wanted = ("stores/memory", "languages/cpp", "languages/python")
    return needs(f"protocols/{protocol}", *wanted)(made)


CommandLineOverUdp, CommandLineOverGrpc, CommandLineOverZenoh = map(command_line, LISTEN)


@needs("protocols/grpc", "stores/memory", "languages/cpp", "languages/python")
class GrpcClient(Readers):
    def load(self, language):
        self.capsules.hector("load", "type", TYPES, capsule="south")
        if language == "cpp":
            kit = os.path.join(self.capsules.build, "lib/hector/languages/cpp/kit/kit.so")
        else:
            for each in ("tests/kits/language.hector.yaml", "tests/kits/kit.proto"):
                shutil.copy(os.path.join(ROOT, each), self.capsules.folder)
            kit = os.path.join(ROOT, "languages/python/kit/kit.py")
            kit = shutil.copy(kit, self.capsules.folder)
        self.capsules.hector("load", "template", kit, capsule="south")
        self.capsules.hector(
            "create", "object", f"kit.Language.{language}", "--name", "k", capsule="south"
        )

    def leave(self, how, act):
        for language in ("cpp", "python"):
            with self.subTest(language=language):
                self.start("grpc")
                self.load(language)
                where = self.capsules.address("south", "grpc")
                reader = self.run_reader(outside.python(), "-c", CLIENT, where, how)
                self.assertEqual(reader.stdout.readline(), b"reading\n")
                act(reader)
                # What the kits note when a message of `count` is not taken.
                unread = base64.b64encode(b"unread").decode()
                waiting.until(
                    lambda: self.capsules.call("k.notes", {}, "south").get("data") == unread,
                    NOTICED_S,
                    lambda: "the end of the flow\n" + self.capsules.log("south"),
                )
                self.ends_in_time()

    def kill(self, reader):
        reader.kill()
        reader.wait(10)

    def hold(self, reader):
        """Its messages wait in the Object, not in memory."""
        before = resident(self.process)
        waiting.spend(1, "the writer fills what the reader's window lets it")
        self.assertLess(resident(self.process) - before, MEMORY_MAX)
        self.kill(reader)

    def test_that_is_killed(self):
        self.leave("read", self.kill)

    def test_that_cancels(self):
        self.leave("cancel", lambda reader: None)

    def test_that_leaves_after_some_messages(self):
        self.leave("leave", lambda reader: reader.wait(10))

    def test_that_reads_no_more(self):
        self.leave("hold", self.hold)

    def test_that_is_stopped(self):
        def stop(reader):
            reader.send_signal(signal.SIGSTOP)
            self.hold(reader)

        self.leave("read", stop)


if __name__ == "__main__":
    unittest.main()
