"""The runtime behind templates: loads files, enters methods, runs coroutines, calls others.

What: the functions that the plugin's C++ side calls, and the classes that templates get.
Why: whatever needs no C++ is written in Python.
Who: python_language.cc; templates, through `Capsule` and `Session`.
"""

import asyncio
import collections
import inspect
import json
import os

import _hector

from . import guards, loops, output, spaces
from .errors import (
    CODES,
    Error,
    error_from_parts,
    parts_from_exception,
    place_of,
    text_of,
)
from .interfaces import FLOW_IN, FLOW_OUT, KIND_ANNOUNCE, KIND_STREAM, describe, has_state
from .loops import awaited, loop
from .messages import install_importer, messages_of, model, python_name
from .modules import finder

_INVALID_ARGUMENT, _UNIMPLEMENTED = CODES["INVALID_ARGUMENT"], CODES["UNIMPLEMENTED"]


def load(path, log):
    """The Description of a template file, source or .pyc, as its bytes are now."""
    _kept.restore()
    with open(path, "rb") as source:
        octets = source.read()
    space = spaces.Space(path, octets)
    try:
        with output.Place(log, path, "load"):
            return describe(space.run(), space.stem, space)
    except BaseException:
        space.forget()
        raise


def _refusal(exception, path):
    """Why a template file does not load, as the parts of an error: what, and where in its own
    files; the whole traceback is in the log.
    """
    output.tell(exception, "Python template does not load")
    if isinstance(exception, SyntaxError) and exception.filename:
        where = f"{os.path.basename(str(exception.filename))}:{exception.lineno}"
        text = text_of(exception)
    else:
        where, text = place_of(exception), text_of(exception)
    told = f"{type(exception).__name__}: {text}" if text else type(exception).__name__
    return _INVALID_ARGUMENT, f"{where}: {told}" if where else told, "", b""


def _octets(message):
    return message.SerializeToString()


def _read(cls, octets, operation):
    """INVALID_ARGUMENT: the octets are no such message."""
    try:
        return cls.FromString(octets)
    except Exception as why:
        raise _no_message(cls, operation) from why


def _no_message(cls, operation):
    return error_from_parts(
        _INVALID_ARGUMENT,
        f"operation '{operation}': the octets are not a {cls.DESCRIPTOR.full_name}",
        "",
        b"",
    )


class Capsule(metaclass=guards.SealedClass):
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
            known = ", ".join(op.name for op in description.operations)
            raise error_from_parts(
                _UNIMPLEMENTED, f"'{who}' has no operation '{operation}'; it has {known}", "", b""
            )
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
        answer = await awaited(lambda *to: target.start(operation, octets, timeout or 0, *to))
        return reply.FromString(answer) if reply else None


Member = collections.namedtuple("Member", "object capsule number")


class Session(metaclass=guards.SealedClass):
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
        answer = await awaited(
            lambda *to: self._handle.start(interaction, member, octets, timeout or 0, *to)
        )
        return reply.FromString(answer) if reply else answer


class Incoming(metaclass=guards.SealedClass):
    """The messages of a flow, for `for` and `async for`."""

    def __init__(self, call, cls, shape):
        self._call, self._cls, self._shape = call, cls, shape

    def _item(self, octets):
        message = _read(self._cls, octets, self._shape.name)
        return message.value if self._shape.is_item else message

    def __iter__(self):
        while (octets := self._call.read()) is not None:
            yield self._item(octets)

    async def __aiter__(self):
        while (
            octets := await asyncio.get_running_loop().run_in_executor(None, self._call.read)
        ) is not None:
            yield self._item(octets)


