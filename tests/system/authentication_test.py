"""The Authentication service, asked from a shell: the cases A2 to A12 as far as it has them.

What: chains and tokens with their verdicts; tokens that are made, delegated, used twice, revoked;
watches; kill -9.
Why: whose a credential is decides everything else.
Who: ctest.

Not here: attestation (A10), Bindings that end when a policy changes (A8), and what A9 says of a
hundred capsules that bind meanwhile.
"""

import base64
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
import unittest
import uuid

import identity_files as f
import outside
import waiting
from capsules import CommandFailed, Capsules
from etcd_server import Etcd
from kerberos_realm import Realm
from needs import durable, needs

HUB = """capsule: hub
protocols: {{{protocols}}}
services: {{authentication: {{settings: {{{settings}}}}}}}
"""
US = "spiffe://td/us"
SERVICE = "spiffe://td/service/authentication"
A, B, C = "spiffe://td/a", "spiffe://td/b", "spiffe://td/c"


def b64(octets):
    return base64.b64encode(octets).decode()


class Domain:
    """Of an authority for chains, and a key for tokens."""

    def __init__(self, name):
        self.name = name
        self.now = int(time.time())
        self.root_key, self.token_key, self.leaf_key = f.curve_key(), f.curve_key(), f.curve_key()
        self.rsa = f.rsa_key()
        self.root = f.authority(self.root_key, subject=f"root of {name}", **self.valid())

    def valid(self, begin=-3600, end=3600):
        return {"begin": self.now + begin, "end": self.now + end}

    def bundle(self):
        keys = [
            f.web_key(self.token_key, use="jwt-svid", kid="ec"),
            f.web_key(self.rsa, use="jwt-svid", kid="rsa"),
        ]
        return {"domain": self.name, "x509": self.root.pem(), "jwks": json.dumps({"keys": keys})}

    def leaf(self, uri, extensions=None, **fields):
        fields.setdefault("extensions", extensions or f.leaf_extensions(uri))
        valid = self.valid()
        valid.update(fields)
        return f.leaf(self.leaf_key, self.root, **valid)

    def claims(self, subject=A, audience=US, **more):
        claims = {"sub": subject, "aud": audience, "exp": self.now + 300, **more}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, subject=A, audience=US, **more):
        return f.token(
            self.token_key, {"alg": "ES256", "kid": "ec"}, self.claims(subject, audience, **more)
        )

    def proof(self, subject=A, audience=SERVICE, **more):
        more.setdefault("jti", str(uuid.uuid4()))
        return f.token(self.leaf_key, {"alg": "ES256"}, self.claims(subject, audience, **more))


class Service(unittest.TestCase):
    settings = "trust_domain: td"
    protocols = 'udp: {listen: "127.0.0.1:0"}'

    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)
        self.start()
        self.td = Domain("td")
        self.call("federate", self.td.bundle())

    def start(self):
        self.capsules.configure("hub", HUB.format(protocols=self.protocols, settings=self.settings))

    def kill(self):
        process = self.capsules.processes["hub"]
        process.kill()
        process.wait()

    def call(self, operation, message):
        return self.capsules.call(f"authentication.{operation}", message, "hub")

    def refused(self, operation, message):
        """The name of the refusal."""
        with self.assertRaises(CommandFailed) as caught:
            self.call(operation, message)
        return self.name_of(str(caught.exception))

    @staticmethod
    def name_of(text):
        words = [word.rstrip(":") for word in text.split() if word.endswith(":")]
        return next((word for word in words[:3] if word.isupper() and word in NAMES), text)

    def verdict(self, credential, audience=US, **more):
        """The principal's id, or the name of the refusal."""
        message = {"credential": credential, "audience": audience, **more}
        try:
            return self.call("authenticate", message)["id"]
        except CommandFailed as failed:
            return self.name_of(str(failed))

    def jwt(self, token, audience=US, **more):
        return self.verdict({"jwt": token}, audience, **more)

    def x509(self, certificate, **more):
        pem = certificate if isinstance(certificate, str) else certificate.pem()
        return self.verdict({"x509": pem}, **more)


