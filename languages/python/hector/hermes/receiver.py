"""Receiver: takes envelopes of some topics and origins out of a network.

What: Receiver, a thread with a queue and the choices for late envelopes.
Why: it is used like the class of Hermes.
Who: programs written for Hermes, Node.
"""

import logging
import queue
import threading

from . import _network
from .structs import Envelope

log = logging.getLogger(__name__)
LOOKS_AGAIN_S = 0.2  # a receiver that died says nothing


class Receiver(threading.Thread):
    """`late`: what is done about envelopes older than `timeout` seconds: deliver, drop, notify,
    disconnect, or die, the suicidal snail. `q` is what has come, `sock` is None before start() and
    after stop().
    """

    def __init__(self, sub_addr, name, topics=None, exchanges=None, late="deliver", skew=0.0):
        super().__init__(name=name, daemon=True)
        self.sub_addr, self.timeout, self.sock, self.q = sub_addr, 1, None, queue.Queue()
        self._topics = [topics] if isinstance(topics, str) and topics else list(topics or [])
        self._exchanges = (
            [exchanges] if isinstance(exchanges, str) and exchanges else list(exchanges or [])
        )
        self._late, self._skew = late, skew
        self._running, self._stopped = threading.Event(), threading.Event()
        self._key = self._watch = None

    def start(self):
        """RuntimeError: it was started before, or the address is none."""
        if self._key is None and self.ident is None:
            self._key, capsule = _network.opened(
                f"hermes:,{self.sub_addr}",
                late=self._late,
                late_ms=int(self.timeout * 1000),
                skew_ms=int(self._skew * 1000),
            )
            # Hermes' own receivers subscribe with the quote that begins a topic's frame.
            topics = [each[1:] if each.startswith('"') else each for each in self._topics]
            self._watch = capsule.watch(
                _network.OBJECT,
                "receive",
                self._take,
                {"topics": topics, "exchanges": self._exchanges},
            )
            self.sock = _network.Socket(self.sub_addr)
            self._running.set()
        super().start()

    def _take(self, told):
        self.q.put(Envelope(told["topic"], told["origin"], told.get("data"), told["time_s"]))

    def run(self):
        """Until stop(), or until it dies of a late envelope."""
        while not self._stopped.wait(LOOKS_AGAIN_S) and not self._watch.is_over:
            pass
        self._running.clear()

    def is_alive(self):
        watch = self._watch
        return watch is not None and not watch.is_over

    def recv(self, block=False, timeout=None):
        """The next envelope; None where there is none (and it shall not wait)."""
        try:
            return self.q.get(block, timeout)
        except queue.Empty:
            return None

    def stop(self, timeout=None):
        self.join(timeout)

    def join(self, timeout=None):
        """As Hermes has it: it stops."""
        self._stopped.set()
        if self.ident is not None and self is not threading.current_thread():
            super().join(timeout)
        self.sock = None
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()
        key, self._key = self._key, None
        if key is not None:
            _network.closed(key)
