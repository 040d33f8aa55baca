"""What can an administrator ask about what is kept?"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from referral import logs
from referral.clock import utc_now
from referral.config import read
from referral.database import open_engine, sessions_of
from referral.privacy import Privacy
from referral.retention.keeper import Retention


def retention(
    erase: Annotated[
        bool, typer.Option("--erase", help="Erase it now, rather than within the minute by itself.")
    ] = False,
) -> None:
    """Tell how long cases are kept and how many are over; changes nothing without --erase."""
    logs.configure()
    settings = read()
    keeping = settings.keeping
    typer.echo(f"The words of a closed case are kept for {keeping.case.days} days after its end.")
    typer.echo(
        "Of one that the emergency services, child protection or the police were told about:"
        f" {keeping.reported.days} days."
    )

    async def found() -> int:
        engine = open_engine(settings.referral_database_url)
        try:
            kept = Retention(
                sessions_of(engine), privacy=Privacy(settings.referral_secret_key), keeping=keeping
            )
            return await (kept.sweep(now=utc_now()) if erase else kept.due(now=utc_now()))
        finally:
            await engine.dispose()

    number = asyncio.run(found())
    typer.echo(f"Cases whose words were erased: {number}." if erase else f"Cases that are over: {number}.")
