"""A mail server on the loopback address that keeps what it is given, and can be told to refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_string, policy
from email.message import EmailMessage


@dataclass(slots=True)
class FakeMail:
    """As much of SMTP (RFC 5321) as a client needs to hand in a message, without encryption or sign-in."""

    #: What it has taken, in order.
    mails: list[EmailMessage] = field(default_factory=list)
    #: To whom, beside each of them.
    recipients: list[list[str]] = field(default_factory=list)
    #: How many of the next messages it refuses for the moment.
    refuses: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Its address while the block runs."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to: list[str] = []
        writer.write(b"220 mail.test ESMTP\r\n")
        while command := (await reader.readline()).decode().strip():
            match command.partition(" ")[0].upper():
                case "EHLO":
                    answer = "250-mail.test\r\n250 8BITMIME"
                case "RCPT":
                    to.append(command.partition("<")[2].partition(">")[0])
                    answer = "250 OK"
                case "DATA":
                    writer.write(b"354 Go ahead\r\n")
                    answer = self._take((await reader.readuntil(b"\r\n.\r\n")).decode(), to)
                    to = []
                case "QUIT":
                    writer.write(b"221 Bye\r\n")
                    return
                case _:
                    answer = "250 OK"
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()

    def _take(self, data: str, to: list[str]) -> str:
        if self.refuses:
            self.refuses -= 1
            return "451 Try again later"
        # The dot that ends a message is not part of it, and one that begins a line was doubled.
        text = data.removesuffix(".\r\n").replace("\r\n..", "\r\n.")
        self.mails.append(message_from_string(text, EmailMessage, policy=policy.default))
        self.recipients.append(to)
        return "250 Taken"
