"""A process that the system refuses something: file size, descriptors, threads, memory.

What: a limit of a running capsule is lowered until an operation meets it, and raised again.
Why: the limit is an error to whoever asked, a capsule that lives, and recovery without a restart.
Who: ctest.
"""

import json
import os
import resource
import signal
import subprocess
import unittest

import waiting
from capsules import ROOT, CommandFailed, Capsules
from needs import needs

CAPSULE = """capsule: north
protocols: {udp: {listen: "127.0.0.1:0"}}
services: {naming: embedded}
languages: [LANGUAGES]
store: STORE
limits: {drain_ms: 500}
"""
EXHAUSTED = "RESOURCE_EXHAUSTED"
PYTHON = """
import hector

@hector.template("test.Eater/1")
class Eater:
    def eat(self, size: int) -> int:
        return len(bytearray(size))
"""
MIB = 2**20


class Limits(unittest.TestCase):
    def start(self, languages="", store="memory"):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        text = CAPSULE.replace("LANGUAGES", languages).replace("STORE", store)
        self.process = self.capsules.configure("north", text)

    def limit(self, which, value):
        """The capsule's, and back at the end."""
        limits = resource.prlimit(self.process.pid, which)
        self.addCleanup(self.restore, which, limits)
        resource.prlimit(self.process.pid, which, (value, limits[1]))

    def restore(self, which, limits):
        if self.process.poll() is None:
            resource.prlimit(self.process.pid, which, limits)

    def unlimit(self, which):
        most = resource.prlimit(self.process.pid, which)[1]
        resource.prlimit(self.process.pid, which, (most, most))

    def size_kib(self, key):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(key + ":"))

    def refused(self, *arguments):
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector(*arguments, capsule="north")
        self.assertIn(EXHAUSTED, refused.exception.text)
        return refused.exception.text

    def lives(self):
        self.assertIsNone(self.process.poll(), self.capsules.log("north"))
        self.capsules.hector("get", "objects", capsule="north")

    def load(self, name, text):
        path = os.path.join(self.capsules.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.capsules.hector("load", "template", path, capsule="north")


@needs("protocols/udp", "services/naming", "stores/sqlite")
class FileSize(Limits):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.file = os.path.join(self.capsules.folder, "north.db")
        self.text = CAPSULE.replace("LANGUAGES", "").replace("STORE", f"sqlite:{self.file}")
        self.process = self.capsules.configure("north", self.text)

    def bind(self, name):
        self.capsules.hector("name", "create", name, capsule="north")

    def names(self):
        listed = json.loads(self.capsules.hector("name", "list", "-o", "json", capsule="north"))
        return {item["name"] for item in listed["bindings"]}

    def test_a_store_that_may_not_grow_refuses_keeps_and_recovers(self):
        wal = os.path.getsize(self.file + "-wal")
        self.limit(resource.RLIMIT_FSIZE, wal + 40_000)
        kept = []
        with self.assertRaises(CommandFailed) as refused:
            for number in range(200):
                self.bind(f"n{number}")
                kept.append(f"n{number}")
        self.assertIn(EXHAUSTED, refused.exception.text)
        self.assertGreater(len(kept), 0)
        for _ in range(3):  # not only the write that crosses the limit
            with self.assertRaises(CommandFailed) as refused:
                self.bind("later")
            self.assertIn(EXHAUSTED, refused.exception.text)
        self.lives()
        self.assertLessEqual(set(kept), self.names())
        self.unlimit(resource.RLIMIT_FSIZE)
        self.bind("later")
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = self.capsules.configure("north", self.text)
        self.assertLessEqual({*kept, "later"}, self.names())


@needs("protocols/udp", "services/naming", "stores/memory", "languages/python")
class Memory(Limits):
    def setUp(self):
        self.start(languages="python")
        self.load("eater.py", PYTHON)
        template = self.capsules.json("get", "templates", capsule="north")[0]["name"]
        self.capsules.hector("create", "object", template, "--name", "eater", capsule="north")

    def test_what_an_object_cannot_have_is_its_callers_error(self):
        answer = self.capsules.call("eater.eat", {"size": 1000}, "north")
        self.assertEqual(answer, {"value": "1000"})
        self.limit(resource.RLIMIT_AS, self.size_kib("VmSize") * 1024 + 64 * MIB)
        for size in (10**9, 10**10, 10**15):
            self.refused("call", "eater.eat", json.dumps({"size": size}))
        self.lives()
        self.unlimit(resource.RLIMIT_AS)
        answer = self.capsules.call("eater.eat", {"size": 200 * MIB}, "north")
        self.assertEqual(answer, {"value": str(200 * MIB)})


@needs("protocols/udp", "services/naming", "stores/memory", "languages/cpp")
class Threads(Limits):
    """Without room for a stack the system gives no thread."""

    def setUp(self):
        self.start(languages="cpp")
        kit = os.path.join(self.capsules.build, "lib/hector/languages/cpp/kit/kit.so")
        types = os.path.join(ROOT, "tests/kits/language.hector.yaml")
        self.capsules.hector("load", "type", types, capsule="north")
        self.capsules.hector("load", "template", kit, capsule="north")
        for number in range(9):  # what management needs is there
            self.capsules.hector("get", "objects", capsule="north")

    def create(self, name):
        return ("create", "object", "kit.Language.cpp", "--name", name)

    def test_an_object_that_gets_no_thread_is_refused(self):
        self.limit(resource.RLIMIT_AS, self.size_kib("VmSize") * 1024 + 4 * MIB)
        self.assertIn("thread", self.refused(*self.create("a")))
        self.lives()
        self.unlimit(resource.RLIMIT_AS)
        self.capsules.hector(*self.create("a"), capsule="north")
        self.assertEqual(self.capsules.call("a.echo", {"data": "aGk="}, "north"), {"data": "aGk="})

    def test_memory_that_a_cpp_object_cannot_have_is_its_callers_error(self):
        self.capsules.hector(*self.create("a"), capsule="north")
        text = self.refused("call", "a.crashes", json.dumps({"data": "d2l0aG91dCBtZW1vcnk="}))
        self.assertIn("memory", text)
        self.lives()


@needs("protocols/udp", "services/naming", "stores/memory", "languages/cpp")
class Descriptors(Limits):
    def test_what_needs_a_file_is_refused_and_later_done(self):
        self.start(languages="cpp")
        hello = os.path.join(self.capsules.build, "lib/hector/templates/hello/hello.so")
        used = max(int(each) for each in os.listdir(f"/proc/{self.process.pid}/fd")) + 1
        self.limit(resource.RLIMIT_NOFILE, used)
        with self.assertRaises(CommandFailed):
            self.capsules.hector("load", "template", hello, capsule="north")
        self.lives()
        self.unlimit(resource.RLIMIT_NOFILE)
        self.capsules.hector("load", "template", hello, capsule="north")

    def test_a_capsule_that_cannot_start_says_which_limit(self):
        self.start()
        self.process.terminate()
        self.process.wait()
        path = os.path.join(self.capsules.folder, "north.yaml")
        for descriptors in range(5, 20, 2):
            program = os.path.join(self.capsules.build, "bin", "hector-capsule")
            reference = os.path.join(self.capsules.run, "north.reference")
            with subprocess.Popen(
                ["sh", "-c", f"ulimit -n {descriptors}; exec {program} {path}"],
                env=self.capsules.environment,
                stderr=subprocess.PIPE,
                text=True,
            ) as process:
                waiting.until(lambda: process.poll() is not None or os.path.exists(reference), 30)
                process.terminate()
                said = process.stderr.read()
            with self.subTest(descriptors):
                self.assertIn(process.returncode, (0, 1, 2), said)
                self.assertNotIn("terminate called", said)


if __name__ == "__main__":
    unittest.main()
