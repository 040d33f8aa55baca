"""The web chat's HTTP interface: begin a conversation, send into it, listen to it."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse

from bot.config import LOCALES
from bot.documents.orders import Order
from bot.first_aid import FirstAid, Reception
from bot.messages import MAX_TEXT, InboxDown, Incoming, IncomingKind, MediaKind, Outgoing, clean
from bot.presence import Presence
from bot.privacy import Privacy
from bot.store import DATABASE_DOWN, Store
from bot.webchat.hub import Hub

#: A page that hears nothing for so long takes the connection for dead.
PING_SECONDS = 15

#: Also without a notice a page's messages are looked for this often.
LOOK_SECONDS = 10.0

_BATCH = 100

# As long as the database's numbers may be.
_NUMBER = re.compile("[0-9]{1,18}")

Locale = Annotated[str, Field(pattern=f"^({'|'.join(LOCALES)})$")]


class Beginning(BaseModel):
    """What a page may tell when it begins."""

    model_config = ConfigDict(extra="forbid")

    locale: Locale | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    campaign: Annotated[str, Field(pattern="^[A-Za-z0-9_]{1,32}$")] | None = None


class Sent(BaseModel):
    """One thing that a visitor did on the page; ``id`` is made by the page, and a repeat of it is dropped."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    number: Annotated[str, Field(alias="id", min_length=1, max_length=64)]
    text: Annotated[str, Field(max_length=MAX_TEXT)] | None = None
    payload: Annotated[str, Field(max_length=64)] | None = None
    media: MediaKind | None = None


