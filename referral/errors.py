"""What can go wrong at the helpline desk: each error is a sentence with an HTTP status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from referral.language import gettext


class ReferralError(Exception):
    """Something at the helpline desk did not work."""

    http_status = 500

    def __init__(self, message: str = "", **values: object) -> None:
        """A more precise sentence than the docstring, with ``%(name)s`` for each of ``values``."""
        super().__init__(message % values if values else message)
        self._message = message or " ".join((type(self).__doc__ or "").split())
        self._values = values

    @property
    def headers(self) -> Mapping[str, str]:
        """What else the answer says."""
        return {}

    @property
    def slug(self) -> str:
        """The name that programs rely on: ``CaseClosed`` is ``case_closed``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def sentence(self) -> str:
        """What people read, in their language; the docstring unless the error was raised with another."""
        return gettext(self._message, **self._values)


class SettingsInvalid(ReferralError):
    """A setting is missing or wrong."""


class SecretTooWeak(ReferralError):
    """PORCHLIGHT_REFERRAL_SECRET_KEY must hold at least 32 random bytes in base64."""


class SealBroken(ReferralError):
    """This stored value was changed, moved, or sealed with another key."""


class SignatureInvalid(ReferralError):
    """The signature is missing, wrong, or older than five minutes."""

    http_status = 401


class BodyTooLarge(ReferralError):
    """This request carries too much: at most 2 MB for a case, 5 MB for a file, 256 kB for everything else."""

    http_status = 413


class CaseUnknown(ReferralError):
    """There is no such case, or it is not yours."""

    http_status = 404


class CaseClosed(ReferralError):
    """This case is closed."""

    http_status = 409


class CaseAlreadyHeld(ReferralError):
    """Another operator is already talking to this visitor."""

    http_status = 409


class ColleagueAway(ReferralError):
    """This colleague has no page open any more; choose another, or give the case back to the queue."""

    http_status = 409


class VisitorsFirst(ReferralError):
    """You still hold cases of visitors: close them, pass them on or give them back before you practise."""

    http_status = 409


class CaseNotHeld(ReferralError):
    """You do not hold this case any more."""

    http_status = 409


class WindowClosed(ReferralError):
    """The visitor was last heard more than a day ago: a message now is billed, and somebody else may read it.
    Please confirm that it is to be sent."""

    http_status = 409


class FileRefused(ReferralError):
    """This file cannot be given to visitors."""

    http_status = 422


class FileUnknown(ReferralError):
    """There is no such file in the library."""

    http_status = 404


class VisitorGone(ReferralError):
    """The visitor has left and can no longer be written to."""

    http_status = 409


class OperatorUnknown(ReferralError):
    """There is no operator of this name."""

    http_status = 404


class OperatorExists(ReferralError):
    """There is already an operator of this name."""

    http_status = 409


class OperatorBusy(ReferralError):
    """This operator still holds cases; let them be released or closed first."""

    http_status = 409


class OperatorIsSystem(ReferralError):
    """This is a connected system and no person: the settings of the machine switch it off."""

    http_status = 409


class LastSupervisor(ReferralError):
    """Somebody must remain who can supervise."""

    http_status = 409


class NameInvalid(ReferralError):
    """A sign-in name has 2 to 40 letters, digits, dots, hyphens or underscores."""

    http_status = 422


class EmailInvalid(ReferralError):
    """This does not look like an e-mail address."""

    http_status = 422


class PasswordTooWeak(ReferralError):
    """A password needs at least 12 characters, and more than a repeated one or your own name."""

    http_status = 422


class InvitationInvalid(ReferralError):
    """This one-time link was used already, or is too old; ask a supervisor for another."""

    http_status = 410


class SignInRefused(ReferralError):
    """The name and the password do not belong together."""

    http_status = 401


class SignInBlocked(ReferralError):
    """Too many attempts; please wait some minutes, or ask a supervisor to let you in."""

    http_status = 429


class SignInNeeded(ReferralError):
    """Please sign in."""

    http_status = 401


class StepOver(ReferralError):
    """This took too long, or was done already; please begin again."""

    http_status = 410


class CodeWrong(ReferralError):
    """This code is not right, or was used before; the app shows a new one every half minute."""

    http_status = 401


class PasswordWrong(ReferralError):
    """This is not your password."""

    http_status = 401


class PasskeyRefused(ReferralError):
    """This passkey is not known here, or did not prove that it is yours."""

    http_status = 401


class PasskeysUnavailable(ReferralError):
    """Passkeys need a console with a name, such as https://desk.example.org, not with a number."""

    http_status = 409


