"""The services' cases on the stores that are not the default: in memory and on etcd.

What: the tests of authentication, naming, trading, policy, type and rights once more, each with
another store under every capsule.
Why: a service never sees which store it stands on.
Who: ctest.
"""

import os
import shutil
import subprocess
import sys
import unittest

from etcd_server import Etcd
from needs import needs

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = (
    ("authentication_test.py", ("Credentials", "Tokens", "Trust")),
    ("naming_service_test.py", ("Contexts", "LeasesAndWatches")),
    (
        "privacy_service_test.py",
        (
            "Operations",
            "Cases.test_v1_what_earlier_versions_protected_is_revealed_after_a_rotation",
            "Cases.test_v2_a_version_below_the_least_is_disallowed_and_what_was_rewrapped_is_not",
            "Cases.test_v10_rotations_while_others_protect_fail_nobody",
            "Life.test_every_keyset_that_was_acknowledged_is_there_after_kill_9",
        ),
    ),
    ("services_test.py", ("Policy", "Trading")),
    ("trading_federation_test.py", ("Links", "Watched")),
    ("type_service_test.py", ("Types",)),
    (
        "rights_test.py",
        (
            "Rights.test_c1_and_what_is_changed_counts_at_once",
            "Rights.test_schema_and_errors",
            "Rights.test_a_search_list_is_asked_many_times",
        ),
    ),
)


@needs(
    "services/authentication",
    "services/naming",
    "services/privacy",
    "services/trading",
    "services/policy",
    "services/type",
    "protocols/udp",
    "protocols/grpc",
    "protocols/zenoh",
)
class OnEachStore(unittest.TestCase):
    def run_on(self, store):
        for file, classes in CASES:
            with self.subTest(file):
                done = subprocess.run(
                    [sys.executable, os.path.join(HERE, file), *classes],
                    env=dict(os.environ, HECTOR_TEST_STORE=store),
                    capture_output=True,
                    text=True,
                    timeout=600,
                    check=False,
                )
                self.assertEqual(done.returncode, 0, done.stderr[-6000:])
                print(store.split(":")[0], file, done.stderr.strip().splitlines()[-3:])

    @needs("stores/memory")
    def test_memory(self):
        self.run_on("memory")

    @unittest.skipUnless(shutil.which("etcd"), "needs etcd")
    @needs("stores/etcd")
    def test_etcd(self):
        with Etcd() as etcd:
            self.run_on(f"etcd://127.0.0.1:{etcd.port}/{{folder}}-{{capsule}}")


if __name__ == "__main__":
    unittest.main()
