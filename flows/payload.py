"""What does a pressed button send back? The grammar of payloads, which outlive their messages."""

from __future__ import annotations

from dataclasses import dataclass

#: Telegram's limit for ``callback_data``: https://core.telegram.org/bots/api#inlinekeyboardbutton
MAX_BYTES = 64
MENU = "m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """One choice at one node."""

    flow: str
    node: str
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Behave as if this intent had been understood."""

    intent: str


@dataclass(frozen=True, slots=True)
class ToMenu:
    """Show the menu."""


def for_choice(*, flow: str, node: str, slug: str) -> str:
    """The payload of a choice."""
    return f"n:{flow}:{node}:{slug}"


def for_intent(intent: str) -> str:
    """The payload that means an intent."""
    return f"i:{intent}"


def read(payload: str) -> Pressed | Meant | ToMenu | None:
    """What a payload asks for, or None for anything that we cannot have offered."""
    if len(payload.encode("utf-8", "replace")) > MAX_BYTES:
        return None
    if payload == MENU:
        return ToMenu()
    match payload.split(":"):
        case ["n", flow, node, slug]:
            return Pressed(flow=flow, node=node, slug=slug)
        case ["i", intent]:
            return Meant(intent=intent)
        case _:
            return None
