"""Scripts of HEROS, Hermes and ROC on Hector's packages: the same program, but for the line of its import.

What: hector.heros with the real HEROS as peer, hector.hermes with the real Hermes, hector.roc over its own broker. Why: people come from
there with programs that work. Who: ctest.
"""
import os
import queue
import subprocess
import sys
import textwrap
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), each) for each in ("tools", "tests/system")]
from capsules import ROOT
from heros_test import HERE, VERSIONS, Peer, PeerError, eventually, free_port
from needs import needs
from zeromq_test import Network, ZeroMqPeer

BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
PACKAGES = os.path.join(BUILD, "lib", "hector", "languages", "python")
ON_HECTOR = {"heros": "hector.heros", "hermes": "hector.hermes"}


def changed(path, folder, module):
    """The program with its imports changed, and nothing else."""
    with open(path, encoding="utf-8") as file:
        lines = [line.replace(f"from {module} import", f"from {ON_HECTOR[module]} import").replace(f"from {module}.", f"from {ON_HECTOR[module]}.") for line in file]
    out = os.path.join(folder, f"on_hector_{module}.py")
    with open(out, "w", encoding="utf-8") as file:
        file.writelines(lines)
    return out


class Ours(Peer):
    """A peer's program on Hector's package."""
    program = ""

    def __init__(self, program, *arguments, **environment):
        self.program = program
        before = dict(os.environ)
        os.environ.update(environment, PYTHONPATH=PACKAGES)
        try:
            super().__init__("", *arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def command(self, _):
        return ["/usr/bin/python3.11", self.program]


@needs("protocols/heros", "languages/python")
class Heros(unittest.TestCase):
    def setUp(self):
        import tempfile
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.program = changed(os.path.join(HERE, "peer.py"), folder.name, "heros")

    def pair(self, version):
        """Ours listens, the other one connects."""
        at = f"tcp/127.0.0.1:{free_port()}"
        ours = Ours(self.program, PEER_LISTEN=at)
        self.addCleanup(ours.close)
        eventually(lambda: ours("discover") == {})
        other = Peer(version, at) if version else Ours(self.program, at)
        self.addCleanup(other.close)
        return ours, other

    def use(self, server, client, is_old):
        server("serve", "camera")
        eventually(lambda: "camera" in client("discover"))
        self.assertEqual(client("call", "camera", "add", [1], {"b": 5, "scale": 2.0}), 12.0)
        self.assertEqual(client("call", "camera", "add", [1], {}), 3.0)
        self.assertEqual(client("call", "camera", "collect", [1, 2, 3], {"x": "y"}), [1, [2, 3], {"x": "y"}])
        self.assertEqual(client("call", "camera", "collect", [1], {}), [1, [], {}])
        self.assertEqual(client("call", "camera", "image", [], {}), {"array": [[0, 1, 2], [3, 4, 5]], "dtype": "int16"})
        self.assertEqual(client("get", "camera", "exposure"), 0.5)
        client("set", "camera", "exposure", 0.25)
        eventually(lambda: client("get", "camera", "exposure") == 0.25)
        self.assertEqual(client("echo_all", "camera"), [])
        if not is_old:
            with self.assertRaises(PeerError) as raised:
                client("call", "camera", "fail", ["ValueError"], {})
            self.assertIn("ValueError", raised.exception.bases)
        client("watch", "camera", "tick")
        eventually(lambda: server("fire", "camera", 0) is not None and client("events", 1, 0.2))
        client("events", 100, 0.2)
        for number in range(1, 6):
            server("fire", "camera", number)
        self.assertEqual([each[2] for each in client("events", 5, 5)], [1, 2, 3, 4, 5])

    def test_ours_serves_the_real_ones(self):
        for version in VERSIONS:
            with self.subTest(version):
                ours, other = self.pair(version)
                self.use(ours, other, version == "0.9.1")

    def test_ours_uses_the_real_ones(self):
        for version in VERSIONS:
            with self.subTest(version):
                ours, other = self.pair(version)
                other("serve", "tagged", {"tags": ["optics"], "implements": ["lab.imaging"]})
                found = eventually(lambda: ours("discover").get("tagged"))
                self.assertIn("optics", found["tags"]["set"])
                self.assertIn("lab.imaging", found["implements"]["set"])
                other("stop", "tagged")
                self.use(other, ours, version == "0.9.1")  # its errors do not say their type

    def test_datasources(self):
        for version in VERSIONS:
            for is_ours in (True, False):
                with self.subTest(version, serves="ours" if is_ours else "theirs"):
                    server, client = self.pair(version) if is_ours else reversed(self.pair(version))
                    server("serve_data", "probe")
                    client("observe_data")
                    eventually(lambda: server("tell_data", "probe", {"inside": [21.5, "C"]}) == 1 and client("events", 1, 0.3))
                    client("events", 100, 0.2)
                    server("tell_data", "probe", {"inside": [22.5, "C"]})
                    self.assertEqual(client("events", 1, 5)[-1][0], "probe")

    def test_ours_with_ours_and_who_dies_is_reported(self):
        ours, other = self.pair("")
        self.use(other, ours, False)
        ours("observe")
        begin = time.monotonic()
        other.close()
        self.assertEqual(ours("events", 1, 5), [["removed", "camera"]])
        print(f"who was killed is reported after {time.monotonic() - begin:.2f} s")
        self.assertLess(time.monotonic() - begin, 5.0)
        with self.assertRaises(PeerError) as raised:
            ours("call", "camera", "add", [1], {})
        self.assertIn("HEROSError", raised.exception.bases)  # never None


@needs("protocols/zeromq", "protocols/udp", "languages/python", "services/naming", "services/trading", "services/type")
class Hermes(Network):
    endpoints = ("postoffice",)

    def test_ours_and_the_real_ones_in_one_network(self):
        program = changed(os.path.join(ROOT, "tests", "system", "zeromq_peers", "peer.py"), self.capsules.folder, "hermes")
        with open(program, encoding="utf-8") as file:
            text = file.read()
        with open(program, "w", encoding="utf-8") as file:  # Debian's Python has no pyzmq: nothing here needs it
            file.write(text.replace("import zmq\n", "").replace("context = zmq.Context()\n", "").replace("class RocServer(threading.Thread):", "class RocServer:"))
        into, out = (f"tcp://127.0.0.1:{port}" for port in self.ports[:2])
        ours, real = Ours(program), self.zeromq()
        self.addCleanup(ours.close)
        for each in (ours, real):
            each("hermes_receive", out)
        for sender in (real, ours):
            eventually(lambda: sender("hermes_publish", into, "t/first", ["x"]) and all(each("received", 1, 0.3) for each in (ours, real)))
            time.sleep(0.3)
            for each in (ours, real):
                each("received", 1000, 0.3)
            sender("hermes_publish", into, "t/x", ["text", ["a", 1], {"message": 7}])
            told = [each("received", 3, 5) for each in (ours, real)]
            for one in told:
                self.assertEqual([each[:3] for each in one[:2]], [["t/x", "test-publisher", "text"], ["t/x", "test-publisher", ["a", 1]]])
                self.assertEqual((one[2][2][0].rsplit(".", 1)[-1], one[2][2][1:]), ("Reading", [5.0, 7]))
        self.assertEqual(ours("alive"), [True])


@needs("protocols/zeromq", "languages/python")
class Roc(unittest.TestCase):
    def test_server_client_status_and_logs(self):
        done = subprocess.run(["/usr/bin/python3.11", "-c", textwrap.dedent("""
            import logging, sys, time
            from hector.roc import Endpoints, LogViewer, RocBroker, RocClient, RocError, RocLogHandler, RocServer, RocTimeout, StatusUpdater, statusUpdateIterator

            class Spectrometer:
                def __init__(self):
                    self.gain = 1.5
                def expose(self, seconds, shutter=True):
                    return {"seconds": seconds, "shutter": shutter}
                def fail(self):
                    raise ValueError("told to fail")
                def slow(self):
                    time.sleep(1)

            endpoints = Endpoints("127.0.0.1", int(sys.argv[1]))
            with RocBroker(endpoints, heartbeat=0.2), RocServer("vnir", Spectrometer(), endpoints, heartbeat=0.2):
                client = RocClient(endpoints, timeout=2.0, heartbeat=0.2)
                vnir = client["vnir"]
                print(vnir.expose(2.0), vnir.expose(1, shutter=False), vnir.gain)
                vnir.gain = 2.5
                print(vnir.gain)
                try:
                    vnir.fail()
                except RocError as error:
                    print("failed:", error)
                try:
                    RocClient(endpoints, timeout=0.2, heartbeat=0.2)["vnir"].slow()
                except RocTimeout as error:
                    print("late")
                try:
                    client["nobody"].nothing()
                except RocTimeout as error:
                    print("missing:", error)
                told = statusUpdateIterator("mount.encoder", timeout=0.2, endpoints=endpoints, heartbeat=0.2)
                print(next(told))
                updater = StatusUpdater("mount", endpoints, heartbeat=0.2)
                until = time.monotonic() + 5
                while (status := next(told))[0] == "" and time.monotonic() < until:
                    updater.update({"encoder": {"1": 37.5}, "other": 1})
                print(status)
                viewer = LogViewer(endpoints, path=sys.argv[2], heartbeat=0.2)
                log = logging.getLogger("lab")
                log.addHandler(RocLogHandler("north", endpoints, heartbeat=0.2))
                record = None
                while record is None and time.monotonic() < until:
                    log.warning("hot")
                    try:
                        record = viewer.next(timeout=0.2)
                    except Exception:
                        pass
                print(record[0], record[1]["levelname"], record[1]["msg"])
            """), Network.triple().rsplit(":", 1)[1], os.devnull], env=dict(os.environ, PYTHONPATH=PACKAGES), capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stdout.splitlines(), ["{'seconds': 2.0, 'shutter': True} {'seconds': 1, 'shutter': False} 1.5", "2.5", "failed: ValueError: told to fail", "late", "missing: there is no object 'nobody'", "('', {})",
                                                    "('mount.encoder', {'1': 37.5})", "north WARNING hot"], done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
