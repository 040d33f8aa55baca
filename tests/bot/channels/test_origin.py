"""What a language code and a link say about a visitor."""

from __future__ import annotations

import pytest

from bot.channels.origin import Origin, country_of, link_of, locale_of, read_link


@pytest.mark.parametrize(
    ("code", "locale"),
    [
        ("ru", "ru"),
        ("be", "be"),
        ("bn_BD", "bn"),
        ("en-US", "en"),
        ("EN", "en"),
        ("uk", None),
        ("", None),
        (None, None),
        ("bnt", None),
    ],
)
def test_a_language_code_is_one_of_ours_or_unknown(code: str | None, locale: str | None) -> None:
    assert locale_of(code) == locale


@pytest.mark.parametrize(
    ("code", "country"), [("by", "BY"), ("BD", "BD"), ("BLR", None), ("", None), (None, None), ("1б", None)]
)
def test_a_country_has_two_letters(code: str | None, country: str | None) -> None:
    assert country_of(code) == country


@pytest.mark.parametrize(
    ("payload", "origin"),
    [
        ("be-BY-school12", Origin(locale="be", country="BY", campaign="school12")),
        ("be-by-school-12", Origin(locale="be", country="BY", campaign="school-12")),
        ("--poster", Origin(campaign="poster")),
        ("--", Origin()),
        ("fr-FR-", Origin(country="FR")),
        ("school12", None),
        ("i want to die", None),
        ("be-BY-" + "x" * 57, None),
        ("", None),
    ],
)
def test_a_link_is_read_or_is_none_of_ours(payload: str, origin: Origin | None) -> None:
    assert read_link(payload) == origin


def test_a_link_says_what_it_was_made_of() -> None:
    origin = Origin(locale="bn", country="BD", campaign="grameenphone_2026")

    assert read_link(link_of(origin)) == origin
