"""Which messages of a conversation are answered next, and what happens to one that cannot be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

import structlog

from bot.conversation import Turns
from bot.inbox.deliver import Deliveries
from bot.store import DATABASE_DOWN, Conversation, Store, TurnLost, Waiting
from bot.traces import span

log = structlog.get_logger()

#: Messages read at once; a conversation that floods goes back to the queue after so many.
BATCH = 50

#: A message that failed so often is set aside, so that it cannot hold up those behind it.
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Answers all waiting messages of one conversation, in order."""

    store: Store
    turns: Turns
    deliveries: Deliveries

    async def run(self, pseudonym: UUID) -> None:
        """Answer what waits; never raises for what a message contains.

        A message that comes in meanwhile has a job of its own, which runs after this one.
        """
        backlog = await self.store.backlog(pseudonym, most=BATCH)
        while (conversation := backlog.conversation) is not None:
            try:
                for message in backlog.messages:
                    if message.event["kind"] in ("text", "edited"):
                        self.deliveries.show_typing(conversation)
                    conversation = await self._answer(conversation, message)
            except TurnLost:
                log.info("another worker took over", conversation=str(pseudonym))
                return
            if len(backlog.messages) < BATCH:
                return
            backlog = await self.store.backlog(pseudonym, most=BATCH)

    async def _answer(self, conversation: Conversation, message: Waiting) -> Conversation:
        for attempt in range(message.attempts + 1, MAX_ATTEMPTS + 1):
            try:
                with span("turn", after=message.trace, kind=message.event["kind"], attempt=attempt):
                    return await self.turns.answer(conversation, message)
            except (TurnLost, *DATABASE_DOWN):
                raise  # Nothing is wrong with the message.
            except Exception as error:
                # The words of the message may stand in the exception, so only its kind is logged.
                last = attempt == MAX_ATTEMPTS
                reason = type(error).__name__
                log.error("a message could not be answered", reason=reason, attempt=attempt, set_aside=last)
                masked = self.turns.masked(conversation, message) if last else None
                await self.store.park(message.number, reason=reason, final=last, masked=masked)
                await asyncio.sleep(0.1 * attempt)
        await self.turns.apologise(conversation, message)
        return conversation
