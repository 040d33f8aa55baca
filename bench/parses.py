"""How fast do the model's servers read messages as they really come: of all lengths, and often the same?"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from bench.memory import proportional_mib
from bot.launch.model import Model, service
from bot.launch.ports import free_port
from bot.launch.processes import Supervisor
from bot.launch.site import Site

#: Of three messages one is a usual word that was said before: a greeting, a yes, a thank-you.
USUAL = ("hi", "yes", "no", "ok", "спасибо", "привет", "да", "не ведаю", "হ্যাঁ", "ধন্যবাদ", "help", "thanks")

_SERVERS = 2
_AT_ONCE = 8
_ONE_BY_ONE = 400
_SEED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parses:
    """What was measured."""

    #: Seconds of each parse by one server, asked one by one.
    waits: Sequence[float]
    #: Answered by two servers that are kept busy.
    per_second: float
    #: Seconds from the start of a server to its first answer.
    loaded_in: float
    #: Of one server, after all this.
    mib: float


async def measure(site: Site, trained: Model, *, seconds: float) -> Parses:
    """Start two model servers of our own, ask them, stop them."""
    texts = _texts(site.root / "nlu" / "yardsticks" / "strangers")
    supervisor = Supervisor(logs=site.logs)
    ports = [free_port() for _ in range(_SERVERS)]
    try:
        began = time.monotonic()
        supervisor.start(service(site, trained, port=ports[0]))
        await supervisor.ready("nlu")
        loaded_in = time.monotonic() - began
        async with httpx.AsyncClient(timeout=30) as client:
            waits = [await _parse(client, ports[0], next(texts)) for _ in range(_ONE_BY_ONE)]
            supervisor.start(service(site, trained, port=ports[1], name="nlu-2"))
            await supervisor.ready("nlu-2")
            per_second = await _busy(client, ports, texts, seconds=seconds)
        sizes = proportional_mib(folder=site.data / "no such folder")
        mib = sum(size for name, size in sizes.items() if "nlu" in name or "rasa" in name) / _SERVERS
    finally:
        await supervisor.stop()
    return Parses(waits=waits, per_second=per_second, loaded_in=loaded_in, mib=mib)


async def _busy(
    client: httpx.AsyncClient, ports: Sequence[int], texts: Iterator[str], *, seconds: float
) -> float:
    ends = time.monotonic() + seconds
    answered = 0

    async def ask(port: int) -> None:
        nonlocal answered
        while time.monotonic() < ends:
            await _parse(client, port, next(texts))
            answered += 1

    async with asyncio.TaskGroup() as group:
        for port in itertools.islice(itertools.cycle(ports), _AT_ONCE):
            group.create_task(ask(port))
    return answered / seconds


async def _parse(client: httpx.AsyncClient, port: int, text: str) -> float:
    began = time.monotonic()
    answer = await client.post(f"http://127.0.0.1:{port}/model/parse", json={"text": text})
    answer.raise_for_status()
    return time.monotonic() - began


def _texts(folder: Path) -> Iterator[str]:
    """Messages that the model has not learnt, each once, and usual ones between them; without end."""
    chance = random.Random(_SEED)  # noqa: S311 - no secret hangs on it.
    new = [
        text
        for file in sorted(folder.glob("*.yml"))
        for lines in yaml.safe_load(file.read_text("utf-8")).values()
        for text in lines.splitlines()
    ]
    chance.shuffle(new)
    for number in itertools.count():
        for text in new:
            # From the second round on no cache may know it.
            yield text if number == 0 else f"{text} {number}"
            if chance.random() < 1 / 2:
                yield chance.choice(USUAL)
