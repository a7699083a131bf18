"""Which plugins a whole-system test needs.

What: needs(), a class decorator.
Why: any plugin folder may be deleted, and what is left still passes.
Who: the tests beside it.
"""

import os
import unittest

from capsules import ROOT

#: For a test that kills a capsule and starts it again: what was acknowledged has to be there.
durable = unittest.skipIf(
    os.environ.get("HECTOR_TEST_STORE") == "memory", "a store in memory goes with its capsule"
)
MEETING = (
    "protocols/udp",
    "protocols/grpc",
    "protocols/zenoh",
    "languages/cpp",
    "languages/python",
    "services/naming",
    "services/trading",
    "services/policy",
    "services/type",
    "templates/meeting",
)


def is_open_to_all(path):
    """Whether any user can reach this file."""
    while path != "/":
        if not os.path.exists(path) or not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


def needs(*folders):
    missing = [folder for folder in folders if not os.path.isdir(os.path.join(ROOT, folder))]
    return unittest.skipIf(missing, f"without {', '.join(missing)}")
