"""Fills both databases with what a country leaves behind: millions of rows that nobody asks for any more."""

from __future__ import annotations

import psycopg

_BOT = (
    """
    INSERT INTO conversation (id, channel, address, created_at, active_at)
    SELECT md5('talk' || n)::uuid, 'web', '\\x00', at, at
    FROM (SELECT n, now() - n % 28 * interval '1 day' AS at FROM generate_series(1, {talks}) AS n) AS talk
    """,
    """
    INSERT INTO conversation_key (conversation_id, number, wrapped, master)
    SELECT id, id, '\\x00', 1 FROM conversation
    """,
    """
    INSERT INTO referral_case (id, conversation_id, closed_at) SELECT id, id, now() FROM conversation
    """,
    """
    INSERT INTO inbox (conversation_id, update_key, payload, received_at, done_at)
    SELECT md5('talk' || n % {talks} + 1)::uuid, decode(md5('in' || n), 'hex'), '\\x00', at, at
    FROM (SELECT n, now() - n % 28 * interval '1 day' AS at FROM generate_series(1, {rows}) AS n) AS said
    """,
    """
    INSERT INTO outbox (conversation_id, inbox_id, position, lane, kind, payload, created_at, done_at)
    SELECT md5('talk' || n % {talks} + 1)::uuid, n, 0, 'channel', 'say', '\\x00', at, at
    FROM (SELECT n, now() - n % 28 * interval '1 day' AS at FROM generate_series(1, {rows}) AS n) AS answered
    """,
)

_REFERRAL = (
    """
    INSERT INTO operator (id, name, role) VALUES (md5('operator')::uuid, 'somebody who has left', 'operator')
    """,
    """
    INSERT INTO "case" (id, designation, state, danger, conversation, channel, locale, reason, card,
                        opened_at, received_at, taken_at, answered_at, closer_id, closed_at, outcome, code)
    SELECT md5('talk' || n)::uuid, 'case ' || n, 'closed', 'concern', md5('talk' || n), 'web', 'en',
           'insults', '\\x00', at, at, at, at, md5('operator')::uuid, at, 'advice_given', 'other'
    FROM (SELECT n, now() - n % 170 * interval '1 day' AS at FROM generate_series(1, {talks}) AS n) AS asked
    """,
    """
    INSERT INTO message (id, case_id, kind, text, author_id, sent_at)
    SELECT md5('message' || n)::uuid, md5('talk' || n % {talks} + 1)::uuid, 'operator', '\\x00',
           md5('operator')::uuid, now() - n % 170 * interval '1 day'
    FROM generate_series(1, {rows}) AS n
    """,
    """
    INSERT INTO event (id, case_id, kind, message_id, delivered_at)
    SELECT id, case_id, 'message', id, sent_at FROM message
    """,
    """
    INSERT INTO audit (seq, at, act, case_id, previous, hash)
    SELECT n, now() - n % 170 * interval '1 day', 'case_seen', md5('talk' || n % {talks} + 1)::uuid,
           '\\x00', '\\x00'
    FROM generate_series(1, {rows}) AS n
    """,
)


def fill(*, bot: str, referral: str, rows: int) -> None:
    """Fill two migrated, empty databases at these addresses.

    ``rows`` is how many messages, answers, entries of threads, events to the bot and rows of the audit log
    there are, each; there is a conversation with a case for every ten of them.
    """
    for url, statements in ((bot, _BOT), (referral, _REFERRAL)):
        with psycopg.connect(url, autocommit=True) as connection:
            # Without triggers and foreign keys: what is written is right, and checking it takes minutes.
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                connection.execute(statement.format(rows=rows, talks=rows // 10))
            connection.execute("ANALYZE")
