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


def closed(key):
    embedded.stop(key)


def _refuse(value):
    raise TypeError(f"a {type(value).__name__} is no JSON; give it a Message of its own")
