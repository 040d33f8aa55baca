"""Who has to wait before the next attempt to sign in, so that guessing is slow and locks nobody else out?

Failures are counted by name and address together, by address, and by name. A browser in which somebody has
signed in before is counted by itself alone: whatever others do elsewhere, it stays open for that person
(OWASP's device cookies).
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from referral.operators.repository import OperatorRepository
from referral.operators.rules import Scope, blocked_until
from referral.operators.tables import Operator
from referral.privacy import Privacy

_NONCE_BYTES = 16
#: So many people may share a browser and each be known to it.
_MOST_MARKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """From where somebody signs in."""

    #: The network they come from; none if it is not known.
    address: str | None = None
    #: "Firefox, Windows".
    browser: str = ""
    #: What the browser keeps of those who have signed in there.
    marks: str = ""
    #: The session that the browser has until now.
    cookie: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One number of failures."""

    scope: Scope
    key: bytes
    name_key: bytes | None


class Throttles:
    """The failures, within one transaction."""

    def __init__(self, session: AsyncSession, *, privacy: Privacy, now: datetime) -> None:
        self._operators = OperatorRepository(session)
        self._privacy = privacy
        self._now = now

    def of_password(self, name: str, *, operator: Operator | None, caller: Caller) -> Sequence[Count]:
        """What counts for a password that is tried for a name."""
        name_key = self._privacy.throttle_key(name)
        mark = operator and self._known(operator.number, marks=caller.marks)
        if mark:
            return [self._count(Scope.BROWSER, mark, name_key=name_key)]
        return self._elsewhere(name, caller=caller)

    def of_second_step(self, operator: Operator) -> Sequence[Count]:
        """What counts for a code or a password of somebody who has proved a part already."""
        name_key = self._privacy.throttle_key(operator.name)
        return [self._count(Scope.SECOND_STEP, operator.number.hex, name_key=name_key)]

    async def blocked(self, counts: Sequence[Count]) -> bool:
        """True when one of them says to wait. The rows stay locked: guesses go one after another."""
        return any(
            self._now < blocked_until(Scope(row.scope), failures=row.failures, failed_at=row.failed_at)
            for row in await self._operators.throttles([count.key for count in counts])
        )

    async def failed(self, counts: Sequence[Count]) -> None:
        """One more for each."""
        await self._operators.forget_failures(now=self._now)
        for count in sorted(counts, key=lambda one: one.key):
            await self._operators.count_failure(
                count.key, scope=count.scope, name_key=count.name_key, now=self._now
            )

    async def succeeded(self, counts: Sequence[Count], *, name: str, caller: Caller) -> None:
        """The right person was here: neither their name nor their address is suspicious any more.

        The address too: the mistakes of a whole office would add up for weeks otherwise.
        """
        keys = {count.key for count in (*counts, *self._elsewhere(name, caller=caller))}
        await self._operators.clear_failures(sorted(keys))

    async def proved(self, counts: Sequence[Count]) -> None:
        """The second step was taken."""
        await self._operators.clear_failures([count.key for count in counts])

    async def lift(self, name: str) -> None:
        """Everybody may try this name again at once."""
        await self._operators.lift(self._privacy.throttle_key(name))

    async def held_back(self, names: Sequence[str]) -> Mapping[str, datetime]:
        """Which of these names has to wait somewhere, and until when."""
        keys = {self._privacy.throttle_key(name): name for name in names}
        found: dict[str, datetime] = {}
        for row in await self._operators.throttles_of(list(keys)):
            until = blocked_until(Scope(row.scope), failures=row.failures, failed_at=row.failed_at)
            if row.name_key is not None and until > self._now:
                name = keys[row.name_key]
                found[name] = max(until, found.get(name, until))
        return found

    async def networks_held_back(self) -> int:
        """How many addresses have to wait."""
        return sum(
            blocked_until(Scope.ADDRESS, failures=row.failures, failed_at=row.failed_at) > self._now
            for row in await self._operators.throttled_addresses()
        )

    def mark(self, operator: UUID, *, marks: str) -> str:
        """What the browser keeps now that this operator has signed in."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        mark = nonce + self._privacy.browser_mark(nonce, operator=operator.bytes)
        others = [other for other in marks.split(".") if other and not self._is_of(operator, other)]
        return ".".join([base64.urlsafe_b64encode(mark).decode(), *others][:_MOST_MARKS])

    def _elsewhere(self, name: str, *, caller: Caller) -> list[Count]:
        name_key = self._privacy.throttle_key(name)
        found = [
            self._count(Scope.PAIR, name, caller.address or "", name_key=name_key),
            self._count(Scope.NAME, name, name_key=name_key),
        ]
        if caller.address:
            found.append(self._count(Scope.ADDRESS, caller.address, name_key=None))
        return found

    def _known(self, operator: UUID, *, marks: str) -> str | None:
        return next((mark for mark in marks.split(".")[:_MOST_MARKS] if self._is_of(operator, mark)), None)

    def _is_of(self, operator: UUID, mark: str) -> bool:
        try:
            raw = base64.urlsafe_b64decode(mark)
        except ValueError:
            return False
        nonce, proof = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        return hmac.compare_digest(self._privacy.browser_mark(nonce, operator=operator.bytes), proof)

    def _count(self, scope: Scope, *parts: str, name_key: bytes | None) -> Count:
        return Count(scope=scope, key=self._privacy.throttle_key(scope, *parts), name_key=name_key)
