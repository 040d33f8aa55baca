"""Database servers that a test may kill: one that comes again, and two of which the second takes over."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg

from bot.launch.postgres import DATABASES, ROLE, EmbeddedPostgres, find_binaries
from tests.acceptance.product import free_port

START_SECONDS = 60.0


class Database(Protocol):
    """What a storm needs to know about the database server."""

    def url(self, database: str) -> str:
        """Where the product finds one of its databases, before and after."""

    def kill(self) -> None:
        """End the server that is in use as a power cut would."""

    def start(self) -> None:
        """Let the product have a server again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneServer:
    """A server that is started again on its own files."""

    server: EmbeddedPostgres

    def url(self, database: str) -> str:
        """A socket in the server's folder."""
        return self.server.url(database)

    def kill(self) -> None:
        """Kill the postmaster; its children notice and go."""
        _kill_postmaster(self.server.home / "data")

    def start(self) -> None:
        """Start it again; it recovers from its log."""
        self.server.start()


@contextmanager
def one_server() -> Iterator[OneServer]:
    """A durable server, stopped and removed at the end."""
    with _folder() as folder:
        server = EmbeddedPostgres(folder)
        server.start()
        try:
            yield OneServer(server=server)
        finally:
            server.stop()


@dataclass(slots=True, kw_only=True)
class Pair:
    """A primary that waits for its replica's disk with every commit, and the replica that replaces it."""

    folder: Path
    ports: tuple[int, int]

    def url(self, database: str) -> str:
        """Both addresses; the driver takes the one that may be written to."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"postgresql://{ROLE}@{hosts}/{database}?target_session_attrs=read-write&connect_timeout=3"

    def kill(self) -> None:
        """Kill the primary; it never comes back."""
        _kill_postmaster(self.folder / "0")

    def start(self) -> None:
        """Let the replica take over."""
        _run("pg_ctl", "promote", "-D", self.folder / "1")


@contextmanager
def pair() -> Iterator[Pair]:
    """Both servers with our two databases, stopped and removed at the end."""
    with _folder() as folder:
        both = Pair(folder=folder, ports=(free_port(), free_port()))
        first, second = folder / "0", folder / "1"
        _run("initdb", "-D", first, "-U", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        try:
            _start(first, port=both.ports[0])
            _ask(both.ports[0], *(f"CREATE DATABASE {name}" for name in DATABASES))
            primary = f"host=127.0.0.1 port={both.ports[0]} user={ROLE}"
            _run("pg_basebackup", "-d", primary, "-D", second, "-R", "--checkpoint=fast")
            _start(second, port=both.ports[1])
            # From now on nothing is acknowledged that the replica does not have; the copy has no such wish.
            _ask(both.ports[0], "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
            yield both
        finally:
            for data in (first, second):
                if (data / "postmaster.pid").exists():
                    _run("pg_ctl", "stop", "-m", "immediate", "-D", data, check=False)


def _start(data: Path, *, port: int) -> None:
    options = f"-h 127.0.0.1 -p {port} -k '' -c max_connections=100 -c shared_buffers=64MB"
    _run("pg_ctl", "start", "-w", "-D", data, "-l", data.parent / f"{data.name}.log", "-o", options)


def _ask(port: int, *statements: str) -> None:
    address = f"host=127.0.0.1 port={port} user={ROLE} dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _run(program: str, *arguments: str | Path, check: bool = True) -> None:
    """Run one of PostgreSQL's programs, as root in another account's name since it refuses root."""
    tool = find_binaries()[0].tool(program)
    account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(  # type: ignore[call-overload]
        [tool, *arguments],
        cwd="/",
        check=check,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account,
    )


def _kill_postmaster(data: Path) -> None:
    number = int((data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(number, signal.SIGKILL)
    until = time.monotonic() + START_SECONDS
    while _lives(number) and time.monotonic() < until:
        time.sleep(0.02)


def _lives(number: int) -> bool:
    try:
        return "\tZ" not in Path(f"/proc/{number}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="porchlight-test-"))
    folder.chmod(0o711)  # As root the server runs as another account, which must get to its own folder.
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
