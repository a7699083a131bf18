"""A realm: its authority, what it issues, renews and revokes.

What: `hector init`, `hector identity issue|renew|revoke|list|show`, `check --realm`.
Why: an identity is got with one command, kept to its owner, and refused once it is revoked.
Who: ctest.
"""

import json
import os
import stat
import subprocess
import tempfile
import unittest

from capsules import ROOT

HECTOR = os.path.join(
    os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release"), "bin", "hector"
)


def content(path):
    with open(path, encoding="ascii") as file:
        return file.read()


class Realm(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.realm = os.path.join(self.folder, "realm")
        self.made = self.rows("init", self.realm, "example.org")

    def run_hector(self, *arguments):
        environment = dict(os.environ, HECTOR_REALM=self.realm)
        return subprocess.run(
            [HECTOR, *arguments], capture_output=True, text=True, check=False, env=environment
        )

    def rows(self, *arguments):
        done = self.run_hector(*arguments, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def refused(self, code, *arguments):
        done = self.run_hector(*arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def check(self, file):
        done = self.run_hector("identity", "check", "--realm", self.realm, file)
        line = json.loads(done.stdout)
        return line.get("principal") or line["error"]

    def test_replaces_its_authority_while_both_are_trusted(self):
        hub = os.path.join(self.folder, "hub.pem")
        with open(hub, "w", encoding="ascii") as file:
            file.write(content(self.made[0]["file"]))
        first = self.rows("identity", "authority", "prepare")[0]["name"]
        self.assertIn("prepared already", self.refused(5, "identity", "authority", "prepare"))
        self.assertEqual(self.check(hub), "spiffe://example.org/capsule/hub")
        trusted = self.rows("identity", "authority", "activate")
        self.assertEqual(len(trusted), 2)
        self.assertIn(first, [row["name"] for row in trusted])
        self.assertIn("prepare", self.refused(1, "identity", "authority", "activate"))
        (renewed,) = self.rows("identity", "renew", "capsule/hub")
        for file in (hub, renewed["file"]):
            self.assertEqual(self.check(file), "spiffe://example.org/capsule/hub")
        self.assertIn("--force", self.refused(1, "identity", "authority", "retire"))
        self.rows("identity", "revoke", "operator/admin")
        self.assertEqual(self.check(self.made[1]["file"]), "REVOKED")
        self.assertEqual(len(self.rows("identity", "authority", "retire", "--force")), 1)
        self.assertEqual(self.check(renewed["file"]), "spiffe://example.org/capsule/hub")
        self.assertEqual(self.check(hub), "UNTRUSTED_DOMAIN")

    def test_goes_on_where_an_activation_was_cut_short(self):
        self.rows("identity", "authority", "prepare")
        os.rename(f"{self.realm}/next.key", f"{self.realm}/authority.key")
        for _ in range(2):
            (renewed,) = self.rows("identity", "renew", "capsule/hub")
            self.assertEqual(self.check(renewed["file"]), "spiffe://example.org/capsule/hub")
            if os.path.exists(f"{self.realm}/next.pem"):
                self.rows("identity", "authority", "activate")
        self.assertFalse(os.path.exists(f"{self.realm}/next.pem"))

    def test_makes_identities_that_check_accepts(self):
        self.assertEqual([row["name"] for row in self.made], ["capsule/hub", "operator/admin"])
        for row in self.made:
            self.assertEqual(self.check(row["file"]), f"spiffe://example.org/{row['name']}")
        row = self.rows("identity", "issue", "capsule/north", "--host", "north.example")[0]
        self.assertEqual(self.check(row["file"]), "spiffe://example.org/capsule/north")
        names = [row["name"] for row in self.rows("identity", "list")]
        self.assertEqual(names, ["capsule/hub", "capsule/north", "operator/admin"])

    def test_openssl_accepts_them_too(self):
        for kind in ("p256", "ed25519"):
            realm = os.path.join(self.folder, kind)
            rows = self.rows("init", realm, "td", "--key", kind)
            done = subprocess.run(
                ["openssl", "verify", "-x509_strict", "-auth_level", "2"]
                + ["-CAfile", os.path.join(realm, "bundle.pem"), rows[0]["file"]],
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_is_its_owners_alone(self):
        for folder, folders, files in os.walk(self.realm):
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700, folder)
            for name in files:
                path = os.path.join(folder, name)
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)

    def test_does_not_issue_with_a_key_that_others_can_read(self):
        os.chmod(os.path.join(self.realm, "authority.key"), 0o644)
        self.assertIn("chmod 600", self.refused(1, "identity", "issue", "a"))

    def test_overwrites_nothing(self):
        key = os.path.join(self.realm, "authority.key")
        before = content(key)
        self.assertIn("left as it is", self.refused(5, "init", self.realm, "example.org"))
        self.assertEqual(content(key), before)
        self.assertIn("renew", self.refused(5, "identity", "issue", "capsule/hub"))
        self.assertEqual(os.listdir(self.folder), ["realm"])

    def test_refuses_names_that_are_none(self):
        for name in ("", "a//b", "a/", "/a", "..", "a b", "a+b", "ä"):
            self.refused(2, "identity", "issue", name)
        for domain in ("Example.org", "a/b", "", "a:1"):
            self.refused(2, "init", os.path.join(self.folder, "other"), domain)
        self.refused(2, "identity", "issue", "a", "--hours", "0")
        self.refused(2, "identity", "issue", "a", "--hours", "2161")
        self.refused(2, "identity", "issue", "a", "--host", "no host")
        self.assertEqual(sorted(os.listdir(self.folder)), ["realm"])
        self.assertEqual(len(self.rows("identity", "list")), 2)

    def test_says_what_is_missing(self):
        self.assertIn("init", self.refused(3, "identity", "list", "--realm", self.folder))
        self.assertIn("list", self.refused(3, "identity", "show", "nobody"))
        self.assertIn("issue", self.refused(3, "identity", "renew", "nobody"))
        self.refused(3, "identity", "revoke", "nobody")

    def test_renews_with_another_key(self):
        file = self.made[0]["file"]
        before = content(file)
        renewed = self.rows("identity", "renew", "capsule/hub")[0]
        self.assertNotEqual(renewed["serial"], self.made[0]["serial"])
        after = content(file)
        self.assertNotEqual(before.split("PRIVATE")[1], after.split("PRIVATE")[1])
        self.assertEqual(self.check(file), "spiffe://example.org/capsule/hub")
        self.assertEqual(len(self.rows("identity", "list", "--all")), 3)

    def test_renews_with_the_hosts_and_the_lifetime_that_there_were(self):
        file = self.rows("identity", "issue", "a", "--host", "a.example", "--hours", "2")[0]["file"]
        expires = self.rows("identity", "renew", "a")[0]["expires"]
        self.assertLess(expires, self.made[0]["expires"])
        text = subprocess.run(
            ["openssl", "x509", "-in", file, "-noout", "-ext", "subjectAltName"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.assertIn("DNS:a.example", text)

    def test_revokes_what_was_issued_before_too(self):
        file = self.made[0]["file"]
        old = os.path.join(self.folder, "old.pem")
        with open(old, "w", encoding="ascii") as copy:
            copy.write(content(file))
        self.rows("identity", "renew", "capsule/hub")
        self.assertEqual(len(self.rows("identity", "revoke", "capsule/hub")), 2)
        self.assertEqual((self.check(old), self.check(file)), ("REVOKED", "REVOKED"))
        self.assertEqual(self.rows("identity", "show", "capsule/hub")[0]["state"], "revoked")
        self.assertEqual(self.check(self.made[1]["file"]), "spiffe://example.org/operator/admin")
        self.rows("identity", "renew", "capsule/hub")
        self.assertEqual(self.check(file), "spiffe://example.org/capsule/hub")

    def test_revokes_one_by_its_serial(self):
        serial = self.made[0]["serial"]
        self.rows("identity", "renew", "capsule/hub")
        self.assertEqual(len(self.rows("identity", "revoke", serial)), 1)
        self.assertEqual(self.check(self.made[0]["file"]), "spiffe://example.org/capsule/hub")

    def test_a_check_without_the_realm_knows_no_revocations(self):
        self.rows("identity", "revoke", "capsule/hub")
        bundle = "example.org=" + os.path.join(self.realm, "bundle.pem")
        done = self.run_hector("identity", "check", "--trust", bundle, self.made[0]["file"])
        self.assertEqual(done.returncode, 0)

    def test_processes_at_once_lose_no_record(self):
        environment = dict(os.environ, HECTOR_REALM=self.realm)
        running = [
            subprocess.Popen(
                [HECTOR, "identity", "issue", f"many/{i}"],
                env=environment,
                stdout=subprocess.DEVNULL,
            )
            for i in range(12)
        ]
        self.assertEqual([each.wait(60) for each in running], [0] * 12)
        self.assertEqual(len(self.rows("identity", "list")), 14)
        self.assertFalse([n for n in os.listdir(self.realm) if n.startswith("issued.")])


if __name__ == "__main__":
    unittest.main()
