"""LocalHERO, RemoteHERO and the observers.

What: HEROS' classes on an embedded capsule, one for each realm.
Why: the capsule speaks HEROS' wire, and has the objects as Objects.
Who: `hector.heros`.
"""

import inspect
import json
import threading
import time
import uuid
from collections import ChainMap

from .. import embedded
from . import serdes
from .capabilities import (  # noqa: F401
    AttributeCapability,
    Capability,
    EventCapability,
    MethodCapability,
    __proto_version__,
    build_capability,
    capability_of,
    signature_of,
    signatures_of,
    with_signatures,
)
from .event import RemoteEventDescriptor, RemoteEventHandler, RemoteMethod  # noqa: F401
from .exceptions import RemoteHEROError, RemoteTransportError, raised  # noqa: F401
from .helper import get_heros_pkg_versions, log, object_name_from_keyexpr  # noqa: F401
from .inspect import (  # noqa: F401
    force_remote,
    is_force_remote,
    is_hero_event,
    is_local_only,
    local_only,
    mark_hero_method,
)
from .zenoh import session_manager as default_session_manager

DISCOVERY_S = 2.0
CALL_S = 10.0
SIGNATURES = "meta_signatures"  # as the plugin has it (protocols/heros/signatures.h)
LOOKS_AGAIN_S = 1.0  # without a change as well: a watch may have ended


def _info(name, interface, properties):
    """As HEROS' discovery answers."""
    said = {key: json.loads(value) for key, value in properties.items()}
    return {
        "name": name,
        "class": said.get("class", interface.rsplit(".", 1)[-1].split("/")[0]),
        "proto_version": __proto_version__,
        "implements": {interface, *said.get("implements", [])},
        "tags": set(said.get("tags", [])),
        "extra_metadata": {
            key[5:]: value
            for key, value in said.items()
            if key.startswith("meta_") and key != SIGNATURES
        },
    }


