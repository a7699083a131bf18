"""Files for `hector identity check`, each with its verdict.

What: chains and tokens with no fault, with each fault, and with each two of them.
Why: a verdict follows from the rules (identity/README.md), not from what was printed once.
Who: identity_test.py.
"""

import dataclasses
import itertools
import json

from cryptography.hazmat.primitives.asymmetric import ec

import identity_files as f
from identity_files import HOUR, LEAF, NOW, authority, leaf, leaf_extensions, pem

AUDIENCE = "spiffe://td/us"
MALFORMED, UNTRUSTED, SIGNATURE = "MALFORMED", "UNTRUSTED_DOMAIN", "BAD_SIGNATURE"
ALG, EARLY, EXPIRED = "ALG_REFUSED", "NOT_YET_VALID", "EXPIRED"
AUDIENCE_FAULT = "WRONG_AUDIENCE"


@dataclasses.dataclass
class Case:
    name: str
    content: bytes
    verdict: str  # a principal, or the name of a fault
    trust: tuple = ("td=root", "other=elsewhere")  # of World.bundles
    at: str = f.stamp(NOW)
    audience: str = AUDIENCE

    def __post_init__(self):
        if isinstance(self.content, str):
            self.content = self.content.encode("latin-1")


class World:
    """Keys and authorities that the cases share, and the bundles by their names."""

    def __init__(self):
        self.root_key, self.key, self.between_key = f.curve_key(), f.curve_key(), f.curve_key()
        self.second_key, self.other_key = f.curve_key(), f.curve_key()
        self.rsa, self.rsa_small = f.rsa_key(2048), f.rsa_key(1024)
        self.edwards = f.edwards_key()
        self.p384, self.p521 = f.curve_key(ec.SECP384R1()), f.curve_key(ec.SECP521R1())
        self.p224, self.k256 = f.curve_key(ec.SECP224R1()), f.curve_key(ec.SECP256K1())
        self.root = authority(self.root_key, subject="root")
        self.elsewhere = authority(self.other_key, subject="elsewhere")
        self.between = authority(self.between_key, self.root, subject="between")
        self.bundles = {"root": self.root.pem(), "elsewhere": self.elsewhere.pem()}
        self.bundles.update(self.key_sets())

    def leaf(self, issuer=None, key=None, **fields):
        return leaf(key or self.key, issuer or self.root, **fields)

    def key_sets(self):
        keys = [
            f.web_key(self.root_key, use="jwt-svid", kid="ec"),
            f.web_key(self.rsa, use="jwt-svid", kid="rsa"),
            f.web_key(self.rsa_small, use="jwt-svid", kid="small"),
            f.web_key(self.p384, use="jwt-svid", kid="p384"),
            f.web_key(self.p521, use="jwt-svid", kid="p521"),
            f.web_key(self.edwards, use="jwt-svid", kid="edwards"),
            f.web_key(self.between_key, use="jwt-svid", kid=""),
            f.web_key(self.rsa, use="jwt-svid", kid="only256", alg="RS256"),
            f.web_key(self.second_key, use="jwt-svid", kid="twice"),
            f.web_key(self.key, use="jwt-svid", kid="twice"),
            # What is left out.
            f.web_key(self.second_key, use="sig", kid="sig"),
            f.web_key(self.second_key, kid="none"),
            f.web_key(self.second_key, use="jwt-svid"),
            f.web_key(self.second_key, use="jwt-svid", kid="quantum", kty="AKP"),
            f.web_key(self.k256, use="jwt-svid", kid="k256"),
            {**f.web_key(self.second_key, use="jwt-svid", kid="off"), "x": f.url64(b"\1" * 32)},
            {**f.web_key(self.second_key, use="jwt-svid", kid="short"), "x": f.url64(b"\1" * 31)},
            {"use": "jwt-svid", "kid": "nothing", "kty": "RSA"},
            7,
        ]

        def with_certificate(certificate, **more):
            x5c = [f.base64.b64encode(certificate.der()).decode()]
            return f.web_key(certificate.key, use="x509-svid", x5c=x5c, **more)

        chains = [
            with_certificate(self.root, kid="ignored"),
            {**with_certificate(self.elsewhere), "x5c": ["!"]},
            {**with_certificate(self.elsewhere), "x5c": []},
            {**with_certificate(self.elsewhere), "kty": "AKP"},
            {**with_certificate(self.elsewhere), "use": "sig"},
        ]
        second = authority(self.second_key, subject="second")
        first_only = with_certificate(self.root)
        first_only["x5c"].append(f.base64.b64encode(second.der()).decode())
        self.second = second
        return {
            "keys": json.dumps({"keys": keys, "spiffe_sequence": 1}),
            "one_key": json.dumps({"keys": keys[:1]}),
            "other_keys": json.dumps(
                {"keys": [f.web_key(self.other_key, use="jwt-svid", kid="other")]}
            ),
            "chains": json.dumps({"keys": chains}),
            "first_only": json.dumps({"keys": [first_only]}),
            "empty": json.dumps({"keys": []}),
        }


