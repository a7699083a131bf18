"""A capsule inside this Python process.

What: started(), capsules by what they are for; the values that plain Python has.
Why: a foreign system's script becomes Hector's by its import.
Who: hector.heros, hector.hermes, hector.roc.
"""

import atexit
import inspect
import json
import os
import threading
import time

from . import _capsule
from ._capsule import CapsuleError, Tag

__all__ = [
    "CALL",
    "GET",
    "SET",
    "CapsuleError",
    "Tag",
    "members_of",
    "signature_of",
    "started",
    "stop",
    "wait_until",
]

CALL, GET, SET = 0, 1, 2
KINDS = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
)

#: lib/hector, where this build's plugins are.
PLUGINS = os.environ.get("HECTOR_PLUGIN_PATH") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
)

#: What two capsules that meet in a world speak with each other, where it is there, on this host.
BETWEEN_CAPSULES = ("udp", ["127.0.0.1:0"], "{}")

_kept = {}
_lock = threading.Lock()
_count = 0


def started(key, protocol, listen, settings, encode, decode):
    """The capsule of that key, started if it is not there yet."""
    global _count
    with _lock:
        if key not in _kept:
            _count += 1
            name = f"{os.environ.get('HECTOR_CAPSULE', 'python')}-{os.getpid()}-{_count}"
            protocols = (
                [BETWEEN_CAPSULES]
                if os.path.isdir(os.path.join(PLUGINS, "protocols", BETWEEN_CAPSULES[0]))
                else []
            )
            protocols.append((protocol, listen, json.dumps(settings)))
            _kept[key] = _capsule.Capsule(
                name, PLUGINS, protocols, encode, decode, os.environ.get("HECTOR_LOG", "error")
            )
        return _kept[key]


def wait_until(capsule, is_so, timeout_s):
    """What is_so() returned at last; it is asked again when Objects have come or gone."""
    until = time.monotonic() + timeout_s
    changes = capsule.wait_for_change(0, 0)
    while not (found := is_so()) and (left := until - time.monotonic()) > 0:
        changes = capsule.wait_for_change(changes, left)
    return found


def stop(key):
    with _lock:
        capsule = _kept.pop(key, None)
    if capsule is not None:
        capsule.stop()


@atexit.register
def _stop_all():
    for key in list(_kept):
        stop(key)


def type_name(annotation):
    """As the wire has it: a name; empty where nothing was said."""
    if annotation is inspect.Parameter.empty:
        return ""
    if isinstance(annotation, str):
        return annotation
    return getattr(annotation, "__name__", repr(annotation))


def _parameters(method):
    for each in inspect.signature(method).parameters.values():
        has_default = each.default is not inspect.Parameter.empty
        yield each.name, type_name(each.annotation), int(each.kind), has_default, (
            each.default if has_default else None
        )


def signature_of(parameters):
    """Of a method as Capsule.members() describes it, or share() takes it: a default that is not
    said is None. ValueError: Python would not take it.
    """
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                KINDS[kind],
                default=(
                    (default[0] if default else None) if has_default else inspect.Parameter.empty
                ),
            )
            for name, _, kind, has_default, *default in parameters
        ]
    )


def members_of(instance, names, is_event=lambda member: False, annotations=None):
    """What share() takes: methods, attributes and events by inspection. What cannot be inspected is
    left out.
    """
    members = []
    annotations = annotations or {}
    for name in names:
        member = getattr(type(instance), name, None)
        if is_event(member) or is_event(getattr(instance, name, None)):
            members.append(("event", name, [], "", False))
        elif name not in annotations and callable(getattr(instance, name, None)):
            try:
                parameters = list(_parameters(getattr(instance, name)))
                returned = inspect.signature(getattr(instance, name)).return_annotation
            except (ValueError, TypeError):
                continue
            members.append(
                (
                    "method",
                    name,
                    parameters,
                    "" if returned in (inspect.Signature.empty, None) else type_name(returned),
                    False,
                )
            )
        else:
            annotation = annotations.get(name, type(getattr(instance, name, None)))
            is_writable = not (isinstance(member, property) and member.fset is None)
            members.append(("attribute", name, [], type_name(annotation), is_writable))
    return members
