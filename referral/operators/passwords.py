"""How passwords are stored and compared: argon2id, never on the event loop, never many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from referral.errors import SignInBlocked

#: One comparison takes 64 MiB and about a tenth of a second; a crowd of them must not starve the chats.
_AT_ONCE = 2
#: Whoever comes when so many wait already is sent away: about three seconds of waiting.
_MOST_WAITING = 60


class Passwords:
    """Hashes and verifies passwords with the parameters of RFC 9106 for servers with little memory."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        # Compared when there is no such operator, so that the answer takes as long as for a wrong password.
        self._nobody = self._hasher.hash("no such operator")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn at the door, before any database connection is taken; raises ``SignInBlocked``."""
        if self._waiting >= _MOST_WAITING:
            raise SignInBlocked("Too many people are signing in at this moment; please try again.")
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    async def hash(self, password: str) -> str:
        """What is stored instead of the password."""
        return await asyncio.to_thread(self._hasher.hash, password)

    async def match(self, password: str, *, stored: str | None) -> bool:
        """True when the password is the stored one; without one just as slow, and False."""
        same = await asyncio.to_thread(self._verify, stored or self._nobody, password)
        return same and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """True when the parameters have been raised since this hash was made."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
