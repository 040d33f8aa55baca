"""How reviews are read and written; the only place with queries about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.rules import CaseState
from referral.cases.tables import Case
from referral.operators.tables import Operator
from referral.reviews.rules import Dimension, Marks
from referral.reviews.tables import Review


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """How the talks of one operator were judged so far."""

    operator: str
    number: int
    #: None where nothing was marked yet.
    marks: Mapping[Dimension, float | None]


class ReviewRepository:
    """Reviews within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def to_read(self, *, reviewer: UUID, limit: int) -> Sequence[tuple[Case, str]]:
        """Closed cases of others that nobody has judged yet, the newest first, with who closed them."""
        query = (
            select(Case, Operator.name)
            .join(Operator, Operator.number == Case.closer_id)
            .outerjoin(Review, Review.case_id == Case.number)
            .where(
                Case.state == CaseState.CLOSED,
                Case.forgotten_at.is_(None),
                Case.consent_revoked_at.is_(None),
                Case.closer_id != reviewer,
                Review.case_id.is_(None),
            )
            .order_by(Case.closed_at.desc())
            .limit(limit)
        )
        return [(case, name) for case, name in (await self._session.execute(query)).all()]

    async def put(self, case: UUID, marks: Marks, *, by: UUID, operator: UUID, now: datetime) -> None:
        """Store a review; one that is there already is replaced."""
        values = {str(name): marks.get(name) for name in Dimension}
        values_by = {"reviewer_id": by, "operator_id": operator, "reviewed_at": now, **values}
        await self._session.execute(
            insert(Review)
            .values(case_id=case, **values_by)
            .on_conflict_do_update(index_elements=[Review.case_id], set_=values_by)
        )

    async def means(self, *, operator: UUID | None = None) -> Sequence[Mean]:
        """How talks were judged, by operator; of one operator, if one is given."""
        columns = [func.avg(getattr(Review, name)) for name in Dimension]
        query = (
            select(Operator.name, func.count(), *columns)
            .join(Operator, Operator.number == Review.operator_id)
            .group_by(Operator.name)
            .order_by(Operator.name)
        )
        if operator is not None:
            query = query.where(Review.operator_id == operator)
        return [
            Mean(operator=name, number=number, marks=dict(zip(Dimension, marks, strict=True)))
            for name, number, *marks in (await self._session.execute(query)).all()
        ]
