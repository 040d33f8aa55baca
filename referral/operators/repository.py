"""How operators, sessions and failed sign-ins are read and written; the only place with such queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from referral.connectors.holders import HOLDERS
from referral.operators.rules import FAILURE_MEMORY, PRESENT_EVERY, Policy, Role, Scope, Skills
from referral.operators.tables import Identity, Operator, Passkey, Session, SpentTicket, Throttle


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
                Operator.password_hash.is_not(None)
                | exists().where(Identity.operator_id == Operator.number)
                | exists().where(Passkey.operator_id == Operator.number),
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

    async def start_session(self, started: Session, *, policy: Policy, now: datetime) -> None:
        """A browser is signed in; sessions that are over go."""
        await self._session.execute(
            delete(Session).where(
                (Session.seen_at < now - policy.idle) | (Session.started_at < now - policy.absolute)
            )
        )
        self._session.add(started)
        await self._session.flush()

    async def sessions_of(self, operator: UUID) -> Sequence[Session]:
        """The browsers in which an operator is signed in, the one used last first."""
        query = select(Session).where(Session.operator_id == operator).order_by(Session.seen_at.desc())
        return (await self._session.scalars(query)).all()

    async def renew_session(self, token_hash: bytes, *, to: bytes, second_factor: bool | None) -> None:
        """The session has another cookie, and proved more than before unless ``second_factor`` is None."""
        changed: dict[str, bytes | bool] = {"token_hash": to}
        if second_factor is not None:
            changed["second_factor"] = second_factor
        await self._session.execute(
            update(Session)
            .where(Session.token_hash == token_hash)
            .values(changed)
            .execution_options(synchronize_session=False)
        )

    async def end_session_numbered(self, number: UUID, *, operator: UUID) -> bool:
        """True when this session was the operator's own, and is over now."""
        statement = delete(Session).where(Session.number == number, Session.operator_id == operator)
        result = await self._session.execute(statement.returning(Session.number))
        return result.scalar() is not None

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

    async def choose_language(self, operator: UUID, *, tag: str) -> None:
        """The operator reads the console in this language."""
        await self._session.execute(update(Operator).where(Operator.number == operator).values(language=tag))

    async def at_desk(self, *, since: datetime) -> Sequence[Operator]:
        """Who talks with visitors and has had a page open since then, by name."""
        query = (
            select(Operator)
            .where(
                Operator.role.in_((Role.OPERATOR, Role.SUPERVISOR)),
                Operator.disabled_at.is_(None),
                Operator.present_at > since,
                # A system that answers is nobody who sits at the desk.
                Operator.number.not_in(HOLDERS),
            )
            .order_by(Operator.name)
        )
        return (await self._session.scalars(query)).all()

    async def end_session(self, token_hash: bytes) -> None:
        """The browser is signed out."""
        await self._session.execute(delete(Session).where(Session.token_hash == token_hash))

    async def end_sessions(self, operator: UUID, *, but: bytes = b"") -> None:
        """All browsers of this operator are signed out, but for the one of this session."""
        await self._session.execute(
            delete(Session).where(Session.operator_id == operator, Session.token_hash != but)
        )

    async def throttles(self, keys: Sequence[bytes]) -> Sequence[Throttle]:
        """These counts of failures, locked in one order, so that nobody waits for each other."""
        query = select(Throttle).where(Throttle.key.in_(keys)).order_by(Throttle.key).with_for_update()
        return (await self._session.scalars(query)).all()

    async def throttles_of(self, name_keys: Sequence[bytes]) -> Sequence[Throttle]:
        """All counts of failures for these names."""
        return (await self._session.scalars(select(Throttle).where(Throttle.name_key.in_(name_keys)))).all()

    async def throttled_addresses(self) -> Sequence[Throttle]:
        """The counts of failures by address."""
        return (await self._session.scalars(select(Throttle).where(Throttle.scope == Scope.ADDRESS))).all()

    async def forget_failures(self, *, now: datetime) -> None:
        """Failures that are long past go, unless somebody is looking at them at this moment."""
        past = select(Throttle.key).where(Throttle.failed_at < now - FAILURE_MEMORY)
        await self._session.execute(
            delete(Throttle).where(Throttle.key.in_(past.with_for_update(skip_locked=True)))
        )

    async def count_failure(self, key: bytes, *, scope: Scope, name_key: bytes | None, now: datetime) -> None:
        """One more failure."""
        statement = insert(Throttle).values(
            key=key, scope=scope, name_key=name_key, failures=1, failed_at=now
        )
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[Throttle.key],
                set_={"failures": Throttle.failures + 1, "failed_at": now},
            )
        )

    async def clear_failures(self, keys: Sequence[bytes]) -> None:
        """What failed before is forgotten."""
        await self._session.execute(delete(Throttle).where(Throttle.key.in_(keys)))

    async def lift(self, name_key: bytes) -> None:
        """All failures for a name are forgotten."""
        await self._session.execute(delete(Throttle).where(Throttle.name_key == name_key))

    async def lift_addresses(self) -> None:
        """All failures by address are forgotten."""
        await self._session.execute(delete(Throttle).where(Throttle.scope == Scope.ADDRESS))

    async def identified(self, *, issuer: str, subject: str) -> Operator | None:
        """Whose account elsewhere this is."""
        query = (
            select(Operator)
            .join(Identity, Identity.operator_id == Operator.number)
            .where(Identity.issuer == issuer, Identity.subject == subject)
            .with_for_update(of=Operator)
        )
        return await self._session.scalar(query)

    async def is_bound(self, operator: UUID) -> bool:
        """True when an account elsewhere is bound to this operator."""
        query = select(func.count()).select_from(Identity).where(Identity.operator_id == operator)
        return bool(await self._session.scalar(query))

    async def bind(self, operator: UUID, *, issuer: str, subject: str, now: datetime) -> None:
        """From now on this account elsewhere is this operator's."""
        self._session.add(Identity(issuer=issuer, subject=subject, operator_id=operator, bound_at=now))
        await self._session.flush()

    async def unbind(self, operator: UUID) -> None:
        """The account elsewhere is nobody's any more."""
        await self._session.execute(delete(Identity).where(Identity.operator_id == operator))

    async def emailed(self, email: str) -> Operator | None:
        """The operator with this e-mail address."""
        return await self._session.scalar(select(Operator).where(Operator.email == email).with_for_update())

    async def spend(self, number: UUID, *, until: datetime, now: datetime) -> bool:
        """True the first time that this step is taken."""
        await self._session.execute(delete(SpentTicket).where(SpentTicket.until < now))
        statement = insert(SpentTicket).values(number=number, until=until).on_conflict_do_nothing()
        result = await self._session.execute(statement.returning(SpentTicket.number))
        return result.scalar() is not None
