"""Can every document be printed, read aloud and searched, in every language, whatever a visitor is called?"""

from __future__ import annotations

import re
from datetime import date
from functools import cache

import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.documents.glyphs import drawable, signs
from bot.documents.typesetting import NotSet, typeset
from flows.model import BlockKind
from flows.paper import Paper, Piece, compose
from tests.flows.worlds import real_book

#: What a phone on a slow line still loads in a moment.
MAX_BYTES = 300_000
#: On how many pages a document stands; one more would be a page with two lines on it.
PAGES = {
    "certificate": 1,
    "evidence_log": 2,
    "family_agreement": 2,
    "first_48_hours": 2,
    "letter_parents": 1,
    "letter_platform": 1,
    "letter_school": 1,
    "safety_plan": 1,
    "workbook": 12,
}
#: What a child may have typed as a name, and what it is on paper.
NICKNAMES = {
    '#import "x": *': '#import "x": *',
    "*bold* _it_ `raw` $x$ <b> @ref": "*bold* _it_ `raw` $x$ <b> @ref",
    "{helpline}": "{helpline}",
    r"\u{41} // no": r"\u{41} // no",
    "-- ... 'q'": "-- ... 'q'",
    "Лис 🦊 Лиса": "Лис Лиса",
    "ক্ষমা": "ক্ষমা",
}
EVERYTHING = [(name, locale) for name in sorted(real_book().documents) for locale in real_book().locales]


def paper(name: str, *, locale: str = "en", role: str | None = None, **slots: str) -> Paper:
    return compose(
        real_book(),
        name,
        locale=locale,
        role=role,
        country="BD" if locale == "bn" else "BY",
        slots=slots,
        countries=("BY", "BD"),
        today=date(2026, 11, 29),
    )


def certificate(nickname: str) -> Paper:
    return paper("certificate", my_nickname=nickname, my_course="kids")


@cache
def pdf(made: Paper) -> bytes:
    """The file of a paper; made once, since many tests look at the same."""
    return typeset(made, "pdf")


def printed(name: str, locale: str, *, role: str | None = None) -> bytes:
    """A document as a visitor who answered nothing gets it."""
    return pdf(paper(name, locale=locale, role=role))


def texts(file: bytes) -> list[str]:
    """What a reader of PDF files finds on each page."""
    pages = pypdfium2.PdfDocument(file)
    try:
        return [page.get_textpage().get_text_range() for page in pages]
    finally:
        pages.close()


def letters(text: str) -> str:
    """A text without blanks, which a reader guesses, and without doubles: it reads some conjuncts twice."""
    return re.sub(r"(.{4,8})\1", r"\1", re.sub(r"[\s\u200b]+", "", text))


@pytest.mark.parametrize(("name", "locale"), EVERYTHING)
def test_every_word_of_a_document_is_found_again_in_its_pdf(name: str, locale: str) -> None:
    found = letters("".join(texts(printed(name, locale))))

    for piece in paper(name, locale=locale).pieces:
        if piece.kind is not BlockKind.PICTURE:
            for line in "\n".join(piece.words).splitlines():
                assert letters(drawable(line)) in found, (name, locale, line)


@pytest.mark.parametrize(("name", "locale"), EVERYTHING)
def test_our_fonts_have_every_letter_of_a_document(name: str, locale: str) -> None:
    for role in (None, "parent", "teacher"):
        for piece in paper(name, locale=locale, role=role, my_course="kids").pieces:
            for words in piece.words:
                assert drawable(words) == words


@pytest.mark.parametrize(("name", "locale"), EVERYTHING)
def test_a_pdf_is_small_tagged_and_says_its_language_and_title(name: str, locale: str) -> None:
    file = printed(name, locale)

    assert len(file) < MAX_BYTES
    assert b"pdfuaid:part" in file
    assert f"/Lang({locale})".encode() in file.replace(b" (", b"(")
    assert pypdfium2.PdfDocument(file).get_metadata_dict()["Title"] == paper(name, locale=locale).title


@pytest.mark.parametrize("role", [None, "parent", "teacher"])
@pytest.mark.parametrize("locale", real_book().locales)
def test_the_pages_are_as_many_as_were_planned(locale: str, role: str | None) -> None:
    for name in real_book().documents:
        assert len(texts(printed(name, locale, role=role))) == PAGES[name], name


def test_the_same_paper_gives_the_same_bytes() -> None:
    for form in ("pdf", "png"):
        assert typeset(certificate("Fox"), form) == typeset(certificate("Fox"), form)


@pytest.mark.parametrize("nickname", NICKNAMES)
def test_a_nickname_stands_there_as_it_was_typed(nickname: str) -> None:
    (page,) = texts(typeset(certificate(nickname), "pdf"))

    assert letters(NICKNAMES[nickname]) in letters(page)


def test_a_picture_has_one_page_and_is_a_png() -> None:
    for name, document in real_book().documents.items():
        if "png" in document.formats:
            for locale in real_book().locales:
                assert len(texts(printed(name, locale))) == 1
    picture = typeset(certificate("Fox"), "png")
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < MAX_BYTES


@pytest.mark.parametrize("nickname", ["Ы" * 1000, "fox " * 250, "ক্ষ" * 300, "🦊", "\u200d\n\t "])
def test_no_nickname_is_too_long_or_too_empty_for_one_page(nickname: str) -> None:
    for locale in real_book().locales:
        made = paper("certificate", locale=locale, role="parent", my_nickname=nickname, my_course="parents")
        assert len(texts(typeset(made, "pdf"))) == 1


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
@example("\0")
def test_whatever_a_visitor_types_can_be_printed(words: str) -> None:
    assert typeset(certificate(words), "pdf").startswith(b"%PDF")


def test_a_long_answer_is_printed_in_full() -> None:
    told = {
        f"my_log_{number}_what": f"begin{number} {'and again ' * 95} end{number}" for number in range(1, 9)
    }

    found = "".join(texts(typeset(paper("evidence_log", **told), "pdf")))

    for number in range(1, 9):
        assert f"begin{number}" in found
        assert f"end{number}" in found
    assert found.count("again") == 8 * 95


def test_our_fonts_draw_the_letters_of_all_four_languages() -> None:
    assert set("Zz Ёё Ўў Іі ক্ষ ৎ ৯ । « » “ ” — • ✓".replace("✓", "")) <= signs()
    assert "🦊" not in signs()


def test_what_cannot_be_set_is_refused_without_quoting_anybody() -> None:
    broken = Paper(
        title="x",
        locale="en",
        layout="pages",
        digits="0123456789",
        footer="",
        pieces=(Piece(kind=BlockKind.PICTURE, picture="secret words", count=1),),
    )

    with pytest.raises(NotSet) as refused:
        typeset(broken, "pdf")

    assert "secret" not in f"{refused.value}{refused.value.__cause__}"
    assert refused.value.__suppress_context__


def test_a_form_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="pdf, png"):
        typeset(certificate("Fox"), "doc")
