"""A wire between two parts of the product that a test can spoil."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path

_CHUNK = 64 * 1024
_LATENCY_SECONDS = 0.5
_DRIP_SECONDS = 1.0
#: What an overloaded server and a broken one say to HTTP.
_REFUSALS = {
    "too_many": b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\n",
    "broken": b"HTTP/1.1 502 Bad Gateway\r\n",
}


class Fault(StrEnum):
    """What can be wrong with a wire."""

    #: Everything arrives, half a second late.
    LATENCY = "latency"
    #: Connections are reset, old and new ones.
    RESET = "reset"
    #: What is sent is taken, and nothing comes back; a connection that met this is reset when it is over.
    HALF_OPEN = "half_open"
    #: The answer comes a byte a second.
    SLOW_LORIS = "slow_loris"
    #: The other side has too much to do: 429 with Retry-After.
    TOO_MANY = "too_many"
    #: The other side is broken: 502.
    BROKEN = "broken"


class Proxy:
    """Listens on the loopback address and passes on to ``target``: a port, or a socket in the file system."""

    def __init__(self) -> None:
        self.target: int | Path = 0
        self.port = 0
        self._fault: Fault | None = None
        self._over = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.contextmanager
    def spoilt(self, fault: Fault) -> Iterator[None]:
        """Have this fault meanwhile."""
        self._fault = fault
        self._over.clear()
        if fault is Fault.RESET:
            for writer in self._writers:
                writer.transport.abort()
        try:
            yield
        finally:
            self._fault = None
            self._over.set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side is gone."""
        if self._fault is Fault.RESET:
            writer.transport.abort()
            return
        try:
            there, back = await self._reach()
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        ways = [self._pass_on(reader, back, answers=writer), self._return(there, writer)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writers -= {writer, back}
            writer.close()
            back.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(str(self.target))
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self._fault is Fault.HALF_OPEN:
                await self._over.wait()
                return
            if self._fault and (refusal := _REFUSALS.get(self._fault)):
                answers.write(refusal + b"content-length: 0\r\nconnection: close\r\n\r\n")
                await answers.drain()
                return
            if self._fault is Fault.LATENCY:
                await asyncio.sleep(_LATENCY_SECONDS)
            writer.write(data)
            await writer.drain()

    async def _return(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self._fault is Fault.HALF_OPEN:
                await self._over.wait()
                return
            while self._fault is Fault.SLOW_LORIS and data:
                writer.write(data[:1])
                data = data[1:]
                await asyncio.sleep(_DRIP_SECONDS)
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def proxy() -> AsyncIterator[Proxy]:
    """A wire whose other end is said later."""
    wire = Proxy()
    server = await asyncio.start_server(wire.connected, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        for writer in list(wire._writers):
            writer.transport.abort()