# --- chains ---


def good_chains(w):
    between, root, key = w.between.pem(), w.root.pem(), w.leaf
    yield Case("plain", key().pem(), LEAF)
    under = key(w.between).pem()
    yield Case("one between", under + between, LEAF)
    yield Case("root sent along", under + between + root, LEAF)
    yield Case("any order", under + root + w.elsewhere.pem() + between, LEAF)
    yield Case("repeated", under + between + between + under, LEAF)
    yield Case("text around", "Subject: a\n\n" + key().pem() + "\nthe end", LEAF)
    yield Case("windows", key().pem().replace("\n", "\r\n"), LEAF)
    private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    yield Case("a private key", private + key().pem(), LEAF)
    yield Case("no extended usage", key(extensions=leaf_parts(extended=None)).pem(), LEAF)
    dns = f.alternative((f.DNS, "a.example"), (f.URI, LEAF))
    yield Case("a DNS name", key(extensions=leaf_parts(alternative=dns)).pem(), LEAF)
    yield Case("no key ids", key(key_ids=False).pem(), LEAF)
    more = f.usage(f.DIGITAL_SIGNATURE, f.KEY_ENCIPHERMENT)
    yield Case("more usage", key(extensions=leaf_parts(usage=more)).pem(), LEAF)
    for kind, each in (("rsa", w.rsa), ("ed25519", w.edwards), ("p384", w.p384)):
        yield Case(f"{kind} leaf", key(key=each).pem(), LEAF)
        above = authority(each, w.root, subject=kind)
        yield Case(f"{kind} between", key(above).pem() + above.pem(), LEAF)
    for hashed in ("sha384", "sha512"):
        yield Case(hashed, key(hashed=hashed).pem(), LEAF)
    yield Case("begins now", key(begin=NOW).pem(), LEAF)
    yield Case("ends in a second", key(end=NOW + 1).pem(), LEAF)
    yield Case("ends in 9999", key(end=253402300799).pem(), LEAF)
    yield Case("by JWKS", key().pem(), LEAF, trust=("td=chains",))
    yield Case("union", key().pem(), LEAF, trust=("td=elsewhere", "td=root", "td=keys"))
    yield Case("authority not self-signed", under, LEAF, trust=("td=bundle_between",))
    w.bundles["bundle_between"] = between
    old = authority(w.root_key, subject="root", hashed="sha256", damage=True)
    w.bundles["unjudged"] = old.pem()
    yield Case("an authority's own signature", key().pem(), LEAF, trust=("td=unjudged",))
    path = [w.root]
    for depth in range(14):
        path.append(authority(f.curve_key(), path[-1], subject=f"depth {depth}"))
    sent = "".join(each.pem() for each in path[1:])
    yield Case("sixteen certificates", key(path[-1]).pem() + sent + w.elsewhere.pem(), LEAF)
    yield Case(
        "seventeen certificates",
        key(path[-1]).pem() + sent + w.elsewhere.pem() + root,
        MALFORMED,
    )
    full = key().pem()
    yield Case("1 MiB", full + "x" * ((1 << 20) - len(full)), LEAF)
    yield Case("1 MiB and an octet", full + "x" * ((1 << 20) - len(full) + 1), MALFORMED)
    stale = authority(w.between_key, w.root, subject="between", end=NOW - 1)
    yield Case("a good path beside an expired", under + stale.pem() + between, LEAF)
    yield Case("the furthest path counts", under + stale.pem(), EXPIRED)


def leaf_parts(**changed):
    """The leaf's extensions; None leaves one out."""
    names = ("basic", "usage", "extended", "alternative")
    parts = dict(zip(names, leaf_extensions()))
    parts.update(changed)
    return [part for part in parts.values() if part is not None]


