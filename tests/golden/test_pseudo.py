"""Does everything still fit in a language with longer words, and does no English show through?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from bot.channels import telegram, viber
from flows.checks import check
from flows.effects import Say
from flows.model import ROLES, Book
from flows.paper import compose
from flows.texts import placeholders
from flows.wording import MAX_TITLE
from tests.flows.worlds import real_book
from tests.golden.pseudo import LONGER, PSEUDO, accented, longer, pseudo
from tests.golden.runner import FOLDER, documents, replay

FILES = sorted(FOLDER.glob("*.yaml"))
#: Addresses, and what a visitor has to send as it stands ("HOME to 741741").
_NOT_WORDS = re.compile(r"https?://\S+|\b[A-Z]{2,}\b")
_ENGLISH = re.compile(r"[A-Za-z]{2,}")


@cache
def pseudo_book() -> Book:
    return pseudo(real_book())


def said(file: Path) -> Iterator[tuple[Say, set[str]]]:
    """What the bot says in the conversations of a file, and the words that the visitor typed until then."""
    for document in documents(file):
        document["given"] = {**document.get("given", {}), "locale": PSEUDO}
        for turn in document["turns"]:
            if isinstance(turn.get("start"), dict):
                turn["start"].pop("locale", None)
        typed: set[str] = set()
        for written, turn in replay(pseudo_book(), document):
            typed |= english(str(written.get("text", "")))
            for effect in turn.effects if turn.state.locale == PSEUDO else ():
                if isinstance(effect, Say) and effect.sender == "bot":
                    yield effect, typed


def english(text: str) -> set[str]:
    return set(_ENGLISH.findall(_NOT_WORDS.sub(" ", text)))


def test_a_pseudo_text_is_longer_and_keeps_placeholders_and_addresses() -> None:
    made = longer("Call {helpline} or see [this](https://a.example/b).")

    assert made.startswith("Çåļļ {helpline} öŕ šéé [ţĥîš](https://a.example/b).~")
    assert len(made) == round(51 * (1 + LONGER))
    assert placeholders(made) == {"helpline"}
    assert longer("Menu", limit=5) == "Ḿéñû~"
    assert english(accented("No English here")) == set()


def test_everything_passes_the_checks_in_a_language_with_longer_words() -> None:
    assert check(pseudo_book()) == []


@pytest.mark.parametrize("name", sorted(real_book().documents))
@pytest.mark.parametrize("role", [None, *ROLES])
def test_no_english_shows_through_on_paper(name: str, role: str | None) -> None:
    paper = compose(
        pseudo_book(),
        name,
        locale=PSEUDO,
        role=role,
        country="BY",
        slots={},
        countries=("BY", "BD"),
        today=date(2026, 11, 29),
    )

    words = [paper.title, paper.footer, *(word for piece in paper.pieces for word in piece.words)]
    assert set().union(*map(english, words)) == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_message_fits_and_no_english_shows_through(file: Path) -> None:
    for message, typed in said(file):
        assert len(message.text) <= min(telegram.MAX_TEXT, viber.MAX_TEXT), message.key
        assert english(message.text) <= typed, message.key
        for choice in message.choices:
            assert len(choice.title) <= MAX_TITLE, message.key
            assert english(choice.title) <= typed, message.key
