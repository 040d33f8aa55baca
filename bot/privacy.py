"""How the bot knows a visitor again without knowing who they are, and keeps their words sealed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.messages import BotError

#: 256 bits, as AES-256 needs.
KEY_BYTES = 32
#: 96 bits, the nonce length AES-GCM is specified for (NIST SP 800-38D).
NONCE_BYTES = 12


class SecretTooWeak(BotError):
    """PORCHLIGHT_SECRET_KEY must hold at least 32 random bytes in base64."""


class SealBroken(BotError):
    """This stored value was changed, moved, or sealed with another key."""


class Privacy:
    """Pseudonyms, sealed values and web-chat tokens, each from its own key of one secret."""

    def __init__(self, secret: str) -> None:
        try:
            root = base64.b64decode(secret, validate=True)
        except binascii.Error as error:
            raise SecretTooWeak from error
        if len(root) < KEY_BYTES:
            raise SecretTooWeak
        self._pseudonym_key = _derive(root, "pseudonym")
        self._token_key = _derive(root, "web token")
        self._cipher = AESGCM(_derive(root, "seal"))
        #: Version 1 of the keys that wrap the keys of conversations.
        self.first_master_key = _derive(root, "master key")

    def conversation(self, channel: str, address: str) -> UUID:
        """The pseudonym of a visitor: always the same for an address, and not to be turned back."""
        return UUID(bytes=self._digest(channel, address)[:16])

    def update_key(self, channel: str, update: str) -> bytes:
        """16 bytes that stand for a platform's delivery id, which may itself tell about the visitor."""
        return self._digest("update", channel, update)[:16]

    def token_key(self, token: str) -> bytes:
        """32 bytes that stand for the random token of a link, so that the database alone opens no link."""
        return self._digest("document", token)

    def code_key(self, code: str) -> bytes:
        """32 bytes that stand for a private code, so that the database alone tells none."""
        return self._digest("case code", code)

    def seal(self, plain: str, *, context: str) -> bytes:
        """Encrypt; ``context`` names table, column and row, so that the value is readable there alone."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain.encode(), context.encode())

    def unseal(self, sealed: bytes, *, context: str) -> str:
        """Decrypt what ``seal`` made for the same context; raises ``SealBroken``."""
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error
        return plain.decode()

    def token(self, claim: str) -> str:
        """A bearer token that carries the claim and cannot be made without our key."""
        signature = hmac.digest(self._token_key, claim.encode(), "sha256")
        return f"{_encode(claim.encode())}.{_encode(signature)}"

    def claim(self, token: str) -> str | None:
        """The claim of a token that we made, or None."""
        body, _, signature = token.partition(".")
        try:
            claim = _decode(body)
            expected = hmac.digest(self._token_key, claim, "sha256")
            return claim.decode() if hmac.compare_digest(_decode(signature), expected) else None
        except (binascii.Error, UnicodeError):
            return None

    def _digest(self, *parts: str) -> bytes:
        framed = b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
        return hmac.new(self._pseudonym_key, framed, hashlib.sha256).digest()


def _derive(root: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"porchlight bot {purpose}".encode()).derive(root)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
