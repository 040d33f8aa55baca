"""How authenticator apps, passkeys and recovery codes are read and written; only here are such queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from referral.operators.tables import Authenticator, Operator, Passkey, RecoveryCode


class FactorRepository:
    """Second factors, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, operator: UUID) -> None:
        """Whoever changes the factors of this operator waits until we have."""
        await self._session.scalar(
            select(Operator.number).where(Operator.number == operator).with_for_update()
        )

    async def protected(self) -> frozenset[UUID]:
        """Who has a second factor."""
        apps = select(Authenticator.operator_id).where(Authenticator.confirmed_at.is_not(None))
        passkeys = select(Passkey.operator_id)
        return frozenset((await self._session.scalars(apps.union(passkeys))).all())

    async def authenticator(self, operator: UUID) -> Authenticator | None:
        """The app of an operator, confirmed or not, locked so that a code counts once."""
        return await self._session.get(Authenticator, operator, with_for_update=True)

    async def has_authenticator(self, operator: UUID) -> bool:
        """True when an app was confirmed."""
        query = select(Authenticator.operator_id).where(
            Authenticator.operator_id == operator, Authenticator.confirmed_at.is_not(None)
        )
        return await self._session.scalar(query) is not None

    def add(self, made: Authenticator | Passkey) -> None:
        """A new app or passkey."""
        self._session.add(made)

    async def remove_authenticator(self, operator: UUID) -> None:
        """The app of an operator goes."""
        await self._session.execute(delete(Authenticator).where(Authenticator.operator_id == operator))

    async def passkeys(self, operator: UUID) -> Sequence[Passkey]:
        """The passkeys of an operator, oldest first."""
        query = select(Passkey).where(Passkey.operator_id == operator).order_by(Passkey.added_at)
        return (await self._session.scalars(query)).all()

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        """The passkey that a browser names, locked so that its counter counts."""
        query = select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()
        return await self._session.scalar(query)

    async def remove_passkey(self, number: UUID, *, operator: UUID) -> bool:
        """True when this was a passkey of the operator's own, and is gone."""
        statement = delete(Passkey).where(Passkey.number == number, Passkey.operator_id == operator)
        return (await self._session.execute(statement.returning(Passkey.number))).scalar() is not None

    async def remove_passkeys(self, operator: UUID) -> None:
        """All passkeys of an operator go."""
        await self._session.execute(delete(Passkey).where(Passkey.operator_id == operator))

    async def recovery_codes(self, operator: UUID) -> int:
        """How many are left."""
        query = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.operator_id == operator)
        return await self._session.scalar(query) or 0

    async def put_recovery_codes(self, operator: UUID, hashes: Iterable[bytes]) -> None:
        """These take the place of all before."""
        await self._session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator))
        self._session.add_all(RecoveryCode(operator_id=operator, code_hash=one) for one in hashes)

    async def use_recovery_code(self, operator: UUID, code_hash: bytes) -> bool:
        """True when there was such a code; there is none now."""
        statement = delete(RecoveryCode).where(
            RecoveryCode.operator_id == operator, RecoveryCode.code_hash == code_hash
        )
        result = await self._session.execute(statement.returning(RecoveryCode.operator_id))
        return result.scalar() is not None
