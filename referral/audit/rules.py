"""What is a row of the audit log, and where does a chain of them break? No database, no clock.

A row holds who, what, about whom or which case, and when; never a word. Each row carries the hash of the one
before, so that no row can be changed, left out or slipped in without changing every row after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

#: What the first row holds in place of the hash of the row before.
BEGINNING = bytes(32)


class Act(StrEnum):
    """What somebody did, or what happened to a case."""

    # An operator reads.
    CASE_SEEN = "case_seen"
    CASE_FOLLOWED = "case_followed"  # An open page receives what happens in the case.
    CASES_LISTED = "cases_listed"
    REPORT_SEEN = "report_seen"
    REPORT_EXPORTED = "report_exported"
    SETTINGS_CHANGED = "settings_changed"
    # Somebody asked for what their role does not let them see or do.
    ACCESS_REFUSED = "access_refused"
    # An operator acts.
    CASE_TAKEN = "case_taken"
    CASE_PICKED = "case_picked"
    MESSAGE_WRITTEN = "message_written"
    NOTE_WRITTEN = "note_written"
    COLLEAGUE_MENTIONED = "colleague_mentioned"
    MENTION_READ = "mention_read"
    FILE_GIVEN = "file_given"
    REPLY_CHANGED = "reply_changed"
    MACRO_CHANGED = "macro_changed"
    FILE_ADDED = "file_added"
    FILE_REMOVED = "file_removed"
    CASE_PASSED_ON = "case_passed_on"
    CASE_RELEASED = "case_released"
    CASE_SET_ASIDE = "case_set_aside"
    CASE_CLOSED = "case_closed"
    CASE_REVIEWED = "case_reviewed"
    # The bot or the desk itself acts; nobody is named but whom a case was taken back from.
    CASE_OPENED = "case_opened"
    DANGER_RAISED = "danger_raised"
    VISITOR_LEFT = "visitor_left"
    VISITOR_UNREACHABLE = "visitor_unreachable"
    VISITOR_FORGOTTEN = "visitor_forgotten"
    CASE_EXPIRED = "case_expired"  # Its time was over, and its words were erased.
    CONSENT_REVOKED = "consent_revoked"
    TALK_RATED = "talk_rated"
    CASE_RETURNED = "case_returned"
    CASE_WOKEN = "case_woken"
    CASE_OVERDUE = "case_overdue"
    # Another system was told of a case, or to erase it.
    CASE_TOLD = "case_told"
    DELETION_TOLD = "deletion_told"
    # Who is told at all.
    CONNECTION_ADDED = "connection_added"
    CONNECTION_CHANGED = "connection_changed"
    CONNECTION_ENDED = "connection_ended"
    CONNECTION_RESUMED = "connection_resumed"
    LETTER_SENT_AGAIN = "letter_sent_again"
    # Another bot may refer visitors, or may no longer.
    SOURCE_ADDED = "source_added"
    SOURCE_REVOKED = "source_revoked"
    # The door, and who may come in. Without a person: somebody at the machine's command line.
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHOSEN = "password_chosen"  # noqa: S105 - the name of an act.
    OPERATOR_INVITED = "operator_invited"
    OPERATOR_REINVITED = "operator_reinvited"
    OPERATOR_DISABLED = "operator_disabled"
    SESSIONS_ENDED = "sessions_ended"
    HOURS_CHANGED = "hours_changed"
    SKILLS_CHANGED = "skills_changed"
    # In this browser an operator practises; what they do then stands here like everything else.
    REHEARSAL_BEGUN = "rehearsal_begun"
    REHEARSAL_ENDED = "rehearsal_ended"
    SECOND_STEP_REFUSED = "second_step_refused"
    PASSKEY_REFUSED = "passkey_refused"  # Also one that counts backwards: it was copied.
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an act.
    AUTHENTICATOR_ADDED = "authenticator_added"
    AUTHENTICATOR_REMOVED = "authenticator_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    SECOND_FACTOR_RESET = "second_factor_reset"
    ACCOUNT_BOUND = "account_bound"  # An account at the organisation's own sign-in.
    ROLE_CHANGED = "role_changed"
    EMAIL_CHANGED = "email_changed"
    LOCK_LIFTED = "lock_lifted"
    # This log itself.
    LOG_SEEN = "log_seen"
    LOG_EXPORTED = "log_exported"


class Fault(StrEnum):
    """How a chain is broken at a row."""

    MISSING = "missing"
    UNCHAINED = "unchained"
    CHANGED = "changed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One row of the log as it is stored."""

    seq: int
    at: datetime
    act: str
    operator: UUID | None
    about: UUID | None
    case: UUID | None
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last row of a log: who knows it can tell later whether anything before it was replaced."""

    seq: int = 0
    hash: bytes = BEGINNING

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first row that is not as it was written."""

    seq: int
    fault: Fault


def stamp(at: datetime) -> str:
    """An instant as it is hashed: UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(link: Link) -> bytes:
    """What is hashed: the fields a line each, ids as text or an empty line, hashes as hexadecimal digits.

    The trigger ``chain_audit`` of the table builds the same; a test compares both.
    """
    fields = (
        str(link.seq),
        link.previous.hex(),
        stamp(link.at),
        link.act,
        *(str(number) if number else "" for number in (link.operator, link.about, link.case)),
    )
    return "\n".join(fields).encode()


def fault(link: Link, *, after: Head) -> Fault | None:
    """How this row fails to follow from the one before; None if it does follow."""
    if link.seq != after.seq + 1:
        return Fault.MISSING
    if link.previous != after.hash:
        return Fault.UNCHAINED
    if link.hash != hashlib.sha256(canonical(link)).digest():
        return Fault.CHANGED
    return None


def follow(links: Iterable[Link], *, after: Head, known: Head | None = None) -> Head | Break:
    """Where the chain stands after these rows, or its first break. ``known`` is a head noted down earlier."""
    head = after
    for link in links:
        found = fault(link, after=head)
        if found is None and known is not None and link.seq == known.seq and link.hash != known.hash:
            found = Fault.REPLACED
        if found is not None:
            return Break(seq=head.seq + 1 if found is Fault.MISSING else link.seq, fault=found)
        head = Head(seq=link.seq, hash=link.hash)
    return head
