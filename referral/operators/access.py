"""Who may come in: invitations, the steps of a sign-in, sessions."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.connectors.holders import HOLDERS
from referral.errors import (
    CodeWrong,
    InvitationInvalid,
    LastSupervisor,
    NotInvited,
    OperatorExists,
    OperatorIsSystem,
    OperatorUnknown,
    PasswordWrong,
    SessionUnknown,
    SignInBlocked,
    SignInNeeded,
    SignInRefused,
    StepOver,
)
from referral.operators import rules, tickets
from referral.operators.factors import Factors
from referral.operators.passwords import Passwords
from referral.operators.repository import OperatorRepository
from referral.operators.rules import Policy, Role, Skills
from referral.operators.tables import Operator, Session
from referral.operators.throttle import Caller, Throttles
from referral.operators.tickets import Errand
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
    #: True when they signed in so long ago that it might be somebody else by now.
    stale: bool
    #: True when everybody in this role needs a second factor, and this session was begun without.
    must_add_factor: bool
    #: True while they practise with children who do not exist.
    rehearses: bool = False
    #: The language they chose, if they did.
    language: str | None = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Somebody is signed in."""

    #: The secret of the new session.
    cookie: str
    #: What the browser keeps to be known again.
    marks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The same session behind another cookie."""

    cookie: str
    somebody: SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondStep:
    """The password was right; now the second factor is asked for."""

    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who somebody is at the organisation's own sign-in."""

    issuer: str
    subject: str
    #: The address, which the organisation has verified, or the name by which we know whom we invited; one of
    #: the two, so that nobody passes a name off as an address that only looks like one.
    email: str | None
    name: str | None
    #: What the organisation's groups make of them here, where a setting says so.
    role: Role | None
    #: True when the organisation says that it asked for more than a password.
    second_factor: bool


