"""How long does a report take on a desk with 100,000 closed cases? Counts them as the page does.

``python -m bench.reports`` starts a PostgreSQL of its own, fills it with three years of invented cases, and
prints how long a month, a year and three years take, and how the database finds them.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import text

from bot.launch.postgres import EmbeddedPostgres
from referral.cases.clocks import Clocks
from referral.console.pages import Pages
from referral.database import Sessions, migrate, open_engine, sessions_of, transaction
from referral.language import Languages
from referral.operators.rules import Role
from referral.operators.tables import Operator
from referral.reports.figures import Figures
from referral.reports.period import Period, period_of
from referral.reports.routes import labels_of
from referral.reports.sheets import report_of

CASES = 100_000
ROUNDS = 7
NOW = datetime(2026, 11, 29, tzinfo=UTC)
PERIODS = (("2026-11", "2026-11"), ("2025-12", "2026-11"), ("2023-12", "2026-11"))

#: Cases as an evening has more of than a morning, with a card as long as most are.
_FILL = text("""
INSERT INTO "case" (id, designation, state, danger, conversation, channel, locale, country, role, reason,
                    card, opened_at, received_at, closer_id, closed_at, outcome, code, answered_at, occurred,
                    online_harm, counselled, actions)
SELECT gen_random_uuid(), 'invented', 'closed',
       (ARRAY['none','concern','concern','concern','urgent','urgent','emergency'])[1 + i % 7],
       md5(i::text), (ARRAY['telegram','telegram','viber','web'])[1 + i % 4],
       (ARRAY['ru','ru','ru','be','bn','bn','en'])[1 + i % 7], (ARRAY['BY','BD'])[1 + i % 2],
       (ARRAY['child','teen','teen','parent','teacher'])[1 + i % 5],
       (ARRAY['insults','insults','exclusion','rumours','threats','blackmail','grooming','wants_person'])
           [1 + (i / 3) % 8],
       decode(repeat(md5(i::text) || md5((i + 1)::text), 20), 'hex'),
       at, at, :closer, at + interval '40 minutes',
       (ARRAY['advice_given','advice_given','advice_given','school','law_enforcement','visitor_silent'])
           [1 + (i / 5) % 6],
       (ARRAY['violence.cyberbullying','violence.cyberbullying','violence.bullying','mental_health.mood',
              'violence.online_sexual_abuse','non_counselling.silent'])[1 + (i / 7) % 6],
       CASE WHEN i % 19 > 0 THEN at + make_interval(secs => 20 + (i * 7919) % 3600) END,
       (ARRAY['online','online','both'])[1 + i % 3], (ARRAY['threats','exclusion','rumours'])[1 + i % 3],
       i % 11 > 0, ARRAY['resources']
FROM (SELECT i, date_trunc('day', cast(:now AS timestamptz)) - make_interval(days => (i * 7907) % 1080)
             + make_interval(hours => 8 + ((i * 31) % 12 + (i * 17) % 5), mins => i % 60) AS at
      FROM generate_series(1, :cases) AS i) AS invented
""")


#: What reads most rows, for the way in which the database finds them.
_COUNTED = """
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY ON)
SELECT danger, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY answered_at - received_at)
FROM "case" WHERE received_at >= :begin AND received_at < :end GROUP BY danger
"""


async def fill(sessions: Sessions, *, cases: int) -> None:
    """Invent so many closed cases of the last three years."""
    closer = uuid4()
    async with transaction(sessions) as session:
        session.add(Operator(number=closer, name=f"invented{closer.hex[:8]}", role=Role.OPERATOR))
        await session.flush()
        await session.execute(_FILL, {"now": NOW, "cases": cases, "closer": closer})
        await session.execute(text("ANALYZE"))


async def _seconds(sessions: Sessions, period: Period) -> list[float]:
    labels, took = labels_of(Pages(Languages())), []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        async with transaction(sessions) as session:
            figures = Figures(session, period=period)
            report = await report_of(figures, period=period, clocks=Clocks(), labels=labels)
        took.append(time.perf_counter() - began)
        assert report.total, "these months have cases"  # noqa: S101 - what was measured was a report.
    return took


async def _measure(url: str) -> None:
    engine = open_engine(url)
    sessions = sessions_of(engine)
    await fill(sessions, cases=CASES)
    for first, last in PERIODS:
        period = period_of(first, last, zone=ZoneInfo("Europe/Minsk"), now=NOW)
        took = await _seconds(sessions, period)
        print(  # noqa: T201 - a script that prints.
            f"{first} to {last}: half of {ROUNDS} within {statistics.median(took) * 1000:.0f} ms,"
            f" all within {max(took) * 1000:.0f} ms"
        )
        async with transaction(sessions) as session:
            plan = await session.scalars(text(_COUNTED), {"begin": period.begins_at, "end": period.ends_at})
            print("\n".join(f"    {line}" for line in plan))  # noqa: T201
    await engine.dispose()


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="porchlight-bench-") as folder:
        os.chmod(folder, 0o711)  # noqa: S103 - as root, the server runs as another account.
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            migrate(server.url("postgres"))
            asyncio.run(_measure(server.url("postgres")))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
