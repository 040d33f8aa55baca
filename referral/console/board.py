"""Who waits, as all open pages show it: read once for each change, and not once for each page.

With 50 operators, 2,000 open cases and somebody acting 15 times a second, a page that reads for itself keeps
two cores busy with nothing else (``./porchlight bench desk``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from referral.cases.tables import rehearse
from referral.changes import Changes
from referral.clock import Clock
from referral.console.views import Queue, Views
from referral.database import Sessions, transaction
from referral.privacy import Privacy

#: Clocks run out without anything ringing: what was read longer ago is read again.
_FRESH = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    queue: Queue
    #: How often the queue had rung when reading began.
    rung: int
    read_at: datetime
    #: What it looks like, by reader.
    drawn: dict[tuple[object, ...], str] = field(default_factory=dict)


class Board:
    """The queue as it was after its last change, for every open page of this process."""

    def __init__(self, sessions: Sessions, *, changes: Changes, privacy: Privacy, clock: Clock) -> None:
        self._sessions = sessions
        self._changes = changes
        self._privacy = privacy
        self._clock = clock
        self._shown: dict[bool, _Shown] = {}
        # Whoever comes while somebody reads waits for what they read.
        self._reading = {rehearses: asyncio.Lock() for rehearses in (False, True)}

    async def drawn(
        self, draw: Callable[[Queue], str], *, reader: tuple[object, ...], rehearses: bool = False
    ) -> str:
        """The queue as ``draw`` shows it, drawn once for all who read alike."""
        shown = await self._current(rehearses=rehearses)
        if reader not in shown.drawn:
            shown.drawn[reader] = draw(shown.queue)
        return shown.drawn[reader]

    async def _current(self, *, rehearses: bool) -> _Shown:
        async with self._reading[rehearses]:
            shown = self._shown.get(rehearses)
            if shown is None or not self._is_true(shown):
                self._shown[rehearses] = shown = await self._read(rehearses=rehearses)
            return shown

    def _is_true(self, shown: _Shown) -> bool:
        # Who does not hear changes cannot know.
        return (
            self._changes.listening
            and shown.rung == self._changes.queue_rung
            and abs(self._clock() - shown.read_at) < _FRESH
        )

    async def _read(self, *, rehearses: bool) -> _Shown:
        # Counted before reading, so that a change that comes meanwhile is read again.
        rung, now = self._changes.queue_rung, self._clock()
        async with transaction(self._sessions) as session:
            if rehearses:
                rehearse(session)
            queue = await Views(session, privacy=self._privacy, now=now).queue()
        return _Shown(queue=queue, rung=rung, read_at=now)
