"""Scripts of HEROS, Hermes and ROC on Hector's packages: the same program, but for the line of its
import.

What: hector.heros with the real HEROS as peer, hector.hermes with the real Hermes, hector.roc over
its own broker.
Why: people come from there with programs that work.
Who: ctest.
"""

import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest

sys.path[:0] = [
    os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), each)
    for each in ("tools", "tests/system")
]
import outside
from capsules import ROOT
from heros_test import HERE, VERSIONS, Peer, PeerError, eventually, free_port
from needs import needs
from zeromq_test import Network, ZeroMqPeer

BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
PACKAGES = os.path.join(BUILD, "lib", "hector", "languages", "python")
ON_HECTOR = {"heros": "hector.heros", "hermes": "hector.hermes"}


def changed(path, folder, module, name=None):
    """The program with its imports changed, and nothing else."""
    with open(path, encoding="utf-8") as file:
        lines = [
            line.replace(f"from {module} import", f"from {ON_HECTOR[module]} import").replace(
                f"from {module}.", f"from {ON_HECTOR[module]}."
            )
            for line in file
        ]
    out = os.path.join(folder, f"{name or 'on_hector_' + module}.py")
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
        self.assertEqual(
            client("call", "camera", "collect", [1, 2, 3], {"x": "y"}), [1, [2, 3], {"x": "y"}]
        )
        self.assertEqual(client("call", "camera", "collect", [1], {}), [1, [], {}])
        self.assertEqual(
            client("call", "camera", "image", [], {}),
            {"array": [[0, 1, 2], [3, 4, 5]], "dtype": "int16"},
        )
        self.assertEqual(client("get", "camera", "exposure"), 0.5)
        client("set", "camera", "exposure", 0.25)
        eventually(lambda: client("get", "camera", "exposure") == 0.25)
        self.assertEqual(client("echo_all", "camera"), [])
        if not is_old:
            with self.assertRaises(PeerError) as raised:
                client("call", "camera", "fail", ["ValueError"], {})
            self.assertIn("ValueError", raised.exception.bases)
        self.assertEqual(
            client("signature", "camera", "add"),
            "(a: 'int', b: 'int' = 2, *, scale: 'float' = 1.0) -> 'float'",
        )
        self.assertEqual(
            client("signature", "camera", "collect"), "(first, *rest, **named) -> 'None'"
        )
        self.assertEqual(client("get", "camera", "_proto_version"), 1.0)
        client("watch", "camera", "tick")
        eventually(lambda: server("fire", "camera", 0) is not None and client("events", 1, 0.2))
        client("events", 100, 0.2)
        for number in range(1, 6):
            server("fire", "camera", number)
        self.assertEqual([each[2] for each in client("events", 5, 5)], [1, 2, 3, 4, 5])
        server("publish", "camera", {"array": [1, None]})
        self.assertEqual([each[2] for each in client("events", 1, 5)], [{"array": [1, None]}])

    def test_ours_takes_a_text_error_as_the_real_one_does(self):
        ours, old = self.pair("0.9.1")
        old("serve", "texts")
        eventually(lambda: "texts" in ours("discover"))
        with self.assertRaises(PeerError) as raised:
            ours("call", "texts", "fail", ["ValueError"], {})
        self.assertEqual(raised.exception.type, "RemoteHEROError")
        self.assertNotIn("ValueError", raised.exception.bases)
        self.assertIn("told to fail", raised.exception.text)

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
                    eventually(
                        lambda: server("tell_data", "probe", {"inside": [21.5, "C"]}) == 1
                        and client("events", 1, 0.3)
                    )
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


