"""A local server that behaves as Viber's REST API, with visitors who write to the bot.

::

    with FakeViber() as viber:
        settings = {"PORCHLIGHT_VIBER_TOKEN": viber.token, "PORCHLIGHT_VIBER_API_URL": viber.url}
        viber.connect(f"{bot}/viber/webhook")          # or let the bot call set_webhook
        child = viber.visitor(language="ru", country="BY")
        child.opens("be-BY-school12")                  # conversation_started; the welcome is a message
        child.writes("…")  child.presses("Menu")  child.sends("picture", caption="…")
        child.blocks()  child.comes_back()             # unsubscribed, subscribed
        await child.sees()                             # see tests/fakes/messenger.py

Events are signed and posted one at a time, again until they are answered with 2xx (4xx gives up);
``viber.webhook_statuses`` are the answers. ``viber.event(body)`` posts any event, ``viber.signature(body)``
signs.

Trouble: ``viber.fail(*faults, method="send_message")``, ``viber.deliver_twice(times)``;
``viber.calls(method)`` are the bodies that the bot sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
from itertools import count
from typing import Any

from tests.fakes.messenger import FakeMessenger, FakeVisitor, Says, Seen, SeenFile, TooMany
from tests.fakes.server import Answer, Asked

#: https://developers.viber.com/docs/api/rest-bot-api/
MAX_TEXT_UNITS = 7000
MAX_BODY_BYTES = 30 * 1024
MAX_SENDER = 28
MAX_BUTTONS = 24
MAX_CAPTION = 512
MAX_FILE_NAME = 256
MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_TITLE = 250
MAX_TRACKING_DATA = 4000

#: As Telegram's: part of every file, number and place that visitors send.
MARK = "918273"

TOKEN = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"

# https://developers.viber.com/docs/tools/text-formatting/: no space within the signs, no letter behind them.
_FORMATTED = re.compile(r"(\*|_|~|```)(?=\S)(.+?)(?<=\S)\1(?!\w)", re.DOTALL)

_NOW_MS = 1_760_000_000_000

# Larger than a JavaScript number can hold, as Viber's are.
_FIRST_TOKEN = 4_912_661_846_655_238_145


class _Refused(Exception):
    """The call is answered with 200 and this status, as Viber does."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class FakeViber(FakeMessenger):
    """Viber's REST API for one bot."""

    def __init__(self, *, token: str = TOKEN) -> None:
        super().__init__()
        self.token = token
        self._visitors: dict[str, ViberVisitor] = {}
        self._tokens = count(_FIRST_TOKEN)
        self._webhook = ""
        self._events: list[tuple[dict[str, Any], ViberVisitor | None]] = []
        self._wanted: set[str] | None = None

    def visitor(self, *, language: str = "en", country: str = "BY") -> ViberVisitor:
        """Somebody new, who has not written yet."""
        visitor = ViberVisitor(self, number=len(self._visitors), language=language, country=country)
        self._visitors[visitor.address] = visitor
        return visitor

    @property
    def webhook(self) -> str:
        """Where events are posted."""
        return self._webhook

    def connect(self, url: str) -> None:
        """As if ``set_webhook`` had been called, without asking the bot."""
        self.do(lambda: self._connect(url))

    def event(self, body: dict[str, Any], *, visitor: ViberVisitor | None = None) -> str:
        """Something happened; the message token."""

        def enqueue() -> str:
            event = {"timestamp": _NOW_MS, "message_token": next(self._tokens), **body}
            self._events.append((event, visitor))
            if self._twice:
                self._twice -= 1
                self._events.append((event, visitor))
            return str(event["message_token"])

        return self.do(enqueue)

    def signature(self, body: bytes) -> str:
        """What Viber would send in ``X-Viber-Content-Signature``."""
        return hmac.new(self.token.encode(), body, hashlib.sha256).hexdigest()

    async def delivered(self) -> None:
        """Wait until our webhook has taken everything."""
        await self.server.wait(self._until(lambda: not self._events))

    def _connect(self, url: str) -> None:
        self._webhook = url
        self._pushing = asyncio.create_task(self._push(url))

    async def _push(self, url: str) -> None:
        while self._webhook == url:
            async with self._news:
                await self._news.wait_for(lambda: bool(self._events))
                event, visitor = self._events[0]
            answer = await self._call_back(url, event) if self._is_wanted(event) else {}
            async with self._news:
                del self._events[0]
                if visitor is not None and event["event"] == "conversation_started" and answer:
                    # A welcome that Viber cannot read is not shown, and nobody is told.
                    with contextlib.suppress(_Refused):
                        visitor.receives(_seen(answer))
                self._news.notify_all()

    async def _call_back(self, url: str, event: dict[str, Any]) -> dict[str, Any] | None:
        body = json.dumps(event).encode()
        headers = {"content-type": "application/json", "x-viber-content-signature": self.signature(body)}
        answer = await self._post(url, body=body, headers=headers)
        if answer is None:
            return None
        return dict(answer.json()) if answer.content else {}

    def _is_wanted(self, event: dict[str, Any]) -> bool:
        return self._wanted is None or event["event"] in self._wanted | {"message", "webhook"}

    def _read(self, asked: Asked) -> tuple[str, dict[str, Any]]:
        if asked.method == "GET":
            return asked.path, {}
        _, _, method = asked.path.rpartition("/")
        return method, json.loads(asked.body)

    async def _carry_out(self, method: str, parameters: dict[str, Any], asked: Asked) -> Answer:
        try:
            if asked.headers.get("x-viber-auth-token") != self.token:
                raise _Refused(2, "invalidAuthToken")
            if len(asked.body) > MAX_BODY_BYTES:
                raise _Refused(3, "badData")
            match method:
                case "send_message":
                    await self._send_message(parameters)
                case "set_webhook":
                    await self._set_webhook(parameters)
                case _:
                    return Answer(status=404, body={})
        except _Refused as error:
            return _error(error.status, error.words)
        return Answer(body={"status": 0, "status_message": "ok", "message_token": next(self._tokens)})

    def _refusal(self, fault: TooMany | Says) -> Answer:
        if isinstance(fault, Says):
            return _error(fault.code, fault.words)
        return _error(12, "tooManyRequests")

    async def _send_message(self, parameters: dict[str, Any]) -> None:
        visitor = self._visitors.get(parameters.get("receiver", ""))
        if visitor is None:
            raise _Refused(5, "receiverNotRegistered")
        if not visitor.is_subscribed:
            raise _Refused(6, "receiverNotSubscribed")
        message = _seen(parameters)
        async with self._news:
            visitor.receives(message)
            self._news.notify_all()

    async def _set_webhook(self, parameters: dict[str, Any]) -> None:
        url = str(parameters.get("url", ""))
        if not url.startswith(("http://", "https://")):
            raise _Refused(1, "invalidUrl")
        # Viber calls the address before it answers.
        check = {"event": "webhook", "timestamp": _NOW_MS, "message_token": next(self._tokens)}
        if await self._call_back(url, check) is None:
            raise _Refused(1, "Result: 'Failure', Status: '4xx'")
        self._wanted = set(parameters["event_types"]) if "event_types" in parameters else None
        self._connect(url)


