"""The runtime behind templates: loads files, enters methods, runs coroutines, calls others.

What: the functions that the plugin's C++ side calls, and the classes that templates get.
Why: whatever needs no C++ is written in Python.
Who: python_language.cc; templates, through `Capsule` and `Session`.
"""

import asyncio
import collections
import hashlib
import importlib.machinery
import importlib.util
import inspect
import json
import os
import sys
import threading

import _hector

from .errors import error_from_parts, parts_from_exception
from .interfaces import KIND_ANNOUNCE, KIND_STREAM, FLOW_OUT, describe
from .messages import install_importer, messages_of, model

install_importer()

_loop = None
_loop_lock = threading.Lock()


def loop():
    """The event loop of all coroutines, on a thread of its own."""
    global _loop
    with _loop_lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="hector-asyncio", daemon=True).start()
    return _loop


def load(path):
    """The Description of a template file, source or .pyc."""
    folder, file = os.path.split(path)
    stem = file.rsplit(".", 1)[0]
    with open(path, "rb") as source:
        digest = hashlib.sha256(source.read()).hexdigest()[:12]
    unique = f"hector_template_{stem}_{digest}"
    loader_class = (
        importlib.machinery.SourcelessFileLoader
        if path.endswith(".pyc")
        else importlib.machinery.SourceFileLoader
    )
    spec = importlib.util.spec_from_file_location(unique, path, loader=loader_class(unique, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec.loader.exec_module(module)
    return describe(module, stem)


def _octets(message):
    return message.SerializeToString()


class Capsule:
    """All that an Object can reach. Blocking calls release the interpreter; each has an awaitable
    twin with `_async` behind its name.
    """

    def __init__(self, handle):
        self._handle = handle
        self.name, self.object_name, self.principal = (
            handle.name(),
            handle.object_name(),
            handle.principal(),
        )

    def log(self, event, detail=""):
        self._handle.log(event, detail)

    def advertise(self, **properties):
        """Puts properties of this Object's Offer into the Trader."""
        self._handle.advertise({name: json.dumps(value) for name, value in properties.items()})

    def _prepare(self, who, operation, request):
        target = self._handle.resolve(who)
        description = model().cls("hector.type.v1.Interface").FromString(target.model())
        classes = messages_of(target.descriptors())
        found = next((op for op in description.operations if op.name == operation), None)
        if found is None:
            raise error_from_parts(12, f"'{who}' has no operation '{operation}'", "", b"")
        if isinstance(request, dict):
            request = classes.cls(found.input)(**request)
        return target, _octets(request), classes.cls(found.output) if found.output else None

    def call(self, who, operation, request, timeout=None):
        """An rpc to any Object by name or reference; `request` is a message or a dict of its
        fields.
        """
        target, octets, reply = self._prepare(who, operation, request)
        answer = target.call(operation, octets, timeout or 0)
        return reply.FromString(answer) if reply else None

    async def call_async(self, who, operation, request, timeout=None):
        target, octets, reply = await asyncio.get_running_loop().run_in_executor(
            None, self._prepare, who, operation, request
        )
        answer = await _awaitable(lambda done: target.start(operation, octets, timeout or 0, done))
        return reply.FromString(answer) if reply else None


async def _awaitable(start):
    running = asyncio.get_running_loop()
    future = running.create_future()

    def done(answer, error):
        def settle():
            if future.cancelled():
                return
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error_from_parts(*error))

        running.call_soon_threadsafe(settle)

    start(done)
    return await future


Member = collections.namedtuple("Member", "object capsule number")


class Session:
    """An Object's part in one Binding."""

    def __init__(self, handle):
        self._handle = handle
        self.binding, self.binding_type, self.role, self.number = (
            handle.binding(),
            handle.binding_type(),
            handle.role(),
            handle.number(),
        )

    def members(self, role):
        """Who plays a role now: their `number` is what call() is given; a member that leaves leaves
        it to the next who joins.
        """
        return [Member(*each) for each in self._handle.members(role)]

    def location(self, role, number=0):
        """Where a partner is reached, "udp 127.0.0.1:4242"; Error FAILED_PRECONDITION where policy
        hides it.
        """
        return self._handle.location(role, number)

    def call(self, interaction, member, request, reply=None, timeout=None):
        """Starts an interaction at one member and waits; the answer as a `reply` message, or as
        octets.
        """
        answer = self._handle.call(interaction, member, _octets(request), timeout or 0)
        return reply.FromString(answer) if reply else answer

    def multicast(self, interaction, request, reply=None, timeout=None):
        """One message to every member of the receiving role; returns when the interaction's
        reliability is reached. A list, a member each: the answer, the Error it failed with, or None
        where it was not waited for. Raises Error, with that list as `members`, if it cannot be
        reached.
        """
        failed, told = self._handle.multicast(interaction, _octets(request), timeout or 0)
        members = [
            None if not known else error or (reply.FromString(octets) if reply else octets)
            for known, error, octets in told
        ]
        if failed:
            failed.members = members
            raise failed
        return members

    async def call_async(self, interaction, member, request, reply=None, timeout=None):
        octets = _octets(request)
        answer = await _awaitable(
            lambda done: self._handle.start(interaction, member, octets, timeout or 0, done)
        )
        return reply.FromString(answer) if reply else answer


class Incoming:
    """The messages of a flow, for `for` and `async for`."""

    def __init__(self, call, cls):
        self._call, self._cls = call, cls

    def __iter__(self):
        while (octets := self._call.read()) is not None:
            yield self._cls.FromString(octets)

    async def __aiter__(self):
        while (
            octets := await asyncio.get_running_loop().run_in_executor(None, self._call.read)
        ) is not None:
            yield self._cls.FromString(octets)


class Object:
    """One instance of a template class, entered by the plugin."""

    def __init__(self, description, handle, arguments):
        self._description = description
        self._shapes = {shape.name: shape for shape in description.shapes}
        cls = description.cls
        self.capsule = Capsule(handle)
        parameters = (
            inspect.signature(cls.__init__).parameters
            if cls.__init__ is not object.__init__
            else {}
        )
        given = json.loads(arguments or "{}")
        takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
        unknown = [key for key in given if key not in parameters and not takes_any]
        if unknown:
            raise TypeError(
                f"template {description.name} takes no argument '{unknown[0]}'; it takes "
                f"{', '.join(p for p in parameters if p not in ('self', 'capsule')) or 'none'}"
            )
        self.instance = cls.__new__(cls)
        self.instance.capsule = self.capsule
        if "capsule" in parameters:
            given["capsule"] = self.capsule
        if parameters:
            self.instance.__init__(**given)

    def has_state(self):
        return hasattr(self.instance, "save") and hasattr(self.instance, "restore")

    def save(self):
        """What a successor needs, as the template's save() gives it: bytes or text."""
        state = self.instance.save()
        return state.encode() if isinstance(state, str) else bytes(state)

    def restore(self, state):
        self.instance.restore(state)

    def bound(self, handle):
        if hasattr(self.instance, "bound"):
            self.instance.bound(Session(handle))

    def unbound(self, handle):
        if hasattr(self.instance, "unbound"):
            self.instance.unbound(Session(handle))

    def invoke(self, name, call):
        """Handles one call; ends it now, or later from the event loop."""
        shape = self._shapes[name]
        try:
            method = getattr(self.instance, name)
            arguments = self._arguments(shape, call)
            wants_call = shape.parameters is None and len(
                inspect.signature(method).parameters
            ) > len(arguments[0])
            if wants_call:
                arguments[0].append(call)
            result = method(*arguments[0], **arguments[1])
            if inspect.isasyncgen(result):
                call.defer()
                asyncio.run_coroutine_threadsafe(self._stream(shape, call, result), loop())
            elif inspect.iscoroutine(result):
                call.defer()
                asyncio.run_coroutine_threadsafe(self._later(shape, call, result), loop())
            elif inspect.isgenerator(result) and shape.kind == KIND_STREAM:
                for item in result:
                    if not call.write(_octets(self._reply(shape, item))):
                        result.close()
                        break
                call.complete(b"")
            else:
                self._complete(shape, call, result)
        except BaseException as exception:  # nothing may pass into the kernel
            call.fail(*parts_from_exception(exception))

    async def _later(self, shape, call, coroutine):
        try:
            self._complete(shape, call, await coroutine)
        except BaseException as exception:
            call.fail(*parts_from_exception(exception))

    async def _stream(self, shape, call, generator):
        running = asyncio.get_running_loop()
        try:
            async for item in generator:
                if not await running.run_in_executor(
                    None, call.write, _octets(self._reply(shape, item))
                ):
                    break
            call.complete(b"")
        except BaseException as exception:
            call.fail(*parts_from_exception(exception))

    def _arguments(self, shape, call):
        cls = self._description.messages.cls(shape.input)
        if shape.kind == KIND_STREAM and shape.flow != FLOW_OUT:
            return [Incoming(call, cls)], {}
        request = cls.FromString(call.request())
        if shape.parameters is None:
            return [request], {}
        values = {}
        for name in shape.parameters:
            value = getattr(request, name)
            values[name] = (
                list(value)
                if hasattr(value, "extend") and not isinstance(value, (str, bytes))
                else value
            )
        return [], values

    def _reply(self, shape, result):
        cls = self._description.messages.cls(shape.output)
        if shape.is_value:
            return cls(value=result)
        if result is None:
            return cls()
        if isinstance(result, dict):
            return cls(**result)
        if not hasattr(result, "SerializeToString"):
            raise TypeError(
                f"operation '{shape.name}' returned {type(result).__name__}; a {shape.output} was"
                " expected"
            )
        return result

    def _complete(self, shape, call, result):
        call.complete(b"" if shape.kind == KIND_ANNOUNCE else _octets(self._reply(shape, result)))
