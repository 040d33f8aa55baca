"""How do texts look in a spreadsheet, and what came back in it? A CSV file, one text a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from bot.launch.translation.errors import FileUnreadable
from flows.translation import Translated, Unit

_SPOT, _SOURCE, _TARGET = "text", "original", "translation"
#: What a translator should know, beside the words themselves.
_KNOWN = ("kind", "at", "audience", "letters at most", "placeholders", "note")


def write(units: Iterable[Unit], *, source: str, target: str) -> str:
    """A CSV table; its first line names the columns and, behind a colon, the languages."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([_SPOT, f"{_SOURCE}:{source}", f"{_TARGET}:{target}", *_KNOWN])
    for unit in units:
        held = " ".join(f"{{{name}}}" for name in sorted(unit.placeholders))
        known = [unit.kind, " ".join(unit.places), unit.audience, unit.limit or "", held, unit.note]
        rows.writerow([unit.spot, unit.source, unit.target, *known])
    return out.getvalue()


def read(text: str) -> tuple[str, str, list[Translated]]:
    """Source language, target language and what came back; raises ``FileUnreadable``."""
    # Spreadsheets of some countries write semicolons.
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    columns = [name.strip() for name in rows.fieldnames or ()]
    source = _language(columns, _SOURCE)
    target = _language(columns, _TARGET)
    if _SPOT not in columns or not source or not target:
        raise FileUnreadable(
            f"The first line must name the columns '{_SPOT}', '{_SOURCE}:en' and '{_TARGET}:ru' (or other"
            " languages), as the export wrote them."
        )
    rows.fieldnames = columns
    try:
        came = [
            Translated(
                spot=(row[_SPOT] or "").strip(),
                source=row[f"{_SOURCE}:{source}"] or "",
                target=row[f"{_TARGET}:{target}"] or "",
            )
            for row in rows
            if row[_SPOT]
        ]
    except csv.Error as error:
        raise FileUnreadable(f"This table cannot be read ({error}); export it anew.") from error
    return source, target, came


def _language(columns: Iterable[str], name: str) -> str:
    return next((column.partition(":")[2] for column in columns if column.startswith(f"{name}:")), "")
