"""What can an auditor do at the command line? Check the log, and write it into a file."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import AuditRepository, record
from referral.audit.rules import Act, Break, Fault, Head, stamp
from referral.clock import utc_now
from referral.config import read
from referral.database import open_engine, sessions_of, transaction
from referral.errors import FileExists, HeadInvalid
from referral.operators.repository import OperatorRepository

Found = TypeVar("Found")

audit_cli = typer.Typer(no_args_is_help=True, help="The log of who saw and did what.")

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_FAULTS = {
    Fault.MISSING: "it is not there",
    Fault.UNCHAINED: "it does not follow from the row before it",
    Fault.CHANGED: "it was changed after it was written",
    Fault.REPLACED: "it is not the row whose head you noted down",
}
_COLUMNS = ("seq", "at", "act", "operator_id", "about_id", "case_id", "previous", "hash", "operator", "about")


@audit_cli.command()
def verify(
    known: Annotated[
        str | None,
        typer.Option(help="A head that an earlier run printed: proves that nothing before it was replaced."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check that no row of the log was changed, left out or slipped in; exit code 1 if one was."""
    noted = _head(known) if known else None
    found = asyncio.run(_within(lambda session: AuditRepository(session).verify(known=noted)))
    typer.echo(json.dumps(_facts(found)) if as_json else _sentence(found))
    if isinstance(found, Break):
        raise typer.Exit(1)


@audit_cli.command()
def export(file: Annotated[Path, typer.Argument(help="File to write (CSV); must not exist.")]) -> None:
    """Write the whole log as a table, with what is needed to check it: see docs/adr/0019."""
    rows = asyncio.run(_within(lambda session: _export(session, file)))
    typer.echo(f"{rows} rows are in {file}.")


def _head(text: str) -> Head:
    match = _HEAD.fullmatch(text.strip().lower())
    if match is None:
        raise HeadInvalid
    return Head(seq=int(match[1]), hash=bytes.fromhex(match[2]))


def _sentence(found: Head | Break) -> str:
    if isinstance(found, Break):
        return f"The log breaks at row {found.seq}: {_FAULTS[found.fault]}."
    return (
        f"The log is whole: {found.seq} rows. Its head is {found}\n"
        f"Keep the head outside this machine; 'audit verify --known {found.seq}:…' compares with it later."
    )


def _facts(found: Head | Break) -> dict[str, object]:
    if isinstance(found, Break):
        return {"whole": False, "breaks_at": found.seq, "fault": found.fault}
    return {"whole": True, "rows": found.seq, "head": str(found)}


async def _export(session: AsyncSession, file: Path) -> int:
    names = {person.number: person.name for person in await OperatorRepository(session).everyone()}
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FileExists(
            "%(file)s is there already; name a new file, so that no export is lost.", file=file
        ) from None
    rows = 0
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(_COLUMNS)
        async for links in AuditRepository(session).oldest():
            for link in links:
                table.writerow(
                    (
                        link.seq,
                        stamp(link.at),
                        link.act,
                        link.operator,
                        link.about,
                        link.case,
                        link.previous.hex(),
                        link.hash.hex(),
                        names.get(link.operator) if link.operator else None,
                        names.get(link.about) if link.about else None,
                    )
                )
                rows += 1
    record(session, Act.LOG_EXPORTED, now=utc_now())
    return rows


async def _within(act: Callable[[AsyncSession], Awaitable[Found]]) -> Found:
    engine = open_engine(read().referral_database_url)
    try:
        async with transaction(sessions_of(engine)) as session:
            return await act(session)
    finally:
        await engine.dispose()
