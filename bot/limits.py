"""How large a request may be, whatever its headers say."""

from __future__ import annotations

import contextlib
import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Telegram's and Viber's callbacks stay far below; a child's message is at most some 40 kB of UTF-8.
MAX_BODY = 256 * 1024

#: So much of a body that is too large is read and thrown away, so that its sender can read our answer.
_MAX_DROPPED = 32 * 1024 * 1024


class _BodyTooLarge(Exception):
    """The body grew past the limit while it was read."""


class BodyLimit:
    """Refuses bodies over ``MAX_BODY`` bytes with 413, before or while they are read."""

    def __init__(self, app: ASGIApp, *, most: int = MAX_BODY) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what it brings."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._most:
            await _refuse(receive, send)
            return
        received, started = 0, False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most:
                raise _BodyTooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            # FastAPI makes an unreadable body of our exception; the truth is said below.
            if started or received <= self._most:
                started = True
                await send(message)

        with contextlib.suppress(_BodyTooLarge):
            await self._app(scope, counted, watched)
        if received > self._most and not started:
            await _refuse(receive, send)


async def _refuse(receive: Receive, send: Send) -> None:
    # Who is still sending when we hang up sees a broken connection instead of the refusal.
    dropped = 0
    while dropped < _MAX_DROPPED:
        message = await receive()
        dropped += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            break
    body = json.dumps(
        {"error": "too_large", "detail": "This is more than Porchlight takes at once."}
    ).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
