"""What a monitoring system may know: numbers of cases and deliveries, no words and no ids."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import QueuePool

from referral.cases.repository import CaseRepository
from referral.cases.rules import CaseState, DangerLevel
from referral.events.repository import EventRepository

#: Counted by the process in which the operator writes, whichever application of it that is.
FIRST_ANSWER = Histogram(
    "porchlight_case_first_answer_seconds",
    "From a case's arrival to the first message of a person.",
    ["danger"],
    registry=None,
    buckets=(30, 60, 120, 300, 600, 900, 1800, 3600, 4 * 3600, 24 * 3600),
)

_JOBS_WAITING = text(
    "SELECT count(*) FROM procrastinate_jobs"
    " WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())"
)


class Metrics:
    """The figures of one process; gauges are read from the database whenever somebody asks."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._open = Gauge(
            "porchlight_cases_open",
            "Cases that are not closed.",
            ["state", "danger"],
            registry=self._registry,
        )
        self._waiting = Gauge(
            "porchlight_case_waiting_seconds",
            "How long the oldest waiting case of a danger level has waited.",
            ["danger"],
            registry=self._registry,
        )
        self._overdue = Gauge(
            "porchlight_cases_overdue",
            "Cases whose visitor waits longer for an answer than they should.",
            ["danger"],
            registry=self._registry,
        )
        self._pending = Gauge(
            "porchlight_events_pending", "Events that the bot does not have yet.", registry=self._registry
        )
        self._oldest = Gauge(
            "porchlight_event_oldest_seconds", "Age of the oldest pending event.", registry=self._registry
        )
        self._deliveries = Counter(
            "porchlight_deliveries",
            "Attempts to deliver an event, by what became of them.",
            ["result"],
            registry=self._registry,
        )

        self._letters = Counter(
            "porchlight_letters",
            "Attempts to tell another system of a case, by what became of them.",
            ["result"],
            registry=self._registry,
        )

        self._jobs = Gauge(
            "porchlight_desk_jobs_waiting",
            "Jobs that are due and that nobody has taken.",
            registry=self._registry,
        )
        self._connections = Gauge(
            "porchlight_desk_database_connections_in_use",
            "Connections of this process's pool that somebody holds, this question's own among them.",
            registry=self._registry,
        )
        self._registry.register(FIRST_ANSWER)

    @property
    def registry(self) -> CollectorRegistry:
        """Where the figures are kept."""
        return self._registry

    def count_letter(self, result: str) -> None:
        """One attempt to tell another system ended as ``arrived``, ``failed``, ``unavailable`` and so on."""
        self._letters.labels(result).inc()

    def count_delivery(self, result: str) -> None:
        """One attempt to deliver ended as ``delivered``, ``failed`` or ``gone``."""
        self._deliveries.labels(result).inc()

    async def exposition(self, session: AsyncSession, *, now: datetime) -> bytes:
        """All figures in Prometheus' text format."""
        cases, events = CaseRepository(session), EventRepository(session)
        counts = await cases.open_counts()
        waiting = await cases.waiting()
        clocks = await cases.clocks(now=now)
        for danger in DangerLevel:
            for state in (CaseState.WAITING, CaseState.HELD):
                self._open.labels(state, danger).set(counts.get((state, danger), 0))
            since = waiting[danger][1] if danger in waiting else now
            self._waiting.labels(danger).set(max((now - since).total_seconds(), 0))
            self._overdue.labels(danger).set(clocks[danger].overdue if danger in clocks else 0)
        self._jobs.set(await session.scalar(_JOBS_WAITING) or 0)
        pool = session.get_bind().engine.pool
        self._connections.set(pool.checkedout() if isinstance(pool, QueuePool) else 0)
        pending, oldest = await events.pending()
        self._pending.set(pending)
        self._oldest.set(max((now - oldest).total_seconds(), 0) if oldest else 0)
        return generate_latest(self._registry)