class Script:
    """A program that runs by itself: what it prints, a line at a time."""

    def __init__(self, *command, **environment):
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip())
        self.lines.put(None)

    def until(self, pattern, seconds=20):
        """The lines up to the one that matches."""
        told, until = [], time.monotonic() + seconds
        while not told or not re.search(pattern, told[-1]):
            try:
                line = self.lines.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"it did not print {pattern}:\n" + "\n".join(told))
            told.append(line)
        return told

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@needs("protocols/heros", "languages/python")
class DocumentedExamples(unittest.TestCase):
    """HEROS' own examples, as its documentation shows them, from its source distribution."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.port = free_port()

    def zenoh(self, is_first):
        at = f"tcp/127.0.0.1:{self.port}"
        return json.dumps(
            {
                "mode": "peer",
                "listen": {"endpoints": [at if is_first else "tcp/127.0.0.1:0"]},
                "connect": {"endpoints": [] if is_first else [at]},
                "scouting": {"multicast": {"enabled": False}},
            }
        )

    def run_example(self, version, name, *arguments, is_first=True, is_ours=True):
        path = os.path.join(outside.heros_source(version), "examples", name + ".py")
        if is_ours:
            script = Script(
                "/usr/bin/python3.11",
                changed(path, self.folder.name, "heros", name),
                *arguments,
                PYTHONPATH=PACKAGES,
                HEROS_ZENOH_CONFIG=self.zenoh(is_first),
            )
        else:
            script = Script(
                outside.heros(version), path, *arguments, HEROS_ZENOH_CONFIG=self.zenoh(is_first)
            )
        self.addCleanup(script.close)
        return script

    def peer(self):
        peer = Peer("2026.2.2", f"tcp/127.0.0.1:{self.port}")
        self.addCleanup(peer.close)
        return peer

    def test_a_simple_hero_and_who_calls_it(self):
        for is_ours in (True, False):  # the second time the caller is the original
            with self.subTest(caller="ours" if is_ours else "HEROS"):
                self.port = free_port()
                self.run_example("2026.2.2", "share_local_hero_simple")
                peer = self.peer()
                eventually(lambda: "my_hero" in peer("discover"))
                caller = self.run_example(
                    "2026.2.2", "access_remote_hero_simple", is_first=False, is_ours=is_ours
                )
                self.assertEqual(caller.until("world")[-2:], ["5.0", "world"])
                eventually(lambda: peer("get", "my_hero", "testme") == 10)

    def test_a_hero_with_events_and_tags(self):
        for version in VERSIONS:
            with self.subTest(version):
                self.port = free_port()
                script = self.run_example(version, "share_local_hero", "foobar1")
                peer = self.peer()
                found = eventually(lambda: peer("discover").get("foobar1"))
                if version != "0.9.1":
                    self.assertTrue({"microhero", "bossed"} <= set(found["tags"]["set"]))
                    self.assertIn(
                        "atomiq.components.electronics.dac.DAC", found["implements"]["set"]
                    )
                self.assertIn(peer("call", "foobar1", "read_temp", [0, 10], {}), range(11))
                peer(
                    "set", "foobar1", "foovar", ["hallo", 2, []]
                )  # it is annotated as a text: a hint, as in Python
                self.assertEqual(peer("get", "foobar1", "foovar"), ["hallo", 2, []])
                peer("watch", "foobar1", "new_data")
                self.assertEqual(peer("events", 1, 5)[0][2]["test_data"][1], "mV")
                script.until("btw, foovar is")

    def test_callbacks_of_all_four_cases(self):
        told = self.run_example("2026.2.2", "connect_event_callbacks").until(
            r"printed from bob \['Alice', 1\]"
        )
        text = "\n".join(told)
        self.assertIn("Removing <built-in function print> from remote_alice.new_data", text)
        remaining = told[told.index("Remaining callbacks to remote_alice.new_data") + 1]
        self.assertIn("bob.print_from_afar", remaining)
        self.assertNotIn("RemoteHERO'", remaining)
        self.assertEqual(
            text.count("printed from bob ['Alice', 0]"), 1
        )  # connected twice, called once
        self.assertEqual(text.count("\n['Alice', 0]"), 1)

    def test_a_datasource_and_who_observes_it(self):
        source = self.run_example("2026.2.2", "datasource_hero", "probe")
        source.until("nonexistent")
        told = self.run_example("2026.2.2", "datasource_observer", is_first=False).until(
            "got message from probe"
        )[-1]
        self.assertRegex(told, r"'id': 'foo'.*'calibrated': True.*'unit': 'V'")
        peer = self.peer()
        peer("observe_data")
        eventually(lambda: peer("events", 1, 1), 15)

    def test_a_hero_beside_asyncio_and_a_hundred_of_them(self):
        self.run_example("2026.2.2", "share_local_hero_asyncio", "looped")
        self.run_example("2026.2.2", "spawn_multiple_localheros", is_first=False)
        peer = self.peer()
        eventually(lambda: len(peer("discover")) == 101, 30)
        peer("watch", "looped", "new_data")
        self.assertEqual(peer("events", 1, 5)[0][2][0], "test_data")


@needs(
    "protocols/zeromq",
    "protocols/udp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/type",
)
class Hermes(Network):
    endpoints = ("postoffice",)

    def test_ours_and_the_real_ones_in_one_network(self):
        program = changed(
            os.path.join(ROOT, "tests", "system", "zeromq_peers", "peer.py"),
            self.capsules.folder,
            "hermes",
        )
        with open(program, encoding="utf-8") as file:
            text = file.read()
        with open(
            program, "w", encoding="utf-8"
        ) as file:  # Debian's Python has no pyzmq: nothing here needs it
            file.write(
                text.replace("import zmq\n", "")
                .replace("context = zmq.Context()\n", "")
                .replace("class RocServer(threading.Thread):", "class RocServer:")
            )
        into, out = (f"tcp://127.0.0.1:{port}" for port in self.ports[:2])
        ours, real = Ours(program), self.zeromq()
        self.addCleanup(ours.close)
        for each in (ours, real):
            each("hermes_receive", out)
        for sender in (real, ours):
            eventually(
                lambda: sender("hermes_publish", into, "t/first", ["x"])
                and all(each("received", 1, 0.3) for each in (ours, real))
            )
            for each in (ours, real):
                each("received", 1000, 0.5)  # what is left of the first ones
            sender("hermes_publish", into, "t/x", ["text", ["a", 1], {"message": 7}])
            told = [each("received", 3, 5) for each in (ours, real)]
            for one in told:
                self.assertEqual(
                    [each[:3] for each in one[:2]],
                    [["t/x", "test-publisher", "text"], ["t/x", "test-publisher", ["a", 1]]],
                )
                self.assertEqual(
                    (one[2][2][0].rsplit(".", 1)[-1], one[2][2][1:]), ("Reading", [5.0, 7])
                )
        self.assertEqual(ours("alive"), [True])


#: Names of the packages that ours have not; docs/guides/worlds.md says why.
WITHOUT = {
    "heros": {
        ".event.TYPE_CHECKING",
        ".helper.ColoredFormatter",
        ".helper.Logger",
        ".serdes.is_builtin_class_instance",
    },
    "hermes": set(),
}
#: Parameters that zenoh's own values are given for.
OF_ZENOH = {".event.LocalEventHandler.__init__": ["reliability", "congestion_control"]}


@needs("protocols/heros", "protocols/zeromq", "languages/python")
class Names(unittest.TestCase):
    """Everything public of the packages is there, and is called alike."""

    def surface(self, interpreter, package):
        done = subprocess.run(
            [interpreter, os.path.join(ROOT, "tests", "system", "surface.py"), package],
            env=dict(os.environ, PYTHONPATH=PACKAGES if package.startswith("hector") else ""),
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def differences(self, theirs, ours):
        """What of theirs is missing in ours, or takes other parameters, by its full name."""
        for module, names in theirs.items():
            for name, what in names.items():
                if what == "of another package" or name == "log":
                    continue
                mine = ours.get(module, {}).get(name)
                where = f"{module}.{name}"
                if mine is None:
                    yield where, "missing"
                elif isinstance(what, dict) and isinstance(mine, dict):
                    for member, takes in what.items():
                        yield from self.compared(f"{where}.{member}", takes, mine.get(member, ()))
                else:
                    yield from self.compared(where, what, mine)

    def compared(self, where, theirs, ours):
        if ours == ():
            yield where, "missing"
        elif isinstance(theirs, list) and isinstance(ours, list):
            wanted = [each for each in theirs if each not in OF_ZENOH.get(where, [])]
            names = [each.rstrip("?") for each in ours]
            if [each.rstrip("?") for each in wanted] != names[: len(wanted)]:
                yield where, f"takes {names}, not {wanted}"
            elif missing := [each for each in wanted if each.endswith("?") and each not in ours]:
                yield where, f"needs {missing}"
            elif more := [each for each in ours[len(wanted) :] if not each.endswith("?")]:
                yield where, f"needs {more}"

    def compare(self, package, interpreter):
        ours = self.surface("/usr/bin/python3.11", "hector." + package)
        theirs = self.surface(interpreter, package)
        different = dict(self.differences(theirs, ours))
        self.assertGreater(sum(map(len, theirs.values())), 20)
        self.assertEqual(
            {
                where: why
                for where, why in different.items()
                if where not in WITHOUT[package] and not where.endswith(".get_call_wrapper")
            },
            {},
        )

    def test_of_heros(self):
        for version in VERSIONS:
            with self.subTest(version):
                self.compare("heros", outside.heros(version))

    def test_of_hermes(self):
        self.compare("hermes", outside.zeromq())


#: A client of a worker `calc` that is behind another program's broker.
ROC_CLIENT = """
import sys, time
from hector.roc import Endpoints, RocClient, RocError, RocTimeout

