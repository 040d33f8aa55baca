"""May a visitor be written to at no cost, and until when? No database, no clock.

A Viber bot that writes more than a day after the visitor's last message begins a chat of its own in the
platform's terms: it is billed, and it arrives on a phone that somebody else may hold by then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

#: Viber's session: https://help.viber.com/hc/en-us/articles/15247629658525-Bot-commercial-model
WINDOWS = {"viber": timedelta(hours=24)}


def closes_at(channel: str, *, heard_at: datetime) -> datetime | None:
    """Until when the visitor can be written to freely; None where there is no end."""
    window = WINDOWS.get(channel)
    return heard_at + window if window else None


def is_closed(channel: str, *, heard_at: datetime, now: datetime) -> bool:
    """Whether writing now would be billed, and late."""
    end = closes_at(channel, heard_at=heard_at)
    return end is not None and now >= end
