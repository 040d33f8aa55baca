"""The keys of conversations: each has one of its own, and whoever destroys it destroys its words.

A data key is kept wrapped by a master key, which lies elsewhere: in a setting or in a file. A service that
keeps master keys for others could be a third place; it would be another ``MasterKeys``.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.messages import BotError
from bot.privacy import KEY_BYTES, NONCE_BYTES, Privacy, SealBroken

#: The first byte of what is sealed under a data key; what is older has none and begins with its nonce.
_KEYED = b"\x02"
#: Fewer would mean that nobody threw dice.
_DIFFERENT_BYTES = 8
#: So many data keys stay unwrapped in memory, and each for so many seconds at most.
_CACHED, _CACHED_SECONDS = 2_000, 300.0


class MasterKeyMissing(BotError):
    """A conversation's key was wrapped by a master key that is not here."""


class MasterKeyUnreadable(BotError):
    """Master keys are written as ``version:key``, a number and 32 random bytes in base64."""


class Seal(Protocol):
    """What seals the words of one conversation."""

    def seal(self, plain: str, *, context: str) -> bytes:
        """Encrypt for one table, column and row."""

    def unseal(self, sealed: bytes, *, context: str) -> str:
        """Decrypt what ``seal`` made for the same place; raises ``SealBroken``."""


class MasterKeys(Protocol):
    """Whoever holds the master keys, by version; a lost version makes what it wrapped unreadable for good."""

    async def newest(self) -> int:
        """The version that wraps from now on."""

    async def wrap(self, plain: bytes, *, version: int, context: str) -> bytes:
        """Encrypt a data key for one row; raises ``MasterKeyMissing``."""

    async def unwrap(self, wrapped: bytes, *, version: int, context: str) -> bytes:
        """Decrypt what ``wrap`` made for the same row; raises ``MasterKeyMissing`` or ``SealBroken``."""


