"""Does every visitor get a number that they can dial and words that they can read?"""

from __future__ import annotations

import re
import unicodedata

import pytest

from flows import directory, reading
from flows.directory import Country, Directory, Line, dialable
from flows.state import Frame, State, Wait
from tests.flows.walk import COUNTRIES
from tests.flows.worlds import Talk, real_book, text

BOOK = real_book()
LOCALES = BOOK.locales
EVERYWHERE = [None, "ZZ", *BOOK.directory.countries]
STEPS = [(slug, action) for slug, entry in BOOK.directory.platforms.items() for action in entry.steps]
#: Words that speak to somebody, as a child or as an adult.
ADDRESSING = {
    "en": {"you", "your", "yours"},
    "ru": {"ты", "тебе", "тебя", "твой", "твоё", "вы", "вас", "вам", "ваш", "нажми", "нажмите",
           "открой", "откройте", "выбери", "выберите", "найди", "найдите"},
    "be": {"ты", "табе", "цябе", "твой", "вы", "вас", "вам", "ваш", "націсні", "націсніце",
           "адкрый", "адкрыйце", "выберы", "выберыце", "знайдзі", "знайдзіце"},
    "bn": {"তুমি", "তোমার", "তোমাকে", "আপনি", "আপনার", "আপনাকে", "খোলো", "খুলুন", "চাপো", "চাপুন",
           "খোঁজো", "খুঁজুন", "দাও", "দিন", "করো", "করুন"},
}  # fmt: skip


def helpline(country: str | None, *, locale: str = "en", rows: Directory = BOOK.directory) -> str:
    return directory.helpline(rows, BOOK.texts, locale=locale, country=country, countries=COUNTRIES)


def steps(platform: str | None, action: str, *, locale: str = "en") -> str:
    return directory.steps(BOOK.directory, BOOK.texts, locale=locale, platform=platform, action=action)


def emergency(country: str | None, *, locale: str = "en") -> str:
    return directory.emergency(
        BOOK.directory, BOOK.texts, locale=locale, country=country, countries=COUNTRIES
    )


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("country", EVERYWHERE)
def test_there_is_always_a_number(country: str | None, locale: str) -> None:
    assert re.search(r"\d{2}", helpline(country, locale=locale))
    assert re.search(r"\d{2}", emergency(country, locale=locale))


def test_the_childrens_line_of_the_country_comes_first() -> None:
    assert helpline("BY").splitlines()[0].startswith("Child Helpline of Belarus: 8-801-100-16-11 (")
    assert ": 1098 (" in helpline("BD", locale="bn").splitlines()[0]


def test_a_line_tells_hours_cost_and_when_it_was_checked() -> None:
    first = helpline("BY", locale="ru").splitlines()[0]

    for words in ("бесплатно", "круглосуточно", "проверено 2026-04"):
        assert words in first


def test_a_line_tells_its_languages_to_those_who_do_not_speak_them() -> None:
    assert "in Russian, Belarusian" in helpline("BY")
    assert "языки" not in helpline("BY", locale="ru")


def test_an_unknown_country_gets_all_lines_of_the_deployment_and_the_world() -> None:
    rows = helpline(None).splitlines()

    assert [row.split(":")[0] for row in rows] == ["Belarus", "Bangladesh", "In any other country"]
    assert "8-801-100-16-11" in rows[0]
    assert "1098" in rows[1]
    assert "https://childhelplineinternational.org" in rows[2]


def test_a_country_without_a_line_gets_its_emergency_number_and_the_world() -> None:
    rows = helpline("AM").splitlines()

    assert rows[0] == "112"
    assert "https://childhelplineinternational.org" in rows[1]


def test_rows_of_low_confidence_are_never_shown() -> None:
    low = [
        (country, phone)
        for country, entry in BOOK.directory.countries.items()
        for line in entry.lines
        for phone in line.phones
        if line.confidence == "low"
    ]

    assert low
    for country, phone in low:
        shown = {number for line in BOOK.directory.lines(country) for number in line.phones}
        assert phone not in shown


@pytest.mark.parametrize("country", EVERYWHERE)
def test_a_child_never_reads_english_in_a_bangla_or_cyrillic_answer(country: str | None) -> None:
    for locale, alphabet in (("bn", "BENGALI"), ("ru", "CYRILLIC"), ("be", "CYRILLIC")):
        shown = re.sub(
            r"https?://\S+", "", helpline(country, locale=locale) + emergency(country, locale=locale)
        )
        words = re.findall(r"[^\W\d_]{3,}", shown)
        foreign = {word for word in words if not unicodedata.name(word[0]).startswith(alphabet)}

        # Names of companies and of SMS key words are the same in every language.
        assert foreign <= {"Beltelecom", "MTS", "life", "HOME", "CONNECT", "talk"}, (
            locale,
            shown,
        )


