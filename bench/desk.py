"""Is the desk fast enough for a big helpline? 50 operators with open pages, and 2,000 open cases.

Every operator goes round: looks at the desk, takes the next case, writes to the visitor, gives it back, with
the pauses of somebody who is in a hurry. Meanwhile other operators write to children on the web chat. What is
measured is what the browser and the child wait for, with everything running on the one machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Self
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

import httpx
import psycopg
import uvicorn
from rich.console import Console
from rich.progress import Progress
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.load import PATIENCE_SECONDS, Unanswered, Visitor, visitors
from bot.launch.ports import free_port
from bot.launch.processes import Supervisor
from bot.launch.services import Ports, Product, product
from bot.launch.site import PREFIX, Site
from referral.cases.desk import Desk
from referral.cases.intake import Intake
from referral.cases.rules import DangerLevel
from referral.cases.schemas import EarlierMessage, NewCase
from referral.database import open_engine, sessions_of, transaction
from referral.operators.repository import OperatorRepository
from referral.operators.rules import Role
from referral.operators.tables import Operator
from referral.operators.tables import Session as SignedInSession
from referral.privacy import Privacy

OPERATORS = 50
CASES = 2_000
#: So many cases each operator holds besides the one that they take.
HELD_EACH = 3
#: Children on the web chat, each with an operator of their own who writes to nobody else.
TALKS = 5
#: The pauses of a round, in seconds; each is up to half longer or shorter, so that nobody acts in step.
PAUSES = (2.0, 3.0, 3.0, 2.0)
WRITES_EVERY = 2.0
_KEPT_ALIVE = 4.0

_LEVELS = (
    (DangerLevel.NONE,) * 8
    + (DangerLevel.CONCERN,) * 8
    + (DangerLevel.URGENT,) * 3
    + (DangerLevel.EMERGENCY,)
)


@dataclass(slots=True, kw_only=True)
class Waits:
    """Seconds that somebody waited, by what for."""

    desk_page: list[float] = field(default_factory=list)
    take_next: list[float] = field(default_factory=list)
    relay: list[float] = field(default_factory=list)
    #: The machine's load average over a minute, at the end.
    load: float = 0.0


class Browser:
    """A signed-in operator: one connection for what they do, and one for the stream of their open page."""

    def __init__(
        self, url: str, *, cookie: str, token: str, link: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        self._url = url
        self._host = urlsplit(url).netloc
        self._cookie = cookie
        self._token = token
        self._reader, self._writer = link
        self._used_at = time.monotonic()

    @classmethod
    async def open(cls, url: str, *, cookie: str, token: str) -> Self:
        """Connect to the console."""
        parts = urlsplit(url)
        return cls(
            url, cookie=cookie, token=token, link=await asyncio.open_connection(parts.hostname, parts.port)
        )

    async def see(self, path: str) -> bytes:
        """A page."""
        status, _, body = await self._ask("GET", path)
        if status != 200:
            raise ConnectionError(f"the console answered {status}")
        return body

    async def send(self, path: str, **fields: str) -> str:
        """A form; where it leads."""
        status, place, _ = await self._ask(
            "POST", path, urlencode({"form_token": self._token, **fields}).encode()
        )
        if status != 303:
            raise ConnectionError(f"the console answered {status}")
        return place

    async def keep_open(self, path: str) -> None:
        """Follow the stream of a page until cancelled, as the page does."""
        parts = urlsplit(self._url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(self._head("GET", path))
            while await reader.read(65_536):
                pass
        finally:
            writer.close()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, bytes]:
        if time.monotonic() - self._used_at > _KEPT_ALIVE:
            # The server hangs up on who is silent for five seconds; a browser then connects again as well.
            self._writer.close()
            parts = urlsplit(self._url)
            self._reader, self._writer = await asyncio.open_connection(parts.hostname, parts.port)
        self._writer.write(self._head(method, path, body))
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        answer = await self._reader.readexactly(int(fields.get("content-length", 0)))
        self._used_at = time.monotonic()
        return int(head[0].split()[1]), fields.get("location", ""), answer

    def _head(self, method: str, path: str, body: bytes = b"") -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"host: {self._host}",
            f"origin: {self._url}",
            "accept: text/html",
            f"cookie: porchlight={self._cookie}",
        ]
        if method == "POST":
            lines += ["content-type: application/x-www-form-urlencoded", f"content-length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An operator of the bench, and what their browser carries."""

    number: UUID
    cookie: str
    token: str