def malformed_chains(w):
    def case(name, *extensions, **fields):
        if extensions:
            fields["extensions"] = list(extensions)
        return Case(name, w.leaf(**fields).pem(), MALFORMED)

    def sans(*names):
        return leaf_parts(alternative=f.alternative(*names))

    for bad in BAD_IDS:
        yield case(f"id {bad!r}", *sans((f.URI, bad)))
    yield case("no names", *leaf_parts(alternative=None))
    yield case("a DNS name alone", *sans((f.DNS, "td")))
    yield case("two ids", *sans((f.URI, LEAF), (f.URI, LEAF + "2")))
    yield case("the same id twice", *sans((f.URI, LEAF), (f.URI, LEAF)))
    yield case("a second URI", *sans((f.URI, LEAF), (f.URI, "https://td/")))
    yield case("CA:TRUE", *leaf_parts(basic=f.basic(True)))
    for number in (f.KEY_CERT_SIGN, f.CRL_SIGN):
        yield case(f"usage {number}", *leaf_parts(usage=f.usage(f.DIGITAL_SIGNATURE, number)))
    yield case("no usage", *leaf_parts(usage=None))
    yield case("no digitalSignature", *leaf_parts(usage=f.usage(f.KEY_ENCIPHERMENT)))
    for uses in ((f.SERVER,), (f.CLIENT,), (f.CODE_SIGNING,), (f.ANY_USE,)):
        yield case(f"extended {uses}", *leaf_parts(extended=f.extended(*uses)))
    yield case("basic twice", *leaf_parts(), f.basic(False))
    yield case("names twice", *leaf_parts(), f.alternative((f.URI, LEAF)))
    unknown = f.extension("1.3.6.1.4.1.99999.2", b"\5\0")
    yield case("an unknown one twice", *leaf_parts(), unknown, unknown)
    yield case("unknown critical", *leaf_parts(), f.UNKNOWN)
    yield case("two algorithms", outer="sha384")
    yield case("version 1", version=1)
    der, good = w.leaf().der(), w.leaf().pem()
    yield Case("octets after", pem(der + b"\0"), MALFORMED)
    yield Case("cut", pem(der[:-1]), MALFORMED)
    yield Case("no DER", pem(b"\x30\x80" + der), MALFORMED)
    yield Case("no end", good.replace("-----END CERTIFICATE-----", ""), MALFORMED)
    yield Case("second without end", good + good[:-30], MALFORMED)
    yield Case("second broken", good + pem(b"abc"), MALFORMED)
    yield Case("second no base64", good + good.replace("A", "*", 1), MALFORMED)
    yield Case("no certificate", good.replace("CERTIFICATE", "CERTIFICATE REQUEST"), MALFORMED)
    yield Case("a CA first", w.between.pem() + w.leaf(w.between).pem(), MALFORMED)
    yield Case("DER", der, MALFORMED)
    yield Case("nothing", "", MALFORMED)
    yield Case("garbage", b"\xff\xfe\0garbage", MALFORMED)
    fine = [f.basic(True), f.usage(f.KEY_CERT_SIGN)]
    for name, extensions in (
        ("unknown critical between", fine + [f.UNKNOWN]),
        ("twice between", fine + [f.basic(True)]),
    ):
        above = authority(w.between_key, w.root, subject="bad", extensions=extensions)
        yield Case(name, w.leaf(above).pem() + above.pem(), MALFORMED)
    above = authority(w.between_key, w.root, subject="bad", outer="sha384")
    yield Case("two algorithms between", w.leaf(above).pem() + above.pem(), MALFORMED)


BAD_IDS = [
    "spiffe://TD/a",
    "spiffe://td/a/",
    "spiffe://td//a",
    "spiffe://td:1/a",
    "spiffe://td/a/../b",
    "spiffe://td/./b",
    "spiffe://td",
    "spiffe://td/",
    "spiffe:///a",
    "SPIFFE://td/a",
    "https://td/a",
    "spiffe://td/a?",
    "spiffe://td/a?b=c",
    "spiffe://td/a#",
    "spiffe://td:/a",
    "spiffe://@td/a",
    "spiffe://u@td/a",
    "spiffe://td/%41",
    "spiffe://td/a b",
    "spiffe://td/\xe4",
    "spiffe://td/a\0b",
    "spiffe://td/" + "a" * 2037,
    "spiffe://" + "t" * 256 + "/a",
    "",
]


