"""How the realm's zenoh session is configured.

What: session_manager with HEROS' update_config(). Why: scripts set it before their first object. Who: LocalHERO, RemoteHERO, observers.
"""
import hashlib
import json
import os


def multicast_address(realm):
    """A group of its own for each realm, as HEROS 2026 computes it."""
    first, last = 0xE0000100, 0xEEFFFFFF
    number = first + int.from_bytes(hashlib.shake_128(realm.encode()).digest(4), "big") % (last - first + 1)
    return ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))


class SessionManager:
    def __init__(self, config_dict=None):
        self._config = dict(config_dict or {})

    def update_config(self, config_dict):
        """Keys as zenoh writes them: "scouting/multicast/enabled"."""
        self._config.update(config_dict)

    def config(self, realm):
        """The whole configuration, nested."""
        text = os.environ.get("HEROS_ZENOH_CONFIG")
        made = json.loads(text) if text else {}
        items = dict(self._config)
        if realm != "heros" and os.environ.get("HEROS_SEP_MULTICAST", "0").lower() in ("1", "true"):
            items.setdefault("scouting/multicast/address", f"{multicast_address(realm)}:7446")
        for key, value in items.items():
            at = made
            *path, last = key.split("/")
            for part in path:
                at = at.setdefault(part, {})
            at[last] = value
        return made


session_manager = SessionManager()