class Seen(BaseModel):
    """What a page tells while a person answers: that its visitor writes, or sees what was written."""

    model_config = ConfigDict(extra="forbid")

    writes: bool = False
    saw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A web conversation as its token tells it."""

    address: str
    locale: str | None
    country: str | None

    def claim(self) -> str:
        """What the token says."""
        return f"{self.address}:{self.locale or ''}:{self.country or ''}"

    @classmethod
    def of(cls, claim: str) -> Page:
        """Read what ``claim`` wrote."""
        address, locale, country = claim.split(":")
        return cls(address=address, locale=locale or None, country=country or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebChat:
    """The web chat of one process."""

    privacy: Privacy
    store: Store
    reception: Reception
    first_aid: FirstAid
    hub: Hub
    presence: Presence

    def router(self) -> APIRouter:
        """The routes under ``/chat/v1``."""
        router = APIRouter(prefix="/chat/v1")
        page = Depends(self._page)

        @router.post("/conversations", status_code=201)
        async def begin(beginning: Beginning) -> Any:
            return await self._begin(beginning)

        @router.post("/messages", status_code=202)
        async def send(sent: Sent, page: Page = page) -> Any:
            return await self._send(page, sent)

        @router.post("/presence", status_code=204)
        async def seen(seen: Seen, page: Page = page) -> None:
            await self.presence.hint("web", page.address, writes=seen.writes, saw=seen.saw)

        @router.get("/events")
        async def events(
            page: Page = page, last_event_id: Annotated[str | None, Header()] = None
        ) -> EventSourceResponse:
            last = int(last_event_id) if last_event_id and _NUMBER.fullmatch(last_event_id) else 0
            return EventSourceResponse(self._events(page, last=last), ping=PING_SECONDS)

        return router

    # Not a plain function: those are sent to another thread, which costs more than the check.
    async def _page(
        self,
        request: Request,
        token: Annotated[str | None, Query(max_length=512)] = None,
    ) -> Page:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        claim = self.privacy.claim(bearer if scheme.lower() == "bearer" else token or "")
        if claim is None:
            raise HTTPException(401, {"error": "bad_token", "detail": "Begin a conversation to get a token."})
        return Page.of(claim)

    async def _begin(self, beginning: Beginning) -> Any:
        page = Page(address=secrets.token_urlsafe(18), locale=beginning.locale, country=beginning.country)
        started = Incoming(
            channel="web",
            address=page.address,
            update=f"{page.address} start",
            kind=IncomingKind.STARTED,
            locale=beginning.locale,
            country=beginning.country,
            campaign=beginning.campaign,
        )
        answer = {
            "conversation": str(self.privacy.conversation("web", page.address)),
            "token": self.privacy.token(page.claim()),
        }
        try:
            await self.reception.accept(started)
        except InboxDown:
            return self._out_of_order(page, "", extra=answer)
        return answer

    async def _send(self, page: Page, sent: Sent) -> Any:
        incoming = _incoming(page, sent)
        try:
            await self.reception.accept(incoming)
        except InboxDown:
            return self._out_of_order(page, sent.text or "", extra={})
        return {"id": sent.number}

    def _out_of_order(self, page: Page, text: str, *, extra: dict[str, str]) -> JSONResponse:
        answer = self.first_aid.answer(text, channel="web", locale=page.locale, country=page.country)
        body = {
            "error": "out_of_order",
            "detail": "The message could not be stored. Send it again.",
            "messages": [_message(answer)],
        }
        return JSONResponse(body | extra, status_code=503, headers={"retry-after": "5"})

    async def _events(self, page: Page, *, last: int) -> AsyncIterator[dict[str, str]]:
        conversation = self.privacy.conversation("web", page.address)
        with self.hub.page(conversation) as news:
            while True:
                news.clear()
                for number, message in await self._new(conversation, last):
                    last = number
                    yield {"id": str(number), "event": "message", "data": message}
                if news.writing:
                    news.writing = False
                    yield {"event": "writing", "data": "{}"}
                try:
                    await asyncio.wait_for(news.wait(), LOOK_SECONDS)
                except TimeoutError:
                    continue

    async def _new(self, conversation: UUID, last: int) -> list[tuple[int, str]]:
        try:
            said = await self.store.said_after(conversation, number=last, most=_BATCH)
        except DATABASE_DOWN:
            return []  # The page stays connected and looks again; what it sends meanwhile gets first aid.
        return [(number, json.dumps(_heard(number, words), ensure_ascii=False)) for number, words in said]


def _heard(number: int, said: dict[str, Any]) -> dict[str, Any]:
    return _handed(number, said) if "document" in said else _said(number, said)


def _handed(number: int, handed: dict[str, Any]) -> dict[str, Any]:
    order = Order.of(handed)
    return {
        "id": str(number),
        "type": "message",
        "text": order.label,
        "choices": [],
        "from": "bot",
        "locale": order.locale,
        "runs": [],
        "document": {"name": order.name, "address": order.path},
    }


def _said(number: int, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(number),
        "type": "message",
        "text": said["text"],
        "choices": said["choices"],
        "from": said["sender"],
        "locale": said["locale"],
        # What was said before an update has none.
        "runs": said.get("runs", []),
    }


def _incoming(page: Page, sent: Sent) -> Incoming:
    given = [part for part in (sent.text, sent.payload, sent.media) if part is not None]
    if len(given) != 1:
        raise HTTPException(
            422, {"error": "one_thing", "detail": "Send exactly one of text, payload and media."}
        )
    kind, text = IncomingKind.MEDIA, ""
    if sent.text is not None:
        kind, text = IncomingKind.TEXT, clean(sent.text)
        if not text:
            raise HTTPException(
                422, {"error": "empty", "detail": "There is nothing to read in this message."}
            )
    elif sent.payload is not None:
        kind, text = IncomingKind.CHOICE, sent.payload
    return Incoming(
        channel="web",
        address=page.address,
        update=f"{page.address} {sent.number}",
        kind=kind,
        text=text,
        media=sent.media,
        locale=page.locale,
        country=page.country,
    )


def _message(said: Outgoing) -> dict[str, Any]:
    return {
        "type": "message",
        "text": said.text,
        "choices": [{"title": button.title, "payload": button.payload} for button in said.choices],
        "from": said.sender,
        "locale": said.locale,
        "runs": [asdict(run) for run in said.runs],
    }
