"""How does a visitor fetch a document by its link, and what does a stranger get there?"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.responses import PlainTextResponse, Response

from bot.documents.orders import NotMade, Order, Press
from bot.store import DATABASE_DOWN, Fetched, Store
from bot.webchat.page import preferred
from bot.webchat.words import WORDS

#: A link ends after this time; whoever wants the document again asks for it again.
LIVES_FOR = timedelta(days=7)

#: One conversation's documents are made so often within this time; a phone and a messenger fetch some twice.
MOST_FETCHED = 20
FETCHED_WITHIN = timedelta(minutes=10)
#: So many conversations are remembered for it.
_REMEMBERED = 10_000

_AGAIN_SECONDS = 10

_MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png"}

# A token as ``secrets.token_urlsafe`` makes it, perhaps with the file's ending.
_NAME = re.compile(r"([A-Za-z0-9_-]{32})(?:\.(pdf|png))?")

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


@dataclass(slots=True, kw_only=True)
class Allowance:
    """Counts what each conversation took lately."""

    most: int = MOST_FETCHED
    within: timedelta = FETCHED_WITHIN
    now: Callable[[], float] = monotonic
    _taken: OrderedDict[UUID, deque[float]] = field(default_factory=OrderedDict)

    def take(self, conversation: UUID) -> bool:
        """Whether it may take one more; then it has."""
        now = self.now()
        taken = self._taken.setdefault(conversation, deque())
        self._taken.move_to_end(conversation)
        if len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)
        while taken and taken[0] <= now - self.within.total_seconds():
            taken.popleft()
        if len(taken) >= self.most:
            return False
        taken.append(now)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The links of one process."""

    store: Store
    press: Press
    locale: str
    allowance: Allowance = field(default_factory=Allowance)

    def router(self) -> APIRouter:
        """``GET /documents/<token>``."""
        routes = APIRouter(include_in_schema=False)  # For browsers.

        @routes.api_route("/documents/{name}", methods=["GET", "HEAD"])
        async def document(name: str, accept_language: str = Header(default="")) -> Response:
            return await self._answer(name, locale=preferred(accept_language, otherwise=self.locale))

        return routes

    async def _answer(self, name: str, *, locale: str) -> Response:
        try:
            found = await self._find(name)
        except DATABASE_DOWN:
            return _sorry(503, WORDS[locale].document_later)
        if found is None:
            return _sorry(404, WORDS[locale].document_gone)
        order = Order.of(found.payload)
        later = WORDS[order.locale if order.locale in WORDS else locale].document_later
        if not self.allowance.take(found.conversation):
            return _sorry(429, later)
        try:
            content = await self.press.file(order)
        except NotMade:
            return _sorry(503, later)
        return Response(
            content,
            media_type=_MEDIA_TYPES[order.form],
            headers=_HEADERS | {"content-disposition": f'attachment; filename="{order.name}"'},
        )

    async def _find(self, name: str) -> Fetched | None:
        asked = _NAME.fullmatch(name)
        found = await self.store.fetched(asked[1], within=LIVES_FOR) if asked else None
        wrong = found is not None and asked is not None and asked[2] not in (None, found.payload["form"])
        return None if wrong else found


def _sorry(status: int, words: str) -> Response:
    again = {} if status == 404 else {"retry-after": str(_AGAIN_SECONDS)}
    return PlainTextResponse(words + "\n", status_code=status, headers=_HEADERS | again)
