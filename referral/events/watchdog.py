"""When do deliveries stand still, and how does what stands come to an end?

The twin of the bot's watchdog, as neither service may import the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import psycopg
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker

from referral.database import LIVELY

_CHECK_SECONDS = 2.0
_CHECK_LIMIT_SECONDS = 10.0

# A job behind another one of the same lock waits rightly.
_DUE = """
SELECT EXISTS (SELECT FROM procrastinate_jobs AS job
               WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
                 AND NOT EXISTS (SELECT FROM procrastinate_jobs AS other
                                 WHERE other.lock = job.lock AND other.status = 'doing'))
"""


class QueueStands(Exception):
    """Jobs are due, and this worker neither begins nor ends one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long is too long."""

    #: The bot has 15 seconds to answer; a case with many open events takes some of them.
    job: timedelta = timedelta(minutes=2)
    #: Jobs are due for so long and none begins or ends.
    standing: timedelta = timedelta(seconds=20)


@dataclass(slots=True, kw_only=True)
class Watchdog:
    """Bounds every job of one worker, and notices when that worker stands still."""

    database_url: str
    limits: Limits = field(default_factory=Limits)
    _moved_at: float = field(default=0, init=False)
    _until: dict[asyncio.Task[Any], float] = field(default_factory=dict, init=False)

    async def bound(self, run: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker) -> Any:
        """Run a job no longer than it may take: a middleware of the worker."""
        self._begins()
        async with asyncio.timeout(self.limits.job.total_seconds()):
            return await run()

    async def watch(self) -> None:
        """Look every two seconds; raises ``QueueStands``."""
        self._moves()
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            if not await self._due():
                self._moves()
            now = asyncio.get_running_loop().time()
            standing = self.limits.standing.total_seconds()
            # A job that its limit could not end, or that cannot write down its end, holds its place for ever.
            if now - min(self._until.values(), default=now) > standing or now - self._moved_at > standing:
                raise QueueStands

    def _begins(self) -> None:
        # The task also writes down how the job ended, and holds a place among the jobs until it is done.
        job = cast("asyncio.Task[Any]", asyncio.current_task())
        self._moves()
        self._until[job] = self._moved_at + self.limits.job.total_seconds()
        job.add_done_callback(self._ends)

    def _ends(self, job: asyncio.Task[Any]) -> None:
        del self._until[job]
        self._moves()

    def _moves(self) -> None:
        self._moved_at = asyncio.get_event_loop().time()

    async def _due(self) -> bool:
        """Whether there is work for a worker; nobody can work where the database does not answer."""
        try:
            async with (
                asyncio.timeout(_CHECK_LIMIT_SECONDS),
                await psycopg.AsyncConnection.connect(
                    self.database_url, autocommit=True, **LIVELY
                ) as connection,
            ):
                found = await (await connection.execute(_DUE)).fetchone()
        except (OSError, psycopg.Error):  # A TimeoutError is an OSError.
            return False
        return bool(found and found[0])