def untrusted_chains(w):
    good = w.leaf().pem()
    yield Case("no bundle", good, UNTRUSTED, trust=("other=elsewhere",))
    yield Case("no suffix", good, UNTRUSTED, trust=("d=root", "a.td=root", "tdx=root"))
    yield Case("A3: another domain's authority", w.leaf(w.elsewhere).pem(), UNTRUSTED)
    swapped = w.leaf(extensions=leaf_extensions("spiffe://other/a"))
    yield Case("our authority for another domain", swapped.pem(), UNTRUSTED)
    yield Case("self-signed", leaf(w.key, None).pem(), UNTRUSTED)
    yield Case("missing between", w.leaf(w.between).pem(), UNTRUSTED)
    unknown = w.leaf(w.second).pem() + w.second.pem()
    yield Case("unknown root sent along", unknown, UNTRUSTED)
    yield Case("keys alone", good, UNTRUSTED, trust=("td=keys",))
    yield Case("nothing left", good, UNTRUSTED, trust=("td=empty",))
    yield Case("left out of a JWKS", w.leaf(w.elsewhere).pem(), UNTRUSTED, trust=("td=chains",))
    yield Case("second of x5c", w.leaf(w.second).pem(), UNTRUSTED, trust=("td=first_only",))

    def under(name, verdict=UNTRUSTED, extensions=None, names=None, **fields):
        above = authority(w.between_key, w.root, subject="u", extensions=extensions, **fields)
        extensions = leaf_extensions() if names is None else leaf_parts(alternative=names)
        return Case(name, w.leaf(above, extensions=extensions).pem() + above.pem(), verdict)

    yield under("between is no CA", extensions=[f.basic(False), f.usage(f.KEY_CERT_SIGN)])
    yield under("between has no basic", extensions=[f.usage(f.KEY_CERT_SIGN)])
    yield under("between has no keyCertSign", extensions=[f.basic(True), f.usage(f.CRL_SIGN)])
    sign = [f.basic(True), f.usage(f.KEY_CERT_SIGN)]
    for name, kind, text, verdict in (
        ("its own host", f.URI, "td", LEAF),
        ("another host", f.URI, "other", UNTRUSTED),
        ("hosts below", f.URI, ".td", UNTRUSTED),
        ("DNS", f.DNS, "example", LEAF),
    ):
        tree = [f.constraint(permitted=[(kind, text)])]
        yield under(f"permitted {name}", verdict, sign + tree)
    yield under("excluded", extensions=sign + [f.constraint(excluded=[(f.URI, "td")])])
    names = f.alternative((f.URI, LEAF), (f.DNS, "a.test"))
    for name, text, verdict in (("DNS in it", "test", LEAF), ("DNS out of it", "com", UNTRUSTED)):
        tree = [f.constraint(permitted=[(f.DNS, text)])]
        yield under(name, verdict, sign + tree, names)
    first = authority(w.second_key, w.root, 0, subject="first")
    second = authority(w.between_key, first, subject="second between")
    yield Case("path length", "".join(c.pem() for c in (w.leaf(second), second, first)), UNTRUSTED)
    yield Case("path length kept", w.leaf(first).pem() + first.pem(), LEAF)
    no_ca = authority(
        w.root_key, subject="root", extensions=[f.basic(False), f.usage(f.KEY_CERT_SIGN)]
    )
    w.bundles["no_ca"] = no_ca.pem()
    yield Case("an authority without CA:TRUE", good, UNTRUSTED, trust=("td=no_ca",))
    own = leaf(w.key, None)
    w.bundles["leaf"] = own.pem()
    yield Case("the leaf in the bundle", own.pem(), UNTRUSTED, trust=("td=leaf",))
    renamed = w.leaf(issuer_name="nobody")
    yield Case("another issuer's name", renamed.pem(), UNTRUSTED)


def other_chains(w):
    good = w.leaf
    yield Case("damaged", good(damage=True).pem(), SIGNATURE)
    yield Case("another key", good(signer=w.second_key).pem(), SIGNATURE)
    forged = authority(w.between_key, w.root, subject="b", damage=True)
    yield Case("damaged between", good(forged).pem() + forged.pem(), SIGNATURE)
    same = authority(w.second_key, subject="root", key_ids=False)
    yield Case("an authority's name taken", good(same, key_ids=False).pem(), SIGNATURE)
    yield Case("a name taken, key ids differ", good(same).pem(), UNTRUSTED)
    rsa = authority(w.rsa, w.root, subject="rsa root")
    for hashed in ("md5", "sha1", "sha224"):
        yield Case(f"rsa {hashed}", good(rsa, hashed=hashed).pem() + rsa.pem(), ALG)
        if hashed != "md5":
            yield Case(f"ec {hashed}", good(hashed=hashed).pem(), ALG)
            above = authority(w.between_key, w.root, subject="weak", hashed=hashed)
            yield Case(f"{hashed} between", good(above).pem() + above.pem(), ALG)
    for name, key in (("rsa 1024", w.rsa_small), ("p224", w.p224), ("k256", w.k256)):
        yield Case(f"{name} leaf", good(key=key).pem(), ALG)
        above = authority(key, w.root, subject=name)
        yield Case(f"{name} between", good(above).pem() + above.pem(), ALG)
        w.bundles[name] = authority(key, subject=name).pem()
        top = authority(key, subject=name)
        yield Case(f"{name} authority", good(top).pem(), ALG, trust=(f"td={name}",))
    yield Case("expired", good(end=NOW - 1).pem(), EXPIRED)
    yield Case("to come", good(begin=NOW + 1).pem(), EARLY)
    for name, fields, verdict in (
        ("expired", {"end": NOW - 1}, EXPIRED),
        ("to come", {"begin": NOW + 1}, EARLY),
    ):
        above = authority(w.between_key, w.root, subject=name, **fields)
        yield Case(f"{name} between", good(above).pem() + above.pem(), verdict)
        w.bundles[name] = authority(w.root_key, subject="root", **fields).pem()
        yield Case(f"{name} authority", good().pem(), verdict, trust=(f"td={name}",))
    mixed = authority(w.between_key, w.root, subject="mixed", end=NOW - 1)
    yield Case("both times", good(mixed, begin=NOW + 1).pem() + mixed.pem(), EARLY)
    yield Case("later", good().pem(), EXPIRED, at=f.stamp(NOW + HOUR + 1))
    yield Case("at its end", good().pem(), LEAF, at=f.stamp(NOW + HOUR))
    yield Case("just after its end", good().pem(), EXPIRED, at=f.stamp(NOW + HOUR)[:-1] + ".5Z")
    yield Case("A12: two hours back", good().pem(), EARLY, at=f.stamp(NOW - 2 * HOUR))


