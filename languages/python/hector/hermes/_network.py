"""One network address as an embedded capsule.

What: opened(), a capsule with one endpoint of the zeromq protocol, and closed().
Why: each facility of Hermes has its own sockets.
Who: PostOffice, Publisher, Receiver.
"""

import itertools

from .. import embedded

OBJECT = "hermes"
OPEN_S = 5.0
_keys = itertools.count()


def opened(listen, **settings):
    key = ("hermes", next(_keys))
    capsule = embedded.started(
        key, "zeromq", [listen], {"hermes": OBJECT, **settings}, _refuse, lambda tag, value: value
    )
    if (
        not listen.startswith("postoffice")
        and embedded.wait_until(capsule, lambda: capsule.members(OBJECT), OPEN_S) is None
    ):
        raise RuntimeError(f"'{listen}' did not open")
    return key, capsule


class Socket:
    """What of a node's ZeroMQ socket has a meaning without ZeroMQ: its address, whether it is open,
    and for a publisher the frames of an envelope.
    """

    def __init__(self, address, send=None):
        self.address, self.closed, self._send = address, False, send

    def send_multipart(self, frames):
        """ValueError: the frames are no envelope, or the socket sends nothing."""
        if self.closed or self._send is None:
            raise ValueError("this socket sends nothing: it is closed, or a receiver's")
        self._send(frames)

    def close(self, linger=None):
        self.closed = True

    def __repr__(self):
        return f"<{'closed' if self.closed else 'open'} socket of {self.address}>"


def closed(key):
    embedded.stop(key)


def _refuse(value):
    raise TypeError(f"a {type(value).__name__} is no JSON; give it a Message of its own")
