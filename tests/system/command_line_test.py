"""The command line as a program among others.

What: outputs that cannot be written, every format of every kind of command, wrong words and the
help that they get, capsules that have died.
Why: scripts trust exit codes and formats; people mistype.
Who: ctest.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from capsules import ROOT, Capsules
from needs import is_open_to_all, needs

BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
HECTOR = os.path.join(BUILD, "bin", "hector")
MEETING = os.path.join(ROOT, "templates", "meeting", "meeting.hector.yaml")
HUB = 'capsule: hub\nprotocols: {udp: {listen: "127.0.0.1:0"}}\nstore: memory\n'
PROTO = 'syntax = "proto3"; package t; message M {} service S { rpc f(M) returns (M); }'


def run(*arguments, env=None, stdout=subprocess.PIPE, **options):
    return subprocess.run(
        [HECTOR, *arguments],
        env=env,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def description(line):
    """What stands behind the name, the type and the default in a line of help."""
    rest = re.sub(r"^  \S+", "", line)
    for part in (r"^ (TEXT|UINT)(:.*?(=\S+| REQUIRED)|=\S+)?", r"^ REQUIRED", r"^ \.\.\."):
        rest = re.sub(part, "", rest)
    return rest.strip()


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hector-cli-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.proto = self.write("t.proto", PROTO)
        self.older = self.write("older.proto", PROTO.replace("M {}", "M { int32 a = 1; }"))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def file_commands(self):
        """Commands that need no capsule, and end 0."""
        return (
            ["version"],
            ["help"],
            ["help", "type", "check"],
            ["type", "--help"],
            ["type", "check", MEETING],
            ["type", "conforms", f"{MEETING}:diary.Calendar", f"{MEETING}:attendee"],
            ["type", "diff", MEETING, MEETING],
            ["type", "breaking", MEETING, MEETING],
            ["type", "breaking", self.proto, self.proto, "--rules", "FILE"],
            ["type", "draw", MEETING],
            ["type", "draw", MEETING, "--form", "dot"],
            ["type", "gen", MEETING],
            ["type", "gen", MEETING, "--form", "pyi"],
            ["type", "import", self.proto],
            ["type", "export", f"{MEETING}:diary.Calendar"],
            ["type", "fmt", "--check", MEETING],
        )


class Outputs(Folder):
    """What was not written is not done."""

    def commands(self):
        silent = ("diff", "fmt")  # nothing differs, so nothing is printed
        return [c for c in self.file_commands() if len(c) < 2 or c[1] not in silent]

    def test_a_full_disk_fails_every_command_with_a_line(self):
        for command in self.commands():
            with self.subTest(" ".join(command)), open("/dev/full", "wb") as full:
                done = run(*command, stdout=full)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(
                    done.stderr, "hector: the output cannot be written: No space left on device\n"
                )

    def test_a_failure_keeps_its_own_exit_code(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(
                run("type", "breaking", self.older, self.proto, "--rules", "FILE", stdout=full)
                .returncode,
                7,
            )

    def test_a_closed_output_fails(self):
        for command in self.commands():
            with self.subTest(" ".join(command)):
                done = subprocess.run(
                    ["bash", "-c", 'exec "$0" "$@" >&-', HECTOR, *command],
                    stderr=subprocess.PIPE,
                    text=True,
                    timeout=60,
                    check=False,
                )
                self.assertEqual(done.returncode, 1)
                self.assertIn("the output cannot be written: Bad file descriptor", done.stderr)

    def test_closed_errors_end_no_command(self):
        for redirection, code in (("2>&-", 2), ("<&- 2>&-", 2), ("2>/dev/full", 2)):
            done = subprocess.run(
                ["bash", "-c", f'exec "$0" "$@" {redirection}', HECTOR, "gett"],
                timeout=60,
                check=False,
            )
            self.assertEqual(done.returncode, code, redirection)

    def test_a_reader_that_goes_ends_it_quietly(self):
        done = subprocess.run(
            ["bash", "-c", f"'{HECTOR}' type gen '{MEETING}' | head -1"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(done.stderr, "")
        reading, writing = os.pipe()
        os.close(reading)
        for command in self.commands():
            with self.subTest(" ".join(command)):
                done = run(
                    *command,
                    stdout=writing,
                    restore_signals=False,
                    preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN),
                )
                self.assertEqual((done.returncode, done.stderr), (1, ""))
        os.close(writing)


class Formats(Folder):
    def check(self, command, env=None):
        """Every format of a command reads as what it says it is."""
        form = {}
        for name in ("json", "jsonl", "yaml", "name"):
            done = run(*command, "-o", name, env=env)
            self.assertIn(done.returncode, (0, 7), f"{command} -o {name}: {done.stderr}")
            form[name] = done.stdout
        whole = json.loads(form["json"])
        lines = [json.loads(line) for line in form["jsonl"].splitlines()]
        if isinstance(whole, list):
            self.assertEqual(lines, whole)
            self.assertEqual(len(form["name"].splitlines()), len(whole))
        self.assertEqual(self.read_yaml(form["yaml"]), whole, command)
        return whole

    def read_yaml(self, text):
        """By the configuration's own reader: as the arguments of an Object that is not made."""
        return simple_yaml(text.splitlines())

    def test_files(self):
        for command in self.file_commands():
            if "help" in command[0] or "--help" in command:
                continue
            with self.subTest(" ".join(command)):
                self.check(command)
        found = self.check(["type", "breaking", self.older, self.proto, "--rules", "FILE"])
        self.assertEqual(found[0]["rule"], "FIELD_NO_DELETE")
        self.assertEqual(self.check(["version"])["name"], "hector")
        self.assertTrue(self.check(["type", "check", MEETING])[0]["ok"])

    @needs("protocols/udp", "languages/python")
    def test_a_capsule(self):
        template = self.write(
            "sums.py",
            "import hector\n\n\n@hector.template('sums.Adder/1')\nclass Adder:\n"
            "    def add(self, a: int, b: int) -> int:\n        return a + b\n",
        )
        with Capsules() as capsules:
            env = capsules.environment
            capsules.configure("hub", HUB + "languages: [python]\n")
            for command in (
                ["get", "capsules"],
                ["get", "types"],
                ["get", "bindings"],
                ["get", "protocols"],
                ["load", "template", template],
                ["get", "templates"],
                ["create", "object", "sums.Adder"],
                ["get", "objects"],
                ["get", "channels"],
                ["describe", "object", "adder"],
                ["describe", "type", "sums.Adder/1"],
                ["describe", "protocol", "udp"],
                ["call", "adder.add", '{"a": 1, "b": 2}'],
                ["unload", "protocol", "udp", "--dry-run"],
            ):
                with self.subTest(" ".join(command)):
                    if command[0] in ("load", "create"):
                        run(*command, env=env)
                        continue
                    self.check(command, env)
            objects = json.loads(capsules.hector("get", "objects", "-o", "json"))
            self.assertEqual([each["name"] for each in objects], ["adder"])
            self.assertIsInstance(objects[0]["calls"], int)
            done = run("delete", "object", "adder", "-o", "json", env=env)
            self.assertEqual(json.loads(done.stdout), {"text": "object adder deleted"})


