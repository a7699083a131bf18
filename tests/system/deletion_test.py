"""Any one plugin folder can be deleted.

What: without one folder of each kind all the rest builds, and all tests that do not need it
pass.
Why: the core knows no plugin, also not in CMake or in a test.
Who: ctest.
"""

import os
import shutil
import subprocess
import tempfile
import unittest

from capsules import ROOT

# What is random there has run long enough outside.
ROUNDS = "50"
# Two at a time here; these measure memory, or build a tree, and have run alone outside.
OUTSIDE_ONLY = "system.grpc_abuse_test|system.rubbish_test|system.sanitizers_test"
# In the first tree only: what they ask is about other folders than those that are taken away.
ONCE = "system.on_each_store_test|system.packages_test|system.type_service_test|system.heros_test"
DELETED = ("protocols/zenoh", "languages/python", "services/trading")


def ignored(folder, names):
    """What no copy of the tree needs: its build folder, but not tools/build."""
    return {
        name
        for name in names
        if name in (".git", "__pycache__") or (name == "build" and folder == ROOT)
    }


class Deletion(unittest.TestCase):
    def run_in(self, tree, *command, **environment):
        done = subprocess.run(
            command,
            cwd=tree,
            env=dict(os.environ, CCACHE_BASEDIR=tree, CCACHE_NOHASHDIR="1", **environment),
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(
            done.returncode, 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
        return done.stdout

    def assert_tidy_but_for(self, tree, deleted):
        """Documents still name files of the folder that is gone; nothing else is out of order."""
        done = subprocess.run(
            ["/usr/bin/python3.11", "tools/tidy.py"],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
        breaches = [line for line in done.stdout.splitlines() if line.endswith("]")]
        others = [line for line in breaches if f" names {deleted}" not in line]
        self.assertEqual(others, [], done.stderr)

    def test_each_kind(self):
        for deleted in DELETED:
            with self.subTest(deleted), tempfile.TemporaryDirectory(
                prefix="hector-deletion-"
            ) as place:
                tree = os.path.join(place, "tree")
                left_out = OUTSIDE_ONLY if deleted == DELETED[0] else f"{OUTSIDE_ONLY}|{ONCE}"
                shutil.copytree(ROOT, tree, ignore=ignored)
                shutil.rmtree(os.path.join(tree, deleted))
                os.makedirs(os.path.join(tree, "build"))
                self.run_in(tree, "git", "init", "-q")  # tidy asks git which files there are
                for shared in (
                    "rust",
                    "outside",
                ):  # the crate and the programs of others are built once
                    if os.path.isdir(os.path.join(ROOT, "build", shared)):
                        os.symlink(
                            os.path.join(ROOT, "build", shared), os.path.join(tree, "build", shared)
                        )
                self.run_in(tree, "cmake", "--preset", "release")
                self.run_in(tree, "ninja", "-C", "build/release")
                out = self.run_in(
                    tree,
                    "ctest",
                    "--test-dir",
                    "build/release",
                    "-j",
                    "2",
                    # What fails beside another one, and passes then, does not need the folder.
                    "--repeat",
                    "until-pass:2",
                    "-E",
                    f"^(system.deletion_test|tidy|tidy_self_test|lint|{left_out})$",
                    "--output-on-failure",
                    HECTOR_BUILD="",
                    PYTHONPATH="",
                    HECTOR_ROUNDS=ROUNDS,
                )
                self.assertIn("100% tests passed", out)
                self.assert_tidy_but_for(tree, deleted)
                self.assertNotIn(
                    os.path.basename(deleted) + ".so",
                    " ".join(os.listdir(os.path.join(tree, "build", "release", "lib", "hector"))),
                )


if __name__ == "__main__":
    unittest.main()
