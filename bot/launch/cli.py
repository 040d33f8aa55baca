"""Which commands does ``./porchlight`` have? Each reads its options and hands over."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.launch.errors import LaunchError
from bot.launch.site import Site

app = typer.Typer(
    name="porchlight",
    help="A chatbot for children, parents and teachers, and the helpline desk behind it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

texts = typer.Typer(help="Send texts to translators and take back what they write.", no_args_is_help=True)
app.add_typer(texts, name="texts")

_FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True}

DataFolder = Annotated[Path | None, typer.Option("--data", help="Where data lies (default: var).")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Address that web chat and console listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the web chat.")] = 8000,
    console_port: Annotated[int, typer.Option(help="Port of the console.")] = 8100,
    nlu_port: Annotated[int, typer.Option(help="Port of the model, on the loopback address only.")] = 5005,
    data: DataFolder = None,
) -> None:
    """Start everything on this machine and show the addresses; Ctrl-C stops it."""
    from bot.launch.services import Ports
    from bot.launch.up import up as run

    at = Ports(bot=port, console=console_port, nlu=nlu_port)
    asyncio.run(run(Site.here(data=data), at=at, host=host))


@app.command()
def chat(
    locale: Annotated[str | None, typer.Option(help="Language to begin in: en, ru, be or bn.")] = None,
    as_json: Json = False,
    data: DataFolder = None,
) -> None:
    """Talk to the bot; reads lines from standard input, so it can be scripted.

    A line that is the number of a button presses it. Uses the services that run, or starts its own meanwhile.
    """
    from bot.launch import temporary
    from bot.launch.chat import chat as talk

    async def run() -> None:
        async with temporary.bot(Site.here(data=data), tell=_tell) as url:
            await talk(url, locale=locale, as_json=as_json)

    asyncio.run(run())


@app.command()
def parse(
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts; without any, a line of standard input each.")
    ] = None,
    as_json: Json = False,
    data: DataFolder = None,
) -> None:
    """Show what the product understands of a text, lexicon and model together."""
    from bot.launch import temporary
    from bot.launch.parse import parse as read

    async def run() -> None:
        site = Site.here(data=data)
        async with temporary.nlu(site, tell=_tell) as url:
            await read(site, texts or _lines(), nlu_url=url, as_json=as_json)

    asyncio.run(run())


@app.command()
def train(
    data: Annotated[Path | None, typer.Option(help="Folder of training data (default: nlu/data).")] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write (default: where 'up' looks for it).")
    ] = None,
) -> None:
    """Train the model on what is in nlu/data now; prints the file."""
    options = [*(["--data", data.absolute()] if data else []), *(["--out", out.absolute()] if out else [])]
    raise typer.Exit(_run_nlu("train", "--print-path", *map(str, options)))


@app.command(context_settings=_FORWARD)
def evaluate(context: typer.Context) -> None:
    """Measure how well the product understands, and write docs/model-card.md with pictures.

    Takes a quarter of an hour. --only AUTHOR … leaves out only these authors.
    """
    site = Site.here()
    code = _run_nlu("evaluate", *context.args)
    if not code:
        command = [sys.executable, "-m", "bench.model_card"]
        code = subprocess.run(command, cwd=site.root, check=False).returncode  # noqa: S603
    raise typer.Exit(code)


@app.command()
def check(
    release: Annotated[
        bool,
        typer.Option(
            "--release",
            help="If all is in order, note the questions that visitors may now stand at: "
            "a later change must say where their conversations go on.",
        ),
    ] = False,
    report: Annotated[
        bool,
        typer.Option("--report", help="Also languages, reviews, goldens, and how hard texts are."),
    ] = False,
    flow: Annotated[str | None, typer.Option(help="Only this flow in the report.")] = None,
    locale: Annotated[str | None, typer.Option(help="Only this language in the report.")] = None,
) -> None:
    """Check flows, texts, lexicons and directory; each problem comes with file and line."""
    from bot.launch import content
    from bot.launch import report as tables
    from flows.checks import not_reviewed

    site = Site.here()
    found = content.examine(site)
    for problem in found.problems:
        typer.echo(problem)
    if report and found.book:
        proofs = tables.goldens(site.root / "tests" / "golden")
        for line in tables.report(found.book, proofs=proofs, flow=flow, locale=locale):
            typer.echo(line)
    if found.book and (pending := not_reviewed(found.book)):
        _tell(pending)
    if found.problems:
        _tell(f"{len(found.problems)} problem{'s' if len(found.problems) > 1 else ''}.")
        raise typer.Exit(1)
    _tell("Everything is in order.")
    if release:
        _tell(f"Noted in {content.release(site)}.")


@app.command()
def draw(
    flows: Annotated[list[str] | None, typer.Argument(help="Names of flows, such as insults.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All flows, so that their links lead on.")] = False,
    locale: Annotated[str, typer.Option(help="Language of the words.")] = "en",
    to: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path(),
    tree: Annotated[bool, typer.Option("--tree", help="Print trees instead.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print Mermaid diagrams instead.")] = False,
) -> None:
    """Draw flows: a picture FLOW.svg each, for a browser, with links to the flows that it runs."""
    from bot.launch import content

    if not flows and not every:
        raise LaunchError("Which flow? Name one, such as insults, or write --all.")
    form = content.Form.TREE if tree else content.Form.MERMAID if mermaid else content.Form.SVG
    pictures = content.draw(Site.here(), flows or (), locale=locale, form=form)
    for name, picture in pictures.items():
        if form is content.Form.SVG:
            to.mkdir(parents=True, exist_ok=True)
            (to / f"{name}.svg").write_text(picture, encoding="utf-8")
            _tell(str(to / f"{name}.svg"))
        else:
            typer.echo(picture)


@app.command()
def document(
    name: Annotated[str, typer.Argument(help="Name of the document, such as certificate.")],
    locale: Annotated[str, typer.Option(help="Language: en, ru, be or bn.")] = "en",
    role: Annotated[str | None, typer.Option(help="child, teen, parent or teacher.")] = None,
    country: Annotated[str | None, typer.Option(help="Country of the visitor, such as BY.")] = None,
    answers: Annotated[
        list[str] | None,
        typer.Option("--answer", help="An answer that it shows, such as my_nickname=Fox; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write (default: NAME.LOCALE.pdf, here).")] = None,
) -> None:
    """Write a document to print as a visitor would get it today."""
    from bot.launch import content

    slots = content.slots(answers or [])
    file = content.document(
        Site.here(), name, locale=locale, role=role, country=country, slots=slots, out=out
    )
    typer.echo(file)


@app.command()
def play(
    flow: Annotated[
        str | None, typer.Argument(help="Name of the flow (default: from the welcome on).")
    ] = None,
    locale: Annotated[str, typer.Option(help="Language: en, ru, be or bn.")] = "en",
    country: Annotated[str | None, typer.Option(help="Country of the visitor, such as BY.")] = None,
    role: Annotated[str | None, typer.Option(help="child, teen, parent or teacher.")] = None,
) -> None:
    """Walk through a flow in the terminal, without model, database or helpline."""
    from bot.launch import content

    content.play(Site.here(), flow, locale=locale, country=country, role=role)


@texts.command("export")
def export_texts(
    file: Annotated[
        Path, typer.Argument(help="File to write: .xlf for translation tools, .csv for a table.")
    ],
    target: Annotated[str, typer.Option("--to", help="Language to translate into; may be a new one.")],
    source: Annotated[str, typer.Option("--from", help="Language to translate from.")] = "en",
) -> None:
    """Write all texts with their places, their limits and what is translated already."""
    from bot.launch import content
    from bot.launch.translation import exchange

    written = exchange.export_texts(content.content_folder(Site.here()), file, source=source, target=target)
    _tell(f"{file} holds {written.texts} texts; without words in '{target}': {written.missing}.")


@texts.command("import")
def import_texts(
    file: Annotated[Path, typer.Argument(help="The exported file, as it came back.")],
) -> None:
    """Put a translator's words into flows/texts; changes nothing unless all of them fit."""
    from bot.launch import content
    from bot.launch.translation import exchange

    site = Site.here()
    taken = exchange.import_texts(content.content_folder(site), file, countries=content.countries(site))
    if taken.stale:
        names = exchange.named(taken.stale)
        _tell(f"The originals of these texts have changed meanwhile, so they stay as they are: {names}.")
    if taken.empty:
        _tell(f"Without a translation in the file, and left as they are: {taken.empty}.")
    if not taken.files:
        _tell("There is nothing new in it.")
        return
    files = exchange.named(path.name for path in taken.files)
    _tell(f"New texts: {taken.texts}, in {files}; nobody has reviewed these files yet.")