async def measure(*, seconds: float, console: Console) -> Waits:
    """The waits of so many seconds on a product of its own."""
    waits = Waits()
    gate = _Gate(port=free_port())
    async with _own_product(console, gate=gate) as running:
        settings = running.environment_of("referral")
        privacy = Privacy(settings["PORCHLIGHT_REFERRAL_SECRET_KEY"])
        url = settings["PORCHLIGHT_REFERRAL_DATABASE_URL"]
        with Progress(console=console, transient=True) as progress:
            filling = progress.add_task(f"{CASES} cases", total=CASES)
            people = await _fill(url, privacy=privacy, advance=lambda: progress.advance(filling))
        async with (
            gate.running(bot=running.bot_url),
            _services(running),
            visitors(running.bot_url, number=TALKS) as children,
        ):
            browsers = [
                await Browser.open(running.console_url, cookie=person.cookie, token=person.token)
                for person in people
            ]
            talks = await _talks(children, browsers[-TALKS:], url=url, gate=gate)
            console.print("Waiting until all of them are marked as late, and the bot has been told of them.")
            await _settle(url)
            async with _open_pages(browsers):
                await _load(browsers, talks, waits=waits, seconds=seconds, console=console)
            waits.load = os.getloadavg()[0]
            for browser in browsers:
                browser.close()
    return waits


async def _load(
    browsers: Sequence[Browser],
    talks: Sequence[tuple[Browser, str, Visitor]],
    *,
    waits: Waits,
    seconds: float,
    console: Console,
) -> None:
    # Streams that begin all at once are not what is measured: a shift does not come through one door.
    warm = Waits()
    for measured, name, lasts in ((warm, "Everybody sits down", 10.0), (waits, "Everybody works", seconds)):
        until = time.perf_counter() + lasts
        works = [_goes_round(browser, waits=measured, until=until) for browser in browsers[:OPERATORS]]
        works += [_writes(*talk, waits=measured, until=until) for talk in talks]
        with Progress(console=console, transient=True) as progress:
            bar = asyncio.create_task(_show(progress, name, lasts=lasts))
            await asyncio.gather(*works)
            bar.cancel()
            with suppress(asyncio.CancelledError):
                await bar


async def _show(progress: Progress, name: str, *, lasts: float) -> None:
    shown = progress.add_task(name, total=lasts)
    while True:
        await asyncio.sleep(0.5)
        progress.advance(shown, 0.5)


async def _goes_round(browser: Browser, *, waits: Waits, until: float) -> None:
    await _pause(sum(PAUSES) / 2)
    while time.perf_counter() < until:
        began = time.perf_counter()
        await browser.see("/")
        waits.desk_page.append(time.perf_counter() - began)
        await _pause(PAUSES[0])
        began = time.perf_counter()
        case = await browser.send("/take-next")
        waits.take_next.append(time.perf_counter() - began)
        await _pause(PAUSES[1])
        await browser.send(f"{case}/messages", entry=str(uuid4()), words="I am here. Are you safe now?")
        await _pause(PAUSES[2])
        await browser.send(f"{case}/release")
        await _pause(PAUSES[3])


async def _writes(browser: Browser, case: str, child: Visitor, *, waits: Waits, until: float) -> None:
    while time.perf_counter() < until:
        await _pause(WRITES_EVERY)
        words = f"message {uuid4().hex}"
        began = time.perf_counter()
        await asyncio.gather(
            browser.send(f"{case}/messages", entry=str(uuid4()), words=words), _reads(child, words)
        )
        waits.relay.append(time.perf_counter() - began)


async def _reads(child: Visitor, words: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await child.heard.get())["text"] != words:
                pass
    except TimeoutError as error:
        raise Unanswered from error


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311 - nobody gains by guessing it.


async def _talks(
    children: Sequence[Visitor], browsers: Sequence[Browser], *, url: str, gate: _Gate
) -> list[tuple[Browser, str, Visitor]]:
    """Each child asks for a person, and a supervisor of the bench takes exactly that case."""
    talks = []
    known: set[UUID] = set()
    for child, browser in zip(children, browsers, strict=True):
        await child.ask({"payload": "i:talk_to_human"})
        await child.ask({"payload": "n:handover:offer:yes"})
        await child.ask({"payload": "n:handover:others:no"})
        case = await _newest(url, known=known)
        known.add(case)
        gate.known.add(str(case))
        place = await browser.send(f"/cases/{case}/pick", reason="the bench measures this talk")
        talks.append((browser, place, child))
    return talks


async def _newest(url: str, *, known: set[UUID]) -> UUID:
    until = time.monotonic() + PATIENCE_SECONDS
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while time.monotonic() < until:
            cursor = await connection.execute("""SELECT id FROM "case" WHERE channel = 'web'""")
            for (number,) in await cursor.fetchall():
                if number not in known:
                    return UUID(str(number))
            await asyncio.sleep(0.1)
    raise Unanswered


