"""What a crash left behind: jobs of dead workers, and messages that no job will answer."""

from __future__ import annotations

import structlog
from procrastinate import App
from procrastinate.jobs import Status
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store import wake_delivery, wake_drain

log = structlog.get_logger()

#: A worker that has not said for so long that it lives is dead; it says so every second.
STALLED_AFTER_SECONDS = 5.0

# Any number, as long as nothing else in this database uses it.
_ONE_SWEEPER = text("SELECT pg_try_advisory_xact_lock(7206210022)")

_STRANDED_MESSAGES = text("""
SELECT DISTINCT conversation_id FROM inbox AS i
WHERE done_at IS NULL AND parked IS NULL AND conversation_id IS NOT NULL
  AND received_at < now() - interval '2 seconds'
  AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.lock = 'inbox:' || i.conversation_id
                  AND j.status IN ('todo', 'doing'))
LIMIT 500
""")

_STRANDED_DELIVERIES = text("""
SELECT DISTINCT o.conversation_id, o.lane FROM outbox AS o JOIN conversation AS c ON c.id = o.conversation_id
WHERE o.done_at IS NULL AND o.next_at <= now() AND (c.channel <> 'web' OR o.lane <> 'channel')
  AND (o.attempts > 0 OR o.created_at < now() - interval '2 seconds')
  AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.lock = o.lane || ':' || o.conversation_id
                  AND j.status IN ('todo', 'doing'))
LIMIT 500
""")


async def sweep(app: App, engine: AsyncEngine) -> None:
    """Put everything that stands still back on its way; run it every second, in any number of workers."""
    await _release_stalled(app)
    async with engine.begin() as connection:
        if not await connection.scalar(_ONE_SWEEPER):
            return
        for row in await connection.execute(_STRANDED_MESSAGES):
            await wake_drain(connection, row.conversation_id)
        for row in await connection.execute(_STRANDED_DELIVERIES):
            await wake_delivery(connection, row.conversation_id, lane=row.lane)


async def _release_stalled(app: App) -> None:
    jobs = app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
        log.warning("a job of a dead worker was released", task=job.task_name)
        if job.queueing_lock is None:
            await jobs.retry_job(job)
        else:
            # A sibling may wait under the same queueing lock, and then a retry is refused. What this job left
            # undone is found by the searches above.
            await jobs.finish_job(job, status=Status.FAILED, delete_job=True)
