"""@event: a method whose result is told to everyone who is connected.

What: the decorator, and handlers for events here and of other HEROs.
Why: `hero.event.connect(callback)` is how HEROS wires objects.
Who: LocalHERO, RemoteHERO.
"""

import functools
import weakref

from .inspect import HERO_EVENT_ATTRIBUTE, is_hero_method  # noqa: F401


class Callback:
    """What is called when an event happens: a function here, or a method of another HERO."""

    def __init__(self, func, origin=None):
        self.func, self.origin = func, origin
        self.is_remote_hero = is_hero_method(func)
        self.name = remote_hero_method_to_str(func) if self.is_remote_hero else repr(func)

    def __call__(self, *args, **kwargs):
        return self.func(*args, **kwargs)

    def _identity(self):
        return (True, self.name) if self.is_remote_hero else (False, self.func)

    def __eq__(self, other):
        return isinstance(other, Callback) and self._identity() == other._identity()

    def __hash__(self):
        return hash(self._identity())

    def to_dict(self):
        return {
            "name": self.name,
            "origin": self.origin,
            "is_remote_hero": self.is_remote_hero,
            "func": self.func,
        }


class CallbackStorage:
    """Callbacks by their names, each once."""

    def __init__(self):
        self._callbacks = {}

    def __iter__(self):
        return iter(list(self._callbacks.values()))

    def __len__(self):
        return len(self._callbacks)

    def __contains__(self, func):
        return Callback(func).name in self._callbacks

    def append(self, func, origin=None):
        callback = Callback(func, origin)
        self._callbacks[callback.name] = callback
        return callback.name

    def remove(self, func):
        return self._callbacks.pop(Callback(func).name, None) is not None

    def is_callback(self, func):
        return func in self

    def get_callbacks(self):
        return [each.to_dict() for each in self]


class EventPublisher:
    """Tells an event's subscribers what was serialised already, without calling the event."""

    def __init__(self, instance, name):
        self._instance, self._name = weakref.ref(instance), name
        self.key_expr = f"{instance._endpoint_base_path}/{name}"

    def put(self, payload, **_):
        """CBOR, as serdes.serialize() makes it."""
        instance = self._instance()
        if instance is not None:
            instance._emit(self._name, instance._deserialize(payload))

    def undeclare(self):
        """The event goes with its HERO."""


class EventHandler:
    """What both sides' handlers have."""

    __name__ = ""
    hero_event = True

    def connect(self, callback):
        raise NotImplementedError

    def disconnect(self, callback):
        raise NotImplementedError

    def get_callbacks(self):
        raise NotImplementedError

    def is_callback(self, func):
        name = Callback(func).name
        return any(each["name"] == name for each in self.get_callbacks())


class LocalEventHandler(EventHandler):
    """The event of one object. Callbacks of this program are called here; methods of other HEROs by
    the capsule, as if they had been connected from afar.
    """

    def __init__(self, instance, func, **_):
        self.instance, self.func, self.callbacks = weakref.ref(instance), func, CallbackStorage()
        functools.update_wrapper(self, func)

    @property
    def publisher(self):
        return EventPublisher(self.instance(), self.func.__name__)

    def __call__(self, *args, **kwargs):
        instance = self.instance()
        result = self.func(instance, *args, **kwargs)
        instance._emit(self.func.__name__, result)
        for callback in self.callbacks:
            callback(result)
        return result

    def connect(self, callback, origin=None):
        if is_hero_method(callback):
            return self.instance()._wire("connect", self.__name__, callback, origin, waits=True)
        return self.callbacks.append(callback, origin)

    def disconnect(self, callback):
        if is_hero_method(callback):
            return self.instance()._wire("disconnect", self.__name__, callback, waits=True)
        return self.callbacks.remove(callback)

    def get_callbacks(self):
        here = [{**each, "context": "LocalHERO"} for each in self.callbacks.get_callbacks()]
        return here + self.instance()._wired(self.__name__, waits=True)


class RemoteEventHandler(EventHandler):
    """An event of another HERO."""

    def __init__(self, instance, func=None):
        self.instance, self.callbacks, self._watch = instance, CallbackStorage(), None
        if func is not None:
            self.__name__ = func.__name__

    def __call__(self, payload):
        for callback in self.callbacks:
            callback(payload)

    def connect(self, callback, origin=None):
        """A callback of this program, or a method of another HERO, which is called without this
        program in between.
        """
        if is_hero_method(callback):
            return self.instance._wire(
                "connect", self.__name__, callback, origin or self.instance._name
            )
        name = self.callbacks.append(callback, origin)
        if self._watch is None:
            self._watch = self.instance._guarded(
                lambda: self.instance._capsule.watch(self.instance._name, self.__name__, self, {})
            )
        return name

    def disconnect(self, callback):
        if is_hero_method(callback):
            return self.instance._wire("disconnect", self.__name__, callback)
        found = self.callbacks.remove(callback)
        if not len(self.callbacks):
            self.close()
        return found

    def close(self):
        """Hears no more."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()

    def get_callbacks(self):
        """This program's (context RemoteHERO), and those that the HERO itself has."""
        here = [{**each, "context": "RemoteHERO"} for each in self.callbacks.get_callbacks()]
        return here + self.instance._wired(self.__name__)


class RemoteMethod:
    """A method of another HERO by its name, "bob.print_from_afar"; it is looked for when it is
    called.
    """

    hero_method = True

    def __init__(self, name, realm):
        from .serdes import HEROReference

        hero, self.__name__ = name.rsplit(".", 1)
        self.__self__ = HEROReference(hero, realm)

    def __call__(self, *args, **kwargs):
        return getattr(self.__self__, self.__name__)(*args, **kwargs)


def remote_hero_method_to_str(func):
    return f"{func.__self__._name}.{func.__name__}"


class EventDescriptor:
    """One handler for each object that has the event."""

    hero_event = True

    def __init__(self, func=None, handler_config=None):
        self.func, self.handler_config = func, handler_config or {}
        self._instances = weakref.WeakKeyDictionary()

    @staticmethod
    def _get_event_handler_cls():
        raise NotImplementedError

    def __get__(self, instance, owner):
        if instance is None:
            return self
        if instance not in self._instances:
            made = self._get_event_handler_cls()(instance, self.func, **self.handler_config)
            self._instances[instance] = made
        return self._instances[instance]


class LocalEventDescriptor(EventDescriptor):
    @staticmethod
    def _get_event_handler_cls():
        return LocalEventHandler


class RemoteEventDescriptor(EventDescriptor):
    @staticmethod
    def _get_event_handler_cls():
        return RemoteEventHandler


def event(func):
    """Only on methods of a LocalHERO. Every event is sent reliably."""
    return LocalEventDescriptor(func)


def reliable(func):
    """Kept for scripts that say it: it is always so."""
    return func
