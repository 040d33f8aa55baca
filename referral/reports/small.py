"""Which numbers of a report must be hidden, since a small one tells about a single child?

Hiding the small ones alone is not enough where the sum is shown: what is left over after the others is then
known. So the next larger ones are hidden as well, until each hidden number could be any small one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

#: Numbers below this are small unless a helpline hides more; zero is not, since it is about nobody.
SMALL = 5

Name = TypeVar("Name")


def is_small(number: int, *, below: int = SMALL) -> bool:
    """True for a number that tells about few."""
    return 0 < number < below


def alone(numbers: Mapping[Name, int], *, below: int = SMALL) -> dict[Name, int | None]:
    """Numbers that are no parts of a shown sum, with None for each that is hidden."""
    return {name: None if is_small(number, below=below) else number for name, number in numbers.items()}


def parts(numbers: Mapping[Name, int], *, below: int = SMALL) -> dict[Name, int | None] | None:
    """The parts of a sum that is shown, with None for each hidden one; None when all must be withheld."""
    hidden = {name for name, number in numbers.items() if is_small(number, below=below)}
    if not hidden and not is_small(sum(numbers.values()), below=below):
        return dict(numbers)
    # The smallest first, so that as little as possible is lost; nothing is hidden behind a zero.
    others = sorted((name for name in numbers if numbers[name] >= below), key=lambda name: numbers[name])
    while not _safe([numbers[name] for name in hidden], below=below):
        if not others:
            return None
        hidden.add(others.pop(0))
    return {name: None if name in hidden else number for name, number in numbers.items()}


def nested(
    first: Mapping[Name, int], second: Mapping[Name, int], *, below: int = SMALL
) -> dict[Name, int | None] | None:
    """Parts of a sum that fall into two halves whose own sums are known from elsewhere.

    Each half hides within itself, so that its sum betrays nothing; where a half is small itself, it is hidden
    among all.
    """
    if not any(is_small(sum(half.values()), below=below) for half in (first, second)):
        one, other = parts(first, below=below), parts(second, below=below)
        if one is not None and other is not None:
            return {**one, **other}
    return parts({**first, **second}, below=below)


def _safe(hidden: list[int], *, below: int) -> bool:
    """True when the sum of these, each at least one, leaves every one of them any small number."""
    return len(hidden) > 1 and sum(hidden) - (len(hidden) - 1) >= below - 1
