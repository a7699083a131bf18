"""The real HEROS package, told by lines of JSON on standard input what to do; one line of JSON
answers each.

What: a peer.
Why: Hector's HEROs are used by unmodified HEROS, and the other way round.
Who: heros_test.py, in a venv with heros. usage: peer.py CONNECT...
"""

import inspect
import json
import os
import sys
import threading
import time
import traceback

import numpy
from heros import (
    DatasourceObserver,
    EventObserver,
    HEROObserver,
    LocalDatasourceHERO,
    LocalHERO,
    RemoteHERO,
    event,
)
from heros.zenoh import session_manager

session_manager.update_config(
    {
        "mode": "peer",
        "listen/endpoints": [os.environ.get("PEER_LISTEN", "tcp/127.0.0.1:0")],
        "connect/endpoints": sys.argv[1:],
        "scouting/multicast/enabled": False,
    }
)


class Camera(LocalHERO):
    exposure: float = 0.5
    label: str = "front"

    def __init__(self, *args, **kwargs):
        self.heard = []
        super().__init__(*args, **kwargs)

    def add(self, a: int, b: int = 2, *, scale: float = 1.0) -> float:
        return (a + b) * scale

    def echo(self, value):
        return value

    def collect(self, first, *rest, **named):
        return [first, list(rest), named]

    def fail(self, kind: str) -> None:
        raise {"ValueError": ValueError, "KeyError": KeyError}.get(kind, RuntimeError)(
            "told to fail"
        )

    def slow(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    def image(self):
        return numpy.arange(6, dtype="int16").reshape(2, 3)

    def on_tick(self, value):
        self.heard.append(value)

    def get_heard(self) -> list:
        return self.heard

    @event
    def tick(self, value):
        return value


objects, remotes, events, observers = {}, {}, [], []


def remote(name, realm="heros"):
    if name not in remotes:
        remotes[name] = RemoteHERO(name, realm)
    return remotes[name]


def plain(value):
    if isinstance(value, numpy.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(value)}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def echo_all(name):
    """Everything that CBOR has, through the HERO and back; what came back otherwise."""
    import datetime
    import decimal

    given = [
        0,
        1,
        -1,
        23,
        24,
        255,
        256,
        2**40,
        -(2**40),
        2**63 - 1,
        2**64 - 1,
        2**80,
        -(2**80),
        0.5,
        1e300,
        float("inf"),
        True,
        False,
        None,
        "",
        "ä€😀",
        b"",
        b"\x00\xff",
        [],
        [1, [2, [3]]],
        {},
        {"a": {"b": [1]}},
        {1, 2, 3},
        datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc),
        decimal.Decimal("1.25"),
        {1: "one"},
    ]
    wrong = [
        repr((each, back))
        for each in given
        if (back := remote(name).echo(each)) != each or type(back) is not type(each)
    ]
    for dtype in ("int16", "float64", "float32", ">i2", "uint8", "complex128"):
        array = numpy.arange(6).reshape(2, 3).astype(dtype)
        back = remote(name).echo(array)
        if not (
            isinstance(back, numpy.ndarray) and back.dtype == array.dtype and (back == array).all()
        ):
            wrong.append(repr((array, back)))
    return wrong


def do(what, *a):
    if what == "serve":
        objects[a[0]] = Camera(a[0], **(a[1] if len(a) > 1 else {}))
        return True
    if what == "stop":
        objects.pop(a[0])._destroy_hero()
        return True
    if what == "fire":
        return plain(objects[a[0]].tick(a[1]))
    if what == "publish":  # without the event's own function
        hero = objects[a[0]]
        hero.tick.publisher.put(hero._serialize(a[1]))
        return True
    if what == "heard":
        return plain(objects[a[0]].heard)
    if what == "discover":
        observer = HEROObserver(*a[:1])
        found = plain(observer.known_objects)
        observer._destroy_hero()
        return found
    if what == "observe":
        observer = HEROObserver(*a[:1])
        observers.append(observer)
        observer.register_object_added_callback(lambda name: events.append(["added", name]))
        observer.register_object_removed_callback(lambda name: events.append(["removed", name]))
        return sorted(observer.known_objects)
    if what == "capabilities":
        return [
            each.to_dict() if not hasattr(each, "parameters") else plain(each.to_dict())
            for each in remote(a[0])._remote_capabilities
        ]
    if what == "call":
        return plain(getattr(remote(a[0]), a[1])(*a[2], **a[3]))
    if what == "get":
        return plain(getattr(remote(a[0]), a[1]))
    if what == "signature":
        return str(inspect.signature(getattr(remote(a[0]), a[1])))
    if what == "set":
        setattr(remote(a[0]), a[1], a[2])
        return True
    if what == "echo_all":
        return echo_all(a[0])
    if what == "watch":
        getattr(remote(a[0]), a[1]).connect(lambda value: events.append([a[0], a[1], value]))
        return True
    if what == "serve_data":

        class Thermometer(LocalDatasourceHERO):
            pass

        objects[a[0]] = Thermometer(a[0])
        return True
    if what == "tell_data":
        return len(objects[a[0]].observable_data(a[1]))
    if what == "observe_data":
        observer = DatasourceObserver()
        observers.append(observer)
        observer.register_observable_data_callback(
            lambda name, data: events.append(
                [name, [[each.id, each.raw_value, each.raw_unit] for each in data]]
            )
        )
        return True
    if what == "watch_all":
        observer = EventObserver("*", a[0])
        observers.append(observer)
        observer.register_callback(lambda name, value: events.append(["all", name, value]))
        return True
    if what == "events":
        until = time.monotonic() + a[1]
        while len(events) < a[0] and time.monotonic() < until:
            time.sleep(0.01)
        taken, events[:] = list(events), []
        return plain(taken)
    if what == "connect":
        return getattr(remote(a[0]), a[1]).connect(getattr(remote(a[2]), a[3]))
    if what == "disconnect":
        return getattr(remote(a[0]), a[1]).disconnect(getattr(remote(a[2]), a[3]))
    if what == "callbacks":
        return plain([each["name"] for each in getattr(remote(a[0]), a[1]).get_callbacks()])
    if what == "raw":  # an octet string as a query's payload; the answers' octets
        session = session_manager.request_session(
            *(
                [do]
                if "realm" not in inspect.signature(session_manager.request_session).parameters
                else [do, "heros"]
            )
        )
        payload = None if a[1] is None else bytes.fromhex(a[1])
        return [
            (
                [
                    "ok",
                    reply.ok.payload.to_bytes().hex(),
                    str(reply.ok.encoding),
                    str(reply.ok.key_expr),
                ]
                if reply.ok
                else ["err", reply.err.payload.to_bytes().hex(), str(reply.err.encoding)]
            )
            for reply in session.get(a[0], payload=payload, timeout=5.0)
        ]
    if what == "rate":
        method, begin = remote(a[0]).add, time.perf_counter()
        for _ in range(a[1]):
            method(1, 2)
        return a[1] / (time.perf_counter() - begin)
    raise ValueError(what)


def main():
    out, lock = sys.stdout, threading.Lock()
    sys.stdout = sys.stderr
    for line in sys.stdin:
        try:
            answer = {"ok": do(*json.loads(line))}
        except BaseException as error:  # the test wants to see each of them
            answer = {
                "error": type(error).__name__,
                "bases": [each.__name__ for each in type(error).__mro__],
                "text": str(error),
                "trace": traceback.format_exc(),
            }
        with lock:
            out.write(json.dumps(answer) + "\n")
            out.flush()


main()
