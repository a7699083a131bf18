"""tools/build, when it configures.

What: the script with a cmake and a ninja that only say that they were called.
Why: what tools/setup installs after a first build is found only by configuring again.
Who: ctest.
"""

import os
import shutil
import subprocess
import tempfile
import unittest

from capsules import ROOT


class BuildTool(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hector-build-")
        self.addCleanup(shutil.rmtree, self.folder)
        os.makedirs(os.path.join(self.folder, "tools"))
        os.makedirs(os.path.join(self.folder, "build", "release"))
        shutil.copy(os.path.join(ROOT, "tools", "build"), os.path.join(self.folder, "tools"))
        self.program("cmake", 'echo cmake >>calls; touch build/release/build.ninja')
        self.program("ninja", "echo ninja >>calls")

    def program(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)

    def touch(self, path, age_s):
        """A file whose time is that long ago."""
        path = os.path.join(self.folder, path)
        with open(path, "a", encoding="utf-8"):
            pass
        when = os.stat(self.folder).st_mtime - age_s
        os.utime(path, (when, when))

    def build(self):
        """What was called, in order."""
        subprocess.run(
            [os.path.join(self.folder, "tools", "build"), "release", "target"],
            env=dict(os.environ, PATH=self.folder + ":" + os.environ["PATH"]),
            check=True,
            timeout=60,
        )
        with open(os.path.join(self.folder, "calls"), encoding="utf-8") as file:
            return file.read().split()

    def test_it_configures_what_is_not_configured(self):
        self.assertEqual(self.build(), ["cmake", "ninja"])

    def test_it_does_not_configure_again_for_nothing(self):
        self.touch("build/.setup-1", 20)
        self.touch("build/release/build.ninja", 10)
        self.assertEqual(self.build(), ["ninja"])

    def test_it_configures_again_after_something_was_installed(self):
        self.touch("build/release/build.ninja", 20)
        self.touch("build/.setup-1", 30)
        self.touch("build/.setup-2", 10)
        self.assertEqual(self.build(), ["cmake", "ninja"])


if __name__ == "__main__":
    unittest.main()
