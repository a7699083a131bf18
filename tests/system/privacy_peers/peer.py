"""Tink and rage at work: a JSON line for each request, a JSON line for each answer.

What: a keyset of one known key in Tink, and pyrage's files.
Why: what Hector protects is opened by them, and the other way round.
Who: privacy_test.py, with the interpreter that has both.
"""

import base64
import json
import sys

import pyrage
import tink
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from tink import aead, daead, hybrid, mac, secret_key_access, signature
from tink.proto import (
    aes_gcm_pb2,
    aes_siv_pb2,
    common_pb2,
    ed25519_pb2,
    hmac_pb2,
    hpke_pb2,
    tink_pb2,
    xchacha20_poly1305_pb2,
)

TYPE = "type.googleapis.com/google.crypto.tink."
SYMMETRIC, PRIVATE, PUBLIC = (
    tink_pb2.KeyData.SYMMETRIC,
    tink_pb2.KeyData.ASYMMETRIC_PRIVATE,
    tink_pb2.KeyData.ASYMMETRIC_PUBLIC,
)


def _hpke(key):
    public = X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
    params = hpke_pb2.HpkeParams(
        kem=hpke_pb2.DHKEM_X25519_HKDF_SHA256, kdf=hpke_pb2.HKDF_SHA256, aead=hpke_pb2.AES_256_GCM
    )
    shown = hpke_pb2.HpkePublicKey(params=params, public_key=public)
    return hpke_pb2.HpkePrivateKey(public_key=shown, private_key=key)


def _ed25519(key):
    public = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
    shown = ed25519_pb2.Ed25519PublicKey(key_value=public)
    return ed25519_pb2.Ed25519PrivateKey(key_value=key, public_key=shown)


def _hmac(key):
    params = hmac_pb2.HmacParams(hash=common_pb2.SHA256, tag_size=32)
    return hmac_pb2.HmacKey(key_value=key, params=params)


FORMS = {
    "AES256_GCM": ("AesGcmKey", SYMMETRIC, lambda k: aes_gcm_pb2.AesGcmKey(key_value=k)),
    "XCHACHA20": (
        "XChaCha20Poly1305Key",
        SYMMETRIC,
        lambda k: xchacha20_poly1305_pb2.XChaCha20Poly1305Key(key_value=k),
    ),
    "AES_SIV_DET": ("AesSivKey", SYMMETRIC, lambda k: aes_siv_pb2.AesSivKey(key_value=k)),
    "HMAC": ("HmacKey", SYMMETRIC, _hmac),
    "HPKE_X25519": ("HpkePrivateKey", PRIVATE, _hpke),
    "ED25519": ("Ed25519PrivateKey", PRIVATE, _ed25519),
}


def handle(asked):
    """Tink's handle of the keyset with this key alone."""
    name, material, make = FORMS[asked["template"]]
    key = make(base64.b64decode(asked["key"]))
    keyset = tink_pb2.Keyset(primary_key_id=asked["key_id"])
    keyset.key.add(
        key_data=tink_pb2.KeyData(
            type_url=TYPE + name, value=key.SerializeToString(), key_material_type=material
        ),
        status=tink_pb2.ENABLED,
        key_id=asked["key_id"],
        output_prefix_type=tink_pb2.TINK,
    )
    return tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)


def primitive(asked, protects):
    template, keyset = asked["template"], handle(asked)
    if template == "AES_SIV_DET":
        return keyset.primitive(daead.DeterministicAead)
    if template == "HMAC":
        return keyset.primitive(mac.Mac)
    if template == "HPKE_X25519":
        return (
            keyset.public_keyset_handle().primitive(hybrid.HybridEncrypt)
            if protects
            else keyset.primitive(hybrid.HybridDecrypt)
        )
    if template == "ED25519":
        return (
            keyset.primitive(signature.PublicKeySign)
            if protects
            else keyset.public_keyset_handle().primitive(signature.PublicKeyVerify)
        )
    return keyset.primitive(aead.Aead)


def answer(asked):
    text, aad = base64.b64decode(asked.get("text", "")), base64.b64decode(asked.get("aad", ""))
    sealed = base64.b64decode(asked.get("sealed", ""))
    if asked["op"] == "identity":
        identity = pyrage.x25519.Identity.generate()
        return {"identity": str(identity), "recipient": str(identity.to_public())}
    if asked["op"] == "rage_seal":
        recipients = [pyrage.x25519.Recipient.from_str(each) for each in asked["recipients"]]
        return pyrage.encrypt(text, recipients, armored=asked.get("armored", False))
    if asked["op"] == "rage_open":
        return pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(asked["identity"])])
    used = primitive(asked, asked["op"] == "protect")
    if asked["op"] == "protect":
        if asked["template"] == "AES_SIV_DET":
            return used.encrypt_deterministically(text, aad)
        if asked["template"] == "HMAC":
            return used.compute_mac(text)
        return used.sign(text) if asked["template"] == "ED25519" else used.encrypt(text, aad)
    if asked["template"] == "AES_SIV_DET":
        return used.decrypt_deterministically(sealed, aad)
    if asked["template"] == "HMAC":
        return used.verify_mac(sealed, text) or b""
    if asked["template"] == "ED25519":
        return used.verify(sealed, text) or b""
    return used.decrypt(sealed, aad)


def main():
    for module in (aead, daead, hybrid, mac, signature):
        module.register()
    for line in sys.stdin:
        try:
            made = answer(json.loads(line))
            if isinstance(made, bytes):
                made = {"octets": base64.b64encode(made).decode()}
        except Exception as error:  # whatever a peer refuses with
            made = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(made), flush=True)


if __name__ == "__main__":
    main()
