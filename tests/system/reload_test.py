"""One holder of a capsule's name, and a configuration that is read again.

What: a second capsule of one name; one that was killed; SIGHUP with a changed, a wrong and a
forbidden configuration.
Why: whoever runs capsules by a service manager starts them twice, kills them and sends SIGHUP.
Who: ctest.
"""

import os
import re
import signal
import subprocess
import unittest

import waiting
from capsules import ROOT, Capsules, CommandFailed
from needs import needs

CAPSULE = """capsule: north
protocols: {udp: {listen: "127.0.0.1:0"}}
languages: [python]
services: {naming: embedded}
store: memory
"""
TEMPLATE = '''
import hector


@hector.template("hup.Counter/1", name="hup.Counter.python")
class Counts:
    def __init__(self, start: int = 0):
        self.now = start

    def count(self) -> int:
        self.now += STEP
        return self.now
'''


@needs("protocols/udp", "stores/memory", "languages/python", "services/naming")
class OneName(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)

    def second(self, text=CAPSULE):
        path = os.path.join(self.capsules.folder, "second.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run(
            [os.path.join(self.capsules.build, "bin", "hector-capsule"), path],
            env=self.capsules.environment,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def test_a_second_capsule_of_a_name_is_refused_and_harms_nothing(self):
        first = self.capsules.configure("north", CAPSULE)
        done = self.second()
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"a capsule 'north' runs already, as process {first.pid}", done.stderr)
        self.assertEqual(self.capsules.json("get", "objects", capsule="north"), [])

    def test_another_run_directory_is_another_name(self):
        self.capsules.configure("north", CAPSULE)
        elsewhere = os.path.join(self.capsules.folder, "elsewhere")
        environment = dict(self.capsules.environment, HECTOR_RUN_DIRECTORY=elsewhere)
        path = os.path.join(self.capsules.folder, "north.yaml")
        process = subprocess.Popen(
            [os.path.join(self.capsules.build, "bin", "hector-capsule"), path],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        waiting.until(lambda: os.path.exists(os.path.join(elsewhere, "north.reference")), 20)

    def test_one_that_was_killed_is_named_so_and_starts_again(self):
        process = self.capsules.configure("north", CAPSULE)
        self.capsules.configure("south", CAPSULE.replace("north", "south"))
        process.kill()
        process.wait()
        states = {row["name"]: row["state"] for row in self.capsules.json("get", "capsules")}
        self.assertEqual(states, {"north": "killed", "south": "up"})
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.hector("get", "objects", capsule="north")
        self.assertIn("no process holds its name", caught.exception.text)
        self.capsules.hector("get", "objects")  # the only one that runs is meant
        self.capsules.start("north", os.path.join(self.capsules.folder, "north.yaml"))
        self.assertEqual(self.capsules.json("get", "objects", capsule="north"), [])


@needs("protocols/udp", "protocols/grpc", "stores/memory", "languages/python", "services/naming")
class Reload(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.template = os.path.join(self.capsules.folder, "counts.py")
        self.write_template(1)
        self.process = self.capsules.configure("north", CAPSULE)
        self.reloads = 0

    def write_template(self, step):
        with open(self.template, "w", encoding="utf-8") as file:
            file.write(TEMPLATE.replace("STEP", str(step)))

    def reload(self, text, ends_with="reloaded"):
        with open(
            os.path.join(self.capsules.folder, "north.yaml"), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        self.process.send_signal(signal.SIGHUP)
        self.reloads += 1
        waiting.until(
            lambda: len(re.findall(f"north {ends_with}", self.log())) >= self.reloads, 20
        )

    def log(self):
        return self.capsules.log("north")

    def names(self, kind):
        return [row["name"] for row in self.capsules.json("get", kind, capsule="north")]

    def with_counter(self, arguments="{start: 10}"):
        return (
            CAPSULE
            + f"templates: [{self.template}]\n"
            + f"objects: [{{template: hup.Counter.python, name: c, arguments: {arguments}}}]\n"
        )

    def test_what_comes_is_loaded_and_what_goes_is_unloaded(self):
        more = self.with_counter().replace("udp: {", 'grpc: {listen: "127.0.0.1:0"}, udp: {')
        self.reload(more)
        self.assertEqual(self.names("protocols"), ["grpc", "udp"])
        self.assertEqual(self.capsules.call("c.count", capsule="north"), {"value": "11"})
        self.reload(more)  # nothing changed: the Object keeps its state
        self.assertEqual(self.capsules.call("c.count", capsule="north"), {"value": "12"})
        self.reload(CAPSULE)
        self.assertEqual(self.names("protocols"), ["udp"])
        self.assertEqual(self.names("objects"), [])
        self.assertEqual(self.names("templates"), [])

    def test_a_new_build_of_a_template_is_for_new_objects(self):
        self.reload(self.with_counter())
        self.write_template(100)
        self.reload(
            self.with_counter().replace(
                "objects: [", "objects: [{template: hup.Counter.python, name: d}, "
            )
        )
        self.assertEqual(self.capsules.call("c.count", capsule="north"), {"value": "11"})
        self.assertEqual(self.capsules.call("d.count", capsule="north"), {"value": "100"})

    def test_a_wrong_configuration_changes_nothing(self):
        self.reload(CAPSULE + "protokols: []\n", "not reloaded")
        self.assertIn("north.yaml:6:1", self.log())
        self.assertEqual(self.names("protocols"), ["udp"])
        self.reload(CAPSULE.replace("[python]", "[python, cobol]"), "(not )?reloaded")
        self.assertIn("cobol", self.log())
        self.assertEqual(self.names("languages"), ["python"])

    def test_what_counts_at_the_start_only_is_named(self):
        self.reload(CAPSULE.replace("memory", "sqlite:/nowhere/x.db"))
        self.assertIn("store", self.log())
        self.reload(self.with_counter())
        self.reload(self.with_counter("{start: 20}"))
        self.assertIn("delete it, and reload", self.log())
        self.assertEqual(self.capsules.call("c.count", capsule="north"), {"value": "11"})

    def test_log_level_and_grace_change(self):
        quiet = CAPSULE.replace("udp: {", 'grpc: {listen: "127.0.0.1:0"}, udp: {')
        path = os.path.join(self.capsules.folder, "north.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(quiet + "log: {level: error}\nlimits: {drain_ms: 100}\n")
        self.process.send_signal(signal.SIGHUP)
        waiting.until(lambda: len(self.names("protocols")) == 2, 20)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.assertNotIn("draining", self.log())
        self.assertIn("ready", self.log())


if __name__ == "__main__":
    unittest.main()
