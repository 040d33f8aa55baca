"""Everything that is seen or done at the desk stands in the log, and whoever changes the log is found out."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import expect
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from referral.audit.repository import AuditRepository, record
from referral.audit.routes import ROWS
from referral.audit.rules import Act, Break, Fault, Head, Link, canonical, follow
from referral.audit.tables import AuditRow
from referral.database import Sessions, transaction
from referral.operators.rules import Role
from tests.referral.browser import chromium
from tests.referral.conftest import Time
from tests.referral.desk import PASSWORD, BotClient, OperatorClient, Service, eventually
from tests.referral.test_storage import run_referral

NOW = datetime(2020, 2, 29, 2, 0, tzinfo=UTC)


def _chain(number: int) -> list[Link]:
    links: list[Link] = []
    head = Head()
    for seq in range(1, number + 1):
        link = Link(
            seq=seq,
            at=NOW + timedelta(seconds=seq),
            act=Act.CASE_SEEN,
            operator=UUID(int=1),
            about=None,
            case=UUID(int=seq),
            previous=head.hash,
            hash=b"",
        )
        link = replace(link, hash=hashlib.sha256(canonical(link)).digest())
        links.append(link)
        head = Head(seq=seq, hash=link.hash)
    return links


async def _acts(service: Service) -> Sequence[tuple[str, UUID | None, UUID | None, UUID | None]]:
    """Act, who, about whom, which case, oldest first."""
    async with transaction(service.services.sessions) as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.act, row.operator_id, row.about_id, row.case_id) for row in rows]


async def _verified(sessions: Sessions, *, known: Head | None = None) -> Head | Break:
    async with transaction(sessions) as session:
        return await AuditRepository(session).verify(known=known)


async def _tamper(database: str, statement: str) -> None:
    """What an administrator with every right on the database can do."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        await connection.execute(statement)
        await connection.execute("ALTER TABLE audit ENABLE TRIGGER USER")


async def _fill(sessions: Sessions, rows: int) -> None:
    async with transaction(sessions) as session:
        for second in range(rows):
            record(session, Act.CASE_SEEN, now=NOW + timedelta(seconds=second), by=UUID(int=1), case=uuid4())


@given(st.data())
def test_no_row_of_a_chain_is_changed_left_out_or_moved_unseen(data: st.DataObject) -> None:
    links = _chain(data.draw(st.integers(3, 8)))
    place = data.draw(st.integers(0, len(links) - 2))
    tampered = data.draw(
        st.sampled_from(
            [
                [*links[:place], replace(links[place], case=uuid4()), *links[place + 1 :]],
                [*links[:place], replace(links[place], operator=None), *links[place + 1 :]],
                [*links[:place], replace(links[place], at=NOW), *links[place + 1 :]],
                [*links[:place], *links[place + 1 :]],
                [*links[:place], links[place + 1], links[place], *links[place + 2 :]],
                [*links[:place], links[place], *links[place:]],
            ]
        )
    )

    whole, broken = follow(links, after=Head()), follow(tampered, after=Head())

    assert whole == Head(seq=len(links), hash=links[-1].hash)
    assert isinstance(broken, Break)
    assert broken.seq in (place + 1, place + 2)


def test_a_chain_that_was_written_anew_does_not_match_a_head_noted_before() -> None:
    before = _chain(3)
    known = Head(seq=2, hash=before[1].hash)
    anew = replace(before[1], operator=None)
    anew = replace(anew, hash=hashlib.sha256(canonical(anew)).digest())

    assert follow(before, after=Head(), known=known) == Head(seq=3, hash=before[2].hash)
    assert follow([before[0], anew], after=Head(), known=known) == Break(seq=2, fault=Fault.REPLACED)


