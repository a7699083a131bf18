"""Rubbish on every port.

What: some seconds of rubbish.py; the capsule answers afterwards and keeps nothing of it.
Why: see there.
Who: ctest; with HECTOR_RUBBISH_S=600 for as long as people have the time.
"""

import os
import random
import unittest

import rubbish
from capsules import ROOT, Capsules
from needs import needs

SECONDS = float(os.environ.get("HECTOR_RUBBISH_S", 12))


@needs("stores/memory")
class Rubbish(unittest.TestCase):
    def test_it_leaves_nothing_behind(self):
        seed = int(os.environ.get("HECTOR_SEED", random.randrange(2**32)))
        with Capsules() as capsules:
            process = capsules.configure("north", rubbish.configuration(ROOT))
            told = rubbish.pour(capsules, process, SECONDS, seed)
            said = f"HECTOR_SEED={seed}: {told}"
            self.assertTrue(told.is_alive, said)
            self.assertGreater(told.ports, 0, said)
            self.assertLess(told.after - told.before, rubbish.LEFT_MIB, said)
            # From cold, what the first minute of rubbish warms up counts too; docs/limits.md says
            # what ten minutes leave.
            self.assertLess(told.taken, rubbish.LEFT_MIB * (1 if SECONDS <= 60 else 2), said)


if __name__ == "__main__":
    unittest.main()
