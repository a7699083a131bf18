"""Capsules started, asked and stopped from Python.

What: Capsules, a handful of capsule processes with a run directory of their own.
Why: the demo and the whole-system tests do the same with them.
Who: tools/demo.py, tests/.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile

import waiting

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START_S_MAX = 20
STOP_S_MAX = 15


class CommandFailed(Exception):
    """`hector` ended with another exit code than 0."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


class Capsules:
    def __init__(self, build=None, realm=None):
        """`realm`: the trust domain of a realm that they, and the command line, are of."""
        self.build = (
            build or os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
        )
        self.folder = tempfile.mkdtemp(prefix="hector-")
        self.run = os.path.join(self.folder, "run")
        os.makedirs(self.run, mode=0o700)
        self.environment = dict(os.environ, HECTOR_RUN_DIRECTORY=self.run)
        self.processes = {}
        if realm:
            self.realm = os.path.join(self.folder, "realm")
            self.hector("init", self.realm, realm)
            self.environment["HECTOR_REALM"] = self.realm

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, name, configuration):
        """Starts a capsule and waits until it is ready."""
        reference = os.path.join(self.run, f"{name}.reference")
        if os.path.exists(reference):
            os.remove(reference)  # of one that was killed: this one writes another
        with open(os.path.join(self.folder, f"{name}.log"), "wb") as log:
            process = subprocess.Popen(
                [os.path.join(self.build, "bin", "hector-capsule"), configuration],
                stdout=log,
                stderr=log,
                env=self.environment,
            )
        self.processes[name] = process
        try:
            waiting.until(
                lambda: os.path.exists(reference) or process.poll() is not None, START_S_MAX
            )
        except AssertionError:
            pass
        if not os.path.exists(reference):
            raise CommandFailed(
                process.poll() or 1, f"capsule {name} did not start:\n{self.log(name)}"
            )
        return process

    def configure(self, name, text):
        """Writes a configuration for a test and starts it; on the store that HECTOR_TEST_STORE
        names, if it names none itself.
        """
        store = os.environ.get("HECTOR_TEST_STORE")
        if store and "store:" not in text:
            text += f"store: {store.format(folder=os.path.basename(self.folder), capsule=name)}\n"
        path = os.path.join(self.folder, f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return self.start(name, path)

    def log(self, name):
        with open(
            os.path.join(self.folder, f"{name}.log"), encoding="utf-8", errors="replace"
        ) as file:
            return file.read()

    def hector(self, *arguments, capsule=None, timeout=60):
        """Runs the command line; its output. CommandFailed with its exit code and message."""
        command = (
            [os.path.join(self.build, "bin", "hector")]
            + (["-c", capsule] if capsule else [])
            + list(arguments)
        )
        done = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            raise CommandFailed(done.returncode, done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def json(self, *arguments, capsule=None):
        return json.loads(self.hector(*arguments, "-o", "json", capsule=capsule))

    def call(self, what, message=None, capsule=None):
        out = (
            self.hector("call", what, json.dumps(message or {}), capsule=capsule)
            .strip()
            .splitlines()
        )
        return json.loads(out[0]) if len(out) == 1 else [json.loads(line) for line in out]

    def address(self, capsule, protocol):
        for item in self.json("get", "protocols", capsule=capsule):
            if item["name"] == protocol:
                return item["address"]
        raise LookupError(f"capsule {capsule} does not speak {protocol}")

    def stop(self):
        """Drains all, newest first. The exit codes by name."""
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_S_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        codes = {name: process.returncode for name, process in self.processes.items()}
        self.processes = {}
        shutil.rmtree(self.folder, ignore_errors=True)
        return codes
