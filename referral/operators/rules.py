"""What operators may do, how long a session lasts, and how slowly passwords may be guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from referral.errors import EmailInvalid, FormIncomplete, NameInvalid, PasswordTooWeak

#: OWASP ASVS 5.0 7.3: a session ends after a time without use and after a time whatever happens. Settings
#: change both.
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
#: Whoever changes how they sign in has signed in this recently (ASVS 5.0 7.5.1), so that a desk left open
#: does not become somebody else's.
FRESH = timedelta(minutes=15)
#: How long a sign-in may take from its first step to its last.
UNDER_WAY = timedelta(minutes=10)
#: Writing down every request would cost more than it tells.
SEEN_EVERY = timedelta(minutes=1)
#: How often an open page says that somebody sits before it.
PRESENT_EVERY = timedelta(seconds=15)
#: A one-time link is good this long.
INVITATION = timedelta(days=7)
#: NIST SP 800-63B asks for 8 and recommends 15; length helps, composition rules do not.
MIN_PASSWORD = 12
MAX_PASSWORD = 200
#: So many wrong passwords in a row cost nothing; then each one means to wait, twice as long every time.
FREE_FAILURES = 5
#: A helpline behind one address has many people who mistype; a machine that guesses has more.
FREE_FAILURES_OF_ADDRESS = 30
#: Wrong passwords for one name from all over the world together.
FREE_FAILURES_OF_NAME = 50
FIRST_BLOCK = timedelta(seconds=30)
LONGEST_BLOCK = timedelta(minutes=15)
#: Failures older than this are forgotten.
FAILURE_MEMORY = timedelta(hours=1)

#: What lists of stolen passwords hold, as far as it is long enough, and what is near at hand here
#: (NIST SP 800-63B-4, 3.1.1.2: common, expected and context-specific values).
_COMMON = """
000000000000 111111111111 123123123123 1234567890123 12345678901234 123456789012 123456789abc
0987654321098 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv abcdefghijkl abcd12345678
abc123abc123 adminadminadmin administrator administrator1 changeme1234 changemeplease
correcthorsebatterystaple football1234 helpline1234
helplinehelpline iloveyou1234 iloveyouiloveyou letmein12345 letmeinplease
password1234 password12345 password123456 passwordpassword p@ssw0rd1234 porchlight12 porchlight123
porchlight1234 porchlightporchlight princess1234 qazwsxedcrfv qwer12345678 qwerty123456 qwerty1234567
qwertyqwerty qwertyuiop12 qwertyuiop123 qwertyuiop[] qwertyuiopasdfgh superman1234 supervisor12
supervisor123 sunshine1234 trustno1trustno1 welcome12345 welcome123456 zxcvbnmasdfg
йцукенйцукен йцукенгшщзхъ пароль123456 парольпароль
"""
COMMON = frozenset(_COMMON.split())

_NAME = re.compile(r"[^\W_][\w.\-]{1,39}")


class Role(StrEnum):
    """What an operator is trusted with."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    #: Works on texts and flows: tries conversations out, and sees no case.
    EDITOR = "editor"
    #: Reads who saw and did what in the audit log, and nothing else.
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skills:
    """Whom an operator can serve: everybody in what is left empty."""

    locales: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def serve(self, *, locale: str, country: str | None, role: str | None) -> bool:
        """True for a visitor of this language, country and role; what is not known keeps nobody away."""
        return all(
            not mine or theirs is None or theirs in mine
            for mine, theirs in ((self.locales, locale), (self.countries, country), (self.roles, role))
        )

    def __bool__(self) -> bool:
        return bool(self.locales or self.countries or self.roles)


#: Which skills can be chosen on the page of the operators.
LOCALES = ("be", "bn", "en", "ru")
COUNTRIES = ("BD", "BY")
VISITOR_ROLES = ("child", "teen", "parent", "teacher")


def skills_of(*, locales: Iterable[str], countries: Iterable[str], roles: Iterable[str]) -> Skills:
    """What a form says; raises ``FormIncomplete``."""
    skills = Skills(locales=frozenset(locales), countries=frozenset(countries), roles=frozenset(roles))
    if not (
        skills.locales <= {*LOCALES} and skills.countries <= {*COUNTRIES} and skills.roles <= {*VISITOR_ROLES}
    ):
        raise FormIncomplete("Please choose languages, countries and roles from the form.")
    return skills


#: Who talks with visitors.
HELPING = (Role.OPERATOR, Role.SUPERVISOR)


class Demand(StrEnum):
    """Who has to prove more than a password."""

    NOBODY = "nobody"
    SUPERVISORS = "supervisors"  # And auditors, who see everything that was done.
    EVERYBODY = "everybody"


class Scope(StrEnum):
    """Whose failures are counted together."""

    #: A browser in which this person has signed in before.
    BROWSER = "browser"
    #: A name, from one address.
    PAIR = "pair"
    ADDRESS = "address"
    NAME = "name"
    #: The second step of one person, who has given the right password.
    SECOND_STEP = "second_step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What this helpline asks of sign-ins and sessions."""

    idle: timedelta = IDLE
    absolute: timedelta = ABSOLUTE
    second_factor: Demand = Demand.NOBODY

    def demands_second_factor(self, role: Role) -> bool:
        """True when somebody of this role gets nowhere with a password alone."""
        match self.second_factor:
            case Demand.NOBODY:
                return False
            case Demand.SUPERVISORS:
                return role in (Role.SUPERVISOR, Role.AUDITOR)
            case Demand.EVERYBODY:
                return True

    def session_over(self, *, started_at: datetime, seen_at: datetime, now: datetime) -> bool:
        """True when a session has been idle too long, or lasted too long."""
        return now - seen_at >= self.idle or now - started_at >= self.absolute


def name_of(text: str) -> str:
    """The spelling of a sign-in name that is stored; raises ``NameInvalid``."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise NameInvalid
    return name


_EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,64}@[^\s@\x00-\x1f]{3,190}")


def email_of(text: str) -> str | None:
    """The spelling of an e-mail address that is stored, none if there is none; raises ``EmailInvalid``."""
    email = text.strip().lower()
    if email and not _EMAIL.fullmatch(email):
        raise EmailInvalid
    return email or None


def check_password(password: str, *, name: str) -> None:
    """Raise ``PasswordTooWeak`` unless this may become the password of ``name``."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise PasswordTooWeak
    if password.lower() in COMMON:
        raise PasswordTooWeak("This password stands in every list of guesses; please choose another.")
    if len(set(password)) < MIN_PASSWORD // 3 or not password.lower().replace(name, "").strip():
        raise PasswordTooWeak


def free_failures(scope: Scope) -> int:
    """How many failures in a row cost nothing."""
    match scope:
        case Scope.BROWSER | Scope.PAIR | Scope.SECOND_STEP:
            return FREE_FAILURES
        case Scope.ADDRESS:
            return FREE_FAILURES_OF_ADDRESS
        case Scope.NAME:
            return FREE_FAILURES_OF_NAME


def presence_is_old(present_at: datetime | None, *, now: datetime) -> bool:
    """True when it is to be noted again that an operator has a page open."""
    return present_at is None or now - present_at > PRESENT_EVERY


def blocked_until(scope: Scope, *, failures: int, failed_at: datetime) -> datetime:
    """When the next attempt after so many failures will be looked at."""
    free = free_failures(scope)
    if failures < free:
        return failed_at
    doublings = min(failures - free, 20)
    return failed_at + min(FIRST_BLOCK * (1 << doublings), LONGEST_BLOCK)
