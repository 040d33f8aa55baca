"""What became of everything that was sent while parts of the product were killed?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields


@dataclass(slots=True, kw_only=True)
class Ledger:
    """How many messages went each way; ``lost`` and ``out_of_order`` must be zero."""

    #: Accepted: a visitor was told 202, an operator 303.
    sent: int = 0
    #: Answered on the visitor's page, or read by whom it was for.
    arrived: int = 0
    lost: int = 0
    repeated: int = 0
    out_of_order: int = 0

    def __add__(self, other: Ledger) -> Ledger:
        return Ledger(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )

    @property
    def complete(self) -> bool:
        """Whether everything arrived, and in order."""
        return self.sent > 0 and self.arrived == self.sent and not self.out_of_order

    def __str__(self) -> str:
        return (
            f"sent {self.sent}, arrived {self.arrived}, lost {self.lost}, repeated {self.repeated},"
            f" out of order {self.out_of_order}"
        )


def compare(sent: Sequence[str], seen: Sequence[str]) -> Ledger:
    """What was sent beside what was seen of it; both in the order in which it happened."""
    places = {words: place for place, words in enumerate(sent)}
    arrived = [words for words in seen if words in places]
    once = list(dict.fromkeys(arrived))
    return Ledger(
        sent=len(sent),
        arrived=len(once),
        lost=len(sent) - len(once),
        repeated=len(arrived) - len(once),
        out_of_order=_falls(places[words] for words in once),
    )


def _falls(numbers: Iterable[int]) -> int:
    """How often a number is smaller than one before it."""
    highest, falls = -1, 0
    for number in numbers:
        falls += number < highest
        highest = max(highest, number)
    return falls
