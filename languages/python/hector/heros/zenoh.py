"""How the realm's zenoh session is configured.

What: session_manager with HEROS' update_config().
Why: scripts set it before their first object.
Who: LocalHERO, RemoteHERO, observers.
"""

import json
import os
import threading

from .. import embedded
from . import serdes
from .helper import generate_multicast_address, log  # noqa: F401

#: What every manager's configuration begins with.
zenoh_default_config = {}


class ZenohSessionManager:
    """One embedded capsule for each realm, as long as an object refers to it."""

    def __init__(self, config_dict=None):
        self._config = {**zenoh_default_config, **(config_dict or {})}
        self._referrers, self._referrer_realms, self._lock = [], [], threading.RLock()

    def _key(self, realm):
        return "heros", realm, id(self)

    def request_session(self, obj, realm="heros"):
        """The realm's capsule; `obj` refers to it from now on."""
        with self._lock:
            capsule = embedded.started(
                self._key(realm),
                "heros",
                [realm],
                {"zenoh": self.config(realm), "adopt_capsules": True},
                serdes.encode,
                serdes.decode,
            )
            if not any(each is obj for each in self._referrers):
                self._referrers.append(obj)
                self._referrer_realms.append(realm)
            return capsule

    def release_session(self, obj):
        """The last one to release a realm ends its capsule."""
        with self._lock:
            at = next((i for i, each in enumerate(self._referrers) if each is obj), None)
            if at is None:
                return
            del self._referrers[at]
            realm = self._referrer_realms.pop(at)
            if realm not in self._referrer_realms:
                embedded.stop(self._key(realm))

    def force_close(self):
        with self._lock:
            for realm in set(self._referrer_realms):
                embedded.stop(self._key(realm))
            self._referrers, self._referrer_realms = [], []

    def update_config(self, config_dict):
        """Keys as zenoh writes them: "scouting/multicast/enabled"."""
        self._config.update(config_dict)

    def config(self, realm):
        """The whole configuration, nested."""
        text = os.environ.get("HEROS_ZENOH_CONFIG")
        made = json.loads(text) if text else {}
        items = dict(self._config)
        if realm != "heros" and os.environ.get("HEROS_SEP_MULTICAST", "0").lower() in ("1", "true"):
            address = f"{generate_multicast_address(realm)}:7446"
            items.setdefault("scouting/multicast/address", address)
        for key, value in items.items():
            at = made
            *path, last = key.split("/")
            for part in path:
                at = at.setdefault(part, {})
            at[last] = value
        return made


session_manager = ZenohSessionManager()