class GivenKeys:
    """Master keys that were given to this process, as by its settings."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._keys = keys

    async def newest(self) -> int:
        """The highest version."""
        return max(self._keys)

    async def wrap(self, plain: bytes, *, version: int, context: str) -> bytes:
        """Encrypt a data key for one row; raises ``MasterKeyMissing``."""
        return _encrypt(self._cipher(version), plain, context=f"{context}\x1f{version}")

    async def unwrap(self, wrapped: bytes, *, version: int, context: str) -> bytes:
        """Decrypt what ``wrap`` made for the same row; raises ``MasterKeyMissing`` or ``SealBroken``."""
        return _decrypt(self._cipher(version), wrapped, context=f"{context}\x1f{version}")

    def _cipher(self, version: int) -> AESGCM:
        key = self._keys.get(version)
        if key is None:
            raise MasterKeyMissing(f"Master key {version} is not here.")
        return AESGCM(key)


class FileKeys:
    """Master keys in a file, which is read again when it changes: a rotation needs no restart."""

    def __init__(self, file: Path, *, first: bytes) -> None:
        """``first`` is version 1, which every installation has."""
        self._file = file
        self._first = first
        self._read_at: int | None = None
        self._keys = GivenKeys({1: first})

    async def newest(self) -> int:
        """The highest version."""
        return await self._present().newest()

    async def wrap(self, plain: bytes, *, version: int, context: str) -> bytes:
        """Encrypt a data key for one row; raises ``MasterKeyMissing``."""
        return await self._present().wrap(plain, version=version, context=context)

    async def unwrap(self, wrapped: bytes, *, version: int, context: str) -> bytes:
        """Decrypt what ``wrap`` made for the same row; raises ``MasterKeyMissing`` or ``SealBroken``."""
        return await self._present().unwrap(wrapped, version=version, context=context)

    def add(self) -> int:
        """Make a newer version and keep the present one beside it; older ones go, as nothing may use them."""
        present = self._listed()
        newest = max(present, default=1)
        kept = {version: key for version, key in present.items() if version == newest}
        write_keys(self._file, {**kept, newest + 1: secrets.token_bytes(KEY_BYTES)})
        return newest + 1

    def _listed(self) -> dict[int, bytes]:
        return read_keys(self._file.read_text()) if self._file.exists() else {}

    def _present(self) -> GivenKeys:
        changed_at = self._file.stat().st_mtime_ns if self._file.exists() else None
        if changed_at != self._read_at:
            self._keys, self._read_at = GivenKeys({1: self._first, **self._listed()}), changed_at
        return self._keys


def read_keys(text: str) -> dict[int, bytes]:
    """Master keys by version, from ``2:key 3:key``; raises ``MasterKeyUnreadable``."""
    found: dict[int, bytes] = {}
    for entry in text.split():
        version, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise MasterKeyUnreadable(f"Master key {version} is not base64.") from error
        # Version 1 is made from the secret key; another of that number would hide what it wrapped.
        misnumbered = not version.isdecimal() or int(version) < 2 or int(version) in found
        if misnumbered or len(key) != KEY_BYTES or len(set(key)) < _DIFFERENT_BYTES:
            raise MasterKeyUnreadable(
                "Master keys are written as '2:…', '3:…' with 32 random bytes in base64, each version once."
            )
        found[int(version)] = key
    return found


def write_keys(file: Path, keys: Mapping[int, bytes]) -> None:
    """Put these into the file (0600) as ``read_keys`` reads them, or leave it as it was."""
    text = "".join(f"{version}:{base64.b64encode(key).decode()}\n" for version, key in sorted(keys.items()))
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    unfinished.replace(file)


def master_keys(privacy: Privacy, *, given: str = "", file: Path | None = None) -> MasterKeys:
    """The master keys of an installation: version 1 comes from its secret key, others are given."""
    if file is not None:
        return FileKeys(file, first=privacy.first_master_key)
    return GivenKeys({1: privacy.first_master_key, **read_keys(given)})


class DataKey:
    """The key of one conversation; ``older`` opens what was sealed before there were such keys."""

    def __init__(self, number: UUID, secret: bytes, *, older: Seal) -> None:
        self.number = number
        self._cipher = AESGCM(secret)
        self._older = older

    def seal(self, plain: str, *, context: str) -> bytes:
        """Encrypt for one table, column and row."""
        return _KEYED + _encrypt(self._cipher, plain.encode(), context=f"{context}\x1f{self.number}")

    def unseal(self, sealed: bytes, *, context: str) -> str:
        """Decrypt what ``seal`` made for the same place; raises ``SealBroken``."""
        if sealed[:1] == _KEYED:
            try:
                return _decrypt(self._cipher, sealed[1:], context=f"{context}\x1f{self.number}").decode()
            except SealBroken:
                # One nonce in 256 begins with that byte as well.
                pass
        return self._older.unseal(sealed, context=context)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """A data key as it is stored."""

    number: UUID
    wrapped: bytes
    #: The version of the master key.
    master: int


class Keys:
    """Makes and opens data keys, and remembers a few of those it has seen."""

    def __init__(
        self, masters: MasterKeys, *, older: Seal, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._masters = masters
        self._older = older
        self._clock = clock
        self._seen: OrderedDict[UUID, tuple[DataKey, float]] = OrderedDict()

    async def make(self, conversation: UUID) -> tuple[DataKey, WrappedKey]:
        """A new key, which nobody knows before it is stored."""
        number, secret = uuid4(), secrets.token_bytes(KEY_BYTES)
        wrapped = await self._wrap(conversation, number, secret, version=await self._masters.newest())
        return DataKey(number, secret, older=self._older), wrapped

    async def open(self, conversation: UUID, stored: WrappedKey | None) -> Seal:
        """The key that is stored for a conversation; whoever has none is from before there were such keys."""
        if stored is None:
            return self._older
        known = self.seen(conversation)
        if known is not None and known.number == stored.number:
            return known
        secret = await self._unwrap(conversation, stored)
        key = DataKey(stored.number, secret, older=self._older)
        self.remember(conversation, key)
        return key

    async def rewrap(self, conversation: UUID, stored: WrappedKey) -> WrappedKey:
        """The same key under the newest master key."""
        secret = await self._unwrap(conversation, stored)
        return await self._wrap(conversation, stored.number, secret, version=await self._masters.newest())

    def seen(self, conversation: UUID) -> DataKey | None:
        """The key that a conversation had a short while ago."""
        key, until = self._seen.get(conversation, (None, 0.0))
        if key is None or until < self._clock():
            self._seen.pop(conversation, None)
            return None
        self._seen.move_to_end(conversation)
        return key

    def remember(self, conversation: UUID, key: DataKey) -> None:
        """Keep this key in memory for a while."""
        self._seen[conversation] = key, self._clock() + _CACHED_SECONDS
        self._seen.move_to_end(conversation)
        if len(self._seen) > _CACHED:
            self._seen.popitem(last=False)

    def forget(self, conversation: UUID) -> None:
        """Keep nothing of this conversation's key in memory."""
        self._seen.pop(conversation, None)

    async def _wrap(self, conversation: UUID, number: UUID, secret: bytes, *, version: int) -> WrappedKey:
        wrapped = await self._masters.wrap(secret, version=version, context=_place(conversation, number))
        return WrappedKey(number=number, wrapped=wrapped, master=version)

    async def _unwrap(self, conversation: UUID, stored: WrappedKey) -> bytes:
        return await self._masters.unwrap(
            stored.wrapped, version=stored.master, context=_place(conversation, stored.number)
        )


def _place(conversation: UUID, number: UUID) -> str:
    return f"conversation_key.wrapped:{conversation}:{number}"


def _encrypt(cipher: AESGCM, plain: bytes, *, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, context.encode())


def _decrypt(cipher: AESGCM, sealed: bytes, *, context: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error