def anchors(w):
    """What is asked of a bundle's own certificates, and of which path is found."""

    def case(name, verdict, top, sent="", bundle=None, issued=None):
        w.bundles[name] = bundle or top.pem()
        text = (issued or w.leaf(top)).pem() + sent
        return Case(name, text, verdict, trust=(f"td={name}",))

    def root(*extensions, **fields):
        fields.update({"extensions": list(extensions)} if extensions else {})
        return authority(w.root_key, subject="root", **fields)

    weak = authority(w.between_key, w.root, subject="between", hashed="sha1")
    yield case("weak self-signed", LEAF, root(hashed="sha1"))
    yield case("weak and not self-signed", LEAF, weak)
    yield case("weak, its root sent along", LEAF, weak, weak.pem() + w.root.pem())
    yield case("weak, its root trusted too", LEAF, weak, weak.pem(), weak.pem() + w.root.pem())
    silent = authority(w.between_key, w.root, subject="silent", extensions=[f.basic(True)])
    yield case("between without usage", LEAF, silent, silent.pem(), w.root.pem())
    sign, signs = f.basic(True), f.usage(f.KEY_CERT_SIGN)
    yield case("no keyCertSign on top", UNTRUSTED, root(sign, f.usage(f.CRL_SIGN)))
    yield case("unknown critical on top", MALFORMED, root(sign, signs, f.UNKNOWN))
    yield case("version 1 on top", UNTRUSTED, root(version=1))
    short = root(path_length=0)
    below = authority(w.between_key, short, subject="below")
    yield case("path length on top", UNTRUSTED, below, below.pem(), short.pem())
    narrow = root(sign, signs, f.constraint(permitted=[(f.URI, "nope")]))
    yield case("name constraint on top", UNTRUSTED, narrow)
    unrelated = authority(w.second_key, extensions=[sign, signs, f.UNKNOWN])
    yield case("an unrelated with unknown critical", LEAF, w.root, unrelated.pem())
    crossed = authority(w.between_key, w.elsewhere, subject="between")
    both = crossed.pem() + w.between.pem()
    yield case("signed by two authorities", LEAF, w.between, both, w.root.pem())
    twin = authority(w.second_key, subject="root").pem() + w.root.pem()
    yield case("two of one name", LEAF, w.root, "", twin, w.leaf(key_ids=False))


# Faults of a chain leaf <- between <- root, in the order in which they count: of two, the first.
CHAIN_FAULTS = (
    ("id", MALFORMED, {"leaf": {"extensions": leaf_extensions("spiffe://td")}}),
    ("no basic usage", MALFORMED, {"leaf": {"extensions": leaf_parts(usage=None)}}),
    ("unknown critical", MALFORMED, {"between": {"extensions": [f.basic(True), f.UNKNOWN]}}),
    ("unknown authority", UNTRUSTED, {"trust": ("td=elsewhere",)}),
    ("missing", UNTRUSTED, {"missing": True}),
    ("leaf damaged", SIGNATURE, {"leaf": {"damage": True}}),
    ("between damaged", SIGNATURE, {"between": {"damage": True}}),
    ("leaf sha1", ALG, {"leaf": {"hashed": "sha1"}}),
    ("between sha224", ALG, {"between": {"hashed": "sha224"}}),
    ("no CA", UNTRUSTED, {"between": {"extensions": [f.basic(False)]}}),
    ("no keyCertSign", UNTRUSTED, {"between": {"extensions": [f.basic(True), f.usage(0)]}}),
    ("leaf to come", EARLY, {"leaf": {"begin": NOW + 9}}),
    ("between to come", EARLY, {"between": {"begin": NOW + 9}}),
    ("leaf expired", EXPIRED, {"leaf": {"end": NOW - 9}}),
    ("between expired", EXPIRED, {"between": {"end": NOW - 9}}),
)


