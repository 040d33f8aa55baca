"""How pages are queued and taken out again; the only place with queries about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.rules import DangerLevel
from referral.cases.tables import Case
from referral.pager.rules import Channel
from referral.pager.tables import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPages:
    """How many pages of a channel are still to be sent, and how many of them failed before."""

    waiting: int
    failed: int


class PageRepository:
    """Pages within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, case: UUID, *, danger: DangerLevel, channels: Iterable[Channel], now: datetime
    ) -> None:
        """Page somebody on each channel, unless they were paged for this case and level before."""
        for channel in channels:
            values = {
                "number": uuid4(),
                "case_id": case,
                "danger": danger,
                "channel": channel,
                "next_try_at": now,
            }
            await self._session.execute(insert(Page).values(values).on_conflict_do_nothing())

    async def due(self, channel: Channel, *, now: datetime) -> tuple[Page, Case] | None:
        """The page to send next, which no other process is sending, locked; with its case."""
        query = (
            select(Page, Case)
            .join(Case, Case.number == Page.case_id)
            .where(Page.channel == channel, Page.next_try_at <= now, *_open())
            .order_by(Case.danger_rank.desc(), Page.next_try_at)
            .limit(1)
            .with_for_update(skip_locked=True, of=Page)
        )
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else (row[0], row[1])

    async def open_pages(self) -> Mapping[Channel, OpenPages]:
        """What is still to be sent, by channel."""
        query = (
            select(Page.channel, func.count(), func.count().filter(Page.attempts > 0))
            .where(*_open())
            .group_by(Page.channel)
        )
        return {
            Channel(channel): OpenPages(waiting=waiting, failed=failed)
            for channel, waiting, failed in (await self._session.execute(query)).all()
        }

    async def sent(self, number: UUID, *, now: datetime) -> None:
        """This page has arrived."""
        await self._change(number, sent_at=now)

    async def postpone(self, number: UUID, *, until: datetime) -> None:
        """An attempt failed."""
        await self._change(number, next_try_at=until)

    async def _change(self, number: UUID, **values: Any) -> None:
        await self._session.execute(
            update(Page)
            .where(Page.number == number, *_open())
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _open() -> tuple[Any, ...]:
    return Page.sent_at.is_(None), Page.dropped_at.is_(None)
