"""The words of a closed case go when their time is over, by themselves; numbers and the audit log stay."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from referral.audit.tables import AuditRow
from referral.cases.rules import Outcome
from referral.cases.tables import Case, Message
from referral.config import Settings
from referral.connectors.tables import QueuedLetter
from referral.database import Sessions, transaction
from referral.privacy import Privacy
from referral.retention.keeper import Retention
from referral.retention.rules import Keeping
from tests.nlu_server import ROOT
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import BotClient, OperatorClient, Service, eventually
from tests.referral.serving import SERVICE_SECRET

KEEPING = Keeping(case=timedelta(days=180), reported=timedelta(days=1095))
CLOSED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "days"),
    [
        (Outcome.ADVICE_GIVEN, 180),
        (Outcome.LEFT, 180),
        (Outcome.HEALTHCARE, 180),
        (Outcome.EMERGENCY_SERVICES, 1095),
        (Outcome.CHILD_PROTECTION, 1095),
        (Outcome.LAW_ENFORCEMENT, 1095),
    ],
)
def test_how_it_ended_says_how_long_it_is_kept(outcome: Outcome, days: int) -> None:
    ends_at = CLOSED_AT + timedelta(days=days)

    assert KEEPING.ends_at(CLOSED_AT, outcome=outcome) == ends_at
    groups = dict(KEEPING.over(now=ends_at))
    assert [until for outcomes, until in groups.items() if outcome in outcomes] == [CLOSED_AT]


def test_every_outcome_has_its_time() -> None:
    groups = [outcome for outcomes, _ in KEEPING.over(now=CLOSED_AT) for outcome in outcomes]

    assert sorted(groups) == sorted(Outcome)


async def test_after_its_time_no_word_of_a_case_is_left_and_the_log_says_so(
    service: Service, clock: Time, sessions: Sessions, database: str
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        advised = await _closed(client, nina, outcome="advice_given")
        reported = await _closed(client, nina, outcome="law_enforcement")
        still_open = await client.open()
        clock.forward(timedelta(days=179))
        kept = await _retention(sessions).due(now=clock())
        clock.forward(timedelta(days=1, minutes=1))
        await eventually(lambda: _words(sessions, advised), lambda words: words == 0)
        others = [await _words(sessions, case) for case in (reported, still_open)]

    assert kept == 0
    assert all(number > 0 for number in others)
    async with transaction(sessions) as session:
        case = await session.get_one(Case, advised)
        acts = (await session.scalars(select(AuditRow.act).where(AuditRow.case_id == advised))).all()
    assert case.card is None
    assert case.conversation is None
    assert (case.state, case.outcome, case.role) == ("closed", "advice_given", "child")
    assert acts[-1] == "case_expired"
    # The database itself refuses that a word comes back to a case without a visitor.
    with pytest.raises(psycopg.errors.CheckViolation):
        await _execute(database, "UPDATE \"case\" SET card = 'x' WHERE forgotten_at IS NOT NULL")


async def test_who_was_told_of_a_case_is_told_to_erase_it(
    service: Service, clock: Time, sessions: Sessions, database: str
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await _closed(client, nina, outcome="advice_given")
        # Given that another system was told when the case was opened
        await _execute(database, "INSERT INTO connection (name, kinds) VALUES ('elsewhere', '{opened}')")
        await _execute(
            database,
            "INSERT INTO letter (id, connection, case_id, entry_id, kind, at, next_try_at, delivered_at)"
            " SELECT gen_random_uuid(), 'elsewhere', case_id, id, 'opened', now(), now(), now() FROM message"
            " WHERE happened = 'opened'",
        )
        clock.forward(timedelta(days=181))
        await eventually(lambda: _words(sessions, case), lambda words: words == 0)

    async with transaction(sessions) as session:
        kinds = await session.scalars(select(QueuedLetter.kind).where(QueuedLetter.case_id == case))
        assert "forgotten" in kinds.all()


async def test_the_command_tells_what_is_over_and_erases_only_when_asked(
    service: Service, sessions: Sessions, database: str
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await _closed(client, nina, outcome="advice_given")
    await _execute(database, "UPDATE \"case\" SET closed_at = now() - interval '200 days'")

    told = _command(database, days=300)
    shown = _command(database, days=190)
    before = await _words(sessions, case)
    erased = _command(database, "--erase", days=190)

    assert "300 days" in told
    assert "Cases that are over: 0." in told
    assert "Cases that are over: 1." in shown
    assert before > 0
    assert "Cases whose words were erased: 1." in erased
    assert await _words(sessions, case) == 0


def test_the_page_for_administrators_tells_what_the_settings_say() -> None:
    page = " ".join((ROOT / "docs" / "administrator" / "retention.md").read_text("utf-8").split())
    fields = Settings.model_fields

    for name, sentence in (
        ("case_retention_days", "The words of a closed case are erased {} days after its end"),
        ("reported_case_retention_days", "they are erased {} days after its end"),
    ):
        assert sentence.format(fields[name].default) in page
        assert f"PORCHLIGHT_{name.upper()}" in page


async def _closed(client: BotClient, operator: OperatorClient, *, outcome: str) -> UUID:
    case = await client.open()
    await operator.take_next()
    answer = await operator.send(
        f"/cases/{case}/close", {"outcome": outcome, "code": "violence.cyberbullying"}
    )
    assert answer.status_code == 303, answer.text
    return case


async def _words(sessions: Sessions, case: UUID) -> int:
    async with transaction(sessions) as session:
        query = select(Message.number).where(Message.case_id == case, Message.kind == "visitor")
        return len((await session.scalars(query.where(Message.text.is_not(None)))).all())


def _retention(sessions: Sessions) -> Retention:
    return Retention(sessions, privacy=Privacy(SECRET_KEY), keeping=KEEPING)


def _command(database: str, *arguments: str, days: int) -> str:
    settings = {
        "PORCHLIGHT_REFERRAL_DATABASE_URL": database,
        "PORCHLIGHT_REFERRAL_SECRET_KEY": SECRET_KEY,
        "PORCHLIGHT_SERVICE_SECRET": SERVICE_SECRET,
        "PORCHLIGHT_CASE_RETENTION_DAYS": str(days),
    }
    command = [sys.executable, "-m", "referral", "retention", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def _execute(database: str, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(statement)
