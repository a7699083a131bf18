"""Rubbish for every port of a capsule, and what it leaves behind.

What: pour(seconds): random datagrams, packets cut from right ones, HTTP/2 and ZMTP frames in any
order, text and noise, from several connections at once, on each port that listens.
Why: a port is reachable by anyone; ten minutes of it must leave nothing behind.
Who: rubbish_test.py for some seconds; people for longer:
`PYTHONPATH=tools python3 tests/system/rubbish.py 600`.
"""

import os
import random
import socket
import struct
import sys
import threading
import time

import http2_peer as h2
import waiting
from capsules import Capsules

CONFIGURATION = """capsule: north
protocols:
{protocols}
services: {{{services}}}
store: memory
log: {{level: error}}
"""
PORTS = {
    "udp": '  udp: {listen: "127.0.0.1:0"}',
    "grpc": '  grpc: {listen: "127.0.0.1:0"}',
    "zenoh": '  zenoh: {listen: "tcp/127.0.0.1:0"}',
    "heros": """  heros:
    listen: heros
    settings:
      zenoh:
        mode: peer
        listen: {endpoints: ["tcp/127.0.0.1:0"]}
        scouting: {multicast: {enabled: false}}""",
    "zeromq": '  zeromq: {listen: "broker:tcp://127.0.0.1:PORT"}',
}
#: What may be more in the end than before; and, of what is no page of a file, than at first.
LEFT_MIB = 8
#: The longest time in which something that never ends is kept.
GIVEN_BACK_S = 90
TCP_S_MAX = 5
#: Until what is made once has been made.
WARM_S = 8
#: Within which a capsule gives free pages back (capsule/process/heap_trim.h), twice.
SETTLED_S = 11


def resident_mib(process, what="VmRSS"):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(what + ":"))


