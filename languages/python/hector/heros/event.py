"""@event: a method whose result is told to everyone who is connected."""
import functools
import weakref


class LocalEventHandler:
    """The event of one object."""

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
        name = callback_name(callback)
        self.callbacks[name] = (callback, origin)
        return name

    def disconnect(self, callback):
        return self.callbacks.pop(callback_name(callback), None) is not None

    def is_callback(self, callback):
        return callback_name(callback) in self.callbacks

    def get_callbacks(self):
        return [{"name": name, "origin": origin, "is_remote_hero": is_remote(callback), "func": callback, "context": "LocalHERO"} for name, (callback, origin) in self.callbacks.items()]


def is_remote(callback):
    return getattr(callback, "hero_method", False)


def callback_name(callback):
    return f"{callback.__self__._name}.{callback.__name__}" if is_remote(callback) else repr(callback)


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
