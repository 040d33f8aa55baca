"""How the referral service reaches its PostgreSQL, and how its tables come to be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import DateTime, LargeBinary, MetaData, Text, Uuid, create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

#: Only a dialect: the address is given to libpq as it is, so every form it knows works, sockets included.
_DIALECT = "postgresql+psycopg://"
#: Connections that requests share; beyond them a request waits up to five seconds.
POOL_SIZE = 10
POOL_WAIT_SECONDS = 5

#: A connection whose other end has vanished without a word is noticed and given up.
LIVELY: Mapping[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # Milliseconds.
}

Sessions = async_sessionmaker[AsyncSession]


class Base(DeclarativeBase):
    """What all tables have in common."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this from the class and expects it plain.
        str: Text(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
    }


def open_engine(url: str) -> AsyncEngine:
    """A pool of connections to ``url``; nothing is connected yet."""

    async def connect() -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(url, **LIVELY)

    return create_async_engine(
        _DIALECT,
        async_creator=connect,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=True,
        # An error's text would otherwise carry the values of the failed statement into the log.
        hide_parameters=True,
    )


def sessions_of(engine: AsyncEngine) -> Sessions:
    """Makes sessions whose objects stay readable after their transaction."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def transaction(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """One unit of work: everything holds when the block ends, nothing when it raises."""
    async with sessions.begin() as session:
        yield session


def migrate(url: str) -> None:
    """Bring the database to the newest form; safe to run again and by several processes at once."""
    engine = _sync_engine(url)
    try:
        with engine.begin() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def is_behind(revision: str | None) -> bool:
    """Whether tables of this version lack what this program needs; those of a newer program do not."""
    scripts = ScriptDirectory.from_config(_alembic())
    known = {script.revision for script in scripts.walk_revisions()}
    return revision is None or (revision in known and revision != scripts.get_current_head())


def _sync_engine(url: str) -> Engine:
    return create_engine(_DIALECT, creator=lambda: psycopg.connect(url), hide_parameters=True)


def _alembic() -> Config:
    config = Config()
    # Alembic reads a percent sign as interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
