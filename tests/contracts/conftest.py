"""What the contract tests share."""

from __future__ import annotations

from tests.bot.conftest import bot_template, database_url
from tests.referral.conftest import bot, clock, database, engine, privacy, service, sessions, template

__all__ = [
    "bot",
    "bot_template",
    "clock",
    "database",
    "database_url",
    "engine",
    "privacy",
    "service",
    "sessions",
    "template",
]
