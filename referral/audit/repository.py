"""How the audit log is written and read; the only place with queries about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.rules import Act, Break, Fault, Head, Link, follow
from referral.audit.tables import AuditDraft, AuditRow

#: So many rows are read at once when all are.
_BATCH = 5_000


def record(
    session: AsyncSession,
    act: Act,
    *,
    now: datetime,
    by: UUID | None = None,
    about: UUID | None = None,
    case: UUID | None = None,
) -> None:
    """Add a row to the log in this transaction: it stands there if, and only if, the act does."""
    session.add(AuditDraft(at=now, act=act, operator_id=by, about_id=about, case_id=case))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows an auditor wants to see: all, unless something is given."""

    day: date | None = None
    #: Who did it, or about whom it was.
    person: UUID | None = None
    case: UUID | None = None


class AuditRepository:
    """The log within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def newest(self, wanted: Wanted, *, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Rows that are wanted, the newest first, older than ``before``."""
        query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditRow.seq < before)
        if wanted.day is not None:
            begin = datetime.combine(wanted.day, time(), UTC)
            query = query.where(AuditRow.at >= begin, AuditRow.at < begin + timedelta(days=1))
        if wanted.person is not None:
            query = query.where(
                (AuditRow.operator_id == wanted.person) | (AuditRow.about_id == wanted.person)
            )
        if wanted.case is not None:
            query = query.where(AuditRow.case_id == wanted.case)
        return (await self._session.scalars(query)).all()

    async def oldest(self) -> AsyncIterator[Sequence[Link]]:
        """The whole log, oldest first, in batches."""
        columns = (
            AuditRow.seq,
            AuditRow.at,
            AuditRow.act,
            AuditRow.operator_id,
            AuditRow.about_id,
            AuditRow.case_id,
            AuditRow.previous,
            AuditRow.hash,
        )
        last: int | None = None
        while True:
            query = select(*columns).order_by(AuditRow.seq).limit(_BATCH)
            if last is not None:
                query = query.where(AuditRow.seq > last)
            rows = (await self._session.execute(query)).all()
            if not rows:
                return
            yield [
                Link(
                    seq=row.seq,
                    at=row.at,
                    act=row.act,
                    operator=row.operator_id,
                    about=row.about_id,
                    case=row.case_id,
                    previous=row.previous,
                    hash=row.hash,
                )
                for row in rows
            ]
            last = rows[-1].seq

    async def verify(self, *, known: Head | None = None) -> Head | Break:
        """The head of the log if it is whole, else its first break."""
        head = Head()
        async for links in self.oldest():
            found = follow(links, after=head, known=known)
            if isinstance(found, Break):
                return found
            head = found
        if known is not None and known.seq > head.seq:
            return Break(seq=head.seq + 1, fault=Fault.MISSING)
        return head
