"""Is a word of a visitor in a log, a figure, a trace or an error page? 500 talks, while parts come and go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import yaml
from sqlalchemy import text

from bot.migrate import migrate as migrate_bot
from bot.privacy import Privacy
from bot.store import Store, open_engine
from nlu.fingerprint import DATA
from referral.database import migrate as migrate_referral
from tests.acceptance.collector import Collector, running_collector, sending_traces_to
from tests.acceptance.conftest import operator_of
from tests.acceptance.product import Product, free_port, product, wait_for
from tests.acceptance.test_outages import own_server
from tests.bot.test_worker import WebVisitor
from tests.golden.runner import FOLDER, documents
from tests.nlu_server import running_nlu
from tests.referral.desk import case_json, eventually
from tests.referral.serving import SERVICE_SECRET

#: A word that stands in every message, and that nobody else would write.
MARK = "kvarpflum"
CONVERSATIONS = 500
AT_ONCE = 10
DANGER = "i want to die"
#: Two of three are played while all is well; then the model goes, then the desk.
SHARES = (0, 330, 420, CONVERSATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A product whose model can be taken away, and what its processes say."""

    product: Product
    store: Store
    privacy: Privacy
    model: ExitStack
    metrics: Sequence[str]
    collector: Collector

    async def answered(self, visitor: WebVisitor) -> None:
        """Wait until nothing that this visitor wrote is open."""
        open_ones = text("SELECT count(*) FROM inbox WHERE conversation_id = :id AND done_at IS NULL")

        async def left() -> int:
            async with self.store.statement() as connection:
                return int(await connection.scalar(open_ones, {"id": visitor.pseudonym}) or 0)

        await eventually(left, lambda number: number == 0, within=120)


async def test_no_word_of_a_visitor_is_in_a_log_a_figure_a_trace_or_an_error_page(tmp_path: Path) -> None:
    conversations = [document for document in _goldens() if any(map(_words, document["turns"]))]
    others = [document for document in _goldens() if document not in conversations]
    played = [*conversations, *others][:CONVERSATIONS]
    written = 0
    async with _world(tmp_path) as world:
        well, modelless, deskless = (played[since:until] for since, until in pairwise(SHARES))
        written += await _play(world, well)
        seen_by_operator = await _answer_one(world.product)
        world.model.close()
        written += await _play(world, modelless)
        world.product.kill("referral")
        written += await _play(world, deskless)
        world.product.start_referral()
        pages = [page async for page in _error_pages(world.product)]
        async with httpx.AsyncClient(trust_env=False) as http:
            figures = [(await http.get(url)).text for url in world.metrics]
        logs = world.product.logged()
    traces = b"".join(world.collector.bodies)

    assert len(played) == CONVERSATIONS
    assert written >= CONVERSATIONS
    # The words did arrive, and the parts did say something, also of what went wrong.
    assert MARK in seen_by_operator
    assert all("# TYPE" in figure for figure in figures)
    assert "turn taken" in logs
    assert "a model server could not be asked" in logs
    assert len(pages) > 8
    assert {"accept", "turn", "deliver", "request"} <= {span.name for span in world.collector.spans()}
    assert MARK.encode() not in traces
    assert DANGER.encode() not in traces
    assert [page for page in pages if MARK in page] == []
    assert [figure for figure in figures if MARK in figure] == []
    assert [line for line in logs.splitlines() if MARK in line.lower()] == []


@asynccontextmanager
async def _world(logs: Path) -> AsyncIterator[World]:
    metrics_of_worker = f"127.0.0.1:{free_port()}"
    with own_server() as server, running_collector() as collector, ExitStack() as model:
        migrate_bot(server.url("bot"))
        migrate_referral(server.url("referral"))
        nlu = model.enter_context(running_nlu(log=logs / "nlu.log"))
        with product(
            bot_database=server.url("bot"),
            referral_database=server.url("referral"),
            nlu=nlu,
            logs=logs,
            settings={
                "PORCHLIGHT_SERVICE_SECRET": SERVICE_SECRET,
                "PORCHLIGHT_WORKER_LISTEN": metrics_of_worker,
                **sending_traces_to(collector),
            },
        ) as running:
            wait_for(f"http://{metrics_of_worker}/healthz")
            engine = open_engine(server.url("bot"), pool_size=AT_ONCE)
            privacy = Privacy(running.environment["PORCHLIGHT_SECRET_KEY"])
            addresses = (running.bot, running.referral, f"http://{metrics_of_worker}")
            try:
                yield World(
                    product=running,
                    store=Store(engine, privacy=privacy),
                    privacy=privacy,
                    model=model,
                    metrics=[f"{address}/metrics" for address in addresses],
                    collector=collector,
                )
            finally:
                await engine.dispose()


