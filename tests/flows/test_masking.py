"""What must never be kept is masked, in every language, and what helps to help is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.masking import (
    ADDRESS,
    CARD,
    EMAIL,
    HANDLE,
    LINK,
    MARKS,
    NAME,
    PASSWORD,
    PHONE,
    UNSETTLED,
    mask,
)
from flows.outcome import MAX_SLOT
from tests.flows.worlds import REAL, Talk, small_book, text

FAST = settings(max_examples=300, deadline=None)

#: Text as it is typed, and what of it is kept.
MASKED = {
    "numbers": [
        ("+375291234567", PHONE),
        ("my number is +375 (29) 123-45-67.", f"my number is {PHONE}."),
        ("8029 123-45-67 мой", f"{PHONE} мой"),
        ("80291234567", PHONE),
        ("(80291234567)", f"({PHONE})"),
        ("мой номер 29 123 45 67", f"мой номер {PHONE}"),
        ("тел. 123-45-67", f"тел. {PHONE}"),
        ("+7 912 345-67-89", PHONE),
        ("мне 13 8029 1234567", f"мне 13 {PHONE}"),
        ("+8801712345678", PHONE),
        ("01712-345678 e call dao", f"{PHONE} e call dao"),
        ("0 1 7 1 2 3 4 5 6 7 8", PHONE),
        ("017\u200b1234\u200b5678", PHONE),
        ("০১৭১২৩৪৫৬৭৮ আমার নম্বর", f"{PHONE} আমার নম্বর"),
        ("+৮৮০ ১৭১২-৩৪৫৬৭৮", PHONE),
        ("call 1098 or 01712345678", f"call 1098 or {PHONE}"),
        ("call 1098 01712345678", f"call 1098 {PHONE}"),
        ("4111 1111 1111 1111", CARD),
        ("карта 5555555555554444 мамы", f"карта {CARD} мамы"),
        ("card 1234-5678-9012-3456", f"card {CARD}"),
    ],
    "links": [
        ("look https://vk.com/anna.", f"look {LINK}."),
        ("vk.com/id12345", LINK),
        ("t.me/anna_p тут", f"{LINK} тут"),
        ("www.nasty.example/a?b=c", LINK),
        ("nenavizhu-katyu.by", LINK),
        ("write to anna.p@mail.ru.", f"write to {EMAIL}."),
        ("anna(at)mail.ru", EMAIL),
        ("аня собака gmail точка com", EMAIL),
        ("@anna_p2009 writes this", f"{HANDLE} writes this"),
        ("my insta is anna.p09", f"my insta is {HANDLE}"),
        ("мой ник anna_petrova", f"мой ник {HANDLE}"),
        ("tg: rakib_99", f"tg: {HANDLE}"),
        ("আমার আইডি rakib_99", f"আমার আইডি {HANDLE}"),
        ("user#1234 in discord", f"{HANDLE} in discord"),
    ],
    "passwords": [
        ("my password is kitty", f"my password is {PASSWORD}"),
        ("Password: Kitty123!", f"Password: {PASSWORD}"),
        ("мой пароль qwerty", f"мой пароль {PASSWORD}"),
        ("пароль от инсты: кошка5", f"пароль от инсты: {PASSWORD}"),
        ("мой пароль это кошка", f"мой пароль это {PASSWORD}"),
        ("мой пароль: кот77, яны ведаюць", f"мой пароль: {PASSWORD} яны ведаюць"),
        ("আমার পাসওয়ার্ড হলো abc123", f"আমার পাসওয়ার্ড হলো {PASSWORD}"),
        ("amar password abc123", f"amar password {PASSWORD}"),
    ],
    "names": [
        ("my name is Anna Smith and I am 12", f"my name is {NAME} and I am 12"),
        ("my name is anna smith", f"my name is {NAME}"),
        ("his name is Ivan Petrov", f"his name is {NAME}"),
        ("Rakib Hasan hits me", f"{NAME} hits me"),
        ("меня зовут Аня Петрова мне 13", f"меня зовут {NAME} мне 13"),
        ("меня зовут аня петрова", f"меня зовут {NAME}"),
        ("меня зовут Анна Сергеевна Ковалёва", f"меня зовут {NAME}"),
        ("пишу про Сашу Иванова", f"пишу про {NAME}"),
        ("Иванова Катя из 7Б", f"{NAME} из 7Б"),
        ("menya zovut anya petrova", f"menya zovut {NAME}"),
        ("мяне завуць Алесь Кавальчук", f"мяне завуць {NAME}"),
        ("আমার নাম রাকিব হাসান", f"আমার নাম {NAME}"),
        ("আমার নাম মোঃ রাকিব হাসান আমি", f"আমার নাম {NAME} আমি"),
        ("amar nam rakib hasan", f"amar nam {NAME}"),
    ],
    "addresses": [
        ("i live at 12 Baker Street, come", f"i live at {ADDRESS}"),
        ("12 Baker Street", ADDRESS),
        ("my address is 12 Green Road, Dhaka. help", f"my address is {ADDRESS}. help"),
        ("я живу на улице Ленина 5", f"я живу на {ADDRESS}"),
        ("ул. Пушкина, д. 10, кв. 45", ADDRESS),
        ("ул пушкина 10", ADDRESS),
        ("живу Ленина 5-12", f"живу {ADDRESS}"),
        ("мой адрес: Минск, Независимости 10-5", f"мой адрес: {ADDRESS}"),
        ("ul. lenina 5", ADDRESS),
        ("вул. Якуба Коласа, д. 3, кв. 7", ADDRESS),
        ("жыву на вуліцы Багдановіча, дом 12", f"жыву на {ADDRESS}"),
        ("House 12, Road 5, Dhanmondi, Dhaka", ADDRESS),
        ("basa 12 road 5", ADDRESS),
        ("বাসা ১২, রোড ৫, ধানমন্ডি", ADDRESS),
        ("আমার ঠিকানা ১২ নম্বর রোড, মিরপুর।", f"আমার ঠিকানা {ADDRESS}।"),
        ("গ্রাম: রামপুর, থানা: সদর", ADDRESS),
    ],
}

#: What must survive as it is.
KEPT = [
    # Helplines, in all their spellings.
    "1098",
    "call 999 or 109",
    "1098 নম্বরে ফোন করেছি",
    "১০৯৮",
    "102, 103, 112",
    "8-801-100-16-11",
    "8-801-100-1611",
    "88011001611",
    "номер 8 801 100 16 11",
    # Ages, classes, dates, times, prices, counts.
    "I am 13, class 7B, room 101",
    "мне 13 лет, я из 7Б",
    "আমার বয়স ১৩, ক্লাস ৭",
    "born 12.05.2010 14:30",
    "29.11.2010 5",
    "2019 2020 2021",
    "since 2024-09-01",
    "вчера в 18:30 в школе номер 15 он забрал 50 рублей",
    "500 taka, 1 500 000 000 рублей, 10000000000",
    "1 2 3 4 5 6 7 8 9 10 11",
    "5 5 4 3 5 5 2 3 4 5",
    "дом 5 минут, мой дом 2 раза",
    # First names, and words that begin like a name.
    "my name is Anna",
    "My name is Anna and I'm 13",
    "my name is not important",
    "my name is everywhere now",
    "меня зовут Аня Мне 13",
    "меня зовут аня помогите",
    "Анна Сергеевна мне не верит",
    "Снова Аня меня обидела",
    "мяне завуць Аня",
    "আমার নাম রাকিব। আমি ক্লাস ৭",
    "আমার নাম রাকিব আমার বয়স ১৩",
    "শুভ সকাল",
    "amar nam rakib ami class 7",
    "Anna Told Everyone About Me Today",
    "Anna told me. She lied",
    # Passwords, accounts and addresses that are only spoken of.
    "my password is stolen",
    "they know my password and changed it",
    "мой пароль взломали",
    "мой пароль instagram взломали",
    "amar password churi hoyeche",
    "my instagram is private",
    "it is on vk.com",
    "i hate him.me too",
    "kys_kys ^_^ o_O",
    "f@ck",
    "they posted my home address",
    "мой адрес узнали 3 человека",
    "на улице Ленина 3 парня меня побили",
    "2 people on the street",
    "i live in flat 5",
]


@pytest.mark.parametrize(("said", "kept"), [pair for pairs in MASKED.values() for pair in pairs])
def test_what_must_not_be_kept_is_masked(said: str, kept: str) -> None:
    assert mask(said) == kept


@pytest.mark.parametrize("said", KEPT)
def test_what_helps_to_help_survives(said: str) -> None:
    assert mask(said) == said


def test_several_things_in_one_message_are_all_masked() -> None:
    said = (
        "меня зовут Аня Петрова, мне 13, мой номер 8029 123-45-67, живу ул. Ленина 5, а он @igor_777 и бьёт"
    )

    assert mask(said) == (
        f"меня зовут {NAME}, мне 13, мой номер {PHONE}, живу {ADDRESS}, а он {HANDLE} и бьёт"
    )


def _numbers(entry: Any) -> Iterator[str]:
    if isinstance(entry, list):
        for each in entry:
            yield from _numbers(each)
    elif isinstance(entry, dict):
        for name, value in entry.items():
            if name in ("phones", "number", "whatsapp", "sms"):
                yield from map(str, value if isinstance(value, list) else [value])
            else:
                yield from _numbers(value)


def test_every_number_of_the_directory_survives() -> None:
    directory = yaml.safe_load((REAL / "directory" / "helplines.yaml").read_text(encoding="utf-8"))
    numbers = list(_numbers(directory))

    assert len(numbers) > 50
    for number in numbers:
        for said in (number, number.replace("-", ""), f"phone {number}.", f"номер {number}"):
            assert mask(said) == said, "add it to PUBLIC_NUMBERS"


def test_hardly_any_phrase_of_the_training_data_is_masked() -> None:
    # They were written without any private thing in them; the few are names of singers and of books.
    phrases = [
        line.strip().removeprefix("- ")
        for file in sorted((Path(__file__).parents[2] / "nlu" / "data").glob("*/*.yml"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith("- ") and "intent:" not in line
    ]

    wrong = [phrase for phrase in phrases if mask(phrase) != phrase]

    assert len(phrases) > 2000
    assert len(wrong) <= len(phrases) / 1000, wrong


#: Pieces out of which the rules' own words come together by chance.
PIECES = st.lists(
    st.sampled_from(
        [
            *MARKS, "«", "»", " ", "  ", ", ", ". ", "\n", ":", "-", "(", ")", "+", "@", "/", "_", "1",
            "12", "029", "01712", "1098", "12.05.2010", "345-67-89", "1234 ", "৫", "a", "B", "Я", "ক",
            "Anna", "Smith", "Анна", "Петрова", "রাকিব", "হাসান", "my name is ", "меня зовут ",
            "আমার নাম ", "my password is ", "пароль ", "это ", "my address is ", "живу ", "ул. ", "улица ",
            "house ", "road ", "кв. ", "вконтакте", "insta ", "ник: ", "http://", "www.", "com", ".ru/",
            "собака ", "gmail ", "точка ", "আমার ঠিকানা ", "গ্রাম: ", "I live at ", "Street", "фамилия ",
            "тел ", "код из смс ",
        ]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@FAST
@given(PIECES | st.text(max_size=200))
@example("\ud800 8029 123-45-67")
@example("1-1-1-1-" + "1" * 5000)
@example("İ my password is İ")
def test_masking_never_raises_and_a_second_time_changes_nothing(said: str) -> None:
    once = mask(said)

    assert mask(once) == once
    assert once != UNSETTLED


@FAST
@given(PIECES | st.text(max_size=100), st.sampled_from(["+375291234567", "01712345678", "৮৮০১৭১২৩৪৫৬৭৮"]))
def test_a_number_between_any_words_is_gone(said: str, number: str) -> None:
    # Letters and digits at its edges would make another number of it, or a word.
    kept = mask(f"{said}\n{number}\n{said}")

    assert number not in kept


@pytest.mark.parametrize(
    "piece",
    ["a", "1", "1 ", "1-", "a.", "a@", "Aa ", "Анна ", "my name is ", "пароль ", "password for a ", "ул. ",
     "http://", "my address is ", "house 1 ", "12 Aa ", "(", "раз ",
     "_a1", "আমার নাম ", "ক ", "живу на ", "«phone» ", "1098 "],
)  # fmt: skip
def test_a_flood_of_anything_comes_to_an_end(piece: str) -> None:
    # A rule whose time grows with the square of the text would stand here for minutes.
    flood = (piece * 50_000)[:50_000]

    assert mask(mask(flood)) == mask(flood)


def test_marks_say_only_of_what_kind_something_was() -> None:
    for mark in (*MARKS, UNSETTLED):
        assert re.fullmatch(r"«[a-z-]+»|«…»", mark)
        assert mask(mark) == mark


def test_a_collected_answer_is_kept_without_what_must_not_be_kept() -> None:
    # Given a visitor who is asked to tell what happened
    talk = Talk(small_book())
    talk.hear(text("they insult me", means="insults"))
    while talk.state.wait is None or talk.state.wait.kind != "text":
        talk.hear(text("2"))

    # When their story holds a number, even one that the slot's limit cuts in two
    talk.hear(text("call me 8029 123-45-67, " + "x " * (MAX_SLOT // 2 - 15) + "8029 123-45-67"))

    # Then neither is in the state
    stored = talk.state.to_json()
    assert PHONE in stored
    assert not re.search(r"8029|123", stored)