NAMES = {
    "MALFORMED",
    "UNTRUSTED_DOMAIN",
    "BAD_SIGNATURE",
    "ALG_REFUSED",
    "NOT_YET_VALID",
    "EXPIRED",
    "WRONG_AUDIENCE",
    "REVOKED",
    "BINDING_MISMATCH",
    "REPLAY",
    "DELEGATION_REFUSED",
    "NO_DOMAIN",
    "NOT_LIFTED",
    "NOT_REVOKED",
    "RATE_LIMITED",
    "TOO_MANY",
}


@needs("services/authentication", "stores/sqlite", "protocols/udp")
class Credentials(Service):
    def test_a2_ids(self):
        self.assertEqual(self.x509(self.td.leaf(A)), A)
        for wrong in (
            "spiffe://TD/a",
            "spiffe://td/a/",
            "spiffe://td//a",
            "spiffe://td:1/a",
            "spiffe://td/a/../b",
            "spiffe://td",
            "https://td/a",
        ):
            with self.subTest(wrong):
                self.assertEqual(self.x509(self.td.leaf(wrong)), "MALFORMED")
                self.assertEqual(self.jwt(self.td.token(wrong)), "MALFORMED")

    def test_a3_one_domains_authority_does_not_speak_for_another(self):
        other = Domain("other")
        self.call("federate", other.bundle())
        self.assertEqual(self.x509(other.leaf("spiffe://other/x")), "spiffe://other/x")
        self.assertEqual(self.x509(other.leaf("spiffe://td/x")), "UNTRUSTED_DOMAIN")
        self.assertEqual(self.x509(self.td.leaf("spiffe://other/x")), "UNTRUSTED_DOMAIN")
        forged = f.token(other.token_key, {"alg": "ES256", "kid": "ec"}, self.td.claims())
        self.assertEqual(self.jwt(forged), "BAD_SIGNATURE")

    def test_a4_a_leaf_is_no_authority(self):
        uri = f.alternative((f.URI, A))
        authority = [f.basic(True), f.usage(f.DIGITAL_SIGNATURE), uri]
        signer = [f.basic(False), f.usage(f.DIGITAL_SIGNATURE, f.KEY_CERT_SIGN), uri]
        for extensions in (authority, signer):
            self.assertEqual(self.x509(self.td.leaf(A, extensions)), "MALFORMED")

    def test_a5_tokens(self):
        td = self.td
        ends = {"kid": "rsa"}
        claims = td.claims()
        none = f.token(td.rsa, {"alg": "none", **ends}, claims, signature=b"")
        self.assertEqual(self.jwt(none), "ALG_REFUSED")
        hmac = f.token(td.rsa, {"alg": "HS256", **ends}, claims)
        self.assertEqual(self.jwt(hmac), "ALG_REFUSED")
        for algorithm in ("RS256", "PS384"):
            good = f.token(td.rsa, {"alg": algorithm, **ends}, claims)
            self.assertEqual(self.jwt(good), A)
        self.assertEqual(self.jwt(td.token(audience=None)), "WRONG_AUDIENCE")
        self.assertEqual(self.jwt(td.token(audience="spiffe://td/them")), "WRONG_AUDIENCE")
        self.assertEqual(self.jwt(td.token(), audience=""), "WRONG_AUDIENCE")
        now = int(time.time())
        self.assertEqual(self.jwt(td.token(exp=now - 61)), "EXPIRED")
        self.assertEqual(self.jwt(td.token(exp=now - 50)), A)
        answer = self.call("validate_jwt", {"token": td.token(jti="x"), "audience": US})
        self.assertEqual((answer["id"], answer["trust_domain"]), (A, "td"))
        self.assertEqual((answer["method"], answer["strength"]), ("jwt", 128))
        self.assertEqual((answer["caller"], answer["token_id"]), (A, "x"))

    @durable
    def test_a7_a_bind_token_is_accepted_once_also_after_kill_9(self):
        token = self.td.token(jti="one")
        self.assertEqual(self.jwt(token), A, "one that is not used up")
        self.assertEqual(self.jwt(token, once=True), A)
        self.assertEqual(self.jwt(token, once=True), "REPLAY")
        self.assertEqual(self.jwt(self.td.token(jti="two"), once=True), A)
        self.assertEqual(self.jwt(self.td.token(), once=True), "MALFORMED", "it has no jti")
        self.kill()
        self.start()
        self.assertEqual(self.jwt(token, once=True), "REPLAY")
        self.assertEqual(self.jwt(self.td.token(jti="three"), once=True), A)

    def test_a7_of_many_that_come_at_once_one_is_accepted(self):
        for turn in range(3):
            token = self.td.token(jti=f"race {turn}")
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                verdicts = list(pool.map(lambda _, t=token: self.jwt(t, once=True), range(8)))
            self.assertEqual(sorted(verdicts), ["REPLAY"] * 7 + [A])

    def test_a7_a_token_that_is_refused_is_not_used_up(self):
        token = self.td.token(jti="one")
        self.assertEqual(self.jwt(token, "spiffe://td/them", once=True), "WRONG_AUDIENCE")
        self.assertEqual(self.jwt(token, once=True), A)

    def test_a12_a_clock_that_is_late(self):
        """What a verifier two hours behind sees."""
        late = self.td.now + 7200
        self.assertEqual(self.jwt(self.td.token(nbf=late, exp=late + 300)), "NOT_YET_VALID")
        self.assertEqual(self.jwt(self.td.token(iat=late, exp=late + 300)), "NOT_YET_VALID")
        leaf = self.td.leaf(A, begin=late, end=late + 300)
        self.assertEqual(self.x509(leaf), "NOT_YET_VALID")
        self.assertEqual(self.x509(self.td.leaf(A, begin=late - 9000, end=late - 8000)), "EXPIRED")
        self.assertIn("NOT_YET_VALID", self.capsules.log("hub"))

    def test_a_token_is_its_channels_alone(self):
        mine = hashlib.sha256(self.td.leaf(A).der()).digest()
        bound = self.td.token(cnf={"x5t#S256": f.url64(mine)})
        self.assertEqual(self.jwt(bound, channel_binding=b64(mine)), A)
        self.assertEqual(self.jwt(bound), "BINDING_MISMATCH")
        self.assertEqual(self.jwt(bound, channel_binding=b64(bytes(32))), "BINDING_MISMATCH")
        self.assertEqual(self.jwt(self.td.token(cnf={"jkt": "x"})), "MALFORMED")
        pem = self.td.leaf(A).pem()
        proved = hashlib.sha256(base64.b64decode("".join(pem.splitlines()[1:-1]))).digest()
        self.assertEqual(self.x509(pem, channel_binding=b64(proved)), A)
        self.assertEqual(self.x509(pem, channel_binding=b64(bytes(32))), "BINDING_MISMATCH")

    def test_a_proof_is_the_leafs_own_and_used_once(self):
        pem = self.td.leaf(A).pem()
        proof = self.td.proof(audience=US)
        self.assertEqual(self.verdict({"x509": pem, "proof": proof}), A)
        self.assertEqual(self.verdict({"x509": pem, "proof": proof}), "REPLAY")
        for wrong, name in (
            (self.td.proof(), "WRONG_AUDIENCE"),
            (self.td.proof(B, US), "BAD_SIGNATURE"),
            (self.td.token(jti="x"), "BAD_SIGNATURE"),
            (self.td.proof(audience=US, exp=self.td.now - 100), "EXPIRED"),
            (self.td.proof(audience=US, exp=self.td.now + 9999), "MALFORMED"),
            (self.td.proof(audience=US, jti=None), "MALFORMED"),
        ):
            with self.subTest(name):
                self.assertEqual(self.verdict({"x509": pem, "proof": wrong}), name)

    def test_a9_authorities_overlap_and_the_old_one_goes(self):
        td, new = self.td, Domain("td")
        new.root.fields["subject"] = "the next root"
        old_leaf, both = td.leaf(A).pem(), td.bundle()
        both["x509"] += new.root.pem()
        self.call("federate", both)
        new_leaf = new.leaf(A).pem()
        for _ in range(5):
            self.assertEqual(self.x509(old_leaf), A)
            self.assertEqual(self.x509(new_leaf), A)
        self.call("federate", {**both, "x509": new.root.pem()})
        self.assertEqual(self.x509(new_leaf), A)
        self.assertEqual(self.x509(old_leaf), "UNTRUSTED_DOMAIN")


