"""What the hand-over card says, and what of it nobody sees."""

from __future__ import annotations

from typing import Any

from referral.cases.card import Source, plan, rows
from tests.referral.desk import OPENED_AT, Service

#: What the bot sends: answers of the visitor, and what it notes for itself.
CARD = {
    "age": "12",
    "harm": "blackmail",
    "intents": "insults, blackmail",
    "how_long": "some_days",
    "still_going": "yes",
    "safe_now": "not_sure",
    "how_many": "skip",
    "platform": "telegram",
    "asked_about": "suicidal 12",
    "story": "chosen",
    "tell_what": "what my letter says",
    "test_stop": "went_on",
}
SOURCES = {"how_long": "button", "still_going": "button", "safe_now": "button", "age": "mention"}
PLAN = {
    "my_plan_signs": "не могу спать",
    "my_plan_alone": "музыка",
    "my_plan_places": "open",
    "my_plan_people": "тётя",
    "my_plan_room": "open",
}


def _handed_over(**changes: Any) -> dict[str, Any]:
    return {
        "card": CARD,
        "sources": SOURCES,
        "said": ["insults.believe", "handover.waiting"],
        "promised": ["handover.waiting"],
        "scope": ["messages", "answers", "safety_plan"],
        "plan": PLAN,
        "contacts": {"helpline": "8-801-100-16-11", "emergency": "112"},
        "texts": {
            "insults.believe": {"ru": "Мне жаль, что так.", "en": "I am sorry that this happens."},
            "handover.waiting": {"ru": "Человек напишет сюда.", "en": "A person will write here."},
        },
        "messages": [
            {
                "id": "0b9f6f3e-6f0e-4d39-9a39-3c7d1b8a5a01",
                "sender": "bot",
                "text": "Мне жаль, что так.",
                "sent_at": OPENED_AT,
                "key": "insults.believe",
            }
        ],
    } | changes


def test_a_card_has_its_lines_in_one_order_and_says_from_where_each_is() -> None:
    lines = rows(CARD, sources=SOURCES, role="child")

    assert [(line.name, line.values, line.source) for line in lines] == [
        ("age_band", ("10_to_12",), Source.UNDERSTOOD),
        ("harm", ("blackmail",), Source.DERIVED),
        ("intents", ("insults",), Source.DERIVED),
        ("how_long", ("some_days",), Source.CHOSEN),
        ("still_going", ("yes",), Source.CHOSEN),
        ("safe_now", ("not_sure",), Source.CHOSEN),
        ("platform", ("telegram",), Source.DERIVED),
    ]


def test_an_age_that_nobody_named_is_only_what_the_role_means() -> None:
    [line] = rows({}, sources={}, role="teen")

    assert (line.name, line.values, line.source) == ("age_band", ("13_to_17",), Source.DERIVED)


def test_steps_of_a_plan_that_are_still_open_are_left_out() -> None:
    assert set(plan(PLAN)) == {"my_plan_signs", "my_plan_alone", "my_plan_people"}
    assert not plan({})


async def test_the_operator_reads_the_card_in_words_and_nothing_that_is_for_the_bot_alone(
    service: Service,
) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        await bot.open(reason="blackmail", **_handed_over())
        case = await operator.take_next()
        page = await operator.see(f"/cases/{case}")

    for words in (
        "10 to 12",
        "For some days",
        "Not sure",
        "the visitor chose this",
        "The bot has promised",
        "A person will write here.",
        "Whom they tell",
        "не могу спать",
        "their safety plan",
        "understood from their words",
    ):
        assert words in page, words
    for words in ("Asked about", "suicidal 12", "Story", "what my letter says", "Went on", "asked_about"):
        assert words not in page, words


async def test_what_the_bot_said_stands_in_the_thread_in_both_languages(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        await bot.open(**_handed_over())
        case = await operator.take_next()
        page = await operator.see(f"/cases/{case}")
        again = {"text": "I am sorry that this happens."}
        english = await bot.open(locale="en", **_handed_over(messages=[{**_message(), **again}]))
        assert await operator.take_next() == english
        alone = await operator.see(f"/cases/{english}")

    assert page.count("Мне жаль, что так.") == 1
    assert 'class="gloss" lang="en"' in page.partition("Hand-over card")[0]
    assert "I am sorry that this happens." in page.partition("Hand-over card")[0]
    assert 'class="gloss"' not in alone.partition('class="write"')[0]


async def test_a_plan_that_was_not_shared_is_not_there(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        await bot.open(**_handed_over(plan={}, scope=["messages", "answers"]))
        page = await operator.see(f"/cases/{await operator.take_next()}")

    assert "plan for dark hours" not in page
    assert "не могу спать" not in page


def _message() -> dict[str, Any]:
    message: dict[str, Any] = _handed_over()["messages"][0]
    return message
