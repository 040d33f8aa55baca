"""``./porchlight bench``: starts a product of its own with empty databases, and measures it."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import desk
from bench.load import Visitor, as_fast_as_possible, at_a_rate, visitors
from bench.memory import proportional_mib
from bench.parses import Parses
from bench.parses import measure as measure_parses
from bench.relay import relay_seconds
from bot.launch import model
from bot.launch.errors import LaunchError
from bot.launch.operators import first_sign_in
from bot.launch.ports import free_port
from bot.launch.processes import Supervisor
from bot.launch.services import Ports, Product, product
from bot.launch.site import PREFIX, Site

#: As children write: short ones, long ones, and all different, so that no cache can answer.
TEXTS = (
    "everyone in my class chat calls me a pig {}",
    "they made a new group without me and i dont know why {}",
    "he says he will post my pictures if i dont send more {}",
    "somebody opened a fake account with my photos and writes to my friends {}",
    "how do i block someone on telegram {}",
    "i feel so alone and cant sleep {}",
    "my daughter is bullied in the school chat what should i do {}",
    "is this a joke or is it bullying {}",
)

#: What the project promises (two cores); ``at most`` or ``at least``.
TARGETS = {
    "first reply at 10 messages/s, p95": ("ms", "at most", 200.0),
    "free-text messages answered": ("/s", "at least", 20.0),
    "button presses answered": ("/s", "at least", 150.0),
    "operator's words to the child, p95": ("ms", "at most", 300.0),
    "memory of all processes": ("MiB", "at most", 1536.0),
    "parse, mean": ("ms", "at most", 8.0),
    "parse, p95": ("ms", "at most", 30.0),
    "parses by two model servers": ("/s", "at least", 150.0),
    "desk page, p95": ("ms", "at most", 150.0),
    "Take next, p95": ("ms", "at most", 50.0),
    "operator's words to the child under load, p95": ("ms", "at most", 300.0),
    "start of a model server": ("s", "at most", 12.0),
    "memory of a model server": ("MiB", "at most", 700.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure beside what is promised."""

    name: str
    value: float
    unit: str
    rule: str
    target: float

    @property
    def reached(self) -> bool:
        """Whether the promise is kept."""
        return self.value <= self.target if self.rule == "at most" else self.value >= self.target


def main() -> int:
    """Measure, print, and end with 1 if a promise is broken."""
    asked = _arguments()
    console = Console(stderr=True)
    try:
        measure = _measure_desk if asked.what == "desk" else _measure
        figures, notes = asyncio.run(measure(seconds=asked.seconds, console=console))
    except LaunchError as error:
        console.print(f"porchlight: {error}")
        return 1
    if asked.json:
        sys.stdout.write(
            json.dumps({"figures": [asdict(figure) for figure in figures], **notes}, indent=2) + "\n"
        )
    else:
        _print(figures, notes)
    return 0 if all(figure.reached for figure in figures) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="porchlight bench", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=["product", "desk"],
        default="product",
        help="desk: 50 operators and 2,000 open cases; else the whole product",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each load lasts (default 20)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    return parser.parse_args()


