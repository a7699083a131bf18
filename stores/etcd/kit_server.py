"""An etcd server for the kit, on free ports of this machine, until the input ends.

What: prints the location of a store in it.
Why: the kit runs against the real thing.
Who: tests/kits/store_kit.cc.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    if shutil.which("etcd") is None:
        print("kit_server: there is no etcd here (Debian's etcd-server)", file=sys.stderr)
        return 1
    client, peer = free_port(), free_port()
    folder = tempfile.mkdtemp(prefix="hector-etcd-")
    url = f"http://127.0.0.1:{client}"
    server = subprocess.Popen(
        [
            "etcd",
            "--data-dir",
            folder,
            "--listen-client-urls",
            url,
            "--advertise-client-urls",
            url,
            "--listen-peer-urls",
            f"http://127.0.0.1:{peer}",
            "--initial-advertise-peer-urls",
            f"http://127.0.0.1:{peer}",
            "--initial-cluster",
            f"default=http://127.0.0.1:{peer}",
            "--log-level",
            "error",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                if b"true" in urllib.request.urlopen(url + "/health", timeout=1).read():
                    break
            except OSError:
                time.sleep(0.05)
        print(f"//127.0.0.1:{client}/kit", flush=True)
        sys.stdin.read()
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