@app.command(context_settings={**_FORWARD, "help_option_names": []})
def operator(context: typer.Context, data: DataFolder = None) -> None:
    """Add and manage the people who answer at the helpline: operator add NAME [--role supervisor]."""
    from bot.launch.operators import forward

    raise typer.Exit(asyncio.run(forward(Site.here(data=data), "operator", context.args)))


@app.command(context_settings={**_FORWARD, "help_option_names": []})
def audit(context: typer.Context, data: DataFolder = None) -> None:
    """Check or export the log of who saw and did what at the helpline: audit verify, audit export FILE."""
    from bot.launch.operators import forward

    raise typer.Exit(asyncio.run(forward(Site.here(data=data), "audit", context.args)))


@app.command(context_settings={**_FORWARD, "help_option_names": []})
def connectors(context: typer.Context, data: DataFolder = None) -> None:
    """Say what the systems that are told of cases would refuse, before go-live: connectors check."""
    from bot.launch.operators import forward

    raise typer.Exit(asyncio.run(forward(Site.here(data=data), "connectors", context.args)))


@app.command(context_settings={**_FORWARD, "help_option_names": []})
def rehearse(context: typer.Context, data: DataFolder = None) -> None:
    """Send children who do not exist to the desk's practice queue, so that new operators can learn."""
    from bot.launch.rehearsing import rehearse as run

    raise typer.Exit(asyncio.run(run(Site.here(data=data), context.args, tell=_tell)))