class SecondFactorNeeded(ReferralError):
    """Please set up a second way to prove who you are first."""

    http_status = 403


class LastSecondFactor(ReferralError):
    """Everybody in your role needs a second factor here: add another one before you remove the last."""

    http_status = 409


class SignInAgain(ReferralError):
    """To change how you sign in, please sign out and in again first: it has been a while."""

    http_status = 403


class SessionUnknown(ReferralError):
    """This session is over already."""

    http_status = 404


class ProviderUnset(ReferralError):
    """Signing in with an account of your organisation is not set up here."""

    http_status = 404


class ProviderRefused(ReferralError):
    """Your organisation's sign-in did not let you in; please try again."""

    http_status = 401


class ProviderUnreachable(ReferralError):
    """Your organisation's sign-in does not answer at the moment."""

    http_status = 503


class NotInvited(ReferralError):
    """This account is not known here: a supervisor has to invite you first."""

    http_status = 403


class AddressRefused(ReferralError):
    """The console is not open to your network."""

    http_status = 403


class NotForYourRole(ReferralError):
    """This is for others; that you asked for it stands in the audit log."""

    http_status = 403


class DeskNotYours(NotForYourRole):
    """Editors try conversations out; visitors' cases are for operators."""


class AuditorNeeded(NotForYourRole):
    """Only an auditor may read the audit log."""


class AuditorsOnlyAudit(NotForYourRole):
    """Auditors read the audit log and nothing else."""


class FileExists(ReferralError):
    """This file is there already; name a new one, so that no older export is lost."""

    http_status = 409


class HeadInvalid(ReferralError):
    """A head is written as the number of a row, a colon and 64 hexadecimal digits."""

    http_status = 422


class SupervisorNeeded(NotForYourRole):
    """Only a supervisor may do this."""


class RequestForged(ReferralError):
    """This form was not sent from the console; reload the page and try again."""

    http_status = 403


class ReviewNotYours(ReferralError):
    """This talk was your own, or nobody closed it: somebody else marks it."""

    http_status = 403


class ConnectionUnknown(ReferralError):
    """There is no such connection that could be changed here."""

    http_status = 404


class EndpointInvalid(ReferralError):
    """An address begins with https:// and leads to a server that everybody can reach."""

    http_status = 422


class LetterUnknown(ReferralError):
    """There is no such delivery, or it may not be sent any more."""

    http_status = 404


class HoursInvalid(ReferralError):
    """These opening hours cannot be understood."""

    http_status = 422


class TokenInvalid(ReferralError):
    """Send the token of a source that may refer: Authorization: Bearer porchlight_…"""

    http_status = 401

    @property
    def headers(self) -> Mapping[str, str]:
        """How to prove who one is."""
        return {"www-authenticate": "Bearer"}


class TooManyRequests(ReferralError):
    """This source asks too often; please wait as long as Retry-After says."""

    http_status = 429

    def __init__(self, after: timedelta) -> None:
        super().__init__()
        self.after = after

    @property
    def headers(self) -> Mapping[str, str]:
        """Whole seconds."""
        return {"retry-after": str(-(-self.after // timedelta(seconds=1)))}


class KeyReused(ReferralError):
    """This Idempotency-Key came with another referral before: use a new key for each referral."""

    http_status = 422


class SourceExists(ReferralError):
    """There is already a source of this name."""

    http_status = 409


class SourceUnknown(ReferralError):
    """There is no such source, or it may not refer any more."""

    http_status = 404


class FormIncomplete(ReferralError):
    """Something is missing in this form."""

    http_status = 422


class PolicyInvalid(ReferralError):
    """These values cannot be in force together."""

    http_status = 422


class ReportNotPrinted(ReferralError):
    """This report could not be made as a PDF. The same numbers are in the other files."""


class BellUnknown(ReferralError):
    """There is nothing here."""

    http_status = 404


class BellUnreadable(ReferralError):
    """This is no event of Chatwoot's."""

    http_status = 422


class BotUnreachable(ReferralError):
    """The bot does not answer at the moment. Nothing is lost: please try again."""

    http_status = 503


class BotMisunderstood(ReferralError):
    """Bot and helpline desk do not understand each other: both need the same version and the same secret."""

    http_status = 502


class TryOutRefused(ReferralError):
    """This cannot be tried."""

    http_status = 422


class DatabaseDown(ReferralError):
    """The helpline desk cannot reach its database; what you sent was not stored, please try again."""

    http_status = 503
