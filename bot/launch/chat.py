"""What does a conversation look like from a terminal or a script?

A script's lines are sent one by one, each after the bot has said all it had to say to the one before, so the
output of a script is the same every time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console

from bot.launch.errors import LaunchError

#: The first answer to a line may take this long; a model that has just started is slow once.
ANSWER_WITHIN_SECONDS = 20.0
#: The bot sends the messages of one turn one after another; after this silence the turn is over.
TURN_OVER_AFTER_SECONDS = 0.7

Message = dict[str, Any]
Show = Callable[[Message], None]


class ChatRefused(LaunchError):
    """The bot did not take a message."""


@dataclass(slots=True)
class Conversation:
    """One web-chat conversation over HTTP."""

    http: httpx.AsyncClient
    show: Show
    #: Where documents are put.
    folder: Path
    token: str = ""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    #: The buttons of the newest message that had any.
    choices: list[dict[str, str]] = field(default_factory=list)

    async def begin(self, *, locale: str | None) -> None:
        """Open the conversation; the bot greets."""
        answer = await self.http.post("/chat/v1/conversations", json={"locale": locale} if locale else {})
        body = _body(answer)
        self.token = body.get("token", "")
        self._show_out_of_order(body)

    async def say(self, line: str) -> None:
        """Send a line: the number of a button presses it, anything else is text."""
        pressed = int(line) - 1 if line.isascii() and line.isdigit() else -1
        number = uuid4().hex
        if 0 <= pressed < len(self.choices):
            message = {"id": number, "payload": self.choices[pressed]["payload"]}
        else:
            message = {"id": number, "text": line}
        self.heard.clear()
        answer = await self.http.post("/chat/v1/messages", json=message, headers=self._authorization())
        self._show_out_of_order(_body(answer))

    async def turn_over(self) -> None:
        """Wait until the bot has said what it had to say."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.heard.wait(), ANSWER_WITHIN_SECONDS)
            while True:
                self.heard.clear()
                await asyncio.wait_for(self.heard.wait(), TURN_OVER_AFTER_SECONDS)

    async def listen(self) -> None:
        """Show messages as they come, for ever; a broken connection is taken up where it ended."""
        last = ""
        while True:
            headers = self._authorization() | ({"Last-Event-ID": last} if last else {})
            with contextlib.suppress(httpx.HTTPError):
                async with self.http.stream(
                    "GET", "/chat/v1/events", headers=headers, timeout=httpx.Timeout(10, read=60)
                ) as stream:
                    async for number, message in _events(stream):
                        last = number or last
                        self._hear(message | await self._fetched(message))
            await asyncio.sleep(0.5)

    async def _fetched(self, message: Message) -> Message:
        """Where a document that came with this message now lies; nothing where none came."""
        if not message.get("document"):
            return {}
        try:
            answer = await self.http.get(message["document"]["address"])
        except httpx.HTTPError:
            return {"text": f"{message['text']}: it could not be fetched."}
        if not answer.is_success:
            return {"text": f"{message['text']}: {answer.text.strip()}"}
        file = _free(self.folder / Path(message["document"]["name"]).name)
        file.write_bytes(answer.content)
        return {"file": str(file)}

    def _hear(self, message: Message) -> None:
        self.choices = message.get("choices") or self.choices
        self.show(message)
        self.heard.set()

    def _show_out_of_order(self, body: Message) -> None:
        for message in body.get("messages", []):
            self._hear(message)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


async def chat(url: str, *, locale: str | None, as_json: bool) -> None:
    """Talk until standard input ends; only the bot's words go to standard output."""
    interactive = sys.stdin.isatty()
    show = _show_json if as_json else _show_to_people(Console())
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        conversation = Conversation(http, show, folder=Path.cwd())
        await conversation.begin(locale=locale)
        listening = asyncio.create_task(conversation.listen())
        try:
            await conversation.turn_over()
            if interactive:
                sys.stderr.write("Write, or press a button by its number. Ctrl-D ends.\n")
            async for line in _lines():
                await conversation.say(line)
                if not interactive:
                    await conversation.turn_over()
            await asyncio.sleep(0)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _lines() -> AsyncIterator[str]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        if text := line.strip():
            yield text


async def _events(stream: httpx.Response) -> AsyncIterator[tuple[str, Message]]:
    """Server-sent events: the id and the message of each."""
    if stream.status_code != httpx.codes.OK:
        raise httpx.HTTPStatusError("refused", request=stream.request, response=stream)
    number, data = "", ""
    async for line in stream.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            number = value
        elif name == "data":
            data += value
        elif not line and data:
            yield number, json.loads(data)
            number, data = "", ""


def _body(answer: httpx.Response) -> Message:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if answer.is_error and not body.get("messages"):
        raise ChatRefused(f"The bot answered {answer.status_code}: {body.get('detail', 'no reason given')}")
    return dict(body)


def _free(file: Path) -> Path:
    """This file, or one beside it that does not exist yet."""
    names = (file.with_stem(f"{file.stem}-{number}") for number in count(2))
    return file if not file.exists() else next(name for name in names if not name.exists())


def _show_json(message: Message) -> None:
    shown = {name: message.get(name) for name in ("id", "type", "text", "choices", "from")}
    if "file" in message:
        shown["file"] = message["file"]
    sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _show_to_people(console: Console) -> Show:
    def show(message: Message) -> None:
        who = "helpline" if message.get("from") == "operator" else "porchlight"
        console.print(f"[bold yellow]{who}[/]", highlight=False)
        console.print(message["text"], markup=False, highlight=False)
        if "file" in message:
            console.print(f"  saved as {message['file']}", markup=False, highlight=False)
        for number, choice in enumerate(message.get("choices") or [], start=1):
            console.print(f"  {number}  {choice['title']}", markup=False, highlight=False)
        console.print()

    return show
