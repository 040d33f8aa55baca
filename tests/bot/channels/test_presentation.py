"""Nothing is lost when a text is cut, and no part is longer than the messenger allows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.presentation import Progress, columns_of, parts_of, units, words_of
from bot.channels.viber_text import as_typed, marked
from bot.messages import Button, Outgoing, Run

_LIMIT = 40
_LETTERS = st.sampled_from("aя ক্ষা\n।.🙂👩🏽\u200d💻\ufe0f!")


@given(st.text(_LETTERS, max_size=400))
def test_a_cut_text_is_whole_and_every_part_fits(text: str) -> None:
    parts = _texts(Outgoing(text=text))

    assert all(units(part) <= _LIMIT for part in parts)
    assert _bare("".join(parts)) == _bare(text)
    assert all(parts) or not text.strip()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One thing is done.\n\nThen there comes another thing.", "One thing is done."),
        ("- write it all down\n- show it to a grown-up you trust", "- write it all down"),
        ("প্রমাণ রেখে দাও। তারপর তাকে ব্লক করো, আর কাউকে বলো।", "প্রমাণ রেখে দাও।"),
        ("word after word without any end in this sentence", "word after word without any end in this"),
        ("x" * 45, "x" * 40),
    ],
)
def test_a_text_is_cut_at_the_best_place(text: str, first: str) -> None:
    assert _texts(Outgoing(text=text))[0] == first


def test_an_emoji_of_several_signs_is_not_cut() -> None:
    parts = _texts(Outgoing(text="x" * 38 + "👩🏽\u200d💻" + "x" * 9))

    assert parts == ["x" * 38, "👩🏽\u200d💻" + "x" * 9]


def test_an_operators_line_is_in_the_visitors_language() -> None:
    lines = {
        _texts(Outgoing(text="…", sender="operator", locale=locale))[0].splitlines()[0]
        for locale in ("en", "ru", "be", "bn")
    }

    assert lines == {"👤 Helpline:", "👤 Линия помощи:", "👤 Лінія дапамогі:", "👤 হেল্পলাইন:"}


_RUNS = st.builds(Run, text=st.text(_LETTERS, min_size=1, max_size=60), bold=st.booleans())


@given(st.lists(_RUNS, max_size=12))
def test_cut_runs_are_whole_and_stay_bold(runs: list[Run]) -> None:
    parts = parts_of(runs, limit=_LIMIT)

    assert all(units("".join(run.text for run in part)) <= _LIMIT for part in parts)
    bold = "".join(run.text for part in parts for run in part if run.bold)
    assert _bare(bold) == _bare("".join(run.text for run in runs if run.bold))


def test_bold_words_and_links_are_not_cut_while_there_is_another_place() -> None:
    runs = [
        Run(text="Save what they wrote, and "),
        Run(text="call 1098 at once", bold=True),
        Run(text=" or read "),
        Run(text="the page of the helpline", link="https://a.by"),
    ]

    parts = parts_of(runs, limit=_LIMIT)

    assert [[run.text for run in part] for part in parts] == [
        ["Save what they wrote, and"],
        ["call 1098 at once", " or read"],
        ["the page of the helpline"],
    ]


@pytest.mark.parametrize(
    ("runs", "written"),
    [
        ([Run(text="Call "), Run(text="1098", bold=True), Run(text=".")], "Call *1098*."),
        ([Run(text="read "), Run(text="this", link="https://a.by/b_c_")], "read this (https://a.by/b_c_)"),
        ([Run(text="Now ", bold=True), Run(text="go")], "*Now* go"),
        ([Run(text="here", bold=True, link="https://a.by")], "*here* (https://a.by)"),
        # What Viber would not read is better plain than with signs that nobody understands.
        ([Run(text="слов", bold=True), Run(text="а")], "слова"),
        ([Run(text="5 * 3", bold=True)], "5 * 3"),
        ([Run(text="one", bold=True), Run(text="two", bold=True)], "onetwo"),
    ],
)
def test_viber_gets_its_own_markup(runs: list[Run], written: str) -> None:
    assert "".join(run.text for run in marked(runs)) == written


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("*help*", "*\u200ahelp*"),
        ("_so_ ~or~ ```so```", "_\u200aso_ ~\u200aor~ ```\u200aso```"),
        ("my_own_name 5 * 3 *111#", "my_own_name 5 * 3 *111#"),
        ("https://a.by/_x_ *", "https://a.by/_x_ *"),
    ],
)
def test_typed_signs_are_no_markup_on_viber(typed: str, sent: str) -> None:
    assert as_typed(typed) == sent


@pytest.mark.parametrize(
    ("titles", "columns"),
    [
        ([], 1),
        (["Yes"], 1),
        (["Yes", "No"], 2),
        (["Yes", "No", "Skip", "Menu"], 2),
        (["1", "2", "3", "4", "5"], 1),
        (["Yes", "x" * 14], 2),
        (["Yes", "x" * 15], 1),
    ],
)
def test_buttons_share_a_row_only_where_they_stay_legible(titles: list[str], columns: int) -> None:
    assert columns_of([Button(title=title, payload="m") for title in titles]) == columns


def test_progress_is_kept_by_number_and_forgotten_when_done() -> None:
    progress = Progress()

    progress.sent("1")
    progress.sent("1")
    progress.sent("2")
    progress.sent("")
    progress.done("2")

    assert [progress.of(number) for number in ("1", "2", "")] == [2, 0, 0]


def test_progress_remembers_the_newest_thousand() -> None:
    progress = Progress()

    for number in range(1_001):
        progress.sent(str(number))

    assert (progress.of("0"), progress.of("1"), progress.of("1000")) == (0, 1, 1)


def _texts(message: Outgoing) -> list[str]:
    parts = parts_of(words_of(message), limit=_LIMIT)
    return ["".join(run.text for run in part) for part in parts]


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text)
