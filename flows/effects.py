"""What a turn asks the outside to do: the engine yields effects, the shell carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from flows.events import DangerLevel
from flows.markup import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button: what it says and what comes back when it is pressed (at most 64 bytes, Telegram's limit)."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Send one message to the visitor."""

    #: ``flow.key`` of the text, for tests and statistics; empty for an operator's words.
    key: str
    text: str
    choices: tuple[Choice, ...] = ()
    #: ``bot`` or ``operator``.
    sender: str = "bot"
    #: The same words with what of them is bold or leads to a page; empty where nothing does.
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Give the visitor a printable document, made for them when it is delivered."""

    document: str
    locale: str
    role: str | None = None
    country: str | None = None
    #: The visitor's own answers that the document may show, such as a chosen nickname.
    slots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandFile:
    """Give the visitor a file of the helpline's own, which is fetched from there."""

    number: str
    title: str
    #: ``pdf`` or ``png``.
    form: str
    locale: str
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Put this conversation into the helpline's queue, with what the operator must not ask again."""

    #: The intent or flow that led here.
    reason: str
    danger: DangerLevel
    #: What the visitor agreed to, in the words they were shown.
    consent: str
    #: Whether that says that others who can help may be told.
    consent_for_others: bool = False
    #: The hand-over card: ``role``, ``country``, ``harm``, and every slot that was filled.
    card: Mapping[str, str] = field(default_factory=dict)
    #: How we came to what stands on the card: ``button``, ``words``, ``mention`` or ``flow``.
    sources: Mapping[str, str] = field(default_factory=dict)
    #: What the visitor lets the helpline see.
    scope: tuple[str, ...] = ()
    #: The visitor's own safety plan, if they agreed to show it.
    plan: Mapping[str, str] = field(default_factory=dict)
    #: ``helpline`` and ``emergency`` where the visitor is, in their language.
    contacts: Mapping[str, str] = field(default_factory=dict)
    #: The private code by which the visitor may ask for it from any device, if they were told one.
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpCode:
    """Look at once for the case of this private code; ``CodeLookedUp`` says how it stands."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Pass the visitor's words to the operator."""

    text: str
    danger: DangerLevel = DangerLevel.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseDanger:
    """Tell the helpline that an open case became more urgent."""

    danger: DangerLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveCase:
    """The visitor does not want the open case any more (they said stop or asked for deletion)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeConsent:
    """Nothing of what was handed over to the helpline may go any further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTalk:
    """Count how the talk was that is just over, apart from who had it."""

    #: ``good``, ``so_so`` or ``bad``.
    face: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind:
    """Come back with ``WaitTimedOut(token)`` after this time."""

    after: timedelta
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTip:
    """Come back with ``TipDue(token)`` at the hour of tips, as the clocks go where the visitor is."""

    token: str
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClass:
    """Open a class for this teacher; ``ClassTold`` brings its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinClass:
    """Let this pupil into the class with the code; ``ClassTold`` says whether there is one."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerClass:
    """Count an answer in a class, once for each pupil and question, and keep nothing of who gave it."""

    room: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtClass:
    """Tell this teacher with ``ClassTold`` how their class stands; where ``close``, end it first."""

    close: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """Erase everything that is stored about this conversation, here and at the helpline."""


ClassEffect = OpenClass | JoinClass | AnswerClass | LookAtClass
CaseEffect = Relay | RaiseDanger | LeaveCase | RevokeConsent | RateTalk
Effect = Say | Hand | HandFile | OpenCase | LookUpCode | CaseEffect | Remind | NextTip | ClassEffect | Forget
