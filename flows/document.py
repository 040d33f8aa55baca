"""Is this file a document to print? Turns ``documents/<name>.yaml`` into blocks and notes what is none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from flows.definition import read_about
from flows.model import FORMATS, LAYOUTS, Block, BlockKind, Document, is_named
from flows.page import Entry, Group, Page, Tree
from flows.state import OWN

_KEYS = ("about", "document", "formats", "layout", "slots", "unanswered", "footer", "blocks")
_NEEDED = ("about", "document", "formats", "blocks")
#: More lines, rows or centimetres than this do not stand on one page of paper.
MAX_COUNT = 24
#: How high a picture is, in centimetres, where the document does not say.
PICTURE_HEIGHT = 3


def read_document(page: Page, tree: Tree, *, name: str, pictures: Collection[str]) -> Document | None:
    """The document, or None when the file is too broken to hold one; problems go to the page."""
    top = page.group(tree, "the file", known=_KEYS, required=_NEEDED)
    if any(key not in top for key in _NEEDED):
        return None
    if (said := page.word(top["document"].value, "'document'")) != name:
        sentence = f"the file is called '{name}.yaml', but it says 'document: {said}'."
        page.problem(top["document"].line, sentence)
    page.check_slug(name, "the document's name", line=1)
    slots = page.words(top["slots"].value, "'slots'") if "slots" in top else ()
    for slot in slots:
        if not slot.startswith(OWN):
            sentence = (
                f"'{slot}' is not the visitor's own: a document shows answers whose names begin with '{OWN}'."
            )
            page.problem(top["slots"].line, sentence)
    items = page.items(top["blocks"].value, "'blocks'")
    blocks = [block for item in items if (block := _block(page, item, slots=slots, pictures=pictures))]
    _check_title(page, blocks, line=top["blocks"].line)
    layout = page.one_of(top["layout"].value, "'layout'", known=LAYOUTS) if "layout" in top else LAYOUTS[0]
    return Document(
        name=name,
        file=page.file,
        about=read_about(page, top["about"].value),
        formats=_formats(page, top["formats"]),
        layout=layout,
        slots=slots,
        unanswered=page.words(top["unanswered"].value, "'unanswered'") if "unanswered" in top else (),
        footer=page.slug(top["footer"].value, "'footer'") if "footer" in top else "",
        blocks=tuple(blocks),
    )


def _formats(page: Page, entry: Entry) -> tuple[str, ...]:
    found = page.words(entry.value, "'formats'")
    for wrong in sorted(set(found) - set(FORMATS)):
        page.problem(entry.line, f"a document cannot be made as '{wrong}', only as: {', '.join(FORMATS)}.")
    return tuple(word for word in found if word in FORMATS)


def _check_title(page: Page, blocks: Collection[Block], *, line: int) -> None:
    """Screen readers and the list of files on a phone show the title."""
    titles = sum(block.kind is BlockKind.TITLE for block in blocks)
    if titles != 1:
        page.problem(line, f"a document has one title; this one has {titles}.")


def _block(page: Page, tree: Tree, *, slots: Collection[str], pictures: Collection[str]) -> Block | None:
    if not isinstance(tree, Group):
        page.problem(tree.line, "a block must be written as '- kind: what stands there'.")
        return None
    first = tree.entries[0]
    known = tuple(kind.value for kind in BlockKind)
    if first.key not in known:
        page.problem(first.line, f"a page cannot have '{first.key}', only: {', '.join(known)}.")
        return None
    kind = BlockKind(first.key)
    beside, needed, read = _READERS[kind]
    what = f"'{kind}'"
    entries = page.group(tree, what, known=(kind.value, *beside), required=needed)
    if any(key not in entries for key in needed):
        return None
    return read(_Parts(page, entries, kind=kind, line=first.line, slots=slots, pictures=pictures))


class _Parts:
    """The entries of one block and how to read each."""

    def __init__(
        self,
        page: Page,
        entries: Mapping[str, Entry],
        *,
        kind: BlockKind,
        line: int,
        slots: Collection[str],
        pictures: Collection[str],
    ) -> None:
        self.page, self.entries, self.kind, self.line = page, entries, kind, line
        self.slots, self.pictures = slots, pictures

    def block(self, **fields: Any) -> Block:
        """The block with these fields."""
        return Block(line=self.line, kind=self.kind, **fields)

    def tree(self, key: str) -> Tree:
        return self.entries[key].value

    def what(self, key: str) -> str:
        return f"'{key}'" if key == self.kind else f"'{key}' of '{self.kind}'"

    def key(self, key: str) -> str:
        """The key of one text."""
        return self.page.slug(self.tree(key), self.what(key))

    def words(self, key: str) -> tuple[str, ...]:
        return self.page.words(self.tree(key), self.what(key))

    def answers(self, key: str) -> tuple[str, ...]:
        """Slots, all of them named at the top of the file; none where the key is not there."""
        found = self.words(key) if key in self.entries else ()
        for slot in found:
            if not is_named(slot, self.slots):
                self.page.problem(
                    self.tree(key).line, f"'{self.kind}' shows '{slot}', which 'slots' does not name."
                )
        return found

    def number(self, key: str, *, usual: int = 1) -> int:
        """How many lines, rows or centimetres; the usual number where nothing is said."""
        if key not in self.entries:
            return usual
        return self._read_number(key, self.page.word(self.tree(key), self.what(key))) or usual

    def numbers(self, key: str) -> tuple[int, ...]:
        """Several numbers; none where the key is not there."""
        values = self.words(key) if key in self.entries else ()
        return tuple(self._read_number(key, value) or 1 for value in values)

    def _read_number(self, key: str, value: str) -> int:
        if value.isdecimal() and 1 <= int(value) <= MAX_COUNT:
            return int(value)
        line = self.tree(key).line
        self.page.problem(line, f"{self.what(key)} must be a number from 1 to {MAX_COUNT}, not '{value}'.")
        return 0


def _text(parts: _Parts) -> Block:
    return parts.block(keys=(parts.key(parts.kind),))


def _texts(parts: _Parts) -> Block:
    return parts.block(keys=parts.words(parts.kind))


def _space(parts: _Parts) -> Block:
    return parts.block(count=parts.number(parts.kind))


def _answer(parts: _Parts) -> Block:
    return parts.block(slots=parts.answers(parts.kind), count=parts.number("lines"))


def _table(parts: _Parts) -> Block:
    heads, widths = parts.words(parts.kind), parts.numbers("widths")
    slots = parts.answers("answers")
    for many, what in ((len(slots), "answers"), (len(widths), "widths")):
        if many not in (0, len(heads)):
            sentence = f"{parts.what(what)} has {many} entries for {len(heads)} columns."
            parts.page.problem(parts.tree(what).line, sentence)
    return parts.block(keys=heads, slots=slots, count=parts.number("rows"), widths=widths)


def _picture(parts: _Parts) -> Block:
    known = tuple(sorted(parts.pictures))
    return parts.block(
        picture=parts.page.one_of(parts.tree(parts.kind), parts.what(parts.kind), known=known),
        keys=(parts.key("shows"),) if "shows" in parts.entries else (),
        count=parts.number("height", usual=PICTURE_HEIGHT),
    )


def _page_break(parts: _Parts) -> Block:
    return parts.block()


#: Kind of block to: what may stand beside its first word, what of it must, how it is read.
_READERS: Mapping[BlockKind, tuple[tuple[str, ...], tuple[str, ...], Callable[[_Parts], Block]]] = {
    BlockKind.TITLE: ((), (), _text),
    BlockKind.HEADING: ((), (), _text),
    BlockKind.TEXT: ((), (), _text),
    BlockKind.NOTE: ((), (), _text),
    BlockKind.BULLETS: ((), (), _text),
    BlockKind.CHECKLIST: ((), (), _text),
    BlockKind.CARDS: ((), (), _texts),
    BlockKind.FIELDS: ((), (), _texts),
    BlockKind.ANSWER: (("lines",), (), _answer),
    BlockKind.LINES: ((), (), _space),
    BlockKind.FRAME: ((), (), _space),
    BlockKind.TABLE: (("rows", "answers", "widths"), ("rows",), _table),
    BlockKind.PICTURE: (("shows", "height"), (), _picture),
    BlockKind.PAGE_BREAK: ((), (), _page_break),
}
