"""How operators, sessions and failed sign-ins are read and written; the only place with such queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from referral.operators.rules import ABSOLUTE, FAILURE_MEMORY, IDLE, PRESENT_EVERY, Role, Skills
from referral.operators.tables import Operator, Session, Throttle


class OperatorRepository:
    """Operators and their ways in, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, number: UUID) -> Operator | None:
        """An operator, disabled or not."""
        return await self._session.get(Operator, number)

    async def named(self, name: str) -> Operator | None:
        """The operator of this name, disabled or not."""
        return await self._session.scalar(select(Operator).where(Operator.name == name).with_for_update())

    async def invited(self, invitation_hash: bytes) -> Operator | None:
        """The operator whose one-time link this is, locked so that it works once."""
        query = select(Operator).where(Operator.invitation_hash == invitation_hash).with_for_update()
        return await self._session.scalar(query)

    async def everyone(self) -> Sequence[Operator]:
        """All operators by name, the disabled ones last."""
        query = select(Operator).order_by(Operator.disabled_at.is_not(None), Operator.name)
        return (await self._session.scalars(query)).all()

    async def skills(self, number: UUID) -> Skills:
        """Whom an operator can serve."""
        query = select(Operator.locales, Operator.countries, Operator.roles).where(Operator.number == number)
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            return Skills()
        return Skills(
            locales=frozenset(row.locales), countries=frozenset(row.countries), roles=frozenset(row.roles)
        )

    async def names(self, numbers: Iterable[UUID]) -> Mapping[UUID, str]:
        """The names of these operators."""
        query = select(Operator.number.label("number"), Operator.name).where(
            Operator.number.in_(set(numbers))
        )
        rows = (await self._session.execute(query)).all()
        return {row.number: row.name for row in rows}

    async def other_supervisors(self, number: UUID) -> int:
        """How many supervisors there are who can sign in, but for this operator."""
        query = (
            select(func.count())
            .select_from(Operator)
            .where(
                Operator.role == Role.SUPERVISOR,
                Operator.disabled_at.is_(None),
                Operator.password_hash.is_not(None),
                Operator.number != number,
            )
        )
        return await self._session.scalar(query) or 0

    async def add(self, operator: Operator) -> None:
        """A new operator; the name must be free."""
        self._session.add(operator)
        await self._session.flush()

    async def session(self, token_hash: bytes) -> Session | None:
        """The session of this cookie, with its operator."""
        return await self._session.get(Session, token_hash)

    async def start_session(self, token_hash: bytes, *, operator: UUID, now: datetime) -> None:
        """A browser is signed in; sessions that are over go."""
        await self._session.execute(
            delete(Session).where((Session.seen_at < now - IDLE) | (Session.started_at < now - ABSOLUTE))
        )
        self._session.add(Session(token_hash=token_hash, operator_id=operator, started_at=now, seen_at=now))

    async def saw(self, token_hash: bytes, *, now: datetime) -> None:
        """The session is in use."""
        await self._session.execute(
            update(Session)
            .where(Session.token_hash == token_hash, Session.seen_at < now)
            .values(seen_at=now)
            .execution_options(synchronize_session=False)
        )

    async def rehearse(self, token_hash: bytes, *, begins: bool) -> None:
        """From now on this browser is about rehearsals, or about visitors again."""
        await self._session.execute(
            update(Session)
            .where(Session.token_hash == token_hash)
            .values(rehearses=begins)
            .execution_options(synchronize_session=False)
        )

    async def present(self, operator: UUID, *, now: datetime) -> None:
        """The operator has a page open."""
        await self._session.execute(
            update(Operator)
            .where(
                Operator.number == operator,
                Operator.present_at.is_(None) | (Operator.present_at < now - PRESENT_EVERY),
            )
            .values(present_at=now)
            .execution_options(synchronize_session=False)
        )

    async def at_desk(self, *, since: datetime) -> Sequence[Operator]:
        """Who talks with visitors and has had a page open since then, by name."""
        query = (
            select(Operator)
            .where(
                Operator.role.in_((Role.OPERATOR, Role.SUPERVISOR)),
                Operator.disabled_at.is_(None),
                Operator.present_at > since,
            )
            .order_by(Operator.name)
        )
        return (await self._session.scalars(query)).all()

    async def end_session(self, token_hash: bytes) -> None:
        """The browser is signed out."""
        await self._session.execute(delete(Session).where(Session.token_hash == token_hash))

    async def end_sessions(self, operator: UUID) -> None:
        """All browsers of this operator are signed out."""
        await self._session.execute(delete(Session).where(Session.operator_id == operator))

    async def throttle(self, key: bytes) -> Throttle | None:
        """The failed sign-ins under a name, locked: guesses for one name go one after another."""
        return await self._session.scalar(select(Throttle).where(Throttle.key == key).with_for_update())

    async def count_failure(self, key: bytes, *, now: datetime) -> None:
        """One more failed sign-in under a name; failures that are long past go."""
        await self._session.execute(delete(Throttle).where(Throttle.failed_at < now - FAILURE_MEMORY))
        statement = insert(Throttle).values(key=key, failures=1, failed_at=now)
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[Throttle.key],
                set_={"failures": Throttle.failures + 1, "failed_at": now},
            )
        )

    async def clear_failures(self, key: bytes) -> None:
        """Somebody signed in: what failed before is forgotten."""
        await self._session.execute(delete(Throttle).where(Throttle.key == key))
