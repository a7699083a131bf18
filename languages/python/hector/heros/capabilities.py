"""What a HERO can do, as HEROS describes it: attributes, methods, events.

What: Capability and its three kinds, to and from the maps of the wire, and to Python's signatures.
Why: scripts look at `capabilities`, and at the signatures of what they call.
Who: LocalHERO, RemoteHERO.
"""

import collections.abc
import dataclasses
import inspect
import json
import types
import typing

from .. import embedded
from .inspect import is_hero_event

__proto_version__ = 1.0
UNDEFINED = "undefined"
EMPTY = inspect.Parameter.empty


def type_to_str(annotation):
    """As the wire has it."""
    if annotation is EMPTY:
        return UNDEFINED
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, types.UnionType):
        return repr(annotation)
    return getattr(annotation, "__name__", repr(annotation))


def build_capability(hero_obj, member_name, annotation=None):
    """Of a member of an object. False: it cannot be inspected."""
    callables = (collections.abc.Callable, typing.Callable)
    is_callable = annotation in callables or typing.get_origin(annotation) in callables
    if annotation is not None and not is_callable:
        return AttributeCapability(member_name, type_to_str(annotation))
    member = getattr(hero_obj, member_name)
    if is_hero_event(member):
        return EventCapability(member_name)
    if not callable(member):
        return AttributeCapability(member_name, type_to_str(type(member)))
    try:
        return MethodCapability.from_method(member, member_name)
    except ValueError:
        return False


def _required(fields, *names):
    for each in names:
        if each not in fields:
            raise AttributeError(f"required field '{each}' not in dict")


@dataclasses.dataclass
class Parameter:
    name: str
    type: str
    default: object = UNDEFINED
    kind: int = 1

    @staticmethod
    def from_signature_parameter(p):
        default = UNDEFINED if p.default is EMPTY else p.default
        return Parameter(p.name, type_to_str(p.annotation), default, p.kind)

    @staticmethod
    def from_dict(d, proto_version=__proto_version__):
        _required(d, "name")
        kind = d.get("kind", 1)
        if proto_version <= 0.1:  # which had no kinds
            kinds = inspect.Parameter
            kind = kinds.KEYWORD_ONLY if "default" in d else kinds.VAR_POSITIONAL
        return Parameter(d["name"], d.get("type", UNDEFINED), d.get("default", UNDEFINED), kind)

    def has_default(self):
        return not (isinstance(self.default, str) and self.default == UNDEFINED)

    def to_dict(self):
        return {"name": self.name, "type": self.type, "default": self.default, "kind": self.kind}

    def to_signature_parameter(self):
        return inspect.Parameter(
            self.name,
            kind=embedded.KINDS[int(self.kind)],
            default=self.default if self.has_default() else EMPTY,
            annotation=EMPTY if self.type == UNDEFINED else self.type,
        )


@dataclasses.dataclass
class Capability:
    name: str
    flavor: typing.ClassVar[str] = UNDEFINED

    def to_dict(self):
        return {"name": self.name, "flavor": self.flavor}

    @staticmethod
    def from_dict(d, proto_version=__proto_version__):
        """None: of a kind that came later."""
        _required(d, "name", "flavor")
        kinds = (AttributeCapability, MethodCapability, EventCapability)
        kind = next((each for each in kinds if each.flavor == d["flavor"]), None)
        return kind and kind.from_dict(d, proto_version)


@dataclasses.dataclass
class AttributeCapability(Capability):
    type: str = UNDEFINED
    access: str = "rw"
    flavor: typing.ClassVar[str] = "attribute"

    def to_dict(self):
        return super().to_dict() | {"type": self.type, "access": self.access}

    @staticmethod
    def from_dict(d, proto_version=__proto_version__):
        _required(d, "name")
        return AttributeCapability(d["name"], d.get("type", UNDEFINED), d.get("access", "rw"))