def free_port():
    """With two free ports behind it, as a broker needs them."""
    for first in range(20_000, 60_000, 3):
        try:
            for port in range(first, first + 3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:  # taken
            pass
    raise LookupError("there are no three free ports")


def configuration(root):
    """What is built of it."""
    protocols = [
        text.replace("PORT", str(free_port()))
        for name, text in PORTS.items()
        if os.path.isdir(os.path.join(root, "protocols", name))
    ]
    services = [
        f"{name}: embedded"
        for name in ("naming", "trading", "policy", "type")
        if os.path.isdir(os.path.join(root, "services", name))
    ]
    return CONFIGURATION.format(protocols="\n".join(protocols), services=", ".join(services))


def datagrams(random_, address, over):
    """Noise, and packets whose first octets are right."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(address)
        while not over.is_set():
            kind = random_.randrange(4)
            octets = random_.randbytes(random_.choice((0, 1, 9, 17, 33, 1200, 1400)))
            if kind == 1:
                octets = bytes([1, 1]) + random_.randbytes(8) + b"\0" * 1190
            if kind == 2:
                octets = bytes([random_.randrange(8)]) + octets
            if kind == 3:
                octets = bytes([4]) + random_.randbytes(16) + bytes([random_.randrange(8)]) + octets
            try:
                one.send(octets)
            except OSError:  # what came back was refused
                pass


def noise(random_, _):
    return random_.randbytes(random_.choice((1, 9, 100, 4096, 65536)))


def text(random_, _):
    return random_.choice((b"GET / HTTP/1.1\r\n\r\n", b"\n" * 1000, b"{}" * 100, b"\x16\x03\x01"))


def frames(random_, is_first):
    out = h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0) if is_first else b""
    for _ in range(random_.randrange(1, 60)):
        kind, stream = random_.randrange(11), random_.choice((0, 1, 3, random_.randrange(2**31)))
        size = random_.choice((0, 4, 5, 8, 100, 16384))
        payload = random_.choice(
            (
                b"\0" * size,
                random_.randbytes(size),
                h2.headers("/hector.Naming/list_names"),
                h2.endless_literal("x", 2**31),
                h2.message(random_.randbytes(20)),
            )
        )
        out += h2.frame(kind, random_.choice((0, 1, 4, 5)), stream, payload)
    return out


def calls(random_, is_first):
    """Calls that are right but for their messages, and calls that never end."""
    out = h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0) if is_first else b""
    first = random_.randrange(2**20) * 2 + 1
    for stream in range(first, first + 40, 2):
        path = random_.choice(("/hector.Naming/list_names", "/hector.Management/get", "/x", "/a/b"))
        out += h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.headers(path))
        unfinished = b"\0\0\xff\0\0" + b"a" * 900
        body = random_.choice((b"", h2.message(random_.randbytes(30)), unfinished))
        out += h2.frame(h2.DATA, random_.randrange(2), stream, body)
    return out


ZMTP_GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\0" + b"NULL".ljust(20, b"\0") + b"\0" * 32
ZMTP_READY = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER"


def zmtp(random_, is_first):
    """Frames of ZeroMQ's wire, some with a size that never comes, some as Majordomo has them."""
    out = ZMTP_GREETING + ZMTP_READY if is_first else b""
    for _ in range(random_.randrange(1, 60)):
        part = random_.choice((b"", b"MDPC01", b"MDPW01", b"\1", b"{}", random_.randbytes(200)))
        flags, size = random_.randrange(8), random_.choice((len(part), random_.randrange(2**30)))
        long = struct.pack(">BQ", flags | 2, size)
        out += (long if flags & 2 else struct.pack(">BB", flags, len(part))) + part
    return out


def connections(random_, address, over):
    while not over.is_set():
        make = random_.choice((noise, text, frames, frames, calls, calls, zmtp, zmtp))
        try:
            with socket.create_connection(address, timeout=1) as one:
                one.sendall(make(random_, True))
                until = time.monotonic() + random_.choice((0, 0.1, TCP_S_MAX))
                while time.monotonic() < until and not over.is_set():
                    one.sendall(make(random_, False))
                    if random_.randrange(2):
                        one.settimeout(0.01)
                        one.recv(65536)
        except OSError:  # closed on us, or it takes no more
            pass


def listeners(process):
    """(is it udp, address) of each port of the process on loopback."""
    own = set()
    for number in os.listdir(f"/proc/{process.pid}/fd"):
        try:
            own.add(os.readlink(f"/proc/{process.pid}/fd/{number}"))
        except OSError:  # closed just now
            pass
    for kind in ("tcp", "udp"):
        with open(f"/proc/{process.pid}/net/{kind}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                field = line.split()
                is_listening = field[3] == ("0A" if kind == "tcp" else "07")
                if not is_listening or f"socket:[{field[9]}]" not in own:
                    continue
                host, port = field[1].split(":")
                place = socket.inet_ntoa(struct.pack("<I", int(host, 16)))
                yield kind == "udp", ("127.0.0.1" if place == "0.0.0.0" else place, int(port, 16))


class Poured:
    """What it did: memory before, at its most and after, in MiB; whether it still answers."""

    def __init__(self, before):
        self.cold = self.before = self.most = self.after = before
        self.taken = 0  #: from the first moment to the last, without pages of files
        self.ports = 0
        self.is_alive = False

    def __str__(self):
        return (
            f"{self.ports} ports; resident {self.cold:.1f} MiB at first, {self.before:.1f} before, "
            f"{self.most:.1f} at most, {self.after:.1f} after, with {self.taken:.1f} taken in all; "
            f"{'answers' if self.is_alive else 'does not answer'}"
        )


def rain(process, seconds, seed, told):
    """Nothing is left of it in this process when it returns."""
    over, threads = threading.Event(), []
    for number, (is_udp, address) in enumerate(list(listeners(process))):
        told.ports = number + 1
        work = datagrams if is_udp else connections
        for turn in range(1 if is_udp else 3):
            of_its_own = random.Random(f"{seed}.{number}.{turn}")
            threads.append(threading.Thread(target=work, args=(of_its_own, address, over)))
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        told.most = max(told.most, resident_mib(process))
        waiting.spend(0.2, "the rubbish is poured for so long")
    over.set()
    for thread in threads:
        thread.join()


def pour(capsules, process, seconds, seed):
    """What is made once and stays, such as the libraries' threads with their heaps and the lists
    of what they use again, is made in the first seconds, and measured from then on.
    """
    told = Poured(resident_mib(process))
    taken_before = resident_mib(process, "RssAnon")
    rain(process, WARM_S, f"{seed}.warm", told)
    waiting.spend(SETTLED_S, "what the first seconds left is given back")
    told.cold, told.before = told.before, resident_mib(process)
    rain(process, seconds, seed, told)
    if process.poll() is not None:
        return told
    waiting.spend(SETTLED_S, "what it left is given back")
    try:
        waiting.until(lambda: resident_mib(process) - told.before < LEFT_MIB, GIVEN_BACK_S)
    except AssertionError:  # the figure says so
        pass
    told.after = resident_mib(process)
    told.taken = resident_mib(process, "RssAnon") - taken_before
    capsules.hector("get", "objects", capsule="north")
    told.is_alive = True
    return told


def main(seconds):
    seed = int(os.environ.get("HECTOR_SEED", random.randrange(2**32)))
    print(f"HECTOR_SEED={seed}", flush=True)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with Capsules() as capsules:
        process = capsules.configure("north", configuration(root))
        told = pour(capsules, process, seconds, seed)
        print(told)
        return 0 if told.is_alive and told.after - told.before < LEFT_MIB else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600))