def _goldens() -> Iterator[dict[str, Any]]:
    for file in sorted(FOLDER.glob("*.yaml")):
        yield from documents(file)


def _words(turn: dict[str, Any]) -> str:
    """What a visitor writes who does this; nothing where they press something."""
    if "lexicon" in turn:
        return DANGER
    if "intent" in turn:
        return _phrase(turn["intent"])
    return str(turn.get("text", "what should i do" if "unclear" in turn else ""))


def _phrase(intent: str) -> str:
    file = DATA / "en" / f"{intent}.yml"
    examples = str(yaml.safe_load(file.read_text("utf-8"))["nlu"][0]["examples"])
    return examples.splitlines()[0].removeprefix("- ")


async def _play(world: World, conversations: Sequence[dict[str, Any]]) -> int:
    """Play these conversations, some at a time; how many texts were written."""
    places = asyncio.Semaphore(AT_ONCE)

    async def play(conversation: dict[str, Any]) -> int:
        async with places:
            return await _play_one(world, conversation)

    return sum(await asyncio.gather(*map(play, conversations)))


async def _play_one(world: World, conversation: dict[str, Any]) -> int:
    visitor = WebVisitor(world.store, world.privacy, address=f"{MARK} {uuid4()}")
    written, offered = 0, dict[str, str]()
    for turn in [{"text": "hello"}, *conversation["turns"]]:
        if words := _words(turn):
            await visitor.writes(f"{words} {MARK}")
            written += 1
        elif (payload := offered.get(str(turn.get("press")))) is not None:
            await visitor.does("choice", text=payload)
        else:
            continue  # The conversation went another way than the golden one, or this is no visitor's doing.
        await world.answered(visitor)
        said = await visitor.hears(at_least=0)
        choices = [choice["payload"] for message in said for choice in message.get("choices", ())]
        offered = {payload.rpartition(":")[2]: payload for payload in choices} or offered
    return written


async def _answer_one(running: Product) -> str:
    """An operator takes a case, notes and answers with the word, and closes; what they saw."""
    async with operator_of(running, "nina") as nina:
        taken = await eventually(nina.take_next, lambda case: case is not None)
        assert taken is not None
        page = await nina.see(f"/cases/{taken}")
        await nina.write(taken, f"I am here. {MARK}")
        await nina.send(f"/cases/{taken}/notes", {"entry": str(uuid4()), "words": f"A note. {MARK}"})
        await nina.send(f"/cases/{taken}/close", {"outcome": MARK, "code": MARK})
        await nina.close(taken)
        return page


async def _error_pages(running: Product) -> AsyncIterator[str]:
    """What both services answer to what they cannot read."""
    wanted = case_json(danger=MARK, conversation=MARK, card={MARK: [MARK]}, unknown=MARK)
    async with httpx.AsyncClient(trust_env=False) as http:
        for url in (running.bot, running.referral):
            for path in ("/chat/v1/messages", "/v1/cases", "/referral/events", "/sign-in", "/telegram"):
                for body in (f'{{"text": "{MARK}', json.dumps({"text": [MARK]}), json.dumps(wanted)):
                    answer = await http.post(url + path, content=body, headers={"x-request-id": MARK})
                    assert answer.is_client_error, f"{path}: {answer.status_code}"
                    yield answer.text
    async with operator_of(running, "oleg") as oleg:
        yield (await oleg.send("/cases/no-case/messages", {"words": MARK})).text
