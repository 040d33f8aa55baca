"""Brings the bot's database to the form that this version needs."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from procrastinate import App, SyncPsycopgConnector
from sqlalchemy import Connection, create_engine, inspect, text

from bot.store import DIALECT

MIGRATIONS = Path(__file__).parent / "migrations"

# Any number, as long as nothing else in this database uses it.
_LOCK = 7_206_210_021

# A fetch over stale statistics takes 145 ms instead of 1 ms at 5,000 waiting jobs (measured), and the table
# turns over completely many times an hour.
_EAGER_STATISTICS = text(
    "ALTER TABLE procrastinate_jobs SET (autovacuum_analyze_scale_factor = 0,"
    " autovacuum_analyze_threshold = 500, autovacuum_vacuum_scale_factor = 0,"
    " autovacuum_vacuum_threshold = 1000)"
)

# A job that waits behind a running one of the same lock is seen again only at the next poll, seconds later;
# so the end of the running one, which is deleted then, wakes the workers if somebody waits behind it.
_WAKE_THE_NEXT = text("""
CREATE FUNCTION wake_the_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('procrastinate_any_queue_v1',
                      json_build_object('type', 'job_inserted', 'job_id', id)::text)
    FROM procrastinate_jobs WHERE lock = OLD.lock AND status = 'todo' LIMIT 1;
    RETURN NULL;
END;
$$
""")
_WHEN_ONE_ENDS = text("""
CREATE TRIGGER wake_the_next AFTER DELETE ON procrastinate_jobs
FOR EACH ROW WHEN (OLD.lock IS NOT NULL) EXECUTE FUNCTION wake_the_next()
""")

_BY_LOCK = text(
    "CREATE INDEX procrastinate_jobs_waiting_lock ON procrastinate_jobs (lock) WHERE status = 'todo'"
)

# The queue writes a line of history for each step of each job, four for a message that lives for a tenth of a
# second, and we look for dead workers by their heartbeat, never by that history.
_NO_HISTORY = tuple(
    text(f"ALTER TABLE procrastinate_jobs DISABLE TRIGGER procrastinate_trigger_{event}_v1")
    for event in ("status_events_insert", "status_events_update", "scheduled_events")
)


def migrate(url: str) -> None:
    """Create or upgrade tables and the job queue; several at once wait for each other."""
    engine = create_engine(DIALECT, creator=lambda: psycopg.connect(url))
    with engine.connect() as guard:
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        guard.commit()
        with engine.begin() as connection:
            command.upgrade(alembic_config(connection), "head")
        with engine.begin() as connection:
            queue_exists = inspect(connection).has_table("procrastinate_jobs")
        if not queue_exists:
            _create_queue(url)
            with engine.begin() as connection:
                for statement in (_EAGER_STATISTICS, _WAKE_THE_NEXT, _WHEN_ONE_ENDS, _BY_LOCK):
                    connection.execute(statement)
        with engine.begin() as connection:
            for statement in _NO_HISTORY:
                connection.execute(statement)
        guard.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        guard.commit()
    engine.dispose()


def is_behind(revision: str | None) -> bool:
    """Whether tables of this version lack what this program needs; those of a newer program do not."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    known = {script.revision for script in scripts.walk_revisions()}
    return revision is None or (revision in known and revision != scripts.get_current_head())


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for this connection, without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _create_queue(url: str) -> None:
    app = App(connector=SyncPsycopgConnector(conninfo=url))
    with app.open():
        app.schema_manager.apply_schema()
