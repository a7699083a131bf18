"""@event: a method whose result is told to everyone who is connected.

What: the decorator, and handlers for events here and of other HEROs.
Why: `hero.event.connect(callback)` is how HEROS wires objects.
Who: LocalHERO, RemoteHERO.
"""

import functools
import weakref


class LocalEventHandler:
    """The event of one object. Callbacks of this program are called here; methods of other HEROs by
    the capsule, as if they had been connected from afar.
    """

    hero_event = True

    def __init__(self, instance, function):
        self._instance, self._function, self.callbacks = weakref.ref(instance), function, {}
        functools.update_wrapper(self, function)

    def __call__(self, *args, **kwargs):
        instance = self._instance()
        result = self._function(instance, *args, **kwargs)
        instance._emit(self._function.__name__, result)
        for callback, _ in list(self.callbacks.values()):
            callback(result)
        return result

    def connect(self, callback, origin=None):
        if is_remote(callback):
            return self._instance()._wire("connect", self.__name__, callback, origin, waits=True)
        name = callback_name(callback)
        self.callbacks[name] = (callback, origin)
        return name

    def disconnect(self, callback):
        if is_remote(callback):
            return self._instance()._wire("disconnect", self.__name__, callback, waits=True)
        return self.callbacks.pop(callback_name(callback), None) is not None

    def is_callback(self, callback):
        return any(each["name"] == callback_name(callback) for each in self.get_callbacks())

    def get_callbacks(self):
        return [
            local_callback(name, callback, origin, "LocalHERO")
            for name, (callback, origin) in self.callbacks.items()
        ] + self._instance()._wired(self.__name__, waits=True)


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


def is_remote(callback):
    return getattr(callback, "hero_method", False)


def callback_name(callback):
    return (
        f"{callback.__self__._name}.{callback.__name__}" if is_remote(callback) else repr(callback)
    )


def local_callback(name, callback, origin, context):
    """As get_callbacks() tells it."""
    return {
        "name": name,
        "origin": origin,
        "is_remote_hero": is_remote(callback),
        "func": callback,
        "context": context,
    }


class EventDescriptor:
    hero_event = True

    def __init__(self, function):
        self.function, self._handlers = function, weakref.WeakKeyDictionary()

    def __get__(self, instance, owner):
        if instance is None:
            return self
        if instance not in self._handlers:
            self._handlers[instance] = LocalEventHandler(instance, self.function)
        return self._handlers[instance]


def event(function):
    """Only on methods of a LocalHERO. Every event is sent reliably."""
    return EventDescriptor(function)


def reliable(function):
    """Kept for scripts that say it: it is always so."""
    return function
