"""What does ``./porchlight up`` do? Everything on one machine, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.launch import model, operators, ports
from bot.launch.board import Board
from bot.launch.errors import LaunchError
from bot.launch.postgres import EmbeddedPostgres
from bot.launch.processes import Report, Status, Supervisor
from bot.launch.services import Ports, Product, product
from bot.launch.site import Site

_DATABASE_PROBE_SECONDS = 3.0


async def up(site: Site, *, at: Ports, host: str) -> None:
    """Start the product and keep it up until SIGINT, SIGTERM or SIGHUP; then stop all of it, in order."""
    elsewhere = _run_elsewhere(site, at)
    _require_ports(at, host=host, elsewhere=elsewhere)
    with Board() as board, _told_to_stop() as stop:
        database = Report(name="database", status=Status.STARTING)
        board.show(database)
        with product(site, ports=at, host=host) as running:
            await running.migrate()
            database.status = Status.READY
            database.detail = (
                "PostgreSQL of our own" if running.server else "as set in PORCHLIGHT_DATABASE_URL"
            )
            board.show(database)
            supervisor = Supervisor(logs=site.logs, on_change=board.show)
            work = asyncio.create_task(
                _run(running, supervisor, board, elsewhere=elsewhere, database=database)
            )
            told = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
            finally:
                board.tell("Stopping.")
                work.cancel()
                told.cancel()
                await asyncio.gather(work, told, return_exceptions=True)
                await supervisor.stop()
        database.status = Status.STOPPED
        board.show(database)


async def _run(
    running: Product, supervisor: Supervisor, board: Board, *, elsewhere: frozenset[str], database: Report
) -> None:
    """Start everything; what needs no model does not wait for it."""
    learned = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        if running.server is not None:
            group.create_task(_keep_database(running.server, database, board))
        if "referral" not in elsewhere:
            supervisor.start(running.referral())
        supervisor.start(running.bot_worker())
        supervisor.start(running.bot_web())
        if "nlu" in elsewhere:
            learned.set()
        else:
            group.create_task(_teach_and_serve(running, supervisor, board, learned=learned))
        await supervisor.ready("bot-web")
        if "referral" not in elsewhere:
            await supervisor.ready("referral")
        with _noted(running):
            board.announce(await _greeting(running, elsewhere=elsewhere, learned=learned.is_set()))
            await asyncio.Event().wait()


@contextlib.contextmanager
def _noted(running: Product) -> Iterator[None]:
    """Leave a note for other commands where the services are; a stale one does no harm, they ask first."""
    note = running.site.running_file
    addresses = ("PORCHLIGHT_BOT_URL", "PORCHLIGHT_NLU_URL", "PORCHLIGHT_REFERRAL_URL")
    note.write_text("".join(f"{name}={running.settings[name]}\n" for name in addresses))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


async def _greeting(running: Product, *, elsewhere: frozenset[str], learned: bool) -> list[str]:
    lines = ["Porchlight is on.", f"  Web chat   {running.bot_url}/"]
    if "referral" not in elsewhere:
        lines.append(f"  Console    {running.console_url}/")
        lines += await operators.first_sign_in(running)
    for name, setting in (("Telegram", "PORCHLIGHT_TELEGRAM_TOKEN"), ("Viber", "PORCHLIGHT_VIBER_TOKEN")):
        if running.site.setting(setting):
            lines.append(f"  {name:<10} connected with the token in {setting}")
    if not learned:
        lines.append(
            "  The model is being trained; until then the bot knows words of danger and buttons only."
        )
    lines.append("  Ctrl-C stops everything.")
    return lines


async def _teach_and_serve(
    running: Product, supervisor: Supervisor, board: Board, *, learned: asyncio.Event
) -> None:
    """Train the model if its data changed, then serve it; without it the bot lives on, understanding less."""
    report = Report(name="nlu", status=Status.STARTING)

    def tell(line: str) -> None:
        report.detail = line
        board.show(report)

    try:
        trained = model.current(running.site)
        if trained is None:
            tell("training the model")
            trained = await model.train(
                running.site, on_line=lambda line: tell(f"training the model: {line}")
            )
    except LaunchError as error:
        report.status = Status.STOPPED
        tell(str(error))
        return
    learned.set()
    supervisor.start(running.nlu(trained))
    await supervisor.ready("nlu")


async def _keep_database(server: EmbeddedPostgres, report: Report, board: Board) -> None:
    """Start the embedded server again when it is gone; everything else waits for it by itself."""
    while True:
        await asyncio.sleep(_DATABASE_PROBE_SECONDS)
        if await asyncio.to_thread(server.is_up):
            continue
        report.status, report.detail = Status.RESTARTING, "did not answer"
        board.show(report)
        try:
            await asyncio.to_thread(server.start)
        except LaunchError as error:
            report.detail = str(error)
        else:
            report.status, report.detail = Status.READY, "PostgreSQL of our own"
            report.restarts += 1
        board.show(report)


def _run_elsewhere(site: Site, at: Ports) -> frozenset[str]:
    """The services that settings place on another machine or port, so that they are not started here."""
    places = {"nlu": ("PORCHLIGHT_NLU_URL", at.nlu), "referral": ("PORCHLIGHT_REFERRAL_URL", at.console)}
    found = set()
    for name, (setting, port) in places.items():
        # Of several model servers the first one tells.
        first = (site.setting(setting) or f"http://127.0.0.1:{port}").partition(",")[0]
        address = urlsplit(first)
        if address.hostname not in {"127.0.0.1", "localhost", "::1"} or address.port != port:
            found.add(name)
    return frozenset(found)


def _require_ports(at: Ports, *, host: str, elsewhere: frozenset[str]) -> None:
    ports.require_free(at.bot, host=host, purpose="the web chat", option="--port")
    if "referral" not in elsewhere:
        ports.require_free(at.console, host=host, purpose="the console", option="--console-port")
    if "nlu" not in elsewhere:
        ports.require_free(at.nlu, host="127.0.0.1", purpose="the model", option="--nlu-port")


@contextlib.contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """An event that the first signal sets; a second one ends the program the ordinary way."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def told() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, told)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