@pytest.mark.parametrize(
    ("phones", "numbers"),
    [
        (["1098"], ("1098",)),
        (["124 (short number from mobile)"], ("124",)),
        (["Brest +375 162 51-10-13"], ()),
        (["1-800-225-5324 (1-800-CALL-FBI)"], ("1-800-225-5324",)),
        (["+375 (17) 263-03-03", ""], ("+375 (17) 263-03-03",)),
    ],
)
def test_only_what_can_be_dialled_counts_as_a_number(phones: list[str], numbers: tuple[str, ...]) -> None:
    assert dialable(phones) == numbers


def test_a_line_with_only_a_chat_or_an_sms_can_be_reached_too() -> None:
    chat = Line(name="Chat", chat_url="https://chat.example", confidence="official")
    sms = Line(name="Text Line", sms="HOME to 741741", confidence="official", hours="24/7")
    prose = Line(name="Posters", chat_url="QR codes in schools", confidence="official")
    rows = Directory(countries={"XX": Country(lines=(chat, sms, prose))})

    assert helpline("XX", rows=rows) == (
        "Chat: chat: https://chat.example\nText Line: SMS HOME to 741741 (day and night)"
    )


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("country", EVERYWHERE)
def test_what_happens_on_the_phone_is_told_and_addresses_nobody(country: str | None, locale: str) -> None:
    told = directory.call(BOOK.directory, BOOK.texts, locale=locale, country=country)

    assert len(told) > 100
    assert not set(re.findall(r"[\w'’\u0980-\u09ff]+", told.casefold())) & ADDRESSING[locale]


@pytest.mark.parametrize("locale", LOCALES)
def test_a_line_of_which_we_know_says_itself_what_happens(locale: str) -> None:
    general = directory.call(BOOK.directory, BOOK.texts, locale=locale, country=None)
    told = {
        country: directory.call(BOOK.directory, BOOK.texts, locale=locale, country=country)
        for country in (*COUNTRIES, "RU", "GB", "PL")
    }

    assert told.pop("PL") == general
    assert len({general, *told.values()}) == 5


@pytest.mark.parametrize("locale", LOCALES)
def test_who_cannot_speak_learns_where_to_write_if_there_is_such_a_place(locale: str) -> None:
    def instead(country: str | None) -> str:
        return directory.write_instead(BOOK.directory, BOOK.texts, locale=locale, country=country)

    lead, *rows = instead("BY").splitlines()
    assert lead.endswith(":")
    assert len(rows) == 1
    assert "https://talk2ok.by" in rows[0]
    assert "14" in rows[0] or "১৪" in rows[0]
    assert instead("BD") == instead(None) == ""


def test_prose_about_hours_and_cost_is_left_out() -> None:
    line = Line(
        name="Line", phones=("1",), hours="24/7 in 71 regions of 85", cost="cheap", confidence="official"
    )

    assert helpline("XX", rows=Directory(countries={"XX": Country(lines=(line,))})) == "Line: 1"


def test_one_emergency_number_is_enough_where_it_serves_for_all() -> None:
    assert emergency("BY") == "112"
    assert emergency("BD") == "999"
    assert emergency("NP", locale="ru") == "100 (полиция), 102 (скорая помощь), 101 (пожарные)"
    assert emergency(None) == "Belarus: 112; Bangladesh: 999"
    assert "112" in emergency("EE")


def test_the_short_form_is_name_and_number() -> None:
    def short(country: str | None) -> str:
        return directory.helpline_short(
            BOOK.directory, BOOK.texts, locale="en", country=country, countries=COUNTRIES
        )

    assert short("BY") == "Child Helpline of Belarus: 8-801-100-16-11"
    assert short("AM") == "112"
    assert "; Bangladesh: " in short(None)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("action", directory.ACTIONS)
@pytest.mark.parametrize("platform", [*BOOK.directory.platforms, "never heard of", None])
def test_there_are_always_steps(platform: str | None, action: str, locale: str) -> None:
    assert steps(platform, action, locale=locale)
    assert directory.platform_name(BOOK.directory, BOOK.texts, locale=locale, platform=platform)