def pairs_of_chains(w):
    for one, two in itertools.combinations(CHAIN_FAULTS, 2):
        changes = {"leaf": {}, "between": {}, "trust": ("td=root",), "missing": False}
        clash = False
        for _, _, fault in (one, two):
            for key, value in fault.items():
                if isinstance(value, dict):
                    clash = clash or bool(set(changes[key]) & set(value))
                    changes[key].update(value)
                else:
                    changes[key] = value
        above = authority(w.between_key, w.root, subject="pair", **changes["between"])
        text = w.leaf(above, **changes["leaf"]).pem()
        # What is not sent has no faults.
        if clash or (changes["missing"] and changes["between"]):
            continue
        if not changes["missing"]:
            text += above.pem()
        yield Case(f"{one[0]} and {two[0]}", text, one[1], trust=changes["trust"])


# --- tokens ---

KEYS = ("td=keys", "other=other_keys")


def claims(**changed):
    made = {"sub": LEAF, "aud": [AUDIENCE], "exp": NOW + HOUR, "iat": NOW, "nbf": NOW}
    made.update(changed)
    return {name: value for name, value in made.items() if value is not Ellipsis}


def tokens(w):
    def case(name, verdict, key=None, header=None, trust=KEYS, says=None, **more):
        fields = {part: more.pop(part) for part in ("at", "audience") if part in more}
        head = {"alg": "ES256", "kid": "ec", "typ": "JWT"} if header is None else header
        text = f.token(key or w.root_key, head, claims() if says is None else says, **more)
        return Case(name, text, verdict, trust=trust, **fields)

    def head(**changed):
        made = {"alg": "ES256", "kid": "ec", "typ": "JWT", **changed}
        return {name: value for name, value in made.items() if value is not Ellipsis}

    yield case("plain", LEAF)
    yield case("JOSE", LEAF, header=head(typ="JOSE"))
    yield case("no typ", LEAF, header=head(typ=...))
    yield case("no kid", LEAF, header=head(kid=...))
    yield case("an empty kid", LEAF, key=w.between_key, header=head(kid=""))
    yield case("an empty kid is a kid", SIGNATURE, header=head(kid=""))
    yield case("a kid of two keys", LEAF, key=w.key, header=head(kid="twice"))
    for kind in ("RS", "PS"):
        for size in ("256", "384", "512"):
            alg = {"alg": kind + size}
            yield case(kind + size, LEAF, key=w.rsa, header=head(kid="rsa", **alg))
            short = {"header": head(kid="small", **alg), "signature": bytes(128)}
            yield case(f"{kind + size} of a short key", ALG, **short)
    yield case("ES384", LEAF, key=w.p384, header=head(alg="ES384", kid="p384"))
    yield case("ES512", LEAF, key=w.p521, header=head(alg="ES512", kid="p521"))
    yield case("the key's alg", LEAF, key=w.rsa, header=head(alg="RS256", kid="only256"))
    yield case("not the key's alg", ALG, key=w.rsa, header=head(alg="RS384", kid="only256"))
    good = f.token(w.root_key, head(), claims())
    for name, text in (("white space", f" \r\n{good}\n\t"), ("a line end", good + "\n")):
        yield Case(name, text, LEAF, trust=KEYS)
    yield from malformed_tokens(w, head, case, good)
    yield from refused_algorithms(w, head, case)
    yield from untrusted_tokens(w, head, case)
    yield from signatures(w, head, case, good)
    yield from times_and_audiences(case)


