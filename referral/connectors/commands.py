"""How does an administrator check the systems that are told of cases? ``./porchlight connectors check``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer

from referral.config import Settings, read
from referral.connectors.checking import Finding, Grade, bad, note
from referral.connectors.primero import check as primero
from referral.connectors.primero import mapping
from referral.connectors.registry import primero_of

_SIGNS = {Grade.GOOD: "ok", Grade.NOTE: "--", Grade.BAD: "NO"}

connectors_cli = typer.Typer(no_args_is_help=True, help="Systems that are told of cases.")


@connectors_cli.callback()
def _connectors() -> None:
    """Systems that are told of cases."""


@connectors_cli.command("check")
def check(
    mappings: Annotated[
        Path | None,
        typer.Option(help="Check this folder of mapping files instead of the one in the settings."),
    ] = None,
) -> None:
    """Ask each system that is set up which fields it would refuse; nothing is written there.

    Ends with 1 if anything would be refused.
    """
    findings = asyncio.run(_check(read(), folder=mappings))
    for finding in findings:
        typer.echo(f"{_SIGNS[finding.grade]}  {finding.subject}: {finding.sentence}")
    refused = sum(finding.grade is Grade.BAD for finding in findings)
    if refused:
        typer.echo(f"{refused} to be mended before go-live.", err=True)
        raise typer.Exit(1)


async def _check(settings: Settings, *, folder: Path | None) -> Sequence[Finding]:
    if not settings.primero_url:
        return [note("connectors", "None is set up; docs/connectors.md tells how.")]
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        return await _check_primero(settings, client=client, folder=folder or settings.primero_mapping_dir)


async def _check_primero(
    settings: Settings, *, client: httpx.AsyncClient, folder: Path | None
) -> Sequence[Finding]:
    found, problems = mapping.read(folder)
    wrong = [bad(f"{problem.file}:{problem.line}", problem.sentence) for problem in problems]
    return [*wrong, *await primero.check(primero_of(settings, client=client), found)]
