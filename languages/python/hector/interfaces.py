"""Interfaces from type hints, and the marks of templates.

What: the decorators `template`, `operation`, `announce`, and the Interface a class's hints make.
Why: a small Object needs no type file.
Who: templates; the runtime asks `describe`.
"""

import collections.abc
import copy
import inspect
import math
import types
import typing

from google.protobuf import descriptor_pb2, text_encoding

from .messages import InterfaceBase, messages_of, model, python_name

_F = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    bool: _F.TYPE_BOOL,
    int: _F.TYPE_INT64,
    float: _F.TYPE_DOUBLE,
    str: _F.TYPE_STRING,
    bytes: _F.TYPE_BYTES,
}
KIND_RPC, KIND_ANNOUNCE, KIND_STREAM = 1, 2, 3
FLOW_OUT, FLOW_IN, FLOW_BOTH = 1, 2, 3


def template(interface=None, *, name=None, version="1", parallel=False):
    """Marks a class as the file's template. `interface`: "name/major"; left out where the class
    derives from one.
    """

    def mark(cls):
        cls.__hector_template__ = {
            "interface": interface,
            "name": name,
            "version": version,
            "parallel": parallel,
        }
        return cls

    return mark


def operation(function):
    """Marks a method as an operation; needed only where others of the class are not to be."""
    _function_of(function).__hector_operation__ = KIND_RPC
    return function


def announce(function):
    """Marks a method as an announcement: it has no reply. Other methods stay as they are."""
    _function_of(function).__hector_announces__ = True
    return function


def _function_of(method):
    """A mark may stand above or below @staticmethod and @classmethod."""
    return method.__func__ if isinstance(method, (staticmethod, classmethod)) else method


class Shape:
    """How one operation's method takes its request and gives its reply."""

    def __init__(self, name, method):
        self.name, self.method = name, method
        self.kind, self.flow = KIND_RPC, 0
        self.input = self.output = ""
        self.parameters = None  # a _Parameter each, where the request is made of them
        self.takes_call = False  # the method has a place for the call behind its request
        self.is_item = False  # messages of the flow in are {value: …}
        self.is_value = False  # the reply is {value: …}


NOTHING = inspect.Parameter.empty


class _Parameter:
    """One of a method, and the field that brings it."""

    def __init__(self, operation, parameter, hint):
        self.name, self.default = parameter.name, parameter.default
        self.is_by_position = parameter.kind is parameter.POSITIONAL_ONLY
        name, default = self.name, self.default
        self.hint, self.may_be_none = _without_none(hint)
        self.is_list = typing.get_origin(self.hint) is list or self.hint is list
        self.place = f"operation '{operation}': parameter '{name}'"
        if default is None:
            self.may_be_none = True
        if self.is_list and not (default is NOTHING or (not self.may_be_none and not len(default))):
            raise TypeError(
                f"{self.place}: a list that is left out is an empty one, so its default"
                f" {default!r} cannot be kept; write `= ()`, or give the operation one without the"
                " list"
            )
        if self.is_list and self.may_be_none:
            raise TypeError(f"{self.place}: a list is never None; leave None out of the hint")
        # 0 or empty if it is left out.
        self.is_plain = self.is_list or (default is NOTHING and not self.may_be_none)
        self.text = self._text_of_default()
        if self.hint is float and self.text is not None:
            self.default = float(default)  # as one that is given

    def _text_of_default(self):
        """As a FieldDescriptor has it; None: it has none."""
        if self.default is NOTHING or self.default is None or self.is_list:
            return None
        if hasattr(self.hint, "DESCRIPTOR"):
            if not isinstance(self.default, self.hint):
                self._refuse_default()
            return None
        kinds = {bool: bool, int: int, float: (int, float), str: str, bytes: bytes}
        if not isinstance(self.default, kinds.get(self.hint, object)):
            self._refuse_default()
        if self.hint is bytes:
            return text_encoding.CEscape(self.default, False)
        if self.hint is bool:
            return "true" if self.default else "false"
        if self.hint is int and not -(2**63) <= self.default < 2**63:
            self._refuse_default()
        if self.hint is int:
            return str(int(self.default))
        if self.hint is float:
            return _text_of_float(float(self.default))
        try:
            str.encode(self.default)
        except UnicodeEncodeError:
            self._refuse_default()
        return str.__str__(self.default)

    def _refuse_default(self):
        raise TypeError(
            f"{self.place} has the hint {_hint_text(self.hint)} and the default {self.default!r},"
            " which no message of it can hold"
        )

    def value_in(self, request):
        value = getattr(request, self.name)
        if self.is_list:
            return list(value)
        if self.is_plain or request.HasField(self.name):
            return value
        return copy.deepcopy(self.default) if self.default is not NOTHING else None


