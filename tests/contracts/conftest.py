"""What the contract tests share."""

from __future__ import annotations

from tests.referral.conftest import bot, clock, database, engine, privacy, service, sessions, template

__all__ = ["bot", "clock", "database", "engine", "privacy", "service", "sessions", "template"]
