"""How does an administrator check the systems that are told of cases? ``./porchlight connectors check``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer

from referral.config import Settings, read
from referral.connectors.chatwoot import check as chatwoot
from referral.connectors.chatwoot.server import path_secret
from referral.connectors.checking import Finding, Grade, bad, note
from referral.connectors.primero import check as primero
from referral.connectors.primero import mapping
from referral.connectors.registry import chatwoot_of, primero_of
from referral.errors import ReferralError


class ChatwootUnprepared(ReferralError):
    """Chatwoot did not take all of it; './porchlight connectors check' tells why."""


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


@connectors_cli.command("prepare")
def prepare() -> None:
    """Make Chatwoot's inbox ready: the address that it rings at, and the fields that a case is coded with."""
    for sentence in asyncio.run(_prepare(read())):
        typer.echo(sentence)


async def _prepare(settings: Settings) -> Sequence[str]:
    if not settings.chatwoot_url:
        return ["Chatwoot is not set up; docs/chatwoot.md tells how."]
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        try:
            done = await chatwoot.prepare(chatwoot_of(settings, client=client), webhook=_bell(settings))
        except httpx.HTTPError as error:
            raise ChatwootUnprepared from error
    return done or ["Everything was ready."]


def _bell(settings: Settings) -> str:
    """Where Chatwoot rings."""
    secret = path_secret(settings.referral_secret_key, token=settings.chatwoot_token)
    return f"{settings.console}/connectors/chatwoot/{secret}"


async def _check(settings: Settings, *, folder: Path | None) -> Sequence[Finding]:
    found: list[Finding] = []
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        if settings.primero_url:
            found += await _check_primero(
                settings, client=client, folder=folder or settings.primero_mapping_dir
            )
        if settings.chatwoot_url:
            found += await chatwoot.check(
                chatwoot_of(settings, client=client),
                webhook=_bell(settings),
                signed=bool(settings.chatwoot_webhook_secret),
            )
    return found or [note("connectors", "None is set up; docs/primero.md and docs/chatwoot.md tell how.")]


async def _check_primero(
    settings: Settings, *, client: httpx.AsyncClient, folder: Path | None
) -> Sequence[Finding]:
    found, problems = mapping.read(folder)
    wrong = [bad(f"{problem.file}:{problem.line}", problem.sentence) for problem in problems]
    return [*wrong, *await primero.check(primero_of(settings, client=client), found)]