def _text_of_float(value):
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return repr(value)


def _hint_text(hint):
    return getattr(hint, "__name__", None) or repr(hint)


def _without_none(hint):
    """(the hint, whether None is one of its values): Optional[int], int | None."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    left = [each for each in typing.get_args(hint) if each is not type(None)]
    return (left[0], True) if len(left) == 1 else (hint, False)


def _field(message, number, name, hint, operation):
    """Adds it, and returns the file of its message class, if it has one."""
    field = message.field.add(name=name, number=number, label=_F.LABEL_OPTIONAL)
    if typing.get_origin(hint) is list:
        field.label = _F.LABEL_REPEATED
        hint = typing.get_args(hint)[0]
    if isinstance(hint, type) and hint in _SCALARS:
        field.type = _SCALARS[hint]
        return None
    if hasattr(hint, "DESCRIPTOR"):
        field.type, field.type_name = _F.TYPE_MESSAGE, "." + hint.DESCRIPTOR.full_name
        return hint.DESCRIPTOR.file
    raise TypeError(
        f"operation '{operation}': '{name}' has the hint {hint!r}; bool, int, float, str, bytes, message classes,"
        " list[…] and … | None of them are known"
    )


class _Builder:
    def __init__(self, interface):
        self.interface = interface
        base, _, major = interface.rpartition("/")
        if not base or not major.isdigit():
            raise ValueError(
                f"'{interface}' is not a type id; expected name/major, as in sums.Adder/1"
            )
        self.package, _, self.short = base.rpartition(".")
        self.base, self.major = base, int(major)
        self.file = descriptor_pb2.FileDescriptorProto(
            name=f"hector/hints/{base}.proto", package=base + "Messages", syntax="proto3"
        )
        # Messages of parameters with defaults: proto2, the form of Protobuf that has defaults.
        self.with_defaults = descriptor_pb2.FileDescriptorProto(
            name=f"hector/hints/{base}.defaults.proto", package=self.file.package, syntax="proto2"
        )
        self.imports = {}
        self.operation = ""  # whose messages are made

    def import_file(self, file):
        if file.name in self.imports:
            return
        for dependency in file.dependencies:
            self.import_file(dependency)
        copy = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(copy)
        self.imports[file.name] = copy

    def message(self, name, fields):
        """Of (name, hint, whether it may be left out, its default as text)."""
        has_default = any(text is not None for _, _, _, text in fields)
        file = self.with_defaults if has_default else self.file
        made = file.message_type.add(name=name)
        for number, (field, hint, may_be_left_out, text) in enumerate(fields, 1):
            imported = _field(made, number, field, hint, self.operation)
            if imported is not None:
                self.import_file(imported)
                if imported.name not in file.dependency:
                    file.dependency.append(imported.name)
            if text is not None:
                made.field[-1].default_value = text
            elif may_be_left_out and imported is None:
                # Alone in a oneof: what is left out differs from what is 0, in both forms.
                made.field[-1].oneof_index = len(made.oneof_decl)
                made.field[-1].proto3_optional = file is self.file
                made.oneof_decl.add(name="_" + field)
        return f"{self.base}Messages.{name}"

    def type_of(self, hint, name, value_name="value"):
        """The message for one hint: itself, or a made one with one field."""
        hint, may_be_none = _without_none(hint)
        if hasattr(hint, "DESCRIPTOR"):
            self.import_file(hint.DESCRIPTOR.file)
            return hint.DESCRIPTOR.full_name, False
        if hint in (None, type(None), inspect.Signature.empty):
            return self.message(name, []), False
        return self.message(name, [(value_name, hint, may_be_none, None)]), True

    def shape(self, name, method, is_bound):
        """`is_bound`: the method's first parameter is the Object or the class."""
        shape, self.operation = Shape(name, method), name
        shape.kind = KIND_ANNOUNCE if hasattr(method, "__hector_announces__") else KIND_RPC
        hints = typing.get_type_hints(method)
        parameters = list(inspect.signature(method).parameters.values())[1 if is_bound else 0 :]
        _check_kinds(name, parameters)
        title = "".join(part.capitalize() for part in name.split("_"))
        returned = hints.get("return", inspect.Signature.empty)
        out = _item_of(name, returned)
        incoming = [each for each in parameters if _is_flow(hints.get(each.name))]
        if out is not None or incoming:
            shape.kind = KIND_STREAM
            shape.flow = FLOW_BOTH if out and incoming else FLOW_OUT if out else FLOW_IN
        if incoming:
            if len(parameters) != 1:
                raise TypeError(
                    f"operation '{name}': a flow in is an operation's only parameter; put"
                    " what else it needs into the flow's messages"
                )
            item = _item_of(name, hints[incoming[0].name])
            shape.input, shape.is_item = self.type_of(item, title + "Request")
        elif (
            len(parameters) == 1
            and hasattr(hints.get(parameters[0].name), "DESCRIPTOR")
            and parameters[0].default is NOTHING
        ):
            shape.input, _ = self.type_of(hints[parameters[0].name], title + "Request")
        else:
            missing = [each.name for each in parameters if each.name not in hints]
            if missing:
                raise TypeError(f"operation '{name}': parameter '{missing[0]}' has no type hint")
            shape.parameters = [
                _Parameter(name, each, hints[each.name]) for each in parameters
            ]
            shape.input = self.message(
                title + "Request",
                [(each.name, each.hint, not each.is_plain, each.text) for each in shape.parameters],
            )
        if shape.kind != KIND_ANNOUNCE:
            shape.output, shape.is_value = self.type_of(
                returned if out is None else out, title + "Reply"
            )
        elif returned not in (inspect.Signature.empty, None, type(None)):
            raise TypeError(f"operation '{name}' is an announcement: it returns nothing")
        return shape

    def descriptors(self):
        files = descriptor_pb2.FileDescriptorSet()
        files.file.extend(self.imports.values())
        files.file.append(self.file)
        if self.with_defaults.message_type:
            files.file.append(self.with_defaults)
        return files.SerializeToString(deterministic=True)


