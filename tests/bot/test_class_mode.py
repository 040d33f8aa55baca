"""A teacher and a class on the web chat, from code to results: real queue, real database, real content."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.app import create_app
from bot.privacy import Privacy
from bot.store import Store
from tests.acceptance.visitor import Visitor, web_visitor
from tests.bot.opened import open_keys
from tests.bot.test_worker import PATIENCE_SECONDS, execute, settings, working
from tests.referral.serving import serving

#: What a pupil presses, by the question's number: two ways through the survey.
KIND = (
    "Write to Sam, only to him",
    "Somebody at home",
    "“Shall we go to an adult together?”",
    "When it hurts Alex",
)
SHY = ("Scroll on", "Nobody", "Keep it to myself", "I'd rather not say")


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody on the web chat who reads on until they see what they wait for."""

    visitor: Visitor

    async def sees(self, words: str) -> str:
        """The next message that holds these words."""
        while words not in (message := await self.visitor.hears())["text"]:
            pass
        return str(message["text"])

    async def writes(self, text: str) -> None:
        await self.visitor.writes(text)

    async def presses(self, title: str) -> None:
        await self.visitor.presses(title)


class School:
    """The web chat with a worker behind it."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.url, self._stack = url, stack

    async def somebody(self, **beginning: str) -> Person:
        """Somebody opens the page."""
        visitor = web_visitor(self.url, **{"locale": "en", "country": "BY", **beginning})
        return Person(visitor=await self._stack.enter_async_context(visitor))

    async def teacher(self) -> tuple[Person, str]:
        """A teacher who has opened a class, and its code."""
        teacher = await self.somebody()
        await teacher.sees("press who you are")
        await teacher.presses("I work at a school")
        await teacher.sees("what happened at your school")
        await teacher.presses("With my whole class")
        await teacher.sees("Your class answers five questions")
        await teacher.presses("Get a code")
        await teacher.sees("leave this page open")
        told = await teacher.sees("The code of your class")
        code = re.search(r"\d{4} \d{4}", told)
        assert code is not None
        assert f"/?class={code[0].replace(' ', '')}&locale=en&country=BY" in told
        return teacher, code[0]

    async def pupil(self, code: str, *, by_link: bool = False) -> Person:
        """A pupil who has joined, by the code or by the link, and begun."""
        if by_link:
            pupil = await self.somebody(campaign=f"class_{code.replace(' ', '')}")
        else:
            pupil = await self.somebody()
            await pupil.sees("press who you are")
            await pupil.writes(code)
        await pupil.sees("You are in your teacher's class")
        await pupil.presses("Begin")
        await pupil.sees("photo of Sam")
        return pupil


async def answer(pupil: Person, titles: tuple[str, ...], *, knows: str = "Perhaps") -> None:
    """A pupil goes through all five questions."""
    following = ("getting mean messages", "don't tell anyone", "nickname", "in real life")
    for title, words in zip(titles, following, strict=True):
        await pupil.presses(title)
        await pupil.sees(words)
    await pupil.presses(knows)
    await pupil.sees("That was the last one")


@asynccontextmanager
async def a_school(database_url: str) -> AsyncIterator[School]:
    async with (
        serving(create_app(settings(database_url))) as url,
        working(database_url),
        AsyncExitStack() as stack,
    ):
        yield School(url, stack)


@pytest.fixture
async def school(database_url: str) -> AsyncIterator[School]:
    async with a_school(database_url) as school:
        yield school


async def close(teacher: Person) -> None:
    await teacher.presses("Close and see results")
    await teacher.sees("nobody can answer any more")
    await teacher.presses("Close and see results")
    await teacher.sees("The class is closed")


async def kept_words(store: Store, privacy: Privacy, url: str) -> str:
    """Everything that the inbox still holds, unsealed."""
    rows = await execute(
        url, "SELECT conversation_id, update_key, payload FROM inbox WHERE payload IS NOT NULL"
    )
    keys = await open_keys(url, privacy)
    return " ".join(
        keys[conversation].unseal(sealed, context=f"inbox.payload:{key.hex()}")
        for conversation, key, sealed in rows
    )


async def test_two_pupils_are_too_few_to_be_shown(school: School, database_url: str) -> None:
    teacher, code = await school.teacher()
    for titles in (KIND, SHY):
        await answer(await school.pupil(code), titles)

    await teacher.presses("How many are in?")
    assert "fewer than 5" in await teacher.sees("In your class now")
    await close(teacher)

    await teacher.sees("Fewer than five pupils took part")
    assert await execute(database_url, "SELECT 1 FROM class_count UNION ALL SELECT 1 FROM class_pupil") == []


async def test_five_pupils_answer_and_the_teacher_sees_sums(
    school: School, store: Store, privacy: Privacy, database_url: str
) -> None:
    teacher, code = await school.teacher()
    for number in range(5):
        pupil = await school.pupil(code, by_link=number % 2 == 0)
        await answer(pupil, KIND, knows="Yes, one person" if number < 4 else "No")

    await teacher.presses("How many are in?")
    assert "5 or more" in await teacher.sees("In your class now")
    await close(teacher)

    laugh = await teacher.sees("1. A photo is laughed at")
    assert "Write to Sam, only to him: ▮ 5 or more" in laugh
    assert "Scroll on: fewer than 5" in laugh
    know = await teacher.sees("5. Does it happen at our school?")
    assert "Yes, one person: fewer than 5" in know
    assert "▮" not in know
    await teacher.sees("What next?")
    await teacher.presses("Show them once more")
    assert await teacher.sees("1. A photo is laughed at") == laugh

    # And nothing beside a pseudonym tells what anybody chose.
    kept = await kept_words(store, privacy, database_url)
    assert "n:class_survey:welcome:begin" in kept
    for node in ("laugh", "tell", "secret", "joke", "know"):
        assert f"n:class_survey:{node}:" not in kept


async def test_whoever_answers_again_is_not_counted_again_nor_after_the_end(
    school: School, database_url: str
) -> None:
    teacher, code = await school.teacher()
    pupil = await school.pupil(code)
    await answer(pupil, KIND)
    for _ in range(2):
        await pupil.visitor._send({"id": f"again {_}", "payload": "n:class_survey:laugh:scroll"})
        await pupil.sees("getting mean messages")

    counted = await execute(database_url, "SELECT answer, number FROM class_count WHERE question = 'laugh'")
    assert counted == [("write_them", 1)]

    await close(teacher)
    await teacher.sees("Fewer than five")
    await pupil.visitor._send({"id": "late", "payload": "n:class_survey:tell:nobody"})
    await pupil.sees("don't tell anyone")
    assert await execute(database_url, "SELECT 1 FROM class_count") == []


async def test_a_pupil_in_danger_is_helped_and_the_teacher_hears_nothing_of_it(
    school: School, store: Store, privacy: Privacy, database_url: str
) -> None:
    teacher, code = await school.teacher()
    pupil = await school.pupil(code)

    await pupil.writes("i want to die")
    care = await pupil.sees("8-801-100-16-11")
    assert care

    await teacher.presses("How many are in?")
    await teacher.sees("In your class now")
    await close(teacher)
    await teacher.sees("Fewer than five")
    assert not any("8-801" in message["text"] for message in teacher.visitor.said[1:])


async def test_typed_answers_are_counted_and_not_kept(
    school: School, store: Store, privacy: Privacy, database_url: str
) -> None:
    _, code = await school.teacher()
    pupil = await school.pupil(code)

    await pupil.writes("scroll on")
    await pupil.sees("getting mean messages")

    assert await execute(database_url, "SELECT answer FROM class_count") == [("scroll",)]
    assert "scroll on" not in await kept_words(store, privacy, database_url)


async def test_a_wrong_code_is_told_and_five_of_them_are_enough(school: School) -> None:
    guesser = await school.somebody()
    await guesser.sees("press who you are")
    seen: list[Any] = []
    for number in range(6):
        await guesser.writes(f"0000000{number}")
        await guesser.sees("looking for your class")
        seen.append((await guesser.visitor.hears())["text"])

    assert all("I don't know a class with this code" in text for text in seen[:5])
    assert "I take a break from codes" in seen[5]


async def test_the_clock_closes_what_is_open_for_a_day_and_the_hashes_go(
    school: School, database_url: str
) -> None:
    _, code = await school.teacher()
    await school.pupil(code)
    await execute(database_url, "UPDATE class_room SET ends_at = now()")

    # The clock is the queue's, so its next round is put there.
    await execute(
        database_url,
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
        " VALUES ('timers', 'end_classes', '{\"timestamp\": 0}')",
    )

    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if not await execute(database_url, "SELECT 1 FROM class_room WHERE closed_at IS NULL"):
                break
            await asyncio.sleep(0.05)
    assert await execute(database_url, "SELECT 1 FROM class_pupil") == []
