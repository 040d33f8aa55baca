"""How the referral service is started: ``python -m referral web | migrate | operator …``, and so on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
import uvicorn

from referral import logs
from referral.audit.commands import audit_cli
from referral.clock import utc_now
from referral.config import Settings, read
from referral.connectors.commands import connectors_cli
from referral.connectors.registry import refuse_unusable
from referral.database import migrate as migrate_database
from referral.database import open_engine, sessions_of, transaction
from referral.errors import ReferralError
from referral.operators.access import Access
from referral.operators.passwords import Passwords
from referral.operators.repository import OperatorRepository
from referral.operators.rules import INVITATION, Role
from referral.privacy import Privacy
from referral.rehearsal.commands import rehearse
from referral.retention.commands import retention
from referral.traces import send_traces

_Result = TypeVar("_Result")

#: Open pages end within half a second of a stop; this is for requests under way.
_SHUTDOWN_SECONDS = 5

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
operator_cli = typer.Typer(no_args_is_help=True, help="People who work at the console.")
cli.add_typer(operator_cli, name="operator")
cli.add_typer(audit_cli, name="audit")
cli.add_typer(connectors_cli, name="connectors")
cli.command()(rehearse)
cli.command()(retention)


@cli.command()
def web(host: str = "127.0.0.1", port: int = 8100) -> None:
    """Serve the bot's API and the console, and deliver events to the bot."""
    # The other commands need neither the pages nor the web framework, and should start at once.
    from referral.app import create_app

    logs.configure()
    settings = read()
    refuse_unusable(settings)
    send_traces(settings.traces_url, service="porchlight-referral")
    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        log_config=None,
        # Access logs hold addresses of people and one-time links.
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run()


@cli.command()
def migrate() -> None:
    """Bring the database to the newest form."""
    migrate_database(read().referral_database_url)


@operator_cli.command("add")
def add_operator(name: str, role: Annotated[Role, typer.Option()] = Role.OPERATOR) -> None:
    """Print a one-time link with which a new operator chooses a password."""
    _print_link(lambda access: access.invite(name, role=role))


@operator_cli.command("invite")
def invite_operator(name: str) -> None:
    """Print another one-time link for an operator who cannot get in; the old password ends."""
    _print_link(lambda access: access.invite_again(name))


@operator_cli.command("reset")
def reset_second_factor(name: str) -> None:
    """Take away the second factors of somebody who has lost them; the password counts alone."""

    async def reset(access: Access) -> None:
        await access.reset_second_factor(await access.named(name))

    asyncio.run(_with_access(read(), reset))


@operator_cli.command("list")
def list_operators() -> None:
    """Print name and role of every operator, one a line."""

    async def names() -> list[str]:
        engine = open_engine(read().referral_database_url)
        try:
            async with transaction(sessions_of(engine)) as session:
                everyone = await OperatorRepository(session).everyone()
                return [f"{person.name}\t{person.role}" for person in everyone if not person.disabled_at]
        finally:
            await engine.dispose()

    for line in asyncio.run(names()):
        typer.echo(line)


def _print_link(act: Callable[[Access], Awaitable[str]]) -> None:
    settings = read()
    secret = asyncio.run(_with_access(settings, act))
    typer.echo(f"{settings.console}/invitation/{secret}")
    typer.echo(f"This link works once, within {INVITATION.days} days, and is not shown again.", err=True)


async def _with_access(settings: Settings, act: Callable[[Access], Awaitable[_Result]]) -> _Result:
    engine = open_engine(settings.referral_database_url)
    try:
        async with transaction(sessions_of(engine)) as session:
            access = Access(
                session,
                passwords=Passwords(),
                privacy=Privacy(settings.referral_secret_key),
                now=utc_now(),
            )
            return await act(access)
    finally:
        await engine.dispose()


def main() -> None:
    """Run a command; what goes wrong is one sentence on standard error."""
    try:
        cli()
    except ReferralError as error:
        typer.echo(error.sentence, err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