class Object(metaclass=guards.SealedClass):
    """One instance of a template class, entered by the plugin."""

    def __init__(self, description, handle, arguments, log):
        self._description, self._log = description, log
        self._shapes = {shape.name: shape for shape in description.shapes}
        self.capsule = Capsule(handle)
        self.has_state = has_state(description.cls)
        cls = description.cls
        given = self._given(cls, _json_object(arguments))
        with self.place("__init__"):
            self.instance = cls.__new__(cls)
            self.instance.capsule = self.capsule
            if cls.__init__ is not object.__init__:
                self.instance.__init__(**given)

    def _given(self, cls, given):
        """The arguments of __init__. INVALID_ARGUMENT names what does not fit."""
        if cls.__init__ is object.__init__:
            signature = inspect.Signature()
        else:
            signature = inspect.signature(cls.__init__)
            signature = signature.replace(parameters=list(signature.parameters.values())[1:])
        parameters = signature.parameters
        wanted = [each for each in parameters if each != "capsule"]
        takes = f"it takes {', '.join(wanted) or 'none'}"
        takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
        unknown = [key for key in given if key not in wanted and not takes_any]
        name = self._description.name
        if unknown:
            raise _refused(f"template {name} takes no argument '{unknown[0]}'; {takes}")
        if "capsule" in parameters:
            given["capsule"] = self.capsule
        try:
            signature.bind(**given)
        except TypeError as why:
            raise _refused(f"template {name}: {text_of(why)}; {takes}") from None
        return given

    def place(self, operation, call=None):
        return output.Place(self._log, self.capsule.object_name, operation, call)

    def save(self):
        """What a successor needs, as the template's save() gives it: bytes or text."""
        with self.place("save"):
            state = self.instance.save()
            return state.encode() if isinstance(state, str) else bytes(state)

    def restore(self, state):
        with self.place("restore"):
            self.instance.restore(state)

    def tell(self, what, handle):
        with self.place(what):
            try:
                if hasattr(self.instance, what):
                    getattr(self.instance, what)(Session(handle))
            except BaseException as why:  # nobody waits for an answer
                output.tell(why)

    def invoke(self, name, call):
        """Handles one call; ends it now, or later from the event loop."""
        shape = self._shapes[name]
        with self.place(name, call) as place:
            try:
                positional, named = self._arguments(shape, call)
                result = getattr(self.instance, python_name(name))(*positional, **named)
                if inspect.iscoroutine(result) or (
                    shape.kind == KIND_STREAM and hasattr(result, "__aiter__")
                ):
                    call.defer()
                    later = self._later(shape, call, result, place)
                    asyncio.run_coroutine_threadsafe(later, loop())
                elif shape.kind == KIND_STREAM and shape.flow != FLOW_IN:
                    self._write_all(shape, call, result)
                else:
                    self._complete(shape, call, result)
            except BaseException as exception:  # nothing may pass into the kernel
                _fail(call, exception)

    async def _later(self, shape, call, result, place):
        with loops.Cancelling(call) as cancelling:
            try:
                if inspect.iscoroutine(result):
                    result = await result
                    cancelling.raise_if_cancelled()
                if shape.kind == KIND_STREAM and shape.flow != FLOW_IN:
                    await self._write_each(shape, call, result)
                else:
                    self._complete(shape, call, result)
            except BaseException as exception:
                is_cancelled = isinstance(exception, asyncio.CancelledError)
                error = cancelling.error() if is_cancelled else None
                if error is not None:
                    call.fail(*error)
                else:
                    _fail(call, exception)
            finally:
                place.finish()

    def _write_all(self, shape, call, items):
        """A flow out: of a generator, an iterator, a list."""
        try:
            for item in self._iterated(shape, items):
                if not call.write(_octets(self._reply(shape, item))):
                    break
        finally:
            if hasattr(items, "close") and not hasattr(items, "read"):  # a generator, no file
                items.close()
        call.complete(b"")

    async def _write_each(self, shape, call, items):
        running = asyncio.get_running_loop()
        try:
            async for item in _each_of(self._iterated(shape, items), running):
                octets = _octets(self._reply(shape, item))
                if not await running.run_in_executor(None, call.write, octets):
                    break
        finally:
            if hasattr(items, "aclose"):
                await items.aclose()
        call.complete(b"")

    def _iterated(self, shape, items):
        is_one = isinstance(items, (str, bytes)) or hasattr(items, "SerializeToString")
        if is_one or not (hasattr(items, "__iter__") or hasattr(items, "__aiter__")):
            raise TypeError(
                f"operation '{shape.name}' is a flow and returned {type(items).__name__}; an"
                " iterator of its messages was expected"
            )
        return items

    def _arguments(self, shape, call):
        """(positional, by name)"""
        cls = self._description.messages.cls(shape.input)
        rest = [call] if shape.takes_call else []
        if shape.kind == KIND_STREAM and shape.flow != FLOW_OUT:
            return [Incoming(call, cls, shape), *rest], {}
        request = _read(cls, call.request(), shape.name)
        if shape.parameters is None:
            return [request, *rest], {}
        positional, named = [], {}
        for each in shape.parameters:
            try:
                value = each.value_in(request)
            except UnicodeError as why:  # a text that is no UTF-8
                raise _no_message(cls, shape.name) from why
            if each.is_by_position:
                positional.append(value)
            else:
                named[each.name] = value
        return positional, named

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
        if result.DESCRIPTOR.full_name != shape.output:
            raise TypeError(
                f"operation '{shape.name}' returned a {result.DESCRIPTOR.full_name}; a"
                f" {shape.output} was expected"
            )
        return result

    def _complete(self, shape, call, result):
        if shape.kind == KIND_ANNOUNCE:
            call.complete(b"")
            return
        try:
            octets = _octets(self._reply(shape, result))
        except Exception as why:
            # What an Object returns is never the caller's mistake, whatever Protobuf raises.
            raise TypeError(
                f"operation '{shape.name}' returned {type(result).__name__}, which makes no"
                f" {shape.output}: {text_of(why)}"
            ) from why
        call.complete(octets)


