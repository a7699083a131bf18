"""ROC's classes on embedded capsules.

What: see `hector.roc`.
Why: the capsule speaks 7/MDP and JSON-RPC, and has the objects as Objects.
Who: `hector.roc`.
"""

import json
import logging
import queue

from .. import embedded

NETWORK = "roc"
DISCOVERY_S = 2.0
ANSWERS_S = 1.0  # what an object has to describe itself, whatever the client's time-out
LISTED_S = 0.5  # our broker lists a service within that; what it does not list is asked itself


class RocError(Exception):
    """What the object at the other end raised, or said."""

    def __init__(self, message, type=""):
        super().__init__(f"{type}: {message}" if type else message)
        self.type = type


class RocTimeout(RocError, TimeoutError):
    """Nobody answered in time: there is no such object, or it is busy, or gone."""


class Endpoints:
    """The broker at a port, the relays of status and logs at the two behind it."""

    def __init__(self, brokerAddress="127.0.0.1", brokerBasePort=5555, transport="tcp"):
        self.brokerAddress, self.brokerBasePort, self.transport = (
            brokerAddress,
            brokerBasePort,
            transport,
        )

    def _port(self, more):
        return f"{self.transport}://{self.brokerAddress}:{self.brokerBasePort + more}"

    @property
    def rocBroker(self):
        return self._port(0)

    @property
    def generalXSUB(self):
        return self._port(1)

    @property
    def generalXPUB(self):
        return self._port(2)


def _plain(value):
    """JSON has no others; what is another is sent as its text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def _capsule(endpoints, heartbeat, **settings):
    broker = endpoints.rocBroker
    settings = {"roc": NETWORK, "heartbeat_ms": int(heartbeat * 1000), **settings}
    key = ("roc", broker, json.dumps(settings))
    settings["adopt_capsules"] = True
    return embedded.started(
        key, "zeromq", [f"roc:{broker}"], settings, _plain, lambda tag, value: value
    )


def _capsule_of(objectId, endpoints, heartbeat):
    """One that asks the object itself: 8/MMI, by which brokers tell what there is, is a courtesy of
    theirs.
    """
    return _capsule(endpoints, heartbeat, roc="", adopt=[objectId], show=[], discover="names")


def _network(endpoints, heartbeat):
    capsule = _capsule(endpoints, heartbeat)
    if embedded.wait_until(capsule, lambda: capsule.members(NETWORK), DISCOVERY_S) is None:
        raise RocTimeout("the network's Object is not there")
    return capsule


class RocBroker:
    """Binds the broker and its relays. RuntimeError: a port is in use."""

    def __init__(self, endpoints=None, heartbeat=2.5):
        self.endpoints, self._heartbeat, self._key = endpoints or Endpoints(), heartbeat, None

    def start(self):
        self._key = ("roc-broker", self.endpoints.rocBroker)
        try:
            embedded.started(
                self._key,
                "zeromq",
                [f"broker:{self.endpoints.rocBroker}"],
                {"heartbeat_ms": int(self._heartbeat * 1000)},
                _plain,
                lambda tag, value: value,
            )
        except embedded.CapsuleError as error:
            raise RuntimeError(error.args[1]) from None
        return self

    def stop(self):
        if self._key is not None:
            embedded.stop(self._key)
            self._key = None

    __enter__ = start

    def __exit__(self, *_):
        self.stop()


class RocServer:
    """Shares a plain object under a name: its public methods, and its public attributes."""

    def __init__(self, objectId, instance, endpoints=None, heartbeat=2.5):
        self.objectId, self._instance = objectId, instance
        self._capsule = _capsule(endpoints or Endpoints(), heartbeat)

    def start(self):
        names = [each for each in dir(self._instance) if not each.startswith("_")]
        members = embedded.members_of(
            self._instance,
            names,
            annotations={
                each: type(getattr(self._instance, each))
                for each in names
                if not callable(getattr(self._instance, each))
            },
        )
        members = [
            (kind, name, [(each, "", *more) for each, _, *more in parameters], "", writable)
            for kind, name, parameters, _, writable in members
        ]
        class_name = type(self._instance).__name__
        try:
            self._capsule.share(
                self.objectId, class_name, f"roc.{class_name}", members, self._enter, {}
            )
        except embedded.CapsuleError as error:
            raise ValueError(error.args[1]) from None
        return self

    def _enter(self, use, member, args, kwargs):
        if use == embedded.CALL:
            return getattr(self._instance, member)(*args, **kwargs)
        return (
            getattr(self._instance, member)
            if use == embedded.GET
            else setattr(self._instance, member, args[0])
        )

    def stop(self):
        self._capsule.dismiss(self.objectId)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()


#: What an object has that does not describe itself: any method, by its name.
UNDESCRIBED = {"call": ["method", "params"]}


class RocProxy:
    """An object by its name: methods are called, attributes read and written, as if it were here.
    Of an object that does not describe itself every member is taken for a method.
    """

    def __init__(self, client, name):
        object.__setattr__(self, "_client", client)
        object.__setattr__(self, "_name", name)

    def _members(self):
        members = self._client._members(self._name)
        if members is None:
            raise RocTimeout(f"there is no object '{self._name}'")
        return {name: (kind, parameters) for kind, name, parameters, _, _ in members}

    def _is_undescribed(self, known):
        return UNDESCRIBED == {
            name: [each[0] for each in parameters] for name, (_, parameters) in known.items()
        }

    def __getattr__(self, member):
        if member.startswith("__"):
            raise AttributeError(member)  # copy, pickle and the like ask for these
        known = self._members()
        if member not in known and self._is_undescribed(known):
            return self._undescribed(member)
        if member not in known:
            raise AttributeError(
                f"'{self._name}' has no '{member}'; it has {', '.join(sorted(known))}"
            )
        kind, parameters = known[member]
        if kind == "attribute":
            return self._ask(embedded.GET, member, [])

        def method(*args, **kwargs):
            return self._ask(embedded.CALL, member, args, kwargs)

        method.__name__ = member
        method.__signature__ = embedded.signature_of(parameters)
        return method

    def _undescribed(self, member):
        def method(*args, **kwargs):
            if args and kwargs:
                raise TypeError("JSON-RPC takes arguments by position or by name, not both")
            params = kwargs or list(args)
            return self._ask(embedded.CALL, "call", [], {"method": member, "params": params})

        method.__name__ = member
        return method

    def __setattr__(self, member, value):
        if self._is_undescribed(self._members()):
            raise AttributeError(
                f"'{self._name}' does not say that it has attributes: it has no rpc.describe"
            )
        self._ask(embedded.SET, member, [value])

    def _ask(self, use, member, args, kwargs=None):
        try:
            return self._client._where(self._name).call(
                self._name, use, member, list(args), kwargs or {}, self._client.timeout
            )
        except embedded.CapsuleError as error:
            code, message, kind = error.args
            if code in ("DEADLINE_EXCEEDED", "UNAVAILABLE") and not kind:
                raise RocTimeout(f"{self._name}.{member}: {message}") from None
            raise RocError(message, kind) from None


class RocClient:
    """`RocClient(endpoints)['vnir'].expose(2.0)`. A call waits 2.0 s, and is never sent twice: it
    may have been done.
    """

    def __init__(self, endpoints=None, timeout=2.0, heartbeat=2.5):
        self.timeout, self._heartbeat = timeout, heartbeat
        self._endpoints = endpoints or Endpoints()
        self._capsule, self._asked = _capsule(self._endpoints, heartbeat), {}

    def _where(self, objectId):
        """The capsule that has the object."""
        if objectId in self._asked and self._capsule.members(objectId) is None:
            return self._asked[objectId]
        return self._capsule

    def _members(self, objectId):
        """None: there is no such object."""

        def found():
            return self._where(objectId).members(objectId)

        if objectId in self._asked:
            return embedded.wait_until(self._asked[objectId], found, self.timeout)
        first = min(LISTED_S, self.timeout)
        members = embedded.wait_until(self._capsule, found, first)
        if members is not None:
            return members
        asked = _capsule_of(objectId, self._endpoints, self._heartbeat)
        self._asked[objectId] = asked
        return embedded.wait_until(asked, found, max(self.timeout - first, ANSWERS_S))

    def __getitem__(self, objectId):
        return RocProxy(self, objectId)


class StatusUpdater:
    """Tells a node's status: `update({"encoder": {"1": 37.5}})`, or `update(37.5, "encoder.1")`."""

    def __init__(self, sensorId, endpoints=None, heartbeat=2.5):
        self.sensorId, self._capsule = sensorId, _network(endpoints or Endpoints(), heartbeat)

    def update(self, value, below=""):
        sensor = f"{self.sensorId}.{below}" if below else self.sensorId
        self._capsule.call(
            NETWORK, embedded.CALL, "publish_status", [], {"sensor": sensor, "value": value}, 2.0
        )


