"""Which words of a text are bold, and which lead to a page? ``**bold**`` and ``[words](https://address)``.

Only what an editor wrote is read: what a visitor typed is put into a text after it was read, and an
operator's words never come here. Whatever is no complete markup stays as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

# Within one line, since a messenger that knows bold words may not know bold paragraphs.
_BOLD = re.compile(r"\*\*(?=[^\s*])([^\n]*?[^\s*])\*\*")
_LINK = re.compile(r"\[([^\[\]\n]*[^\[\]\s][^\[\]\n]*)\]\((https://[^\s(){}<>\"']+)\)")
_HALF_A_LINK = re.compile(r"\]\(|\]\s+\(https?:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Words that are shown in one way."""

    text: str
    bold: bool = False
    #: The https address that the words lead to, or empty.
    link: str = ""


# Only our own words come here, so they may be remembered; a visitor's never are.
@lru_cache(maxsize=16_384)
def runs_of(text: str) -> tuple[Run, ...]:
    """The text as runs, each with at least one letter; together they hold all of it but the markup."""
    return tuple(_runs(text))


def plain(runs: Sequence[Run]) -> str:
    """The words alone, for where nothing can be bold; an address that they lead to stands behind them."""
    return "".join(f"{run.text} ({run.link})" if run.link else run.text for run in runs)


def is_plain(runs: Sequence[Run]) -> bool:
    """Whether nothing here is bold or leads anywhere."""
    return not any(run.bold or run.link for run in runs)


def mistakes(text: str) -> Iterator[str]:
    """What an editor most likely meant as markup although it will be shown as it is typed, as sentences."""
    left = "\n".join(run.text for run in runs_of(text))
    if "**" in left:
        yield "holds ** without its other half on the same line; bold words are written **so**."
    if _HALF_A_LINK.search(left):
        yield "holds a link that cannot be read; one is written [words](https://address)."


def _runs(text: str) -> Iterator[Run]:
    end = 0
    for found in _BOLD.finditer(text):
        yield from _linked(text[end : found.start()])
        yield from (replace(run, bold=True) for run in _linked(found[1]))
        end = found.end()
    yield from _linked(text[end:])


def _linked(text: str) -> Iterator[Run]:
    end = 0
    for found in _LINK.finditer(text):
        if found.start() > end:
            yield Run(text=text[end : found.start()])
        yield Run(text=found[1], link=found[2])
        end = found.end()
    if text[end:]:
        yield Run(text=text[end:])
