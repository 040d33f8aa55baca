"""Where a conversation stands between two turns, as plain JSON with a version."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from flows.events import DangerLevel

STATE_VERSION = 2
#: Slots that begin so are the visitor's own, such as a plan: they outlive a case, and no operator sees them.
OWN = "my_"


class StateUnreadable(ValueError):
    """This stored conversation was written by a version of Porchlight that this one cannot read."""


class Mode(StrEnum):
    """Who talks with the visitor."""

    BOT = "bot"
    WAITING = "waiting"  # A case is open and nobody has taken it; the bot still answers.
    LIVE = "live"  # An operator talks with the visitor; the bot only relays.
    STOPPED = "stopped"  # The visitor asked not to be written to; anything they write wakes the bot.


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One flow that is under way, and the node it stands at."""

    flow: str
    node: str
    #: The intent that led into this flow, for ``branch: intent``; empty when a button or a link did.
    intent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What the conversation waits for, at the node of the top frame."""

    #: ``choice`` or ``text``.
    kind: str
    #: Names this wait alone, so that a late timer can be told from a current one.
    token: str


class Origin(StrEnum):
    """How an answer came about."""

    BUTTON = "button"  # The visitor pressed it, or typed what it says.
    WORDS = "words"  # The visitor's own words, masked.
    MENTION = "mention"  # Their words named it, in passing.
    FLOW = "flow"  # A flow noted it, without asking.


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One thing that is noted about the visitor, from where, and in which turn."""

    value: str
    by: Origin
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that is known about a conversation; a new one is ``State(locale=…, country=…)``."""

    locale: str
    country: str | None = None
    #: ``child``, ``teen``, ``parent`` or ``teacher``.
    role: str | None = None
    campaign: str | None = None
    #: ``telegram``, ``viber`` or ``web``; empty where nobody said.
    channel: str = ""
    #: True once the visitor chose the language themselves; detection never changes it after that.
    locale_chosen: bool = False
    mode: Mode = Mode.BOT
    danger: DangerLevel = DangerLevel.NONE
    #: The outermost flow first.
    frames: tuple[Frame, ...] = ()
    wait: Wait | None = None
    slots: dict[str, Slot] = field(default_factory=dict)
    #: The incident intents heard so far, oldest first.
    intents: tuple[str, ...] = ()
    #: Keys of what the bot said last, newest last, for the hand-over card; bounded.
    said: tuple[str, ...] = ()
    #: How often in a row the bot did not understand.
    misses: int = 0
    #: Counts the turns; makes wait tokens unique.
    turn: int = 0

    def with_(self, **changes: Any) -> State:
        """A copy with these fields changed; raises ``TypeError`` for a field that does not exist."""
        # Every turn begins with a copy of its own, and ``dataclasses.replace`` takes three times as long.
        if not changes.keys() <= _FIELDS:
            raise TypeError(f"a state has no {', '.join(sorted(changes.keys() - _FIELDS))}")
        copy = object.__new__(State)
        for name in _FIELDS:
            object.__setattr__(copy, name, changes[name] if name in changes else getattr(self, name))
        return copy

    @property
    def answers(self) -> dict[str, str]:
        """What the slots hold."""
        return {name: slot.value for name, slot in self.slots.items()}

    def answer(self, name: str) -> str:
        """What a slot holds; empty while it was not filled."""
        slot = self.slots.get(name)
        return slot.value if slot else ""

    def kept_slots(self) -> dict[str, Slot]:
        """The slots that are the visitor's own."""
        return {name: slot for name, slot in self.slots.items() if name.startswith(OWN)}

    def to_json(self) -> str:
        """The state as JSON that ``from_json`` reads back to an equal state."""
        return json.dumps({"v": STATE_VERSION, **asdict(self)}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> State:
        """Read what ``to_json`` wrote; raises ``StateUnreadable``."""
        try:
            raw = json.loads(text)
            version = raw.pop("v")
        except (ValueError, KeyError, AttributeError) as error:
            raise StateUnreadable from error
        if version not in (1, STATE_VERSION):
            raise StateUnreadable
        try:
            raw["slots"] = {name: _slot(slot) for name, slot in raw["slots"].items()}
            raw["frames"] = tuple(Frame(**frame) for frame in raw["frames"])
            raw["wait"] = Wait(**raw["wait"]) if raw["wait"] else None
            raw["mode"] = Mode(raw["mode"])
            raw["danger"] = DangerLevel(raw["danger"])
            raw["intents"] = tuple(raw["intents"])
            raw["said"] = tuple(raw["said"])
            return cls(**raw)
        except (AttributeError, TypeError, KeyError, ValueError) as error:
            raise StateUnreadable from error


def _slot(raw: Any) -> Slot:
    """A slot as JSON holds it; version 1 held its value alone."""
    if isinstance(raw, str):
        return Slot(value=raw, by=Origin.FLOW, turn=0)
    return Slot(value=str(raw["value"]), by=Origin(raw["by"]), turn=int(raw["turn"]))


_FIELDS = frozenset(entry.name for entry in fields(State))
