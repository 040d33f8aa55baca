"""How is every word of a case erased? When and how it went remains, for the reports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.repository import CaseRepository
from referral.cases.tables import Case
from referral.connectors.repository import LetterRepository
from referral.sources.repository import SourceRepository


async def erase(session: AsyncSession, case: Case, *, now: datetime) -> None:
    """Erase the words of a case whose row and thread are locked, and have other systems told to."""
    case.card = case.conversation = None
    case.forgotten_at = now
    await CaseRepository(session).erase_words(case.number, now=now)
    await LetterRepository(session).forget(case.number, now=now)
    await SourceRepository(session).forget(case.number)