def test_steps_say_when_they_were_checked() -> None:
    assert steps("telegram", "block").endswith("(checked 2026-11)")


def test_steps_without_a_source_say_that_the_words_may_differ() -> None:
    shown = steps("youtube", "block", locale="ru")

    assert shown.startswith("YouTube: канал этого человека")
    assert shown.endswith("(в приложении слова могут отличаться)")


def test_what_a_platform_lacks_is_answered_with_the_usual_way() -> None:
    assert steps("imo", "restrict") == steps("other", "restrict") == steps(None, "restrict")
    assert steps("other", "restrict").startswith("In most apps: ")


@pytest.mark.parametrize(("platform", "action"), STEPS)
def test_steps_exist_in_every_language_and_address_nobody(platform: str, action: str) -> None:
    texts = BOOK.directory.platforms[platform].steps[action].texts

    assert set(texts) == set(LOCALES)
    for locale, words in ADDRESSING.items():
        found = set(re.findall(r"[\w'’\u0980-\u09ff]+", texts[locale].casefold())) & words
        assert not found, (platform, action, locale, found)


def test_most_steps_have_a_page_behind_them() -> None:
    named = [BOOK.directory.platforms[slug].steps[action] for slug, action in STEPS if slug != "other"]

    assert sum(bool(steps.checked) for steps in named) >= 0.8 * len(named)


@pytest.mark.parametrize("country", EVERYWHERE)
def test_every_platform_is_on_one_of_two_screens(country: str | None) -> None:
    first, more = BOOK.directory.common_platforms(country), BOOK.directory.more_platforms(country)

    assert len(first) == 7
    assert len(more) <= 9
    assert sorted([*first, *more]) == sorted(BOOK.directory.platforms)
    assert more[-1] == "other"


def test_the_first_screen_is_the_countrys() -> None:
    assert BOOK.directory.common_platforms("BY")[:2] == ("telegram", "viber")
    assert BOOK.directory.common_platforms("BD")[:3] == ("facebook", "messenger", "imo")
    assert BOOK.directory.common_platforms("ZZ") == BOOK.directory.common_platforms(None)


@pytest.mark.parametrize(
    ("words", "platform"),
    [
        ("инста", "instagram"), ("в инсте", "instagram"), ("тг", "telegram"), ("ВК!", "vk"),
        ("fb", "facebook"), ("imo te", "imo"), ("তেলেগ্রাম", "telegram"), ("ইমো", "imo"),
        ("Messenger", "messenger"), ("у тыктоку", "tiktok"), ("snap", "snapchat"), ("стим", "steam"),
        ("on Discord, mostly", "discord"),
        ("вконтакте", "vk"), ("face book", "facebook"), ("дырэкт", None), ("тг и вк", None), ("", None),
        ("she is in his telegram group and says I am the worst person alive and everyone agrees", None),
    ],
)  # fmt: skip
def test_a_platform_is_understood_as_children_call_it(words: str, platform: str | None) -> None:
    assert reading.platform(words, book=BOOK) == platform


@pytest.mark.parametrize("question", ["which", "more"])
def test_a_name_without_a_button_answers_the_question_too(question: str) -> None:
    asked = (Frame(flow="advice_block", node=question),)
    state = State(locale="ru", country="BD", frames=asked, wait=Wait(kind="choice", token="1.1"))
    talk = Talk(BOOK, state=state)

    talk.hear(text("роблокс", means="unknown"))

    assert talk.says[0] == "advice_block.steps"
    assert talk.messages[0].text.startswith("Roblox: ")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_takedown_service_is_explained_in_the_visitors_language(locale: str) -> None:
    first = directory.takedown(BOOK.directory, locale=locale).splitlines()[0]

    assert first.startswith("Take It Down (NCMEC): https://takeitdown.ncmec.org (")


def test_a_number_that_a_text_names_for_a_country_stands_in_its_directory() -> None:
    named = {
        (key.partition("@")[2], number)
        for sheets in BOOK.texts.sheets.values()
        for sheet in sheets.values()
        for key, entry in sheet.texts.items()
        if key.partition("@")[2] in BOOK.directory.countries
        for number in re.findall(r"\d{3,}", re.sub(r"https?://\S+", "", entry.text))
    }
    assert ("BY", "102") in named
    for country, number in named:
        rows = BOOK.directory.countries[country]
        phones = [phone for line in rows.lines for phone in dialable(line.phones)]
        assert number in [*phones, *(row.number for row in rows.emergency)]
