"""What can go wrong on the way to a running product, each with what to do about it."""

from __future__ import annotations


class LaunchError(Exception):
    """Something stands between here and a running product; the message says what, and what to do."""
