"""How visitors on Viber reach us and we reach them, through Viber's REST API."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import html
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bot.channels import greeting
from bot.channels.origin import Origin, link_of
from bot.channels.presentation import Progress, columns_of, parts_of, words_of
from bot.channels.reading import Unreadable, read_object, refusal
from bot.channels.tls import trusted
from bot.channels.viber_events import BEGIN, MARK, Callback, incoming_of, origin_of, read_callback
from bot.channels.viber_text import as_typed, marked
from bot.messages import (
    Accept,
    AddressGone,
    Button,
    DeliveryFailed,
    File,
    InboxDown,
    Outgoing,
    Refused,
    Saw,
    TryAgain,
)
from bot.metrics import PLATFORM_BUSY

log = structlog.get_logger()

#: https://developers.viber.com/docs/api/rest-bot-api/#text-message. A Bangla letter takes three bytes,
#: so that a text of this length and eight buttons stay below the 30 kB that a request may have.
MAX_TEXT = 7000

#: The least that phones and desktops show of a picture's description.
MAX_CAPTION = 120

#: What the phone must understand; older ones cannot hide what a pressed button carries.
MIN_API_VERSION = 7

#: At most 28 characters.
SENDER = "Porchlight"

#: How long we wait for an answer.
TIMEOUT = timedelta(seconds=15)

#: Viber does not say for how long it is busy.
BUSY = timedelta(seconds=10)

#: A keyboard is a grid of six columns: https://developers.viber.com/docs/tools/keyboards/
_GRID = 6

#: ``message`` always comes. Names and pictures of visitors are not asked for.
_EVENTS = ("conversation_started", "subscribed", "unsubscribed", "failed", "seen")

# https://developers.viber.com/docs/api/rest-bot-api/#error-codes
_STATUS = {
    1: "invalidUrl",
    2: "invalidAuthToken",
    3: "badData",
    4: "missingData",
    5: "receiverNotRegistered",
    6: "receiverNotSubscribed",
    7: "publicAccountBlocked",
    8: "publicAccountNotFound",
    9: "publicAccountSuspended",
    10: "webhookNotSet",
    11: "receiverNoSuitableDevice",
    12: "tooManyRequests",
    13: "apiVersionNotSupported",
    14: "incompatibleWithVersion",
    15: "publicAccountNotAuthorized",
    16: "inchatReplyMessageNotAllowed",
    17: "publicAccountIsNotInline",
    18: "noPublicChat",
    19: "cannotSendBroadcast",
    20: "broadcastNotAllowed",
    21: "unsupportedCountry",
    22: "paymentUnsupported",
    23: "freeMessagesExceeded",
    24: "noBalance",
}
_INVALID_TOKEN = 2
_GONE = (5, 6)
_BUSY = 12
# The account, not this message, is in order or not: once the administrator has acted it can be delivered.
_FOR_THE_ADMINISTRATOR = (1, 2, 7, 8, 9, 10, 15, 23, 24)


class ViberChannel:
    """One bot on Viber."""

    name = "viber"
    fetches_files = True

    def __init__(
        self,
        token: str,
        *,
        api_url: str = "https://chatapi.viber.com",
        timeout: timedelta = TIMEOUT,
    ) -> None:
        self._token = token.encode()
        self._timeout = timeout.total_seconds()
        self._http = httpx.AsyncClient(
            base_url=api_url,
            headers={"X-Viber-Auth-Token": token},
            timeout=timeout.total_seconds(),
            verify=trusted(),
        )
        self._progress = Progress()

    async def send(self, address: str, message: Outgoing) -> None:
        """Deliver a message, in parts if it is long; raises ``TryAgain``, ``AddressGone`` or ``Refused``."""
        parts = parts_of(marked(words_of(message)), limit=MAX_TEXT)
        for place in range(self._progress.of(message.number), len(parts)):
            last = place == len(parts) - 1
            text = "".join(run.text for run in parts[place])
            body = _message(text, choices=message.choices if last else ())
            try:
                await self._call("send_message", body | {"receiver": address})
            except TryAgain:
                raise
            except DeliveryFailed:
                self._progress.done(message.number)
                raise
            self._progress.sent(message.number)
        self._progress.done(message.number)

    async def hand(self, address: str, file: File) -> None:
        """Deliver a document that phones fetch from its link; raises as ``send`` does."""
        body = _picture(file) if file.is_picture else _file(file)
        await self._call("send_message", body | {"receiver": address})

    async def typing(self, address: str) -> None:
        """Nothing: Viber has no way to show it."""

    async def set_webhook(self, url: str) -> None:
        """Have events posted to this address; raises ``TryAgain`` or ``Refused``.

        Viber calls the address before it answers, so the web process must be serving already.
        """
        body = {"url": url, "event_types": list(_EVENTS), "send_name": False, "send_photo": False}
        await self._call("set_webhook", body)

    def router(self, accept: Accept, *, saw: Saw) -> APIRouter:
        """``POST /viber/webhook``; ``saw`` hears who has a message of ours before their eyes."""
        router = APIRouter()

        @router.post("/viber/webhook")
        async def webhook(request: Request) -> JSONResponse:
            body = await request.body()
            if not self._signed(body, request.headers.get("x-viber-content-signature", "")):
                return refusal(
                    401,
                    error="wrong_signature",
                    detail="X-Viber-Content-Signature is not the signature of this body.",
                )
            try:
                callback = read_callback(read_object(body))
                if callback.event == "seen" and callback.user_id:
                    await saw(callback.user_id)
                return JSONResponse(await self._take(callback, accept))
            except Unreadable:
                return refusal(400, error="unreadable", detail="This is not a callback of Viber.")
            except InboxDown:
                return refusal(503, error="inbox_down", detail="It could not be stored. Send it again.")

        return router

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def _signed(self, body: bytes, signature: str) -> bool:
        # There is no time in it: a replayed callback is dropped by its message token, like a redelivered one.
        expected = hmac.new(self._token, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "replace"))

    async def _take(self, callback: Callback, accept: Accept) -> dict[str, Any]:
        """Hand over what happened; what the response says to the visitor."""
        if callback.event == "failed":
            log.warning("a message failed on a visitor's phone", channel=self.name)
        for incoming in incoming_of(callback):
            await accept(incoming)
        # Viber lets a bot write only to subscribers, and one subscribes by sending a message. Until then a
        # bot may say one thing: the response to this event. Hence a welcome of the channel's own and nothing
        # in the inbox; the visitor's link waits in the tracking data and comes with their first message.
        if callback.event == "conversation_started" and not callback.subscribed:
            return _welcome(origin_of(callback))
        return {}

    async def _call(self, method: str, body: Mapping[str, Any]) -> None:
        try:
            # An answer that comes a byte a second never meets the limit for each step.
            async with asyncio.timeout(2 * self._timeout):
                answer = await self._http.post(f"/pa/{method}", json=body)
        except (httpx.HTTPError, TimeoutError) as error:
            raise TryAgain from error
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise _failure(_BUSY)
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise _failure(_INVALID_TOKEN)
        if answer.is_client_error:
            raise Refused(f"HTTP {answer.status_code}")
        if not answer.is_success:
            raise TryAgain
        try:
            status = answer.json()["status"]
        except (ValueError, KeyError, TypeError) as error:
            raise TryAgain from error
        if status != 0:
            raise _failure(status)


def _failure(status: object) -> DeliveryFailed:
    name = _STATUS.get(status, "unknown") if isinstance(status, int) else "unknown"
    if status in _GONE:
        return AddressGone()
    if status == _BUSY:
        PLATFORM_BUSY.labels(channel=ViberChannel.name).inc()
        return TryAgain(BUSY)
    if status in _FOR_THE_ADMINISTRATOR:
        log.error("Viber refuses this bot: check PORCHLIGHT_VIBER_TOKEN and the account", status=name)
        return TryAgain()
    return Refused(name)


def _file(file: File) -> dict[str, Any]:
    return _body("file", media=file.link, size=len(file.content), file_name=file.name)


def _picture(file: File) -> dict[str, Any]:
    return _body("picture", media=file.link, text=as_typed(file.title)[:MAX_CAPTION])


def _body(kind: str, **content: object) -> dict[str, Any]:
    return {"type": kind, "sender": {"name": SENDER}, "min_api_version": MIN_API_VERSION, **content}


def _message(text: str, *, choices: Sequence[Button]) -> dict[str, Any]:
    body = _body("text", text=text)
    if choices:
        width = _GRID // columns_of(choices)
        body["keyboard"] = _keyboard([_button(choice, width=width) for choice in choices])
    return body


def _welcome(origin: Origin) -> dict[str, Any]:
    locale = origin.locale or "en"
    begin = Button(title=greeting.BEGIN[locale], payload="")
    return _message(greeting.WELCOME[locale], choices=()) | {
        "keyboard": _keyboard([_button(begin, width=_GRID) | {"ActionBody": BEGIN}]),
        "tracking_data": link_of(origin),
    }


def _keyboard(buttons: list[dict[str, Any]]) -> dict[str, Any]:
    # As low as possible, and with the input field: writing in one's own words must stay the first choice.
    return {"Type": "keyboard", "DefaultHeight": False, "InputFieldState": "regular", "Buttons": buttons}


def _button(choice: Button, *, width: int) -> dict[str, Any]:
    return {
        "Columns": width,
        "Rows": 1,
        "ActionType": "reply",
        "ActionBody": f"{MARK}{choice.payload}",
        # Viber reads tags in it.
        "Text": html.escape(choice.title, quote=False),
        "TextSize": "regular",
        # Else the payload would stand in the chat as if the visitor had written it.
        "Silent": True,
    }
