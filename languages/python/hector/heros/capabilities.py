"""What a HERO can do, as HEROS describes it: attributes, methods, events.

What: Capability and its three kinds, with to_dict() as on the wire.
Why: scripts look at `capabilities`.
Who: LocalHERO, RemoteHERO.
"""

import dataclasses

from .. import embedded

UNDEFINED = "undefined"


@dataclasses.dataclass
class Parameter:
    name: str
    type: str
    default: object = UNDEFINED
    kind: int = 1

    def has_default(self):
        return not (isinstance(self.default, str) and self.default == UNDEFINED)

    def to_dict(self):
        return {"name": self.name, "type": self.type, "default": self.default, "kind": self.kind}


@dataclasses.dataclass
class Capability:
    name: str
    flavor = UNDEFINED

    def to_dict(self):
        return {"name": self.name, "flavor": self.flavor}


@dataclasses.dataclass
class AttributeCapability(Capability):
    type: str = UNDEFINED
    access: str = "rw"
    flavor = "attribute"

    def to_dict(self):
        return super().to_dict() | {"type": self.type, "access": self.access}


@dataclasses.dataclass
class MethodCapability(Capability):
    parameters: list = dataclasses.field(default_factory=list)
    return_type: str = "None"
    flavor = "method"

    def to_dict(self):
        return super().to_dict() | {
            "parameters": [each.to_dict() for each in self.parameters],
            "return_type": self.return_type,
        }

    def to_signature(self):
        """ValueError: Python would not take it."""
        return embedded.signature_of(
            (each.name, each.type, each.kind, each.has_default(), each.default)
            for each in self.parameters
        )


@dataclasses.dataclass
class EventCapability(Capability):
    flavor = "event"


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
