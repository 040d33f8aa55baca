"""How is a sheet of texts written? Puts new words into a file and leaves every other line as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from flows.review import NOT_YET
from flows.sheet import REVIEWED, TITLES
from flows.translation import Spot, words_of

#: YAML would read these names as true, false or nothing.
_QUOTED = frozenset({"yes", "no", "on", "off", "y", "n", "true", "false", "null"})
_STEP = "  "
_BELOW = re.compile(r"(?:^[ \t]*(?:#[^\n]*)?\n)+\Z", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One top-level entry: a text, a text with buttons, the buttons of the sheet, or a list of words."""

    #: The key as it is written, perhaps in quotes.
    key: str
    text: str | None = None
    #: Whether the text is written over several lines.
    block: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()


def with_changes(before: str, changes: Mapping[Spot, str], *, lists: frozenset[str]) -> str:
    """The file with these texts and titles; only the entries that change are written anew.

    What has changed nobody has reviewed, so ``reviewed`` becomes ``not yet``. ``lists`` are the keys that
    hold lists of words; an empty file is a new one.
    """
    if not changes:
        return before
    lines = before or f"{REVIEWED}: {NOT_YET}\n"
    lines += "" if lines.endswith("\n") else "\n"
    entries = {str(key.value): (key, value) for key, value in _top(lines)}
    pieces: dict[str, _Piece] = {}
    for spot, words in changes.items():
        name = spot.key or TITLES
        piece = pieces.get(name) or (_read(lines, *entries[name]) if name in entries else _new(name))
        pieces[name] = _put(piece, spot, words, listed=spot.key in lists)
    replaced = [
        (entries[name][0].start_mark.index, _end(lines, entries[name][1]), _written(piece))
        for name, piece in pieces.items()
        if name in entries
    ]
    if REVIEWED in entries:
        value = entries[REVIEWED][1]
        replaced.append((value.start_mark.index, value.end_mark.index, NOT_YET))
    new = [_written(piece) for name, piece in pieces.items() if name not in entries and name != TITLES]
    if TITLES in entries:
        place = entries[TITLES][0].start_mark.index
    else:
        place = len(lines)
        new += [_written(pieces[TITLES])] if TITLES in pieces else []
    replaced.append((place, place, "".join(new)))
    return _replace(lines, replaced)


def with_platforms(before: str, changes: Mapping[Spot, str], *, locale: str) -> str:
    """``platforms.yaml`` with these steps and names in a language; every other line stays as it was."""
    platforms = _inner(_top(before), "platforms").value
    pieces = []
    for spot, words in changes.items():
        platform, _, part = spot.key.partition(".")
        node = _inner(_inner(platforms, platform).value, part)
        said = {str(key.value): value for key, value in node.value}
        if locale in said:
            known = said[locale]
            pieces.append((known.start_mark.index, known.end_mark.index, _quoted(words)))
            continue
        last_key, last = node.value[-1]
        between = ", " if node.flow_style else "\n" + " " * last_key.start_mark.column
        end = last.end_mark.index
        pieces.append((end, end, f"{between}{locale}: {_quoted(words)}"))
    return _replace(before, pieces)


def _inner(pairs: Iterable[tuple[yaml.ScalarNode, Any]], name: str) -> yaml.MappingNode:
    """The group of this name; the file was loaded before, so it is there."""
    found: yaml.MappingNode = next(value for key, value in pairs if key.value == name)
    return found


def _top(text: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    # The C parser counts marks in another way, so this is the plain one.
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return list(root.value) if isinstance(root, yaml.MappingNode) else []


def _read(text: str, key: yaml.ScalarNode, value: yaml.Node) -> _Piece:
    piece = _Piece(key=text[key.start_mark.index : key.end_mark.index])
    if isinstance(value, yaml.SequenceNode):
        return replace(piece, words=tuple(str(item.value) for item in value.value))
    if isinstance(value, yaml.ScalarNode):
        return replace(piece, text=str(value.value), block=value.style == "|")
    parts = {str(name.value): part for name, part in value.value}
    if piece.key == TITLES:
        return replace(piece, titles=_titles(text, value))
    return replace(
        piece,
        text=str(parts["text"].value),
        block=parts["text"].style == "|",
        titles=_titles(text, parts[TITLES]) if TITLES in parts else {},
    )


def _titles(text: str, node: yaml.Node) -> dict[str, str]:
    """Slug, as it is written, to title."""
    return {text[key.start_mark.index : key.end_mark.index]: str(title.value) for key, title in node.value}


def _new(name: str) -> _Piece:
    return _Piece(key=_key(name))


def _put(piece: _Piece, spot: Spot, words: str, *, listed: bool) -> _Piece:
    if listed:
        return replace(piece, words=words_of(words))
    if not spot.slug:
        return replace(piece, text=words)
    written = next((slug for slug in piece.titles if slug.strip("'\"") == spot.slug), _key(spot.slug))
    return replace(piece, titles={**piece.titles, written: words})


def _key(name: str) -> str:
    return f'"{name}"' if name.casefold() in _QUOTED else name


def _written(piece: _Piece) -> str:
    if piece.words:
        return f"{piece.key}: [{', '.join(map(_quoted, piece.words))}]\n"
    if piece.key == TITLES:
        return f"{piece.key}:\n{_buttons(piece.titles, _STEP)}"
    if not piece.titles:
        return f"{piece.key}: {_text(piece, _STEP)}\n"
    inner = f"{_STEP}text: {_text(piece, _STEP * 2)}\n{_STEP}{TITLES}:\n{_buttons(piece.titles, _STEP * 2)}"
    return f"{piece.key}:\n{inner}"


def _text(piece: _Piece, indent: str) -> str:
    text = piece.text or ""
    if not piece.block:
        return _quoted(text)
    return "|-\n" + "\n".join(f"{indent}{line}" if line else "" for line in text.strip().splitlines())


def _buttons(titles: Mapping[str, str], indent: str) -> str:
    return "".join(f"{indent}{slug}: {_quoted(title)}\n" for slug, title in titles.items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _end(text: str, value: yaml.Node) -> int:
    """Where an entry's last line ends; comments and empty lines below it belong to what follows."""
    end = value.end_mark.index
    if text[end - 1] != "\n":
        return text.index("\n", end) + 1
    return len(_BELOW.sub("", text[:end]))


def _replace(text: str, pieces: list[tuple[int, int, str]]) -> str:
    # From the end on, so that the places before stay right; of two at one place the first is done first.
    for start, end, new in sorted(pieces, key=lambda piece: piece[0], reverse=True):
        text = text[:start] + new + text[end:]
    return text
