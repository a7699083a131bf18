"""One etcd for a test.

What: Etcd, a member with a folder of its own, asked through its JSON gateway.
Why: several tests need the real one.
Who: the tests beside it.
"""

import base64
import json
import socket
import subprocess
import tempfile
import time
import urllib.request

START_S_MAX = 15


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Etcd:
    def __enter__(self):
        self.port, peer = free_port(), free_port()
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [
                "etcd",
                "--data-dir",
                self.folder.name,
                "--listen-client-urls",
                f"http://127.0.0.1:{self.port}",
                "--advertise-client-urls",
                f"http://127.0.0.1:{self.port}",
                "--listen-peer-urls",
                f"http://127.0.0.1:{peer}",
                "--initial-advertise-peer-urls",
                f"http://127.0.0.1:{peer}",
                "--initial-cluster",
                f"default=http://127.0.0.1:{peer}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S_MAX
        while True:
            try:
                self.ask("range", {"key": self.encoded(b"a")})
                return self
            except OSError:
                if time.monotonic() > deadline:
                    raise

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    @staticmethod
    def encoded(octets):
        return base64.b64encode(octets).decode()

    def ask(self, what, request):
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/v3/kv/{what}", json.dumps(request).encode(), timeout=5
        ) as reply:
            return json.load(reply)
