"""What is a source's token, how often may it ask, and which case is a referral? No database, no clock."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID, uuid5

#: Tells a scanner of leaked secrets, and a person, what this is.
PREFIX = "porchlight_"
_TOKEN_BYTES = 32
#: Requests are counted in windows of this length.
WINDOW = timedelta(minutes=1)
MAX_NAME = 60


def new_token() -> str:
    """A token that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """What is stored of a token; 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def case_of(source: UUID, *, key: str) -> UUID:
    """The case of a referral: the same for the same source and key, so that a repeat finds it again."""
    return uuid5(source, key)


def pause(*, hits: int, most: int, window_at: datetime, now: datetime) -> timedelta | None:
    """How long a source must wait before it asks again; None if it need not."""
    return max(window_at + WINDOW - now, timedelta(seconds=1)) if hits > most else None
