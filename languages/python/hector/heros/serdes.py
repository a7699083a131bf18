"""Values that plain CBOR does not have, under HEROS' tags.

What: encode() and decode() for the embedded capsule; serialize() and deserialize(), a value as the
octets that travel.
Why: arrays, times and references pass as HEROS passes them.
Who: hector.heros, programs written for HEROS.
"""

import datetime
import decimal
import uuid
import weakref

from ..embedded import Tag
from .exceptions import RemoteHEROError
from .helper import full_classname
from .inspect import is_hero_event, is_hero_method

NDARRAY = ndarray_tag = 4242
HERO = hero_tag = 9000
UNSERIALIZABLE = unserializable_tag = 9001
REFERENCE = unserializable_object_reference_tag = 9002
EVENT = hero_event_tag = 9003
METHOD = hero_method_tag = 9004
EXCEPTION = hero_exception_tag = 9005


class ObjectStore:
    """Objects that stay here, by the number that others know them by; none is kept alive."""

    def __init__(self):
        self._objects = weakref.WeakValueDictionary()

    def add(self, object):
        """TypeError: nothing can refer to it."""
        self._objects[id(object)] = object
        return id(object)

    def get(self, identifier):
        return self._objects.get(identifier)


obj_store = ObjectStore()


class UnserializableRemoteObject:
    """Stands for an object that stays where it is; handed back it is that object again."""

    def __init__(self, type, id, representation):
        self.type, self.id, self.representation = type, id, representation

    def __repr__(self):
        return f"Unserializable Remote Object ({self.type}): id {hex(self.id)}"


class HEROReference:
    """A HERO that was named in a message. Nothing is asked of it before it is used."""

    def __init__(self, name, realm):
        self._name, self._realm, self._hero = name, realm, None

    def __getattr__(self, member):
        if self._hero is None:
            from .heros import RemoteHERO

            self._hero = RemoteHERO(self._name, self._realm)
        return getattr(self._hero, member)


def encode(value):
    from .heros import HERO as AnyHERO

    if isinstance(value, (AnyHERO, HEROReference)):
        return Tag(HERO, [value._realm, value._name])
    if isinstance(value, datetime.datetime):
        return Tag(0, value.isoformat().replace("+00:00", "Z"))
    if isinstance(value, decimal.Decimal):
        sign, digits, exponent = value.as_tuple()
        if isinstance(exponent, int):
            return Tag(4, [exponent, int("".join(map(str, digits))) * (-1 if sign else 1)])
        return float(value)
    if isinstance(value, uuid.UUID):
        return Tag(37, value.bytes)
    if isinstance(value, complex):
        return Tag(43000, [value.real, value.imag])
    if isinstance(value, UnserializableRemoteObject):
        return Tag(REFERENCE, value.id)
    if type(value).__module__ == "numpy":
        import numpy

        if isinstance(value, numpy.ndarray):
            value = numpy.ascontiguousarray(value)
            return Tag(NDARRAY, [list(value.shape), str(value.dtype).encode(), value.tobytes()])
        return value.item()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if is_hero_event(value) and hasattr(value, "instance"):
        return Tag(EVENT, [_reference(value.instance), value.__name__])
    if is_hero_method(value):
        return Tag(METHOD, [_reference(value.__self__), value.__name__])
    if isinstance(value, BaseException):
        error = value if isinstance(value, RemoteHEROError) else None
        return Tag(EXCEPTION, (error or RemoteHEROError.from_exception(value)).serialize())
    try:
        identifier = obj_store.add(value)
    except TypeError:
        raise TypeError(
            f"a {type(value).__name__} cannot be sent, and nothing can refer to it"
        ) from None
    return Tag(
        UNSERIALIZABLE,
        [full_classname(value), identifier, str(value)],
    )


def _reference(hero):
    """Of a HERO, or of the weak reference that its own event has."""
    hero = hero() if isinstance(hero, weakref.ref) else hero
    return Tag(HERO, [hero._realm, hero._name])


def decode(tag, value):
    if tag == NDARRAY:
        import numpy

        shape, dtype, octets = value
        return numpy.frombuffer(
            octets, dtype=dtype.decode() if isinstance(dtype, bytes) else dtype
        ).reshape(shape)
    if tag == HERO:
        return HEROReference(value[1], value[0])
    if tag in (EVENT, METHOD):
        return getattr(value[0], value[1])
    if tag == UNSERIALIZABLE:
        return UnserializableRemoteObject(*value)
    if tag == REFERENCE:
        return obj_store.get(value)
    if tag == EXCEPTION:
        return RemoteHEROError.from_payload(value)
    if tag == 0:
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    if tag == 4:
        return decimal.Decimal(value[1]).scaleb(value[0])
    if tag == 37:
        return uuid.UUID(bytes=value)
    if tag == 43000:
        return complex(*value)
    return Tag(tag, value)


def _cbor2():
    try:
        import cbor2
    except ImportError:
        raise ImportError(
            "serialize() and deserialize() need the package cbor2: tools/setup installs it"
            " (python3-cbor2)"
        ) from None
    return cbor2


def _untagged(value):
    """Tags of the capsule as cbor2 has them."""
    if isinstance(value, Tag):
        return _cbor2().CBORTag(value.tag, _untagged(value.value))
    if isinstance(value, list):
        return [_untagged(each) for each in value]
    return value


def cbor_default_encoder(encoder, value):
    """For cbor2.dumps(default=…)."""
    encoder.encode(_untagged(encode(value)))


def cbor_tag_hook(decoder, tag, shareable_index=None):
    """For cbor2.loads(tag_hook=…)."""
    made = decode(tag.tag, tag.value)
    return tag if isinstance(made, Tag) else made


def serialize(obj):
    """As HEROS sends it."""
    return _cbor2().dumps(obj, default=cbor_default_encoder)


def deserialize(bytes):
    return _cbor2().loads(bytes, tag_hook=cbor_tag_hook)
