"""A client that costs little, so that what is measured is the product and not the one who measures it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self
from urllib.parse import urlsplit


class Connection:
    """One kept-alive HTTP/1.1 connection to a server on this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to the server of this address."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        return cls(reader, writer, parts.netloc)

    async def post(self, path: str, body: Mapping[str, Any], *, token: str = "") -> Any:
        """Send JSON, read JSON; raises ``ConnectionError`` when the answer is no success."""
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: application/json\r\n"
        await self._send(head + f"content-length: {len(content)}\r\n", token, content)
        length = await self._read_head()
        return json.loads(await self._reader.readexactly(length))

    async def events(self, path: str, *, token: str) -> AsyncIterator[dict[str, Any]]:
        """The data of each server-sent event, for ever."""
        await self._send(f"GET {path} HTTP/1.1\r\nhost: {self._host}\r\n", token, b"")
        await self._read_head()
        while line := await self._reader.readline():
            if line.startswith(b"data:"):
                yield json.loads(line.removeprefix(b"data:"))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _send(self, head: str, token: str, content: bytes) -> None:
        bearer = f"authorization: Bearer {token}\r\n" if token else ""
        self._writer.write(f"{head}{bearer}\r\n".encode() + content)
        await self._writer.drain()

    async def _read_head(self) -> int:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        if not head.startswith("http/1.1 2"):
            raise ConnectionError(head.splitlines()[0])
        lines = (line.partition(":") for line in head.splitlines()[1:])
        return next((int(value) for name, _, value in lines if name == "content-length"), 0)
