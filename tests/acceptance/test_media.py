"""What a child sends that is no text is never fetched and never kept: it may be the very picture."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from psycopg.rows import dict_row

from bot.keys import Keys, WrappedKey, master_keys
from bot.migrate import migrate as migrate_bot
from bot.privacy import Privacy
from referral.database import migrate as migrate_referral
from tests.acceptance.conftest import operator_of
from tests.acceptance.product import Product, product
from tests.acceptance.test_outages import NOWHERE
from tests.databases import template_database, url_of
from tests.fakes.telegram import MARK, FakeTelegram
from tests.fakes.viber import FakeViber
from tests.referral.desk import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENT = {
    "telegram": ("photo", "video", "voice", "document", "location", "contact"),
    "viber": ("picture", "video", "file", "location", "contact"),
}
#: Viber tells that its visitor is in Belarus; of Telegram's nothing is known.
NUMBERS = {"telegram": "1098", "viber": "8-801-100-16-11"}
#: All that the bot asks of a platform: to say, to look whether somebody wrote, to introduce itself.
ASKED = {
    "telegram": {
        "getMe", "getUpdates", "sendMessage", "sendChatAction", "answerCallbackQuery", "deleteWebhook",
        "setMyCommands", "setMyShortDescription", "setMyDescription",
    },
    "viber": {"send_message", "set_webhook"},
}  # fmt: skip


_INBOX = """
SELECT i.conversation_id, i.payload, i.update_key, k.number, k.wrapped, k.master
FROM inbox AS i JOIN conversation_key AS k USING (conversation_id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A product, its two databases and the messengers around it."""

    product: Product
    databases: tuple[str, str]
    messengers: dict[str, FakeTelegram | FakeViber]

    def kept(self) -> str:
        """Every row of every table of both databases, as text."""
        return "\n".join(row for url in self.databases for row in _rows(url))

    async def heard(self) -> list[dict[str, Any]]:
        """What the bot has in its inbox, unsealed."""
        privacy = Privacy(self.product.environment["PORCHLIGHT_SECRET_KEY"])
        keys = Keys(master_keys(privacy), older=privacy)
        with psycopg.connect(self.databases[0], row_factory=dict_row) as connection:
            rows = connection.execute(_INBOX).fetchall()
        found = []
        for row in rows:
            stored = WrappedKey(number=row["number"], wrapped=row["wrapped"], master=row["master"])
            key = await keys.open(row["conversation_id"], stored)
            found.append(
                json.loads(key.unseal(row["payload"], context=f"inbox.payload:{row['update_key'].hex()}"))
            )
        return found


def _rows(url: str) -> Iterator[str]:
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for table in tables:
            query = sql.SQL("SELECT to_jsonb(found)::text FROM {} AS found").format(sql.Identifier(*table))
            yield from (row[0] for row in connection.execute(query))


@pytest.fixture(scope="module")
def messengers() -> Iterator[dict[str, FakeTelegram | FakeViber]]:
    """Telegram and Viber, which remember what they were asked for."""
    with FakeTelegram() as telegram, FakeViber() as viber:
        yield {"telegram": telegram, "viber": viber}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    messengers: dict[str, FakeTelegram | FakeViber], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The product with both messengers, and no model."""
    settings = {
        f"PORCHLIGHT_{name.upper()}_{what}": value
        for name, fake in messengers.items()
        for what, value in (("TOKEN", fake.token), ("API_URL", fake.url))
    }
    async with (
        template_database("media_bot", migrate=migrate_bot) as bot,
        template_database("media_referral", migrate=migrate_referral) as referral,
    ):
        databases = (url_of(bot.name, server=bot.server), url_of(referral.name, server=referral.server))
        with product(
            bot_database=databases[0],
            referral_database=databases[1],
            nlu=NOWHERE,
            logs=tmp_path_factory.mktemp("logs"),
            settings=settings,
        ) as running:
            yield World(product=running, databases=databases, messengers=messengers)


@pytest.mark.parametrize("channel", ["telegram", "viber"])
async def test_what_a_child_sends_is_neither_fetched_nor_kept(channel: str, world: World) -> None:
    messenger = world.messengers[channel]
    child = messenger.visitor(language="en")
    child.writes("hello")
    await child.sees_until_quiet()

    # Given a child who sends everything that can be sent, and then asks for a person
    for kind in SENT[channel]:
        child.sends(kind)
        await child.sees()
    child.writes("i want to die")
    await child.sees(containing=NUMBERS[channel])
    child.presses("Connect me to a person")

    # When an operator has taken them
    async with operator_of(world.product, channel) as operator:
        case = await eventually(operator.take_next, lambda taken: taken is not None)
        page = await operator.see(f"/cases/{case}")

    # Then there is no trace of it in what the operator sees, in a database, in a log, on the platform
    assert "i want to die" in page
    assert MARK not in page
    heard = await world.heard()
    assert sum(event["kind"] == "media" for event in heard) >= len(SENT[channel])
    assert MARK not in json.dumps(heard)
    assert MARK not in world.kept()
    assert MARK not in world.product.logged()
    assert messenger.methods <= ASKED[channel]
