"""What exactly stands on the paper? Turns a document into blocks with words, for one visitor.

Pure like a turn: the same document, visitor and date give the same paper; ``bot.documents`` sets it in type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flows.desk import MONTHS
from flows.directory import platform_name
from flows.model import Block, BlockKind, Book, Document
from flows.speech import Voice, known_locale
from flows.state import Origin, Slot, State
from flows.texts import DIGITS

#: Stands in the slot of a table's column for the number of the row.
ROW = "{row}"


class NoSuchDocument(LookupError):
    """The book has no document of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One block with its words."""

    kind: BlockKind
    #: One text or several, as the kind has it; for a list its points; for an answer what was typed.
    words: tuple[str, ...] = ()
    #: What stands in the rows of a table; empty where it is to be written by hand.
    rows: tuple[tuple[str, ...], ...] = ()
    #: How wide the columns of a table are beside each other; empty where all are equal.
    widths: tuple[int, ...] = ()
    #: Lines, or a height in centimetres.
    count: int = 0
    #: SVG of a picture.
    picture: str = ""

    @property
    def said(self) -> bool:
        """Whether there is anything to show; a text may have come to nothing."""
        return any(self.words) or self.kind not in (BlockKind.TEXT, BlockKind.NOTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document for one visitor, ready to be set in type."""

    title: str
    locale: str
    layout: str
    #: The ten digits of the language, for the numbers of pages and rows.
    digits: str
    footer: str
    pieces: tuple[Piece, ...]


def compose(
    book: Book,
    name: str,
    *,
    locale: str,
    role: str | None,
    country: str | None,
    slots: Mapping[str, str],
    countries: Sequence[str],
    today: date,
) -> Paper:
    """The paper of a document; raises ``NoSuchDocument``. Of ``slots`` it sees those that it names."""
    document = book.documents.get(name)
    if document is None:
        raise NoSuchDocument(name)
    spoken = known_locale(book, locale)
    shown = {
        slot: Slot(value=value, by=Origin.FLOW, turn=0)
        for slot, value in slots.items()
        if value and document.shows(slot) and value not in document.unanswered
    }
    writer = _Writer(
        book,
        document,
        state=State(locale=spoken, role=role, country=country, slots=shown),
        voice=Voice(book, countries=countries, day=day(book, today, locale=spoken)),
    )
    return Paper(
        title=next(writer.text(block.keys[0]) for block in document.blocks if block.kind is BlockKind.TITLE),
        locale=spoken,
        layout=document.layout,
        digits="".join(book.texts.listed(DIGITS, locale=spoken)),
        footer=writer.text(document.footer) if document.footer else "",
        # A text that is nothing but an answer is left out where there is none.
        pieces=tuple(piece for block in document.blocks if (piece := writer.piece(block)).said),
    )


def day(book: Book, today: date, *, locale: str) -> str:
    """A date as people of this language write it, such as ``29 November 2026``."""
    digits = book.texts.listed(DIGITS, locale=locale)
    number = str.maketrans(dict(zip("0123456789", digits, strict=True)))
    month = book.texts.listed(MONTHS, locale=locale)[today.month - 1]
    return f"{str(today.day).translate(number)} {month} {str(today.year).translate(number)}"


class _Writer:
    """Fills the blocks of one document for one visitor."""

    def __init__(self, book: Book, document: Document, *, state: State, voice: Voice) -> None:
        self._book, self._document, self._state, self._voice = book, document, state, voice

    def text(self, key: str) -> str:
        """The words of a key; nothing where no language has it."""
        found = self._voice.text(key, flow=self._document.sheet, state=self._state)
        return self._voice.filled(found.text, flow=self._document.sheet, state=self._state) if found else ""

    def piece(self, block: Block) -> Piece:
        """The block with its words."""
        texts = tuple(self.text(key) for key in block.keys)
        picture = self._book.pictures[block.picture] if block.picture else ""
        match block.kind:
            case BlockKind.BULLETS | BlockKind.CHECKLIST:
                return Piece(kind=block.kind, words=points(texts[0]))
            case BlockKind.ANSWER:
                answers = (self._state.answer(slot) for slot in block.slots)
                return Piece(kind=block.kind, words=tuple(filter(None, answers)), count=block.count)
            case BlockKind.TABLE:
                rows = tuple(self._row(block, number) for number in range(1, block.count + 1))
                return Piece(kind=block.kind, words=texts, rows=rows, widths=block.widths)
            case _:
                return Piece(kind=block.kind, words=texts, count=block.count, picture=picture)

    def _row(self, block: Block, number: int) -> tuple[str, ...]:
        if not block.slots:
            return ("",) * len(block.keys)
        return tuple(self._cell(slot.replace(ROW, str(number))) for slot in block.slots)

    def _cell(self, slot: str) -> str:
        """What was answered: as a title of the document's sheet says it, a platform's name, or as typed."""
        value, directory = self._state.answer(slot), self._book.directory
        sheet = self._book.texts.sheets[self._state.locale].get(self._document.sheet)
        if sheet and value in sheet.choices:
            return sheet.choices[value]
        if value in directory.platforms:
            return platform_name(directory, self._book.texts, locale=self._state.locale, platform=value)
        return value


def points(text: str) -> tuple[str, ...]:
    """The points of a list: its lines, without the empty ones."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
