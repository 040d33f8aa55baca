"""How an open page stays true: the parts of it that changed are sent as soon as they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from sse_starlette import EventSourceResponse, ServerSentEvent

from referral.cases.desk import Desk
from referral.cases.repository import CaseRepository
from referral.cases.rules import CaseState
from referral.cases.tables import rehearse
from referral.changes import QUEUE, Subscription, case_topic, operator_topic
from referral.console.door import SignedInOperator, access_of, cookie_of
from referral.console.pages import fragment
from referral.console.views import Views
from referral.database import transaction
from referral.errors import SignInNeeded
from referral.language import reader
from referral.operators.access import SignedIn
from referral.services import Services, ServicesIn, TransactionIn

#: A page looks this often even if nothing rings, to notice that its session is over.
_LOOK_EVERY = timedelta(seconds=15)
#: A busy thread is sent in bundles rather than word by word.
_PAUSE_SECONDS = 0.05
#: How long a browser waits before it connects again.
_RECONNECT_MILLISECONDS = 1000

router = APIRouter()

# The first look at who is asking is a request like any other; its database connection is given back before
# the stream begins, since a page may stay open for hours.


@router.get("/stream")
async def desk_stream(
    request: Request, services: ServicesIn, operator: SignedInOperator
) -> EventSourceResponse:
    """Who waits, and my open cases."""
    page = _OpenPage(services, cookie=cookie_of(request, services))
    topics = (QUEUE, operator_topic(operator.operator))
    return _response(page.follow(services.changes.subscribe(*topics)))


@router.get("/cases/{number}/stream")
async def case_stream(
    number: UUID,
    request: Request,
    services: ServicesIn,
    operator: SignedInOperator,
    session: TransactionIn,
    since: int = 0,
    after: int = 0,
) -> EventSourceResponse:
    """Who waits, and everything that happens in one case."""
    desk = Desk(session, operator=operator.operator, privacy=services.privacy, now=services.clock())
    await desk.follow(number)
    last = request.headers.get("last-event-id", "")
    page = _OpenCase(
        services,
        cookie=cookie_of(request, services),
        number=number,
        since=since,
        after=int(last) if last.isdecimal() else after,
    )
    topics = (QUEUE, case_topic(number), operator_topic(operator.operator))
    return _response(page.follow(services.changes.subscribe(*topics)))


class _OpenPage:
    """A page in somebody's browser, and what it shows at this moment."""

    def __init__(self, services: Services, *, cookie: str | None) -> None:
        self.services = services
        self._cookie = cookie
        self._shown: dict[str, str] = {}
        self._operator: SignedIn | None = None
        self._looked_at: datetime | None = None
        self.over = False

    async def follow(
        self, subscription: AbstractContextManager[Subscription]
    ) -> AsyncIterator[ServerSentEvent]:
        """The changes, until the page has nothing more to show."""
        with subscription as changes:
            yield ServerSentEvent(event="connected", data="", retry=_RECONNECT_MILLISECONDS)
            rang: frozenset[str] = frozenset()
            while not self.over:
                for event in await self._news(rang):
                    yield event
                await asyncio.sleep(_PAUSE_SECONDS)
                rang = await changes.heard(within=_LOOK_EVERY.total_seconds())

    async def _news(self, rang: frozenset[str]) -> list[ServerSentEvent]:
        """What changed; where only the queue rang, that is what all pages show, and nothing else is read."""
        now = self.services.clock()
        if rang == {QUEUE} and self._operator and self._looked_at and now - self._looked_at < _LOOK_EVERY:
            return await self._queue(self._operator)
        self._looked_at = now
        return await self._look()

    async def _look(self) -> list[ServerSentEvent]:
        async with transaction(self.services.sessions) as session:
            access = access_of(self.services, session)
            try:
                operator = await access.who(self._cookie, in_use=False)
            except SignInNeeded:
                self.over = True
                return [ServerSentEvent(event="signed_out", data="")]
            if operator.rehearses:
                rehearse(session)
            self._operator = operator
            events = await self.changes(session, operator)
        # Only now, since whoever waits for the board should hold no connection that its reader may need.
        return events if self.over else [*await self._queue(operator), *events]

    async def changes(self, session: AsyncSession, operator: SignedIn) -> list[ServerSentEvent]:
        """The parts of the page that look different from what was sent last."""
        views = Views(session, privacy=self.services.privacy, now=self.services.clock())
        return [
            *self.part("_mine.html", mine=await views.mine(operator.operator)),
            *self.part("_mentions.html", mentions=await views.mentions(operator.operator)),
        ]

    async def _queue(self, operator: SignedIn) -> list[ServerSentEvent]:
        who = reader()
        html = await self.services.board.drawn(
            lambda queue: fragment(self.services.pages, "_queue.html", queue=queue, operator=operator),
            reader=(who.language.tag, who.zone.key, operator.supervises),
            rehearses=operator.rehearses,
        )
        return self._changed("_queue.html", html)

    def part(self, template: str, **values: object) -> list[ServerSentEvent]:
        """One part, if it changed."""
        return self._changed(template, fragment(self.services.pages, template, **values))

    def _changed(self, template: str, html: str) -> list[ServerSentEvent]:
        if self._shown.get(template) == html:
            return []
        self._shown[template] = html
        return [ServerSentEvent(event="part", data=html)]


class _OpenCase(_OpenPage):
    def __init__(
        self, services: Services, *, cookie: str | None, number: UUID, since: int, after: int
    ) -> None:
        super().__init__(services, cookie=cookie)
        self._number = number
        self._since = since
        self._after = after
        self._known: dict[int, str] = {}

    async def changes(self, session: AsyncSession, operator: SignedIn) -> list[ServerSentEvent]:
        case = await CaseRepository(session).get(self._number)
        if case is None or case.holder_id != operator.operator:
            self.over = True
            # What was being written is worth keeping only for a talk that goes on.
            goes_on = case is not None and case.state != CaseState.CLOSED
            return [ServerSentEvent(event="case_gone", data="goes_on" if goes_on else "")]
        views = Views(session, privacy=self.services.privacy, now=self.services.clock())
        events = self.part("_standing.html", case=case, clock=views.clock(case))
        events += self.part("_window.html", case=case, window=await views.window(case))
        events += self.part("_writing.html", written_at=views.written_at(case))
        for entry in await views.changed(case, known=self._known, since=self._since, after=self._after):
            html = fragment(self.services.pages, "_entry.html", entry=entry, locale=case.locale)
            events.append(ServerSentEvent(event="part", data=html, id=str(max(self._known))))
        return events


def _response(events: AsyncIterator[ServerSentEvent]) -> EventSourceResponse:
    return EventSourceResponse(events, ping=int(_LOOK_EVERY.total_seconds()), send_timeout=30)
