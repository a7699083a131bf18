"""What travels: envelopes, and messages of named fields in them.

What: Envelope and Message, to and from frames.
Why: their wire format is Hermes'.
Who: publisher.py, receiver.py, node.py.
"""

import json
import logging
import time

log = logging.getLogger(__name__)


class Envelope:
    """`ts` is when it was made, refreshed when it is sent."""

    __slots__ = ["topic", "origin", "data", "ts"]

    def __init__(self, topic_tree, origin, data, ts=None):
        self.topic, self.origin, self.data, self.ts = topic_tree, origin, data, ts or time.time()

    def __repr__(self):
        return (
            f"Envelope(topic={self.topic!r}, origin={self.origin!r}, data={self.data!r},"
            f" ts={self.ts!r})"
        )

    @staticmethod
    def load_from_frames(frames, encoding=None):
        return Envelope(*(json.loads(each.decode(encoding or "utf-8")) for each in frames))

    def convert_to_frames(self, encoding=None):
        self.update_ts()
        data = (
            self.data.serialize(encoding)
            if isinstance(self.data, Message)
            else json.dumps(self.data).encode(encoding or "utf-8")
        )
        return (
            json.dumps(self.topic).encode(),
            json.dumps(self.origin).encode(),
            data,
            json.dumps(self.ts).encode(),
        )

    def update_ts(self):
        self.ts = time.time()


class Message:
    """A class with `__slots__` becomes [class name, time, field…] on the wire."""

    __slots__ = ["dtype", "ts"]

    def __init__(self, ts=None):
        self.ts = ts or time.time()
        self.dtype = self._class_to_string()

    @classmethod
    def empty(cls):
        return cls.__new__(cls)

    def _class_to_string(self):
        return type(self).__qualname__

    def _slots(self):
        return [slot for each in reversed(type(self).__mro__[:-1]) for slot in each.__slots__]

    def load(self, data):
        for value, slot in zip(data, self._slots()):
            setattr(self, slot, value)
        return self

    def fields(self):
        return [getattr(self, slot) for slot in self._slots()]

    def serialize(self, encoding=None):
        return json.dumps(self.fields()).encode(encoding or "utf-8")

    def __repr__(self):
        shown = ", ".join(f"{slot}={getattr(self, slot)}" for slot in self._slots())
        return f"{self._class_to_string()}({shown})"
