"""Reads what the bot has sealed, as whoever has its master key does."""

from __future__ import annotations

from uuid import UUID

import psycopg

from bot.keys import Keys, Seal, WrappedKey, master_keys
from bot.privacy import Privacy


async def open_keys(url: str, privacy: Privacy) -> dict[UUID, Seal]:
    """The key of every conversation in the database."""
    keys = Keys(master_keys(privacy), older=privacy)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        rows = await connection.execute(
            "SELECT conversation_id, number, wrapped, master FROM conversation_key"
        )
        return {
            conversation: await keys.open(
                conversation, WrappedKey(number=number, wrapped=wrapped, master=master)
            )
            for conversation, number, wrapped, master in await rows.fetchall()
        }
