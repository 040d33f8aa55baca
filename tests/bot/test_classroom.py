"""What does the database hold of a class, and may a pupil be found in it? A real database, no worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from bot.classroom import MOST_CLASSES, MOST_TRIES, Classes
from bot.privacy import Privacy
from bot.store import Store, metadata
from flows.classroom import MOST_PUPILS
from tests.bot.test_worker import execute

TABLES = ("class_room", "class_count", "class_pupil", "class_try")


@pytest.fixture
def classes(privacy: Privacy) -> Classes:
    return Classes(privacy=privacy, public_url="https://porchlight.example")


class People:
    """Conversations of a store, and what they do in classes."""

    def __init__(self, store: Store, privacy: Privacy, classes: Classes) -> None:
        self.store, self.privacy, self.classes = store, privacy, classes

    async def somebody(self) -> UUID:
        address = uuid4().hex
        await self.store.accept(channel="web", address=address, update=address, event={"kind": "started"})
        return self.privacy.conversation("web", address)

    async def several(self, number: int) -> list[UUID]:
        return [await self.somebody() for _ in range(number)]

    async def opens(self, teacher: UUID) -> dict[str, Any]:
        async with self.store.transaction() as connection:
            return await self.classes.open(connection, teacher, locale="be", country="BY")

    async def joins(self, pupil: UUID, code: str) -> dict[str, Any]:
        async with self.store.transaction() as connection:
            return await self.classes.join(connection, pupil, code=code)

    async def answers(self, pupil: UUID, room: str, question: str, answer: str) -> None:
        async with self.store.transaction() as connection:
            await self.classes.answer(connection, pupil, room=room, question=question, answer=answer)

    async def looks(self, teacher: UUID, *, close: bool = False) -> dict[str, Any]:
        async with self.store.transaction() as connection:
            return await self.classes.look(connection, teacher, close=close, locale="be", country="BY")

    async def join(self, pupils: Sequence[UUID], code: str) -> str:
        """All of them join; the class."""
        return str([(await self.joins(pupil, code))["room"] for pupil in pupils][-1])

    async def time_passes(self) -> None:
        async with self.store.transaction() as connection:
            await self.classes.end_due(connection)


@pytest.fixture
def people(store: Store, privacy: Privacy, classes: Classes) -> People:
    return People(store, privacy, classes)


async def rows(url: str, table: str) -> list[Any]:
    return await execute(url, f"SELECT * FROM {table}")  # noqa: S608  # The tables' names are ours.


async def test_the_tables_are_those_that_the_code_describes(database_url: str) -> None:
    def differences() -> list[Any]:
        engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
        with engine.connect() as connection:
            ours = {"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
            context = MigrationContext.configure(connection, opts=ours)
            found = list(compare_metadata(context, metadata))
        engine.dispose()
        return found

    assert await asyncio.to_thread(differences) == []


async def test_a_teacher_gets_one_code_and_the_page_that_leads_in(people: People) -> None:
    teacher = await people.somebody()

    first, again = await people.opens(teacher), await people.opens(teacher)

    assert first == again
    assert len(first["code"]) == 8
    assert first["link"] == f"https://porchlight.example/?class={first['code']}&locale=be&country=BY"


async def test_results_come_when_the_class_is_closed_and_only_in_steps(
    people: People, database_url: str
) -> None:
    teacher, pupils = await people.somebody(), await people.several(12)
    code = (await people.opens(teacher))["code"]
    room = await people.join(pupils, code)
    for number, pupil in enumerate(pupils):
        await people.answers(pupil, room, "laugh", "scroll" if number < 9 else "adult")
    for pupil in pupils[:4]:
        await people.answers(pupil, room, "tell", "nobody")

    open_yet = await people.looks(teacher)
    closed = await people.looks(teacher, close=True)

    assert (open_yet["news"], open_yet["pupils"], "results" in open_yet) == ("counted", 10, False)
    assert closed == {
        "kind": "class",
        "news": "results",
        "results": {"laugh": {"scroll": 5, "adult": 0}},
    }
    assert await people.looks(teacher) == closed, "and stay as they were"
    assert await rows(database_url, "class_pupil") == []
    kept = await execute(database_url, "SELECT question, answer, number FROM class_count ORDER BY 2")
    assert kept == [("laugh", "adult", 0), ("laugh", "scroll", 5)], "the exact sums are gone"
    assert await execute(database_url, "SELECT code, salt FROM class_room") == [(None, None)]


async def test_among_four_nothing_is_shown_and_everything_is_erased(
    people: People, database_url: str
) -> None:
    teacher, pupils = await people.somebody(), await people.several(4)
    room = await people.join(pupils, (await people.opens(teacher))["code"])
    for pupil in pupils:
        await people.answers(pupil, room, "laugh", "scroll")

    assert (await people.looks(teacher))["pupils"] == 0
    assert (await people.looks(teacher, close=True))["news"] == "too_few"
    assert await rows(database_url, "class_count") == await rows(database_url, "class_pupil") == []


async def test_a_pupil_is_counted_once_for_each_question(people: People, database_url: str) -> None:
    teacher, pupil = await people.somebody(), await people.somebody()
    room = await people.join([pupil, pupil], (await people.opens(teacher))["code"])
    await asyncio.gather(*(people.answers(pupil, room, "laugh", slug) for slug in ("scroll", "adult") * 5))
    await people.answers(pupil, room, "tell", "home")

    counted = await execute(
        database_url, "SELECT question, sum(number) FROM class_count GROUP BY 1 ORDER BY 1"
    )
    assert counted == [("laugh", 1), ("tell", 1)]
    assert await execute(database_url, "SELECT pupils FROM class_room") == [(1,)]


async def test_answers_of_many_at_once_are_all_counted(people: People, database_url: str) -> None:
    teacher, pupils = await people.somebody(), await people.several(15)
    room = await people.join(pupils, (await people.opens(teacher))["code"])

    await asyncio.gather(*(people.answers(pupil, room, "laugh", "scroll") for pupil in pupils))

    assert await execute(database_url, "SELECT number FROM class_count") == [(15,)]


async def test_nothing_in_the_tables_names_a_pupil(people: People, database_url: str) -> None:
    teacher, pupil = await people.somebody(), await people.somebody()
    room = await people.join([pupil], (await people.opens(teacher))["code"])
    await people.answers(pupil, room, "laugh", "scroll")

    for table in TABLES:
        dump = await execute(database_url, f"SELECT string_agg(t::text, ' ') FROM {table} AS t")  # noqa: S608
        assert pupil.hex not in (dump[0][0] or "").replace("-", "")
    tokens = [token for _, token in await rows(database_url, "class_pupil")]
    assert len(set(tokens)) == 2
    assert all(token not in pupil.bytes and len(token) == 16 for token in tokens)


async def test_whoever_guesses_is_not_listened_to_for_an_hour(people: People, database_url: str) -> None:
    teacher, guesser = await people.somebody(), await people.somebody()
    code = (await people.opens(teacher))["code"]
    wrong = f"{(int(code) + 1) % 10**8:08}"

    tries = [(await people.joins(guesser, wrong))["news"] for _ in range(MOST_TRIES + 1)]
    right = await people.joins(guesser, code)
    await execute(database_url, "UPDATE class_try SET tried_at = now() - interval '61 minutes'")
    later = await people.joins(guesser, code)

    assert tries == ["unknown"] * MOST_TRIES + ["tried_often"]
    assert right["news"] == "tried_often", "the answer tells nothing about the code"
    assert later["news"] == "joined"


async def test_a_class_takes_as_many_as_a_class_has_and_no_more(people: People, database_url: str) -> None:
    teacher, first, last = await people.several(3)
    code = (await people.opens(teacher))["code"]
    await people.joins(first, code)
    await execute(database_url, f"UPDATE class_room SET pupils = {MOST_PUPILS}")  # noqa: S608

    assert (await people.joins(last, code))["news"] == "full"
    assert (await people.joins(first, code))["news"] == "joined", "whoever is in stays in"


async def test_teachers_cannot_join_their_own_class_nor_open_one_after_the_other(
    people: People,
) -> None:
    teacher = await people.somebody()
    code = (await people.opens(teacher))["code"]
    assert (await people.joins(teacher, code))["news"] == "own"

    for _ in range(MOST_CLASSES - 1):
        await people.looks(teacher, close=True)
        assert (await people.opens(teacher))["news"] == "opened"
    await people.looks(teacher, close=True)

    assert (await people.opens(teacher))["news"] == "often"


async def test_a_class_ends_after_a_day_by_itself_and_is_erased_a_day_later(
    people: People, database_url: str
) -> None:
    teacher, pupils = await people.somebody(), await people.several(6)
    code = (await people.opens(teacher))["code"]
    room = await people.join(pupils, code)
    for pupil in pupils:
        await people.answers(pupil, room, "laugh", "scroll")
    await execute(database_url, "UPDATE class_room SET ends_at = now()")

    # Also before the clock has come by, nobody gets in and nothing is counted.
    assert (await people.joins(await people.somebody(), code))["news"] == "unknown"
    await people.answers(pupils[0], room, "tell", "home")
    await people.time_passes()
    assert await rows(database_url, "class_pupil") == []
    assert (await people.looks(teacher))["results"] == {"laugh": {"scroll": 5}}

    await execute(database_url, "UPDATE class_room SET closed_at = now() - interval '25 hours'")
    await people.time_passes()
    assert (await people.looks(teacher))["news"] == "gone"
    assert await rows(database_url, "class_count") == []


async def test_with_the_teacher_goes_the_class(people: People, store: Store, database_url: str) -> None:
    teacher, pupils = await people.somebody(), await people.several(5)
    room = await people.join(pupils, (await people.opens(teacher))["code"])
    await people.answers(pupils[0], room, "laugh", "scroll")

    async with store.transaction() as connection:
        await people.classes.forget(connection, teacher)

    assert [await rows(database_url, table) for table in TABLES] == [[], [], [], []]


async def test_an_erased_conversation_takes_its_class_with_it(
    people: People, store: Store, database_url: str
) -> None:
    teacher = await people.somebody()
    await people.opens(teacher)
    async with store.statement() as connection:
        await connection.execute(text("UPDATE inbox SET done_at = now()"))

    await store.erase(teacher, version=0)

    assert await rows(database_url, "class_room") == []