class Access:
    """The door of the console, within one transaction."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        passwords: Passwords,
        privacy: Privacy,
        now: datetime,
        policy: Policy | None = None,
    ) -> None:
        self._session = session
        self._operators = OperatorRepository(session)
        self._throttles = Throttles(session, privacy=privacy, now=now)
        self._factors = Factors(session, privacy=privacy, now=now)
        self._passwords = passwords
        self._privacy = privacy
        self._now = now
        self._policy = policy or Policy()

    # A failure is returned, not raised: it has to be counted, and an error would take the count back.

    async def sign_in(
        self, name: str, password: str, *, caller: Caller
    ) -> Arrived | SecondStep | SignInRefused | SignInBlocked:
        """The first step: name and password."""
        name = name.strip().lower()
        operator = await self._operators.named(name)
        counts = self._throttles.of_password(name, operator=operator, caller=caller)
        if await self._throttles.blocked(counts):
            return SignInBlocked()
        stored = operator.password_hash if operator and operator.disabled_at is None else None
        if not await self._passwords.match(password, stored=stored) or operator is None:
            await self._throttles.failed(counts)
            self._log(Act.SIGN_IN_REFUSED, about=operator.number if operator else None)
            return SignInRefused()
        if stored is not None and self._passwords.is_outdated(stored):
            operator.password_hash = await self._passwords.hash(password)
        await self._throttles.succeeded(counts, name=name, caller=caller)
        return await self._go_on(operator, caller=caller)

    async def second_step(
        self, ticket: str | None, code: str, *, caller: Caller
    ) -> Arrived | CodeWrong | SignInBlocked:
        """The second step: a code of the app, or one from paper; raises ``StepOver``."""
        step = tickets.read(self._privacy, Errand.SECOND_STEP, ticket, now=self._now)
        operator = await self._operators.get(UUID(step.content["operator"]))
        if operator is None or operator.disabled_at is not None:
            raise StepOver
        counts = self._throttles.of_second_step(operator)
        if await self._throttles.blocked(counts):
            return SignInBlocked()
        if not await self._factors.accepts(operator.number, code):
            await self._throttles.failed(counts)
            self._log(Act.SECOND_STEP_REFUSED, about=operator.number)
            return CodeWrong()
        if not await self._operators.spend(step.number, until=step.until, now=self._now):
            raise StepOver
        await self._throttles.proved(counts)
        return await self.arrive(operator, caller=caller, second_factor=True)

    async def second_step_of(self, ticket: str | None) -> UUID:
        """Who has taken the first step; raises ``StepOver``."""
        step = tickets.read(self._privacy, Errand.SECOND_STEP, ticket, now=self._now)
        return UUID(step.content["operator"])

    async def admit(self, account: Account, *, caller: Caller) -> Arrived | SecondStep | NotInvited:
        """Somebody comes with an account of the organisation."""
        operator = await self._operators.identified(issuer=account.issuer, subject=account.subject)
        if operator is None:
            operator = await self._bind(account)
        if operator is None or operator.disabled_at is not None:
            self._log(Act.SIGN_IN_REFUSED, about=operator.number if operator else None)
            return NotInvited()
        if account.role is not None and account.role != operator.role:
            # The last supervisor stays one, whatever the groups say: nobody else could put that right.
            with suppress(LastSupervisor):
                await self._give_role(operator, account.role, by=None)
        if account.second_factor:
            return await self.arrive(operator, caller=caller, second_factor=True)
        return await self._go_on(operator, caller=caller)

    async def arrive(
        self, operator: Operator, *, caller: Caller, second_factor: bool, act: Act = Act.SIGNED_IN
    ) -> Arrived:
        """Somebody has proved who they are: a new session, and the one that this browser had before ends."""
        if caller.cookie:
            await self._operators.end_session(_hash(caller.cookie))
        cookie = secrets.token_urlsafe(_TOKEN_BYTES)
        operator.signed_in_at = self._now
        await self._operators.start_session(
            Session(
                token_hash=_hash(cookie),
                operator_id=operator.number,
                number=uuid4(),
                started_at=self._now,
                seen_at=self._now,
                browser=caller.browser,
                second_factor=second_factor,
            ),
            policy=self._policy,
            now=self._now,
        )
        self._log(act, by=operator.number)
        return Arrived(cookie=cookie, marks=self._throttles.mark(operator.number, marks=caller.marks))

    async def invite(self, name: str, *, role: Role, email: str | None = None, by: UUID | None = None) -> str:
        """The secret of a one-time link for a new operator; it is shown once and not stored.

        ``by`` is who is signed in at the console; nobody is at the command line.
        """
        name = rules.name_of(name)
        if await self._operators.named(name) is not None:
            raise OperatorExists
        await self._check_email_free(email)
        operator = Operator(number=uuid4(), name=name, role=role, email=email)
        secret = self._invitation(operator)
        await self._operators.add(operator)
        self._log(Act.OPERATOR_INVITED, by=by, about=operator.number)
        return secret

    async def invite_again(self, name: str, *, by: UUID | None = None) -> str:
        """The secret of a one-time link for an operator who cannot get in; the old password ends now."""
        operator = await self._operators.named(rules.name_of(name))
        if operator is None or operator.number in HOLDERS:
            # A system that stands at the desk answers there and never signs in.
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

    async def accept(self, secret: str, password: str, *, caller: Caller) -> Arrived | SecondStep:
        """The operator chooses a password: it is the first step of signing in."""
        operator = await self.invited(secret)
        rules.check_password(password, name=operator.name)
        operator.password_hash = await self._passwords.hash(password)
        operator.invitation_hash = operator.invited_until = None
        await self._throttles.lift(operator.name)
        await self._operators.end_sessions(operator.number)
        way = await self._go_on(operator, caller=caller, act=Act.PASSWORD_CHOSEN)
        if isinstance(way, SecondStep):
            self._log(Act.PASSWORD_CHANGED, by=operator.number)
        return way

    async def change_password(
        self, somebody: SignedIn, current: str, new: str
    ) -> Renewed | PasswordWrong | SignInBlocked:
        """Another password for this operator; all other sessions end. Raises ``PasswordTooWeak``."""
        operator = await self._known(somebody.operator)
        counts = self._throttles.of_second_step(operator)
        if await self._throttles.blocked(counts):
            return SignInBlocked()
        if not await self._passwords.match(current, stored=operator.password_hash):
            await self._throttles.failed(counts)
            return PasswordWrong()
        await self._throttles.proved(counts)
        rules.check_password(new, name=operator.name)
        operator.password_hash = await self._passwords.hash(new)
        await self._operators.end_sessions(operator.number, but=somebody.session)
        self._log(Act.PASSWORD_CHANGED, by=operator.number)
        return await self.renew(somebody, second_factor=None)

    async def renew(self, somebody: SignedIn, *, second_factor: bool | None) -> Renewed:
        """Another cookie for the same session, since it may do more than before, or its password changed.

        ``second_factor`` is None where it stays as it is.
        """
        cookie = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._operators.renew_session(somebody.session, to=_hash(cookie), second_factor=second_factor)
        return Renewed(
            cookie=cookie,
            somebody=replace(
                somebody,
                session=_hash(cookie),
                form_token=self._privacy.form_token(_hash(cookie)),
                must_add_factor=somebody.must_add_factor and not second_factor,
            ),
        )

    async def disable(self, number: UUID, *, by: UUID | None = None) -> None:
        """The operator cannot come in any more, in no way; whoever is invited again begins anew."""
        operator = await self._person(number)
        await self._check_not_last(operator)
        operator.disabled_at = self._now
        operator.password_hash = operator.invitation_hash = operator.invited_until = None
        await self._factors.forget(number)
        await self._operators.unbind(number)
        await self._operators.end_sessions(number)
        self._log(Act.OPERATOR_DISABLED, by=by, about=number)

    async def set_skills(self, number: UUID, skills: Skills, *, by: UUID) -> None:
        """Whom an operator serves from now on."""
        operator = await self._known(number)
        operator.locales = sorted(skills.locales)
        operator.countries = sorted(skills.countries)
        operator.roles = sorted(skills.roles)
        self._log(Act.SKILLS_CHANGED, by=by, about=number)

    async def reset_second_factor(self, number: UUID, *, by: UUID | None = None) -> None:
        """The password alone counts again, until there is another second factor."""
        await self._known(number)
        await self._factors.forget(number)
        await self._operators.end_sessions(number)
        self._log(Act.SECOND_FACTOR_RESET, by=by, about=number)

    async def named(self, name: str) -> UUID:
        """The operator of this name; raises ``OperatorUnknown``."""
        operator = await self._operators.named(rules.name_of(name))
        if operator is None:
            raise OperatorUnknown
        return operator.number

    async def give_role(self, number: UUID, role: Role, *, by: UUID) -> None:
        """Somebody gets another role; they sign in again, so that no session keeps the old one."""
        operator = await self._person(number)
        if operator.role != role:
            await self._give_role(operator, role, by=by)

    async def give_email(self, number: UUID, email: str | None, *, by: UUID) -> None:
        """By which somebody is known when they come with an account of the organisation."""
        operator = await self._known(number)
        if operator.email != email:
            await self._check_email_free(email)
            operator.email = email
            # An account that was bound by the old address is not theirs by the new one.
            await self._operators.unbind(number)
            self._log(Act.EMAIL_CHANGED, by=by, about=number)

    async def lift(self, number: UUID, *, by: UUID) -> None:
        """Somebody who had to wait may try again at once."""
        operator = await self._known(number)
        await self._throttles.lift(operator.name)
        self._log(Act.LOCK_LIFTED, by=by, about=number)

    async def lift_networks(self, *, by: UUID) -> None:
        """All addresses that had to wait may try again at once."""
        await self._operators.lift_addresses()
        self._log(Act.LOCK_LIFTED, by=by)

    async def sign_out_everywhere(self, number: UUID, *, by: UUID) -> None:
        """Every session of an operator ends; they may sign in again."""
        await self._known(number)
        await self._operators.end_sessions(number)
        self._log(Act.SESSIONS_ENDED, by=by, about=number)

    async def sessions(self, somebody: SignedIn) -> Sequence[Session]:
        """Where somebody is signed in at this moment."""
        return [
            session
            for session in await self._operators.sessions_of(somebody.operator)
            if not self._policy.session_over(
                started_at=session.started_at, seen_at=session.seen_at, now=self._now
            )
        ]

    async def end_one(self, somebody: SignedIn, number: UUID) -> None:
        """One of somebody's own sessions ends; raises ``SessionUnknown``."""
        if not await self._operators.end_session_numbered(number, operator=somebody.operator):
            raise SessionUnknown
        self._log(Act.SESSIONS_ENDED, by=somebody.operator, about=somebody.operator)

    async def end_others(self, somebody: SignedIn) -> None:
        """All of somebody's own sessions end but this one."""
        await self._operators.end_sessions(somebody.operator, but=somebody.session)
        self._log(Act.SESSIONS_ENDED, by=somebody.operator, about=somebody.operator)

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
        if self._policy.session_over(started_at=session.started_at, seen_at=session.seen_at, now=self._now):
            raise SignInNeeded
        if in_use and self._now - session.seen_at >= rules.SEEN_EVERY:
            await self._operators.saw(token_hash, now=self._now)
        if not session.rehearses and rules.presence_is_old(session.operator.present_at, now=self._now):
            await self._operators.present(session.operator.number, now=self._now)
        role = Role(session.operator.role)
        return SignedIn(
            operator=session.operator.number,
            name=session.operator.name,
            role=role,
            session=token_hash,
            form_token=self._privacy.form_token(token_hash),
            rehearses=session.rehearses,
            stale=self._now - session.started_at >= rules.FRESH,
            must_add_factor=not session.second_factor and self._policy.demands_second_factor(role),
            language=session.operator.language,
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

    async def _go_on(
        self, operator: Operator, *, caller: Caller, act: Act = Act.SIGNED_IN
    ) -> Arrived | SecondStep:
        """What follows the first step."""
        if not (await self._factors.standing(operator.number)).any:
            return await self.arrive(operator, caller=caller, second_factor=False, act=act)
        content = {"operator": str(operator.number)}
        return SecondStep(ticket=tickets.issue(self._privacy, Errand.SECOND_STEP, content, now=self._now))

    async def _bind(self, account: Account) -> Operator | None:
        """Whom we invited by this name or address, bound to the account; none if nobody, or bound already."""
        operator = None
        if account.email:
            operator = await self._operators.emailed(account.email.strip().lower())
        elif account.name:
            operator = await self._operators.named(account.name.strip().lower())
        if operator is None or operator.disabled_at is not None:
            return operator
        if await self._operators.is_bound(operator.number):
            return None
        await self._operators.bind(
            operator.number, issuer=account.issuer, subject=account.subject, now=self._now
        )
        operator.invitation_hash = operator.invited_until = None
        self._log(Act.ACCOUNT_BOUND, by=operator.number)
        return operator

    async def _give_role(self, operator: Operator, role: Role, *, by: UUID | None) -> None:
        await self._check_not_last(operator)
        operator.role = role
        await self._operators.end_sessions(operator.number)
        self._log(Act.ROLE_CHANGED, by=by, about=operator.number)

    async def _known(self, number: UUID) -> Operator:
        operator = await self._operators.get(number)
        if operator is None:
            raise OperatorUnknown
        return operator

    async def _person(self, number: UUID) -> Operator:
        if number in HOLDERS:
            raise OperatorIsSystem
        return await self._known(number)

    async def _check_not_last(self, operator: Operator) -> None:
        if operator.role == Role.SUPERVISOR and not await self._operators.other_supervisors(operator.number):
            raise LastSupervisor

    async def _check_email_free(self, email: str | None) -> None:
        if email and await self._operators.emailed(email) is not None:
            raise OperatorExists("There is already somebody with this e-mail address.")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
