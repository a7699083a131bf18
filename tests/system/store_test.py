"""A store on a cluster of three etcd members whose leader is killed under load.

What: S12.
Why: nothing acknowledged is lost and nothing is seen in a wrong order while members die.
Who: ctest.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request

from capsules import ROOT
from needs import needs

SECONDS = 12


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Cluster:
    """Three members on loopback; election after 1 s without a leader (etcd's default)."""

    def __init__(self, folder):
        ports = free_ports(6)
        self.clients, peers = ports[:3], ports[3:]
        self.folder = folder
        self.peers = ",".join(f"m{i}=http://127.0.0.1:{peers[i]}" for i in range(3))
        self.peer_ports = peers
        self.members = [self.start(i, "new") for i in range(3)]

    def start(self, i, state):
        client, peer = (
            f"http://127.0.0.1:{self.clients[i]}",
            f"http://127.0.0.1:{self.peer_ports[i]}",
        )
        return subprocess.Popen(
            [
                "etcd",
                "--name",
                f"m{i}",
                "--data-dir",
                f"{self.folder}/m{i}",
                "--listen-client-urls",
                client,
                "--advertise-client-urls",
                client,
                "--listen-peer-urls",
                peer,
                "--initial-advertise-peer-urls",
                peer,
                "--initial-cluster",
                self.peers,
                "--initial-cluster-state",
                state,
                "--log-level",
                "fatal",
            ],
            stderr=subprocess.DEVNULL,
        )

    def status(self, i):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.clients[i]}/v3/maintenance/status", data=b"{}"
        )
        return json.load(urllib.request.urlopen(request, timeout=1))

    def leader(self):
        deadline = time.time() + 20
        while time.time() < deadline:
            for i, member in enumerate(self.members):
                if member is None:
                    continue
                try:
                    status = self.status(i)
                    if (
                        status.get("leader", "0") != "0"
                        and status["leader"] == status["header"]["member_id"]
                    ):
                        return i
                except OSError:
                    pass
            time.sleep(0.05)
        raise AssertionError("the cluster has no leader after 20 s")

    def kill(self, i):
        self.members[i].send_signal(signal.SIGKILL)
        self.members[i].wait()
        self.members[i] = None

    def location(self):
        return "etcd://" + ",".join(f"127.0.0.1:{port}" for port in self.clients) + "/s12"

    def end(self):
        for member in self.members:
            if member is not None:
                member.kill()
                member.wait()


@needs("stores/etcd")
@unittest.skipUnless(shutil.which("etcd"), "needs Debian's etcd-server")
class StoreOnACluster(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hector-etcd-")
        self.cluster = Cluster(self.folder)

    def tearDown(self):
        self.cluster.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def test_s12_the_leader_is_killed_under_load(self):
        self.cluster.leader()
        load = subprocess.Popen(
            [
                os.path.join(
                    os.environ.get("HECTOR_BUILD", os.path.join(ROOT, "build", "release")),
                    "tests",
                    "store_load",
                ),
                self.cluster.location(),
                str(SECONDS),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.assertEqual(load.stdout.readline(), "running\n")
        time.sleep(2)
        first = self.cluster.leader()
        self.cluster.kill(first)
        second = self.cluster.leader()
        time.sleep(2)
        self.cluster.members[first] = self.cluster.start(first, "existing")
        time.sleep(2)
        self.cluster.kill(second)
        self.cluster.leader()
        result = load.communicate(timeout=90)[0]
        print(result.strip())
        self.assertEqual(load.returncode, 0, result)
        self.assertIn("operations linearizable, 0 failed", result)
        self.assertLessEqual(
            int(result.split("longest ")[1].split(" ")[0]),
            4000,
            "unavailable for no longer than two elections",
        )


if __name__ == "__main__":
    unittest.main()
