"""Node: a receiver, a publisher, and what is done between them.

What: Node, which runs until it is stopped.
Why: Hermes builds its programs of nodes.
Who: programs written for Hermes.
"""

import logging

from .structs import Envelope

log = logging.getLogger(__name__)


class Node:
    """Passes what it receives on to channel RAW, unless its run() is another."""

    def __init__(self, name, receiver=None, publisher=None):
        self.name, self.receiver, self.publisher, self._running = name, receiver, publisher, False
        self._facilities = [receiver, publisher]

    @property
    def facilities(self):
        return [each.name for each in self._facilities if each]

    def start(self):
        self._start_facilities()

    def stop(self):
        self._stop_facilities()

    def _start_facilities(self):
        self._running = True
        for each in self._facilities:
            if each:
                each.start()

    def _stop_facilities(self):
        self._running = False
        for each in self._facilities:
            if each:
                each.stop()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def publish(self, channel, data):
        if self.publisher is None:
            raise NotImplementedError("this node has no publisher")
        return self.publisher.publish(Envelope(f"{channel}/{self.name}", self.name, data))

    def recv(self, block=False, timeout=None):
        if self.receiver is None:
            raise NotImplementedError("this node has no receiver")
        return self.receiver.recv(block, timeout)

    def run(self):
        """Until stop(); it sleeps while nothing comes."""
        while self._running:
            message = self.recv(block=True, timeout=0.1)
            if message:
                self.publish("RAW", message.data)
