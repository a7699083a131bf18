"""Certificates, tokens and key sets, right and wrong ones.

What: DER, PEM, JWT and JWKS put together octet by octet, signed by python3-cryptography.
Why: a library that writes certificates writes no wrong ones.
Who: identity_cases.py.
"""

import base64
import calendar
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

NOW = calendar.timegm((2024, 6, 1, 12, 0, 0))
HOUR = 3600

HASHES = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
SIGNATURES = {
    ("RSA", "md5"): "1.2.840.113549.1.1.4",
    ("RSA", "sha1"): "1.2.840.113549.1.1.5",
    ("RSA", "sha224"): "1.2.840.113549.1.1.14",
    ("RSA", "sha256"): "1.2.840.113549.1.1.11",
    ("RSA", "sha384"): "1.2.840.113549.1.1.12",
    ("RSA", "sha512"): "1.2.840.113549.1.1.13",
    ("EC", "sha1"): "1.2.840.10045.4.1",
    ("EC", "sha224"): "1.2.840.10045.4.3.1",
    ("EC", "sha256"): "1.2.840.10045.4.3.2",
    ("EC", "sha384"): "1.2.840.10045.4.3.3",
    ("EC", "sha512"): "1.2.840.10045.4.3.4",
}


# --- DER ---


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts):
    return der(0x30, *parts)


def integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(text):
    numbers = [int(part) for part in text.split(".")]
    body = bytes([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        body += bytes(reversed(groups))
    return der(0x06, body)


def moment(seconds):
    parts = time.gmtime(seconds)
    if parts.tm_year < 2050:
        return der(0x17, time.strftime("%y%m%d%H%M%SZ", parts).encode())
    return der(0x18, time.strftime("%Y%m%d%H%M%SZ", parts).encode())


def stamp(seconds):
    """RFC 3339, as --at takes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def name(common_name):
    return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0C, common_name.encode()))))


def bits(*numbers):
    """A named bit list: key usage."""
    value = bytearray(max(numbers) // 8 + 1 if numbers else 0)
    for number in numbers:
        value[number // 8] |= 0x80 >> number % 8
    unused = 7 - max(numbers) % 8 if numbers else 0
    return der(0x03, bytes([unused]), bytes(value))


DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_CERT_SIGN, CRL_SIGN = 0, 2, 5, 6
SERVER, CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
CODE_SIGNING, ANY_USE = "1.3.6.1.5.5.7.3.3", "2.5.29.37.0"
URI, DNS = 0x86, 0x82


def extension(identifier, value, critical=False):
    return sequence(oid(identifier), der(0x01, b"\xff") if critical else b"", der(0x04, value))


def basic(is_ca, path_length=None):
    body = der(0x01, b"\xff") if is_ca else b""
    body += integer(path_length) if path_length is not None else b""
    return extension("2.5.29.19", sequence(body), critical=True)


def usage(*numbers):
    return extension("2.5.29.15", bits(*numbers), critical=True)


def extended(*uses):
    return extension("2.5.29.37", sequence(*(oid(use) for use in uses)))


def alternative(*names):
    """(tag, text) of each."""
    return extension(
        "2.5.29.17", sequence(*(der(tag, text.encode("latin-1")) for tag, text in names))
    )


def constraint(permitted=(), excluded=()):
    def trees(tag, names):
        return der(tag, *(sequence(der(t, n.encode())) for t, n in names)) if names else b""

    return extension(
        "2.5.29.30", sequence(trees(0xA0, permitted), trees(0xA1, excluded)), critical=True
    )


UNKNOWN = extension("1.3.6.1.4.1.99999.1", b"\x05\x00", critical=True)


# --- keys ---


class Key:
    def __init__(self, private):
        self.private = private
        self.kind = kind_of(private)
        self.public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.identifier = hashlib.sha1(self.public).digest()

    def algorithm(self, hashed):
        if self.kind == "OKP":
            return sequence(oid("1.3.101.112"))
        null = b"\x05\x00" if self.kind == "RSA" else b""
        return sequence(oid(SIGNATURES[self.kind, hashed]), null)

    def sign(self, data, hashed="sha256"):
        if self.kind == "OKP":
            return self.private.sign(data)
        if self.kind == "RSA":
            return self.private.sign(data, padding.PKCS1v15(), HASHES[hashed])
        return self.private.sign(data, ec.ECDSA(HASHES[hashed]))


def kind_of(private):
    if isinstance(private, rsa.RSAPrivateKey):
        return "RSA"
    return "EC" if isinstance(private, ec.EllipticCurvePrivateKey) else "OKP"


def curve_key(curve=None):
    return Key(ec.generate_private_key(curve or ec.SECP256R1()))


def rsa_key(length=2048):
    return Key(rsa.generate_private_key(65537, length))


def edwards_key():
    return Key(ed25519.Ed25519PrivateKey.generate())


# --- certificates ---

LEAF = "spiffe://td/workload"


class Certificate:
    """Its fields are set by keyword; what is left out is as a good one has it."""

    def __init__(self, key, issuer=None, **fields):
        self.key = key
        self.issuer = issuer
        self.fields = {
            "subject": "leaf",
            "signer": issuer.key if issuer else key,
            "issuer_name": issuer.fields["subject"] if issuer else fields.get("subject", "leaf"),
            "hashed": "sha256",
            "begin": NOW - HOUR,
            "end": NOW + HOUR,
            "version": 3,
            "extensions": [],
            "key_ids": True,
            "outer": None,
            "serial": 1000,
            "damage": False,
            "public": key.public,
        }
        assert not set(fields) - set(self.fields), fields
        self.fields.update(fields)

    def body(self):
        f = self.fields
        extensions = list(f["extensions"])
        if f["key_ids"]:
            extensions.append(extension("2.5.29.14", der(0x04, self.key.identifier)))
            if self.issuer:
                parent = self.issuer.key.identifier
                extensions.append(extension("2.5.29.35", sequence(der(0x80, parent))))
        return sequence(
            der(0xA0, integer(2)) if f["version"] == 3 else b"",
            integer(f["serial"]),
            f["signer"].algorithm(f["hashed"]),
            name(f["issuer_name"]),
            sequence(moment(f["begin"]), moment(f["end"])),
            name(f["subject"]),
            f["public"],
            der(0xA3, sequence(*extensions)) if f["version"] == 3 and extensions else b"",
        )

    def der(self):
        f = self.fields
        body = self.body()
        signature = f["signer"].sign(body, f["hashed"])
        if f["damage"]:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return sequence(
            body,
            f["signer"].algorithm(f["outer"] or f["hashed"]),
            der(0x03, b"\x00", signature),
        )

    def pem(self):
        return pem(self.der())


def pem(octets, label="CERTIFICATE", end="\n"):
    text = base64.b64encode(octets).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return end.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def authority(key, issuer=None, path_length=None, **fields):
    fields.setdefault("subject", "authority")
    fields.setdefault("extensions", [basic(True, path_length), usage(KEY_CERT_SIGN, CRL_SIGN)])
    fields.setdefault("begin", NOW - 10 * HOUR)
    fields.setdefault("end", NOW + 10 * HOUR)
    return Certificate(key, issuer, **fields)


def leaf_extensions(uri=LEAF):
    return [
        basic(False),
        usage(DIGITAL_SIGNATURE),
        extended(SERVER, CLIENT),
        alternative((URI, uri)),
    ]


def leaf(key, issuer, **fields):
    fields.setdefault("extensions", leaf_extensions())
    return Certificate(key, issuer, **fields)


# --- tokens ---


def url64(octets):
    if isinstance(octets, str):
        octets = octets.encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


TOKEN_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVE_OCTETS = {"secp256r1": 32, "secp384r1": 48, "secp521r1": 66, "secp256k1": 32}


def token_signature(algorithm, key, signed):
    kind, hashed = algorithm[:2], TOKEN_HASHES.get(algorithm[2:])
    if kind == "HS":
        return hmac.new(key.public, signed, "sha256").digest()
    if kind == "Ed":
        return key.private.sign(signed)
    if kind == "RS":
        return key.private.sign(signed, padding.PKCS1v15(), hashed)
    if kind == "PS":
        salt = hashed.digest_size
        return key.private.sign(signed, padding.PSS(padding.MGF1(hashed), salt), hashed)
    if kind == "ES":
        r, s = utils.decode_dss_signature(key.private.sign(signed, ec.ECDSA(hashed)))
        size = CURVE_OCTETS[key.private.curve.name]
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return b""


def token(key, header, claims, signed_as=None, signature=None):
    """`header` and `claims`: an object, or JSON as text."""
    text = ".".join(
        url64(part if isinstance(part, str) else json.dumps(part)) for part in (header, claims)
    )
    if signature is None:
        signature = token_signature(signed_as or header["alg"], key, text.encode())
    return f"{text}.{url64(signature)}"


def number64(value, size=None):
    return url64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


CURVE_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def web_key(key, **more):
    public = key.private.public_key()
    if key.kind == "RSA":
        numbers = public.public_numbers()
        entry = {"kty": "RSA", "n": number64(numbers.n), "e": number64(numbers.e)}
    elif key.kind == "EC":
        numbers, curve = public.public_numbers(), key.private.curve.name
        size = CURVE_OCTETS[curve]
        entry = {
            "kty": "EC",
            "crv": CURVE_NAMES.get(curve, curve),
            "x": number64(numbers.x, size),
            "y": number64(numbers.y, size),
        }
    else:
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        entry = {"kty": "OKP", "crv": "Ed25519", "x": url64(raw)}
    entry.update(more)
    return entry
