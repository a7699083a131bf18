"""Rights from the shell, and beside Cedar.

What: the case C1, schema and errors; random policies beside cedarpy.
Why: who may do what has to be what the policies say.
Who: ctest.
"""

import json
import os
import random
import subprocess
import tempfile
import unittest

import outside
from capsules import CommandFailed, Capsules
from needs import durable, needs

CAPSULE = """capsule: hub
protocols: {udp: {listen: "127.0.0.1:0"}}
services: {policy: embedded}
"""
C1 = """permit (principal == User::"alice", action == Action::"bind", resource in Realm::"r1");
forbid (principal, action, resource) when { resource.sealed };
permit (principal, action, resource) when { principal.level > 5 };
"""
CEDAR = """import json, sys
import cedarpy
for line in sys.stdin:
    asked = json.loads(line)
    result = cedarpy.is_authorized(asked["request"], asked["policies"], asked["entities"])
    print(json.dumps({"allowed": result.allowed, "errors": list(result.diagnostics.errors)}), flush=True)
"""


@needs("services/policy", "stores/sqlite", "protocols/udp")
class Rights(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.capsules.configure("hub", CAPSULE)

    def policy(self, *arguments):
        return self.capsules.hector("policy", *arguments, capsule="hub").strip()

    def decided(self, principal, resource):
        done = subprocess.run(
            [
                os.path.join(self.capsules.build, "bin", "hector"),
                "-c",
                "hub",
                "policy",
                "authorise",
                principal,
                "bind",
                resource,
            ],
            env=self.capsules.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertIn(done.returncode, (0, 7), done.stderr)
        return done.stdout.strip()

    def rules(self, name, text):
        with tempfile.NamedTemporaryFile("w", suffix=".cedar") as file:
            file.write(text)
            file.flush()
            return self.policy("rules", name, file.name)

    def people(self):
        self.policy("entity", "Service::s1", '{"sealed": false}', "--in", "Realm::r1")
        self.policy("entity", "Service::s2", '{"sealed": true}', "--in", "Realm::r1")
        self.policy("entity", "User::alice", '{"level": 1}')
        self.policy("entity", "User::bob", '{"level": 9}')

    @durable
    def test_c1_and_what_is_changed_counts_at_once(self):
        self.people()
        self.assertEqual(self.decided("User::alice", "Service::s1"), "denied")
        self.rules("c1", C1)
        self.assertEqual(self.decided("User::alice", "Service::s1"), "allowed by c1[1]")
        self.assertEqual(self.decided("User::alice", "Service::s2"), "denied by c1[2]")
        self.assertEqual(self.decided("User::bob", "Service::s2"), "denied by c1[2]")
        self.assertIn("denied\n", self.decided("User::eve", "Service::s1") + "\n")
        self.capsules.processes["hub"].kill()
        self.capsules.processes["hub"].wait()
        os.remove(os.path.join(self.capsules.run, "hub.reference"))
        self.capsules.configure("hub", CAPSULE)
        self.assertEqual(self.decided("User::bob", "Service::s1"), "allowed by c1[3]")
        self.assertEqual(self.policy("rules"), "c1")
        self.policy("rules", "c1", "--remove")
        self.assertEqual(self.decided("User::bob", "Service::s1"), "denied")

    def test_schema_and_errors(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(
                {
                    "entities": {
                        "User": {"attributes": {"level": "Long"}},
                        "Service": {"attributes": {"sealed": "Bool?"}},
                        "Realm": {},
                    },
                    "actions": {"bind": {"principals": ["User"], "resources": ["Service"]}},
                },
                file,
            )
            file.flush()
            self.policy("schema", file.name)
        with self.assertRaises(CommandFailed) as caught:
            self.rules("c1", C1)
        self.assertIn("SCHEMA", str(caught.exception))
        self.assertIn(
            "'sealed' of Service need not be there; ask 'resource has sealed' first",
            str(caught.exception),
        )
        self.rules(
            "c1", C1.replace("{ resource.sealed }", "{ resource has sealed && resource.sealed }")
        )
        for arguments, text in (
            (("entity", "Robot::r2", "{}"), "SCHEMA: the schema has no entity type 'Robot'"),
            (("entity", "User::x", "[1]"), "no JSON object"),
            (("entity", "ann"), "is no entity"),
            (("rules", "none", "--remove"), "NO_MATCH"),
            (("entity", "User::nobody", "--remove"), "NO_MATCH"),
        ):
            with self.assertRaises(CommandFailed) as caught:
                self.policy(*arguments)
            self.assertIn(text, str(caught.exception))
        with self.assertRaises(CommandFailed) as caught:
            self.rules("wrong", "permit (principal, action);")
        self.assertRegex(str(caught.exception), r"\.cedar: BAD_POLICY: wrong:1:\d+: .*resource")

    def test_a_search_list_is_asked_many_times(self):
        self.policy("put", "enterprise", "diary.room.*colour", "red")
        handle = self.capsules.call(
            "policy.search_list", {"name": "diary.room.door", "class": "D.R.Door"}, capsule="hub"
        )["handle"]
        self.assertEqual(
            self.capsules.call(
                "policy.get_from",
                {"handle": handle, "name": "colour", "class": "Colour"},
                capsule="hub",
            )["value"],
            "red",
        )
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call(
                "policy.get_from",
                {"handle": 999, "name": "colour", "class": "Colour"},
                capsule="hub",
            )
        self.assertIn("BAD_KEY", str(caught.exception))

    # --- beside Cedar ---

    def expression(self, chance, depth):
        if depth == 0:
            return (
                "("
                + chance.choice(
                    [
                        "principal.level",
                        "resource.sealed",
                        "resource.owner == principal",
                        "principal.tags",
                        "1",
                        "7",
                        "true",
                        "false",
                        '"ann"',
                        "principal",
                        "resource",
                        "context.n",
                        "principal.none",
                        "[1, 2]",
                        'User::"u1"',
                        'Realm::"r1"',
                        "{a: 1}.a",
                        'principal.name like "u*"',
                        "principal has level",
                        "resource has sealed",
                        "resource is Service",
                        "context has n",
                        "principal has address.city",
                        "principal.address.city",
                        "principal.net",
                        "principal.net.isIpv4()",
                        'ip("10.0.0.0/8")',
                        'principal.net.isInRange(ip("10.0.0.0/8"))',
                        "principal.cost",
                        'decimal("2.5")',
                        'principal.cost.lessThan(decimal("2.5"))',
                        'datetime("2024-10-15")',
                        'duration("1d2h")',
                        'datetime("2024-10-15").offset(duration("-1h"))',
                        'principal.hasTag("shift")',
                        'principal.getTag("shift")',
                        "principal.boss.level",
                        "principal.boss.boss",
                        "[].isEmpty()",
                        "-9223372036854775808",
                        "9223372036854775807",
                        '"\\u{75}1"',
                        "action",
                    ]
                )
                + ")"
            )
        a, b, c = (self.expression(chance, depth - 1) for _ in range(3))
        return chance.choice(
            [
                f"({a} && {b})",
                f"({a} || {b})",
                f"!({a})",
                f"({a} == {b})",
                f"({a} != {b})",
                f"({a} < {b})",
                f"({a} >= {b})",
                f"({a} + {b})",
                f"({a} - {b})",
                f"({a} in {b})",
                f"({a} in [{b}, {c}])",
                f"[{a}, {b}].contains({c})",
                f"[{a}].containsAny([{b}, {c}])",
                f"({{x: {a}, y: {b}}} == {{y: {c}, x: {a}}})",
                f"(({a}) is User in {b})",
                f"-({a})",
                f'(({a}) like "u\\*1*")',
                f"(if {a} then {b} else {c})",
                f"(({a}) has level)",
                f'(({a}) like "a*")',
                f"({a} * 3)",
                f"({a}).level",
                f"(({a}) is User)",
            ]
        )

    def test_random_policies_decide_as_cedar_does(self):
        seed = int(os.environ.get("HECTOR_SEED", random.randrange(2**32)))
        chance = random.Random(seed)
        cedar = subprocess.Popen(
            [outside.cedar(), "-c", CEDAR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(lambda: (cedar.stdin.close(), cedar.wait(), cedar.stdout.close()))
        entities, asked = [], 0
        for kind, name, attributes, parents in [
            (
                "User",
                f"u{i}",
                {
                    "level": i * 3,
                    "name": f"u{i}",
                    "tags": ["a", "b"][:i],
                    "net": {"__extn": {"fn": "ip", "arg": f"{9 + i}.0.0.1"}},
                    "cost": {"__extn": {"fn": "decimal", "arg": f"{i}.25"}},
                    "address": {"city": "Ulm"} if i else {},
                    "boss": {"__entity": {"type": "User", "id": f"u{(i + 1) % 3}"}},
                },
                [("Group", "lab")] if i else [],
            )
            for i in range(3)
        ] + [
            (
                "Service",
                "s1",
                {"sealed": False, "owner": {"__entity": {"type": "User", "id": "u1"}}},
                [("Realm", "r1")],
            ),
            ("Service", "s2", {"sealed": True}, [("Realm", "r1")]),
            ("Realm", "r1", {}, []),
            ("Group", "lab", {}, [("Group", "house")]),
            ("Group", "house", {}, []),
        ]:
            tags = {"shift": "late"} if name == "u1" else {}
            entities.append(
                {
                    "uid": {"type": kind, "id": name},
                    "attrs": attributes,
                    "tags": tags,
                    "parents": [{"type": t, "id": n} for t, n in parents],
                }
            )
            self.policy(
                "entity",
                f"{kind}::{name}",
                json.dumps(attributes),
                "--tags",
                json.dumps(tags),
                *[part for t, n in parents for part in ("--in", f"{t}::{n}")],
            )
        differences = []
        for _ in range(int(os.environ.get("HECTOR_ROUNDS", 25))):
            scope = (
                lambda: chance.choice(
                    [
                        "principal",
                        'principal == User::"u1"',
                        'principal in Group::"lab"',
                        'principal in Group::"house"',
                        "principal is User",
                        'principal is User in Group::"house"',
                    ]
                )
                + ", action, "
                + chance.choice(
                    [
                        "resource",
                        'resource in Realm::"r1"',
                        'resource == Service::"s2"',
                        "resource is Service",
                    ]
                )
            )
            text = ""
            for _ in range(chance.randrange(1, 4)):
                text += (
                    f"{chance.choice(['permit', 'permit', 'forbid'])} ({scope()}) "
                    + chance.choice(
                        [
                            "",
                            f"when {{ {self.expression(chance, chance.randrange(3))} }}",
                            f"unless {{ {self.expression(chance, 1)} }}",
                        ]
                    )
                    + ";\n"
                )
            try:
                self.rules("random", text)
            except CommandFailed as failed:
                self.fail(f"{failed}\n{text}HECTOR_SEED={seed}")
            for user in ("u0", "u1", "u2", "u9"):
                for service in ("s1", "s2"):
                    request = {
                        "principal": f'User::"{user}"',
                        "action": 'Action::"bind"',
                        "resource": f'Service::"{service}"',
                        "context": {"n": 2},
                    }
                    cedar.stdin.write(
                        json.dumps({"request": request, "policies": text, "entities": entities})
                        + "\n"
                    )
                    cedar.stdin.flush()
                    theirs = json.loads(cedar.stdout.readline())
                    ours = self.capsules.call(
                        "policy.authorise",
                        {
                            "principal": f"User::{user}",
                            "action": "bind",
                            "resource": f"Service::{service}",
                            "context": '{"n": 2}',
                        },
                        capsule="hub",
                    )
                    asked += 1
                    if any("parse" in each for each in theirs["errors"]):
                        self.fail(
                            f"Cedar does not read: {theirs['errors']}\n{text}HECTOR_SEED={seed}"
                        )
                    erring_forbid = any(
                        each.split(":")[0] in ours["reasons"] for each in ours["errors"]
                    )
                    if ours["allowed"] != theirs["allowed"] and not erring_forbid:
                        differences.append((request, text, theirs, ours))
        for each in differences[:3]:
            print(*each, sep="\n")
        self.assertEqual(len(differences), 0, f"HECTOR_SEED={seed}")
        self.assertGreater(asked, 0)


if __name__ == "__main__":
    unittest.main()
