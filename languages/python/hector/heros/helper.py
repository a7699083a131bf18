"""What scripts of HEROS take from heros.helper: its logger, and names.

What: get_logger(), log, generate_multicast_address, object_name_from_keyexpr.
Why: scripts import them from here.
Who: programs written for HEROS.
"""

import hashlib
import importlib
import ipaddress
import logging
import os
import re

SPAM = 5
logging.addLevelName(SPAM, "SPAM")


def get_logger(name="heros"):
    """A logger whose level HEROS_LOG says; without handlers of the program's own it writes to
    standard error.
    """
    logger = logging.getLogger(name)
    if not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(
            logging.Formatter(
                "%(asctime)s [%(levelname)s] %(name)s [%(filename)s:%(lineno)d %(funcName)s]:"
                " %(message)s"
            )
        )
        logging.getLogger().addHandler(handler)
    level = os.environ.get("HEROS_LOG", "INFO").upper()
    logger.setLevel(int(level) if level.isdigit() else level)
    return logger


def full_classname(o):
    """Module and name of its class."""
    return f"{type(o).__module__}.{type(o).__qualname__}"


def object_name_from_keyexpr(key_expr, ns_objects, realm, endpoint=".*"):
    """None: the key is none of an object of that realm."""
    found = re.search(f"{ns_objects}/{realm}/(.*?)/{endpoint}", str(key_expr))
    return found.group(1) if found else None


def get_heros_pkg_versions():
    """Of HEROS' packages: a version, "n.a." or "not installed"."""
    versions = {}
    for name in ("heros", "boss", "herosdevices", "herostools", "atomiq"):
        try:
            versions[name] = getattr(importlib.import_module(name), "__version__", "n.a.")
        except ImportError:
            versions[name] = "not installed"
    return versions


def generate_multicast_address(realm):
    """A group of its own for each realm, as HEROS 2026 computes it."""
    first, last = 0xE0000100, 0xEEFFFFFF
    number = int.from_bytes(hashlib.shake_128(realm.encode()).digest(4), "big")
    return str(ipaddress.ip_address(first + number % (last - first + 1)))


log = get_logger()
