"""One network address as an embedded capsule.

What: opened(), a capsule with one endpoint of the zeromq protocol, and closed(). Why: each facility of Hermes has its own sockets. Who:
PostOffice, Publisher, Receiver.
"""
import itertools
import time

from .. import embedded

OBJECT = "hermes"
_keys = itertools.count()


def opened(listen, **settings):
    key = ("hermes", next(_keys))
    capsule = embedded.started(key, "zeromq", [listen], {"hermes": OBJECT, **settings}, _refuse, lambda tag, value: value)
    until = time.monotonic() + 5
    while not listen.startswith("postoffice") and capsule.members(OBJECT) is None:
        if time.monotonic() > until:
            raise RuntimeError(f"'{listen}' did not open")
        time.sleep(0.005)
    return key, capsule


def closed(key):
    embedded.stop(key)


def _refuse(value):
    raise TypeError(f"a {type(value).__name__} is no JSON; give it a Message of its own")
