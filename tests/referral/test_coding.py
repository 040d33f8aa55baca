"""What a case is coded with: what follows from what, what is suggested and why, what older cases keep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from referral.cases.codes import CODES, GROUPS, ONLINE_HARMS, ContactKind, Edition, contact_kind, names
from referral.cases.coding import _SUGGESTED, Action, Coding, Occurred, Suggestion, checked, suggest
from referral.cases.rules import Outcome
from referral.cases.tables import Case
from referral.database import Sessions, _alembic, _sync_engine, transaction
from referral.errors import FormIncomplete
from tests.databases import empty_database
from tests.referral.desk import Service

CYBERBULLYING = Coding(outcome=Outcome.ADVICE_GIVEN, code="violence.cyberbullying")


@pytest.mark.parametrize("edition", Edition)
def test_every_code_has_a_name_in_either_edition(edition: Edition) -> None:
    assert all(all(names(code, edition=edition)) for code in CODES)


def test_the_older_edition_says_its_own_names() -> None:
    older = Edition.CHI_V2020

    assert names("violence.cyberbullying", edition=older) == ("Violence", "Bullying")
    assert names("access.legal", edition=older)[0] == "Accessibility"
    assert names("violence.online_sexual_abuse", edition=older)[1] == "Online sexual abuse"
    exploited = names("violence.online_sexual_abuse", edition=older, online_harm="blackmail")
    assert exploited[1] == "Online sexual exploitation"
    assert names("violence.cyberbullying", edition=Edition.CHI_V2022)[1] == "Cyberbullying"


def test_contacts_about_a_child_are_kept_apart_from_all_others() -> None:
    assert contact_kind("violence.bullying", counselled=True) is ContactKind.COUNSELLING
    assert contact_kind("violence.bullying", counselled=None) is ContactKind.COUNSELLING
    assert contact_kind("access.legal", counselled=False) is ContactKind.INFORMATION
    assert contact_kind("non_counselling.parents", counselled=True) is ContactKind.INFORMATION
    assert contact_kind("non_counselling.silent", counselled=None) is ContactKind.NON_DATA


def test_what_follows_from_code_and_outcome_need_not_be_said_twice() -> None:
    online = checked(CYBERBULLYING)
    police = checked(
        Coding(outcome=Outcome.LAW_ENFORCEMENT, code="violence.bullying", occurred=Occurred.BOTH)
    )
    silent = checked(
        Coding(outcome=Outcome.VISITOR_SILENT, code="non_counselling.silent", online_harm="threats")
    )

    assert online.occurred is Occurred.ONLINE
    assert online.counselled
    assert police.actions == {Action.LAW_ENFORCEMENT}
    assert (silent.occurred, silent.online_harm, silent.counselled) == (None, None, False)


@pytest.mark.parametrize(
    "coding",
    [
        Coding(outcome=Outcome.FORGOTTEN, code="violence.cyberbullying"),
        Coding(outcome=Outcome.ADVICE_GIVEN, code="nonsense"),
        Coding(outcome=Outcome.ADVICE_GIVEN, code="violence.cyberbullying", online_harm="nonsense"),
        Coding(outcome=Outcome.ADVICE_GIVEN, code="violence.bullying"),
        Coding(outcome=Outcome.ADVICE_GIVEN, code="violence.cyberbullying", occurred=Occurred.OFFLINE),
        Coding(
            outcome=Outcome.ADVICE_GIVEN,
            code="violence.bullying",
            occurred=Occurred.OFFLINE,
            online_harm="threats",
        ),
    ],
)
def test_a_coding_that_contradicts_itself_is_refused(coding: Coding) -> None:
    with pytest.raises(FormIncomplete):
        checked(coding)


def test_every_suggestion_can_be_closed_with() -> None:
    for code, online_harm, occurred in _SUGGESTED.values():
        assert checked(
            Coding(
                outcome=Outcome.ADVICE_GIVEN,
                code=code,
                online_harm=online_harm,
                occurred=occurred or Occurred.UNKNOWN,
            )
        )


def test_what_the_visitor_came_for_is_suggested_before_what_the_card_says() -> None:
    both = _suggested("suicidal", card={"harm": "blackmail"})
    only_card = _suggested("talk_to_human", card={"harm": "blackmail"})
    listed = _suggested("talk_to_human", card={"harm": "talk_to_human", "intents": "greet, rumours"})

    assert both.code == "mental_health.suicide"
    assert only_card.online_harm == "blackmail"
    assert listed.because == "rumours"
    assert suggest("talk_to_human", card={}, heard=("they write about me",)) is None


@pytest.mark.parametrize(
    ("heard", "quoted"),
    [
        (("hi", "they call  me\nnames"), "they call me names"),
        (("word " * 100,), "word " * 32 + "…"),
        (("hi",), None),
    ],
)
def test_a_suggestion_quotes_the_first_line_that_is_more_than_a_greeting_and_not_all_of_a_long_one(
    heard: tuple[str, ...], quoted: str | None
) -> None:
    assert _suggested("insults", card={}, heard=heard).quoted == quoted


async def test_a_case_is_coded_as_the_form_says(service: Service, sessions: Sessions) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open(reason="blackmail")
        await operator.take_next()
        page = await operator.see(f"/cases/{case}")
        fields = {
            "outcome": "law_enforcement",
            "code": "violence.online_sexual_abuse",
            "online_harm": "blackmail",
            "occurred": "both",
            "counselled": "yes",
            "done": "abuse_images_report",
        }
        answer = await operator.send(f"/cases/{case}/close", fields)
    async with transaction(sessions) as session:
        stored = (await session.scalars(select(Case).where(Case.number == case))).one()

    assert "Suggested since the card says “Blackmail”" in page
    assert "меня травят в чате" in page.split("Suggested since")[1].split("Use this code")[0]
    assert answer.status_code == 303
    assert (stored.code, stored.online_harm) == ("violence.online_sexual_abuse", "blackmail")
    assert (stored.occurred, stored.counselled) == ("both", True)
    assert stored.actions == ["abuse_images_report", "law_enforcement"]


@pytest.mark.parametrize(
    "change",
    [
        lambda case: setattr(case, "occurred", "somewhere"),
        lambda case: setattr(case, "online_harm", "nonsense"),
        lambda case: setattr(case, "actions", ["nonsense"]),
        lambda case: setattr(case, "occurred", "online"),
    ],
)
async def test_the_table_refuses_what_the_rules_do_not_know_and_coding_an_open_case(
    service: Service, sessions: Sessions, change: Callable[[Case], None]
) -> None:
    async with service.as_bot() as bot:
        case = await bot.open()

    with pytest.raises(IntegrityError):
        await _change(sessions, case, change)


async def test_cases_that_were_closed_before_keep_their_code_and_say_what_was_done() -> None:
    number, operator = uuid4(), uuid4()
    async with empty_database("referral_before_coding") as url:
        await asyncio.to_thread(_move, url, "0004")
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute(
                "INSERT INTO operator (id, name, role) VALUES (%s, 'nina', 'operator')", (operator,)
            )
            now = datetime(2026, 1, 1, tzinfo=UTC)
            await connection.execute(
                'INSERT INTO "case" (id, designation, state, danger, conversation, channel, locale, reason,'
                " card, opened_at, received_at, closer_id, closed_at, outcome, code)"
                " VALUES (%s, 'quiet heron', 'closed', 'none', 'x', 'web', 'en', 'insults', 'x', %s, %s, %s,"
                " %s, 'law_enforcement', 'violence.cyberbullying')",
                (number, now, now, operator, now),
            )
        await asyncio.to_thread(_move, url, "head")
        async with await psycopg.AsyncConnection.connect(url) as connection:
            kept = await (
                await connection.execute(
                    'SELECT code, outcome, occurred, online_harm, counselled, actions FROM "case"'
                )
            ).fetchone()

    assert kept == (
        "violence.cyberbullying",
        "law_enforcement",
        "online",
        None,
        None,
        ["law_enforcement"],
    )


def test_slugs_of_the_third_level_can_be_stored() -> None:
    assert all(slug.isidentifier() for slug in ONLINE_HARMS)
    assert all("." not in group for group in GROUPS)


def _suggested(reason: str, *, card: dict[str, str], heard: tuple[str, ...] = ()) -> Suggestion:
    found = suggest(reason, card=card, heard=heard)
    assert found is not None
    return found


async def _change(sessions: Sessions, number: UUID, change: Callable[[Case], None]) -> None:
    async with transaction(sessions) as session:
        change((await session.scalars(select(Case).where(Case.number == number))).one())


def _move(url: str, revision: str) -> None:
    engine = _sync_engine(url)
    try:
        with engine.begin() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()