def simple_yaml(lines):
    """What `-o yaml` writes: block maps and lists, scalars as JSON."""

    def block(at, indentation):
        entries, kind = None, None
        while at < len(lines):
            line = lines[at]
            depth = len(line) - len(line.lstrip())
            if depth < indentation:
                break
            text = line[indentation:]
            if text.startswith("- "):
                kind = kind or "list"
                entries = [] if entries is None else entries
                lines[at] = " " * (indentation + 2) + text[2:]
                value, at = value_at(at, indentation + 2)
                entries.append(value)
                continue
            entries = {} if entries is None else entries
            key, rest = re.match(r'("(?:[^"\\]|\\.)*"|[^:]+):(.*)', text).groups()
            key = json.loads(key) if key.startswith('"') else key
            if rest.strip():
                entries[key], at = json.loads(rest), at + 1
            else:
                entries[key], at = block(at + 1, indentation + 2)
        return entries, at

    def value_at(at, indentation):
        text = lines[at][indentation:]
        if re.match(r'("(?:[^"\\]|\\.)*"|[A-Za-z_][\w.-]*):( |$)', text):
            return block(at, indentation)
        return json.loads(text), at + 1

    if len(lines) == 1 and not re.match(r"(- |[\w\"]+.*:)", lines[0]):
        return json.loads(lines[0])
    return block(0, 0)[0]


