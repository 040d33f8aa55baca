"""How the conversations in Chatwoot are remembered; the only place with queries about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case as sql_case
from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.rules import CaseState
from referral.cases.tables import Case
from referral.changes import ring
from referral.connectors.chatwoot.tables import ChatwootTalk
from referral.connectors.holders import CHATWOOT, HOLDERS
from referral.operators.rules import Role
from referral.operators.tables import Operator

#: Rings when Chatwoot has rung.
CHATWOOT_BELL = "chatwoot"

# A conversation is known as soon as the letter that made it has arrived.
_LEARN = text(
    """
    INSERT INTO chatwoot_talk (case_id, conversation)
    SELECT foreign_case.case_id, CAST(foreign_case.reference AS bigint)
    FROM foreign_case JOIN "case" ON "case".id = foreign_case.case_id
    WHERE foreign_case.connection = :connection AND "case".forgotten_at IS NULL
      AND NOT EXISTS (SELECT FROM chatwoot_talk WHERE chatwoot_talk.case_id = foreign_case.case_id)
    ON CONFLICT DO NOTHING
    """
)


class TalkRepository:
    """Conversations in Chatwoot within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def stand_in(self) -> bool:
        """See that Chatwoot is known at the desk; False if somebody else goes by its name."""
        name = HOLDERS[CHATWOOT]
        row = insert(Operator).values(number=CHATWOOT, name=name, role=Role.OPERATOR)
        await self._session.execute(row.on_conflict_do_nothing())
        return await self._session.get(Operator, CHATWOOT) is not None

    async def present(self, *, now: datetime) -> None:
        """Chatwoot answers."""
        await self._session.execute(
            update(Operator)
            .where(Operator.number == CHATWOOT)
            .values(present_at=now)
            .execution_options(synchronize_session=False)
        )

    async def learn(self) -> None:
        """Know every conversation that has been made."""
        await self._session.execute(_LEARN, {"connection": HOLDERS[CHATWOOT]})

    async def rang(self, conversation: int, *, now: datetime) -> None:
        """Something happened in this conversation; nothing is done for one that we do not know."""
        await self.learn()
        await self._session.execute(
            update(ChatwootTalk)
            .where(ChatwootTalk.conversation == conversation)
            .values(rung_at=now)
            .execution_options(synchronize_session=False)
        )
        await ring(self._session, CHATWOOT_BELL)

    async def claim(self, *, now: datetime, every: timedelta, lease: timedelta) -> ChatwootTalk | None:
        """A conversation to read now, ours for the time of a lease: one that rang, or an open one in turn."""
        in_turn = or_(ChatwootTalk.read_at.is_(None), ChatwootTalk.read_at <= now - every)
        query = (
            select(ChatwootTalk)
            .join(Case, Case.number == ChatwootTalk.case_id)
            .where(
                Case.forgotten_at.is_(None),
                or_(ChatwootTalk.busy_until.is_(None), ChatwootTalk.busy_until <= now),
                or_(ChatwootTalk.rung_at.is_not(None), (Case.state != CaseState.CLOSED) & in_turn),
            )
            .order_by(ChatwootTalk.rung_at.is_(None), ChatwootTalk.read_at.nulls_first())
            .limit(1)
            .with_for_update(skip_locked=True, of=ChatwootTalk)
        )
        talk = await self._session.scalar(query, execution_options={"populate_existing": True})
        if talk is not None:
            talk.busy_until = now + lease
        return talk

    async def read_to(self, case: UUID, message: int) -> None:
        """This message has been dealt with."""
        await self._session.execute(
            update(ChatwootTalk)
            .where(ChatwootTalk.case_id == case, ChatwootTalk.read_to < message)
            .values(read_to=message)
            .execution_options(synchronize_session=False)
        )

    async def give_back(self, talk: ChatwootTalk, *, read_at: datetime) -> None:
        """It has been read; whatever rang meanwhile is read again."""
        unheard = ChatwootTalk.rung_at == talk.rung_at
        await self._session.execute(
            update(ChatwootTalk)
            .where(ChatwootTalk.case_id == talk.case_id)
            .values(
                read_at=read_at,
                busy_until=None,
                rung_at=sql_case((unheard, None), else_=ChatwootTalk.rung_at),
            )
            .execution_options(synchronize_session=False)
        )

    async def put_off(self, talk: ChatwootTalk, *, until: datetime) -> None:
        """It could not be read; somebody tries again at that instant."""
        await self._session.execute(
            update(ChatwootTalk)
            .where(ChatwootTalk.case_id == talk.case_id)
            .values(busy_until=until)
            .execution_options(synchronize_session=False)
        )
