"""`hector identity check` on chains and tokens with every fault and every two of them.

What: files of identity_cases.py, checked in few runs; the form of the command.
Why: each refusal has one name, and one order when several apply (identity/README.md).
Who: ctest.
"""

import json
import os
import subprocess
import tempfile
import unittest

import identity_cases
from capsules import ROOT

HECTOR = os.path.join(
    os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release"), "bin", "hector"
)


def run(*arguments, cwd=None):
    return subprocess.run(
        [HECTOR, "identity", "check", *arguments], capture_output=True, check=False, cwd=cwd
    )


class Identity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.folder = cls.place.name
        cls.world, cls.groups = identity_cases.all_cases()
        for name, text in cls.world.bundles.items():
            cls.write(f"{name}.bundle", text.encode())

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    @classmethod
    def write(cls, name, content):
        with open(os.path.join(cls.folder, name), "wb") as file:
            file.write(content)
        return name

    def trust(self, names):
        return [part for name in names for part in ("--trust", f"{name}.bundle")]

    def judge(self, cases):
        """Cases of one question, in one run."""
        files = [self.write(f"case {i}", case.content) for i, case in enumerate(cases)]
        first = cases[0]
        audience = [] if first.audience is None else ["--audience", first.audience]
        done = run(*self.trust(first.trust), "--at", first.at, *audience, *files, cwd=self.folder)
        self.assertEqual(done.stderr, b"")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["file"] for line in lines], files)
        refused = any("error" in line for line in lines)
        self.assertEqual(done.returncode, 1 if refused else 0)
        return lines

    def check_group(self, name):
        by_question = {}
        for case in self.groups[name]:
            by_question.setdefault((case.trust, case.at, case.audience), []).append(case)
        wrong = []
        for cases in by_question.values():
            for case, line in zip(cases, self.judge(cases)):
                said = line.get("principal") or line.get("error")
                if said != case.verdict:
                    wrong.append(f"{case.name}: {said} instead of {case.verdict}: {line}")
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(self.groups[name])}")

    def test_good_chains(self):
        self.check_group("good_chains")

    def test_malformed_chains(self):
        self.check_group("malformed_chains")

    def test_untrusted_chains(self):
        self.check_group("untrusted_chains")

    def test_other_chains(self):
        self.check_group("other_chains")

    def test_anchors_and_paths(self):
        self.check_group("anchors")

    def test_of_two_faults_of_a_chain_the_first_counts(self):
        self.check_group("pairs_of_chains")

    def test_tokens(self):
        self.check_group("tokens")

    def test_of_two_faults_of_a_token_the_first_counts(self):
        self.check_group("pairs_of_tokens")

    def test_usage_and_bundles(self):
        good = self.write("good", self.groups["good_chains"][0].content)
        broken = {
            "garbage.bundle": b"garbage",
            "cut.bundle": self.world.bundles["root"][:-20].encode(),
            "json.bundle": b"{",
            "no_keys.bundle": b"{}",
            "twice.bundle": b'{"keys": [], "keys": []}',
        }
        for name, content in broken.items():
            self.write(name, content)
        root = "td=root.bundle"
        for arguments in (
            [good],
            ["--trust", root],
            ["--trust", "root.bundle", good],
            ["--trust", "TD=root.bundle", good],
            ["--trust", "spiffe://td=root.bundle", good],
            ["--trust", "td=nowhere", good],
            *(["--trust", root, "--trust", f"td={name}", good] for name in broken),
            ["--trust", root, "--at", "yesterday", good],
            ["--trust", root, "--at", "2024-06-01T12:00:00+02:00", good],
            ["--trust", root, "--audience", "a", "--audience", "b", good],
        ):
            done = run(*arguments, cwd=self.folder)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertNotEqual(done.stderr, b"")

    def test_what_cannot_be_read_does_not_stop_the_others(self):
        good = self.write("good", self.groups["good_chains"][0].content)
        at = ["--at", "2024-06-01T12:00:00Z"]
        done = run(*self.trust(["td=root"]), *at, good, "nowhere", ".", good, cwd=self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        self.assertEqual(len(done.stderr.splitlines()), 2)

    def test_now_is_the_time_that_is_left_out(self):
        good = self.write("good", self.groups["good_chains"][0].content)
        done = run(*self.trust(["td=root"]), good, cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["error"], "EXPIRED")


if __name__ == "__main__":
    unittest.main()
