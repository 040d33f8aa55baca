"""A busy evening during which parts of the product are killed, and what became of every message."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from bot.privacy import Privacy
from tests.acceptance.conftest import operator_of
from tests.crashes.ledger import Ledger, compare
from tests.crashes.people import Child, OnTelegram, Talk, Visitor, connected, visitor
from tests.crashes.world import World

#: Visitors who talk with the bot; together they send a hundred messages a second.
CHATTING = 90
PER_SECOND = 100.0
#: Visitors who talk with an operator on the web page and as many on Telegram, a line each way every second.
TALKING = 4
#: Visitors who come at some moment and ask for a person, whom no operator takes.
WAITING = 30
#: How long a killed part stays away: as long as a supervisor or systemd takes to notice.
AWAY_SECONDS = (0.2, 2.0)
#: After the last message everything must have arrived within so long.
SETTLE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Which part dies when, in seconds from the beginning, and when it is started again after that."""

    part: str
    at: float
    away: float


def plan(parts: Sequence[str], *, seed: int, seconds: float) -> list[Kill]:
    """Every part dies at a random moment of every half minute; the same seed gives the same plan."""
    chance = random.Random(seed)  # noqa: S311 - nobody has to guess it.
    spans = max(1, round(seconds / 30))
    length = seconds / spans
    kills = [
        Kill(part=part, at=length * (span + chance.random() * 0.9), away=chance.uniform(*AWAY_SECONDS))
        for span in range(spans)
        for part in parts
    ]
    return sorted(kills, key=lambda kill: kill.at)


async def storm(world: World, *, kills: Sequence[Kill], seconds: float) -> Mapping[str, Ledger]:
    """Let people write for so long while parts die; the ledger of each way that messages go."""
    async with _people(world) as (chatting, talks):
        asking = asyncio.create_task(_ask(world, seconds=seconds))
        writing = [asyncio.create_task(each) for each in _written(chatting, talks)]
        dying = [asyncio.create_task(_die(world, kill)) for kill in kills]
        keeping = asyncio.create_task(_keep_up(world))
        try:
            await asyncio.sleep(seconds)
            await asyncio.gather(*dying)
            await _finish(writing)
            return await _settled(world, chatting=chatting, talks=talks, waiting=await asking)
        finally:
            keeping.cancel()


def kept(way: str, ledger: Ledger) -> bool:
    """Whether this way kept its promise: once and in order; to Telegram at least once, as it knows no ids."""
    return ledger.complete and (way == "operator to Telegram" or not ledger.repeated)


@asynccontextmanager
async def _people(world: World) -> AsyncIterator[tuple[list[Visitor], list[Talk]]]:
    async with AsyncExitStack() as stack:
        bot = world.product.bot
        children: list[Child] = []
        for _ in range(TALKING):
            children.append(await stack.enter_async_context(visitor(bot)))
            children.append(OnTelegram(child=world.telegram.visitor()))
        talks = []
        for number, child in enumerate(children):
            operator = await stack.enter_async_context(operator_of(world.product, f"operator{number}"))
            talks.append(await connected(child, operator))
        yield [await stack.enter_async_context(visitor(bot)) for _ in range(CHATTING)], talks


def _written(chatting: Sequence[Visitor], talks: Sequence[Talk]) -> list[Coroutine[Any, Any, None]]:
    return [
        *(each.chat(every=CHATTING / PER_SECOND) for each in chatting),
        *(talk.visitor_writes(every=1) for talk in talks),
        *(talk.operator_writes(every=1) for talk in talks),
    ]


async def _ask(world: World, *, seconds: float) -> list[str]:
    """One visitor after the other asks for a person; their pseudonyms."""
    pseudonyms = []
    for _ in range(WAITING):
        async with visitor(world.product.bot) as child:
            await child.ask_for_a_person()
            pseudonyms.append(child.pseudonym)
        await asyncio.sleep(seconds / WAITING)
    return pseudonyms


