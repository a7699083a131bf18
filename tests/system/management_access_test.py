"""Who may manage a capsule.

What: the capsule's own user, and another one, ask its management over each protocol.
Why: whoever manages a capsule runs code as its user; reaching a port of it is no right to that.
Who: ctest.
"""

import ipaddress
import json
import os
import resource
import shutil
import subprocess
import tempfile
import unittest

import http2_peer as h2
import waiting
from capsules import Capsules, CommandFailed
from needs import is_open_to_all, needs

CAPSULE = """capsule: north
protocols: {{{protocols}}}
log: {{level: warning}}
{more}
"""
LOOPBACK = 'listen: "127.0.0.1:0"'
NOBODY = 65534
DENIED = 4  # of a command (docs/command_line.md)


class Access(unittest.TestCase):
    def start(self, protocols, more=""):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.capsules.configure("north", CAPSULE.format(protocols=protocols, more=more))
        path = os.path.join(self.capsules.run, "north.reference")
        with open(path, encoding="utf-8") as file:
            self.reference = file.read().strip()

    def own(self, protocol):
        return self.capsules.hector("--protocol", protocol, "get", "objects", capsule="north")

    def as_nobody(self, work):
        """The exit status of work() in a process of another user."""
        "localhost".encode("idna")  # imported now: the other user may not reach the file
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                os._exit(work())
            finally:
                os._exit(99)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@unittest.skipIf(os.getuid() != 0, "only root can be another user")
