"""The Privacy service on a store: keysets that outlive their capsule, and what is found nowhere.

What: every operation over the wire, with the cases V1 to V10 of the service's specification as far
as one machine shows them; kill -9; two capsules on one key file; key files that are gone or others.
Why: what is protected today has to be read next year, and by nobody who has the store alone.
Who: ctest.
"""

import base64
import concurrent.futures
import glob
import itertools
import json
import os
import shutil
import stat
import struct
import subprocess
import unittest

import waiting
from capsules import CommandFailed, Capsules
from etcd_server import Etcd
from needs import durable, needs

CAPSULE = """capsule: {name}
protocols: {{udp: {{listen: "127.0.0.1:0"}}}}
services: {{privacy: {{settings: {settings}}}}}
"""
JOINED = """capsule: south
protocols: {udp: {listen: "127.0.0.1:0"}}
services: {privacy: {joined: north}}
"""
DAY = 86_400
PASSPHRASE = "canary-passphrase-7f3a"
# Of this test alone.
IDENTITY = "AGE-SECRET-KEY-1UDMQFWF3YN3AX2GV5Z6099N57LV5UPGVLFU52Z8HAL9SWZEVLGDSYE6FYP"
RECIPIENT = "age1937xhpmqa4lapycyvykxqtda6pmpzpa24k7j2e87eaxjlq8dzusqkz2c0n"


def b64(octets):
    return base64.b64encode(octets).decode()


def octets(text):
    return base64.b64decode(text)


