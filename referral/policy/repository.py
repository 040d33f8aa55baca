"""How rules that were set are read and written; the only place with queries about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from referral.operators.tables import Operator
from referral.policy.rules import Rule, Values
from referral.policy.tables import PolicyChange

# Any number, as long as nothing else in this database uses it: two who save at once do so one after another.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7206210030)")


class PolicyRepository:
    """Rules that were set, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def locked(self) -> None:
        """Until this transaction ends nobody else sets anything."""
        await self._session.execute(_ONE_AT_A_TIME)

    async def changed(self) -> Values:
        """What was set and is in force."""
        newest = (
            select(PolicyChange.rule, PolicyChange.value)
            .ext(distinct_on(PolicyChange.rule))
            .order_by(PolicyChange.rule, PolicyChange.number.desc())
        )
        rows = (await self._session.execute(newest)).all()
        return {Rule(rule): value for rule, value in rows if value is not None}

    async def add(self, changes: Mapping[Rule, int | None], *, by: UUID, now: datetime) -> None:
        """Set these; None goes back to the setting of this machine."""
        self._session.add_all(
            PolicyChange(rule=rule, value=value, changed_at=now, changed_by=by)
            for rule, value in changes.items()
        )

    async def newest(self, *, limit: int) -> Sequence[tuple[PolicyChange, str]]:
        """The last changes and who made them, the newest first."""
        query = (
            select(PolicyChange, Operator.name)
            .join(Operator, Operator.number == PolicyChange.changed_by)
            .order_by(PolicyChange.number.desc())
            .limit(limit)
        )
        return [(change, name) for change, name in (await self._session.execute(query)).all()]
