"""Who may come in: invitations, passwords, sessions."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.errors import (
    InvitationInvalid,
    LastSupervisor,
    OperatorExists,
    OperatorUnknown,
    SignInBlocked,
    SignInNeeded,
    SignInRefused,
)
from referral.operators import rules
from referral.operators.passwords import Passwords
from referral.operators.repository import OperatorRepository
from referral.operators.rules import Role, Skills
from referral.operators.tables import Operator
from referral.privacy import Privacy

#: 256 random bits: such a secret is not guessed, so its plain hash may be stored.
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An operator in a browser."""

    operator: UUID
    name: str
    role: Role
    #: SHA-256 of the cookie: the session's key.
    session: bytes
    #: What every form must carry.
    form_token: str
    #: True while they practise with children who do not exist.
    rehearses: bool = False

    @property
    def supervises(self) -> bool:
        """True for supervisors."""
        return self.role is Role.SUPERVISOR

    @property
    def helps(self) -> bool:
        """True for those who talk with visitors."""
        return self.role in (Role.OPERATOR, Role.SUPERVISOR)

    @property
    def audits(self) -> bool:
        """True for those who read the audit log, and nothing else."""
        return self.role is Role.AUDITOR


class Access:
    """The door of the console, within one transaction."""

    def __init__(
        self, session: AsyncSession, *, passwords: Passwords, privacy: Privacy, now: datetime
    ) -> None:
        self._session = session
        self._operators = OperatorRepository(session)
        self._passwords = passwords
        self._privacy = privacy
        self._now = now

    async def sign_in(self, name: str, password: str) -> str | SignInRefused | SignInBlocked:
        """The cookie of a new session, or why not: returned, not raised, so that the failure is counted."""
        name = name.strip().lower()
        key = self._privacy.throttle_key(name)
        throttle = await self._operators.throttle(key)
        if throttle is not None:
            free_at = rules.blocked_until(failures=throttle.failures, failed_at=throttle.failed_at)
            if self._now < free_at:
                return SignInBlocked()
        operator = await self._operators.named(name)
        stored = operator.password_hash if operator and operator.disabled_at is None else None
        if not await self._passwords.match(password, stored=stored) or operator is None:
            await self._operators.count_failure(key, now=self._now)
            self._log(Act.SIGN_IN_REFUSED, about=operator.number if operator else None)
            return SignInRefused()
        if stored is not None and self._passwords.is_outdated(stored):
            operator.password_hash = await self._passwords.hash(password)
        await self._operators.clear_failures(key)
        self._log(Act.SIGNED_IN, by=operator.number)
        return await self._start(operator)

    async def invite(self, name: str, *, role: Role, by: UUID | None = None) -> str:
        """The secret of a one-time link for a new operator; it is shown once and not stored.

        ``by`` is who is signed in at the console; nobody is at the command line.
        """
        name = rules.name_of(name)
        if await self._operators.named(name) is not None:
            raise OperatorExists
        operator = Operator(number=uuid4(), name=name, role=role)
        secret = self._invitation(operator)
        await self._operators.add(operator)
        self._log(Act.OPERATOR_INVITED, by=by, about=operator.number)
        return secret

    async def invite_again(self, name: str, *, by: UUID | None = None) -> str:
        """The secret of a one-time link for an operator who cannot get in; the old password ends now."""
        operator = await self._operators.named(rules.name_of(name))
        if operator is None:
            raise OperatorUnknown
        operator.password_hash = None
        operator.disabled_at = None
        await self._operators.end_sessions(operator.number)
        self._log(Act.OPERATOR_REINVITED, by=by, about=operator.number)
        return self._invitation(operator)

    async def invited(self, secret: str) -> Operator:
        """Whose one-time link this is; raises ``InvitationInvalid``."""
        operator = await self._operators.invited(_hash(secret))
        if operator is None or operator.invited_until is None or self._now >= operator.invited_until:
            raise InvitationInvalid
        return operator

    async def accept(self, secret: str, password: str) -> str:
        """The operator chooses a password and is signed in: the cookie of the session."""
        operator = await self.invited(secret)
        rules.check_password(password, name=operator.name)
        operator.password_hash = await self._passwords.hash(password)
        operator.invitation_hash = operator.invited_until = None
        await self._operators.clear_failures(self._privacy.throttle_key(operator.name))
        await self._operators.end_sessions(operator.number)
        self._log(Act.PASSWORD_CHOSEN, by=operator.number)
        return await self._start(operator)

    async def disable(self, number: UUID, *, by: UUID | None = None) -> None:
        """The operator cannot come in any more."""
        operator = await self._operators.get(number)
        if operator is None:
            raise OperatorUnknown
        if operator.role == Role.SUPERVISOR and not await self._operators.other_supervisors(number):
            raise LastSupervisor
        operator.disabled_at = self._now
        operator.password_hash = operator.invitation_hash = operator.invited_until = None
        await self._operators.end_sessions(number)
        self._log(Act.OPERATOR_DISABLED, by=by, about=number)

    async def set_skills(self, number: UUID, skills: Skills, *, by: UUID) -> None:
        """Whom an operator serves from now on."""
        operator = await self._operators.get(number)
        if operator is None:
            raise OperatorUnknown
        operator.locales = sorted(skills.locales)
        operator.countries = sorted(skills.countries)
        operator.roles = sorted(skills.roles)
        self._log(Act.SKILLS_CHANGED, by=by, about=number)

    async def sign_out_everywhere(self, number: UUID, *, by: UUID) -> None:
        """Every session of an operator ends; they may sign in again."""
        if await self._operators.get(number) is None:
            raise OperatorUnknown
        await self._operators.end_sessions(number)
        self._log(Act.SESSIONS_ENDED, by=by, about=number)

    async def who(self, cookie: str | None, *, in_use: bool) -> SignedIn:
        """Who is behind a cookie; raises ``SignInNeeded``. ``in_use`` is False for what a page does alone.

        Either way somebody has a page open, and that is written down; but whoever practises is not
        there for visitors.
        """
        if not cookie:
            raise SignInNeeded
        token_hash = _hash(cookie)
        session = await self._operators.session(token_hash)
        if session is None or session.operator.disabled_at is not None:
            raise SignInNeeded
        if rules.session_over(started_at=session.started_at, seen_at=session.seen_at, now=self._now):
            raise SignInNeeded
        if in_use and self._now - session.seen_at >= rules.SEEN_EVERY:
            await self._operators.saw(token_hash, now=self._now)
        if not session.rehearses:
            await self._operators.present(session.operator.number, now=self._now)
        return SignedIn(
            operator=session.operator.number,
            name=session.operator.name,
            role=Role(session.operator.role),
            session=token_hash,
            form_token=self._privacy.form_token(token_hash),
            rehearses=session.rehearses,
        )

    async def rehearse(self, somebody: SignedIn, *, begins: bool) -> None:
        """Begin to practise in this browser, or end it."""
        await self._operators.rehearse(somebody.session, begins=begins)
        self._log(Act.REHEARSAL_BEGUN if begins else Act.REHEARSAL_ENDED, by=somebody.operator)

    async def sign_out(self, cookie: str, *, by: UUID) -> None:
        """The session ends, here and in every tab."""
        self._log(Act.SIGNED_OUT, by=by)
        await self._operators.end_session(_hash(cookie))

    def _log(self, act: Act, *, by: UUID | None = None, about: UUID | None = None) -> None:
        record(self._session, act, now=self._now, by=by, about=about)

    def _invitation(self, operator: Operator) -> str:
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        operator.invitation_hash = _hash(secret)
        operator.invited_until = self._now + rules.INVITATION
        return secret

    async def _start(self, operator: Operator) -> str:
        cookie = secrets.token_urlsafe(_TOKEN_BYTES)
        operator.signed_in_at = self._now
        await self._operators.start_session(_hash(cookie), operator=operator.number, now=self._now)
        return cookie


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