async def test_the_table_chains_rows_as_the_rules_read_them(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        for act in Act:
            record(session, act, now=NOW + timedelta(microseconds=7), by=uuid4(), about=uuid4(), case=uuid4())
        record(session, Act.SIGNED_IN, now=NOW)

    head = await _verified(sessions)

    assert isinstance(head, Head)
    assert head.seq == len(Act) + 1


async def test_what_is_rolled_back_leaves_no_row(sessions: Sessions) -> None:
    async def fail() -> None:
        async with transaction(sessions) as session:
            record(session, Act.SIGNED_IN, now=NOW)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()

    assert await _verified(sessions) == Head()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET act = 'signed_in'", "DELETE FROM audit", "TRUNCATE audit"]
)
async def test_the_table_refuses_every_change(sessions: Sessions, statement: str) -> None:
    await _fill(sessions, 1)

    with pytest.raises(ProgrammingError, match="only ever added to"):
        async with transaction(sessions) as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "row", "fault"),
    [
        ("UPDATE audit SET operator_id = gen_random_uuid() WHERE seq = 2", 2, Fault.CHANGED),
        ("UPDATE audit SET at = at + interval '1 microsecond' WHERE seq = 4", 4, Fault.CHANGED),
        ("DELETE FROM audit WHERE seq = 3", 3, Fault.MISSING),
        ("DELETE FROM audit WHERE seq = 1", 1, Fault.MISSING),
        ("UPDATE audit SET previous = hash WHERE seq = 3", 3, Fault.UNCHAINED),
        ("DELETE FROM audit WHERE seq > 3", 4, Fault.MISSING),
        ("DELETE FROM audit", 1, Fault.MISSING),
    ],
)
async def test_who_gets_past_the_triggers_is_found_at_the_row(
    sessions: Sessions, database: str, statement: str, row: int, fault: Fault
) -> None:
    await _fill(sessions, 5)
    known = await _verified(sessions)
    assert isinstance(known, Head)

    await _tamper(database, statement)

    assert await _verified(sessions, known=known) == Break(seq=row, fault=fault)


async def test_many_at_once_make_one_chain(sessions: Sessions) -> None:
    async def one() -> None:
        async with transaction(sessions) as session:
            record(session, Act.CASE_TAKEN, now=NOW, by=uuid4(), case=uuid4())
            record(session, Act.CASE_SEEN, now=NOW, by=uuid4(), case=uuid4())

    await asyncio.gather(*(one() for _ in range(40)))

    head = await _verified(sessions)
    assert isinstance(head, Head)
    assert head.seq == 80


async def test_everything_that_is_seen_and_done_stands_in_the_log(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
    ):
        case = await bot.open()
        await bot.post(f"/v1/cases/{case}/danger", {"danger": "urgent"})
        await nina.take_next()
        await nina.see(f"/cases/{case}")
        async with nina.http.stream("GET", f"/cases/{case}/stream"):
            pass
        await nina.write(case, "Привет")
        entry = uuid4()
        for _ in range(2):
            await nina.write(case, "Ещё раз", entry=entry)
        await nina.send(f"/cases/{case}/notes", {"entry": str(uuid4()), "words": "мама знает"})
        await vera.see("/supervision")
        await vera.send(f"/cases/{case}/pick", {"reason": "nina goes home now"})
        await vera.send(f"/cases/{case}/release")
        await nina.take_next()
        await nina.close(case)
        await vera.send("/operators", {"name": "olga", "role": "auditor"})
        await vera.send("/operators", {"name": "olga", "again": "yes"})
        await nina.send("/sign-out")
        acts = await _acts(service)
        number = {row[0]: row[1] for row in acts if row[0] in ("case_taken", "case_picked")}
        n, v = number["case_taken"], number["case_picked"]
        await vera.send(f"/operators/{n}/disable")
        olga = next(about for act, _, about, _ in acts if act == "operator_invited" and about not in (n, v))
        rows = await _acts(service)

    assert rows == [
        ("operator_invited", None, n, None),
        ("password_chosen", n, None, None),
        ("operator_invited", None, v, None),
        ("password_chosen", v, None, None),
        ("case_opened", None, None, case),
        ("danger_raised", None, None, case),
        ("case_taken", n, None, case),
        ("case_seen", n, None, case),
        ("case_followed", n, None, case),
        ("message_written", n, None, case),
        ("message_written", n, None, case),
        ("note_written", n, None, case),
        ("cases_listed", v, None, None),
        ("case_picked", v, n, case),
        ("case_released", v, None, case),
        ("case_taken", n, None, case),
        ("case_closed", n, None, case),
        ("operator_invited", v, olga, None),
        ("operator_reinvited", v, olga, None),
        ("signed_out", n, None, None),
        ("operator_disabled", v, n, None),
    ]
    assert isinstance(await _verified(service.services.sessions), Head)


