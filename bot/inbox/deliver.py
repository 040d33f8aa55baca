"""How the decided effects reach visitors and the helpline, and when a failed delivery is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from bot.messages import AddressGone, Button, Channel, Outgoing, Refused, Run, TryAgain
from bot.metrics import DELIVERIES
from bot.referral_client import CaseGone, ReferralClient, ReferralRefused, ReferralUnreachable
from bot.store import Conversation, Due, Store

log = structlog.get_logger()

BATCH = 50

#: The longest pause between two tries.
MAX_PAUSE = timedelta(minutes=5)

#: With the pauses above, some two days; a visitor's message is not news after that.
MAX_ATTEMPTS = 600

#: After so many failed tries to reach the helpline's desk the visitor is told that it takes longer.
TELL_AFTER_ATTEMPTS = 2


class _Later(Exception):
    """Not now; try again after this pause."""

    def __init__(self, after: timedelta | None) -> None:
        super().__init__()
        self.after = after


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """Carries out the outbox of one conversation, each lane in order."""

    store: Store
    channels: Mapping[str, Channel]
    referral: ReferralClient
    _typing: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, pseudonym: UUID, *, lane: str) -> None:
        """Deliver all that is due in this lane; stop at the first that must wait."""
        waiting = await self.store.due(pseudonym, lane=lane, most=BATCH)
        while waiting:
            for due in waiting:
                if due.due_in > timedelta(0) or not await self._carry_out(pseudonym, lane, due):
                    return
            full = len(waiting) == BATCH
            waiting = await self.store.due(pseudonym, lane=lane, most=BATCH) if full else []

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
            parked = await (self._say if lane == "channel" else self._refer)(pseudonym, due)
        except _Later as later:
            return await self._postpone(pseudonym, lane, due, later.after)
        await self.store.delivered(due.number, parked=parked)
        DELIVERIES.labels(lane=lane, kind=due.kind, result="given up" if parked else "delivered").inc()
        return True

    async def _postpone(self, pseudonym: UUID, lane: str, due: Due, after: timedelta | None) -> bool:
        attempts = due.attempts + 1
        DELIVERIES.labels(lane=lane, kind=due.kind, result="postponed").inc()
        if attempts >= MAX_ATTEMPTS:
            log.error("a delivery was given up", lane=lane, kind=due.kind, attempts=attempts)
            await self.store.delivered(due.number, parked="tried too often")
            return True
        await self.store.postpone(due.number, after=after or pause(attempts))
        if due.kind == "open_case" and attempts == TELL_AFTER_ATTEMPTS:
            await self.store.accept_for(
                pseudonym, update=f"delayed {due.number}", event={"kind": "case.delayed"}
            )
        return False

    async def _say(self, pseudonym: UUID, due: Due) -> str | None:
        conversation = await self.store.conversation(pseudonym)
        address = await self.store.address(pseudonym)
        channel = self.channels.get(conversation.channel) if conversation else None
        if address is None:
            return "the conversation was erased"
        if channel is None:
            raise _Later(MAX_PAUSE)  # The channel is switched off; it may come back with a setting.
        try:
            await channel.send(address, _outgoing(due))
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