@needs("services/authentication", "stores/sqlite", "protocols/udp")
class Tokens(Service):
    def holder(self, principal=A):
        return {"jwt": self.td.token(principal, SERVICE, jti=str(uuid.uuid4()))}

    def delegate(self, holder, to, rights, **more):
        message = {"credential": holder, "principal": to, "rights": rights, **more}
        return self.call("delegate", message)["token"]

    def act(self, subject_token, actor, **more):
        message = {"subject_token": subject_token, "actor": self.holder(actor), **more}
        message.setdefault("audiences", [US, SERVICE])
        return self.call("exchange", message)["token"]

    def test_minted_tokens_are_their_principals_for_five_minutes_at_most(self):
        for credential in (
            self.holder(),
            {"x509": self.td.leaf(A).pem(), "proof": self.td.proof()},
        ):
            made = self.call("mint_jwt", {"credential": credential, "audiences": [US], "ttl_s": 60})
            self.assertEqual(self.jwt(made["token"]), A)
            self.assertEqual(self.jwt(made["token"], SERVICE), "WRONG_AUDIENCE")
            self.assertLessEqual(int(made["not_after_s"]), time.time() + 60)
        late = {"credential": self.holder(), "audiences": [US], "ttl_s": 301}
        self.assertIn("INVALID_ARGUMENT", self.refused("mint_jwt", late))
        alone = {"credential": {"x509": self.td.leaf(A).pem()}, "audiences": [US]}
        self.assertIn("a chain is no secret", self.refused("mint_jwt", alone))
        self.assertIn("give a credential", self.refused("mint_jwt", {"audiences": [US]}))
        other = Domain("other")
        self.call("federate", other.bundle())
        foreign = {"jwt": other.token("spiffe://other/a", SERVICE)}
        self.assertEqual(
            self.refused("mint_jwt", {"credential": foreign, "audiences": [US]}), "UNTRUSTED_DOMAIN"
        )

    @durable
    def test_minted_tokens_outlive_kill_9(self):
        made = self.call("mint_jwt", {"credential": self.holder(), "audiences": [US]})
        self.kill()
        self.start()
        self.assertEqual(self.jwt(made["token"]), A)

    def test_bound_tokens_are_minted(self):
        mine = bytes(range(32))
        asked = {"credential": self.holder(), "audiences": [US], "bound_to": b64(mine)}
        token = self.call("mint_jwt", asked)["token"]
        self.assertEqual(self.jwt(token), "BINDING_MISMATCH")
        self.assertEqual(self.jwt(token, channel_binding=b64(mine)), A)

    def test_a_chain_of_delegations_names_initiator_and_caller(self):
        held, names = self.holder(), [B, C, "spiffe://td/d", "spiffe://td/e"]
        for to in names:
            held = {"jwt": self.act(self.delegate(held, to, ["bind:*"]), to)}
        answer = self.call("validate_jwt", {"token": held["jwt"], "audience": US})
        self.assertEqual((answer["id"], answer["caller"]), (A, names[-1]))
        self.assertEqual(answer["actors"], names[::-1])
        self.assertEqual((answer["is_attenuated"], answer["rights"]), (True, ["bind:*"]))
        fifth = {"credential": held, "principal": "spiffe://td/f", "rights": ["bind:x"]}
        self.assertEqual(self.refused("delegate", fifth), "DELEGATION_REFUSED")
        claims = held["jwt"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        self.assertEqual(claims["act"]["sub"], names[3])
        self.assertEqual(claims["act"]["act"]["act"]["act"], {"sub": B})

    def test_rights_and_lifetimes_shrink_only(self):
        held = {"jwt": self.act(self.delegate(self.holder(), B, ["bind:*"], ttl_s=60), B)}
        wider = {"credential": held, "principal": C, "rights": ["*"]}
        self.assertEqual(self.refused("delegate", wider), "DELEGATION_REFUSED")
        longer = {"credential": held, "principal": C, "rights": ["bind:x"], "ttl_s": 120}
        self.assertEqual(self.refused("delegate", longer), "DELEGATION_REFUSED")
        narrow = self.act(self.delegate(held, C, ["bind:x", "bind:y"]), C, rights=["bind:x"])
        answer = self.call("validate_jwt", {"token": narrow, "audience": US})
        self.assertEqual(answer["rights"], ["bind:x"])
        self.assertLessEqual(int(answer["not_after_s"]), time.time() + 60)

    def test_a_stolen_delegation_is_worth_nothing(self):
        token = self.delegate(self.holder(), B, ["*"])
        thief = {"subject_token": token, "actor": self.holder(C), "audiences": [US]}
        self.assertEqual(self.refused("exchange", thief), "DELEGATION_REFUSED")
        self.assertEqual(self.jwt(token), "WRONG_AUDIENCE")
        use = {"credential": {"jwt": token}, "audiences": [US]}
        self.assertEqual(self.refused("mint_jwt", use), "DELEGATION_REFUSED")
        plain = {"subject_token": self.holder()["jwt"], "actor": self.holder(B), "audiences": [US]}
        self.assertEqual(self.refused("exchange", plain), "DELEGATION_REFUSED")

    def test_what_was_made_from_what_is_revoked_is_revoked(self):
        first = self.td.token(A, SERVICE, jti="first")
        acting = self.act(self.delegate({"jwt": first}, B, ["*"]), B)
        self.assertEqual(self.jwt(acting), A)
        self.call("revoke", {"domain": "td", "jti": "first"})
        self.assertEqual(self.jwt(acting), "REVOKED")
        acting = self.act(self.delegate(self.holder(), B, ["*"]), B)
        self.call("revoke", {"principal": B, "reason": "left"})
        self.assertEqual(self.jwt(acting), "REVOKED", "the actor")
        self.call("reinstate", {"principal": B})
        self.assertEqual(self.jwt(acting), A)


@needs("services/authentication", "stores/sqlite", "protocols/udp")
class Trust(Service):
    def certificates(self, pem):
        message = {"credential": {"x509": pem}}
        return self.call("authenticate", message)["certificates"]

    @durable
    def test_a_revoked_certificate_is_refused_at_once_and_after_kill_9(self):
        pem, other = self.td.leaf(A, serial=0x1234).pem(), self.td.leaf(A, serial=0x1235).pem()
        key_id, serial = self.certificates(pem)[0].split()
        self.assertEqual(serial, "1234")
        self.assertEqual(key_id, self.td.root_key.identifier.hex())
        self.call("revoke", {"domain": "td", "serial": "12:34"})
        self.assertEqual(self.x509(pem), "REVOKED")
        self.assertEqual(self.x509(other), A)
        self.call("revoke", {"domain": "td", "serial": "1235", "key_id": "00"})
        self.assertEqual(self.x509(other), A, "another authority's serial")
        back = {"domain": "td", "serial": "1234"}
        self.assertEqual(self.refused("reinstate", back), "NOT_LIFTED")
        self.kill()
        self.start()
        self.assertEqual(self.x509(pem), "REVOKED")
        self.assertEqual(self.x509(other), A, "the bundle is there as well")

    def test_domains_come_and_go(self):
        other = Domain("other")
        token = other.token("spiffe://other/a")
        self.assertEqual(self.jwt(token), "UNTRUSTED_DOMAIN")
        revision = int(self.call("federate", other.bundle())["revision"])
        self.assertEqual(self.jwt(token, at_least=revision), "spiffe://other/a")
        self.assertIn("FAILED_PRECONDITION", self.jwt(token, at_least=revision + 1000))
        listed = self.call("list_domains", {})["bundles"]
        self.assertEqual(
            [(each["domain"], each.get("is_own", False)) for each in listed],
            [("other", False), ("td", True)],
        )
        self.call("defederate", {"domain": "other"})
        self.assertEqual(self.jwt(token), "UNTRUSTED_DOMAIN")
        for wrong in ({"x509": "no PEM"}, {"jwks": "{}"}, {}):
            refused = self.refused("federate", {"domain": "other", **wrong})
            self.assertIn("INVALID_ARGUMENT", refused)

    def test_a_bundle_is_given_on_to_another_service(self):
        token = self.call(
            "mint_jwt", {"credential": {"jwt": self.td.token(A, SERVICE)}, "audiences": [US]}
        )["token"]
        bundle = self.call("get_bundle", {"domain": "td"})
        self.assertTrue(bundle["is_own"])
        self.capsules.configure(
            "north", HUB.format(protocols=self.protocols, settings="").replace("hub", "north")
        )

        def north(operation, message):
            return self.capsules.call(f"authentication.{operation}", message, "north")

        question = {"token": token, "audience": US}
        with self.assertRaises(CommandFailed) as caught:
            north("validate_jwt", question)
        self.assertEqual(self.name_of(str(caught.exception)), "UNTRUSTED_DOMAIN")
        north("federate", bundle)
        self.assertEqual(north("validate_jwt", question)["id"], A)
        with self.assertRaises(CommandFailed) as caught:
            north("mint_jwt", {"credential": {"jwt": token}, "audiences": [US]})
        self.assertIn("WRONG_AUDIENCE", str(caught.exception))
        self.assertEqual(self.refused("get_bundle", {"domain": "elsewhere"}), "NO_DOMAIN")

    def test_is_joined_by_another_capsule(self):
        joined = HUB.replace("capsule: hub", "capsule: south").replace(
            "{{settings: {{{settings}}}}}", "{{joined: hub}}"
        )
        self.capsules.configure("south", joined.format(protocols=self.protocols))
        question = {"token": self.td.token(), "audience": US}
        answer = self.capsules.call("authentication.validate_jwt", question, "south")
        self.assertEqual(answer["id"], A)

    def test_groups_are_of_entries_alone(self):
        token = self.td.token(groups=["administrators"])
        answer = self.call("validate_jwt", {"token": token, "audience": US})
        self.assertEqual(answer.get("groups", []), [])
        self.call("put_entry", {"id": A, "groups": ["nurses"], "attributes": {"ward": "7"}})
        answer = self.call("validate_jwt", {"token": token, "audience": US})
        self.assertEqual((answer["groups"], answer["attributes"]), (["nurses"], {"ward": "7"}))


@needs("services/authentication", "stores/sqlite", "protocols/udp", "protocols/grpc")
class Watches(Service):
    protocols = 'udp: {listen: "127.0.0.1:0"}, grpc: {listen: "127.0.0.1:0"}'

    def watch(self, operation, message):
        """What it has told so far."""
        out = os.path.join(self.capsules.folder, f"{operation}.told")
        command = [outside.go_program(outside.GRPCURL), "-plaintext", "-d", json.dumps(message)]
        command += [self.capsules.address("hub", "grpc"), f"hector.Authentication/{operation}"]
        with open(out, "wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def told():
            with open(out, encoding="utf-8") as file:
                return file.read()

        return told

    def within_a_second(self, told, text):
        waiting.until(lambda: text in told(), 1.0, told)

    def test_a_revocation_is_told_within_a_second(self):
        self.call("revoke", {"principal": A})
        told = self.watch("revocations", {})
        waiting.until(lambda: A in told(), 20, told)
        self.call("revoke", {"principal": B, "reason": "left"})
        self.within_a_second(told, B)
        self.call("revoke", {"domain": "td", "serial": "1234"})
        self.within_a_second(told, f"certificate {self.td.root_key.identifier.hex()} 1234")
        self.call("reinstate", {"principal": B})
        self.within_a_second(told, '"is_lifted": true')

    def test_a_bundle_is_told_within_a_second(self):
        told = self.watch("bundles", {"domain": "other"})
        waiting.until(lambda: "other" in told(), 20, told)
        other = Domain("other")
        self.call("federate", {"domain": "other", "x509": other.root.pem()})
        self.within_a_second(told, "BEGIN CERTIFICATE")
        self.call("federate", other.bundle())
        self.within_a_second(told, "jwt-svid")
        self.call("defederate", {"domain": "other"})
        waiting.until(lambda: told().count('"revision"') == 4, 1.0, told)


@needs("services/authentication", "stores/sqlite", "protocols/udp")
class Audit(Service):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hector-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.log = os.path.join(self.folder, "acts.log")
        self.settings = f"trust_domain: td, audit: {self.log}"
        super().setUp()

    def records(self):
        with open(self.log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_a12_each_verdict_is_recorded_before_it_is_told(self):
        late = self.td.now + 7200
        self.assertEqual(self.jwt(self.td.token(nbf=late, exp=late + 300)), "NOT_YET_VALID")
        last = self.records()[-1]
        self.assertEqual((last["action"], last["outcome"]), ("authenticate", "refused"))
        self.assertIn("NOT_YET_VALID", last["reasons"][0])
        self.assertEqual(self.jwt(self.td.token()), A)
        last = self.records()[-1]
        self.assertEqual((last["principal"], last["outcome"]), (A, "done"))
        asked = {"credential": {"jwt": self.td.token(A, SERVICE)}, "audiences": [US]}
        made = self.call("mint_jwt", asked)
        last = self.records()[-1]
        self.assertEqual((last["action"], last["principal"]), ("mint_jwt", A))
        self.assertEqual(last["reasons"], ["token " + made["id"]])
        self.assertEqual(self.jwt(self.td.token(jti="one"), once=True), A)
        self.assertEqual(self.jwt(self.td.token(jti="one"), once=True), "REPLAY")
        self.assertIn("REPLAY", self.records()[-1]["reasons"][0])
        self.assertEqual([each["seq"] for each in self.records()], [1, 2, 3, 4, 5])
        self.capsules.hector("audit", "verify", self.log)

    def test_what_cannot_be_recorded_is_not_accepted(self):
        self.assertEqual(self.jwt(self.td.token()), A)
        # A disk without room, as far as this process is concerned.
        limit = os.path.getsize(self.log)
        pid = str(self.capsules.processes["hub"].pid)
        subprocess.run(["prlimit", "--pid", pid, f"--fsize={limit}:unlimited"], check=True)
        self.assertIn("cannot be recorded", self.jwt(self.td.token()))
        self.assertEqual(self.jwt(self.td.token(), "them"), "WRONG_AUDIENCE")
        subprocess.run(["prlimit", "--pid", pid, "--fsize=unlimited:unlimited"], check=True)
        self.assertEqual(self.jwt(self.td.token()), A)


@unittest.skipUnless(shutil.which("etcd"), "needs etcd")
@needs("services/authentication", "stores/etcd", "protocols/udp")
class OnASharedStore(Service):
    """Two capsules that know the same."""

    def start(self):
        etcd = Etcd()
        etcd.__enter__()
        self.addCleanup(etcd.__exit__)
        for name in ("hub", "north"):
            text = HUB.format(protocols=self.protocols, settings=self.settings)
            text = text.replace("hub", name) + f"store: etcd://127.0.0.1:{etcd.port}/both\n"
            self.capsules.configure(name, text)

    def north(self, operation, message):
        """What the other capsule answers: a principal's id or a token, or the name of a refusal."""
        try:
            answer = self.capsules.call(f"authentication.{operation}", message, "north")
        except CommandFailed as failed:
            return self.name_of(str(failed))
        return answer.get("token") or answer["id"]

    def north_judges(self, token, **more):
        return self.north("authenticate", {"credential": {"jwt": token}, "audience": US, **more})

    def test_a_bind_token_is_accepted_by_one_of_them(self):
        for turn in range(5):
            token = self.td.token(jti=f"one {turn}")
            waiting.until(lambda: self.north_judges(token) == A, 5)
            self.assertEqual(self.jwt(token, once=True), A)
            self.assertEqual(self.north_judges(token, once=True), "REPLAY")

    def test_tokens_are_each_others_and_a_revocation_is_both_theirs_within_a_second(self):
        holder = {"jwt": self.td.token(A, SERVICE)}
        asked = {"credential": holder, "audiences": [US]}
        waiting.until(lambda: self.north("mint_jwt", asked) not in NAMES, 5)
        made = self.north("mint_jwt", asked)
        self.assertEqual(self.jwt(made), A)
        self.call("revoke", {"principal": A})
        waiting.until(lambda: self.north_judges(made) == "REVOKED", 1.0)


@unittest.skipUnless(os.path.exists("/usr/sbin/krb5kdc"), "needs krb5-kdc")
@needs("services/authentication", "stores/sqlite", "protocols/udp")
class Kerberos(Service):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="hector-")
        self.addCleanup(shutil.rmtree, folder)
        self.realm = Realm(os.path.join(folder, "R1"), "R1")
        self.settings = f"trust_domain: td, keytab: {self.realm.path('keytab')}"
        self.realm.start()
        self.addCleanup(self.realm.stop)
        for name in ("ann", "other/guard"):
            self.realm.add(name)
        self.realm.sign_in("ann")
        super().setUp()

    def start(self):
        self.capsules.environment.update(self.realm.environment)
        super().start()

    def gss(self, token, **more):
        return self.verdict({"gss": b64(token)}, **more)

    def test_a11_a_ticket_of_a_realm_that_is_not_mapped_and_of_one_that_is(self):
        self.assertEqual(self.gss(self.realm.token()), "UNTRUSTED_DOMAIN")
        self.call("map_realm", {"realm": "R1"})
        self.call("put_entry", {"id": "krb:ann@R1", "groups": ["nurses"]})
        message = {"credential": {"gss": b64(self.realm.token())}}
        answer = self.call("authenticate", message)
        self.assertEqual((answer["id"], answer["trust_domain"]), ("krb:ann@R1", "R1"))
        self.assertEqual((answer["method"], answer["groups"]), ("gss", ["nurses"]))
        self.assertGreaterEqual(answer["strength"], 128)
        self.assertGreater(int(answer["not_after_s"]), time.time() + 60)
        self.call("revoke", {"principal": "krb:ann@R1"})
        self.assertEqual(self.gss(self.realm.token()), "REVOKED")
        self.call("reinstate", {"principal": "krb:ann@R1"})
        self.call("unmap_realm", {"realm": "R1"})
        self.assertEqual(self.gss(self.realm.token()), "UNTRUSTED_DOMAIN")

    @durable
    def test_a_ticket_is_shown_once_also_after_kill_9(self):
        self.call("map_realm", {"realm": "R1"})
        token = self.realm.token()
        self.assertEqual(self.gss(token), "krb:ann@R1")
        self.assertEqual(self.gss(token), "REPLAY")
        self.kill()
        self.start()
        self.assertEqual(self.gss(token), "REPLAY")
        self.assertEqual(self.gss(self.realm.token()), "krb:ann@R1")

    def test_a_ticket_is_its_servers_and_its_channels(self):
        self.call("map_realm", {"realm": "R1"})
        self.assertEqual(self.gss(self.realm.token("other/guard")), "WRONG_AUDIENCE")
        mine, theirs = bytes(range(32)), bytes(32)
        bound = self.realm.token(binding=mine)
        self.assertEqual(self.gss(bound, channel_binding=b64(theirs)), "BINDING_MISMATCH")
        bound = self.realm.token(binding=mine)
        self.assertEqual(self.gss(bound, channel_binding=b64(mine)), "krb:ann@R1")
        self.assertEqual(self.gss(self.realm.token(binding=mine)), "BINDING_MISMATCH")
        self.assertEqual(self.gss(self.realm.token(), channel_binding=b64(mine)), "krb:ann@R1")
        mint = {"credential": {"gss": b64(self.realm.token())}, "audiences": [US]}
        self.assertIn("INVALID_ARGUMENT", self.refused("mint_jwt", mint))

    def test_rubbish_is_refused_by_a_name(self):
        """A ticket whose octets are changed, cut or repeated."""
        self.call("map_realm", {"realm": "R1"})
        token = self.realm.token()
        random.seed(7)
        for turn in range(60):
            octets = bytearray(token)
            at = random.randrange(len(octets))
            if turn % 3 == 0:
                octets[at] ^= 1 << random.randrange(8)
            elif turn % 3 == 1:
                del octets[at:]
            else:
                octets[at:at] = octets[:at]
            verdict = self.gss(bytes(octets))
            self.assertNotIn("UNAVAILABLE", verdict, turn)
            self.assertIn(verdict, NAMES | {"krb:ann@R1", "INVALID_ARGUMENT"}, (turn, at))
        self.assertIsNone(self.capsules.processes["hub"].poll())


@needs("services/authentication", "stores/sqlite", "protocols/udp", "protocols/grpc")
class Rates(Service):
    settings = "trust_domain: td, rate_per_s: 1"
    protocols = 'udp: {listen: "127.0.0.1:0"}, grpc: {listen: "127.0.0.1:0"}'

    def from_outside(self, token):
        message = json.dumps({"token": token, "audience": US})
        command = [outside.go_program(outside.GRPCURL), "-plaintext", "-d", message]
        command += [self.capsules.address("hub", "grpc"), "hector.Authentication/validate_jwt"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return A if done.returncode == 0 else done.stderr

    def test_a_peer_that_shows_too_many_is_told_so(self):
        token = self.td.token()
        verdicts = [self.from_outside(token) for _ in range(40)]
        self.assertIn(A, verdicts)
        self.assertTrue(any("RATE_LIMITED" in each for each in verdicts), verdicts[-1])
        self.assertEqual({self.jwt(token) for _ in range(10)}, {A}, "the capsule itself is no peer")
        waiting.until(lambda: self.from_outside(token) == A, 20)


if __name__ == "__main__":
    unittest.main()
