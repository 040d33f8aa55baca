"""Which telephone numbers the page finds in a text, and which numbers it leaves alone."""

from __future__ import annotations

import pytest

from bot.config import LOCALES
from bot.webchat import numbers
from flows.directory import dialable
from tests.bot.webchat.site import book

DIAL = ("112", "1098", "133", "116111")


@pytest.mark.parametrize(
    ("text", "dialled"),
    [
        ("call 8-801-100-16-11 (free)", ["88011001611"]),
        ("+375 (17) 263-03-03", ["+375172630303"]),
        ("+375 17 263-03-03, 112", ["+375172630303", "112"]),
        ("01320000888", ["01320000888"]),
        ("116 111", ["116111"]),
        ("১০৯৮: 1098", ["1098", "1098"]),
        ("1098 (24 hours a day)", ["1098"]),
        ("day and night, 24/7", []),
        ("100% of 18 people, 13 to 17", []),
        ("checked 2026-04, 2020-2026", []),
        ("1234567890123456", []),
        ("A112 and 112x", []),
        ("170 is not in the list", []),
    ],
)
def test_telephone_numbers_are_told_from_other_numbers(text: str, dialled: list[str]) -> None:
    html = numbers.linked(text, dial=DIAL)

    assert [part.split('"')[0] for part in html.split('href="tel:')[1:]] == dialled
    assert html.striptags() == text


def test_every_number_that_is_given_out_is_dialled_by_a_tap() -> None:
    directory = book().directory
    dial = numbers.short(book())

    for country in directory.countries:
        for line in directory.lines(country):
            for number in dialable(line.phones):
                assert f">{number}</a>" in numbers.linked(f"{line.name}: {number}.", dial=dial), number


def test_addresses_become_links_and_all_else_is_text() -> None:
    html = numbers.linked('<b> https://a.by/1234567 "x".', dial=DIAL)

    assert html == (
        "&lt;b&gt; "
        '<a href="https://a.by/1234567" target="_blank" rel="noopener noreferrer">https://a.by/1234567</a>'
        " &#34;x&#34;."
    )


def test_the_directorys_numbers_are_shown_in_every_language() -> None:
    shown = numbers.shown(book(), countries=("BY", "BD"))

    assert set(shown) == set(LOCALES)
    for text in shown.values():
        assert "8-801-100-16-11" in text
        assert "1098" in text
        assert "112" in text
        assert "999" in text
    assert {"112", "133", "1098", "999", "116111"} <= numbers.short(book())