_FLOWS = (
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.Generator,
    collections.abc.AsyncGenerator,
)


def _is_flow(hint):
    return typing.get_origin(hint) in _FLOWS or hint in _FLOWS


def _item_of(operation, hint):
    """What a flow is of; None: the hint is no flow's."""
    if not _is_flow(hint):
        return None
    items = typing.get_args(hint)
    if not items or isinstance(items[0], typing.TypeVar):
        raise TypeError(
            f"operation '{operation}': the hint {hint!r} does not say of what the flow is; write"
            " Iterator[int], or another of its messages' types"
        )
    return items[0]


def _check_kinds(operation, parameters):
    for each in parameters:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise TypeError(
                f"operation '{operation}': '{each}' has no fixed fields; name the parameters, or"
                " take one list[…]"
            )


_TOLD = ("bound", "unbound")  # by the runtime, never called from outside
_STATE = ("save", "restore")  # the same, where a class has both


def _methods_of(cls):
    """(name, function or bound class method, whether its first parameter is the Object)."""
    for name, method in inspect.getmembers(cls, callable):
        found = inspect.getattr_static(cls, name)
        if name.startswith("_") or inspect.isclass(method):
            continue
        if isinstance(found, staticmethod) or (
            isinstance(found, classmethod) and inspect.ismethod(method)
        ):
            yield name, method, False
        elif inspect.isfunction(method):
            yield name, method, True


