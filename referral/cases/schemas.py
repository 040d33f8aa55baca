"""Our half of the JSON that bot and referral exchange about cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from referral.cases.rules import CaseState, DangerLevel, Face

#: As much as the bot lets through from either side.
MAX_WORDS = 10_000
MAX_MESSAGES = 500
MAX_ANSWERS = 64
MAX_SAID = 200
MAX_PLAN = 5

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Words = Annotated[str, StringConstraints(max_length=MAX_WORDS)]
Answer = Annotated[str, StringConstraints(max_length=2_000)]


#: No conversation was before this program, and the database cannot give back every date that JSON can hold.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _plausible(instant: datetime) -> datetime:
    if not _EARLIEST <= instant < _LATEST:
        raise ValueError("must lie between the years 2000 and 2100")
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]


class _Request(BaseModel):
    # A field that we do not know is a misunderstanding between two versions: better said than lost.
    model_config = ConfigDict(extra="forbid", frozen=True)


class EarlierMessage(_Request):
    """What was said before the case was opened."""

    id: UUID
    #: An operator spoke in an earlier case of the same conversation.
    sender: Literal["visitor", "bot", "operator"]
    text: Words
    sent_at: Instant
    #: Which text of the bot this is, if it is one.
    key: Key | None = None


class NewCase(_Request):
    """A conversation that needs a person, with what the operator must not ask again."""

    id: UUID
    #: The database keeps no control characters such as NUL.
    conversation: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,200}$")]
    channel: Slug
    locale: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$")]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    role: Slug | None = None
    danger: DangerLevel
    reason: Slug
    opened_at: Instant
    #: The sentence that the visitor agreed to, and whether it says that other organisations may be told.
    consent: Annotated[str, StringConstraints(max_length=2_000)]
    consent_for_others: bool = False
    card: Annotated[dict[Key, Answer], Field(max_length=MAX_ANSWERS)] = {}
    said: Annotated[tuple[Key, ...], Field(max_length=MAX_SAID)] = ()
    promised: Annotated[tuple[Key, ...], Field(max_length=MAX_SAID)] = ()
    #: What the visitor lets the helpline see.
    scope: Annotated[tuple[Slug, ...], Field(max_length=MAX_ANSWERS)] = ()
    #: How the bot came to the answers of the card.
    sources: Annotated[dict[Key, Slug], Field(max_length=MAX_ANSWERS)] = {}
    #: The visitor's own safety plan, if they agreed to show it.
    plan: Annotated[dict[Slug, Answer], Field(max_length=MAX_PLAN)] = {}
    contacts: Annotated[dict[Slug, Answer], Field(max_length=MAX_ANSWERS)] = {}
    #: What the bot can give: a document to its title in every language.
    documents: Annotated[dict[Slug, dict[Slug, Answer]], Field(max_length=MAX_ANSWERS)] = {}
    #: What the bot's texts say in every language, by their key.
    texts: Annotated[dict[Key, dict[Slug, Words]], Field(max_length=MAX_SAID)] = {}
    messages: Annotated[tuple[EarlierMessage, ...], Field(max_length=MAX_MESSAGES)] = ()


class NewMessage(_Request):
    """What the visitor wrote while the case is open."""

    id: UUID
    text: Words
    sent_at: Instant
    danger: DangerLevel = DangerLevel.NONE


class NewDanger(_Request):
    """How dangerous the bot now thinks it is."""

    danger: DangerLevel


class NewRating(_Request):
    """How the talk was, as the visitor says."""

    face: Face


class Presence(_Request):
    """What the visitor's messenger tells while a person answers; never a word."""

    #: They write just now.
    writes: bool = False
    #: They have before their eyes what was written to them.
    saw: bool = False


class HelplineStatus(BaseModel):
    """Whether anybody is at the helpline for somebody who asks for a person."""

    here: bool
    #: When people are there next, by the helpline's own clocks; none while they are, or where nobody knows.
    opens_at: AwareDatetime | None


class CaseOpened(HelplineStatus):
    """The case as it stands in the queue, and whether anybody is there."""

    id: UUID
    designation: str
    state: CaseState
    #: Place in line from 1; none unless the case waits.
    place: int | None


class CaseStatus(HelplineStatus):
    """Where a case stands, for a visitor who waits."""

    id: UUID
    state: CaseState
    place: int | None
    #: How many wait, whatever their danger.
    waiting: int
    #: How long an answer took of late for who waits so; none when too few were answered to tell.
    usual_minutes: int | None


class MessageStored(BaseModel):
    """The message is on disk."""

    id: UUID


class Problem(BaseModel):
    """What is wrong, for programs and for people."""

    error: str
    detail: str
