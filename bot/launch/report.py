"""How do the texts stand? Tables of languages, of flows, and of how hard each is to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from flows.level import Reading, readings
from flows.model import Book
from flows.texts import FALLBACK_LOCALE
from flows.translation import units

#: So many letters of a sentence are shown in the table.
_MAX_SENTENCE = 70
#: Every conversation of a file of goldens has its turns on a line that begins so.
_TURNS = re.compile(r"^turns:", re.MULTILINE)


def goldens(folder: Path) -> Mapping[str, int]:
    """Flow to the number of its golden conversations; empty where this installation holds no tests."""
    return {
        file.stem: len(_TURNS.findall(file.read_text(encoding="utf-8"))) for file in folder.glob("*.yaml")
    }


def report(
    book: Book, *, proofs: Mapping[str, int], flow: str | None = None, locale: str | None = None
) -> Iterator[str]:
    """The lines of the report; ``flow`` and ``locale`` leave out all others from the tables of flows."""
    yield from _languages(book)
    yield ""
    yield from _flows(book, proofs=proofs, flow=flow)
    read = [
        reading
        for reading in readings(book)
        if flow in (None, reading.flow) and locale in (None, reading.locale)
    ]
    yield ""
    yield from _readings(read)
    yield ""
    yield from _warnings(read)


def _languages(book: Book) -> Iterator[str]:
    rows = [("language", "texts", "translated", "files reviewed")]
    for locale in book.locales:
        sheets = book.texts.sheets[locale]
        texts = sum(len(sheet.texts) for sheet in sheets.values())
        reviewed = len(sheets) - len(book.texts.unreviewed(locale))
        rows.append((locale, str(texts), f"{_coverage(book, locale):.1%}", f"{reviewed} of {len(sheets)}"))
    yield from _table(rows)


def _coverage(book: Book, locale: str) -> float:
    """The share of texts and buttons of this and the fallback language that have words in this one."""
    if locale == FALLBACK_LOCALE or FALLBACK_LOCALE not in book.locales:
        return 1.0
    every = units(book, source=FALLBACK_LOCALE, target=locale)
    return sum(bool(unit.target) for unit in every) / len(every)


def _flows(book: Book, *, proofs: Mapping[str, int], flow: str | None) -> Iterator[str]:
    rows = [("flow", "nodes", "goldens", "reviewed")]
    for name, entry in book.flows.items():
        if flow in (None, name):
            shown = str(proofs.get(name, 0)) if proofs else "-"
            rows.append((name, str(len(entry.nodes)), shown, entry.about.reviewed))
    yield from _table(rows)


def _readings(read: Sequence[Reading]) -> Iterator[str]:
    rows = [("flow", "language", "role", "words a sentence", "long words", "longest sentence")]
    for reading in read:
        level = reading.level
        size, sentence = level.worst[0] if level.worst else (0, "")
        shown = sentence if len(sentence) <= _MAX_SENTENCE else sentence[: _MAX_SENTENCE - 1] + "…"
        rows.append(
            (
                reading.flow,
                reading.locale,
                " ".join(reading.roles),
                f"{level.words_a_sentence:.1f}",
                f"{level.share_of_long:.0%}",
                f"{size}: {shown}",
            )
        )
    yield from _table(rows)


def _warnings(read: Sequence[Reading]) -> Iterator[str]:
    hard = [(reading, warning) for reading in read for warning in reading.warnings]
    if not hard:
        yield "Nothing is too hard for children."
        return
    yield "Too hard for children (nothing fails because of it):"
    for reading, warning in hard:
        yield f"  {reading.flow}, {reading.locale}, {' and '.join(reading.roles)}: {warning}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with their columns below each other; the last column may be as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        *cells, last = row
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)), last])