@needs("services/privacy", "stores/sqlite", "protocols/udp")
class Service(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.key_file = os.path.join(self.capsules.folder, "kek")
        self.passphrase_file = os.path.join(self.capsules.folder, "passphrase")
        self.start()

    def start(self, name="north", settings=None):
        settings = {"key_file": self.key_file} if settings is None else settings
        return self.capsules.configure(
            name, CAPSULE.format(name=name, settings=json.dumps(settings))
        )

    def kill(self, name="north"):
        self.capsules.processes[name].kill()
        self.capsules.processes[name].wait()

    def call(self, operation, capsule="north", **message):
        return self.capsules.call(f"privacy.{operation}", message, capsule)

    def refused(self, refusal, operation, capsule="north", **message):
        with self.assertRaises(CommandFailed, msg=operation) as caught:
            self.call(operation, capsule, **message)
        self.assertIn(f"{refusal}: ", caught.exception.text)
        return caught.exception.text

    def create(self, template="AES256_GCM", name="k", **fields):
        return self.call("create_keyset", name=name, template=template, **fields)

    def encrypt(self, text=b"text", keyset="k", capsule="north", **fields):
        made = self.call("encrypt", capsule, keyset=keyset, plaintext=b64(text), **fields)
        return made["ciphertext"]

    def decrypt(self, sealed, keyset="k", capsule="north", **fields):
        opened = self.call("decrypt", capsule, keyset=keyset, ciphertext=sealed, **fields)
        return octets(opened.get("plaintext", ""))

    def keyset(self, name="k", capsule="north"):
        return self.call("keysets", capsule, keyset=name)["keysets"][0]


    def store_files(self):
        files = glob.glob(os.path.join(self.capsules.run, "north.store*"))
        self.assertTrue(files)
        return files


class Cases(Service):
    def test_v1_what_earlier_versions_protected_is_revealed_after_a_rotation(self):
        first = self.create()
        old = self.encrypt(aad=b64(b"here"))
        second = self.call("rotate", keyset="k")
        self.assertEqual((first["version"], second["version"]), (1, 2))
        self.assertEqual(self.decrypt(old, aad=b64(b"here")), b"text")
        new = octets(self.encrypt())
        self.assertEqual(new[:5], b"\x01" + second["key_id"].to_bytes(4, "big"))
        self.assertEqual(octets(old)[:5], b"\x01" + first["key_id"].to_bytes(4, "big"))

    def test_v2_a_version_below_the_least_is_disallowed_and_what_was_rewrapped_is_not(self):
        self.create()
        old = self.encrypt()
        self.call("rotate", keyset="k")
        rewrapped = self.call("rewrap", keyset="k", ciphertext=old)
        self.assertEqual(set(rewrapped), {"ciphertext", "version"})
        self.call("set_min_decrypt", keyset="k", version=2)
        self.refused("VERSION_DISALLOWED", "decrypt", keyset="k", ciphertext=old)
        self.assertEqual(self.decrypt(rewrapped["ciphertext"]), b"text")

    def test_v3_any_other_bit_or_place_is_refused_in_the_same_words(self):
        self.create()
        place = {"service": "naming", "path": "/nm/1/a", "rev": 7}
        sealed = octets(self.encrypt(place=place))
        self.assertEqual(self.decrypt(b64(sealed), place=place), b"text")
        texts = set()
        for at in (5, 16, 17, 20, len(sealed) - 1):
            changed = bytearray(sealed)
            changed[at] ^= 1
            texts.add(
                self.refused(
                    "AUTH_FAILED", "decrypt", keyset="k", ciphertext=b64(changed), place=place
                )
            )
        for other in ({"rev": 8}, {"path": "/nm/1/b"}, {"service": "trading"}):
            texts.add(
                self.refused(
                    "AUTH_FAILED",
                    "decrypt",
                    keyset="k",
                    ciphertext=b64(sealed),
                    place={**place, **other},
                )
            )
        self.assertEqual(len(texts), 1)
        self.refused("KEY_UNKNOWN", "decrypt", keyset="k", ciphertext=b64(b"\x01abcd" + sealed[5:]))

    def test_v4_and_v5_ciphertexts_are_as_long_as_they_say(self):
        self.create()
        self.create("STREAM_64K", "s")
        for size in (0, 1, 65_535, 65_536, 65_537):
            text = os.urandom(size)
            sealed = self.encrypt(text)
            self.assertEqual(len(octets(sealed)), size + 33)
            self.assertEqual(self.decrypt(sealed), text)
            sealed = self.encrypt(text, "s")
            self.assertEqual(len(octets(sealed)), 5 + size + 16 + 16 * max(1, -(-size // 65_536)))
            self.assertEqual(self.decrypt(sealed, "s"), text)

    def test_v6_and_v7_age_files_are_sealed_and_opened_part_by_part(self):
        text = os.urandom(70_000)  # what a command line takes
        parts = self.call("seal", recipients=[RECIPIENT], octets=b64(text))
        sealed = b"".join(octets(part["octets"]) for part in listed(parts))
        opened = self.call("open", identities=[IDENTITY], octets=b64(sealed))
        self.assertEqual(b"".join(octets(part["octets"]) for part in listed(opened)), text)
        # The trial's code opens it too, whose peers are age and rage.
        last = len(sealed) - (70_000 - 65_536 + 16)
        for broken in (sealed[:last], sealed[:-17]):
            text_of = self.refused(
                "AUTH_FAILED", "open", identities=[IDENTITY], octets=b64(broken)
            )
            self.assertNotIn(b64(text[65_536:])[:40], text_of)
        self.refused("INVALID_ARGUMENT", "seal", octets=b64(b"x"))
        self.refused("INVALID_ARGUMENT", "seal", recipients=["age1x"], octets=b64(b"x"))
        self.refused("INVALID_ARGUMENT", "open", octets=b64(sealed))
        self.refused("MALFORMED", "open", identities=[IDENTITY], octets=b64(b"x" * 100))

    @durable
    def test_v9_what_is_about_a_subject_stays_unreadable_also_with_a_backup_of_the_store(self):
        self.create()
        ann = self.encrypt(b"Ann", subject="ann")
        bob = self.encrypt(b"Bob", subject="bob")
        self.kill()
        backup = os.path.join(self.capsules.folder, "backup")
        store = self.store_files()
        os.makedirs(backup)
        for path in store:
            shutil.copy(path, backup)
        self.start()
        self.assertEqual(self.call("shred", subject="ann")["keys"], 1)
        self.refused("KEY_DESTROYED", "decrypt", keyset="k", ciphertext=ann)
        self.kill()
        for path in self.store_files():
            os.remove(path)
        for path in store:
            shutil.copy(os.path.join(backup, os.path.basename(path)), path)
        self.start()
        self.refused("KEY_DESTROYED", "decrypt", keyset="k", ciphertext=ann)
        self.assertEqual(self.decrypt(bob), b"Bob")

    def test_v10_rotations_while_others_protect_fail_nobody(self):
        self.create("XCHACHA20")

        def protect(number):
            return self.encrypt(b"%d" % number)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            sealed = [pool.submit(protect, number) for number in range(60)]
            rotated = [pool.submit(self.call, "rotate", keyset="k") for _ in range(5)]
            self.assertEqual(sorted(each.result()["version"] for each in rotated), [2, 3, 4, 5, 6])
            results = [each.result() for each in sealed]
        for number, each in enumerate(results):
            self.assertEqual(self.decrypt(each), b"%d" % number)



def listed(answer):
    return answer if isinstance(answer, list) else [answer]


class Operations(Service):
    def test_keysets_are_told_without_their_keys(self):
        self.create("HMAC", rotate_after={"messages": 5})
        self.call("rotate", keyset="k")
        self.call("disable", keyset="k", version=1)
        keyset = self.keyset()
        self.assertEqual(keyset["primary"], 2)
        self.assertEqual(keyset["rotate_after"], {"messages": "5", "seconds": "0"})
        self.assertEqual([each["state"] for each in keyset["versions"]], ["disabled", "enabled"])
        self.assertNotIn("wrapped", json.dumps(keyset))
        self.refused("EXISTS", "create_keyset", name="k", template="HMAC")
        self.refused("INVALID_ARGUMENT", "create_keyset", name="l", template="ROT13")
        self.refused("INVALID_ARGUMENT", "create_keyset", name="", template="HMAC")
        self.refused("KEY_UNKNOWN", "keysets", keyset="none")
        self.refused("KEY_UNKNOWN", "rotate", keyset="none")

    def test_a_version_is_destroyed_after_a_day_at_least_and_can_be_kept_until_then(self):
        self.create()
        old = self.encrypt()
        self.call("rotate", keyset="k")
        destroy = {"keyset": "k", "version": 1}
        self.refused("INVALID_ARGUMENT", "destroy", **destroy, delay_s=DAY - 1)
        self.refused("STILL_REFERENCED", "destroy", keyset="k", version=2, delay_s=DAY)
        self.call("destroy", **destroy, delay_s=DAY)
        self.assertEqual(self.keyset()["versions"][0]["state"], "waiting")
        self.refused("VERSION_DISALLOWED", "decrypt", keyset="k", ciphertext=old)
        self.call("enable", **destroy)
        self.assertEqual(self.decrypt(old), b"text")
        self.refused("INVALID_ARGUMENT", "destroy", keyset="k", version=3, delay_s=DAY)

    def test_the_least_and_the_primary_are_versions_that_there_are(self):
        self.create()
        self.call("rotate", keyset="k")
        self.call("set_primary", keyset="k", version=1)
        self.assertEqual(self.call("encrypt", keyset="k", plaintext=b64(b"x"))["version"], 1)
        self.refused("INVALID_ARGUMENT", "set_min_encrypt", keyset="k", version=2)
        self.call("set_primary", keyset="k", version=2)
        self.call("set_min_encrypt", keyset="k", version=2)
        self.refused("VERSION_DISALLOWED", "set_primary", keyset="k", version=1)
        self.refused("INVALID_ARGUMENT", "set_primary", keyset="k", version=3)

    def test_data_keys_come_wrapped_and_plain_only_where_it_is_asked_for(self):
        self.create()
        shown = self.call("datakey", keyset="k", bits=256, plaintext=True)
        self.assertEqual(len(octets(shown["plaintext"])), 32)
        opened = self.call("unwrap", keyset="k", wrapped=shown["wrapped"])
        self.assertEqual(opened["plaintext"], shown["plaintext"])
        self.assertEqual(self.call("datakey", keyset="k", bits=128)["plaintext"], "")
        self.refused("INVALID_ARGUMENT", "datakey", keyset="k", bits=100)

    def test_signatures_are_verified_by_the_version_that_made_them(self):
        for template in ("ED25519", "HMAC"):
            name = template.lower()
            self.create(template, name)
            made = self.call("sign", keyset=name, data=b64(b"data"))
            self.call("rotate", keyset=name)
            asked = {"keyset": name, "signature": made["signature"]}
            self.assertEqual(
                self.call("verify", **asked, data=b64(b"data")), {"is_genuine": True}
            )
            self.refused("AUTH_FAILED", "verify", **asked, data=b64(b"other"))
            self.refused("INVALID_ARGUMENT", "encrypt", keyset=name, plaintext=b64(b"x"))

    def test_a_keyset_is_rotated_when_its_messages_are_used_up(self):
        self.create(rotate_after={"messages": 2})
        sealed = [self.call("encrypt", keyset="k", plaintext=b64(b"x")) for _ in range(5)]
        self.assertEqual([each["version"] for each in sealed], [1, 1, 2, 2, 3])
        for each in sealed:
            self.assertEqual(self.decrypt(each["ciphertext"]), b"x")
        self.create("HMAC", "s", rotate_after={"messages": 1})
        made = [self.call("sign", keyset="s", data="")["version"] for _ in range(3)]
        self.assertEqual(made, [1, 2, 3])

    def test_subjects_have_keys_of_their_own(self):
        self.create()
        ann, bob = (self.encrypt(name.encode(), subject=name) for name in ("ann", "bob"))
        self.call("rotate", keyset="k")
        self.assertEqual(self.decrypt(ann, subject="ann"), b"ann")
        self.refused("AUTH_FAILED", "decrypt", keyset="k", ciphertext=ann, subject="bob")
        rewrapped = self.call("rewrap", keyset="k", ciphertext=ann)["ciphertext"]
        self.assertEqual(self.call("shred", subject="ann")["keys"], 2)
        for each in (ann, rewrapped):
            self.refused("KEY_DESTROYED", "decrypt", keyset="k", ciphertext=each)
        self.assertEqual(self.decrypt(bob), b"bob")
        self.assertEqual(self.call("shred", subject="ann")["keys"], 0)
        self.refused("INVALID_ARGUMENT", "shred", subject="")

    def test_audit_says_who_used_which_version(self):
        self.create()
        self.create(name="other")
        sealed = self.encrypt()
        self.call("rotate", keyset="k")
        self.encrypt()
        self.encrypt()
        self.decrypt(sealed)
        uses = self.call("audit", keyset="k")["uses"]
        counts = {
            use["version"]: (int(use.get("protects", 0)), int(use.get("reveals", 0)))
            for use in uses
        }
        self.assertEqual(counts, {1: (1, 1), 2: (2, 0)})
        self.assertEqual({use["capsule"] for use in uses}, {"north"})
        self.assertEqual(self.call("audit", keyset="other"), {"uses": []})

    def test_is_reached_from_a_capsule_that_has_joined_it(self):
        self.capsules.configure("south", JOINED)
        self.create()
        sealed = self.encrypt(capsule="south")
        self.assertEqual(self.decrypt(sealed), b"text")
        self.refused("AUTH_FAILED", "decrypt", "south", keyset="k", ciphertext=sealed, aad="eA==")

    def test_a_place_and_aad_exclude_each_other(self):
        self.create()
        self.refused(
            "INVALID_ARGUMENT", "encrypt", keyset="k", plaintext="", aad="eA==", place={"rev": 1}
        )

    def test_says_what_is_missing_where_there_is_no_key_file(self):
        self.kill()
        self.start(settings={})
        with self.assertRaises(CommandFailed) as caught:
            self.create()
        self.assertIn("key_file", caught.exception.text)


class Life(Service):
    @durable
    def test_every_keyset_that_was_acknowledged_is_there_after_kill_9(self):
        sealed = {}
        for number in range(4):
            name = f"k{number}"
            self.create("AES256_GCM", name)
            sealed[name, 1] = self.encrypt(b"%d" % number, name, subject="ann")
            self.call("rotate", keyset=name)
            sealed[name, 2] = self.encrypt(b"%d" % number, name)
            self.kill()
            self.start()
            for (each, _), ciphertext in sealed.items():
                self.assertEqual(self.decrypt(ciphertext, each), each[1:].encode())
            self.assertEqual(self.keyset(name)["primary"], 2)

    @durable
    def test_a_key_file_that_is_gone_or_another_is_not_made_up_for(self):
        self.create()
        sealed = self.encrypt()
        os.rename(self.key_file, self.key_file + ".away")
        self.assertIn("bring it back from its backup", self.what_it_says())
        self.assertFalse(os.path.exists(self.key_file))
        os.rename(self.key_file + ".away", self.key_file)
        os.chmod(self.key_file, 0o640)
        self.assertIn("chmod 600", self.what_it_says())
        os.chmod(self.key_file, 0o600)
        self.kill_if_alive()
        self.start()
        self.assertEqual(self.decrypt(sealed), b"text")

    def kill_if_alive(self):
        if self.capsules.processes["north"].poll() is None:
            self.kill()

    def what_it_says(self, settings=None):
        """What the log says of a service, or a capsule, that does not start."""
        self.kill_if_alive()
        try:
            self.start(settings=settings)
        except CommandFailed as failed:
            return failed.text
        with self.assertRaises(CommandFailed):
            self.call("keysets")
        return self.capsules.log("north")

    @durable
    def test_a_passphrase_seals_the_key_file(self):
        self.kill()
        os.remove(self.key_file)
        for path in self.store_files():
            os.remove(path)
        with open(self.passphrase_file, "w", encoding="ascii") as file:
            file.write(PASSPHRASE + "\n")
        os.chmod(self.passphrase_file, 0o600)
        settings = {"key_file": self.key_file, "passphrase_file": self.passphrase_file}
        self.start(settings=settings)
        self.create()
        sealed = self.encrypt()
        self.kill()
        self.start(settings=settings)
        self.assertEqual(self.decrypt(sealed), b"text")
        self.assertEqual(stat.S_IMODE(os.stat(self.key_file).st_mode), 0o600)
        self.assertIn("passphrase_file", self.what_it_says())
        with open(self.passphrase_file, "w", encoding="ascii") as file:
            file.write("another")
        self.assertIn("does not open", self.what_it_says(settings))

    def test_a_version_is_destroyed_when_its_day_has_come(self):
        shim = os.path.join(self.capsules.folder, "clock_shift.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock_shift.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source], check=True)
        shift = os.path.join(self.capsules.folder, "shift")
        with open(shift, "wb") as file:
            file.write(struct.pack("@l", 0))
        self.kill()
        self.capsules.environment.update(CLOCK_SHIFT=shift, LD_PRELOAD=shim)
        self.start()
        for name in ("CLOCK_SHIFT", "LD_PRELOAD"):
            del self.capsules.environment[name]
        self.create()
        sealed = self.encrypt()
        self.call("rotate", keyset="k")
        self.call("destroy", keyset="k", version=1, delay_s=DAY)
        with open(shift, "r+b") as file:
            file.write(struct.pack("@l", DAY + 1))
        waiting.until(lambda: self.keyset()["versions"][0]["state"] == "destroyed", 30)
        self.refused("KEY_DESTROYED", "decrypt", keyset="k", ciphertext=sealed)
        self.refused("KEY_DESTROYED", "enable", keyset="k", version=1)
        gone = str(self.keyset()["versions"][0]["key_id"])

        def is_noted():
            with open(self.key_file, encoding="ascii") as file:
                return gone in file.read()

        waiting.until(is_noted, 10, "the key's id in the key file")

    @durable
    def test_counts_outlive_a_kill(self):
        self.create()
        self.encrypt()
        since = self.written_at()
        waiting.until(lambda: self.written_at() > since, 30, "the counts in the store")
        self.kill()
        self.start()
        self.encrypt()
        self.assertEqual(self.call("audit")["uses"][0]["protects"], "2")

    def written_at(self):
        return max(os.stat(path).st_mtime_ns for path in self.store_files())

    def test_a_planted_secret_is_found_nowhere(self):
        secret = b"canary-" + os.urandom(16)
        self.create()
        self.create("ED25519", "s")
        sealed = self.encrypt(secret, subject="someone")
        self.decrypt(sealed)
        key = octets(self.call("datakey", keyset="k", bits=256, plaintext=True)["plaintext"])
        self.call("sign", keyset="s", data=b64(secret))
        parts = listed(self.call("seal", recipients=[RECIPIENT], octets=b64(secret)))
        sealed_file = b"".join(octets(part["octets"]) for part in parts)
        opened = listed(self.call("open", identities=[IDENTITY], octets=b64(sealed_file)))
        self.assertEqual(octets(opened[0]["octets"]), secret)
        self.refused("AUTH_FAILED", "decrypt", keyset="k", ciphertext=sealed, aad=b64(secret))
        self.call("shred", subject="someone")
        with open(self.key_file, encoding="ascii") as file:
            kek = octets(file.read().split("key ")[1].split("\n")[0])
        self.assertEqual(len(kek), 32)
        self.kill()
        for folder, _, names in itertools.chain(
            os.walk(self.capsules.folder), os.walk(self.capsules.run)
        ):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    content = file.read()
                for each in (secret, key, kek, IDENTITY.encode()):
                    if path == self.key_file:
                        continue
                    for form in (each, base64.b64encode(each)[:-4], each.hex().encode()):
                        self.assertNotIn(form, content, path)


@needs("services/privacy", "stores/etcd", "protocols/udp")
@unittest.skipUnless(shutil.which("etcd"), "needs etcd")
class SharedStore(unittest.TestCase):
    """Two capsules on one etcd, each with its copy of one key file."""

    call, refused = Service.call, Service.refused
    create, encrypt, decrypt = Service.create, Service.encrypt, Service.decrypt

    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        etcd = Etcd()
        self.addCleanup(etcd.__exit__, None, None, None)
        self.store = f"store: etcd://127.0.0.1:{etcd.__enter__().port}/privacy\n"
        self.start("north", "kek")
        self.create()

    def start(self, name, key_file):
        settings = json.dumps({"key_file": os.path.join(self.capsules.folder, key_file)})
        text = CAPSULE.format(name=name, settings=settings) + self.store
        return self.capsules.configure(name, text)

    def copy_key_file(self):
        source = os.path.join(self.capsules.folder, "kek")
        target = os.path.join(self.capsules.folder, "copy")
        shutil.copy(source, target)
        os.chmod(target, 0o600)

    def test_v10_each_reads_at_once_what_the_other_protected_with_a_new_version(self):
        self.copy_key_file()
        self.start("south", "copy")
        for version in range(2, 12):
            one, other = ("north", "south") if version % 2 else ("south", "north")
            self.assertEqual(self.call("rotate", one, keyset="k")["version"], version)
            sealed = self.encrypt(capsule=one, subject=f"s{version}")
            self.assertEqual(self.decrypt(sealed, capsule=other), b"text")

    def test_v9_a_key_that_one_shreds_is_gone_for_the_other(self):
        self.copy_key_file()
        self.start("south", "copy")
        sealed = self.encrypt(subject="ann")
        self.assertEqual(self.call("shred", "south", subject="ann")["keys"], 1)
        gone = ("KEY_DESTROYED", "decrypt")
        self.refused(*gone, "south", keyset="k", ciphertext=sealed)
        waiting.until(lambda: not self.is_read(sealed), 10, "what the store tells north")
        self.refused(*gone, "north", keyset="k", ciphertext=sealed)

    def is_read(self, sealed):
        try:
            return self.decrypt(sealed) == b"text"
        except CommandFailed:
            return False

    def test_a_capsule_without_the_key_file_makes_none(self):
        try:
            self.start("south", "other")
        except CommandFailed as failed:
            text = failed.text
        else:
            text = self.capsules.log("south")
        self.assertIn("bring it back from its backup", text)
        self.assertFalse(os.path.exists(os.path.join(self.capsules.folder, "other")))


if __name__ == "__main__":
    unittest.main()
