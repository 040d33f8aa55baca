"""Who is told, at once, that something changed: open pages listen here, and PostgreSQL rings the bell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from referral.database import LIVELY

log = structlog.get_logger(__name__)

_CHANNEL = "referral_changes"
#: How long to wait before the database is tried again.
_RECONNECT_SECONDS = 0.5
#: How often a silent connection is asked whether it still lives.
_CHECK_SECONDS = 15

#: Something about who waits has changed.
QUEUE = "queue"


def case_topic(case: UUID) -> str:
    """Something in this thread, or about this case, has changed."""
    return f"case:{case}"


def operator_topic(operator: UUID) -> str:
    """Something among the cases of this operator has changed."""
    return f"operator:{operator}"


async def ring(session: AsyncSession, *topics: str) -> None:
    """Wake whoever listens to these topics, in every process, once the transaction holds."""
    await session.execute(
        text("SELECT pg_notify(:channel, topic) FROM unnest(CAST(:topics AS text[])) AS topic"),
        {"channel": _CHANNEL, "topics": list(topics)},
    )


class Subscription:
    """Remembers which topics rang until somebody asks."""

    def __init__(self) -> None:
        self._rang = asyncio.Event()
        self._topics: set[str] = set()

    def ring(self, topic: str) -> None:
        """Make the next ``heard`` return at once."""
        self._topics.add(topic)
        self._rang.set()

    async def heard(self, *, within: float) -> frozenset[str]:
        """Wait until a topic rings, at most this many seconds; which ones did, none if none."""
        try:
            async with asyncio.timeout(within):
                await self._rang.wait()
        except TimeoutError:
            return frozenset()
        self._rang.clear()
        topics, self._topics = frozenset(self._topics), set()
        return topics


class Changes:
    """One listening connection for all pages of this process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._subscriptions: dict[str, set[Subscription]] = {}
        #: How often the queue has rung: whoever has read it since then knows it.
        self.queue_rung = 0
        self.listening = False

    @contextmanager
    def subscribe(self, *topics: str) -> Iterator[Subscription]:
        """Hear these topics while the block runs."""
        subscription = Subscription()
        for topic in topics:
            self._subscriptions.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                hearers = self._subscriptions[topic]
                hearers.discard(subscription)
                if not hearers:
                    del self._subscriptions[topic]

    async def listen(self) -> None:
        """Listen until cancelled, through every outage of the database."""
        while True:
            try:
                await self._listen_once()
            except psycopg.OperationalError:
                log.warning("changes not heard", reason="database unreachable")
            self.listening = False
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, **LIVELY) as connection:
            await connection.execute(f"LISTEN {_CHANNEL}")
            self.listening = True
            # What rang while nobody listened is lost, so everybody looks once.
            self._ring_all()
            while True:
                async for notice in connection.notifies(timeout=_CHECK_SECONDS):
                    self._ring(notice.payload)
                await connection.execute("SELECT 1")

    def _ring_all(self) -> None:
        for topic in {QUEUE, *self._subscriptions}:
            self._ring(topic)

    def _ring(self, topic: str) -> None:
        if topic == QUEUE:
            self.queue_rung += 1
        for subscription in self._subscriptions.get(topic, ()):
            subscription.ring(topic)
