"""Capsules that prove who they are, and want the same of their peers.

What: TLS with strangers, with revoked and expired peers, and while identities change; roles of
management; the command line with an identity and without.
Why: what a capsule lets in is decided in the handshake, before anything of a stranger is read.
Who: ctest.
"""

import base64
import os
import re
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import http2_peer as h2
import waiting
from capsules import Capsules, CommandFailed
from needs import needs

CAPSULE = """capsule: {name}
protocols: {{{protocols}}}
{more}
"""
GRPC = 'grpc: {listen: "127.0.0.1:0"}'
LIST = b"\x0a\x09protocols"
REQUEST_LOAD = b"\x0a\x08template\x12\x0c/tmp/none.so"
DENIED = 4


def grpc_status(text):
    found = re.search(rb"grpc-status.(\d+)", text)
    return int(found.group(1)) if found else None


class Secured(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules(realm="td.example")
        self.addCleanup(self.capsules.stop)

    def start(self, name="north", protocols=GRPC, more=""):
        self.capsules.configure(
            name, CAPSULE.format(name=name, protocols=protocols, more=more)
        )

    def identity(self, name, *options):
        """The file of a new identity."""
        self.capsules.hector("identity", "issue", name, *options)
        return os.path.join(self.capsules.realm, "identities", name.replace("/", "+") + ".pem")

    def context(self, file=None, realm=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(os.path.join(realm or self.capsules.realm, "bundle.pem"))
        context.set_alpn_protocols(["h2"])
        if file:
            context.load_cert_chain(file)
        return context

    def place(self, capsule="north"):
        address, _, principal = self.capsules.address(capsule, "grpc").partition("/")
        self.assertEqual(principal, f"capsule:{capsule}", "the address says who must answer")
        return address

    def refusal(self, context):
        """What a client is told that is not let in. Empty: it is let in."""
        host, port = self.place().rsplit(":", 1)
        plain = socket.create_connection((host, int(port)), 10)
        self.addCleanup(plain.close)
        try:
            peer = context.wrap_socket(plain, server_hostname="localhost")
            self.addCleanup(peer.close)
            peer.sendall(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0))
            return "" if peer.recv(65536) else "closed without a word"
        except (ssl.SSLError, ConnectionResetError) as refused:
            return str(refused)

    def call(self, context, method, request, claim=None):
        """The status of a call, and all that came with it. `claim`: the principal that its header
        (docs/wire.md) says it is of.
        """
        peer = h2.Peer(self.place(), context=context)
        self.addCleanup(peer.close)
        peer.acknowledge()
        extra = []
        if claim:
            octets = bytes([1, 8 | 32]) + bytes(8 + 3) + bytes([len(claim)]) + claim.encode()
            extra = [("hector-header-bin", base64.b64encode(octets).decode())]
        peer.send(peer.open(method, extra))
        peer.send(h2.frame(h2.DATA, h2.END_STREAM, 1, h2.message(request)))
        said = b""
        while grpc_status(said) is None:
            more = peer.socket.recv(65536)
            self.assertTrue(more, "the connection was closed without an answer")
            said += more
        return grpc_status(said), said


@needs("protocols/grpc")
class Strangers(Secured):
    def test_are_refused_in_the_handshake_and_told_why(self):
        self.start()
        other = tempfile.TemporaryDirectory()
        self.addCleanup(other.cleanup)
        realm = os.path.join(other.name, "realm")
        self.capsules.hector("init", realm, "td.example")
        strange = os.path.join(realm, "identities", "operator+admin.pem")
        revoked = self.identity("capsule/revoked")
        self.capsules.hector("identity", "revoke", "capsule/revoked")
        waiting.until(lambda: "read again" in self.capsules.log("north"), 5)
        old = self.context(self.identity("capsule/old"))
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        for context, told in (
            (self.context(), "certificate required"),
            (self.context(strange), "unknown ca|bad certificate|decrypt error"),
            (self.context(revoked), "certificate revoked"),
            (old, "protocol version"),
        ):
            self.assertRegex(self.refusal(context).lower().replace("_", " "), told)
        log = self.capsules.log("north")
        self.assertIn("a gRPC connection was refused", log)

    def test_are_refused_after_their_end(self):
        self.start()
        short = self.short_lived()
        self.assertEqual(self.call(self.context(short), "/hector.Management/list", LIST)[0], 0)
        waiting.until(lambda: "expired" in self.refusal(self.context(short)).lower(), 10)

    def short_lived(self):
        """An identity that ends in two seconds, made by hand with the realm's key."""
        file = self.identity("capsule/short")
        key = os.path.join(self.capsules.folder, "short.key")
        request = os.path.join(self.capsules.folder, "short.csr")
        extensions = os.path.join(self.capsules.folder, "short.ext")
        out = os.path.join(self.capsules.folder, "short.pem")
        with open(extensions, "w", encoding="utf-8") as text:
            text.write(
                "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                "extendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\n"
                "subjectAltName=critical,URI:spiffe://td.example/capsule/short\n"
            )
        realm = self.capsules.realm
        run = lambda *words: subprocess.run(  # noqa: E731
            ["openssl", *words], check=True, capture_output=True
        )
        run("pkey", "-in", file, "-out", key)
        run("req", "-new", "-key", key, "-subj", "/", "-out", request)
        end = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 2))
        database = os.path.join(self.capsules.folder, "ca")
        os.makedirs(database)
        open(os.path.join(database, "index.txt"), "w", encoding="utf-8").close()
        configuration = os.path.join(database, "ca.cnf")
        with open(configuration, "w", encoding="utf-8") as text:
            text.write(
                f"[ca]\ndefault_ca=it\n[it]\ndatabase={database}/index.txt\nrand_serial=yes\n"
                f"new_certs_dir={database}\ndefault_md=sha256\npolicy=any\n[any]\n"
            )
        start = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - 60))
        run("ca", "-batch", "-config", configuration, "-in", request, "-out", out, "-notext",
            "-cert", f"{realm}/authority.pem", "-keyfile", f"{realm}/authority.key",
            "-startdate", start, "-enddate", end, "-extfile", extensions)  # fmt: skip
        with open(out, "a", encoding="utf-8") as chain, open(key, encoding="utf-8") as text:
            chain.write(text.read())
        return out

    def test_speak_no_plain_http2(self):
        self.start()
        peer = h2.Peer(self.place())
        self.addCleanup(peer.close)
        self.assertTrue(peer.is_closed(6))

    def test_that_never_prove_anything_make_way(self):
        self.start()
        host, port = self.place().rsplit(":", 1)
        idle = [socket.create_connection((host, int(port)), 5) for _ in range(300)]
        for each in idle:
            self.addCleanup(each.close)
        own = self.context(self.identity("operator/ann"))
        self.assertEqual(self.call(own, "/hector.Management/list", LIST)[0], 0)
        idle[-1].settimeout(8)
        self.assertEqual(idle[-1].recv(1), b"", "closed after the handshake's time")


