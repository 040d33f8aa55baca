"""What somebody proves themselves with besides a password: an app, passkeys, and codes on paper."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.errors import CodeWrong, LastSecondFactor, StepOver
from referral.operators import totp
from referral.operators.factor_repository import FactorRepository
from referral.operators.tables import Authenticator, Passkey
from referral.privacy import Privacy

RECOVERY_CODES = 10
#: 32 letters and digits that nobody takes for each other: 80 bits in 16 of them, which nobody guesses.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz023456789"
_GROUPS, _GROUP = 4, 4


class _Place(TypedDict):
    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an authenticator app needs to know, until it has shown that it knows it."""

    drawing: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which second factors somebody has."""

    authenticator: bool
    passkeys: Sequence[Passkey]
    recovery_codes: int

    @property
    def any(self) -> bool:
        """True when a password alone does not let them in."""
        return self.authenticator or bool(self.passkeys)

    @property
    def one(self) -> bool:
        """True when removing anything would leave nothing."""
        return self.authenticator + len(self.passkeys) == 1


class Factors:
    """The second factors, within one transaction."""

    def __init__(self, session: AsyncSession, *, privacy: Privacy, now: datetime) -> None:
        self._session = session
        self._stored = FactorRepository(session)
        self._privacy = privacy
        self._now = now

    async def standing(self, operator: UUID) -> Standing:
        """Which ones somebody has."""
        return Standing(
            authenticator=await self._stored.has_authenticator(operator),
            passkeys=await self._stored.passkeys(operator),
            recovery_codes=await self._stored.recovery_codes(operator),
        )

    async def begin(self, operator: UUID) -> None:
        """A new secret for an app that is not in use yet; one in use is removed first, by hand."""
        authenticator = await self._stored.authenticator(operator)
        if authenticator is not None and authenticator.confirmed_at is not None:
            raise StepOver
        sealed = self._privacy.seal(totp.new_secret(), **_place(operator))
        if authenticator is None:
            self._stored.add(Authenticator(operator_id=operator, secret=sealed))
        else:
            authenticator.secret = sealed

    async def setup(self, operator: UUID, *, name: str) -> Setup:
        """What to show to the app; raises ``StepOver`` when nothing was begun."""
        secret = self._secret(await self._begun(operator))
        return Setup(drawing=totp.drawing(totp.address(secret, name=name)), secret=totp.spaced(secret))

    async def confirm(self, operator: UUID, code: str) -> Sequence[str]:
        """The app knows the secret: it counts from now on. Recovery codes if there were none yet.

        Raises ``CodeWrong``.
        """
        authenticator = await self._begun(operator)
        step = totp.accepted_step(self._secret(authenticator), _plain(code), now=self._now, after=None)
        if step is None:
            raise CodeWrong
        authenticator.confirmed_at, authenticator.last_step = self._now, step
        self._log(Act.AUTHENTICATOR_ADDED, by=operator)
        return await self.first_recovery_codes(operator)

    async def accepts(self, operator: UUID, code: str) -> bool:
        """True when this is the app's code, or one from paper; either is good once."""
        authenticator = await self._stored.authenticator(operator)
        if authenticator is not None and authenticator.confirmed_at is not None:
            step = totp.accepted_step(
                self._secret(authenticator), _plain(code), now=self._now, after=authenticator.last_step
            )
            if step is not None:
                authenticator.last_step = step
                return True
        if not await self._stored.use_recovery_code(operator, self._hash(operator, code)):
            return False
        self._log(Act.RECOVERY_CODE_USED, by=operator)
        return True

    async def first_recovery_codes(self, operator: UUID) -> Sequence[str]:
        """Codes for somebody who has just got their first second factor; none for whoever has some."""
        if await self._stored.recovery_codes(operator):
            return ()
        return await self.new_recovery_codes(operator)

    async def new_recovery_codes(self, operator: UUID) -> Sequence[str]:
        """Ten codes that are shown once; the ones before are void.

        Raises ``StepOver`` where there is no second factor that they could stand in for.
        """
        if not (await self.standing(operator)).any:
            raise StepOver
        codes = [_new_code() for _ in range(RECOVERY_CODES)]
        await self._stored.put_recovery_codes(operator, [self._hash(operator, code) for code in codes])
        self._log(Act.RECOVERY_CODES_MADE, by=operator)
        return codes

    async def remove_authenticator(self, operator: UUID, *, demanded: bool) -> None:
        """The app does not count any more."""
        await self._check_removable(operator, demanded=demanded)
        await self._stored.remove_authenticator(operator)
        self._log(Act.AUTHENTICATOR_REMOVED, by=operator)
        await self._tidy(operator)

    async def remove_passkey(self, operator: UUID, number: UUID, *, demanded: bool) -> None:
        """A passkey does not count any more."""
        await self._check_removable(operator, demanded=demanded)
        if not await self._stored.remove_passkey(number, operator=operator):
            raise StepOver
        self._log(Act.PASSKEY_REMOVED, by=operator)
        await self._tidy(operator)

    async def forget(self, operator: UUID) -> None:
        """All of them go: the phone is lost, and so is the paper."""
        await self._stored.remove_authenticator(operator)
        await self._stored.remove_passkeys(operator)
        await self._stored.put_recovery_codes(operator, ())

    async def _begun(self, operator: UUID) -> Authenticator:
        authenticator = await self._stored.authenticator(operator)
        if authenticator is None or authenticator.confirmed_at is not None:
            raise StepOver
        return authenticator

    async def _check_removable(self, operator: UUID, *, demanded: bool) -> None:
        # Locked, so that two removals at once do not leave nothing.
        await self._stored.lock(operator)
        if demanded and (await self.standing(operator)).one:
            raise LastSecondFactor

    async def _tidy(self, operator: UUID) -> None:
        """Codes on paper stand in for something; without it they go."""
        if not (await self.standing(operator)).any:
            await self._stored.put_recovery_codes(operator, ())

    def _secret(self, authenticator: Authenticator) -> str:
        return self._privacy.unseal(authenticator.secret, **_place(authenticator.operator_id))

    def _hash(self, operator: UUID, code: str) -> bytes:
        return self._privacy.recovery_hash(_plain(code), operator=operator.bytes)

    def _log(self, act: Act, *, by: UUID) -> None:
        record(self._session, act, now=self._now, by=by)


def _place(operator: UUID) -> _Place:
    return {"table": "authenticator", "column": "secret", "row": str(operator)}


def _new_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _plain(code: str) -> str:
    """A code as it is compared, however it was typed."""
    return "".join(code.lower().replace("-", " ").split())
