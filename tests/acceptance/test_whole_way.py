"""A message travels the whole way: child, model, flow, operator, child; over every channel."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

import pytest

from tests.acceptance.conftest import operator_of
from tests.acceptance.product import Product
from tests.acceptance.visitor import Visitor, web_visitor
from tests.fakes.messenger import FakeVisitor
from tests.fakes.telegram import FakeTelegram
from tests.fakes.viber import FakeViber
from tests.referral.desk import OperatorClient, eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: Nowhere in the content, so that finding it in a log means that a visitor's words were logged.
MARKED = "zyxwvut"


class Person(Protocol):
    """A visitor, whatever they write on."""

    async def writes(self, text: str) -> None: ...
    async def presses(self, title: str) -> None: ...
    async def sees(self, *, containing: str = "") -> tuple[str, list[str]]:
        """The next message (that contains this): its text and the titles of its buttons."""
        ...


class OnTheWeb:
    """A person on the web chat."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    async def writes(self, text: str) -> None:
        await self._visitor.writes(text)

    async def presses(self, title: str) -> None:
        await self._visitor.presses(title)

    async def sees(self, *, containing: str = "") -> tuple[str, list[str]]:
        while True:
            message = await self._visitor.hears()
            if containing in message["text"]:
                return message["text"], [choice["title"] for choice in message["choices"]]


class OnAMessenger:
    """A person on Telegram or Viber."""

    def __init__(self, visitor: FakeVisitor) -> None:
        self._visitor: Any = visitor

    async def writes(self, text: str) -> None:
        self._visitor.writes(text)

    async def presses(self, title: str) -> None:
        self._visitor.presses(title)

    async def sees(self, *, containing: str = "") -> tuple[str, list[str]]:
        seen = await self._visitor.sees(containing=containing)
        return seen.text, list(seen.titles)


@asynccontextmanager
async def person_on(
    channel: str, porchlight: Product, telegram: FakeTelegram, viber: FakeViber, *, language: str
) -> AsyncIterator[Person]:
    """Somebody who has just opened the chat and was greeted."""
    if channel == "web":
        async with web_visitor(porchlight.bot, locale=language) as visitor:
            await visitor.hears_until_quiet()
            yield OnTheWeb(visitor)
    elif channel == "telegram":
        child = telegram.visitor(language=language)
        child.starts()
        await child.sees_until_quiet()
        yield OnAMessenger(child)
    else:
        young = viber.visitor(language=language)
        young.opens()
        await young.sees_until_quiet()
        yield OnAMessenger(young)


async def waits_in_the_queue(operator: OperatorClient) -> int:
    """How many cases the desk shows as waiting."""
    return sum(int(number) for number in re.findall(r'level-number">(\d+)<', await operator.see("/")))


CHANNELS = ["web", "telegram", "viber"]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_an_insulted_child_gets_advice_and_is_offered_a_person(
    channel: str, porchlight: Product, telegram: FakeTelegram, viber: FakeViber
) -> None:
    async with person_on(channel, porchlight, telegram, viber, language="en") as child:
        await child.writes("everyone in my class chat calls me a pig")

        believed, _ = await child.sees()
        await child.sees()
        _, answers = await child.sees()
        assert "not your fault" in believed
        assert {"For weeks", "Skip", "Talk to a person"} <= set(answers)

        await child.presses("Just tell me what to do")
        await child.sees()
        plan, _ = await child.sees()
        _, ways = await child.sees()
        assert "Today" in plan
        assert {"Save proof", "Block them", "Tell an adult", "Talk to a person"} <= set(ways)

        await child.presses("Save proof")
        advice, _ = await child.sees()
        assert "screenshots" in advice


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_child_in_danger_reaches_an_operator_and_is_told_when_it_ends(
    channel: str, porchlight: Product, telegram: FakeTelegram, viber: FakeViber
) -> None:
    async with (
        operator_of(porchlight, f"operator-{channel}") as operator,
        person_on(channel, porchlight, telegram, viber, language="ru") as child,
    ):
        # The very next message is care and the number, in the child's language.
        await child.writes(f"хочу умереть {MARKED}")
        care, buttons = await child.sees()
        assert "8-801-100-16-11" in care
        assert "Соединить с человеком" in buttons

        # The case stands in the queue after the visitor's yes.
        before = await waits_in_the_queue(operator)
        await child.presses("Соединить с человеком")
        await eventually(lambda: waits_in_the_queue(operator), lambda waiting: waiting > before)

        # The operator sees what was already said and agreed to.
        case = await operator.take_next()
        assert case is not None
        page = await operator.see(f"/cases/{case}")
        assert MARKED in page
        assert "если нажать" in page.casefold()
        assert "suicidal" in page.casefold()

        await the_two_talk(operator, case, child)


