"""The audit log, by the command line and beside a second writer of its form.

What: `hector audit verify|show|append` on logs that this file writes by the words of
audit/README.md, with records altered, removed, reordered, inserted and cut off; a full disk; a log
of a million records.
Why: the first bad record is named; a reader of the README would have written the same log.
Who: ctest.
"""

import hashlib
import json
import os
import resource
import stat
import subprocess
import sys
import tempfile
import unittest

from capsules import ROOT
from full_disk_test import MARK, UNSHARE, Disk, is_allowed

BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
HECTOR = os.path.join(BUILD, "bin", "hector")
ZEROS = "0" * 64
MIB = 2**20


def canonical(record):
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_record(seq, prev, **fields):
    """(line, hash)"""
    record = {
        "action": "load template",
        "kind": "management",
        "object": f"object-{seq}",
        "outcome": "done",
        "prev": prev,
        "principal": "spiffe://example.org/operator/admin",
        "reasons": [],
        "seq": seq,
        "time": f"2026-11-27T08:{seq // 60 % 60:02}:{seq % 60:02}.{seq % 1000:03}Z",
        **fields,
    }
    record["hash"] = hashlib.sha256(canonical(record).encode()).hexdigest()
    return canonical(record), record["hash"]


def make_log(count):
    """(lines, hash of the last)"""
    lines, prev = [], ZEROS
    for seq in range(1, count + 1):
        line, prev = write_record(seq, prev)
        lines.append(line)
    return lines, prev


