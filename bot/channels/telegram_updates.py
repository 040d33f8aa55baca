"""What did a visitor do, when Telegram sends this update?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.channels.greeting import COMMAND_PAYLOADS
from bot.channels.origin import Origin, locale_of, read_link
from bot.channels.reading import Unreadable, words
from bot.messages import Incoming, IncomingKind, MediaKind

#: What we ask Telegram for; everything else it has is not sent to us at all.
ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")

# A command's name as BotFather allows it, perhaps with the bot's own name, and what was typed behind it.
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+(.*))?", re.DOTALL)

_COMMANDS = dict(COMMAND_PAYLOADS) | {
    payload.removeprefix("i:"): payload for payload in COMMAND_PAYLOADS.values() if payload.startswith("i:")
}

# In this order: an animation also comes with a document, a venue with a location.
_MEDIA = (
    ("photo", MediaKind.PHOTO),
    ("video", MediaKind.VIDEO),
    ("video_note", MediaKind.VIDEO),
    ("animation", MediaKind.VIDEO),
    ("voice", MediaKind.VOICE),
    ("audio", MediaKind.VOICE),
    ("sticker", MediaKind.STICKER),
    ("location", MediaKind.LOCATION),
    ("contact", MediaKind.CONTACT),
    ("document", MediaKind.FILE),
    ("dice", MediaKind.OTHER),
    ("poll", MediaKind.OTHER),
    ("game", MediaKind.OTHER),
    ("story", MediaKind.OTHER),
    ("paid_media", MediaKind.OTHER),
    ("checklist", MediaKind.OTHER),
)


def read_update(raw: Mapping[str, Any]) -> Update:
    """The update in the SDK's form; raises ``Unreadable``."""
    try:
        update = Update.de_json(dict(raw), None)
    except Exception as error:
        # The SDK raises whatever its parsing runs into; one strange update must not stop the others.
        raise Unreadable from error
    if not isinstance(update.update_id, int) or isinstance(update.update_id, bool):
        raise Unreadable
    return update


def incoming_of(update: Update) -> list[Incoming]:
    """What the visitor did, in order; nothing for what is not meant for us, and for everything in groups.

    Others read along in a group: whatever we said there would tell them about a child.
    """
    number = str(update.update_id)
    if update.message is not None:
        return _message(number, update.message)
    if update.edited_message is not None:
        return _edited(number, update.edited_message)
    if update.callback_query is not None:
        return _pressed(number, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(number, update.my_chat_member)
    return []


def _message(number: str, message: Message) -> list[Incoming]:
    if message.chat.type != ChatType.PRIVATE:
        return []
    came = Incoming(
        channel="telegram",
        address=str(message.chat.id),
        update=number,
        kind=IncomingKind.TEXT,
        locale=locale_of(message.from_user.language_code if message.from_user else None),
        sent_at=message.date,
    )
    if message.text:
        return _text(came, words(message.text))
    for name, kind in _MEDIA:
        if getattr(message, name):
            return _media(came, message, kind)
    return []


def _text(came: Incoming, said: str) -> list[Incoming]:
    command = _COMMAND.fullmatch(said)
    if command is not None:
        name, behind = command[1].lower(), (command[2] or "").strip()
        if name == "start":
            return _started(came, behind)
        # With words behind it, it is a sentence: nobody must lose "/stop it or i will kill myself" to a menu.
        if name in _COMMANDS and not behind:
            return [replace(came, kind=IncomingKind.CHOICE, text=_COMMANDS[name])]
    return [replace(came, text=said)] if said else []


def _started(came: Incoming, behind: str) -> list[Incoming]:
    link = read_link(behind)
    origin = link or Origin()
    started = replace(
        came,
        kind=IncomingKind.STARTED,
        locale=origin.locale or came.locale,
        country=origin.country,
        campaign=origin.campaign,
    )
    if link is not None or not behind:
        return [started]
    # Not a link of ours, so perhaps typed by hand: those words count as well.
    return [started, replace(came, update=f"{came.update}:words", text=behind)]


def _media(came: Incoming, message: Message, kind: MediaKind) -> list[Incoming]:
    media = replace(came, kind=IncomingKind.MEDIA, media=kind)
    if message.media_group_id:
        # Each picture of an album is an update of its own; under one id only the first is kept and answered.
        media = replace(media, update=f"album:{message.chat.id}:{message.media_group_id}")
    said = words(message.caption or "")
    if not said:
        return [media]
    return [replace(came, update=f"{came.update}:caption", text=said), media]


def _edited(number: str, message: Message) -> list[Incoming]:
    said = words(message.text or message.caption or "")
    # A live location is "edited" all the time: only words can be new.
    if message.chat.type != ChatType.PRIVATE or not said:
        return []
    return [
        Incoming(
            channel="telegram",
            address=str(message.chat.id),
            update=number,
            kind=IncomingKind.EDITED,
            text=said,
            locale=locale_of(message.from_user.language_code if message.from_user else None),
            sent_at=message.edit_date,
        )
    ]


def _pressed(number: str, query: CallbackQuery) -> list[Incoming]:
    if query.message is None or query.message.chat.type != ChatType.PRIVATE or not query.data:
        return []
    return [
        Incoming(
            channel="telegram",
            address=str(query.message.chat.id),
            update=number,
            kind=IncomingKind.CHOICE,
            text=words(query.data),
            locale=locale_of(query.from_user.language_code),
        )
    ]


def _membership(number: str, change: ChatMemberUpdated) -> list[Incoming]:
    if change.chat.type != ChatType.PRIVATE or change.new_chat_member.status != ChatMemberStatus.BANNED:
        return []
    return [
        Incoming(
            channel="telegram",
            address=str(change.chat.id),
            update=number,
            kind=IncomingKind.LEFT,
            sent_at=change.date,
        )
    ]