async def the_two_talk(operator: OperatorClient, case: UUID, child: Person) -> None:
    """Both ways, a note that stays inside, and the end."""
    await child.sees(containing="человек")
    assert (await operator.write(case, "Здравствуй. Я Анна, я с тобой.")).status_code in (200, 201, 303)
    await child.sees(containing="Я Анна")

    await child.writes(f"спасибо что вы есть {MARKED}2")

    async def thread() -> str:
        return await operator.see(f"/cases/{case}")

    await eventually(thread, lambda page: f"{MARKED}2" in page)

    note = await operator.send(f"/cases/{case}/notes", {"entry": str(case), "words": "NOTE for colleagues"})
    assert note.status_code in (200, 201, 303)

    assert (await operator.close(case)).status_code == 303
    told, _ = await child.sees(containing="завершил")
    assert "человек" in told


@pytest.mark.parametrize(("words", "locale", "care"), [
    ("i want to die", "bn", "1098"),
    ("hochu umeret", "ru", "8-801-100-16-11"),
    ("more jete chai", "bn", "1098"),
    ("х о ч у  у м е р е т ь", "be", "8-801-100-16-11"),
    ("/bye@0.0 i will kill myself", "en", "1098"),
])  # fmt: skip
async def test_a_cry_for_help_is_heard_however_it_is_typed(
    words: str, locale: str, care: str, porchlight: Product
) -> None:
    async with web_visitor(porchlight.bot, locale=locale) as child:
        await child.hears_until_quiet()
        await child.writes(words)

        assert care in (await child.hears())["text"]


@pytest.mark.parametrize(("words", "locale", "key"), [
    ("меня в классе все обзывают уродом", "ru", "Это больно"),
    ("у класным чаце мяне ўсе абзываюць", "be", "Гэта балюча"),
])  # fmt: skip
async def test_children_are_understood_in_their_language(
    words: str, locale: str, key: str, porchlight: Product
) -> None:
    async with web_visitor(porchlight.bot, locale=locale) as child:
        await child.hears_until_quiet()
        await child.writes(words)

        assert key in (await child.hears())["text"]


async def test_a_picture_gets_a_kind_answer(porchlight: Product, telegram: FakeTelegram) -> None:
    child = telegram.visitor(language="en")
    child.starts()
    await child.sees_until_quiet()

    child.sends_photo()

    assert "can't" in (await child.sees()).text or "cannot" in child.said[-1].text


async def test_a_deep_link_brings_language_and_country(porchlight: Product, telegram: FakeTelegram) -> None:
    child = telegram.visitor(language="en")
    child.starts("be-BY-school5")
    greeting = await child.sees()

    assert "Прывітанне" in greeting.text


async def test_no_word_of_a_visitor_stands_in_any_log(porchlight: Product) -> None:
    async with web_visitor(porchlight.bot, locale="en") as child:
        await child.hears_until_quiet()
        await child.writes(f"they hate me {MARKED}")
        await child.hears_until_quiet()

    logged = porchlight.logged()
    assert "turn taken" in logged
    assert MARKED not in logged
