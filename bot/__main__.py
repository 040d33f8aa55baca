"""Starts one part of the bot: ``python -m bot web``, ``worker`` or ``migrate``."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer
import uvicorn
import uvloop
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import parked, rotation
from bot.app import create_app
from bot.config import Settings
from bot.inbox.jobs import DUPLICATES_UNTIL
from bot.keys import Keys, MasterKeys, master_keys
from bot.logs import configure_logs
from bot.migrate import migrate
from bot.privacy import Privacy
from bot.store import Store, open_engine
from bot.traces import send_traces
from bot.worker import work

# A pretty traceback shows the values of variables, a visitor's words among them.
cli = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

parked_cli = typer.Typer(no_args_is_help=True, help="What was set aside after repeated failure.")
cli.add_typer(parked_cli, name="parked")

keys_cli = typer.Typer(no_args_is_help=True, help="The master keys, which wrap the keys of conversations.")
cli.add_typer(keys_cli, name="keys")

T = TypeVar("T")

#: Longer than most proxies keep a connection, so that it is never us who hang up under a request.
_KEEP_ALIVE_SECONDS = 75


@cli.command()
def web(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Serve the web chat, the messengers' webhooks and the helpline's events."""
    configure_logs()
    settings = _settings()
    send_traces(settings.traces_url, service="porchlight-bot-web")
    app = create_app(settings)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=3,
    )


@cli.command()
def worker() -> None:
    """Answer messages and deliver answers; any number of these may run."""
    configure_logs()
    settings = _settings()
    send_traces(settings.traces_url, service="porchlight-bot-worker")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_told(settings))


@cli.command(name="migrate")
def bring_up_to_date() -> None:
    """Create or upgrade the database."""
    migrate(_settings().database_url)


@parked_cli.command("list")
def list_parked() -> None:
    """Show what was set aside and why, never what it says."""
    for one in _with_engine(parked.listed):
        typer.echo(
            f"{one.side} {one.number}  {one.at:%Y-%m-%d %H:%M} UTC  {one.what}: {one.reason},"
            f" tried {one.attempts} times, conversation {one.conversation}"
        )


@parked_cli.command("retry")
def retry_parked(
    side: Annotated[parked.Side, typer.Argument(help="inbox: messages; outbox: deliveries.")],
    number: Annotated[int | None, typer.Argument(help="As the list shows it; all without it.")] = None,
) -> None:
    """Let the workers try again, after the cause is mended."""
    found = _with_engine(lambda engine: parked.again(engine, side=side, number=number))
    typer.echo(f"{found} will be tried again within seconds, if a worker runs.")
    raise typer.Exit(0 if found or number is None else 1)


@keys_cli.command("status")
def show_keys() -> None:
    """Show which versions of the master key are in use."""
    _, masters = _masters()
    newest, *older = _with_engine(lambda engine: rotation.uses(engine, masters=masters))
    typer.echo(f"Master key {newest.version} is the newest: {newest.keys} conversations use it.")
    for use in older:
        typer.echo(f"Master key {use.version} must be kept: {use.keys} conversations still use it.")
    if older:
        typer.echo("'keys rotate' goes on.")
    elif newest.version > 1:
        typer.echo("No older one is used, except by backups from before the rotation.")


@keys_cli.command("rotate")
def rotate_keys() -> None:
    """Make a newer master key and bring all conversations under it, while everything runs."""
    privacy, masters = _masters()
    try:
        waiting = _with_engine(lambda engine: rotation.prepare(engine, masters=masters))
    except rotation.NothingNewer as error:
        typer.echo(str(error))
        raise typer.Exit(1) from None
    keys = Keys(masters, older=privacy)
    with typer.progressbar(length=waiting, label="Conversations") as bar:
        _with_engine(
            lambda engine: rotation.rotate(
                engine, masters=masters, keys=keys, done=lambda more: bar.update(more)
            )
        )
    show_keys()
    typer.echo("Write a backup now: older ones do not hold the newer key.")


@cli.command()
def retention(
    erase: Annotated[
        bool, typer.Option("--erase", help="Erase it now, rather than within the hour by itself.")
    ] = False,
) -> None:
    """Tell how long conversations are kept and how many are over; changes nothing without --erase."""
    settings = _settings()
    idle = timedelta(days=settings.retention_days)

    async def found(engine: AsyncEngine) -> int:
        store = Store(engine, privacy=Privacy(settings.secret_key))
        if erase:
            return await store.erase_idle(older_than=idle, duplicates_until=DUPLICATES_UNTIL)
        return await store.count_idle(older_than=idle)

    typer.echo(f"A conversation with the bot is erased {idle.days} days after its last word.")
    number = _with_engine(found)
    typer.echo(
        f"Conversations that were erased: {number}." if erase else f"Conversations that are over: {number}."
    )


def _masters() -> tuple[Privacy, MasterKeys]:
    settings = _settings()
    privacy = Privacy(settings.secret_key)
    return privacy, master_keys(privacy, given=settings.master_keys, file=settings.master_keys_file)


def _with_engine(ask: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    async def asked() -> T:
        engine = open_engine(_settings().database_url, pool_size=1)
        try:
            return await ask(engine)
        finally:
            await engine.dispose()

    return asyncio.run(asked())


async def _until_told(settings: Settings) -> None:
    working = asyncio.create_task(work(settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = "PORCHLIGHT_" + "_".join(str(part).upper() for part in problem["loc"])
            print(f"{name}: {problem['msg']}", file=sys.stderr)  # noqa: T201  # The answer to a person.
        raise typer.Exit(2) from None


if __name__ == "__main__":
    cli()
