"""What scripts of HEROS take from heros.helper: its logger, and names.

What: get_logger(), log, generate_multicast_address.
Why: scripts import them from here.
Who: programs written for HEROS.
"""

import logging
import os

from .zenoh import multicast_address as generate_multicast_address  # noqa: F401

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


def full_classname(instance):
    """Module and name of its class."""
    return f"{type(instance).__module__}.{type(instance).__qualname__}"


log = get_logger()
