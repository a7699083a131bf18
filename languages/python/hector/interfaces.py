"""Interfaces from type hints, and the marks of templates.

What: the decorators `template`, `operation`, `announce`, and the Interface a class's hints make.
Why: a small Object needs no type file.
Who: templates; the runtime asks `describe`.
"""

import inspect
import typing

from google.protobuf import descriptor_pb2

from .messages import InterfaceBase, messages_of, model

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
    function.__hector_operation__ = KIND_RPC
    return function


def announce(function):
    """Marks a method as an announcement: it has no reply."""
    function.__hector_operation__ = KIND_ANNOUNCE
    return function


class Shape:
    """How one operation's method takes its request and gives its reply."""

    def __init__(self, name, method):
        self.name, self.method = name, method
        self.kind, self.flow = KIND_RPC, 0
        self.input = self.output = ""
        self.parameters = None  # names, where the request is made of them
        self.is_value = False  # the reply is {value: …}


def _field(message, number, name, hint):
    field = message.field.add(name=name, number=number, label=_F.LABEL_OPTIONAL)
    if typing.get_origin(hint) is list:
        field.label = _F.LABEL_REPEATED
        hint = typing.get_args(hint)[0]
    if hint in _SCALARS:
        field.type = _SCALARS[hint]
        return None
    if hasattr(hint, "DESCRIPTOR"):
        field.type, field.type_name = _F.TYPE_MESSAGE, "." + hint.DESCRIPTOR.full_name
        return hint.DESCRIPTOR.file
    raise TypeError(
        f"parameter '{name}' has the hint {hint!r}; bool, int, float, str, bytes, list[…] of them"
        " and message classes are known"
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
        self.imports = {}

    def import_file(self, file):
        if file.name in self.imports:
            return
        for dependency in file.dependencies:
            self.import_file(dependency)
        copy = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(copy)
        self.imports[file.name] = copy

    def message(self, name, fields):
        made = self.file.message_type.add(name=name)
        for number, (field, hint) in enumerate(fields, 1):
            file = _field(made, number, field, hint)
            if file is not None:
                self.import_file(file)
                if file.name not in self.file.dependency:
                    self.file.dependency.append(file.name)
        return f"{self.base}Messages.{name}"

    def type_of(self, hint, name, value_name="value"):
        """The message for one hint: itself, or a made one with one field."""
        if hasattr(hint, "DESCRIPTOR"):
            self.import_file(hint.DESCRIPTOR.file)
            return hint.DESCRIPTOR.full_name, False
        fields = [] if hint in (None, type(None), inspect.Signature.empty) else [(value_name, hint)]
        return self.message(name, fields), bool(fields)

    def shape(self, name, method):
        shape = Shape(name, method)
        shape.kind = getattr(method, "__hector_operation__", KIND_RPC)
        hints = typing.get_type_hints(method)
        parameters = list(inspect.signature(method).parameters)[1:]
        title = "".join(part.capitalize() for part in name.split("_"))
        returned = hints.get("return", inspect.Signature.empty)
        incoming = next(
            (p for p in parameters if typing.get_origin(hints.get(p)) in _ITERATORS), None
        )
        if typing.get_origin(returned) in _ITERATORS or incoming is not None:
            shape.kind = KIND_STREAM
            out = typing.get_origin(returned) in _ITERATORS
            shape.flow = FLOW_BOTH if out and incoming else FLOW_OUT if out else FLOW_IN
            if out:
                returned = typing.get_args(returned)[0]
        if incoming is not None:
            shape.input, _ = self.type_of(typing.get_args(hints[incoming])[0], title + "Request")
        elif len(parameters) == 1 and hasattr(hints.get(parameters[0]), "DESCRIPTOR"):
            shape.input, _ = self.type_of(hints[parameters[0]], title + "Request")
        else:
            missing = [p for p in parameters if p not in hints]
            if missing:
                raise TypeError(f"operation '{name}': parameter '{missing[0]}' has no type hint")
            shape.parameters = parameters
            shape.input = self.message(title + "Request", [(p, hints[p]) for p in parameters])
        if shape.kind != KIND_ANNOUNCE:
            shape.output, shape.is_value = self.type_of(returned, title + "Reply")
        return shape

    def descriptors(self):
        files = descriptor_pb2.FileDescriptorSet()
        files.file.extend(self.imports.values())
        files.file.append(self.file)
        return files.SerializeToString(deterministic=True)


def _iterators():
    import collections.abc as abc

    return (
        abc.Iterator,
        abc.Iterable,
        abc.AsyncIterator,
        abc.AsyncIterable,
        abc.Generator,
        abc.AsyncGenerator,
    )


_ITERATORS = _iterators()


def _operations_of(cls):
    methods = [
        (name, method)
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and name not in ("bound", "unbound")
    ]
    marked = [(name, method) for name, method in methods if hasattr(method, "__hector_operation__")]
    return marked or methods


def _from_hints(cls, interface):
    builder = _Builder(interface)
    shapes = [builder.shape(name, method) for name, method in _operations_of(cls)]
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
        method = getattr(cls, op.name, None)
        if method is None:
            raise TypeError(
                f"class {cls.__name__} has no method for operation '{op.name}' of"
                f" {cls.__hector_interface__}"
            )
        shape = Shape(op.name, method)
        shape.kind, shape.flow, shape.input, shape.output = op.kind, op.flow, op.input, op.output
        shapes.append(shape)
    return cls.__hector_model__, cls.__hector_descriptors__, shapes


class Description:
    """What the runtime needs of a template class."""

    def __init__(self, cls, module_name):
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


def describe(module, module_name):
    """The one template of a module."""
    found = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__
        and ("__hector_template__" in cls.__dict__ or issubclass(cls, InterfaceBase))
    ]
    if len(found) != 1:
        names = ", ".join(cls.__name__ for cls in found) or "none"
        raise TypeError(
            f"a template file has one template class; found {names}. Mark it with @hector.template,"
            " or derive it from an Interface"
        )
    return Description(found[0], module_name)
