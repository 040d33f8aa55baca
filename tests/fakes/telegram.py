"""A local server that behaves as Telegram's Bot API, with visitors who write to the bot.

Polling (the default)::

    with FakeTelegram() as telegram:
        settings = {"PORCHLIGHT_TELEGRAM_TOKEN": telegram.token, "PORCHLIGHT_TELEGRAM_API_URL": telegram.url}
        child = telegram.visitor(language="ru")
        child.starts("be-BY-school12")       # /start, with the payload of a deep link
        child.writes("…")  child.edits("…")  child.presses("Menu")  child.sends("photo", caption="…")
        child.sends_album(3)  child.blocks()  child.comes_back()  child.writes_in_group("…")
        await child.sees()                   # see tests/fakes/messenger.py

Webhook: our own ``setWebhook`` call connects it, or ``telegram.connect(url, secret=…)``. Updates are posted
one at a time, again until they are answered with 2xx (4xx gives up); ``telegram.webhook_statuses`` are the
answers.

Trouble: ``telegram.fail(*faults, method="sendMessage")`` (any method, also ``getUpdates``),
``telegram.deliver_twice(times)``, ``with telegram.out_of_order(): …`` delivers the last thing done first.
``telegram.calls(method)`` are the parameters that the bot sent.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import Message
from email.parser import BytesParser
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes.messenger import FakeMessenger, FakeVisitor, Says, Seen, SeenFile, TooMany
from tests.fakes.server import Answer, Asked

#: https://core.telegram.org/bots/api
MAX_TEXT_UNITS = 4096
MAX_CALLBACK_BYTES = 64
MAX_CAPTION_UNITS = 1024
MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_DOCUMENT_BYTES = 50 * 1024 * 1024
MAX_SHORT_DESCRIPTION = 120
MAX_DESCRIPTION = 512

#: Telegram holds no request for updates open for longer.
_MAX_POLL_SECONDS = 50

TOKEN = "100:porchlight-test-token"

#: How a PNG file begins.
PNG = b"\x89PNG\r\n\x1a\n"

_NOW = 1_760_000_000

#: Part of every name, number and place in what visitors send: where it is found, something was kept.
MARK = "918273"

_MEDIA: dict[str, Any] = {
    "photo": [{"file_id": f"p{MARK}", "file_unique_id": f"p{MARK}", "width": 90, "height": 90}],
    "video": {"file_id": f"v{MARK}", "file_unique_id": f"v{MARK}", "width": 9, "height": 9, "duration": 1},
    "voice": {"file_id": f"s{MARK}", "file_unique_id": f"s{MARK}", "duration": 2},
    "sticker": {
        "file_id": f"t{MARK}",
        "file_unique_id": f"t{MARK}",
        "type": "regular",
        "width": 512,
        "height": 512,
        "is_animated": False,
        "is_video": False,
    },
    "location": {"longitude": 27.918273, "latitude": 53.918273},
    "contact": {"phone_number": f"+375290{MARK}", "first_name": "Somebody"},
    "document": {"file_id": f"d{MARK}", "file_unique_id": f"d{MARK}"},
    "dice": {"emoji": "🎲", "value": 3},
}


class _Refused(Exception):
    """The call is answered with an error of the Bot API."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(slots=True)
class _Webhook:
    url: str
    secret: str | None


@dataclass(slots=True)
class _Profile:
    """What is set for each language code; the empty one is everybody else's."""

    commands: dict[str, dict[str, str]] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)


