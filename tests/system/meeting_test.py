"""The meeting workflow and its capsules, seen from outside.

What: clients of other projects, the command line, faults.
Why: the workflow is what a user sees first.
Who: ctest.
"""

import json
import os
import shutil
import subprocess
import unittest

import meeting
import outside
from capsules import ROOT, Capsules, CommandFailed
from needs import MEETING, needs

WINDOW = {
    "window_start_s": 1795507200,
    "window_end_s": 1795564800,
}  # 2026-11-24T08:00Z to 2026-11-25T00:00Z

FOREIGN_NEWS = """
import concurrent.futures, time
import grpc

class News(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == "/diary.News/post":
            return grpc.unary_unary_rpc_method_handler(lambda request, context: (print(repr(request), flush=True), b"")[1])

server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[News()])
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
time.sleep(60)
"""


STUBBORN = """
import hector
from meeting import Calendar, Range, Slots

@hector.template(name="test.Stubborn")
class Stubborn(Calendar):
    def free_slots(self, window):
        slots = Slots(who="stubborn")
        slots.free.add(start_s=window.start_s, end_s=window.end_s)
        return slots
    def hold(self, slot):
        raise hector.Error("FAILED_PRECONDITION", "changed my mind")
    def confirm(self, hold): pass
    def release(self, hold): pass
    def changes(self, window): return iter(())
"""


VOTE_TYPES = """interface: vote.Chair/1
messages: [google/protobuf/wrappers.proto]
operations:
  ask: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
initiates:
  agree: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.BoolValue}
---
interface: vote.Voter/1
messages: [google/protobuf/wrappers.proto]
operations:
  agree: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.BoolValue}
---
binding: vote.Ballot/1
roles:
  chair: {interface: vote.Chair/1}
  voter: {interface: vote.Voter/1, cardinality: 1..9}
interactions:
  most:  {kind: multicast, from: chair, to: voter, operation: agree, qos: {reliability: majority}}
  every: {kind: multicast, from: chair, to: voter, operation: agree, qos: {reliability: all}}
protocol: (most | every)*
"""
CHAIR = """
import hector
from google.protobuf.wrappers_pb2 import BoolValue, StringValue
from vote import Chair

@hector.template(name="vote.Chair.python")
class Head(Chair):
    def bound(self, session):
        self.session = session
    def ask(self, question):
        try:
            members = self.session.multicast(question.value, question, BoolValue)
            told = "agreed"
        except hector.Error as error:
            members, told = error.members, error.code
        return StringValue(value=told + ":" + ",".join("?" if m is None else m.code if isinstance(m, hector.Error) else str(m.value) for m in members))
"""
VOTER = """
import hector
from google.protobuf.wrappers_pb2 import BoolValue
from vote import Voter

@hector.template(name="vote.Voter.python")
class Citizen(Voter):
    def __init__(self, refuses=False):
        self.refuses = refuses
    def agree(self, question):
        if self.refuses:
            raise hector.Error("FAILED_PRECONDITION", "never")
        return BoolValue(value=True)
"""


