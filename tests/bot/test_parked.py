"""Can somebody see what was set aside, without its words, and have it tried again?"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bot.privacy import Privacy
from bot.store import Store
from tests.bot.conftest import SECRET
from tests.bot.test_worker import WebVisitor, execute, working

MARKED = "zebra"


@pytest.fixture
def visitor(store: Store, privacy: Privacy) -> WebVisitor:
    return WebVisitor(store, privacy)


def run(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PORCHLIGHT_DATABASE_URL": database_url,
        "PORCHLIGHT_SECRET_KEY": SECRET,
        "PORCHLIGHT_SERVICE_SECRET": "whsec_dGVzdHMgb2YgdGhlIGJvdCB1c2UgdGhpcyBzZWNyZXQ=",
    }
    return subprocess.run(
        [sys.executable, "-m", "bot", "parked", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_a_message_that_was_set_aside_is_listed_without_words_and_answered_after_a_retry(
    visitor: WebVisitor, database_url: str
) -> None:
    # Given a message that a fault of an older version has set aside
    await visitor.writes(f"i want to die {MARKED}")
    await execute(database_url, "UPDATE inbox SET parked = 'ValueError', attempts = 3 RETURNING id")

    shown = run(database_url, "list")
    retried = run(database_url, "retry", "inbox")
    async with working(database_url):
        said = await visitor.hears(at_least=1)

    assert "message: ValueError, tried 3 times" in shown.stdout, shown.stderr
    assert MARKED not in shown.stdout + shown.stderr + retried.stdout
    assert retried.stdout.startswith("1 will be tried again")
    assert "8-801-100-16-11" in said[0]["text"]
    assert run(database_url, "list").stdout == ""


async def test_a_number_that_was_not_set_aside_is_an_error(visitor: WebVisitor, database_url: str) -> None:
    done = run(database_url, "retry", "outbox", "7")

    assert done.returncode == 1
    assert done.stdout.startswith("0 will be tried again")


async def test_what_was_forgotten_is_not_tried_again(visitor: WebVisitor, database_url: str) -> None:
    await visitor.writes("i want to die")
    await execute(
        database_url, "UPDATE inbox SET parked = 'ValueError', attempts = 3, payload = NULL RETURNING id"
    )

    assert run(database_url, "list").stdout == ""
    assert run(database_url, "retry", "inbox").stdout.startswith("0 will")
