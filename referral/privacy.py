"""How words of visitors and operators are kept unreadable at rest."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from referral.errors import SealBroken, SecretTooWeak

#: 256 bits, as AES-256 needs.
KEY_BYTES = 32
#: 96 bits, the nonce length AES-GCM is specified for (NIST SP 800-38D).
_NONCE_BYTES = 12
#: The first byte of every sealed value, so that a later key can live beside this one.
_VERSION = b"\x01"


class Privacy:
    """Seals words so that they can be read in their own table, column and row alone."""

    def __init__(self, secret: str) -> None:
        try:
            root = base64.b64decode(secret, validate=True)
        except binascii.Error as error:
            raise SecretTooWeak from error
        if len(root) < KEY_BYTES:
            raise SecretTooWeak
        self._cipher = AESGCM(_derive(root, "seal"))
        self._form_key = _derive(root, "form")
        self._fingerprint_key = _derive(root, "fingerprint")
        self._throttle_key = _derive(root, "throttle")
        self._mark_key = _derive(root, "known browser")
        self._recovery_key = _derive(root, "recovery code")

    def seal(self, plain: str, *, table: str, column: str, row: str) -> bytes:
        """Encrypt for one place; the same words look different every time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        place = _place(table, column=column, row=row)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain.encode(), place)

    def unseal(self, sealed: bytes, *, table: str, column: str, row: str) -> str:
        """Decrypt what ``seal`` made for the same place; raises ``SealBroken``."""
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise SealBroken
        try:
            return self._cipher.decrypt(nonce, body, _place(table, column=column, row=row)).decode()
        except InvalidTag as error:
            raise SealBroken from error

    def form_token(self, session: bytes) -> str:
        """What a form of this session must carry, so that no other site can send it."""
        return base64.urlsafe_b64encode(hmac.digest(self._form_key, session, "sha256")).decode()

    def fingerprint(self, body: bytes) -> bytes:
        """Tells whether the same was sent before, and nothing to whoever does not have the key."""
        return hmac.digest(self._fingerprint_key, body, "sha256")

    def throttle_key(self, *parts: str) -> bytes:
        """Stands for a name that somebody tried to sign in with, or for the address they came from."""
        return hmac.digest(self._throttle_key, "\x1f".join(parts).encode(), "sha256")

    def browser_mark(self, nonce: bytes, *, operator: bytes) -> bytes:
        """What a browser keeps of an operator who has signed in there; tells nobody who that was."""
        return hmac.digest(self._mark_key, nonce + operator, "sha256")

    def recovery_hash(self, code: str, *, operator: bytes) -> bytes:
        """What is stored of a recovery code."""
        return hmac.digest(self._recovery_key, operator + code.encode(), "sha256")


def _derive(root: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"porchlight referral {purpose}".encode()).derive(root)


def _place(table: str, *, column: str, row: str) -> bytes:
    return "\x1f".join((table, column, row)).encode()