def malformed_tokens(w, head, case, good):
    a, b, c = good.split(".")
    for name, text in (
        ("two parts", f"{a}.{b}"),
        ("four parts", f"{good}."),
        ("five parts", f"{good}.{a}.{b}"),
        ("padded", f"{a}=.{b}.{c}"),
        ("Bearer", f"Bearer {good}"),
        ("two tokens", f"{good}\n{good}"),
        ("inner white space", f"{a}.\n{b}.{c}"),
        ("plain base64", f"{a}+.{b}.{c}"),
        ("unused bits", f.token(w.root_key, head(), claims())[:-1] + "_"),
        ("JSON form", json.dumps({"protected": a, "payload": b, "signature": c})),
        ("no header", f".{b}.{c}"),
        ("header no JSON", f"{f.url64('{')}.{b}.{c}"),
        ("header a list", f"{f.url64('[]')}.{b}.{c}"),
        ("too long", good + "A" * (16385 - len(good))),
    ):
        yield Case(name, text, MALFORMED, trust=KEYS)
    spare = 16384 - len(f.token(w.root_key, head(), claims(x="")))
    while len(f.token(w.root_key, head(), claims(x="y" * spare))) > 16384:
        spare -= 1
    yield case("as long as may be", LEAF, says=claims(x="y" * spare))
    yield case("header twice", MALFORMED, header='{"alg":"ES256","alg":"ES256"}', signed_as="ES256")
    yield case(
        "header twice escaped",
        MALFORMED,
        header='{"alg":"ES256","\\u0061lg":"none"}',
        signature=b"",
    )
    for name in ("jwk", "jku", "x5c", "x5u", "crit", "b64", "zip", "cty", "private"):
        yield case(f"header {name}", MALFORMED, header=head(**{name: "x"}))
    for name, changed in (
        ("typ", {"typ": "at+jwt"}),
        ("small typ", {"typ": "jwt"}),
        ("typ no text", {"typ": 1}),
        ("kid no text", {"kid": 1}),
        ("kid null", {"kid": None}),
        ("alg no text", {"alg": 1}),
        ("alg missing", {"alg": ...}),
    ):
        yield case(name, MALFORMED, header=head(**changed), signed_as="ES256")
    for name, text in (
        ("no JSON", "{"),
        ("a list", "[]"),
        ("nothing", ""),
        ("twice", json.dumps(claims())[:-1] + ', "exp": 1}'),
        ("twice within", json.dumps(claims())[:-1] + ', "x": {"y": 1, "y": 1}}'),
        ("NaN", json.dumps(claims())[:-1] + ', "x": NaN}'),
        ("more", json.dumps(claims()) + "{}"),
    ):
        yield case(f"claims {name}", MALFORMED, says=text)
    for bad in BAD_IDS:
        yield case(f"sub {bad!r}", MALFORMED, says=claims(sub=bad))
    for name in ("exp", "nbf", "iat"):
        for value in ("1", None, True, [], {}):
            yield case(f"{name} {value!r}", MALFORMED, says=claims(**{name: value}))
    for name, changed in (
        ("no exp", {"exp": ...}),
        ("no sub", {"sub": ...}),
        ("sub null", {"sub": None}),
        ("sub a number", {"sub": 7}),
        ("sub a list", {"sub": [LEAF]}),
        ("aud a number", {"aud": 7}),
        ("aud an object", {"aud": {}}),
        ("aud a list with a number", {"aud": [AUDIENCE, 7]}),
        ("aud a list with an object", {"aud": [AUDIENCE, {}]}),
    ):
        yield case(name, MALFORMED, says=claims(**changed))


def refused_algorithms(w, head, case):
    for alg in ("none", "None", "NONE", "nOnE", "", "es256", "RS1", "ES256K", "RSA-OAEP"):
        yield case(f"alg {alg!r}", ALG, header=head(alg=alg), signature=b"")
    yield case("A5: HS256 with the public key", ALG, key=w.rsa, header=head(alg="HS256", kid="rsa"))
    yield case("EdDSA", ALG, key=w.edwards, header=head(alg="EdDSA", kid="edwards"))
    for alg, kid in (
        ("ES256", "rsa"),
        ("RS256", "ec"),
        ("ES256", "p384"),
        ("ES384", "ec"),
        ("ES256", "edwards"),
    ):
        yield case(f"{alg} by {kid}", ALG, header=head(alg=alg, kid=kid), signature=b"x")
    yield case("refused before the claims", ALG, header=head(alg="none"), says="{", signature=b"")


def untrusted_tokens(w, head, case):
    yield case("no bundle", UNTRUSTED, trust=("other=other_keys",))
    yield case("no keys", UNTRUSTED, trust=("td=root",))
    yield case("empty", UNTRUSTED, trust=("td=empty",))
    for kid in ("nowhere", "other", "sig", "none", "quantum", "k256", "off", "short", "nothing"):
        yield case(f"kid {kid}", UNTRUSTED, key=w.second_key, header=head(kid=kid))
    yield case("another domain's key", UNTRUSTED, key=w.other_key, header=head(kid="other"))
    foreign = claims(sub="spiffe://other/a")
    yield case("another domain's sub", UNTRUSTED, says=foreign)
    unsigned = claims(exp=NOW - HOUR)
    yield case("expired, unknown kid", UNTRUSTED, header=head(kid="nowhere"), says=unsigned)


