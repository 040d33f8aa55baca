"""What does the bot keep of a class that answers together? Sums, and who has answered only as hashes that go.

A class is open for a day at most. What a pupil answered is added to a sum in the same transaction in which
their message loses its words; that they answered is a hash whose key is thrown away when the class closes.
The exact sums go then too: what is left is what the teacher may see.
"""

from __future__ import annotations

import hmac
import secrets
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.privacy import Privacy
from bot.store import metadata
from flows.classroom import CODE_DIGITS, MOST_PUPILS, ClassNews, Counts, in_steps, may_be_shown

#: A code ends after this time, whatever the teacher does.
OPEN_FOR = timedelta(hours=24)
#: Results of a closed class can be looked at again for so long.
SHOWN_FOR = timedelta(hours=24)
#: So many wrong codes in an hour, then no code is looked at. Eight digits and a hundred open classes: whoever
#: guesses hits one in 200,000 hours.
MOST_TRIES = 5
#: So many classes in a day for each teacher: more open codes are easier to guess.
MOST_CLASSES = 5
#: A new code that another class has already is made anew.
_CODES = 20
_SALT_BYTES = 16
_TOKEN_BYTES = 16

_AT = DateTime(timezone=True)

room_table = Table(
    "class_room",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Goes with the teacher's conversation.
    Column("owner_id", Uuid, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    Column("code", Text, unique=True),
    # Sealed: the key of the pupils' hashes.
    Column("salt", LargeBinary),
    Column("pupils", Integer, nullable=False, server_default="0"),
    Column("opened_at", _AT, nullable=False, server_default=func.now()),
    Column("ends_at", _AT, nullable=False),
    Column("closed_at", _AT),
    # What lets pupils in, and what could tell who has answered, goes when the class closes.
    CheckConstraint("(closed_at IS NULL) = (code IS NOT NULL)", name="open_has_code"),
    CheckConstraint("(closed_at IS NULL) = (salt IS NOT NULL)", name="open_has_salt"),
    Index("class_room_owner", "owner_id", "opened_at"),
)

count_table = Table(
    "class_count",
    metadata,
    Column("room_id", Uuid, ForeignKey("class_room.id", ondelete="CASCADE"), primary_key=True),
    Column("question", Text, primary_key=True),
    Column("answer", Text, primary_key=True),
    Column("number", Integer, nullable=False),
)

pupil_table = Table(
    "class_pupil",
    metadata,
    Column("room_id", Uuid, ForeignKey("class_room.id", ondelete="CASCADE"), primary_key=True),
    # A keyed hash of pupil and question: neither can be read from it, and the same one dies here.
    Column("token", LargeBinary, primary_key=True),
)

try_table = Table(
    "class_try",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("conversation_id", Uuid, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    Column("tried_at", _AT, nullable=False, server_default=func.now()),
    Index("class_try_conversation", "conversation_id", "tried_at"),
)

_ROOM = "SELECT id, owner_id, code, salt, pupils, closed_at, ends_at <= now() AS over FROM class_room"

_NEW_ROOM = text("""
INSERT INTO class_room (id, owner_id, code, salt, ends_at)
VALUES (:id, :owner, :code, :salt, now() + cast(:open_for AS interval)) ON CONFLICT (code) DO NOTHING
RETURNING id
""")

# A pupil is counted at a question only if they have joined, and once.
_COUNT = text("""
WITH voter AS (
    INSERT INTO class_pupil (room_id, token)
    SELECT room_id, cast(:token AS bytea) FROM class_pupil WHERE room_id = :room AND token = :member
    ON CONFLICT DO NOTHING RETURNING room_id
)
INSERT INTO class_count (room_id, question, answer, number)
SELECT room_id, :question, :answer, 1 FROM voter
ON CONFLICT (room_id, question, answer) DO UPDATE SET number = class_count.number + 1
""")

_JOIN = text("""
WITH member AS (
    INSERT INTO class_pupil (room_id, token) VALUES (:room, :member) ON CONFLICT DO NOTHING RETURNING room_id
)
UPDATE class_room SET pupils = pupils + 1 FROM member WHERE class_room.id = member.room_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The classes that are open, and what of the closed ones may be shown."""

    privacy: Privacy
    #: Where pupils find the web chat.
    public_url: str

    async def open(
        self, connection: AsyncConnection, teacher: UUID, *, locale: str, country: str | None
    ) -> dict[str, Any]:
        """Open a class, or say how the open one stands; the news for ``teacher``."""
        room = await self._of(connection, teacher)
        if room is not None and room.closed_at is None and not room.over:
            return self._opened(room.code, locale=locale, country=country)
        today = await connection.scalar(
            text(
                "SELECT count(*) FROM class_room WHERE owner_id = :owner"
                " AND opened_at > now() - interval '1 day'"
            ),
            {"owner": teacher},
        )
        if (today or 0) >= MOST_CLASSES:
            return _news(ClassNews.OFTEN)
        return self._opened(await self._new(connection, teacher), locale=locale, country=country)

    async def join(self, connection: AsyncConnection, pupil: UUID, *, code: str) -> dict[str, Any]:
        """Let a pupil into the class with this code, if there is one; the news for them."""
        tries = await connection.scalar(
            text(
                "SELECT count(*) FROM class_try WHERE conversation_id = :id"
                " AND tried_at > now() - interval '1 hour'"
            ),
            {"id": pupil},
        )
        if (tries or 0) >= MOST_TRIES:
            return _news(ClassNews.TRIED_OFTEN)
        found = await connection.execute(
            text(f"{_ROOM} WHERE code = :code AND ends_at > now() FOR UPDATE"), {"code": code}
        )
        room = found.first()
        if room is None:
            await connection.execute(
                text("INSERT INTO class_try (conversation_id) VALUES (:id)"), {"id": pupil}
            )
            return _news(ClassNews.UNKNOWN)
        if room.owner_id == pupil:
            return _news(ClassNews.OWN)
        member = self._token(room, pupil)
        known = await connection.scalar(
            text("SELECT EXISTS (SELECT FROM class_pupil WHERE room_id = :room AND token = :member)"),
            {"room": room.id, "member": member},
        )
        if not known and room.pupils >= MOST_PUPILS:
            return _news(ClassNews.FULL)
        await connection.execute(_JOIN, {"room": room.id, "member": member})
        return _news(ClassNews.JOINED, room=str(room.id))

    async def answer(
        self, connection: AsyncConnection, pupil: UUID, *, room: str, question: str, answer: str
    ) -> None:
        """Count an answer, once for each pupil and question, while the class is open; else do nothing."""
        found = await connection.execute(
            text(f"{_ROOM} WHERE id = :id AND closed_at IS NULL AND ends_at > now() FOR UPDATE"),
            {"id": UUID(room)},
        )
        if (row := found.first()) is None:
            return
        values = {
            "room": row.id,
            "member": self._token(row, pupil),
            "token": self._token(row, pupil, question=question),
        }
        await connection.execute(_COUNT, {**values, "question": question, "answer": answer})

    async def look(
        self, connection: AsyncConnection, teacher: UUID, *, close: bool, locale: str, country: str | None
    ) -> dict[str, Any]:
        """How the teacher's latest class stands, closed first if so wished; the news for them."""
        room = await self._of(connection, teacher)
        if room is None:
            return _news(ClassNews.GONE)
        if room.closed_at is None and not (close or room.over):
            opened = self._opened(room.code, locale=locale, country=country)
            return {**opened, "news": ClassNews.COUNTED.value, "pupils": in_steps(room.pupils)}
        if room.closed_at is None:
            await self._end(connection, room.id)
        results = await self._counts(connection, room.id)
        if not results:
            return _news(ClassNews.TOO_FEW)
        return _news(ClassNews.RESULTS) | {"results": results}

    async def end_due(self, connection: AsyncConnection) -> None:
        """Close what is open for a day, and erase what need not be kept any longer."""
        due = await connection.execute(
            text("SELECT id FROM class_room WHERE closed_at IS NULL AND ends_at <= now() FOR UPDATE")
        )
        for row in due.all():
            await self._end(connection, row.id)
        await connection.execute(
            text("DELETE FROM class_room WHERE closed_at < now() - cast(:shown_for AS interval)"),
            {"shown_for": SHOWN_FOR},
        )
        await connection.execute(text("DELETE FROM class_try WHERE tried_at < now() - interval '1 hour'"))

    async def forget(self, connection: AsyncConnection, visitor: UUID) -> None:
        """Erase the classes that this visitor has opened, and their tries; a counted answer is nobody's."""
        await connection.execute(text("DELETE FROM class_room WHERE owner_id = :id"), {"id": visitor})
        await connection.execute(text("DELETE FROM class_try WHERE conversation_id = :id"), {"id": visitor})

    async def _of(self, connection: AsyncConnection, teacher: UUID) -> Row[Any] | None:
        found = await connection.execute(
            text(f"{_ROOM} WHERE owner_id = :owner ORDER BY opened_at DESC, id LIMIT 1 FOR UPDATE"),
            {"owner": teacher},
        )
        return found.first()

    async def _new(self, connection: AsyncConnection, teacher: UUID) -> str:
        for _ in range(_CODES):
            room, code = uuid4(), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
            salt = self.privacy.seal(secrets.token_hex(_SALT_BYTES), context=_salt_of(room))
            values = {"id": room, "owner": teacher, "code": code, "salt": salt, "open_for": OPEN_FOR}
            if await connection.scalar(_NEW_ROOM, values):
                return code
        raise RuntimeError("no code is free: far too many classes are open")

    async def _end(self, connection: AsyncConnection, room: UUID) -> None:
        """Close a class: what may be shown takes the place of what was counted, and the hashes go."""
        shown = may_be_shown(await self._counts(connection, room))
        await connection.execute(text("DELETE FROM class_pupil WHERE room_id = :room"), {"room": room})
        await connection.execute(text("DELETE FROM class_count WHERE room_id = :room"), {"room": room})
        await connection.execute(
            text("UPDATE class_room SET closed_at = now(), code = NULL, salt = NULL WHERE id = :room"),
            {"room": room},
        )
        rows = [
            {"room_id": room, "question": question, "answer": answer, "number": number}
            for question, answers in shown.items()
            for answer, number in answers.items()
        ]
        if rows:
            await connection.execute(count_table.insert(), rows)

    async def _counts(self, connection: AsyncConnection, room: UUID) -> Counts:
        counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
        found = await connection.execute(
            text("SELECT question, answer, number FROM class_count WHERE room_id = :room"), {"room": room}
        )
        for row in found:
            counts[row.question][row.answer] = row.number
        return dict(counts)

    def _opened(self, code: str, *, locale: str, country: str | None) -> dict[str, Any]:
        place = f"&country={country}" if country else ""
        link = f"{self.public_url}/?class={code}&locale={locale}{place}"
        return _news(ClassNews.OPENED) | {"code": code, "link": link}

    def _token(self, room: Row[Any], pupil: UUID, *, question: str = "") -> bytes:
        """The hash of a pupil at a question of this class, or of the pupil alone."""
        salt = bytes.fromhex(self.privacy.unseal(room.salt, context=_salt_of(room.id)))
        return hmac.digest(salt, pupil.bytes + question.encode(), "sha256")[:_TOKEN_BYTES]


def _salt_of(room: UUID) -> str:
    return f"class_room.salt:{room}"


def _news(news: ClassNews, **more: str) -> dict[str, Any]:
    """An event of the inbox."""
    return {"kind": "class", "news": news.value, **more}


def told(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``ClassTold`` in an event of the inbox."""
    return {name: value for name, value in raw.items() if name != "kind"} | {"news": ClassNews(raw["news"])}
