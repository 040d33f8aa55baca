"""How do the keys of conversations come under a newer master key, while everything runs?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.keys import FileKeys, Keys, MasterKeys, WrappedKey
from bot.messages import BotError

#: So many keys are wrapped anew in a transaction; a rotation that was cut short goes on behind the last.
_BATCH = 500

# Whoever keeps a message meanwhile holds the row with a lock that goes together with this one.
_OLDER = text("""
SELECT conversation_id, number, wrapped, master FROM conversation_key WHERE master < :newest
ORDER BY conversation_id LIMIT :batch FOR NO KEY UPDATE
""")

_REWRAPPED = text("""
UPDATE conversation_key AS k SET wrapped = new.wrapped, master = :newest
FROM unnest(cast(:numbers AS uuid[]), cast(:wrapped AS bytea[])) AS new (number, wrapped)
WHERE k.number = new.number
""")


class NothingNewer(BotError):
    """No newer master key is there, and none can be made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How many conversations' keys a version of the master key has wrapped."""

    version: int
    keys: int


async def uses(engine: AsyncEngine, *, masters: MasterKeys) -> list[Use]:
    """Which versions are in use, and the newest whether or not it is; newest first."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT master, count(*) AS keys FROM conversation_key GROUP BY master")
        )
        counted = {await masters.newest(): 0, **{row.master: row.keys for row in rows}}
    return [Use(version=version, keys=counted[version]) for version in sorted(counted, reverse=True)]


async def prepare(engine: AsyncEngine, *, masters: MasterKeys) -> int:
    """How many keys are to be wrapped anew; makes a newer version unless one is there that not all use."""
    newest, *older = await uses(engine, masters=masters)
    waiting = sum(use.keys for use in older)
    if waiting:
        return waiting
    if not isinstance(masters, FileKeys):
        raise NothingNewer(
            f"Everything uses master key {newest.version}. Add {newest.version + 1}:… to"
            " PORCHLIGHT_MASTER_KEYS in every process, restart them, and run this again."
        )
    masters.add()
    return newest.keys


async def rotate(
    engine: AsyncEngine, *, masters: MasterKeys, keys: Keys, done: Callable[[int], None]
) -> None:
    """Wrap every key anew by the newest master key; ``done`` is told how many each batch was."""
    newest = await masters.newest()
    while True:
        async with engine.begin() as connection:
            rows = (await connection.execute(_OLDER, {"newest": newest, "batch": _BATCH})).all()
            fresh = [await keys.rewrap(row.conversation_id, _stored(row)) for row in rows]
            await connection.execute(
                _REWRAPPED,
                {
                    "numbers": [key.number for key in fresh],
                    "wrapped": [key.wrapped for key in fresh],
                    "newest": newest,
                },
            )
        done(len(rows))
        if not rows:
            return


def _stored(row: Row[Any]) -> WrappedKey:
    return WrappedKey(number=row.number, wrapped=row.wrapped, master=row.master)
