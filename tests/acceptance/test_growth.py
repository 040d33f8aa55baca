"""A message's way stays short when millions lie behind it: no part of it reads a whole table."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest_asyncio

from bot.launch.postgres import EmbeddedPostgres
from bot.migrate import migrate as migrate_bot
from referral.database import migrate as migrate_referral
from referral.operators.rules import Role
from tests.acceptance.conftest import operator_of
from tests.acceptance.country import fill
from tests.acceptance.product import Product, product
from tests.acceptance.test_outages import own_server
from tests.acceptance.visitor import web_visitor
from tests.referral.desk import eventually

#: A planner that prefers an index here does so all the more in larger tables: what a whole table costs grows
#: with its rows, what an index costs hardly does. ``PORCHLIGHT_GROWTH_ROWS=5000000`` fills for ten minutes.
ROWS = int(os.environ.get("PORCHLIGHT_GROWTH_ROWS", "300000"))


@pytest_asyncio.fixture
async def grown(tmp_path: Path, nlu: str) -> AsyncIterator[tuple[EmbeddedPostgres, Product]]:
    """The product on databases in which much has happened."""
    with own_server() as server:
        bot, referral = server.url("bot"), server.url("referral")
        await asyncio.to_thread(migrate_bot, bot)
        await asyncio.to_thread(migrate_referral, referral)
        await asyncio.to_thread(fill, bot=bot, referral=referral, rows=ROWS)
        starting = product(bot_database=bot, referral_database=referral, nlu=nlu, logs=tmp_path)
        running = await asyncio.to_thread(starting.__enter__)
        try:
            yield server, running
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)


async def test_no_whole_table_is_read_for_a_talk(grown: tuple[EmbeddedPostgres, Product]) -> None:
    server, running = grown
    before = {name: whole_reads(server.url(name)) for name in ("bot", "referral")}

    await a_talk(running)
    for name in list(running.processes):  # A process that ends has told the server what it read.
        running.stop(name)

    for name, reads in before.items():
        after = whole_reads(server.url(name))
        assert {table: after[table] - read for table, read in reads.items() if after[table] > read} == {}


async def a_talk(running: Product) -> None:
    """All that happens between a child's first word and the moment at which she is forgotten."""
    async with web_visitor(running.bot, locale="en") as child, operator_of(running, "anna") as operator:
        await child.hears_until_quiet()
        await child.writes("they call me names in the class chat")
        await child.hears_until_quiet()
        await child.writes("i want to die")
        await child.hears_until_quiet()
        await child.presses("Connect me to a person")
        case = await eventually(operator.take_next, lambda case: case is not None)
        assert case is not None
        assert "names in the class chat" in await operator.see(f"/cases/{case}")
        await operator.write(case, "You are not alone with this.")
        while "not alone" not in (await child.hears(sender="operator"))["text"]:
            pass
        await child.writes("thank you")
        await eventually(lambda: operator.see(f"/cases/{case}"), lambda page: "thank you" in page)
        await operator.close(case)
        await child.hears_until_quiet()
        async with httpx.AsyncClient(base_url=running.bot) as http:
            assert "porchlight_inbox" in (await http.get("/metrics")).text
            assert (await http.get("/readyz")).status_code == 200
        async with operator_of(running, "boris", role=Role.SUPERVISOR) as supervisor:
            for page in ("/", "/supervision", "/status"):
                await supervisor.see(page)
        async with operator_of(running, "clara", role=Role.AUDITOR) as auditor:
            await auditor.see("/audit")
        await child.writes("/delete")
        await child.hears_until_quiet()


def whole_reads(url: str) -> dict[str, int]:
    """How often each of the large tables was read from its first row to its last."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT stat.relname, seq_scan FROM pg_stat_user_tables AS stat JOIN pg_class ON oid = relid"
            " WHERE reltuples >= %s",
            [ROWS // 10],
        )
        return dict(found.fetchall())
