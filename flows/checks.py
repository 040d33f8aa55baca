"""May this content go live? Every problem that can be found without a visitor, in its writers' words."""

from __future__ import annotations

from collections.abc import Sequence

from flows.graph import check_graph
from flows.model import Book, Problem
from flows.printing import check_documents
from flows.review import NOT_YET
from flows.versions import check_versions
from flows.wording import check_wording

#: The countries of the two programmes; a deployment checks with its own.
DEFAULT_COUNTRIES = ("BY", "BD")


def check(book: Book, *, countries: Sequence[str] = DEFAULT_COUNTRIES) -> list[Problem]:
    """All problems of a loaded book, sorted by file and line; empty when it may go live."""
    return sorted(
        {
            *check_graph(book),
            *check_versions(book),
            *check_wording(book, countries=countries),
            *check_documents(book),
        }
    )


def not_reviewed(book: Book) -> str:
    """How much no professional has reviewed, in a sentence; empty when everything is reviewed."""
    flows = sum(flow.about.reviewed == NOT_YET for flow in book.flows.values())
    texts = sum(len(book.texts.unreviewed(locale)) for locale in book.locales)
    every = sum(map(len, book.texts.sheets.values()))
    if not flows and not texts:
        return ""
    return (
        f"{flows} of {len(book.flows)} flows and {texts} of {every} text files have not yet been reviewed"
        " by a psychologist."
    )