client = RocClient(Endpoints("127.0.0.1", int(sys.argv[1])), timeout=2.0)
calc = client["calc"]
print(calc.add(1, b=5) if sys.argv[2] == "described" else calc.add(1, 5))
print(calc.add(a=1, b=4), calc.echo([1, {"two": 2}]))
try:
    calc.fail()
except RocError as error:
    print("failed:", error)
try:
    calc.nothing()
except (AttributeError, RocError) as error:
    print("nothing:", type(error).__name__)
if sys.argv[2] == "described":
    calc.gain = 4.5
    print(calc.gain)
began = time.monotonic()
try:
    client["nobody"].add(1)
except RocTimeout as error:
    print("missing:", error, time.monotonic() - began < 10)
"""


@needs("protocols/zeromq", "languages/python")
class ForeignBroker(unittest.TestCase):
    """hector.roc where the broker is another program of 7/MDP: 8/MMI is a courtesy."""

    def use(self, mmi, is_described, has_worker_first=True):
        port = free_port()
        at = f"tcp://127.0.0.1:{port}"
        peer = ZeroMqPeer("")
        self.addCleanup(peer.close)
        peer("plain_broker", at, mmi)
        if has_worker_first:
            peer("serve", at, "calc", is_described)
        client = subprocess.Popen(
            [
                "/usr/bin/python3.11",
                "-c",
                ROC_CLIENT,
                str(port),
                "described" if is_described else "undescribed",
            ],
            env=dict(os.environ, PYTHONPATH=PACKAGES),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(client.kill)
        if not has_worker_first:
            peer("sleep", 1.0)
            peer("serve", at, "calc", is_described)
        told, _ = client.communicate(timeout=60)
        self.assertIn(
            "6\n5 [1, {'two': 2}]\nfailed: ValueError: told to fail\nnothing: "
            + ("AttributeError\n4.5\n" if is_described else "RocError\n"),
            told,
        )
        self.assertIn("missing: there is no object 'nobody' True", told)
        return peer("calls", "calc")

    def test_that_knows_no_mmi(self):
        calls = self.use("none", is_described=True)
        self.assertEqual(calls.count("add"), 2, "nothing is called twice")

    def test_that_refuses_mmi(self):
        self.use("501", is_described=True)

    def test_that_answers_for_one_name_at_a_time(self):
        self.use("names", is_described=True)

    def test_whose_worker_describes_nothing(self):
        for mmi in ("none", "names"):
            with self.subTest(mmi):
                calls = self.use(mmi, is_described=False)
                self.assertEqual(calls.count("add"), 2)

    def test_whose_worker_comes_after_it_was_asked_for(self):
        self.use("none", is_described=True, has_worker_first=False)


@needs("protocols/zeromq", "languages/python")
class Roc(unittest.TestCase):
    def test_server_client_status_and_logs(self):
        done = subprocess.run(
            [
                "/usr/bin/python3.11",
                "-c",
                textwrap.dedent("""
            import logging, sys, time
            from hector.roc import Endpoints, LogViewer, RocBroker, RocClient, RocError, RocLogHandler, RocServer, RocTimeout, StatusUpdater, statusUpdateIterator

            class BadText(Exception):
                def __str__(self):
                    raise RuntimeError("even its text fails")

            class Spectrometer:
                def __init__(self):
                    self.gain = 1.5
                def expose(self, seconds, shutter=True):
                    return {"seconds": seconds, "shutter": shutter}
                def fail(self):
                    raise ValueError("told to fail")
                def slow(self):
                    time.sleep(1)
                def odd(self, kind):
                    if kind == "lone":
                        raise ValueError("lone \\udcff")
                    if kind == "no text":
                        raise BadText
                    if kind == "class":
                        raise type("Ж", (Exception,), {})("of a class beyond ASCII")
                    if kind == "exit":
                        sys.exit("bye")
                    if kind == "interrupt":
                        raise KeyboardInterrupt
                    return "lone \\udcff"

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
                for kind in ("lone", "no text", "class", "exit", "interrupt", "value"):
                    try:
                        print(vnir.odd(kind))
                    except RocTimeout:
                        print(kind, "hangs")
                    except RocError as error:
                        print(kind, "arrives:", error)
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
            """),
                Network.triple().rsplit(":", 1)[1],
                os.devnull,
            ],
            env=dict(os.environ, PYTHONPATH=PACKAGES),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(
            done.stdout.splitlines(),
            [
                "{'seconds': 2.0, 'shutter': True} {'seconds': 1, 'shutter': False} 1.5",
                "2.5",
                "failed: ValueError: told to fail",
                "lone arrives: ValueError: lone \\udcff",
                "no text arrives: BadText: (BadText, whose own text fails)",
                "class arrives: Ж: of a class beyond ASCII",
                "exit arrives: SystemExit: bye",
                "interrupt arrives: KeyboardInterrupt: ",
                "value arrives: UnicodeEncodeError: 'utf-8' codec can't encode character '\\udcff'"
                " in position 5: surrogates not allowed",
                "late",
                "missing: there is no object 'nobody'",
                "('', {})",
                "('mount.encoder', {'1': 37.5})",
                "north WARNING hot",
            ],
            done.stderr,
        )


if __name__ == "__main__":
    unittest.main(verbosity=2)
