"""Rights at Bindings and calls, with two capsules and their Policy service.

What: nothing is permitted that no policy permits, also where Policy cannot be asked; the case A8, a
forbid under a live Binding; who may give rights; `hector auth`.
Why: who may do what is said once, and counts in every capsule that requires it, within a second.
Who: ctest.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

import waiting
from capsules import ROOT, Capsules, CommandFailed
from needs import is_open_to_all, needs

TYPES = """binding: desk.Lookup/1
roles:
  asker: {interface: diary.Organiser/1}
  diary: {interface: diary.Calendar/1, cardinality: 1..3}
interactions:
  ask: {kind: rpc, from: asker, to: diary, operation: free_slots}
protocol: ask*
"""
CAPSULE = """capsule: {name}
protocols: {{udp: {{listen: "127.0.0.1:0"}}}}
rights: {rights}
services: {{policy: {policy}}}
languages: [cpp]
types: [{meeting}, {types}]
templates: [{templates}]
audit: {folder}/{name}.audit
"""
PROVED = """permit (principal in Capsule::"hub", action, resource);
permit (principal in Capsule::"north", action, resource);
permit (principal in Kind::"user", action, resource);
permit (principal in Kind::"operator", action, resource);
"""
#: Without identities udp proves nobody: the other capsule's are anonymous, with a claim.
CLAIMED = PROVED + """permit (principal == Principal::"anonymous", action, resource)
  when { context has claimed &&
         (context.claimed in Capsule::"hub" || context.claimed in Capsule::"north") };
"""
NO_ANA = """forbid (principal, action == Action::"play", resource == Role::"desk.Lookup/1.diary")
  when { context.object == Object::"north/ana" };
