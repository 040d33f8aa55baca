"""What can go wrong with a translator's file, each with what to do about it."""

from __future__ import annotations

from bot.launch.errors import LaunchError


class FileUnreadable(LaunchError):
    """This file holds no translations that can be read."""


class TranslationRefused(LaunchError):
    """This file holds translations that cannot go in as they are; nothing was changed."""
