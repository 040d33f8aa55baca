"""What another system can be told about a case: a closed set, each with no more than consent covers.

A happening tells how the case stands when it is sent: a system that missed one is right again with the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from referral.cases.rules import CaseState, DangerLevel


class Kind(StrEnum):
    """What has happened; a connector names those that it wants to hear of."""

    OPENED = "opened"
    DANGER_RAISED = "danger_raised"
    TAKEN = "taken"
    SAID = "said"
    RETURNED = "returned"
    CLOSED = "closed"
    #: Nobody chooses these two: whoever was told anything about a case is told to share it no further,
    CONSENT_REVOKED = "consent_revoked"
    #: and whoever was told anything about a case is told to forget it.
    FORGOTTEN = "forgotten"


class Detail(StrEnum):
    """What may go with a happening besides the facts that hold no word of the visitor."""

    CARD = "card"  # What the bot asked, and the sentence that the visitor agreed to.
    WORDS = "words"  # What visitor and operator write.
    CODING = "coding"  # What the helpline made of it.


class Audience(StrEnum):
    """Whose people read the system that is told."""

    HELPLINE = "helpline"
    OTHERS = "others"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Consent(_Model):
    """What the visitor agreed to: the sentence itself, and whether it covers other organisations."""

    sentence: str = ""
    others: bool = False


class Facts(_Model):
    """What is known of a case without a word of anybody."""

    number: UUID
    designation: str
    state: CaseState
    danger: DangerLevel
    channel: str
    locale: str
    country: str | None
    role: str | None
    #: The intent or flow that led here, as ``insults``.
    reason: str
    opened_at: datetime
    received_at: datetime
    #: Where it is answered: ``desk``, or the name of a connection; none while nobody holds it.
    held_by: str | None = None


class Coding(_Model):
    """What a closed case counts as in the reports, in the slugs of ``referral.cases``."""

    outcome: str
    code: str | None
    occurred: str | None
    online_harm: str | None
    counselled: bool | None
    actions: tuple[str, ...]


class Entry(_Model):
    """Something that was said, without its words unless these may be told."""

    number: UUID
    sender: Literal["visitor", "bot", "operator"]
    sent_at: datetime
    text: str | None = None
    #: The connection in which an operator wrote it; none for one at the desk itself.
    through: str | None = None


class _OfCase(_Model):
    at: datetime
    case: Facts
    #: With ``Detail.CARD``.
    consent: Consent | None = None
    card: Mapping[str, str] | None = None


class Opened(_OfCase):
    """Somebody needs a person."""

    kind: Literal[Kind.OPENED] = Kind.OPENED
    #: With ``Detail.WORDS``: all that was said so far.
    thread: tuple[Entry, ...] | None = None


class DangerRaised(_OfCase):
    """The case is more dangerous than it was."""

    kind: Literal[Kind.DANGER_RAISED] = Kind.DANGER_RAISED


class Taken(_OfCase):
    """An operator holds the case now."""

    kind: Literal[Kind.TAKEN] = Kind.TAKEN


class Returned(_OfCase):
    """Nobody holds the case any more; it waits in line."""

    kind: Literal[Kind.RETURNED] = Kind.RETURNED


class Said(_OfCase):
    """Visitor or operator wrote something."""

    kind: Literal[Kind.SAID] = Kind.SAID
    entry: Entry


class Closed(_OfCase):
    """The case has ended."""

    kind: Literal[Kind.CLOSED] = Kind.CLOSED
    #: With ``Detail.CODING``.
    coding: Coding | None = None
    #: With ``Detail.WORDS``: the whole thread, without the notes of operators.
    thread: tuple[Entry, ...] | None = None


class ConsentRevoked(_Model):
    """The visitor took their consent back: what came with this number goes no further."""

    kind: Literal[Kind.CONSENT_REVOKED] = Kind.CONSENT_REVOKED
    at: datetime
    number: UUID


class Forgotten(_Model):
    """The visitor asked for deletion: erase everything that came with this number."""

    kind: Literal[Kind.FORGOTTEN] = Kind.FORGOTTEN
    at: datetime
    number: UUID


Happening = Opened | DangerRaised | Taken | Returned | Said | Closed | ConsentRevoked | Forgotten


def number_of(happening: Happening) -> UUID:
    """The case that it is about."""
    if isinstance(happening, Forgotten | ConsentRevoked):
        return happening.number
    return happening.case.number
