"""Does a database with conversations in it survive an update, and is it then what the code expects?"""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from bot.migrate import alembic_config
from bot.store import metadata


def test_a_database_of_the_first_version_keeps_what_it_holds(database_url: str) -> None:
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0001")
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO conversation (id, channel, address) VALUES (gen_random_uuid(), 'web', 'x')")
        )
        connection.execute(
            text(
                "INSERT INTO outbox (conversation_id, inbox_id, position, lane, kind, payload)"
                " SELECT id, 1, n, 'channel', 'say', 'x' FROM conversation, generate_series(1, 3) AS n"
            )
        )
    # No key comes from the update: the next message makes one, and what is there opens without it.

    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT position, token_key FROM outbox ORDER BY position")).all()
        keys = connection.scalar(text("SELECT count(*) FROM conversation_key"))
        ours = {"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
        differences = compare_metadata(MigrationContext.configure(connection, opts=ours), metadata)
    engine.dispose()

    assert kept == [(1, None), (2, None), (3, None)]
    assert differences == []
    assert keys == 0
