"""What does the bot tell about itself and about how its flows are used? Our half of that agreement."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[int, Field(ge=0)]


class _Told(BaseModel):
    # A newer bot may tell more than we show.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Sum(_Told):
    """How often something happened at a place in the flows."""

    #: ``begun``, ``asked`` …; a newer bot may count more than we know.
    what: str
    flow: str
    node: str
    locale: str
    number: Number


class Question(_Told):
    """The first words of a question."""

    flow: str
    node: str
    text: str


class Usage(_Told):
    """How the flows were used in some months."""

    sums: list[Sum]
    questions: list[Question]


class Unfinished(_Told):
    """What the bot has still to do."""

    messages: Number
    oldest_message_seconds: Annotated[float, Field(ge=0)]
    parked: Number
    #: By lane: ``channel`` to visitors, ``referral`` to us.
    deliveries: dict[str, Number]
    oldest_delivery_seconds: Annotated[float, Field(ge=0)]


class ModelServer(_Told):
    """One server of the model."""

    answers: bool
    #: The name of the model that it has loaded.
    model: str


class Condition(_Told):
    """How the bot is doing, and what it runs with."""

    waiting: Unfinished
    models: list[ModelServer]
    channels: list[str]
    #: A short name for exactly this content.
    content: str
    locales: list[str]
    countries: list[str]
    retention_days: Number
