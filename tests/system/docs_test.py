"""Every code block of the README and of the guides, run as a reader would: the README first, then
the guides in the order in which it names them, one after the other, beside one `tools/demo --stay`.

What: blocks as files, commands and outputs.
Why: a document that is not run is soon wrong; what one guide leaves behind is there in the next.
Who: ctest.

A block's first line may be a comment with a file's name ("# adder.py", "// hello.cc"): then it is
that file. `sh` blocks are run line by line in one folder; lines for tools/demo and tools/test are
checked for their options only: `tools/demo --stay` runs already. A line that
ends in "# exit code N" must end with N. A `text` block is what the block before it printed; where
its lines break does not count.
"""

import glob
import os
import re
import signal
import subprocess
import sys
import unittest

import outside
import waiting
from capsules import ROOT, Capsules
from needs import MEETING, needs

FILE_NAME = re.compile(r"^(?:#|//) (\S+\.\w+)\s*$")
#: Guides to plugins that the demo does without.
NEEDED = {
    "identities.md": ("services/authentication",),
    "worlds.md": ("protocols/heros", "protocols/zeromq"),
}
EXIT_CODE = re.compile(r"  # exit code (\d+)\b")


def blocks(path):
    """(language, first line's number, text) of each fenced block."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for match in re.finditer(r"^```(\w+)\n(.*?)^```", text, re.M | re.S):
        yield match.group(1), text[: match.start()].count("\n") + 2, match.group(2)


def guides():
    """In the order of the README's table."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        named = re.findall(r"\]\((docs/guides/\w+\.md)\)", file.read())
    there = {
        os.path.relpath(path, ROOT)
        for path in glob.glob(os.path.join(ROOT, "docs", "guides", "*.md"))
    }
    assert set(named) == there, f"the README names {named}, there are {there}"
    return named


class Demo:
    """`tools/demo --stay`, and what it tells the person to type."""

    def __init__(self, folder):
        self.log = os.path.join(folder, "demo.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, os.path.join(ROOT, "tools", "demo.py"), "--stay"]
                + ["--invitations", os.path.join(folder, "invitations")],
                stdout=log,
                stderr=log,
            )
        waiting.until(
            lambda: "Ctrl-C ends them" in self.printed() or self.process.poll() is not None, 60
        )
        self.run = re.search(r"export HECTOR_RUN_DIRECTORY=(\S+)", self.printed()).group(1)
        self.realm = re.search(r"export HECTOR_REALM=(\S+)", self.printed()).group(1)
        self.commands = re.findall(r"^    (\S+/hector .*|grpcurl .*)$", self.printed(), re.M)

    def printed(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@needs(*MEETING)
class Docs(unittest.TestCase):
    def setUp(self):
        self.c = Capsules()
        self.addCleanup(self.c.stop)
        self.demo = Demo(self.c.folder)
        self.addCleanup(self.demo.stop)
        self.c.environment["HECTOR_RUN_DIRECTORY"] = self.demo.run
        self.c.environment["HECTOR_REALM"] = self.demo.realm
        self.folder = os.path.join(self.c.folder, "reader")
        os.makedirs(self.folder)
        path = os.pathsep.join(
            [
                os.path.join(self.c.build, "bin"),
                os.path.dirname(outside.go_program(outside.GRPCURL)),
                os.environ["PATH"],
            ]
        )
        self.environment = dict(
            self.c.environment,
            PATH=path,
            HECTOR=ROOT,
            HECTOR_SOURCE=ROOT,
            HECTOR_BUILD=self.c.build,
        )

    def port(self):
        return re.search(r":(\d+)", self.c.address("north", "grpc")).group(1)

    def run_block(self, where, text):
        lines = []
        for line in text.replace("\\\n", " ").splitlines():
            command = line.split("  #")[0].strip()
            expected = EXIT_CODE.search(line)
            if expected:
                command = f"ended=0; {command} || ended=$?; test $ended -eq {expected.group(1)}"
            if command.startswith(("tools/demo", "tools/test")):
                help_text = subprocess.run(
                    [os.path.join(ROOT, "tools", "demo"), "--help"],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                for option in re.findall(r"--\w+", command):
                    self.assertIn(option, help_text, where)
            elif command:
                lines.append(
                    re.sub(r"(?<![\w/])build/release/bin/", "", command).replace(
                        "localhost:PORT", f"localhost:{self.port()}"
                    )
                )
        done = subprocess.run(
            ["bash", "-e", "-c", "\n".join(lines)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.assertEqual(done.returncode, 0, f"{where}:\n{text}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def read(self, path):
        ran = 0
        printed = ""
        for language, line, text in blocks(path):
            where = f"{os.path.relpath(path, ROOT)}:{line}"
            if language == "text":
                self.assertEqual(printed.split(), text.split(), f"{where}: not what is printed")
                continue
            named = FILE_NAME.match(text.splitlines()[0])
            if named:
                target = os.path.join(self.folder, named.group(1))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "w", encoding="utf-8") as file:
                    file.write(text)
            else:
                self.assertEqual(
                    language,
                    "sh",
                    f"{where}: a block that is no command begins with a comment that names its"
                    " file",
                )
                printed = self.run_block(where, text)
            ran += 1
        self.assertGreater(ran, 2, path)

    def test_the_readme_and_the_guides_in_order(self):
        self.assertGreater(len(self.demo.commands), 3)
        self.run_block("what tools/demo --stay prints", "\n".join(self.demo.commands))
        for path in ["README.md", *guides()]:
            plugins = NEEDED.get(os.path.basename(path), ())
            if not all(os.path.isdir(os.path.join(ROOT, each)) for each in plugins):
                continue
            with self.subTest(path):
                self.read(os.path.join(ROOT, path))
        self.assertEqual(self.demo.stop(), 0, self.demo.printed())


if __name__ == "__main__":
    unittest.main()