class ViberVisitor(FakeVisitor):
    """Somebody on Viber."""

    def __init__(self, viber: FakeViber, *, number: int, language: str, country: str) -> None:
        super().__init__(viber)
        self._viber = viber
        self.address = f"0123456789{number:02}A=="
        self.person = {
            "id": self.address,
            "name": "Mia",
            "avatar": "https://avatar.example/mia",
            "language": language,
            "country": country,
            "api_version": 10,
        }
        self.is_subscribed = False
        self._tracking_data: str | None = None

    def opens(self, context: str = "") -> str:
        """Open the conversation, perhaps behind a link; the message token, as of all that follows."""
        body = {
            "event": "conversation_started",
            "type": "open",
            "user": self.person,
            "subscribed": self.is_subscribed,
        }
        return self._viber.event(body | ({"context": context} if context else {}), visitor=self)

    def writes(self, text: str) -> str:
        """Send a text; the first one subscribes."""
        return self._sends({"type": "text", "text": text})

    def presses(self, title: str) -> str:
        """Press the newest button with this title: a text comes back that holds what the button carries."""
        return self.writes(self._button(title)[1])

    def sends(self, kind: str, *, caption: str = "") -> str:
        """Send a picture, video, file, sticker, contact, url or location."""
        content: dict[str, Any] = {"type": kind}
        match kind:
            case "location":
                content["location"] = {"lat": 53.918273, "lon": 27.918273}
            case "contact":
                content["contact"] = {"name": "Somebody", "phone_number": f"+375290{MARK}"}
            case "sticker":
                content["sticker_id"] = 46105
            case "url":
                content["media"] = "https://media.example/1"
            case _:
                content["media"] = f"{self._viber.url}/media/{MARK}"
        return self._sends(content | ({"text": caption} if caption else {}))

    def sends_photo(self, caption: str = "") -> str:
        """Send a picture."""
        return self.sends("picture", caption=caption)

    def blocks(self) -> str:
        """Unsubscribe."""
        self.is_subscribed = False
        return self._viber.event({"event": "unsubscribed", "user_id": self.address})

    def comes_back(self) -> str:
        """Subscribe again."""
        self.is_subscribed = True
        return self._viber.event({"event": "subscribed", "user": self.person})

    def receives(self, message: Seen) -> None:
        """A message of the bot arrived (called by the server)."""
        self._seen.append(message)
        self._tracking_data = message.raw.get("tracking_data")

    def _sends(self, content: dict[str, Any]) -> str:
        self.is_subscribed = True
        if self._tracking_data is not None:
            content = content | {"tracking_data": self._tracking_data}
        return self._viber.event({"event": "message", "sender": self.person, "message": content})


