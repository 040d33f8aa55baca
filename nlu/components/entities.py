"""Which app, what age, who and since when: what does a message name outright? Knows nothing of Rasa.

Rules and no model: the lists are short, a psychologist can read them, and a wrong guess about a child's age
is worse than none. One pass over the words, each of which begins a bounded number of phrases.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nlu.components.entity_lists import KINDS, LISTS, TOKEN, Lists, as_written, folded, read

YOUNGEST: Final = 5
OLDEST: Final = 99
_YEARS: Final = range(2000, 2100)
_MOST: Final = 999
"""The largest number that counts days, weeks or months."""

#: Between these two words a sentence ends, and no phrase goes on.
_END_OF_SENTENCE: Final = re.compile(r"[.!?…][\s\"'»”)]|[\n\r;।()\[\]]")
_BEFORE_A_SUM: Final = frozenset("$€£৳₽₴#№@+=")
_AFTER_A_SUM: Final = frozenset("$€£৳₽₴%°+=*")
_TENS: Final = frozenset(range(20, 100, 10))
_ONES: Final = frozenset(range(1, 10))


@dataclass(frozen=True)
class Found:
    """Something that the text names, and where."""

    kind: str
    #: An age in years, or a word of nlu/entities/values.yml, or a time as nlu/entities/README.md writes it.
    value: int | str
    #: Of the text as it was given: the first sign, and the one after the last.
    start: int
    end: int
    #: Whose age it is, ``self`` or ``other``, where the words tell.
    whose: str | None = None


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    #: What it may be in a phrase, each with what it says there.
    symbols: Mapping[str, str]
    #: As a word, not in digits; None for what is no number.
    spoken: int | None
    #: Nothing that begins before this word goes on here.
    opens: bool


@dataclass(frozen=True)
class _Leaf:
    kind: str
    value: str | None
    span: tuple[int, int]


class _Node:
    """Where the phrases are that begin alike."""

    __slots__ = ("leaves", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.leaves: list[_Leaf] = []


@dataclass(frozen=True)
class _Candidate:
    leaf: _Leaf
    #: Tokens of the whole phrase, from and up to.
    whole: tuple[int, int]
    #: Tokens of the entity in it.
    span: tuple[int, int]
    said: tuple[tuple[str, str], ...]


class EntityRules:
    """Finds entities in texts of any of the languages; made once, asked often."""

    def __init__(self, lists: Lists) -> None:
        """Prepares the lists for the search."""
        self._numbers = lists.numbers
        self._symbols = {form: dict(each) for form, each in lists.symbols.items()}
        self._root = _Node()
        for rule in lists.rules:
            node = self._root
            for symbol in rule.symbols:
                node = node.next.setdefault(symbol, _Node())
            node.leaves.append(_Leaf(rule.kind, rule.value, rule.span))

    @classmethod
    def load(cls, folder: Path = LISTS) -> "EntityRules":
        """With the lists in `folder`; raises ListsInvalid."""
        return cls(read(folder))

    def find(self, text: str) -> list[Found]:
        """What the text names, in the order of its words, no two overlapping.

        Never raises, and takes time in proportion to the text.
        """
        tokens = self._tokens(text)
        found = []
        for each in _chosen(self._candidates(tokens)):
            start, end = tokens[each.span[0]].start, tokens[each.span[1] - 1].end
            said, value = dict(each.said), each.leaf.value or ""
            if each.leaf.kind == "age":
                whose = None if value == "unknown" else value
                found.append(Found("age", int(said.get("age") or said["digits"]), start, end, whose))
            else:
                found.append(Found(each.leaf.kind, as_written(value, said), start, end))
        return found

    def _tokens(self, text: str) -> list[_Token]:
        tokens: list[_Token] = []
        before = 0
        for match in TOKEN.finditer(text):
            start, end = match.span()
            gap = text[before:start]
            opens = bool(_END_OF_SENTENCE.search(gap))
            token = self._token(text, start, end, opens=opens)
            last = tokens[-1] if tokens else None
            # Twenty and one are one number, "двадцать" and "один" too; "20 1" is not.
            if (
                last is not None
                and len(gap) == 1
                and not opens
                and last.spoken in _TENS
                and token.spoken in _ONES
            ):
                spoken = (last.spoken or 0) + (token.spoken or 0)
                tokens[-1] = _Token(last.start, end, _as_number(spoken), spoken, last.opens)
            else:
                tokens.append(token)
            before = end
        return tokens

    def _token(self, text: str, start: int, end: int, *, opens: bool) -> _Token:
        if text[start].isdecimal():
            if end - start > 4 or not text[start:end].isdecimal() or _is_sum(text, start, end):
                return _Token(start, end, {}, None, opens)
            symbols = _as_number(int(text[start:end]))
            if "{age}" in symbols:
                symbols["{digits}"] = symbols["{age}"]
            return _Token(start, end, symbols, None, opens)
        # An @name is somebody's, not the app it resembles.
        if start and text[start - 1] == "@":
            return _Token(start, end, {}, None, opens)
        word = folded(text[start:end])
        symbols = {word: "", **self._symbols.get(word, {})}
        spoken = self._numbers.get(word)
        if spoken is not None:
            symbols.update(_as_number(spoken))
        return _Token(start, end, symbols, spoken, opens)

    def _candidates(self, tokens: Sequence[_Token]) -> list[_Candidate]:
        candidates = []
        for first in range(len(tokens)):
            states: list[tuple[_Node, tuple[tuple[str, str], ...]]] = [(self._root, ())]
            at = first
            while states and at < len(tokens) and (at == first or not tokens[at].opens):
                followed = []
                for node, said in states:
                    for symbol, value in tokens[at].symbols.items():
                        after = node.next.get(symbol)
                        if after is None:
                            continue
                        heard = (*said, (symbol[1:-1], value)) if value else said
                        followed.append((after, heard))
                        candidates += [
                            _Candidate(
                                leaf,
                                (first, at + 1),
                                (first + leaf.span[0], first + leaf.span[1]),
                                heard,
                            )
                            for leaf in after.leaves
                        ]
                states = followed
                at += 1
        return candidates


def _as_number(number: int) -> dict[str, str]:
    symbols = {}
    if YOUNGEST <= number <= OLDEST:
        symbols["{age}"] = str(number)
    if 1 <= number <= _MOST:
        symbols["{number}"] = str(number)
    if number in _YEARS:
        symbols["{year}"] = str(number)
    return symbols


def _is_sum(text: str, start: int, end: int) -> bool:
    """A price, a share, a limit such as 18+, a house number."""
    return text[start - 1 : start] in _BEFORE_A_SUM or text[end : end + 1] in _AFTER_A_SUM


def _chosen(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """The longest of those that overlap, from the left; none in which an exception of its kind has a part."""
    exceptions: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for each in candidates:
        if each.leaf.value is None:
            for at in range(*each.span):
                exceptions[each.leaf.kind, at].append(each.whole)
    chosen: list[_Candidate] = []
    taken: set[int] = set()
    ordered = sorted(
        (each for each in candidates if each.leaf.value is not None),
        key=lambda each: (
            each.whole[0],
            each.whole[0] - each.whole[1],
            each.span,
            KINDS.index(each.leaf.kind),
            str(each.leaf.value),
        ),
    )
    for each in ordered:
        places = range(*each.span)
        excepted = any(
            not _is_longer(each.whole, than=whole)
            for at in places
            for whole in exceptions.get((each.leaf.kind, at), ())
        )
        if not excepted and taken.isdisjoint(places):
            chosen.append(each)
            taken.update(places)
    return sorted(chosen, key=lambda each: each.span)


def _is_longer(whole: tuple[int, int], *, than: tuple[int, int]) -> bool:
    return whole[0] <= than[0] and than[1] <= whole[1] and whole != than
