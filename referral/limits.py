"""How much a request may carry: anything larger is refused before it is understood."""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from referral.errors import BodyTooLarge

MAX_BODY = 256 * 1024
#: A hand-over carries some forty messages of up to ten thousand letters, of four bytes at worst: a visitor
#: who wrote a great deal must not be refused a person for it.
MAX_API_BODY = 2 * 1024 * 1024
_API = "/v1/"
#: A file for the library of at most 5 MB, and the form around it.
MAX_UPLOAD_BODY = 5 * 1024 * 1024 + 64 * 1024
_UPLOAD = "/library"
#: So much of a refused body is read and thrown away, so that its sender gets to see the answer.
_READ_AND_DROPPED = 16 * 1024 * 1024


class BodyLimit:
    """Reads a body for the application, or answers 413 instead of it when it is over the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive, limit=_limit(scope["path"]))
        if body is None:
            await _refuse(send)
            return
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, replay, send)


def _limit(path: str) -> int:
    if path == _UPLOAD:
        return MAX_UPLOAD_BODY
    return MAX_API_BODY if path.startswith(_API) else MAX_BODY


async def _read(receive: Receive, *, limit: int) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(chunks)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        if not message.get("more_body") or size > _READ_AND_DROPPED:
            return b"".join(chunks) if size <= limit else None


async def _refuse(send: Send) -> None:
    error = BodyTooLarge()
    body = json.dumps({"error": error.slug, "detail": error.sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": error.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
