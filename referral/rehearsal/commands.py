"""How are children who do not exist sent to the desk? ``./porchlight rehearse``."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

import typer

from referral.clock import utc_now
from referral.config import read
from referral.database import open_engine, sessions_of
from referral.privacy import Privacy
from referral.rehearsal.children import Children, Judged
from referral.rehearsal.scripts import ScriptUnknown

#: Children look into their threads this often; they think longer than that.
_LOOK_SECONDS = 0.5
_VERDICTS = {True: "yes", False: "NO", None: "-"}


def rehearse(
    children: Annotated[int, typer.Option(min=1, max=100, help="How many come in all.")] = 6,
    at_once: Annotated[int, typer.Option(min=1, max=20, help="How many are there at the same time.")] = 3,
    every: Annotated[float, typer.Option(min=0, help="Seconds between two who arrive.")] = 20,
    locale: Annotated[
        list[str] | None, typer.Option(help="Language; may be given again. All of them unless given.")
    ] = None,
    script: Annotated[
        list[str] | None, typer.Option(help="Which child; may be given again. Any unless given.")
    ] = None,
    pace: Annotated[float, typer.Option(min=0.1, max=50, help="2 is twice as fast, 0.5 half as fast.")] = 1,
    seed: Annotated[int | None, typer.Option(help="The same number brings the same children.")] = None,
) -> None:
    """Send children who do not exist to the practice queue, so that new operators can learn.

    1. Let it run:  ./porchlight rehearse

    2. Sign in at the console, open Practice and press Begin to practise. A striped bar says so on every page.

    3. Take next, talk, close and code: everything works as with visitors. At the end the page Practice says
    of each child whether the first answer came in time, whether you asked if they are safe, and whether the
    code is right.

    Several operators may practise at once. Children answer by simple rules from scripts in four languages; no
    model is asked. Nothing of it reaches reports, figures, clocks, pagers or other systems, and visitors are
    served meanwhile as always. Ctrl-C sends the children away.
    """
    settings = read()
    chance = random.Random(seed)  # noqa: S311 - it chooses which child comes, and need not be secret.

    async def run() -> None:
        engine = open_engine(settings.referral_database_url)
        try:
            desk = Children(
                sessions_of(engine),
                privacy=Privacy(settings.referral_secret_key),
                clock=utc_now,
                clocks=settings.clocks,
                pace=pace,
            )
            names = _known(script, known=desk.names, what="script")
            locales = _known(locale, known=desk.locales, what="language")
            coming = [(chance.choice(names), chance.choice(locales)) for _ in range(children)]
            await _keep(desk, coming, at_once=at_once, every=every / pace)
        finally:
            await engine.dispose()

    typer.echo(f"Practice: {settings.console}/practice", err=True)
    asyncio.run(run())


async def _keep(desk: Children, coming: list[tuple[str, str]], *, at_once: int, every: float) -> None:
    await desk.tidy()
    came: list[UUID] = []
    loop = asyncio.get_running_loop()
    next_at = loop.time()
    try:
        while True:
            present = await desk.look()
            if coming and present < at_once and loop.time() >= next_at:
                name, locale = coming.pop(0)
                came.append(await desk.arrive(name, locale=locale))
                next_at = loop.time() + every
                typer.echo(f"A child has come ({name}, {locale}); {len(coming)} more will.", err=True)
            elif not coming and not present:
                return
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await desk.leave()
        _print(await desk.judged(came))


def _known(wanted: Sequence[str] | None, *, known: Sequence[str], what: str) -> Sequence[str]:
    for name in wanted or ():
        if name not in known:
            raise ScriptUnknown(
                f"There is no {what} '{name}' for a rehearsal; there are: {', '.join(known)}."
            )
    return wanted or known


def _print(judged: Iterable[Judged]) -> None:
    for item in judged:
        told = item.feedback
        typer.echo(
            f"{item.case.designation:24} {item.case.danger:10}"
            f" in time: {_VERDICTS[told.in_time]:4} asked if safe: {_VERDICTS[told.asked_safe]:4}"
            f" coded rightly: {_VERDICTS[told.coded]}"
        )
