"""Publisher: sends envelopes to a post office.

What: Publisher, over an embedded capsule.
Why: it is used like the class of Hermes.
Who: programs written for Hermes, Node.
"""

import threading

from . import _network
from .structs import Message


class Publisher:
    def __init__(self, pub_addr, name, ctx=None):
        self.pub_addr, self.name, self.daemon = pub_addr, name, True
        self._key = self._capsule = None
        self._lock = threading.Lock()

    def start(self):
        with self._lock:
            if self._key is None:
                self._key, self._capsule = _network.opened(f"hermes:{self.pub_addr},")

    def is_alive(self):
        return self._key is not None

    def publish(self, envelope):
        """False: it has not been started."""
        capsule = self._capsule
        if capsule is None:
            return False
        envelope.update_ts()
        data = envelope.data.fields() if isinstance(envelope.data, Message) else envelope.data
        capsule.call(
            _network.OBJECT,
            _network.embedded.CALL,
            "publish",
            [],
            {
                "topic": envelope.topic,
                "origin": envelope.origin,
                "data": data,
                "time_s": envelope.ts,
            },
            5.0,
        )
        return True

    def stop(self, timeout=None):
        with self._lock:
            key, self._key, self._capsule = self._key, None, None
        if key is not None:
            _network.closed(key)

    def join(self, timeout=None):
        self.stop(timeout)