@needs("protocols/grpc")
class Peers(Secured):
    def test_may_what_their_role_lets_them(self):
        self.start()
        for name, list_status, load_status in (
            ("operator/ann", 0, {2, 3, 5, 9}),  # it may; there is no such file
            ("capsule/south", 0, {7}),
            ("user/bob", 0, {7}),
        ):
            context = self.context(self.identity(name))
            self.assertEqual(
                self.call(context, "/hector.Management/list", LIST)[0], list_status, name
            )
            status, said = self.call(context, "/hector.Management/load", REQUEST_LOAD)
            self.assertIn(status, load_status, (name, said))
            if status == 7:
                self.assertIn(b"needs the role administrator", said)

    def test_speak_as_themselves_and_as_their_objects_only(self):
        self.start()
        context = self.context(self.identity("user/bob"))
        for claim, expected in (
            ("user:bob", 0),
            ("user:bob/phone", 0),
            ("operator:admin", 7),
            ("user:bobby", 7),
            ("user:", 7),
        ):
            status, said = self.call(context, "/hector.Management/list", LIST, claim)
            self.assertEqual(status, expected, (claim, said))
            if expected:
                self.assertIn(b"has proved to be", said)

    def test_are_cut_off_within_a_second_of_their_revocation(self):
        self.start()
        context = self.context(self.identity("user/bob"))
        other = self.context(self.identity("user/ann"))
        bob = h2.Peer(self.place(), context=context)
        ann = h2.Peer(self.place(), context=other)
        for each in (bob, ann):
            each.acknowledge()
            self.addCleanup(each.close)
        self.capsules.hector("identity", "revoke", "user/bob")
        began = time.monotonic()
        self.assertTrue(bob.is_closed(5))
        self.assertLess(time.monotonic() - began, 1.5)
        self.assertIn("REVOKED", self.capsules.log("north"))
        self.assertFalse(ann.is_closed(0.5), "the other one goes on")
        self.assertIn("revoked", self.refusal(context).lower())

    def test_go_on_while_the_capsule_is_renewed(self):
        self.start()
        context = self.context(self.identity("operator/ann"))
        peer = h2.Peer(self.place(), context=context)
        self.addCleanup(peer.close)
        peer.acknowledge()
        before = peer.socket.getpeercert()["serialNumber"]
        self.capsules.hector("identity", "renew", "capsule/north")
        waiting.until(lambda: "read again" in self.capsules.log("north"), 5)
        self.assertFalse(peer.is_closed(0.5))
        after = h2.Peer(self.place(), context=context)
        self.addCleanup(after.close)
        self.assertNotEqual(after.socket.getpeercert()["serialNumber"], before)


