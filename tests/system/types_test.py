"""`hector type` on files.

What: every mistake is told as the text beside it says; folders, exit codes, conformance.
Why: a message about a mistake is an interface.
Who: ctest.

Each wrong file of tests/types/wrong has one mistake, and `NAME.expected` beside it: the rule and
the words, then `who:` and `trace:`.
"""

import glob
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

from capsules import ROOT

BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
MEETING = os.path.join(ROOT, "templates", "meeting", "meeting.hector.yaml")


def hector(*arguments, cwd=None, timeout=60):
    return subprocess.run(
        [os.path.join(BUILD, "bin", "hector"), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class TypeCheck(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hector-types-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_every_wrong_file_is_told_as_beside_it(self):
        wrong = os.path.join(ROOT, "tests", "types", "wrong")
        done = hector("type", "check", ".", "-o", "jsonl", cwd=wrong)
        self.assertEqual(done.returncode, 7)
        told = {}
        for check in map(json.loads, done.stdout.splitlines()):
            if check["ok"]:
                continue
            name = os.path.basename(check["file"])
            text = f"{check['rule']}: {check['text'].replace(check['file'], name)}"
            for key in ("who", "trace"):
                text += f"\n{key}: {' '.join(check[key])}" if check[key] else ""
            self.assertNotIn(name, told, "one mistake a file")
            told[name] = text + "\n"
        files = sorted(glob.glob(os.path.join(wrong, "*.yaml")))
        self.assertGreaterEqual(len(files), 60)
        for path in files:
            with self.subTest(os.path.basename(path)), open(
                path[: -len("yaml")] + "expected", encoding="utf-8"
            ) as expected:
                self.assertEqual(
                    told.get(os.path.basename(path), "nothing was told\n"), expected.read()
                )

    def test_a_thousand_types_take_less_than_two_seconds(self):
        texts = []
        for i in range(500):
            texts.append(
                f"""interface: gen.I{i}/1
messages: [google/protobuf/struct.proto]
operations:
  a: {{kind: rpc, in: google.protobuf.Value, out: google.protobuf.Value}}
  b: {{kind: announce, in: google.protobuf.Value}}
protocol: (a ; b?)*
---
binding: gen.B{i}/1
roles: {{p: {{interface: gen.I0/1}}, q: {{interface: gen.I{i}/1, cardinality: 1..9}}, r: {{interface: gen.I{i}/1}}}}
interactions:
  x: {{kind: rpc, from: p, to: q, operation: a}}
  y: {{kind: announce, from: q, to: p, operation: b}}
  z: {{kind: rpc, from: p, to: r, operation: a}}
  m: {{kind: multicast, from: p, to: q, operation: b}}
protocol: x[q] ; m ; y[q] ; (z ; x)*
"""
            )
        path = self.write("thousand.yaml", "---\n".join(texts))
        begin = time.monotonic()
        done = hector("type", "check", path, "-o", "jsonl")
        print(f"1,000 types in {time.monotonic() - begin:.2f} s")
        self.assertEqual(done.returncode, 0, done.stdout[:500])
        self.assertEqual(len(done.stdout.splitlines()), 1000)

    def test_what_is_too_large_is_refused_within_a_second(self):
        head = (
            "binding: t.B/1\nroles: {p: {interface: t.P/1}, q: {interface: t.Q/1}}\ninteractions:\n"
        )
        names = [f"x{i}" for i in range(40)]
        head += "".join(
            f"  {name}: {{kind: announce, from: p, to: q, operation: a}}\n" for name in names
        )
        roles = "".join(f"  r{i}: {{interface: t.I/1}}\n" for i in range(10_000))
        cases = {
            "roles": (
                "binding: t.B/1\nroles:\n"
                f"{roles}interactions: {{a: {{kind: announce, from: r1, to: r2, operation: a}}}}\n"
            ),
            "octets": head + "protocol: " + " ; ".join(["x0"] * 262_144) + "\n",
            "expression": head + "protocol: " + " ; ".join(["x0"] * 20_000) + "\n",
            "interleaving": head + "protocol: " + " & ".join(names) + "\n",
            "subsets": head + "protocol: (x0 | x1)* ; x0 ; (x0 | x1){30}\n",
            "counts": head + "protocol: (((x0{1000}){1000}){1000}){1000}\n",
            "operators": head + "protocol: x0" + "?" * 30_000 + "\n",
            "parentheses": head + "protocol: " + "(" * 30_000 + "x0" + ")" * 30_000 + "\n",
            "brackets": "binding: t.B/1\nroles: " + "[" * 100_000 + "\n",
        }
        for name, text in cases.items():
            with self.subTest(name):
                path = self.write(f"{name}.yaml", text)
                begin = time.monotonic()
                done = hector("type", "check", path, "-o", "jsonl")
                self.assertLess(time.monotonic() - begin, 1)
                self.assertIn(done.returncode, (2, 7), done.stderr)
                self.assertFalse(json.loads(done.stdout)["ok"])

    def test_draw_gives_an_svg_of_roles_channels_and_orders(self):
        done = hector("type", "draw", MEETING)
        self.assertEqual(done.returncode, 0, done.stderr)
        root = xml.etree.ElementTree.fromstring(done.stdout)
        self.assertTrue(root.tag.endswith("svg"))
        texts = [element.text for element in root.iter() if element.tag.endswith("text")]
        for text in (
            "diary.Meeting/1",
            "organiser",
            "attendee",
            "1..50",
            "ask()",
            "propose",
            "?free_slots",
            "!reserve",
        ):
            self.assertIn(text, texts)
        self.assertIn(
            "digraph", hector("type", "draw", MEETING, "diary.Calendar", "--form", "dot").stdout
        )
        missing = hector("type", "draw", MEETING, "diary.Calender")
        self.assertEqual(missing.returncode, 3)
        self.assertIn("did you mean 'diary.Calendar/1'", missing.stderr)

    def test_a_proto_file_imports_and_exports_to_itself(self):
        proto = """syntax = "proto3";

import "google/protobuf/empty.proto";
package shop;

message Item {
  string name = 1;
  int32 count = 2;
}

service Store {
  rpc Buy(.shop.Item) returns (.shop.Item);
  rpc Look(.google.protobuf.Empty) returns (stream .shop.Item) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc Fill(stream .shop.Item) returns (.shop.Item);
  rpc Chat(stream .shop.Item) returns (stream .shop.Item);
}

"""
        path = self.write("store.proto", proto)
        imported = hector("type", "import", path)
        self.assertEqual(imported.returncode, 0, imported.stderr)
        for line in (
            "interface: shop.Store/1",
            (
                "  Look: {kind: stream, flow: out, in: google.protobuf.Empty, out: shop.Item,"
                " idempotent: true}"
            ),
            "  Chat: {kind: stream, flow: both, in: shop.Item, out: shop.Item}",
        ):
            self.assertIn(line, imported.stdout.splitlines())
        yaml = self.write("store.hector.yaml", imported.stdout)
        self.assertEqual(hector("type", "check", yaml).returncode, 0)
        exported = hector("type", "export", f"{yaml}:shop.Store").stdout
        self.assertEqual(
            "".join(line for line in exported.splitlines(True) if not line.startswith("//")), proto
        )
        subprocess.run(
            [
                "protoc",
                f"-I{self.folder}",
                "--include_imports",
                f"--descriptor_set_out={self.folder}/set.binpb",
                path,
            ],
            check=True,
        )
        out = os.path.join(self.folder, "out")
        self.assertEqual(
            hector(
                "type", "import", f"{self.folder}/set.binpb", "--out", out, "--major", "3"
            ).returncode,
            0,
        )
        self.assertIn("ok shop.Store/3", hector("type", "check", out).stdout)
        self.assertEqual(
            hector("type", "import", self.write("none.proto", 'syntax = "proto3";')).returncode, 3
        )
        self.assertEqual(hector("type", "import", self.write("junk.pb", "junk")).returncode, 2)

    def test_diff_and_breaking_compare_versions(self):
        head = (
            "messages: [google/protobuf/empty.proto]\n"
            "operations:\n"
            "  a: {kind: announce, in: google.protobuf.Empty}\n"
        )
        binding = """---
binding: t.B/1
roles: {p: {interface: t.P/1}, q: {interface: t.I/1}}
interactions:
  a: {kind: announce, from: p, to: q, operation: a}
protocol: %s
"""
        older = self.write("older.yaml", f"interface: t.I/1\n{head}protocol: a*\n" + binding % "a*")
        newer = self.write(
            "newer.yaml",
            "interface: t.I/2\n"
            f"{head}  b: {{kind: announce, in: google.protobuf.Empty}}\n"
            "protocol: (a | b)*\n" + binding % "a{0,3}",
        )
        self.assertEqual(hector("type", "diff", older, older).stdout, "")
        differs = hector("type", "diff", older, newer).stdout
        self.assertIn("t.I: protocol: a* -> (a | b)*", differs)
        self.assertIn("t.I: modified: major: 1 -> 2", differs)
        self.assertIn("added: operations[1]", differs)
        done = hector("type", "breaking", older, newer)
        self.assertEqual(done.returncode, 7)
        self.assertIn(
            "R2: t.B.p: the Interface may start 'a' where the Role forbids it (trace: a ; a ; a"
            " ; a)",
            done.stdout,
        )
        self.assertNotIn("t.I", done.stdout)
        back = json.loads(hector("type", "breaking", newer, older, "-o", "json").stdout)
        self.assertIn("operation 'b' is missing", back["reasons"][0]["text"])
        self.assertEqual(hector("type", "breaking", older, older).stdout, "nothing breaks\n")

    def test_an_interface_that_stands_in_no_file_is_an_error(self):
        interface = (
            "interface: t.Courier/1\nmessages: [google/protobuf/empty.proto]\n"
            "operations:\n  a: {kind: announce, in: google.protobuf.Empty}\n"
        )
        binding = (
            "binding: t.B/1\nroles: {p: {interface: t.Courier/1}, q: {interface: t.%s}}\n"
            "interactions: {a: {kind: announce, from: p, to: q, operation: a}}\n"
        )
        one = self.write("one.yaml", interface + "---\n" + binding % "Couriers/1")
        done = hector("type", "check", one)
        self.assertEqual(done.returncode, 7)
        self.assertIn(
            "names: role 'q': no Interface t.Couriers/1 is in these files"
            " (did you mean 't.Courier/1'?)",
            done.stderr,
        )
        right = self.write("right.yaml", binding % "Courier/1")
        self.assertEqual(hector("type", "check", right).returncode, 0, "about the order alone")
        other = self.write("other.yaml", interface)
        self.assertEqual(hector("type", "check", right, other).returncode, 0, "in another file")

    def test_an_interface_that_starts_nothing_plays_no_role_that_starts_all(self):
        done = hector("type", "conforms", f"{MEETING}:diary.Calendar/1", f"{MEETING}:organiser")
        self.assertEqual(done.returncode, 7)
        self.assertIn(
            "signature: diary.Calendar/1 starts nothing of what only this Role may start"
            " (free_slots, ",
            done.stdout,
        )
        own = hector("type", "conforms", f"{MEETING}:diary.Organiser/1", f"{MEETING}:organiser")
        self.assertEqual(own.returncode, 0, own.stdout)

    def test_conforms_prints_yes_or_the_reasons(self):
        done = hector("type", "conforms", f"{MEETING}:diary.Calendar/1", f"{MEETING}:attendee")
        self.assertEqual((done.returncode, done.stdout), (0, "yes\n"))
        for role in ("news", "diary.Meeting/1.news", "diary.Meeting.news"):
            done = hector("type", "conforms", f"{MEETING}:diary.Calendar", f"{MEETING}:{role}")
            self.assertEqual(done.returncode, 7)
            self.assertIn("signature: operation 'post' is missing", done.stdout)
            self.assertIn(
                "R1: the Role may be sent 'post' where the Interface does not accept it (trace:"
                " post)",
                done.stdout,
            )
        newer = self.write(
            "i.yaml",
            """interface: t.I/1
messages: [google/protobuf/empty.proto]
operations: {a: {kind: announce, in: google.protobuf.Empty}}
protocol: a*
---
interface: t.I/2
messages: [google/protobuf/empty.proto]
operations: {a: {kind: announce, in: google.protobuf.Empty}, b: {kind: announce, in: google.protobuf.Empty}}
protocol: (a | b)*
---
interface: t.I/3
messages: [google/protobuf/empty.proto]
operations: {a: {kind: announce, in: google.protobuf.Empty}}
""",
        )
        self.assertEqual(
            hector("type", "conforms", f"{newer}:t.I/2", f"{newer}:t.I/1").stdout, "yes\n"
        )
        done = hector("type", "conforms", f"{newer}:t.I/1", f"{newer}:t.I/2", "-o", "json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["rule"]), (7, "signature"))
        self.assertIn(
            "signatures alone were compared",
            hector("type", "conforms", f"{newer}:t.I/3", f"{newer}:t.I/1").stdout,
        )
        self.assertEqual(hector("type", "conforms", f"{newer}:t.J", f"{newer}:t.I/1").returncode, 3)
        self.assertEqual(hector("type", "conforms", newer, f"{newer}:t.I/1").returncode, 2)


if __name__ == "__main__":
    unittest.main()