class HEROPeer:
    """A member of a realm."""

    _ns_objects, _ep_discover = "@object", "_discover"
    _ep_capabilities, _ep_health = "_capabilities", "_health"
    _default_encoding = "application/cbor"

    @staticmethod
    def _serialize(obj):
        return serdes.serialize(obj)

    @staticmethod
    def _deserialize(bytes):
        return serdes.deserialize(bytes)

    def __init__(self, realm="heros", session_manager=None):
        self._realm = realm
        self._session_manager = session_manager or default_session_manager
        self._capsule = self._session_manager.request_session(self, realm)

    def _heroes(self):
        """What each HERO is: its Interface, and its properties as JSON."""
        return {
            name: (interface, properties)
            for name, interface, properties in self._capsule.names()
            if "hero" in properties or interface.startswith("hero.")
        }

    def _discover(self, timeout=DISCOVERY_S):
        return {name: _info(name, *each) for name, each in sorted(self._heroes().items())}

    def _get_object_info(self, object_name, timeout=DISCOVERY_S):
        found = embedded.wait_until(self._capsule, lambda: self._heroes().get(object_name), timeout)
        return {object_name: _info(object_name, *found)} if found else {}

    @local_only
    def _destroy_hero(self):
        self._session_manager.release_session(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._destroy_hero()


class HERO(HEROPeer):
    def __init__(self, name, realm="heros", session_manager=None):
        self._name = name
        base = self._endpoint_base_path = f"{self._ns_objects}/{realm}/{name}"
        self._endpoints = {
            "discover": f"{base}/{self._ep_discover}",
            "capabilities": f"{base}/{self._ep_capabilities}",
            "health": f"{base}/{self._ep_health}",
        }
        HEROPeer.__init__(self, realm, session_manager)

    def _ask_realm(self, operation, fields, waits=False):
        """The realm's own Object. One that has just come is not known to the realm in the first
        moment.
        """
        until = time.monotonic() + (DISCOVERY_S if waits else 0)
        while True:
            try:
                return self._capsule.call(
                    f"realm-{self._realm}", embedded.CALL, operation, [], fields, CALL_S
                )
            except embedded.CapsuleError as error:
                if error.args[0] not in ("UNAVAILABLE", "NOT_FOUND") or time.monotonic() > until:
                    raise raised(error, f"@object/{self._realm}/{self._name}") from None
            time.sleep(0.01)

    def _wire(self, operation, event, method, origin="", waits=False):
        there = method.__self__
        return self._ask_realm(
            operation,
            {
                "hero": self._name,
                "event": event,
                "to_hero": there._name,
                "to_realm": there._realm,
                "method": method.__name__,
                "origin": origin or "",
            },
            waits,
        )

    def _connect_local_hero_callback(self, event, remote_hero_method, origin=None):
        return getattr(self, event.__name__).connect(remote_hero_method, origin)

    def _disconnect_local_hero_callback(self, event, remote_hero_method):
        return getattr(self, event.__name__).disconnect(remote_hero_method)

    def _get_local_hero_callbacks(self, event):
        return self._wired(event.__name__, waits=True)

    def _wired(self, event, waits=False):
        return [
            {
                "name": each["name"],
                "origin": each["origin"] or None,
                "is_remote_hero": each["is_remote_hero"],
                "func": (
                    RemoteMethod(each["name"], self._realm) if each["is_remote_hero"] else None
                ),
                "context": "LocalHERO",
            }
            for each in self._ask_realm("callbacks", {"hero": self._name, "event": event}, waits)
        ]


class LocalHERO(HERO):
    """Base class of objects that are shared; what is shared is what inspection finds: methods,
    annotated and class attributes, events.

    ValueError: an object of that name is there already, here or elsewhere in the realm.
    """

    def __init__(
        self, name, *args, realm="heros", implements=None, tags=None, extra_metadata=None, **kwargs
    ):
        HERO.__init__(self, name, realm, **kwargs)
        annotations = dict(
            ChainMap(*(inspect.get_annotations(each) for each in type(self).__mro__))
        )
        names = [
            each
            for each in dict.fromkeys([*dir(type(self)), *annotations])
            if self._is_shared(each)
        ]
        properties = {
            "tags": json.dumps([*(tags or []), *getattr(self, "_hero_tags", [])]),
            "implements": json.dumps([*(implements or []), *getattr(self, "_hero_implements", [])]),
        }
        properties |= {
            "meta_" + key: json.dumps(str(value))
            for key, value in {
                **(extra_metadata or {}),
                **getattr(self, "_hero_extra_metadata", {}),
            }.items()
            if key.isidentifier()
        }
        members = embedded.members_of(self, names, is_hero_event, annotations)
        self.capabilities = [capability_of(*each) for each in members]
        if signatures := signatures_of(members):
            properties[SIGNATURES] = json.dumps(signatures)
        realm_part = "" if realm == "heros" else realm + "."
        try:
            self._capsule.share(
                name,
                type(self).__name__,
                f"hero.{realm_part}{type(self).__name__}",
                members,
                self._enter,
                properties,
            )
        except embedded.CapsuleError as error:
            self._session_manager.release_session(self)
            raise ValueError(error.args[1]) from None
        self._is_there = True

    def _is_shared(self, name):
        member = getattr(type(self), name, None)
        if is_force_remote(member):
            return name not in dir(LocalHERO)
        return not name.startswith("_") and name not in dir(LocalHERO) and not is_local_only(member)

    def _enter(self, use, member, args, kwargs):
        if use == embedded.CALL:
            return getattr(self, member)(*args, **kwargs)
        if use == embedded.GET:
            return getattr(self, member, None)
        return setattr(self, member, args[0])

    def _emit(self, event, value):
        if getattr(self, "_is_there", False):
            self._capsule.emit(self._name, event, value)

    @local_only
    def _destroy_hero(self):
        if getattr(self, "_is_there", False):
            self._is_there = False
            self._capsule.dismiss(self._name)
            super()._destroy_hero()


class RemoteHERO(HERO):
    """Another HERO as a local stub. NameError: it is not there."""

    def __new__(cls, name, realm="heros", *args, **kwargs):
        return super().__new__(type(f"RemoteHERO_{realm}_{name}", (cls,), {}))

    def __init__(self, name, realm="heros", *args, **kwargs):
        HERO.__init__(self, name, realm, *args, **kwargs)
        info = self._get_object_info(name).get(name)
        members = self._capsule.members(name) if info else None
        if members is None:
            self._session_manager.release_session(self)
            raise NameError(f"Remote Object with name {name} not found or discovery timeout.")
        properties = self._heroes().get(name, ("", {}))[1]
        members = with_signatures(members, json.loads(properties.get(SIGNATURES, '""')))
        self._hero_tags, self._hero_implements, self._hero_extra_metadata = (
            info["tags"],
            info["implements"],
            info["extra_metadata"],
        )
        self._proto_version = float(info["proto_version"])
        self._remote_capabilities = [capability_of(*each) for each in members]
        for kind, member, parameters, type_name, _ in members:
            if kind == "method":
                setattr(self, member, self._method(member, parameters, type_name))
            elif kind == "attribute":
                setattr(
                    type(self),
                    member,
                    property(
                        lambda self, member=member: self._ask(embedded.GET, member, []),
                        lambda self, value, member=member: self._ask(embedded.SET, member, [value]),
                    ),
                )
            else:
                event = RemoteEventHandler(self)
                event.__name__ = member
                setattr(self, member, event)

    def _method(self, name, parameters, returned):
        def method(*args, **kwargs):
            return self._ask(embedded.CALL, name, args, kwargs)

        method.__name__, method.__self__, method.hero_method = name, self, True
        try:
            method.__signature__ = signature_of(parameters, returned)
        except ValueError:
            pass  # a signature that Python would not take: it is called all the same
        return method

    def _get_capabilities(self):
        return self._remote_capabilities

    def _ask(self, use, member, args, kwargs=None):
        return self._guarded(
            lambda: self._capsule.call(self._name, use, member, list(args), kwargs or {}, CALL_S),
            member,
        )

    def _guarded(self, work, member=""):
        try:
            return work()
        except embedded.CapsuleError as error:
            raise raised(error, f"@object/{self._realm}/{self._name}/{member}") from None

    def __eq__(self, other):
        return isinstance(other, RemoteHERO) and (self._realm, self._name) == (
            other._realm,
            other._name,
        )

    def __hash__(self):
        return hash((self._realm, self._name))

    @local_only
    def _destroy_hero(self):
        for member in vars(self).values():
            if isinstance(member, RemoteEventHandler):
                member.close()
        super()._destroy_hero()


class _Looking(HEROPeer):
    """Looks at who is there, on a thread of its own."""

    def __init__(self, *args, **kwargs):
        HEROPeer.__init__(self, *args, **kwargs)
        self._ended, self._looking = threading.Event(), threading.RLock()
        self._look_once()
        threading.Thread(target=self._run, name="hector-heros-observer", daemon=True).start()

    def _run(self):
        changes = 0
        while not self._ended.is_set():
            changes = self._capsule.wait_for_change(changes, LOOKS_AGAIN_S)
            if not self._ended.is_set():
                self._look_once()

    def _look_once(self):
        with self._looking:
            self._look()

    @local_only
    def _destroy_hero(self):
        self._ended.set()
        super()._destroy_hero()


class HEROObserver(_Looking):
    """Keeps track of the HEROs of a realm: `known_objects`, and callbacks when one comes or
    goes.
    """

    def __init__(self, *args, **kwargs):
        self.known_objects, self._added, self._removed = {}, [], []
        super().__init__(*args, **kwargs)
        embedded.wait_until(
            self._capsule, lambda: self._look_once() or self.known_objects, 0.5
        )  # who is there is heard of within that

    def _look(self):
        there = self._heroes()
        for name in set(there) - set(self.known_objects):
            self.known_objects[name] = _info(name, *there[name])
            for callback in list(self._added):
                callback(name)
        for name in set(self.known_objects) - set(there):
            del self.known_objects[name]
            for callback in list(self._removed):
                callback(name)

    def register_object_added_callback(self, func):
        if func not in self._added:
            self._added.append(func)

    def register_object_removed_callback(self, func):
        if func not in self._removed:
            self._removed.append(func)

    def get_object(self, object_name):
        if object_name not in self.known_objects:
            raise AttributeError(f"Object with name {object_name} not known")
        return RemoteHERO(object_name, self._realm, session_manager=self._session_manager)


class EventObserver(_Looking):
    """The events of one name of many HEROs; callbacks get the object's name and the data."""

    def __init__(self, object_selector, event_name, *args, **kwargs):
        self._selector, self._event_name, self._event_callbacks, self._watches = (
            object_selector,
            event_name,
            {},
            {},
        )
        super().__init__(*args, **kwargs)

    def _look(self):
        there = self._heroes()
        for name in set(there) - set(self._watches):
            if self._selector not in ("*", name):
                continue
            if not any(
                kind == "event" and member == self._event_name
                for kind, member, *_ in self._capsule.members(name) or []
            ):
                continue
            try:
                self._watches[name] = self._capsule.watch(
                    name,
                    self._event_name,
                    lambda data, name=name: self._handle_event(name, data),
                    {},
                )
            except embedded.CapsuleError:
                continue  # it has just left
        for name in [
            each for each, watch in self._watches.items() if each not in there or watch.is_over
        ]:
            self._watches.pop(name).close()

    def _handle_event(self, object_name, data):
        for callback in list(self._event_callbacks.values()):
            callback(object_name, data)

    def register_callback(self, func):
        if func in self._event_callbacks.values():
            return False
        identity = str(uuid.uuid4())
        self._event_callbacks[identity] = func
        return identity

    def remove_callback(self, func):
        return any(
            self.remove_callback_uid(identity)
            for identity, each in list(self._event_callbacks.items())
            if each == func
        )

    def remove_callback_uid(self, uid):
        del self._event_callbacks[uid]
        return True

    @local_only
    def _destroy_hero(self):
        super()._destroy_hero()
        for watch in self._watches.values():
            watch.close()
