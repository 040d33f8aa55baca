"""What goes in and out of every channel, whatever messenger it is."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

#: Longer texts are refused where the channel lets us say so, and cut where it does not.
MAX_TEXT = 10_000

# C0 and C1 controls but tab and newline, and the marks that turn the direction of what follows:
# they can hide words from a reader, and no child types them.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class BotError(Exception):
    """Something that the bot's caller can act on."""


class InboxDown(BotError):
    """The message could not be stored; the sender must try again."""


class DeliveryFailed(BotError):
    """The channel did not take this message."""


class TryAgain(DeliveryFailed):
    """The channel is busy or out of reach; try again later."""

    def __init__(self, after: timedelta | None = None) -> None:
        super().__init__()
        #: How long the platform asked us to wait, if it said.
        self.after = after


class AddressGone(DeliveryFailed):
    """The visitor blocked us or left: nothing can be delivered to them."""


class Refused(DeliveryFailed):
    """The platform will never take this message as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class IncomingKind(StrEnum):
    """What a channel can hand over."""

    STARTED = "started"
    TEXT = "text"
    CHOICE = "choice"
    MEDIA = "media"
    EDITED = "edited"
    LEFT = "left"


class MediaKind(StrEnum):
    """What a visitor sent instead of text; the thing itself is never fetched."""

    PHOTO = "photo"
    VIDEO = "video"
    VOICE = "voice"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    FILE = "file"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One thing a visitor did, as a channel hands it over: authentic, and cleaned of invisible characters."""

    #: ``telegram``, ``viber`` or ``web``.
    channel: str
    #: Where answers go: a chat id, a Viber user id, a web conversation's id.
    address: str
    #: The platform's own id of this delivery; a second one with the same id is dropped.
    update: str
    kind: IncomingKind
    #: The text, or the payload of a choice.
    text: str = ""
    media: MediaKind | None = None
    #: One of our locales, where the platform or a link tells.
    locale: str | None = None
    country: str | None = None
    campaign: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """What a choice says, and what comes back when it is pressed."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Words of a message that are shown in one way."""

    text: str
    bold: bool = False
    #: The https address that the words lead to, or empty.
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to a visitor."""

    text: str
    choices: tuple[Button, ...] = ()
    #: ``bot`` or ``operator``.
    sender: str = "bot"
    #: Stays the same when the delivery is tried again.
    number: str = ""
    locale: str = "en"
    #: The same words with what of them is bold or leads to a page; empty where nothing does.
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A document for a visitor."""

    #: What it is, in the visitor's language.
    title: str
    #: What the file is called, such as ``certificate.pdf``.
    name: str
    content: bytes
    #: Where it can be fetched for some days; empty where nobody has to.
    link: str = ""

    @property
    def is_picture(self) -> bool:
        """Whether it can be shown within a chat."""
        return self.name.endswith(".png")


class Channel(Protocol):
    """A messenger that we push messages to."""

    name: str
    #: Whether it does not take files but fetches them from an address of ours.
    fetches_files: bool

    async def hand(self, address: str, file: File) -> None:
        """Deliver a document; raises ``TryAgain``, ``AddressGone`` or ``Refused``."""
        ...

    async def send(self, address: str, message: Outgoing) -> None:
        """Deliver one message; raises ``TryAgain``, ``AddressGone`` or ``Refused``."""
        ...

    async def typing(self, address: str) -> None:
        """Show that an answer is coming; never raises."""
        ...


#: Stores one message durably before it returns; raises ``InboxDown``.
Accept = Callable[[Incoming], Awaitable[None]]


#: The visitor with this address has our messages before their eyes; never raises.
Saw = Callable[[str], Awaitable[None]]


def clean(text: str) -> str:
    """The text without characters that cannot be seen, at most ``MAX_TEXT`` long."""
    return _INVISIBLE.sub("", text)[:MAX_TEXT].strip()