async def _measure_desk(*, seconds: float, console: Console) -> tuple[list[Figure], dict[str, Any]]:
    waits = await desk.measure(seconds=seconds, console=console)
    measured = {
        "desk page, p95": waits.desk_page,
        "Take next, p95": waits.take_next,
        "operator's words to the child under load, p95": waits.relay,
    }
    notes = {
        **{
            f"{name.removesuffix('p95')}p50 in ms": round(1000 * median(found), 1)
            for name, found in measured.items()
        },
        "measured": ", ".join(
            f"{len(found)} × {name.removesuffix(', p95')}" for name, found in measured.items()
        ),
        "load average at the end": f"{waits.load:.1f}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    return [_figure(name, 1000 * percentile(found, 95)) for name, found in measured.items()], notes


async def _measure(*, seconds: float, console: Console) -> tuple[list[Figure], dict[str, Any]]:
    values: dict[str, float] = {}
    async with _own_product(console) as running:
        texts = ({"text": TEXTS[number % len(TEXTS)].format(number)} for number in itertools.count())
        presses = itertools.cycle([{"payload": "m"}, {"payload": "i:insults"}])
        async with visitors(running.bot_url, number=40) as present:
            await _warm_up(present, texts)
            console.print(f"Free text at 10 messages a second for {seconds:.0f} s.")
            waits = await at_a_rate(present, texts, per_second=10, seconds=seconds)
            values["first reply at 10 messages/s, p95"] = 1000 * percentile(waits, 95)
            console.print(f"Free text as fast as it goes for {seconds:.0f} s.")
            values["free-text messages answered"] = await as_fast_as_possible(
                present[:20], texts, seconds=seconds
            )
            console.print(f"Buttons as fast as it goes for {seconds:.0f} s.")
            values["button presses answered"] = await as_fast_as_possible(present, presses, seconds=seconds)
            console.print("An operator writes 50 messages to a child.")
            relayed = await _relay(running, present[-1])
            values["operator's words to the child, p95"] = 1000 * percentile(relayed, 95)
        assert running.server is not None, "without settings the database is our own"  # noqa: S101
        memory = proportional_mib(folder=running.server.home)
        values["memory of all processes"] = sum(memory.values())
    values |= _of_parses(await _parses(console, seconds=seconds))
    notes = {
        "first reply at 10 messages/s, p50 in ms": round(1000 * median(waits), 1),
        "operator's words to the child, p50 in ms": round(1000 * median(relayed), 1),
        "memory in MiB": {name: round(size) for name, size in sorted(memory.items())},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    return [_figure(name, values[name]) for name in TARGETS if name in values], notes


@asynccontextmanager
async def _own_product(console: Console) -> AsyncIterator[Product]:
    folder = Path(tempfile.mkdtemp(prefix="porchlight-bench-"))
    site = Site.here(data=folder)
    site = site.without(*(name for name in site.settings if name.startswith(PREFIX)))
    try:
        trained = await asyncio.to_thread(model.current, site)
        if trained is None:
            console.print("The model is trained first.")
            trained = await model.train(site, on_line=console.print)
        console.print("Starting a product of its own.")
        with product(site, ports=Ports(bot=free_port(), console=free_port(), nlu=free_port())) as running:
            await running.migrate()
            supervisor = Supervisor(logs=site.logs)
            services = [running.nlu(trained), running.referral(), running.bot_worker(), running.bot_web()]
            try:
                for service in services:
                    supervisor.start(service)
                for service in services:
                    await supervisor.ready(service.name)
                yield running
            finally:
                await supervisor.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _parses(console: Console, *, seconds: float) -> Parses:
    with tempfile.TemporaryDirectory(prefix="porchlight-bench-") as folder:
        site = Site.here(data=Path(folder))
        trained = model.current(site)
        assert trained is not None, "it was trained for the product"  # noqa: S101
        console.print("Two model servers read messages of all lengths.")
        return await measure_parses(site, trained, seconds=seconds)


def _of_parses(parses: Parses) -> dict[str, float]:
    return {
        "parse, mean": 1000 * fmean(parses.waits),
        "parse, p95": 1000 * percentile(parses.waits, 95),
        "parses by two model servers": parses.per_second,
        "start of a model server": parses.loaded_in,
        "memory of a model server": parses.mib,
    }


async def _warm_up(present: Sequence[Visitor], texts: Any) -> None:
    await at_a_rate(present, texts, per_second=10, seconds=3)


async def _relay(running: Product, visitor: Visitor) -> list[float]:
    lines = await first_sign_in(running)
    invitation = next(word for line in lines for word in line.split() if word.startswith("http"))
    return await relay_seconds(visitor, console=running.console_url, invitation=invitation, messages=50)


def percentile(waits: Sequence[float], hundredth: int) -> float:
    """The value that so many of a hundred stay below or reach (nearest rank)."""
    ranked = sorted(waits)
    return ranked[max(0, -(-len(ranked) * hundredth // 100) - 1)]


def _figure(name: str, value: float) -> Figure:
    unit, rule, target = TARGETS[name]
    return Figure(name=name, value=round(value, 1), unit=unit, rule=rule, target=target)


def _print(figures: Sequence[Figure], notes: Mapping[str, Any]) -> None:
    table = Table(title="Porchlight on this machine", title_justify="left")
    for heading in ("what", "measured", "promised", ""):
        table.add_column(heading, justify="right" if heading in ("measured", "promised") else "left")
    for figure in figures:
        promise = f"{figure.rule} {figure.target:.0f} {figure.unit}"
        mark = "kept" if figure.reached else "BROKEN"
        table.add_row(figure.name, f"{figure.value:.1f} {figure.unit}", promise, mark)
    console = Console()
    console.print(table)
    for name, value in notes.items():
        console.print(f"{name}: {value}")


if __name__ == "__main__":
    sys.exit(main())
