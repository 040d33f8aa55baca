"""How replies and macros are read and changed; what is shipped holds until a supervisor changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.rules import Outcome
from referral.replies.rules import Macro, Reply, Then
from referral.replies.shipped import shipped_macros, shipped_replies
from referral.replies.tables import MacroRow, ReplyRow


class ReplyRepository:
    """Replies and macros within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def replies(self, locale: str) -> Mapping[str, Reply]:
        """The replies of a language by slug, the shipped ones first."""
        found = {slug: reply for (slug, of), reply in shipped_replies().items() if of == locale}
        query = select(ReplyRow).where(ReplyRow.locale == locale).order_by(ReplyRow.slug)
        for row in (await self._session.scalars(query)).all():
            found.pop(row.slug, None) if row.hidden else found.update({row.slug: _reply(row)})
        return found

    async def macros(self) -> Sequence[Macro]:
        """All macros, the shipped ones first."""
        found = dict(shipped_macros())
        for row in (await self._session.scalars(select(MacroRow).order_by(MacroRow.slug))).all():
            found.pop(row.slug, None) if row.hidden else found.update({row.slug: _macro(row)})
        return tuple(found.values())

    async def put_reply(self, reply: Reply, *, by: UUID, now: datetime, hidden: bool = False) -> None:
        """Store a reply in place of what was there."""
        values = {
            "title": reply.title,
            "text": reply.text,
            "template": reply.template,
            "hidden": hidden,
            "changed_by_id": by,
            "changed_at": now,
        }
        statement = insert(ReplyRow).values(slug=reply.slug, locale=reply.locale, **values)
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=[ReplyRow.slug, ReplyRow.locale], set_=values)
        )

    async def put_macro(self, macro: Macro, *, by: UUID, now: datetime, hidden: bool = False) -> None:
        """Store a macro in place of what was there."""
        values = {
            "title": macro.title,
            "reply": macro.reply,
            "then": macro.then,
            "outcome": macro.outcome,
            "code": macro.code,
            "hidden": hidden,
            "changed_by_id": by,
            "changed_at": now,
        }
        statement = insert(MacroRow).values(slug=macro.slug, **values)
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=[MacroRow.slug], set_=values)
        )


def _reply(row: ReplyRow) -> Reply:
    return Reply(
        slug=row.slug, locale=row.locale, title=row.title, text=row.text, template=row.template, own=True
    )


def _macro(row: MacroRow) -> Macro:
    return Macro(
        slug=row.slug,
        title=row.title,
        reply=row.reply,
        then=Then(row.then),
        outcome=Outcome(row.outcome) if row.outcome else None,
        code=row.code,
        own=True,
    )
