"""What the bot keeps about conversations, and the statements that read and write it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
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
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    exc,
    func,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from bot.keys import DataKey, Keys, MasterKeys, Seal, WrappedKey, master_keys
from bot.messages import InboxDown
from bot.metrics import (
    CONNECTIONS,
    JOBS_WAITING,
    OLDEST_DELIVERY,
    OLDEST_MESSAGE,
    OPEN_DELIVERIES,
    OPEN_MESSAGES,
    PARKED_MESSAGES,
    WORKERS,
)
from bot.privacy import Privacy
from bot.traces import here

#: Only a dialect: libpq reads the rest of an address.
DIALECT = "postgresql+psycopg://"

#: A connection whose other end has vanished without a word is noticed and given up.
LIVELY: Mapping[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # Milliseconds.
}
#: What an unreachable database raises; the last where every connection of the pool waits for one.
DATABASE_DOWN = (OSError, exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
#: Conversations that are erased in one transaction, so that nobody waits long for what it holds.
_ERASED_AT_ONCE = 500
#: So often a message is sealed anew because the conversation's key changed meanwhile.
_KEY_TRIES = 10
#: A message that the database has not taken by then is answered without it.
_ACCEPT_SECONDS = 10.0

metadata = MetaData()

_AT = DateTime(timezone=True)

conversation_table = Table(
    "conversation",
    metadata,
    # The pseudonym: a keyed hash of channel and address.
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    # Sealed: where answers go.
    Column("address", LargeBinary, nullable=False),
    # Sealed: flows.state.State as JSON; null before the first turn and after deletion.
    Column("state", LargeBinary),
    # Grows by one with each turn, so that a worker that was thought dead cannot overwrite a newer state.
    Column("version", Integer, nullable=False, server_default="0"),
    Column("created_at", _AT, nullable=False, server_default=func.now()),
    Column("active_at", _AT, nullable=False, server_default=func.now()),
    # Only messengers that we know how to answer.
    CheckConstraint("channel IN ('telegram', 'viber', 'web')", name="channel_is_known"),
    Index("conversation_active_at", "active_at"),
)

# Apart from the conversation, whose row is written anew with each turn: a key is written once, and once it is
# destroyed there are few places in which it can still be found.
key_table = Table(
    "conversation_key",
    metadata,
    Column("conversation_id", Uuid, ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True),
    # Changes with the key, so that nobody seals under one that was destroyed.
    Column("number", Uuid, nullable=False),
    # The key itself, under the master key of that version.
    Column("wrapped", LargeBinary, nullable=False),
    Column("master", Integer, nullable=False),
    Index("conversation_key_master", "master"),
)

inbox_table = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("conversation_id", Uuid, ForeignKey("conversation.id", ondelete="SET NULL")),
    # A keyed hash of channel and platform id: the second copy of a delivery dies here.
    Column("update_key", LargeBinary, nullable=False, unique=True),
    # Sealed: the event as JSON; null once the visitor asked us to forget, or time has passed.
    Column("payload", LargeBinary),
    Column("received_at", _AT, nullable=False, server_default=func.now()),
    Column("done_at", _AT),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Why this message was set aside, without its words.
    Column("parked", Text),
    # A message is set aside only after somebody tried.
    CheckConstraint("parked IS NULL OR attempts > 0", name="parked_was_tried"),
    Index("inbox_open", "conversation_id", "id", postgresql_where=text("done_at IS NULL AND parked IS NULL")),
    Index("inbox_by_conversation", "conversation_id", "id"),
    Index("inbox_parked", "id", postgresql_where=text("parked IS NOT NULL")),
)

outbox_table = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("conversation_id", Uuid, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    # The message that this answers, and its place among the answers: a turn's effects exist once.
    Column("inbox_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    # `channel` goes to the visitor, `referral` to the helpline; neither waits for the other.
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # Sealed: what to send, as JSON.
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", _AT, nullable=False, server_default=func.now()),
    Column("next_at", _AT, nullable=False, server_default=func.now()),
    Column("done_at", _AT),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Why this delivery was given up, without its words.
    Column("parked", Text),
    # A keyed hash of the token in the link under which a document can be fetched.
    Column("token_key", LargeBinary),
    UniqueConstraint("inbox_id", "position", name="effect_exists_once"),
    CheckConstraint("lane IN ('channel', 'referral')", name="lane_is_known"),
    Index("outbox_open", "conversation_id", "lane", "id", postgresql_where=text("done_at IS NULL")),
    Index("outbox_by_conversation", "conversation_id", "id"),
    Index("outbox_parked", "id", postgresql_where=text("parked IS NOT NULL")),
    Index("outbox_token_key", "token_key", unique=True, postgresql_where=text("token_key IS NOT NULL")),
)

case_table = Table(
    "referral_case",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("conversation_id", Uuid, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    Column("opened_at", _AT, nullable=False, server_default=func.now()),
    Column("closed_at", _AT),
    Index("referral_case_conversation", "conversation_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message in the inbox that no turn has answered yet."""

    number: int
    #: Names the row's sealed payload.
    update_key: bytes
    event: dict[str, Any]
    attempts: int
    received_at: datetime
    #: In which trace it came.
    trace: str | None = None
    #: Of its conversation.
    key: Seal = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation as a turn finds it."""

    pseudonym: UUID
    channel: str
    #: flows.state.State as JSON, or None before the first turn.
    state: str | None
    version: int
    #: Seals its words.
    key: Seal = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits in a conversation, oldest first."""

    #: None when nothing waits.
    conversation: Conversation | None
    messages: list[Waiting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect of a turn, ready to be kept."""

    lane: str
    kind: str
    payload: dict[str, Any]
    #: The token of the link under which it can be fetched, if it can be.
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A document that somebody fetches by its link."""

    conversation: UUID
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An outbox row that waits to be delivered."""

    number: int
    kind: str
    payload: dict[str, Any]
    attempts: int
    #: How long until it may be tried; zero or less when it is due.
    due_in: timedelta
    #: In which trace it was decided.
    trace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One message of the thread, from either side."""

    number: int
    sender: str
    text: str
    at: datetime
    #: Which text of ours it is; empty for what a person wrote.
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TipCall:
    """When a conversation is to be called for its next daily tip."""

    token: str
    country: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """How much is still to be done, and since how many seconds the oldest of it waits."""

    #: Messages that no turn has answered yet.
    messages: int
    oldest_message: float
    #: Messages that were set aside after repeated failure.
    parked: int
    #: Effects that are not delivered yet, by lane.
    deliveries: Mapping[str, int]
    #: Since when the oldest of each lane waits, in seconds.
    oldest_deliveries: Mapping[str, float]

    @property
    def oldest_delivery(self) -> float:
        """The oldest of all lanes."""
        return max(self.oldest_deliveries.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """How the job queue is."""

    #: Jobs that are due and wait, by queue.
    waiting: Mapping[str, int]
    #: Workers that live.
    workers: int


class TurnLost(Exception):
    """Another worker has answered this message meanwhile; nothing of this turn may be kept."""


# The visitor's row is locked by the upsert until commit, so that two deliveries of one conversation get
# their numbers in the order in which they become visible. The waiting drain job, if there is one, is touched
# (DO UPDATE) rather than left alone: a worker may be about to take it before this statement commits, and
# then must wait for us; the NOTIFY wakes it again. With DO NOTHING messages were stranded.
_MESSAGE_AND_JOB = """
, message AS (
    INSERT INTO inbox (conversation_id, update_key, payload)
    SELECT id, :update_key, :payload FROM visitor
    ON CONFLICT (update_key) DO NOTHING
    RETURNING conversation_id
), job AS (
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
    SELECT 'inbox', 'drain', 'inbox:' || conversation_id, 'inbox:' || conversation_id,
           jsonb_build_object('conversation', conversation_id)
    FROM message
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET priority = procrastinate_jobs.priority
    RETURNING id
), woken AS (
    SELECT pg_notify('procrastinate_any_queue_v1',
                     json_build_object('type', 'job_inserted', 'job_id', id)::text) FROM job
)
SELECT EXISTS (SELECT FROM visitor) AS known, (SELECT count(*) FROM woken) AS woken, k.*
FROM (SELECT) AS once LEFT JOIN (
    SELECT number, wrapped, master FROM conversation_key WHERE conversation_id = :conversation
) AS k ON true
"""

_READ_KEY = text("""
SELECT k.number, k.wrapped, k.master
FROM conversation AS c LEFT JOIN conversation_key AS k ON k.conversation_id = c.id WHERE c.id = :conversation
""")

_ADD_KEY = text("""
INSERT INTO conversation_key (conversation_id, number, wrapped, master)
SELECT id, :key, :wrapped, :master FROM conversation WHERE id = :conversation
ON CONFLICT (conversation_id) DO NOTHING
""")

# Whoever destroys a key locks it first, and so does whoever seals under it, before the conversation's row:
# nothing is kept that was sealed under a key which is gone. What comes with a new key where there is one
# already is not kept either; the answer then holds the key under which to seal it once more.
_STORE = text(
    """
WITH made AS (
    INSERT INTO conversation_key (conversation_id, number, wrapped, master)
    SELECT :conversation, :key, :wrapped, :master WHERE cast(:wrapped AS bytea) IS NOT NULL
    ON CONFLICT (conversation_id) DO NOTHING
    RETURNING number
), held AS (
    SELECT number FROM conversation_key WHERE conversation_id = :conversation AND number = :key
    FOR KEY SHARE
), visitor AS (
    INSERT INTO conversation (id, channel, address)
    SELECT :conversation, :channel, :address FROM (SELECT FROM made UNION ALL SELECT FROM held) AS key
    ON CONFLICT (id) DO UPDATE SET active_at = now(), address = excluded.address
    RETURNING id
)"""
    + _MESSAGE_AND_JOB
)

_STORE_KNOWN = text(
    """
WITH held AS (
    SELECT conversation_id FROM conversation_key WHERE conversation_id = :conversation AND number = :key
    FOR KEY SHARE
), visitor AS (
    UPDATE conversation SET active_at = CASE WHEN :counts THEN now() ELSE active_at END
    FROM held WHERE id = held.conversation_id RETURNING id
)"""
    + _MESSAGE_AND_JOB
)

# One call waits for each conversation at most; a new one takes the place of the one that waits.
_CALL_FOR_TIP = text("""
INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args, scheduled_at)
VALUES ('timers', 'tip', 'tip:' || cast(:conversation AS text), cast(:args AS jsonb), :at)
ON CONFLICT (queueing_lock) WHERE status = 'todo'
DO UPDATE SET args = excluded.args, scheduled_at = excluded.scheduled_at
""")

_WAKE = text("""
WITH job AS (
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
    VALUES (:queue, :task, :lock, :lock, jsonb_build_object('conversation', cast(:conversation AS text)))
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET priority = procrastinate_jobs.priority
    RETURNING id
)
SELECT pg_notify('procrastinate_any_queue_v1',
                 json_build_object('type', 'job_inserted', 'job_id', id)::text) FROM job
""")

# All that a drain has to know in one round trip.
_BACKLOG = text("""
SELECT i.id, i.update_key, i.payload, i.attempts, i.received_at, c.channel, c.state, c.version,
       k.number, k.wrapped, k.master
FROM conversation AS c LEFT JOIN conversation_key AS k ON k.conversation_id = c.id CROSS JOIN LATERAL (
    SELECT * FROM inbox WHERE conversation_id = c.id AND done_at IS NULL AND parked IS NULL
    ORDER BY id LIMIT :most
) AS i
WHERE c.id = :conversation ORDER BY i.id
""")

_WAITING_PAYLOADS = text("""
SELECT id, update_key, payload FROM inbox
WHERE conversation_id = :conversation AND done_at IS NULL AND payload IS NOT NULL
""")

# Continues a WITH in which `moved` has the conversation's row if the effects may be kept, and none if not.
# A web page fetches its messages itself and is only told that there are some: once kept they are done. The
# other lanes need a worker.
_EFFECTS = """
, kept AS (
    INSERT INTO outbox (conversation_id, inbox_id, position, lane, kind, payload, token_key, done_at)
    SELECT moved.id, :number, effect.place - 1, effect.lane, effect.kind, effect.payload, effect.token_key,
           CASE WHEN moved.channel = 'web' AND effect.lane = 'channel' THEN now() END
    FROM moved, unnest(cast(:lanes AS text[]), cast(:kinds AS text[]), cast(:payloads AS bytea[]),
                       cast(:token_keys AS bytea[]))
                WITH ORDINALITY AS effect (lane, kind, payload, token_key, place)
), told AS (
    SELECT pg_notify('webchat', moved.id::text) FROM moved
    WHERE moved.channel = 'web' AND 'channel' = ANY (cast(:lanes AS text[]))
), job AS (
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
    SELECT DISTINCT 'outbox', 'deliver_' || lane, lane || ':' || moved.id, lane || ':' || moved.id,
           jsonb_build_object('conversation', moved.id)
    FROM moved, unnest(cast(:lanes AS text[])) AS lane WHERE moved.channel <> 'web' OR lane <> 'channel'
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET priority = procrastinate_jobs.priority
    RETURNING id
), woken AS (
    SELECT pg_notify('procrastinate_any_queue_v1',
                     json_build_object('type', 'job_inserted', 'job_id', id)::text) FROM job
)
SELECT EXISTS (SELECT FROM moved) AS moved, (SELECT count(*) FROM told) + (SELECT count(*) FROM woken) AS told
"""

# The whole turn is one statement: either the message is marked answered and loses what must not be kept, the
# state is replaced, the effects are kept and whoever carries them out is woken, or nothing changes. The row
# of the conversation is locked first, so that of two workers the second sees the version that the first left.
_KEEP_TURN = text(
    """
WITH current AS (
    SELECT id FROM conversation WHERE id = :id AND version = :version FOR UPDATE
), answered AS (
    UPDATE inbox SET done_at = now(), payload = coalesce(cast(:masked AS bytea), inbox.payload)
    FROM current WHERE inbox.id = :number AND done_at IS NULL
    RETURNING current.id
), moved AS (
    UPDATE conversation SET state = :state, version = version + 1 FROM answered
    WHERE conversation.id = answered.id RETURNING conversation.id, conversation.channel
)"""
    + _EFFECTS
)

_PUT_EFFECTS = text("WITH moved AS (SELECT id, channel FROM conversation WHERE id = :id)" + _EFFECTS)

_OPEN_DELIVERIES = text("""
SELECT id, inbox_id, position, kind, payload, attempts, next_at - now() AS due_in,
       k.number, k.wrapped, k.master
FROM outbox AS o LEFT JOIN conversation_key AS k ON k.conversation_id = o.conversation_id
WHERE o.conversation_id = :conversation AND lane = :lane AND done_at IS NULL AND id > :after
ORDER BY id LIMIT :most
""")

_THREAD = text("""
SELECT 'visitor' AS side, i.id AS entry, i.update_key, i.payload, i.received_at AS at,
       i.id AS turn, -1 AS position, NULL AS kind
FROM inbox AS i
WHERE i.conversation_id = :conversation AND i.payload IS NOT NULL AND i.id <= :until
UNION ALL
SELECT 'bot', o.id, NULL, o.payload, o.created_at, o.inbox_id, o.position, o.kind
FROM outbox AS o
WHERE o.conversation_id = :conversation AND o.kind = 'say' AND o.inbox_id <= :until
ORDER BY turn DESC, position DESC LIMIT :most
""")

_INBOX_COUNTS = text("""
SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(received_at)), 0) AS oldest,
       (SELECT count(*) FROM inbox WHERE parked IS NOT NULL AND done_at IS NULL) AS parked
FROM inbox WHERE done_at IS NULL AND parked IS NULL
""")

_OUTBOX_COUNTS = text("""
SELECT o.lane, count(*) AS waiting, extract(epoch FROM now() - min(o.created_at)) AS oldest
FROM outbox AS o JOIN conversation AS c ON c.id = o.conversation_id
WHERE o.done_at IS NULL AND (c.channel <> 'web' OR o.lane <> 'channel') GROUP BY o.lane
""")

_JOBS_WAITING = text("""
SELECT queue_name, count(*) AS waiting FROM procrastinate_jobs
WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()) GROUP BY queue_name
""")

_WORKERS = text(
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '10 seconds'"
)

_IDLE = text("""
SELECT id FROM conversation WHERE active_at < now() - cast(:older_than AS interval)
ORDER BY active_at LIMIT :most
""")

# Whoever seals under a key locks it before the conversation's row, and so does whoever destroys it.
_LOCK_KEYS = text("""
SELECT FROM conversation_key WHERE conversation_id = ANY (:ids) ORDER BY conversation_id FOR UPDATE
""")

_LOCK_IDLE = text("""
SELECT id FROM conversation WHERE id = ANY (:ids) AND active_at < now() - cast(:older_than AS interval)
ORDER BY id FOR UPDATE
""")

# Without words a message stays for a while, so that its second copy is still known.
_ERASE_MESSAGES = text(
    "UPDATE inbox SET payload = NULL, conversation_id = NULL WHERE conversation_id = ANY (:ids)"
)

_ERASE_CONVERSATIONS = text("DELETE FROM conversation WHERE id = ANY (:ids)")

_DROP_TOMBSTONES = text("""
DELETE FROM inbox WHERE conversation_id IS NULL AND received_at < now() - cast(:until AS interval)
""")

_LANES = ("channel", "referral")
_TRACE = "trace"
_QUEUES = ("inbox", "outbox", "timers")


class Store:
    """The bot's database."""

    def __init__(self, engine: AsyncEngine, *, privacy: Privacy, masters: MasterKeys | None = None) -> None:
        """Where no ``masters`` are given, the only master key is the one that comes from the secret key."""
        self._engine = engine
        # A single statement is a transaction by itself; BEGIN and COMMIT around it cost two round trips.
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._privacy = privacy
        self._keys = Keys(masters or master_keys(privacy), older=privacy)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed when the block ends well."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which every statement is a transaction by itself."""
        async with self._single.connect() as connection:
            yield connection

    async def alive(self) -> bool:
        """Whether the database answers."""
        try:
            async with self.statement() as connection:
                await connection.execute(text("SELECT 1"))
        except DATABASE_DOWN:
            return False
        return True

    async def accept(self, *, channel: str, address: str, update: str, event: Mapping[str, Any]) -> None:
        """Keep what a visitor did, once, and wake whoever answers; raises ``InboxDown``."""
        conversation = self._privacy.conversation(channel, address)
        update_key = self._privacy.update_key(channel, update)
        values = {"conversation": conversation, "channel": channel, "update_key": update_key}
        # A database that hangs cannot be made to let go of a statement, so nobody waits for it; what it keeps
        # after all is not kept twice when the platform sends it again.
        keeping = asyncio.create_task(self._keep(values, address=address, event=event))
        done, _ = await asyncio.wait({keeping}, timeout=_ACCEPT_SECONDS)
        if not done:
            keeping.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise InboxDown
        keeping.result()

    async def _keep(self, values: Mapping[str, Any], *, address: str, event: Mapping[str, Any]) -> None:
        conversation = values["conversation"]
        key, wrapped = self._keys.seen(conversation), None
        try:
            async with self.statement() as connection:
                for _ in range(_KEY_TRIES):
                    if key is None:
                        key, wrapped = await self._keys.make(conversation)
                    row = (
                        await connection.execute(
                            _STORE,
                            {
                                **values,
                                "address": key.seal(address, context=f"conversation.address:{conversation}"),
                                "payload": _seal(
                                    key, _traced(event), context=_inbox_place(values["update_key"])
                                ),
                                **_key_values(key, wrapped),
                            },
                        )
                    ).one()
                    if row.known:
                        self._keys.remember(conversation, key)
                        return
                    self._keys.forget(conversation)
                    present = await self._keys.open(conversation, _wrapped(row))
                    key, wrapped = present if isinstance(present, DataKey) else None, None
        except DATABASE_DOWN as error:
            raise InboxDown from error
        raise InboxDown

    async def accept_for(
        self, conversation: UUID, *, update: str, event: Mapping[str, Any], counts: bool = True
    ) -> bool:
        """Keep what happened to a known conversation; False when there is no such conversation any more.

        Where it does not count as a sign of life, the conversation is erased as early as without it.
        """
        try:
            async with self.statement() as connection:
                return await self.put_event(
                    connection, conversation, update=update, event=event, counts=counts
                )
        except DATABASE_DOWN as error:
            raise InboxDown from error

    async def put_event(
        self,
        connection: AsyncConnection,
        conversation: UUID,
        *,
        update: str,
        event: Mapping[str, Any],
        counts: bool = True,
    ) -> bool:
        """As ``accept_for``, as a part of a transaction."""
        update_key = self._privacy.update_key("ours", update)
        for _ in range(_KEY_TRIES):
            key = self._keys.seen(conversation) or await self._key_of(connection, conversation)
            if key is None:
                return False
            values = {
                "conversation": conversation,
                "key": key.number,
                "update_key": update_key,
                "payload": _seal(key, _traced(event), context=_inbox_place(update_key)),
                "counts": counts,
            }
            if (await connection.execute(_STORE_KNOWN, values)).one().known:
                return True
            self._keys.forget(conversation)
        return False

    async def _key_of(self, connection: AsyncConnection, conversation: UUID) -> DataKey | None:
        """The key of a conversation, made if it has none yet; None if the conversation was erased."""
        while (
            row := (await connection.execute(_READ_KEY, {"conversation": conversation})).first()
        ) is not None:
            key = await self._keys.open(conversation, _wrapped(row))
            if isinstance(key, DataKey):
                return key
            made, wrapped = await self._keys.make(conversation)
            await connection.execute(_ADD_KEY, {"conversation": conversation, **_key_values(made, wrapped)})
        return None

    async def conversation(self, pseudonym: UUID) -> Conversation | None:
        """The conversation, or None if it was erased."""
        async with self.statement() as connection:
            row = (
                await connection.execute(
                    text(
                        "SELECT c.channel, c.state, c.version, k.number, k.wrapped, k.master"
                        " FROM conversation AS c LEFT JOIN conversation_key AS k ON k.conversation_id = c.id"
                        " WHERE c.id = :id"
                    ),
                    {"id": pseudonym},
                )
            ).first()
        return None if row is None else await self._conversation(pseudonym, row)

    async def address(self, pseudonym: UUID) -> str | None:
        """Where this visitor is written to, or None if they were erased."""
        async with self.statement() as connection:
            row = (
                await connection.execute(
                    text(
                        "SELECT c.address, k.number, k.wrapped, k.master"
                        " FROM conversation AS c LEFT JOIN conversation_key AS k ON k.conversation_id = c.id"
                        " WHERE c.id = :id"
                    ),
                    {"id": pseudonym},
                )
            ).first()
        if row is None:
            return None
        key = await self._keys.open(pseudonym, _wrapped(row))
        return key.unseal(row.address, context=f"conversation.address:{pseudonym}")

    async def backlog(self, pseudonym: UUID, *, most: int) -> Backlog:
        """The oldest unanswered messages of a conversation, and where it stands."""
        async with self.statement() as connection:
            rows = (await connection.execute(_BACKLOG, {"conversation": pseudonym, "most": most})).all()
        if not rows:
            return Backlog(conversation=None, messages=[])
        conversation = await self._conversation(pseudonym, rows[0])
        return Backlog(
            conversation=conversation,
            messages=[_waiting(conversation.key, row) for row in rows],
        )

    async def keep_turn(
        self,
        connection: AsyncConnection,
        conversation: Conversation,
        *,
        number: int,
        state: str,
        effects: Sequence[Effect],
        masked: bytes | None = None,
    ) -> Conversation:
        """Mark the message answered and keep state and effects; raises ``TurnLost`` if somebody else did.

        ``masked`` is a payload by ``sealed`` that takes the place of the message's own in the same statement.
        """
        pseudonym = conversation.pseudonym
        sealed = conversation.key.seal(state, context=f"conversation.state:{pseudonym}")
        values = self._effect_values(conversation, number=number, effects=effects)
        values |= {"version": conversation.version, "state": sealed, "masked": masked}
        if not (await connection.execute(_KEEP_TURN, values)).one().moved:
            raise TurnLost
        return replace(conversation, state=state, version=conversation.version + 1)

    def sealed(self, waiting: Waiting, event: Mapping[str, Any]) -> bytes:
        """This event as the payload of the message that waits, to be kept instead of what it says now."""
        return _seal(waiting.key, event, context=_inbox_place(waiting.update_key))

    async def put_effects(
        self, conversation: Conversation, *, number: int, effects: Sequence[Effect]
    ) -> None:
        """Keep effects of the message with this number and wake whoever carries them out."""
        values = self._effect_values(conversation, number=number, effects=effects)
        async with self.statement() as connection:
            await connection.execute(_PUT_EFFECTS, values)

    def _effect_values(
        self, conversation: Conversation, *, number: int, effects: Sequence[Effect]
    ) -> dict[str, Any]:
        return {
            "id": conversation.pseudonym,
            "number": number,
            "lanes": [effect.lane for effect in effects],
            "kinds": [effect.kind for effect in effects],
            "payloads": [
                _seal(conversation.key, _traced(effect.payload), context=_outbox_place(number, position))
                for position, effect in enumerate(effects)
            ],
            "token_keys": [
                self._privacy.token_key(effect.token) if effect.token else None for effect in effects
            ],
        }

    async def park(self, number: int, *, reason: str, final: bool, masked: bytes | None = None) -> None:
        """Count a failed try; set the message aside, with ``masked`` as its payload, when it was the last."""
        async with self.statement() as connection:
            await connection.execute(
                text(
                    "UPDATE inbox SET attempts = attempts + 1,"
                    " parked = CASE WHEN :final THEN cast(:reason AS text) END,"
                    " payload = coalesce(cast(:masked AS bytea), payload) WHERE id = :id"
                ),
                {"id": number, "reason": reason, "final": final, "masked": masked},
            )

    async def due(self, pseudonym: UUID, *, lane: str, most: int, after: int = 0) -> list[Due]:
        """The oldest undelivered effects of one lane after this number, whether due or not."""
        async with self.statement() as connection:
            rows = (
                await connection.execute(
                    _OPEN_DELIVERIES, {"conversation": pseudonym, "lane": lane, "most": most, "after": after}
                )
            ).all()
        return [await self._due(pseudonym, row) for row in rows]

    async def delivered(self, number: int, *, parked: str | None = None) -> None:
        """This effect is done, or given up for the reason ``parked``."""
        async with self.statement() as connection:
            await connection.execute(
                text("UPDATE outbox SET done_at = now(), parked = :parked WHERE id = :id"),
                {"id": number, "parked": parked},
            )

    async def vanish(self, number: int) -> None:
        """This effect is done, and nothing says what it was."""
        async with self.statement() as connection:
            await connection.execute(text("DELETE FROM outbox WHERE id = :id"), {"id": number})

    async def postpone(self, number: int, *, after: timedelta, counts: bool = True) -> None:
        """This effect failed for now, or was not tried; it may be tried again after this time."""
        async with self.statement() as connection:
            await connection.execute(
                text(
                    "UPDATE outbox SET attempts = attempts + :tries, next_at = now() + :after WHERE id = :id"
                ),
                {"id": number, "after": after, "tries": int(counts)},
            )

    async def said_after(
        self, pseudonym: UUID, *, number: int, most: int
    ) -> list[tuple[int, dict[str, Any]]]:
        """The messages to a web visitor after this one, oldest first, with their numbers."""
        async with self.statement() as connection:
            rows = (
                await connection.execute(
                    text(
                        "SELECT o.id, inbox_id, position, payload, k.number, k.wrapped, k.master"
                        " FROM outbox AS o"
                        " LEFT JOIN conversation_key AS k ON k.conversation_id = o.conversation_id"
                        " WHERE o.conversation_id = :conversation"
                        " AND kind IN ('say', 'hand') AND o.id > :number ORDER BY o.id LIMIT :most"
                    ),
                    {"conversation": pseudonym, "number": number, "most": most},
                )
            ).all()
        return [(row.id, await self._effect(pseudonym, row)) for row in rows]

    async def fetched(self, token: str, *, within: timedelta) -> Fetched | None:
        """The document whose link has this token, unless it is older than that."""
        async with self.statement() as connection:
            row = (
                await connection.execute(
                    text(
                        "SELECT o.conversation_id, inbox_id, position, payload, k.number, k.wrapped, k.master"
                        " FROM outbox AS o"
                        " LEFT JOIN conversation_key AS k ON k.conversation_id = o.conversation_id"
                        " WHERE token_key = :key AND created_at > now() - cast(:within AS interval)"
                    ),
                    {"key": self._privacy.token_key(token), "within": within},
                )
            ).first()
        if row is None:
            return None
        return Fetched(conversation=row.conversation_id, payload=await self._effect(row.conversation_id, row))

    async def handed(self, pseudonym: UUID, *, within: timedelta) -> int:
        """How many documents this visitor was sent lately."""
        async with self.statement() as connection:
            found = await connection.scalar(
                text(
                    "SELECT count(*) FROM outbox WHERE conversation_id = :conversation AND kind = 'hand'"
                    " AND parked IS NULL AND done_at > now() - cast(:within AS interval)"
                ),
                {"conversation": pseudonym, "within": within},
            )
        return int(found or 0)

    async def thread(
        self, connection: AsyncConnection, conversation: Conversation, *, until: int, most: int
    ) -> list[Spoken]:
        """What was said last up to the message with this number, oldest first."""
        values = {"conversation": conversation.pseudonym, "until": until, "most": most}
        rows = (await connection.execute(_THREAD, values)).all()
        spoken = (_spoken(conversation.key, row) for row in reversed(rows))
        return [line for line in spoken if line is not None]

    async def case_opened(self, connection: AsyncConnection, case: UUID, *, conversation: UUID) -> None:
        """Remember which conversation a case belongs to."""
        await connection.execute(
            text(
                "INSERT INTO referral_case (id, conversation_id) VALUES (:id, :conversation)"
                " ON CONFLICT (id) DO NOTHING"
            ),
            {"id": case, "conversation": conversation},
        )

    async def case_closed(self, case: UUID) -> None:
        """The helpline closed this case."""
        async with self.statement() as connection:
            await connection.execute(
                text("UPDATE referral_case SET closed_at = coalesce(closed_at, now()) WHERE id = :id"),
                {"id": case},
            )

    async def conversation_of(self, case: UUID) -> UUID | None:
        """The conversation that a case belongs to, or None if it was erased."""
        async with self.statement() as connection:
            found: UUID | None = await connection.scalar(
                text("SELECT conversation_id FROM referral_case WHERE id = :id"), {"id": case}
            )
        return found

    async def tell_page(self, conversation: UUID, what: str) -> None:
        """Tell the open pages of this conversation something that is worth nothing later."""
        async with self.statement() as connection:
            await connection.execute(
                text("SELECT pg_notify('webchat', :told)"), {"told": f"{conversation} {what}"}
            )

    async def cases(self, connection: AsyncConnection, pseudonym: UUID, *, open_only: bool) -> list[UUID]:
        """The cases of a conversation, newest first."""
        rows = await connection.execute(
            text(
                "SELECT id FROM referral_case WHERE conversation_id = :id"
                " AND (NOT :open_only OR closed_at IS NULL) ORDER BY opened_at DESC, id"
            ),
            {"id": pseudonym, "open_only": open_only},
        )
        return [row.id for row in rows]

    async def call_for_tip(self, connection: AsyncConnection, pseudonym: UUID, call: TipCall) -> None:
        """Call this conversation for a tip at that time, and at no other."""
        args = {"conversation": str(pseudonym), "token": call.token, "country": call.country}
        await connection.execute(
            _CALL_FOR_TIP, {"conversation": str(pseudonym), "args": json.dumps(args), "at": call.at}
        )

    async def no_more_tips(self, connection: AsyncConnection, pseudonym: UUID) -> None:
        """Take back the call for the next tip, if one waits."""
        await connection.execute(
            text("DELETE FROM procrastinate_jobs WHERE queueing_lock = :lock AND status = 'todo'"),
            {"lock": f"tip:{pseudonym}"},
        )

    async def renew_key(self, connection: AsyncConnection, conversation: Conversation) -> Conversation:
        """Destroy the key of a conversation and give it a new one, as the first act of a transaction.

        All that lives on under the new key is where to write to, and the messages that wait for their answer.
        """
        pseudonym = conversation.pseudonym
        values = {"conversation": pseudonym}
        present = await connection.scalar(
            text("DELETE FROM conversation_key WHERE conversation_id = :conversation RETURNING number"),
            values,
        )
        if isinstance(conversation.key, DataKey) and present != conversation.key.number:
            raise TurnLost
        sealed = await connection.scalar(
            text("SELECT address FROM conversation WHERE id = :conversation"), values
        )
        if sealed is None:
            raise TurnLost
        waiting = (await connection.execute(_WAITING_PAYLOADS, values)).all()
        key, wrapped = await self._keys.make(pseudonym)
        await connection.execute(_ADD_KEY, {**values, **_key_values(key, wrapped)})
        place = f"conversation.address:{pseudonym}"
        await connection.execute(
            text("UPDATE conversation SET address = :address WHERE id = :conversation"),
            {**values, "address": key.seal(conversation.key.unseal(sealed, context=place), context=place)},
        )
        for row in waiting:
            event = _unseal(conversation.key, row.payload, context=_inbox_place(row.update_key))
            payload = _seal(key, event, context=_inbox_place(row.update_key))
            await connection.execute(
                text("UPDATE inbox SET payload = :payload WHERE id = :id"), {"id": row.id, "payload": payload}
            )
        self._keys.remember(pseudonym, key)
        return replace(conversation, key=key)

    async def erase_words(self, connection: AsyncConnection, pseudonym: UUID, *, before: int) -> None:
        """Erase everything said before the message with this number, that message's words included."""
        values = {"conversation": pseudonym, "before": before}
        await connection.execute(
            text("UPDATE inbox SET payload = NULL WHERE conversation_id = :conversation AND id <= :before"),
            values,
        )
        await connection.execute(
            text("DELETE FROM outbox WHERE conversation_id = :conversation AND inbox_id < :before"), values
        )
        await connection.execute(
            text("DELETE FROM referral_case WHERE conversation_id = :conversation"), values
        )

    async def erase(self, pseudonym: UUID, *, version: int) -> None:
        """Erase the conversation itself and its key, unless it has gone on since this version."""
        async with self._engine.begin() as connection:
            # The key is locked first, as by whoever keeps a message, and goes with its conversation.
            await connection.execute(
                text("SELECT FROM conversation_key WHERE conversation_id = :id FOR UPDATE"), {"id": pseudonym}
            )
            await connection.execute(
                # A message that waits for its answer keeps it: nobody would find that message again.
                text(
                    "DELETE FROM conversation WHERE id = :id AND version = :version AND NOT EXISTS"
                    " (SELECT FROM inbox WHERE conversation_id = :id AND done_at IS NULL AND parked IS NULL)"
                ),
                {"id": pseudonym, "version": version},
            )
        self._keys.forget(pseudonym)

    async def count_idle(self, *, older_than: timedelta) -> int:
        """How many conversations without a word for this long there are; ``erase_idle`` would erase them."""
        query = text(
            "SELECT count(*) FROM conversation WHERE active_at < now() - cast(:older_than AS interval)"
        )
        async with self.statement() as connection:
            return int(await connection.scalar(query, {"older_than": older_than}) or 0)

    async def erase_idle(self, *, older_than: timedelta, duplicates_until: timedelta) -> int:
        """Erase conversations without a word for this long, and their keys; the number of them."""
        erased = 0
        while idle := await self._idle(older_than):
            gone = await self._erase_all(idle, older_than=older_than)
            for conversation in gone:
                self._keys.forget(conversation)
            erased += len(gone)
        async with self.statement() as connection:
            await connection.execute(_DROP_TOMBSTONES, {"until": duplicates_until})
        return erased

    async def _idle(self, older_than: timedelta) -> list[UUID]:
        async with self.statement() as connection:
            found = await connection.execute(_IDLE, {"older_than": older_than, "most": _ERASED_AT_ONCE})
            return list(found.scalars())

    async def _erase_all(self, conversations: list[UUID], *, older_than: timedelta) -> Sequence[UUID]:
        """Erase those of them that are still idle, in one transaction."""
        values = {"ids": conversations, "older_than": older_than}
        async with self._engine.begin() as connection:
            await connection.execute(_LOCK_KEYS, values)
            gone = (await connection.execute(_LOCK_IDLE, values)).scalars().all()
            await connection.execute(_ERASE_MESSAGES, {"ids": gone})
            await connection.execute(_ERASE_CONVERSATIONS, {"ids": gone})
        return gone

    async def unfinished(self) -> Unfinished:
        """What waits in inbox and outbox."""
        async with self.statement() as connection:
            inbox = (await connection.execute(_INBOX_COUNTS)).one()
            lanes = (await connection.execute(_OUTBOX_COUNTS)).all()
        return Unfinished(
            messages=inbox.waiting,
            oldest_message=float(inbox.oldest),
            parked=inbox.parked,
            deliveries=dict.fromkeys(_LANES, 0) | {row.lane: row.waiting for row in lanes},
            oldest_deliveries=dict.fromkeys(_LANES, 0.0) | {row.lane: float(row.oldest) for row in lanes},
        )

    async def queue(self) -> Queue:
        """What waits in the job queue, and for how many workers."""
        async with self.statement() as connection:
            rows = (await connection.execute(_JOBS_WAITING)).all()
            workers = await connection.scalar(_WORKERS)
        waiting = dict.fromkeys(_QUEUES, 0) | {row.queue_name: row.waiting for row in rows}
        return Queue(waiting=waiting, workers=int(workers or 0))

    async def revision(self) -> str | None:
        """The version that the tables have."""
        async with self.statement() as connection:
            found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found

    async def count_open(self) -> None:
        """Set the gauges of what waits in inbox, outbox and queue."""
        pool = self._engine.pool
        CONNECTIONS.set(pool.checkedout() if isinstance(pool, QueuePool) else 0)
        found, queue = await self.unfinished(), await self.queue()
        WORKERS.set(queue.workers)
        for name, number in queue.waiting.items():
            JOBS_WAITING.labels(queue=name).set(number)
        for lane, seconds in found.oldest_deliveries.items():
            OLDEST_DELIVERY.labels(lane=lane).set(seconds)
        OPEN_MESSAGES.set(found.messages)
        PARKED_MESSAGES.set(found.parked)
        OLDEST_MESSAGE.set(found.oldest_message)
        for lane, number in found.deliveries.items():
            OPEN_DELIVERIES.labels(lane=lane).set(number)

    async def _conversation(self, pseudonym: UUID, row: Row[Any]) -> Conversation:
        key = await self._keys.open(pseudonym, _wrapped(row))
        state = row.state and key.unseal(row.state, context=f"conversation.state:{pseudonym}")
        return Conversation(
            pseudonym=pseudonym, channel=row.channel, state=state, version=row.version, key=key
        )

    async def _due(self, pseudonym: UUID, row: Row[Any]) -> Due:
        payload = await self._effect(pseudonym, row)
        trace = payload.pop(_TRACE, None)
        return Due(
            number=row.id,
            kind=row.kind,
            payload=payload,
            attempts=row.attempts,
            due_in=row.due_in,
            trace=trace,
        )

    async def _effect(self, pseudonym: UUID, row: Row[Any]) -> dict[str, Any]:
        key = await self._keys.open(pseudonym, _wrapped(row))
        return _unseal(key, row.payload, context=_outbox_place(row.inbox_id, row.position))


def _spoken(key: Seal, row: Row[Any]) -> Spoken | None:
    if row.side == "bot":
        said = _unseal(key, row.payload, context=_outbox_place(row.turn, row.position))
        return Spoken(number=row.entry, sender=said["sender"], text=said["text"], at=row.at, key=said["key"])
    event = _unseal(key, row.payload, context=_inbox_place(row.update_key))
    if event["kind"] not in ("text", "edited"):
        return None
    return Spoken(number=row.entry, sender="visitor", text=event["text"], at=row.at)


def _waiting(key: Seal, row: Row[Any]) -> Waiting:
    event = _unseal(key, row.payload, context=_inbox_place(row.update_key))
    trace = event.pop(_TRACE, None)
    return Waiting(
        number=row.id,
        update_key=row.update_key,
        event=event,
        attempts=row.attempts,
        received_at=row.received_at,
        trace=trace,
        key=key,
    )


def _traced(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sealed beside a message while traces are sent: to which trace it belongs."""
    trace = here()
    return {**value, _TRACE: trace} if trace else value


def _seal(key: Seal, value: Mapping[str, Any], *, context: str) -> bytes:
    return key.seal(json.dumps(value, ensure_ascii=False), context=context)


def _unseal(key: Seal, sealed: bytes, *, context: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(key.unseal(sealed, context=context))
    return value


def _inbox_place(update_key: bytes) -> str:
    return f"inbox.payload:{update_key.hex()}"


def _outbox_place(number: int, position: int) -> str:
    return f"outbox.payload:{number}:{position}"


def _wrapped(row: Row[Any]) -> WrappedKey | None:
    if row.number is None:
        return None
    return WrappedKey(number=row.number, wrapped=row.wrapped, master=row.master)


def _key_values(key: DataKey, wrapped: WrappedKey | None) -> dict[str, Any]:
    return {
        "key": key.number,
        "wrapped": wrapped.wrapped if wrapped else None,
        "master": wrapped.master if wrapped else None,
    }


async def wake_delivery(connection: AsyncConnection, pseudonym: UUID, *, lane: str) -> None:
    """Make sure that a worker delivers this conversation's lane."""
    await connection.execute(
        _WAKE,
        {
            "queue": "outbox",
            "task": f"deliver_{lane}",
            "lock": f"{lane}:{pseudonym}",
            "conversation": str(pseudonym),
        },
    )


async def wake_drain(connection: AsyncConnection, pseudonym: UUID) -> None:
    """Make sure that a worker answers this conversation's messages."""
    await connection.execute(
        _WAKE,
        {"queue": "inbox", "task": "drain", "lock": f"inbox:{pseudonym}", "conversation": str(pseudonym)},
    )


def open_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine over psycopg; the address goes to libpq as it is, so it may name several servers."""

    async def connect() -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(url, **LIVELY)

    return create_async_engine(
        DIALECT,
        async_creator=connect,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        # A failed statement is logged; its parameters are a visitor's words.
        hide_parameters=True,
    )
