"""Modules and Objects that come and go under their own calls, with sanitizers.

What: the capsule and what churn_test.py needs are built with the address and undefined-behaviour
sanitizers, and that test runs against them: no report may be written.
Why: what a module's end frees too early is often found by nobody else for a long time.
Who: ctest; `tools/test --sanitizers`, with the thread sanitizer too.
"""

import glob
import os
import subprocess
import sys
import tempfile
import unittest

from capsules import ROOT
from needs import needs

TARGETS = ["hector", "hector-capsule", "hector-probe"] + [
    f"{name}.so" for name in ("udp", "grpc", "memory", "naming", "cpp", "hello")
]
OVER_UDP = ["OverUdp.test_naming", "OverUdp.test_an_object"]
OVER_GRPC = [
    f"Churn.test_{name}"
    for name in ("naming", "the_protocol_that_carries_the_calls", "an_object")
]
PRESET = os.environ.get("HECTOR_SANITIZER_PRESET", "asan")
# gRPC and Abseil are the system's own, and the thread sanitizer sees nothing of how they lock.
TESTS = OVER_UDP if PRESET == "tsan" else OVER_UDP + OVER_GRPC


@needs("protocols/udp", "protocols/grpc", "stores/memory", "services/naming")
@needs("languages/cpp", "templates/hello")
class Sanitizers(unittest.TestCase):
    def test_churn(self):
        built = subprocess.run(
            [os.path.join(ROOT, "tools", "build"), PRESET, *TARGETS],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(built.returncode, 0, built.stdout[-4000:] + built.stderr[-4000:])
        with tempfile.TemporaryDirectory(prefix="hector-sanitizers-") as folder:
            place = f"log_path={folder}/report"
            suppressed = f"suppressions={ROOT}/tests/tsan.supp"
            done = subprocess.run(
                [sys.executable, os.path.join(ROOT, "tests", "system", "churn_test.py"), *TESTS],
                env=dict(
                    os.environ,
                    HECTOR_BUILD=os.path.join(ROOT, "build", PRESET),
                    HECTOR_PLUGIN_PATH=os.path.join(ROOT, "build", PRESET, "lib", "hector"),
                    ASAN_OPTIONS=place,
                    LSAN_OPTIONS=f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0",
                    UBSAN_OPTIONS=f"{place}:print_stacktrace=1",
                    TSAN_OPTIONS=f"{place}:{suppressed}",
                ),
                capture_output=True,
                text=True,
                check=False,
            )
            reports = []
            for name in sorted(glob.glob(f"{folder}/report*")):
                with open(name, encoding="utf-8", errors="replace") as file:
                    reports.append(file.read()[:8000])
        self.assertEqual(reports, [], done.stderr[-4000:])
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])


if __name__ == "__main__":
    unittest.main()
