"""How do bold words and links look in a text on Viber, and what is never taken for its markup?

Viber reads ``*bold*``, ``_italic_``, ``~struck~`` and three backticks. It has no links behind words, and no
way to escape a sign but a space after it: https://developers.viber.com/docs/tools/text-formatting/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.messages import Run

#: The thinnest space there is, so that a typed sign still looks as it was typed.
_SPACE = "\u200a"

_BOLD = "*"
_SIGNS = (_BOLD, "_", "~", "```")
# Where Viber lets one begin is not documented, so it may anywhere; it never ends right before a letter.
_OPENS = re.compile(r"(\*|_|~|```)(?=\S)")
_CLOSES = {sign: re.compile(rf"(?<=\S){re.escape(sign)}(?!\w)") for sign in _SIGNS}
_ADDRESS = re.compile(r"https?://\S+")
_WORDS = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


def marked(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs with Viber's own markup in their words; an address stands behind the words that lead to it."""
    any_bold = any(run.bold for run in runs)
    found: list[Run] = []
    for place, run in enumerate(runs):
        before = found[-1].text[-1:] if found else ""
        after = runs[place + 1].text[:1] if place + 1 < len(runs) else ""
        text = _bold(run.text, before=before, after=after) if run.bold else None
        if text is None:
            text = as_typed(run.text, any_bold=any_bold)
        found.append(replace(run, text=f"{text} ({run.link})" if run.link else text))
    return tuple(found)


def as_typed(text: str, *, any_bold: bool = False) -> str:
    """The text such that no sign in it is read as markup, perhaps together with bold words beside it."""
    last = {
        sign: max((found.start() for found in closes.finditer(text)), default=-1)
        for sign, closes in _CLOSES.items()
    }
    if any_bold:
        last[_BOLD] = len(text)
    # A space within an address would break it.
    addresses = [found.span() for found in _ADDRESS.finditer(text)]

    def parted(found: re.Match[str]) -> str:
        within = any(begin <= found.start() < end for begin, end in addresses)
        return found[0] if within or last[found[1]] <= found.start() else found[0] + _SPACE

    return _OPENS.sub(parted, text)


def _bold(text: str, *, before: str, after: str) -> str | None:
    """The words between asterisks; None where Viber would show the asterisks instead."""
    parts = _WORDS.fullmatch(text)
    if parts is None or not parts[2] or _BOLD in parts[2] or "\n" in parts[2]:
        return None
    neighbours = (parts[1] or before)[-1:] + (parts[3] or after)[:1]
    if any(sign.isalnum() or sign in "*_~`" for sign in neighbours):
        return None
    return f"{parts[1]}{_BOLD}{as_typed(parts[2])}{_BOLD}{parts[3]}"
