"""What can a supervisor do about other bots? Give one a token, and take it away again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.errors import FormIncomplete, SourceExists, SourceUnknown
from referral.sources.repository import SourceRepository
from referral.sources.rules import MAX_NAME, hash_of, new_token
from referral.sources.tables import Source


class SourceAdministration:
    """A supervisor at work, within one transaction."""

    def __init__(self, session: AsyncSession, *, by: UUID, now: datetime) -> None:
        self._session = session
        self._sources = SourceRepository(session)
        self._by = by
        self._now = now

    async def add(self, name: str) -> str:
        """Let another bot refer; its token, which is shown this once."""
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise FormIncomplete(f"Please give this bot a name of at most {MAX_NAME} letters.")
        token = new_token()
        source = Source(
            number=uuid4(),
            name=name,
            token_hash=hash_of(token),
            created_at=self._now,
            creator_id=self._by,
        )
        if not await self._sources.add(source):
            raise SourceExists
        record(self._session, Act.SOURCE_ADDED, now=self._now, by=self._by)
        return token

    async def revoke(self, number: UUID) -> None:
        """This bot's token opens nothing any more; its visitors stay in the queue."""
        if not await self._sources.revoke(number, now=self._now):
            raise SourceUnknown
        record(self._session, Act.SOURCE_REVOKED, now=self._now, by=self._by)
