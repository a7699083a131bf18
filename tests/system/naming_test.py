"""Composite names beside javax.naming.CompositeName.

What: random names, where XFN and JNDI agree.
Why: a parser of its own is held against one that many use.
Who: ctest.
"""

import json
import os
import random
import shutil
import subprocess
import unittest

from capsules import Capsules, ROOT
from needs import needs

NAMES = 3000
CHARACTERS = "ab/\\'\". "


def is_edge(name):
    """JNDI takes a leading, trailing or lone separator and the empty name otherwise (XFN: one
    component more than separators).
    """
    return name.replace("/", "") == ""


@needs("services/naming", "stores/memory", "protocols/udp")
@unittest.skipUnless(shutil.which("java"), "needs Java")
class CompositeNames(unittest.TestCase):
    def test_random_names_have_jndis_components(self):
        seed = int(os.environ.get("HECTOR_SEED", random.randrange(2**32)))
        chance = random.Random(seed)
        names = [
            name
            for name in (
                "".join(chance.choice(CHARACTERS) for _ in range(chance.randrange(1, 12)))
                for _ in range(NAMES)
            )
            if not is_edge(name)
        ]
        java = subprocess.run(
            ["java", os.path.join(ROOT, "tests", "system", "java", "CompositeNames.java")],
            input="\n".join(name.encode().hex() for name in names) + "\n",
            capture_output=True,
            text=True,
            check=True,
        )
        theirs = [
            (
                line
                if line == "refused"
                else [bytes.fromhex(part[1:]).decode() for part in line.split(" ")]
            )
            for line in java.stdout.splitlines()
        ]
        self.assertEqual(len(theirs), len(names))
        differences = 0
        with Capsules() as capsules:
            capsules.configure(
                "hub",
                "capsule: hub\n"
                'protocols: {udp: {listen: "127.0.0.1:0"}}\n'
                "services: {naming: embedded}\n"
                "store: memory\n",
            )
            for name, expected in list(zip(names, theirs))[:400]:
                try:
                    ours = capsules.call("naming.parse", {"name": name}, capsule="hub")[
                        "components"
                    ]
                except Exception as refused:  # noqa: BLE001: the message says why
                    ours = "refused" if "ILLEGAL_NAME" in str(refused) else str(refused)
                if all(component == "" for component in expected):
                    continue  # nothing but empty ones: JNDI has one less
                if expected == "refused" and name.endswith("\\"):
                    # a "\\" with nothing behind it is itself here (XFN: before other characters it
                    # is literal)
                    continue
                if ours != expected:
                    differences += 1
                    print(json.dumps({"name": name, "ours": ours, "jndi": expected, "seed": seed}))
        self.assertEqual(differences, 0)


if __name__ == "__main__":
    unittest.main()