class Words(Folder):
    def test_wrong_words_get_the_nearest_right_one(self):
        nearest = (
            (["gett", "objects"], "unknown command 'hector gett' (did you mean 'get'?)"),
            (["-c", "x", "descibe"], "(did you mean 'describe'?)"),
            (["type", "chek", "x"], "unknown command 'hector type chek' (did you mean 'check'?)"),
            (["trade", "lnk", "add"], "(did you mean 'link'?)"),
            (["trade", "link", "ad"], "(did you mean 'add'?)"),
            (["type", "check", "x", "--outptu", "json"], "(did you mean '--output'?)"),
            (
                ["get", "objects", "-o", "jsno"],
                "'jsno' is none of table, wide, json, jsonl, yaml, name (did you mean 'json'?)",
            ),
            (["load", "protocl", "udp"], "'protocl' is none of"),
            (["unload", "type", "x"], "'type' is none of protocol, language, service, template"),
            (["type", "gen", "x", "--form", "pyl"], "(did you mean 'pyi'?)"),
            (["help", "tpye"], "(did you mean 'type'?)"),
            (["help", "type", "chck"], "(did you mean 'check'?)"),
            ([], "`hector` needs a command: "),
            (["type"], "`hector type` needs a command: "),
            (["get"], "kind is required; `hector help get` says more"),
            (["get", "objects", "ana"], "'ana' is one word too many for `hector get`"),
            (["create", "object", "t", "--arguments", "[1]"], "is not a JSON object"),
            (["create", "object", "t", "--arguments", "{n: }"], "is not a JSON object"),
        )
        for words, text in nearest:
            with self.subTest(" ".join(words)):
                done = run(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(text, done.stderr)
                self.assertTrue(done.stderr.startswith("hector: "))
                self.assertNotIn(BUILD, done.stderr)

    def commands(self, *words):
        """Every command below these words, with its help."""
        done = run("help", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        self.assertEqual(done.stdout, run(*words, "--help").stdout)
        yield words, done.stdout
        if "\nSubcommands:\n" not in done.stdout:
            return
        for line in done.stdout.split("\nSubcommands:\n")[1].splitlines():
            if re.match(r"  \S", line) and line.split()[0] != "help":
                yield from self.commands(*words, line.split()[0])

    def test_everything_has_a_description(self):
        found = list(self.commands())
        self.assertGreater(len(found), 60)
        for words, text in found:
            lines = text.splitlines()
            for number, line in enumerate(lines):
                if not re.match(r"  \S", line):
                    continue
                described = description(line) or (
                    number + 1 < len(lines) and re.match(r" {20,}\S", lines[number + 1])
                )
                self.assertTrue(described, f"hector {' '.join(words)}: {line}")


class CapsulesThatAreGone(unittest.TestCase):
    def test_none_at_all_says_how_to_start_one(self):
        folder = tempfile.mkdtemp(prefix="hector-run-")
        self.addCleanup(shutil.rmtree, folder)
        env = dict(os.environ, HECTOR_RUN_DIRECTORY=folder)
        done = run("get", "objects", env=env)
        self.assertEqual(done.returncode, 3)
        self.assertIn("no capsule runs here", done.stderr)
        self.assertIn("hector capsule run FILE", done.stderr)

    @unittest.skipIf(os.getuid() != 0, "only root can be another user")
    @unittest.skipUnless(is_open_to_all(HECTOR), "another user cannot reach the program")
    def test_another_users_folder_is_said_to_be_that(self):
        folder = tempfile.mkdtemp(prefix="hector-run-")
        self.addCleanup(shutil.rmtree, folder)
        env = dict(os.environ, HECTOR_RUN_DIRECTORY=folder)
        for words in (["get", "capsules"], ["get", "objects"], ["-c", "x", "get", "objects"]):
            done = run(*words, env=env, user=65534, group=65534, extra_groups=[])
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn(f"'{folder}' belongs to another user", done.stderr)

    @needs("protocols/udp")
    def test_the_list_has_asked_each(self):
        with Capsules() as capsules:
            for name in ("alive", "dead", "stopped"):
                capsules.configure(name, HUB.replace("hub", name))
            states = lambda: {  # noqa: E731
                each["name"]: each["state"]
                for each in json.loads(capsules.hector("get", "capsules", "-o", "json"))
            }
            self.assertEqual(states(), {"alive": "up", "dead": "up", "stopped": "up"})
            capsules.processes["dead"].kill()
            capsules.processes["dead"].wait()
            stopped = capsules.processes["stopped"]
            stopped.send_signal(signal.SIGSTOP)
            self.addCleanup(stopped.send_signal, signal.SIGCONT)
            self.assertEqual(states(), {"alive": "up", "dead": "killed", "stopped": "silent"})
            done = run("-c", "stopped", "get", "objects", env=capsules.environment)
            stopped.send_signal(signal.SIGCONT)
            self.assertEqual(done.returncode, 6)
            self.assertIn("capsule 'stopped' does not answer, though its process", done.stderr)
            done = run("-c", "dead", "get", "objects", env=capsules.environment)
            self.assertEqual(done.returncode, 6)
            self.assertRegex(
                done.stderr,
                r"capsule 'dead' was ended without .* its reference is of 20\d\d-\d\d-\d\d \d\d:",
            )

    @needs("protocols/udp", "languages/python")
    def test_an_object_that_is_not_there_gets_the_nearest(self):
        with Capsules() as capsules:
            capsules.configure("hub", HUB + "languages: [python]\n")
            folder = tempfile.mkdtemp(prefix="hector-object-")
            self.addCleanup(shutil.rmtree, folder)
            path = os.path.join(folder, "t.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write(
                    "import hector\n\n\n@hector.template('t.T/1')\nclass T:\n"
                    "    def f(self) -> int:\n        return 1\n"
                )
            capsules.hector("load", "template", path)
            capsules.hector("create", "object", "t.T", "--name", "ana")
            done = run("call", "anna.f", env=capsules.environment)
            self.assertEqual(done.returncode, 3)
            self.assertIn("(did you mean 'ana'?)", done.stderr)
            with open(path, "a", encoding="utf-8") as file:
                file.write(
                    "\n\n@hector.template('t.U/1')\nclass U:\n"
                    "    def f(self) -> int:\n        return 1\n"
                )
            done = run("load", "template", path, env=capsules.environment)
            self.assertIn(
                "found T, U: put each of the others into a file of its own", done.stderr
            )


if __name__ == "__main__":
    unittest.main()