@needs(*MEETING)
class Meeting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.c = Capsules()
        cls.addClassCleanup(cls.c.stop)
        meeting.start_meeting(cls.c)

    def run_outside(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_grpcurl_lists_describes_and_calls_objects_of_both_languages(self):
        grpcurl = outside.go_program(outside.GRPCURL)
        north, south = self.c.address("north", "grpc"), self.c.address("south", "grpc")
        self.assertIn("diary.Calendar", self.run_outside(grpcurl, "-plaintext", north, "list"))
        self.assertIn(
            "rpc free_slots ( .diary.Range ) returns ( .diary.Slots );",
            self.run_outside(grpcurl, "-plaintext", north, "describe", "diary.Calendar"),
        )
        self.assertIn(
            "int64 start_s = 1;",
            self.run_outside(grpcurl, "-plaintext", south, "describe", "diary.Range"),
        )
        request = json.dumps({"start_s": 1795478400, "end_s": 1795564800})
        cpp = self.run_outside(
            grpcurl,
            "-plaintext",
            "-H",
            "hector-object: ana",
            "-d",
            request,
            north,
            "diary.Calendar/free_slots",
        )
        self.assertEqual(json.loads(cpp)["who"], "ana")
        python = self.run_outside(
            grpcurl, "-plaintext", "-d", request, south, "diary.Calendar/free_slots"
        )
        self.assertEqual(json.loads(python)["who"], "ben")
        self.assertIn(
            "SERVING",
            self.run_outside(
                grpcurl,
                "-plaintext",
                "-d",
                '{"service": "diary.Calendar"}',
                north,
                "grpc.health.v1.Health/Check",
            ),
        )

    def test_grpcurl_is_told_which_objects_offer_an_interface_when_several_do(self):
        grpcurl = outside.go_program(outside.GRPCURL)
        done = subprocess.run(
            [
                grpcurl,
                "-plaintext",
                "-d",
                "{}",
                self.c.address("north", "grpc"),
                "diary.Calendar/free_slots",
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("hector-object: ana, chris", done.stderr)

    def test_the_grpcio_script_of_the_docs(self):
        out = self.run_outside(
            outside.python(),
            os.path.join(ROOT, "docs", "examples", "grpc_client.py"),
            self.c.address("south", "grpc"),
            "ben",
        )
        self.assertIn("diary.Calendar", out)
        self.assertIn('who: "ben"', out)

    def test_the_zenoh_script_of_the_docs(self):
        for capsule, name in (("north", "ana"), ("south", "ben")):
            locator = self.c.address(capsule, "zenoh").split("@")[1]
            out = self.run_outside(
                outside.python(),
                os.path.join(ROOT, "docs", "examples", "zenoh_client.py"),
                locator,
                capsule,
                name,
            )
            self.assertEqual(json.loads(out)["who"], name)

    def test_the_workflow_books_explains_moves_and_books_again(self):
        explained = self.c.hector(
            "bind", "diary.Meeting/1", *meeting.ROLES, "--explain", capsule="hub"
        )
        self.assertIn("studio @ north", explained)
        self.assertIn("capacity >= 3, min cost", explained)
        self.assertIn("not zenoh: policy does not name it", explained)
        self.assertEqual(self.c.json("get", "bindings", capsule="hub"), [])
        binding = self.c.json("bind", "diary.Meeting/1", *meeting.ROLES, capsule="hub")
        by_party = {
            item["name"]: item["protocol"] for item in self.c.json("get", "channels", capsule="hub")
        }
        self.assertEqual(
            by_party,
            {
                "organiser->ana": "udp",
                "organiser->ben": "udp",
                "organiser->chris": "udp",
                "organiser->studio": "grpc",
                "organiser->scribe": "grpc",
                "organiser->news": "zenoh",
            },
        )
        first = self.c.call(
            "organiser.schedule", {"title": "Planning", "duration_min": 45, **WINDOW}
        )
        self.assertEqual(
            first["time"], {"start_s": "1795514400", "end_s": "1795517100"}
        )  # 10:00Z: after Ana's moved stand-up
        self.assertEqual(first["room"]["room"], "studio")
        with open(first["invitation_path"], encoding="utf-8") as file:
            self.assertIn("DTSTART:20261124T100000Z", file.read().replace(";VALUE=DATE-TIME", ""))
        self.run_outside(
            outside.python(),
            "-c",
            "import icalendar; c ="
            f" icalendar.Calendar.from_ical(open({first['invitation_path']!r}).read()); assert"
            " len(c.walk('VEVENT')) == 1",
        )
        effects = self.c.hector("unload", "protocol", "zenoh", "--dry-run", capsule="south")
        self.assertIn("organiser -> news (news)", effects)
        self.assertIn("would move from zenoh to grpc", effects)
        self.assertIn(
            "zenoh", [item["name"] for item in self.c.json("get", "protocols", capsule="south")]
        )
        self.assertIn(
            "moved from zenoh to grpc",
            self.c.hector("unload", "protocol", "zenoh", capsule="south"),
        )
        second = self.c.call("organiser.schedule", {"title": "More", "duration_min": 45, **WINDOW})
        self.assertEqual(second["time"]["start_s"], first["time"]["end_s"])
        self.assertEqual(len(self.c.call("news.read")["items"]), 2)
        self.c.hector("load", "protocol", "zenoh", capsule="south")
        self.c.hector("delete", "binding", binding["binding"], capsule="hub")
        self.assertEqual(self.c.json("get", "channels", capsule="hub"), [])
        with self.assertRaises(CommandFailed) as failed:
            self.c.call("organiser.schedule", {"duration_min": 45, **WINDOW})
        self.assertIn("in no Binding", failed.exception.text)

    def test_a_role_is_played_by_a_foreign_grpc_server(self):
        server = os.path.join(self.c.folder, "foreign_news.py")
        with open(server, "w", encoding="utf-8") as file:
            file.write(FOREIGN_NEWS)
        process = subprocess.Popen([outside.python(), server], stdout=subprocess.PIPE, text=True)
        try:
            port = process.stdout.readline().strip()
            roles = [
                role if role != "news=news" else f"news=foreign:grpc:127.0.0.1:{port}/diary.News/1"
                for role in meeting.ROLES
            ]
            binding = self.c.json("bind", "diary.Meeting/1", *roles, capsule="hub")
            self.c.call("organiser.schedule", {"title": "Abroad", "duration_min": 15, **WINDOW})
            self.assertIn("Abroad", process.stdout.readline())
            self.c.hector("delete", "binding", binding["binding"], capsule="hub")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def test_no_common_slot_is_told_and_leaves_nothing_held(self):
        self.c.hector("bind", "diary.Meeting/1", *meeting.ROLES, capsule="hub")
        day = {"window_start_s": 1795597200, "window_end_s": 1795611600}  # 2026-11-25
        free_before = self.c.call(
            "ana.free_slots", {"start_s": day["window_start_s"], "end_s": day["window_end_s"]}
        )
        with self.assertRaises(CommandFailed) as failed:
            self.c.call("organiser.schedule", {"duration_min": 100000, **day})
        self.assertEqual(failed.exception.code, 3)
        self.assertIn("suit all 3 attendees", failed.exception.text)
        self.assertEqual(
            self.c.call(
                "ana.free_slots", {"start_s": day["window_start_s"], "end_s": day["window_end_s"]}
            ),
            free_before,
        )
        for item in self.c.json("get", "bindings", capsule="hub"):
            self.c.hector("delete", "binding", item["name"], capsule="hub")

    def test_a_refused_hold_releases_the_others(self):
        source = os.path.join(self.c.folder, "stubborn.py")
        with open(source, "w", encoding="utf-8") as file:
            file.write(STUBBORN)
        shutil.copy(
            os.path.join(
                self.c.build, "lib", "hector", "templates", "meeting", "meeting.hector.yaml"
            ),
            self.c.folder,
        )
        shutil.copytree(
            os.path.join(ROOT, "templates", "meeting", "diary"),
            os.path.join(self.c.folder, "diary"),
            dirs_exist_ok=True,
        )
        compiled = os.path.join(self.c.folder, "stubborn.pyc")
        self.run_outside(
            "/usr/bin/python3.11",
            "-c",
            f"import py_compile; py_compile.compile({source!r}, {compiled!r}, doraise=True)",
        )
        os.remove(source)  # a .pyc is a template of its own
        self.c.hector("load", "template", compiled, capsule="south")
        meeting.create(self.c, "south", "test.Stubborn", "stubborn")
        try:
            binding = self.c.json(
                "bind",
                "diary.Meeting/1",
                *meeting.ROLES,
                "--role",
                "attendee=stubborn",
                capsule="hub",
            )
            window = {"start_s": WINDOW["window_start_s"], "end_s": WINDOW["window_end_s"]}
            before = {name: self.c.call(f"{name}.free_slots", window) for name in meeting.ATTENDEES}
            with self.assertRaises(CommandFailed) as failed:
                self.c.call("organiser.schedule", {"title": "Never", "duration_min": 45, **WINDOW})
            self.assertIn("stubborn refused", failed.exception.text)
            self.assertIn("changed my mind", failed.exception.text)
            for name, free in before.items():
                told = self.c.call(f"{name}.changes", window)
                last = [change["what"] for change in (told if isinstance(told, list) else [told])][
                    -2:
                ]
                self.assertEqual(last, ["held", "released"], name)
                self.assertEqual(self.c.call(f"{name}.free_slots", window), free, name)
            self.c.hector("delete", "binding", binding["binding"], capsule="hub")
        finally:
            self.c.hector("delete", "object", "stubborn", capsule="south")

    def test_a_multicast_is_complete_as_its_reliability_says_and_tells_every_members_answer(self):
        folder = os.path.join(self.c.folder, "vote")
        os.makedirs(folder)
        for name, text in (
            ("vote.hector.yaml", VOTE_TYPES),
            ("chair.py", CHAIR),
            ("voter.py", VOTER),
        ):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        for capsule in ("hub", "south"):
            self.c.hector("load", "template", os.path.join(folder, "voter.py"), capsule=capsule)
        self.c.hector("load", "template", os.path.join(folder, "chair.py"), capsule="hub")
        meeting.create(self.c, "hub", "vote.Chair.python", "chair")
        for name, capsule, refuses in (
            ("left", "south", False),
            ("right", "hub", True),
            ("middle", "south", False),
        ):
            meeting.create(self.c, capsule, "vote.Voter.python", name, {"refuses": refuses})
        roles = [
            part
            for role in ("chair=chair", "voter=left", "voter=right", "voter=middle")
            for part in ("--role", role)
        ]
        self.c.hector("load", "type", os.path.join(folder, "vote.hector.yaml"), capsule="hub")
        binding = self.c.json("bind", "vote.Ballot/1", *roles, capsule="hub")
        self.assertEqual(
            self.c.call("chair.ask", "every"), "FAILED_PRECONDITION:True,FAILED_PRECONDITION,True"
        )
        told = self.c.call("chair.ask", "most")
        self.assertTrue(told.startswith("agreed:True,"), told)
        self.assertTrue(told.endswith(",True"), told)
        self.c.hector("delete", "binding", binding["binding"], capsule="hub")

    def test_an_interface_that_breaks_its_roles_order_is_refused_with_exit_7_and_a_trace(self):
        template = os.path.join(self.c.folder, "odd.py")
        with open(os.path.join(self.c.folder, "odd.hector.yaml"), "w", encoding="utf-8") as file:
            file.write(
                f"""interface: odd.Calendar/1
messages: [diary/messages.proto]
operations:
  free_slots: {{kind: rpc, in: diary.Range, out: diary.Slots}}
  hold:       {{kind: rpc, in: diary.Slot, out: diary.Hold}}
  confirm:    {{kind: announce, in: diary.Hold}}
  release:    {{kind: announce, in: diary.Hold}}
protocol: (free_slots | hold ; confirm)*
"""
            )
        os.makedirs(os.path.join(self.c.folder, "diary"), exist_ok=True)
        with open(
            os.path.join(ROOT, "templates", "meeting", "diary", "messages.proto"), encoding="utf-8"
        ) as source, open(
            os.path.join(self.c.folder, "diary", "messages.proto"), "w", encoding="utf-8"
        ) as copy:
            copy.write(source.read())
        with open(template, "w", encoding="utf-8") as file:
            file.write(
                "from odd import Calendar\n\n"
                "class Odd(Calendar):\n"
                "    def free_slots(self, r): pass\n"
                "    def hold(self, s): pass\n"
                "    def confirm(self, h): pass\n"
                "    def release(self, h): pass\n"
            )
        self.c.hector("load", "template", template, capsule="south")
        meeting.create(self.c, "south", "odd.Odd", "odd")
        with self.assertRaises(CommandFailed) as failed:
            self.c.hector(
                "bind", "diary.Meeting/1", *meeting.ROLES, "--role", "attendee=odd", capsule="hub"
            )
        self.assertEqual(failed.exception.code, 7)
        self.assertIn(
            "R1: 'odd' as role 'attendee': the Role may be sent 'release' where the Interface does"
            " not accept it (trace: ",
            failed.exception.text,
        )
        self.assertIn("hold ; release)", failed.exception.text)
        self.c.hector("delete", "object", "odd", capsule="south")

    def test_exit_codes_say_what_kind_of_failure_it_was(self):
        cases = [
            (2, ["get", "objcts"], "did you mean 'objects'"),
            (2, ["call", "ana"], "OBJECT.OPERATION"),
            (2, ["call", "ana.free_slots", "{nonsense"], "not the JSON of a diary.Range"),
            (3, ["describe", "object", "nobody"], "no Object 'nobody'"),
            (3, ["call", "ana.free_slot"], "did you mean 'free_slots'"),
            (3, ["bind", "diary.Meting/1"], "did you mean 'diary.Meeting/1'"),
            (
                5,
                [
                    "-c",
                    "north",
                    "create",
                    "object",
                    "diary.Room.cpp",
                    "--name",
                    "studio",
                    "--arguments",
                    '{"capacity": 1}',
                ],
                "exists",
            ),
            (
                6,
                ["-c", "north", "--protocol", "smoke", "get", "objects"],
                "speaks grpc, udp, zenoh",
            ),
            (3, ["-c", "nowhere", "get", "objects"], "running are hub, north, south"),
            (
                2,
                [
                    "-c",
                    "north",
                    "create",
                    "object",
                    "diary.Room.cpp",
                    "--name",
                    "x",
                    "--arguments",
                    "{}",
                ],
                "capacity",
            ),
            (1, ["-c", "north", "unload", "template", "diary.Room.cpp"], "Object studio"),
        ]
        for code, arguments, words in cases:
            with self.subTest(" ".join(arguments)), self.assertRaises(CommandFailed) as failed:
                self.c.hector(*arguments)
            self.assertEqual(failed.exception.code, code, failed.exception.text)
            self.assertIn(words, failed.exception.text)

    def test_output_forms(self):
        self.assertEqual(
            self.c.hector("get", "capsules", "-o", "name").split(), ["hub", "north", "south"]
        )
        self.assertIn(
            '- name: "ana"', self.c.hector("get", "objects", "-o", "yaml", capsule="north")
        )
        self.assertTrue(self.c.hector("get", "objects", capsule="north").startswith("NAME "))
        self.assertIn("diary.Calendar/1", self.c.hector("describe", "object", "ana"))
        self.assertIn('"protocol"', self.c.hector("describe", "type", "diary.Meeting/1"))


if __name__ == "__main__":
    unittest.main()
