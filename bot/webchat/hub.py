"""Tells open web pages that there is something new for them, as soon as the database says so."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import structlog

from bot.store import LIVELY

log = structlog.get_logger()

_AGAIN_SECONDS = 1.0
#: A connection that has heard nothing for so long is asked whether it still lives.
_QUIET_SECONDS = 20.0


class News(asyncio.Event):
    """Set whenever a page may have something to fetch."""

    #: True when the operator writes just now.
    writing = False


class Hub:
    """One LISTEN connection for all pages of this process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pages: defaultdict[UUID, set[News]] = defaultdict(set)

    @contextmanager
    def page(self, conversation: UUID) -> Iterator[News]:
        """An event that is set whenever this conversation may have new messages."""
        news = News()
        self._pages[conversation].add(news)
        try:
            yield news
        finally:
            self._pages[conversation].discard(news)
            if not self._pages[conversation]:
                del self._pages[conversation]

    async def listen(self) -> None:
        """Listen until cancelled; after a lost connection every page looks for itself once."""
        while True:
            try:
                await self._listen_once()
            except psycopg.Error as error:
                log.warning("the hub lost its connection", error=type(error).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, **LIVELY) as connection:
            await connection.execute("LISTEN webchat")
            self._wake_all()
            while True:
                async for notice in connection.notifies(timeout=_QUIET_SECONDS):
                    self._wake(notice.payload)
                await connection.execute("SELECT 1")

    def _wake(self, payload: str) -> None:
        conversation, _, what = payload.partition(" ")
        for news in self._pages.get(UUID(conversation), ()):
            news.writing = news.writing or what == "writing"
            news.set()

    def _wake_all(self) -> None:
        for pages in self._pages.values():
            for news in pages:
                news.set()
