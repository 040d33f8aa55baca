"""May this content go live? Every problem that can be found without a visitor, in its writers' words."""

from __future__ import annotations

from collections.abc import Sequence

from flows.graph import check_graph
from flows.model import Book, Problem
from flows.wording import check_wording

#: The countries of the two programmes; a deployment checks with its own.
DEFAULT_COUNTRIES = ("BY", "BD")


def check(book: Book, *, countries: Sequence[str] = DEFAULT_COUNTRIES) -> list[Problem]:
    """All problems of a loaded book, sorted by file and line; empty when it may go live."""
    return sorted({*check_graph(book), *check_wording(book, countries=countries)})
