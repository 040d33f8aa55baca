"""What do the content files say right now? An editor tries what was just saved, before any visitor reads it.

Visitors hear the content that the bot loaded when it started. Here the files are read again whenever one of
them changed; where they cannot be read any more, the last readable content stays, and the problems are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.checks import check
from flows.loader import ContentInvalid, load
from flows.model import Book
from flows.safety import Lexicon, LexiconInvalid, load_lexicons

#: Every content file's name, the time it was saved, and its size.
_Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The content at one moment."""

    book: Book
    lexicon: Lexicon
    #: Everything that ``check`` would say, as sentences with file and line.
    problems: tuple[str, ...]
    #: Whether the files could be read; else ``book`` and ``lexicon`` are the last ones that could.
    readable: bool
    #: Whether visitors hear the same.
    live: bool


class Drafts:
    """The content of a folder, read again when it changed."""

    def __init__(
        self,
        folder: Path,
        *,
        own_directory: Path | None = None,
        book: Book,
        lexicon: Lexicon,
        countries: Sequence[str],
    ) -> None:
        """``book`` and ``lexicon`` are what visitors hear, read from these folders just now."""
        self._folder = folder
        self._own_directory = own_directory
        self._countries = tuple(countries)
        self._started = self._seen = self._fingerprint()
        self._turn = asyncio.Lock()
        self._draft = Draft(
            book=book,
            lexicon=lexicon,
            problems=tuple(map(str, check(book, countries=self._countries))),
            readable=True,
            live=True,
        )

    async def now(self) -> Draft:
        """The content as the files have it; reading takes a second, in a thread of its own."""
        async with self._turn:
            seen = await asyncio.to_thread(self._fingerprint)
            if seen != self._seen:
                self._draft = await asyncio.to_thread(self._read, live=seen == self._started)
                self._seen = seen
            return self._draft

    def _read(self, *, live: bool) -> Draft:
        book, lexicon = self._draft.book, self._draft.lexicon
        unreadable: list[str] = []
        problems: list[str] = []
        try:
            book = load(self._folder, own_directory=self._own_directory)
            problems += map(str, check(book, countries=self._countries))
        except ContentInvalid as error:
            unreadable += map(str, error.problems)
        try:
            lexicon = load_lexicons(self._folder / "lexicons")
        except LexiconInvalid as error:
            unreadable += (f"flows/lexicons/{problem}" for problem in error.problems)
        return Draft(
            book=book,
            lexicon=lexicon,
            problems=(*unreadable, *problems),
            readable=not unreadable,
            live=live,
        )

    def _fingerprint(self) -> _Fingerprint:
        folders = (self._folder, self._own_directory)
        return tuple(mark for folder in folders if folder is not None for mark in _fingerprint(folder))


def _fingerprint(folder: Path) -> _Fingerprint:
    found = []
    for path in sorted(folder.rglob("*.yaml")):
        try:
            standing = path.stat()
        except OSError:
            continue  # An editor's program replaces a file by another of the same name.
        found.append((str(path), standing.st_mtime_ns, standing.st_size))
    return tuple(found)