async def _settle(url: str) -> None:
    """Wait until the desk has done what 2,000 cases that appear at one instant give it to do."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(
                """SELECT EXISTS (SELECT FROM "case" WHERE due_at <= now() AND overdue_at IS NULL)
                       OR EXISTS (SELECT FROM event WHERE delivered_at IS NULL AND dropped_at IS NULL)"""
            )
            if await cursor.fetchone() == (False,):
                return
            await asyncio.sleep(0.5)


@asynccontextmanager
async def _open_pages(browsers: Iterable[Browser]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(browser.keep_open("/stream")) for browser in browsers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _fill(url: str, *, privacy: Privacy, advance: Callable[[], None]) -> list[Person]:
    """Operators who are signed in and hold cases, and a long line; written by the desk's own code."""
    engine = open_engine(url)
    sessions = sessions_of(engine)
    now = datetime.now(UTC)
    people = []
    async with transaction(sessions) as session:
        operators = OperatorRepository(session)
        for place in range(OPERATORS + TALKS):
            role = Role.OPERATOR if place < OPERATORS else Role.SUPERVISOR
            number, cookie = uuid4(), token_urlsafe(32)
            await operators.add(Operator(number=number, name=f"operator{place}", role=role))
            key = sha256(cookie.encode()).digest()
            session.add(
                SignedInSession(
                    token_hash=key, operator_id=number, started_at=now, seen_at=now, second_factor=True
                )
            )
            people.append(Person(number=number, cookie=cookie, token=privacy.form_token(key)))
    for begin in range(0, CASES, 50):
        async with transaction(sessions) as session:
            for place in range(begin, begin + 50):
                # They came over the last hours, the oldest first.
                at = now - timedelta(seconds=10 * (CASES - place))
                intake = Intake(session, privacy=privacy, now=at)
                await intake.open(_case(_LEVELS[place % len(_LEVELS)], at=at))
                advance()
    for person in people[:OPERATORS]:
        for _ in range(HELD_EACH):
            async with transaction(sessions) as session:
                desk = Desk(session, operator=person.number, privacy=privacy, now=now)
                case = await desk.take_next()
                assert case is not None, "there are more cases than operators"  # noqa: S101
                await desk.write(case.number, entry=uuid4(), words="I am here.")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("ANALYZE")
    await engine.dispose()
    return people


def _case(danger: DangerLevel, *, at: datetime) -> NewCase:
    said = tuple(
        EarlierMessage(id=uuid4(), sender=sender, text="Everyone in my class chat laughs at me.", sent_at=at)
        for sender in ("visitor", "bot", "visitor")
    )
    return NewCase(
        id=uuid4(),
        conversation=uuid4().hex,
        channel="telegram",
        locale="en",
        country="BD",
        role="child",
        danger=danger,
        reason="insults",
        opened_at=at,
        consent="You may read what I wrote.",
        card={"harm": "insults", "since": "this_week"},
        said=("insults.believe",),
        messages=said,
    )


@asynccontextmanager
async def _own_product(console: Console, *, gate: _Gate) -> AsyncIterator[Product]:
    folder = Path(tempfile.mkdtemp(prefix="porchlight-bench-"))
    site = Site.here(data=folder)
    site = site.without(*(name for name in site.settings if name.startswith(PREFIX)))
    site = replace(site, settings={**site.settings, "PORCHLIGHT_BOT_URL": gate.url})
    try:
        console.print("Starting a product of its own; the model is not needed.")
        with product(site, ports=Ports(bot=free_port(), console=free_port(), nlu=free_port())) as running:
            await running.migrate()
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Gate:
    """Where the desk believes the bot to be: takes what is for the 2,000, and passes on the rest.

    The children on the web chat are real ones of the real bot, and pay for the way through here.
    """

    def __init__(self, *, port: int) -> None:
        self._port = port
        self._bot = ""
        self.url = f"http://127.0.0.1:{port}"
        #: The cases that the bot knows.
        self.known: set[str] = set()

    @asynccontextmanager
    async def running(self, *, bot: str) -> AsyncIterator[None]:
        """Listen while the block runs."""
        self._bot = bot
        app = Starlette(routes=[Route("/referral/events", self._take, methods=["POST"])])
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=self._port, log_config=None, access_log=False)
        )
        async with httpx.AsyncClient(trust_env=False) as self._client:
            # ``serve`` would catch Ctrl-C.
            serving = asyncio.create_task(server._serve())
            try:
                yield
            finally:
                server.should_exit = True
                await serving

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if json.loads(body)["data"]["case"] not in self.known:
            return Response(status_code=202)
        kept = {
            name: value
            for name, value in request.headers.items()
            if name.startswith(("webhook-", "content-t"))
        }
        answer = await self._client.post(f"{self._bot}/referral/events", content=body, headers=kept)
        return Response(status_code=answer.status_code)


@asynccontextmanager
async def _services(running: Product) -> AsyncIterator[None]:
    supervisor = Supervisor(logs=running.site.logs)
    services = [running.referral(), running.bot_worker(), running.bot_web()]
    try:
        for service in services:
            supervisor.start(service)
        for service in services:
            await supervisor.ready(service.name)
        yield
    finally:
        await supervisor.stop()
