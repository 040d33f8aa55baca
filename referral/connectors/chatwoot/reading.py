"""What did agents in Chatwoot answer, and may it go to the visitor?

The webhook is a bell and not a letter: it says that there is something to read, and what is read comes from
Chatwoot itself, after the last message that was dealt with. So a ring that was lost, doubled, late or forged
changes nothing, and messages keep their order. Open conversations are read in turn as well.

Chatwoot stands at the desk as an operator, and the rules of the desk are the guard: one holder at a time, and
back to the line when nobody answers, or when Chatwoot has been down as long as an operator may be away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from referral.background import beside
from referral.cases.coding import Coding, Occurred
from referral.cases.desk import Desk
from referral.cases.repository import CaseRepository
from referral.cases.rules import CaseState, Outcome
from referral.cases.schemas import MAX_WORDS
from referral.changes import Changes
from referral.clock import Clock
from referral.connectors.chatwoot.repository import CHATWOOT_BELL, TalkRepository
from referral.connectors.chatwoot.server import MARK, ChatwootServer
from referral.connectors.chatwoot.tables import ChatwootTalk
from referral.connectors.holders import CHATWOOT
from referral.database import Sessions, transaction
from referral.errors import FormIncomplete, ReferralError
from referral.privacy import Privacy

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 1.0
#: An open conversation is read this often even if nothing rang.
EVERY = timedelta(seconds=30)
#: How often Chatwoot is asked whether it is there; the desk gives an operator two minutes.
PRESENT_EVERY = timedelta(seconds=30)
#: What a process that died was reading, another reads after this time.
_LEASE = timedelta(minutes=2)
#: After a failure the same conversation is left alone for so long.
_PAUSE = timedelta(seconds=5)

_OUTGOING = 1
#: Fields of the side bar, by what they are for.
SIDE_BAR: Mapping[str, str] = {
    "porchlight_outcome": "Outcome",
    "porchlight_code": "Code",
    "porchlight_occurred": "Where it happened",
    "porchlight_online_harm": "What happened online",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMessage:
    """What an agent wrote to the visitor."""

    number: int
    words: str
    with_file: bool = False


def agent_messages(messages: Any, *, after: int) -> list[AgentMessage]:
    """What people among Chatwoot's agents wrote to the visitor after that message, in order, each once.

    Not what the visitor or we wrote, not private notes, not what bots, automations, greetings or surveys say.
    """
    found = {
        message["id"]: AgentMessage(
            number=message["id"],
            words=(message.get("content") or "").strip(),
            with_file=bool(message.get("attachments")),
        )
        for message in messages
        if message["id"] > after and _is_answer(message)
    }
    return [found[number] for number in sorted(found)]


def _is_answer(message: Mapping[str, Any]) -> bool:
    attributes = message.get("content_attributes") or {}
    return (
        message.get("message_type") in (_OUTGOING, "outgoing")
        and message.get("private") is False
        and message.get("content_type", "text") == "text"
        and (message.get("sender") or {}).get("type") == "user"
        and MARK not in attributes
        and not attributes.get("deleted")
    )


def coding_of(attributes: Mapping[str, Any]) -> Coding:
    """How agents coded a case in the side bar; raises ``FormIncomplete``."""
    outcome, occurred = attributes.get("porchlight_outcome"), attributes.get("porchlight_occurred")
    if outcome not in tuple(Outcome):
        raise FormIncomplete("Please choose how this case ended.")
    return Coding(
        outcome=Outcome(outcome),
        code=str(attributes.get("porchlight_code") or ""),
        occurred=Occurred(occurred) if occurred in tuple(Occurred) else None,
        online_harm=attributes.get("porchlight_online_harm") or None,
    )


class ChatwootReading:
    """Reads what agents wrote; any number of processes may do so beside each other."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        server: ChatwootServer,
        privacy: Privacy,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._server = server
        self._privacy = privacy
        self._changes = changes
        self._clock = clock
        self._asked_at: datetime | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read while the block runs."""
        async with beside(self._keep_reading()):
            yield

    async def sweep(self) -> None:
        """Ask whether Chatwoot is there, and read everything that is due."""
        await self._ask_presence()
        while (talk := await self._claim()) is not None:
            try:
                await self._read(talk)
            except (httpx.HTTPError, KeyError, TypeError, ValueError, AttributeError) as error:
                log.warning("chatwoot not read", case=str(talk.case_id), reason=type(error).__name__)
                async with transaction(self._sessions) as session:
                    await TalkRepository(session).put_off(talk, until=self._clock() + _PAUSE)

    async def _keep_reading(self) -> None:
        with self._changes.subscribe(CHATWOOT_BELL) as bell:
            while True:
                try:
                    await self.sweep()
                except (SQLAlchemyError, psycopg.Error) as error:
                    log.warning("chatwoot not read", reason=type(error).__name__)
                await bell.heard(within=_EVERY_SECONDS)

    async def _ask_presence(self) -> None:
        """While this succeeds Chatwoot counts as present; without it its cases go back to the line."""
        now = self._clock()
        if self._asked_at is not None and now - self._asked_at < PRESENT_EVERY:
            return
        self._asked_at = now
        try:
            await self._server.profile()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("chatwoot does not answer", reason=type(error).__name__)
            return
        async with transaction(self._sessions) as session:
            talks = TalkRepository(session)
            if await talks.stand_in():
                await talks.present(now=now)
            else:
                log.error("chatwoot cannot stand at the desk", reason="an operator has this name")

    async def _claim(self) -> ChatwootTalk | None:
        now = self._clock()
        async with transaction(self._sessions) as session:
            talks = TalkRepository(session)
            await talks.learn()
            return await talks.claim(now=now, every=EVERY, lease=_LEASE)

    async def _read(self, talk: ChatwootTalk) -> None:
        seen = await self._server.messages(talk.conversation, after=talk.read_to)
        for message in agent_messages(seen, after=talk.read_to):
            await self._deal_with(talk, message)
        conversation = await self._server.conversation(talk.conversation)
        if conversation.get("status") == "resolved":
            await self._resolved(talk, conversation.get("custom_attributes") or {})
        async with transaction(self._sessions) as session:
            await TalkRepository(session).give_back(talk, read_at=self._clock())

    async def _deal_with(self, talk: ChatwootTalk, message: AgentMessage) -> None:
        """Relay a message, or tell its author why not; only then is it behind us."""
        try:
            async with transaction(self._sessions) as session:
                await self._relay(session, talk.case_id, message)
                await TalkRepository(session).read_to(talk.case_id, message.number)
        except ReferralError as refusal:
            await self._tell_agents(
                talk, f"Not sent to the visitor. {refusal.sentence}", about=message.number
            )
            async with transaction(self._sessions) as session:
                await TalkRepository(session).read_to(talk.case_id, message.number)
            return
        if message.with_file:
            await self._tell_agents(
                talk, "The file was not sent: only words reach the visitor.", about=message.number
            )

    async def _relay(self, session: AsyncSession, case: UUID, message: AgentMessage) -> None:
        if not message.words:
            return
        if len(message.words) > MAX_WORDS:
            raise FormIncomplete("A message has at most %(most)s letters.", most=MAX_WORDS)
        desk = self._desk(session)
        found = await CaseRepository(session).locked(case)
        if found is not None and found.state == CaseState.WAITING:
            # Whoever answers first has it: the same lock stands between this and Take next.
            await desk.take(case)
        elif found is not None and found.state == CaseState.HELD and found.holder_id != CHATWOOT:
            raise FormIncomplete("An operator answers at Porchlight's desk.")
        await desk.write(case, entry=uuid5(case, f"chatwoot {message.number}"), words=message.words)

    async def _resolved(self, talk: ChatwootTalk, attributes: Mapping[str, Any]) -> None:
        """Close the case as agents coded it; without a code it is open again, with a note of what lacks."""
        try:
            async with transaction(self._sessions) as session:
                case = await CaseRepository(session).get(talk.case_id)
                if case is None or case.state == CaseState.CLOSED:
                    return
                if case.state == CaseState.HELD and case.holder_id != CHATWOOT:
                    return
                if case.state == CaseState.WAITING:
                    raise FormIncomplete("The visitor waits in line, and nobody has answered here.")
                await self._desk(session).close(talk.case_id, coding_of(attributes))
        except ReferralError as refusal:
            await self._server.set_status(talk.conversation, "open")
            await self._tell_agents(
                talk,
                f"Not closed. {refusal.sentence} The fields stand in the side bar of this conversation:"
                " fill them, then resolve it again.",
                about=0,
            )

    async def _tell_agents(self, talk: ChatwootTalk, sentence: str, *, about: int) -> None:
        await self._server.say(talk.conversation, sentence, incoming=False, mark=f"about/{about}")

    def _desk(self, session: AsyncSession) -> Desk:
        return Desk(session, operator=CHATWOOT, privacy=self._privacy, now=self._clock())