class FakeTelegram(FakeMessenger):
    """The Bot API for one bot."""

    def __init__(self, *, token: str = TOKEN) -> None:
        super().__init__()
        self.token = token
        self.profile = _Profile()
        self.numbers = count(1)
        self._visitors: dict[int, TelegramVisitor] = {}
        self._updates: list[dict[str, Any]] = []
        self._update_numbers = count(7001)
        self._allowed: set[str] | None = None
        self._webhook: _Webhook | None = None
        self._reversed: list[dict[str, Any]] | None = None

    def visitor(self, *, language: str | None = "en") -> TelegramVisitor:
        """Somebody new, who has not written yet."""
        visitor = TelegramVisitor(self, number=900 + len(self._visitors), language=language)
        self._visitors[visitor.number] = visitor
        return visitor

    @property
    def webhook(self) -> str:
        """Where updates are posted, empty while they are polled."""
        return self._webhook.url if self._webhook else ""

    def connect(self, url: str, *, secret: str | None = None) -> None:
        """As if ``setWebhook`` had been called."""
        self.do(lambda: self._connect(url, secret))

    @contextmanager
    def out_of_order(self) -> Iterator[None]:
        """What visitors do in this block is delivered at its end, the last thing first."""

        def begin() -> None:
            self._reversed = []

        def end() -> None:
            held, self._reversed = self._reversed or [], None
            self._updates.extend(reversed(held))

        self.do(begin)
        yield
        self.do(end)

    def update(self, body: dict[str, Any]) -> int:
        """Something happened to the bot; the update's number."""
        return self.do(lambda: self._enqueue(body))

    async def delivered(self) -> None:
        """Wait until everything was confirmed by polling or taken by the webhook."""
        await self.server.wait(self._until(lambda: not self._updates))

    def _enqueue(self, body: dict[str, Any]) -> int:
        number = next(self._update_numbers)
        queue = self._updates if self._reversed is None else self._reversed
        queue.append({"update_id": number, **body})
        if self._twice:
            self._twice -= 1
            queue.append({"update_id": number, **body})
        return number

    def _connect(self, url: str, secret: str | None) -> None:
        self._webhook = _Webhook(url, secret)
        self._pushing = asyncio.create_task(self._push(self._webhook))

    async def _push(self, webhook: _Webhook) -> None:
        headers = {"content-type": "application/json"}
        if webhook.secret:
            headers["x-telegram-bot-api-secret-token"] = webhook.secret
        while self._webhook is webhook:
            async with self._news:
                await self._news.wait_for(lambda: bool(self._updates))
                update = self._updates[0]
            if self._is_allowed(update):
                await self._post(webhook.url, body=json.dumps(update).encode(), headers=headers)
            async with self._news:
                self._updates.remove(update)
                self._news.notify_all()

    def _is_allowed(self, update: dict[str, Any]) -> bool:
        return self._allowed is None or bool(self._allowed & update.keys())

    def _read(self, asked: Asked) -> tuple[str, dict[str, Any]]:
        _, _, method = asked.path.rpartition("/")
        kind = asked.headers.get("content-type", "")
        if kind.startswith("application/json"):
            return method, json.loads(asked.body or b"{}")
        if kind.startswith("multipart/form-data"):
            return method, _form(kind, asked.body)
        parameters: dict[str, Any] = {}
        for name, value in parse_qsl(asked.body.decode(), keep_blank_values=True):
            parameters[name] = json.loads(value) if value[:1] in ("{", "[") and name != "text" else value
        return method, parameters

    async def _carry_out(self, method: str, parameters: dict[str, Any], asked: Asked) -> Answer:
        try:
            if asked.path != f"/bot{self.token}/{method}":
                raise _Refused(401, "Unauthorized")
            result = await self._result(method, parameters)
        except _Refused as error:
            return _error(error.code, error.description)
        return Answer(body={"ok": True, "result": result})

    def _refusal(self, fault: TooMany | Says) -> Answer:
        if isinstance(fault, Says):
            return _error(fault.code, fault.words)
        wait = fault.after
        return _error(429, f"Too Many Requests: retry after {wait}", parameters={"retry_after": wait})

    async def _result(self, method: str, parameters: dict[str, Any]) -> Any:
        match method:
            case "getMe":
                return {"id": 100, "is_bot": True, "first_name": "Porchlight", "username": "porchlight_bot"}
            case "getUpdates":
                return await self._get_updates(parameters)
            case "sendMessage":
                return await self._send_message(parameters)
            case "sendDocument":
                return await self._send_file(parameters, part="document", most=MAX_DOCUMENT_BYTES)
            case "sendPhoto":
                return await self._send_file(parameters, part="photo", most=MAX_PHOTO_BYTES)
            case "sendChatAction":
                return self._chat_action(parameters)
            case "answerCallbackQuery":
                return self._answer_query(parameters)
            case "setMyCommands" | "setMyShortDescription" | "setMyDescription":
                return self._set_profile(method, parameters)
            case "setWebhook":
                return self._set_webhook(parameters)
            case "deleteWebhook":
                self._webhook = None
                return True
        raise _Refused(404, "Not Found")

    async def _get_updates(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if self._webhook is not None:
            raise _Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        self._allow(parameters)
        offset = int(parameters.get("offset", 0))
        seconds = min(int(parameters.get("timeout", 0)), _MAX_POLL_SECONDS)
        async with self._news:
            if offset > 0:
                self._updates = [update for update in self._updates if update["update_id"] >= offset]
                self._news.notify_all()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait_for(lambda: bool(self._updates))
            except TimeoutError:
                return []
            self._updates = [update for update in self._updates if self._is_allowed(update)]
            return self._updates[: int(parameters.get("limit", 100))]

    async def _send_message(self, parameters: dict[str, Any]) -> dict[str, Any]:
        visitor = self._reachable(parameters)
        text = str(parameters.get("text", "")).strip()
        if not text:
            raise _Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > MAX_TEXT_UNITS:
            raise _Refused(400, "Bad Request: message is too long")
        seen = Seen(
            text=text,
            raw=parameters,
            **_entities(text, parameters.get("entities", [])),
            **_keyboard(parameters.get("reply_markup")),
        )
        number = next(self.numbers)
        async with self._news:
            visitor.receives(seen, number=number)
            self._news.notify_all()
        return {"message_id": number, "date": _NOW, "chat": visitor.chat, "text": text}

    async def _send_file(self, parameters: dict[str, Any], *, part: str, most: int) -> dict[str, Any]:
        visitor = self._reachable(parameters)
        file = parameters.get(part)
        if not isinstance(file, SeenFile) or not file.content:
            raise _Refused(400, f"Bad Request: there is no {part} in the request")
        if len(file.content) > most:
            raise _Refused(413, "Request Entity Too Large")
        if part == "photo" and not file.content.startswith(PNG):
            raise _Refused(400, "Bad Request: IMAGE_PROCESS_FAILED")
        caption = str(parameters.get("caption", ""))
        if len(caption.encode("utf-16-le")) // 2 > MAX_CAPTION_UNITS:
            raise _Refused(400, "Bad Request: message caption is too long")
        file = replace(file, is_picture=part == "photo")
        number = next(self.numbers)
        async with self._news:
            visitor.receives(Seen(text=caption, file=file, raw=parameters), number=number)
            self._news.notify_all()
        return {"message_id": number, "date": _NOW, "chat": visitor.chat, "caption": caption}

    def _chat_action(self, parameters: dict[str, Any]) -> bool:
        if parameters.get("action") != "typing":
            raise _Refused(400, "Bad Request: wrong parameter action in request")
        self._reachable(parameters).typings += 1
        return True

    def _answer_query(self, parameters: dict[str, Any]) -> bool:
        for visitor in self._visitors.values():
            if parameters.get("callback_query_id") in visitor.waiting_queries:
                visitor.waiting_queries.remove(parameters["callback_query_id"])
                return True
        raise _Refused(
            400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
        )

    def _set_profile(self, method: str, parameters: dict[str, Any]) -> bool:
        language = str(parameters.get("language_code", ""))
        if not re.fullmatch(r"([a-z]{2})?", language):
            raise _Refused(400, "Bad Request: invalid language code specified")
        match method:
            case "setMyCommands":
                self.profile.commands[language] = _commands(parameters.get("commands"))
            case "setMyShortDescription":
                text = _limited(parameters.get("short_description", ""), MAX_SHORT_DESCRIPTION)
                self.profile.short_descriptions[language] = text
            case _:
                text = _limited(parameters.get("description", ""), MAX_DESCRIPTION)
                self.profile.descriptions[language] = text
        return True

    def _set_webhook(self, parameters: dict[str, Any]) -> bool:
        secret = parameters.get("secret_token")
        if not re.fullmatch(r"https?://\S+", str(parameters.get("url", ""))):
            raise _Refused(400, "Bad Request: bad webhook: invalid URL")
        if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise _Refused(400, "Bad Request: secret token contains unallowed characters")
        self._allow(parameters)
        self._connect(parameters["url"], secret)
        return True

    def _allow(self, parameters: dict[str, Any]) -> None:
        if allowed := parameters.get("allowed_updates"):
            self._allowed = set(allowed)

    def _reachable(self, parameters: dict[str, Any]) -> TelegramVisitor:
        chat = str(parameters.get("chat_id", ""))
        if not chat:
            raise _Refused(400, "Bad Request: chat_id is empty")
        visitor = self._visitors.get(int(chat)) if chat.lstrip("-").isdigit() else None
        if visitor is None:
            raise _Refused(400, "Bad Request: chat not found")
        if visitor.has_blocked:
            raise _Refused(403, "Forbidden: bot was blocked by the user")
        if not visitor.has_written:
            raise _Refused(403, "Forbidden: bot can't initiate conversation with a user")
        return visitor


class TelegramVisitor(FakeVisitor):
    """Somebody on Telegram."""

    def __init__(self, telegram: FakeTelegram, *, number: int, language: str | None) -> None:
        super().__init__(telegram)
        self._telegram = telegram
        self.number = number
        self.address = str(number)
        self.chat = {"id": number, "type": "private", "first_name": "Mia"}
        self.person = {"id": number, "is_bot": False, "first_name": "Mia"}
        if language is not None:
            self.person["language_code"] = language
        self.has_written = False
        self.has_blocked = False
        #: How often "typing…" was shown.
        self.typings = 0
        #: Presses that still show a spinner.
        self.waiting_queries: list[str] = []
        self._last_written: tuple[int, str] = (0, "")
        self._shown: list[int] = []

    def starts(self, payload: str = "") -> int:
        """Press Start, perhaps behind a link; the update's number, as of all that follows."""
        return self.writes(f"/start {payload}".strip())

    def writes(self, text: str) -> int:
        """Send a text."""
        number = next(self._telegram.numbers)
        self._last_written = (number, text)
        return self._does(message=self._message({"text": text}, number=number))

    def edits(self, text: str) -> int:
        """Change the last text."""
        message = self._message({"text": text}, number=self._last_written[0])
        return self._does(edited_message=message | {"edit_date": _NOW + 60})

    def sends(self, kind: str, *, caption: str = "") -> int:
        """Send a photo, video, voice, sticker, location, contact, document or dice."""
        content = {kind: _MEDIA[kind]} | ({"caption": caption} if caption else {})
        return self._does(message=self._message(content))

    def sends_photo(self, caption: str = "") -> int:
        """Send a photo."""
        return self.sends("photo", caption=caption)

    def sends_album(self, photos: int) -> None:
        """Send several photos as one album: Telegram makes an update of each."""
        album = f"album-{next(self._telegram.numbers)}"
        for _ in range(photos):
            self._does(message=self._message({"photo": _MEDIA["photo"], "media_group_id": album}))

    def presses(self, title: str) -> int:
        """Press the newest button with this title."""
        message, payload = self._button(title)
        query = f"query-{next(self._telegram.numbers)}"
        self.waiting_queries.append(query)
        shown = {
            "message_id": self._shown[self._seen.index(message)],
            "date": _NOW,
            "chat": self.chat,
            "text": message.text,
        }
        return self._does(
            callback_query={
                "id": query,
                "from": self.person,
                "chat_instance": "1",
                "message": shown,
                "data": payload,
            }
        )

    def blocks(self) -> int:
        """Block the bot."""
        self.has_blocked = True
        return self._does(my_chat_member=self._membership(before="member", after="kicked"))

    def comes_back(self) -> int:
        """Take the block away."""
        self.has_blocked = False
        return self._does(my_chat_member=self._membership(before="kicked", after="member"))

    def writes_in_group(self, text: str) -> int:
        """Say something in a group that the bot was added to."""
        message = self._message({"text": text})
        return self._does(message=message | {"chat": {"id": -5, "type": "group", "title": "Class 7b"}})

    def receives(self, message: Seen, *, number: int) -> None:
        """A message of the bot arrived (called by the server)."""
        self._seen.append(message)
        self._shown.append(number)

    def _does(self, **body: Any) -> int:
        self.has_written = True
        return self._telegram.update(body)

    def _message(self, content: dict[str, Any], *, number: int | None = None) -> dict[str, Any]:
        return {
            "message_id": number or next(self._telegram.numbers),
            "date": _NOW,
            "chat": self.chat,
            "from": self.person,
            **content,
        }

    def _membership(self, *, before: str, after: str) -> dict[str, Any]:
        bot = {"id": 100, "is_bot": True, "first_name": "Porchlight"}
        return {
            "chat": self.chat,
            "from": self.person,
            "date": _NOW,
            "old_chat_member": _member(bot, before),
            "new_chat_member": _member(bot, after),
        }


def _member(person: dict[str, Any], status: str) -> dict[str, Any]:
    return {"user": person, "status": status} | ({"until_date": 0} if status == "kicked" else {})


def _error(code: int, description: str, *, parameters: dict[str, Any] | None = None) -> Answer:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return Answer(status=code, body=body | ({"parameters": parameters} if parameters else {}))


def _limited(text: str, most: int) -> str:
    if len(text) > most:
        raise _Refused(400, "Bad Request: description is too long")
    return text


def _commands(given: Any) -> dict[str, str]:
    if not isinstance(given, list) or len(given) > 100:
        raise _Refused(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    for command in given:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise _Refused(400, "Bad Request: BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise _Refused(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
    return {command["command"]: command["description"] for command in given}


def _form(kind: str, body: bytes) -> dict[str, Any]:
    """The fields of a form with files in it; a file's field may be named by another, as ``attach://name``."""
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    fields: dict[str, Any] = {}
    for part in message.get_payload():
        assert isinstance(part, Message)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        if file := part.get_filename():
            fields[name] = SeenFile(name=file, content=content)
        else:
            fields[name] = content.decode()
    return {
        name: fields.get(value.removeprefix("attach://"), value) if isinstance(value, str) else value
        for name, value in fields.items()
    }


def _entities(text: str, given: list[dict[str, Any]]) -> dict[str, Any]:
    """What is bold and what is a link; refuses the places that the Bot API refuses."""
    encoded = text.encode("utf-16-le")
    bold: list[str] = []
    links: dict[str, str] = {}
    for entity in given:
        begin, length = entity["offset"], entity["length"]
        if begin < 0 or length < 0:
            raise _Refused(400, f"Bad Request: receive an entity with incorrect offset {begin}")
        if 2 * (begin + length) > len(encoded):
            raise _Refused(400, f"Bad Request: entity beginning at UTF-16 offset {begin} ends after the text")
        try:
            words = encoded[2 * begin : 2 * (begin + length)].decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise _Refused(400, "Bad Request: entity begins in a middle of a UTF-16 symbol") from error
        match entity["type"]:
            case "bold":
                bold.append(words)
            case "text_link" if re.fullmatch(r"https?://[^\s/]+\S*", entity.get("url", "")):
                links[words] = entity["url"]
            case "text_link":
                raise _Refused(400, "Bad Request: entity URL is invalid")
            case _:
                raise _Refused(400, "Bad Request: can't parse MessageEntity: unsupported type specified")
    return {"bold": tuple(bold), "links": links}


def _keyboard(markup: Any) -> dict[str, Any]:
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    payloads: dict[str, str] = {}
    for button in (button for row in rows for button in row):
        if not button.get("text"):
            raise _Refused(400, "Bad Request: can't parse inline keyboard button: Text must be non-empty")
        if not 1 <= len(button.get("callback_data", "").encode()) <= MAX_CALLBACK_BYTES:
            raise _Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        payloads[button["text"]] = button["callback_data"]
    return {
        "rows": tuple(tuple(button["text"] for button in row) for row in rows),
        "payloads": payloads,
    }