@dataclasses.dataclass
class MethodCapability(Capability):
    parameters: list[Parameter] = dataclasses.field(default_factory=list)
    return_type: str = "None"
    flavor: typing.ClassVar[str] = "method"

    @staticmethod
    def from_method(m, name=None):
        """ValueError: it cannot be inspected."""
        signature = inspect.signature(m)
        parameters = [
            Parameter.from_signature_parameter(each) for each in signature.parameters.values()
        ]
        returned = signature.return_annotation
        is_said = returned not in (inspect.Signature.empty, None)
        return MethodCapability(
            name or m.__name__, parameters, type_to_str(returned) if is_said else "None"
        )

    @staticmethod
    def from_dict(d, proto_version=__proto_version__):
        _required(d, "name", "parameters")
        parameters = [Parameter.from_dict(each, proto_version) for each in d["parameters"]]
        return MethodCapability(d["name"], parameters, d.get("return_type", "None"))

    def to_dict(self):
        return super().to_dict() | {
            "parameters": [each.to_dict() for each in self.parameters],
            "return_type": self.return_type,
        }

    def to_signature(self):
        """ValueError: Python would not take it."""
        return inspect.Signature(
            [each.to_signature_parameter() for each in self.parameters],
            return_annotation=self.return_type,
        )

    def call_dict(self, *args, **kwargs):
        """The arguments by their names, as protocol 0.1 sent them."""
        names = [each.name for each in self.parameters]
        if len(args) > len(names):
            raise IndexError(f"'{self.name}' has {len(names)} parameters, {len(args)} were given")
        known = {name: value for name, value in kwargs.items() if name in names}
        return dict(zip(names, args)) | known


@dataclasses.dataclass
class EventCapability(Capability):
    flavor: typing.ClassVar[str] = "event"

    @staticmethod
    def from_dict(d, proto_version=__proto_version__):
        _required(d, "name")
        return EventCapability(d["name"])


def capability_of(kind, name, parameters, type_name, is_writable):
    """Of a member as the embedded capsule has it; a parameter that may be left out, and whose
    default stays there, has None.
    """
    if kind == "event":
        return EventCapability(name)
    if kind == "attribute":
        return AttributeCapability(name, type_name or UNDEFINED, "rw" if is_writable else "r")
    made = []
    for parameter, annotation, parameter_kind, has_default, *default in parameters:
        made.append(
            Parameter(
                parameter,
                annotation or UNDEFINED,
                (default[0] if default else None) if has_default else UNDEFINED,
                parameter_kind,
            )
        )
    return MethodCapability(name, made, type_name or "None")


def signatures_of(members):
    """What an Interface does not say of methods' parameters: by their names, kinds and defaults,
    `optional` where JSON has no such default. Empty: no method has parameters.
    """
    said = {}
    for _, name, parameters, _, _ in members:
        for parameter, _, parameter_kind, has_default, *default in parameters:
            one = {} if parameter_kind == 1 else {"kind": parameter_kind}
            if has_default and default and _is_json(default[0]):
                one["default"] = default[0]
            elif has_default:
                one["optional"] = True
            said.setdefault(name, {})[parameter] = one
    return json.dumps(said) if said else ""


def _is_json(value):
    if isinstance(value, (list, tuple)):
        return isinstance(value, list) and all(_is_json(each) for each in value)
    return value is None or type(value) in (bool, int, float, str)


def with_signatures(members, text):
    """Members as they are, with what signatures_of() said."""
    try:
        said = _map(json.loads(text or "{}"))
    except (TypeError, ValueError):
        return members
    return [
        (kind, name, [_said(each, _map(said.get(name))) for each in parameters], *rest)
        for kind, name, parameters, *rest in members
    ]


def _map(value):
    """Others may have written it."""
    return value if isinstance(value, dict) else {}


def _said(parameter, said):
    name, annotation, kind, has_default, *default = parameter
    if name not in said:
        return parameter
    one = _map(said[name])
    if "default" in one:
        has_default, default = True, [one["default"]]
    elif "optional" not in one:
        has_default, default = False, []
    if one.get("kind") in range(len(embedded.KINDS)):
        kind = one["kind"]
    return (name, annotation, kind, has_default, *default)


def signature_of(parameters, type_name):
    """Of a method as the embedded capsule has it. ValueError: Python would not take it."""
    return capability_of("method", "", parameters, type_name, False).to_signature()
