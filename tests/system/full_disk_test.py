"""A full disk: the store's, the run directory's and the log's.

What: a capsule lives on a small file system in memory, which is filled and emptied again.
Why: whoever asks for a write is told what, where and what to do; nothing that was acknowledged is
lost, reads go on, and with room the same writes succeed without a restart.
Who: ctest. It starts itself again in mount and user namespaces of its own.
"""

import errno
import os
import signal
import subprocess
import sys
import unittest

import waiting
from capsules import ROOT, CommandFailed, Capsules
from needs import needs

CAPSULE = """capsule: {name}
protocols: {{udp: {{listen: "127.0.0.1:0"}}}}
services: {{{services}}}
languages: [{languages}]
store: {store}
"""
SERVICES = ("naming", "trading", "policy", "type")
EMBEDDED = ", ".join(f"{name}: embedded" for name in SERVICES)
#: In the environment: the namespaces are there.
MARK = "HECTOR_OWN_MOUNTS"
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
TRY = ("sh", "-c", "mount -t tmpfs tmpfs /mnt")
MIB = 2**20
PAGE = os.sysconf("SC_PAGESIZE")
TYPES = os.path.join(ROOT, "tests/kits/language.hector.yaml")
NO_ROOM = "store has no room"


class Disk:
    """A file system of so many MiB at a folder."""

    def __init__(self, folder, size_mib):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", folder], check=True
        )
        self.folder = folder
        self.filler = os.path.join(folder, "filler")

    def fill(self):
        """To the last octet."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (MIB, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def make_room(self):
        os.remove(self.filler)

    def unmount(self):
        subprocess.run(["umount", "--lazy", self.folder], check=True)


@unittest.skipUnless(os.environ.get(MARK), "mount namespaces of one's own are not allowed here")
class FullDisk(unittest.TestCase):
    languages = ""

    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.disk = Disk(os.path.join(self.capsules.folder, "disk"), 4)
        self.addCleanup(self.disk.unmount)
        self.addCleanup(self.capsules.stop)  # before the disk goes

    def start(self, name="north", services=EMBEDDED):
        text = CAPSULE.format(
            name=name,
            services=services,
            languages=self.languages,
            store=f"sqlite:{self.disk.folder}/{name}.db" if services else "memory",
        )
        self.process = self.capsules.configure(name, text)

    def use_run_directory(self):
        """Of the disk."""
        self.capsules.run = os.path.join(self.disk.folder, "run")
        os.makedirs(self.capsules.run, mode=0o700)
        self.capsules.environment["HECTOR_RUN_DIRECTORY"] = self.capsules.run

    def hector(self, *arguments):
        return self.capsules.hector(*arguments, capsule="north")

    def refused(self, *arguments):
        with self.subTest(arguments), self.assertRaises(CommandFailed) as refused:
            self.hector(*arguments)
        text = refused.exception.text
        self.assertIn("RESOURCE_EXHAUSTED", text)
        self.assertIn(os.path.join(self.disk.folder, "north.db"), text)
        self.assertIn("make room on the disk", text)

    def lives(self):
        self.assertIsNone(self.process.poll(), self.capsules.log("north"))

    def names(self):
        listed = self.capsules.json("name", "list", capsule="north")
        return {item["name"] for item in listed["bindings"]}

    def logged(self, event):
        return sum(event in line for line in self.capsules.log("north").splitlines())

    def until_it_says_that_there_is_room(self):
        def said():
            self.hector("name", "create", f"n{os.urandom(4).hex()}")
            return self.logged("store has room again")

        waiting.until(said, 30, "the record in the log")

    def kill_and_start(self):
        self.process.kill()
        self.process.wait()
        self.start()


@needs("protocols/udp", "stores/sqlite", *(f"services/{name}" for name in SERVICES))
class Store(FullDisk):
    WRITES = (
        ("name", "create", "later"),
        ("name", "bind", "bound", "--address", "a=1"),
        ("trade", "export", "Printer", "early", "ppm=4"),
        ("trade", "type", "add", "Plotter", "ppm:long"),
        ("policy", "put", "enterprise", "*later", "1"),
        ("type", "publish", TYPES),
    )

    def setUp(self):
        super().setUp()
        self.start()
        self.hector("name", "create", "early")
        self.hector("trade", "type", "add", "Printer", "ppm:long")
        self.hector("trade", "export", "Printer", "early", "ppm=3")
        self.hector("policy", "put", "enterprise", "*early", "1")

    def is_all_there(self, ppm):
        self.assertIn("early", self.names())
        self.assertIn("*early", self.hector("policy", "list", "enterprise"))
        offers = self.hector("trade", "query", "Printer")
        for each in ppm:
            self.assertIn(str(each), offers)

    def test_writes_are_refused_with_the_reason_and_reads_served_until_there_is_room(self):
        self.disk.fill()
        for _ in range(3):
            for write in self.WRITES:
                self.refused(*write)
        self.lives()
        self.is_all_there([3])
        self.disk.make_room()
        for write in self.WRITES:
            self.hector(*write)
        self.is_all_there([3, 4])
        self.kill_and_start()
        self.is_all_there([3, 4])
        self.assertLessEqual({"early", "later", "bound"}, self.names())

    def test_what_was_acknowledged_while_the_disk_filled_up_is_kept(self):
        kept = set()
        with self.assertRaises(CommandFailed) as refused:
            for number in range(10_000):
                value = "x" * 60_000 if number % 2 else "x"
                self.hector("policy", "put", "enterprise", f"*k{number}", value)
                kept.add(number)
        self.assertIn("make room on the disk", refused.exception.text)
        self.assertGreater(len(kept), 10)
        self.kill_and_start()
        listed = self.hector("policy", "list", "enterprise")
        for number in kept:
            self.assertIn(f"*k{number} ", listed.replace(":", " "))

    def test_the_log_says_once_that_there_is_no_room_and_once_that_there_is_again(self):
        self.disk.fill()
        for number in range(50):
            self.refused("name", "create", f"later{number}")
        self.assertEqual(self.logged(NO_ROOM), 1, self.capsules.log("north"))
        self.assertLess(len(self.capsules.log("north").splitlines()), 20)
        self.disk.make_room()
        self.until_it_says_that_there_is_room()
        self.assertEqual(self.logged(NO_ROOM), 1)
        self.assertEqual(self.logged("store has room again"), 1)


@needs("protocols/udp", "stores/sqlite", "languages/cpp", *(f"services/{n}" for n in SERVICES))
class Objects(FullDisk):
    languages = "cpp"

    def setUp(self):
        super().setUp()
        self.start()
        kit = os.path.join(self.capsules.build, "lib/hector/languages/cpp/kit/kit.so")
        self.hector("load", "type", TYPES)
        self.hector("load", "template", kit)

    def create(self, name):
        return ("create", "object", "kit.Language.cpp", "--name", name)

    def test_an_object_that_cannot_be_published_is_refused_and_one_that_goes_is_gone(self):
        self.hector(*self.create("goes"))
        self.hector(*self.create("stays"))
        self.disk.fill()
        self.refused(*self.create("comes"))
        self.hector("delete", "object", "goes")
        answer = self.capsules.call("stays.echo", {"data": "aGk="}, "north")
        self.assertEqual(answer, {"data": "aGk="})
        self.disk.make_room()
        waiting.until(lambda: "goes" not in self.names(), 20, "the end of a name")
        self.hector(*self.create("comes"))
        self.assertLessEqual({"stays", "comes"}, self.names())


@needs("protocols/udp", "protocols/zenoh", "stores/sqlite", "services/naming")
class RunDirectory(FullDisk):
    def setUp(self):
        super().setUp()
        self.use_run_directory()

    def reference(self):
        with open(os.path.join(self.capsules.run, "north.reference"), encoding="ascii") as file:
            return file.read()

    def test_a_capsule_that_is_reached_otherwise_is_still_found(self):
        self.start(services="naming: embedded")
        before = self.reference()
        self.disk.fill()
        self.hector("load", "protocol", "zenoh")
        self.assertEqual(self.reference(), before)
        self.hector("get", "objects")
        self.disk.make_room()
        waiting.until(lambda: self.reference() != before, 20, "the new reference")
        self.hector("get", "objects")
        self.assertEqual(self.logged("old reference"), 1)

    def test_a_capsule_that_cannot_start_says_why_and_starts_when_there_is_room(self):
        for services in ("", "naming: embedded"):
            with self.subTest(services):
                self.disk.fill()
                with self.assertRaises(CommandFailed) as refused:
                    self.start(services=services)
                self.assertEqual(refused.exception.code, 1)
                self.assertIn("RESOURCE_EXHAUSTED", refused.exception.text)
                self.assertIn("make room on the disk", refused.exception.text)
                self.disk.make_room()
                self.start(services=services)
                self.process.terminate()
                self.assertEqual(waiting.until(lambda: self.process.poll() is not None, 15), True)


@needs("protocols/udp", "stores/sqlite", "services/naming")
class LogFile(FullDisk):
    def setUp(self):
        super().setUp()
        os.symlink(
            os.path.join(self.disk.folder, "north.log"),
            os.path.join(self.capsules.folder, "north.log"),
        )

    def test_records_that_a_full_disk_loses_are_counted(self):
        self.start(services="naming: embedded")
        self.disk.fill()
        waiting.until(self.log_is_full, 30)
        for number in range(5):
            self.refused("name", "create", f"later{number}")
        self.lives()
        self.disk.make_room()
        self.until_it_says_that_there_is_room()
        self.assertEqual(self.logged("records of the log were lost"), 1)

    def log_is_full(self):
        """After one more record: its last page had room."""
        self.process.send_signal(signal.SIGHUP)
        return os.path.getsize(os.path.join(self.disk.folder, "north.log")) % PAGE == 0

    def test_a_capsule_that_cannot_start_ends_in_order(self):
        self.disk.fill()
        with self.assertRaises(CommandFailed) as refused:
            self.start(services="naming: embedded")
        self.assertEqual(refused.exception.code, 1)


class Files(FullDisk):
    def test_a_file_that_a_command_rewrites_stays_as_it_was(self):
        path = os.path.join(self.disk.folder, "room.hector.yaml")
        with open(TYPES, encoding="utf-8") as file:
            before = file.read().replace("\n", "\n\n") + "#" * 10_000
        with open(path, "w", encoding="utf-8") as file:
            file.write(before)
        self.disk.fill()
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector("type", "fmt", path)
        self.assertIn("RESOURCE_EXHAUSTED", refused.exception.text)
        self.assertIn("No space left on device; make room", refused.exception.text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), before)
        self.disk.make_room()
        self.capsules.hector("type", "fmt", path)
        with open(path, encoding="utf-8") as file:
            self.assertNotEqual(file.read(), before)
        self.assertEqual(os.listdir(self.disk.folder), ["room.hector.yaml"])


def is_allowed():
    """Namespaces of one's own, and a file system in them."""
    return subprocess.run([*UNSHARE, *TRY], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    if MARK not in os.environ and is_allowed():
        os.environ[MARK] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, *sys.argv])
    unittest.main()