async def test_the_door_and_what_happens_by_itself_stand_in_the_log(service: Service, clock: Time) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina, service.browser() as browser:
        for name in ("nina", "nobody"):
            await browser.post("/sign-in", data={"name": name, "password": "not this one, no"})
        await browser.post("/sign-in", data={"name": "nina", "password": PASSWORD})
        case = await bot.open()
        await nina.take_next()
        n = (await _acts(service))[-1][1]
        clock.forward(timedelta(minutes=11))
        await eventually(lambda: bot.status(case), lambda seen: seen["state"] == "waiting")
        await bot.post(f"/v1/cases/{case}/leave")
        await bot.post(f"/v1/cases/{case}/forget")
        rows = (await _acts(service))[2:]

    assert rows == [
        ("sign_in_refused", None, n, None),
        ("sign_in_refused", None, None, None),
        ("signed_in", n, None, None),
        ("case_opened", None, None, case),
        ("case_taken", n, None, case),
        ("case_returned", None, n, case),
        ("visitor_left", None, None, case),
        ("visitor_forgotten", None, None, case),
    ]


async def test_forgetting_a_visitor_leaves_the_chain_whole(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        case = await bot.open()
        await nina.take_next()
        before = await _verified(service.services.sessions)
        assert isinstance(before, Head)
        await bot.post(f"/v1/cases/{case}/forget")
        async with transaction(service.services.sessions) as session:
            await session.execute(text("DELETE FROM event"))
            await session.execute(text('DELETE FROM "case"'))

    after = await _verified(service.services.sessions, known=before)
    assert isinstance(after, Head)
    assert after.seq == before.seq + 1


async def test_a_case_of_somebody_else_is_neither_shown_nor_noted_as_seen(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
    ):
        case = await bot.open()
        await nina.take_next()
        answer = await vera.http.get(f"/cases/{case}")
        async with vera.http.stream("GET", f"/cases/{case}/stream"):
            pass
        rows = await _acts(service)

    assert answer.status_code == 404
    assert rows[-1][0] == "case_taken"


async def _some_work(bot: BotClient, nina: OperatorClient) -> UUID:
    case = await bot.open()
    await nina.take_next()
    await nina.see(f"/cases/{case}")
    return case


async def test_an_auditor_sees_the_log_and_nothing_else(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
        service.as_operator("olga", role=Role.AUDITOR) as olga,
    ):
        case = await _some_work(bot, nina)
        home = await olga.http.get("/")
        log = await olga.see("/audit")
        refused = [
            (await olga.http.get(path)).status_code
            for path in (f"/cases/{case}", "/stream", "/supervision", "/operators", "/tryout")
        ]
        of_nobody = [(await client.http.get("/audit")).status_code for client in (nina,)]
        last = [act for act, *_ in await _acts(service)][-7:]

    assert (home.status_code, home.headers["location"]) == (303, "/audit")
    assert "Opened the page of a case" in log
    assert "nina" in log
    assert "меня травят" not in log
    assert refused == [403] * 5
    assert of_nobody == [403]
    assert last == ["log_seen", *["access_refused"] * 6]


async def test_the_log_is_sifted_by_day_person_and_case(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
        service.as_operator("olga", role=Role.AUDITOR) as olga,
    ):
        case = await _some_work(bot, nina)
        n = (await _acts(service))[-1][1]
        today = datetime.now(UTC).date()
        of_case = await olga.see(f"/audit?case={case}")
        of_nina = await olga.see(f"/audit?person={n}")
        of_today = await olga.see(f"/audit?day={today}&case={case}")
        of_another_day = await olga.see("/audit?day=2020-01-01&person=&case=")
        odd = [
            (await olga.http.get(f"/audit?{query}")).status_code
            for query in ("day=soon", "case=quiet+heron", "person=1", "before=0", f"before={2**64}")
        ]

    assert of_case.count('<td class="log-number">') == 3
    assert of_today.count('<td class="log-number">') == 3
    assert of_nina.count('<td class="log-number">') == 4
    assert "The log has no such row." in of_another_day
    assert odd == [422] * 5


async def test_a_page_holds_a_hundred_rows_and_leads_to_the_older_ones(service: Service) -> None:
    await _fill(service.services.sessions, 2 * ROWS)
    async with service.as_operator("olga", role=Role.AUDITOR) as olga:
        first = await olga.see("/audit?day=2020-02-29")
        second = await olga.see(f"/audit?day=2020-02-29&before={ROWS + 1}")

    assert first.count('<td class="log-number">') == second.count('<td class="log-number">') == ROWS
    assert f'href="/audit?day=2020-02-29&amp;before={ROWS + 1}">Older' in first
    assert "Newest</a>" not in first
    assert "Older</a>" not in second
    assert 'href="/audit?day=2020-02-29">Newest' in second


@pytest.mark.slow
async def test_the_command_line_checks_and_exports_the_log(
    sessions: Sessions, database: str, tmp_path: Path
) -> None:
    await _fill(sessions, 3)
    file = tmp_path / "log.csv"
    exported = await asyncio.to_thread(run_referral, database, "audit", "export", str(file))
    again = await asyncio.to_thread(run_referral, database, "audit", "export", str(file))
    whole = await asyncio.to_thread(run_referral, database, "audit", "verify")
    facts = json.loads((await asyncio.to_thread(run_referral, database, "audit", "verify", "--json")).stdout)
    odd = await asyncio.to_thread(run_referral, database, "audit", "verify", "--known", "soon")
    await _tamper(database, "UPDATE audit SET case_id = NULL WHERE seq = 2")
    broken = await asyncio.to_thread(run_referral, database, "audit", "verify")
    told = await asyncio.to_thread(
        run_referral, database, "audit", "verify", "--json", "--known", facts["head"]
    )

    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert exported.stdout == f"3 rows are in {file}.\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [row["act"] for row in rows] == ["case_seen"] * 3
    assert rows[2]["hash"] == _hash_of(rows[2])
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    assert whole.stdout.startswith("The log is whole: 4 rows. Its head is 4:")
    assert (facts["whole"], facts["rows"]) == (True, 4)
    assert (odd.returncode, "A head is written as" in odd.stderr) == (1, True)
    assert broken.stdout == "The log breaks at row 2: it was changed after it was written.\n"
    assert (broken.returncode, told.returncode) == (1, 1)
    assert json.loads(told.stdout) == {"whole": False, "breaks_at": 2, "fault": "changed"}


def _hash_of(row: dict[str, str]) -> str:
    """As an auditor would compute it from the file alone."""
    names = ("seq", "previous", "at", "act", "operator_id", "about_id", "case_id")
    return hashlib.sha256("\n".join(row[name] for name in names).encode()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 1280])
async def test_the_page_fits_the_screen_and_is_worked_with_the_keyboard(service: Service, width: int) -> None:
    await _fill(service.services.sessions, 3)
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 800})
        await page.goto(f"{service.url}/invitation/{await service.invitation('olga', role=Role.AUDITOR)}")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_label("The same once more").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Who saw and did what")).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth")
        await page.get_by_label("Person").select_option("olga")
        await page.get_by_label("Case number").press("Enter")
        await expect(page.get_by_role("cell", name="Chose a password and signed in")).to_be_visible()

    assert wide <= width