def statusUpdateIterator(mask="", timeout=None, endpoints=None, heartbeat=2.5):
    """(sensor, value) as they come; masks are whole segments, one or several. After `timeout`
    seconds without any it yields ("", {}).
    """
    told = queue.Queue()
    masks = [mask] if isinstance(mask, str) else list(mask)
    watch = _network(endpoints or Endpoints(), heartbeat).watch(
        NETWORK,
        "status",
        lambda each: told.put((each["sensor"], each.get("value"))),
        {"masks": [each for each in masks if each]},
    )
    try:
        while True:
            try:
                yield told.get(timeout=timeout)
            except queue.Empty:
                yield "", {}
    finally:
        watch.close()


class RocLogHandler(logging.Handler):
    """logging.getLogger().addHandler(RocLogHandler("node")): records go to every viewer of the
    network.
    """

    def __init__(self, nodeId, endpoints=None, level=logging.NOTSET, heartbeat=2.5):
        super().__init__(level)
        self.nodeId, self._capsule = nodeId, _network(endpoints or Endpoints(), heartbeat)

    def emit(self, record):
        try:
            text = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
            fields = {
                "name": record.name,
                "levelname": record.levelname,
                "levelno": record.levelno,
                "msg": record.getMessage(),
                "created": record.created,
                "pathname": record.pathname,
                "lineno": record.lineno,
                "exc_text": text,
            }
            self._capsule.call(
                NETWORK,
                embedded.CALL,
                "log",
                [],
                {"node": self.nodeId, "level": record.levelname, "record": fields},
                2.0,
            )
        except Exception:
            self.handleError(record)


class LogViewer:
    """The network's log records: an iterator of (node, record), and a file of them as lines of JSON
    if one is named.
    """

    def __init__(self, endpoints=None, masks=(), path=None, heartbeat=2.5):
        self._told, self._file = queue.Queue(), open(path, "a", encoding="utf-8") if path else None
        self._watch = _network(endpoints or Endpoints(), heartbeat).watch(
            NETWORK, "logs", self._take, {"masks": list(masks)}
        )

    def _take(self, told):
        if self._file is not None:
            self._file.write(json.dumps({"node": told["node"], **told["record"]}) + "\n")
            self._file.flush()
        self._told.put((told["node"], told["record"]))

    def next(self, timeout=None):
        """queue.Empty: none came in time."""
        return self._told.get(timeout=timeout)

    def __iter__(self):
        while True:
            yield self._told.get()

    def close(self):
        self._watch.close()
        if self._file is not None:
            self._file.close()
