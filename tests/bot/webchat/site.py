"""A small server with the real web chat, and somebody who answers as the bot's worker would."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from sqlalchemy import text

from bot.config import Settings
from bot.first_aid import FirstAid, Reception
from bot.presence import Presence
from bot.privacy import Privacy
from bot.referral_client import ReferralClient
from bot.store import Effect, Store, Waiting, open_engine
from bot.webchat import numbers, page
from bot.webchat.hub import Hub
from bot.webchat.routes import WebChat
from flows.loader import load
from flows.model import Book
from flows.safety import Lexicon, load_lexicons
from tests.bot.conftest import SECRET

CONTENT = Path(__file__).parents[3] / "flows"

_LOOK_SECONDS = 0.04

Said = Mapping[str, Any]

#: What the stand-in says to a visitor who has just come.
HELLO: Mapping[str, str] = {
    "en": "Hi. I am Porchlight. I am a program, not a person. You can write to me at any moment.",
    "ru": "Привет. Я Porchlight, программа, а не человек. Писать мне можно в любой момент, своими словами.",
    "be": "Прывітанне. Я Porchlight, праграма, а не чалавек. Пісаць мне можна ў любы момант, сваімі словамі.",
    "bn": "হাই। আমি Porchlight। আমি একটা প্রোগ্রাম, মানুষ না। যখন খুশি নিজের ভাষায় লিখতে পারো।",
}
WHO: Mapping[str, tuple[str, Sequence[str]]] = {
    "en": ("Who are you?", ("I'm under 13", "I'm 13 to 17", "I'm a parent", "I work at a school")),
    "ru": ("Кто ты?", ("Мне меньше 13", "Мне 13–17", "Я родитель", "Я работаю в школе")),
    "be": ("Хто ты?", ("Мне менш за 13", "Мне 13–17", "Я маці або бацька", "Я працую ў школе")),
    "bn": ("তুমি কে?", ("আমার বয়স ১৩-র কম", "আমার বয়স ১৩–১৭", "আমি মা বা বাবা", "আমি স্কুলে কাজ করি")),
}


def say(words: str, *titles: str, sender: str = "bot", locale: str = "en") -> Said:
    """One message, with a button for each title."""
    choices = [{"title": title, "payload": f"i:button_{number}"} for number, title in enumerate(titles)]
    return {"text": words, "choices": choices, "sender": sender, "key": "", "locale": locale}


@cache
def book() -> Book:
    """The real content, which takes a while to read."""
    return load(CONTENT)


@cache
def lexicon() -> Lexicon:
    """The real words of danger."""
    return load_lexicons(CONTENT / "lexicons")


@dataclass(slots=True, kw_only=True)
class StandIn:
    """Answers what lies in the inbox through the store; ``answers`` maps words to what is said to them."""

    store: Store
    answers: dict[str, Sequence[Said]] = field(default_factory=dict)
    #: Everything that reached the inbox, in order: texts and payloads.
    received: list[str] = field(default_factory=list)
    #: Whose words were answered last.
    spoke_with: UUID | None = None
    #: What visitors told when they began.
    begun: list[Mapping[str, Any]] = field(default_factory=list)

    async def work(self) -> None:
        """Answer until cancelled."""
        while True:
            async with self.store.transaction() as connection:
                waiting = await connection.scalars(
                    text("SELECT DISTINCT conversation_id FROM inbox WHERE done_at IS NULL")
                )
                conversations = list(waiting)
            for pseudonym in conversations:
                await self._answer(pseudonym)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _answer(self, pseudonym: UUID) -> None:
        self.spoke_with = pseudonym
        for message in (await self.store.backlog(pseudonym, most=50)).messages:
            conversation = await self.store.conversation(pseudonym)
            assert conversation is not None
            said = self._said(message)
            async with self.store.transaction() as connection:
                await self.store.keep_turn(
                    connection,
                    conversation,
                    number=message.number,
                    state="{}",
                    effects=[
                        Effect(lane="channel", kind="hand" if "document" in one else "say", payload=dict(one))
                        for one in said
                    ],
                )

    def _said(self, message: Waiting) -> Sequence[Said]:
        event = message.event
        if event["kind"] == "started":
            self.begun.append(event)
            locale = event["locale"] or "en"
            question, titles = WHO[locale]
            return [say(HELLO[locale], locale=locale), say(question, *titles, locale=locale)]
        self.received.append(event["text"])
        return self.answers.get(event["text"], [say(f"You wrote: {event['text']}")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The running server."""

    url: str
    stand_in: StandIn


@asynccontextmanager
async def running_site(database_url: str, *, listening: bool = True) -> AsyncIterator[Site]:
    """The page and the chat on this database; without ``listening`` the database is known to be away."""
    engine = open_engine(database_url)
    privacy = Privacy(SECRET)
    store = Store(engine, privacy=privacy)
    stand_in = StandIn(store=store)
    hub = Hub(database_url)
    app = _app(privacy=privacy, store=store, hub=hub, url=database_url)
    async with serving(app) as url:
        tasks = [asyncio.create_task(job) for job in ((hub.listen(), stand_in.work()) if listening else ())]
        try:
            yield Site(url=url, stand_in=stand_in)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await engine.dispose()


@asynccontextmanager
async def school(widget: str, *, attributes: str = "", css: str = "", policy: str = "") -> AsyncIterator[str]:
    """The address of a school's page, on an origin of its own, that embeds the widget."""
    headers = {"content-security-policy": policy} if policy else {}
    style = f"<style>{css}</style>" if css else ""
    app = FastAPI()

    @app.get("/")
    async def home() -> HTMLResponse:
        return HTMLResponse(
            '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">'
            f'<title>School 7</title><link rel="icon" href="data:,">{style}<h1>School 7</h1>'
            f'<p><a href="#">Timetable</a></p><script src="{widget}" async {attributes}></script>',
            headers=headers,
        )

    async with serving(app) as url:
        # Another name for the same machine is another site to a browser.
        yield url.replace("127.0.0.1", "localhost")


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve the application on a free port of the loopback address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    # uvicorn would take the signals of the test run for its own.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it.
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def _app(*, privacy: Privacy, store: Store, hub: Hub, url: str) -> FastAPI:
    settings = Settings(database_url=url, secret_key=SECRET, service_secret="whsec_dGVzdA==")
    first_aid = FirstAid(
        book=book(),
        lexicon=lexicon(),
        countries=settings.countries,
        locale=settings.locale,
        country=settings.country,
    )
    reception = Reception(store=store, first_aid=first_aid, channels={})
    presence = Presence(
        store=store,
        privacy=privacy,
        referral=ReferralClient(settings.referral_url, secret=settings.service_secret),
    )
    chat = WebChat(
        privacy=privacy, store=store, reception=reception, first_aid=first_aid, hub=hub, presence=presence
    )
    app = FastAPI()
    app.include_router(chat.router())
    app.include_router(
        page.router(
            settings,
            numbers=numbers.shown(book(), countries=settings.countries),
            dial=numbers.short(book()),
        )
    )
    return app
