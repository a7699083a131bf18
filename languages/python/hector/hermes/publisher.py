"""Publisher: sends envelopes to a post office.

What: Publisher, a thread over an embedded capsule.
Why: it is used like the class of Hermes.
Who: programs written for Hermes, Node.
"""

import json
import logging
import queue
import threading

from . import _network
from .structs import Envelope, Message

log = logging.getLogger(__name__)
SEND_S = 5.0
_END = object()


class Publisher(threading.Thread):
    """`q` is what waits to be sent, `sock` is None before start() and after stop()."""

    def __init__(self, pub_addr, name, ctx=None):
        super().__init__(name=name, daemon=True)
        self.pub_addr, self.ctx, self.sock, self.q = pub_addr, ctx, None, queue.Queue()
        self._running, self._key = threading.Event(), None

    def start(self):
        """RuntimeError: it was started before, or the address is none."""
        if self._key is None and self.ident is None:
            self._key, capsule = _network.opened(f"hermes:{self.pub_addr},")
            self.sock = _network.Socket(self.pub_addr, lambda frames: self._send(capsule, frames))
            self._running.set()
        super().start()

    def publish(self, envelope):
        """False: it has not been started. TypeError: what no JSON can carry."""
        if self.sock is None:
            return False
        json.dumps(_plain(envelope.data))
        self.q.put(envelope)
        return True

    def run(self):
        """Until stop(), which sends what is in `q` first."""
        while (envelope := self.q.get()) is not _END:
            try:
                self.sock.send_multipart(envelope.convert_to_frames())
            except Exception as why:
                log.error("Publisher %s: %r was not sent: %s", self.name, envelope, why)

    @staticmethod
    def _send(capsule, frames):
        envelope = Envelope.load_from_frames(frames)
        fields = {"topic": envelope.topic, "origin": envelope.origin, "data": envelope.data}
        fields["time_s"] = envelope.ts
        call = _network.embedded.CALL
        capsule.call(_network.OBJECT, call, "publish", [], fields, SEND_S)

    def stop(self, timeout=None):
        self.join(timeout)

    def join(self, timeout=None):
        """As Hermes has it: it stops."""
        if self._running.is_set():
            self._running.clear()
            self.q.put(_END)
        if self.ident is not None and self is not threading.current_thread():
            super().join(timeout)
        sock, self.sock = self.sock, None
        if sock is not None:
            sock.close()
        key, self._key = self._key, None
        if key is not None:
            _network.closed(key)


def _plain(data):
    return data.fields() if isinstance(data, Message) else data