def signatures(w, head, case, good):
    a, b, c = good.split(".")
    yield case("another key", SIGNATURE, key=w.second_key)
    yield case("another key, no kid", SIGNATURE, key=w.other_key, header=head(kid=...))
    other = f.url64(json.dumps(claims(sub=LEAF + "2")))
    yield Case("other claims", f"{a}.{other}.{c}", SIGNATURE, trust=KEYS)
    for name, octets in (
        ("empty", b""),
        ("zeros", bytes(64)),
        ("short", bytes(63)),
        ("long", bytes(65)),
        ("DER", w.root_key.sign(f"{a}.{b}".encode())),
    ):
        yield Case(f"signature {name}", f"{a}.{b}.{f.url64(octets)}", SIGNATURE, trust=KEYS)
    rsa = head(alg="RS256", kid="rsa")
    yield case("rsa zeros", SIGNATURE, header=rsa, signature=bytes(256))
    yield case("PS as RS", SIGNATURE, key=w.rsa, header=rsa, signed_as="PS256")
    yield case("RS384 as RS256", SIGNATURE, key=w.rsa, header=rsa, signed_as="RS384")
    late = claims(exp=NOW - HOUR)
    yield case("expired, not signed", SIGNATURE, key=w.second_key, says=late)


def times_and_audiences(case):
    for name, value, verdict in (
        ("exp", NOW - 59, LEAF),
        ("exp", NOW - 60, EXPIRED),
        ("exp", NOW - 61, EXPIRED),
        ("exp", NOW - 59.5, LEAF),
        ("exp", NOW - 60.5, EXPIRED),
        ("exp", 0, EXPIRED),
        ("exp", -1, EXPIRED),
        ("exp", 1 << 70, LEAF),
        ("nbf", NOW + 60, LEAF),
        ("nbf", NOW + 61, EARLY),
        ("iat", NOW + 60, LEAF),
        ("iat", NOW + 61, EARLY),
        ("nbf", NOW + 60.5, EARLY),
        ("nbf", ..., LEAF),
        ("iat", ..., LEAF),
    ):
        yield case(f"{name} {value}", verdict, says=claims(**{name: value}))
    for value, verdict in (
        (..., AUDIENCE_FAULT),
        (None, AUDIENCE_FAULT),
        ([], AUDIENCE_FAULT),
        ("", AUDIENCE_FAULT),
        ("them", AUDIENCE_FAULT),
        (["them"], AUDIENCE_FAULT),
        (AUDIENCE, LEAF),
        (["them", AUDIENCE], LEAF),
        (AUDIENCE.upper(), AUDIENCE_FAULT),
        (AUDIENCE + "/", AUDIENCE_FAULT),
    ):
        yield case(f"aud {value!r}", verdict, says=claims(aud=value))
    yield case("nobody asks", AUDIENCE_FAULT, audience=None)
    yield case("expired and to come", EXPIRED, says=claims(exp=NOW - 99, nbf=NOW + 99))
    yield case("to come, not for us", EARLY, says=claims(nbf=NOW + 99, aud="them"))


# As CHAIN_FAULTS.
TOKEN_FAULTS = (
    ("header", MALFORMED, {"header": {"jwk": {}}}),
    ("none", ALG, {"header": {"alg": "none"}}),
    ("bad sub", MALFORMED, {"claims": {"sub": "spiffe://td"}}),
    ("no exp", MALFORMED, {"claims": {"exp": None}}),
    ("domain", UNTRUSTED, {"claims": {"sub": "spiffe://nowhere/a"}}),
    ("kid", UNTRUSTED, {"header": {"kid": "nowhere"}}),
    ("not this key's", ALG, {"header": {"kid": "rsa"}}),
    ("signature", SIGNATURE, {"signature": b"\1" * 64}),
    ("expired", EXPIRED, {"claims": {"exp": NOW - 99}}),
    ("to come", EARLY, {"claims": {"nbf": NOW + 99}}),
    ("issued later", EARLY, {"claims": {"iat": NOW + 99}}),
    ("not for us", AUDIENCE_FAULT, {"claims": {"aud": "them"}}),
)


def pairs_of_tokens(w):
    for one, two in itertools.combinations(TOKEN_FAULTS, 2):
        header, says, signature = {"alg": "ES256", "kid": "ec"}, claims(), None
        changed = []
        for _, _, fault in (one, two):
            header.update(fault.get("header", {}))
            says.update(fault.get("claims", {}))
            signature = fault.get("signature", signature)
            changed += [key for part in ("header", "claims") for key in fault.get(part, ())]
        if len(changed) != len(set(changed)):
            continue
        text = f.token(w.root_key, header, says, signed_as="ES256", signature=signature)
        yield Case(f"{one[0]} and {two[0]}", text, one[1], trust=KEYS)


def all_cases():
    """The world, and every case by its group."""
    world = World()
    groups = (
        good_chains,
        malformed_chains,
        untrusted_chains,
        other_chains,
        anchors,
        pairs_of_chains,
        tokens,
        pairs_of_tokens,
    )
    return world, {group.__name__: list(group(world)) for group in groups}