@app.command(context_settings={**_FORWARD, "help_option_names": []})
def parked(context: typer.Context, data: DataFolder = None) -> None:
    """Show what was set aside after repeated failure, and try it again: parked list, parked retry inbox."""
    from bot.launch.operators import forward

    raise typer.Exit(asyncio.run(forward(Site.here(data=data), "parked", context.args, package="bot")))


@app.command(context_settings={**_FORWARD, "help_option_names": []})
def keys(context: typer.Context, data: DataFolder = None) -> None:
    """Bring the keys of all conversations under a newer master key: keys status, keys rotate."""
    from bot.launch.operators import forward

    raise typer.Exit(asyncio.run(forward(Site.here(data=data), "keys", context.args, package="bot")))


@app.command(context_settings={**_FORWARD, "help_option_names": []})
def retention(context: typer.Context, data: DataFolder = None) -> None:
    """Tell how long words are kept and what is over; with --erase it goes at once."""
    from bot.launch.operators import forward

    for package in ("bot", "referral"):
        if code := asyncio.run(forward(Site.here(data=data), "retention", context.args, package=package)):
            raise typer.Exit(code)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; must not exist.")], data: DataFolder = None
) -> None:
    """Write both databases and the secrets into one file, also while the services run."""
    from bot.launch import backup as archive

    archive.backup(Site.here(data=data), file)
    _tell(f"{file} holds everything, the secrets too: keep it where only you can read it.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that backup wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the data that is here, for good.")] = False,
    data: DataFolder = None,
) -> None:
    """Put a backup back; the services must be stopped."""
    from bot.launch import backup as archive

    archive.restore(Site.here(data=data), file, force=force)
    _tell(f"Everything in {file} is back in its place.")


@app.command()
def doctor(data: DataFolder = None) -> None:
    """Check this machine, the settings and the environments, and say what to do about each problem."""
    from bot.launch.doctor import Grade, examine

    marks = {Grade.GOOD: "[green]ok  [/]", Grade.NOTE: "[yellow]note[/]", Grade.BAD: "[red]BAD [/]"}
    console, bad = Console(soft_wrap=True, highlight=False), False
    for finding in examine(Site.here(data=data)):
        bad = bad or finding.grade is Grade.BAD
        console.print(marks[finding.grade], f"{finding.subject:<11}", end=" ")
        console.print(finding.sentence, markup=False)
    raise typer.Exit(1 if bad else 0)


@app.command(context_settings=_FORWARD)
def test(context: typer.Context) -> None:
    """Run everything that CI runs; further arguments go to pytest, such as -k insults."""
    from bot.launch import gates

    raise typer.Exit(gates.run_all(Site.here(), pytest_arguments=context.args))


@app.command()
def dependencies(
    bill: Annotated[Path | None, typer.Option("--bill", help="Folder for a bill of materials.")] = None,
) -> None:
    """Say what is known against the packages that Porchlight uses; with --bill, list them all (CycloneDX)."""
    from bot.launch import dependencies as packages

    site = Site.here()
    if bill is not None:
        for file in packages.write_bill(site, bill):
            _tell(f"{file} lists every package with its version and hashes.")
    raise typer.Exit(0 if packages.report(site, tell=_tell) else 1)


@app.command(context_settings={**_FORWARD, "help_option_names": []})
def bench(context: typer.Context) -> None:
    """Measure speed and memory of the whole product on this machine."""
    site = Site.here()
    command = [sys.executable, "-m", "bench", *context.args]
    raise typer.Exit(subprocess.run(command, cwd=site.root, check=False).returncode)  # noqa: S603


def main() -> None:
    """Run a command; what goes wrong is one sentence on standard error, with what to do about it."""
    try:
        app()
    except LaunchError as error:
        _tell(f"porchlight: {error}")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _tell(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _run_nlu(module: str, *arguments: str) -> int:
    from bot.launch import model

    site = Site.here()
    command = [str(site.nlu_python), "-m", f"nlu.{module}", *arguments]
    return subprocess.run(command, cwd=site.root, env=model.environment(site), check=False).returncode  # noqa: S603


def _lines() -> Iterable[str]:
    return (text for line in sys.stdin if (text := line.rstrip("\n")).strip())
