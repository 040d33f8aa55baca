"""Does a document hold what its writers wrote and the visitor answered, and are its mistakes told?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from flows.checks import check
from flows.loader import ContentInvalid, load
from flows.model import BlockKind, Book
from flows.paper import NoSuchDocument, Paper, Piece, compose, day
from tests.flows.worlds import copy_small, real_book, small_book

TODAY = date(2026, 11, 9)
PLAN = "documents/plan.yaml"
RUSSIAN = "texts/ru/document_plan.yaml"

Change = Callable[[str, str, str], list[str]]


@pytest.fixture
def changed(tmp_path: Path) -> Change:
    """What loading or checking says after one replacement in one file of the small content."""
    root = copy_small(tmp_path)

    def change(file: str, old: str, new: str) -> list[str]:
        spot = root / file
        before = spot.read_text(encoding="utf-8")
        assert old in before
        spot.write_text(before.replace(old, new), encoding="utf-8")
        try:
            return [str(problem) for problem in check(load(root))]
        except ContentInvalid as error:
            return [str(problem) for problem in error.problems]

    return change


def plan(
    *,
    locale: str = "en",
    role: str | None = None,
    slots: Mapping[str, str] | None = None,
    book: Book | None = None,
) -> Paper:
    return compose(
        book or small_book(),
        "plan",
        locale=locale,
        role=role,
        country="BY",
        slots=slots or {},
        countries=("BY", "BD"),
        today=TODAY,
    )


def pieces(paper: Paper, kind: BlockKind) -> list[Piece]:
    return [piece for piece in paper.pieces if piece.kind is kind]


def test_the_words_are_those_of_the_language_and_the_role() -> None:
    assert plan(locale="ru").title == "Мой план"
    assert pieces(plan(locale="ru", role="parent"), BlockKind.TEXT)[0].words == ("Это план вашего ребёнка.",)
    assert pieces(plan(role="child"), BlockKind.TEXT)[0].words == ("This is yours.",)


def test_a_language_that_nobody_speaks_becomes_one_that_we_do() -> None:
    assert plan(locale="xx").locale == "en"


def test_an_answer_stands_there_as_it_was_typed_whatever_it_looks_like() -> None:
    typed = "#import {helpline} *x* {slot:my_whom}"

    paper = plan(slots={"my_helps": typed})

    assert pieces(paper, BlockKind.ANSWER)[0].words == (typed,)
    assert pieces(paper, BlockKind.TABLE)[0].rows[0] == (typed, "")


def test_a_question_without_an_answer_leaves_lines_to_write_on() -> None:
    answer = pieces(plan(), BlockKind.ANSWER)[0]

    assert answer.words == ()
    assert answer.count == 2


def test_a_table_shows_the_answers_of_its_rows_in_the_words_of_the_language() -> None:
    slots = {"my_times_1": "often", "my_times_2": "viber", "my_times_3": "never shown"}

    assert [row[1] for row in pieces(plan(locale="ru", slots=slots), BlockKind.TABLE)[0].rows] == [
        "Часто",
        "Viber",
    ]


def test_what_a_flow_notes_where_nothing_was_answered_is_no_answer() -> None:
    assert pieces(plan(slots={"my_helps": "open"}), BlockKind.ANSWER)[0].words == ()


def test_an_answer_of_a_button_is_told_in_words_and_left_out_where_there_is_none() -> None:
    told = pieces(plan(slots={"my_whom": "mum"}), BlockKind.NOTE)

    assert [piece.words for piece in told] == [("My mum helps me.",)]
    assert pieces(plan(), BlockKind.NOTE) == []


def test_a_list_has_a_point_a_line_and_numbers_of_the_visitors_country() -> None:
    points = pieces(plan(), BlockKind.CHECKLIST)[0].words

    assert points[0] == "Breathe out."
    assert "8-801-100-16-11" in points[1]
    assert "8-801-100-16-11" in plan().footer


def test_what_the_document_does_not_name_it_does_not_see(changed: Change) -> None:
    secret = "only for the helpline"

    assert secret not in repr(plan(slots={"my_other": secret}))
    assert changed("documents/plan.yaml", "my_whom, my_times_*]", "my_whom, my_times_*, who]") == [
        "flows/documents/plan.yaml, line 4: 'who' is not the visitor's own: a document shows answers whose"
        " names begin with 'my_'."
    ]


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", "9 November 2026"),
        ("ru", "9 ноября 2026"),
        ("be", "9 лістапада 2026"),
        ("bn", "৯ নভেম্বর ২০২৬"),
    ],
)
def test_a_date_is_written_as_people_write_it(locale: str, written: str) -> None:
    assert day(real_book(), TODAY, locale=locale) == written


def test_a_document_that_there_is_not_is_refused() -> None:
    with pytest.raises(NoSuchDocument):
        compose(
            small_book(),
            "diploma",
            locale="en",
            role=None,
            country=None,
            slots={},
            countries=("BY",),
            today=TODAY,
        )


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            PLAN,
            "document: plan",
            "document: plans",
            "line 2: the file is called 'plan.yaml', but it says 'document: plans'.",
        ),
        (PLAN, "- frame: 4", "- fame: 4", "a page cannot have 'fame', only: title,"),
        (PLAN, "frame: 4", "frame: 40", "'frame' must be a number from 1 to 24, not '40'."),
        (PLAN, "formats: [pdf]", "formats: [doc]", "cannot be made as 'doc', only as: pdf, png."),
        (PLAN, "- title: title", "- text: title", "a document has one title; this one has 0."),
        (PLAN, "picture: lamp", "picture: lmap", "Did you mean 'lamp'?"),
        (PLAN, "    rows: 2\n", "", "'table' needs 'rows'."),
        (PLAN, "[2, 1]", "[2]", "'widths' of 'table' has 1 entries for 2 columns."),
        (RUSSIAN, "  often:", "  seldom:", "the title of 'often' is missing in this language."),
        (PLAN, "answer: my_helps", "answer: my_hope", "'my_hope', which 'slots' does not name."),
        (
            PLAN,
            "  - picture: lamp\n    shows: lamp\n",
            "",
            "flows/documents/pictures/lamp.svg: no document shows this picture.",
        ),
        (PLAN, "text: hello", "text: hallo", "'plan' does not show the text 'hello'."),
        (RUSSIAN, "title: ", "titel: ", "the text 'title', which the document shows"),
        (RUSSIAN, "  Выдохнуть.\n", "", "the list 'steps' has 1 points, but 2 in 'en'."),
        ("texts/en/document_plan.yaml", "{date}", "{dat}", "'made_on' holds {dat}, which nothing can fill."),
        ("texts/en/engine.yaml", '"January", ', "", "the list 'month_names' needs 12 words; it has 11."),
        (
            "definitions/plan.yaml",
            "hand: plan, go",
            "hand: pan, go",
            "'hand' hands over the document 'pan', which does not exist. Did you mean 'plan'?",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    changed: Change, file: str, old: str, new: str, sentence: str
) -> None:
    assert any(sentence in problem for problem in changed(file, old, new))


def test_a_language_without_the_file_is_one_sentence(tmp_path: Path) -> None:
    root = copy_small(tmp_path)
    (root / "texts" / "ru" / "document_plan.yaml").unlink()

    assert [str(problem) for problem in check(load(root))] == [
        "flows/texts/ru/document_plan.yaml: the whole file is missing in this language."
    ]


def test_every_document_says_for_whom_it_is_on_what_source_and_whether_reviewed() -> None:
    for document in real_book().documents.values():
        assert document.about.audience, document.name
        assert document.about.source, document.name
        assert document.about.reviewed, document.name
