"""Nothing is lost when a text is cut, and no part is longer than the messenger allows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.presentation import Progress, columns_of, parts_of, units
from bot.messages import Button, Outgoing

_LIMIT = 40
_LETTERS = st.sampled_from("aя ক্ষা\n।.🙂👩🏽\u200d💻\ufe0f!")


@given(st.text(_LETTERS, max_size=400))
def test_a_cut_text_is_whole_and_every_part_fits(text: str) -> None:
    parts = parts_of(Outgoing(text=text), limit=_LIMIT)

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
    assert parts_of(Outgoing(text=text), limit=_LIMIT)[0] == first


def test_an_emoji_of_several_signs_is_not_cut() -> None:
    parts = parts_of(Outgoing(text="x" * 38 + "👩🏽\u200d💻" + "x" * 9), limit=_LIMIT)

    assert parts == ["x" * 38, "👩🏽\u200d💻" + "x" * 9]


def test_an_operators_line_is_in_the_visitors_language() -> None:
    lines = {
        parts_of(Outgoing(text="…", sender="operator", locale=locale), limit=_LIMIT)[0].splitlines()[0]
        for locale in ("en", "ru", "be", "bn")
    }

    assert lines == {"👤 Helpline:", "👤 Линия помощи:", "👤 Лінія дапамогі:", "👤 হেল্পলাইন:"}


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


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text)
