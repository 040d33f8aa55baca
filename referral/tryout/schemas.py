"""What does the bot tell about a tried turn and about its content? Our half of that agreement."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Told(BaseModel):
    # A newer bot may tell more than we show.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Flow(_Told):
    """One flow that a conversation can begin with."""

    name: str
    file: str
    intents: list[str]


class Content(_Told):
    """What can be tried, and what is wrong with it."""

    locales: list[str]
    roles: list[str]
    countries: list[str]
    intents: list[str]
    flows: list[Flow]
    #: Everything that ``./porchlight check`` says.
    problems: list[str]
    #: False: the files cannot be read, and the last ones that could are tried.
    readable: bool
    #: False: visitors hear older files, until the bot is started again.
    live: bool


class Place(_Told):
    """A node of a flow, and where it stands in the files."""

    flow: str
    node: str
    does: str = ""
    file: str = ""
    line: int = 0


class At(Place):
    """The question that the conversation waits at."""

    waits_for: str
    saves: str | None
    timer_seconds: int | None


class Choice(_Told):
    """A button."""

    title: str
    payload: str


class Run(_Told):
    """Words that are shown in one way."""

    text: str
    bold: bool
    link: str


class Say(_Told):
    """A message that the visitor reads."""

    kind: Literal["say"]
    by: Place | None
    text: str
    #: The same words with what of them is bold or leads to a page; empty where nothing does.
    runs: list[Run] = []
    sender: str
    choices: list[Choice]
    key: str
    file: str
    line: int


class OpenCase(_Told):
    """The conversation would go to the helpline."""

    kind: Literal["open_case"]
    by: Place | None
    reason: str
    danger: str
    consent: str
    card: dict[str, str]


class Hand(_Told):
    """The visitor would be given a document."""

    kind: Literal["hand"]
    by: Place | None
    document: str


class Relay(_Told):
    """The visitor's words would go to the operator."""

    kind: Literal["relay"]
    text: str
    danger: str


class RaiseDanger(_Told):
    """The helpline would hear that it became more urgent."""

    kind: Literal["raise_danger"]
    danger: str


class LeaveCase(_Told):
    """The case would be withdrawn."""

    kind: Literal["leave_case"]


class LookUpCode(_Told):
    """The case of a private code would be looked for."""

    kind: Literal["look_up_code"]


class RevokeConsent(_Told):
    """The helpline would hear that nothing more may be shared."""

    kind: Literal["revoke_consent"]


class RateTalk(_Told):
    """It would be counted how the talk was."""

    kind: Literal["rate_talk"]
    face: str


class Remind(_Told):
    """A timer would begin to run."""

    kind: Literal["remind"]
    seconds: int


class NextTip(_Told):
    """The next daily tip would come in the afternoon."""

    kind: Literal["next_tip"]


class ClassDeed(_Told):
    """Something would be done for a class that answers together."""

    kind: Literal["class"]
    act: Literal["open_class", "join_class", "answer_class", "look_at_class", "close_class"]


class Forget(_Told):
    """Everything about the visitor would be erased."""

    kind: Literal["forget"]


Effect = Annotated[
    Say
    | Hand
    | OpenCase
    | Relay
    | RaiseDanger
    | LeaveCase
    | LookUpCode
    | RevokeConsent
    | RateTalk
    | Remind
    | NextTip
    | ClassDeed
    | Forget,
    Field(discriminator="kind"),
]


class Guess(_Told):
    """An intent that the model thinks possible."""

    intent: str
    confidence: float


class Reason(_Told):
    """A phrase of the crisis lexicon that was heard."""

    intent: str
    danger: str
    rule: str
    words: str


class Understood(_Told):
    """What a text was taken for, by whom, and why."""

    intent: str
    confidence: float
    danger: str
    by: str
    locale: str | None
    secondary: list[str]
    doubt: str | None
    ranking: list[Guess]
    why: list[Reason]


class Slot(_Told):
    """Something that is noted about the visitor."""

    name: str
    value: str
    #: ``button``, ``words``, ``mention`` or ``flow``.
    by: str
    turn: int
    fresh: bool


class Turn(_Told):
    """Everything about one tried turn."""

    state: dict[str, Any]
    offered: list[str]
    effects: list[Effect]
    path: list[Place]
    at: At | None
    under_way: list[Place]
    understood: Understood | None
    slots: list[Slot]
    locale: str
    country: str | None
    role: str | None
    mode: str
    danger: str
    misses: int
    nothing_happened: bool
    golden: dict[str, Any]

    @property
    def says(self) -> list[Say]:
        """What the visitor reads."""
        return [effect for effect in self.effects if isinstance(effect, Say)]

    @property
    def deeds(self) -> list[Effect]:
        """What else would happen."""
        return [effect for effect in self.effects if not isinstance(effect, Say)]


class Drawing(_Told):
    """What a flow looks like."""

    name: str
    file: str
    tree: str
    mermaid: str


class Saved(_Told):
    """A tried conversation as a test."""

    yaml: str


class Refusal(_Told):
    """Why the bot did not do it."""

    detail: str
