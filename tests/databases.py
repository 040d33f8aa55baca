"""Where the tests get real PostgreSQL databases: one migrated template, copied as often as needed."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bot.launch.postgres import EmbeddedPostgres

_own: list[tuple[EmbeddedPostgres, Path]] = []


def server_url() -> str:
    """The PostgreSQL server for tests, as a URL of a database in which others may be created.

    ``PORCHLIGHT_TEST_DATABASE_URL`` names one; otherwise the first who asks starts an embedded one, which
    ``stop_own_server`` stops at the end of the session.
    """
    if url := os.environ.get("PORCHLIGHT_TEST_DATABASE_URL"):
        return url
    if not _own:
        folder = Path(tempfile.mkdtemp(prefix="porchlight-test-"))
        folder.chmod(0o711)  # As root the server runs as another account, which must get to its own folder.
        server = EmbeddedPostgres(folder, durable=False)
        server.start()
        _own.append((server, folder))
    return _own[0][0].url("postgres")


def stop_own_server() -> None:
    """Stop the embedded server, if this session started one, and remove its files."""
    while _own:
        server, folder = _own.pop()
        server.stop()
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A migrated, empty database that nobody is connected to."""

    server: str
    name: str

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        """The URL of a fresh copy, which is dropped afterwards even if somebody is still connected."""
        name = f"{self.name}_{secrets.token_hex(4)}"
        await _execute(
            self.server,
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(self.name)),
        )
        try:
            yield url_of(name, server=self.server)
        finally:
            await _drop(self.server, name)


@asynccontextmanager
async def template_database(
    purpose: str, *, migrate: Callable[[str], None], server: str | None = None
) -> AsyncIterator[Template]:
    """Create a database, run ``migrate(url)`` on it in a thread, since Alembic blocks; offer copies."""
    server = server or server_url()
    name = f"porchlight_test_{purpose}_{secrets.token_hex(4)}"
    await _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        await asyncio.to_thread(migrate, url_of(name, server=server))
        yield Template(server=server, name=name)
    finally:
        await _drop(server, name)


@asynccontextmanager
async def empty_database(purpose: str, *, server: str | None = None) -> AsyncIterator[str]:
    """The URL of a database with nothing in it, for tests of the migrations themselves."""
    async with template_database(purpose, migrate=lambda _: None, server=server) as template:
        yield url_of(template.name, server=template.server)


def url_of(name: str, *, server: str) -> str:
    """The server's URL with another database name."""
    parts = urlsplit(server)
    url = urlunsplit(parts._replace(path=f"/{name}"))
    # ``urlunsplit`` drops the empty host of a socket address, which libpq needs to see.
    return url if "://" in url else url.replace(":/", ":///", 1)


async def _drop(server: str, name: str) -> None:
    await _execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


async def _execute(server: str, statement: sql.Composed) -> None:
    # CREATE DATABASE refuses to run inside a transaction.
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
        await connection.execute(statement)