class AnotherUser(Access):
    def command(self, *words):
        """Of another user, who was given the reference."""
        program = os.path.join(self.capsules.build, "bin", "hector")
        if not is_open_to_all(program):
            self.skipTest("another user cannot reach the program")
        folder = tempfile.mkdtemp(prefix="hector-nobody-")
        self.addCleanup(shutil.rmtree, folder)
        os.chown(folder, NOBODY, NOBODY)
        return subprocess.run(
            [program, "-c", self.reference, *words],
            env=dict(os.environ, HECTOR_RUN_DIRECTORY=folder),
            capture_output=True,
            text=True,
            check=False,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
        )

    @needs("protocols/udp")
    def test_is_refused_over_udp_and_told_why(self):
        folder = tempfile.mkdtemp(prefix="hector-audit-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "north.audit")
        self.start(f"udp: {{{LOOPBACK}}}", f"audit: {path}")
        self.own("udp")
        for words in (
            ["load", "template", "/tmp/evil.py"],
            ["unload", "protocol", "udp"],
            ["create", "object", "hello.Hello"],
            ["delete", "object", "hi"],
            ["bind", "diary.Meeting/1"],
            ["call", "_management.unload", '{"kind": "protocol", "name": "udp"}'],
            ["call", f"{self.reference}.unload", '{"kind": "protocol", "name": "udp"}'],
        ):
            done = self.command(*words)
            self.assertEqual(done.returncode, DENIED, done.stderr)
            self.assertIn(f"is of user {NOBODY}", done.stderr)
        self.assertEqual(self.command("get", "objects").returncode, 0, "everybody may look")
        self.assertIn("management refused", self.capsules.log("north"))
        refusals = lambda: json.loads(  # noqa: E731
            self.capsules.hector("audit", "show", path, "--outcome", "refused", "-o", "json")
        )
        refused = waiting.until(refusals, what="the record of a refusal")
        self.assertEqual((refused[0]["action"], refused[0]["object"]), ("load", "north"))
        self.assertIn(f"uid:{NOBODY} ", refused[0]["principal"])
        self.own("udp")

    @needs("protocols/unix")
    def test_reaches_no_socket_file(self):
        self.start("unix: {}")
        self.own("unix")
        done = self.command("get", "objects")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Permission denied", done.stderr)

    @needs("protocols/grpc")
    def test_loads_nothing_over_grpc(self):
        """What any gRPC client can send; the answer's trailer says what became of it."""
        self.start(f"grpc: {{{LOOPBACK}}}")
        self.own("grpc")
        address = self.capsules.address("north", "grpc")
        request = h2.message(b"\x0a\x08template\x12\x0b/tmp/evil.py")

        self.peers = []

        def load():
            peer = h2.Peer(address, timeout=10)
            self.peers.append(peer)  # closed by the process's end
            peer.acknowledge()
            peer.send(peer.open("/hector.Management/load"))
            peer.send(h2.frame(h2.DATA, h2.END_STREAM, 1, request))
            said = b""
            while f"is of user {NOBODY}".encode() not in said:
                more = peer.socket.recv(65536)
                if not more:
                    return 2
                said += more
            return 0

        self.assertEqual(self.as_nobody(load), 0)
        self.own("grpc")

    @needs("protocols/udp")
    def test_may_where_the_configuration_says_so(self):
        self.start(f"udp: {{{LOOPBACK}}}", "management: {insecure: true}")
        done = self.command("unload", "protocol", "nothing")
        self.assertNotEqual(done.returncode, DENIED, done.stderr)
        self.assertIn("management is open", self.capsules.log("north"))


class Audited(Access):
    def records(self, path, *options):
        shown = self.capsules.hector("audit", "show", *options, "-o", "json", path)
        return json.loads(shown)

    @needs("protocols/udp", "languages/cpp", "templates/hello")
    def test_each_act_and_each_refusal_is_recorded(self):
        folder = tempfile.mkdtemp(prefix="hector-audit-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "north.audit")
        self.start(f"udp: {{{LOOPBACK}}}", f"languages: [cpp]\naudit: {path}")
        hello = os.path.join(self.capsules.build, "lib/hector/templates/hello/hello.so")
        hector = lambda *words: self.capsules.hector(*words, capsule="north")  # noqa: E731
        hector("load", "template", hello)
        hector("create", "object", "hello.Hello.cpp", "--name", "hi")
        hector("get", "objects")
        with self.assertRaises(CommandFailed):
            hector("unload", "protocol", "nothing")
        self.assertIn("whole", self.capsules.hector("audit", "verify", path))
        told = [(each["action"], each["outcome"]) for each in self.records(path)]
        self.assertEqual(
            told,
            [
                ("start capsule", "done"),
                ("load template", "begun"),
                ("load template", "done"),
                ("create object", "begun"),
                ("create object", "done"),
                ("unload protocol", "begun"),
                ("unload protocol", "failed"),
            ],
        )
        self.assertIn(f"uid:{os.getuid()} ", self.records(path)[1]["principal"])

    @needs("protocols/udp")
    def test_nothing_is_done_that_cannot_be_recorded(self):
        """The log is on a disk that has become full."""
        folder = tempfile.mkdtemp(prefix="hector-audit-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "north.audit")
        self.start(f"udp: {{{LOOPBACK}}}", f"audit: {path}")
        limit = os.path.getsize(path) + 10
        pid = self.capsules.processes["north"].pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector("unload", "protocol", "udp", capsule="north")
        self.assertIn("cannot be recorded", str(refused.exception))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        self.own("udp")  # it is still there


class Listens(Access):
    LISTEN, UNCONNECTED = 0x0A, 0x07  # of TCP and of UDP (include/net/tcp_states.h)

    def endpoints(self, pid):
        """Own addresses of all sockets at which the process can be reached by IP."""
        sockets = set()
        for each in os.listdir(f"/proc/{pid}/fd"):
            try:
                sockets.add(os.readlink(f"/proc/{pid}/fd/{each}"))
            except FileNotFoundError:
                pass  # closed meanwhile
        for table in ("tcp", "tcp6", "udp", "udp6"):
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:
                for line in list(lines)[1:]:
                    own, state, inode = (line.split()[i] for i in (1, 3, 9))
                    is_open = int(state, 16) in (self.LISTEN, self.UNCONNECTED)
                    if is_open and f"socket:[{inode}]" in sockets:
                        octets = bytes.fromhex(own.split(":")[0])
                        words = [octets[i : i + 4][::-1] for i in range(0, len(octets), 4)]
                        yield ipaddress.ip_address(b"".join(words))

    @needs("protocols/udp", "protocols/grpc", "protocols/zenoh", "protocols/unix")
    def test_on_loopback_and_at_socket_files_unless_told_otherwise(self):
        self.start("udp: {}, grpc: {}, zenoh: {}, unix: {}")
        pid = self.capsules.processes["north"].pid
        found = list(self.endpoints(pid))
        self.assertGreaterEqual(len(found), 3)
        self.assertEqual([str(each) for each in found if not each.is_loopback], [])


@needs("protocols/zenoh", "protocols/unix")
class WithoutALoopback(Access):
    def test_a_socket_file_is_the_way_in(self):
        self.start('zenoh: {listen: "tcp/127.0.0.1:0"}')
        file = os.path.join(self.capsules.run, "north.sock")
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        self.own("zenoh")
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector(
                *("--protocol", "zenoh", "unload", "protocol", "zenoh"), capsule="north"
            )
        self.assertEqual(refused.exception.code, DENIED)
        self.assertIn("management: {insecure: true}", str(refused.exception))
        self.capsules.hector("unload", "protocol", "zenoh", "--force", capsule="north")
        self.assertNotIn("zenoh", self.capsules.hector("get", "protocols", capsule="north"))
        self.capsules.stop()
        self.assertFalse(os.path.exists(file))

    def test_none_is_made_where_there_is_another(self):
        self.start(f'zenoh: {{listen: "tcp/127.0.0.1:0"}}, udp: {{{LOOPBACK}}}')
        self.assertEqual([each for each in os.listdir(self.capsules.run) if "sock" in each], [])


if __name__ == "__main__":
    unittest.main()
