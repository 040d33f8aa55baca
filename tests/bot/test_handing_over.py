"""What goes to the helpline with a case, what is kept back, and what a visitor says of a talk afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.conversation import _without_plan
from bot.privacy import Privacy
from bot.store import Spoken, Store
from tests.bot.test_masking import all_answered, in_the_database
from tests.bot.test_worker import WebVisitor, working

SIGNS = "I go very quiet and hide"
TO_A_PERSON = ("i:talk_to_human", "n:handover:offer:yes", "n:handover:others:no")


@pytest.fixture
def visitor(store: Store, privacy: Privacy) -> WebVisitor:
    return WebVisitor(store, privacy)


async def _presses(visitor: WebVisitor, *payloads: str) -> None:
    for payload in payloads:
        await visitor.does("choice", text=payload)


async def _plan_then_person(visitor: WebVisitor, database_url: str, *, share: str) -> None:
    await _presses(visitor, "i:feeling_bad", "n:safety_plan:intro:begin")
    await visitor.writes(SIGNS)
    skips = [f"n:safety_plan:{part}:skip" for part in ("alone", "places", "people", "room")]
    await _presses(visitor, *skips, *TO_A_PERSON, f"n:handover:share_plan:{share}")
    await all_answered(database_url)


async def _case(database_url: str, privacy: Privacy) -> dict[str, Any]:
    kept = await in_the_database(database_url, privacy)
    (case,) = (payload for payload in kept["outbox"] if "messages" in payload)
    return case


async def test_a_plan_that_is_kept_is_neither_on_the_card_nor_in_the_thread(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    async with working(database_url):
        await _plan_then_person(visitor, database_url, share="keep_mine")
    case = await _case(database_url, privacy)

    assert case["plan"] == {}
    assert case["scope"] == ["messages", "answers"]
    assert SIGNS not in json.dumps(case, ensure_ascii=False)


async def test_a_plan_that_is_shown_is_on_the_card(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    async with working(database_url):
        await _plan_then_person(visitor, database_url, share="share")
    case = await _case(database_url, privacy)

    assert case["plan"]["my_plan_signs"] == SIGNS
    assert "safety_plan" in case["scope"]


async def test_the_helpline_gets_what_the_bot_said_in_every_language_and_its_promises(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    async with working(database_url):
        await _presses(visitor, *TO_A_PERSON)
        await all_answered(database_url)
    case = await _case(database_url, privacy)

    assert {message["key"] for message in case["messages"] if message["sender"] == "bot"} <= set(
        case["texts"]
    )
    assert set(case["texts"]["handover.offer"]) == {"en", "ru", "be", "bn"}
    assert case["promised"] == ["handover.offer", "handover.others", "handover.waiting"]
    assert case["contacts"]["helpline"]
    assert set(case["documents"]["safety_plan"]) == {"en", "ru", "be", "bn"}


@pytest.mark.parametrize(("answer", "agreed"), [("yes", True), ("no", False)])
async def test_the_helpline_gets_the_very_sentences_that_the_visitor_agreed_to(
    visitor: WebVisitor, database_url: str, privacy: Privacy, answer: str, agreed: bool
) -> None:
    async with working(database_url):
        await _presses(visitor, *TO_A_PERSON[:2], f"n:handover:others:{answer}")
        await all_answered(database_url)
    case = await _case(database_url, privacy)
    offer, others = (case["texts"][f"handover.{key}"]["en"] for key in ("offer", "others"))

    assert case["consent_for_others"] is agreed
    assert case["consent"] == (f"{offer}\n\n{others}" if agreed else offer)


async def test_taking_consent_back_tells_the_helpline(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    async with working(database_url):
        await _presses(visitor, *TO_A_PERSON)
        await visitor.writes("don't share")
        await _presses(visitor, "n:stop_sharing:confirm:yes")
        await all_answered(database_url)
    kept = await in_the_database(database_url, privacy)

    (case,) = (payload for payload in kept["outbox"] if "messages" in payload)
    assert {"case": case["id"]} in kept["outbox"]


async def test_what_somebody_says_of_a_talk_does_not_stay_beside_them(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    async with working(database_url):
        await _presses(visitor, *TO_A_PERSON, "n:rate_talk:question:bad")
        await all_answered(database_url)
    kept = await in_the_database(database_url, privacy)

    assert kept["inbox"][-1]["text"] == ""


def test_only_what_belongs_to_a_plan_is_left_out_of_a_thread() -> None:
    at: Any = None
    lines = [
        Spoken(number=1, sender="visitor", text="hello", at=at),
        Spoken(number=2, sender="bot", text="1. How do you notice?", at=at, key="safety_plan.signs"),
        Spoken(number=3, sender="visitor", text=SIGNS, at=at),
        Spoken(number=4, sender="bot", text="My plan", at=at, key="safety_plan.plan"),
        Spoken(number=5, sender="bot", text="That is the plan.", at=at, key="safety_plan.shown"),
        Spoken(number=6, sender="visitor", text="thanks", at=at),
    ]

    assert [line.number for line in _without_plan(lines)] == [1, 2, 5, 6]
