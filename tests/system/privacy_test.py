"""Privacy: steps through `hector privacy try`, and the files and ciphertexts of Tink, age and rage.

What: each step with its refusals, the layouts octet for octet, and both directions with each peer.
Why: what Hector protects outlives it, and what others protected is read.
Who: ctest.
"""

import base64
import itertools
import json
import os
import subprocess
import tempfile
import unittest

import outside
from capsules import ROOT
from needs import needs

BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
HECTOR = os.path.join(BUILD, "bin", "hector")
KEY = {"AES_SIV_DET": bytes(range(64))}
DAY = 86_400
# Of this test alone.
IDENTITY = "AGE-SECRET-KEY-1UDMQFWF3YN3AX2GV5Z6099N57LV5UPGVLFU52Z8HAL9SWZEVLGDSYE6FYP"
RECIPIENT = "age1937xhpmqa4lapycyvykxqtda6pmpzpa24k7j2e87eaxjlq8dzusqkz2c0n"


def b64(octets):
    return base64.b64encode(octets).decode()


def key_of(template):
    return KEY.get(template, bytes(range(1, 33)))


class Trial:
    """`hector privacy try -`, line by line."""

    def __init__(self):
        self.process = subprocess.Popen(
            [HECTOR, "privacy", "try", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.number = 0

    def __call__(self, step, **fields):
        return self.line(json.dumps({step: fields}))

    def line(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.number += 1
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.wait(60)


def run(text):
    """(exit code, answers, standard error) of a file of steps."""
    with tempfile.NamedTemporaryFile("wb", suffix=".jsonl") as file:
        file.write(text.encode() if isinstance(text, str) else text)
        file.flush()
        done = subprocess.run(
            [HECTOR, "privacy", "try", file.name], capture_output=True, text=True, check=False
        )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@needs("services/privacy", "stores/memory")
class Steps(unittest.TestCase):
    def setUp(self):
        self.steps = Trial()
        self.addCleanup(lambda: self.assertEqual(self.steps.end(), 0))

    def create(self, template="XCHACHA20", name="k", **more):
        made = self.steps("create_keyset", name=name, template=template, **more)
        self.assertEqual(made["version"], 1, made)
        return made["key_id"]

    def encrypt(self, text=b"text", aad=b"aad", keyset="k", **more):
        made = self.steps("encrypt", keyset=keyset, plaintext=b64(text), aad=b64(aad), **more)
        return made["ciphertext"]

    def decrypt(self, ciphertext, aad=b"aad", keyset="k", **more):
        """(version, text), or the error's name."""
        made = self.steps("decrypt", keyset=keyset, ciphertext=ciphertext, aad=b64(aad), **more)
        if "error" in made:
            return made["error"]
        return made["version"], base64.b64decode(made["plaintext"])

    def say(self, step, **fields):
        made = self.steps(step, **fields)
        return made.get("error") or made.get("result")

    def test_v1_an_old_version_is_read_after_a_rotation(self):
        first = self.create()
        old = self.encrypt()
        made = self.steps("rotate", keyset="k")
        self.assertEqual(made["version"], 2)
        self.assertNotEqual(made["key_id"], first)
        now = self.encrypt()
        prefix = b"\x01" + made["key_id"].to_bytes(4, "big")
        self.assertEqual(base64.b64decode(now)[:5], prefix)
        self.assertEqual(self.decrypt(old), (1, b"text"))
        self.assertEqual(self.decrypt(now), (2, b"text"))

    def test_v2_the_least_version_that_is_read(self):
        self.create()
        old = self.encrypt()
        self.steps("rotate", keyset="k")
        moved = self.steps("rewrap", keyset="k", ciphertext=old, aad=b64(b"aad"))
        self.assertEqual(set(moved), {"ciphertext", "version"})
        self.assertEqual(moved["version"], 2)
        self.assertEqual(self.say("set_min_decrypt", keyset="k", version=2), "done")
        self.assertEqual(self.decrypt(old), "VERSION_DISALLOWED")
        self.assertEqual(
            self.say("rewrap", keyset="k", ciphertext=old, aad=b64(b"aad")), "VERSION_DISALLOWED"
        )
        self.assertEqual(self.decrypt(moved["ciphertext"]), (2, b"text"))
        self.assertEqual(self.say("set_primary", keyset="k", version=1), "VERSION_DISALLOWED")
        self.assertEqual(self.say("set_min_decrypt", keyset="k", version=3), "INVALID_ARGUMENT")

    def test_v3_every_change_gets_the_same_line(self):
        for template in ("AES256_GCM", "XCHACHA20", "AES_SIV_DET", "STREAM_64K", "HPKE_X25519"):
            self.create(template, template)
            sealed = base64.b64decode(self.encrypt(keyset=template))

            def refused(octets, aad=b"aad", keyset=template):
                return self.steps("decrypt", keyset=keyset, ciphertext=b64(octets), aad=b64(aad))

            wanted = refused(sealed, b"other")
            self.assertEqual(wanted["error"], "AUTH_FAILED")
            for bit in range(len(sealed) * 8):
                other = bytearray(sealed)
                other[bit // 8] ^= 1 << bit % 8
                if 8 <= bit < 40:
                    self.assertIn(refused(other)["error"], ("AUTH_FAILED", "KEY_UNKNOWN"))
                else:
                    self.assertEqual(refused(other), wanted, f"{template}: bit {bit}")
            for size in range(len(sealed)):
                self.assertEqual(refused(sealed[:size]), wanted, f"{template}: cut at {size}")
            self.assertEqual(refused(sealed + b"\0"), wanted)

    def test_v4_and_v5_lengths(self):
        more = {"AES256_GCM": 33, "XCHACHA20": 45, "AES_SIV_DET": 21, "HPKE_X25519": 53}
        body = {0: 32, 1: 33, 65535: 65567, 65536: 65568, 65537: 65585, 131072: 131120}
        body[131073] = 131137
        for template, octets in more.items():
            self.create(template, template)
            for n in (0, 1, 16, 1_000):
                sealed = base64.b64decode(self.encrypt(b"t" * n, keyset=template))
                self.assertEqual(len(sealed), n + octets, template)
        self.create("STREAM_64K", "stream")
        for n, octets in body.items():
            text = os.urandom(n)
            sealed = self.encrypt(text, keyset="stream")
            self.assertEqual(len(base64.b64decode(sealed)), octets + 5)
            self.assertEqual(self.decrypt(sealed, keyset="stream"), (1, text))

    def test_v6_nothing_of_a_bad_chunk_is_released(self):
        text = os.urandom(131_073)
        made = self.steps("seal", recipients=[RECIPIENT], plaintext=b64(text))
        sealed = base64.b64decode(made["ciphertext"])
        first = sealed.index(b"\n---") + 1
        first = sealed.index(b"\n", first) + 1 + 16
        cases = {
            sealed[:-17]: 65_536,  # without the last chunk
            sealed[:-18]: 131_072,
            sealed[:first] + sealed[first + 65_552 : first + 131_104] + sealed[first:]: 0,
            sealed + b"x": 131_072,
            sealed[:first]: 0,
        }
        for octets, released in cases.items():
            answer = self.steps("open", identities=[IDENTITY], ciphertext=b64(octets))
            self.assertEqual(answer["error"], "AUTH_FAILED")
            self.assertLessEqual(answer["released"], released)
        for octets in (sealed[: first - 1], sealed[: first - 16], b"", b"age-encryption.org/v1\n"):
            answer = self.steps("open", identities=[IDENTITY], ciphertext=b64(octets))
            self.assertEqual((answer["error"], answer["released"]), ("MALFORMED", 0))

    def test_a_keyset_is_made_once(self):
        self.create()
        self.assertEqual(self.say("create_keyset", name="k", template="HMAC"), "EXISTS")
        self.assertEqual(self.say("create_keyset", name="l", template="AES"), "INVALID_ARGUMENT")
        short = b64(b"short")
        for step, fields in (
            ("create_keyset", {"name": "m", "template": "HMAC", "key": short, "key_id": 1}),
            ("rotate", {"keyset": "k", "key": short, "key_id": 1}),
        ):
            self.assertEqual(self.say(step, **fields), "INVALID_ARGUMENT")
        self.assertEqual(self.say("rotate", keyset="none"), "KEY_UNKNOWN")

    def test_a_version_is_disabled_and_enabled(self):
        self.create()
        old = self.encrypt()
        self.assertEqual(self.say("disable", keyset="k", version=1), "done")
        self.assertEqual(self.decrypt(old), "VERSION_DISALLOWED")
        self.assertEqual(
            self.say("encrypt", keyset="k", plaintext="", aad=""), "VERSION_DISALLOWED"
        )
        self.assertEqual(self.say("enable", keyset="k", version=1), "done")
        self.assertEqual(self.decrypt(old), (1, b"text"))
        for step in ("disable", "enable", "set_primary", "set_min_decrypt", "set_min_encrypt"):
            for none in (0, 2, -1):
                self.assertEqual(self.say(step, keyset="k", version=none), "INVALID_ARGUMENT")

    def test_a_version_is_destroyed_after_its_delay(self):
        self.create()
        old = self.encrypt()
        destroy = {"keyset": "k", "version": 1, "delay_s": DAY}
        self.assertEqual(self.say("destroy", **destroy), "STILL_REFERENCED")
        self.steps("rotate", keyset="k")
        self.assertEqual(self.say("destroy", **dict(destroy, delay_s=DAY - 1)), "INVALID_ARGUMENT")
        self.assertEqual(self.say("destroy", **destroy), "done")
        self.assertEqual(self.decrypt(old), "VERSION_DISALLOWED")
        self.assertEqual(self.steps.line(f'{{"advance": {DAY}}}'), {"result": "advanced"})
        self.assertEqual(self.decrypt(old), "KEY_DESTROYED")
        self.assertEqual(self.say("enable", keyset="k", version=1), "KEY_DESTROYED")
        self.assertEqual(self.decrypt(old), "KEY_DESTROYED")
        self.assertEqual(self.say("destroy", **dict(destroy, version=2, force=True)), "done")

    def test_a_keyset_rotates_by_itself(self):
        self.create(rotate_after={"messages": 2, "seconds": 100})
        versions = [
            self.steps("encrypt", keyset="k", plaintext="", aad="")["version"] for _ in range(5)
        ]
        self.assertEqual(versions, [1, 1, 2, 2, 3])
        self.steps.line('{"advance": 100}')
        self.assertEqual(self.steps("encrypt", keyset="k", plaintext="", aad="")["version"], 4)

    def test_data_keys(self):
        self.create("AES256_GCM", rotate_after={"messages": 3})
        for bits in (128, 256, 512):
            made = self.steps("datakey", keyset="k", bits=bits, plaintext=True)
            self.assertEqual(len(base64.b64decode(made["plaintext"])) * 8, bits)
            back = self.steps("unwrap", keyset="k", wrapped=made["wrapped"])
            self.assertEqual(back["plaintext"], made["plaintext"])
            self.assertEqual(
                self.decrypt(made["wrapped"], b""), (1, base64.b64decode(made["plaintext"]))
            )
        self.assertEqual(set(self.steps("datakey", keyset="k", bits=256)), {"wrapped"})
        self.assertEqual(
            self.steps("encrypt", keyset="k", plaintext="", aad="")["version"], 2, "they count"
        )
        self.assertEqual(self.say("datakey", keyset="k", bits=192), "INVALID_ARGUMENT")
        self.assertEqual(self.say("unwrap", keyset="k", wrapped=""), "AUTH_FAILED")

    def test_signatures(self):
        for template, size in (("ED25519", 69), ("HMAC", 37)):
            self.create(template, template)
            made = self.steps("sign", keyset=template, data="aGk=")["signature"]
            self.assertEqual(len(base64.b64decode(made)), size)
            for data, wanted in (("aGk=", "true"), ("aGo=", "AUTH_FAILED")):
                said = self.say("verify", keyset=template, data=data, signature=made)
                self.assertEqual(said, wanted)
            self.assertEqual(
                self.say("encrypt", keyset=template, plaintext="", aad=""), "INVALID_ARGUMENT"
            )
        self.create()
        self.assertEqual(self.say("sign", keyset="k", data=""), "INVALID_ARGUMENT")

    def test_a_subject_is_shredded(self):
        self.create()
        of_ann, of_bob, plain = (
            self.encrypt(subject="ann"),
            self.encrypt(subject="bob"),
            self.encrypt(),
        )
        self.assertEqual(self.decrypt(of_ann, subject="ann"), (1, b"text"))
        self.assertEqual(self.decrypt(of_ann, subject="bob"), "AUTH_FAILED")
        self.assertEqual(self.say("shred", subject="ann"), "done")
        self.assertEqual(self.decrypt(of_ann), "KEY_DESTROYED")
        self.assertEqual(self.decrypt(of_ann, subject="ann"), "KEY_DESTROYED")
        self.assertEqual(self.decrypt(of_bob, subject="bob"), (1, b"text"))
        self.assertEqual(self.decrypt(plain), (1, b"text"))

    def test_a_place_is_bound(self):
        self.create()
        place = {"service": "naming", "path": "/nm/1/a", "rev": 7}
        sealed = self.steps("encrypt", keyset="k", plaintext="aGk=", aad=place)["ciphertext"]
        octets = b"\0\0\0\6naming\0\0\0\7/nm/1/a" + (7).to_bytes(8, "big")
        self.assertEqual(self.decrypt(sealed, octets), (1, b"hi"))
        for other in ({"rev": 8}, {"path": "/nm/1/b"}, {"service": "namin"}):
            answer = self.say("decrypt", keyset="k", ciphertext=sealed, aad=dict(place, **other))
            self.assertEqual(answer, "AUTH_FAILED")


@needs("services/privacy", "stores/memory")
class Lines(unittest.TestCase):
    def test_a_reference_is_what_a_step_printed(self):
        code, answers, _ = run(
            '# a comment\n\n{"create_keyset": {"name": "k", "template": "AES256_GCM"}}\n'
            '{"encrypt": {"keyset": "k", "plaintext": "aGk=", "aad": ""}}\n# another\n'
            '{"decrypt": {"keyset": "k", "ciphertext": "$2", "aad": ""}}\n'
            '{"encrypt": {"keyset": "k", "plaintext": "$3", "aad": ""}}\n'
            '{"decrypt": {"keyset": "k", "ciphertext": "$4", "aad": ""}}'
        )
        self.assertEqual(code, 0)
        self.assertEqual(answers[4], {"plaintext": "aGk=", "version": 1})

    def test_a_line_that_is_no_step_ends_with_its_number(self):
        for line in (
            "x",
            "[]",
            '{"shred": {"subject": "a"}, "rotate": {"keyset": "k"}}',
            '{"shred": {}}',
            '{"shredd": {"subject": "a"}}',
            '{"unwrap": {"keyset": "none", "wrapped": "?"}}',
            '{"unwrap": {"keyset": "none", "wrapped": "$1"}}',
            '{"encrypt": {"keyset": "none", "plaintext": "aGk", "aad": ""}}',
            '{"sign": {"keyset": "none", "data": "$1"}}',
        ):
            code, answers, said = run('# comment\n{"shred": {"subject": "a"}}\n\n' + line + "\n")
            self.assertEqual((code, answers), (2, [{"result": "done"}]), line)
            self.assertRegex(said, r"jsonl:4: ")

    def test_odd_files(self):
        self.assertEqual(run("")[:2], (0, []))
        self.assertEqual(run("# nothing\n\n")[:2], (0, []))
        step = '{"advance": 1}'
        self.assertEqual(run("\ufeff" + step)[:2], (0, [{"result": "advanced"}]))
        self.assertEqual(run(step + "\r\n\r\n" + step)[:2], (0, [{"result": "advanced"}] * 2))
        self.assertEqual(run(b'{"shred": {"subject": "\xff"}}')[0], 2)
        done = subprocess.run(
            [HECTOR, "privacy", "try", "/nothing/there"], capture_output=True, check=False
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"/nothing/there", done.stderr)


class Peer:
    """privacy_peers/peer.py in the interpreter that has Tink and rage."""

    def __init__(self):
        self.process = subprocess.Popen(
            [outside.privacy(), os.path.join(ROOT, "tests/system/privacy_peers/peer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, op, **fields):
        self.process.stdin.write(json.dumps(dict(op=op, **fields)) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


def fetched(what):
    """What `what` gives; the test is skipped where a registry does not."""
    try:
        return what()
    except RuntimeError as error:
        raise unittest.SkipTest(f"a peer cannot be fetched: {str(error)[-300:]}") from error


@needs("services/privacy", "stores/memory")
class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.peer = fetched(Peer)

    @classmethod
    def tearDownClass(cls):
        cls.peer.end()

    def setUp(self):
        self.steps = Trial()
        self.addCleanup(self.steps.end)

    def keyset(self, template, key_id):
        made = self.steps(
            "create_keyset",
            name=template,
            template=template,
            key=b64(key_of(template)),
            key_id=key_id,
        )
        self.assertEqual(made, {"version": 1, "key_id": key_id})
        return {"template": template, "key": b64(key_of(template)), "key_id": key_id}

    def test_tink_opens_ours_and_we_open_tinks(self):
        key_ids = itertools.count(0x7FFFFFFE)
        for template in ("AES256_GCM", "XCHACHA20", "AES_SIV_DET", "HPKE_X25519"):
            key = self.keyset(template, next(key_ids))
            # Without associated data Tink's AES-SIV has one empty string of it, ours has none.
            aads = (b"a", b"a" * 5_000) if template == "AES_SIV_DET" else (b"", b"a", b"a" * 5_000)
            for text, aad in itertools.product((b"", b"t", b"t" * 1_000), aads):
                with self.subTest(template, text=len(text), aad=len(aad)):
                    fields = {"keyset": template, "aad": b64(aad)}
                    ours = self.steps("encrypt", plaintext=b64(text), **fields)["ciphertext"]
                    theirs = self.peer("protect", text=b64(text), aad=b64(aad), **key)["octets"]
                    opened = self.peer("reveal", sealed=ours, aad=b64(aad), **key)
                    self.assertEqual(base64.b64decode(opened["octets"]), text)
                    opened = self.steps("decrypt", ciphertext=theirs, **fields)
                    self.assertEqual(opened, {"plaintext": b64(text), "version": 1})
                    if template == "AES_SIV_DET":
                        self.assertEqual(ours, theirs)

    def test_tink_verifies_ours_and_we_verify_tinks(self):
        for number, template in enumerate(("ED25519", "HMAC"), 1):
            key = self.keyset(template, number)
            for data in (b"", b"data", b"d" * 10_000):
                ours = self.steps("sign", keyset=template, data=b64(data))["signature"]
                theirs = self.peer("protect", text=b64(data), **key)["octets"]
                self.assertEqual(ours, theirs)
                self.peer("reveal", text=b64(data), sealed=ours, **key)
                said = self.steps("verify", keyset=template, data=b64(data), signature=theirs)
                self.assertEqual(said, {"result": "true"})

    def test_v7_rage_opens_ours_and_we_open_rages(self):
        one, two = self.peer("identity"), self.peer("identity")
        for n in (0, 1, 65_535, 65_536, 65_537, 131_072, 131_073):
            text = b64(os.urandom(n))
            sealed = self.steps(
                "seal", recipients=[one["recipient"], two["recipient"]], plaintext=text
            )["ciphertext"]
            for each in (one, two):
                opened = self.peer("rage_open", sealed=sealed, identity=each["identity"])
                self.assertEqual(opened["octets"], text)
            for armored in (False, True):
                sealed = self.peer(
                    "rage_seal", text=text, recipients=[one["recipient"]], armored=armored
                )["octets"]
                opened = self.steps("open", identities=[one["identity"]], ciphertext=sealed)
                self.assertEqual(opened, {"plaintext": text})
                refused = self.steps("open", identities=[two["identity"]], ciphertext=sealed)
                self.assertEqual(refused["error"], "NO_IDENTITY_MATCHED")

    def test_v7_age_opens_ours_and_we_open_ages(self):
        age = fetched(lambda: outside.go_program(outside.AGE))
        one = self.peer("identity")
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as identity:
            identity.write(one["identity"] + "\n")
            identity.flush()
            for n in (0, 1, 65_536, 65_537, 131_073):
                text = os.urandom(n)
                sealed = self.steps("seal", recipients=[one["recipient"]], plaintext=b64(text))[
                    "ciphertext"
                ]
                opened = subprocess.run(
                    [age, "-d", "-i", identity.name],
                    input=base64.b64decode(sealed),
                    capture_output=True,
                    check=True,
                )
                self.assertEqual(opened.stdout, text)
                for options in ([], ["--armor"]):
                    sealed = subprocess.run(
                        [age, "-r", one["recipient"], *options],
                        input=text,
                        capture_output=True,
                        check=True,
                    ).stdout
                    opened = self.steps(
                        "open", identities=[one["identity"]], ciphertext=b64(sealed)
                    )
                    self.assertEqual(opened, {"plaintext": b64(text)})


if __name__ == "__main__":
    unittest.main()
