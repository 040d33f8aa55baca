"""When does the queue stand still, and how does what stands come to an end?

After a database was killed under load, workers were seen that neither worked nor failed: a cancellation was
lost, and whoever had told a task to end waited for ever. So nothing here is waited for without a bound.
The desk has the like for its deliveries.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import psycopg
import structlog
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker

from bot.store import LIVELY

log = structlog.get_logger()

_CHECK_SECONDS = 2.0
_CHECK_LIMIT_SECONDS = 10.0
#: A worker that is told to end gives its jobs five seconds; only then it is told again.
_GRACE_SECONDS = 10.0
_AGAIN_SECONDS = 1.0
_TOLD_AGAIN = 10
#: What sysexits.h calls an internal software error.
_EX_SOFTWARE = 70

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

    #: A turn takes milliseconds; a crowd of messages of one conversation some seconds.
    job: timedelta = timedelta(minutes=2)
    #: Retention rewrites tables.
    timer: timedelta = timedelta(minutes=30)
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
        limit = self.limits.timer if context.job.queue == "timers" else self.limits.job
        self._begins(within=limit)
        async with asyncio.timeout(limit.total_seconds()):
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

    def _begins(self, *, within: timedelta) -> None:
        # The task also writes down how the job ended, and holds a place among the jobs until it is done.
        job = cast("asyncio.Task[Any]", asyncio.current_task())
        self._moves()
        self._until[job] = self._moved_at + within.total_seconds()
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


async def until_one_ends(*works: Coroutine[Any, Any, None], grace: float = _GRACE_SECONDS) -> None:
    """Run these side by side until the first ends, then end the others; raises what that one raised.

    What has not ended ``grace`` seconds later is told again. Where one cannot be ended the process ends, and
    whoever looks after it starts it anew.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks, grace=grace)
    for task in ended:
        task.result()


async def _end(tasks: Sequence[asyncio.Task[None]], *, grace: float) -> None:
    for wait in (grace, *[_AGAIN_SECONDS] * _TOLD_AGAIN):
        for task in tasks:
            task.cancel()
        _, running = await asyncio.wait(tasks, timeout=wait)
        if not running:
            for task in tasks:
                # What is raised on the way out matters no more, and asyncio asks that somebody looks.
                if not task.cancelled():
                    task.exception()
            return
    log.critical("a part of the worker does not end, so the process does")
    os._exit(_EX_SOFTWARE)
