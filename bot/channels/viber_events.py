"""What did a visitor do, when Viber calls back with this event?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.channels.origin import Origin, country_of, locale_of, read_link
from bot.channels.reading import Unreadable, words
from bot.messages import Incoming, IncomingKind, MediaKind

#: A pressed button comes back as a text message that holds what the button carries, so ours carry a mark.
MARK = "#m:"

#: What the button below Viber's first message carries.
BEGIN = "#begin"

# Only what one of our buttons can carry. A person may type the mark; their words must not escape the lexicon.
_PRESSED = re.compile(re.escape(MARK) + r"(m|[a-z](?::[A-Za-z0-9_.-]+){1,3})", re.ASCII)

_MEDIA = {
    "picture": MediaKind.PHOTO,
    "video": MediaKind.VIDEO,
    "file": MediaKind.FILE,
    "sticker": MediaKind.STICKER,
    "contact": MediaKind.CONTACT,
    "location": MediaKind.LOCATION,
}


class Person(BaseModel):
    """Whoever the event is about; names and pictures are not read."""

    id: str
    language: str | None = None
    country: str | None = None


class Message(BaseModel):
    """What they sent; a medium's own address is read for links only."""

    type: str
    text: str | None = None
    media: str | None = None
    tracking_data: str | None = None


class Callback(BaseModel):
    """One event: https://developers.viber.com/docs/api/rest-bot-api/#callbacks"""

    event: str
    message_token: int | str = ""
    timestamp: int | None = None
    sender: Person | None = None
    user: Person | None = None
    user_id: str | None = None
    message: Message | None = None
    context: str | None = None
    subscribed: bool = False


def read_callback(raw: dict[str, Any]) -> Callback:
    """The event in our form; raises ``Unreadable``."""
    try:
        return Callback.model_validate(raw)
    except ValidationError as error:
        raise Unreadable from error


def incoming_of(callback: Callback) -> list[Incoming]:
    """What the visitor did, in order; nothing for what concerns us only. Raises ``Unreadable``."""
    match callback.event:
        case "message":
            return _message(callback)
        case "unsubscribed":
            return [_from(callback, callback.user_id, kind=IncomingKind.LEFT)]
        case "conversation_started":
            return _opened(callback)
        case _:
            # Subscribing is followed by a message, receipts by nothing, and Viber may add events.
            return []


def origin_of(callback: Callback) -> Origin:
    """What is known of the visitor: first their link, then what Viber says."""
    person = callback.sender or callback.user
    # The first message brings back the link that the welcome carried.
    link = callback.message.tracking_data if callback.message else callback.context
    said = read_link(link or "") or Origin()
    return Origin(
        locale=said.locale or locale_of(person.language if person else None),
        country=said.country or country_of(person.country if person else None),
        campaign=said.campaign,
    )


def _message(callback: Callback) -> list[Incoming]:
    message, sender = callback.message, callback.sender
    if message is None or sender is None:
        raise Unreadable
    came = _from(callback, sender.id, kind=IncomingKind.TEXT)
    said = words(message.text or "")
    if message.type == "text":
        return _text(came, said)
    if message.type == "url":
        return _text(came, said or words(message.media or ""))
    media = replace(came, kind=IncomingKind.MEDIA, media=_MEDIA.get(message.type, MediaKind.OTHER))
    if not said:
        return [media]
    return [replace(came, update=f"{came.update}:caption", text=said), media]


def _text(came: Incoming, said: str) -> list[Incoming]:
    if said == BEGIN:
        return [replace(came, kind=IncomingKind.STARTED)]
    if pressed := _PRESSED.fullmatch(said):
        return [replace(came, kind=IncomingKind.CHOICE, text=pressed[1])]
    return [replace(came, text=said)] if said else []


def _opened(callback: Callback) -> list[Incoming]:
    if callback.user is None:
        raise Unreadable
    # Whoever is not subscribed cannot be answered yet: the welcome in the response is all that we may say.
    if not callback.subscribed or read_link(callback.context or "") is None:
        return []
    return [_from(callback, callback.user.id, kind=IncomingKind.STARTED)]


def _from(callback: Callback, address: str | None, *, kind: IncomingKind) -> Incoming:
    if not address or not str(callback.message_token):
        raise Unreadable
    origin = origin_of(callback)
    return Incoming(
        channel="viber",
        address=words(address),
        update=words(str(callback.message_token)),
        kind=kind,
        locale=origin.locale,
        country=origin.country,
        campaign=origin.campaign,
        sent_at=_instant(callback.timestamp),
    )


def _instant(milliseconds: int | None) -> datetime | None:
    try:
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