def _operations_of(cls):
    methods = list(_methods_of(cls))
    marked = [each for each in methods if hasattr(each[1], "__hector_operation__")]
    if marked:
        return [each for each in methods if each in marked or hasattr(each[1], _ANNOUNCES)]
    told = _TOLD + (_STATE if has_state(cls) else ())
    return [each for each in methods if each[0] not in told]


_ANNOUNCES = "__hector_announces__"


def has_state(cls):
    """Whether it has save() and restore(), and they are no operations by their marks."""
    return all(
        callable(getattr(cls, each, None))
        and not hasattr(getattr(cls, each), "__hector_operation__")
        for each in _STATE
    )


def _from_hints(cls, interface):
    builder = _Builder(interface)
    shapes = [builder.shape(*each) for each in _operations_of(cls)]
    if not shapes:
        raise TypeError(f"class {cls.__name__} has no public methods to make an Interface of")
    description = model().cls("hector.type.v1.Interface")(
        name=builder.base, major=builder.major, description=inspect.getdoc(cls) or ""
    )
    for shape in shapes:
        description.operations.add(
            name=shape.name,
            kind=shape.kind,
            flow=shape.flow,
            input=shape.input,
            output=shape.output,
        )
    description.descriptors = builder.descriptors()
    return description.SerializeToString(deterministic=True), description.descriptors, shapes


def _from_model(cls):
    description = model().cls("hector.type.v1.Interface").FromString(cls.__hector_model__)
    shapes = []
    for op in description.operations:
        name = python_name(op.name)
        method = getattr(cls, name, None)
        if not callable(method):
            called = "" if name == op.name else f" '{name}'"
            raise TypeError(
                f"class {cls.__name__} has no method{called} for operation '{op.name}' of"
                f" {cls.__hector_interface__}"
            )
        shape = Shape(op.name, method)
        shape.kind, shape.flow, shape.input, shape.output = op.kind, op.flow, op.input, op.output
        shape.takes_call = _takes_call(cls, name, method)
        shapes.append(shape)
    return cls.__hector_model__, cls.__hector_descriptors__, shapes


def _takes_call(cls, name, method):
    """Whether it has a place behind its request."""
    is_bound = not isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod))
    try:
        parameters = list(inspect.signature(method).parameters.values())
    except (ValueError, TypeError):  # a callable that cannot be inspected
        return False
    return len(parameters) > (2 if is_bound and inspect.isfunction(method) else 1)


class Description:
    """What the runtime needs of a template class."""

    def __init__(self, cls, module_name, space=None):
        self.space = space  # whose modules it runs with
        marks = cls.__dict__.get("__hector_template__", {})
        self.cls = cls
        self.name = marks.get("name") or f"{module_name}.{cls.__name__}"
        self.version = marks.get("version", "1")
        self.parallel = marks.get("parallel", False)
        self.doc = inspect.getdoc(cls) or ""
        if issubclass(cls, InterfaceBase):
            self.interface = cls.__hector_interface__
            self.model, descriptors, self.shapes = _from_model(cls)
        elif marks.get("interface"):
            self.interface = marks["interface"]
            self.model, descriptors, self.shapes = _from_hints(cls, self.interface)
        else:
            raise TypeError(
                f"class {cls.__name__} offers no Interface: derive from one of a type file, or say"
                ' @hector.template("name/1")'
            )
        self.messages = messages_of(descriptors)


def describe(module, module_name, space=None):
    """The one template of a module."""
    found = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__
        and ("__hector_template__" in cls.__dict__ or issubclass(cls, InterfaceBase))
    ]
    if len(found) != 1:
        if found:
            names = ", ".join(cls.__name__ for cls in found)
            raise TypeError(
                f"a template file has one template class; found {names}: put each of the others into"
                " a file of its own"
            )
        raise TypeError(
            "a template file has one template class; found none. Mark it with @hector.template, or"
            " derive it from an Interface"
        )
    return Description(found[0], module_name, space)
