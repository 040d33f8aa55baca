"""How Alembic gets at our database: always over a connection that the caller opened."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

import referral.audit.tables
import referral.cases.tables
import referral.connectors.chatwoot.tables
import referral.connectors.tables
import referral.events.tables
import referral.hours.tables
import referral.library.tables
import referral.operators.tables
import referral.pager.tables
import referral.policy.tables
import referral.replies.tables
import referral.reviews.tables  # noqa: F401 - importing them registers the tables.
from referral.database import Base

#: Any number; it only has to be the same for everybody who migrates this database.
_MIGRATION_LOCK = 7_013_904_217

connection = context.config.attributes["connection"]
# Two processes that start together must not both create the tables.
connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
context.configure(connection=connection, target_metadata=Base.metadata)
context.run_migrations()
