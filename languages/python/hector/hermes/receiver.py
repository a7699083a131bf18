"""Receiver: takes envelopes of some topics and origins out of a network.

What: Receiver, with a queue and the choices for late envelopes.
Why: it is used like the class of Hermes.
Who: programs written for Hermes, Node.
"""

import queue

from . import _network
from .structs import Envelope


class Receiver:
    """`late`: what is done about envelopes older than `timeout` seconds: deliver, drop, notify,
    disconnect, or die, the suicidal snail.
    """

    def __init__(self, sub_addr, name, topics=None, exchanges=None, late="deliver", skew=0.0):
        self.sub_addr, self.name, self.timeout, self.daemon = sub_addr, name, 1, True
        self._topics = [topics] if isinstance(topics, str) and topics else list(topics or [])
        self._exchanges = (
            [exchanges] if isinstance(exchanges, str) and exchanges else list(exchanges or [])
        )
        self._late, self._skew = late, skew
        self.q = queue.Queue()
        self._key = self._watch = None

    def start(self):
        self._key, capsule = _network.opened(
            f"hermes:,{self.sub_addr}",
            late=self._late,
            late_ms=int(self.timeout * 1000),
            skew_ms=int(self._skew * 1000),
        )
        # Hermes' own receivers subscribe with the quote that begins a topic's frame.
        topics = [each[1:] if each.startswith('"') else each for each in self._topics]
        self._watch = capsule.watch(
            _network.OBJECT, "receive", self._take, {"topics": topics, "exchanges": self._exchanges}
        )

    def _take(self, told):
        self.q.put(Envelope(told["topic"], told["origin"], told.get("data"), told["time_s"]))

    def is_alive(self):
        return self._watch is not None and not self._watch.is_over

    def recv(self, block=False, timeout=None):
        """The next envelope; None where there is none (and it shall not wait)."""
        try:
            return self.q.get(block, timeout)
        except queue.Empty:
            return None

    def stop(self, timeout=None):
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        if self._key is not None:
            _network.closed(self._key)
            self._key = None

    def join(self, timeout=None):
        self.stop(timeout)
