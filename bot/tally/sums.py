"""Where are the sums kept? In memory for some seconds, then added to those of the month.

Not with the turn itself: a row that is written in the transaction of a conversation could be matched with it
later, and every worker would wait for every other at the rows of the welcome. A crash loses some seconds of
counts, and no message.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import CheckConstraint, Column, Integer, Table, Text, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import Store, metadata
from bot.tally.marks import Mark, What

log = structlog.get_logger()

#: Long enough that a row cannot be matched with the turn of one visitor on a desk where others write.
EVERY_SECONDS = 30.0
#: Reports reach back so far.
KEPT_MONTHS = 37

sum_table = Table(
    "flow_sum",
    metadata,
    # ``2026-11``. Not the day: at a small helpline, one day of one language is one child.
    Column("month", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("locale", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    CheckConstraint("number > 0", name="sum_is_of_something"),
    CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month_is_month"),
)

# In one order, so that two workers never wait for each other in a circle.
_ADD = text("""
INSERT INTO flow_sum (month, what, flow, node, locale, number)
SELECT * FROM unnest(cast(:months AS text[]), cast(:whats AS text[]), cast(:flows AS text[]),
                     cast(:nodes AS text[]), cast(:locales AS text[]), cast(:numbers AS integer[]))
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (month, what, flow, node, locale) DO UPDATE SET number = flow_sum.number + excluded.number
""")

_FORGET = text("""
DELETE FROM flow_sum
WHERE month < to_char(now() - make_interval(months => :kept), 'YYYY-MM')
""")

_BETWEEN = text("""
SELECT what, flow, node, locale, sum(number)::integer AS number FROM flow_sum
WHERE month BETWEEN :first AND :last GROUP BY what, flow, node, locale ORDER BY what, flow, node, locale
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """How often something happened at a place in some months."""

    mark: Mark
    number: int


class Tally:
    """The counts of one worker."""

    def __init__(self, *, zone: ZoneInfo) -> None:
        self._zone = zone
        self._counted: Counter[tuple[str, Mark]] = Counter()

    def count(self, found: Iterable[Mark], *, at: datetime) -> None:
        """Count these, in the month in which they happened."""
        month = f"{at.astimezone(self._zone):%Y-%m}"
        self._counted.update((month, mark) for mark in found)

    async def write_down(self, store: Store) -> None:
        """Add what was counted to the sums; what cannot be added now is added next time."""
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            async with store.transaction() as connection:
                await _add(connection, counted)
        except (OSError, SQLAlchemyError) as error:
            self._counted.update(counted)
            log.warning("counts were not written down", error=type(error).__name__)

    async def keep_writing(self, store: Store) -> None:
        """Write down every half minute, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.write_down(store)


async def between(store: Store, *, first: str, last: str) -> list[Sum]:
    """The sums from one month to another, both of them included."""
    async with store.statement() as connection:
        rows = (await connection.execute(_BETWEEN, {"first": first, "last": last})).all()
    return [
        Sum(
            mark=Mark(what=What(row.what), flow=row.flow, node=row.node, locale=row.locale), number=row.number
        )
        for row in rows
    ]


async def _add(connection: AsyncConnection, counted: Counter[tuple[str, Mark]]) -> None:
    places = [*counted]
    await connection.execute(
        _ADD,
        {
            "months": [month for month, _ in places],
            "whats": [mark.what.value for _, mark in places],
            "flows": [mark.flow for _, mark in places],
            "nodes": [mark.node for _, mark in places],
            "locales": [mark.locale for _, mark in places],
            "numbers": [counted[place] for place in places],
        },
    )
    await connection.execute(_FORGET, {"kept": KEPT_MONTHS})