class Audit(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.path = os.path.join(self.folder, "acts.log")

    def write(self, lines, path=None, end="\n"):
        with open(path or self.path, "w", encoding="utf-8", newline="") as file:
            file.write("\n".join(lines) + (end if lines else ""))

    def run_hector(self, *arguments):
        return subprocess.run(
            [HECTOR, "audit", *arguments], capture_output=True, text=True, check=False
        )

    def verify(self, *options, path=None):
        done = self.run_hector("verify", path or self.path, *options, "-o", "json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        verdict = json.loads(done.stdout)
        self.assertEqual(done.returncode == 0, verdict["state"] == "whole")
        return verdict

    def found(self, *options):
        verdict = self.verify(*options)
        return verdict["state"], verdict.get("line"), verdict.get("seq")

    def append(self, *arguments):
        done = self.run_hector("append", self.path, *arguments, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def records(self, *options):
        done = self.run_hector("show", self.path, *options, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)


class Verify(Audit):
    def test_a_log_by_the_readme_is_whole(self):
        odd = 'a"\\/\b\f\n\r\t\x01\x1f\x7f ä€😀\u2028'
        lines, prev = [], ZEROS
        for seq, fields in enumerate(({}, {"object": odd}, {"reasons": [odd, "", "x"]}), 1):
            line, prev = write_record(seq, prev, **fields)
            lines.append(line)
        self.write(lines)
        verdict = self.verify("--head", prev, "--count", "3")
        self.assertEqual(verdict["head"], {"seq": 3, "hash": prev})
        self.assertEqual(self.records()[1]["object"], odd)

    def test_names_the_first_bad_record_of_a_thousand(self):
        lines, head = make_log(1000)
        for place in (1, 2, 3, 17, 499, 500, 501, 998, 999, 1000):
            at = place - 1
            with self.subTest(place):
                self.write(lines[:at] + [lines[at].replace("done", "failed")] + lines[at + 1 :])
                self.assertEqual(self.found(), ("ALTERED", place, place))
                self.write(lines[:at] + [""] + lines[at:])
                self.assertEqual(self.found(), ("INSERTED", place, place))
                self.write(lines[:at] + lines[at + 1 :])
                expected = ("REMOVED", place, place)
                if place == 1000:
                    expected = ("TRUNCATED", place, place)
                self.assertEqual(self.found("--head", head), expected)
                if place < 1000:
                    self.write(lines[:at] + [lines[at + 1], lines[at]] + lines[at + 2 :])
                    self.assertEqual(self.found(), ("REORDERED", place, place))
                self.write(lines[:at])
                self.assertEqual(self.found("--head", head), ("TRUNCATED", place, place))
                self.assertEqual(self.found("--count", "1000"), ("TRUNCATED", place, place))

    def test_says_it_in_a_sentence_for_people(self):
        lines, head = make_log(3)
        self.write(lines)
        done = self.run_hector("verify", self.path)
        self.assertEqual(
            done.stdout, f"whole: 3 records; the last is 3 with the hash {head}\n", done.stderr
        )
        self.write([lines[0], lines[2]])
        done = self.run_hector("verify", self.path)
        self.assertEqual(done.stdout, f"REMOVED: {self.path}:2: record 2 is gone\n")
        self.assertEqual((done.returncode, done.stderr), (1, ""))

    def test_what_is_no_log_and_no_question_has_codes_of_its_own(self):
        self.assertEqual(self.run_hector("verify", self.path).returncode, 3)
        self.write(["hello"])
        self.assertEqual(self.run_hector("verify", self.path, "--head", "abc").returncode, 2)
        self.assertEqual(self.run_hector("verify", self.path).returncode, 1)
        self.assertEqual(self.run_hector("verify").returncode, 2)
        self.assertEqual(self.run_hector("verify", self.folder).returncode, 3)

    def test_a_million_records_take_seconds_and_no_more_memory_than_a_thousand(self):
        lines, prev = [], ZEROS
        with open(self.path, "w", encoding="ascii") as file:
            for seq in range(1, 1_000_001):
                line, prev = write_record(seq, prev)
                file.write(line + "\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        verdict = self.verify("--head", prev, "--count", "1000000")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertEqual(verdict["records"], 1_000_000)
        processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"1,000,000 records: {processor_s:.2f} s, {after.ru_maxrss // 1024} MiB")
        self.assertLess(processor_s, 30)
        self.assertLess(after.ru_maxrss, 200 * 1024)


class Show(Audit):
    def setUp(self):
        super().setUp()
        lines, prev = [], ZEROS
        for seq in range(1, 61):
            line, prev = write_record(
                seq,
                prev,
                kind="binding" if seq % 2 else "realm",
                principal=f"uid:{seq % 3}",
                outcome="refused" if seq % 5 == 0 else "done",
            )
            lines.append(line)
        self.lines = lines
        self.write(lines)

    def test_chooses_by_what_a_record_says(self):
        seqs = lambda *options: [record["seq"] for record in self.records(*options)]
        every = range(1, 61)
        self.assertEqual(seqs(), list(every))
        self.assertEqual(seqs("--kind", "realm"), [n for n in every if n % 2 == 0])
        self.assertEqual(seqs("--principal", "uid:1"), [n for n in every if n % 3 == 1])
        self.assertEqual(seqs("--outcome", "refused"), [n for n in every if n % 5 == 0])
        self.assertEqual(seqs("--object", "object-7"), [7])
        self.assertEqual(seqs("--since", "2026-11-27T08:00:58Z"), [58, 59, 60])
        self.assertEqual(seqs("--since", "2026-11-27T08:00:58.059Z"), [59, 60])
        self.assertEqual(seqs("--until", "2026-11-27T08:00:02Z"), [1])
        self.assertEqual(seqs("-n", "2", "--kind", "realm"), [58, 60])
        self.assertEqual(self.run_hector("show", self.path, "--since", "now").returncode, 2)

    def test_shows_the_records_of_a_log_that_is_not_whole_and_says_so(self):
        self.write(self.lines[:2] + ["no record"] + self.lines[2:4])
        done = self.run_hector("show", self.path, "-o", "jsonl")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stdout.splitlines()), 4)
        self.assertIn("1 lines are no records", done.stderr)

    def test_lets_no_control_character_of_a_record_reach_the_terminal(self):
        self.write([write_record(1, ZEROS, object="\x1b[2Jgone")[0]])
        for form in ("table", "json", "yaml", "jsonl"):
            done = self.run_hector("show", self.path, "-o", form)
            self.assertNotIn("\x1b", done.stdout, form)
            self.assertIn("gone", done.stdout)


class Append(Audit):
    def test_makes_a_log_that_its_owner_alone_reads(self):
        os.umask(0)
        head = self.append("load", "hello.py", "--reason", "tried", "--reason", "twice")
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        record = self.records()[0]
        self.assertEqual((record["seq"], record["hash"]), (1, head["hash"]))
        self.assertEqual(record["principal"], f"uid:{os.getuid()}")
        self.assertEqual(record["reasons"], ["tried", "twice"])
        os.chmod(self.path, 0o644)
        done = self.run_hector("append", self.path, "load", "hello.py")
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 600", done.stderr)

    def test_goes_on_after_a_log_by_the_readme(self):
        lines, _ = make_log(10)
        self.write(lines)
        os.chmod(self.path, 0o600)
        head = self.append("load", "x")
        self.assertEqual(head["seq"], 11)
        self.assertEqual(self.verify()["records"], 11)
        with open(self.path, encoding="utf-8") as file:
            line = file.read().splitlines()[-1]
        record = json.loads(line)
        self.assertEqual(line, canonical(record))
        self.assertEqual(
            record.pop("hash"), hashlib.sha256(canonical(record).encode()).hexdigest()
        )

    def test_sets_a_half_written_line_aside_and_says_so(self):
        lines, _ = make_log(3)
        self.write(lines, end="")
        os.chmod(self.path, 0o600)
        self.assertEqual(self.found(), ("INCOMPLETE", 3, 3))
        done = self.run_hector("append", self.path, "load", "x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"half-written line was moved to '{self.path}.cut-1'", done.stderr)
        with open(f"{self.path}.cut-1", encoding="utf-8") as file:
            self.assertEqual(file.read(), lines[2])
        self.assertEqual([record["kind"] for record in self.records()[2:]], ["audit", "note"])
        self.assertEqual(self.verify()["state"], "whole")

    def test_adds_nothing_to_a_log_that_is_not_whole(self):
        lines, _ = make_log(3)
        self.write([lines[0], lines[2]])
        os.chmod(self.path, 0o600)
        done = self.run_hector("append", self.path, "load", "x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("record 2 is gone", done.stderr)
        self.assertEqual(self.verify()["records"], 1)

    def test_many_at_once_leave_one_chain(self):
        script = f'for i in $(seq 20); do until "{HECTOR}" audit append "$0" a b; do :; done; done'
        writers = [
            subprocess.Popen(
                ["sh", "-c", script, self.path],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(3)
        ]
        for writer in writers:
            self.assertEqual(writer.wait(120), 0)
        self.assertEqual(self.verify()["records"], 60)


@unittest.skipUnless(os.environ.get(MARK), "mount namespaces of one's own are not allowed here")
class FullDisk(Audit):
    def setUp(self):
        super().setUp()
        self.disk = Disk(os.path.join(self.folder, "disk"), 1)
        self.addCleanup(self.disk.unmount)
        self.path = os.path.join(self.disk.folder, "acts.log")

    def test_a_full_disk_is_told_and_leaves_a_whole_log_that_goes_on_with_room(self):
        for number in range(3):
            self.append("load", f"early{number}")
        self.disk.fill()
        lost = 0
        for number in range(40):  # the last page of the file has some room
            done = self.run_hector("append", self.path, "load", f"late{number}")
            if done.returncode != 0:
                lost += 1
                self.assertEqual(done.returncode, 1)
                self.assertIn("RESOURCE_EXHAUSTED", done.stderr)
                self.assertIn(self.path, done.stderr)
                self.assertIn("make room", done.stderr)
        self.assertGreater(lost, 10)
        there = self.verify()
        self.assertEqual((there["state"], there["records"]), ("whole", 3 + 40 - lost))
        self.disk.make_room()
        self.assertEqual(self.append("load", "again")["seq"], there["records"] + 1)
        self.assertEqual(self.verify()["state"], "whole")


if __name__ == "__main__":
    if MARK not in os.environ and is_allowed():
        os.environ[MARK] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, *sys.argv])
    unittest.main()
