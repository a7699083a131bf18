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
import unittest
import urllib.request

import waiting
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
        def leaders():
            return [i for i, member in enumerate(self.members) if member and self.is_leader(i)]

        return waiting.until(leaders, 20, "a leader of the cluster")[0]

    def is_leader(self, i):
        try:
            status = self.status(i)
        except OSError:
            return False
        leader = status.get("leader", "0")
        return leader != "0" and leader == status["header"]["member_id"]

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
        waiting.spend(2, "under load")
        first = self.cluster.leader()
        self.cluster.kill(first)
        second = self.cluster.leader()
        waiting.spend(2, "under load, with two members")
        self.cluster.members[first] = self.cluster.start(first, "existing")
        waiting.spend(2, "under load, while the first one catches up")
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