async def _in_line(world: World, asked: Sequence[str]) -> list[str]:
    """For each who asked as often their pseudonym as the desk has cases of theirs."""
    address = world.product.environment["PORCHLIGHT_REFERRAL_DATABASE_URL"]
    async with await psycopg.AsyncConnection.connect(address) as connection:
        found = [name async for (name,) in await connection.execute('SELECT conversation FROM "case"')]
    return [name for name in asked for _ in range(found.count(name))]


async def _die(world: World, kill: Kill) -> None:
    await asyncio.sleep(kill.at)
    world.kill(kill.part)
    await asyncio.sleep(kill.away)
    await asyncio.to_thread(world.parts[kill.part])


async def _keep_up(world: World) -> None:
    """Start again what has ended by itself, as the launcher and systemd do."""
    while True:
        await asyncio.sleep(1)
        for part in world.ended():
            await asyncio.to_thread(world.parts[part])


async def _finish(writing: Sequence[asyncio.Task[None]]) -> None:
    """Stop everybody; a message that is on its way is not counted as accepted, and may arrive or not."""
    for task in writing:
        task.cancel()
    for ended in await asyncio.gather(*writing, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise AssertionError("somebody stopped writing") from ended


async def _settled(
    world: World, *, chatting: Sequence[Visitor], talks: Sequence[Talk], waiting: Sequence[str]
) -> Mapping[str, Ledger]:
    """The ledgers once they hold, or as they stand when the patience is over."""
    for _ in range(int(SETTLE_SECONDS)):
        ledgers = await _ledgers(world, chatting=chatting, talks=talks, waiting=waiting)
        if all(map(kept, ledgers, ledgers.values())):
            # What would arrive twice does so now.
            await asyncio.sleep(3)
            return await _ledgers(world, chatting=chatting, talks=talks, waiting=waiting)
        await asyncio.sleep(1)
    return ledgers


async def _ledgers(
    world: World, *, chatting: Sequence[Visitor], talks: Sequence[Talk], waiting: Sequence[str]
) -> Mapping[str, Ledger]:
    answers = await _answers(world)
    ways = {
        "visitor to bot and back": [_answered(world, each, answers=answers) for each in chatting],
        "visitor to queue": [compare(waiting, await _in_line(world, waiting))],
    }
    for talk in talks:
        channel = "Telegram" if isinstance(talk.visitor, OnTelegram) else "web"
        read = await talk.read_by_operator()
        ways.setdefault(f"{channel} to operator", []).append(compare(talk.by_visitor, read))
        ways.setdefault(f"operator to {channel}", []).append(compare(talk.by_operator, talk.visitor.told))
    return {way: sum(each, Ledger()) for way, each in ways.items()}


def _answered(world: World, visitor: Visitor, *, answers: Mapping[int, bytes]) -> Ledger:
    """Whether the page shows an answer to each message, in the order of the messages, and nothing twice."""
    privacy = Privacy(world.product.environment["PORCHLIGHT_SECRET_KEY"])
    address = (privacy.claim(visitor.token) or "").partition(":")[0]
    keys = {privacy.update_key("web", f"{address} {number}"): number for number in visitor.sent}
    shown = [keys.get(answers.get(each, b""), "") for each in dict.fromkeys(visitor.shown)]
    # A message may be answered with several, one after the other.
    answered = [number for number, before in zip(shown, ["", *shown], strict=False) if number != before]
    ledger = compare(visitor.sent, answered)
    ledger.repeated += len(visitor.shown) - len(set(visitor.shown))
    return ledger


async def _answers(world: World) -> Mapping[int, bytes]:
    """Which message of a visitor each message of the bot answers, by its keyed hash."""
    question = "SELECT o.id, i.update_key FROM outbox AS o JOIN inbox AS i ON i.id = o.inbox_id"
    async with await psycopg.AsyncConnection.connect(
        world.product.environment["PORCHLIGHT_DATABASE_URL"]
    ) as it:
        return {number: key async for number, key in await it.execute(question)}
