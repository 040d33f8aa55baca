"""What can happen to a conversation: every event that a turn of the engine may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flows.case_code import CaseNews
from flows.classroom import ClassNews


class DangerLevel(StrEnum):
    """How much harm may come if nobody acts, from none to minutes away."""

    NONE = "none"
    CONCERN = "concern"
    URGENT = "urgent"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """0 for none to 3 for emergency, so that levels can be compared."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(DangerLevel)}


class MediaKind(StrEnum):
    """What a visitor sent instead of text; none of it is ever stored."""

    PHOTO = "photo"
    VIDEO = "video"
    VOICE = "voice"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    FILE = "file"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One intent that the model thinks possible, with its probability from 0 to 1."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Something that a text names outright, in the words of nlu/entities/values.yml, not the visitor's."""

    #: ``platform``, ``age``, ``relationship`` or ``time``.
    kind: str
    value: str
    #: Whose age it is, ``self`` or ``other``, where the words tell.
    whose: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """What a text means: the intent, how sure we are, who says so."""

    intent: str
    #: 0 to 1; 1.0 when the lexicon says so.
    confidence: float
    danger: DangerLevel
    #: ``lexicon``, ``model`` or ``outage`` (the model could not be asked).
    by: str
    #: The locale that the lexicon matched in, if it did.
    locale: str | None = None
    #: The likeliest intents first, our own list only.
    ranking: tuple[Guess, ...] = ()
    #: What else the text speaks of, less dangerous than ``intent``.
    secondary: tuple[str, ...] = ()
    #: The danger that the text may mean, though not surely enough to act upon: the visitor is asked.
    doubt: str | None = None
    #: What the text names outright, in its order.
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationStarted:
    """A visitor opened the conversation (or sent ``/start``), perhaps through a link that says more."""

    locale: str | None = None
    country: str | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReceived:
    """The visitor wrote; the text is as they typed it, cut to the engine's limit."""

    text: str
    understanding: Understanding


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePressed:
    """The visitor pressed a button; the payload is one that we once offered, or garbage."""

    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaReceived:
    """The visitor sent something that is not text; only its kind is known here."""

    kind: MediaKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTimedOut:
    """The time that a wait allowed has passed; stale tokens are ignored."""

    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TipDue:
    """It is the hour of the daily tip; stale tokens are ignored."""

    token: str
    #: The date where the visitor is, so that no day has two tips.
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTold:
    """There is news of the class that this teacher has opened, or that this pupil wants to join."""

    news: ClassNews
    #: Names the class in answers to it.
    room: str = ""
    code: str = ""
    link: str = ""
    #: How many have joined, in steps.
    pupils: int = 0
    #: What may be shown of what was counted: question to answer to a number in steps.
    results: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLookedUp:
    """The private code that the visitor typed was looked up."""

    news: CaseNews


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTaken:
    """An operator took the case and will write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorWrote:
    """A person at the helpline wrote to the visitor."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorGave:
    """The operator gave one of our documents, or a file of the helpline's own."""

    #: The document's name; empty for a file.
    document: str = ""
    #: Where the helpline keeps the file, what it is called and what it is: ``pdf`` or ``png``.
    number: str = ""
    title: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReturned:
    """The operator had to let go; the case waits again for the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed:
    """The helpline closed the case; ``rate`` where the visitor may be asked how the talk was."""

    rate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDelayed:
    """The helpline's desk could not be reached yet; the case is safe and will be passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorLeft:
    """The visitor blocked or unsubscribed: we may not write to them any more."""


Event = (
    ConversationStarted
    | TextReceived
    | ChoicePressed
    | MediaReceived
    | WaitTimedOut
    | TipDue
    | ClassTold
    | CodeLookedUp
    | CaseTaken
    | OperatorWrote
    | OperatorGave
    | CaseReturned
    | CaseClosed
    | CaseDelayed
    | VisitorLeft
)