def _error(status: int, words: str) -> Answer:
    return Answer(body={"status": status, "status_message": words})


def _seen(message: dict[str, Any]) -> Seen:
    """The message as it is shown; refuses what Viber would."""
    text = message.get("text", "")
    sender = message.get("sender", {}).get("name", "")
    file = _file(message) if message.get("type") in ("file", "picture") else None
    if file is None and (message.get("type") != "text" or not isinstance(text, str) or not text.strip()):
        raise _Refused(4, "missingData")
    if len(text.encode("utf-16-le")) // 2 > MAX_TEXT_UNITS or not 1 <= len(sender) <= MAX_SENDER:
        raise _Refused(3, "badData")
    if len(message.get("tracking_data") or "") > MAX_TRACKING_DATA:
        raise _Refused(3, "badData")
    buttons = _buttons(message.get("keyboard"))
    return Seen(
        text=_FORMATTED.sub(r"\2", text),
        bold=tuple(words for sign, words in _FORMATTED.findall(text) if sign == "*"),
        rows=_rows(buttons),
        payloads={button["Text"]: button["ActionBody"] for button in buttons},
        file=file,
        raw=message,
    )


def _file(message: dict[str, Any]) -> SeenFile:
    """The file that a phone would fetch: https://developers.viber.com/docs/api/rest-bot-api/#file-message"""
    address = str(message.get("media", ""))
    if not address.startswith(("http://", "https://")):
        raise _Refused(3, "badData")
    ending = address.rpartition(".")[2].lower()
    if message["type"] == "picture":
        if ending not in ("jpeg", "jpg", "png", "gif") or len(message["text"]) > MAX_CAPTION:
            raise _Refused(3, "badData")
        return SeenFile(name=address.rpartition("/")[2], address=address, is_picture=True)
    name, size = str(message.get("file_name", "")), message.get("size")
    if not isinstance(size, int) or not 0 < size <= MAX_FILE_BYTES or not 0 < len(name) <= MAX_FILE_NAME:
        raise _Refused(3, "badData")
    return SeenFile(name=name, address=address)


def _buttons(keyboard: Any) -> list[dict[str, Any]]:
    if keyboard is None:
        return []
    buttons = keyboard.get("Buttons", [])
    if keyboard.get("Type") != "keyboard" or not 1 <= len(buttons) <= MAX_BUTTONS:
        raise _Refused(3, "badData")
    for button in buttons:
        sized = 1 <= button.get("Columns", 6) <= 6 and 1 <= button.get("Rows", 1) <= 2
        worded = 1 <= len(button.get("Text", "")) <= MAX_TITLE and bool(button.get("ActionBody"))
        if not sized or not worded or button.get("ActionType") != "reply":
            raise _Refused(3, "badData")
    return list(buttons)


def _rows(buttons: list[dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
    rows: list[list[str]] = []
    room = 0
    for button in buttons:
        width = button.get("Columns", 6)
        if width > room:
            rows.append([])
            room = 6
        rows[-1].append(button["Text"])
        room -= width
    return tuple(tuple(row) for row in rows)
