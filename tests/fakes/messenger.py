"""What the fake messengers share: faults to order, and visitors who see what the bot says.

A fake is a context manager and may be used from synchronous and asynchronous tests alike::

    with FakeTelegram() as telegram:              # or FakeViber()
        child = telegram.visitor(language="ru")
        child.writes("хочу умереть")              # returns at once
        seen = await child.sees()                 # the next message not looked at yet; seen.text, seen.titles
        child.presses("Соединить с человеком")    # the newest button with this title
        telegram.fail(TooMany(after=3), Broken(), method="sendMessage")   # the next calls, one fault each

Asynchronous: ``sees``, ``sees_until_quiet``. Everything else returns at once.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from tests.fakes.server import Answer, Asked, ConnectionDropped, ThreadServer

T = TypeVar("T")

# Never used on the loopback address, but httpx would load all certificates for each client.
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

#: How long a visitor waits for an answer.
PATIENCE_SECONDS = 30.0

#: How long the fake waits before it posts to a webhook again.
AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany:
    """Too many requests; Telegram says after how many seconds to come back, Viber does not."""

    after: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A server error without JSON of the platform's shape."""

    status: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangs:
    """No answer for so long, then the connection ends."""

    seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drops:
    """The connection ends without an answer, before or after the call was carried out."""

    afterwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """The platform's error of this code, with its own words."""

    code: int
    words: str


Fault = TooMany | Broken | Hangs | Drops | Says


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A file in a chat: its bytes, or the address that the phone fetches them from."""

    name: str
    content: bytes = b""
    address: str = ""
    is_picture: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One message of the bot as a visitor sees it; ``rows`` are the button titles as they stand."""

    text: str
    rows: tuple[tuple[str, ...], ...] = ()
    #: What of it is shown in bold, and the address behind words that are a link.
    bold: tuple[str, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    #: What each button sends back, by title.
    payloads: dict[str, str] = field(default_factory=dict)
    #: The file that came with it, if any; ``text`` is what stands below it.
    file: SeenFile | None = None
    #: The message as the platform received it.
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def titles(self) -> tuple[str, ...]:
        """All buttons."""
        return tuple(title for row in self.rows for title in row)


class FakeMessenger:
    """A messenger's server; subclasses answer its calls."""

    def __init__(self) -> None:
        self.server = ThreadServer(self._asked)
        self._faults: dict[str, deque[Fault | None]] = defaultdict(deque)
        self._calls: list[tuple[str, dict[str, Any]]] = []
        self._news = asyncio.Condition()
        self._webhook_statuses: list[int] = []
        self._twice = 0

    @property
    def url(self) -> str:
        """Where the API is, for ``PORCHLIGHT_TELEGRAM_API_URL`` or ``PORCHLIGHT_VIBER_API_URL``."""
        return self.server.url

    @property
    def webhook_statuses(self) -> Sequence[int]:
        """What our webhook answered, in order."""
        return tuple(self._webhook_statuses)

    def __enter__(self) -> Self:
        """Start."""
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.server.stop()

    def fail(self, *faults: Fault | None, method: str) -> None:
        """Let the next calls of this method fail, one fault each; None lets one pass."""
        self.do(lambda: self._faults[method].extend(faults))

    def deliver_twice(self, times: int = 1) -> None:
        """Deliver each of the next things that visitors do twice."""

        def order() -> None:
            self._twice += times

        self.do(order)

    def calls(self, method: str) -> list[dict[str, Any]]:
        """The parameters of all calls of this method so far, also of those that failed."""
        return [parameters for name, parameters in tuple(self._calls) if name == method]

    @property
    def methods(self) -> frozenset[str]:
        """The names of everything that was called so far."""
        return frozenset(name for name, _ in tuple(self._calls))

    async def called(self, method: str, *, times: int = 1) -> list[dict[str, Any]]:
        """The parameters, once the method was called so often."""
        await self.server.wait(self._until(lambda: len(self.calls(method)) >= times))
        return self.calls(method)

    def do(self, change: Callable[[], T]) -> T:
        """Change something in the server's thread."""

        async def changed() -> T:
            async with self._news:
                result = change()
                self._news.notify_all()
            return result

        return self.server.run(changed())

    async def _until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._news:
            await self._news.wait_for(true)

    async def _post(self, url: str, *, body: bytes, headers: dict[str, str]) -> httpx.Response | None:
        """Post to our webhook until it is taken; None if it was refused for good."""
        async with httpx.AsyncClient(trust_env=False, verify=_TLS, timeout=PATIENCE_SECONDS) as http:
            while True:
                try:
                    answer = await http.post(url, content=body, headers=headers)
                except httpx.HTTPError:
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
                async with self._news:
                    self._webhook_statuses.append(answer.status_code)
                    self._news.notify_all()
                if answer.is_success:
                    return answer
                if answer.is_client_error:
                    return None
                await asyncio.sleep(AGAIN_SECONDS)

    async def _asked(self, asked: Asked) -> Answer:
        method, parameters = self._read(asked)
        async with self._news:
            self._calls.append((method, parameters))
            self._news.notify_all()
        fault = self._faults[method].popleft() if self._faults[method] else None
        match fault:
            case None:
                return await self._carry_out(method, parameters, asked)
            case Hangs():
                await asyncio.sleep(fault.seconds)
                raise ConnectionDropped
            case Drops():
                if fault.afterwards:
                    await self._carry_out(method, parameters, asked)
                raise ConnectionDropped
            case Broken():
                return Answer(status=fault.status, body="<html>Bad luck</html>")
            case _:
                return self._refusal(fault)

    def _read(self, asked: Asked) -> tuple[str, dict[str, Any]]:
        raise NotImplementedError

    async def _carry_out(self, method: str, parameters: dict[str, Any], asked: Asked) -> Answer:
        raise NotImplementedError

    def _refusal(self, fault: TooMany | Says) -> Answer:
        raise NotImplementedError


class FakeVisitor:
    """What visitors of all messengers can do: look at what the bot says."""

    def __init__(self, messenger: FakeMessenger) -> None:
        self._messenger = messenger
        self._seen: list[Seen] = []
        self._looked = 0

    @property
    def said(self) -> Sequence[Seen]:
        """Every message of the bot so far."""
        return tuple(self._seen)

    async def sees(self, *, containing: str = "", within: float = PATIENCE_SECONDS) -> Seen:
        """The next message that was not looked at yet (and has these words; others are skipped)."""
        return await self._messenger.server.wait(self._next(containing, within))

    async def sees_until_quiet(self, seconds: float = 0.5) -> list[Seen]:
        """All messages until nothing came for so long; at least one."""
        seen = [await self.sees()]
        while True:
            try:
                seen.append(await self.sees(within=seconds))
            except TimeoutError:
                return seen

    def _button(self, title: str) -> tuple[Seen, str]:
        for message in reversed(self._seen):
            if title in message.payloads:
                return message, message.payloads[title]
        titles = [message.titles for message in self._seen]
        raise AssertionError(f"there is no button {title!r} among {titles}")

    async def _next(self, containing: str, within: float) -> Seen:
        async with asyncio.timeout(within), self._messenger._news:
            while True:
                await self._messenger._news.wait_for(lambda: self._looked < len(self._seen))
                message = self._seen[self._looked]
                self._looked += 1
                if containing in message.text:
                    return message