@needs("protocols/grpc", "services/naming", "stores/sqlite")
class Keys(Secured):
    def test_are_in_no_log_no_state_and_no_environment(self):
        audit = os.path.join(self.capsules.folder, "north.audit")
        store = os.path.join(self.capsules.folder, "north.store")
        self.start(
            more=f"services: {{naming: embedded}}\nstore: sqlite:{store}\naudit: {audit}\n"
            "log: {level: debug}"
        )
        context = self.context(self.identity("operator/ann"))
        self.call(context, "/hector.Management/load", REQUEST_LOAD)
        self.capsules.hector("identity", "renew", "capsule/north")
        waiting.until(lambda: "read again" in self.capsules.log("north"), 5)
        secrets = []
        for name in ("capsule+north", "operator+ann"):
            with open(f"{self.capsules.realm}/identities/{name}.pem", encoding="ascii") as file:
                key = re.search(r"BEGIN PRIVATE KEY-+\n(.*?)-+END", file.read(), re.S).group(1)
            secrets += [key.splitlines()[1].encode(), base64.b64decode(key)[36:68]]
        process = self.capsules.processes["north"].pid
        places = [f"/proc/{process}/environ", f"/proc/{process}/cmdline"]
        for folder, _, files in os.walk(self.capsules.folder):
            if not folder.startswith(self.capsules.realm):
                places += [os.path.join(folder, file) for file in files]
        places = [place for place in places if not place.endswith(".sock")]
        self.assertGreater(len(places), 5)
        for place in places:
            with open(place, "rb") as file:
                content = file.read()
            for secret in secrets:
                self.assertNotIn(secret, content, place)


@needs("protocols/grpc", "protocols/unix")
class CommandLine(Secured):
    def test_needs_nothing_more_on_the_capsules_machine(self):
        self.start()
        del self.capsules.environment["HECTOR_REALM"]
        names = [each["name"] for each in self.capsules.json("get", "protocols", capsule="north")]
        self.assertEqual(sorted(names), ["grpc", "unix"])

    def test_proves_its_identity_elsewhere(self):
        self.start()
        self.capsules.hector("--protocol", "grpc", "get", "protocols", capsule="north")
        self.capsules.environment["HECTOR_IDENTITY"] = "user/bob"
        self.identity("user/bob")
        self.capsules.hector("--protocol", "grpc", "get", "protocols", capsule="north")
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector(
                "--protocol", "grpc", "unload", "protocol", "grpc", capsule="north"
            )
        self.assertEqual(refused.exception.code, DENIED, refused.exception.text)
        self.assertIn("needs the role administrator", refused.exception.text)

    def test_says_that_it_needs_an_identity(self):
        self.start()
        del self.capsules.environment["HECTOR_REALM"]
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector("--protocol", "grpc", "get", "objects", capsule="north")
        self.assertIn("HECTOR_REALM", refused.exception.text)

    def test_says_why_it_was_refused(self):
        self.start()
        self.identity("user/bob")
        self.capsules.environment["HECTOR_IDENTITY"] = "user/bob"
        self.capsules.hector("identity", "revoke", "user/bob")
        waiting.until(lambda: "read again" in self.capsules.log("north"), 5)
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector("--protocol", "grpc", "get", "objects", capsule="north")
        self.assertIn("REVOKED", refused.exception.text)

    def test_does_not_take_another_capsule_for_the_one_it_asks(self):
        """A reference says who must answer: the port may have gone to another one."""
        self.start()
        with open(os.path.join(self.capsules.run, "north.reference"), encoding="utf-8") as file:
            reference = file.read().strip()
        place = self.place()
        self.capsules.processes["north"].terminate()
        self.capsules.processes["north"].wait(15)
        self.start("south", protocols=f'grpc: {{listen: "{place}"}}')
        with self.assertRaises(CommandFailed) as refused:
            self.capsules.hector("--protocol", "grpc", "get", "objects", capsule=reference)
        self.assertIn(
            "'capsule:south' answers where 'capsule:north'", refused.exception.text
        )


@needs("protocols/grpc", "protocols/zeromq")
class Plain(Secured):
    def test_protocols_are_refused_unless_the_configuration_says_so(self):
        with self.assertRaises(CommandFailed) as refused:
            self.start(protocols="zeromq: {}")
        self.assertIn("insecure: true", refused.exception.text)
        self.start("south", protocols="grpc: {insecure: true}")
        self.assertIn("a protocol is plain", self.capsules.log("south"))
        rows = self.capsules.json("get", "protocols", capsule="south")
        self.assertEqual(
            {row["name"]: row["security"] for row in rows}["grpc"], "none", "and it is shown"
        )


if __name__ == "__main__":
    unittest.main()
