"""The JSON of the interface for other bots; its descriptions and examples are its documentation."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from referral.cases.rules import CaseState, DangerLevel
from referral.cases.schemas import MAX_MESSAGES, Answer, Instant, Slug, Words

#: What the card of an operator has a line for; anything else would be accepted and then seen by nobody.
CardKey = Literal[
    "age", "harm", "since", "still_going", "safe_now", "how_many", "about", "platform", "account_access",
    "pictures", "relationship", "time",
]  # fmt: skip

_SAID_AT = "2026-11-29T02:00:00Z"


class _Request(BaseModel):
    # A field that we do not know is a misunderstanding between two programs: better said than lost.
    model_config = ConfigDict(extra="forbid", frozen=True)


class Consent(_Request):
    """What the visitor agreed to before you send us anything about them."""

    sentence: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)] = (
        Field(description="Word for word, in the visitor's language. Operators see it.")
    )
    others: bool = Field(
        default=False, description="True if the sentence also says that other organisations may be told."
    )


class EarlierWords(_Request):
    """What was said before the referral."""

    sender: Literal["visitor", "bot"]
    text: Words
    sent_at: Instant


class NewReferral(_Request):
    """A visitor of yours who needs a person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "conversation": "b7c1f6",
                    "channel": "whatsapp",
                    "locale": "en",
                    "country": "BD",
                    "role": "child",
                    "danger": "concern",
                    "reason": "insults",
                    "consent": {"sentence": "Yes, show what I wrote to somebody at the helpline."},
                    "card": {"since": "this_week", "still_going": "yes"},
                    "messages": [
                        {"sender": "visitor", "text": "they laugh at me in the chat", "sent_at": _SAID_AT}
                    ],
                }
            ]
        }
    )

    consent: Consent = Field(description="Without it nothing is accepted: ask the visitor first.")
    conversation: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")] = Field(
        description="Your pseudonym for the visitor; no name, number or address. The same for each of their"
        " referrals, so that operators see that somebody has come back."
    )
    danger: DangerLevel = Field(
        description="How much harm may come if nobody acts; it orders the queue. We do not look for danger in"
        " words that come from you: your bot has to."
    )
    locale: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$")]
    reason: Slug = Field(description="What it is about, such as `insults`.")
    channel: Slug = Field(default="other_bot", description="Where the visitor writes, such as `whatsapp`.")
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    role: Slug | None = Field(default=None, description="`child`, `parent` or `teacher`, if you know.")
    card: dict[CardKey, Answer] = Field(
        default={}, description="What you have asked already, so that the operator need not."
    )
    messages: Annotated[tuple[EarlierWords, ...], Field(max_length=MAX_MESSAGES)] = Field(
        default=(), description="What was said so far, oldest first."
    )


class NewWords(_Request):
    """What the visitor wrote while the case is open."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0b8c7d52-52a1-4f5e-9d25-1a2b3c4d5e6f",
                    "text": "are you there?",
                    "sent_at": _SAID_AT,
                }
            ]
        }
    )

    id: UUID = Field(description="Yours, the same when you send it again.")
    text: Annotated[Words, StringConstraints(min_length=1)]
    sent_at: Instant
    danger: DangerLevel = DangerLevel.NONE


class NewLevel(_Request):
    """How dangerous your bot now thinks it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"danger": "urgent"}]})

    danger: DangerLevel


class Referral(BaseModel):
    """Where a referral stands."""

    id: UUID
    designation: str = Field(description="What operators call the case; it says nothing about anybody.")
    state: CaseState
    place: int | None = Field(description="Place in line from 1; none unless the case waits.")
    usual_minutes: int | None = Field(
        description="How long an answer took of late; none when too few were answered to tell."
    )


class Event(BaseModel):
    """Something that the helpline said or did."""

    position: int = Field(description="Ask for what comes after this one next time.")
    what: Literal["message", "taken", "returned", "closed"]
    at: AwareDatetime
    id: UUID
    text: str | None = Field(description="What to say to the visitor; only with `message`.")


class Events(BaseModel):
    """What the helpline said and did, oldest first."""

    events: list[Event]