"""
NOBODY = 65534
DENIED = 4
WITHIN_S = 1.0  # from the acknowledgement of a change to its effect


@needs("services/policy", "stores/sqlite", "protocols/udp", "languages/cpp", "templates/meeting")
class RightsAtBindings(unittest.TestCase):
    realm = None
    open = CLAIMED
    who = "user:"

    def setUp(self):
        self.capsules = Capsules(realm=self.realm)
        self.addCleanup(self.capsules.stop)
        self.templates = os.path.join(self.capsules.build, "lib", "hector", "templates", "meeting")
        self.types = os.path.join(self.capsules.folder, "desk.hector.yaml")
        with open(self.types, "w", encoding="utf-8") as file:
            file.write(TYPES)
        self.configure("hub", "embedded", "organiser.so", "calendar.so")
        self.configure("north", "{joined: hub}", "calendar.so")
        self.create("hub", "diary.Organiser.cpp", "organiser")
        self.create("hub", "diary.Calendar.cpp", "ben")
        self.ana = self.create("north", "diary.Calendar.cpp", "ana")

    def configure(self, name, policy, *templates, rights="required"):
        self.capsules.configure(
            name,
            CAPSULE.format(
                name=name,
                policy=policy,
                rights=rights,
                meeting=os.path.join(self.templates, "meeting.hector.yaml"),
                types=self.types,
                templates=", ".join(os.path.join(self.templates, each) for each in templates),
                folder=self.capsules.folder,
            ),
        )

    def create(self, capsule, template, name):
        arguments = {}
        if "Calendar" in template:
            sample = "ana.ics" if name == "ana" else "ben.ics"
            arguments["file"] = os.path.join(ROOT, "templates", "meeting", "samples", sample)
        made = self.capsules.hector(
            "create", "object", template, "--name", name,
            "--arguments", json.dumps(arguments), capsule=capsule,
        )  # fmt: skip
        return next(word for word in made.split() if word.startswith("hector:"))

    def rules(self, name, text):
        with tempfile.NamedTemporaryFile("w", suffix=".cedar") as file:
            file.write(text)
            file.flush()
            self.capsules.hector("policy", "rules", name, file.name, capsule="hub")

    def bind(self, *diaries, explain=False):
        roles = [part for each in diaries for part in ("--role", f"diary={each}")]
        self.capsules.hector(
            "bind", "desk.Lookup/1", "--role", "asker=organiser", *roles,
            *(["--explain"] if explain else []), capsule="hub",
        )  # fmt: skip

    def refused(self, *diaries, explain=False):
        with self.assertRaises(CommandFailed) as raised:
            self.bind(*diaries, explain=explain)
        self.assertEqual(raised.exception.code, DENIED, raised.exception.text)
        return raised.exception.text

    def bindings(self, capsule="hub"):
        return self.capsules.json("get", "bindings", capsule=capsule)

    def call(self, capsule, what):
        return self.capsules.hector("call", what, "{}", capsule=capsule)

    def events(self, binding):
        return self.capsules.hector("binding", "events", binding["name"], capsule="hub")

    def is_permitted(self, capsule, what):
        try:
            self.call(capsule, what)
        except CommandFailed as failure:
            self.assertEqual(failure.code, DENIED, failure.text)
            return False
        return True

    def recorded(self, words):
        shown = self.capsules.hector(
            "audit", "show", os.path.join(self.capsules.folder, "hub.audit"), "-o", "jsonl"
        )
        return words in shown

    def test_nothing_is_permitted_unless_a_policy_permits_it(self):
        text = self.refused("ben")
        self.assertIn("authorise of desk.Lookup/1", text)
        self.assertIn("'organiser' (capsule:hub/organiser) may not play role 'asker'", text)
        self.assertIn("may not call 'diary.Calendar/1.free_slots' of 'ben'", text)
        self.assertIn("no policy permits it", text)
        self.assertEqual(text, self.refused("ben", explain=True), "a dry run says the same")
        with self.assertRaises(CommandFailed) as raised:
            self.call("north", "ana.free_slots")
        self.assertEqual(raised.exception.code, DENIED)
        self.assertIn("may not call 'diary.Calendar/1.free_slots' of 'ana'", raised.exception.text)
        self.rules("site", self.open)
        self.bind("ben", self.ana)
        waiting.until(lambda: self.is_permitted("north", "ana.free_slots"), WITHIN_S + 0.5)

    def test_a8_a_forbid_takes_a_party_out_of_a_live_binding_and_denies_a_new_one(self):
        self.rules("site", self.open)
        self.bind("ben", self.ana)
        [binding] = self.bindings()
        self.rules("no-ana", NO_ANA)
        changed = time.monotonic()
        self.assertIn("forbidden by no-ana", self.refused(self.ana), "at once")
        waiting.until(lambda: "had to leave" in self.events(binding), 5)
        took = time.monotonic() - changed
        self.assertLess(took, WITHIN_S + 0.5, "with the time of the commands that look")
        self.assertIn("denied", self.events(binding))
        [left] = self.bindings()
        self.assertEqual(left["name"], binding["name"], "the others go on")
        waiting.until(lambda: self.recorded("take rights away"), 5)
        self.capsules.hector("policy", "rules", "no-ana", "--remove", capsule="hub")
        self.bind("ben", self.ana)
        self.assertEqual(len(self.bindings()), 2, "a right that is back reopens nothing")

    def test_a8_a_binding_that_cannot_be_without_the_party_ends(self):
        self.rules("site", self.open)
        self.bind(self.ana)
        self.rules("no-ana", NO_ANA)
        changed = time.monotonic()
        waiting.until(lambda: self.bindings() == [], 5)
        self.assertLess(time.monotonic() - changed, WITHIN_S + 0.5)
        self.assertIn("forbidden by no-ana", self.capsules.log("hub"))

    def test_the_capsule_of_a_party_asks_where_the_one_that_binds_does_not(self):
        self.configure("east", "{joined: hub}", "organiser.so", rights="not asked")
        self.create("east", "diary.Organiser.cpp", "other")
        words = ("bind", "desk.Lookup/1", "--role", "asker=other", "--role", f"diary={self.ana}")
        with self.assertRaises(CommandFailed) as raised:
            self.capsules.hector(*words, capsule="east")
        self.assertEqual(raised.exception.code, DENIED, raised.exception.text)
        self.assertIn("reserve of desk.Lookup/1: 'ana' as role 'diary'", raised.exception.text)
        self.assertIn("no policy permits it", raised.exception.text)
        self.rules("all", "permit (principal, action, resource);")
        self.capsules.hector(*words, capsule="east")
        ends = "a party of another capsule's Binding ends"
        self.assertNotIn(ends, self.capsules.log("north"))
        self.rules("no-ana", NO_ANA)
        waiting.until(lambda: ends in self.capsules.log("north"), WITHIN_S + 0.5)

    def test_what_policy_cannot_be_asked_about_is_denied(self):
        self.rules("site", self.open)
        self.call("north", "ana.free_slots")
        hub = self.capsules.processes.pop("hub")
        hub.send_signal(signal.SIGKILL)
        hub.wait()

        def is_denied():
            try:
                self.call("north", "ana.free_slots")
            except CommandFailed as failure:
                self.assertIn("the Policy service cannot say", failure.text)
                return True
            return False

        waiting.until(is_denied, 5)

    @unittest.skipIf(os.getuid() != 0, "only root can be another user")
    def test_another_user_gives_itself_no_rights(self):
        program = os.path.join(self.capsules.build, "bin", "hector")
        if not is_open_to_all(program):
            self.skipTest("another user cannot reach the program")
        with open(os.path.join(self.capsules.run, "hub.reference"), encoding="utf-8") as file:
            reference = file.read().strip()
        rules = {"name": "mine", "text": "permit (principal, action, resource);"}
        with tempfile.TemporaryDirectory() as folder:
            os.chown(folder, NOBODY, NOBODY)
            done = subprocess.run(
                [program, "-c", reference, "call", "policy.put_rules", json.dumps(rules)],
                env=dict(os.environ, HECTOR_RUN_DIRECTORY=folder, USER="root"),
                capture_output=True,
                text=True,
                check=False,
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
            )
        self.assertEqual(done.returncode, DENIED, done.stdout + done.stderr)
        self.assertIn("may not call 'hector.Policy/1.put_rules' of 'policy'", done.stderr)
        self.refused("ben")

    def test_auth_says_who_one_is_and_what_one_may(self):
        who = self.capsules.json("auth", "whoami", capsule="hub")
        self.assertTrue(who["principal"].startswith(self.who), who)
        self.assertEqual(who["rights"], "required")
        question = ("auth", "can-i", "call", "diary.Calendar/1.hold", "--object", "ben")
        with self.assertRaises(CommandFailed) as raised:
            self.capsules.hector(*question, capsule="hub")
        self.assertEqual(raised.exception.code, 1)
        self.assertIn("no: no policy permits it", raised.exception.text)
        self.rules("site", self.open)
        self.assertIn("yes: permitted by site[", self.capsules.hector(*question, capsule="hub"))
        answer = self.capsules.json(*question, "--as", "capsule:hub/organiser", capsule="hub")
        self.assertTrue(answer["allowed"])
        self.assertIn('"is_same_capsule":true', answer["context"])
        for principal in ("capsule:south", "spiffe://other.org/x", "anonymous"):
            with self.assertRaises(CommandFailed, msg=principal):
                self.capsules.hector(*question, "--as", principal, capsule="hub")


class RightsOfProvedPrincipals(RightsAtBindings):
    """The same where channels prove both ends: no policy goes by what a peer claims."""

    realm = "td.example"
    open = PROVED
    who = "operator:"

    def test_another_user_gives_itself_no_rights(self):
        self.skipTest("another user has no identity of the realm")

    def as_identity(self, name, *words):
        """Over udp: a socket file would say that it is of the capsule's own user."""
        return subprocess.run(
            [os.path.join(self.capsules.build, "bin", "hector"), "-c", "hub", "--protocol", "udp"]
            + list(words),
            env=dict(self.capsules.environment, HECTOR_IDENTITY=name),
            capture_output=True,
            text=True,
            check=False,
        )

    def test_another_capsule_of_the_realm_has_its_own_rights_and_gives_none(self):
        self.rules("site", self.open)
        self.capsules.hector("identity", "issue", "capsule/south")
        question = ("call", "ben.free_slots", "{}")
        self.assertEqual(self.as_identity("operator/admin", *question).returncode, 0)
        refused = self.as_identity("capsule/south", *question)
        self.assertEqual(refused.returncode, DENIED, refused.stderr)
        self.assertIn("'capsule:south' may not call", refused.stderr)
        rules = {"name": "mine", "text": "permit (principal, action, resource);"}
        refused = self.as_identity("capsule/south", "call", "policy.put_rules", json.dumps(rules))
        self.assertEqual(refused.returncode, DENIED, refused.stderr)
        self.assertIn("'capsule:south' may not call 'hector.Policy/1.put_rules'", refused.stderr)


if __name__ == "__main__":
    unittest.main()
