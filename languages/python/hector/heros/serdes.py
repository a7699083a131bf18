"""Values that plain CBOR does not have, under HEROS' tags.

What: encode() and decode() for the embedded capsule.
Why: arrays, times and references pass as HEROS passes them.
Who: hector.heros.
"""

import datetime
import decimal
import uuid
import weakref

from ..embedded import Tag

NDARRAY, HERO, UNSERIALIZABLE, REFERENCE, EVENT, METHOD = 4242, 9000, 9001, 9002, 9003, 9004

_objects = weakref.WeakValueDictionary()


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
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    try:
        _objects[id(value)] = value
    except TypeError:
        raise TypeError(
            f"a {type(value).__name__} cannot be sent, and nothing can refer to it"
        ) from None
    return Tag(
        UNSERIALIZABLE,
        [f"{type(value).__module__}.{type(value).__qualname__}", id(value), str(value)],
    )


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
        return _objects.get(value)
    if tag == 0:
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    if tag == 4:
        return decimal.Decimal(value[1]).scaleb(value[0])
    if tag == 37:
        return uuid.UUID(bytes=value)
    if tag == 43000:
        return complex(*value)
    return Tag(tag, value)
