"""How do texts get to a translator and back? Writes a file for their tool, and takes it back whole or not."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from bot.launch.translation import table, xliff
from bot.launch.translation.errors import FileUnreadable, TranslationRefused
from bot.launch.translation.written import with_changes, with_platforms
from flows.checks import check
from flows.loader import ContentInvalid, load
from flows.model import Book, Problem
from flows.translation import LOCALE, PLATFORMS, Kind, Merged, Spot, Unit, merge, units

_FORMATS: Mapping[str, ModuleType] = {".xlf": xliff, ".xliff": xliff, ".csv": table}
#: Spreadsheets take a file without this mark for one in their own old letters.
_ENCODING = "utf-8-sig"
#: What of the folder no check of content reads.
_APART = shutil.ignore_patterns("lexicons", "*.py", "__pycache__")
#: So many names are told before "and others".
_MAX_NAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export wrote."""

    texts: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import changed, and what it left."""

    texts: int
    files: tuple[Path, ...]
    stale: tuple[str, ...]
    empty: int


def export_texts(folder: Path, file: Path, *, source: str, target: str) -> Exported:
    """Write every text of a language, beside the same in another, for a translation tool."""
    form = _form(file)
    book = _book(folder)
    _require_locales(book, source=source, target=target)
    wanted = units(book, source=source, target=target)
    words = form.write(wanted, source=source, target=target)
    file.write_text(words, encoding=_ENCODING if form is table else "utf-8", newline="")
    return Exported(texts=len(wanted), missing=sum(not unit.target for unit in wanted))


def import_texts(folder: Path, file: Path, *, countries: Sequence[str]) -> Imported:
    """Put a translator's words into the sheets; ``TranslationRefused`` if one is wrong; then none goes in."""
    form = _form(file)
    try:
        source, target, came = form.read(file.read_text(encoding=_ENCODING))
    except FileNotFoundError:
        raise FileUnreadable(f"There is no file {file}.") from None
    except UnicodeDecodeError:
        raise FileUnreadable(f"{file} is not saved as UTF-8; save it again as 'CSV UTF-8'.") from None
    book = _book(folder)
    _require_locales(book, source=source, target=target)
    wanted = units(book, source=source, target=target)
    merged = merge(wanted, came)
    _refuse(merged.problems)
    written = _sheets(folder, merged, wanted=wanted, locale=target)
    _refuse(_new_problems(folder, written, book=book, locale=target, countries=countries))
    for path, words in written.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(words, encoding="utf-8")
    return Imported(texts=len(merged.changes), files=tuple(written), stale=merged.stale, empty=merged.empty)


def named(names: Iterable[str]) -> str:
    """Some names for a sentence, and how many more there are."""
    every = list(names)
    more = len(every) - _MAX_NAMES
    return ", ".join(every[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _form(file: Path) -> ModuleType:
    if file.suffix.casefold() not in _FORMATS:
        raise FileUnreadable(f"{file} must end in .xlf (for translation tools) or .csv (for a spreadsheet).")
    return _FORMATS[file.suffix.casefold()]


def _book(folder: Path) -> Book:
    try:
        return load(folder)
    except ContentInvalid as error:
        raise TranslationRefused(
            "\n".join(["The content must be repaired first:", *map(str, error.problems)])
        ) from error


def _require_locales(book: Book, *, source: str, target: str) -> None:
    if source not in book.locales:
        raise FileUnreadable(f"There are no texts in '{source}', only in: {', '.join(book.locales)}.")
    if not LOCALE.fullmatch(target):
        raise FileUnreadable(f"'{target}' is not a language's code, such as ru.")
    if source == target:
        raise FileUnreadable(f"'{source}' cannot be translated into itself: choose another with --from.")


def _sheets(folder: Path, merged: Merged, *, wanted: Iterable[Unit], locale: str) -> dict[Path, str]:
    """The files that change, with their new words."""
    lists = frozenset(unit.spot.key for unit in wanted if unit.kind is Kind.WORDS)
    changed: dict[str, dict[Spot, str]] = defaultdict(dict)
    for spot, words in merged.changes.items():
        changed[spot.sheet][spot] = words
    written = {}
    for sheet, changes in changed.items():
        of_platforms = sheet == PLATFORMS
        path = folder / ("" if of_platforms else f"texts/{locale}") / f"{sheet}.yaml"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if of_platforms:
            written[path] = with_platforms(before, changes, locale=locale)
        else:
            written[path] = with_changes(before, changes, lists=lists)
    return written


def _new_problems(
    folder: Path, written: Mapping[Path, str], *, book: Book, locale: str, countries: Sequence[str]
) -> list[str]:
    """The problems that these words would bring into the language's sheets and the platforms."""
    if not written:
        return []
    before = {_apart(problem) for problem in check(book, countries=countries)}
    with TemporaryDirectory() as scratch:
        trial = Path(scratch) / "flows"
        shutil.copytree(folder, trial, ignore=_APART)
        for path, words in written.items():
            tried = trial / path.relative_to(folder)
            tried.parent.mkdir(exist_ok=True)
            tried.write_text(words, encoding="utf-8")
        try:
            found = check(load(trial), countries=countries)
        except ContentInvalid as error:
            found = error.problems
    return [
        str(problem)
        for problem in found
        if problem.file.startswith((f"texts/{locale}/", PLATFORMS)) and _apart(problem) not in before
    ]


def _apart(problem: Problem) -> tuple[str, str]:
    """A problem without its line, which moves."""
    return problem.file, problem.sentence


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise TranslationRefused("\n".join([*problems, "Nothing was changed."]))