async def _each_of(items, running):
    """Of an asynchronous iterator, or of one that may block."""
    if hasattr(items, "__aiter__"):
        async for item in items:
            yield item
        return
    iterator, end = iter(items), object()
    while (item := await running.run_in_executor(None, next, iterator, end)) is not end:
        yield item


def _json_object(arguments):
    try:
        given = json.loads(arguments or "{}")
    except ValueError as error:
        raise _refused(
            f"an Object's arguments are a JSON object, as in {{\"key\": 1}}; {arguments[:80]} is"
            f" none: {error}"
        ) from None
    if not isinstance(given, dict):
        raise _refused(f"an Object's arguments are a JSON object, not {arguments[:80]}")
    return given


def _refused(text):
    return Error("INVALID_ARGUMENT", text)


def _parts_of(exception):
    """Of the error. What is the Object's own mistake is in the log, with its traceback."""
    parts = parts_from_exception(exception)
    is_said = isinstance(exception, Error) and CODES.get(exception.code) == parts[0]
    if parts[0] in (CODES["INTERNAL"], CODES["UNKNOWN"]) and not is_said:
        output.tell(exception)
    return parts


def _fail(call, exception):
    call.fail(*_parts_of(exception))


def _start(fetch, log):
    output.add_log(log)
    finder().add(fetch)


def _end(fetch, log):
    output.remove_log(log)
    if fetch is not None:
        finder().remove(fetch)


def _unload(description):
    description.space.forget()


def _make(*arguments):
    _kept.restore()
    return Object(*arguments)


def entries():
    """What the plugin calls, held by it from the start."""
    return {
        "start": _start,
        "end": _end,
        "load": load,
        "unload": _unload,
        "refusal": _refusal,
        "parts_of": _parts_of,
        "make": _make,
        "has_state": lambda made: made.has_state,
        "save": Object.save,
        "restore": Object.restore,
        "bound": lambda made, handle: made.tell("bound", handle),
        "unbound": lambda made, handle: made.tell("unbound", handle),
        "invoke": Object.invoke,
    }


def _install():
    """Once in a process."""
    install_importer()
    spaces.install()
    finder()
    guards.install()
    output.install()
    _hector.make_errors_by(error_from_parts)
    guards.seal("hector")
    return guards.Kept()


_kept = _install()
