"""How the decided effects reach visitors and the helpline, and when a failed delivery is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from bot.documents.orders import NotMade, Order, Press, PressBusy
from bot.messages import AddressGone, Button, Channel, File, Outgoing, Refused, Run, TryAgain
from bot.metrics import DELIVERIES, FIRST_REPLY
from bot.referral_client import CaseGone, ReferralClient, ReferralRefused, ReferralUnreachable
from bot.store import Conversation, Due, Store
from bot.traces import span

log = structlog.get_logger()

BATCH = 50

#: The longest pause between two tries.
MAX_PAUSE = timedelta(minutes=5)

#: With the pauses above, some two days; a visitor's message is not news after that.
MAX_ATTEMPTS = 600

#: The kind of effect that gives a document.
HAND = "hand"

#: The kind of effect that counts how a talk was.
RATE = "rate"

#: So many documents wait in a worker; for more its jobs are not held up, they come back after this pause.
MOST_WAITING = 2
PRESS_BUSY = timedelta(seconds=2)

#: After so many failed tries to make a document the visitor is told that it does not come.
MAX_TRIES_TO_MAKE = 3

#: A visitor gets so many documents within this time; whoever wants more only keeps the press busy.
MOST_HANDED = 20
HANDED_WITHIN = timedelta(hours=1)

#: After so many failed tries to reach the helpline's desk the visitor is told that it takes longer.
TELL_AFTER_ATTEMPTS = 2


class _Later(Exception):
    """Not now; try again after this pause."""

    def __init__(self, after: timedelta | None, *, counts: bool = True) -> None:
        super().__init__()
        self.after = after
        #: Whether this was a try, or nothing could be tried.
        self.counts = counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """Carries out the outbox of one conversation, each lane in order."""

    store: Store
    channels: Mapping[str, Channel]
    referral: ReferralClient
    press: Press
    #: Where messengers reach our web server, to fetch documents; None where they cannot.
    address: str | None
    _typing: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, pseudonym: UUID, *, lane: str) -> None:
        """Deliver all that is due in this lane: words in order up to one that must wait, then documents."""
        last = 0
        documents: list[Due] = []
        while waiting := await self.store.due(pseudonym, lane=lane, most=BATCH, after=last):
            for due in waiting:
                # What is said must never wait for a file: it may be the number to call.
                if due.kind == HAND:
                    documents.append(due)
                elif due.due_in > timedelta(0) or not await self._carry_out(pseudonym, lane, due):
                    return
            last = waiting[-1].number
        for due in documents:
            if due.due_in <= timedelta(0):
                await self._carry_out(pseudonym, lane, due)

    def show_typing(self, conversation: Conversation) -> None:
        """Let the messenger show that an answer is coming, without waiting for it."""
        channel = self.channels.get(conversation.channel)
        if channel is None:
            return
        task = asyncio.create_task(self._show_typing(channel, conversation.pseudonym))
        self._typing.add(task)
        task.add_done_callback(self._typing.discard)

    async def _show_typing(self, channel: Channel, pseudonym: UUID) -> None:
        if address := await self.store.address(pseudonym):
            await channel.typing(address)

    async def _carry_out(self, pseudonym: UUID, lane: str, due: Due) -> bool:
        """Whether the lane may go on with the next effect."""
        try:
            with span("deliver", after=due.trace, lane=lane, kind=due.kind, attempt=due.attempts + 1):
                parked = await self._way(lane, due)(pseudonym, due)
        except _Later as later:
            return await self._postpone(pseudonym, lane, due, later)
        if due.kind == RATE:
            # How the talk was is counted now, and must not stay beside whoever said so.
            await self.store.vanish(due.number)
        else:
            await self.store.delivered(due.number, parked=parked)
        DELIVERIES.labels(lane=lane, kind=due.kind, result="given up" if parked else "delivered").inc()
        if not parked and (asked_at := due.payload.get("asked_at")):
            await self._time_reply(pseudonym, asked_at=datetime.fromisoformat(asked_at))
        return True

    async def _time_reply(self, pseudonym: UUID, *, asked_at: datetime) -> None:
        if channel := await self._channel(pseudonym):
            FIRST_REPLY.labels(channel=channel.name).observe((datetime.now(UTC) - asked_at).total_seconds())

    async def _postpone(self, pseudonym: UUID, lane: str, due: Due, later: _Later) -> bool:
        attempts = due.attempts + later.counts
        DELIVERIES.labels(lane=lane, kind=due.kind, result="postponed").inc()
        if attempts >= MAX_ATTEMPTS:
            log.error("a delivery was given up", lane=lane, kind=due.kind, attempts=attempts)
            await self.store.delivered(due.number, parked="tried too often")
            return True
        await self.store.postpone(due.number, after=later.after or pause(attempts), counts=later.counts)
        if due.kind == "open_case" and attempts == TELL_AFTER_ATTEMPTS:
            await self.store.accept_for(
                pseudonym, update=f"delayed {due.number}", event={"kind": "case.delayed"}
            )
        return False

    def _way(self, lane: str, due: Due) -> Callable[[UUID, Due], Awaitable[str | None]]:
        if lane != "channel":
            return self._refer
        return self._hand if due.kind == HAND else self._say

    async def _say(self, pseudonym: UUID, due: Due) -> str | None:
        if (until := due.payload.get("until")) and datetime.now(UTC) > datetime.fromisoformat(until):
            return "it came too late"
        return await self._push(pseudonym, due, lambda channel, to: channel.send(to, _outgoing(due)))

    async def _hand(self, pseudonym: UUID, due: Due) -> str | None:
        order = Order.of(due.payload)
        channel = await self._channel(pseudonym)
        if channel is not None and channel.fetches_files and self.address is None:
            log.error("documents need PORCHLIGHT_PUBLIC_URL, which phones can reach", channel=channel.name)
            return await self._regret(pseudonym, due, order, "document_not_here", reason="no public address")
        if await self.store.handed(pseudonym, within=HANDED_WITHIN) >= MOST_HANDED:
            return "too many documents"
        try:
            content = await self.press.file(order, most_waiting=MOST_WAITING)
        except PressBusy:
            raise _Later(PRESS_BUSY, counts=False) from None
        except NotMade:
            tries = due.attempts + 1
            if tries < MAX_TRIES_TO_MAKE:
                raise _Later(None) from None
            return await self._regret(
                pseudonym, due, order, "document_failed", reason=f"not made after {tries} tries"
            )
        file = File(
            title=order.title,
            name=order.name,
            content=content,
            link=f"{self.address}{order.path}" if order.token else "",
        )
        return await self._push(pseudonym, due, lambda channel, to: channel.hand(to, file))

    async def _regret(self, pseudonym: UUID, due: Due, order: Order, key: str, *, reason: str) -> str:
        sorry = self.press.regret(order, key)
        return await self._push(pseudonym, due, lambda channel, to: channel.send(to, sorry)) or reason

    async def _channel(self, pseudonym: UUID) -> Channel | None:
        conversation = await self.store.conversation(pseudonym)
        return self.channels.get(conversation.channel) if conversation else None

    async def _push(
        self, pseudonym: UUID, due: Due, push: Callable[[Channel, str], Awaitable[None]]
    ) -> str | None:
        address = await self.store.address(pseudonym)
        channel = await self._channel(pseudonym)
        if address is None:
            return "the conversation was erased"
        if channel is None:
            raise _Later(MAX_PAUSE)  # The channel is switched off; it may come back with a setting.
        try:
            await push(channel, address)
        except TryAgain as error:
            raise _Later(error.after) from error
        except AddressGone:
            await self.store.accept_for(pseudonym, update=f"gone {due.number}", event={"kind": "left"})
            return "the visitor has left"
        except Refused as error:
            log.error("the platform refused a message", channel=channel.name, reason=error.reason)
            return f"refused: {error.reason}"
        return None

    async def _refer(self, pseudonym: UUID, due: Due) -> str | None:
        try:
            await self._call(due.kind, due.payload)
        except ReferralUnreachable as error:
            raise _Later(error.after) from error
        except CaseGone:
            if due.kind == "relay":
                await self._tell_closed(pseudonym, due)
            return "the case is closed"
        except ReferralRefused as error:
            log.error("the helpline's desk refused a request", kind=due.kind, status=error.status)
            return f"refused: {error.status}"
        return None

    async def _tell_closed(self, pseudonym: UUID, due: Due) -> None:
        # The visitor must not go on writing to nobody, should the desk's own event have been lost.
        case = UUID(due.payload["case"])
        await self.store.case_closed(case)
        await self.store.accept_for(pseudonym, update=f"closed {case}", event={"kind": "case.closed"})

    async def _call(self, kind: str, payload: Mapping[str, Any]) -> None:
        match kind:
            case "open_case":
                await self.referral.open_case(payload)
            case "relay":
                await self.referral.add_message(UUID(payload["case"]), payload["message"])
            case "raise_danger":
                await self.referral.raise_danger(UUID(payload["case"]), danger=payload["danger"])
            case "leave":
                await self.referral.leave(UUID(payload["case"]))
            case "revoke":
                await self.referral.revoke(UUID(payload["case"]))
            case "rate":
                await self.referral.rate(UUID(payload["case"]), face=payload["face"])
            case "forget":
                await self.referral.forget(UUID(payload["case"]))
            case _:
                raise ValueError("an effect of unknown kind lies in the outbox")


def pause(attempts: int) -> timedelta:
    """How long to wait after so many failed tries: 1 s, 2 s, 4 s … up to ``MAX_PAUSE``."""
    return min(timedelta(seconds=2 ** min(attempts - 1, 20)), MAX_PAUSE)


def _outgoing(due: Due) -> Outgoing:
    said = due.payload
    return Outgoing(
        text=said["text"],
        choices=tuple(Button(title=choice["title"], payload=choice["payload"]) for choice in said["choices"]),
        sender=said["sender"],
        number=str(due.number),
        locale=said["locale"],
        # What was said before an update has none.
        runs=tuple(Run(**run) for run in said.get("runs", ())),
    )
