"""What lies in the database: sealed words, refused impossibilities, a schema as the code wants it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

import referral.audit.tables
import referral.cases.tables
import referral.connectors.tables
import referral.events.tables
import referral.library.tables
import referral.migrations.versions
import referral.operators.tables
import referral.pager.tables
import referral.replies.tables
import referral.reviews.tables
import referral.sources.tables
from referral.config import read
from referral.database import Base, Sessions, transaction
from referral.errors import SealBroken, SecretTooWeak, SettingsInvalid
from referral.privacy import Privacy
from tests.databases import empty_database
from tests.referral.conftest import SECRET_KEY
from tests.referral.desk import Service
from tests.referral.serving import SERVICE_SECRET, FakeBot

PLACE = {"table": "message", "column": "text", "row": "1"}


@given(st.text())
def test_sealed_words_come_back_as_they_were(words: str) -> None:
    privacy = Privacy(SECRET_KEY)

    assert privacy.unseal(privacy.seal(words, **PLACE), **PLACE) == words


@pytest.mark.parametrize("moved", [{"table": "case"}, {"column": "card"}, {"row": "2"}])
def test_sealed_words_mean_nothing_in_another_place(moved: dict[str, str]) -> None:
    privacy = Privacy(SECRET_KEY)
    sealed = privacy.seal("меня травят", **PLACE)

    with pytest.raises(SealBroken):
        privacy.unseal(sealed, **(PLACE | moved))


def test_changed_or_foreign_words_are_not_read() -> None:
    sealed = Privacy(SECRET_KEY).seal("меня травят", **PLACE)
    other = Privacy(SECRET_KEY[::-1].strip("=") + "AAAA")

    for broken in (b"", b"\x01", sealed[:-1], b"\x02" + sealed[1:], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SealBroken):
            Privacy(SECRET_KEY).unseal(broken, **PLACE)
    with pytest.raises(SealBroken):
        other.unseal(sealed, **PLACE)


@pytest.mark.parametrize("secret", ["", "short", "c2hvcnQ=", "not base64 at all, however long it may be"])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(SecretTooWeak):
        Privacy(secret)


async def test_no_word_name_or_pseudonym_lies_in_the_clear_and_forgetting_erases_the_sealed_ones(
    service: Service, bot: FakeBot, database: str
) -> None:
    canaries = {"words": "канарейка-слова", "note": "канарейка-записка", "card": "канарейка-карта"}
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        case = await client.open(conversation="canary-pseudonym", card={"since": canaries["card"]})
        await client.say(case, canaries["words"])
        await operator.take_next()
        await operator.write(case, canaries["words"])
        await operator.send(f"/cases/{case}/notes", {"entry": str(uuid4()), "words": canaries["note"]})
        await bot.until(lambda seen: len(seen.texts) == 1)
        before = await asyncio.to_thread(_dump, database)
        # A hash of the audit log may begin as sealed words do.
        words = await asyncio.to_thread(_dump, database, but="audit")
        await client.post(f"/v1/cases/{case}/forget")
        after = await asyncio.to_thread(_dump, database)

    for canary in canaries.values():
        assert canary not in before
        assert canary.encode().hex() not in before
    assert "canary-pseudonym" in before
    assert "canary-pseudonym" not in after
    sealed = set(re.findall(r"\\\\x01[0-9a-f]{56,}", words))
    assert len(sealed) == 6
    assert not any(value in after for value in sealed)


async def test_the_steps_make_exactly_the_tables_that_the_code_uses(engine: AsyncEngine) -> None:
    def differences(connection: object) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": _ours})  # type: ignore[arg-type]
        return list(compare_metadata(context, Base.metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.slow
async def test_two_processes_may_migrate_at_once_and_again() -> None:
    async with empty_database("referral_empty") as url:
        runs = await asyncio.gather(*(asyncio.to_thread(run_referral, url, "migrate") for _ in range(2)))
        again = await asyncio.to_thread(run_referral, url, "migrate")

        async with await psycopg.AsyncConnection.connect(url) as connection:
            cursor = await connection.execute("SELECT version_num FROM alembic_version")
            assert await cursor.fetchall() == [(_newest_step(),)]
    assert [run.returncode for run in (*runs, again)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("change", "refused_by"),
    [
        ("state = 'held'", "held_has_holder"),
        ("state = 'closed', due_at = NULL, warn_at = NULL", "closed_has_outcome"),
        ("state = 'closed', outcome = 'left', due_at = NULL, warn_at = NULL", "closed_has_time"),
        ("state = 'closed', outcome = 'left', closed_at = now()", "closed_has_no_clock"),
        ("due_at = NULL, warn_at = NULL", "waiting_has_clock"),
        ("warn_at = NULL", "case_clock_is_whole"),
        ("state = 'closed', outcome = 'school', closed_at = now()", "closed_by_operator_has_code"),
        ("card = NULL", "remembered_is_whole"),
        ("forgotten_at = now()", "forgotten_is_empty"),
        ("danger = 'dire'", "danger_rank"),
        ("state = 'lost'", "case_state_is_known"),
    ],
)
async def test_the_table_refuses_what_the_rules_forbid(
    sessions: Sessions, change: str, refused_by: str
) -> None:
    values = {"id": uuid4(), "now": datetime.now(UTC)}
    async with transaction(sessions) as session:
        await session.execute(
            text(
                'INSERT INTO "case" (id, designation, danger, conversation, channel, locale, reason, card,'
                " opened_at, received_at, warn_at, due_at) VALUES (:id, 'quiet heron', 'none', 'x', 'web',"
                " 'en', 'help', '\\x01', :now, :now, :now, :now)"
            ),
            values,
        )

    with pytest.raises(IntegrityError, match=refused_by):
        async with transaction(sessions) as session:
            await session.execute(text(f'UPDATE "case" SET {change}'))  # noqa: S608 - from the list above.


def test_missing_settings_are_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORCHLIGHT_REFERRAL_DATABASE_URL", "postgresql:///referral")
    monkeypatch.setenv("PORCHLIGHT_SERVICE_SECRET", "hunter2")

    with pytest.raises(SettingsInvalid) as refusal:
        read()

    assert "PORCHLIGHT_REFERRAL_SECRET_KEY to 32 random bytes" in refusal.value.sentence
    assert "whsec_" in refusal.value.sentence
    assert "hunter2" not in refusal.value.sentence


def test_the_cookie_is_bound_to_https_where_the_console_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _environment("postgresql:///referral").items():
        monkeypatch.setenv(name, value)
    assert not read().secure

    monkeypatch.setenv("PORCHLIGHT_CONSOLE_URL", "https://desk.example/")

    assert read().secure
    assert read().console == "https://desk.example"


@pytest.mark.slow
async def test_the_command_line_prints_a_one_time_link(database: str) -> None:
    added = await asyncio.to_thread(run_referral, database, "operator", "add", "Nina", "--role", "supervisor")
    again = await asyncio.to_thread(run_referral, database, "operator", "add", "nina")
    renewed = await asyncio.to_thread(run_referral, database, "operator", "invite", "nina")
    listed = await asyncio.to_thread(run_referral, database, "operator", "list")

    assert re.fullmatch(r"http://127.0.0.1:8100/invitation/[\w-]{43}\n", added.stdout)
    assert again.returncode == 1
    assert again.stderr == "There is already an operator of this name.\n"
    assert renewed.stdout.startswith("http")
    assert renewed.stdout != added.stdout
    assert listed.stdout == "nina\tsupervisor\n"


@pytest.mark.parametrize("module", ["referral.app", "referral.__main__"])
def test_a_process_knows_every_table_that_its_tables_refer_to(module: str) -> None:
    asked = f"import {module}; from referral.database import Base; Base.metadata.sorted_tables"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr[-600:]


def _environment(database: str) -> dict[str, str]:
    return {
        "PORCHLIGHT_REFERRAL_DATABASE_URL": database,
        "PORCHLIGHT_REFERRAL_SECRET_KEY": SECRET_KEY,
        "PORCHLIGHT_SERVICE_SECRET": SERVICE_SECRET,
    }


def _newest_step() -> str:
    steps = Path(referral.migrations.versions.__file__).parent.glob("[0-9]*.py")
    return max(step.name[:4] for step in steps)


def run_referral(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "referral", *arguments],
        env=os.environ | _environment(database),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _dump(database: str, *, but: str = "") -> str:
    """Every row of every table of ours, as ``COPY`` writes it."""
    with psycopg.connect(database) as connection:
        names = [
            row[0]
            for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        lines = []
        for name in names:
            if name == but:
                continue
            query = psycopg.sql.SQL("COPY {} TO STDOUT").format(psycopg.sql.Identifier(name))
            with connection.cursor().copy(query) as rows:
                lines += [bytes(row).decode() for row in rows]
    return "".join(lines)


def _ours(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or not (name or "").startswith(("procrastinate_", "alembic_"))
