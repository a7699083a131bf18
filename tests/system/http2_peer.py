"""HTTP/2 by hand: frames, a connection, and a gRPC call over it.

What: frame(), headers(), Peer.
Why: a peer that breaks the rules, or never finishes, is what no gRPC library can be.
Who: grpc_abuse_test.py, rubbish.py.
"""

import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0,
    1,
    3,
    4,
    6,
    7,
    8,
    9,
)
ACK = END_STREAM = 1
END_HEADERS = 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_MAX = 16384
WINDOW_MAX = 2**31 - 1


def frame(kind, flags, stream, payload=b""):
    size = struct.pack(">I", len(payload))[1:]
    return size + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _integer(value, prefix):
    most = (1 << prefix) - 1
    if value < most:
        return bytes([value])
    out = bytearray([most])
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def literal(name, value):
    """A header as HPACK has it: without index and without Huffman's code."""
    name, value = name.encode(), value.encode() if isinstance(value, str) else value
    return b"\0" + _integer(len(name), 7) + name + _integer(len(value), 7) + value


def endless_literal(name, size):
    """The beginning of a header whose value has so many octets."""
    return b"\0" + _integer(len(name), 7) + name.encode() + _integer(size, 7)


def headers(path, extra=()):
    pairs = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "peer"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        *extra,
    ]
    return b"".join(literal(name, value) for name, value in pairs)


def message(octets):
    return b"\0" + struct.pack(">I", len(octets)) + octets


class Peer:
    """A client's end. Nothing is read but by read()."""

    def __init__(self, address, window=0, timeout=10, context=None):
        """`context`: TLS as an ssl.SSLContext has it; without one the connection is plain."""
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        settings = struct.pack(">HI", 4, window) if window else b""
        self.send(PREFACE + frame(SETTINGS, 0, 0, settings))
        if window:
            self.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", window - 65535)))
        self.stream = -1

    def send(self, octets):
        self.socket.sendall(octets)

    def try_send(self, octets):
        """False: the other side has closed the connection, or takes nothing."""
        try:
            self.socket.sendall(octets)
        except OSError:
            return False
        return True

    def open(self, path, extra=(), flags=END_HEADERS):
        """A stream's first frame; the frame's octets are returned and not sent."""
        self.stream += 2
        return frame(HEADERS, flags, self.stream, headers(path, extra))

    def acknowledge(self):
        self.send(frame(SETTINGS, ACK, 0))

    def is_closed(self, seconds):
        """Whether the other side closes within so many seconds."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def close(self):
        self.socket.close()
