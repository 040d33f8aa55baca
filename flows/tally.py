"""How is it said what a class has chosen? Lines with a block for each step, and no number below the first."""

from __future__ import annotations

from flows.classroom import STEP
from flows.texts import Texts, fill


def pupils(texts: Texts, *, locale: str, number: int) -> str:
    """A number of pupils, which is in steps already: "10 or more", "fewer than 5"."""
    label = texts.label("class_at_least" if number >= STEP else "class_fewer", locale=locale) or ""
    return fill(label, {"number": texts.numeral(number, locale=locale)})


def bar(texts: Texts, *, locale: str, title: str, number: int) -> str:
    """One answer of a class as a line."""
    told = pupils(texts, locale=locale, number=number)
    blocks = "▮" * (number // STEP)
    return f"{title}: {blocks} {told}" if blocks else f"{title}: {told}"


def too_few(texts: Texts, *, locale: str) -> str:
    """That too few have answered a question for anything to be shown."""
    return texts.label("class_too_few", locale=locale) or ""
