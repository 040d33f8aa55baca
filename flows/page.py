"""What does a content file say, and on which line? A small tree that is read with all problems collected."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from flows.model import Problem
from flows.review import NOT_YET, is_review

_SLUG = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One word or text."""

    line: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list."""

    line: int
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ``key: value`` of a group."""

    key: str
    line: int
    value: Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A mapping."""

    line: int
    entries: tuple[Entry, ...]


Tree = Leaf | Sequence | Group


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that ends a sentence about a misspelt word, or nothing when no known word is near."""
    close = get_close_matches(word, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


class Page:
    """One file under reading: every method takes what it can use and notes a problem about the rest."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def problem(self, line: int, sentence: str) -> None:
        """Note a problem; reading goes on."""
        self.problems.append(Problem(file=self.file, line=line, sentence=sentence))

    def group(
        self, tree: Tree, what: str, *, known: Collection[str] = (), required: Collection[str] = ()
    ) -> dict[str, Entry]:
        """The entries of a group by key; ``known`` closes the set of keys (empty: any key)."""
        if not isinstance(tree, Group):
            self.problem(tree.line, f"{what} must be written as 'name: value' lines.")
            return {}
        found: dict[str, Entry] = {}
        for entry in tree.entries:
            if entry.key in found:
                first = found[entry.key].line
                self.problem(
                    entry.line, f"'{entry.key}' stands twice in {what}; the first is on line {first}."
                )
            elif known and entry.key not in known:
                hint = did_you_mean(entry.key, known)
                self.problem(entry.line, f"{what} cannot have '{entry.key}'.{hint}")
            else:
                found[entry.key] = entry
        for key in required:
            if key not in found:
                self.problem(tree.line, f"{what} needs '{key}'.")
        return found

    def word(self, tree: Tree, what: str) -> str:
        """A single non-empty text, without the blanks around it."""
        if not isinstance(tree, Leaf):
            self.problem(tree.line, f"{what} must be a single word or text.")
            return ""
        value = tree.value.strip()
        if not value:
            self.problem(tree.line, f"{what} is empty.")
        return value

    def slug(self, tree: Tree, what: str) -> str:
        """A word of small letters, digits and underscores."""
        value = self.word(tree, what)
        if value:
            self.check_slug(value, what, line=tree.line)
        return value

    def check_slug(self, value: str, what: str, *, line: int) -> None:
        """Note a problem unless the value is a word of small letters, digits and underscores."""
        if not _SLUG.fullmatch(value):
            self.problem(
                line, f"{what} '{value}' must be small letters, digits and '_', starting with a letter."
            )

    def words(self, tree: Tree, what: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        if isinstance(tree, Leaf):
            value = self.word(tree, what)
            return (value,) if value else ()
        if isinstance(tree, Group):
            self.problem(tree.line, f"{what} must be a list.")
            return ()
        return tuple(value for item in tree.items if (value := self.word(item, what)))

    def items(self, tree: Tree, what: str) -> tuple[Tree, ...]:
        """A list of anything."""
        if not isinstance(tree, Sequence):
            self.problem(tree.line, f"{what} must be a list.")
            return ()
        return tree.items

    def one_of(self, tree: Tree, what: str, *, known: Collection[str]) -> str:
        """A word out of a closed set; empty if it is none of them."""
        value = self.word(tree, what)
        if value and value not in known:
            hint = did_you_mean(value, known)
            self.problem(tree.line, f"{what} cannot be '{value}', only one of: {', '.join(known)}.{hint}")
            return ""
        return value

    def review(self, tree: Tree) -> str:
        """What ``reviewed`` says; anything else than 'not yet' or 'who, yyyy-mm-dd' counts as 'not yet'."""
        said = self.word(tree, "'reviewed'")
        if is_review(said):
            return said
        if said:
            sentence = f"'reviewed: {said}' must be '{NOT_YET}', or who and when: 'Name, 2026-10-01'."
            self.problem(tree.line, sentence)
        return NOT_YET

    def yes_or_no(self, tree: Tree, what: str) -> bool:
        """``true`` or ``false``."""
        return self.one_of(tree, what, known=("true", "false")) == "true"
