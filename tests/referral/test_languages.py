"""Whoever works at the desk reads it in their language, with their dates and by their clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from referral.errors import FormIncomplete
from referral.language import ENGLISH, Language, Languages, Reader, moment, number, read_by, span
from tests.referral.desk import Service

AT = datetime(2026, 11, 29, 21, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("accept_language", "tag"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("be-BY", "be"),
        ("bn", "bn"),
        ("de, bn;q=0.5, ru;q=0.4", "bn"),
        ("en;q=0.2, be;q=0.7", "be"),
        ("ru;q=0, en", "en"),
        ("fr", "en"),
        ("", "en"),
        ("*;;q=x, \x00", "en"),
    ],
)
def test_the_first_language_of_the_browser_that_there_is_is_taken(accept_language: str, tag: str) -> None:
    assert Languages().wanted(accept_language).tag == tag


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", ("30 Nov 2026, 00:05", "1,234.5", "5 mins", "3 hrs")),
        ("ru", ("30 нояб. 2026 г., 00:05", "1 234,5", "5 мин", "3 ч")),
        ("be", ("30 ліс 2026 г., 00:05", "1 234,5", "5 хв", "3 гадз")),
        ("bn", ("30 নভে, 2026 12:05 AM", "1,234.5", "5 মিনিট", "3 ঘণ্টা")),
    ],
)
def test_dates_numbers_and_times_are_written_as_the_language_has_them(
    tag: str, written: tuple[str, ...]
) -> None:
    read_by(Reader(language=Languages().offered[tag], zone=ZoneInfo("Europe/Minsk")))

    said = (moment(AT), number(1234.5), span(timedelta(minutes=5)), span(timedelta(hours=3)))

    assert tuple(text.replace("\xa0", " ").replace("\u202f", " ") for text in said) == written


def test_an_error_fills_in_its_values() -> None:
    error = FormIncomplete("At most %(most)s characters.", most=5000)

    assert error.sentence == "At most 5,000 characters."


@pytest.mark.parametrize("tag", ["en", "ru", "be", "bn"])
async def test_a_page_says_its_language_and_direction(service: Service, tag: str) -> None:
    async with service.browser() as browser:
        page = (await browser.get("/sign-in", headers={"accept-language": tag})).text

    assert f'<html lang="{tag}" dir="ltr">' in page


async def test_a_zone_that_is_none_harms_nothing(service: Service) -> None:
    async with service.browser() as browser:
        for zone in ("Asia/Dhaka", "../../etc/passwd", "Europe", "x" * 999, ""):
            answer = await browser.get("/sign-in", headers={"cookie": f"zone={zone}"})
            assert answer.status_code == 200


def test_every_language_has_a_name_of_its_own() -> None:
    def name(language: Language) -> str:
        return language.name

    assert [name(language) for language in Languages().offered.values()] == [
        "English",
        "беларуская",
        "বাংলা",
        "русский",
    ]
    assert ENGLISH.direction == "ltr"
